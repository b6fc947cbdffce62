"""What reading traces takes, going on where it was stopped, and the command around it."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from infra.aws.keeping import keeping, kept
from infra.aws.session import client
from infra.retrieval import chosen_read, chosen_traces, effort_of
from lookout import cli, tracefiles
from monitors.errors import InputError
from monitors.traces.aggregate import latency_report, window
from monitors.traces.effort import effort, words
from tests.xray import XRay

T0 = 1_700_000_000
HOUR = 3600


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.aws.pace.time.sleep", lambda _: None)


# --- what it takes -------------------------------------------------------------------------------


def test_the_effort_of_a_big_fleet() -> None:
    """40,000 traces in fives are 8,000 calls, at five a second 1,600 s; 5.6 million listed and they, at 0.50 USD a
    million, 2.82 USD."""
    found = effort(recorded=5_600_000, listed=5_600_000, chosen=40_000)
    assert (found.calls, found.seconds, found.free) == (8_000, 1_600, 1_000_000)
    assert found.usd == pytest.approx(2.82)
    assert "8,000 calls, about 27 min" in words(found)
    assert "2.8200 USD" in words(found)


def test_what_is_kept_takes_nothing() -> None:
    found = effort(recorded=100, listed=100, chosen=13, kept=2)
    assert found.calls == 3  # 11 traces
    assert found.usd == pytest.approx(111 * 0.5e-6)
    assert "2 of which are kept" in words(found)
    nothing = effort(recorded=0, listed=0, chosen=0)
    assert (nothing.calls, nothing.seconds, nothing.usd) == (0, 0, 0)


def test_of_too_many_traces_a_part_is_listed_and_stands_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 4,000, of which the first look sees 4, a tenth. Nobody knows the invocations: each stands for ten."""
    monkeypatch.setattr("infra.aws.traces.MOST_LISTED", 400)
    xray = XRay([T0 + n // 2 for n in range(4000)])
    asking = client(xray.session, "xray")
    found = chosen_traces(asking, lambda *_: None, start_s=T0 - HOUR, middle_s=T0 - 1, end_s=T0 + HOUR)
    assert (found.listed, found.recorded, len(found.now)) == (400, 4000, 400)
    assert sum(weight["shop"] for weight in found.now.values()) == pytest.approx(4000)
    assert "X-Ray has about 4,000 traces, of which 400 drawn evenly were listed" in words(effort_of(found))


# --- going on ------------------------------------------------------------------------------------


def retrieve(xray: XRay, resume: str = "") -> tuple[list[Any], list[Any]]:
    """An hour, and the hour before."""
    asking = client(xray.session, "xray")
    chosen = chosen_traces(asking, lambda *_: None, start_s=T0, middle_s=T0 + HOUR - 1, end_s=T0 + 2 * HOUR)
    return chosen_read(asking, chosen, resume=resume)


def test_two_windows_come_apart_and_in_order() -> None:
    xray = XRay([T0 + n * 60 for n in range(120)])
    before, now = retrieve(xray)
    assert [trace["Id"] for trace in before] == xray.ids[:60]
    assert [trace["Id"] for trace in now] == xray.ids[60:]
    assert all(trace["Weights"] == {"shop": 1.0} for trace in (*before, *now))


def test_a_stopped_reading_goes_on_where_it_was(tmp_path: Path) -> None:
    """A Ctrl-C half way: what was read is kept, is not asked for again, and the report is none the worse."""
    path = str(tmp_path / "traces.jsonl")
    xray = XRay([T0 + n * 60 for n in range(100)])
    left = iter(range(15))

    def stop(call: str, _parameters: Any) -> Any:
        if call == "xray:BatchGetTraces" and next(left, None) is None:
            raise KeyboardInterrupt
        return None

    xray.refuses = stop
    with pytest.raises(KeyboardInterrupt):
        retrieve(xray, path)
    had = set(kept(path))
    assert 0 < len(had) < 100
    assert {trace["Id"] for trace in tracefiles.exported(path)} == had
    again = XRay([])
    again.ids = xray.ids
    assert retrieve(again, path) == retrieve(again)
    first_run = [trace_id for batch in again.batches[: -(100 // 5)] for trace_id in batch]
    assert sorted(first_run) == sorted(set(xray.ids) - had)
    assert kept(path).keys() == set(xray.ids)


def test_what_x_ray_did_not_return_is_asked_for_again(tmp_path: Path) -> None:
    path = str(tmp_path / "traces.jsonl")
    xray = XRay([T0, T0 + 1])
    xray.unknown = {xray.ids[1]}
    retrieve(xray, path)
    assert list(kept(path)) == xray.ids[:1]
    xray.unknown = set()
    retrieve(xray, path)
    assert list(kept(path)) == xray.ids


def test_the_effort_counts_what_is_kept(tmp_path: Path) -> None:
    path = str(tmp_path / "traces.jsonl")
    xray = XRay([T0 + n for n in range(10)])
    asking = client(xray.session, "xray")
    chosen = chosen_traces(asking, lambda *_: None, start_s=T0, middle_s=T0 + 5, end_s=T0 + 60)
    assert effort_of(chosen).kept == 0
    chosen_read(asking, chosen, resume=path)
    assert effort_of(chosen, kept(path)) == effort(recorded=chosen.recorded, listed=chosen.listed, chosen=10, kept=10)


TRACE = {"Id": "1-6553f100-000000000000000000000001", "Duration": 1.5, "Segments": [{"Id": "a", "Document": '"é\\n"'}]}
OTHER = TRACE | {"Id": "1-6553f101-000000000000000000000002"}
LINE = json.dumps(TRACE)


@pytest.mark.parametrize("end", range(len(LINE)))
def test_a_line_cut_anywhere_is_written_again(end: int, tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    path.write_text(f"{json.dumps(OTHER)}\n{LINE[:end]}")
    assert kept(str(path)) == {OTHER["Id"]: OTHER}
    with keeping(str(path)) as (_, keep):
        keep(TRACE)
    assert path.read_text() == f"{json.dumps(OTHER)}\n{LINE}\n"


def test_only_the_end_of_a_line_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    path.write_text(LINE)
    with keeping(str(path)) as (_, keep):
        keep(OTHER)
    assert list(kept(str(path)).values()) == [TRACE, OTHER]


@pytest.mark.parametrize(
    "raw",
    [
        b"notes\n",
        b"notes",
        b"\xff\xfe\x00",
        b"[]\n",
        b'{"Id": 7, "Segments": []}\n',
        b'{"Id": "1-2"}',
        b'{"Id": "1-2", "Segm\n{}',
        LINE.encode() + b"\nnotes",
        b'{"a":' * 30_000,
    ],
)
def test_a_file_of_something_else_is_left_as_it_is(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "diary.txt"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"diary\.txt:\d: no trace"):
        kept(str(path))
    with pytest.raises(InputError, match="no trace"), keeping(str(path)):
        pass
    assert path.read_bytes() == raw


def test_where_nothing_can_be_kept(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.gz"):
        kept(str(tmp_path / "traces.jsonl.gz"))
    with pytest.raises(InputError, match="Is a directory"):
        kept(str(tmp_path))
    with pytest.raises(InputError, match="cannot be written"), keeping(str(tmp_path / "no" / "such")):
        pass


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> XRay:
    """A hundred traces of the past hour."""
    now = int(time.time())
    xray = XRay([now - 30 * n for n in range(100, 0, -1)])
    xray.replies["lambda:ListFunctions"] = {"Functions": []}
    monkeypatch.setattr("lookout.xray.session", lambda: xray.session)
    return xray


def test_a_plan_reads_no_trace(account: XRay, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["traces", "--plan", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["listed"], told["chosen"], told["kept"], told["calls"], told["seconds"]) == (100, 100, 0, 20, 4.0)
    assert told["usd"] == pytest.approx(200 * 0.5e-6)
    assert cli.main(["traces", "--plan"]) == 0
    assert "20 calls" in capsys.readouterr().out
    assert account.batches == []


def test_the_plan_is_said_before_traces_are_read(account: XRay, capsys: pytest.CaptureFixture[str]) -> None:
    def told(call: str, _parameters: Any) -> None:
        if call == "xray:BatchGetTraces" and not said:
            said.append(capsys.readouterr().err)

    said: list[str] = []
    account.refuses = told
    assert cli.main(["traces", "--json"]) == 0
    assert "X-Ray lists 100 traces; 100 will be read: 20 calls" in "".join(said)
    assert json.loads(capsys.readouterr().out)["traces_read"] == 100


def test_a_ctrl_c_says_how_to_go_on(account: XRay, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "traces.jsonl")
    left = iter(range(15))

    def stop(call: str, _parameters: Any) -> None:
        if call == "xray:BatchGetTraces" and next(left, None) is None:
            raise KeyboardInterrupt

    account.refuses = stop
    assert cli.main(["traces", "--resume", path]) == 130
    assert f"{path} has what was read" in capsys.readouterr().err
    account.refuses = lambda *_: None
    assert cli.main(["traces", "--resume", path, "--plan", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert 0 < told["kept"] < 100
    assert told["calls"] == -(-(100 - told["kept"]) // 5)
    assert cli.main(["traces", "--resume", path, "--json"]) == 0
    assert len(kept(path)) == 100


def test_a_wrong_file_is_told_before_anything_is_asked(account: XRay, tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("notes\n")
    assert cli.main(["traces", "--resume", str(tmp_path / "diary.txt")]) == 2
    assert account.asked == []


@pytest.mark.parametrize("flag", [["--plan"], ["--resume", "x.jsonl"]])
def test_exported_traces_have_no_plan(flag: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["traces", "--file", "traces.json", *flag]) == 2
    assert "leave out --file" in capsys.readouterr().err


@pytest.mark.parametrize("flag", [["--plan"], ["--resume", "x.jsonl"]])
def test_spans_in_a_log_group_have_no_plan(
    flag: list[str], account: XRay, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Transaction Search X-Ray lists hardly any trace, so none are chosen from its list."""
    account.replies["xray:GetTraceSegmentDestination"] = {"Destination": "CloudWatchLogs", "Status": "ACTIVE"}
    account.replies["cloudwatch:GetMetricData"] = {"MetricDataResults": []}
    assert cli.main(["traces", *flag]) == 2
    assert "Transaction Search is on" in capsys.readouterr().err
    asked: list[dict[str, Any]] = []

    def latency(_account: Any, **more: Any) -> Any:
        asked.append(more)
        return latency_report((), start=0, end=0), window(())

    monkeypatch.setattr("infra.reports.latency", latency)
    assert cli.main(["traces"]) == 0
    assert asked[0].keys() == {"end_s", "days", "progress"}
    assert account.count("xray:GetTraceSummaries") == 0
