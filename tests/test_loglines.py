"""Platform lines, text and JSON, against what AWS documents of them; application lines against what they are not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors import applines
from monitors.loglines import function_of, parse, plain_report
from monitors.records import Invocation, PlatformEvent

ID = "8f507cfc-1a2b-4c3d-9e8f-0123456789ab"
REPORT = (
    f"REPORT RequestId: {ID}\tDuration: 46.84 ms\tBilled Duration: 47 ms \tMemory Size: 192 MB\tMax Memory Used: 72 MB"
)
XRAY = "\nXRAY TraceId: 1-5d83c0ad-b8eb33a0b1de97d804fac890\tSegmentId: 31255c3b19bd3637\tSampled: true"
ARN = "arn:aws:lambda:us-east-1::runtime:0123"


def platform(kind: str, record: object) -> str:
    return json.dumps({"time": "2026-11-23T10:00:00.123Z", "type": f"platform.{kind}", "record": record})


def report_fields(**more: Any) -> dict[str, Any]:
    return {"request_id": ID, "duration_ms": 46.84, "billed_ms": 47, "memory_mb": 192, "used_mb": 72, **more}


REPORTS = {
    "basic, a space after ms": (f"{REPORT}\t\n", report_fields()),
    "no trailing tab": (REPORT, report_fields()),
    "X-Ray": (
        f"{REPORT}\t{XRAY}",
        report_fields(trace_id="1-5d83c0ad-b8eb33a0b1de97d804fac890", segment_id="31255c3b19bd3637", sampled=True),
    ),
    "cold start": (f"{REPORT}\tInit Duration: 127.02 ms\t\n", report_fields(init_ms=127.02)),
    "SnapStart": (
        f"{REPORT}\tRestore Duration: 398.97 ms\tBilled Restore Duration: 182 ms\t\n",
        report_fields(restore_ms=398.97, billed_restore_ms=182),
    ),
    "timeout": (f"{REPORT}\tStatus: timeout", report_fields(status="timeout")),
    "timeout after init": (
        f"{REPORT}\tInit Duration: 476.75 ms\tStatus: timeout{XRAY[:40]}",
        report_fields(init_ms=476.75, status="timeout", trace_id=XRAY[15:40]),
    ),
    "out of memory": (
        f"{REPORT}\tStatus: error\tError Type: Runtime.OutOfMemory\n",
        report_fields(status="error", error_type="Runtime.OutOfMemory"),
    ),
    "managed instance": (
        f"REPORT RequestId: {ID}\tDuration: 2.52 ms\t\n",
        report_fields(duration_ms=2.52, billed_ms=None, memory_mb=None, used_mb=None),
    ),
    "fields that AWS has yet to add": (
        f"{REPORT}\tPost Duration: 9 ms\tExtra Init Duration: 3 ms\tSub Status: odd\tMore\n",
        report_fields(),
    ),
    "JSON, cold, timed out": (
        platform(
            "report",
            {
                "requestId": ID,
                "metrics": {
                    "durationMs": 30000.0,
                    "billedDurationMs": 30000,
                    "memorySizeMB": 128,
                    "maxMemoryUsedMB": 74,
                    "initDurationMs": 985.413,
                },
                "status": "timeout",
            },
        ),
        report_fields(duration_ms=30000, billed_ms=30000, memory_mb=128, used_mb=74, init_ms=985.413, status="timeout"),
    ),
    "JSON, SnapStart, spaces after colons, trace": (
        f"""{{"time" : "2026-02-09T08:42:44.080Z", "type" :  "platform.report", "record": {{"requestId": "{ID}",
        "status": "success", "metrics": {{"durationMs": 147.156, "billedDurationMs": 201, "memorySizeMB": 512,
        "maxMemoryUsedMB": 91, "restoreDurationMs": 500.795, "billedRestoreDurationMs": 53 }},
        "tracing": {{"spanId": "31255c3b19bd3637", "type": "X-Amzn-Trace-Id",
        "value": "Root=1-5d83c0ad-b8eb33a0b1de97d804fac890;Parent=4a3;Sampled=1"}} }} }}""",
        report_fields(
            duration_ms=147.156,
            billed_ms=201,
            memory_mb=512,
            used_mb=91,
            restore_ms=500.795,
            billed_restore_ms=53,
            trace_id="1-5d83c0ad-b8eb33a0b1de97d804fac890",
            segment_id="31255c3b19bd3637",
            sampled=True,
        ),
    ),
    "JSON, managed instance": (
        platform("report", {"requestId": ID, "metrics": {"durationMs": 2.524}, "spans": [], "status": "success"}),
        report_fields(duration_ms=2.524, billed_ms=None, memory_mb=None, used_mb=None),
    ),
}

EVENTS = {
    "init_start": (
        f"INIT_START Runtime Version: java:11.v19\tRuntime Version ARN: {ARN}",
        {"kind": "init_start", "version": "java:11.v19"},
    ),
    "init_report timeout": (
        "INIT_REPORT Init Duration: 9999.79 ms\tPhase: init\tStatus: timeout",
        {"kind": "init_report", "init_ms": 9999.79, "phase": "init", "status": "timeout"},
    ),
    "init_report error": (
        "INIT_REPORT Init Duration: 154.03 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n",
        {
            "kind": "init_report",
            "init_ms": 154.03,
            "phase": "invoke",
            "status": "error",
            "error_type": "Runtime.ExitError",
        },
    ),
    "init_report of a SnapStart version": (
        "INIT_REPORT Init Duration: 9908.09 ms",
        {"kind": "init_report", "init_ms": 9908.09},
    ),
    "restore_start": (
        f"RESTORE_START Runtime Version: java:21.v12 Runtime Version ARN: {ARN}",
        {"kind": "restore_start", "version": "java:21.v12"},
    ),
    "restore_report": ("RESTORE_REPORT Restore Duration: 509.31 ms", {"kind": "restore_report", "restore_ms": 509.31}),
    "restore_report, spaces": (
        "RESTORE_REPORT Restore Duration: 1236.04 ms Status: error Error Type: Runtime.ExitError",
        {"kind": "restore_report", "restore_ms": 1236.04, "status": "error", "error_type": "Runtime.ExitError"},
    ),
    "start": (
        f"START RequestId: {ID} Version: $LATEST\n",
        {"kind": "start", "request_id": ID, "version": "$LATEST"},
    ),
    "end": (f"END RequestId: {ID}\n", {"kind": "end", "request_id": ID}),
    "extension": (
        "EXTENSION\tName: otel\tState: Ready\tEvents: [INVOKE, SHUTDOWN]",
        {"kind": "extension", "name": "otel", "status": "Ready"},
    ),
    "logs subscription": (
        "LOGS\tName: otel\tState: Subscribed\tTypes: [Platform]",
        {"kind": "logs_subscription", "name": "otel", "status": "Subscribed"},
    ),
    "telemetry subscription": (
        "TELEMETRY\tName: otel\tState: Subscribed\tTypes: [Platform]",
        {"kind": "telemetry_subscription", "name": "otel", "status": "Subscribed"},
    ),
    "task timeout": (
        f"2026-06-09T15:02:26.150Z {ID} Task timed out after 3.00 seconds\n\n",
        {"kind": "task_timeout", "request_id": ID, "timeout_s": 3.0},
    ),
    "killed": (
        f"RequestId: {ID} Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n",
        {"kind": "runtime_exit", "request_id": ID, "reason": "signal: killed", "error_type": "Runtime.ExitError"},
    ),
    "exit without a reason": (
        f"RequestId: {ID} Error: Runtime exited without providing a reason\nRuntime.ExitError\n",
        {
            "kind": "runtime_exit",
            "request_id": ID,
            "reason": "Runtime exited without providing a reason",
            "error_type": "Runtime.ExitError",
        },
    ),
    "exit, as it was once written": (
        f"RequestId: {ID} Process exited before completing request\n",
        {"kind": "runtime_exit", "request_id": ID, "reason": "Process exited before completing request"},
    ),
    "JSON init_report": (
        platform(
            "initReport",
            {
                "initializationType": "on-demand",
                "phase": "init",
                "status": "timeout",
                "metrics": {"durationMs": 10000.487},
            },
        ),
        {
            "kind": "init_report",
            "init_type": "on-demand",
            "phase": "init",
            "status": "timeout",
            "init_ms": 10000.487,
        },
    ),
    "JSON restore_report without metrics": (
        platform("restoreReport", {"status": "failure", "errorType": "RestoreError"}),
        {"kind": "restore_report", "status": "failure", "error_type": "RestoreError"},
    ),
    "JSON restore_runtime_done": (
        platform("restoreRuntimeDone", {"status": "success"}),
        {"kind": "restore_runtime_done", "status": "success"},
    ),
    "JSON start": (
        platform("start", {"requestId": ID, "version": "7"}),
        {"kind": "start", "request_id": ID, "version": "7"},
    ),
    "JSON runtime_done": (
        platform("runtimeDone", {"requestId": ID, "status": "success", "metrics": {"durationMs": 2599.0}}),
        {"kind": "runtime_done", "request_id": ID, "status": "success", "duration_ms": 2599.0},
    ),
    "JSON logs_dropped": (
        platform("logsDropped", {"reason": "Consumer is slow", "droppedRecords": 12, "droppedBytes": 99}),
        {"kind": "logs_dropped", "reason": "Consumer is slow"},
    ),
    "JSON fault, its record a text": (
        platform("fault", "RequestId: x Error: Runtime exited"),
        {"kind": "fault", "reason": "RequestId: x Error: Runtime exited"},
    ),
    "JSON of a kind AWS has yet to make": (platform("newThing", {"status": "x"}), {"kind": "new_thing", "status": "x"}),
}

PLATFORM_LINES = [line for line, _ in (*REPORTS.values(), *EVENTS.values())]

NOT_PLATFORM = {
    "nothing": "",
    "a quoted timeout": "[INFO] downstream said: Task timed out after 5 seconds",
    "a timeout of someone else's": "2026-06-09T15:02:26.150Z worker-3 Task timed out after 5 seconds",
    "more after the timeout": f"2026-06-09T15:02:26.150Z {ID} Task timed out after 5 seconds, retrying",
    "a report in words": "REPORT RequestId: was slow, Duration: 3 ms",
    "no duration": f"REPORT RequestId: {ID}\tBilled Duration: 47 ms",
    "a duration that is none": f"REPORT RequestId: {ID}\tDuration: soon ms\tBilled Duration: 47 ms",
    "a start of something": f"START RequestId: {ID} of the import",
    "an array": f"[{platform('report', {})}]",
    "JSON that is cut": platform("start", {"requestId": ID})[:-2],
    "JSON with a logger's own keys": platform("report", {"requestId": ID, "metrics": {"durationMs": 1}})[:-1]
    + ', "level": "INFO"}',
    "no time": json.dumps({"type": "platform.report", "record": {"requestId": ID, "metrics": {"durationMs": 1}}}),
    "record null": platform("report", None),
    "record a list": platform("report", [1]),
    "a text in a report": platform("report", "x"),
    "metrics null": platform("report", {"requestId": ID, "metrics": None}),
    "a boolean duration": platform("report", {"requestId": ID, "metrics": {"durationMs": True}}),
    "a text duration": platform("report", {"requestId": ID, "metrics": {"durationMs": "12"}}),
    "an endless duration": platform("report", {"requestId": ID, "metrics": {"durationMs": float("inf")}}),
    "a negative duration": platform("report", {"requestId": ID, "metrics": {"durationMs": -1}}),
    "no request id": platform("report", {"metrics": {"durationMs": 1}}),
    "a request id that is none": platform("report", {"requestId": 7, "metrics": {"durationMs": 1}}),
    "a function's own line": json.dumps({"time": "2026-11-23T10:00:00Z", "type": "function", "record": "x"}),
    "deeper than can be read": '{"time": ' + "[" * 100_000,
    "a number longer than can be read": '{"time": ' + "9" * 10_000 + "}",
}


@pytest.mark.parametrize(("line", "fields"), REPORTS.values(), ids=REPORTS)
def test_a_report_is_an_invocation(line: str, fields: dict[str, Any]) -> None:
    place: dict[str, Any] = {"function": "orders", "log_stream": "2026/11/23/[7]0a", "timestamp_ms": 1234}
    found = parse(line, function="orders", log_stream="2026/11/23/[7]0a", timestamp_ms=1234)
    assert found == Invocation(**place, **fields)
    assert isinstance(found, Invocation)
    assert found.kind == "report"
    assert found.cold == ("init_ms" in fields or "restore_ms" in fields)


@pytest.mark.parametrize(("line", "fields"), EVENTS.values(), ids=EVENTS)
def test_any_other_line_is_an_event_of_its_kind(line: str, fields: dict[str, Any]) -> None:
    assert parse(line) == PlatformEvent(function="", log_stream="", timestamp_ms=0, **fields)


@pytest.mark.parametrize("line", NOT_PLATFORM.values(), ids=NOT_PLATFORM)
def test_what_only_looks_like_the_platforms_is_not(line: str) -> None:
    assert parse(line) is None


@pytest.mark.parametrize("line", PLATFORM_LINES)
@pytest.mark.parametrize("quote", ["got: {}", " {}", '"{}"', "[ERROR]\tx\ty\t{}", "x\n{}"])
def test_a_quoted_platform_line_is_an_applications(line: str, quote: str) -> None:
    assert parse(quote.format(line)) is None


@given(
    st.text()
    | st.sampled_from(PLATFORM_LINES).flatmap(
        lambda line: st.tuples(st.integers(0, len(line)), st.text(max_size=5)).map(
            lambda cut: line[: cut[0]] + cut[1] + line[cut[0] + 1 :]
        )
    )
)
def test_no_line_raises(line: str) -> None:
    parse(line)
    applines.read(line)
    applines.out_of_memory(line)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
)
record_keys = st.sampled_from(["requestId", "metrics", "status", "tracing", "durationMs", "value", "spanId", "version"])
records = st.dictionaries(record_keys, json_values | st.dictionaries(record_keys, json_values))


@given(st.sampled_from(["report", "start", "initReport", "x"]), records | json_values)
def test_no_json_record_raises(kind: str, record: object) -> None:
    parse(platform(kind, record))


@given(st.uuids(), st.integers(0, 900_000_00), st.integers(0, 10**6), st.integers(128, 10_240), st.integers(0, 10_240))
def test_the_quick_way_reads_what_the_general_way_reads(
    request: object, duration: int, billed: int, size: int, used: int
) -> None:
    line = (
        f"REPORT RequestId: {request}\tDuration: {duration / 100:.2f} ms\tBilled Duration: {billed} ms\t"
        f"Memory Size: {size} MB\tMax Memory Used: {used} MB\t"
    )
    assert plain_report(line)
    assert not plain_report(f"{line}Status: success\t")
    assert parse(line) == parse(f"{line}Status: success\t")


@pytest.mark.parametrize(
    ("group", "stream", "function"),
    [
        ("/aws/lambda/orders", "2026/11/23/[$LATEST]" + "0" * 32, "orders"),
        ("/shared/logs", "2026/11/23/orders[$LATEST]" + "0" * 32, "orders"),
        ("/aws/lambda/shared", "2026/11/23/orders[7]" + "a" * 32, "orders"),
        ("/aws/lambda/us-east-1.edge", "2026/11/23/[3]" + "0" * 32, "us-east-1.edge"),
        ("/ecs/web", "web/1", ""),
        ("", "", ""),
    ],
)
def test_function_of(group: str, stream: str, function: str) -> None:
    assert function_of(group, stream) == function
