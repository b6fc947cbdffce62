"""Live accounts -> Fleet: makes the calls of monitors/fleet/calls.py, in parallel, in every place asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any, NamedTuple

import boto3

from infra.aws.places import Accounts, Place, Sent, places
from infra.aws.session import WORKERS, call, error_code, pages
from infra.aws.workers import each
from monitors import fleet
from monitors.errors import AwsError
from monitors.fleet.answers import Answer, Answers
from monitors.fleet.calls import Call, waves
from monitors.fleet.evidence import MANY
from monitors.model import Fleet

Json = Any
Progress = Callable[[int, int], None]
"""Told after every call: how many are done, and how many are known to be needed so far."""

WORKERS_LIMIT = 64

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


class Surveyed(NamedTuple):
    """What was found, and by how many calls: every page and every attempt counts."""

    fleet: Fleet
    calls: int


class _Question(NamedTuple):
    place: Place
    row: Call
    parent: Json
    variant: Mapping[str, Json]


def survey(session: boto3.Session, *, regions: Sequence[str] = (), progress: Progress | None = None) -> Fleet:
    """The Fleet of one account, as by `survey_all`."""
    return survey_all({"": lambda: session}, regions=regions, progress=progress).fleet


def survey_all(
    accounts: Accounts, *, regions: Sequence[str] = (), thorough: bool = False, progress: Progress | None = None
) -> Surveyed:
    """Every resource of the accounts in the Regions named, or in each session's own.

    A call that fails is told in the Fleet's `incomplete`, with the IAM action it needs, and so is a place where the
    credentials do not work; the survey goes on. What is not asked for, since there are too many of it to ask about
    one by one unless `thorough`, is told in its `notes`. AwsError only if the credentials work nowhere.
    """
    sent = Sent()
    try:
        open_places, closed = places(accounts, regions, sent)
        if not open_places:
            raise AwsError("\n".join(map(str, closed)))
        _ask_all(open_places, thorough=thorough, progress=progress)
    finally:
        sent.stopped = True
    found = fleet.from_answers(map(_answers, open_places))
    incomplete = sorted({*found.incomplete, *map(str, closed)})
    return Surveyed(replace(found, incomplete=tuple(incomplete)), sent.calls)


def _ask_all(open_places: Sequence[Place], *, thorough: bool, progress: Progress | None) -> None:
    done = total = 0
    for wave in waves():
        asked = [[one for row in wave for one in _questions(place, row, thorough=thorough)] for place in open_places]
        # In turns: a place that AWS throttles holds up its own questions and few workers.
        questions = [one for turn in zip_longest(*asked) for one in turn if one]
        total += len(questions)
        answers: dict[int, tuple[list[Json], AwsError | None]] = {}
        for index, answer in each(_ask, questions, workers=min(WORKERS * len(open_places), WORKERS_LIMIT)):
            answers[index] = answer
            done += 1
            if progress:
                progress(done, total)
        for index, question in enumerate(questions):
            _note(question, *answers.pop(index))


def _questions(place: Place, row: Call, *, thorough: bool) -> list[_Question]:
    if row.spares and thorough:
        return []
    if not row.each:
        own = [({"Region": place.region, **variant}, variant) for variant in row.variants]
        return [_Question(place, row, parent, variant) for parent, variant in own if row.when(parent, place.found)]
    parents = [answer.item for answer in place.found[row.each] if row.when(answer.item, place.found)]
    return [_Question(place, row, parent, {}) for parent in (parents if thorough else _evident(place, row, parents))]


def _evident(place: Place, row: Call, parents: list[Json]) -> list[Json]:
    """Those to ask about; what is thereby not known of the others is noted."""
    if not row.evidence or len(parents) <= MANY:
        return parents
    names = row.evidence.names(place.found)
    evident = [parent for parent in parents if parent[row.evidence.key] in names]
    if left := len(parents) - len(evident):
        what = row.evidence.what.format(count=f"{left:,}")
        where = f"{place.identity.account} in {place.region}"
        place.notes.append(f"Not asked for in {where}: {what}, {row.evidence.why} (--thorough asks).")
    return evident


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
    asked = {**row.constants, **question.variant, **named}
    parameters = {key: value for key, value in asked.items() if value is not None}
    target = _target(question, named)
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


def _target(question: _Question, named: Mapping[str, Json]) -> str:
    """What a call is about, for people; nothing where it is about the whole Region."""
    words = list(named.values())[:1] if question.row.each else question.variant.values()
    return " ".join(word for word in words if isinstance(word, str))


def _items(page: Mapping[str, Json], member: str) -> list[Json]:
    held = page.get(member) if member else page
    if held is None:
        return []
    return held if isinstance(held, list) else [held]


def _note(question: _Question, items: Sequence[Json], error: AwsError | None) -> None:
    place, row = question.place, question.row
    place.found[row.id] += [Answer(item, question.parent) for item in items]
    if not error or (row.each and error_code(error) in _GONE):
        return
    if items:
        many = "1 item" if len(items) == 1 else f"{len(items):,} items"
        error = _more(error, f"It stopped after {many}: there may be more.")
    place.errors[row.id, error_code(error), str(error) if items else ""].append(error)


def _more(error: AwsError, words: str) -> AwsError:
    told = AwsError(f"{error} {words}")
    told.__cause__ = error.__cause__
    return told


def _answers(place: Place) -> Answers:
    return Answers(
        account=place.identity.account,
        region=place.region,
        partition=place.identity.partition,
        found=place.found,
        failures=tuple(_told(errors) for errors in place.errors.values()),
        notes=tuple(place.notes),
    )


def _told(errors: Sequence[AwsError]) -> str:
    """The first of many alike, and how many more."""
    return f"{errors[0]} ({len(errors) - 1} more like it.)" if len(errors) > 1 else str(errors[0])
