"""Fleet + settings + learned levels -> Plan: every alarm, composite, metric filter and subscription. Pure and total.

One Plan is for one account and Region, since names are unique only there: see `by_place`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from types import MappingProxyType

from monitors import names
from monitors.candidates import Candidate, candidates, note
from monitors.catalog.rows import Catalog
from monitors.catalog.tables import CATALOG
from monitors.health import composites, joint_rules
from monitors.levels import LearnedLevels, Side, learnable, sides
from monitors.logroutes import log_routes, with_subscribed
from monitors.model import Alarm, Comparison, Description, Finding, Fleet, Plan, Query, Resource, Scalar
from monitors.objectives import with_objectives
from monitors.settings import Settings, fits

NOTHING_LEARNED: Mapping[tuple[str, str], LearnedLevels] = MappingProxyType({})


def plan(
    fleet: Fleet,
    settings: Settings,
    *,
    learned: Mapping[tuple[str, str], LearnedLevels] = NOTHING_LEARNED,
    subscriber: bool = True,
    catalog: Catalog = CATALOG,
) -> Plan:
    """All that would be watched.

    `learned` is by (rule id, Resource.id); the parts of a resource share theirs. `subscriber` is whether the log
    subscriber is deployed, or will be: without it there are no log metrics.
    What does not become an alarm, filter or subscription, though one might expect it, is a note with the reason.
    """
    fleet, mistaken = with_objectives(fleet, settings, catalog)
    routes = log_routes(fleet, settings.metrics, catalog, subscriber=subscriber)
    fleet = with_subscribed(fleet, routes.subscriptions, catalog)
    alarms: dict[str, Alarm] = {}
    notes = [*mistaken, *routes.notes, *_match_nothing(fleet, settings)]
    for found in candidates(fleet, settings, catalog):
        made = found if isinstance(found, Finding) else _alarm(found, settings, learned)
        if isinstance(made, Finding):
            notes.append(made)
        elif (first := alarms.setdefault(made.name, made)) is not made:
            notes.append(_second(made, first))
    over = composites(fleet, alarms.values(), settings, catalog)
    joint, joined = joint_rules(catalog), {child for one in over if one.joint for child in one.children}
    return Plan(
        fleet=fleet,
        alarms=tuple(one for one in alarms.values() if one.rule not in joint or one.name in joined),
        composites=over,
        metric_filters=routes.metric_filters,
        subscriptions=routes.subscriptions,
        subscriber_metrics=routes.subscriber_metrics,
        notes=tuple(notes),
    )


def to_learn(
    fleet: Fleet, settings: Settings, *, subscriber: bool = True, catalog: Catalog = CATALOG
) -> tuple[Candidate, ...]:
    """Every rule on every resource whose level its history may set; which sides, `levels.learnable` says."""
    routes = log_routes(fleet, settings.metrics, catalog, subscriber=subscriber)
    fleet = with_subscribed(fleet, routes.subscriptions, catalog)
    return tuple(
        found
        for found in candidates(fleet, settings, catalog)
        if isinstance(found, Candidate) and any(learnable(found.rule, found.layers))
    )


def by_place(fleet: Fleet) -> dict[tuple[str, str], Fleet]:
    """The fleet of each (account, Region): one Plan and one stack each."""
    places: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for one in fleet.resources:
        places[one.account, one.region].append(one)
    return {place: replace(fleet, resources=tuple(own)) for place, own in sorted(places.items())}


def _alarm(found: Candidate, settings: Settings, learned: Mapping[tuple[str, str], LearnedLevels]) -> Alarm | Finding:
    """The alarm, or the note that says which level it lacks."""
    rule, resource = found.rule, found.resource
    high, low = sides(rule, resource, found.layers, learned.get((rule.id, resource.id)))
    if high.level is None and low.level is None:
        return note("no_level", rule.id, resource, high.basis or low.basis)
    queries, comparison, threshold = _judged(found.queries, high.level, low.level)
    chosen = {
        name: value
        for layer in found.layers
        for name in ("datapoints", "periods", "severity")
        if (value := getattr(layer.override, name)) is not None
    }
    datapoints = chosen.get("datapoints", rule.datapoints)
    periods = chosen.get("periods", rule.periods)
    severity = chosen.get("severity", rule.severity)
    return Alarm(
        name=names.alarm_name(rule.id, found.subject),
        rule=rule.id,
        resource=resource.id,
        description=Description(
            title=rule.title,
            reason=rule.reason,
            severity=severity,
            unit=rule.unit,
            high=high.level,
            low=low.level,
            runbook=f"{settings.runbooks}#{rule.runbook or rule.id}",
            log_group=str(resource.facts.get("log_group", "")),
        ),
        severity=severity,
        queries=queries,
        comparison=comparison,
        threshold=threshold,
        datapoints=min(datapoints, periods) if "periods" in chosen else datapoints,
        periods=periods if "periods" in chosen else max(datapoints, periods),
        missing=(low.level is not None and rule.missing_low) or rule.missing,
        evidence=_evidence(high, low),
    )


def _second(made: Alarm, first: Alarm) -> Finding:
    """Two alarms of one name: on the same metric, as of two REST APIs of one name, the first watches both."""
    same = made.queries == first.queries
    title = f"{made.rule}: {'watched by' if same else 'not watched, since it has the name of'} {made.name}"
    kind = "watched_together" if same else "name_taken"
    return Finding(kind=kind, resource=made.resource, title=title, evidence={"rule": made.rule, "reason": title})


def _judged(
    queries: tuple[Query, ...], high: float | None, low: float | None
) -> tuple[tuple[Query, ...], Comparison, float]:
    """What CloudWatch is to compare, how, and with what. Both sides take a line of metric math more."""
    if high is not None and low is not None:
        judged = queries[-1]
        outside = f"IF({judged.id}>{_number(high)} OR {judged.id}<{_number(low)},1,0)"
        line = Query(id="outside", expression=outside, period_s=judged.period_s, label=f"{judged.label} outside")
        return (*(replace(one, returned=False) for one in queries), line), Comparison.AT_LEAST, 1
    if high is not None:
        return queries, Comparison.ABOVE, high
    return queries, Comparison.BELOW, low or 0


def _evidence(high: Side, low: Side) -> dict[str, Scalar]:
    said: dict[str, Scalar] = {}
    for name, side in (("high", high), ("low", low)):
        if side.level is not None:
            said[name] = side.level
        if side.basis:
            said[f"{name}_from"] = side.basis
    return said


def _number(value: float) -> str:
    """Plain decimals: metric math knows no exponents."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _match_nothing(fleet: Fleet, settings: Settings) -> Iterator[Finding]:
    """Patterns in the settings that fit no resource: most likely a slip."""
    for number, match in enumerate(settings.match):
        if not any(fits(match, one) for one in fleet.resources):
            yield Finding(
                kind="match_nothing", resource="", title=f'match[{number}] (name = "{match.name}") fits nothing'
            )
    for definition in settings.metrics:
        if not any(fnmatchcase(one.name, definition.log_groups) for one in fleet.resources):
            title = f"metric {definition.name}: no log group is named {definition.log_groups}"
            yield Finding(kind="match_nothing", resource="", title=title)
