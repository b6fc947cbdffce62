"""Plan -> CloudFormation templates. Pure: dicts, to be dumped with sorted keys.

A plan that fits is one template. A bigger one is a parent and nested stacks: all that belongs to one resource lands in
one nested stack, which depends on that resource and on how full that stack is (`buckets`), so that one more function
changes few templates. Composites over several resources lie in stacks of their own, after all others. The parent names
nested templates by file, as `aws cloudformation package` takes them; `infra.apply` puts their addresses in S3 there.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from infra import resources
from infra.resources import Resources
from monitors import names, quotas
from monitors.buckets import buckets
from monitors.errors import InputError
from monitors.model import Alarm, CompositeAlarm, Plan, Severity

Json = Any
Template = dict[str, Json]

MOST_RESOURCES = 450
MOST_BYTES = 900_000
"""Somewhat under the limits in quotas.py: room for what others add."""
NESTED = "AWS::CloudFormation::Stack"
PLACEHOLDER: Resources = {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
"""CloudFormation refuses a template without resources; this one costs nothing and does nothing."""

Groups = dict[str, Resources]
"""What must stay together in one stack, by the id of the resource it is about."""


class _Parts(NamedTuple):
    own: Groups
    over: Groups
    """Composites whose children lie in several groups."""
    shared: Resources
    """What must be there before all else."""


def templates(
    plan: Plan,
    *,
    page_topic: str = "",
    ticket_topic: str = "",
    subscriber_arn: str = "",
    dashboards: Mapping[str, Json] | None = None,
) -> dict[str, Template]:
    """Template name -> template; the first, ALARM_STACK, is the parent or the only one.

    Alarms go to the topic of their severity, unless a composite over them goes there; to nobody if its ARN is empty.
    Without a subscriber there are no subscriptions. `dashboards` is name -> body. InputError for a plan over several
    accounts or Regions, or too big for one parent.
    """
    if len({(one.account, one.region) for one in plan.fleet.resources}) > 1:
        raise InputError("A stack lies in one account and Region: plan each by itself (monitors.plan.by_place).")
    topics = {Severity.PAGE: page_topic, Severity.TICKET: ticket_topic}
    parts = _with_logs(plan, _with_alarms(plan, topics), subscriber_arn)
    for name, body in (dashboards or {}).items():
        parts.own[f"dashboard:{name}"] = resources.dashboard(name, body)
    whole = _merged([parts.shared, *parts.own.values(), *parts.over.values()])
    if len(whole) <= MOST_RESOURCES and _bytes(whole) <= MOST_BYTES:
        return {names.ALARM_STACK: template(whole)}
    return _nested(parts)


def template(found: Resources) -> Template:
    """The resources as a template. What they depend on, but is not among them, has been made before."""
    kept = {
        name: {**one, "DependsOn": depends}
        if (depends := [on for on in one.get("DependsOn", ()) if on in found])
        else {key: value for key, value in one.items() if key != "DependsOn"}
        for name, one in found.items()
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Alarms, log filters and dashboards. Made by lookout: changes by hand are lost.",
        "Resources": kept or PLACEHOLDER,
    }


def dump(one: Template) -> str:
    """The template as text, the same for the same template."""
    return json.dumps(one, sort_keys=True, indent=1)


def alarms(plan: Plan, topics: Mapping[Severity, str]) -> Groups:
    """The plan's metric and composite alarms by the resource, or application, that they are about."""
    parts = _with_alarms(plan, topics)
    return {key: {**parts.own.get(key, {}), **parts.over.get(key, {})} for key in [*parts.own, *parts.over]}


def _with_alarms(plan: Plan, topics: Mapping[Severity, str]) -> _Parts:
    every: tuple[Alarm | CompositeAlarm, ...] = (*plan.alarms, *plan.composites)
    severities = {one.name: one.severity for one in every}
    silent = {child for one in plan.composites for child in one.children if severities.get(child) is one.severity}
    home = {one.name: one.resource for one in every}
    own: Groups = defaultdict(dict)
    over: Groups = defaultdict(dict)
    for alarm in plan.alarms:
        topic = "" if alarm.name in silent else topics[alarm.severity]
        own[alarm.resource] |= resources.alarm(alarm, topic)
    for composite in plan.composites:
        topic = "" if composite.name in silent else topics[composite.severity]
        at_home = composite.resource not in over and all(
            home.get(child) == composite.resource for child in composite.children
        )
        groups = own if at_home else over
        groups[composite.resource] |= resources.composite(composite, topic)
    return _Parts(own, over, {})


def _with_logs(plan: Plan, parts: _Parts, subscriber_arn: str) -> _Parts:
    """Filters lie with the first resource that writes to the log group, else by themselves."""
    writers = {
        str(one.facts["log_group"]): one.id
        for one in sorted(plan.fleet.resources, key=lambda one: one.id, reverse=True)
        if "log_group" in one.facts
    }
    for metric_filter in plan.metric_filters:
        group = metric_filter.log_group
        parts.own[writers.get(group, group)] |= resources.metric_filter(metric_filter)
    if not subscriber_arn or not plan.subscriptions:
        return parts
    for subscription in plan.subscriptions:
        group = subscription.log_group
        parts.own[writers.get(group, group)] |= resources.subscription(subscription, subscriber_arn)
    return parts._replace(shared=resources.permission(subscriber_arn))


def _nested(parts: _Parts) -> dict[str, Template]:
    first = _stacks("part", parts.own)
    last = _stacks("health", parts.over)
    parent = dict(parts.shared)
    for stacks, after in ((first, [*parts.shared]), (last, [_nested_id(name) for name in first])):
        for name in stacks:
            parent[_nested_id(name)] = {
                "Type": NESTED,
                "Properties": {"TemplateURL": f"{name}.json"},
                "DependsOn": after,
            }
    if len(parent) > MOST_RESOURCES:
        raise InputError(
            f"The plan takes {len(parent)} nested stacks; CloudFormation allows {quotas.STACK_RESOURCES} in a parent. "
            "Turn off rules in lookout.toml, or survey and apply applications one by one."
        )
    return {names.ALARM_STACK: template(parent), **{name: template(one) for name, one in (first | last).items()}}


def _stacks(kind: str, groups: Groups) -> dict[str, Resources]:
    """Stack name -> resources, each small enough."""
    counts = {key: len(one) for key, one in groups.items()}
    sizes = {key: _bytes(one) for key, one in groups.items()}

    def small_enough(keys: Sequence[str]) -> bool:
        return sum(map(counts.__getitem__, keys)) <= MOST_RESOURCES and sum(map(sizes.__getitem__, keys)) <= MOST_BYTES

    return {
        f"{names.ALARM_STACK}-{kind}{f'-{bits}' if bits else ''}": _merged(groups[key] for key in keys)
        for bits, keys in buckets(groups, small_enough).items()
    }


def _nested_id(name: str) -> str:
    """`lookout-alarms-part-01` -> `Part01`."""
    return "".join(word.capitalize() for word in name.removeprefix(f"{names.ALARM_STACK}-").split("-"))


def _merged(groups: Iterable[Resources]) -> Resources:
    return {name: one for group in groups for name, one in group.items()}


def _bytes(found: Resources) -> int:
    return len(dump(found)) + 2 * len(found)
