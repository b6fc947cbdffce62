"""Alarms -> composite alarms: one that pages for each function, one that shows each application. Pure.

What on-call people want is to hear once of each thing that broke, and never to miss the next thing:

- A function's alarms tend to fire together (errors, throttles, dropped events). Those of severity `page` say nothing
  themselves; its health alarm pages for them, and returns to OK when the last of them has.
- An application's health must not be the page: it stays on as long as anything in the application is wrong, so that
  whatever breaks second would break in silence. It is a ticket, and the lamp on the dashboard.
- Tickets are left out: they wake nobody, and each is about something else. A ticket that stays on for days would
  otherwise keep a health alarm on and hide what comes after.

In general: an alarm is silent if a composite over it calls the same people.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from monitors import names, quotas
from monitors.buckets import buckets
from monitors.candidates import layers_of
from monitors.catalog.rows import Catalog, Health, subject
from monitors.model import Alarm, CompositeAlarm, Description, Fleet, Resource, Severity
from monitors.settings import Settings, fits

_FEWEST = 2
"""A composite over a single alarm would cost more and say less than the alarm."""


def composites(
    fleet: Fleet, alarms: Iterable[Alarm], settings: Settings, catalog: Catalog
) -> tuple[CompositeAlarm, ...]:
    """The health alarms of resources, then those of applications."""
    services = {one.id: one for one in catalog.services}
    of_service = {health.service: health for health in catalog.healths}
    tops: dict[str, list[str]] = defaultdict(list)
    for alarm in alarms:
        if alarm.severity is Severity.PAGE and _sayable(alarm.name):
            tops[alarm.resource].append(alarm.name)
    made: list[CompositeAlarm] = []
    for resource in fleet.resources:
        health = of_service.get(resource.service)
        if health:
            called = subject(services[resource.service], resource)
            found = _health(
                health, called, target=resource.id, children=tops[resource.id], settings=settings, over=resource
            )
            made += found
            tops[resource.id] = [found[-1].name] if found else tops[resource.id]
    applications: dict[str, list[str]] = defaultdict(list)
    for resource in fleet.resources:
        if resource.application:
            applications[resource.application] += tops[resource.id]
    if health := of_service.get(""):
        for application, children in sorted(applications.items()):
            target = f"{names.APPLICATION}{application}"
            made += _health(health, application, target=target, children=children, settings=settings, over=None)
    return tuple(made)


def _health(
    health: Health,
    called: str,
    *,
    target: str,
    children: Sequence[str],
    settings: Settings,
    over: Resource | None,
) -> list[CompositeAlarm]:
    """The composite over these alarms, last; before it its parts, if there are too many alarms for one."""
    matches = [match for match in settings.match if over and fits(match, over)]
    overrides = [layer.override for layer in layers_of(health.id, settings, matches)]
    enabled = [one.enabled for one in overrides if one.enabled is not None]
    severity = [one.severity for one in overrides if one.severity is not None]
    if len(children) < _FEWEST or (enabled and not enabled[-1]):
        return []

    def composite(name: str, parts: Sequence[str]) -> CompositeAlarm:
        said = Description(
            title=health.title,
            reason=health.reason,
            severity=severity[-1] if severity else health.severity,
            runbook=f"{settings.runbooks}#{health.id}",
        )
        return CompositeAlarm(
            name=names.alarm_name(health.id, name),
            rule=health.id,
            resource=target,
            description=said,
            severity=said.severity,
            expression=expression(parts),
            children=tuple(parts),
        )

    split = buckets(children, _fits_one_rule)
    if len(split) == 1:
        return [composite(called, sorted(children))]
    parts = [composite(f"{called}/{bits}", sorted(own)) for bits, own in split.items()]
    return [*parts, composite(called, [part.name for part in parts])]


def expression(children: Iterable[str]) -> str:
    """AWS's alarm rule for "any of these is in ALARM"."""
    return " OR ".join(f'ALARM("{name}")' for name in children)


def _fits_one_rule(children: Sequence[str]) -> bool:
    return len(children) <= quotas.COMPOSITE_CHILDREN and len(expression(children)) <= quotas.COMPOSITE_RULE_CHARACTERS


def _sayable(name: str) -> bool:
    """Alarm rules give no way to write a quote or backslash within a name. Such an alarm pages for itself."""
    return '"' not in name and "\\" not in name and name.isprintable()
