r"""A block of a log file -> the reports in it, counted by columns. Pure, but for the use that it adds to.

Ten million lines leave about a microsecond for each: one search goes over the whole block, and a line that is more
than a warm invocation's plain report is left to loglines.parse.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from monitors.rightsize.usage import CLIPPED_AT, IMPLAUSIBLE_MB, PRESSED_AT, Usage, Use, binned, mark

Marks = Sequence[tuple[int, int]]
Rows = Sequence[tuple[bytes, ...]]

STAMP = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
"""The time before each line of an export to S3, and in the lines that Lambda writes as JSON."""
_STAMP = rb"[0-9TZ:.-]{24}"
"""The same where something else has told that it is one: quicker to look behind for."""
_DURATION = rb"(?=[0-9]+(?:\.[0-9]+)?[ ,])([0-9]{3,9}|[0-9]{2}\.[0-9]|[1-9]\.[0-9]{1,2}|0\.(?!0+[ ,])[0-9]{1,2})[0-9.]*"
"""As many digits as `binned` keeps; not 0, which is no duration."""
_COUNT, _SIZE = rb"([0-9]{1,9})", rb"([1-9][0-9]{0,6})"
_ID = rb"[0-9a-f-]{36}"
_VALUES = (_ID, _DURATION, _COUNT, _SIZE, _COUNT)

_TEXT = b"REPORT RequestId: "
_OF_TEXT = (
    rb"%b\tDuration: %b ms\tBilled Duration: %b ms ?\tMemory Size: %b MB\tMax Memory Used: %b MB[\t\r ]*\n" % _VALUES
)
_JSON = b'"type":"platform.report","record":'
_OF_JSON = (
    rb'\{"requestId":"%b","metrics":\{"durationMs":%b,"billedDurationMs":%b,"memorySizeMB":%b,"maxMemoryUsedMB":%b\},'
    rb'"status":"success"\}\}[\r ]*\n' % _VALUES
)
_KINDS = ((_TEXT, b"", _OF_TEXT), (_JSON, rb'\{"time":"%b",' % _STAMP, _OF_JSON))
"""(what begins a report, what stands before it in its message, its values and end)"""
SIGNS = (_TEXT, b"platform.report")
"""One of these is in every line that reports."""


def is_stamped(block: bytes) -> bool:
    """Whether a file that begins so has a time before each line.

    If so, a line without goes on with an event's message, and what looks like a report there is quoted. In any other
    file a line may have its time before it or not.
    """
    return bool(_stamped(block))


_stamped = re.compile(STAMP + b" ").match


class Left(NamedTuple):
    """What may be a report too, and is more than a plain one."""

    messages: list[bytes]
    """Messages that begin as a report does."""
    lines: list[bytes]
    """Whole lines that have one somewhere: events as JSON, with other times before it, and what only quotes it."""


def count(block: bytes, usage: Usage, *, function: str, stream: str, stamped: bool) -> Left:
    r"""Add the plain reports of a sandbox's lines to the usage; what is left is for loglines.parse.

    The block is of whole lines, each with its \n.
    """
    messages: list[bytes] = []
    seen = 0
    for literal, search, opening in _searches(stamped):
        rows = search(b"\n" + block) if literal in block else []
        seen += len(rows)
        rest = [row[-1] for row in rows if not row[2]]
        if rest:
            messages += [opening + literal + one for one in rest]
            rows = [row for row in rows if row[2]]
        for size, own in _by_size(rows):
            _add(usage[function, size], own, stream=stream, memory_mb=size)
    return Left(messages, _others(block, stamped) if sum(map(block.count, SIGNS)) > seen else [])


def _others(block: bytes, stamped: bool) -> list[bytes]:
    """The lines with a sign of a report that the search doesn't find."""
    found = _opening(stamped)
    return [line for line in block.split(b"\n") if any(sign in line for sign in SIGNS) and not found(line)]


def _by_size(rows: Rows) -> Iterator[tuple[int, Rows]]:
    """The rows of each memory size, which is nearly always one."""
    sizes = set(map(itemgetter(2), rows))
    for size in sizes:
        yield int(size), rows if len(sizes) == 1 else [row for row in rows if row[2] == size]


@lru_cache(maxsize=2)
def _searches(stamped: bool) -> tuple[tuple[bytes, Callable[[bytes], Rows], bytes], ...]:
    """For text and for JSON: what must be there; what finds it, as values or else as the rest of the line; and what
    comes before it in a message. The search begins with the literal, so that it is quick; then it looks behind.
    """
    found = []
    for literal, before, values in _KINDS:
        behind = [rb"(?<=\n%b%b)" % (stamp, before + literal) for stamp in _stamps(stamped)]
        text = rb"%b(?:%b)(?:%b|([^\n]*))" % (literal, b"|".join(behind), values)
        opening = b'{"time":"1970-01-01T00:00:00.000Z",' if before else b""
        found.append((literal, re.compile(text).findall, opening))
    return tuple(found)


@lru_cache(maxsize=2)
def _opening(stamped: bool) -> Callable[[bytes], object]:
    """Matches the lines that `_searches` finds."""
    starts = b"|".join(before + literal for literal, before, _ in _KINDS)
    return re.compile(rb"(?:%b)(?:%b)" % (b"|".join(_stamps(stamped)), starts)).match


def _stamps(stamped: bool) -> list[bytes]:
    return [_STAMP + b" "] + ([] if stamped else [b""])


def _add(use: Use, rows: Rows, *, stream: str, memory_mb: int) -> None:
    durations, billed, _, used, _ = zip(*rows, strict=True)
    marks = [(int(mb), len(list(same))) for mb, same in groupby(used)]
    if max(marks)[0] < PRESSED_AT * memory_mb:
        _count(use.warm, durations)
    else:
        pressed = [int(mb) >= PRESSED_AT * memory_mb for mb in used]
        _count(use.pressed, [one for one, near in zip(durations, pressed, strict=True) if near])
        _count(use.warm, [one for one, near in zip(durations, pressed, strict=True) if not near])
        use.clipped += sum(times for mb, times in marks if mb >= CLIPPED_AT * memory_mb)
    use.billed_ms += sum(map(int, billed))
    use.worst_ms = max(use.worst_ms, *map(float, set(durations)))
    for mb, times in marks:
        if mb >= IMPLAUSIBLE_MB:
            mark(use.sandboxes[stream], mb, times)


def _count(times: Counter[float], durations: Sequence[bytes]) -> None:
    for text, often in Counter(durations).items():
        times[_binned(text)] += often


@lru_cache(maxsize=65_536)
def _binned(duration: bytes) -> float:
    return binned(float(duration))
