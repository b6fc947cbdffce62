"""Traces that are alike, many at once -> the requests and calls in them, in columns. Pure, but for what they add to.

Thousands of a fleet's traces differ in nothing but times, ids and names. What reading, repairing and cutting one of
them into phases comes to is learned from it as sums of its times (see moments), and holds for all for which the same
comparisons come out the same. What is left over is read one by one: the result is that of reading each.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitors.traces.callpaths import completed, whole
from monitors.traces.columns import Floats, Found, Ints, Kind, Pile
from monitors.traces.keys import FIRST_TOKEN, Alike, Key, envelope, renamed
from monitors.traces.labels import Label
from monitors.traces.moments import Sum, conditions, made_of, moments
from monitors.traces.phases import view
from monitors.traces.reading import LATEST_S, Clock, microseconds, read_trace
from monitors.traces.requests import Call, Request, calls, invocations

ENOUGH = 16
"""Traces that are worth learning from one of them, which takes about as long as reading so many."""
KEYS = 20_000
"""Sets of names that are kept; traces with others are read by themselves, as in a fleet that names by request ids."""
STRIKES = 3
"""Paths learned that held for fewer; then the rest of their kind are read one by one."""


class Single(NamedTuple):
    """One request, call or whole trace."""

    kind: Kind
    times: tuple[int, ...]
    """As in Pile: counted_at, start, duration, and that of each label."""


class Content(NamedTuple):
    """What is in a trace."""

    requests: tuple[Single, ...]
    calls: tuple[Single, ...]
    entries: tuple[Single, ...]
    completions: tuple[Single, ...]
    repairs: tuple[tuple[str, int], ...]
    used: bool
    region: str = ""

    @property
    def singles(self) -> tuple[Single, ...]:
        """All of them, in order."""
        return (*self.requests, *self.calls, *self.entries, *self.completions)


@dataclass(slots=True)
class Gathered:
    """What is in many traces; grows while they are read."""

    requests: Found = field(default_factory=lambda: defaultdict(Pile))
    calls: Found = field(default_factory=lambda: defaultdict(Pile))
    entries: Found = field(default_factory=lambda: defaultdict(Pile))
    completions: Found = field(default_factory=lambda: defaultdict(Pile))
    ledger: Counter[str] = field(default_factory=Counter)
    used: int = 0
    regions: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Shape:
    """Traces that are alike but for their names; grows while traces are read."""

    key: Key
    """With tokens for names."""
    keys: list[tuple[Key, list[str]]] = field(default_factory=list)
    """With the names, and these in the order of their tokens."""
    times_s: "array[float]" = field(default_factory=lambda: array("d"))
    of: "array[int]" = field(default_factory=lambda: array("q"))
    """By trace, which of the keys it has."""
    trace: "array[int]" = field(default_factory=lambda: array("q"))
    """By trace, its position in the order read."""


@dataclass(slots=True)
class Shapes:
    """All that are waiting to be read together."""

    by_key: dict[Key, tuple[Shape, int]] = field(default_factory=dict)
    """With the names: the shape, and which of its keys it is."""
    by_shape: dict[Key, Shape] = field(default_factory=dict)


class _Learned(NamedTuple):
    content: Content
    """With tokens for names."""
    conditions: Sequence[Sum]
    """What must not be negative, if it is to hold."""
    times: Sequence[Sum]
    """What each time in it is."""


def add(shapes: Shapes, found: Alike, trace: int) -> bool:
    """Put a trace to those that are like it; False for one that is not, and is to be read by itself."""
    place = shapes.by_key.get(found.key) or _place(shapes, found.key)
    if place is None:
        return False
    shape, number = place
    shape.times_s.extend(found.times_s)
    shape.of.append(number)
    shape.trace.append(trace)
    return True


def _place(shapes: Shapes, key: Key) -> tuple[Shape, int] | None:
    found = renamed(key) if len(shapes.by_key) < KEYS else None
    if found is None:
        return None
    general, names = found
    shape = shapes.by_shape.setdefault(general, Shape(general))
    shape.keys.append((key, names))
    shapes.by_key[key] = shape, len(shape.keys) - 1
    return shapes.by_key[key]


def content(trace_as_found: object, clock: Clock = microseconds) -> Content:
    """What one trace holds; the arguments are as read_trace takes them."""
    trace = read_trace(trace_as_found, clock)
    if not trace.spans or trace.limit_exceeded:
        return Content((), (), (), (), trace.repairs, used=False)
    seen = view(trace)
    inside = list(invocations(seen, ""))
    entry = whole(seen, "")
    done = completed(seen, entry) if entry else None
    counted = inside[0] if inside else None
    return Content(
        requests=tuple(_single(one, one) for one in inside),
        calls=tuple(_made(one) for one in calls(seen)),
        entries=(_single(entry, counted),) if entry else (),
        completions=(_single(done, counted),) if done else (),
        repairs=trace.repairs,
        used=True,
        region=trace.region,
    )


def _single(one: Request, counted: Request | None) -> Single:
    labels = tuple(label for label, _ in one.phases)
    by = counted.function if counted else ""
    kind = Kind(one.function, by, one.cold, one.failed, labels, one.caller, one.qualifier)
    return Single(kind, ((counted or one).start, one.start, one.duration, *(time for _, time in one.phases)))


def _made(one: Call) -> Single:
    kind = Kind((one.caller, one.callee, one.operation), one.caller, False, one.failed, ())
    return Single(kind, (one.start, one.start, one.duration))


def gather(into: Gathered, found: Content, trace: int) -> None:
    """Add what one trace holds; `trace` is its position in the order read."""
    _note(into, found, 1)
    for pile, one in _piles(into, found):
        pile.loose.append((trace, *one.times))


def gather_alike(into: Gathered, shapes: Shapes) -> None:
    """Add what all the traces hold that were put aside."""
    for shape in shapes.by_shape.values():
        of, trace = np.array(shape.of), np.array(shape.trace)
        times_s = np.array(shape.times_s).reshape(len(of), -1)
        usual = ((times_s >= 0) & (times_s <= LATEST_S)).all(axis=1)
        times_us = np.rint(np.where(usual, times_s.T, 0) * 1e6).astype(np.int64)
        left, alone, strikes = np.flatnonzero(usual), [*np.flatnonzero(~usual)], 0
        while len(left) >= ENOUGH and strikes < STRIKES:
            learned = _learn(shape.key, times_us[:, left[0]].tolist())
            holds = _holds(learned.conditions, times_us[:, left])
            same, left = left[holds], left[~holds]
            strikes += len(same) < ENOUGH
            numbers = np.column_stack([_of(one, times_us[:, same]) for one in learned.times])
            for number in np.unique(of[same]):
                own = of[same] == number
                found = _named(learned.content, shape.keys[number][1])
                if _told_apart(found):
                    _add(into, found, trace[same][own], numbers[own])
                else:
                    alone += [*same[own]]
        for one in (*alone, *left):
            gather(into, _read(shape.keys[of[one]][0], times_s[one]), int(trace[one]))


def _told_apart(found: Content) -> bool:
    """Whether no two names make the same words: `A B` and `Get` would be one label with `A` and `B Get`."""
    return all(len({*one.kind.labels}) == len(one.kind.labels) for one in found.singles)


def _holds(conditions: Sequence[Sum], times_us: Ints) -> NDArray[np.bool_]:
    """For which traces; times are a row each, a column a trace."""
    holds = np.ones(times_us.shape[1], np.bool_)
    for one in conditions:
        holds &= _of(one, times_us) >= 0
    return holds


def _of(found: Sum, times_us: Ints) -> Ints:
    """The sum of each trace."""
    whole = np.full(times_us.shape[1], found.beyond)
    for at, often in found.often.items():
        whole += times_us[at] if often == 1 else often * times_us[at]
    return whole


def _add(into: Gathered, found: Content, trace: Ints, numbers: Ints) -> None:
    """Add what traces hold; `numbers` has a row for each, and a column for each time of each single."""
    _note(into, found, len(trace))
    at = 0
    for pile, one in _piles(into, found):
        pile.blocks.append(np.column_stack((trace, numbers[:, at : at + len(one.times)])))
        at += len(one.times)


def _note(into: Gathered, found: Content, often: int) -> None:
    into.used += found.used * often
    if found.region:
        into.regions.add(found.region)
    for repair, times in found.repairs:
        into.ledger[repair] += times * often


def _piles(into: Gathered, found: Content) -> Iterator[tuple[Pile, Single]]:
    """Where each of the singles belongs, in order."""
    targets = (into.requests, into.calls, into.entries, into.completions)
    for target, singles in zip(targets, (found.requests, found.calls, found.entries, found.completions), strict=True):
        for one in singles:
            yield target[one.kind], one


def _read(key: Key, times_s: Floats) -> Content:
    """What one of them holds, read by itself."""
    return content(envelope(key, times_s.tolist()))


def _learn(key: Key, times_us: list[int]) -> _Learned:
    given, path = moments(times_us)
    found = content(envelope(key, given), lambda time: time if isinstance(time, int) else None)
    return _Learned(
        content=found,
        conditions=list(conditions(path)),
        times=[made_of(time, path) for one in found.singles for time in one.times],
    )


def _named(found: Content, names: Sequence[str]) -> Content:
    """With names in place of tokens, and no times."""
    table = {FIRST_TOKEN + n: name for n, name in enumerate(names)}
    return found._replace(
        requests=tuple(_renamed(one, table) for one in found.requests),
        calls=tuple(_renamed(one, table) for one in found.calls),
        entries=tuple(_renamed(one, table) for one in found.entries),
        completions=tuple(_renamed(one, table) for one in found.completions),
        region=found.region.translate(table),
    )


def _renamed(one: Single, table: Mapping[int, str]) -> Single:
    kind = one.kind
    name = kind.name
    name = name.translate(table) if isinstance(name, str) else tuple(part.translate(table) for part in name)
    return one._replace(
        kind=kind._replace(
            name=name,
            counted=kind.counted.translate(table),
            labels=tuple(Label(label.phase, label.target.translate(table)) for label in kind.labels),
            caller=kind.caller.translate(table),
            qualifier=kind.qualifier.translate(table),
        )
    )
