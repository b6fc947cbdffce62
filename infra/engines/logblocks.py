"""A block of a log file's lines -> what functions used, added up. Pure, but for the use that it adds to."""

import re
import sys
from datetime import datetime
from pathlib import PurePath
from typing import Any, NamedTuple

from monitors import loglines
from monitors.applines import json_object
from monitors.records import Invocation
from monitors.rightsize import bulk
from monitors.rightsize.usage import Usage, collect, seen

_NEAR = 1 << 14
"""Bytes in which a line with its time is looked for."""
_EARLIEST_MS, _LATEST_MS = 1_415_836_800_000, 32_503_680_000_000  # Lambda's first day, 2014-11-13; the year 3000
# CreateExportTask writes <prefix>/<task id>/<log stream, its slashes as dashes>/000000.gz, with the time before each
# line (CloudWatch Logs User Guide, "Export log data to Amazon S3").
_TASK_FOLDER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STREAM_FOLDER = re.compile(r"(\d{4})-(\d\d)-(\d\d)-(.*\[[^\[\]]+\][0-9a-f]{32})")
_STREAM = re.compile(r"\d{4}/\d\d/\d\d/\S*\[[^\s\]]+\][0-9a-f]{32}")
_time = re.compile(rb'(?:\{"time":")?(%b)' % bulk.STAMP).match


class Source(NamedTuple):
    """Whose the bare lines of a file are."""

    function: str
    stream: str
    stamped: bool
    """Each line has its time before it."""


def source(path: str, block: bytes) -> Source:
    """By the file's path, and how it begins."""
    folders = [part for part in PurePath(path).parts[:-1] if not _TASK_FOLDER.fullmatch(part)]
    stream = STREAM_FOLDER.fullmatch(folders[-1]) if len(folders) > 1 else None
    stamped = bulk.is_stamped(block)
    if stream:
        return Source(folders[-2], f"{stream[1]}/{stream[2]}/{stream[3]}/{stream[4]}", stamped)
    return Source(PurePath(path).name.partition(".")[0], path, stamped)


def read_block(block: bytes, usage: Usage, home: Source) -> None:
    """Add what the lines of the block report; `home` is of the file that it is a part of."""
    if not any(sign in block for sign in bulk.SIGNS):
        return
    first_ms, last_ms = _times(block)

    def other(line: bytes, message: bytes) -> None:
        _add(usage, {"message": message.decode(errors="replace"), "timestamp": _moment_ms(line) or first_ms}, home)

    left = bulk.count(block, usage, function=home.function, stream=home.stream, stamped=home.stamped, other=other)
    for key, first, last in left.counted:
        seen(usage[key], _moment_ms(first) or first_ms, _moment_ms(last) or last_ms)
    for line in left.lines:
        if event := _event(line.decode(errors="replace"), stamped=home.stamped):
            _add(usage, event, home)


def _add(usage: Usage, event: dict[str, Any], home: Source) -> None:
    stream = sys.intern(str(event.get("logStream") or event.get("logStreamName") or home.stream))
    group = str(event.get("logGroup") or event.get("logGroupName") or f"/aws/lambda/{home.function}")
    record = loglines.parse(
        event["message"],
        function=sys.intern(loglines.function_of(group, stream)),
        log_stream=stream,
        timestamp_ms=_timestamp_ms(event.get("timestamp")),
    )
    if isinstance(record, Invocation):
        collect(usage, record)


def _event(line: str, *, stamped: bool) -> dict[str, Any]:
    """The log event that a line is: JSON with a `message`, or a message, after its time and sandbox if these are there
    (`aws logs tail` writes both); empty for what goes on with an earlier line of a file that has times.
    """
    if line.startswith("{"):
        event = json_object(line)
        if isinstance(event.get("message"), str):
            return event
        return {} if stamped else {"message": line, "timestamp": _epoch_ms(str(event.get("time")))}
    stamp, _, rest = line.partition(" ")
    timestamp = _epoch_ms(stamp)
    if timestamp is None:
        return {} if stamped else {"message": line}
    stream, _, message = rest.partition(" ")
    if _STREAM.fullmatch(stream):
        return {"message": message, "timestamp": timestamp, "logStream": stream}
    return {"message": rest, "timestamp": timestamp}


def _times(block: bytes) -> tuple[int, int]:
    """When the first and the last line were logged that say so, in epoch ms; 0 where none does near either end."""
    head = block[:_NEAR].split(b"\n")[:-1]
    tail = block[-_NEAR:].split(b"\n")[:0:-1] if len(block) > _NEAR else head[::-1]
    first, last = (next(filter(None, map(_moment_ms, lines)), 0) for lines in (head, tail))
    return first or last, last or first


def _moment_ms(line: bytes) -> int:
    found = _time(line)
    return _timestamp_ms(_epoch_ms(found[1].decode())) if found else 0


def _epoch_ms(stamp: str) -> float | None:
    try:
        return datetime.fromisoformat(stamp).timestamp() * 1000
    except (ValueError, OverflowError):
        return None


def _timestamp_ms(found: object) -> int:
    """0 for what is no moment since there are Lambda functions, or not of this millennium."""
    return int(found) if isinstance(found, int | float) and _EARLIEST_MS <= found < _LATEST_MS else 0
