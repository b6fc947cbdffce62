"""Max Memory Used by sandbox -> the memory a function needs. Pure.

"Max Memory Used" is the high-water mark of the execution environment, not of the invocation: in 5,690 measured pairs of
successive invocations it fell twice. So the unit is the sandbox (log stream), and what counts is its highest reading.
It is clipped at the size: near it, the true need is unknown.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitors.records import Invocation

CLIPPED_AT = 0.95
HEADROOM = 0.75
"""The share of the size that may be in use: in 2,593 measured cells the p90 slowdown is 1.3x below, 2x to 8x above."""
IMPLAUSIBLE_MB = 10
"""Readings of 2 to 9 MB occur where about 50 MB is real (custom runtimes): not readings of use."""
FEW_SANDBOXES = 0.5
"""The largest of n sandboxes understates the largest there will be: by 1 + 0.5 / sqrt(n), at most 1.5."""
LEAK_LENGTH = 20
LEAK_GROWTH = 0.10
MEMORY_DEATHS = ("Runtime.OutOfMemory",)


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


def need(invocations: Iterable[Invocation]) -> Need:
    """The need of one function at one memory size (the current one)."""
    streams: dict[str, list[Invocation]] = defaultdict(list)
    for invocation in invocations:
        if invocation.used_mb is not None and invocation.used_mb >= IMPLAUSIBLE_MB:
            streams[invocation.log_stream].append(invocation)
    marks = [max(i.used_mb or 0 for i in stream) for stream in streams.values()]
    used = max(marks, default=0)
    size = max((i.memory_mb or 0 for stream in streams.values() for i in stream), default=0)
    clipped = any(_is_clipped(i) for stream in streams.values() for i in stream)
    inflation = min(1.5, 1 + FEW_SANDBOXES / math.sqrt(len(marks))) if marks else 1.0
    floor = max(128, math.ceil(used * inflation / HEADROOM))
    if clipped:
        floor = max(floor, math.ceil(1.5 * size))
    elif used <= HEADROOM * size:
        # What other sandboxes might use forbids less memory; it is no reason for more.
        floor = min(floor, max(128, size))
    leaking = _share_growing(list(streams.values())) > 0.5
    return Need(used_mb=used, floor_mb=floor, sandboxes=len(marks), clipped=clipped, leaking=leaking)


def _is_clipped(invocation: Invocation) -> bool:
    used, size = invocation.used_mb or 0, invocation.memory_mb or 0
    near = size and used >= CLIPPED_AT * size
    stalled = invocation.status == "timeout" and used >= 0.9 * size
    return bool(near or stalled or invocation.error_type in MEMORY_DEATHS)


def _share_growing(streams: Sequence[Sequence[Invocation]]) -> float:
    """The share of long-lived sandboxes whose memory still grows at their end: a leak, or a cache without bounds."""
    long_lived = [stream for stream in streams if len(stream) >= LEAK_LENGTH]
    return sum(map(_grows, long_lived)) / len(long_lived) if long_lived else 0.0


def _grows(stream: Sequence[Invocation]) -> bool:
    marks = [i.used_mb or 0 for i in sorted(stream, key=lambda i: i.timestamp_ms)]
    quarter = len(marks) // 4
    begun, late, end = marks[quarter], marks[-1 - quarter], marks[-1]
    return end >= begun * (1 + LEAK_GROWTH) and end > late
