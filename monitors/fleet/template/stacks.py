"""Expanded templates -> Fleet. Pure.

A template is read as what the APIs would answer once it is deployed, and from there on as any live account: there is
one way from answers to a Fleet. So a template and its deployment agree, but for what only the deployment decides.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, NamedTuple

from monitors.fleet.answers import Answer, Answers
from monitors.fleet.joined import from_answers, in_order
from monitors.fleet.template.identities import Identities
from monitors.fleet.template.intrinsics import NO_VALUE, Scope, condition, resolve
from monitors.fleet.template.nodes import Node, Note
from monitors.fleet.template.said import Declared, Open, Said, Under
from monitors.fleet.template.types import READERS
from monitors.model import Fleet, Link, Resource

Json = Any

_STACK = "AWS::CloudFormation::Stack"
_OWN = re.compile(r"\$\{(?!AWS::(?:Region|AccountId)\})([^}/]*)\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """One template, expanded, as it would be deployed."""

    name: str
    """Unlike any other's of the run."""
    application: str
    template: Mapping[str, Json]
    parameters: Mapping[str, Json] = field(default_factory=dict)
    """Values given, pseudo parameters such as `AWS::Region` among them."""
    imports: Mapping[str, str] = field(default_factory=dict)
    """What other stacks export."""
    outputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of its nested stacks, by logical id."""


@dataclass(frozen=True, slots=True)
class Read:
    """What one stack comes to: its part of the Fleet, and what was odd in it."""

    fleet: Fleet
    notes: tuple[Note, ...]
    passed: frozenset[str]
    """The logical ids of resources that nothing here reads."""


class Nested(NamedTuple):
    """A stack within a stack."""

    id: str
    template: str
    """Its URL or path."""
    parameters: Mapping[str, str]


@dataclass(slots=True)
class _Gathered:
    """What the declarations of a stack have said so far."""

    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    facts: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    conditions: dict[str, str] = field(default_factory=dict)


def read(stack: Stack) -> Read:
    """The stack's resources and links; whatever of it cannot be understood is a note."""
    resources, notes = _resources(stack.template)
    scope, names = _names(stack, resources)
    here = _here(scope)
    said = _Gathered()
    passed = set()
    for logical_id, declared in resources.items():
        reader = READERS.get(declared["Type"])
        if reader is None:
            passed.add(logical_id)
            continue
        under = _under(declared, scope)
        if under is False:
            notes.append(Note(("Resources", logical_id), f"{logical_id} is left out: its condition does not hold"))
            continue
        properties = _properties(logical_id, declared, scope, notes)
        for part in reader(Declared(logical_id, properties, names, here)):
            _gather(part, under, said)
        if scope.dangling:
            place = ("Resources", logical_id)
            notes += [Note(place, f"{what}: there is no such thing here") for what in _taken(scope)]
    found = from_answers([replace(here, found=said.answers)])
    return Read(_settled(found, stack, said), tuple(notes), frozenset(passed))


def from_stacks(reads: Iterable[Read]) -> Fleet:
    """One Fleet of all. Who feeds whom across stacks shows where names are known."""
    fleets = [each.fleet for each in reads]
    resources = {one.id: one for fleet in reversed(fleets) for one in fleet.resources}
    links = {link for fleet in fleets for link in fleet.links}
    return in_order(Fleet(resources=tuple(resources.values()), links=tuple(links)))


def exports(stack: Stack) -> dict[str, str]:
    """What the stack exports, by name."""
    return {exported: value for _, exported, value in _outputs(stack) if exported}


def outputs(stack: Stack) -> dict[str, str]:
    """What the stack puts out, by the outputs' logical ids."""
    return {name: value for name, _, value in _outputs(stack)}


def nested(stack: Stack) -> list[Nested]:
    """The stacks that it nests, and the parameters that they get."""
    resources, _ = _resources(stack.template)
    scope, _ = _names(stack, resources)
    found: list[Nested] = []
    for logical_id, declared in resources.items():
        if declared["Type"] == _STACK and _under(declared, scope) is not False:
            properties = _properties(logical_id, declared, scope, [])
            given = properties.group("Parameters")
            metadata = declared.get("Metadata")
            asset = metadata.get("aws:asset:path") if isinstance(metadata, dict) else None  # what CDK writes
            parameters = {key: _qualified(_one_text(given.get(key)), stack) for key in given.value}
            found.append(Nested(logical_id, str(asset or properties.text("TemplateURL")), parameters))
    return found


def scope_of(stack: Stack) -> Scope:
    """What the stack's intrinsic functions can refer to."""
    return _names(stack, _resources(stack.template)[0])[0]


def _outputs(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """(logical id, name of the export or nothing, value) of every output that is text."""
    scope = scope_of(stack)
    for name, output in _section(stack.template, "Outputs").items():
        if isinstance(output, dict):
            value, export = resolve(output.get("Value"), scope), output.get("Export")
            exported = resolve(export.get("Name"), scope) if isinstance(export, dict) else ""
            if isinstance(value, str):
                yield name, exported if isinstance(exported, str) else "", _qualified(value, stack)


def _resources(template: Mapping[str, Json]) -> tuple[dict[str, Mapping[str, Json]], list[Note]]:
    found: dict[str, Mapping[str, Json]] = {}
    notes: list[Note] = []
    for logical_id, declared in _section(template, "Resources").items():
        if isinstance(declared, dict) and isinstance(declared.get("Type"), str):
            found[logical_id] = declared
        else:
            words = f"{logical_id} is not seen: a resource with a Type was expected"
            notes.append(Note(("Resources", logical_id), words, missing=True))
    return found, notes


def _names(stack: Stack, resources: Mapping[str, Mapping[str, Json]]) -> tuple[Scope, Identities]:
    """Names are resolved in the scope, and the scope knows names: each asks the other when it must."""
    names: Identities
    scope = Scope(
        parameters=stack.parameters,
        declared=_section(stack.template, "Parameters"),
        mappings=_section(stack.template, "Mappings"),
        conditions=_section(stack.template, "Conditions"),
        attribute=lambda logical_id, attribute: names.attribute(logical_id, attribute),
        imports=stack.imports,
    )
    names = Identities(resources, scope, stack.outputs)
    return scope, names


def _here(scope: Scope) -> Answers:
    partition, region, account = (
        str(resolve({"Ref": f"AWS::{each}"}, scope)) for each in ("Partition", "Region", "AccountId")
    )
    return Answers(account=account, region=region, partition=partition)


def _under(declared: Mapping[str, Json], scope: Scope) -> str | bool:
    """The name of the condition that a deployment decides; True if it is made in any case, False if in none."""
    name = declared.get("Condition")
    if not isinstance(name, str):
        return True
    holds = condition(name, scope)
    return name if holds is None else holds


def _properties(logical_id: str, declared: Mapping[str, Json], scope: Scope, notes: list[Note]) -> Node:
    path = ("Resources", logical_id, "Properties")
    try:
        value = resolve(declared.get("Properties") or {}, scope)
    except RecursionError:
        notes.append(Note(path, f"{logical_id} is not seen: nested too deeply", missing=True))
        value = {}
    if value is not NO_VALUE and not isinstance(value, dict):
        notes.append(Note(path, f"the properties of {logical_id} are not seen: an object was expected", missing=True))
    return Node(value if isinstance(value, dict) else {}, path, notes)


def _gather(part: Said | Open | Under, under: str | bool, said: _Gathered) -> None:
    if isinstance(part, Said):
        said.answers[part.call].append(Answer(part.item, part.parent))
    elif isinstance(part, Open):
        said.facts[part.resource][part.fact] = part.text
    elif isinstance(under, str):
        said.conditions[part.resource] = under


def _taken(scope: Scope) -> list[str]:
    found = list(dict.fromkeys(scope.dangling))
    scope.dangling.clear()
    return found


def _settled(found: Fleet, stack: Stack, said: _Gathered) -> Fleet:
    """The Fleet with what the APIs could not have said: open facts, conditions, the application, unique ids."""
    qualified = cache(partial(_qualified, stack=stack))  # links name what resources are called
    resources = [
        Resource(  # `replace` takes twice as long
            service=one.service,
            name=one.name,
            id=qualified(one.id),
            region=one.region,
            account=one.account,
            application=one.application or stack.application,
            condition=said.conditions.get(one.id, ""),
            facts={**one.facts, **said.facts.get(one.id, {})},
            tags=one.tags,
        )
        for one in found.resources
        if one.service != "account"  # no template says what the account allows
    ]
    links = [Link(qualified(link.source), qualified(link.target), link.kind) for link in found.links]
    return Fleet(resources=tuple(resources), links=tuple(links))


def _qualified(text: str, stack: Stack) -> str:
    """The text with the stack's name in all that its own deployment decides: `${shop/Queue}`."""
    return _OWN.sub(lambda own: f"${{{stack.name}/{own[1]}}}", text)


def _one_text(value: Json) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _section(template: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    value = template.get(name)
    return value if isinstance(value, dict) else {}
