"""Weighted requests -> quantiles, and means over bands of them. Exact, in memory."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from math import fsum
from typing import TypeVar

from monitors.traces.labels import Label
from monitors.traces.requests import Request

Key = TypeVar("Key", bound=Hashable)


def quantiles(pairs: Iterable[tuple[float, float]], levels: Sequence[float]) -> tuple[float, ...]:
    """For each level the smallest value that at least this share of the weight does not exceed.

    `pairs` are (value, weight), weights above 0 and at least one pair; `levels` rise. This is the inverse of the
    empirical distribution (Hyndman & Fan 1996, definition 1): always a value that was measured.
    """
    ordered = sorted(pairs)
    total = fsum(weight for _, weight in ordered)
    found, running, waiting = [], 0.0, list(levels)
    for value, weight in ordered:
        running += weight
        while waiting and running >= waiting[0] * total * (1 - 1e-12):
            found.append(value)
            waiting.pop(0)
    return (*found, *(ordered[-1][0] for _ in waiting))


def band(requests: Sequence[Request], low: float, high: float) -> list[tuple[Request, float]]:
    """The requests between two shares of the weight, and with what weight each lies in between.

    `requests` are sorted by duration. One that lies across a border counts with its part.
    """
    total = fsum(request.weight for request in requests)
    inside, running = [], 0.0
    for request in requests:
        before, running = running, running + request.weight
        weight = min(running, high * total) - max(before, low * total)
        if weight > 0:
            inside.append((request, weight))
    return inside


def phase_means(weighted: Sequence[tuple[Request, float]]) -> dict[Label, float]:
    """Mean microseconds by phase and target; their sum is the mean duration."""
    total = fsum(weight for _, weight in weighted)
    parts: defaultdict[Label, list[float]] = defaultdict(list)
    for request, weight in weighted:
        for label, duration in request.phases:
            parts[label].append(duration * weight)
    return {label: fsum(values) / total for label, values in parts.items()}


def share(weighted: Iterable[tuple[bool, float]]) -> float:
    """The weight of what is true in the weight of all."""
    pairs = list(weighted)
    return fsum(weight for true, weight in pairs if true) / fsum(weight for _, weight in pairs)
