"""Two windows' requests -> what changed, with intervals wide enough not to cry wolf.

Days differ, and requests of one day are alike: ten thousand of them say little more about a week than its seven days.
So whole days are resampled (cluster bootstrap). How much days differ is learned from all functions together
(moderation.py), an effect is judged by Student's t, and the false discovery rate is held over all functions and
measures at once (Benjamini & Hochberg 1995): of windows in which nothing changed, at most that share flags anything.
What is known closely counts more of it than what is not (Genovese, Roeder & Wasserman 2006, "False Discovery Control
with p-Value Weighting"), and ranks must agree that a quantile moved (ranks.py).
"""

from collections.abc import Mapping, Sequence
from math import fsum, inf, sqrt
from typing import NamedTuple

import numpy as np

from monitors.traces.causes import with_causes
from monitors.traces.columns import Columns
from monitors.traces.measures import MEASURES, Measure, days, estimate
from monitors.traces.moderation import Prior, between, moderated, prior
from monitors.traces.ranks import Apart, apart
from monitors.traces.report import Change
from monitors.traces.student import critical, two_sided

DISCOVERY_RATE = 0.02
CONFIRMED = 0.05
"""A quantile moved if its ranks, judged by the function's own days, are less probable than this where nothing changed:
four slow days of seven, after none, have 0.015, two have 0.15."""
ENOUGH = 4.0
"""Standard errors in the smallest change worth saying: what is known so closely gains nothing by more weight."""
MIN_REQUESTS = 100
MIN_DAYS = 3


class Effect(NamedTuple):
    """A measure of a function in two windows."""

    before: float
    after: float
    variance: float
    """Of the difference, by days."""
    chance: float
    """What its variance would be if all days were alike."""
    square: float
    """Of the measure's level: what else days make of the variance grows with it ..."""
    per_day: float
    """... and with this: 1 ÷ the days before + 1 ÷ the days after."""
    freedom: int
    apart: Apart
    """By ranks; infinitely, if it is a share."""


class Outcome(NamedTuple):
    measure: Measure
    change: Change
    probability: float
    """Of an effect as large when nothing changed."""
    weight: float = 1.0
    """Its part of the false discovery rate: 1 on average."""
    confirmed: bool = True
    """By ranks."""

    @property
    def weighted(self) -> float:
        """The probability, of several outcomes to be compared."""
        return self.probability / self.weight


def comparison(
    before: Mapping[str, Columns], after: Mapping[str, Columns]
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """The changes worth saying, the largest relative one first, and how they were looked for, in words.

    Both windows are by function. A function is compared if it has enough requests and days in both.
    """
    common = before.keys() & after.keys()
    enough = comparable(before, after)
    pairs = {name: (before[name], after[name]) for name in enough}
    outcomes = [outcome for measure in MEASURES for outcome in _outcomes(measure, pairs)]
    found = [
        with_causes(one.change, one.measure, *pairs[one.change.function])
        for one in discoveries(outcomes)
        if _worth_saying(one)
    ]
    found.sort(key=lambda c: -abs(c.after - c.before) / (c.before or 1e-9))
    method = (
        f"Compared with the window before: {len(enough)} functions in {len(MEASURES)} measures, by day-clustered"
        f" bootstrap, at a false discovery rate of {DISCOVERY_RATE:.0%}; changes below 5 % or 10 ms (of a share, below"
        " 0.5 percentage points) are not listed."
    )
    left = len(common) - len(enough)
    too_few = (
        f"{left} function{'' if left == 1 else 's'} could not be compared: fewer than {MIN_REQUESTS} requests or"
        f" {MIN_DAYS} days recorded in one of the windows."
    )
    return tuple(found), (method, too_few) if len(common) > len(enough) else (method,)


def comparable(before: Mapping[str, Columns], after: Mapping[str, Columns]) -> list[str]:
    """The functions that have enough requests and days in both windows."""
    return [name for name in sorted(before.keys() & after.keys()) if _enough(before[name]) and _enough(after[name])]


def discoveries(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that hold at the false discovery rate over all that were looked at."""
    ordered = sorted(outcomes, key=lambda o: o.weighted)
    held = 0
    for rank, outcome in enumerate(ordered, start=1):
        if outcome.weighted <= DISCOVERY_RATE * rank / len(ordered):
            held = rank
    return ordered[:held]


def _enough(requests: Columns) -> bool:
    return len(requests) >= MIN_REQUESTS and len(np.unique(days(requests))) >= MIN_DAYS


def _outcomes(measure: Measure, pairs: Mapping[str, tuple[Columns, Columns]]) -> list[Outcome]:
    """The measure of every function, (before, after) each; how much days differ is learned from all together."""
    every = {name: _effect(measure, was, now) for name, (was, now) in pairs.items()}
    effects = {name: one for name, one in every.items() if one.square > 0}  # where there is nothing, nothing changed
    spread = [one for one in effects.values() if one.variance > 0]
    daily = between([(one.variance, one.chance, one.square * one.per_day) for one in spread])
    common = prior([one.variance / _unit(one, daily) for one in spread], [one.freedom for one in spread])
    most = sum(one.freedom for one in spread)
    precision = {name: _precision(measure, one, daily) for name, one in effects.items()}
    mean = fsum(precision.values()) / max(1, len(precision))
    return [
        _outcome(measure, name, one, (daily, common, most))._replace(weight=precision[name] / mean)
        for name, one in effects.items()
    ]


def _effect(measure: Measure, before: Columns, after: Columns) -> Effect:
    was, now = estimate(measure, before), estimate(measure, after)
    middle = (was.value + now.value) / 2
    return Effect(
        before=was.value,
        after=now.value,
        variance=was.variance + now.variance,
        chance=was.chance + now.chance,
        square=middle**2,
        per_day=1 / _even_days(before) + 1 / _even_days(after),
        freedom=was.freedom + now.freedom,
        apart=apart(before, after, 1000 * middle) if measure.level else Apart(inf, inf),
    )


def _even_days(requests: Columns) -> float:
    """How many days with as many requests each would tell as much (Kish 1965, section 11.7)."""
    _, place = np.unique(days(requests), return_inverse=True)
    every = np.bincount(place, requests.weight)
    return float(every.sum() ** 2 / (every**2).sum())


def _precision(measure: Measure, effect: Effect, daily: float) -> float:
    """Of the relative change: 1 ÷ its variance, as far as it helps to see what is worth saying."""
    least = max(measure.least, measure.least_relative * sqrt(effect.square))
    return effect.square / max(_unit(effect, daily), (least / ENOUGH) ** 2)


def _unit(effect: Effect, daily: float) -> float:
    """What the variance ought to be, if this function's days differ as much as everybody's."""
    return effect.chance + daily * effect.square * effect.per_day or effect.variance


def _outcome(measure: Measure, function: str, effect: Effect, fleet: tuple[float, Prior, int]) -> Outcome:
    """The function's variance drawn towards the fleet's; never less than chance makes of it, by times or by ranks."""
    daily, common, most = fleet
    square, unit = effect.variance, _unit(effect, daily)
    if square and unit:
        square = moderated(square / unit, effect.freedom, common) * unit
    difference = effect.after - effect.before
    by_ranks = abs(difference) / effect.apart.by_chance if effect.apart.by_chance else inf
    error = max(sqrt(max(square, effect.chance)), by_ranks)
    freedom = int(min(effect.freedom + common.freedom, max(most, effect.freedom)))
    reach = critical(0.05, freedom) * error
    change = Change(
        function=function,
        measure=measure.name,
        before=effect.before,
        after=effect.after,
        low=difference - reach,
        high=difference + reach,
        blamed="",
    )
    t = difference / error if error else (inf if difference else 0.0)
    confirmed = two_sided(effect.apart.by_days, effect.freedom) <= CONFIRMED
    return Outcome(measure, change, two_sided(t, freedom), confirmed=confirmed)


def _worth_saying(outcome: Outcome) -> bool:
    change, measure = outcome.change, outcome.measure
    least = max(measure.least, measure.least_relative * change.before)
    return outcome.confirmed and abs(change.after - change.before) >= least
