"""Invocations -> what functions used, by memory size: histograms and sums, a few thousand numbers each.

Ten million invocations take as much room here as ten thousand: durations are told apart by their first three digits,
and of a sandbox only the changes of its high-water mark are kept. Parts read apart are put together by `merge`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, floor, log10
from typing import NamedTuple

from monitors.records import Invocation

IMPLAUSIBLE_MB = 10
"""Readings of 2 to 9 MB occur where about 50 MB is real (custom runtimes): not readings of use."""
PRESSED_AT = 0.9
"""Near its memory limit an invocation swaps and collects garbage: its duration says nothing of CPU."""
CLIPPED_AT = 0.95
MEMORY_DEATHS = ("Runtime.OutOfMemory",)
MARKS = 256
"""Changes of the high-water mark that are kept of a sandbox; of more the later ones count as one."""

_PUBLISHED = re.compile(r"\d{4}/\d\d/\d\d/[^\[\]]*\[([0-9]+)\]")

Histogram = Mapping[float, int]
"""Value -> how often."""
Key = tuple[str, int]
"""(function, memory size in MB)"""


@dataclass(slots=True, kw_only=True)
class Use:
    """A function at one memory size; grows while it is read."""

    warm: Counter[float] = field(default_factory=Counter)
    """Durations in ms of warm invocations that were not pressed."""
    pressed: Counter[float] = field(default_factory=Counter)
    """Of warm ones whose sandbox had used nearly all its memory."""
    cold: Counter[float] = field(default_factory=Counter)
    init: Counter[float] = field(default_factory=Counter)
    """Init or restore durations in ms."""
    billed_ms: float = 0.0
    init_ms: float = 0.0
    """All init durations together."""
    first_ms: int = 0
    last_ms: int = 0
    """Epoch milliseconds of the first and the last invocation; 0 where none says."""
    worst_ms: float = 0.0
    killed: int = 0
    """Invocations that ran out of memory."""
    timeouts: int = 0
    clipped: int = 0
    """Invocations whose use was at the size, as far as it shows: near it, killed for it, or timed out next to it."""
    sandboxes: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    """Log stream -> its Max Memory Used in MB, and of how many invocations in a row, in their order."""

    @property
    def invocations(self) -> int:
        """How many."""
        return self.warm.total() + self.pressed.total() + self.cold.total()


Usage = dict[Key, Use]


class Read(NamedTuple):
    """What logs hold."""

    usage: Usage
    notes: tuple[str, ...]
    """What was lost, in words."""


Progress = Callable[[int, int], None]
"""Is told how much has been read, and how much there is."""


def usage(invocations: Iterable[Invocation]) -> Usage:
    """What they used. Those of a sandbox come in their order; what names no memory size or took no time is left out."""
    found: Usage = defaultdict(Use)
    for one in invocations:
        collect(found, one)
    return found


def collect(into: Usage, one: Invocation) -> None:
    """Add one invocation, as `usage` does."""
    if one.memory_mb and one.duration_ms > 0:
        _add(into[one.function, one.memory_mb], one)


def _add(use: Use, one: Invocation) -> None:
    used, size = one.used_mb, one.memory_mb or 0
    near = used is not None and used >= PRESSED_AT * size
    killed = one.error_type in MEMORY_DEATHS
    times = use.cold if one.cold else use.pressed if near else use.warm
    times[binned(one.duration_ms)] += 1
    if one.cold:
        use.init[binned(one.init_ms or one.restore_ms or 0.0)] += 1
        use.init_ms += one.init_ms or 0.0
    use.billed_ms += ceil(one.duration_ms) if one.billed_ms is None else one.billed_ms
    use.worst_ms = max(use.worst_ms, one.duration_ms)
    use.killed += killed
    use.timeouts += one.status == "timeout"
    use.clipped += killed or (used or 0) >= CLIPPED_AT * size or (near and one.status == "timeout")
    seen(use, one.timestamp_ms, one.timestamp_ms)
    if used is not None and used >= IMPLAUSIBLE_MB:
        mark(use.sandboxes[one.log_stream], used, 1)


def seen(use: Use, first_ms: int, last_ms: int) -> None:
    """Widen the time that the use is of; 0 is no time."""
    if first_ms:
        use.first_ms = min(use.first_ms or first_ms, first_ms)
        use.last_ms = max(use.last_ms, last_ms)


def mark(marks: list[tuple[int, int]], used_mb: int, times: int) -> None:
    """Note the next reading of a sandbox's Max Memory Used, and how often in a row it came."""
    if marks and marks[-1][0] == used_mb:
        marks[-1] = (used_mb, marks[-1][1] + times)
    elif len(marks) < MARKS:
        marks.append((used_mb, times))
    else:
        marks[-1] = (max(used_mb, marks[-1][0]), marks[-1][1] + times)


def binned(value: float) -> float:
    """The middle of the values that have the same first three digits: at most half a percent off.

    Below 10 ms these are all the digits that a log line has.
    """
    if value < 10:
        return round(value, 2)
    step = 10.0 ** (floor(log10(value)) - 2)
    return round((floor(value / step + 1e-9) + 0.5) * step, 2)


def merge(into: Usage, part: Usage) -> None:
    """Add what was read elsewhere; what it says of a sandbox comes after what is known."""
    for key, use in part.items():
        join(into[key], use)


def together(uses: Iterable[Use]) -> Use:
    """Several sizes of a function as if they were one."""
    whole = Use()
    for use in uses:
        join(whole, use)
    return whole


def join(into: Use, use: Use) -> None:
    """Add what another part says of the same function and size."""
    for name in ("warm", "pressed", "cold", "init"):
        getattr(into, name).update(getattr(use, name))
    into.billed_ms += use.billed_ms
    into.init_ms += use.init_ms
    into.worst_ms = max(into.worst_ms, use.worst_ms)
    into.killed += use.killed
    into.timeouts += use.timeouts
    into.clipped += use.clipped
    seen(into, use.first_ms, use.last_ms)
    for stream, marks in use.sandboxes.items():
        for used_mb, times in marks:
            mark(into.sandboxes[stream], used_mb, times)


def versions(uses: Iterable[Use]) -> tuple[int, ...]:
    """The published versions that the log streams name (`2026/11/23/[7]0a1b...` is of 7), ascending; not $LATEST."""
    found = {_PUBLISHED.match(stream) for use in uses for stream in use.sandboxes}
    return tuple(sorted({int(one[1]) for one in found if one}))


def quantile(times: Histogram, level: float) -> float:
    """Interpolated between the two values around it, as statistics.quantiles does with method="inclusive"."""
    place = level * (sum(times.values()) - 1)
    below, above = floor(place), ceil(place)
    found: list[float] = []
    running = 0
    for value in sorted(times):
        running += times[value]
        while len(found) < 2 and running > (below, above)[len(found)]:
            found.append(value)
    return found[0] + (found[1] - found[0]) * (place - below)
