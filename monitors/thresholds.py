"""One metric's history -> its high and low alarm levels, with M of N. Pure.

An M of N alarm is in ALARM exactly while the M-th highest of the N values that CloudWatch judges is above its
level. So the history is replayed once, by CloudWatch's rules but without a level, and the level is read off
that series:

1. Take each day's highest. A day holds the whole daily season, so nights and rush hours need no model of
their own. 2. Set aside days that stand far out, a seventh of them at most: an incident in the history must
not lift the level. 3. Fit a Gumbel distribution, the limit of maxima over long blocks, to the rest, by
L-moments (Hosking 1990), on square roots where values can't be negative: that evens out the spread of counts.
4. The level is what one ordinary day in a thousand would reach, and never below what an ordinary day has
reached.

The low level is the same, upside down.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from monitors.evaluate import RANGE_BEYOND_PERIODS
from monitors.model import Series

DAYS_NEEDED = 7  # every day of the week
DAYS_BETWEEN_ALARMS = 1000  # if days were alike; no two are: real series leave their levels every eight weeks
LARGEST = 2.0**360  # either way: CloudWatch takes no other values (PutMetricData, MetricDatum)
SHAPES = ((1, 1), (2, 3), (3, 3))
"""M of N, quickest first."""

_DAY_S = 86_400
_INCIDENTS = 7  # one day in so many may be set aside
_STANDS_OUT = 3  # times as far from the median as the next day's highest
_WORTH_WAITING = 3  # how much nearer to the median a slower shape must bring the level
_EULER = 0.5772156649015329


@dataclass(frozen=True, kw_only=True, slots=True)
class Levels:
    """Where a metric leaves its ordinary range. A level is None where history gives none."""

    high: float | None
    low: float | None
    datapoints: int
    periods: int
    basis: str
    """In words: what was learned from how much, or why nothing was."""
    days: int
    """Days with data."""


def levels(
    series: Series,
    *,
    high: bool = True,
    low: bool = True,
    zero_floor: bool = True,
    silence_is_low: bool = False,
    shapes: Sequence[tuple[int, int]] = SHAPES,
) -> Levels:
    """The levels of the sides asked for, and the M of N they go with.

    `zero_floor`: values are never negative, so a low level of 0 is none. `silence_is_low`: on the low side a
    slot without data counts as 0, as where missing data is breaching. `shapes` are the (M, N) allowed,
    quickest first; a slower one is taken where single blips would put the levels three times as far out, or
    leave none.
    """
    series = replace(series, values=tuple(x if x is not None and abs(x) <= LARGEST else None for x in series.values))
    days = sum(any(x is not None for x in day) for day in _days(series.values, series.period_s))
    if days < DAYS_NEEDED:
        m, n = shapes[0]
        why = f"{days} days of history, and {DAYS_NEEDED} are needed"
        return Levels(high=None, low=None, datapoints=m, periods=n, basis=why, days=days)
    middle = median(x for x in series.values if x is not None)
    gaps = {1: None, -1: 0.0 if silence_is_low else None}
    chosen: tuple[tuple[int, int], dict[int, float | None]] | None = None
    for shape in shapes:
        found = {
            side: _level(series, shape, side=side, gap=gaps[side], zero_floor=zero_floor)
            for side, wanted in ((1, high), (-1, low))
            if wanted
        }
        if not chosen or _reach(chosen[1], middle) > _WORTH_WAITING * _reach(found, middle):
            chosen = shape, found
    (m, n), best = chosen or (shapes[0], {})
    basis = f"{days} days of history; outside about once in {DAYS_BETWEEN_ALARMS:,} ordinary days, {m} of {n}"
    if None in best.values():
        basis += "; a side without a level comes too near 0, or has too few datapoints"
    return Levels(high=best.get(1), low=best.get(-1), datapoints=m, periods=n, basis=basis, days=days)


def judged(
    values: Sequence[float | None], *, datapoints: int, periods: int, gap: float | None = None
) -> tuple[float | None, ...]:
    """For each slot the value that decides: an alarm on values above a level is on exactly while this is
    above it.

    None where it is off whatever the level. `gap` stands for what is missing, as far as CloudWatch fills
    anything in; None fills in nothing, as where missing data is not breaching.
    """
    slots = periods + RANGE_BEYOND_PERIODS
    deciding: list[float | None] = []
    for end in range(1, len(values) + 1):
        real = [x for x in values[max(0, end - slots) : end] if x is not None][-periods:]
        if gap is not None:
            real += [gap] * (periods - len(real))
        deciding.append(sorted(real)[-datapoints] if len(real) >= datapoints else None)
    return tuple(deciding)


def _level(series: Series, shape: tuple[int, int], *, side: int, gap: float | None, zero_floor: bool) -> float | None:
    values = [None if x is None else side * x for x in series.values]
    deciding = judged(values, datapoints=shape[0], periods=shape[1], gap=gap)
    days = (_real(day) for day in _days(deciding, series.period_s))
    ordinary = _ordinary([max(day) for day in days if day])
    if len(ordinary) < DAYS_NEEDED - DAYS_NEEDED // _INCIDENTS:
        return None
    level = _unrooted(_once_in([_rooted(x) for x in ordinary])) if zero_floor else _once_in(ordinary)
    level = side * max(_rounded_up(level), ordinary[-1])
    return level if math.isfinite(level) and (level > 0 or side > 0 or not zero_floor) else None


def _ordinary(highest: Sequence[float]) -> list[float]:
    """The days' highest values in order, without those that stand far out: two alike must not hide each other."""
    days = sorted(highest)
    middle = median(days) if days else 0.0
    for apart in range(len(days) // _INCIDENTS, 0, -1):
        if days[-apart] - middle > _STANDS_OUT * (days[-apart - 1] - middle):
            return days[:-apart]
    return days


def _once_in(maxima: Sequence[float]) -> float:
    """What a Gumbel distribution with the L-moments of these sorted maxima exceeds once in DAYS_BETWEEN_ALARMS."""
    count = len(maxima)
    mean = math.fsum(maxima) / count
    second = math.fsum((2 * rank - count - 1) * x for rank, x in enumerate(maxima, 1)) / (count * (count - 1))
    scale = second / math.log(2)
    return mean + scale * (math.log(DAYS_BETWEEN_ALARMS) - _EULER)


def _reach(found: Mapping[int, float | None], middle: float) -> float:
    return max((math.inf if level is None else abs(level - middle) for level in found.values()), default=0.0)


def _days(values: Sequence[float | None], period_s: int) -> Iterator[Sequence[float | None]]:
    """Blocks of a day, the last one ending with the series; what is left over at the beginning makes no day."""
    slots = max(1, _DAY_S // period_s)
    for end in range(len(values), slots - 1, -slots):
        yield values[end - slots : end]


def _real(values: Sequence[float | None]) -> list[float]:
    return [x for x in values if x is not None]


def _rooted(x: float) -> float:
    return math.copysign(math.sqrt(abs(x)), x)


def _unrooted(x: float) -> float:
    return math.copysign(x * x, x)


def _rounded_up(x: float) -> float:
    """To three digits, upward: a level that a person can read."""
    if x == 0 or not math.isfinite(x):
        return x
    scale = 10.0 ** max(-300, min(300, 2 - math.floor(math.log10(abs(x)))))
    return math.ceil(x * scale - 1e-9) / scale  # squares of roots are off by their last bit
