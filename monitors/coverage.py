"""Fleet x Plan -> what each resource's alarms are, or why it has none; and alarms that can never fire. Pure.

An alarm is dead if no resource publishes its metric under its dimensions. With missing data as notBreaching it looks
OK for ever.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from monitors.catalog.rows import (
    ANY,
    Catalog,
    Dimensions,
    Metric,
    Service,
    condition_text,
    dimension_sets,
    holds,
)
from monitors.catalog.tables import CATALOG
from monitors.model import Alarm, Finding, Fleet, Plan, Query, Resource


@dataclass(frozen=True, kw_only=True, slots=True)
class Covered:
    """What watches a resource."""

    resource: str
    """Resource.id"""
    alarms: tuple[str, ...]
    reason: str = ""
    """Why there is no alarm; empty if there is one, or no reason."""

    @property
    def ok(self) -> bool:
        return bool(self.alarms or self.reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    resources: tuple[Covered, ...]
    findings: tuple[Finding, ...]
    """What is uncovered without a reason, and what is dead."""


def coverage(plan: Plan, *, catalog: Catalog = CATALOG) -> Coverage:
    """Every resource of the plan's fleet but those that watch others, in its order, and what is wrong."""
    alarms: dict[str, list[str]] = defaultdict(list)
    for alarm in plan.alarms:
        for resource in alarm.covers or (alarm.resource,):
            alarms[resource].append(alarm.name)
    notes: dict[str, list[Finding]] = defaultdict(list)
    for note in plan.notes:
        notes[note.resource].append(note)
    services = {one.id: one for one in catalog.services}
    watched = [one for one in plan.fleet.resources if not (one.service in services and services[one.service].watches)]
    covered = tuple(
        Covered(
            resource=one.id,
            alarms=tuple(alarms[one.id]),
            reason="" if alarms[one.id] else _reason(services.get(one.service), notes[one.id]),
        )
        for one in watched
    )
    uncovered = tuple(
        Finding(
            kind="uncovered", resource=own.resource, title=f"{one.service} {one.name} has no alarm, and no reason why"
        )
        for one, own in zip(watched, covered, strict=True)
        if not own.ok
    )
    return Coverage(resources=covered, findings=(*uncovered, *dead_alarms(plan.fleet, plan.alarms, catalog=catalog)))


def dead_alarms(fleet: Fleet, alarms: Iterable[Alarm], *, catalog: Catalog = CATALOG) -> tuple[Finding, ...]:
    """The alarms, whoever made them, with a metric that nothing in the fleet publishes under these dimensions.

    Namespaces that the catalog does not know are not judged. What the fleet lacks because it could not be read shows
    as dead; `fleet.incomplete` tells.
    """
    rows: dict[tuple[str, str], list[Metric]] = defaultdict(list)
    for row in catalog.metrics:
        rows[row.namespace, row.name].append(row)
    namespaces = {row.namespace for row in catalog.metrics}
    publishers: dict[Metric, dict[Dimensions, list[Resource]]] = {}

    def of(row: Metric) -> dict[Dimensions, list[Resource]]:
        if row not in publishers:
            publishers[row] = _publishers(row, fleet)
        return publishers[row]

    return tuple(
        Finding(
            kind="dead_alarm",
            resource=alarm.resource,
            title=f"{alarm.name} can never fire: {reason}",
            evidence={"alarm": alarm.name, "metric": query.metric, "reason": reason},
        )
        for alarm in alarms
        for query in alarm.queries
        if query.metric and query.namespace in namespaces
        if (reason := _why_dead(query, rows[query.namespace, query.metric], of))
    )


def _publishers(row: Metric, fleet: Fleet) -> dict[Dimensions, list[Resource]]:
    """Who might publish the metric, by its dimensions but for those of unknown values; conditions aside."""
    listed = replace(row, dimensions=tuple(one for one in row.dimensions if one[1] != ANY))
    found: dict[Dimensions, list[Resource]] = defaultdict(list)
    for resource in fleet.resources:
        if resource.service == row.service:
            for _, dimensions in dimension_sets(listed, resource):
                found[tuple(sorted(dimensions))].append(resource)
    return found


def _why_dead(
    query: Query, rows: list[Metric], publishers: Callable[[Metric], Mapping[Dimensions, list[Resource]]]
) -> str:
    """Why the metric has no data; empty if it can have some."""
    asked = dict(query.dimensions)
    if not rows:
        return f"{query.namespace} has no metric {query.metric}"
    alike = [row for row in rows if dict(row.dimensions).keys() == asked.keys()]
    if not alike:
        known = sorted({_names(name for name, _ in row.dimensions) for row in rows})
        return f"{query.metric} has the dimensions {' or '.join(known)}, not {_names(asked)}"
    reason = ""
    for row in alike:
        listed = tuple(sorted((name, asked[name]) for name, template in row.dimensions if template != ANY))
        found = publishers(row)
        unmet = [[one for one in row.when if not holds(one, resource.facts)] for resource in found.get(listed, ())]
        if [] in unmet:
            return ""
        if unmet:
            reason = f"{query.metric} exists only for what {' and '.join(map(condition_text, unmet[0]))}"
    return reason or f"nothing in the fleet has {', '.join(f'{name} {value}' for name, value in asked.items())}"


def _names(dimensions: Iterable[str]) -> str:
    return "+".join(dimensions) or "none"


def _reason(service: Service | None, notes: list[Finding]) -> str:
    """Why a resource has no alarm: what the plan noted of it, else what the catalog says of its kind."""
    if service is None:
        return ""
    noted = "; ".join(dict.fromkeys(note.title for note in notes))
    return noted or service.uncovered
