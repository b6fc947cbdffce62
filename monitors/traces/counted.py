"""Answers about all spans of a window -> counts and percentiles by function and by call, in the report. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import fsum
from typing import Any, NamedTuple

from monitors.traces.aggregate import Weights, window
from monitors.traces.otlp import first
from monitors.traces.report import Counted, EdgeLatency, FunctionLatency, LatencyReport, Quantiles
from monitors.traces.spanquestions import LEVELS
from monitors.traces.weighing import quantiles

Row = Mapping[str, str | None]
"""Column -> value as text; a column without a value may be missing."""
Edge = tuple[str, str, str]
"""(caller, callee, operation) as in EdgeLatency."""
WHOLE = 0.9
"""Of a function's invocations, from which on its spans are taken for all of them; counts of the two are never equal."""
_STARTS, _SERVICE, _FUNCTION, _INSTRUMENTED = range(4)
"""Whose the spans are that tell of a function's invocations, the outermost first; the starts tell of none."""


class Counts(NamedTuple):
    functions: Mapping[str, Counted]
    edges: Mapping[Edge, Counted]


NOTHING = Counts({}, {})


def counts(functions: Iterable[Row], calls: Iterable[Row]) -> Counts:
    """What the rows of the answers to both questions say; a row that names nobody is left out.

    A function's are the spans of one layer, so that an invocation counts once: those of Lambda's service and of its
    tries, of Lambda's function, or of the instrumentation in it; the outermost that has half as many as the fullest.
    """
    layers: defaultdict[str, defaultdict[int, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in functions:
        if name := first(row, ("whose",)):
            layers[name][_layer(row)].append(row)
    edges: defaultdict[Edge, list[Row]] = defaultdict(list)
    for row in calls:
        if edge := _edge(row):
            edges[edge].append(row)
    found = {name: one for name, rows in layers.items() if (one := _function(rows))}
    return Counts(found, {edge: _counted(rows, None) for edge, rows in edges.items()})


def against(counts: Counts, invocations: Weights, *, start_s: float, end_s: float) -> Counts:
    """The counts, with what they are `of` where CloudWatch counted more invocations of a function (WHOLE).

    All spans are all that X-Ray was sent: for a function with active tracing by default the first request of each
    second and 5 % of the others (Lambda Developer Guide, "Visualize Lambda function invocations using AWS X-Ray").
    """
    minutes = range(int(start_s) // 60 * 60, int(end_s), 60)
    parts = {}
    for name, one in counts.functions.items():
        invoked = fsum(invocations(name, minute) or 0.0 for minute in minutes)
        if one.spans < WHOLE * invoked:
            parts[name] = one.spans / invoked
    return Counts(
        {name: _part(one, parts.get(name)) for name, one in counts.functions.items()},
        {edge: _part(one, parts.get(edge[0])) for edge, one in counts.edges.items()},
    )


def _part(one: Counted, share: float | None) -> Counted:
    return replace(one, of=one.spans / share) if share else one


def weighted(traces: Sequence[Mapping[str, Any]], counts: Counts) -> list[Mapping[str, Any]]:
    """The traces, each with its `Weights` (see aggregate.window): the spans counted of a function ÷ its requests read.

    For traces of which each was as likely to be read: then it is what a request stands for, and no minute's few
    requests are taken for all of the minute's. Functions that are not counted, or only in part, have none.
    """
    spans = {name: one.spans for name, one in counts.functions.items() if one.of is None}
    read = window(traces, paths=False).requests if spans else {}
    told = {name: spans[name] / len(found) for name, found in read.items() if name in spans}
    return [{**trace, "Weights": told} for trace in traces]


def with_counts(report: LatencyReport, now: Counts, before: Counts) -> LatencyReport:
    """The report with what all spans of its window, and of the one before, say of each function and call.

    Their requests, percentiles and faults are then those of all spans, unless these are but a part `of` the requests;
    phases, tails, cold starts and examples stay those of the traces read. A function of which none was read is there
    as well; so is a call, unless its caller's traces tell of one to somebody else by the same operation, which may be
    it under the name of who answered.
    """
    read = {one.function: one for one in report.functions}
    told = {(one.caller, one.callee, one.operation): one for one in report.edges}
    otherwise = {(caller, operation) for caller, _, operation in told.keys() - now.edges.keys()}
    new = {edge for edge in now.edges.keys() - told.keys() if (edge[0], edge[2]) not in otherwise}
    return replace(
        report,
        functions=tuple(
            _with_function(read.get(name) or _unread(name, now), now, before)
            for name in sorted(read.keys() | now.functions.keys())
        ),
        edges=tuple(
            _with_edge(told.get(edge) or _unread_call(edge, now), now, before) for edge in sorted(told.keys() | new)
        ),
    )


def _layer(row: Row) -> int:
    if _number(row, "begun"):
        return _STARTS
    if _number(row, "tried") or row.get("origin") == "AWS::Lambda":
        return _SERVICE
    return _FUNCTION if row.get("origin") else _INSTRUMENTED


def _function(layers: Mapping[int, Sequence[Row]]) -> Counted | None:
    sizes = {layer: _sum(rows, "spans") for layer, rows in sorted(layers.items()) if layer != _STARTS}
    if not sizes:
        return None
    layer = next(layer for layer, size in sizes.items() if 2 * size >= max(sizes.values()))
    said = _sum(layers[layer], "colds") or None
    return _counted(layers[layer], said if layer == _INSTRUMENTED else _sum(layers.get(_STARTS, ()), "spans"))


def _edge(row: Row) -> Edge | None:
    """As monitors/traces/requests.py names a call of the same span, if nothing in the trace tells who answered."""
    caller, called = first(row, ("whose",)), first(row, ("called",))
    if not caller or not called:
        return None
    function = row.get("invoked") or ""
    resource = function.split(":")[6] if function.count(":") > 5 else function.partition(":")[0]
    resource = resource or (row.get("resource") or "").rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    resource = resource or row.get("identifier") or ""
    operation = (row.get("operation") or "").rsplit("/", 1)[-1]
    service = called.removeprefix("AWS.SDK.").removeprefix("AWS::")
    callee = resource if operation == "Invoke" and resource else " ".join(filter(None, (service, resource)))
    return caller, callee, operation or row.get("method") or ""


def _counted(rows: Sequence[Row], cold: int | None) -> Counted:
    """The rows of one function or call together; percentiles of several are at most those between two of a row's."""
    steps = (0.0, *LEVELS.values(), 1.0)
    weights = [high - low for low, high in pairwise(steps)]
    names = (*LEVELS, "worst")
    pairs = [
        (_number(row, name), weight * _number(row, "spans"))
        for row in rows
        for name, weight in zip(names, weights, strict=True)
    ]
    p50, p90, p95, p99, worst = (value / 1e6 for value in quantiles(pairs, (*LEVELS.values(), 1.0)))
    return Counted(
        spans=_sum(rows, "spans"),
        faults=_sum(rows, "faults"),
        errors=_sum(rows, "errors"),
        throttles=_sum(rows, "throttles"),
        cold=cold,
        p50_ms=p50,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        max_ms=worst,
    )


def _sum(rows: Iterable[Row], column: str) -> int:
    return round(sum(_number(row, column) for row in rows))


def _number(row: Row, column: str) -> float:
    return float(row.get(column) or 0)


def _with_function(one: FunctionLatency, now: Counts, before: Counts) -> FunctionLatency:
    if figures := _figures(now.functions.get(one.function)):
        one = replace(one, requests=figures.spans, response=_response(figures), fault_share=_failed(figures))
    return replace(one, counted=now.functions.get(one.function), counted_before=before.functions.get(one.function))


def _with_edge(one: EdgeLatency, now: Counts, before: Counts) -> EdgeLatency:
    edge = one.caller, one.callee, one.operation
    if figures := _figures(now.edges.get(edge)):
        one = replace(one, calls=figures.spans, response=_response(figures), fault_share=_lost(figures))
    return replace(one, counted=now.edges.get(edge), counted_before=before.edges.get(edge))


def _figures(counted: Counted | None) -> Counted | None:
    """What takes the place of what was read: the count, unless it is but of a part."""
    return counted if counted and counted.of is None else None


def _unread(name: str, now: Counts) -> FunctionLatency:
    """A function of which no trace was read."""
    counted = now.functions[name]
    return FunctionLatency(
        function=name,
        traces=0,
        requests=counted.of or counted.spans,
        response=_response(counted),
        cold_share=min(1.0, (counted.cold or 0) / counted.spans),
        tail_cold_share=0.0,
        fault_share=_failed(counted),
        phases=(),
        exemplars=(),
    )


def _unread_call(edge: Edge, now: Counts) -> EdgeLatency:
    counted = now.edges[edge]
    caller, callee, operation = edge
    return EdgeLatency(
        caller=caller,
        callee=callee,
        operation=operation,
        calls=counted.spans,
        response=_response(counted),
        fault_share=_lost(counted),
    )


def _response(counted: Counted) -> Quantiles:
    return Quantiles(p50_ms=counted.p50_ms, p95_ms=counted.p95_ms, p99_ms=counted.p99_ms)


def _failed(counted: Counted) -> float:
    return (counted.faults + counted.errors) / counted.spans


def _lost(counted: Counted) -> float:
    """Of calls, those that were not answered: another's complaint about them is an answer."""
    return (counted.faults + counted.throttles) / counted.spans
