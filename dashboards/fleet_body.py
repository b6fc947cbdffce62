"""Plan -> the fleet's dashboard: what is on, how the whole does, who is worst. Pure.

Rankings are Metrics Insights queries, so that a function made tomorrow is in them; percentiles, which those
don't know, are SEARCH expressions, up to the 500 series that a search returns ("Metrics Insights query
components and syntax" and "Using search expressions in graphs", Amazon CloudWatch User Guide).
"""

import math
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from dashboards import widgets
from dashboards.application_body import alarm_row
from dashboards.formats import rounded
from dashboards.palette import SIGNALS, signal
from dashboards.watched import (
    arns,
    axis,
    description,
    functions,
    levels,
    region,
    service_title,
    to_any_function,
    unit,
    words,
)
from dashboards.widgets import Row, Widget
from monitors import names, quotas
from monitors.catalog.rows import hold
from monitors.catalog.tables import CATALOG
from monitors.cost import cost_lines
from monitors.model import Plan, Query, Severity
from monitors.wide import FUNCTIONS, select

_ALWAYS = ("EstimatedCost",)
"""Metrics that are ranked whether alarms watch them or not, where any resource publishes them."""
_SEARCHED = 500
_HIGHEST = 10
_PERIOD_S = 300
_ALARM_WIDGETS = 20
_LINKS = 50
_STATISTICS = {
    "Sum": "in total",
    "Average": "average",
    "Maximum": "highest",
    "Minimum": "lowest",
    "SampleCount": "count",
}
_GOLDEN = {"traffic": 1, "errors": 1, "latency": 1, "saturation": 3}


class _Ranked(NamedTuple):
    service: str
    namespace: str
    metric: str
    dimensions: tuple[str, ...]
    statistic: str


def rows(plan: Plan) -> list[Row]:
    """Head, alarms that are on, golden signals of the account, then a block of rankings for each service watched."""
    watched = Counter({_Ranked(*one): count for one, count in Counter(_watched(plan)).items()})
    services = [one.id for one in CATALOG.services]
    known = sorted({one.service for one in watched}, key=lambda s: (services.index(s) if s in services else 99, s))
    found = [_head(plan), _alarms(plan), _golden(watched, plan), _wide(plan)]
    for service in known:
        own = sorted((one for one in watched if one.service == service), key=_by_signal)
        ranked = f": the highest {_HIGHEST}" if any(one.dimensions for one in own) else ""
        found.append([widgets.text(f"### {widgets.markdown(service_title(service))}{ranked}")])
        found.append([_ranking(one, watched[one], plan) for one in own])
    return [row for row in found if row]


def _head(plan: Plan) -> Row:
    place = region(plan)
    applications = sorted({one.application for one in plan.fleet.resources}) if plan.application_dashboards else []
    links = to_any_function(plan)
    links += [
        widgets.link(one or "No application", names.application_dashboard(one, place)) for one in applications[:_LINKS]
    ]
    missing = [f"Not read: {widgets.markdown(one)}" for one in plan.fleet.incomplete[:5]]
    lines = [f"## Fleet\n{' · '.join(links)}", _watching(plan), *missing]
    return [widgets.text("\n\n".join(lines), height=2 + len(lines))]


def _watching(plan: Plan) -> str:
    """How much is watched, and for how much; in round numbers, so that one function more changes nothing here."""
    watched = {resource for alarm in plan.alarms for resource in alarm.covers or (alarm.resource,)}
    covered = sum(one.id in watched for one in functions(plan))
    alarms = len(plan.alarms) + len(plan.composites)
    usd = sum(line.list_usd for line in cost_lines(plan))
    return (
        f"{rounded(covered)} of {rounded(len(functions(plan)))} functions are covered, by {rounded(alarms)} alarms on "
        f"them and all that feeds them, for about USD {rounded(usd)} a month at list price, dashboards not counted."
    )


def _alarms(plan: Plan) -> Row:
    """What is on, of all alarms; of so many that there is no room, of those in no application. Then health."""
    room = _ALARM_WIDGETS * quotas.ALARM_WIDGET_ALARMS
    if len(plan.alarms) + len(plan.composites) <= room:
        first, health = [*plan.alarms], [*plan.composites]
        title = "On now"
    else:
        health = [one for one in plan.composites if one.resource.startswith(names.APPLICATION)][: room // 2]
        alone = {one.id for one in plan.fleet.resources if not one.application} | {names.FLEET}
        first = [one for one in plan.alarms if one.resource in alone and one.severity is Severity.PAGE][: room // 2]
        title = "On now, of what pages in no application"
    width = widgets.COLUMNS // min(3, max(1, math.ceil(len(first) / quotas.ALARM_WIDGET_ALARMS)))
    on = alarm_row(title, arns(first, plan), width=width, height=4, only_on=True)
    return [*on, *alarm_row("Health", arns(health, plan), width=24, height=4)]


def _wide(plan: Plan) -> Row:
    """What one alarm watches for all, each resource a line."""
    return [
        widgets.graph(
            said.title,
            widgets.metric_rows(alarm.queries, token=signal(alarm.rule.partition(".")[2])),
            axis=axis(said),
            region=region(plan),
            levels=levels(alarm, said),
        )
        for alarm in plan.alarms
        if alarm.covers
        for said in (description(alarm),)
    ]


def _golden(watched: Counter[_Ranked], plan: Plan) -> Row:
    whole = {(one.namespace, one.name): one for one in CATALOG.metrics if not one.dimensions}
    found = {(one.namespace, one.metric): one for one in watched if (one.namespace, one.metric) in whole}
    most = sorted(found.values(), key=lambda one: (-watched[one], one.metric))
    chosen = [
        one for name, limit in _GOLDEN.items() for one in [one for one in most if signal(one.metric) == name][:limit]
    ]
    width = widgets.COLUMNS // max(1, len(chosen))
    return [
        widgets.number(
            words(one.metric),
            widgets.metric_rows([_whole(one)], token=signal(one.metric)),
            region=region(plan),
            width=width,
        )
        for one in chosen
    ]


def _whole(one: _Ranked) -> Query:
    return Query(
        id="m1",
        namespace=one.namespace,
        metric=one.metric,
        statistic=one.statistic,
        period_s=_PERIOD_S,
        label=f"{one.statistic} in 5 minutes",
    )


def _watched(plan: Plan) -> Iterator[tuple[str, str, str, tuple[str, ...], str]]:
    """The fields of a _Ranked for each time that one is watched: of a fleet, tens of thousands of times."""
    service_of = {one.id: one.service for one in plan.fleet.resources}
    for alarm in plan.alarms:
        for query in alarm.queries:
            if query.metric and alarm.resource in service_of:
                keys = tuple([key for key, _ in query.dimensions])
                yield service_of[alarm.resource], query.namespace, query.metric, keys, query.statistic
    for row in (one for one in CATALOG.metrics if one.id in _ALWAYS):
        if any(one.service == row.service and hold(row.when, one.facts) for one in plan.fleet.resources):
            yield row.service, row.namespace, row.name, tuple(key for key, _ in row.dimensions), row.statistic


def _by_signal(one: _Ranked) -> tuple[int, str, str]:
    return SIGNALS.index(signal(one.metric)), one.metric, one.statistic


def _ranking(one: _Ranked, count: int, plan: Plan) -> Widget:
    total = one.statistic == "Sum"
    if not one.dimensions:
        rows = widgets.metric_rows([_whole(one)], token=signal(one.metric))
    else:
        rows = [widgets.expression_row(_expression(one, count), label="", period_s=_PERIOD_S)]
    title = f"{words(one.metric)}, {_STATISTICS.get(one.statistic, one.statistic)}"
    return widgets.ranking(title, rows, axis=unit(one.namespace, one.metric), region=region(plan), total=total)


def _expression(one: _Ranked, count: int) -> str:
    function = FUNCTIONS.get(one.statistic)
    if function is None and count <= _SEARCHED:
        schema = ",".join([one.namespace, *one.dimensions])
        search = f"SEARCH('{{{schema}}} MetricName=\"{one.metric}\"', '{one.statistic}', {_PERIOD_S})"
        return f"SORT({search}, MAX, DESC, {_HIGHEST})"
    return select(one.namespace, one.metric, one.dimensions, function=function or "MAX", limit=_HIGHEST)
