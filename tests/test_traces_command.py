"""What `lookout traces` refuses before it reads or writes anything, and what it makes of files as people have them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lookout import show, tracefiles
from lookout.cli import main

TRACE = {
    "Id": "1-6553f100-000000000000000000000001",
    "Segments": [
        {
            "Document": {
                "id": "0000000000000001",
                "trace_id": "1-6553f100-000000000000000000000001",
                "name": "orders",
                "origin": "AWS::Lambda",
                "start_time": 1700000000.0,
                "end_time": 1700000000.2,
            }
        }
    ],
}


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    path = tmp_path / "traces.csv"
    path.write_text(json.dumps(TRACE) + "\n")
    return path


@pytest.mark.parametrize("flag", ["--per-trace", "--output"])
@pytest.mark.parametrize("role", ["--file", "--before"])
def test_what_is_read_is_not_written_over(
    role: str, flag: str, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "now.jsonl").write_text(exported.read_text())
    link = tmp_path / "same.csv"
    link.symlink_to(exported)
    before = exported.read_text()
    files = {"--file": str(tmp_path / "now.jsonl"), role: str(exported), flag: str(link)}
    assert main(["traces", *(word for pair in files.items() for word in pair)]) == 2
    assert "same.csv: is read: name another file to write" in capsys.readouterr().err
    assert exported.read_text() == before


def test_a_report_that_cannot_be_written_is_told_before_reading(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tmp_path / "lines.jsonl"
    assert main(["traces", "--file", str(exported), "--per-trace", str(lines), "-o", "report.pdf"]) == 2
    assert capsys.readouterr().err == "error: report.pdf: the report can be written as .html or .csv\n"
    assert not lines.exists()


def test_history_in_a_file_is_told_before_the_report(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["traces", "--file", str(exported), "--history", str(exported)]) == 2
    told = capsys.readouterr()
    assert "cannot be written: it is no folder" in told.err
    assert not told.out


def test_one_file_for_two_things_is_refused(exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "both.csv"
    same = f"{tmp_path}/./both.csv"
    assert main(["traces", "--file", str(exported), "--per-trace", str(target), "-o", same]) == 2
    assert "is what --per-trace writes" in capsys.readouterr().err
    assert not target.exists()


def test_days_of_a_file_are_all_it_has(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["traces", "--file", str(exported), "--days", "3"]) == 2
    assert "leave out --file" in capsys.readouterr().err


# --- files as people have them -------------------------------------------------------------------

BEGUN_S = 1_700_000_000


def trace(number: int, *, begun_s: int = BEGUN_S, origin: str = "AWS::Lambda", **more: Any) -> dict[str, Any]:
    """As BatchGetTraces returns it, its document as text: 200 ms, a minute after the one before."""
    start = begun_s + 60 * number
    trace_id = f"1-{start:08x}-{number:024x}"
    times = {"start_time": start, "end_time": start + 0.2} | more
    document = {"id": f"{number:016x}", "trace_id": trace_id, "name": "orders", "origin": origin, **times}
    return {"Id": trace_id, "Segments": [{"Id": document["id"], "Document": json.dumps(document)}]}


TRACES = [trace(number) for number in range(1, 8)]
IDS = [one["Id"] for one in TRACES]
DOCUMENTS = [segment["Document"] for one in TRACES for segment in one["Segments"]]


def of(tmp_path: Path, text: str, name: str = "traces.json") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def ids(path: Path) -> list[str]:
    return [one["Id"] for one in tracefiles.exported(str(path))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.sets(st.integers(1, len(TRACES) - 1)),
    indent=st.sampled_from([None, 0, 4]),
    between=st.sampled_from(["", "\n", "\n\n", " "]),
)
def test_answers_appended_to_one_file_are_all_read(
    cuts: set[int], indent: int | None, between: str, tmp_path: Path
) -> None:
    """BatchGetTraces takes five ids a call, and the AWS CLI prints each answer over many lines."""
    ends = [*sorted(cuts), len(TRACES)]
    answers = [{"Traces": TRACES[start:end]} for start, end in zip([0, *ends], ends, strict=False)]
    assert ids(of(tmp_path, between.join(json.dumps(one, indent=indent) for one in answers))) == IDS


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(json.dumps(one) for one in DOCUMENTS),
        json.dumps(DOCUMENTS),
        json.dumps([segment for one in TRACES for segment in one["Segments"]], indent=2),
        "\ufeff" + json.dumps(TRACES),
        f"{json.dumps(TRACES[0])}\n{json.dumps(TRACES[1])}{json.dumps(TRACES[2])}\n{json.dumps(TRACES[3:])}\n",
    ],
    ids=["texts, one a line", "a list of texts", "elements of Segments", "as Windows saves it", "lines run together"],
)
def test_what_tools_make_of_answers_is_read(text: str, tmp_path: Path) -> None:
    assert ids(of(tmp_path, text)) == IDS


@pytest.mark.parametrize("kept", [1, 60, 178])
def test_lines_before_one_that_is_cut_short_are_used(
    kept: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the disk was full, or the reading of an account was killed."""
    whole = [json.dumps(one) for one in TRACES]
    path = of(tmp_path, "\n".join([*whole[:3], whole[3][:kept]]), "traces.jsonl")
    assert ids(path) == IDS[:3]
    assert "traces.jsonl: broken off after 3 lines, which are used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{json.dumps(TRACES[0])}\n{{oops\n{json.dumps(TRACES[1])}\n", "json:2: not JSON: "),
        (f"{json.dumps(TRACES[0])}\noops", "json:2: not JSON: "),
        (json.dumps(TRACES, indent=1)[:-200], f"json:{1 + 6 * 9 + 6}: not JSON: Unterminated string"),
        ('{"Traces": [\n]}\n{"Traces": [\n1 2]}', "json:4: not JSON: Expecting ',' delimiter: column 3"),
        ('{"a": ' + "9" * 5000 + "}", "json:1: not JSON: Exceeds the limit"),
        ("[" * 100_000 + "]", "json:1: not JSON, or nested too deeply"),
        ("<html>", "json:1: not JSON: Expecting value: column 1"),
    ],
    ids=["in the middle", "no object", "cut short", "a later answer", "a number too long", "deep", "HTML"],
)
def test_a_file_that_is_broken_is_told_by_line(
    text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["traces", "--file", str(of(tmp_path, text))]) == 2
    assert told in capsys.readouterr().err


def test_objects_of_another_kind_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The daemon's header before each document: no traces, so not among those read."""
    path = of(tmp_path, "\n".join(f'{{"format": "json", "version": 1}}\n{one}' for one in DOCUMENTS))
    assert main(["traces", "--file", str(path), "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["traces_read"] == len(TRACES)
    assert "7 JSON objects left out" in told.err


def test_what_of_the_traces_is_left_out_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One with a time in words, one twice, one without segments: a third of what was read is used."""
    bad = [trace(8, start_time="noon"), TRACES[0], {"Id": "1-6553f100-00000000000000000000000f", "Segments": []}]
    path = of(tmp_path, json.dumps([*TRACES[:2], *bad]))
    assert main(["traces", "--file", str(path)]) == 0
    told = capsys.readouterr().err
    assert "2 of 5 traces used" in told
    assert "no usable segment 2, broken segment document 1, duplicate trace 1" in told
    assert main(["traces", "--file", str(of(tmp_path, json.dumps(TRACES)))]) == 0
    assert not capsys.readouterr().err


def test_traces_without_a_function_are_reported_by_entry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "latency.html"
    path = of(tmp_path, json.dumps([trace(1, origin="AWS::StepFunctions::StateMachine")]))
    assert main(["traces", "--file", str(path)]) == 0
    told = capsys.readouterr().out
    assert "no function is in the traces" in told
    assert [cell.strip() for cell in told.splitlines()[-2].split("│")[1:-1]][:3] == ["orders", "1 trace", "200.00"]
    assert main(["traces", "--file", str(path), "-o", str(page)]) == 0
    assert "The traces show no Lambda function." in page.read_text()
    assert "Function by function" not in page.read_text()


def test_requests_that_go_on_have_no_response_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = of(tmp_path, json.dumps([trace(1, end_time=None, in_progress=True)]))
    assert main(["traces", "--file", str(path)]) == 2
    assert "1 trace, but no request has ended in any" in capsys.readouterr().err


def test_weeks_the_wrong_way_round(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    was = of(tmp_path, json.dumps(TRACES), "was.json")
    now = of(tmp_path, json.dumps([trace(n, begun_s=BEGUN_S + 604_800) for n in range(3)]), "now.json")
    assert main(["traces", "--file", str(was), "--before", str(now)]) == 2
    assert "the wrong way round" in capsys.readouterr().err
    assert main(["traces", "--file", str(now), "--before", str(was)]) == 0


def test_a_week_is_kept_though_nobody_reads_to_the_end(
    tmp_path: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in `lookout traces --history weeks | head -1`; 1,700,000,000 s is 2023-11-14."""

    def closed(*_words: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(show, "table", closed)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    monkeypatch.setattr("sys.stdout.fileno", lambda: 1, raising=False)
    assert main(["traces", "--file", str(exported), "--history", str(tmp_path / "weeks")]) == 0
    assert [one.name for one in (tmp_path / "weeks").iterdir()] == ["2023-11-14.json"]


def test_a_week_that_is_yet_to_come_is_not_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """4,102,444,800 s is 2100-01-01: no real week would be within thirteen of it."""
    path = of(tmp_path, json.dumps([*TRACES, trace(0, begun_s=4_102_444_800)]))
    assert main(["traces", "--file", str(path), "--history", str(tmp_path / "weeks")]) == 2
    assert "a request began at 2100-01-01 00:00 UTC" in capsys.readouterr().err
    assert not (tmp_path / "weeks").exists()
    assert main(["traces", "--file", str(path)]) == 0
