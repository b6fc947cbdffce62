"""Trace files, in the shapes in which people have them -> traces as BatchGetTraces shapes them."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lookout import files, show
from monitors.errors import InputError
from monitors.traces import otel, otlp
from monitors.traces.documents import decode
from monitors.traces.reading import Loose, put

Json = dict[str, Any]
SHAPES = (
    "what BatchGetTraces answers, a list of traces, of segment documents or of OpenTelemetry spans (as the log group"
    " aws/spans has them, with or without the log event around, or in OTLP/JSON), or one a line"
)
_OURS = ("Segments", "trace_id", "spanId", "traceId")
"""One of these is in every trace, segment document and span."""
_LISTS = ("Traces", "events", "logEvents", "results")
"""Where answers of BatchGetTraces and FilterLogEvents, a subscription's record and an answer of GetQueryResults keep
what they are about."""


def exported(*paths: str) -> Iterator[Json]:
    """Traces of files in any of the SHAPES, .gz or not, mixed or not.

    Segment documents and spans by themselves are put together last, over all the files. A file of JSON lines is read
    line by line; what can be read of one in .gz that is cut short is used, and said.

    Raises:
        InputError: a file can't be read, or holds something else than JSON.
    """
    loose: Loose = {}
    for path in paths:
        for one in _records(_values(path)):
            if "spanId" in one or "traceId" in one:
                put(loose, otel.document(one))
            elif "Segments" not in one and "trace_id" in one:
                put(loose, one)
            else:
                yield one
    yield from otel.joined(loose)


def _records(values: Iterable[object]) -> Iterator[Json]:
    """The objects among the values, out of the lists, answers and log events that they come in."""
    for value in values:
        pending = [value]
        while pending:
            one = pending.pop()
            if isinstance(one, list):
                pending.extend(reversed(one))
            elif isinstance(one, dict):
                inside = _inside(one)
                if inside is None:
                    yield one
                else:
                    pending.extend(reversed(inside))


def _inside(one: Mapping[str, Any]) -> list[object] | None:
    """What an object only wraps; None if it counts itself."""
    if any(name in one for name in _OURS):
        return None
    if isinstance(one.get("resourceSpans"), list):
        return list(otlp.spans(one))
    for name in _LISTS:
        if isinstance(one.get(name), list):
            return list(one[name])
    if "field" in one:  # of a row of GetQueryResults
        return _message(one.get("value")) if one["field"] == "@message" else []
    return _message(one.get("@message", one.get("message")))


def _message(found: object) -> list[object] | None:
    if isinstance(found, str):
        try:
            found = decode(found)
        except ValueError:
            return None
    return [found] if isinstance(found, dict) else None


def _values(path: str) -> Iterator[object]:
    """The JSON values of a file: one a line, or a single one over all of its lines."""
    read = 0
    lines = files.lines([path])
    try:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _value(path, number, line, () if read else lines)
                read += 1
    except InputError as error:
        if not read or not isinstance(error.__cause__, EOFError | zlib.error):
            raise
        show.note(f"{path}: broken off after {read:,} lines, which are used")


def _value(path: str, number: int, line: str, more: Iterable[str]) -> object:
    """The value in a line, or in it and all `more` of them."""
    try:
        return decode(line)
    except ValueError as error:
        whole = "".join([line, *more])
        if whole == line:
            raise InputError(f"{path}:{number}: not JSON: {error}") from error
    try:
        return decode(whole)
    except ValueError as error:
        broken = number - 1 + getattr(error, "lineno", 1)
        raise InputError(f"{path}:{broken}: not JSON: {error}") from error
