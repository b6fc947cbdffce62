"""What a resource of a template will have AWS's APIs answer once it is deployed: the records that say so. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from monitors.fleet.answers import Answers
from monitors.fleet.template.identities import Identities
from monitors.fleet.template.nodes import Node

Json = Any


class Said(NamedTuple):
    """One item of a call's answer, and what it was asked for, as in monitors/fleet/calls.py."""

    call: str
    item: Json
    parent: Json = None


class Open(NamedTuple):
    """A fact that only a deployment decides, as text with `${...}`; a factor stands before it."""

    resource: str
    """Its ARN."""
    fact: str
    text: str


class Under(NamedTuple):
    """A resource that the declaration makes: its condition is the declaration's."""

    resource: str


class Declared(NamedTuple):
    """One resource as a template declares it, with its properties resolved."""

    id: str
    properties: Node
    names: Identities
    answers: Answers
    """Of the place where it will be, with nothing found yet."""

    @property
    def name(self) -> str:
        return self.names.name(self.id)

    @property
    def arn(self) -> str:
        return self.names.arn(self.id)


_NOTHING: tuple[Json, ...] = (None, "", [], {})

Saying = Iterator[Said | Open | Under]
Reader = Callable[[Declared], Saying]


def some(members: Mapping[str, Json]) -> dict[str, Json]:
    """The members that say something: AWS leaves out what is not set."""
    return {name: value for name, value in members.items() if value or value not in _NOTHING}


def tags(properties: Node) -> list[dict[str, str]]:
    """Tags as the tagging API lists them, whether the type has them as a list or as an object."""
    value = properties.get("Tags")
    if value is None:
        return []
    pairs = (
        [(one.text("Key"), one.text("Value")) for one in properties.many("Tags")]
        if isinstance(value, list)
        else [(key, properties.group("Tags").text(key)) for key in properties.group("Tags").value]
    )
    return [{"Key": key, "Value": text} for key, text in pairs if key]


def tagged(one: Declared) -> Saying:
    """The resource is made under the declaration's condition, with its tags."""
    yield Under(one.arn)
    if found := tags(one.properties):
        yield Said("resourcegroupstaggingapi:GetResources", {"ResourceARN": one.arn, "Tags": found})


def left_open(one: Declared, facts: Mapping[str, tuple[str, str]]) -> Saying:
    """The facts, by name as (property, factor), whose properties only a deployment decides."""
    for fact, (name, factor) in facts.items():
        if text := one.properties.open(name):
            yield Open(one.arn, fact, f"{factor}{text}")
