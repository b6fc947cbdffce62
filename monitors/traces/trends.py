"""Weeks of history -> the trend of every function, and what moved since the week before. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, inf, sqrt

from monitors.traces.history import WEEKS, FunctionWeek, Week
from monitors.traces.labels import Label
from monitors.traces.report import Quantiles
from monitors.traces.sketch import estimates, merged

WEEK_S = 604_800
LEVELS = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}
LEAST_MS = 10.0
LEAST_RELATIVE = 0.05
"""A smaller move is not told: two sketches may be 1 % off each, either way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrendWeek:
    requests: float
    """How many requests the traces stood for."""
    response: Quantiles
    """Each within 1 %."""
    cold_share: float
    fault_share: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Trend:
    function: str
    """Empty for all functions together."""
    weeks: tuple[TrendWeek | None, ...]
    """One for each of Trends.ends_s; None where nothing is known of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """The newest week against the one before: further than the scatter of its requests explains.

    Days differ more than that, and a week's record has none: compare.comparison, of the traces themselves, knows them.
    """

    function: str
    measure: str
    """p50_ms, p95_ms or p99_ms."""
    before: float
    after: float
    phase: str
    target: str
    """The phase and target whose mean moved most the same way; empty if none did."""
    phase_ms: float
    """By how much."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trends:
    ends_s: tuple[float, ...]
    """At which each week ends, epoch seconds, seven days apart; oldest first, and the newest is always there."""
    overall: Trend
    functions: tuple[Trend, ...]
    """By name."""
    moves: tuple[Move, ...]
    """By function and measure."""


def trends(weeks: Sequence[Week]) -> Trends:
    """The trends over the newest WEEKS weeks (fewer while history is young) of at least one.

    A window counts as the week whose end is nearest to its own, counted back from the newest end, since a schedule
    drifts by minutes. Of several for one week, as overlapping or repeated windows make them, the one made last counts.
    """
    newest_s = max(one.end_s for one in weeks)
    places = {round((newest_s - one.end_s) / WEEK_S): one for one in sorted(weeks, key=lambda one: one.made_s)}
    oldest = max(place for place in places if place < WEEKS)
    row = [places.get(place) for place in range(oldest, -1, -1)]
    names = sorted({name for one in row if one for name in one.functions})
    return Trends(
        ends_s=tuple(newest_s - place * WEEK_S for place in range(oldest, -1, -1)),
        overall=_trend("", [_together(one.functions) if one and one.functions else None for one in row]),
        functions=tuple(_trend(name, [one.functions.get(name) if one else None for one in row]) for name in names),
        moves=_moves(row[-2].functions, row[-1].functions) if oldest and row[-2] and row[-1] else (),
    )


def _trend(function: str, row: Sequence[FunctionWeek | None]) -> Trend:
    return Trend(function=function, weeks=tuple(_trend_week(one) if one else None for one in row))


def _trend_week(kept: FunctionWeek) -> TrendWeek:
    return TrendWeek(
        requests=kept.response_us.weight,
        response=Quantiles(**_quantiles(kept)),
        cold_share=kept.cold_share,
        fault_share=kept.fault_share,
    )


def _quantiles(kept: FunctionWeek) -> dict[str, float]:
    found = estimates(kept.response_us, tuple(LEVELS.values()))
    return {name: value / 1000 for name, value in zip(LEVELS, found, strict=True)}


def _reach(kept: FunctionWeek, level: float) -> tuple[float, float]:
    """The 95 % interval of a quantile in ms, by rank: the binomial one of order statistics, approximated as normal.

    It takes all requests as of one weight, since a file doesn't know theirs. Open above where they are too few to have
    a rank so high.
    """
    ranks = 1.96 * sqrt(level * (1 - level) / max(1, kept.recorded))
    low, high = estimates(kept.response_us, (max(0.0, level - ranks), min(1.0, level + ranks)))
    return low / 1000, high / 1000 if level + ranks < 1 else inf


def _together(functions: Mapping[str, FunctionWeek]) -> FunctionWeek:
    found = list(functions.values())
    response = merged(one.response_us for one in found)
    return FunctionWeek(
        recorded=sum(one.recorded for one in found),
        cold_share=fsum(one.cold_share * one.response_us.weight for one in found) / response.weight,
        fault_share=fsum(one.fault_share * one.response_us.weight for one in found) / response.weight,
        phases_us={},
        response_us=response,
    )


def _moves(before: Mapping[str, FunctionWeek], after: Mapping[str, FunctionWeek]) -> tuple[Move, ...]:
    found = []
    for function in sorted(before.keys() & after.keys()):
        was, now = _quantiles(before[function]), _quantiles(after[function])
        for measure, level in LEVELS.items():
            by_ms = now[measure] - was[measure]
            apart = _apart(_reach(before[function], level), _reach(after[function], level))
            if apart and abs(by_ms) > max(LEAST_MS, LEAST_RELATIVE * was[measure]):
                label, phase_ms = _moved_most(before[function], after[function], 1 if by_ms > 0 else -1)
                found.append(
                    Move(
                        function=function,
                        measure=measure,
                        before=was[measure],
                        after=now[measure],
                        phase=label.phase,
                        target=label.target,
                        phase_ms=phase_ms,
                    )
                )
    return tuple(found)


def _apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[1] < other[0] or other[1] < one[0]


def _moved_most(before: FunctionWeek, after: FunctionWeek, sign: int) -> tuple[Label, float]:
    was, now = before.phases_us, after.phases_us
    shifts = {label: (now.get(label, 0.0) - was.get(label, 0.0)) / 1000 for label in was.keys() | now.keys()}
    label = max(shifts, key=lambda one: (shifts[one] * sign, one), default=Label(""))
    by_ms = shifts.get(label, 0.0)
    return (label, by_ms) if by_ms * sign > 0 else (Label(""), 0.0)
