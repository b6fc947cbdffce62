"""Plan -> CloudFormation templates. Pure: dicts, to be dumped with sorted keys.

A plan that fits is one template. A bigger one is a parent and nested stacks: all that belongs to one resource lands in
one nested stack, which depends on that resource and on how full that stack is (`buckets`), so that one more function
changes few templates. Composites over several resources lie in stacks of their own, after all others. What a parent
cannot hold goes to further parents; the first keeps those composites, and what all others need. Parents name nested
templates by file, as `aws cloudformation package` takes them; `infra.apply` puts their addresses in S3 there.
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
_BETWEEN = len('"": ,\n')
"""What a resource's line has beside its name and itself."""
NESTED = "AWS::CloudFormation::Stack"
PART, HEALTH = "part", "health"
"""Kinds of nested stack: all about one resource or another; composites over several of them."""
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
    dashboards: Mapping[str, str] | None = None,
) -> dict[str, Template]:
    """Template name -> template. Those that `names.is_alarm_stack` are stacks to deploy, all others are nested in them.

    Alarms go to the topic of their severity, unless a composite over them goes there; to nobody if its ARN is empty.
    Without a subscriber there are no subscriptions. `dashboards` is name -> body, as text. InputError for a plan over
    several accounts or Regions, or over too many applications.
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
    """The template as text, the same for the same template: a line for each resource."""
    head = ",\n".join(f"{_json(key)}: {_json(value)}" for key, value in sorted(one.items()) if key != "Resources")
    lines = ",\n".join(f"{_json(name)}: {_json(resource)}" for name, resource in sorted(one["Resources"].items()))
    return f'{{\n{head},\n"Resources": {{\n{lines}\n}}\n}}\n'


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
    first = _stacks(parts.own)
    last = _stacks(parts.over)
    nested = {nested_id(PART, bits): _child(PART, bits, after=[*parts.shared]) for bits in first}
    over = {nested_id(HEALTH, bits): _child(HEALTH, bits, after=[*nested]) for bits in last}
    main = {**parts.shared, **over}
    if len(main) + len(nested) <= MOST_RESOURCES:
        parents = {names.ALARM_STACK: main | nested}
    elif len(main) > MOST_RESOURCES:
        raise InputError(
            f"The health alarms of applications take {len(over):,} nested stacks; CloudFormation allows "
            f"{quotas.STACK_RESOURCES} in a parent. Turn the rule application.health off in lookout.toml."
        )
    else:
        parents = {names.ALARM_STACK: main}
        for bits, own in _by_prefix([*first]).items():
            parents[names.alarm_stack(bits)] = {name: nested[name] for name in (nested_id(PART, one) for one in own)}
    return {
        **{name: template(one) for name, one in parents.items()},
        **{names.nested_stack(PART, bits): template(one) for bits, one in first.items()},
        **{names.nested_stack(HEALTH, bits): template(one) for bits, one in last.items()},
    }


def _by_prefix(bits: Sequence[str], prefix: str = "") -> dict[str, Sequence[str]]:
    """The names of buckets by the shortest prefix, of one bit at least, under which a parent holds them all."""
    if prefix and len(bits) <= MOST_RESOURCES:
        return {prefix: bits}
    halves = ([one for one in bits if one.startswith(prefix + bit)] for bit in "01")
    return {
        found: own
        for bit, half in zip("01", halves, strict=True)
        if half
        for found, own in _by_prefix(half, prefix + bit).items()
    }


def _stacks(groups: Groups) -> dict[str, Resources]:
    """The bits of a bucket -> its resources, few and small enough for a stack."""
    counts = {key: len(one) for key, one in groups.items()}
    sizes = {key: _bytes(one) for key, one in groups.items()}

    def small_enough(keys: Sequence[str]) -> bool:
        return sum(map(counts.__getitem__, keys)) <= MOST_RESOURCES and sum(map(sizes.__getitem__, keys)) <= MOST_BYTES

    return {bits: _merged(groups[key] for key in keys) for bits, keys in buckets(groups, small_enough).items()}


def _child(kind: str, bits: str, *, after: Sequence[str]) -> Json:
    return {
        "Type": NESTED,
        "Properties": {"TemplateURL": f"{names.nested_stack(kind, bits)}.json"},
        "DependsOn": after,
    }


def nested_id(kind: str, bits: str) -> str:
    """The logical id of a nested stack in its parent: `Part01`."""
    return f"{kind.capitalize()}{bits}"


def is_over(logical_id: str) -> bool:
    """Whether the nested stack holds alarms over those of others, in whatever stack they lie."""
    return logical_id.startswith(HEALTH.capitalize())


def _merged(groups: Iterable[Resources]) -> Resources:
    return {name: one for group in groups for name, one in group.items()}


def _bytes(found: Resources) -> int:
    """How long the resources' lines are."""
    return sum(len(name) + len(_json(one)) for name, one in found.items()) + _BETWEEN * len(found)


_json = json.JSONEncoder(sort_keys=True).encode
