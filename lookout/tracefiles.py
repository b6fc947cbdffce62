"""Trace files, in the shapes in which people have them -> traces as BatchGetTraces shapes them."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monitors.errors import InputError
from monitors.traces.documents import decode
from monitors.traces.reading import envelopes

Json = dict[str, Any]
SHAPES = "what BatchGetTraces answers, a list of traces or of segment documents, or one a line"


def exported(path: str) -> Iterator[Json]:
    """Traces of a file in one of the SHAPES, .gz or not; segment documents by themselves are put together.

    InputError if the file can't be read, or holds no JSON.
    """
    loose: list[Json] = []
    for one in _traces(path):
        if "Segments" not in one and "trace_id" in one:
            loose.append(one)
        else:
            yield one
    yield from envelopes(loose)


def _traces(path: str) -> Iterator[Json]:
    try:
        raw = Path(path).read_bytes()
        text = (gzip.decompress(raw) if path.endswith(".gz") else raw).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        whole = decode(text)
    except ValueError:
        yield from _lines(path, text)
        return
    found = whole.get("Traces", [whole]) if isinstance(whole, dict) else whole
    yield from (trace for trace in (found if isinstance(found, list) else ()) if isinstance(trace, dict))


def _lines(path: str, text: str) -> Iterator[Json]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                trace = decode(line)
            except ValueError as error:
                raise InputError(f"{path}:{number}: not JSON: {error}") from error
            if isinstance(trace, dict):
                yield trace
