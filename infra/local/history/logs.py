"""History -> CloudWatch log events: the platform's lines as Lambda writes them, with all their variants.

START and END lines and most of what functions say themselves are left out, to keep two weeks small: what is there is
INIT_START, REPORT, timeouts, killed runtimes, handler errors and payments. Formats: AWS Lambda Developer Guide,
"Viewing CloudWatch logs for Lambda functions", "Lambda JSON log format" and "Telemetry API event schema".
"""

import json
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from infra.local.history.profiles import REGION
from infra.local.history.sandboxes import BY_NAME, Run
from infra.local.history.segments import function_id, uuid
from infra.local.history.simulate import History, Order

LogEvent = tuple[str, str, int, str]
"""(log group, log stream, epoch ms, message)"""
RUNTIME = "python:3.13.v34"
RUNTIME_ARN = f"arn:aws:lambda:{REGION}::runtime:{'5d1f' * 16}"
BLANK_AFTER_MS = "shop-order-sweep"
"""Its REPORT lines have a blank after `Billed Duration: 47 ms`, as some in AWS's own documentation do."""


def log_events(history: History) -> Iterator[LogEvent]:
    """Every event, one log stream after the other, each in order of time."""
    runs = sorted(history.runs, key=lambda run: (run.function, run.stream, run.start_s))
    for run in runs:
        lines = json_lines(run, history.payments) if BY_NAME[run.function].json_logs else text_lines(run)
        group = f"/aws/lambda/{run.function}"
        for at_s, message in lines:
            yield group, run.stream, round(at_s * 1000), message


def text_lines(run: Run) -> Iterator[tuple[float, str]]:
    """(epoch s, message) of one invocation of a function with the text log format."""
    if run.init_ms is not None:
        yield (
            run.start_s - run.init_ms / 1000,
            f"INIT_START Runtime Version: {RUNTIME}\tRuntime Version ARN: {RUNTIME_ARN}\n",
        )
    if run.error:
        yield run.end_s, f"[ERROR] {run.error}\nTraceback (most recent call last):\n{_frame(run.error)}\n"
    yield run.end_s, report(run)
    if run.status == "timeout":
        seconds = run.duration_ms / 1000
        yield run.end_s, f"{_iso(run.end_s)} {uuid(run.request)} Task timed out after {seconds:.2f} seconds\n\n"
    if run.status == "killed":
        exited = "Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n"
        yield run.end_s, f"RequestId: {uuid(run.request)} {exited}"


def report(run: Run) -> str:
    """The REPORT line. Billed is Init and Duration together, since August 2025 for every function."""
    blank = " " if run.function == BLANK_AFTER_MS else ""
    parts = [
        f"REPORT RequestId: {uuid(run.request)}",
        f"Duration: {run.duration_ms:.2f} ms",
        f"Billed Duration: {_billed_ms(run)} ms{blank}",
        f"Memory Size: {run.memory_mb} MB",
        f"Max Memory Used: {run.used_mb} MB",
    ]
    if run.init_ms is not None:
        parts.append(f"Init Duration: {run.init_ms:.2f} ms")
    if run.status == "timeout":
        return "\t".join([*parts, "Status: timeout"]) + _xray(run)
    if run.status == "killed":
        return "\t".join([*parts, "Status: error", "Error Type: Runtime.OutOfMemory"]) + _xray(run)
    return "\t".join(parts) + "\t" + (_xray(run) or "\n")


def json_lines(run: Run, payments: Mapping[int, Order]) -> Iterator[tuple[float, str]]:
    """(epoch s, message) of one invocation of a function with the JSON log format."""
    if run.init_ms is not None:
        start = {"initializationType": "on-demand", "phase": "init", "runtimeVersion": RUNTIME}
        at_s = run.start_s - run.init_ms / 1000
        yield at_s, _platform(at_s, "platform.initStart", {**start, "runtimeVersionArn": RUNTIME_ARN})
    if run.request in payments:
        order = payments[run.request]
        paid = {"event": "payment", "order": str(order.number), "amount": order.amount, "currency": "EUR"}
        yield run.start_s, _application(run, run.start_s, "INFO", {"message": "payment taken", **paid})
    if run.error:
        kind, _, message = run.error.partition(": ")
        raised = {"errorType": kind, "errorMessage": message, "stackTrace": [_frame(run.error)]}
        yield run.end_s, _application(run, run.end_s, "ERROR", raised)
    yield run.end_s, _platform(run.end_s, "platform.report", _report_record(run))


def _report_record(run: Run) -> dict[str, Any]:
    metrics: dict[str, float] = {
        "durationMs": round(run.duration_ms, 3),
        "billedDurationMs": _billed_ms(run),
        "memorySizeMB": run.memory_mb,
        "maxMemoryUsedMB": run.used_mb,
    }
    if run.init_ms is not None:
        metrics["initDurationMs"] = round(run.init_ms, 3)
    record: dict[str, Any] = {"requestId": uuid(run.request), "metrics": metrics, "status": run.status}
    if run.error:
        record["errorType"] = run.error.partition(":")[0]
    if run.origin.trace_id:
        value = f"Root={run.origin.trace_id};Parent={function_id(run)};Sampled=1"
        record["tracing"] = {"spanId": function_id(run), "type": "X-Amzn-Trace-Id", "value": value}
    return record


def _platform(at_s: float, kind: str, record: Mapping[str, Any]) -> str:
    return json.dumps({"time": _iso(at_s), "type": kind, "record": record}, separators=(",", ":"))


def _application(run: Run, at_s: float, level: str, fields: Mapping[str, Any]) -> str:
    line = {"timestamp": _iso(at_s), "level": level, "requestId": uuid(run.request), **fields}
    return json.dumps(line, ensure_ascii=False)


def _billed_ms(run: Run) -> int:
    return math.ceil(run.duration_ms + (run.init_ms or 0.0))


def _xray(run: Run) -> str:
    if not run.origin.trace_id:
        return ""
    segment = function_id(run)
    return f"\nXRAY TraceId: {run.origin.trace_id}\tSegmentId: {segment}\tSampled: true\t\n"


def _frame(error: str) -> str:
    return f'\u00a0\u00a0File "/var/task/app.py", line 24, in handler: raise {error.partition(":")[0]}'


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
