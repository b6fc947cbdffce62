"""Fleet + metric definitions -> how log lines get where they are read: metric filters and subscriptions. Pure.

A definition runs as a metric filter of CloudWatch Logs itself, which costs nothing, as long as the log group has room
for it; else the log subscriber runs it, and is sent every line. Filters that others have set are never displaced.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from monitors import names, quotas
from monitors.catalog.rows import Catalog
from monitors.model import (
    EVERY_GROUP,
    Finding,
    Fleet,
    MetricDefinition,
    MetricFilter,
    Resource,
    Subscription,
    with_facts,
)
from monitors.settings import Settings, measures

PLATFORM_LINES = '?REPORT ?"platform.report" ?ERROR ?"Task timed out" ?"Runtime exited"'
"""The lines that the log subscriber makes metrics of: what the platform reports, and what went wrong."""
EVERY_LINE = ""
_NOT_DEPLOYED = "the log subscriber is not deployed"
_NO_ARCHIVE = "the archive is not deployed: lookout deploy --archive"


class LogRoutes(NamedTuple):
    metric_filters: tuple[MetricFilter, ...]
    subscriptions: tuple[Subscription, ...]
    subscribed: frozenset[str]
    """The log groups whose lines the log subscriber is sent."""
    subscriber_metrics: tuple[MetricDefinition, ...]
    notes: tuple[Finding, ...]


def log_routes(
    fleet: Fleet, settings: Settings, catalog: Catalog, *, subscriber: bool, archive: bool = True
) -> LogRoutes:
    """The metric filters and subscriptions the fleet's log groups are to have, and why some have none.

    Without a `subscriber` or an `archive` there is nobody to subscribe.
    """
    services = _log_groups(catalog)
    groups = {one.name: one for one in fleet.resources if one.service in services}
    filters: list[MetricFilter] = []
    notes: list[Finding] = []
    left_over: dict[str, list[MetricDefinition]] = {}
    for group in groups.values() if settings.metrics else ():
        native, rest = _native(group, [one for one in settings.metrics if measures(one, group)])
        filters += native
        if rest:
            left_over[group.name] = [replace(one, log_groups=group.name, tags={}) for one, _ in rest]
        notes += [_note("run_by_subscriber", group, f"{one.name}: {why}", metric=one.name) for one, why in rest]
    loggers = _loggers(fleet, catalog)
    policy = settings.subscribe == "account" and subscriber
    routed = _subscriptions(loggers, groups, {*left_over}, subscriber=subscriber, policy=policy)
    if policy and len(selection(routed.subscriptions[-1]).encode()) > quotas.SELECTION_BYTES:
        routed = _subscriptions(loggers, groups, {*left_over}, subscriber=subscriber, policy=False)
        title = f"a policy of the account leaves out {quotas.SELECTION_BYTES:,} bytes of names, and there are more"
        notes.append(Finding(kind="no_policy", resource="", title=f"a subscription for each log group: {title}"))
    run = tuple(one for name in sorted(routed.subscribed) for one in left_over.get(name, ()))
    kept: list[Subscription] = []
    if settings.archive:
        kept, refused = _archived(loggers, groups, {one.log_group for one in routed.subscriptions}, archive=archive)
        notes += refused
    return LogRoutes(tuple(filters), (*kept, *routed.subscriptions), routed.subscribed, run, (*notes, *routed.notes))


def with_subscribed(fleet: Fleet, subscribed: frozenset[str], catalog: Catalog) -> Fleet:
    """The fleet with the fact `subscribed` on every resource whose lines the log subscriber is sent."""
    groups = _log_groups(catalog)
    return replace(
        fleet,
        resources=tuple(
            with_facts(one, {"subscribed": True})
            if (one.name if one.service in groups else one.facts.get("log_group")) in subscribed
            else one
            for one in fleet.resources
        ),
    )


def selection(policy: Subscription) -> str:
    """Which log groups an account's subscription policy is for, in the words of PutAccountPolicy."""
    return f"LogGroupName NOT IN {json.dumps(policy.left_out)}"


def _log_groups(catalog: Catalog) -> set[str]:
    return {one.id for one in catalog.services if one.takes_filters}


def _native(
    group: Resource, definitions: list[MetricDefinition]
) -> tuple[list[MetricFilter], list[tuple[MetricDefinition, str]]]:
    """The definitions as metric filters of the group, and those that it has no room for, with the reason."""
    known = "metric_filter_names" if "metric_filter_names" in group.facts else "metric_filters"
    room = quotas.METRIC_FILTERS_PER_GROUP - _foreign(group, known)
    regexes = quotas.REGEX_PATTERNS_PER_GROUP
    taken: Counter[str] = Counter()
    filters: list[MetricFilter] = []
    rest: list[tuple[MetricDefinition, str]] = []
    for one in definitions:
        has_regex = one.pattern.count("%") > 1
        if not _standard(group):
            rest.append((one, f"log groups of class {group.facts['log_class']} take no metric filters"))
        elif len(filters) >= room:
            rest.append((one, f"the log group has its {quotas.METRIC_FILTERS_PER_GROUP} metric filters"))
        elif has_regex and not regexes:
            rest.append((one, f"the log group has its {quotas.REGEX_PATTERNS_PER_GROUP} patterns with regex"))
        else:
            regexes -= has_regex
            taken[one.name] += 1
            number = f"/{taken[one.name]}" if taken[one.name] > 1 else ""
            name = f"{names.PREFIX}/{one.name}{number}"
            filters.append(
                MetricFilter(name=name, log_group=group.name, namespace=names.CUSTOM_METRICS, definition=one)
            )
    return filters, rest


class _Routed(NamedTuple):
    subscriptions: tuple[Subscription, ...]
    subscribed: frozenset[str]
    notes: list[Finding]


def _loggers(fleet: Fleet, catalog: Catalog) -> dict[str, list[Resource]]:
    """Log group -> who writes the platform's lines to it."""
    platform = {one.id for one in catalog.services if one.platform_logs}
    loggers: dict[str, list[Resource]] = defaultdict(list)
    for one in fleet.resources:
        if one.service in platform and "log_group" in one.facts:
            loggers[str(one.facts["log_group"])].append(one)
    return loggers


def _subscriptions(
    loggers: Mapping[str, list[Resource]],
    groups: Mapping[str, Resource],
    left_over: set[str],
    *,
    subscriber: bool,
    policy: bool,
) -> _Routed:
    """One for each log group that carries platform lines or a definition that CloudWatch Logs cannot run.

    With a `policy` of the account, which comes last, only the latter have their own: they are sent every line.
    """
    made: list[Subscription] = []
    notes: list[Finding] = []
    subscribed: set[str] = set()
    left_out = {name for name in groups if name not in loggers}
    for name in sorted({*loggers, *left_over}):
        writers = loggers.get(name) or [groups[name]]
        by_policy = policy and name not in left_over
        if any(names.is_own(one.name) for one in writers):
            left_out.add(name)
            continue  # its own lines would come back to it, each time as more lines
        refusal = _refusal(name, groups.get(name), by_policy=by_policy) if subscriber else _NOT_DEPLOYED
        if refusal:
            notes += [_note("not_subscribed", one, refusal, log_group=name) for one in writers]
            left_out.add(name)
            continue
        subscribed.add(name)
        if not by_policy:
            left_out.add(name)
            pattern = EVERY_LINE if name in left_over else PLATFORM_LINES
            made.append(Subscription(name=names.SUBSCRIPTION, log_group=name, pattern=pattern))
    if policy:
        every = Subscription(
            name=names.SUBSCRIPTION, log_group=EVERY_GROUP, pattern=PLATFORM_LINES, left_out=tuple(sorted(left_out))
        )
        made.append(every)
    return _Routed(tuple(made), frozenset(subscribed), notes)


def _archived(
    loggers: Mapping[str, list[Resource]], groups: Mapping[str, Resource], subscribed: set[str], *, archive: bool
) -> tuple[list[Subscription], list[Finding]]:
    """A second subscription for each log group that carries platform lines, and why some have none."""
    made: list[Subscription] = []
    notes: list[Finding] = []
    for name, writers in sorted(loggers.items()):
        if any(names.is_own(one.name) for one in writers):
            continue
        refusal = _refusal(name, groups.get(name), taken=name in subscribed) if archive else _NO_ARCHIVE
        if refusal:
            notes += [_note("not_archived", one, refusal, log_group=name) for one in writers]
        else:
            made.append(Subscription(name=names.ARCHIVE, log_group=name, pattern=PLATFORM_LINES, archived=True))
    return made, notes


def _refusal(name: str, group: Resource | None, *, by_policy: bool = False, taken: bool = False) -> str:
    """Why the log group cannot be subscribed to; empty if it can. A policy needs no room, and does not wait for it.

    `taken` is whether it has a subscription of ours already.
    """
    if group is None and by_policy:
        return ""
    if group is None:
        return f"{name} does not exist yet: Lambda makes it at the first invocation"
    if not _standard(group):
        return f"log groups of class {group.facts['log_class']} take no subscription"
    if not by_policy and _foreign(group, "subscription_filters") + taken >= quotas.SUBSCRIPTION_FILTERS_PER_GROUP:
        whose = "others and the log subscriber" if taken else "others"
        return f"{whose} have taken the {quotas.SUBSCRIPTION_FILTERS_PER_GROUP} subscriptions of {name}"
    return ""


def _standard(group: Resource) -> bool:
    return group.facts.get("log_class", "STANDARD") == "STANDARD"


def _foreign(group: Resource, fact: str) -> int:
    """How many filters others have set: known by name, or only by number."""
    found = group.facts.get(fact, 0)
    return sum(not names.is_own(one) for one in found) if isinstance(found, tuple) else int(found)


def _note(kind: str, resource: Resource, why: str, **evidence: str) -> Finding:
    return Finding(
        kind=kind, resource=resource.id, title=f"{resource.name}: {why}", evidence={**evidence, "reason": why}
    )
