"""Plan -> each application's dashboard: its resources in the order in which data flows, each with its metrics. Pure.

What has one level for several resources is one graph with a line each, before them: there the odd one out shows, and
twenty-five functions do not take twenty-five graphs of timeouts that never happen.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from dashboards import widgets
from dashboards.palette import signal
from dashboards.watched import (
    arn_start,
    arns,
    axis,
    by_resource,
    description,
    heading,
    levels,
    lines,
    moments,
    region,
    service_title,
    to_any_function,
)
from dashboards.widgets import Row, Widget
from monitors import names, quotas
from monitors.catalog.objectives import BUDGET, LONGEST
from monitors.catalog.tables import CATALOG
from monitors.model import Alarm, CompositeAlarm, Description, Link, Plan, Query, Resource

_DEEPEST = 12  # steps of a data flow told apart; a loop ends here too
_LOGS = "__logs__"
ERRORS = (
    "fields @timestamp, @log, @message | filter @message like /ERROR|Exception|Task timed out/ "
    "| sort @timestamp desc | limit 50"
)
"""Logs Insights: the latest lines that tell of trouble."""

_LEFT = "good"
_NUMBER = "\0"
"""Stands where a number is to be put in."""
_MOST_LINES = 50
"""Lines of one graph that can still be told apart, with the legend's help."""


class _Told(NamedTuple):
    """An alarm as a graph shows it."""

    alarm: Alarm
    service: str
    said: Description
    shown: Sequence[Query]
    level: int
    """Alarms for which this is the same may stand in one graph."""


class Unit(NamedTuple):
    """A resource on the dashboard: what stays together when a dashboard is split."""

    head: Row
    first: Row
    """What stands before its graphs."""
    service: str = ""
    told: Sequence[_Told] = ()
    moments: Sequence[dict[str, Any]] = ()
    """What stands upright in the graphs that are its alone."""
    levels: Sequence[int] = ()
    """Of what is told."""
    metrics: int = 0
    """How many it shows in all."""


Units = Mapping[str, Unit]
"""By Resource.id, in the order to show them."""


def applications(plan: Plan) -> Iterator[tuple[str, Row, Units]]:
    """(application, head, units), of resources that have alarms; the empty name has those of no application."""
    alarms = by_resource(plan)
    healths: dict[str, list[CompositeAlarm]] = defaultdict(list)
    for one in plan.composites:
        healths[one.resource].append(one)
    members: dict[str, list[Resource]] = defaultdict(list)
    for resource in plan.fleet.resources:
        if resource.id in alarms:
            members[resource.application].append(resource)
    order = _depths(plan.fleet.links)
    links = [widgets.link("Fleet", names.dashboard(names.FLEET_DASHBOARD, region(plan))), *to_any_function(plan)]
    for application, resources in sorted(members.items()):
        head = _head(application, links, healths[f"{names.APPLICATION}{application}"], plan)
        yield application, head, _units(_sorted(resources, order), alarms, plan)


def alarm_row(title: str, alarms: Iterable[str], *, width: int, height: int, only_on: bool = False) -> Row:
    """Alarm status widgets for these ARNs, 100 in each."""
    arns, most = sorted(alarms), quotas.ALARM_WIDGET_ALARMS
    chunks = [arns[n : n + most] for n in range(0, len(arns), most)]
    return [
        widgets.alarms(
            f"{title} ({number} of {len(chunks)})" if len(chunks) > 1 else title,
            chunk,
            states=["ALARM"] if only_on else [],
            width=width,
            height=height,
        )
        for number, chunk in enumerate(chunks, 1)
    ]


def _head(application: str, links: Sequence[str], own: Sequence[CompositeAlarm], plan: Plan) -> Row:
    title = f"## {widgets.markdown(application) or 'Resources of no application'}"
    said = widgets.text(f"{title}\n{' · '.join(links)}", height=2)
    return [said, *alarm_row("Health", arns(own, plan), width=24, height=2)]


def section_rows(units: Iterable[Unit], place: str) -> list[Row]:
    """The rows of these resources, after the graphs that several of them share."""
    known = [*units]
    shared = {level: own for level, own in _by_level(known).items() if _several(own)}
    rows: list[Row] = []
    for service in sorted({unit.service for unit in known}, key=_catalog_order):
        graphs = [graph for own in shared.values() if own[0].service == service for graph in _together(own, place)]
        if graphs:
            about = f"### {service_title(service)}: side by side\nWhere several have one level, a line each."
            rows += [[widgets.text(about, height=2)], graphs]
    for unit in known:
        alone = [one for one in unit.told if one.level not in shared]
        graphs = [_graph(one, widgets.metric_rows(one.shown, token=_token(one)), place, unit.moments) for one in alone]
        rows += [unit.head, [*unit.first, *graphs]]
    return rows


def _catalog_order(service: str) -> tuple[int, str]:
    known = [one.id for one in CATALOG.services]
    return known.index(service) if service in known else len(known), service


def size(units: Iterable[Unit]) -> tuple[int, int]:
    """How many widgets and metrics `section_rows` makes of these resources, without making them."""
    known = [*units]
    alarms = Counter(chain.from_iterable([unit.levels for unit in known]))
    homes = Counter(chain.from_iterable([{*unit.levels} for unit in known]))
    graphs = sum(_chunks(count) if homes[level] > 1 else count for level, count in alarms.items())
    services = len({unit.service for unit in known})
    others = sum([len(unit.head) + len(unit.first) for unit in known])
    return others + graphs + services, sum([unit.metrics for unit in known])


def _by_level(units: Iterable[Unit]) -> Mapping[int, list[_Told]]:
    found: dict[int, list[_Told]] = defaultdict(list)
    for unit in units:
        for one in unit.told:
            found[one.level].append(one)
    return found


def _several(own: Sequence[_Told]) -> bool:
    return any(one.alarm.resource != own[0].alarm.resource for one in own)


def _chunks(alarms: int) -> int:
    return -(-alarms // _MOST_LINES)


def _together(own: Sequence[_Told], place: str) -> Iterator[Widget]:
    """A graph of all these alarms, or of 50 each."""
    for number in range(_chunks(len(own))):
        told = own[number * _MOST_LINES : (number + 1) * _MOST_LINES]
        rows = widgets.metric_rows([query for one in told for query in one.shown], token=_token(told[0]))
        _rename(rows, told)
        which = f" ({number + 1} of {_chunks(len(own))})" if len(own) > _MOST_LINES else ""
        first = told[0]._replace(said=replace(told[0].said, title=f"{told[0].said.title}{which}"))
        yield _graph(first, rows, place) | {"width": 8, "height": 6}


def _rename(rows: Iterable[list[Any]], told: Sequence[_Told]) -> None:
    """Give the lines of each alarm ids that no other's have, and call them what the alarm calls its resource.

    In place: the rows were just made, of a fleet there are tens of thousands, and renamed queries take twice as long.
    """
    looks = iter([row[-1] for row in rows])
    start = names.alarm_name(told[0].alarm.rule, "")
    for number, one in enumerate(told):
        subject = one.alarm.name.removeprefix(start) or one.alarm.name
        for query in one.shown:
            look = next(looks)
            look["id"] = f"{query.id}_{number}"
            if query.returned:
                look["label"] = subject
            if query.expression:
                ids = tuple([each.id for each in one.shown])
                look["expression"] = _numbered(query.expression, ids).replace(_NUMBER, str(number))


@lru_cache(maxsize=1024)
def _numbered(expression: str, ids: tuple[str, ...]) -> str:
    """The expression with room for a number after each of the ids."""
    return re.sub(rf"\b({'|'.join(ids)})\b", rf"\1_{_NUMBER}", expression)


def _token(one: _Told) -> str:
    return signal(" ".join([one.alarm.rule.partition(".")[2], *(q.metric for q in one.shown if q.metric)]))


def _graph(one: _Told, rows: Sequence[list[Any]], place: str, moments: Sequence[dict[str, Any]] = ()) -> Widget:
    across = levels(one.alarm, one.said)
    return widgets.graph(one.said.title, rows, axis=axis(one.said), region=place, levels=across, moments=moments)


def _budget(resource: Resource, alarms: Sequence[Alarm], place: str) -> Row:
    """What is left of the error budget, by the metrics of the alarms on how fast it is spent."""
    allowed = resource.facts.get(BUDGET)
    if not isinstance(allowed, int | float):
        return []
    burning = next((one for one in alarms if one.rule.endswith(LONGEST) and len(one.queries) > 1), None)
    if burning is None:
        return []
    failed, whole = (replace(one, period_s=widgets.MONTH_S, returned=False) for one in burning.queries[:2])
    left = f"IF({whole.id}>0,100-100*(100*{failed.id}/{whole.id})/{allowed:g})"
    line = Query(id="left", expression=left, period_s=widgets.MONTH_S, label=f"% left, of {allowed:g} % of requests")
    rows = widgets.metric_rows([failed, whole, line], token=_LEFT)
    return [widgets.budget("Error budget left, 30 days", rows, region=place)]


def _units(resources: Sequence[Resource], alarms: Mapping[str, Sequence[Alarm]], plan: Plan) -> Units:
    units: dict[str, Unit] = {}
    known: dict[tuple[object, ...], int] = {}
    start, place = arn_start(plan), region(plan)
    for resource in resources:
        told = [_told(alarm, resource.service, known) for alarm in alarms[resource.id]]
        status = alarm_row("Alarms", [start + one.name for one in alarms[resource.id]], width=6, height=5)
        head = widgets.text(heading(resource, [one.said for one in told]), height=2)
        first = [*status, *_budget(resource, alarms[resource.id], place)]
        metrics = sum([len(one.shown) for one in told]) + sum(map(widgets.metric_count, first))
        at = [one.level for one in told]
        units[resource.id] = Unit([head], first, resource.service, told, moments(resource), at, metrics)
    groups = sorted({str(one.facts["log_group"]) for one in resources if one.facts.get("log_group")})
    if groups:
        title = "Recent errors in the logs"
        logs = widgets.logs(title, groups[: quotas.QUERY_LOG_GROUPS], region=place, query=ERRORS)
        units[_LOGS] = Unit([widgets.text("### Logs")], [logs])
    return units


def _told(alarm: Alarm, service: str, known: dict[tuple[object, ...], int]) -> _Told:
    """The alarm, its level numbered as it comes up among those known."""
    said = description(alarm)
    shown = lines(alarm, said)
    how = tuple([(query.metric, query.statistic, query.period_s, query.expression) for query in shown])
    level = (service, alarm.rule, said.high, said.low, alarm.threshold, how)
    return _Told(alarm, service, said, shown, known.setdefault(level, len(known)))


def _depths(links: Iterable[Link]) -> Mapping[str, int]:
    depths: dict[str, int] = defaultdict(int)
    for _ in range(_DEEPEST):
        moved = False
        for link in links:
            deeper = min(depths[link.source] + 1, _DEEPEST)
            if deeper > depths[link.target]:
                depths[link.target], moved = deeper, True
        if not moved:
            break
    return depths


def _sorted(resources: Iterable[Resource], depths: Mapping[str, int]) -> list[Resource]:
    return sorted(resources, key=lambda one: (depths.get(one.id, 0), one.service, one.name, one.id))
