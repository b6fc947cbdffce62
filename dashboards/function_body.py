"""Plan -> one dashboard for any function: a variable at its top says which. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

from dashboards import widgets
from dashboards.application_body import ERRORS
from dashboards.palette import SIGNALS, light, signal
from dashboards.watched import axis, description, functions, levels, lines, moments, region, unit, words
from dashboards.widgets import Row, Widget
from monitors import names
from monitors.catalog.tables import CATALOG
from monitors.model import Fact, Plan, Query

FUNCTION = "LOOKOUT_FUNCTION"
"""Stands for the function's name wherever it occurs; the variable's pattern."""

CHOOSE = " · choose a function above"

VARIABLE = {
    "type": "pattern",
    "pattern": FUNCTION,
    "inputType": "select",
    "id": "function",
    "label": "Function",
    "visible": True,
    "defaultValue": "__FIRST",
    "search": '{AWS/Lambda,FunctionName} MetricName="Invocations"',
    "populateFrom": "FunctionName",
}

_LIMITS = (
    ("Duration", "timeout_ms", "timeout"),
    ("MaxMemoryUsed", "memory_mb", "memory size"),
    ("ConcurrentExecutions", "reserved_concurrency", "reserved"),
)
"""Metric, the fact that limits it, and its word."""
_ALWAYS = ("Invocations", "Errors", "Duration", "ConcurrentExecutions", "Throttles")
"""What every function publishes and anyone looks for first, alarm or none."""


def rows(plan: Plan) -> list[Row]:
    """What the plan watches of any function and what one looks for anyway, by signal; nothing without functions."""
    if not functions(plan):
        return []
    place = region(plan)
    graphs = [*_watched(plan)]
    graphs += _unwatched([widget for _, _, widget in graphs], place)
    graphs.sort(key=lambda one: (SIGNALS.index(one[0]), one[1]))
    fleet = names.dashboard(names.FLEET_DASHBOARD, place)
    head = f"## Function {FUNCTION}\n{widgets.link('Fleet', fleet)}{CHOOSE}"
    logs = widgets.logs("Recent errors in its logs", [names.log_group(FUNCTION)], region=place, query=ERRORS)
    return [[widgets.text(head, height=2)], [widget | {"width": 8, "height": 6} for _, _, widget in graphs], [logs]]


def chosen(body: Mapping[str, Any], name: str, plan: Plan) -> dict[str, Any]:
    """The dashboard with this function in the variable's place, its limits and its alarms' levels across the graphs."""
    own = next((one for one in functions(plan) if one.name == name), None)
    told = {description(alarm).title: alarm for alarm in plan.alarms if own and alarm.resource == own.id}
    text = json.dumps(body, ensure_ascii=False).replace(CHOOSE, "").replace(FUNCTION, json.dumps(name)[1:-1])
    made: dict[str, Any] = json.loads(text)
    for widget in made["widgets"]:
        properties = widget["properties"]
        alarm = told.get(properties.get("title", ""))
        across = levels(alarm, description(alarm)) if alarm else []
        across += _limits(widget, own.facts if own else {})
        if properties.get("view") == "timeSeries":
            properties |= widgets.annotations(across, moments(own) if own else [])
    return made


def _limits(widget: Widget, facts: Mapping[str, Fact]) -> list[dict[str, Any]]:
    """What the function's own settings allow of the metrics shown."""
    shown = {query.metric for query in widgets.queries(widget) if query.returned}
    found = [(words, facts.get(fact)) for metric, fact, words in _LIMITS if metric in shown]
    return [
        {"value": limit, "label": f"{words} {limit:,.6g}", "color": light("warn")}
        for words, limit in found
        if isinstance(limit, int | float)
    ]


def _watched(plan: Plan) -> Iterator[tuple[str, str, Widget]]:
    """(signal, title, graph) of each alarm that any function could have."""
    name_of = {one.id: one.name for one in functions(plan)}
    seen: set[tuple[str, ...]] = set()
    own = [one for one in plan.alarms if name_of.get(one.resource)]
    for alarm in sorted(own, key=attrgetter("rule", "name")):
        if (alarm.rule,) in seen:
            continue
        said = description(alarm)
        queries = tuple(_of_any(query, name_of[alarm.resource]) for query in lines(alarm, said))
        if not all(value == FUNCTION for query in queries for _, value in query.dimensions):
            continue  # one function's alias or event source: no other function has it
        shape = (said.title, *(f"{q.namespace} {q.metric} {q.statistic} {q.expression}" for q in queries))
        if shape not in seen:
            seen |= {(alarm.rule,), shape}
            token = signal(" ".join([alarm.rule.partition(".")[2], *(q.metric for q in queries)]))
            yield token, said.title, _graph(said.title, queries, token=token, axis=axis(said), region=region(plan))


def _unwatched(drawn: Iterable[Widget], place: str) -> Iterator[tuple[str, str, Widget]]:
    """(signal, title, graph) of what is always looked for and is not yet the one line of a graph's metric."""
    known = [{one.metric for one in widgets.queries(widget) if one.returned} for widget in drawn]
    found = {one.id: one for one in CATALOG.metrics if one.service == "lambda"}
    for one in (found[name] for name in _ALWAYS if {name} not in known):
        query = Query(
            id="m1",
            namespace=one.namespace,
            metric=one.name,
            dimensions=(("FunctionName", FUNCTION),),
            statistic=one.statistic,
            period_s=60,
        )
        token, title = signal(one.name), words(one.name)
        yield token, title, _graph(title, [query], token=token, axis=unit(one.namespace, one.name), region=place)


def _graph(title: str, queries: Sequence[Query], *, token: str, axis: str, region: str) -> Widget:
    return widgets.graph(title, widgets.metric_rows(_percentiles(queries), token=token), axis=axis, region=region)


def _of_any(query: Query, name: str) -> Query:
    own = tuple((key, FUNCTION if value == name else value) for key, value in query.dimensions)
    return replace(query, dimensions=own)


def _percentiles(queries: Sequence[Query]) -> tuple[Query, ...]:
    """A percentile alone says little: the median stands beside it, and the 99th."""
    if len(queries) != 1 or not re.fullmatch(r"p\d+(\.\d+)?", queries[0].statistic):
        return tuple(queries)
    statistics = sorted({"p50", queries[0].statistic, "p99"}, key=lambda text: float(text[1:]))
    return tuple(replace(queries[0], id=f"m{n}", statistic=one, label=one) for n, one in enumerate(statistics, 1))
