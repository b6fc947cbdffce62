"""Measured (memory, duration) pairs -> duration at any memory size, as an interval; and the size to choose. Pure.

The model is t(m) = a + b / s(m), s(m) = min(m / 1769, v): `a` is waiting, `b` the CPU time at one whole vCPU, which
is 1,769 MB (Lambda developer guide, "Configure Lambda function memory"), and `v` the vCPUs that the code can use: one
for a thread, more on arm64 and where the measured sizes show that it used more.

Beside the pairs there may be CPU time, counted by the operating system: it is `b`, from one size alone.
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
FLAT_ABOVE = Interval(-0.1, 0.0, 0.1)
"""The same once two sizes there were seen to take equally long."""

# What the median at one size varies by between hosts and days (standard deviation: a share, and in short functions some
# ms), how far the model is off a doubling away from the nearest size seen, and what makes 80 % of a standard deviation.
# 205 benchmarks measured in two months differ by 6.5 % (root mean square); real traffic is less even.
NOISE, JITTER_MS, MISFIT, Z_80 = 0.08, 1.5, 0.17, 1.28

WIDEST = 10.0
"""An interval of more than ten times more or less says nothing."""

THREAD_X86, THREAD_ARM = 1.0, 1.25
"""The vCPUs that one thread gains from. From 1,769 to 2,048 MB, 28 measured functions gained 2 % in the median on
x86_64, 14 % on arm64, and those 12 % more up to 4,096 (cebert's benchmarks of November and December 2025)."""
VCPUS = (THREAD_X86, THREAD_ARM, 2.0, 3.0, 4.0, 10_240 / ONE_VCPU_MB)
"""What code may use at most."""
ILL_FIT = 0.6
"""The root mean square residual, in standard deviations, beyond which more vCPUs are tried; they must halve it."""

TELLING = 1.3
"""Below this ratio of CPU shares noise drowns what they tell: it leaves the exponent uncertain by 0.43 or more."""
RISKED = 4.0
"""What is not known better than this is not advised, however cheap: two near sizes say little of one far off."""
RISKED_BY_CPU = 1.5
"""The same where only CPU time tells: it is of one size, and doesn't say whether code beyond one vCPU was parallel."""
STARVED = 1 / 3
"""The share of a vCPU below which a function that computes is short of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """Duration against memory."""

    wait_ms: float
    cpu_ms: float
    """At one whole vCPU."""
    points: tuple[tuple[int, float], ...]
    """What it was fitted to: (memory MB, duration ms), smallest size first, one a size."""
    vcpus: float = 1.0
    """What it can use at most."""
    covariance: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Of (wait, cpu): the variance of each, and their covariance in the middle. ms²."""
    cpu_told: bool = False
    """Whether CPU time was among the evidence."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes it was fitted to, smallest first."""
        return tuple(size for size, _ in self.points)

    @property
    def far_apart(self) -> bool:
        """Whether the sizes tell waiting from computing."""
        return tell(self.sizes, vcpus=self.vcpus)

    @property
    def measured(self) -> bool:
        """Whether the sizes or CPU time tell waiting from computing; if not, the prior does."""
        return self.cpu_told or self.far_apart

    def duration_ms(self, memory_mb: int) -> tuple[float, float, float]:
        """(low, expected, high), an 80 % interval.

        Its width comes from the noise of the sizes seen, carried to this one, and from the model's own misfit, which
        grows with the distance. Where only CPU time tells, it holds what parallel code would take as well.
        """
        near_mb, near_ms = min(self.points, key=lambda point: (_doublings(point[0], memory_mb), point))
        if not self.measured:
            return self._by_prior(near_mb, near_ms, memory_mb)
        x = 1 / _share(memory_mb, self.vcpus)
        expected = self.wait_ms + self.cpu_ms * x
        waits, both, cpus = self.covariance
        noise = math.sqrt(max(0.0, waits + 2 * both * x + cpus * x * x)) / expected
        misfit = 0.0 if memory_mb == near_mb else MISFIT * (1 + min(1.0, _doublings(near_mb, memory_mb))) / 2
        factor = min(WIDEST, 1 + math.hypot(Z_80 * noise, misfit))
        low, high = expected / factor, expected * factor
        if self.far_apart or near_mb <= self.vcpus * ONE_VCPU_MB:
            return low, expected, high
        parallel = near_ms + self.cpu_ms * ONE_VCPU_MB * (1 / memory_mb - 1 / near_mb)
        return min(low, max(parallel, expected / WIDEST)), expected, max(high, parallel)

    def _by_prior(self, seen_mb: int, seen_ms: float, memory_mb: int) -> tuple[float, float, float]:
        below = math.log(_share(seen_mb, self.vcpus) / _share(memory_mb, self.vcpus))
        whole = self.vcpus * ONE_VCPU_MB
        above = math.log(max(seen_mb, whole) / max(memory_mb, whole))
        flat = self.sizes[0] >= whole and self.sizes[-1] >= TELLING * self.sizes[0]
        exponents = zip(_exponents(PRIOR), _exponents(FLAT_ABOVE if flat else PRIOR_ABOVE), strict=True)
        low, expected, high = sorted(seen_ms * math.exp(e * below + over * above) for e, over in exponents)
        return low, expected, high


class Cpu(NamedTuple):
    """The CPU time of an invocation."""

    cpu_ms: float
    """At one whole vCPU."""
    deviation_ms: float
    """The standard deviation of its error."""


class _Pair(NamedTuple):
    memory_mb: float
    duration_ms: float
    deviation_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """The size to run at, and what that does."""

    memory_mb: int
    action: Action
    duration_ms: Interval
    cost_ratio: Interval
    """Cost there over cost now."""
    reason: str


def fit(
    points: Iterable[tuple[float, float]],
    *,
    thread_vcpus: float = THREAD_X86,
    borrowed: Iterable[tuple[float, float, float]] = (),
    cpu: Cpu | None = None,
) -> Curve:
    """The curve through (memory MB, duration ms) pairs, by least squares, never negative.

    `borrowed` are pairs of the same code elsewhere, brought to the level of these, each with a noise of its own. `cpu`
    is CPU time. `thread_vcpus` is what one thread can use; more is tried where the evidence is far from such a curve.

    Raises:
        InputError: no pair, or one with a size, duration or CPU time that cannot be.
    """
    pairs = [
        _Pair(float(size), float(duration), math.hypot(noise * duration, JITTER_MS))
        for size, duration, noise in (*((*point, NOISE) for point in points), *borrowed)
    ]
    if not pairs:
        raise InputError("a duration curve needs at least one (memory, duration) pair")
    if any(not (0 < pair.memory_mb < math.inf and 0 < pair.duration_ms < math.inf) for pair in pairs):
        raise InputError("memory sizes and durations must be positive numbers")
    if cpu and not (0 <= cpu.cpu_ms < math.inf and 0 < cpu.deviation_ms < math.inf):
        raise InputError("a CPU time must be no less than 0, and its deviation positive")
    best, error = _fitted(pairs, cpu, thread_vcpus)
    for vcpus in VCPUS:
        if vcpus > thread_vcpus and error > ILL_FIT:
            other, its_error = _fitted(pairs, cpu, vcpus)
            if its_error <= error / 2:
                best, error = other, its_error
    return best


def _fitted(pairs: Sequence[_Pair], told: Cpu | None, vcpus: float) -> tuple[Curve, float]:
    """The curve for code that can use so many vCPUs, and its root mean square residual in standard deviations."""
    # Minimise the sum of (a u + b v - w)^2, with u = 1 / sd, v = x / sd and w = t / sd; CPU time is b itself.
    us = [1 / pair.deviation_ms for pair in pairs]
    vs = [1 / (_share(pair.memory_mb, vcpus) * pair.deviation_ms) for pair in pairs]
    ws = [pair.duration_ms / pair.deviation_ms for pair in pairs]
    if told:
        us, vs, ws = [*us, 0.0], [*vs, 1 / told.deviation_ms], [*ws, told.cpu_ms / told.deviation_ms]
    uu, vv, uv, uw, vw = _dot(us, us), _dot(vs, vs), _dot(us, vs), _dot(us, ws), _dot(vs, ws)
    determinant = uu * vv - uv * uv
    wait, cpu, spread = 0.0, vw / vv, (0.0, 0.0, 1 / vv)
    if determinant > 1e-9 * uu * vv:
        wait, cpu = (uw * vv - vw * uv) / determinant, (vw * uu - uw * uv) / determinant
        spread = vv / determinant, -uv / determinant, uu / determinant
        if wait < 0:
            wait, cpu = 0.0, vw / vv
        elif cpu < 0:
            wait, cpu = uw / uu, 0.0
    residual = math.sqrt(sum((wait * u + cpu * v - w) ** 2 for u, v, w in zip(us, vs, ws, strict=True)) / len(us))
    waits, both, cpus = (max(1.0, residual**2) * each for each in spread)
    by_size: dict[int, list[float]] = defaultdict(list)
    for pair in pairs:
        by_size[round(pair.memory_mb)].append(pair.duration_ms)
    curve = Curve(
        wait_ms=wait,
        cpu_ms=cpu,
        points=tuple(sorted((size, statistics.fmean(durations)) for size, durations in by_size.items())),
        vcpus=vcpus,
        covariance=(waits, both, cpus),
        cpu_told=told is not None,
    )
    return curve, residual


def tell(sizes: Collection[int], *, vcpus: float) -> bool:
    """Whether these memory sizes (MB) are far enough apart to tell waiting from computing."""
    shares = [_share(size, vcpus) for size in sizes]
    return bool(shares) and max(shares) >= TELLING * min(shares)


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

    A size is slower if its expected duration is, or if its high one is RISKED times the present one, RISKED_BY_CPU
    times where only CPU time tells; where nothing does, if its high one is, and then it is half the size at least.
    Without sizes far enough apart it is double the size at most. `cost` is what one invocation costs at (memory,
    duration). A larger size is chosen where the floor demands it, or where a function that is short
    of CPU gets it nearly free: at most 2 % dearer and 25 % faster.
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
    smaller = [m for m in candidates if m < current_mb and _fast_enough(curve, m, now_ms, latency_allowance)]
    cheapest = min(smaller, key=lambda m: (ratio(m).expected, -m), default=current_mb)
    if cheapest != current_mb and ratio(cheapest).expected < 0.97:
        return made(cheapest, Action.LOWER, "cheaper, and no slower than allowed")
    larger = [
        m
        for m in candidates
        if m > current_mb and ratio(m).expected <= 1.02 and curve.duration_ms(m)[1] <= 0.75 * now_ms
    ]
    if larger and curve.measured and _share(current_mb, curve.vcpus) < STARVED:
        best = min(larger, key=lambda m: (curve.duration_ms(m)[1], m))
        return made(best, Action.RAISE, "short of CPU: faster, and nearly free")
    return made(current_mb, Action.KEEP, "no other size is clearly better")


def _fast_enough(curve: Curve, memory_mb: int, now_ms: float, allowance: float) -> bool:
    _, expected, high = curve.duration_ms(memory_mb)
    if not curve.measured:
        return high <= allowance * now_ms
    return expected <= allowance * now_ms and high <= (RISKED if curve.far_apart else RISKED_BY_CPU) * now_ms


def _candidates(curve: Curve, *, current_mb: int, floor_mb: int, ceiling_mb: int) -> Sequence[int]:
    low, high = max(floor_mb, SMALLEST_MB), min(ceiling_mb, LARGEST_MB)
    if not curve.measured:
        low = max(low, current_mb // 2)
    if not curve.far_apart:
        high = min(high, current_mb * 2)
    return [size for size in LADDER_MB if low <= size <= high]


def _rung(memory_mb: int) -> int:
    return next((size for size in LADDER_MB if size >= memory_mb), LARGEST_MB)


def _share(memory_mb: float, vcpus: float) -> float:
    """The vCPUs that code which can use so many has at this size."""
    return min(memory_mb / ONE_VCPU_MB, vcpus)


def _doublings(one_mb: float, other_mb: float) -> float:
    return abs(math.log2(one_mb / other_mb))


def _exponents(interval: Interval) -> tuple[float, float, float]:
    return interval.low, interval.expected, interval.high


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(left, right, strict=True))
