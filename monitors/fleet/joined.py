"""Answers of all services, Regions and accounts -> one Fleet, with the facts that only the whole can tell."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from monitors.fleet.answers import Answers, Found, items
from monitors.fleet.arns import name_of, resource_arn, service_of
from monitors.fleet.delivery import deployment_groups, pipelines, projects
from monitors.fleet.edge import distributions, graphql_apis
from monitors.fleet.functions import functions
from monitors.fleet.identity import keys, user_pools
from monitors.fleet.messaging import deliveries, queues, streams, topics
from monitors.fleet.pipes import pipes
from monitors.fleet.routing import http_apis, rest_apis, rules, schedule_groups, state_machines
from monitors.fleet.storage import buckets, caches, log_groups, replication_groups, tables
from monitors.fleet.watching import alarms, dashboards
from monitors.model import Fact, Fleet, Link, Resource, with_facts

_READERS: tuple[Callable[[Answers], Found], ...] = (
    functions,
    queues,
    topics,
    streams,
    deliveries,
    tables,
    buckets,
    caches,
    replication_groups,
    log_groups,
    rules,
    schedule_groups,
    pipes,
    state_machines,
    http_apis,
    rest_apis,
    graphql_apis,
    distributions,
    user_pools,
    keys,
    projects,
    pipelines,
    deployment_groups,
    alarms,
    dashboards,
)

# Who invokes a function asynchronously (Lambda, Invoking with events from other services; CloudWatch, Invoke a Lambda
# function from an alarm); a function does so as another's destination.
_ASYNCHRONOUS = {"s3", "sns", "events", "scheduler", "logs", "lambda", "codepipeline", "cloudwatch"}


def from_answers(regions: Iterable[Answers]) -> Fleet:
    """The Fleet that the answers describe, in a stable order.

    What failed is in its `incomplete`, what was not asked for in its `notes`.
    """
    resources: dict[str, Resource] = {}
    links: set[Link] = set()
    incomplete: set[str] = set()
    notes: set[str] = set()
    for answers in regions:
        tags = _tags(answers)
        for read in _READERS:
            found = read(answers)
            links.update(found.links)
            for one in found.resources:
                resources.setdefault(one.id, _tagged(one, tags.get(one.id, {})))
        incomplete.update(answers.failures)
        notes.update(answers.notes)
    settled = _with_applications(_with_neighbours_facts([*resources.values()], links), links)
    return in_order(
        Fleet(resources=tuple(settled), links=tuple(links), incomplete=tuple(incomplete), notes=tuple(notes))
    )


def in_order(fleet: Fleet) -> Fleet:
    """The same Fleet with its parts in the one order in which it is shown and saved."""
    return Fleet(
        resources=tuple(
            sorted(fleet.resources, key=lambda one: (one.account, one.region, one.service, one.name, one.id))
        ),
        links=tuple(sorted(fleet.links, key=lambda link: (link.source, link.target, link.kind))),
        incomplete=tuple(sorted(fleet.incomplete)),
        notes=tuple(sorted(fleet.notes)),
        tally=tuple(sorted(fleet.tally, key=lambda one: one.kind)),
    )


def _tags(answers: Answers) -> Mapping[str, Mapping[str, str]]:
    return {
        resource_arn(mapping["ResourceARN"]): {tag["Key"]: tag["Value"] for tag in mapping.get("Tags", ())}
        for mapping in items(answers, "resourcegroupstaggingapi:GetResources")
    }


def _tagged(one: Resource, tags: Mapping[str, str]) -> Resource:
    tags = {**tags, **one.tags}
    if not tags:
        return one
    return replace(one, tags=tags, application=tags.get("application") or tags.get("aws:cloudformation:stack-name", ""))


def _with_neighbours_facts(resources: Sequence[Resource], links: Iterable[Link]) -> list[Resource]:
    """With what shows in the links, and the class of the log group of what logs to one that was found."""
    feeders: defaultdict[str, list[Link]] = defaultdict(list)
    for link in links:
        feeders[link.target].append(link)
    groups = _log_groups(resources)
    found: list[Resource] = []
    for one in resources:
        facts = _fed(one, feeders.get(one.id, ()))
        if group := groups.get(_log_group(one)):
            facts["log_class"] = group.facts["log_class"]
        found.append(with_facts(one, facts) if facts else one)
    return found


def _fed(one: Resource, feeders: Sequence[Link]) -> dict[str, Fact]:
    """Which functions run asynchronously or at the edge and which queues are for dead letters shows in the links."""
    if one.service == "lambda":
        callers = {service_of(link.source) for link in feeders}
        notified = any(link.kind == "notifies" for link in feeders)  # the caller doesn't wait
        return {
            "is_async": one.facts["is_async"] or notified or bool(callers & _ASYNCHRONOUS),
            "is_edge": one.facts["is_edge"] or "cloudfront" in callers,
        }
    if one.service == "sqs":
        failing = {name_of(link.source) for link in feeders if link.kind == "dead_letter"}
        return {"is_dead_letter_queue": bool(failing), "dead_letter_of": tuple(sorted(failing))}
    return {}


def _log_groups(resources: Iterable[Resource]) -> Mapping[tuple[str, str, str], Resource]:
    return {(one.account, one.region, one.name): one for one in resources if one.service == "logs"}


def _log_group(one: Resource) -> tuple[str, str, str]:
    """The account, Region and name of the group that the resource logs to."""
    return one.account, one.region, str(one.facts.get("log_group", ""))


def _with_applications(resources: Sequence[Resource], links: Iterable[Link]) -> list[Resource]:
    """What has no application of its own has that of its neighbours, where those agree.

    CloudFormation does not tag every kind of resource it makes, and Lambda makes log groups by itself. Functions
    are always tagged, so one without is outside any application and stays there.
    """
    known = {one.id: one.application for one in resources if one.application}
    if not known:
        return [*resources]
    open_ids = {one.id for one in resources if not one.application and one.service not in ("lambda", "account")}
    neighbours = _neighbours(resources, links)
    while True:
        near = {id_: {known[other] for other in neighbours[id_] if other in known} for id_ in open_ids}
        learned = {id_: applications.pop() for id_, applications in near.items() if len(applications) == 1}
        if not learned:
            return [one if one.application else replace(one, application=known.get(one.id, "")) for one in resources]
        known |= learned
        open_ids -= learned.keys()


def _neighbours(resources: Sequence[Resource], links: Iterable[Link]) -> Mapping[str, set[str]]:
    """Linked resources, and functions with their log groups.

    A delivery makes no neighbours, and an alarm neither: what many deliver to or call is no part of any.
    """
    near: defaultdict[str, set[str]] = defaultdict(set)
    pairs = [
        (link.source, link.target)
        for link in links
        if link.kind != "delivers" and service_of(link.source) != "cloudwatch"
    ]
    groups = _log_groups(resources)
    for one in resources:
        group = groups.get(_log_group(one))
        pairs += [(one.id, group.id)] if group else []
    for source, target in pairs:
        near[source].add(target)
        near[target].add(source)
    return near
