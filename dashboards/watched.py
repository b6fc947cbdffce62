"""What dashboards read out of a plan: an alarm's lines, levels and words; a resource's alarms and facts. Pure."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any

from dashboards.formats import link, ms
from dashboards.palette import light
from dashboards.widgets import ACCOUNT, PARTITION, REGION, markdown
from dashboards.widgets import link as dashboard_link
from monitors import names
from monitors.catalog.tables import CATALOG
from monitors.model import Alarm, CompositeAlarm, Description, Plan, Query, Resource

_FACTS: tuple[tuple[str, Callable[[Any], str]], ...] = (
    ("runtime", str),
    ("memory_mb", lambda mb: f"{mb} MB"),
    ("timeout_ms", lambda value: f"timeout {value if isinstance(value, str) else ms(value)}"),
    ("schedule", str),
)


def region(plan: Plan) -> str:
    """The Region that the plan is for, or CloudFormation's word for it."""
    return next((one.region for one in plan.fleet.resources if one.region), REGION)


def functions(plan: Plan) -> list[Resource]:
    """The fleet's Lambda functions; where there is none, there is no dashboard for any of them."""
    return [one for one in plan.fleet.resources if one.service == "lambda"]


def to_any_function(plan: Plan) -> list[str]:
    """The link to the dashboard for any function, if there is one."""
    dashboard = names.dashboard(names.FUNCTION_DASHBOARD, region(plan))
    return [dashboard_link("Any function", dashboard)] if functions(plan) else []


def arns(alarms: Iterable[Alarm | CompositeAlarm], plan: Plan) -> list[str]:
    """The alarms' ARNs, as alarm widgets want them."""
    start = arn_start(plan)
    return [start + one.name for one in alarms]


def arn_start(plan: Plan) -> str:
    """What comes before an alarm's name in its ARN."""
    account = next((one.account for one in plan.fleet.resources if one.account), ACCOUNT)
    own = next((one.id.split(":")[1] for one in plan.fleet.resources if one.id.startswith("arn:")), PARTITION)
    return f"arn:{own}:cloudwatch:{region(plan)}:{account}:alarm:"


def by_resource(plan: Plan) -> dict[str, list[Alarm]]:
    """Resource.id -> its alarms, by name."""
    found: dict[str, list[Alarm]] = defaultdict(list)
    for alarm in sorted(plan.alarms, key=attrgetter("name")):
        found[alarm.resource].append(alarm)
    return found


def lines(alarm: Alarm, said: Description) -> tuple[Query, ...]:
    """The queries that show what is judged. An alarm on both sides returns only 0 or 1: the line before it is shown."""
    if said.high is None or said.low is None or len(alarm.queries) < 2:
        return alarm.queries
    *before, judged, _ = alarm.queries
    return (*before, replace(judged, returned=True))


def levels(alarm: Alarm, said: Description) -> list[dict[str, Any]]:
    """The alarm's levels as horizontal annotations; its threshold where the description is not ours."""
    sides = [("above", said.high), ("below", said.low)]
    known = [(words, level) for words, level in sides if level is not None] or [("level", alarm.threshold)]
    return [{"value": level, "label": f"{words} {level:,.6g}", "color": light("bad")} for words, level in known]


def moments(resource: Resource) -> list[dict[str, Any]]:
    """When the resource's code or settings last changed, as a vertical annotation; nothing where that isn't known."""
    changed = resource.facts.get("modified")
    return [{"value": changed, "label": f"changed: {resource.name}", "color": light("accent")}] if changed else []


def description(alarm: Alarm) -> Description:
    """Its description, with the metric's name where it has no title."""
    said = alarm.description
    return said if said.title else replace(said, title=next((q.metric for q in alarm.queries if q.metric), alarm.rule))


def axis(said: Description) -> str:
    """The y axis in words; a unit such as `a minute` says nothing without its subject."""
    return f"{said.title} {said.unit}" if said.unit.startswith(("a ", "an ")) else said.unit or said.title


def service_title(service: str) -> str:
    """`Lambda function`; the id itself for a service that is not in the catalog."""
    return _TITLES.get(service, service)


def unit(namespace: str, metric: str) -> str:
    """The metric's unit by the catalog; its own name if it has none."""
    found = _UNITS.get((namespace, metric), "None")
    return metric if found == "None" else found


def words(metric: str) -> str:
    """`Claimed Account Concurrency`: a long name has to wrap somewhere."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", metric)


def heading(resource: Resource, said: Iterable[Description]) -> str:
    """`### shop-payment` with its kind, facts and runbooks, as Markdown."""
    facts = [tell(resource.facts[fact]) for fact, tell in _FACTS if resource.facts.get(fact)]
    books = {
        one.title: one.runbook
        for one in said
        if one.runbook.startswith("https://") and link(one.runbook) and ">" not in one.runbook
    }
    runbooks = [f"[{markdown(title)}](<{book}>)" for title, book in books.items()]
    about = " · ".join([markdown(service_title(resource.service)), *map(markdown, facts)])
    about += f" · Runbooks: {', '.join(runbooks)}" if runbooks else ""
    return f"### {markdown(resource.name or resource.id)}\n{about}"


_TITLES: Mapping[str, str] = {one.id: one.title for one in CATALOG.services}
_UNITS: Mapping[tuple[str, str], str] = {(one.namespace, one.name): one.unit for one in CATALOG.metrics}
