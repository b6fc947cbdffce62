"""A plan for a template -> the template with the plan's alarms in it, so that both are deployed as one.

Alarms refer to what the template declares, and are made under the condition of what they watch. A SAM template stays
one: its transform is left to the deployment.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.resources import Resources
from infra.stacks import alarms
from infra.templates.expanding import SAM, expanded, transforms
from infra.templates.parsing import parse
from infra.templates.reading import template_text
from monitors import names, quotas
from monitors.errors import InputError
from monitors.fleet.template.intrinsics import written
from monitors.health import expression
from monitors.model import CompositeAlarm, Plan, Severity

Json = Any
_STACKS = {"AWS::CloudFormation::Stack", "AWS::Serverless::Application"}
_NEVER = "FALSE"
"""In an alarm rule, what stands for an alarm that is not there."""


def merged(path: str, plan: Plan, topics: Mapping[Severity, str], *, parameters: Mapping[str, str]) -> dict[str, Json]:
    """The template of the file, deployed with the parameters, with the plan's metric and health alarms added.

    Log filters and dashboards are not: they are for `lookout apply`, once the stack is there. InputError if the
    template nests stacks, whose resources cannot be referred to from here, or would be too large.
    """
    template = parse(template_text(Path(path)), path)
    declared: dict[str, Json] = template["Resources"]
    stacks = [name for name, one in declared.items() if isinstance(one, dict) and str(one.get("Type")) in _STACKS]
    if stacks:
        raise InputError(
            f"{path}: {stacks[0]} is a stack of its own: alarms go into its template, or render the account"
        )
    conditions = {one.id: one.condition for one in plan.fleet.resources if one.condition}
    homes = {one.name: conditions.get(one.resource, "") for one in plan.alarms}
    homes |= {one.name: conditions.get(one.resource, "") for one in plan.composites}
    added: Resources = {}
    for resource, group in alarms(plan, topics).items():
        under = {"Condition": conditions[resource]} if resource in conditions else {}
        added |= {name: written(one) | under for name, one in group.items()}
    for composite in plan.composites:
        absent = {child for child in composite.children if homes[child] not in ("", homes[composite.name])}
        if absent:
            _leave_out(added[names.logical_id(composite.name)], composite, {one: homes[one] for one in absent})
    whole = {**template, "Resources": {**declared, **added}}
    _check_size(whole, path, parameters)
    return whole


def _leave_out(made: Json, composite: CompositeAlarm, conditions: Mapping[str, str]) -> None:
    """Have the rule name a child only where its condition holds. It refers to that child, so need not depend on it."""

    def term(child: str) -> Json:
        if child not in conditions:
            return written(expression([child]))
        there = {"Fn::Sub": expression([f"${{{names.logical_id(child)}}}"])}
        return {"Fn::If": [conditions[child], there, _NEVER]}

    made["Properties"]["AlarmRule"] = {"Fn::Join": [" OR ", [term(child) for child in composite.children]]}
    away = {names.logical_id(child) for child in conditions}
    made["DependsOn"] = [name for name in made["DependsOn"] if name not in away]


def _check_size(template: Mapping[str, Json], path: str, parameters: Mapping[str, str]) -> None:
    is_sam = SAM in transforms(template)
    given = expanded(template, parameters, file=path, read=lambda _: None) if is_sam else template
    count, size = len(given["Resources"]), len(json.dumps(template))
    if count > quotas.STACK_RESOURCES or size > quotas.TEMPLATE_BYTES:
        raise InputError(
            f"{path}: with its alarms the template has {count:,} resources and {size:,} bytes; CloudFormation takes "
            f"{quotas.STACK_RESOURCES:,} and {quotas.TEMPLATE_BYTES:,}. Deploy it as it is, then: lookout apply"
        )
