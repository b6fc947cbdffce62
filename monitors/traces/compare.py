"""Two windows' requests -> what changed, with intervals wide enough not to cry wolf.

Days differ, and requests of one day are alike: ten thousand of them say little more about a week than its seven days.
So whole days are resampled (cluster bootstrap). How much days differ is learned from all functions together
(moderation.py), an effect is judged by Student's t, and the false discovery rate is held over all functions and
measures at once (Benjamini & Hochberg 1995): of windows in which nothing changed, at most that share flags anything.
"""

from collections.abc import Mapping, Sequence
from math import inf, sqrt
from typing import NamedTuple

import numpy as np

from monitors.traces.causes import with_causes
from monitors.traces.columns import Columns
from monitors.traces.measures import MEASURES, Estimate, Measure, days, estimate
from monitors.traces.moderation import Prior, between, moderated, prior
from monitors.traces.report import Change
from monitors.traces.student import critical, two_sided

DISCOVERY_RATE = 0.02
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
    """Of the measure's level: what else days make of the variance grows with it."""
    freedom: int


class Outcome(NamedTuple):
    measure: Measure
    change: Change
    probability: float
    """Of an effect as large when nothing changed."""


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
    too_few = (
        f"{len(common) - len(enough)} functions could not be compared: fewer than {MIN_REQUESTS} requests or"
        f" {MIN_DAYS} days recorded in one of the windows."
    )
    return tuple(found), (method, too_few) if len(common) > len(enough) else (method,)


def comparable(before: Mapping[str, Columns], after: Mapping[str, Columns]) -> list[str]:
    """The functions that have enough requests and days in both windows."""
    return [name for name in sorted(before.keys() & after.keys()) if _enough(before[name]) and _enough(after[name])]


def discoveries(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that hold at the false discovery rate over all that were looked at."""
    ordered = sorted(outcomes, key=lambda o: o.probability)
    held = 0
    for rank, outcome in enumerate(ordered, start=1):
        if outcome.probability <= DISCOVERY_RATE * rank / len(ordered):
            held = rank
    return ordered[:held]


def _enough(requests: Columns) -> bool:
    return len(requests) >= MIN_REQUESTS and len(np.unique(days(requests))) >= MIN_DAYS


def _outcomes(measure: Measure, pairs: Mapping[str, tuple[Columns, Columns]]) -> list[Outcome]:
    """The measure of every function, (before, after) each; how much days differ is learned from all together."""
    effects = {name: _effect(estimate(measure, was), estimate(measure, now)) for name, (was, now) in pairs.items()}
    spread = [one for one in effects.values() if one.variance > 0 and one.square > 0]
    days = between([(one.variance, one.chance, one.square) for one in spread])
    common = prior([one.variance / _unit(one, days) for one in spread], [one.freedom for one in spread])
    most = sum(one.freedom for one in spread)
    return [_outcome(measure, name, one, (days, common, most)) for name, one in effects.items()]


def _effect(was: Estimate, now: Estimate) -> Effect:
    return Effect(
        before=was.value,
        after=now.value,
        variance=was.variance + now.variance,
        chance=was.chance + now.chance,
        square=((was.value + now.value) / 2) ** 2,
        freedom=was.freedom + now.freedom,
    )


def _unit(effect: Effect, days: float) -> float:
    """What the variance ought to be, if this function's days differ as much as everybody's."""
    return effect.chance + days * effect.square or effect.variance


def _outcome(measure: Measure, function: str, effect: Effect, fleet: tuple[float, Prior, int]) -> Outcome:
    """The function's variance drawn towards the fleet's, and never less than chance alone makes of it."""
    days, common, most = fleet
    square, unit = effect.variance, _unit(effect, days)
    if square and unit:
        square = moderated(square / unit, effect.freedom, common) * unit
    error = sqrt(max(square, effect.chance))
    freedom = int(min(effect.freedom + common.freedom, max(most, effect.freedom)))
    difference = effect.after - effect.before
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
    return Outcome(measure, change, two_sided(t, freedom))


def _worth_saying(outcome: Outcome) -> bool:
    change, measure = outcome.change, outcome.measure
    return abs(change.after - change.before) >= max(measure.least, measure.least_relative * change.before)
