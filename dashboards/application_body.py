"""Plan -> each application's dashboard: its resources in the order in which data flows, each with its metrics. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dashboards import widgets
from dashboards.palette import signal
from dashboards.watched import arns, axis, by_resource, description, heading, levels, lines, region, to_any_function
from dashboards.widgets import Row, Widget
from monitors import names, quotas
from monitors.model import Alarm, CompositeAlarm, Description, Link, Plan, Resource

_DEEPEST = 12  # steps of a data flow told apart; a loop ends here too
_LOGS = "__logs__"
ERRORS = (
    "fields @timestamp, @log, @message | filter @message like /ERROR|Exception|Task timed out/ "
    "| sort @timestamp desc | limit 50"
)
"""Logs Insights: the latest lines that tell of trouble."""

Units = Mapping[str, Sequence[Row]]
"""Resource.id -> its rows, in the order to show them: what stays together when a dashboard is split."""


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


def _units(resources: Sequence[Resource], alarms: Mapping[str, Sequence[Alarm]], plan: Plan) -> Units:
    units: dict[str, Sequence[Row]] = {}
    place = region(plan)
    for resource in resources:
        told = [(alarm, description(alarm)) for alarm in alarms[resource.id]]
        status = alarm_row("Alarms", arns(alarms[resource.id], plan), width=6, height=5)
        head = widgets.text(heading(resource, [said for _, said in told]), height=2)
        units[resource.id] = [[head], [*status, *_graphs(told, place)]]
    groups = sorted({str(one.facts["log_group"]) for one in resources if one.facts.get("log_group")})
    if groups:
        title = "Recent errors in the logs"
        chosen = groups[: quotas.QUERY_LOG_GROUPS]
        logs = widgets.logs(title, chosen, region=place, query=ERRORS)
        units[_LOGS] = [[widgets.text("### Logs")], [logs]]
    return units


def _graphs(told: Iterable[tuple[Alarm, Description]], place: str) -> Iterator[Widget]:
    for alarm, said in told:
        shown = lines(alarm, said)
        token = signal(" ".join([alarm.rule.partition(".")[2], *(q.metric for q in shown)]))
        rows = widgets.metric_rows(shown, token=token)
        yield widgets.graph(said.title, rows, axis=axis(said), region=place, levels=levels(alarm, said))


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
