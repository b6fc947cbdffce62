"""A log line -> a row of the archive, which Athena reads: every measurement and every error. Pure, never raises.

Columns are those of the Glue table in infra/archive.yaml. What a line doesn't say is left out: null there.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from monitors import applines
from monitors.loglines import parse

COLUMNS = {
    "logged_at": "timestamp",
    "account": "string",
    "function_name": "string",
    "version": "string",
    "log_group": "string",
    "log_stream": "string",
    "event_id": "string",
    "kind": "string",
    "request_id": "string",
    "duration_ms": "double",
    "billed_ms": "double",
    "memory_mb": "int",
    "max_memory_mb": "int",
    "init_ms": "double",
    "restore_ms": "double",
    "billed_restore_ms": "double",
    "timeout_s": "double",
    "status": "string",
    "error_type": "string",
    "phase": "string",
    "init_type": "string",
    "reason": "string",
    "trace_id": "string",
    "level": "string",
    "stack_head": "string",
    "message": "string",
}
"""Name -> type in Glue. `kind` is that of monitors.records, or `error` for an application's line at an error level."""
LONGEST = 1_000
"""Characters of an error's message."""
_SAY_NOTHING = frozenset({"start", "end", "extension", "logs_subscription", "telemetry_subscription"})
"""Kinds of platform lines that measure nothing."""
_YEAR_1, _YEAR_9999 = -62_135_596_800_000, 253_402_300_799_999


class Origin(NamedTuple):
    """Where lines come from."""

    account: str
    log_group: str
    log_stream: str
    function_name: str


def row(
    origin: Origin, event_id: str, timestamp_ms: int, message: str, *, redacted: Callable[[str], str]
) -> dict[str, Any] | None:
    """The line's row by column; None where it has neither a measurement nor an error."""
    said = _platform(message) or _error(message, redacted)
    if said is None:
        return None
    found = {
        "logged_at": _time(timestamp_ms),
        **origin._asdict(),
        "version": _version(origin.log_stream),
        "event_id": event_id,
        **said,
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


def _platform(message: str) -> dict[str, Any] | None:
    record = parse(message)
    if record is None or record.kind in _SAY_NOTHING:
        return None
    said = COLUMNS.keys() - {"logged_at", "version", *Origin._fields}
    return {name: getattr(record, name) for name in COLUMNS if name in said and hasattr(record, name)}


def _error(message: str, redacted: Callable[[str], str]) -> dict[str, Any] | None:
    line = applines.read(message)
    if line.level not in applines.ERROR_LEVELS:
        return None
    return {**line._asdict(), "kind": "error", "message": redacted(message[: 2 * LONGEST])[:LONGEST]}


def _version(log_stream: str) -> str:
    """`2026/11/23/[7]0a1b...` -> `7`."""
    return log_stream.partition("[")[2].partition("]")[0]


def _time(timestamp_ms: int) -> str:
    """As both Hive's and OpenX's readers of JSON take it. Clocks wrong by more than history are set to its end."""
    seconds, ms = divmod(min(max(timestamp_ms, _YEAR_1), _YEAR_9999), 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{ms:03}"
