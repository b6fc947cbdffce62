"""Plan -> one dashboard for any function: a variable at its top says which. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dashboards import widgets
from dashboards.application_body import ERRORS
from dashboards.palette import signal
from dashboards.watched import axis, description, lines, region
from dashboards.widgets import Row, Widget
from monitors import names
from monitors.model import Plan, Query

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

_SIGNALS = ("traffic", "errors", "latency", "saturation")


def rows(plan: Plan) -> list[Row]:
    """Everything that the plan watches of any function, by signal; nothing if it watches no function."""
    graphs = sorted(_graphs(plan), key=lambda one: (_SIGNALS.index(one[0]), one[1]))
    if not graphs:
        return []
    place = region(plan)
    fleet = names.dashboard(names.FLEET_DASHBOARD, place)
    head = f"## Function {FUNCTION}\n{widgets.link('Fleet', fleet)}{CHOOSE}"
    logs = widgets.logs("Recent errors in its logs", [names.log_group(FUNCTION)], region=place, query=ERRORS)
    return [[widgets.text(head, height=2)], [widget | {"width": 8, "height": 6} for _, _, widget in graphs], [logs]]


def _graphs(plan: Plan) -> Iterator[tuple[str, str, Widget]]:
    functions = {one.id: one.name for one in plan.fleet.resources if one.service == "lambda"}
    seen: set[tuple[str, ...]] = set()
    for alarm in sorted(plan.alarms, key=lambda one: (one.rule, one.name)):
        name = functions.get(alarm.resource)
        if not name or (alarm.rule,) in seen:
            continue
        said = description(alarm)
        queries = tuple(_of_any(query, name) for query in lines(alarm, said))
        if not all(value == FUNCTION for query in queries for _, value in query.dimensions):
            continue  # one function's alias or event source: no other function has it
        shape = (said.title, *(f"{q.namespace} {q.metric} {q.statistic} {q.expression}" for q in queries))
        if shape not in seen:
            seen |= {(alarm.rule,), shape}
            token = signal(" ".join([alarm.rule.partition(".")[2], *(q.metric for q in queries)]))
            rows = widgets.metric_rows(_percentiles(queries), token=token)
            yield token, said.title, widgets.graph(said.title, rows, axis=axis(said), region=region(plan))


def _of_any(query: Query, name: str | None) -> Query:
    own = tuple((key, FUNCTION if value == name else value) for key, value in query.dimensions)
    return replace(query, dimensions=own)


def _percentiles(queries: Sequence[Query]) -> tuple[Query, ...]:
    """A percentile alone says little: the median stands beside it, and the 99th."""
    if len(queries) != 1 or not re.fullmatch(r"p\d+(\.\d+)?", queries[0].statistic):
        return tuple(queries)
    statistics = sorted({"p50", queries[0].statistic, "p99"}, key=lambda text: float(text[1:]))
    return tuple(replace(queries[0], id=f"m{n}", statistic=one, label=one) for n, one in enumerate(statistics, 1))
