"""Traces -> per entry point the tree of what its response times are made of. Pure.

The response path of every trace is folded into one tree: who was called by whom, down from the root, and the phases in
which each spent its own time, after the call paths of CRISP (Zhang et al., USENIX ATC 2022), in two bands of requests.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from math import fsum

import numpy as np
from msgspec.structs import replace

from monitors.traces.columns import Columns, Floats, phase_means
from monitors.traces.labels import CALLS, GATEWAY, HOP, OF_LAMBDA, SERVICE, Label, target
from monitors.traces.phases import Path, View, completion_path, response_path
from monitors.traces.repairing import FUNCTION
from monitors.traces.report import PathTime
from monitors.traces.requests import Request

BETWEEN = " › "
"""Between the steps of a path: no segment's name can hold it (X-Ray Developer Guide, "Segment documents", `name`)."""
DEPTH = 12
"""Steps below the entry that are told apart; what is called from further down counts to the last of them."""
NODES = 100
"""Nodes kept of a tree, the largest; the small ones below each of them come together as `other`."""

_STARTS = ("container_start", "runtime_start", "restore")


def whole(seen: View, trace_id: str) -> Request | None:
    """A trace as one request to its entry, the root; None if the root's end was never reported.

    A gateway is one entry for each service that it called last, after any authorizer: these may have nothing in common.
    The target of each of its phases is the path to where that time was spent: steps below the root, with BETWEEN them.
    """
    if not seen.spans or seen.spans[0].censored:
        return None
    root, path = seen.spans[0], response_path(seen)
    steps = _steps(seen, path)
    to = next((above for above, depth in reversed(steps.values()) if depth == 1), "")
    return Request(
        function=f"{root.name}{BETWEEN}{to}" if to and seen.labels[0] == GATEWAY else root.name,
        trace_id=trace_id,
        start=root.start,
        duration=root.end - root.start,
        cold=any(section.label.phase in _STARTS for section in path.sections),
        failed=root.error or root.fault or root.throttle,
        phases=_folded(path, steps),
    )


def completed(seen: View, response: Request) -> Request | None:
    """The request, see `whole`, to the end of all work that it set off; None if nothing went on after the response."""
    path = completion_path(seen)
    if not path:
        return None
    duration = path.sections[-1].end - response.start
    return replace(response, duration=duration, phases=_folded(path, _steps(seen, path)))


def _steps(seen: View, path: Path) -> dict[int, tuple[str, int]]:
    """By span on the path the steps that lead to it, with BETWEEN them, and how many they are."""
    steps = {0: ("", 0)}
    for i in path.spans[1:]:
        above, depth = steps[seen.spans[i].parent]
        name = _step(seen, i).replace("›", ">") if depth < DEPTH else ""
        steps[i] = (f"{above}{BETWEEN}{name}" if above else name, depth + 1) if name else (above, depth)
    return steps


def _folded(path: Path, steps: Mapping[int, tuple[str, int]]) -> tuple[tuple[Label, int], ...]:
    """Microseconds by phase and steps."""
    times: defaultdict[tuple[str, str], int] = defaultdict(int)
    for section in path.sections:
        times[section.label.phase, steps[section.span][0]] += section.end - section.start
    return tuple((Label(*key), time) for key, time in times.items())


def path_times(requests: Columns, middle: Floats, tail: Floats) -> tuple[PathTime, ...]:
    """The tree of one entry's requests, the largest first; the sums of each band are its mean response time.

    The bands are given as weights, see columns.band.
    """
    means = phase_means(requests, middle), phase_means(requests, tail)
    sizes = {leaf: max(means[0].get(leaf, 0.0), means[1].get(leaf, 0.0)) for leaf in means[0].keys() | means[1].keys()}
    places = _places(sizes)
    found: Counter[Label] = Counter()
    for kind, often in zip(requests.kinds, np.bincount(requests.kind).tolist(), strict=True):
        found.update(dict.fromkeys(kind.labels, often))
    members: defaultdict[Label, list[Label]] = defaultdict(list)
    for leaf, place in places.items():
        members[place].append(leaf)
    times = [
        PathTime(
            path=tuple(place.target.split(BETWEEN)) if place.target else (),
            phase=place.phase,
            middle_ms=fsum(means[0].get(leaf, 0.0) for leaf in leaves) / 1000,
            tail_ms=fsum(means[1].get(leaf, 0.0) for leaf in leaves) / 1000,
            traces=max(found[leaf] for leaf in leaves),
        )
        for place, leaves in members.items()
    ]
    return tuple(sorted(times, key=lambda time: (-max(time.middle_ms, time.tail_ms), time.path, time.phase)))


def _step(seen: View, index: int) -> str:
    """What a span adds to the path, in words; nothing if it shows again what is above it.

    That is a segment inferred from a call, a call whose callee has a segment of its own, and the parts of which Lambda
    makes an invocation.
    """
    span, label = seen.spans[index], seen.labels[index]
    inside = span.parent >= 0 and seen.labels[span.parent] == SERVICE
    if span.segment:
        return "" if span.inferred or (inside and span.origin == FUNCTION) else span.name
    if span.namespace in CALLS:
        return "" if label == HOP else target(span)
    of_lambda = span.name in OF_LAMBDA and (inside or seen.spans[span.parent].origin == FUNCTION)
    return "" if label == SERVICE or of_lambda else span.name


def _places(sizes: Mapping[Label, float]) -> dict[Label, Label]:
    """Where each leaf goes in a tree of the NODES largest nodes: to itself, or to `other` under the last one kept."""
    totals: defaultdict[Label, list[float]] = defaultdict(list)
    for leaf, size in sizes.items():
        totals[leaf].append(size)
        for above in _above(leaf.target):
            totals[Label("", above)].append(size)
    # A node is as large as all below it: kept with those above it, if these come first where sizes are equal.
    ranked = sorted(totals, key=lambda node: (-fsum(totals[node]), node.target.count(BETWEEN), node.phase, node.target))
    kept = set(ranked[:NODES])
    return {leaf: leaf if leaf in kept else Label("other", _last(leaf.target, kept)) for leaf in sizes}


def _above(path: str) -> Iterable[str]:
    """The path itself, and all that are above it up to the entry's own, which is empty."""
    while path:
        yield path
        path = path.rpartition(BETWEEN)[0]


def _last(path: str, kept: set[Label]) -> str:
    return next((above for above in _above(path) if Label("", above) in kept), "")
