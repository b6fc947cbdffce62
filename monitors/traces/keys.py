"""A trace as BatchGetTraces returns it -> its times, and all that it says besides: in which many traces are alike.

What doesn't keep to the documented fields is for reading.read_trace, which can read anything.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from monitors.traces.callpaths import BETWEEN
from monitors.traces.fields import Aws, Body, documented, number
from monitors.traces.labels import OF_LAMBDA
from monitors.traces.naming import qualifier, region, resource
from monitors.traces.reading import LATEST_S
from monitors.traces.repairing import STARTS, is_attempt

MOST = 64
"""Segments and subsegments of a trace; longer ones are hardly ever alike."""
FIRST_TOKEN = 0xF0000
"""The characters from here on stand for names: private ones (Unicode, "Supplementary Private Use Area-A")."""
_OWN = {"", *STARTS, *OF_LAMBDA}


class Key(NamedTuple):
    """All that is said of a trace but its times and ids; equal for traces that are alike."""

    documents: bytes
    """A JSON text on a line for each, by their start."""
    parents: tuple[int | None, ...]
    """Of each document, where in the trace its parent is; -1 if it isn't there, None if it names none."""
    has_length: bool
    """The last of the times is what X-Ray says the trace took."""


class Alike(NamedTuple):
    """A trace in two parts."""

    key: Key
    times_s: list[float]
    """Of each segment and subsegment its start and end, level by level, document by document."""


_encode = msgspec.json.Encoder().encode
_START = attrgetter("start_time")


def alike(envelope: Mapping[str, Any]) -> Alike | None:
    """The trace in two parts; None for one that is not as documented, long, or told apart by ids and missing ends.

    `envelope` is as read_trace takes it, with documents as text.
    """
    try:
        if len(envelope["Segments"]) > MOST:
            return None
        documents = [documented(segment["Document"]) for segment in envelope["Segments"]]
        documents.sort(key=_START)
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError, RecursionError):
        return None
    times: list[Any] = []
    ids: list[Any] = []
    above = [document.parent_id for document in documents]
    for document in documents:
        pending = [document]
        for body in pending:  # grows while it is walked
            times.append(body.start_time)
            times.append(body.end_time)
            ids.append(body.id)
            body.id = body.parent_id = ""
            body.start_time = body.end_time = None
            if body.precursor_ids:
                return None
            if inside := body.subsegments:
                pending += inside
    position = {identity: n for n, identity in enumerate(ids)}
    if len(position) < len(ids) or not 0 < len(ids) <= MOST or "" in position or None in times:
        return None
    if envelope.get("LimitExceeded") is True:
        return None
    parents = tuple([position.get(identity, -1) if identity else None for identity in above])
    length_s = number(envelope.get("Duration"))
    has_length = length_s is not None and length_s <= LATEST_S
    if has_length:
        times.append(length_s)
    return Alike(Key(b"\n".join(map(_encode, documents)), parents, has_length), times)


def envelope(key: Key, times: Sequence[float]) -> dict[str, Any]:
    """A trace that says what the key does, with these times, as read_trace takes it; without an id."""
    moments, ids = iter(times), count()
    documents = _documents(key)
    for document, parent in zip(documents, key.parents, strict=True):
        for body in _inside(document):
            body.id, body.start_time, body.end_time = str(next(ids)), next(moments), next(moments)
        if parent is not None:
            document.parent_id = str(parent)
    return {"Segments": documents, **({"Duration": next(moments)} if key.has_length else {})}


def renamed(key: Key) -> tuple[Key, list[str]] | None:
    """The key with tokens in place of names, the same for the same name, and the names in the order of their tokens.

    Lambda's own names stay, since rules know them; so do the names of operations. None if a token is in it already.
    """
    if max(key.documents.decode()) >= chr(FIRST_TOKEN):
        return None
    tokens: dict[str, str] = {}

    def token(name: str) -> str:
        if name in _OWN or is_attempt(name) or BETWEEN.strip() in name:
            return name
        return tokens.setdefault(name, chr(FIRST_TOKEN + len(tokens)))

    documents = _documents(key)
    for document in documents:
        for body in _inside(document):
            _rename(body, token)
    return key._replace(documents=b"\n".join(map(_encode, documents))), [*tokens]


def _documents(key: Key) -> list[Body]:
    return [documented(line) for line in key.documents.split(b"\n")]


def _inside(document: Body) -> Iterator[Body]:
    """Level by level, the document itself first."""
    pending = [document]
    for body in pending:  # grows while it is walked
        yield body
        pending += body.subsegments


def _rename(body: Body, token: Callable[[str], str]) -> None:
    body.name = token(body.name)
    where, version = token(region(body.resource_arn)), token(qualifier(body.resource_arn))
    body.resource_arn = f"arn:aws:lambda:{where}::function:f:{version}" if where or version else ""
    if aws := body.aws:
        arn, to = ":".join(aws.function_arn.split(":")[:7]), resource(aws)
        if (short := token(arn)) != arn:
            arn = f"arn:aws:lambda:{token(region(arn))}::function:{short}"
        # Of the fields that name a resource, resource_names alone is taken as it is.
        body.aws = Aws(arn, aws.operation, resource_names=[token(to)] if to else [])
