"""Requests, calls and whole traces in columns: a hundred thousand of them take no longer than it takes to add them up.

What many have in common is said once, in a Kind; their times stand in arrays.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from monitors.traces.labels import Label
from monitors.traces.requests import Request

MINUTE_US = 60_000_000
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Kind(NamedTuple):
    """What some requests have in common."""

    name: str | tuple[str, ...]
    """Of the function, of the entry; of a call (caller, callee, operation)."""
    counted: str
    """The function whose invocations weight them."""
    cold: bool
    failed: bool
    labels: tuple[Label, ...]
    caller: str = ""
    qualifier: str = ""


@dataclass(slots=True)
class Pile:
    """Requests of one kind; grows while they are read. A row has a number for each of LEADING, then one a label."""

    blocks: list[Ints] = field(default_factory=list)
    loose: list[tuple[int, ...]] = field(default_factory=list)

    def matrix(self) -> Ints:
        """All of its rows."""
        loose = [np.array(self.loose, np.int64)] if self.loose else []
        return np.concatenate([*self.blocks, *loose])


LEADING = ("trace", "counted_at", "start", "duration")
"""The position of its trace in the order read; when the invocation began that weights it; times are microseconds."""
Found = defaultdict[Kind, Pile]
Weight = Callable[[str, Ints, Ints], Floats]
"""(function, when counted, traces) -> what each stands for."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Columns(Sequence[Request]):
    """Requests of one name, sorted by duration."""

    kinds: tuple[Kind, ...]
    times: tuple[Ints, ...]
    """By kind, a row a request and a column a label."""
    kind: Ints
    """Of which a request is."""
    row: Ints
    """Where it stands in the times of its kind."""
    trace: Ints
    start: Ints
    duration: Ints
    weight: Floats
    ids: Sequence[str]
    """Of the traces, in the order read."""

    def __len__(self) -> int:
        return len(self.duration)

    @overload
    def __getitem__(self, index: int) -> Request: ...
    @overload
    def __getitem__(self, index: slice) -> list[Request]: ...
    def __getitem__(self, index: int | slice) -> Request | list[Request]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        kind = self.kinds[self.kind[index]]
        times = self.times[self.kind[index]][self.row[index]].tolist()
        return Request(
            function=str(kind.name),
            trace_id=self.ids[self.trace[index]],
            start=int(self.start[index]),
            duration=int(self.duration[index]),
            cold=kind.cold,
            failed=kind.failed,
            phases=tuple(zip(kind.labels, times, strict=True)),
            weight=float(self.weight[index]),
            caller=kind.caller,
            qualifier=kind.qualifier,
        )

    def of_kinds(self, said: Callable[[Kind], bool]) -> NDArray[np.bool_]:
        """Which requests are of kinds that this says of."""
        return np.array([said(kind) for kind in self.kinds], np.bool_)[self.kind]


def columns(found: Mapping[Kind, Pile], ids: Sequence[str], weight: Weight) -> dict[Any, Columns]:
    """By name."""
    named: defaultdict[object, dict[Kind, Ints]] = defaultdict(dict)
    for kind, pile in found.items():
        named[kind.name][kind] = pile.matrix()
    return {name: _columns(kinds, ids, weight) for name, kinds in named.items()}


def _columns(kinds: Mapping[Kind, Ints], ids: Sequence[str], weight: Weight) -> Columns:
    leading = np.concatenate([matrix[:, : len(LEADING)] for matrix in kinds.values()])
    weights = [weight(kind.counted, matrix[:, 1], matrix[:, 0]) for kind, matrix in kinds.items()]
    order = np.lexsort((leading[:, 0], leading[:, 3]))
    trace, _, start, duration = leading[order].T
    sizes = [len(matrix) for matrix in kinds.values()]
    return Columns(
        kinds=tuple(kinds),
        times=tuple(matrix[:, len(LEADING) :] for matrix in kinds.values()),
        kind=np.repeat(np.arange(len(kinds)), sizes)[order],
        row=np.concatenate([np.arange(size) for size in sizes])[order],
        trace=trace,
        start=start,
        duration=duration,
        weight=np.concatenate(weights)[order],
        ids=ids,
    )


def quantiles(values: Ints | Floats, weights: Floats, levels: Sequence[float]) -> list[float]:
    """For each level the smallest value that at least this share of the weight does not exceed.

    No weight is below 0, and one at least is above. This is the inverse of the empirical distribution (Hyndman &
    Fan 1996, definition 1): always a value that was measured.
    """
    order = np.argsort(values, kind="stable")
    running = np.cumsum(weights[order])
    places = np.searchsorted(running, np.array(levels) * running[-1] * (1 - 1e-12))
    found: list[float] = values[order][np.minimum(places, len(values) - 1)].tolist()
    return found


def band(requests: Columns, low: float, high: float) -> Floats:
    """With what weight each request lies between two shares of the weight; one across a border with its part."""
    running = np.cumsum(requests.weight)
    total = running[-1]
    inside = np.minimum(running, high * total) - np.maximum(running - requests.weight, low * total)
    weights: Floats = np.maximum(inside, 0.0)
    return weights


def phase_means(requests: Columns, weights: Floats) -> dict[Label, float]:
    """Mean microseconds by phase and target, of requests so weighted; their sum is the mean duration."""
    chosen = np.flatnonzero(weights)
    total = float(weights.sum())
    means: defaultdict[Label, float] = defaultdict(float)
    for at, kind in enumerate(requests.kinds):
        own = chosen[requests.kind[chosen] == at]
        if len(own):
            sums = weights[own] @ requests.times[at][requests.row[own]]
            for label, time in zip(kind.labels, sums.tolist(), strict=True):
                means[label] += time / total
    return dict(means)


def longest(requests: Columns) -> dict[Label, tuple[int, str]]:
    """By phase and target the most microseconds that one request spent there, and the id of its trace.

    Of equals the first in the columns' order, so that it does not depend on which kind was read first.
    """
    found: dict[Label, tuple[int, int]] = {}
    for at, kind in enumerate(requests.kinds):
        own = np.flatnonzero(requests.kind == at)
        times = requests.times[at][requests.row[own]]
        firsts = own[times.argmax(axis=0)].tolist()
        for label, time, first in zip(kind.labels, times.max(axis=0).tolist(), firsts, strict=True):
            found[label] = max(found.get(label, (-1, 0)), (time, -first))
    return {label: (time, requests.ids[requests.trace[-first]]) for label, (time, first) in found.items()}


def share(true: NDArray[np.bool_], weights: Floats) -> float:
    """The weight of what is true in the weight of all."""
    return float(weights[true].sum() / weights.sum())


def minutes(moments: Ints) -> Ints:
    """Epoch seconds at which each one's minute began."""
    return moments // MINUTE_US * 60


def recorded(found: Mapping[Kind, Pile]) -> Counter[tuple[str, int]]:
    """How many requests there are of each function and minute."""
    counts: Counter[tuple[str, int]] = Counter()
    for kind, pile in found.items():
        for minute, often in zip(*np.unique(minutes(pile.matrix()[:, 1]), return_counts=True), strict=True):
            counts[kind.counted, int(minute)] += int(often)
    return counts
