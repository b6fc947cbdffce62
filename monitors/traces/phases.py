"""Trace -> the path its time went along, cut into phases that add up to the microsecond.

Two views: the response path is what the caller waited for; the completion path goes on to the last thing that happened
because of the request. Both walk backwards from the end, always to the child that finished last before, after CRISP
(Zhang et al., USENIX ATC 2022); a child that overlaps the one after it counts up to where that one began.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any

from msgspec import Struct

from monitors.traces.labels import (
    CALLS,
    HOP,
    QUEUE,
    RESTORE,
    RUNTIME_START,
    SERVICE,
    TRIGGER,
    Label,
    gap,
    labels,
    target,
)
from monitors.traces.repairing import FUNCTION, is_attempt
from monitors.traces.tree import Span, Trace


class Section(Struct, frozen=True, gc=False):
    """A stretch of a path: what one span did itself, no child of it being waited for."""

    span: int
    start: int
    end: int
    label: Label


_START = attrgetter("start")


class Path(Struct, frozen=True):
    sections: tuple[Section, ...]
    """By time, without gap or overlap."""
    spans: tuple[int, ...]
    """Positions of the spans on the path, by the time they come in, a parent before its children."""


class View(Struct, frozen=True):
    """A trace's spans with what every walk over them needs."""

    spans: Sequence[Span]
    below: Sequence[Sequence[int]]
    """Children, the last to finish first."""
    labels: Sequence[Label]


class Walk(Struct, frozen=True):
    view: View
    root: int
    tail: frozenset[int] = frozenset()
    """Spans that lead to the latest end; empty for the response path."""
    shallow: bool = False
    """Other services count as dependencies, whatever happens inside them."""


def view(trace: Trace) -> View:
    spans = trace.spans
    below: list[list[int]] = [[] for _ in spans]
    for i, span in enumerate(spans):
        if span.parent >= 0:
            below[span.parent].append(i)
    for children in below:
        if len(children) > 1:
            children.sort(key=lambda i: (spans[i].end, spans[i].start), reverse=True)
    return View(spans, below, labels(spans, below))


def response_path(seen: View) -> Path:
    """The path through the root's own interval."""
    return _path(Walk(seen, 0), seen.spans[0].end) if seen.spans else Path((), ())


def both_paths(seen: View) -> tuple[Path, Path]:
    """The response path, and the completion path: to the latest end below the root, along the asynchronous work that
    led there. They are one where nothing ends after the root.
    """
    response = response_path(seen)
    return response, completion_path(seen) or response


def completion_path(seen: View) -> Path | None:
    """The path to the latest end below the root; None where nothing ends after the root."""
    last = _last(seen) if any(span.asynchronous for span in seen.spans) else 0
    if not last:
        return None
    tail = {0}
    i = last
    while i > 0:
        tail.add(i)
        i = seen.spans[i].parent
    return _path(Walk(seen, 0, frozenset(tail)), seen.spans[last].end)


def function_path(seen: View, node: int) -> Path:
    """The path through one invocation's interval (see `functions`); whatever it calls is a dependency."""
    return _path(Walk(seen, node, shallow=True), seen.spans[node].end)


def functions(seen: View) -> Iterator[int]:
    """Positions of the spans that are one invocation each: Lambda's service span, or else the function's.

    An asynchronous invocation is one a try; the service segment that only took it in (202) is none.
    """
    for i, (span, label) in enumerate(zip(seen.spans, seen.labels, strict=True)):
        if label == SERVICE:
            if span.status != 202 and not _tries(seen, i):
                yield i
        elif span.origin == FUNCTION and span.segment and (span.parent < 0 or seen.labels[span.parent] != SERVICE):
            yield i


def cold(seen: View, node: int) -> bool:
    """A container was started, or restored, while this invocation waited."""
    inside = (j for i in (node, *handled(seen, node)) for j in seen.below[i])
    return any(seen.labels[i] in (RUNTIME_START, RESTORE) for i in inside)


def handled(seen: View, node: int) -> list[int]:
    """Positions of the function's own segments below Lambda's view of an invocation; none if `node` is one itself."""
    if seen.labels[node] != SERVICE:
        return []
    return [i for i in seen.below[node] if seen.spans[i].origin == FUNCTION]


def per_trace(trace: Trace) -> dict[str, Any]:
    """One trace's own report: times in µs, paths as segment ids, what was repaired and how often.

    `phases` (and `dependencies`, a part of it by target) add up to `response_us`, `completion_phases` to
    `completion_us`.
    """
    seen = _settled(view(trace))
    response, completion = both_paths(seen)
    return {
        "trace_id": trace.id,
        "response_us": _length(response),
        "completion_us": _length(completion),
        "phases": _by_phase(response),
        "dependencies": _by_target(response),
        "completion_phases": _by_phase(completion),
        "critical_path": [seen.spans[i].id for i in response.spans],
        "completion_path": [seen.spans[i].id for i in completion.spans],
        "cold_starts": sum(cold(seen, node) for node in functions(seen)),
        "limit_exceeded": trace.limit_exceeded,
        "repairs": dict(trace.repairs),
    }


def _settled(seen: View) -> View:
    """The same, with children of exactly the same times by their ids: X-Ray returns them in no order."""
    spans = seen.spans
    below = [sorted(b, key=lambda i: (spans[i].end, spans[i].start, spans[i].id), reverse=True) for b in seen.below]
    return View(spans, below, seen.labels)


def _tries(seen: View, node: int) -> bool:
    return any(is_attempt(seen.spans[i].name) for i in seen.below[node])


def _length(path: Path) -> int:
    return path.sections[-1].end - path.sections[0].start if path.sections else 0


def _by_phase(path: Path) -> dict[str, int]:
    times: Counter[str] = Counter()
    for section in path.sections:
        times[section.label.phase] += section.end - section.start
    return dict(times)


def _by_target(path: Path) -> dict[str, int]:
    times: Counter[str] = Counter()
    for section in path.sections:
        if section.label.phase == "dependency":
            times[section.label.target] += section.end - section.start
    return dict(times)


def _last(seen: View) -> int:
    """The span below the root that ends after it and last, of several the innermost; the root, if none does."""
    walk = [(0, 0)]
    for depth, i in walk:  # grows while it is walked
        walk.extend((depth + 1, j) for j in seen.below[i])
    _, last = max(walk, key=lambda found: (seen.spans[found[1]].end, found[0]))
    return last if seen.spans[last].end > seen.spans[0].end else 0


def _path(walk: Walk, end: int) -> Path:
    windows: list[tuple[int, int, int]] = []
    sections: list[Section] = []
    pending = [(walk.view.spans[walk.root].start, end, walk.root)]
    while pending:
        window = pending.pop()
        windows.append(window)
        low, high, index = window
        if walk.shallow and index != walk.root and (called := _called(walk, index)):
            if low < high:
                sections.append(Section(index, low, high, called))
        elif walk.view.below[index]:
            pending.extend(_split(walk, window, sections))
        elif low < high:
            _own(walk, index, (None, None), (low, high), sections)
    return Path(tuple(sorted(sections, key=_START)), tuple(w[2] for w in windows))


def _called(walk: Walk, index: int) -> Label | None:
    """What a span is to the function that is being looked at, if it is another service; None if it is its own."""
    span, label = walk.view.spans[index], walk.view.labels[index]
    if span.segment:
        own = span.origin == FUNCTION and walk.view.labels[span.parent] == SERVICE
    else:
        own = span.namespace not in CALLS
    if own:
        return None
    return label if label.phase == "dependency" else Label("dependency", target(span))


def _split(walk: Walk, window: tuple[int, int, int], sections: list[Section]) -> list[tuple[int, int, int]]:
    """The windows of the children on the path inside one of their parent, the last first; the rest to `sections`."""
    low, cursor, index = window
    spans = walk.view.spans
    later: int | None = None
    windows = []
    for i in _candidates(walk, index):
        child = spans[i]
        if later is not None and spans[later].precursors and child.id not in spans[later].precursors:
            continue
        start, end = max(child.start, low), cursor if i in walk.tail else min(child.end, cursor)
        if start > end or (start == end and child.start != child.end):
            continue
        if end < cursor:
            _own(walk, index, (i, later), (end, cursor), sections)
        windows.append((start, end, i))
        cursor, later = start, i
    if low < cursor:
        _own(walk, index, (None, later), (low, cursor), sections)
    return windows


def _goes_on(span: Span, later: Span) -> bool:
    """A call to a service that nobody waits for, on the path that follows it there."""
    return not span.segment and later.segment and not later.inferred


def _candidates(walk: Walk, index: int) -> Sequence[int]:
    """A span's children, the last to finish first, without those that nobody on this path waited for."""
    spans, below = walk.view.spans, walk.view.below[index]
    if index not in walk.tail:
        return [i for i in below if not spans[i].asynchronous]
    waited = [i for i in below if i not in walk.tail and (not spans[i].asynchronous or walk.view.labels[i] == QUEUE)]
    return [i for i in below if i in walk.tail] + waited


def _own(
    walk: Walk,
    index: int,
    between: tuple[int | None, int | None],
    window: tuple[int, int],
    sections: list[Section],
) -> None:
    """Put down what a span did itself in a window between two children, (earlier, later): to its end, and after it."""
    low, high = window
    span, label = walk.view.spans[index], walk.view.labels[index]
    if label.phase == "dependency" and between[1] is not None and _goes_on(span, walk.view.spans[between[1]]):
        label = HOP
    if high <= span.end and label != SERVICE:
        sections.append(Section(index, low, high, label))
        return
    earlier, later = (None if i is None else walk.view.spans[i] for i in between)
    border = min(max(span.end, low), high)
    if border < high:
        waiting = QUEUE if later is not None and is_attempt(later.name) else TRIGGER
        sections.append(Section(index, border, high, waiting))
    if low < border:
        own = gap(span, earlier, later) if label == SERVICE else label
        sections.append(Section(index, low, border, own))
