"""A quantile in two windows -> how sure it is, by the ranks of requests, that it moved. Pure.

A quantile jumps over times that few requests take: where one in twenty is cold, p95 is now a warm one and now a cold
one; where days differ more than the requests of a day do, it is that of the slowest day. Resampling shows too little of
such jumps (Bickel & Freedman 1981, "Some Asymptotic Theory for the Bootstrap", section 6); a share has none.
"""

from math import inf, sqrt
from typing import NamedTuple

import numpy as np

from monitors.traces.columns import Columns
from monitors.traces.measures import days


class Apart(NamedTuple):
    """By how many standard errors the share of requests slower than something differs."""

    by_chance: float
    """If all days were alike: two proportions, pooled."""
    by_days: float


class _Share(NamedTuple):
    value: float
    effective: float
    """How many requests of equal weight would tell as much (Kish 1965, section 11.7)."""
    variance: float
    """By days: of a ratio of sums (Cochran, "Sampling Techniques", 1977, section 6.3)."""


def apart(before: Columns, after: Columns, limit_us: float) -> Apart:
    """How far apart the shares of requests slower than a limit are; both windows have two days at least.

    Infinitely, where they differ and nothing says that they might not.
    """
    was, now = _share(before, limit_us), _share(after, limit_us)
    difference = abs(now.value - was.value)
    pooled = (was.value * was.effective + now.value * now.effective) / (was.effective + now.effective)
    chance = pooled * (1 - pooled) * (1 / was.effective + 1 / now.effective)
    return Apart(_errors(difference, chance), _errors(difference, was.variance + now.variance))


def _share(requests: Columns, limit_us: float) -> _Share:
    _, place = np.unique(days(requests), return_inverse=True)
    every = np.bincount(place, requests.weight)
    slower = np.bincount(place, requests.weight * (requests.duration > limit_us))
    whole, count = every.sum(), len(every)
    value = slower.sum() / whole
    variance = ((slower - value * every) ** 2).sum() / whole**2 * count / (count - 1)
    return _Share(float(value), float(whole**2 / (requests.weight**2).sum()), float(variance))


def _errors(difference: float, variance: float) -> float:
    if variance > 0:
        return difference / sqrt(variance)
    return inf if difference else 0.0
