"""Plan -> CloudFormation templates, as text with sorted keys. Pure.

A plan that fits is one template. A bigger one is a parent and nested stacks: all that belongs to one resource lands in
one nested stack, which depends on that resource and on how full that stack is (`buckets`), so that one more function
changes few templates. Composites over several resources lie in stacks of their own, after all others. What a parent
cannot hold goes to further parents; the first keeps those composites, and what all others need. Parents name nested
templates by file, as `aws cloudformation package` takes them; `infra.apply` puts their addresses in S3 there.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from dashboards.watched import region
from infra import resources
from infra.resources import Resources
from monitors import names, quotas
from monitors.buckets import buckets
from monitors.errors import InputError
from monitors.jsontext import compact
from monitors.model import Alarm, CompositeAlarm, Plan, Severity

Json = Any
Template = dict[str, Json]

MOST_RESOURCES = 450
MOST_BYTES = 900_000
"""Somewhat under the limits in quotas.py: room for what others add."""
_HEAD = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Description": "Alarms, log filters and dashboards. Made by lookout: changes by hand are lost.",
}
_BETWEEN = ",\n"
NESTED = "AWS::CloudFormation::Stack"
PART, HEALTH = "part", "health"
"""Kinds of nested stack: all about one resource or another; composites over several of them."""
PLACEHOLDER: Resources = {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
"""CloudFormation refuses a template without resources; this one costs nothing and does nothing."""

Groups = dict[str, list[Callable[[], Resources]]]
"""What must stay together in one stack, by the id of the resource it is about; made when it is put there, since all
the resources of a big plan at once would take half a gigabyte."""


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
    archive_arn: str = "",
    archive_role_arn: str = "",
    dashboards: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Template name -> template, as text. Those that `names.is_alarm_stack` are to be deployed; others nest in them.

    Alarms go to the topic of their severity, unless a composite over them goes there; to nobody if its ARN is empty.
    Without a subscriber or an archive there are no subscriptions for it. `dashboards` is name -> body, as text.
    InputError for a plan over several accounts or Regions, or over too many applications.
    """
    if len({(one.account, one.region) for one in plan.fleet.resources}) > 1:
        raise InputError("A stack lies in one account and Region: plan each by itself (monitors.plan.by_place).")
    topics = {Severity.PAGE: page_topic, Severity.TICKET: ticket_topic}
    targets = {False: resources.Target(subscriber_arn), True: resources.Target(archive_arn, archive_role_arn)}
    parts = _with_logs(plan, _with_alarms(plan, topics), targets)
    _put_dashboards(parts, plan, dashboards or {})
    groups = [*parts.own.values(), *parts.over.values()]
    if sum(map(len, groups)) + len(parts.shared) <= MOST_RESOURCES:
        whole = {**parts.shared, **{name: one for group in groups for name, one in _made(group).items()}}
        if len(text := dump(template(whole))) <= MOST_BYTES:
            return {names.ALARM_STACK: text}
    return _nested(parts)


def template(found: Resources) -> Template:
    """The resources as a template. What they depend on, but is not among them, has been made before."""
    return {**_HEAD, "Resources": _kept(found) or PLACEHOLDER}


def dump(one: Template) -> str:
    """A template made here as text, the same for the same template: a line for each resource."""
    return _text(_lines(one["Resources"]))


def alarms(plan: Plan, topics: Mapping[Severity, str]) -> dict[str, Resources]:
    """The plan's metric and composite alarms by the resource, or application, that they are about."""
    parts = _with_alarms(plan, topics)
    groups = {key: [*parts.own.get(key, ()), *parts.over.get(key, ())] for key in [*parts.own, *parts.over]}
    return {**({"": parts.shared} if parts.shared else {}), **{key: _made(group) for key, group in groups.items()}}


def _with_alarms(plan: Plan, topics: Mapping[Severity, str]) -> _Parts:
    """Those that keep back the actions of others must be there before those, and so are shared."""
    every: tuple[Alarm | CompositeAlarm, ...] = (*plan.alarms, *plan.composites)
    severities = {one.name: one.severity for one in every}
    silent = {
        child for one in plan.composites for child in one.children if one.joint or severities.get(child) is one.severity
    }
    suppressors = {one.suppressor for one in plan.composites if one.suppressor}
    home = {one.name: one.resource for one in every}
    parts = _Parts(defaultdict(list), defaultdict(list), {})
    for alarm in plan.alarms:
        topic = "" if alarm.name in silent else topics[alarm.severity]
        if alarm.name in suppressors:
            parts.shared.update(resources.alarm(alarm, topic))
        else:
            parts.own[alarm.resource].append(partial(resources.alarm, alarm, topic))
    for composite in plan.composites:
        topic = "" if composite.name in silent else topics[composite.severity]
        at_home = composite.resource not in parts.over and all(
            home.get(child) == composite.resource for child in composite.children
        )
        groups = parts.own if at_home else parts.over
        groups[composite.resource].append(partial(resources.composite, composite, topic))
    return parts


def _with_logs(plan: Plan, parts: _Parts, targets: Mapping[bool, resources.Target]) -> _Parts:
    """Filters lie with the first resource that writes to the log group, else by themselves. Targets by `archived`."""
    writers = {
        str(one.facts["log_group"]): one.id
        for one in sorted(plan.fleet.resources, key=lambda one: one.id, reverse=True)
        if "log_group" in one.facts
    }
    for metric_filter in plan.metric_filters:
        group = metric_filter.log_group
        parts.own[writers.get(group, group)].append(partial(resources.metric_filter, metric_filter))
    subscriber = targets[False].arn
    for one in plan.subscriptions:
        if targets[one.archived].arn:
            key = writers.get(one.log_group, one.log_group)
            parts.own[key].append(partial(resources.subscription, one, targets[one.archived]))
    if not subscriber or all(one.archived for one in plan.subscriptions):
        return parts
    return parts._replace(shared={**parts.shared, **resources.permission(subscriber)})


def _put_dashboards(parts: _Parts, plan: Plan, dashboards: Mapping[str, str]) -> None:
    """An application's dashboard lies with its health alarm, so that one more function changes them together."""
    applications = {
        names.application_dashboard(key.removeprefix(names.APPLICATION), region(plan)): key
        for key in parts.over
        if key.startswith(names.APPLICATION)
    }
    for name, body in dashboards.items():
        group = parts.over[applications[name]] if name in applications else parts.own[f"dashboard:{name}"]
        group.append(partial(resources.dashboard, name, body))


def _made(group: Iterable[Callable[[], Resources]]) -> Resources:
    return {name: one for make in group for name, one in make().items()}


def _nested(parts: _Parts) -> dict[str, str]:
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
            f"{quotas.STACK_RESOURCES} in a parent. Turn the rule app.health off in lookout.toml."
        )
    else:
        parents = {names.ALARM_STACK: main}
        for bits, own in _by_prefix([*first]).items():
            parents[names.alarm_stack(bits)] = {name: nested[name] for name in (nested_id(PART, one) for one in own)}
    return {
        **{name: dump(template(one)) for name, one in parents.items()},
        **{names.nested_stack(PART, bits): text for bits, text in first.items()},
        **{names.nested_stack(HEALTH, bits): text for bits, text in last.items()},
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


def _stacks(groups: Groups) -> dict[str, str]:
    """The bits of a bucket -> a template of its resources, few and short enough for a stack."""
    lines = {key: _lines(_kept(_made(group))) for key, group in groups.items()}
    sizes = {key: sum(map(len, own)) + len(_BETWEEN) * len(own) for key, own in lines.items()}
    most = MOST_BYTES - len(_text([]))

    def small_enough(keys: Sequence[str]) -> bool:
        return sum(len(lines[key]) for key in keys) <= MOST_RESOURCES and sum(map(sizes.__getitem__, keys)) <= most

    found = buckets(lines, small_enough)
    return {bits: _text(sorted(line for key in keys for line in lines[key])) for bits, keys in found.items()}


def _kept(found: Resources) -> Resources:
    """The resources, each depending only on others of them."""
    return {
        name: {**one, "DependsOn": depends}
        if (depends := [on for on in one.get("DependsOn", ()) if on in found])
        else {key: value for key, value in one.items() if key != "DependsOn"}
        for name, one in found.items()
    }


def _lines(found: Resources) -> list[str]:
    return [f"{compact(name)}: {compact(resource)}" for name, resource in sorted(found.items())]


def _text(lines: Sequence[str]) -> str:
    head = ",\n".join(f"{compact(key)}: {compact(value)}" for key, value in _HEAD.items())
    return f'{{\n{head},\n"Resources": {{\n{_BETWEEN.join(lines)}\n}}\n}}\n'


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
