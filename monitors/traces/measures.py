"""One window's requests of a function -> a measure of them, and how far off it may be, by its days and by chance. Pure.

Days differ, and requests of one day are alike: ten thousand of them say little more about a week than its seven days.
So whole days are resampled (cluster bootstrap).
"""

import random
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from math import sqrt
from typing import NamedTuple

import numpy as np

from monitors.traces.columns import Columns, Floats, Ints, Kind, quantiles, share

RESAMPLES = 400
SEED = 20
DAY_US = 86_400_000_000


class Measure(NamedTuple):
    """A quantile of the response times, or a share of the requests."""

    name: str
    level: float
    """Of the quantile; 0 for a share."""
    counted: Callable[[Kind], bool]
    """Which requests the share is of."""
    least: float
    """Smaller changes are not worth saying, in the measure's own unit (ms, or of 1) ..."""
    least_relative: float
    """... or as a part of what it was before."""
    blamed: tuple[float, float]
    """The band of requests in which to look for what moved."""


MEASURES = (
    Measure("p50_ms", 0.50, lambda _: True, 10.0, 0.05, (0.40, 0.60)),
    Measure("p95_ms", 0.95, lambda _: True, 10.0, 0.05, (0.925, 0.975)),
    Measure("cold_share", 0, lambda kind: kind.cold, 0.005, 0.05, (0.0, 1.0)),
    Measure("fault_share", 0, lambda kind: kind.failed, 0.005, 0.05, (0.0, 0.0)),
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


def estimate(measure: Measure, requests: Columns) -> Estimate:
    """The measure of requests of two days at least. Times in ms."""
    effective = requests.weight.sum() ** 2 / (requests.weight**2).sum()
    found, place = np.unique(days(requests), return_inverse=True)
    draws = _draws(len(found))
    if measure.level:
        own = np.eye(len(found))[place] * requests.weight[:, None]
        running = np.cumsum(own, axis=0)
        values = _quantile_ms(requests, running, draws, measure.level)
        reach = sqrt(measure.level * (1 - measure.level) / effective)
        # A quantile lies between those whose ranks are a standard error off (David & Nagaraja 2003, section 7.1).
        low, high = (
            _quantile_ms(requests, running, draws[:1], level)[0]
            for level in (max(measure.level - reach, 0.0), min(measure.level + reach, 1.0))
        )
        chance = ((high - low) / 2) ** 2
    else:
        hits = requests.weight * requests.of_kinds(measure.counted)
        values = draws @ np.bincount(place, hits) / (draws @ np.bincount(place, requests.weight))
        chance = values[0] * (1 - values[0]) / effective
    # Few days show too little of the variance, hence the factor.
    variance = values[1:].var() * len(found) / (len(found) - 1)
    return Estimate(float(values[0]), float(variance), float(chance), len(found) - 1)


def at_once(measure: Measure, requests: Columns, weight: Floats) -> float:
    """The measure's value alone, of requests that count so much, one of them something. Times in ms."""
    if measure.level:
        return quantiles(requests.duration, weight, [measure.level])[0] / 1000
    return share(requests.of_kinds(measure.counted), weight)


def days(requests: Columns) -> Ints:
    """The day each request came on, counted from 1970, UTC."""
    return requests.start // DAY_US


@lru_cache(maxsize=64)
def _draws(count: int) -> Floats:
    """Each day once, and then as often as it was drawn, a row a resample: the same draws every time."""
    generator = random.Random(SEED)  # noqa: S311  # resampling is no secret, and must repeat
    drawn = [Counter(generator.choices(range(count), k=count)) for _ in range(RESAMPLES)]
    return np.array([[1] * count, *([counts[n] for n in range(count)] for counts in drawn)], np.float64)


def _quantile_ms(requests: Columns, running: Floats, draws: Floats, level: float) -> Floats:
    """Of each draw; `running` has, after each request, how much has come together on each day so far.

    All draws are searched at once, by halves.
    """
    wanted = level * (draws @ running[-1]) * (1 - 1e-12)
    low, high = np.zeros(len(draws), np.int64), np.full(len(draws), len(running) - 1)
    while (low < high).any():
        middle = (low + high) // 2
        reached = (draws * running[middle]).sum(axis=1) >= wanted
        low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
    return requests.duration[low] / 1000
