"""Measured (memory, duration) pairs -> duration at any memory size, as an interval; and the size to choose. Pure.

The model is t(m) = a + b / s(m), with s(m) = min(m, 1769) / 1769: `a` is waiting, `b` the CPU time of one whole vCPU,
which a function has from 1,769 MB on (Lambda developer guide, "Configure Lambda function memory"). On 132 measured
functions its median error from two sizes is 15 %, 9 % between them.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from monitors.errors import InputError
from monitors.rightsize.report import Action, Interval

ONE_VCPU_MB = 1769
SMALLEST_MB, LARGEST_MB = 128, 10_240
LADDER_MB = (128, 192, 256, 384, 512, 768, 1024, 1280, 1536, 1769, 2048, 2560, 3008, 4096, 5120, 6144, 8192, 10_240)

# How duration answers to the CPU share, t ~ s ** -e, where only one size was seen: about the 10th, 50th and 90th
# percentile of measured steps below one vCPU. Micro-benchmarks have 0.90 in the middle, real applications 0.71.
PRIOR = Interval(-0.1, 0.8, 1.3)
PRIOR_ABOVE = Interval(-0.1, 0.02, 0.4)
"""The same for memory beyond one vCPU, where only parallel code gains."""

# Half-widths, as a share, of 80 % intervals of the two-size model: between the sizes seen, and a step beyond them.
BETWEEN, BEYOND = 0.18, 0.30
SEEN = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """Duration against memory."""

    wait_ms: float
    cpu_ms: float
    """At one whole vCPU."""
    sizes: tuple[int, ...]
    """The sizes it was fitted to, smallest first."""

    @property
    def measured(self) -> bool:
        """Whether two sizes tell waiting from computing; if not, the prior does."""
        return len({_share(size) for size in self.sizes}) > 1

    def duration_ms(self, memory_mb: int) -> tuple[float, float, float]:
        """(low, expected, high), an 80 % interval."""
        if not self.measured:
            return self._by_prior(memory_mb)
        expected = self.wait_ms + self.cpu_ms / _share(memory_mb)
        width = BETWEEN if self.sizes[0] < memory_mb < self.sizes[-1] else BEYOND
        if memory_mb in self.sizes:
            width = SEEN
        return expected * (1 - width), expected, expected * (1 + width)

    def _by_prior(self, memory_mb: int) -> tuple[float, float, float]:
        seen = self.sizes[0]
        duration = self.wait_ms + self.cpu_ms / _share(seen)
        below = math.log(_share(seen) / _share(memory_mb))
        above = math.log(max(seen, ONE_VCPU_MB) / max(memory_mb, ONE_VCPU_MB))
        factors = [
            math.exp(e * below + over * above)
            for e, over in zip(_exponents(PRIOR), _exponents(PRIOR_ABOVE), strict=True)
        ]
        low, expected, high = sorted(duration * factor for factor in factors)
        return low, expected, high


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """The size to run at, and what that does."""

    memory_mb: int
    action: Action
    duration_ms: Interval
    cost_ratio: Interval
    """Cost there over cost now."""
    reason: str


def fit(points: Iterable[tuple[float, float]]) -> Curve:
    """The curve through (memory MB, duration ms) pairs, by least squares on the relative error, never negative.

    Raises:
        InputError: no pair, or one with a size or duration that cannot be.
    """
    pairs = [(float(size), float(duration)) for size, duration in points]
    if not pairs:
        raise InputError("a duration curve needs at least one (memory, duration) pair")
    if any(not (0 < size < math.inf and 0 < duration < math.inf) for size, duration in pairs):
        raise InputError("memory sizes and durations must be positive numbers")
    sizes = tuple(sorted({round(size) for size, _ in pairs}))
    # Relative error: minimise the sum of (a u + b v - 1)^2, with u = 1 / t and v = x / t.
    us = [1 / duration for _, duration in pairs]
    vs = [1 / (_share(size) * duration) for size, duration in pairs]
    uu, vv, uv = _dot(us, us), _dot(vs, vs), _dot(us, vs)
    determinant = uu * vv - uv * uv
    if determinant <= 1e-9 * uu * vv:
        return Curve(wait_ms=0.0, cpu_ms=sum(vs) / vv, sizes=sizes)
    wait = (sum(us) * vv - sum(vs) * uv) / determinant
    cpu = (sum(vs) * uu - sum(us) * uv) / determinant
    if wait < 0:
        wait, cpu = 0.0, sum(vs) / vv
    elif cpu < 0:
        wait, cpu = sum(us) / uu, 0.0
    return Curve(wait_ms=wait, cpu_ms=cpu, sizes=sizes)


def gb_seconds(memory_mb: int, duration_ms: float) -> float:
    """What Lambda bills for compute: GB times seconds."""
    return memory_mb / 1024 * duration_ms / 1000


def choose(
    curve: Curve,
    *,
    current_mb: int,
    floor_mb: int,
    latency_allowance: float = 1.1,
    ceiling_mb: int = LARGEST_MB,
    cost: Callable[[int, float], float] = gb_seconds,
) -> Choice:
    """The cheapest size that is no slower than the allowance and no smaller than the floor.

    A size is slower if its expected duration is, once two sizes were seen; else if its high one is. At most one
    step (half or double) without two sizes. `cost` is what one invocation costs at (memory, duration). A larger
    size is chosen where the floor demands it, or where it is nearly free: at most 2 % dearer and 25 % faster.
    """
    _, now_ms, _ = curve.duration_ms(current_mb)
    now = cost(current_mb, now_ms)

    def ratio(size: int) -> Interval:
        return Interval(*(cost(size, duration) / now for duration in curve.duration_ms(size)))

    def made(size: int, action: Action, reason: str) -> Choice:
        duration = Interval(*curve.duration_ms(size))
        return Choice(memory_mb=size, action=action, duration_ms=duration, cost_ratio=ratio(size), reason=reason)

    if floor_mb > current_mb:
        return made(_rung(floor_mb), Action.RAISE, f"memory use calls for at least {floor_mb} MB")
    candidates = _candidates(curve, current_mb=current_mb, floor_mb=floor_mb, ceiling_mb=ceiling_mb)
    slack = 1 if curve.measured else 2  # of (low, expected, high): what must stay within the allowance
    smaller = [m for m in candidates if m < current_mb and curve.duration_ms(m)[slack] <= latency_allowance * now_ms]
    cheapest = min(smaller, key=lambda m: (ratio(m).expected, -m), default=current_mb)
    if cheapest != current_mb and ratio(cheapest).expected < 0.97:
        return made(cheapest, Action.LOWER, "cheaper, and no slower than allowed")
    larger = [
        m
        for m in candidates
        if m > current_mb and ratio(m).expected <= 1.02 and curve.duration_ms(m)[1] <= 0.75 * now_ms
    ]
    if larger and curve.measured:
        best = min(larger, key=lambda m: (curve.duration_ms(m)[1], m))
        return made(best, Action.RAISE, "short of CPU: faster, and nearly free")
    return made(current_mb, Action.KEEP, "no other size is clearly better")


def _candidates(curve: Curve, *, current_mb: int, floor_mb: int, ceiling_mb: int) -> Sequence[int]:
    low, high = max(floor_mb, SMALLEST_MB), min(ceiling_mb, LARGEST_MB)
    if not curve.measured:
        low, high = max(low, current_mb // 2), min(high, current_mb * 2)
    return [size for size in LADDER_MB if low <= size <= high]


def _rung(memory_mb: int) -> int:
    return next((size for size in LADDER_MB if size >= memory_mb), LARGEST_MB)


def _share(memory_mb: float) -> float:
    """The share of one vCPU that a single thread can use."""
    return min(memory_mb, ONE_VCPU_MB) / ONE_VCPU_MB


def _exponents(interval: Interval) -> tuple[float, float, float]:
    return interval.low, interval.expected, interval.high


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(left, right, strict=True))
