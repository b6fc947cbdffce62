"""A block of a log file's lines -> what functions used, added up. Pure, but for the use that it adds to."""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePath
from typing import Any, NamedTuple

from monitors import loglines
from monitors.applines import json_object
from monitors.records import Invocation
from monitors.rightsize import bulk
from monitors.rightsize.usage import Usage, Use, collect, merge, seen

_REPORTS = (b"REPORT RequestId: ", b"platform.report")
_NEAR = 1 << 14
"""Bytes in which a line with its time is looked for."""
_EARLIEST_MS, _LATEST_MS = 1_415_836_800_000, 32_503_680_000_000  # Lambda's first day, 2014-11-13; the year 3000
# CreateExportTask writes <prefix>/<task id>/<log stream, its slashes as dashes>/000000.gz, with the time before each
# line (CloudWatch Logs User Guide, "Export log data to Amazon S3").
_TASK_FOLDER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STREAM_FOLDER = re.compile(r"(\d{4})-(\d\d)-(\d\d)-(.*\[[^\[\]]+\][0-9a-f]{32})")
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
    if not any(literal in block for literal in _REPORTS):
        return
    own: Usage = defaultdict(Use)
    others = bulk.count(block, own, function=home.function, stream=home.stream, stamped=home.stamped)
    first_ms, last_ms = _times(block)
    for line in others:
        _add(own, {"message": line.decode(errors="replace"), "timestamp": first_ms}, home)
    for use in own.values():
        seen(use, first_ms, last_ms)
    merge(usage, own)
    if b'"message"' in block:
        for event in _events(block):
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


def _events(block: bytes) -> Iterable[dict[str, Any]]:
    """The lines that are log events as JSON, with a report as their message."""
    for line in block.split(b"\n"):
        if line.startswith(b"{") and b'"message"' in line and any(literal in line for literal in _REPORTS):
            event = json_object(line.decode(errors="replace"))
            if isinstance(event.get("message"), str):
                yield event


def _times(block: bytes) -> tuple[int, int]:
    """When the first and the last line were logged that say so, in epoch ms; 0 where none does near either end."""
    head = block[:_NEAR].split(b"\n")[:-1]
    tail = block[-_NEAR:].split(b"\n")[:0:-1] if len(block) > _NEAR else head[::-1]
    first, last = (next(filter(None, map(_moment_ms, lines)), 0) for lines in (head, tail))
    return first or last, last or first


def _moment_ms(line: bytes) -> int:
    found = _time(line)
    try:
        return _timestamp_ms(datetime.fromisoformat(found[1].decode()).timestamp() * 1000) if found else 0
    except ValueError:
        return 0


def _timestamp_ms(found: object) -> int:
    """0 for what is no moment since there are Lambda functions, or not of this millennium."""
    return int(found) if isinstance(found, int | float) and _EARLIEST_MS <= found < _LATEST_MS else 0
