"""One window's requests of a function -> a measure of them, and how far off it may be, by its days and by chance. Pure.

Days differ, and requests of one day are alike: ten thousand of them say little more about a week than its seven days.
So whole days are resampled (cluster bootstrap).
"""

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from math import sqrt
from operator import mul
from statistics import pvariance
from typing import NamedTuple

from monitors.traces.requests import Request
from monitors.traces.weighing import quantiles, share

RESAMPLES = 400
SEED = 20
DAY_S = 86_400

Days = Sequence[int]
"""How often each day of a window was drawn."""


class Measure(NamedTuple):
    """A quantile of the response times, or a share of the requests."""

    name: str
    level: float
    """Of the quantile; 0 for a share."""
    counted: Callable[[Request], bool]
    """Which requests the share is of."""
    least: float
    """Smaller changes are not worth saying, in the measure's own unit (ms, or of 1) ..."""
    least_relative: float
    """... or as a part of what it was before."""
    blamed: tuple[float, float]
    """The band of requests in which to look for what moved."""


MEASURES = (
    Measure("p50_ms", 0.50, lambda _: True, 10.0, 0.05, (0.40, 0.60)),
    Measure("p95_ms", 0.95, lambda _: True, 10.0, 0.05, (0.90, 1.0)),
    Measure("cold_share", 0, lambda request: request.cold, 0.005, 0.05, (0.0, 1.0)),
    Measure("fault_share", 0, lambda request: request.failed, 0.005, 0.05, (0.0, 0.0)),
)


class Estimate(NamedTuple):
    """A measure of one window."""

    value: float
    variance: float
    """By how its days differ, chance within them included."""
    chance: float
    """The variance if all days were alike."""
    freedom: int
    """Degrees of freedom of `variance`."""


def estimate(measure: Measure, requests: Sequence[Request]) -> Estimate:
    """The measure of requests sorted by duration, of two days at least. Times in ms."""
    effective = sum(one.weight for one in requests) ** 2 / sum(one.weight**2 for one in requests)
    if measure.level:
        at = _quantile(requests)
        reach = sqrt(measure.level * (1 - measure.level) / effective)
        value, variance, days = _over_days(requests, lambda drawn: at(drawn, measure.level))
        once = [1] * days
        # A quantile lies between those whose ranks are a standard error off (David & Nagaraja 2003, section 7.1).
        chance = ((at(once, min(measure.level + reach, 1.0)) - at(once, max(measure.level - reach, 0.0))) / 2) ** 2
    else:
        value, variance, days = _over_days(requests, _share(requests, measure.counted))
        chance = value * (1 - value) / effective
    return Estimate(value, variance, chance, days - 1)


def at_once(measure: Measure, requests: Sequence[Request]) -> float:
    """The measure's value alone, of requests in any order. Times in ms."""
    if measure.level:
        (value,) = quantiles([(one.duration, one.weight) for one in requests], [measure.level])
        return value / 1000
    return share((measure.counted(one), one.weight) for one in requests)


def day(request: Request) -> int:
    """The day the request came on, counted from 1970, UTC."""
    return request.minute // DAY_S


def _over_days(requests: Sequence[Request], statistic: Callable[[Days], float]) -> tuple[float, float, int]:
    """The value, its variance, and the days; few days show too little of the variance, hence the factor."""
    days = len({day(request) for request in requests})
    first, *others = _draws(days)
    return statistic(first), pvariance([statistic(drawn) for drawn in others]) * days / (days - 1), days


@lru_cache(maxsize=64)
def _draws(days: int) -> Sequence[Days]:
    """Each day once, and then as often as it was drawn, for every resample: the same draws every time."""
    generator = random.Random(SEED)  # noqa: S311  # resampling is no secret, and must repeat
    drawn = [Counter(generator.choices(range(days), k=days)) for _ in range(RESAMPLES)]
    return [[1] * days, *([counts[n] for n in range(days)] for counts in drawn)]


def _quantile(requests: Sequence[Request]) -> Callable[[Days, float], float]:
    rows = _by_day(requests, (request.weight for request in requests))

    def at(days: Days, level: float) -> float:
        wanted = level * _dot(days, rows[-1]) * (1 - 1e-12)
        return requests[bisect_left(rows, wanted, key=lambda row: _dot(days, row))].duration / 1000

    return at


def _share(requests: Sequence[Request], counted: Callable[[Request], bool]) -> Callable[[Days], float]:
    hits = _by_day(requests, (request.weight * counted(request) for request in requests))[-1]
    whole = _by_day(requests, (request.weight for request in requests))[-1]
    return lambda days: _dot(days, hits) / _dot(days, whole)


def _by_day(requests: Sequence[Request], amounts: Iterable[float]) -> list[tuple[float, ...]]:
    """After each request, how much has come together on each day so far."""
    position = {found: n for n, found in enumerate(sorted({day(request) for request in requests}))}
    running = [0.0] * len(position)
    rows = []
    for request, amount in zip(requests, amounts, strict=True):
        running[position[day(request)]] += amount
        rows.append(tuple(running))
    return rows


def _dot(days: Days, row: Sequence[float]) -> float:
    total: float = sum(map(mul, days, row))
    return total
