"""Invocations of a fleet -> memory report. Pure."""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitors.records import Invocation
from monitors.rightsize import prices
from monitors.rightsize.curve import LADDER_MB, THREAD_ARM, THREAD_X86, Curve, choose, fit
from monitors.rightsize.need import Need, need
from monitors.rightsize.report import Action, Interval, MemoryAdvice, MemoryReport, SizePoint

MIN_INVOCATIONS, MIN_SANDBOXES, MIN_DAYS = 50, 20, 7.0
MONTH_DAYS = 30.0
DAY_MS = 86_400_000
ENOUGH_AT_A_SIZE = 30
"""Warm invocations at a memory size that make its median worth fitting."""
TIMEOUT_SHARE = 0.8


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionFacts:
    """What the logs don't say of a function."""

    memory_mb: int
    architecture: str = prices.X86
    timeout_ms: int = 900_000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Measured:
    """What the logs say of a function at its current size."""

    warm_ms: Sequence[float]
    cold: Sequence[Invocation]
    billed_ms: Sequence[float]
    days: float
    invocations: int


def memory_report(
    invocations: Iterable[Invocation],
    *,
    functions: Mapping[str, FunctionFacts],
    region: str,
    architecture: str = prices.X86,
) -> MemoryReport:
    """Advice for every function that was invoked, dearest first.

    `functions` gives the current settings; a function that is not there is taken as its last invocation shows it, and
    of this architecture, which no log tells.
    """
    by_function: dict[str, list[Invocation]] = defaultdict(list)
    for invocation in invocations:
        if invocation.memory_mb and invocation.duration_ms > 0:
            by_function[invocation.function].append(invocation)
    everything = [i for each in by_function.values() for i in each]
    advice = []
    for name, each in by_function.items():
        each.sort(key=lambda i: i.timestamp_ms)
        seen = FunctionFacts(memory_mb=each[-1].memory_mb or 128, architecture=architecture)
        advice.append(_advise(name, each, functions.get(name, seen), region))
    times = [i.timestamp_ms / 1000 for i in everything]
    return MemoryReport(
        start=min(times, default=0.0),
        end=max(times, default=0.0),
        invocations=len(everything),
        advice=tuple(sorted(advice, key=lambda a: (-a.now_usd_month, a.function))),
        prices_date=prices.DATE,
        region=region,
        notes=(
            "Duration against memory: t = a + b / m, up to one vCPU (1,769 MB; 2,211 on arm64) or those seen in use.",
            "Where the sizes seen in the logs tell little, a measured prior. Intervals hold four times in five.",
            f"Cost: on-demand, tier 1, list prices of {prices.DATE}; no free tier, no savings plan. Init is billed.",
            "Memory need: the highest use of any sandbox, with headroom, never undercut.",
        ),
    )


def _advise(name: str, found: Sequence[Invocation], facts: FunctionFacts, region: str) -> MemoryAdvice:
    current = [i for i in found if i.memory_mb == facts.memory_mb] or list(found)
    wanted, measured = need(current), _measure(current)
    thread = THREAD_ARM if facts.architecture == prices.ARM else THREAD_X86
    curve = fit(_points(found, measured, facts), thread_vcpus=thread)
    cost = _cost(measured, prices.price(region, facts.architecture))
    p50, p95, p99 = _percentiles(measured.warm_ms)
    flags = _flags(wanted, current, measured)
    advised, action, reasons = facts.memory_mb, Action.UNKNOWN, [_too_little(wanted, measured)]
    if "few_data" not in flags or wanted.clipped:
        worst = max(i.duration_ms for i in current)
        chosen = choose(
            curve,
            current_mb=facts.memory_mb,
            floor_mb=max(wanted.floor_mb, _timeout_floor(curve, worst, facts)),
            cost=cost,
        )
        advised, action, reasons = chosen.memory_mb, chosen.action, [chosen.reason]
        if wanted.leaking and action is Action.LOWER:
            advised, action, reasons = (
                facts.memory_mb,
                Action.KEEP,
                ["memory grows with every invocation: fix the leak"],
            )
    now_ms = curve.duration_ms(facts.memory_mb)[1]
    return MemoryAdvice(
        function=name,
        memory_mb=facts.memory_mb,
        advised_mb=advised,
        action=action,
        kind=_kind(curve),
        confidence=_confidence(curve),
        architecture=facts.architecture,
        invocations=measured.invocations,
        sandboxes=wanted.sandboxes,
        days=round(measured.days, 1),
        used_mb=wanted.used_mb,
        floor_mb=wanted.floor_mb,
        clipped=wanted.clipped,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        cold_share=len(measured.cold) / measured.invocations,
        init_ms=statistics.median([i.init_ms or i.restore_ms or 0.0 for i in measured.cold]) if measured.cold else None,
        now_usd_month=_monthly(measured, cost(facts.memory_mb, now_ms)),
        then_usd_month=_costs(curve, measured, cost, advised),
        then_p95_ms=_scaled(curve, p95 / now_ms, advised),
        reasons=tuple(reasons + _why(wanted, curve)),
        flags=flags,
        sizes=tuple(
            SizePoint(
                memory_mb=size,
                p95_ms=_scaled(curve, p95 / now_ms, size),
                cost_usd_month=_costs(curve, measured, cost, size),
                observed=size in curve.sizes,
            )
            for size in sorted({*LADDER_MB, facts.memory_mb, *curve.sizes})
            if size <= 4 * facts.memory_mb
        ),
    )


def _measure(current: Sequence[Invocation]) -> _Measured:
    warm = [i.duration_ms for i in current if not i.cold]
    return _Measured(
        warm_ms=warm or [i.duration_ms for i in current],
        cold=[i for i in current if i.cold],
        billed_ms=[i.billed_ms if i.billed_ms is not None else math.ceil(i.duration_ms) for i in current],
        days=max(1.0, (current[-1].timestamp_ms - current[0].timestamp_ms) / DAY_MS),
        invocations=len(current),
    )


def _points(found: Sequence[Invocation], measured: _Measured, facts: FunctionFacts) -> list[tuple[float, float]]:
    """The median warm duration at each memory size that the logs show often enough, the current one always."""
    by_size: dict[int, list[float]] = defaultdict(list)
    for invocation in found:
        if not invocation.cold and invocation.memory_mb and not _pressed(invocation):
            by_size[invocation.memory_mb].append(invocation.duration_ms)
    points = {size: statistics.median(ms) for size, ms in by_size.items() if len(ms) >= ENOUGH_AT_A_SIZE}
    points[facts.memory_mb] = statistics.median(measured.warm_ms)
    return sorted((float(size), ms) for size, ms in points.items())


def _pressed(invocation: Invocation) -> bool:
    """Near its memory limit an invocation swaps and collects garbage: its duration says nothing of CPU."""
    return bool(invocation.used_mb and invocation.used_mb >= 0.9 * (invocation.memory_mb or 0))


def _cost(measured: _Measured, price: prices.Price) -> Callable[[int, float], float]:
    """What an average invocation costs (USD) at (memory, warm duration): init is billed, and independent of memory."""
    warm_now = statistics.median(measured.warm_ms)
    billed = statistics.fmean(measured.billed_ms)
    init = sum(i.init_ms or 0.0 for i in measured.cold) / measured.invocations

    def at(memory_mb: int, duration_ms: float) -> float:
        running = max(1.0, (billed - init) * duration_ms / warm_now)
        return memory_mb / 1024 * (running + init) / 1000 * price.gb_second + price.request

    return at


def _monthly(measured: _Measured, usd: float) -> float:
    return usd * measured.invocations / measured.days * MONTH_DAYS


def _costs(curve: Curve, measured: _Measured, cost: Callable[[int, float], float], size: int) -> Interval:
    low, expected, high = (_monthly(measured, cost(size, ms)) for ms in curve.duration_ms(size))
    return Interval(low, expected, high)


def _scaled(curve: Curve, factor: float, size: int) -> Interval:
    low, expected, high = (ms * factor for ms in curve.duration_ms(size))
    return Interval(low, expected, high)


def _timeout_floor(curve: Curve, worst_ms: float, facts: FunctionFacts) -> int:
    """The smallest size at which the slowest invocation stays clear of the timeout; never more than the current one."""
    now = curve.duration_ms(facts.memory_mb)[1]
    safe = [m for m in LADDER_MB if worst_ms * curve.duration_ms(m)[1] / now <= TIMEOUT_SHARE * facts.timeout_ms]
    return min(*safe, facts.memory_mb) if safe else facts.memory_mb


def _percentiles(durations: Sequence[float]) -> tuple[float, float, float]:
    if len(durations) == 1:
        return durations[0], durations[0], durations[0]
    cuts = statistics.quantiles(durations, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]


def _kind(curve: Curve) -> str:
    """What bounds the duration: the share of CPU time in the time at one vCPU."""
    if not curve.measured:
        return "unknown"
    share = curve.cpu_ms / (curve.cpu_ms + curve.wait_ms)
    return "CPU" if share > 0.7 else "IO" if share < 0.3 else "mixed"


def _confidence(curve: Curve) -> str:
    return "A" if curve.measured else "B" if len(curve.sizes) > 1 else "C"


def _flags(wanted: Need, current: Sequence[Invocation], measured: _Measured) -> tuple[str, ...]:
    few = wanted.sandboxes < MIN_SANDBOXES or measured.invocations < MIN_INVOCATIONS or measured.days < MIN_DAYS
    told = {
        "leak": wanted.leaking,
        "clipped": wanted.clipped,
        "killed": any(i.error_type == "Runtime.OutOfMemory" for i in current),
        "timeouts": any(i.status == "timeout" for i in current),
        "few_data": few,
    }
    return tuple(name for name, holds in told.items() if holds)


def _too_little(wanted: Need, measured: _Measured) -> str:
    return (
        f"not enough data: {measured.invocations} invocations in {wanted.sandboxes} sandboxes over {measured.days:.1f} "
        f"days; it takes {MIN_INVOCATIONS}, {MIN_SANDBOXES} and {MIN_DAYS:g}"
    )


def _why(wanted: Need, curve: Curve) -> list[str]:
    reasons = [f"uses at most {wanted.used_mb} MB in {wanted.sandboxes} sandboxes: safe from {wanted.floor_mb} MB on"]
    if wanted.clipped:
        reasons.append("use reached the size: the true need is unknown")
    seen = ", ".join(map(str, curve.sizes))
    reasons.append(f"seen at {seen} MB" if curve.measured else f"seen at {seen} MB only: other sizes by the prior")
    return reasons
