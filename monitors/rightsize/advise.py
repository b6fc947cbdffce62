"""What a fleet used -> memory report. Pure."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from monitors.rightsize import prices
from monitors.rightsize.arm64 import slowdown
from monitors.rightsize.bins import bins
from monitors.rightsize.curve import LADDER_MB, THREAD_ARM, THREAD_X86, Curve, choose, fit
from monitors.rightsize.need import Need, need
from monitors.rightsize.pricelist import OWN, PriceList
from monitors.rightsize.report import Action, Interval, MemoryAdvice, MemoryReport, OnArm64, SizePoint
from monitors.rightsize.usage import PRESSED_AT, Histogram, Usage, Use, quantile, together, versions

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
    tuned: Mapping[int, float] = field(default_factory=dict)
    """Memory size (MB) -> average duration (ms) that Power Tuning measured."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Measured:
    """What the logs say of a function at its current size."""

    use: Use
    memory_mb: int
    """That size; where it wasn't seen, the largest that was."""
    warm: Histogram
    """Of all, where none was warm."""
    invocations: int
    days: float
    versions: tuple[int, ...]
    """The published versions that ran, at any size."""


class _Decision(NamedTuple):
    memory_mb: int
    action: Action
    reason: str


def memory_report(
    used: Usage,
    *,
    functions: Mapping[str, FunctionFacts],
    region: str,
    architecture: str = prices.X86,
    price_list: PriceList = OWN,
    tuned: Mapping[str, Mapping[int, float]] | None = None,
) -> MemoryReport:
    """Advice for every function that was invoked, dearest first.

    `functions` gives the current settings; a function that is not there is taken as its last invocation shows it, and
    of this architecture, which no log tells. `tuned` has, by function, what Power Tuning measured, as
    monitors.rightsize.tuned gives it. InputError if the price list doesn't say what one costs.
    """
    by_function: dict[str, dict[int, Use]] = defaultdict(dict)
    for (function, memory_mb), use in used.items():
        by_function[function][memory_mb] = use
    advice = []
    for name, sizes in by_function.items():
        latest = max(sizes, key=lambda size: (sizes[size].last_ms, size))
        seen = FunctionFacts(memory_mb=latest, architecture=architecture)
        facts = replace(functions.get(name, seen), tuned=(tuned or {}).get(name, {}))
        advice.append(_advise(name, sizes, facts, region, price_list))
    return MemoryReport(
        start=min((use.first_ms for use in used.values() if use.first_ms), default=0) / 1000,
        end=max((use.last_ms for use in used.values()), default=0) / 1000,
        invocations=sum(use.invocations for use in used.values()),
        advice=tuple(sorted(advice, key=lambda a: (-a.now_usd_month, a.function))),
        prices_date=price_list.date,
        region=region,
        notes=(
            "Duration against memory: t = a + b / m, up to one vCPU (1,769 MB; 2,211 on arm64) or those seen in use.",
            "Where the sizes seen in the logs tell little, a measured prior. Intervals hold four times in five.",
            f"Cost: on-demand, tier 1, {_source(price_list)}; no free tier, no savings plan. Init is billed.",
            "Memory need: the highest use of any sandbox, with headroom, never undercut.",
        ),
    )


def _source(listed: PriceList) -> str:
    return f"prices of {listed.file}, last changed {listed.date}" if listed.file else f"list prices of {listed.date}"


def _advise(name: str, sizes: Mapping[int, Use], facts: FunctionFacts, region: str, listed: PriceList) -> MemoryAdvice:
    measured = _measure(sizes, facts)
    use, wanted = measured.use, need(measured.use, memory_mb=measured.memory_mb)
    points = _points(sizes, measured, facts)
    tuned = _tuned(facts, points, wanted.used_mb)
    curve = fit(sorted({**tuned, **points}.items()), thread_vcpus=_thread(facts))
    cost = _cost(measured, listed.price(region, facts.architecture))
    p50, p95, p99 = (quantile(measured.warm, level) for level in (0.50, 0.95, 0.99))
    flags = _flags(wanted, measured, facts)
    if "few_data" in flags and not wanted.clipped:
        decided = _Decision(facts.memory_mb, Action.UNKNOWN, _too_little(wanted, measured))
    else:
        decided = _decision(curve, wanted, facts, worst_ms=use.worst_ms, cost=cost)
    now_ms = curve.duration_ms(facts.memory_mb)[1]
    return MemoryAdvice(
        function=name,
        memory_mb=facts.memory_mb,
        advised_mb=decided.memory_mb,
        action=decided.action,
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
        cold_share=use.cold.total() / measured.invocations,
        init_ms=quantile(use.init, 0.5) if use.init else None,
        now_usd_month=_monthly(measured, cost(facts.memory_mb, now_ms)),
        then_usd_month=_costs(curve, measured, cost, decided.memory_mb),
        then_p95_ms=_scaled(curve, p95 / now_ms, decided.memory_mb),
        reasons=(decided.reason, *_why(wanted, curve, tuned), *_mixed(measured)),
        flags=flags,
        sizes=tuple(
            SizePoint(
                memory_mb=size,
                p95_ms=_scaled(curve, p95 / now_ms, size),
                cost_usd_month=_costs(curve, measured, cost, size),
                observed=size in curve.sizes,
            )
            for size in _shown(curve, facts)
        ),
        used=bins(
            [max(used for used, _ in marks) for marks in use.sandboxes.values()],
            end_mb=max(facts.memory_mb, wanted.floor_mb),
        ),
        arm64=_on_arm64(curve, measured, facts, _arm64_price(listed, region, facts)),
    )


def _decision(
    curve: Curve, wanted: Need, facts: FunctionFacts, *, worst_ms: float, cost: Callable[[int, float], float]
) -> _Decision:
    """The cheapest size that is safe and quick enough; never less memory for one that leaks."""
    chosen = choose(
        curve,
        current_mb=facts.memory_mb,
        floor_mb=max(wanted.floor_mb, _timeout_floor(curve, worst_ms, facts)),
        cost=cost,
    )
    if wanted.leaking and chosen.action is Action.LOWER:
        return _Decision(facts.memory_mb, Action.KEEP, "memory grows with every invocation: fix the leak")
    return _Decision(chosen.memory_mb, chosen.action, chosen.reason)


def _shown(curve: Curve, facts: FunctionFacts) -> list[int]:
    """The sizes to tell of: the usual ones, those seen and the current one, up to four times as large."""
    return [size for size in sorted({*LADDER_MB, facts.memory_mb, *curve.sizes}) if size <= 4 * facts.memory_mb]


def _measure(sizes: Mapping[int, Use], facts: FunctionFacts) -> _Measured:
    """At the current size; at all that were seen, where it wasn't."""
    use = sizes.get(facts.memory_mb) or together(sizes.values())
    return _Measured(
        use=use,
        memory_mb=facts.memory_mb if facts.memory_mb in sizes else max(sizes),
        warm=use.warm + use.pressed or use.cold,
        invocations=use.invocations,
        days=max(1.0, (use.last_ms - use.first_ms) / DAY_MS),
        versions=versions(sizes.values()),
    )


def _points(sizes: Mapping[int, Use], measured: _Measured, facts: FunctionFacts) -> dict[int, float]:
    """The median warm duration at each memory size that the logs show often enough, the current one always."""
    enough = {size: use.warm for size, use in sizes.items() if use.warm.total() >= ENOUGH_AT_A_SIZE}
    points = {size: quantile(warm, 0.5) for size, warm in enough.items()}
    points[facts.memory_mb] = quantile(measured.warm, 0.5)
    return points


def _tuned(facts: FunctionFacts, points: Mapping[int, float], used_mb: int) -> dict[int, float]:
    """The durations that Power Tuning adds to those of the logs, brought to their level.

    It invokes with a payload of its own, so that only the shape of its curve can be compared. None where that doesn't
    reach the current size but by the prior, which would then pass for something measured.
    """
    told = {size: ms for size, ms in facts.tuned.items() if used_mb < PRESSED_AT * size}
    if not told:
        return {}
    curve = fit(told.items(), thread_vcpus=_thread(facts))
    if not curve.measured and facts.memory_mb not in told:
        return {}
    level = points[facts.memory_mb] / curve.duration_ms(facts.memory_mb)[1]
    return {size: ms * level for size, ms in told.items() if size not in points}


def _thread(facts: FunctionFacts) -> float:
    return THREAD_ARM if facts.architecture == prices.ARM else THREAD_X86


def _cost(measured: _Measured, price: prices.Price) -> Callable[[int, float], float]:
    """What an average invocation costs (USD) at (memory, warm duration): init is billed, and independent of memory."""
    warm_now = quantile(measured.warm, 0.5)
    billed = measured.use.billed_ms / measured.invocations
    init = measured.use.init_ms / measured.invocations

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


def _arm64_price(listed: PriceList, region: str, facts: FunctionFacts) -> prices.Price | None:
    """The price on arm64 of what runs on x86_64, where it is known to be lower."""
    if facts.architecture != prices.X86 or not listed.has(region, prices.ARM):
        return None
    price = listed.price(region, prices.ARM)
    return price if price.gb_second < listed.price(region, prices.X86).gb_second else None


def _on_arm64(curve: Curve, measured: _Measured, facts: FunctionFacts, price: prices.Price | None) -> OnArm64 | None:
    if price is None:
        return None
    p95, now_ms = quantile(measured.warm, 0.95), curve.duration_ms(facts.memory_mb)[1]
    cost, slower = _cost(measured, price), slowdown(_kind(curve))
    factors = (slower.low, slower.expected, slower.high)
    usd = (_monthly(measured, cost(facts.memory_mb, now_ms * factor)) for factor in factors)
    return OnArm64(p95_ms=Interval(*(p95 * factor for factor in factors)), usd_month=Interval(*usd))


def _timeout_floor(curve: Curve, worst_ms: float, facts: FunctionFacts) -> int:
    """The smallest size at which the slowest invocation stays clear of the timeout; never more than the current one."""
    now = curve.duration_ms(facts.memory_mb)[1]
    safe = [m for m in LADDER_MB if worst_ms * curve.duration_ms(m)[1] / now <= TIMEOUT_SHARE * facts.timeout_ms]
    return min(*safe, facts.memory_mb) if safe else facts.memory_mb


def _kind(curve: Curve) -> str:
    """What bounds the duration: the share of CPU time in the time at one vCPU."""
    if not curve.measured:
        return "unknown"
    share = curve.cpu_ms / (curve.cpu_ms + curve.wait_ms)
    return "CPU" if share > 0.7 else "IO" if share < 0.3 else "mixed"


def _confidence(curve: Curve) -> str:
    return "A" if curve.measured else "B" if len(curve.sizes) > 1 else "C"


def _flags(wanted: Need, measured: _Measured, facts: FunctionFacts) -> tuple[str, ...]:
    few = wanted.sandboxes < MIN_SANDBOXES or measured.invocations < MIN_INVOCATIONS or measured.days < MIN_DAYS
    told = {
        "leak": wanted.leaking,
        "clipped": wanted.clipped,
        "killed": measured.use.killed > 0,
        "timeouts": measured.use.timeouts > 0,
        "few_data": few,
        "unseen": measured.memory_mb != facts.memory_mb,
        "mixed_epochs": len(measured.versions) > 1,
    }
    return tuple(name for name, holds in told.items() if holds)


def _too_little(wanted: Need, measured: _Measured) -> str:
    return (
        f"not enough data: {measured.invocations} invocations in {wanted.sandboxes} sandboxes over {measured.days:.1f} "
        f"days; it takes {MIN_INVOCATIONS}, {MIN_SANDBOXES} and {MIN_DAYS:g}"
    )


def _mixed(measured: _Measured) -> list[str]:
    """That durations and memory are of more than one version's code, where they are."""
    if len(measured.versions) < 2:
        return []
    return [f"versions {', '.join(map(str, measured.versions))} ran: what is measured is of their code together"]


def _why(wanted: Need, curve: Curve, tuned: Collection[int]) -> list[str]:
    reasons = [f"uses at most {wanted.used_mb} MB in {wanted.sandboxes} sandboxes: safe from {wanted.floor_mb} MB on"]
    if wanted.clipped:
        reasons.append("use reached the size: the true need is unknown")
    seen = f"seen at {', '.join(str(size) for size in curve.sizes if size not in tuned)} MB"
    if tuned:
        seen += f", by Power Tuning at {', '.join(map(str, sorted(tuned)))} MB (times brought to the logs' level)"
    reasons.append(seen if curve.measured else f"{seen} only: other sizes by the prior")
    return reasons
