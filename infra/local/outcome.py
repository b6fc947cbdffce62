"""One finished invocation -> what the Lambda platform says of it: log lines, metrics, trace segments. Pure.

The lines are those of the Lambda developer guide ("Viewing CloudWatch logs", "Telemetry API schema reference").
"""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

TIMEOUT = "Sandbox.Timedout"
CONTINUATION = (" ", "\t", "\xa0", "Traceback (most recent call last):")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What happened in one execution environment."""

    request_id: str
    started_s: float
    ended_s: float
    """Epoch seconds; the invocation without its init."""
    init_s: float | None
    """Seconds of init, if the environment was started for this invocation."""
    peak_mb: int
    stream: str
    trace_header: str = ""
    error_type: str = ""

    @property
    def duration_ms(self) -> float:
        return (self.ended_s - self.started_s) * 1000

    @property
    def init_ms(self) -> float | None:
        return None if self.init_s is None else self.init_s * 1000

    @property
    def billed_ms(self) -> int:
        """Init is billed since August 2025."""
        return math.ceil(self.duration_ms + (self.init_ms or 0.0))

    @property
    def status(self) -> str:
        """What REPORT says: nothing for success and for an error the handler raised."""
        if self.error_type == TIMEOUT:
            return "timeout"
        return "error" if self.error_type.startswith("Runtime.") else ""

    @property
    def trace(self) -> dict[str, str]:
        """Root, Parent and Sampled of the trace header; empty if there is none."""
        return dict(part.split("=", 1) for part in self.trace_header.split(";") if "=" in part)


def lines(outcome: Outcome, config: dict[str, Any], output: str) -> list[str]:
    """Every log event of the invocation, in order, in the function's log format."""
    said = _events(output)
    if (config.get("LoggingConfig") or {}).get("LogFormat") == "JSON":
        return [*said, *_failure(outcome, config), json.dumps(_json_report(outcome, config))]
    version = config.get("Version", "$LATEST")
    return [
        *_init_start(outcome, config),
        f"START RequestId: {outcome.request_id} Version: {version}",
        *said,
        *_failure(outcome, config),
        f"END RequestId: {outcome.request_id}",
        _report(outcome, config),
    ]


def _events(output: str) -> list[str]:
    """A function's output as log events: a line each, but a traceback stays with its error."""
    events: list[str] = []
    for line in output.split("\n"):
        if events and line.startswith(CONTINUATION):
            events[-1] += "\n" + line
        elif line:
            events.append(line)
    return [event.replace("\r", "\n") for event in events]


def _init_start(outcome: Outcome, config: dict[str, Any]) -> list[str]:
    if outcome.init_s is None:
        return []
    runtime = str(config.get("Runtime", "python")).replace("python", "python:")
    return [f"INIT_START Runtime Version: {runtime}.v1\tRuntime Version ARN: arn:aws:lambda:local::runtime:embedded"]


def _failure(outcome: Outcome, config: dict[str, Any]) -> list[str]:
    if outcome.status == "timeout":
        at = datetime.fromtimestamp(outcome.ended_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        seconds = float(config.get("Timeout", 3))
        return [f"{at}Z {outcome.request_id} Task timed out after {seconds:.2f} seconds\n"]
    if outcome.error_type == "Runtime.ExitError":
        return [f"RequestId: {outcome.request_id} Error: Runtime exited with error: exit status 1\nRuntime.ExitError"]
    return []


def _report(outcome: Outcome, config: dict[str, Any]) -> str:
    size = int(config.get("MemorySize", 128))
    parts = [
        f"REPORT RequestId: {outcome.request_id}",
        f"Duration: {outcome.duration_ms:.2f} ms",
        f"Billed Duration: {outcome.billed_ms} ms",
        f"Memory Size: {size} MB",
        f"Max Memory Used: {min(outcome.peak_mb, size)} MB",
    ]
    if outcome.init_ms is not None:
        parts.append(f"Init Duration: {outcome.init_ms:.2f} ms")
    if outcome.status:
        parts.append(f"Status: {outcome.status}")
    if outcome.status == "error":
        parts.append(f"Error Type: {outcome.error_type}")
    trace = outcome.trace
    xray = f"\nXRAY TraceId: {trace['Root']}\tSegmentId: {trace.get('Parent', '')}\tSampled: true\t" if trace else ""
    return "\t".join(parts) + "\t" + xray


def _json_report(outcome: Outcome, config: dict[str, Any]) -> dict[str, Any]:
    size = int(config.get("MemorySize", 128))
    metrics: dict[str, float] = {
        "durationMs": round(outcome.duration_ms, 3),
        "billedDurationMs": outcome.billed_ms,
        "memorySizeMB": size,
        "maxMemoryUsedMB": min(outcome.peak_mb, size),
    }
    if outcome.init_ms is not None:
        metrics["initDurationMs"] = round(outcome.init_ms, 3)
    record: dict[str, Any] = {
        "requestId": outcome.request_id,
        "metrics": metrics,
        "status": outcome.status or ("failure" if outcome.error_type else "success"),
    }
    if outcome.error_type:
        record["errorType"] = outcome.error_type
    at = datetime.fromtimestamp(outcome.ended_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return {"time": f"{at}Z", "type": "platform.report", "record": record}


def metrics(outcome: Outcome, *, in_flight: int) -> list[tuple[str, float, str]]:
    """(AWS/Lambda metric, value, unit) of the invocation."""
    return [
        ("Invocations", 1.0, "Count"),
        ("Errors", float(bool(outcome.error_type)), "Count"),
        ("Throttles", 0.0, "Count"),
        ("Duration", outcome.duration_ms, "Milliseconds"),
        ("ConcurrentExecutions", float(max(1, in_flight)), "Count"),
    ]


def segments(outcome: Outcome, config: dict[str, Any], ids: list[str]) -> list[dict[str, Any]]:
    """The AWS::Lambda and AWS::Lambda::Function segments, as Lambda sends them; empty if the call isn't traced.

    `ids` are three fresh segment ids. What the function's own SDK sends hangs on the header's Parent, which is the
    Invocation subsegment here. As in AWS, Initialization lies before the function segment that holds it.
    """
    trace = outcome.trace
    if not trace:
        return []
    service_id, function_id, init_id = ids
    name, arn = config["FunctionName"], config.get("FunctionArn", "")
    begun = outcome.started_s - (outcome.init_s or 0.0)
    failed = {"error": True} if outcome.error_type else {}
    invocation = {
        "id": trace.get("Parent", ""),
        "name": "Invocation",
        "start_time": outcome.started_s,
        "end_time": outcome.ended_s,
        "aws": {"function_arn": arn},
        **failed,
    }
    start = {"id": init_id, "name": "Initialization", "start_time": begun, "end_time": outcome.started_s}
    service = {
        "id": service_id,
        "trace_id": trace["Root"],
        "name": name,
        "origin": "AWS::Lambda",
        "start_time": round(begun, 3),
        "end_time": round(outcome.ended_s, 3),
        "http": {"response": {"status": 200}},
        "aws": {"request_id": outcome.request_id},
        "resource_arn": arn,
        **failed,
    }
    function = {
        "id": function_id,
        "trace_id": trace["Root"],
        "parent_id": service_id,
        "name": name,
        "origin": "AWS::Lambda::Function",
        "start_time": outcome.started_s,
        "end_time": outcome.ended_s,
        "aws": {"function_arn": arn},
        "subsegments": [*([start] if outcome.init_s is not None else []), invocation],
        **failed,
    }
    return [service, function]
