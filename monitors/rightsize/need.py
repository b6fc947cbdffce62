"""Max Memory Used by sandbox -> the memory a function needs. Pure.

"Max Memory Used" is the high-water mark of the execution environment, not of the invocation: in 5,690 measured pairs of
successive invocations it fell twice. So the unit is the sandbox (log stream), and what counts is its highest reading.
It is clipped at the size: near it, the true need is unknown.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitors.rightsize.usage import Use

Marks = Sequence[tuple[int, int]]
"""(Max Memory Used in MB, of how many invocations in a row), in their order."""

HEADROOM = 0.75
"""The share of the size that may be in use: in 2,593 measured cells the p90 slowdown is 1.3x below, 2x to 8x above."""
FEW_SANDBOXES = 0.5
"""The largest of n sandboxes understates the largest there will be: by 1 + 0.5 / sqrt(n), at most 1.5."""
LEAK_LENGTH = 20
LEAK_GROWTH = 0.10


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """What a function needs, in MB."""

    used_mb: int
    """The highest reading."""
    floor_mb: int
    """The smallest size that is safe."""
    sandboxes: int
    clipped: bool
    leaking: bool


def need(use: Use, *, memory_mb: int) -> Need:
    """The need of a function by its use at one memory size (the current one), or at several, this the largest."""
    tops = [max(used for used, _ in marks) for marks in use.sandboxes.values()]
    used = max(tops, default=0)
    clipped = use.clipped > 0
    inflation = min(1.5, 1 + FEW_SANDBOXES / math.sqrt(len(tops))) if tops else 1.0
    floor = max(128, math.ceil(used * inflation / HEADROOM))
    if clipped:
        floor = max(floor, math.ceil(1.5 * memory_mb))
    elif used <= HEADROOM * memory_mb:
        # What other sandboxes might use forbids less memory; it is no reason for more.
        floor = min(floor, max(128, memory_mb))
    leaking = _share_growing(use.sandboxes.values()) > 0.5
    return Need(used_mb=used, floor_mb=floor, sandboxes=len(tops), clipped=clipped, leaking=leaking)


def _share_growing(sandboxes: Iterable[Marks]) -> float:
    """The share of long-lived sandboxes whose memory still grows at their end: a leak, or a cache without bounds."""
    long_lived = [marks for marks in sandboxes if _length(marks) >= LEAK_LENGTH]
    return sum(map(_grows, long_lived)) / len(long_lived) if long_lived else 0.0


def _grows(marks: Marks) -> bool:
    length = _length(marks)
    begun, late, end = _at(marks, length // 4), _at(marks, length - 1 - length // 4), marks[-1][0]
    return end >= begun * (1 + LEAK_GROWTH) and end > late


def _length(marks: Marks) -> int:
    return sum(times for _, times in marks)


def _at(marks: Marks, place: int) -> int:
    """The reading of the invocation that has so many before it."""
    for used_mb, times in marks:
        place -= times
        if place < 0:
            return used_mb
    return marks[-1][0]
