"""What AWS's APIs said of one account in one Region, as it is handed over to be understood."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from monitors.fleet.arns import resource_arn
from monitors.model import Fact, Link, Resource

Json = Any


class Answer(NamedTuple):
    """One item of an answer, and the item of an earlier answer that it was asked for."""

    item: Json
    parent: Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """All answers of one account in one Region."""

    account: str
    region: str
    partition: str = "aws"
    found: Mapping[str, Sequence[Answer]] = field(default_factory=dict)
    """By call, `<service>:<operation>`; what failed half-way holds what came before."""
    failures: tuple[str, ...] = ()
    """The calls that failed, in words."""
    notes: tuple[str, ...] = ()
    """What was not asked for, in words."""


class Found(NamedTuple):
    """What one service's answers come to."""

    resources: tuple[Resource, ...] = ()
    links: tuple[Link, ...] = ()


def items(answers: Answers, call: str) -> list[Json]:
    """Every item that a call gave."""
    return [answer.item for answer in answers.found.get(call, ())]


def by_parent(answers: Answers, call: str, key: str = "") -> Mapping[str, list[Json]]:
    """The items of a call made once for each thing, by that thing's `key`, or by itself where it is a string.

    Empty for a thing of which nothing came.
    """
    grouped: defaultdict[str, list[Json]] = defaultdict(list)
    for item, parent in answers.found.get(call, ()):
        grouped[parent[key] if key else parent].append(item)
    return grouped


def told(answers: Answers, call: str, key: str = "") -> Mapping[str, Json]:
    """The one item of a call made once for each thing, by that thing as in `by_parent`."""
    return {parent: items[0] for parent, items in by_parent(answers, call, key).items()}


def resource(
    answers: Answers,
    *,
    service: str,
    name: str,
    arn: str,
    facts: Mapping[str, Fact | None],
    tags: Json = None,
) -> Resource:
    """A resource of this account and Region with the facts that are known: a None is left out."""
    known = {fact: value for fact, value in facts.items() if value is not None}
    return Resource(
        service=service,
        name=name,
        id=arn,
        region=answers.region,
        account=answers.account,
        facts=known,
        tags=dict(tags or {}),
    )


def links(source: str, targets: Iterable[str | None], kind: str) -> list[Link]:
    """A link from `source` to each target there is, between resources, not their versions or streams."""
    return [Link(resource_arn(source), resource_arn(target), kind) for target in targets if target]


def own_arn(answers: Answers, service: str, rest: str) -> str:
    """The ARN that a thing of this account and Region has, where no answer says it."""
    return f"arn:{answers.partition}:{service}:{answers.region}:{answers.account}:{rest}"
