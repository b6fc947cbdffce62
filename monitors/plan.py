"""Fleet + settings + learned levels -> Plan: every alarm, composite, metric filter and subscription. Pure and total.

One Plan is for one account and Region, since names are unique only there: see `by_place`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from monitors.alarms import alarm
from monitors.candidates import Candidate, candidates
from monitors.catalog.rows import Catalog
from monitors.catalog.tables import CATALOG
from monitors.health import composites, joint_rules
from monitors.levels import LearnedLevels, learnable
from monitors.logroutes import log_routes, with_subscribed
from monitors.model import Alarm, Finding, Fleet, Plan, Resource
from monitors.objectives import with_objectives
from monitors.settings import Settings, fits, measures
from monitors.wide import wide_rules, widened

NOTHING_LEARNED: Mapping[tuple[str, str], LearnedLevels] = MappingProxyType({})


def plan(
    fleet: Fleet,
    settings: Settings,
    *,
    learned: Mapping[tuple[str, str], LearnedLevels] = NOTHING_LEARNED,
    subscriber: bool = True,
    archive: bool = True,
    catalog: Catalog = CATALOG,
) -> Plan:
    """All that would be watched.

    `learned` is by (rule id, Resource.id); the parts of a resource share theirs. `subscriber` is whether the log
    subscriber is deployed, or will be: without it there are no log metrics; `archive` likewise.
    What does not become an alarm, filter or subscription, though one might expect it, is a note with the reason.
    """
    fleet, mistaken = with_objectives(fleet, settings, catalog)
    routes = log_routes(fleet, settings, catalog, subscriber=subscriber, archive=archive)
    fleet = with_subscribed(fleet, routes.subscribed, catalog)
    alarms: dict[str, Alarm] = {}
    notes = [*mistaken, *routes.notes, *_match_nothing(fleet, settings)]
    for found in candidates(fleet, settings, catalog):
        made = found if isinstance(found, Finding) else alarm(found, settings, learned)
        if isinstance(made, Finding):
            notes.append(made)
        elif (first := alarms.setdefault(made.name, made)) is not made:
            notes.append(_second(made, first))
    every, refused = widened(alarms.values(), fleet, settings, notes)
    over = composites(fleet, every, settings, catalog)
    joint, joined = joint_rules(catalog), {child for one in over if one.joint for child in one.children}
    return Plan(
        fleet=fleet,
        alarms=tuple(one for one in every if one.rule not in joint or one.name in joined),
        composites=over,
        metric_filters=routes.metric_filters,
        subscriptions=routes.subscriptions,
        subscriber_metrics=routes.subscriber_metrics,
        application_dashboards=settings.dashboards == "applications",
        notes=(*notes, *refused),
    )


def to_learn(
    fleet: Fleet, settings: Settings, *, subscriber: bool = True, catalog: Catalog = CATALOG
) -> tuple[Candidate, ...]:
    """Every rule on every resource whose level its history may set; which sides, `levels.learnable` says."""
    routes = log_routes(fleet, settings, catalog, subscriber=subscriber)
    fleet = with_subscribed(fleet, routes.subscribed, catalog)
    wide = wide_rules(settings)
    return tuple(
        found
        for found in candidates(fleet, settings, catalog)
        if isinstance(found, Candidate) and found.rule.id not in wide and any(learnable(found.rule, found.layers))
    )


def by_place(fleet: Fleet) -> dict[tuple[str, str], Fleet]:
    """The fleet of each (account, Region): one Plan and one stack each."""
    places: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for one in fleet.resources:
        places[one.account, one.region].append(one)
    return {place: replace(fleet, resources=tuple(own)) for place, own in sorted(places.items())}


def _second(made: Alarm, first: Alarm) -> Finding:
    """Two alarms of one name: on the same metric, as of two REST APIs of one name, the first watches both."""
    same = made.queries == first.queries
    title = f"{made.rule}: {'watched by' if same else 'not watched, since it has the name of'} {made.name}"
    kind = "watched_together" if same else "name_taken"
    return Finding(kind=kind, resource=made.resource, title=title, evidence={"rule": made.rule, "reason": title})


def _match_nothing(fleet: Fleet, settings: Settings) -> Iterator[Finding]:
    """Patterns in the settings that fit no resource: most likely a slip."""
    for number, match in enumerate(settings.match):
        if not any(fits(match, one) for one in fleet.resources):
            yield Finding(
                kind="match_nothing", resource="", title=f'match[{number}] (name = "{match.name}") fits nothing'
            )
    for definition in settings.metrics:
        if not any(measures(definition, one) for one in fleet.resources):
            tags = ", ".join(f"{tag} = {value}" for tag, value in definition.tags.items())
            title = f"metric {definition.name}: no log group is named {definition.log_groups}"
            title += f" and tagged {tags}" if tags else ""
            yield Finding(kind="match_nothing", resource="", title=title)
