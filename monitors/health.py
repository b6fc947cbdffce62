"""Alarms -> composite alarms: one that pages for each function, one that shows each application. Pure.

What on-call people want is to hear once of each thing that broke, and never to miss the next thing:

- A function's alarms tend to fire together (errors, throttles, dropped events). Those of severity `page` say nothing
  themselves; its health alarm pages for them, and returns to OK when the last of them has.
- An application's health must not be the page: it stays on as long as anything in the application is wrong, so that
  whatever breaks second would break in silence. It is a ticket, and the lamp on the dashboard.
- Tickets are left out: they wake nobody, and each is about something else. A ticket that stays on for days would
  otherwise keep a health alarm on and hide what comes after.
- What befalls the whole account pages once: functions' health alarms wait while the account's own alarm is on.

In general: an alarm is silent if a composite over it calls the same people, or if it means something only together
with others, as the two windows of an error budget do.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from monitors import names, quotas
from monitors.buckets import buckets
from monitors.candidates import layers_of
from monitors.catalog.rows import Catalog, Health, subject
from monitors.model import Alarm, CompositeAlarm, Description, Fleet, Resource, Severity
from monitors.settings import Settings, fits, owner, wakes

_FEWEST = 2
"""A composite over a single alarm would cost more and say less than the alarm."""
_Rules = Mapping[tuple[str, str], str]
"""(Resource.id, rule id) -> name of an alarm."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    """What a composite is about."""

    id: str
    name: str
    """What alarm names call it."""
    resource: Resource | None = None


def composites(
    fleet: Fleet, alarms: Sequence[Alarm], settings: Settings, catalog: Catalog
) -> tuple[CompositeAlarm, ...]:
    """Those of resources, then the health alarms of applications."""
    joint = joint_rules(catalog)
    by_rule = {(one.resource, one.rule): one.name for one in alarms if one.rule in joint and _sayable(one.name)}
    pages = [one for one in alarms if one.severity is Severity.PAGE and _sayable(one.name)]
    causes = {one.rule: one.name for one in pages}
    tops: dict[str, list[str]] = defaultdict(list)
    for alarm in pages:
        if alarm.rule not in joint:
            tops[alarm.resource].append(alarm.name)
    made: list[CompositeAlarm] = []
    for health, target in _targets(fleet, catalog):
        if health.pairs:
            found = _paired(health, target, by_rule, settings)
            tops[target.id] += [one.name for one in found if one.severity is Severity.PAGE]
        else:
            found = _health(health, target, tops[target.id], settings, suppressor=causes.get(health.waits_for, ""))
            tops[target.id] = [found[-1].name] if found else tops[target.id]
        made += found
    applications: dict[str, list[str]] = defaultdict(list)
    for resource in fleet.resources:
        if resource.application:
            applications[resource.application] += tops[resource.id]
    for health in (one for one in catalog.healths if not one.service):
        for application, children in sorted(applications.items()):
            target = _Target(id=f"{names.APPLICATION}{application}", name=application)
            made += _health(health, target, children, settings)
    return tuple(made)


def _targets(fleet: Fleet, catalog: Catalog) -> Iterator[tuple[Health, _Target]]:
    """Each resource with the composites of its service, those first that others may stand over."""
    services = {one.id: one for one in catalog.services}
    healths: dict[str, list[Health]] = defaultdict(list)
    for health in sorted(catalog.healths, key=lambda one: not one.pairs):
        healths[health.service].append(health)
    for resource in fleet.resources:
        if resource.service in healths:
            called = subject(services[resource.service], resource)
            target = _Target(id=resource.id, name=called, resource=resource)
            yield from ((health, target) for health in healths[resource.service])


def joint_rules(catalog: Catalog) -> frozenset[str]:
    """The rules whose alarms mean something only together with another's."""
    return frozenset(rule for health in catalog.healths for pair in health.pairs for rule in pair)


def _paired(health: Health, target: _Target, by_rule: _Rules, settings: Settings) -> list[CompositeAlarm]:
    """The composite that is on while both alarms of a pair are; none where no pair is whole."""
    pairs = [[by_rule.get((target.id, rule), "") for rule in pair] for pair in health.pairs]
    whole = [pair for pair in pairs if all(pair)]
    severity = _severity(health, target, settings) if whole else None
    if severity is None:
        return []
    both = [" AND ".join(map(_on, pair)) for pair in whole]
    children = [name for pair in whole for name in pair]
    rule = " OR ".join(f"({one})" for one in both)
    return [_composite(health, target, children, settings, severity=severity, rule=rule)]


def _health(
    health: Health, target: _Target, children: Sequence[str], settings: Settings, *, suppressor: str = ""
) -> list[CompositeAlarm]:
    """The composite over these alarms, last; before it its parts, if there are too many alarms for one."""
    severity = _severity(health, target, settings)
    if len(children) < _FEWEST or severity is None:
        return []
    split = buckets(children, _fits_one_rule)
    if len(split) == 1:
        return [_composite(health, target, sorted(children), settings, severity=severity, suppressor=suppressor)]
    parts = [
        _composite(
            health, _Target(id=target.id, name=f"{target.name}/{bits}"), sorted(own), settings, severity=severity
        )
        for bits, own in split.items()
    ]
    above = [part.name for part in parts]
    return [*parts, _composite(health, target, above, settings, severity=severity, suppressor=suppressor)]


def _severity(health: Health, target: _Target, settings: Settings) -> Severity | None:
    """The composite's severity; None where the settings turn it off."""
    matches = [match for match in settings.match if target.resource and fits(match, target.resource)]
    overrides = [layer.override for layer in layers_of(health.id, settings, matches)]
    enabled = [one.enabled for one in overrides if one.enabled is not None]
    severity = [one.severity for one in overrides if one.severity is not None]
    if enabled and not enabled[-1]:
        return None
    asleep = target.resource and not wakes(target.resource)
    return Severity.TICKET if asleep else (severity or [health.severity])[-1]


def _composite(
    health: Health,
    target: _Target,
    children: Sequence[str],
    settings: Settings,
    *,
    severity: Severity,
    rule: str = "",
    suppressor: str = "",
) -> CompositeAlarm:
    return CompositeAlarm(
        name=names.alarm_name(health.id, target.name),
        rule=health.id,
        resource=target.id,
        description=Description(
            title=health.title,
            reason=health.reason,
            severity=severity,
            runbook=f"{settings.runbooks}#{health.runbook or health.id}",
            owner=owner(target.resource) if target.resource else "",
        ),
        severity=severity,
        expression=rule or expression(children),
        children=tuple(children),
        joint=bool(health.pairs),
        suppressor=suppressor,
    )


def expression(children: Iterable[str]) -> str:
    """AWS's alarm rule for "any of these is in ALARM"."""
    return " OR ".join(map(_on, children))


def _on(name: str) -> str:
    return f'ALARM("{name}")'


def _fits_one_rule(children: Sequence[str]) -> bool:
    return len(children) <= quotas.COMPOSITE_CHILDREN and len(expression(children)) <= quotas.COMPOSITE_RULE_CHARACTERS


def _sayable(name: str) -> bool:
    """Alarm rules give no way to write a quote or backslash within a name. Such an alarm pages for itself."""
    return '"' not in name and "\\" not in name and name.isprintable()
