"""Calls between services -> a map: callers left, what they call right, lines for how often and how long. Pure."""

import re
from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum, sqrt

from dashboards import formats
from dashboards.layers import Edge, Layers, Place, layers
from dashboards.palette import var
from dashboards.vega import Chart, Spec, Table, colour, frame, layer, tip
from monitors.traces.report import EdgeLatency, LatencyReport

COLUMN_REM = 12
"""The least width of a column in which names and times can be read: a wider map is scrolled."""
NODES = 40
"""Services drawn, those with most calls; more could not be read."""
_PORT, _LINE, _GAP = 16, 15, 12  # pixels: between lines at a node, of a line of its name, between nodes
_LONG = 16  # letters of a name that go into one line
_WIDE = 0.6  # of a column's width is the node, the rest is for lines
_LEAVES, _ARRIVES = 0.03, 0.17  # so far a line is level at its ends: where it arrives stands its time
_FAULTS = {"no faults": var("edge"), "under 1 % faults": var("warn"), "1 % faults or more": var("bad")}
_MANY = 0.01
_KINDS = {"entry": "gateway", "function": "handler", "called service": "dependency"}
_NAMED = 3  # names told before `and n more`
_HINT = tip(
    ("e", "calls", ""),
    ("calls", "how often", ",d"),
    ("p95", "p95", ""),
    ("share", "faults", ""),
    ("operations", "operations", ""),
)


@dataclass(frozen=True, slots=True)
class Calls:
    """All operations between two services as one."""

    ends: Edge
    calls: int
    p95_ms: float
    """Of the slowest operation: no more than 5 % of all the calls took longer."""
    operations: tuple[str, ...]
    fault_share: float


def call_map(report: LatencyReport) -> Chart:
    """The busiest services and the calls between them; what is left out is told, and calls to itself."""
    found = sorted(_joined(report.edges), key=lambda one: (-one.calls, one.ends))
    shown = _busiest([one for one in found if one.ends[0] != one.ends[1]])
    return Chart(
        title="What calls what",
        spec=_spec(shown, {f.function for f in report.functions}) if shown else {},
        table=Table(
            head=("Calls", "How often", "p95", "Faults"),
            rows=tuple(
                (" → ".join(one.ends), formats.number(one.calls), _p95(one), formats.share(one.fault_share))
                for one in shown
            ),
        ),
        note=_note(found, shown),
    )


def _joined(edges: Sequence[EdgeLatency]) -> list[Calls]:
    pairs: defaultdict[Edge, list[EdgeLatency]] = defaultdict(list)
    for edge in edges:
        pairs[edge.caller, edge.callee].append(edge)
    return [_one(ends, found) for ends, found in pairs.items()]


def _one(ends: Edge, found: Sequence[EdgeLatency]) -> Calls:
    calls = sum(edge.calls for edge in found)
    return Calls(
        ends=ends,
        calls=calls,
        p95_ms=max(edge.response.p95_ms for edge in found),
        operations=tuple(edge.operation for edge in sorted(found, key=lambda edge: -edge.calls) if edge.operation),
        fault_share=fsum(edge.fault_share * edge.calls for edge in found) / calls,
    )


def _busiest(found: Sequence[Calls]) -> list[Calls]:
    names: set[str] = set()
    for one in found:
        if len(names | {*one.ends}) <= NODES:
            names |= {*one.ends}
    return [one for one in found if names.issuperset(one.ends)]


def _note(found: Sequence[Calls], shown: Sequence[Calls]) -> str:
    said = []
    every, drawn = ({name for one in calls for name in one.ends} for calls in (found, shown))
    if left := len(every) - len(drawn):
        said.append(f"The {len(drawn)} busiest of {len(every):,} services; the table of calls has the {left:,} others.")
    if own := [one.ends[0] for one in found if one.ends[0] == one.ends[1]]:
        more = f" and {len(own) - _NAMED} more" if len(own) > _NAMED else ""
        said.append(f"Not drawn, since they call themselves: {', '.join(own[:_NAMED])}{more}.")
    said.append(
        "A line is as thick as its calls are many, and dashed if it leads back; the time is the p95 of its calls."
    )
    return " ".join(said) if shown else ""


def _spec(shown: Sequence[Calls], functions: Container[str]) -> Spec:
    drawn = layers(one.ends for one in shown)
    spans, height = _spans(drawn)
    ports = _ports(drawn, spans)
    nodes = [_node(place, spans[place], shown, functions) for column in drawn.columns for place in column if place.name]
    wide = len(drawn.columns) - 1 + _WIDE
    where: Spec = {
        "x": {"field": "x", "type": "quantitative", "scale": {"domain": [0, wide], "nice": False}, "axis": None},
        "y": {"field": "y", "type": "quantitative", "scale": {"domain": [0, height], "reverse": True}, "axis": None},
    }
    most = max(one.calls for one in shown)
    lines = [_line(one, most, turned=one.ends in drawn.turned) for one in shown]
    points = [
        line | {"x": x, "y": y, "n": n}
        for line, one in zip(lines, shown, strict=True)
        for n, (x, y) in enumerate(_points(one.ends, drawn.routes[one.ends], ports))
    ]
    ends = [
        line | {"x": x, "y": y, "side": side}
        for line, one in zip(lines, shown, strict=True)
        for x, y, side in [_end(one.ends, drawn, ports)]
    ]
    drawing = frame([], [*_lines(where, points, ends), *_boxes(where, nodes)], height=round(height))
    return drawing | {"usermeta": {"columns": len(drawn.columns)}}


def _spans(drawn: Layers) -> tuple[dict[Place, tuple[float, float]], float]:
    """(top, bottom) of every place in pixels, each column in the middle of the height, and the whole height."""
    away = Counter(place for route in drawn.routes.values() for place in route[:-1])
    into = Counter(place for route in drawn.routes.values() for place in route[1:])
    tall = {
        place: max(_LINE * len(_lettered(place.name)) + 8 if place.name else 0, _PORT * max(away[place], into[place]))
        for column in drawn.columns
        for place in column
    }
    heights = [sum(tall[place] + _GAP for place in column) for column in drawn.columns]
    spans = {}
    for column, height in zip(drawn.columns, heights, strict=True):
        y = (max(heights) - height + _GAP) / 2
        for place in column:
            spans[place] = (y, y + tall[place])
            y += tall[place] + _GAP
    return spans, max(heights)


def _ports(drawn: Layers, spans: Mapping[Place, tuple[float, float]]) -> dict[tuple[Edge, Place, int], float]:
    """Where an edge leaves a place (side 1) or arrives at it (side -1), in the order of the places at its other end."""
    beside: defaultdict[tuple[Place, int], list[tuple[float, Edge]]] = defaultdict(list)
    for edge, route in drawn.routes.items():
        for left, right in pairwise(route):
            beside[left, 1].append((spans[right][0], edge))
            beside[right, -1].append((spans[left][0], edge))
    ports: dict[tuple[Edge, Place, int], float] = {}
    for (place, side), ends in beside.items():
        first = (sum(spans[place]) - _PORT * (len(ends) - 1)) / 2
        ports |= {(edge, place, side): first + _PORT * n for n, (_, edge) in enumerate(sorted(ends))}
    return ports


def _points(
    edge: Edge, route: Sequence[Place], ports: Mapping[tuple[Edge, Place, int], float]
) -> list[tuple[float, float]]:
    points = []
    for left, right in pairwise(route):
        away, there = ports[edge, left, 1], ports[edge, right, -1]
        start, end = left.column + _WIDE, float(right.column)
        points += [(start, away), (start + _LEAVES, away), (end - _ARRIVES, there), (end, there)]
    return points


def _end(edge: Edge, drawn: Layers, ports: Mapping[tuple[Edge, Place, int], float]) -> tuple[float, float, str]:
    """Where an edge meets its callee, and on which side of it."""
    route = drawn.routes[edge]
    if edge in drawn.turned:
        return route[0].column + _WIDE, ports[edge, route[0], 1], "right"
    return route[-1].column, ports[edge, route[-1], -1], "left"


def _line(one: Calls, most: int, *, turned: bool) -> Spec:
    return {
        "e": " → ".join(one.ends),
        "w": round(1 + 4 * sqrt(one.calls / most), 2),
        "back": turned,
        "faults": list(_FAULTS)[(one.fault_share > 0) + (one.fault_share >= _MANY)],
        "calls": one.calls,
        "p95": _p95(one),
        "share": formats.share(one.fault_share),
        "operations": ", ".join(one.operations[:_NAMED]) + (" ..." if len(one.operations) > _NAMED else ""),
    }


def _lines(where: Spec, points: Sequence[Spec], ends: Sequence[Spec]) -> list[Spec]:
    found = {point["faults"] for point in points}
    shades = {words: shade for words, shade in _FAULTS.items() if words in found}
    dashes = {"domain": [False, True], "range": [[1, 0], [5, 4]]}
    encoding = where | {
        "detail": {"field": "e"},
        "order": {"field": "n", "type": "quantitative"},
        "strokeWidth": {"field": "w", "type": "quantitative", "scale": None},
        "strokeDash": {"field": "back", "type": "nominal", "scale": dashes, "legend": None},
        "stroke": colour("faults", shades, mark="stroke"),
        "tooltip": _HINT,
    }
    said = where | {"text": {"field": "p95"}, "tooltip": _HINT}
    look = {"fontSize": 10, "baseline": "bottom", "dy": -2}
    drawn = [
        layer("line", encoding, interpolate="monotone") | {"data": {"values": points}},
        layer("text", said, align="right", dx=-4, **look) | _of(ends, "left"),
        layer("text", said, align="left", dx=4, **look) | _of(ends, "right"),
    ]
    return [one for one in drawn if one["data"]["values"]]


def _of(ends: Sequence[Spec], side: str) -> Spec:
    return {"data": {"values": [end for end in ends if end["side"] == side]}}


def _node(place: Place, span: tuple[float, float], shown: Sequence[Calls], functions: Container[str]) -> Spec:
    called = sum(one.calls for one in shown if one.ends[1] == place.name)
    calling = sum(one.calls for one in shown if one.ends[0] == place.name)
    kind = "function" if place.name in functions else "called service" if called else "entry"
    middle, lines = sum(span) / 2, _lettered(place.name)
    box = {
        "x": place.column,
        "x2": place.column + _WIDE,
        "y": span[0],
        "y2": span[1],
        "m": middle - _LINE * (len(lines) - 1) / 2,
    }
    return {
        "name": place.name,
        "lines": lines,
        "kind": kind,
        "called": called,
        "calling": calling,
        **box,
    }


def _boxes(where: Spec, nodes: Sequence[Spec]) -> list[Spec]:
    found = {node["kind"] for node in nodes}
    shades = {kind: var(token) for kind, token in _KINDS.items() if kind in found}
    hint = tip(("name", "service", ""), ("kind", "is", ""), ("called", "called", ",d"), ("calling", "calls", ",d"))
    box = where | {"y2": {"field": "y2"}, "tooltip": hint}
    middle = where | {"y": where["y"] | {"field": "m"}, "text": {"field": "lines"}, "tooltip": hint}
    fit = {"limit": {"expr": f"scale('x', {_WIDE}) - scale('x', 0) - 14"}}
    drawn = [
        layer("rect", box | {"x2": {"field": "x2"}}, fill=var("raised"), stroke=var("edge"), cornerRadius=3),
        layer("rule", box | {"color": colour("kind", shades)}, strokeWidth=5),
        layer("text", middle, align="left", baseline="middle", dx=9, fontSize=12, lineHeight=_LINE, **fit),
    ]
    return [one | {"data": {"values": nodes}} for one in drawn]


def _lettered(name: str) -> list[str]:
    """A name in one line, or in two, broken after the sign nearest to its middle."""
    if len(name) <= _LONG:
        return [name]
    middle = len(name) / 2
    at = min((found.end() for found in re.finditer(r"[-_./: ]", name)), key=lambda n: abs(n - middle), default=0)
    return [name[:at], name[at:]] if 0 < at < len(name) else [name]


def _p95(one: Calls) -> str:
    return f"{'≤ ' if len(one.operations) > 1 else ''}{formats.ms(one.p95_ms)}"
