"""Two windows' requests -> what changed, with intervals wide enough not to cry wolf.

Days differ, and requests of one day are alike: ten thousand of them say little more about a week than its seven days.
So whole days are resampled (cluster bootstrap), the spread of an effect is judged by Student's t with as many degrees
of freedom as there are days, and the false discovery rate is held over all functions and measures at once (Benjamini &
Hochberg 1995): of windows in which nothing changed, at most that share flags anything.
"""

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf, sqrt
from operator import mul
from statistics import pvariance
from typing import NamedTuple

from monitors.traces.labels import Label
from monitors.traces.report import Change
from monitors.traces.requests import Request
from monitors.traces.student import critical, two_sided
from monitors.traces.weighing import band, phase_means

DISCOVERY_RATE = 0.02
MIN_REQUESTS = 100
MIN_DAYS = 3
RESAMPLES = 400
SEED = 20
DAY_S = 86_400

Days = Sequence[int]
"""How often each day of a window was drawn."""
Statistic = Callable[[Days], float]


class Measure(NamedTuple):
    name: str
    statistic: Callable[[Sequence[Request]], Statistic]
    least: float
    """Smaller changes are not worth saying, in the measure's own unit ..."""
    least_relative: float
    """... or as a part of what it was before."""
    blamed: tuple[float, float]
    """The band of requests in which to look for what moved."""


class Outcome(NamedTuple):
    measure: Measure
    change: Change
    probability: float
    """Of an effect as large when nothing changed."""


def comparison(
    before: Mapping[str, Sequence[Request]], after: Mapping[str, Sequence[Request]]
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """The changes worth saying, the largest relative one first, and how they were looked for, in words.

    Both windows are by function, sorted by duration. A function is compared if it has enough requests and days in both.
    """
    common = sorted(before.keys() & after.keys())
    enough = [name for name in common if _enough(before[name]) and _enough(after[name])]
    outcomes = [outcome for name in enough for outcome in _outcomes(name, before[name], after[name])]
    found = [_with_blame(o, before, after) for o in discoveries(outcomes) if _worth_saying(o)]
    found.sort(key=lambda c: -abs(c.after - c.before) / (c.before or 1e-9))
    method = (
        f"Compared with the window before: {len(enough)} functions in {len(MEASURES)} measures, by day-clustered"
        f" bootstrap, at a false discovery rate of {DISCOVERY_RATE:.0%}; changes below 5 % or 10 ms (of a share, below"
        " 0.5 percentage points) are not listed."
    )
    too_few = (
        f"{len(common) - len(enough)} functions could not be compared: fewer than {MIN_REQUESTS} requests or"
        f" {MIN_DAYS} days recorded in one of the windows."
    )
    return tuple(found), (method, too_few) if len(common) > len(enough) else (method,)


def discoveries(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that hold at the false discovery rate over all that were looked at."""
    ordered = sorted(outcomes, key=lambda o: o.probability)
    held = 0
    for rank, outcome in enumerate(ordered, start=1):
        if outcome.probability <= DISCOVERY_RATE * rank / len(ordered):
            held = rank
    return ordered[:held]


def _enough(requests: Sequence[Request]) -> bool:
    return len(requests) >= MIN_REQUESTS and len({_day(request) for request in requests}) >= MIN_DAYS


def _day(request: Request) -> int:
    return request.minute // DAY_S


def _outcomes(function: str, before: Sequence[Request], after: Sequence[Request]) -> list[Outcome]:
    draws = [_draws(len({_day(request) for request in window})) for window in (before, after)]
    freedom = sum(len(window[0]) - 1 for window in draws)
    outcomes = []
    for measure in MEASURES:
        was, was_spread = _estimate(measure, before, draws[0])
        now, now_spread = _estimate(measure, after, draws[1])
        error = sqrt(was_spread + now_spread)
        reach = critical(0.05, freedom) * error
        change = Change(
            function=function,
            measure=measure.name,
            before=was,
            after=now,
            low=now - was - reach,
            high=now - was + reach,
            blamed="",
        )
        t = (now - was) / error if error else (inf if now != was else 0.0)
        outcomes.append(Outcome(measure, change, two_sided(t, freedom)))
    return outcomes


def _draws(days: int) -> list[Days]:
    """Each day once, and then as often as it was drawn, for every resample: the same draws every time."""
    generator = random.Random(SEED)  # noqa: S311  # resampling is no secret, and must repeat
    drawn = [Counter(generator.choices(range(days), k=days)) for _ in range(RESAMPLES)]
    return [[1] * days, *([counts[day] for day in range(days)] for counts in drawn)]


def _estimate(measure: Measure, requests: Sequence[Request], draws: Sequence[Days]) -> tuple[float, float]:
    """The measure's value, and the variance it has from days; few days show too little of it, hence the factor."""
    statistic = measure.statistic(requests)
    days = len(draws[0])
    value = statistic(draws[0])
    variance = pvariance([statistic(draw) for draw in draws[1:]]) * days / (days - 1)
    if measure.least < 1:
        effective = sum(r.weight for r in requests) ** 2 / sum(r.weight**2 for r in requests)
        variance = max(variance, value * (1 - value) / effective)
    return value, variance


def _dot(days: Days, row: Sequence[float]) -> float:
    total: float = sum(map(mul, days, row))
    return total


def _by_day(requests: Sequence[Request], amounts: Iterable[float]) -> list[tuple[float, ...]]:
    """After each request, how much has come together on each day so far."""
    position = {day: i for i, day in enumerate(sorted({_day(request) for request in requests}))}
    running = [0.0] * len(position)
    rows = []
    for request, amount in zip(requests, amounts, strict=True):
        running[position[_day(request)]] += amount
        rows.append(tuple(running))
    return rows


def _quantile(level: float) -> Callable[[Sequence[Request]], Statistic]:
    def over(requests: Sequence[Request]) -> Statistic:
        rows = _by_day(requests, (request.weight for request in requests))

        def statistic(days: Days) -> float:
            wanted = level * _dot(days, rows[-1]) * (1 - 1e-12)
            return requests[bisect_left(rows, wanted, key=lambda row: _dot(days, row))].duration / 1000

        return statistic

    return over


def _share(true: Callable[[Request], bool]) -> Callable[[Sequence[Request]], Statistic]:
    def over(requests: Sequence[Request]) -> Statistic:
        hits = _by_day(requests, (request.weight * true(request) for request in requests))[-1]
        whole = _by_day(requests, (request.weight for request in requests))[-1]
        return lambda days: _dot(days, hits) / _dot(days, whole)

    return over


MEASURES = (
    Measure("p50_ms", _quantile(0.50), 10.0, 0.05, (0.40, 0.60)),
    Measure("p95_ms", _quantile(0.95), 10.0, 0.05, (0.90, 1.0)),
    Measure("cold_share", _share(lambda request: request.cold), 0.005, 0.05, (0.0, 1.0)),
    Measure("fault_share", _share(lambda request: request.failed), 0.005, 0.05, (0.0, 0.0)),
)


def _worth_saying(outcome: Outcome) -> bool:
    change, measure = outcome.change, outcome.measure
    return abs(change.after - change.before) >= max(measure.least, measure.least_relative * change.before)


def _with_blame(
    outcome: Outcome, before: Mapping[str, Sequence[Request]], after: Mapping[str, Sequence[Request]]
) -> Change:
    change = outcome.change
    low, high = outcome.measure.blamed
    if low == high:
        return change
    was = phase_means(band(before[change.function], low, high))
    now = phase_means(band(after[change.function], low, high))
    shifts = {label: (now.get(label, 0.0) - was.get(label, 0.0)) / 1000 for label in was.keys() | now.keys()}
    sign = 1 if change.after > change.before else -1
    return replace(change, blamed=_blamed({label: shift for label, shift in shifts.items() if shift * sign > 0}))


def _blamed(shifts: Mapping[Label, float]) -> str:
    """What moved most, in words, if it is at least half of all that moved the same way."""
    if not shifts:
        return ""
    label, shift = max(shifts.items(), key=lambda item: (abs(item[1]), item[0]))
    if abs(shift) < sum(map(abs, shifts.values())) / 2:
        return ""
    return f"{' '.join(part for part in label if part)} {shift:+.0f} ms"
