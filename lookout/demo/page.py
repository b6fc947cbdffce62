"""What a run of the demo found -> the records of its front page. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dashboards import charts, formats
from dashboards.summary import (
    AlarmRow,
    CostRow,
    Coverage,
    FunctionRow,
    Link,
    Notice,
    Planted,
    Step,
    Summary,
)
from dashboards.vega import Chart
from infra.local.history.plants import Planted as Fault
from lookout.demo.findings import Evidence
from monitors.cost import Cost
from monitors.coverage import Coverage as Covered
from monitors.describe import parse_description
from monitors.model import Alarm, Plan, Resource, Series, State
from monitors.names import alarm_name, parse_alarm_name

THIN = (
    "every request is traced; Lambda itself traces one a second and 5 % of the rest",
    "memory limits, and CPU by memory size: the memory report stands on generated history of the measured shape",
    "the pace of asynchronous retries, which come after 1 and 2 seconds instead of minutes",
    "the schedule: its function is invoked with the schedule's event, without waiting for it",
    "late data: alarms are evaluated when the demo asks, as at the end of the minute",
    "metrics of SNS, DynamoDB, Step Functions and EventBridge for live traffic; the history has some of theirs",
    "the layer of the toolkit's Lambdas, which use this machine's packages, and CodeDeploy's gradual rollout",
)
"""What the embedded account does not show as AWS would."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Everything a run has to show."""

    generated_s: float
    steps: Sequence[Step]
    plan: Plan
    cost: Cost
    coverage: Covered
    alarms: Mapping[str, Mapping[str, Any]]
    """DescribeAlarms' record of each of the plan's alarms and composites, by name."""
    notices: Sequence[Notice]
    evidence: Evidence
    faults: Sequence[Fault]
    planted: Sequence[Planted]
    errors: Mapping[str, Series]
    invocations: Mapping[str, Series]
    """Hourly, by function."""
    set_off: Sequence[str]
    """Names of the alarms that this run's own traffic has set off."""
    links: Sequence[Link]


def front_page(found: Found) -> Summary:
    """The front page of a run."""
    functions = [one for one in found.plan.fleet.resources if one.service == "lambda"]
    watched = {one.resource for one in found.coverage.resources if one.alarms}
    return Summary(
        title="lookout: the sample fleet",
        generated_s=found.generated_s,
        steps=tuple(found.steps),
        functions=tuple(_function(one, found) for one in functions),
        alarms=tuple(_alarm(name, found) for name in sorted(found.alarms)),
        notices=tuple(found.notices),
        planted=tuple(found.planted),
        costs=tuple(CostRow(what=c.kind, quantity=str(c.quantity), usd_month=c.usd) for c in found.cost.lines),
        coverage=Coverage(
            functions=len(functions),
            functions_covered=sum(one.id in watched for one in functions),
            resources=len(found.coverage.resources),
            resources_covered=len(watched),
            stated=sum(bool(one.reason) for one in found.coverage.resources),
            incomplete=found.plan.fleet.incomplete,
        ),
        thin=THIN,
        charts=_charts(found),
        links=tuple(found.links),
    )


def _function(resource: Resource, found: Found) -> FunctionRow:
    advice = {one.function: one for one in found.evidence.memory.advice}.get(resource.name)
    latency = {one.function: one for one in found.evidence.latency.functions}.get(resource.name)
    own = [alarm for alarm in found.plan.alarms if alarm.resource == resource.id]
    states = [State(found.alarms[alarm.name]["StateValue"]) for alarm in own if alarm.name in found.alarms]
    errors = found.errors.get(resource.name)
    facts = resource.facts
    return FunctionRow(
        function=resource.name,
        facts=f"{facts.get('runtime', '')}, {facts.get('memory_mb')} MB, {facts.get('architecture')}",
        alarms=len(own),
        state=State.ALARM if State.ALARM in states else State.OK if State.OK in states else State.INSUFFICIENT_DATA,
        errors=int(sum(value or 0 for value in errors.values)) if errors else 0,
        p95_ms=latency.response.p95_ms if latency else None,
        memory_used=advice.used_mb / advice.memory_mb if advice else None,
    )


def _alarm(name: str, found: Found) -> AlarmRow:
    record = found.alarms[name]
    rule, resource = parse_alarm_name(name) or ("", name)
    planned = {alarm.name: alarm for alarm in found.plan.alarms}.get(name)
    words = parse_description(record.get("AlarmDescription", ""))
    state = State(record["StateValue"])
    return AlarmRow(
        name=name,
        rule=rule,
        resource=resource,
        title=words.title or rule,
        meaning=words.reason,
        state=state,
        since_s=record["StateUpdatedTimestamp"].timestamp() if state is not State.INSUFFICIENT_DATA else None,
        level=_level(planned) if planned else "any of its alarms that page",
        reason=record.get("StateReason", ""),
        note="Set off by this run's traffic." if name in found.set_off else "",
    )


def _level(alarm: Alarm) -> str:
    sides = [
        f"{word} {formats.number(float(level))}"
        for word, side in (("above", "high"), ("below", "low"))
        if isinstance(level := alarm.evidence.get(side), int | float)
    ]
    return f"{' or '.join(sides)}, {alarm.datapoints} of {alarm.periods}"


def _charts(found: Found) -> tuple[Chart, ...]:
    """The hours of the fortnight: all traffic, and the errors of each function that had an incident."""
    total = _sum(found.invocations.values())
    incidents = [
        fault.resource for fault in found.faults if fault.kind == "incident" and fault.resource in found.errors
    ]
    return (
        charts.lines("Invocations an hour, all functions", total, axis="invocations", signal="traffic"),
        *(
            charts.lines(
                f"Errors an hour, {function}",
                [found.errors[function]],
                axis="errors",
                signal="errors",
                episodes=found.evidence.episodes.get(alarm_name("lambda.errors", function), ()),
            )
            for function in incidents
        ),
    )


def _sum(series: Iterable[Series]) -> list[Series]:
    """All of them as one, if there are any; they lie on one grid, and a gap counts as 0."""
    each = list(series)
    columns = zip(*(one.values for one in each), strict=True)
    values = tuple(sum(value or 0.0 for value in column) for column in columns)
    return [replace(each[0], label="invocations", values=values)] if each else []
