"""Response paths of an entry -> an icicle chart: who called whom from the top down, as wide as it took. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import fsum
from typing import NamedTuple

from dashboards import formats
from dashboards.palette import PHASES, var
from dashboards.vega import Chart, Spec, Table, amount, colour, frame, layer, tip
from monitors.traces.report import EntryPaths, PathTime

_MIDDLE, _TAIL = "middle 40–60 %", "slowest 5 %"
_BETWEEN = " › "
_ROW, _HEAD, _GAP = 22, 22, 12  # pixels: of a step, of a band's caption, between the bands
_TINT = "66"  # alpha: the words stand on the colour
_KINDS = {name: (words, token) for name, words, token in PHASES}
_ORDER = {name: n for n, (name, _, _) in enumerate(PHASES)}
_NAMED = 3  # what adds most to the tail, told in words

_WIDE = "(scale('x', datum.x2) - scale('x', datum.x))"  # pixels, in Vega's own words
_LEAST = 34  # pixels that a word needs
_HINT = tip(
    ("path", "path", ""),
    ("kind", "phase", ""),
    ("in", "of the", ""),
    ("ms", "ms", ",.4~g"),
    ("adds", "adds to the tail (ms)", ",.4~g"),
)


class Node(NamedTuple):
    """A step of the tree with all below it, or a phase at its end."""

    words: str
    path: str
    phase: str
    """Empty for a step that has more than one thing below it."""
    depth: int
    start_ms: tuple[float, float]
    """In the middle and in the tail."""
    time_ms: tuple[float, float]


def icicle(entry: EntryPaths) -> Chart:
    """An entry's middle requests above its slow ones, on one scale: what is wider below is what the tail adds."""
    nodes = list(_nodes(entry.times, 0, (0.0, 0.0)))
    by_excess = sorted(entry.times, key=lambda time: (time.middle_ms - time.tail_ms, time.path, time.phase))
    return Chart(
        title=f"Critical paths of {entry.entry}",
        spec=_spec(entry, nodes) if nodes else {},
        table=Table(
            head=("Path", _MIDDLE.capitalize(), _TAIL.capitalize(), "Adds to the tail", "Traces"),
            rows=tuple(
                (
                    path_words(time),
                    formats.ms(time.middle_ms),
                    formats.ms(time.tail_ms),
                    formats.ms(time.tail_ms - time.middle_ms),
                    formats.number(time.traces),
                )
                for time in by_excess
            ),
        ),
        note=_excess(entry, by_excess),
    )


def path_words(time: PathTime) -> str:
    """Where time was spent and with what: `shop › own code`, `shop › DynamoDB Query orders`."""
    of_call = time.phase == "dependency" and time.path
    return _BETWEEN.join(time.path if of_call else (*time.path, _kind(time.phase)[0]))


def _nodes(times: Sequence[PathTime], depth: int, start_ms: tuple[float, float]) -> Iterator[Node]:
    """Rectangles of the steps at a depth, in the order in which a request meets their phases, and of all below them."""
    groups: defaultdict[tuple[str, str], list[PathTime]] = defaultdict(list)
    for time in times:
        groups[(time.path[depth], "") if len(time.path) > depth else ("", time.phase)].append(time)
    for (step, phase), members in sorted(groups.items(), key=_place):
        spent = fsum(m.middle_ms for m in members), fsum(m.tail_ms for m in members)
        whole = not step or (len(members) == 1 and len(members[0].path) == depth + 1)
        node = Node(
            words=step or _kind(phase)[0],
            path=_BETWEEN.join((*members[0].path[:depth], step or _kind(phase)[0])),
            phase=members[0].phase if whole else "",
            depth=depth,
            start_ms=start_ms,
            time_ms=spent,
        )
        yield node
        if not whole:
            yield from _nodes(members, depth + 1, start_ms)
        start_ms = start_ms[0] + spent[0], start_ms[1] + spent[1]


def _place(group: tuple[tuple[str, str], Sequence[PathTime]]) -> tuple[int, float, str]:
    (step, phase), members = group
    at = _ORDER["dependency"] if step else _ORDER.get(phase, len(_ORDER))
    return at, -fsum(max(m.middle_ms, m.tail_ms) for m in members), step or phase


def _spec(entry: EntryPaths, nodes: Sequence[Node]) -> Spec:
    tall = _HEAD + _ROW * (1 + max(node.depth for node in nodes))
    bottom = 2 * tall + _GAP
    found = {node.phase for node in nodes if node.phase}
    phases = sorted(found, key=lambda phase: (_ORDER.get(phase, len(_ORDER)), phase))
    shades = {_kind(phase)[0]: f"{var(_kind(phase)[1])}{_TINT}" for phase in phases}
    where: Spec = {
        "x": amount("x", "Mean time on the path (ms)") | {"axis": {"tickCount": 5, "grid": False}},
        "y": {"field": "y", "type": "quantitative", "scale": {"domain": [0, bottom], "reverse": True}, "axis": None},
    }
    rect = where | {"x2": {"field": "x2"}, "y2": {"field": "y2"}, "tooltip": _HINT}
    legend = colour("kind", shades)
    if legend["legend"]:
        legend |= {"legend": {k: v for k, v in legend["legend"].items() if k not in ("columns", "labelLimit")}}
    layers = [
        layer("rect", rect, fill=var("raised"), stroke=var("edge"), strokeWidth=0.5) | _only("step", equal=True),
        layer("rect", rect | {"color": legend}, stroke=var("paper")) | _only("step", equal=False),
        _labels(where),
        _captions(entry, where, (0, tall + _GAP)),
    ]
    values = [
        _rect(node, band, band * (tall + _GAP) + _HEAD) for band in (0, 1) for node in nodes if node.time_ms[band] > 0
    ]
    return frame(values, layers if any(value["step"] for value in values) else layers[1:], height=bottom)


def _rect(node: Node, band: int, top: int) -> Spec:
    y, time_ms = top + _ROW * node.depth, node.time_ms[band]
    return {
        "words": f"{node.words}, {formats.ms(time_ms)}",
        "path": node.path,
        "step": not node.phase,
        "kind": _kind(node.phase)[0] if node.phase else "all below",
        "in": (_MIDDLE, _TAIL)[band],
        "x": round(node.start_ms[band], 4),
        "x2": round(node.start_ms[band] + time_ms, 4),
        "y": y,
        "y2": y + _ROW,
        "ms": round(time_ms, 4),
        "adds": round(node.time_ms[1] - node.time_ms[0], 4),
    }


def _labels(where: Spec) -> Spec:
    """Words inside their rectangle, cut to its width; none where not even the first would fit."""
    look = {"align": "left", "baseline": "middle", "dx": 5, "dy": _ROW / 2, "fontSize": 11}
    fit = {"limit": {"expr": f"max(1, {_WIDE} - 9)"}, "opacity": {"expr": f"{_WIDE} < {_LEAST} ? 0 : 1"}}
    return layer("text", where | {"text": {"field": "words"}, "tooltip": _HINT}, **look, **fit)


def _captions(entry: EntryPaths, where: Spec, tops: Sequence[int]) -> Spec:
    means = [fsum(time.middle_ms for time in entry.times), fsum(time.tail_ms for time in entry.times)]
    told = [
        {"x": 0, "y": top, "is": f"{words.capitalize()}: {formats.ms(mean)}"}
        for top, words, mean in zip(tops, (_MIDDLE, _TAIL), means, strict=True)
    ]
    look = {"align": "left", "baseline": "middle", "dy": _HEAD / 2, "fontSize": 12, "fontWeight": 600}
    return layer("text", where | {"text": {"field": "is"}}, **look) | {"data": {"values": told}}


def _excess(entry: EntryPaths, by_excess: Sequence[PathTime]) -> str:
    """What the slowest take longer for, the most first."""
    whole = fsum(time.tail_ms - time.middle_ms for time in entry.times)
    most = [time for time in by_excess[:_NAMED] if time.tail_ms - time.middle_ms > whole / 20]
    if whole < 0.05 or not most:
        return ""
    parts = [
        f"{formats.ms(time.tail_ms - time.middle_ms)} {_BETWEEN.join(path_words(time).split(_BETWEEN)[-2:])}"
        for time in most
    ]
    return f"The slowest 5 % take {formats.ms(whole)} longer than the middle: {', '.join(parts)}."


def _only(field: str, *, equal: bool) -> Spec:
    return {"transform": [{"filter": {"field": field, "equal": equal}}]}


def _kind(phase: str) -> tuple[str, str]:
    return _KINDS.get(phase, (phase, "other"))
