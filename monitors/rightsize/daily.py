"""A block of a log file's lines -> the same lines by the UTC day on which they were logged. Pure.

Also words for days that are there or missing.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from monitors.rightsize.bulk import STAMP

DAY = timedelta(days=1)
FIRST = date(2014, 11, 13)
"""Lambda's first day: what is earlier is no time at which a line was logged."""

# In an export to S3 a line without a time goes on with an event's message, whatever it begins with.
_EXPORTED = rb"\n(?!%s)(?P<stamp>" + STAMP + rb") "
# Others begin with a time (`aws logs tail`), have it first (Lambda's JSON format), or are events. In those the message
# is JSON's text, in which every quotation mark has a backslash before it.
_OTHERS = (
    rb'\n(?:(?:\{\s*"time":\s*")?(?!%s)(?P<stamp>\d{4}-\d\d-\d\dT[^\s"]{5,32})'
    rb'|\{(?!\s*"time":)[^\n]*?"timestamp"\s*:\s*(?P<epoch_ms>\d{13})\b)'
)


class Split(NamedTuple):
    """A block's lines by day."""

    parts: tuple[tuple[date | None, bytes], ...]
    """The lines of each day in their order; None where no line before or in the block says its time."""
    last: date | None
    """The day of the block's last line."""


def by_day(block: bytes, day: date | None, *, stamped: bool) -> Split:
    r"""The lines of a block (each with its \n) by day; none is lost.

    A line that doesn't say its time is of the day of the line before. `day` is the last line's of the block before, if
    one is known; `stamped` says that each event has its time before it, as in an export to S3.
    """
    parts: dict[date | None, list[bytes]] = defaultdict(list)
    lines = b"\n" + block
    begin = at = 0
    other = _other(day, stamped=stamped)
    while found := other(lines, at):
        at = found.end()
        then = _day(found)
        if then is None or then == day:
            continue
        if day is not None:
            parts[day].append(block[begin : found.start()])
            begin = found.start()
        day, other = then, _other(then, stamped=stamped)
    parts[day].append(block[begin:])
    return Split(tuple((one, b"".join(its)) for one, its in parts.items()), day)


def in_words(days: Collection[date]) -> str:
    """`2026-11-01 to 2026-11-05, 2026-11-07`; `none` if there is none."""
    begun = sorted(day for day in days if day - DAY not in days)
    ended = sorted(day for day in days if day + DAY not in days)
    runs = (f"{first}" if first == last else f"{first} to {last}" for first, last in zip(begun, ended, strict=True))
    return ", ".join(runs) or "none"


def through(first: date, last: date) -> list[date]:
    """Every day from the first up to and with the last."""
    return [first + n * DAY for n in range((last - first).days + 1)]


def missing(days: Iterable[date], wanted: Iterable[date]) -> list[str]:
    """A note that names the days wanted that are not there, if there are any."""
    absent = set(wanted) - set(days)
    return [f"Not in the history: {in_words(absent)}."] if absent else []


def _other(day: date | None, *, stamped: bool) -> Callable[[bytes, int], re.Match[bytes] | None]:
    """What finds the next line that may be of another day; most are skipped by a look at their first bytes."""
    same = rb"%bT[\d:.]{12}Z" % str(day).encode() if day else rb"\n"
    return re.compile((_EXPORTED if stamped else _OTHERS).replace(b"%s", same)).search


def _day(found: re.Match[bytes]) -> date | None:
    told = found.groupdict()
    try:
        if told.get("epoch_ms"):
            day = datetime.fromtimestamp(int(told["epoch_ms"]) / 1000, UTC).date()
        else:
            moment = datetime.fromisoformat(told["stamp"].decode())
            day = (moment.astimezone(UTC) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError):
        return None
    return day if day >= FIRST else None
