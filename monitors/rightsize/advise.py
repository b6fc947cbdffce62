"""What a fleet used -> memory report. Pure."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from monitors.rightsize import prices
from monitors.rightsize.arm64 import slowdown
from monitors.rightsize.bins import bins
from monitors.rightsize.cputime import CpuTime
from monitors.rightsize.curve import LADDER_MB, Curve, choose
from monitors.rightsize.evidence import FunctionFacts as FunctionFacts
from monitors.rightsize.evidence import confidence, evidence, in_words, twins_by_code
from monitors.rightsize.need import Need, need
from monitors.rightsize.pricelist import OWN, PriceList
from monitors.rightsize.report import Action, Interval, MemoryAdvice, MemoryReport, OnArm64, SizePoint
from monitors.rightsize.usage import Histogram, Key, Usage, Use, quantile, together, versions

MIN_INVOCATIONS, MIN_SANDBOXES, MIN_DAYS = 50, 20, 7.0
MONTH_DAYS = 30.0
DAY_MS = 86_400_000
TIMEOUT_SHARE = 0.8
_T = TypeVar("_T")


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
    cpu: Mapping[Key, CpuTime] | None = None,
) -> MemoryReport:
    """Advice for every function that was invoked, dearest first.

    `functions` gives the current settings; a function that is not there is taken as its last invocation shows it, and
    of this architecture, which no log tells. `tuned` has, by function, what Power Tuning measured, as
    monitors.rightsize.tuned gives it; `cpu` has CPU times. InputError if the price list doesn't say what one costs.
    """
    sizes, cpus = _by_function(used), _by_function(cpu or {})
    twins = twins_by_code(sizes, functions)
    advice = []
    for name, its in sizes.items():
        latest = max(its, key=lambda size: (its[size].last_ms, size))
        seen = FunctionFacts(memory_mb=latest, architecture=architecture)
        facts = replace(functions.get(name, seen), tuned=(tuned or {}).get(name, {}), cpu=cpus.get(name, {}))
        others = {twin: times for twin, times in twins.get(facts.code, {}).items() if twin != name}
        advice.append(_advise(name, its, others, facts, region, price_list))
    return MemoryReport(
        start=min((use.first_ms for use in used.values() if use.first_ms), default=0) / 1000,
        end=max((use.last_ms for use in used.values()), default=0) / 1000,
        invocations=sum(use.invocations for use in used.values()),
        advice=tuple(sorted(advice, key=lambda a: (-a.now_usd_month, a.function))),
        prices_date=price_list.date,
        region=region,
        notes=(
            "Duration against memory: t = a + b / m, up to one vCPU (1,769 MB; 2,211 on arm64) or those seen in use.",
            "Confidence A: sizes far apart in logs or by Power Tuning; B: twins or CPU time; C: a measured prior.",
            "Intervals hold four times in five.",
            f"Cost: on-demand, tier 1, {_source(price_list)}; no free tier, no savings plan. Init is billed.",
            "Memory need: the highest use of any sandbox, with headroom, never undercut.",
        ),
    )


def _by_function(found: Mapping[Key, _T]) -> dict[str, dict[int, _T]]:
    sizes: dict[str, dict[int, _T]] = defaultdict(dict)
    for (function, memory_mb), of in found.items():
        sizes[function][memory_mb] = of
    return sizes


def _source(listed: PriceList) -> str:
    return f"prices of {listed.file}, last changed {listed.date}" if listed.file else f"list prices of {listed.date}"


def _advise(
    name: str,
    sizes: Mapping[int, Use],
    twins: Mapping[str, Mapping[int, float]],
    facts: FunctionFacts,
    region: str,
    listed: PriceList,
) -> MemoryAdvice:
    measured = _measure(sizes, facts)
    use, wanted = measured.use, need(measured.use, memory_mb=measured.memory_mb)
    p50, p95, p99 = (quantile(measured.warm, level) for level in (0.50, 0.95, 0.99))
    known = evidence(sizes, facts, now_ms=p50, used_mb=wanted.used_mb, twins=twins)
    curve = known.curve()
    cost = _cost(measured, listed.price(region, facts.architecture))
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
        confidence=confidence(known, curve),
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
        reasons=(decided.reason, *_why(wanted, in_words(known, curve)), *_mixed(measured)),
        flags=flags,
        sizes=tuple(
            SizePoint(
                memory_mb=size,
                p95_ms=_scaled(curve, p95 / now_ms, size),
                cost_usd_month=_costs(curve, measured, cost, size),
                observed=size in known.seen or size in known.tuned,
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
    days = f"{measured.days:.1f}" if measured.use.first_ms else "an unknown number, as no line says its time"
    return (
        f"not enough data: it takes {MIN_INVOCATIONS} invocations, {MIN_SANDBOXES} sandboxes and {MIN_DAYS:g} days; "
        f"there are {measured.invocations:,}, {wanted.sandboxes:,} and {days}"
    )


def _mixed(measured: _Measured) -> list[str]:
    """That durations and memory are of more than one version's code, where they are."""
    if len(measured.versions) < 2:
        return []
    return [f"versions {', '.join(map(str, measured.versions))} ran: what is measured is of their code together"]


def _why(wanted: Need, evidence: str) -> list[str]:
    where = "1 sandbox" if wanted.sandboxes == 1 else f"{wanted.sandboxes:,} sandboxes"
    reasons = [f"uses at most {wanted.used_mb} MB in {where}: safe from {wanted.floor_mb} MB on"]
    if wanted.clipped:
        reasons.append("use reached the size: the true need is unknown")
    return [*reasons, evidence]
