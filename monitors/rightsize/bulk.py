r"""A block of a log file -> the reports in it, counted by columns. Pure, but for the use that it adds to.

Ten million lines leave half a microsecond for each: every step is taken for all lines of the block at once, and a line
that is more than a warm invocation's plain report is left to loglines.parse.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitors.rightsize.usage import CLIPPED_AT, IMPLAUSIBLE_MB, PRESSED_AT, Key, Usage, Use, binned, mark

Places = NDArray[np.int64]
"""Where in the block something begins, for each line."""
Numbers = NDArray[np.int64]
Chosen = NDArray[np.bool_]
Words = NDArray[np.uint64]
Parts = Sequence[bytes | int | str]

STAMP = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
"""The time before each line of an export to S3, and in the lines that Lambda writes as JSON."""
_STAMPED = 25
"""Bytes of such a time, and the space after it."""

_TIME, _ID = 24, 36
"""Bytes of fixed length."""
_WHOLE, _DECIMAL = "whole", "decimal"
_SPACE = "space"
"""Or none: both are seen."""
_TEXT: Parts = (
    *(b"REPORT RequestId: ", _ID, b"\tDuration: ", _DECIMAL, b" ms\tBilled Duration: ", _WHOLE, b" ms", _SPACE),
    *(b"\tMemory Size: ", _WHOLE, b" MB\tMax Memory Used: ", _WHOLE, b" MB"),
)
_JSON: Parts = (
    *(b'{"time":"', _TIME, b'","type":"platform.report","record":', b'{"requestId":"', _ID, b'","metrics":'),
    *(b'{"durationMs":', _DECIMAL, b',"billedDurationMs":', _WHOLE, b',"memorySizeMB":', _WHOLE),
    *(b',"maxMemoryUsedMB":', _WHOLE, b'},"status":"success"}}'),
)
_KINDS = ((_TEXT, 1), (_JSON, 3))
"""(a plain report's message in its parts, how many of these make it a report)"""
SIGNS = (b"REPORT RequestId: ", b"platform.report")
"""One of these is in every line that reports."""
_PAD = bytes(128)
"""Behind the block: more than the longest part and what may be before it."""

_WORD = 8
"""Bytes that are looked at together, and digits that a number has at most."""
_ASCII_ZERO, _TO_HIGH, _HIGH = (np.uint64(int.from_bytes(bytes([byte]) * _WORD)) for byte in (0x30, 0x76, 0x80))
_JOINS = tuple((np.uint64(ten), np.uint64(bits), np.uint64(mask)) for ten, bits, mask in (
    (10, 8, 0x00FF00FF00FF00FF), (100, 16, 0x0000FFFF0000FFFF), (10_000, 32, 0x00000000FFFFFFFF)
))  # fmt: skip
"""Neighbouring digits become numbers of two, of four, of eight: (times what, how far apart, what is kept)."""
_SHORT_US = 10_000
"""Below, `binned` keeps all digits."""
_TENS = 10 ** np.arange(12, dtype=np.int64)


class Left(NamedTuple):
    """What is not counted, and what is."""

    lines: list[bytes]
    """Whole lines that have a report somewhere: events as JSON, with other times before it, and what only quotes it."""
    counted: list[tuple[Key, bytes, bytes]]
    """What has been added to, by which first and last line."""


class _Rows(NamedTuple):
    """Plain reports, in their order."""

    ends: Places
    duration_us: Numbers
    billed_ms: Numbers
    memory_mb: Numbers
    used_mb: Numbers

    def only(self, chosen: Chosen) -> "_Rows":
        return _Rows(*(column[chosen] for column in self))


class _Run(NamedTuple):
    """Rows one after the other with the same reading of memory."""

    first: int
    """The number of the first row."""
    memory_mb: int
    used_mb: int
    times: int


class _Block(NamedTuple):
    bytes: NDArray[np.uint8]
    words: Words
    """The eight bytes that begin at each."""


def is_stamped(block: bytes) -> bool:
    """Whether a file that begins so has a time before each line.

    If so, a line without goes on with an event's message, and what looks like a report there is quoted. In any other
    file a line may have its time before it or not.
    """
    return bool(_has_stamp(_block(block[:_STAMPED]), np.zeros(1, np.int64))[0])


def count(
    block: bytes, usage: Usage, *, function: str, stream: str, stamped: bool, other: Callable[[bytes, bytes], object]
) -> Left:
    r"""Add the plain reports of a sandbox's lines to the usage; what is left is for loglines.parse.

    The block is of whole lines, each with its \n. `other` takes each message that begins as a report does and is more
    than a plain one, after the line that it is in, in its turn: whether memory grows to the end shows only in the order
    of the readings.
    """
    seen = _block(block)
    ends = np.flatnonzero(seen.bytes == ord("\n"))
    lines = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
    has_stamp = _has_stamp(seen, lines)
    begins = lines + _STAMPED * has_stamp
    left = Left([], [])
    found: list[Places] = []
    for parts, leading in _KINDS:
        told = _begun(seen, begins, parts[:leading], has_stamp if stamped else None)
        begin, end = begins[told], ends[told]
        rows, plain = _rows(seen, begin, end, parts)
        found.append(end)
        for size in set(rows.memory_mb.tolist()):
            its = rows.only(rows.memory_mb == size)
            _add(usage[function, size], its, memory_mb=size)
            left.counted.append(((function, size), _line(block, int(its.ends[0])), _line(block, int(its.ends[-1]))))
        turns = np.searchsorted(rows.ends, end[~plain])
        runs = _runs(rows, turns)
        for turn, a, b in zip(turns.tolist(), begin[~plain].tolist(), end[~plain].tolist(), strict=True):
            _mark(usage, runs, turn, function=function, stream=stream)
            other(_line(block, b), block[a:b])
        _mark(usage, runs, len(ends), function=function, stream=stream)
    known = np.concatenate(found)
    if len(known) < len(ends) and sum(map(block.count, SIGNS)) > len(known):
        left.lines.extend(_others(block, set(known.tolist())))
    return left


def _block(block: bytes) -> _Block:
    padded = block + _PAD
    words = np.ndarray((len(padded) - _WORD,), np.dtype("<u8"), padded, strides=(1,))
    return _Block(np.frombuffer(padded, np.uint8), words)


def _has_stamp(seen: _Block, lines: Places) -> Chosen:
    """By three signs of it, and that it is no more than the line."""
    signs = ((10, "T"), (23, "Z"), (24, " "))
    has: Chosen = np.logical_and.reduce([seen.bytes[lines + at] == ord(sign) for at, sign in signs])
    return has


def _begun(seen: _Block, begins: Places, parts: Parts, allowed: Chosen | None) -> Places:
    """Which of the messages begin with these parts."""
    first = _after(seen, begins, parts[:1]) >= 0
    some = np.flatnonzero(first if allowed is None else first & allowed)
    return some[_after(seen, begins[some], parts) >= 0]


def _others(block: bytes, known: set[int]) -> list[bytes]:
    """The lines with a sign of a report that end elsewhere than those known."""
    ends = {block.index(b"\n", at) for sign in SIGNS for at in _occurrences(block, sign)} - known
    return [_line(block, end) for end in sorted(ends)]


def _line(block: bytes, end: int) -> bytes:
    """The line that ends there."""
    return block[block.rfind(b"\n", 0, end) + 1 : end]


def _occurrences(block: bytes, sign: bytes) -> Iterator[int]:
    at = block.find(sign)
    while at >= 0:
        yield at
        at = block.find(sign, at + 1)


def _rows(seen: _Block, begins: Places, ends: Places, parts: Parts) -> tuple[_Rows, Chosen]:
    """The plain reports among the messages that begin and end there, and which these are."""
    at = begins
    numbers: list[Numbers] = []
    for part in parts:
        if part is _SPACE:
            at = at + (seen.bytes[at] == ord(" "))
        elif isinstance(part, str):
            value, at = _decimal(seen, at) if part is _DECIMAL else _whole(seen, at)
            numbers.append(value)
        else:
            at = _after(seen, at, (part,))
    for _ in range(2):
        last = seen.bytes[at]
        at = at + ((last == ord("\t")) | (last == ord("\r")) | (last == ord(" ")))
    rows = _Rows(ends, *numbers)
    plain = (at == ends) & (rows.duration_us > 0) & (rows.memory_mb > 0)
    return rows.only(plain), plain


def _after(seen: _Block, at: Places, parts: Parts) -> Places:
    """Where these parts end if they begin there; -1 where they don't."""
    for part in parts:
        if isinstance(part, bytes):
            same = [seen.words[at + n] & mask == word for n, word, mask in _words(part)]
            at = np.where(np.logical_and.reduce(same) & (at >= 0), at + len(part), -1)
        elif isinstance(part, int):
            at = np.where(at >= 0, at + part, -1)
    return at


@lru_cache(maxsize=32)
def _words(part: bytes) -> list[tuple[int, np.uint64, np.uint64]]:
    """The words that cover it: (how far in, value, which bits count)."""
    steps = [*range(0, len(part) - _WORD, _WORD), max(0, len(part) - _WORD)]
    pieces = [part[step : step + _WORD] for step in steps]
    return [
        (step, np.uint64(int.from_bytes(piece, "little")), np.uint64((1 << 8 * len(piece)) - 1))
        for step, piece in zip(steps, pieces, strict=True)
    ]


def _whole(seen: _Block, at: Places) -> tuple[Numbers, Places]:
    """The number of up to seven digits that begins there, and where it ends; -1 where there is none."""
    value, digits = _number(seen.words[at])
    return value, np.where((at >= 0) & (digits > 0), at + digits, -1)


def _decimal(seen: _Block, at: Places) -> tuple[Numbers, Places]:
    """Thousandths of the number that begins there, further digits cut off; and where it ends."""
    value, dot = _whole(seen, at)
    fraction, digits = _number(seen.words[dot + 1])
    split = (seen.bytes[dot] == ord(".")) & (digits > 0)
    thousandths = fraction * _TENS[np.maximum(3 - digits, 0)] // _TENS[np.maximum(digits - 3, 0)]
    return value * 1000 + np.where(split, thousandths, 0), np.where(split & (dot >= 0), dot + 1 + digits, dot)


def _number(words: Words) -> tuple[Numbers, Numbers]:
    """(the number that a word begins with, its digits); no digit where all eight are."""
    values = words ^ _ASCII_ZERO
    others = ((values + _TO_HIGH) | values) & _HIGH
    first = others & (~others + np.uint64(1))
    digits = np.maximum(np.frexp(first.astype(np.float64))[1] // 8 - 1, 0)
    values = np.where(digits > 0, values << (64 - 8 * np.maximum(digits, 1)).astype(np.uint64), 0)
    for times, apart, kept in _JOINS:
        values = (values * times + (values >> apart)) & kept
    return values.astype(np.int64), digits.astype(np.int64)


def _add(use: Use, rows: _Rows, *, memory_mb: int) -> None:
    pressed = rows.used_mb >= PRESSED_AT * memory_mb
    _count(use.warm, rows.duration_us[~pressed])
    _count(use.pressed, rows.duration_us[pressed])
    use.clipped += int(np.count_nonzero(rows.used_mb >= CLIPPED_AT * memory_mb))
    use.billed_ms += int(rows.billed_ms.sum())
    use.worst_ms = max(use.worst_ms, int(rows.duration_us.max()) / 1000)


def _runs(rows: _Rows, turns: Places) -> deque[_Run]:
    """Each is one size and one reading, and ends where something else has its turn, after so many rows."""
    changes = np.diff(rows.used_mb, prepend=-1) | np.diff(rows.memory_mb, prepend=-1)
    first = np.union1d(np.flatnonzero(changes), turns[turns < len(changes)])
    often = np.diff(first, append=len(changes))
    columns = (first, rows.memory_mb[first], rows.used_mb[first], often)
    return deque(map(_Run, *(column.tolist() for column in columns)))


def _mark(usage: Usage, runs: deque[_Run], turn: int, *, function: str, stream: str) -> None:
    """Note the readings of the runs that come before this turn, and are then no more."""
    while runs and runs[0].first < turn:
        run = runs.popleft()
        if run.used_mb >= IMPLAUSIBLE_MB:
            mark(usage[function, run.memory_mb].sandboxes[stream], run.used_mb, run.times)


def _count(times: Counter[float], durations_us: Numbers) -> None:
    """Add them to the histogram, all at once that have the same digits of those that `binned` keeps."""
    short = durations_us < _SHORT_US
    step = np.searchsorted(_TENS, durations_us, side="right").clip(3) - 3
    digits = np.where(short, (durations_us + 5) // 10, 1000 * step + durations_us // _TENS[step])
    often = np.bincount(digits)
    found = np.flatnonzero(often)
    for value, count in zip(map(_value, found.tolist()), often[found].tolist(), strict=True):
        times[value] = times.get(value, 0) + count


@lru_cache(maxsize=8 * 1000)
def _value(code: int) -> float:
    """The value in ms for the digits as `_count` has them: hundredths, or 1,000 for each further digit and three."""
    return binned(code / 100 if code <= _SHORT_US // 10 else code % 1000 * 10.0 ** (code // 1000 - 3))
