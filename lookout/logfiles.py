"""Log files, in the shapes in which people have them -> the invocations that they report."""

import re
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from lookout import files, show
from monitors import loglines
from monitors.applines import json_object
from monitors.errors import InputError
from monitors.records import Invocation

Json = dict[str, Any]

_LATEST_MS = 32_503_680_000_000  # the year 3000
# CreateExportTask writes <prefix>/<task id>/<log stream, its slashes as dashes>/000000.gz, with the time before each
# line (CloudWatch Logs User Guide, "Export log data to Amazon S3").
_STREAM_FOLDER = re.compile(r"(\d{4})-(\d\d)-(\d\d)-(.*\[[^\[\]]+\][0-9a-f]{32})")
_TASK_FOLDER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def invocations(paths: Sequence[str], *, progress: Callable[[int, int], None]) -> Iterator[Invocation]:
    """Report records out of files, and out of every file in folders; - is standard input.

    `progress` is told the number of files read, and that of all.

    A line is an event as a subscription or `aws logs filter-log-events` gives it (JSON with `message`, and `logGroup`,
    `logStream` or `logStreamName`, `timestamp`), or the bare message, with its time before it as in an export to S3.
    Bare lines of an export are of the sandbox that their folder is named after, and of the function that the folder
    above is; others of one sandbox a file, and of the function that the file is named after. What can be read of a .gz
    file that is cut short is used, and said.

    Raises:
        InputError: a file cannot be read at all.
    """
    found = list(_files(paths))
    for number, path in enumerate(found):
        progress(number, len(found))
        function, home = _origin(path)
        for line in _lines(path):
            event = _event(line)
            stream = sys.intern(str(event.get("logStream") or event.get("logStreamName") or home))
            group = str(event.get("logGroup") or event.get("logGroupName") or f"/aws/lambda/{function}")
            record = loglines.parse(
                str(event["message"]),
                function=sys.intern(loglines.function_of(group, stream)),
                log_stream=stream,
                timestamp_ms=_timestamp_ms(event.get("timestamp")),
            )
            if isinstance(record, Invocation):
                yield record


def _files(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        if path != "-" and Path(path).is_dir():
            found = sorted(one for one in Path(path).rglob("*") if one.is_file() and one.name != "aws-logs-write-test")
            if not found:
                raise InputError(f"{path}: no files in this folder")
            yield from map(str, found)
        else:
            yield path


def _origin(path: str) -> tuple[str, str]:
    """(function, log stream) of bare lines."""
    folders = [part for part in Path(path).absolute().parts[:-1] if not _TASK_FOLDER.fullmatch(part)]
    stream = _STREAM_FOLDER.fullmatch(folders[-1]) if len(folders) > 1 else None
    if stream:
        return folders[-2], f"{stream[1]}/{stream[2]}/{stream[3]}/{stream[4]}"
    return Path(path).name.partition(".")[0], path


def _lines(path: str) -> Iterator[str]:
    read = 0
    try:
        for line in files.lines([path]):
            read += 1
            yield line
    except InputError as error:
        if not read or not isinstance(error.__cause__, EOFError | zlib.error):
            raise
        show.note(f"{path}: broken off after {read:,} lines, which are used")


def _event(line: str) -> Json:
    if line.startswith("{"):
        event = json_object(line)
        if isinstance(event.get("message"), str):
            return event
    stamp, _, rest = line.rstrip("\n").partition(" ")
    try:
        return {"message": rest, "timestamp": datetime.fromisoformat(stamp).timestamp() * 1000}
    except (ValueError, OverflowError):
        return {"message": line.rstrip("\n")}


def _timestamp_ms(found: object) -> int:
    """0 for what is no moment of this millennium."""
    return int(found) if isinstance(found, int | float) and 0 < found < _LATEST_MS else 0
