"""Trace files, in the shapes in which people have them -> traces as BatchGetTraces shapes them."""

import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dashboards.formats import counted
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
_TEXTS = ("@message", "message", "Document")
"""Where a row of Logs Insights, a log event and a trace's segment keep it."""
_MORE = re.compile(r"\S")


def exported(*paths: str) -> Iterator[Json]:
    """Traces of files in any of the SHAPES, .gz or not, mixed or not, several answers in one file or not.

    Segment documents and spans by themselves are put together last, over all the files. A file of JSON lines is read
    line by line; what can be read of one that is cut short is used, and said. So are objects that are none of these.

    Raises:
        InputError: a file can't be read, or holds something else than JSON.
    """
    loose: Loose = {}
    for path in paths:
        others = 0
        for one in _records(_values(path)):
            if "spanId" in one or "traceId" in one:
                put(loose, otel.document(one))
            elif "Segments" in one:
                yield one
            elif "trace_id" in one:
                put(loose, one)
            else:
                others += 1
        if others:
            show.note(f"{path}: {counted(others, 'JSON object')} left out: no trace, segment document or span")
    yield from otel.joined(loose)


def _records(values: Iterable[object]) -> Iterator[Json]:
    """The objects among the values, out of the lists, answers, log events and texts that they come in."""
    for value in values:
        pending = [value]
        while pending:
            one = pending.pop()
            if isinstance(one, list):
                pending.extend(reversed(one))
            elif isinstance(one, str):
                pending.extend(_message(one) or ())
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
    return _message(next((one[name] for name in _TEXTS if name in one), None))


def _message(found: object) -> list[object] | None:
    if isinstance(found, str):
        try:
            found = decode(found)
        except ValueError:
            return None
    return [found] if isinstance(found, dict) else None


def _values(path: str) -> Iterator[object]:
    """The JSON values of a file: one a line, or each over several lines."""
    read = 0
    line = ""
    lines = files.lines([path])
    try:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield from _value(path, number, line, () if read else lines)
                read += 1
    except InputError as error:
        if not read or not _is_cut_short(error, line):
            raise
        show.note(f"{path}: broken off after {counted(read, 'line')}, which {'is' if read == 1 else 'are'} used")


def _is_cut_short(error: InputError, last: str) -> bool:
    """Whether only the end is missing: of what was compressed, or of an object in the last line."""
    if isinstance(error.__cause__, ValueError):
        return last.startswith("{") and not last.endswith("\n")
    return isinstance(error.__cause__, EOFError | zlib.error)


def _value(path: str, number: int, line: str, more: Iterable[str]) -> Iterable[object]:
    """The value in a line; or those in it and all `more` of them: people append one answer to another."""
    text = line.removeprefix("\ufeff")  # with which Windows begins a file
    try:
        return [decode(text)]
    except ValueError:
        text = "".join([text, *more])
    try:
        return [decode(text)]
    except ValueError:
        return _appended(path, number, text)


def _appended(path: str, number: int, text: str) -> Iterator[object]:
    """The values of a text, one after another; its first line has the number."""
    decoder = json.JSONDecoder()
    at = 0
    try:
        while more := _MORE.search(text, at):
            value, at = decoder.raw_decode(text, more.start())
            yield value
    except RecursionError as error:
        raise InputError(f"{path}:{number}: not JSON, or nested too deeply") from error
    except ValueError as error:
        broken = number - 1 + getattr(error, "lineno", 1)
        why = f"{error.msg}: column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise InputError(f"{path}:{broken}: not JSON: {why}") from error
