"""A live account -> Fleet: makes the calls of monitors/fleet/calls.py, in parallel, in every Region asked for."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import boto3
from botocore.client import BaseClient

from infra.aws.session import WORKERS, Identity, call, client, error_code, identity, pages
from monitors import fleet
from monitors.errors import AwsError
from monitors.fleet.answers import Answer, Answers
from monitors.fleet.calls import CALLS, Call, waves
from monitors.model import Fleet

Json = Any
Progress = Callable[[int, int], None]
"""Told after every call: how many are done, and how many are known to be needed so far."""

# What AWS says of a thing that was deleted since it was listed; then nothing is missing.
_GONE = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "NoSuchBucket",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
}


class _Place(NamedTuple):
    """One Region, what asks there, and what it has said so far."""

    region: str
    identity: Identity
    clients: Mapping[str, BaseClient]
    found: defaultdict[str, list[Answer]]
    errors: defaultdict[tuple[str, str], list[AwsError]]
    """By call and error code: what is denied for one function is denied for a thousand."""


class _Question(NamedTuple):
    place: _Place
    row: Call
    parent: Json


def survey(session: boto3.Session, *, regions: Sequence[str] = (), progress: Progress | None = None) -> Fleet:
    """Every resource of the account in the Regions named, or in the session's own.

    A call that fails is told in the Fleet's `incomplete`, with the IAM action it needs, and the survey goes on.
    AwsError only if the credentials do not work in one of the Regions at all.
    """
    places = [_place(session, region) for region in dict.fromkeys(regions or [session.region_name])]
    done = total = 0
    with ThreadPoolExecutor(WORKERS) as pool:
        for wave in waves():
            questions = [question for place in places for row in wave for question in _questions(place, row)]
            total += len(questions)
            for question, (items, error) in zip(questions, pool.map(_ask, questions), strict=True):
                _note(question, items, error)
                done += 1
                if progress:
                    progress(done, total)
    return fleet.from_answers([_answers(place) for place in places])


def _place(session: boto3.Session, region: str) -> _Place:
    services = {row.id.partition(":")[0] for row in CALLS}
    return _Place(
        region=region,
        identity=identity(session, region=region),
        clients={service: client(session, service, region=region) for service in sorted(services)},
        found=defaultdict(list),
        errors=defaultdict(list),
    )


def _questions(place: _Place, row: Call) -> list[_Question]:
    parents = [answer.item for answer in place.found[row.each]] if row.each else [{"Region": place.region}]
    return [_Question(place, row, parent) for parent in parents if row.when(parent, place.found)]


def _ask(question: _Question) -> tuple[list[Json], AwsError | None]:
    """The items of every page, or of those before the one that failed."""
    items: list[Json] = []
    try:
        for page in _pages(question):
            items += _items(page, question.row.items)
    except AwsError as error:
        return items, error
    return items, None


def _pages(question: _Question) -> Iterator[dict[str, Json]]:
    row, parent = question.row, question.parent
    service, _, operation = row.id.partition(":")
    asking = question.place.clients[service]
    named = {parameter: parent.get(key) if key else parent for parameter, key in row.arguments.items()}
    parameters = {**row.constants, **{key: value for key, value in named.items() if value is not None}}
    target = str(next(iter(named.values()), "")) if row.each else ""
    if row.token is None:
        yield from pages(asking, operation, parameters, target=target, size=row.page_size)
        return
    parameter, member = row.token
    while True:
        page = call(asking, operation, parameters, target=target)
        yield page
        if not page.get(member) or page[member] == parameters.get(parameter):
            return
        parameters = {**parameters, parameter: page[member]}


def _items(page: Mapping[str, Json], member: str) -> list[Json]:
    held = page.get(member) if member else page
    if held is None:
        return []
    return held if isinstance(held, list) else [held]


def _note(question: _Question, items: Sequence[Json], error: AwsError | None) -> None:
    place, row = question.place, question.row
    place.found[row.id] += [Answer(item, question.parent) for item in items]
    if error and not (row.each and error_code(error) in _GONE):
        place.errors[row.id, error_code(error)].append(error)


def _answers(place: _Place) -> Answers:
    return Answers(
        account=place.identity.account,
        region=place.region,
        partition=place.identity.partition,
        found=place.found,
        failures=tuple(_told(errors) for errors in place.errors.values()),
    )


def _told(errors: Sequence[AwsError]) -> str:
    """The first of many alike, and how many more."""
    return f"{errors[0]} ({len(errors) - 1} more like it.)" if len(errors) > 1 else str(errors[0])
