"""A change of a function's requests -> what it came with: a phase, a kind of requests, a moment. Pure.

Whose: requests are weighted so that kinds of them (cold, by version, by caller) have the shares they had before; what
is left of the change then is not their doing (DiNardo, Fortin & Lemieux 1996). Since when: the hour that best splits
both windows in two, each with its own share of slow requests.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import fsum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitors.traces.columns import Columns, Floats, Ints, Kind, band, phase_means, quantiles
from monitors.traces.labels import Label
from monitors.traces.measures import Measure, at_once
from monitors.traces.report import Change

HALF = 0.5
"""What makes up less of a change is not named as its cause."""
HOUR_S = 3_600
HOUR_US = 3_600_000_000
LEAST_HOURS = 6
"""On either side of a moment that is named."""
LIMITS = (0.50, 0.75, 0.90, 0.95)
"""Quantiles of all requests of both windows: times that more may be slower than."""

Shares = Mapping[str, float]
"""A sort of requests -> its share of all."""


class _Split(NamedTuple):
    """A way to tell requests apart, and how to say that one kind's share moved."""

    sort: Callable[[Kind], str]
    words: Callable[[str], str]


_SPLITS = (
    _Split(lambda one: "cold" if one.cold else "", lambda kind: "cold starts" if kind else "warm requests"),
    _Split(lambda one: one.qualifier, lambda kind: f"version {kind}" if kind else "no version named"),
    _Split(lambda one: one.caller, lambda kind: f"requests from {kind}" if kind else "requests from nobody traced"),
)


def with_causes(change: Change, measure: Measure, before: Columns, after: Columns) -> Change:
    """The change, with what can be said of its causes; both windows are of its function."""
    return replace(
        change,
        blamed=_phase(change, measure, before, after),
        mix=_mix(change, measure, before, after),
        since=_since(measure, before, after),
    )


def with_deployments(changes: Iterable[Change], deployed: Mapping[str, float]) -> tuple[Change, ...]:
    """The changes, those that began when their function's code or settings were changed with that moment.

    `deployed` has when that was last, by function, in epoch seconds. An hour before the change's own counts too:
    sandboxes are replaced as requests come.
    """
    return tuple(
        replace(one, deployed=at)
        if one.since is not None
        and (at := deployed.get(one.function)) is not None
        and -HOUR_S <= at - one.since < HOUR_S
        else one
        for one in changes
    )


def with_memory(changes: Iterable[Change], sizes_mb: Mapping[str, tuple[int, int]]) -> tuple[Change, ...]:
    """The changes, those of functions that had another memory size with both; `sizes_mb` has (before, now) by function.

    Lambda gives CPU in proportion to memory (Lambda Developer Guide, "Configure Lambda function memory").
    """
    return tuple(
        replace(one, memory_mb=sizes) if (sizes := sizes_mb.get(one.function)) and sizes[0] != sizes[1] else one
        for one in changes
    )


# --- which phase ---------------------------------------------------------------------------------


def _phase(change: Change, measure: Measure, before: Columns, after: Columns) -> str:
    low, high = measure.blamed
    if low == high:
        return ""
    was, now = phase_means(before, band(before, low, high)), phase_means(after, band(after, low, high))
    shifts = {label: (now.get(label, 0.0) - was.get(label, 0.0)) / 1000 for label in was.keys() | now.keys()}
    sign = 1 if change.after > change.before else -1
    return _most({label: shift for label, shift in shifts.items() if shift * sign > 0})


def _most(shifts: Mapping[Label, float]) -> str:
    """What moved most, in words, if it is at least half of all that moved the same way."""
    if not shifts:
        return ""
    label, shift = max(shifts.items(), key=lambda item: (abs(item[1]), item[0]))
    if abs(shift) < fsum(map(abs, shifts.values())) * HALF:
        return ""
    return f"{' '.join(part for part in label if part)} {shift:+.0f} ms"


# --- whose requests ------------------------------------------------------------------------------


def _mix(change: Change, measure: Measure, before: Columns, after: Columns) -> str:
    """The sort of requests whose share grew most, if what moved of the shares makes at least half of the change."""
    for split in _SPLITS:
        was, now = _shares(before, split), _shares(after, split)
        if len(was.keys() | now.keys()) < 2 or (measure.name == "cold_share" and split is _SPLITS[0]):
            continue
        sorts = [split.sort(kind) for kind in after.kinds]
        weight = after.weight * np.array([was.get(one, 0.0) / now[one] for one in sorts])[after.kind]
        # Where no sort is left of those before, nothing tells apart what requests and what time made of the change.
        left = at_once(measure, after, weight) - change.before if weight.any() else 0.0
        if left / (change.after - change.before) <= 1 - HALF:
            sort = max(was.keys() | now.keys(), key=lambda one: (now.get(one, 0.0) - was.get(one, 0.0), one))
            return f"{split.words(sort)}: {was.get(sort, 0.0):.1%} of all before, {now.get(sort, 0.0):.1%} now"
    return ""


def _shares(requests: Columns, split: _Split) -> Shares:
    weights: defaultdict[str, float] = defaultdict(float)
    for kind, weight in zip(requests.kinds, np.bincount(requests.kind, requests.weight), strict=True):
        weights[split.sort(kind)] += float(weight)
    whole = fsum(weights.values())
    return {sort: weight / whole for sort, weight in weights.items()}


# --- since when ----------------------------------------------------------------------------------


def _since(measure: Measure, before: Columns, after: Columns) -> float | None:
    """The start of the first hour at the new level, epoch seconds; None where there are too few hours to tell.

    Of a quantile, the hour from which most more requests (or most fewer) are slower than some time: a quantile by the
    hour is a matter of few requests, and where all became slower their middle shows best since when.
    """
    both = before, after
    found, place = np.unique(np.concatenate([one.start // HOUR_US for one in both]), return_inverse=True)
    if len(found) < 2 * LEAST_HOURS:
        return None
    weight = np.concatenate([one.weight for one in both])
    every: Floats = np.bincount(place, weight).astype(np.float64)
    counted = [np.bincount(place, weight * one).astype(np.float64) for one in _ways(measure, both)]
    return float(found[max(_best_split(every, one) for one in counted)[1]] * HOUR_S)


def _ways(measure: Measure, both: Sequence[Columns]) -> list[NDArray[np.bool_]]:
    """Which requests of both windows are of the measure's sort; for a quantile which are slower than some times."""
    if not measure.level:
        return [np.concatenate([one.of_kinds(measure.counted) for one in both])]
    duration: Ints = np.concatenate([one.duration for one in both])
    weight: Floats = np.concatenate([one.weight for one in both])
    limits = quantiles(duration, weight, [level for level in LIMITS if level <= measure.level])
    return [duration > limit for limit in limits]


def _best_split(every: Floats, counted: Floats) -> tuple[float, int]:
    """(how much of what their chances differ it explains, where) to split hours in two of which each has one share."""
    whole = every.sum()
    share = counted.sum() / whole
    if not 0 < share < 1:
        return 0.0, LEAST_HOURS
    left = np.cumsum(every)[:-1]
    between = (np.cumsum(counted)[:-1] - share * left) ** 2 / (left * (whole - left)) / (share * (1 - share))
    within = between[LEAST_HOURS - 1 : len(every) - LEAST_HOURS]
    at = int(np.argmax(within))
    return float(within[at]), at + LEAST_HOURS
