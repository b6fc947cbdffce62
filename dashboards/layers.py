"""Who calls whom -> columns, and in each an order with few crossings. Pure.

A layered drawing after Sugiyama, Tagawa & Toda (IEEE Trans. SMC, 1981): calls that close a circle are turned around,
every node stands right of all that call it, calls over several columns pass through empty places in between, and each
column is sorted by where its neighbours stand (barycentre), to and fro.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

SWEEPS = 12

Edge = tuple[str, str]
"""(caller, callee)"""


class Place(NamedTuple):
    """A node's place in its column, or the empty one that an edge passes through."""

    column: int
    name: str
    edge: Edge | None = None


class Layers(NamedTuple):
    columns: Sequence[Sequence[Place]]
    """From the sources on, each from the top."""
    routes: Mapping[Edge, Sequence[Place]]
    """The places of every edge from left to right; of one turned around, from its callee to its caller."""
    turned: frozenset[Edge]


def layers(edges: Iterable[Edge]) -> Layers:
    """The drawing of a graph without edges from a node to itself; where a circle must be cut, the later edge is."""
    ordered = list(dict.fromkeys(edges))
    turned = _turned(ordered)
    rightwards = {edge: edge[::-1] if edge in turned else edge for edge in ordered}
    column = _columns(list(rightwards.values()))
    routes = {edge: _route(edge, ends, column) for edge, ends in rightwards.items()}
    first = _filled(place for route in routes.values() for place in route)
    return Layers(_sorted(first, routes.values()), routes, turned)


def crossings(columns: Sequence[Sequence[Place]], routes: Iterable[Sequence[Place]]) -> int:
    """How often edges cross between neighbouring columns."""
    at = {place: n for column in columns for n, place in enumerate(column)}
    gaps: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for route in routes:
        for left, right in pairwise(route):
            gaps[left.column].append((at[left], at[right]))
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0 for links in gaps.values() for n, a in enumerate(links) for b in links[:n]
    )


def _turned(edges: Sequence[Edge]) -> frozenset[Edge]:
    """Edges whose callee reaches their caller along those before."""
    below: defaultdict[str, list[str]] = defaultdict(list)
    turned = set()
    for caller, callee in edges:
        reached = [callee]
        for name in reached:  # grows while it is walked
            reached.extend(other for other in below[name] if other not in reached)
        if caller in reached:
            turned.add((caller, callee))
        else:
            below[caller].append(callee)
    return frozenset(turned)


def _columns(edges: Sequence[Edge]) -> dict[str, int]:
    """The length of the longest way to each node."""
    column = {name: 0 for edge in edges for name in edge}
    for _ in column:
        for caller, callee in edges:
            column[callee] = max(column[callee], column[caller] + 1)
    return column


def _route(edge: Edge, ends: Edge, column: Mapping[str, int]) -> list[Place]:
    left, right = ends
    passed = [Place(at, "", edge) for at in range(column[left] + 1, column[right])]
    return [Place(column[left], left), *passed, Place(column[right], right)]


def _filled(places: Iterable[Place]) -> list[list[Place]]:
    columns: defaultdict[int, list[Place]] = defaultdict(list)
    for place in dict.fromkeys(places):
        columns[place.column].append(place)
    return [columns[at] for at in sorted(columns)]


def _sorted(columns: list[list[Place]], routes: Iterable[Sequence[Place]]) -> list[list[Place]]:
    """The order with the fewest crossings that the sweeps come by."""
    beside: defaultdict[tuple[Place, int], list[Place]] = defaultdict(list)
    for route in routes:
        for left, right in pairwise(route):
            beside[left, 1].append(right)
            beside[right, -1].append(left)
    best = columns
    for sweep in range(SWEEPS):
        side = 1 if sweep % 2 else -1
        # Now and then equals change their order, or none of them would ever move.
        columns = _swept(columns, side, beside, -1 if sweep % 4 > 1 else 1)
        best = min(best, columns, key=lambda one: crossings(one, routes))
    return best


def _swept(
    columns: Sequence[list[Place]], side: int, beside: Mapping[tuple[Place, int], Sequence[Place]], equals: int
) -> list[list[Place]]:
    """Every column sorted by the mean place of its neighbours on one side, beginning on that side.

    Equals keep their order if `equals` is 1, and change it if it is -1.
    """
    at: dict[Place, float] = {}
    swept = []
    for column in columns[::-side]:
        height = {place: n / len(column) for n, place in enumerate(column)}
        for place in column:
            if (place, side) in beside:
                near = beside[place, side]
                height[place] = sum(at[other] for other in near) / len(near)
        ordered = sorted(column[::equals], key=height.__getitem__)
        at |= {place: (n + 0.5) / len(column) for n, place in enumerate(ordered)}
        swept.append(ordered)
    return swept[::-side]
