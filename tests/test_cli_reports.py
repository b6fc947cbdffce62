"""`lookout traces` and `lookout rightsize` on files: every shape of export, and what is said of the wrong ones."""

import gzip
import io
import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lookout import cli, rightsize, tracefiles, traces
from monitors.errors import InputError


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """(status, stdout) of one command in this process."""
    status = cli.main(arguments)
    return status, capsys.readouterr().out


# --- lookout traces ------------------------------------------------------------------------------

BEGUN_S = 0x68AA0000


def trace(number: int, ms: float) -> dict[str, Any]:
    """One direct invocation, a minute after the one before."""
    start = BEGUN_S + 60 * number
    return {
        "Id": f"1-{start:08x}-{number:024x}",
        "Segments": [
            {"id": "s", "name": "shop", "origin": "AWS::Lambda", "start_time": start, "end_time": start + ms / 1000},
            {
                "id": "f",
                "name": "shop",
                "parent_id": "s",
                "origin": "AWS::Lambda::Function",
                "start_time": start,
                "end_time": start + ms / 1000,
            },
        ],
    }


TRACES = [trace(0, 10), trace(1, 20), trace(2, 30)]


def test_a_line_of_json_for_each_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "traces.json").write_text(json.dumps(TRACES))
    told = tmp_path / "phases.jsonl"
    run(capsys, "traces", "--file", str(tmp_path / "traces.json"), "--per-trace", str(told))
    found = [json.loads(line) for line in told.read_text().splitlines()]
    assert [one["trace_id"] for one in found] == [one["Id"] for one in TRACES]
    assert [one["response_us"] for one in found] == [10_000, 20_000, 30_000]
    assert all(sum(one["phases"].values()) == one["response_us"] for one in found)
    assert found[0].keys() >= {"completion_us", "critical_path", "cold_starts", "repairs"}


def test_two_files_are_two_weeks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """20 traces a day of 100 ms, and a week later of 160 ms: the comparison finds the 60 ms since the week's start."""
    for name, first_day, ms in (("was.jsonl", 0, 100), ("now.jsonl", 7, 160)):
        minutes = [(first_day + day) * 1440 + 60 * hour for day in range(7) for hour in range(20)]
        (tmp_path / name).write_text("\n".join(json.dumps(trace(at, ms)) for at in minutes))
    arguments = ["traces", "--file", str(tmp_path / "now.jsonl"), "--before", str(tmp_path / "was.jsonl"), "--json"]
    status, out = run(capsys, *arguments)
    found = json.loads(out)
    changes = {one["measure"]: one for one in found["changes"]}
    assert (status, found["compared"], found["traces_read"]) == (1, 1, 140)
    assert changes["p50_ms"]["after"] - changes["p50_ms"]["before"] == pytest.approx(60)


def test_what_is_too_little_to_compare_is_not_called_unchanged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three requests of one day, against three."""
    path = tmp_path / "traces.json"
    path.write_text(json.dumps(TRACES))
    assert cli.main(["traces", "--file", str(path), "--before", str(path)]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("Nothing could be compared; slowest is shop")
    assert "1 function could not be compared" in told.err


def test_a_trace_without_a_time_of_its_own_does_not_move_the_window(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "traces.json"
    path.write_text(json.dumps([*TRACES, {"Id": f"1-ffffffff-{0:024x}", "Segments": []}]))
    _, out = run(capsys, "traces", "--file", str(path), "--json")
    assert json.loads(out)["end"] == BEGUN_S + 120


def test_a_week_before_needs_a_week(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["traces", "--before", "x.jsonl"]) == 2
    assert "--file" in capsys.readouterr().err
    (tmp_path / "now.json").write_text(json.dumps(TRACES))
    (tmp_path / "was.json").write_text("[]")
    arguments = ["traces", "--file", str(tmp_path / "now.json"), "--before", str(tmp_path / "was.json")]
    assert cli.main(arguments) == 2
    assert "was.json: no traces" in capsys.readouterr().err


def test_traces_one_by_one_need_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["traces", "--per-trace", "x.jsonl"]) == 2
    assert "--file" in capsys.readouterr().err


def test_segment_documents_by_themselves_are_put_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    documents = [{**segment, "trace_id": one["Id"]} for one in TRACES for segment in one["Segments"]]
    path = tmp_path / "segments.jsonl"
    path.write_text("\n".join(map(json.dumps, documents)))
    _, out = run(capsys, "traces", "--file", str(path), "--json")
    assert json.loads(out)["traces_used"] == len(TRACES)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"Traces": TRACES}),
        json.dumps(TRACES),
        "\n".join(json.dumps(one) for one in TRACES) + "\n\n",
    ],
    ids=["as answered", "a list", "a line each"],
)
def test_traces_of_a_file(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "traces.jsonl.gz"
    path.write_bytes(gzip.compress(text.encode()))
    status, out = run(capsys, "traces", "--file", str(path), "--json")
    found = json.loads(out)
    assert (status, found["traces_read"], found["traces_used"]) == (0, 3, 3)
    assert (found["start"], found["end"]) == (BEGUN_S, BEGUN_S + 120)
    (shop,) = found["functions"]
    assert (shop["function"], shop["response"]["p50_ms"], shop["cold_share"]) == ("shop", pytest.approx(20), 0)


def test_traces_as_page_and_sheet_and_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(TRACES[0]))
    for name, sign in (("latency.html", "<!doctype html>"), ("latency.csv", "function,")):
        assert run(capsys, "traces", "--file", str(path), "-o", str(tmp_path / name)) == (0, "")
        assert (tmp_path / name).read_text().lower().lstrip("\ufeff").startswith(sign)
    status, out = run(capsys, "traces", "--file", str(path))
    assert status == 0
    assert "shop" in out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"resources": []}', "no traces: expected"),
        ("[1, 2]", "no traces: expected"),
        ("7", "no traces: expected"),
        ("", "no traces: expected"),
        ('{"Id": "a"}\nnot a trace\n', r"x\.json:2: not JSON"),
    ],
)
def test_traces_of_a_wrong_file(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match=told):
        traces.traces(cli._parser().parse_args(["traces", "--file", str(path)]))


def test_a_report_is_a_page_or_a_sheet(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(TRACES))
    with pytest.raises(InputError, match=r"\.html or \.csv"):
        traces.traces(cli._parser().parse_args(["traces", "--file", str(path), "-o", "latency.pdf"]))


# --- lookout traces, of spans --------------------------------------------------------------------


def spans_of(number: int, ms: int) -> list[dict[str, Any]]:
    """One invocation of `shop` a minute after the one before, as `aws/spans` has it, and a call of half its time."""
    start_ns = (BEGUN_S + 60 * number) * 10**9
    told = {
        "traceId": f"{BEGUN_S + 60 * number:08x}{number:024x}",
        "startTimeUnixNano": start_ns,
        "status": {"code": "UNSET"},
    }
    handler = {
        "spanId": f"{2 * number + 1:016x}",
        "name": "app.run",
        "kind": "SERVER",
        "endTimeUnixNano": start_ns + ms * 10**6,
        "resource": {"attributes": {"cloud.platform": "aws_lambda", "faas.name": "shop"}},
        "attributes": {"faas.coldstart": number == 0},
        "events": [{"name": "started", "timeUnixNano": start_ns}],
    }
    call = {
        "spanId": f"{2 * number + 2:016x}",
        "parentSpanId": handler["spanId"],
        "name": "Query",
        "kind": "CLIENT",
        "endTimeUnixNano": start_ns + ms * 10**6 // 2,
        "attributes": {"rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "Query"},
    }
    return [told | call, told | handler]


def as_otlp(span: dict[str, Any]) -> dict[str, Any]:
    """The same span by the OTLP specification's JSON encoding."""
    value = {str: "stringValue", bool: "boolValue"}
    attributes, resource = (
        [{"key": key, "value": {value[type(one)]: one}} for key, one in found.get("attributes", {}).items()]
        for found in (span, span.get("resource", {}))
    )
    times = {key: str(one) for key, one in span.items() if key.endswith("UnixNano")}
    numbers = {"kind": {"SERVER": 2, "CLIENT": 3}[span["kind"]], "status": {"code": 0}}
    inside = {**span, **times, **numbers, "attributes": attributes}
    inside.pop("resource", None)
    return {"resource": {"attributes": resource}, "scopeSpans": [{"spans": [inside]}]}


SPANS = [span for number in range(3) for span in spans_of(number, 10 * (number + 1))]


def rows() -> list[list[dict[str, str]]]:
    """Spans as GetQueryResults answers."""
    return [[{"field": "@message", "value": json.dumps(one)}, {"field": "@ptr", "value": "p"}] for one in SPANS]


def lines_of(values: list[Any]) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in values)


@pytest.mark.parametrize(
    "text",
    [
        lines_of(SPANS),
        json.dumps(SPANS),
        json.dumps(SPANS, indent=1),
        lines_of([{"timestamp": 1, "message": json.dumps(one)} for one in SPANS]),
        json.dumps([{"@timestamp": "t", "@message": one} for one in SPANS]),
        json.dumps({"events": [{"message": json.dumps(one)} for one in SPANS]}, indent=1),
        lines_of([{"messageType": "DATA_MESSAGE", "logEvents": [{"message": json.dumps(one)}]} for one in SPANS]),
        json.dumps({"status": "Complete", "results": rows()}),
        json.dumps({"resourceSpans": [as_otlp(one) for one in SPANS]}),
        lines_of([{"resourceSpans": [as_otlp(one)]} for one in SPANS]),
    ],
    ids=[
        *("a line each", "a list", "a printed list", "log events", "an export of the console", "filter-log-events"),
        *("a subscription", "get-query-results", "OTLP", "OTLP, a line each"),
    ],
)
def test_spans_of_a_file(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "spans.jsonl"
    path.write_text(text)
    _, out = run(capsys, "traces", "--file", str(path), "--json")
    found = json.loads(out)
    assert (found["traces_read"], found["traces_used"]) == (3, 3)
    assert (found["start"], found["end"]) == (BEGUN_S, BEGUN_S + 120)
    (shop,) = found["functions"]
    assert (shop["function"], shop["response"]["p50_ms"]) == ("shop", pytest.approx(20))
    assert shop["cold_share"] == pytest.approx(1 / 3)
    assert [(edge["caller"], edge["callee"], edge["calls"]) for edge in found["edges"]] == [("shop", "DynamoDB", 3)]


def test_spans_and_traces_and_documents_in_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    documents = [{**segment, "trace_id": TRACES[1]["Id"]} for segment in TRACES[1]["Segments"]]
    path = tmp_path / "mixed.jsonl"
    path.write_text(lines_of([TRACES[0], *documents, *spans_of(2, 30), {"Traces": [trace(3, 40)]}]))
    found = json.loads(run(capsys, "traces", "--file", str(path), "--json")[1])
    assert (found["traces_used"], found["functions"][0]["traces"]) == (4, 4)


def test_a_trace_s_spans_lie_in_several_files(tmp_path: Path) -> None:
    """As an export of the log group to S3 has them, a file for each of its streams."""
    paths = [str(tmp_path / f"{number}.jsonl") for number in (0, 1)]
    for number, path in enumerate(paths):
        Path(path).write_text(lines_of(SPANS[number::2]))
    assert [len(one["Segments"]) for one in tracefiles.exported(*paths)] == [2, 2, 2]


def test_what_a_broken_file_of_spans_has_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ids that hardly compress, so that half of the file holds about half of the traces."""
    dice = random.Random(1)
    spans = [{**spans_of(n, 10)[1], "traceId": f"{BEGUN_S:08x}{dice.getrandbits(96):024x}"} for n in range(4000)]
    whole = gzip.compress(lines_of(spans).encode())
    path = tmp_path / "spans.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    assert cli.main(["traces", "--file", str(path), "--json"]) == 0
    told = capsys.readouterr()
    assert 1000 < json.loads(told.out)["traces_used"] < 3000
    assert "spans.jsonl.gz: broken off after" in told.err


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (gzip.compress(json.dumps(SPANS).encode())[:50], r"spans\.gz: "),
        (gzip.compress(lines_of(SPANS).encode() + b"x"), r"spans\.gz:7: not JSON"),
        (gzip.compress(b'\n[\n{"spanId": 1},\n{"spanId" 2}]'), r"spans\.gz:4: not JSON"),
        (gzip.compress(b'{"message": "no span"}'), "no traces: expected"),
        (gzip.compress(b'{"spanId": "x"}'), "no traces: expected"),
    ],
    ids=["cut short", "a bad line", "a bad line of a printed list", "another log", "no span"],
)
def test_spans_of_a_wrong_file(raw: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "spans.gz"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=told):
        traces.traces(cli._parser().parse_args(["traces", "--file", str(path)]))


# --- lookout traces, week by week ----------------------------------------------------------------


def of_week(number: int, ms: float) -> list[dict[str, Any]]:
    """400 invocations, a minute apart, each slower than the one before by a 400th of the first."""
    return [trace(number * 10_080 + n, ms * (1 + n / 400)) for n in range(400)]


def test_a_window_is_kept_and_the_trend_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """p50 of 100 to 200 ms is 150 ms, then 300 ms; 0x68aa0000 is 2025-08-23."""
    folder, page = tmp_path / "kept" / "weeks", tmp_path / "latency.html"
    for number, ms in ((0, 100), (1, 200)):
        path = tmp_path / f"week{number}.json"
        path.write_text(json.dumps(of_week(number, ms)))
        _, out = run(capsys, "traces", "--file", str(path), "--history", str(folder), "--json")
    assert sorted(one.name for one in folder.iterdir()) == ["2025-08-23.json", "2025-08-30.json"]
    told = json.loads(out)["trends"]
    (shop,) = told["functions"]
    assert [week["response"]["p50_ms"] for week in shop["weeks"]] == pytest.approx([150, 300], rel=0.01)
    assert {one["measure"] for one in told["moves"]} == {"p50_ms", "p95_ms", "p99_ms"}
    _, out = run(capsys, "traces", "--file", str(path), "--history", str(folder))
    assert "shop: p50_ms 1" in out
    assert "not tested for significance" in out
    run(capsys, "traces", "--file", str(path), "--history", str(folder), "-o", str(page))
    assert "Since the week before: p50 from" in page.read_text()
    assert len([*folder.iterdir()]) == 2  # read again, kept once


def test_without_history_nothing_is_kept_and_no_trend_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, page = tmp_path / "traces.json", tmp_path / "latency.html"
    path.write_text(json.dumps(TRACES))
    assert "trends" not in json.loads(run(capsys, "traces", "--file", str(path), "--json")[1])
    run(capsys, "traces", "--file", str(path), "-o", str(page))
    assert "Thirteen weeks" not in page.read_text()


def test_a_broken_week_is_said_before_any_trace_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "2025-08-23.json").write_text('{"version": 9}')
    (tmp_path / "notes.json").write_text("not ours")
    assert cli.main(["traces", "--history", str(tmp_path)]) == 2
    assert "2025-08-23.json: no week of latency history: its version is 9" in capsys.readouterr().err


def test_history_that_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "traces.json"
    path.write_text(json.dumps(TRACES))
    assert cli.main(["traces", "--file", str(path), "--history", str(path)]) == 2
    assert "cannot be written" in capsys.readouterr().err


# --- lookout rightsize ---------------------------------------------------------------------------


def report_line(number: int, *, ms: float = 100, memory_mb: int = 128, used_mb: int = 60) -> str:
    """A REPORT line as Lambda writes it."""
    return (
        f"REPORT RequestId: 00000000-0000-4000-8000-{number:012}\tDuration: {ms:.2f} ms\t"
        f"Billed Duration: {ms:.0f} ms\tMemory Size: {memory_mb} MB\tMax Memory Used: {used_mb} MB\t"
    )


def test_rightsize_of_bare_lines_is_about_the_function_the_file_is_named_after(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "shop-orders.log"
    path.write_text(f"START RequestId: x\n{report_line(1)}\n2026-11-02T00:00:00.000Z {report_line(2)}\nhello\n")
    status, out = run(capsys, "rightsize", str(path), "--json")
    found = json.loads(out)
    (advice,) = found["advice"]
    assert (status, found["invocations"]) == (0, 2)
    assert (advice["function"], advice["memory_mb"], advice["used_mb"]) == ("shop-orders", 128, 60)
    assert (advice["action"], advice["flags"]) == ("unknown", ["few_data"])
    assert found["end"] == 1_793_577_600  # date -u -d 2026-11-02 +%s


def test_rightsize_of_events_with_their_log_groups(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Memory that was used up must be raised, however few lines tell of it: something to do, so 1."""
    events = [
        {
            "logGroup": "/aws/lambda/shop-import",
            "logStream": f"2026/11/01/[$LATEST]{number:032x}",
            "timestamp": 1_793_491_200_000 + number,
            "message": report_line(number, used_mb=128),
        }
        for number in range(3)
    ]
    raw = "\n".join(map(json.dumps, events)).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    status, out = run(capsys, "rightsize", "-", "--json")
    (advice,) = json.loads(out)["advice"]
    assert (status, advice["function"], advice["action"], advice["sandboxes"]) == (1, "shop-import", "raise", 3)
    assert advice["advised_mb"] > 128


def test_rightsize_as_page_and_sheet_and_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "shop-orders.log.gz"
    path.write_bytes(gzip.compress(report_line(1).encode()))
    for name, sign in (("memory.html", "<!doctype html>"), ("memory.csv", "function,")):
        assert run(capsys, "rightsize", str(path), "-o", str(tmp_path / name)) == (0, "")
        assert (tmp_path / name).read_text().lower().lstrip("\ufeff").startswith(sign)
    status, out = run(capsys, "rightsize", str(path))
    assert status == 0
    assert "shop-orders" in out


def test_rightsize_of_a_file_that_reports_nothing(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("REPORT on the garden\n")
    with pytest.raises(InputError, match=r"notes\.txt: no REPORT lines"):
        rightsize.rightsize(cli._parser().parse_args(["rightsize", str(path)]))


def test_rightsize_of_an_export_to_s3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """<what it was synced to>/<task id>/<log stream, slashes as dashes>/000000.gz: two sandboxes of one function."""
    task = tmp_path / "shop-orders" / "4f6a5e0c-9b1d-4c5e-8f7a-0123456789ab"
    for number, sandbox in enumerate("ab"):
        folder = task / f"2026-11-02-[$LATEST]{sandbox * 32}"
        folder.mkdir(parents=True)
        (folder / "000000.gz").write_bytes(gzip.compress(f"2026-11-02T00:00:00.000Z {report_line(number)}\n".encode()))
    (tmp_path / "shop-orders" / "aws-logs-write-test").write_text("Permission Check Successful")
    status, out = run(capsys, "rightsize", str(tmp_path), "--json")
    (advice,) = json.loads(out)["advice"]
    assert status == 0
    assert (advice["function"], advice["invocations"], advice["sandboxes"]) == ("shop-orders", 2, 2)


def test_rightsize_uses_what_a_broken_file_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes that hardly compress, so that half of the file holds about half of the lines."""
    dice = random.Random(1)
    lines = [f"{report_line(n)} {dice.getrandbits(256):x}" for n in range(4000)]
    whole = gzip.compress("\n".join(lines).encode())
    path = tmp_path / "shop-orders.log.gz"
    path.write_bytes(whole[: len(whole) // 2])
    assert cli.main(["rightsize", str(path), "--json"]) == 0
    told = capsys.readouterr()
    assert 1000 < json.loads(told.out)["invocations"] < 3000
    assert "shop-orders.log.gz: ends before its end; what was read of it is used" in told.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-o", "x.pdf"], "x.pdf: the report can be written as"),
        (["-o", "logs/orders.csv"], "is read: name another"),
        (["--region", "mars-1"], "--region mars-1: no AWS Region"),
    ],
)
def test_rightsize_refuses_before_it_reads(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "orders.csv").write_text(report_line(1))
    with pytest.raises(InputError, match=told):
        rightsize.rightsize(cli._parser().parse_args(["rightsize", "logs", *arguments]))
    assert (tmp_path / "logs" / "orders.csv").read_text() == report_line(1)


def test_rightsize_of_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no files in this folder"):
        rightsize.rightsize(cli._parser().parse_args(["rightsize", str(tmp_path)]))


def test_rightsize_takes_price_and_processor_of_files_as_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "shop-orders.log"
    path.write_text(report_line(1))
    arguments = ["rightsize", str(path), "--json", "--region", "af-south-1", "--architecture", "arm64"]
    found = json.loads(run(capsys, *arguments)[1])
    (advice,) = found["advice"]
    assert (found["region"], advice["architecture"]) == ("af-south-1", "arm64")
    # one invocation of 100 ms at 128 MB, in less than a day: thirty a month; a GB-second is 0.00001768 USD there
    assert advice["now_usd_month"] == pytest.approx(30 * (0.125 * 0.1 * 0.00001768 + 0.27e-6))
    with pytest.raises(InputError, match="an account says its own"):
        rightsize.rightsize(cli._parser().parse_args(["rightsize", "--region", "af-south-1"]))


def test_rightsize_as_a_patch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that waits, seen at two sizes; another, out of memory, is in none of the files."""
    monkeypatch.chdir(tmp_path)
    sizes = [1024] * 300 + [2048] * 900
    events = [("shop-Orders-1A2B3C4D5E6F", size, 60, 1_793_491_200_000 + n * 900_000) for n, size in enumerate(sizes)]
    events += [("shop-Import-1A2B3C4D5E6F", 128, 128, 1_793_491_200_000 + n) for n in range(3)]
    lines = [
        json.dumps(
            {
                "logGroup": f"/aws/lambda/{function}",
                "logStream": f"{memory_mb}-{number % 30}",
                "timestamp": timestamp,
                "message": report_line(number, memory_mb=memory_mb, used_mb=used_mb),
            }
        )
        for number, (function, memory_mb, used_mb, timestamp) in enumerate(events)
    ]
    Path("lines.jsonl").write_text("\n".join(lines))
    template = "Resources:\n  Orders:\n    Type: AWS::Serverless::Function\n    Properties:\n      MemorySize: 2048\n"
    Path("template.yaml").write_text(template)
    arguments = ["rightsize", "lines.jsonl", "--patch", str(tmp_path / "template.yaml")]
    status = cli.main(arguments)
    told = capsys.readouterr()
    assert status == 1
    assert told.out.splitlines() == [
        *("--- a/template.yaml", "+++ b/template.yaml", "@@ -2,4 +2,4 @@"),
        *("   Orders:", "     Type: AWS::Serverless::Function", "     Properties:"),
        *("-      MemorySize: 2048", "+      MemorySize: 128"),
    ]
    assert "in none of the files: shop-Import-1A2B3C4D5E6F" in told.err
    with pytest.raises(InputError, match="choose one"):
        rightsize.rightsize(cli._parser().parse_args([*arguments, "--json"]))


JSON_VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([[]])
EVENTS = st.fixed_dictionaries(
    {"message": st.just(report_line(1)) | st.text()},
    optional={"timestamp": JSON_VALUES, "logGroup": JSON_VALUES, "logStream": JSON_VALUES},
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.lists(st.binary() | EVENTS.map(lambda event: json.dumps(event).encode()), max_size=5))
def test_no_line_of_a_log_raises_anything_but_an_input_error(raw: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "hostile.log"
    path.write_bytes(b"\n".join([*raw, b'{"a":' * 30_000, b"0001-01-01T00:00:00 x", report_line(9).encode()]))
    status = rightsize.rightsize(cli._parser().parse_args(["rightsize", str(path), "--json"]))
    assert status in (0, 1)


def test_rightsize_with_what_power_tuning_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs, tuning = tmp_path / "shop-orders.log", tmp_path / "tuning.json"
    logs.write_text("\n".join(report_line(number, memory_mb=512) for number in range(40)))
    stats = [{"value": 256, "averageDuration": 200}, {"value": 512, "averageDuration": 100}]
    tuning.write_text(json.dumps({"power": 256, "stats": stats}))
    status, out = run(capsys, "rightsize", str(logs), "--json", "--tuned", f"shop-orders={tuning}")
    (advice,) = json.loads(out)["advice"]
    assert (status, advice["confidence"]) == (0, "A")
    assert "by Power Tuning at 256 MB" in " ".join(advice["reasons"])


@pytest.mark.parametrize(
    ("tunings", "why"),
    [
        (["shop-orders"], "--tuned shop-orders: expected FUNCTION=FILE"),
        (["={}"], "expected FUNCTION=FILE"),
        (["shop-orders={}", "shop-orders={}"], "shop-orders has a file already"),
        (["shop-order={}"], "--tuned shop-order: no invocation of that name was read"),
        (["shop-orders={}.gone"], "No such file"),
    ],
)
def test_rightsize_refuses_tuning_that_fits_nothing(
    tunings: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs, tuning = tmp_path / "shop-orders.log", tmp_path / "tuning.json"
    logs.write_text(report_line(1))
    tuning.write_text('{"stats": [{"value": 256, "averageDuration": 2}, {"value": 512, "averageDuration": 1}]}')
    named = [word for one in tunings for word in ("--tuned", one.format(tuning))]
    assert cli.main(["rightsize", str(logs), *named]) == 2
    assert why in capsys.readouterr().err
