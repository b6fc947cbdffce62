"""One log line -> the platform's record in it, if it is the platform's own. Pure, never raises.

The shapes are those of AWS's Lambda developer guide, "Lambda Telemetry API event schema" (JSON) and "Sending Lambda
function logs to CloudWatch Logs" (text). A platform line is known by how it begins, or by the exact envelope of its
JSON: a line that quotes one further on is an application's.
"""

import re
from collections.abc import Mapping
from typing import Any

from monitors.applines import UUID, json_object
from monitors.names import log_group
from monitors.records import Invocation, PlatformEvent

_WHOLE = r"(?:0|[1-9][0-9]{0,8}+)"


def plain_report_of(request: str) -> str:
    """A regular expression for the commonest line, a warm invocation with nothing to tell, up to its blanks at the end.

    Groups, all of them numbers as JSON writes them: duration, billed time, memory size, memory used.
    """
    return (
        rf"REPORT RequestId: {request}\tDuration: ({_WHOLE}\.[0-9]{{1,6}}+) ms\tBilled Duration: ({_WHOLE}) ms ?"
        rf"\tMemory Size: ([1-9][0-9]{{0,5}}+) MB\tMax Memory Used: ({_WHOLE}) MB"
    )


REQUEST = r"[0-9a-f-]{36}"
plain_report = re.compile(plain_report_of(f"({REQUEST})") + r"\s*\Z").match
"""Matches that line: request id, duration, billed, size, used."""

platform_opening = re.compile(
    rf"""(?P<report>REPORT\ RequestId:\ \S{{1,64}}\tDuration:\ )
    | (?P<init_report>INIT_REPORT\ Init\ Duration:\ )
    | (?P<restore_report>RESTORE_REPORT\ Restore\ Duration:\ )
    | (?P<init_start>INIT_START\ Runtime\ Version:\ )
    | (?P<restore_start>RESTORE_START\ Runtime\ Version:\ )
    | (?P<start>START\ RequestId:\ \S{{1,64}}\ Version:\ \S{{1,128}}\s*\Z)
    | (?P<end>END\ RequestId:\ \S{{1,64}}\s*\Z)
    | (?P<extension>EXTENSION\tName:\ )
    | (?P<logs_subscription>LOGS\tName:\ )
    | (?P<telemetry_subscription>TELEMETRY\tName:\ )
    | (?P<task_timeout>[0-9-]{{10}}T[0-9:.]{{8,20}}Z\ {UUID}\ Task\ timed\ out\ after\ [0-9.]{{1,9}}\ seconds\s*\Z)
    | (?P<runtime_exit>RequestId:\ {UUID}\ (?:Error:\ |Process\ exited\ before\ completing\ request))
    | (?P<json>\{{\s*"(?:time|type|record)")""",
    re.VERBOSE,
).match
"""Matches what begins as a platform line does; `lastgroup` is the kind. `parse` says whether it really is one."""

_TEXT_FIELDS = {
    "RequestId": "request_id",
    "Duration": "duration_ms",
    "Billed Duration": "billed_ms",
    "Memory Size": "memory_mb",
    "Max Memory Used": "used_mb",
    "Init Duration": "init_ms",
    "Restore Duration": "restore_ms",
    "Billed Restore Duration": "billed_restore_ms",
    "Status": "status",
    "Error Type": "error_type",
    "Phase": "phase",
    "XRAY TraceId": "trace_id",
    "SegmentId": "segment_id",
    "Sampled": "sampled",
    "Version": "version",
    "Runtime Version": "version",
    "Name": "name",
    "State": "status",
}
_JSON_FIELDS = {
    "requestId": "request_id",
    "durationMs": "duration_ms",
    "billedDurationMs": "billed_ms",
    "memorySizeMB": "memory_mb",
    "maxMemoryUsedMB": "used_mb",
    "initDurationMs": "init_ms",
    "restoreDurationMs": "restore_ms",
    "billedRestoreDurationMs": "billed_restore_ms",
    "status": "status",
    "errorType": "error_type",
    "phase": "phase",
    "initializationType": "init_type",
    "version": "version",
    "runtimeVersion": "version",
    "name": "name",
    "state": "status",
    "reason": "reason",
}
_OWN_DURATION = {"init_report": "init_ms", "restore_report": "restore_ms"}
"""The lines whose `durationMs` is what their text form calls Init Duration and Restore Duration."""

# A report's fields stand apart by tabs and newlines; those of the other lines, in AWS's pages, by spaces as well.
_KEYS = "|".join(_TEXT_FIELDS)
_REPORT_FIELD = re.compile(rf"(?:^REPORT |[\t\n])({_KEYS}): (\S+)")
_FIELD = re.compile(rf"(?<!\S)({_KEYS}): (\S+)")
_TIMED_OUT = re.compile(rf"\S+ ({UUID}) Task timed out after (\S+) seconds")
_EXITED = re.compile(rf"RequestId: ({UUID}) (?:Error: )?(?:Runtime exited with error: )?([^\n]{{1,500}})(?:\n(\S+))?")


def parse(
    message: str, *, function: str = "", log_stream: str = "", timestamp_ms: int = 0
) -> Invocation | PlatformEvent | None:
    """The platform's record in a line, text or JSON; None where an application wrote it, whatever it quotes.

    A report (REPORT, platform.report) is an Invocation, any other kind a PlatformEvent. A report without a request id
    or a duration is not one; Lambda Managed Instances report no billed time and no memory.
    """
    if plain := plain_report(message):
        request, duration, billed, size, used = plain.groups()
        times = float(duration), float(billed)
        return Invocation(function, log_stream, request, timestamp_ms, *times, int(size), int(used))
    opening = platform_opening(message)
    kind = opening.lastgroup if opening else None
    if kind is None:
        return None
    values = _json_values(message) if kind == "json" else {"kind": kind, **_text_values(kind, message)}
    if not values or (values["kind"] == "report" and not {"request_id", "duration_ms"} <= values.keys()):
        return None
    values |= {"function": function, "log_stream": log_stream, "timestamp_ms": timestamp_ms}
    if values["kind"] == "report":
        unbilled = {"billed_ms": None, "memory_mb": None, "used_mb": None}
        return Invocation(**unbilled | {name: value for name, value in values.items() if name in Invocation._fields})
    return PlatformEvent(**{name: value for name, value in values.items() if name in PlatformEvent._fields})


def _text_values(kind: str, message: str) -> dict[str, Any]:
    if kind == "task_timeout" and (found := _TIMED_OUT.match(message)):
        return _checked({"request_id": found[1], "timeout_s": _number(found[2])})
    if kind == "runtime_exit" and (found := _EXITED.match(message)):
        return _checked({"request_id": found[1], "reason": found[2].strip(), "error_type": found[3]})
    found_fields = (_REPORT_FIELD if kind == "report" else _FIELD).findall(message)
    fields = {_TEXT_FIELDS[key]: text for key, text in found_fields}
    return _checked({name: _typed(name, text) for name, text in fields.items()})


def _typed(name: str, text: str) -> object:
    if name == "sampled":
        return text == "true"
    return _number(text) if name.endswith(("_ms", "_mb")) else text


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _json_values(message: str) -> dict[str, Any]:
    """The fields of a line in the JSON format: `{"time": ..., "type": "platform.x", "record": ...}` and not a key more,
    since loggers copy these records and add keys of their own."""
    line = json_object(message)
    if line.keys() != {"time", "type", "record"} or not isinstance(line["time"], str):
        return {}
    area, _, kind = str(line["type"]).partition(".")
    record = line["record"]
    if area != "platform" or not kind or not isinstance(record, str | dict):
        return {}
    kind = re.sub(r"(?<=[a-z])[A-Z]", r"_\g<0>", kind).lower()
    return {"kind": kind, **_checked({"reason": record} if isinstance(record, str) else _record_values(kind, record))}


def _record_values(kind: str, record: Mapping[str, Any]) -> dict[str, object]:
    metrics, tracing = record.get("metrics"), record.get("tracing")
    fields = {**record, **metrics} if isinstance(metrics, dict) else record
    values = {name: fields[key] for key, name in _JSON_FIELDS.items() if key in fields}
    if kind in _OWN_DURATION and "duration_ms" in values:
        values[_OWN_DURATION[kind]] = values.pop("duration_ms")
    return values | _tracing(tracing) if isinstance(tracing, dict) else values


def _tracing(tracing: Mapping[str, Any]) -> dict[str, object]:
    """`{"spanId": ..., "value": "Root=1-...;Parent=...;Sampled=1"}` in the words of the text format."""
    parts = dict(part.partition("=")[::2] for part in str(tracing.get("value")).split(";"))
    values: dict[str, object] = {"trace_id": parts.get("Root"), "segment_id": tracing.get("spanId")}
    return values | {"sampled": parts["Sampled"] == "1"} if "Sampled" in parts else values


def _checked(values: Mapping[str, object]) -> dict[str, Any]:
    """The values that are what their names say; a number is one that a clock or a memory can show."""
    kept: dict[str, Any] = {}
    for name, value in values.items():
        if name.endswith(("_ms", "_mb", "_s")):
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12:
                kept[name] = int(value) if name.endswith("_mb") else value
        elif isinstance(value, bool if name == "sampled" else str):
            kept[name] = value
    return kept


_NAMED_STREAM = re.compile(r"[0-9]{4}/[0-9]{2}/[0-9]{2}/([A-Za-z0-9_-]{1,64})\[[^\]]+\][0-9a-f]+\Z")


def function_of(group: str, log_stream: str) -> str:
    """The function whose lines these are; "" where the names don't tell.

    With a log group of the user's own choice, Lambda puts the function's name into the stream's:
    `2023/11/06/orders[$LATEST]<32 hex>`.
    """
    if named := _NAMED_STREAM.match(log_stream):
        return named[1]
    prefix = log_group("")
    return group.removeprefix(prefix) if group.startswith(prefix) else ""
