"""A trace as BatchGetTraces returns it -> its times, and all that it says besides: in which many traces are alike.

The field names and types are those of the X-Ray Developer Guide, "X-Ray segment documents". What doesn't keep to them
is for reading.read_trace, which can read anything.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from monitors.traces.callpaths import BETWEEN
from monitors.traces.labels import OF_LAMBDA
from monitors.traces.naming import qualifier, resource, text
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


class _Request(Struct, omit_defaults=True):
    method: str = ""


class _Response(Struct, omit_defaults=True):
    status: int = 0


class _Http(Struct, omit_defaults=True):
    request: _Request | None = None
    response: _Response | None = None


class _Aws(Struct, omit_defaults=True):
    function_arn: str = ""
    operation: str = ""
    function_name: str = ""
    table_name: str = ""
    queue_url: str = ""
    bucket_name: str = ""
    topic_arn: str = ""
    stream_name: str = ""
    state_machine_arn: str = ""
    resource_names: list[str] = []


class _Body(Struct, omit_defaults=True):
    id: str | UnsetType
    start_time: float | UnsetType
    end_time: float | UnsetType
    name: str = ""
    origin: str = ""
    namespace: str = ""
    type: str = ""
    resource_arn: str = ""
    inferred: bool = False
    error: bool = False
    fault: bool = False
    throttle: bool = False
    http: _Http | None = None
    aws: _Aws | None = None
    parent_id: str = ""
    precursor_ids: list[str] = []
    subsegments: list["_Body"] = []


_OWN_ARN = re.compile(rb'"(?:resource|function)_arn":"arn:[^:"]*:[^:"]*:([^:"]+):')

_decode = msgspec.json.Decoder(_Body).decode
_encode = msgspec.json.Encoder().encode
_START = attrgetter("start_time")


def alike(envelope: Mapping[str, Any]) -> Alike | None:
    """The trace in two parts; None for one that is not as documented, long, or told apart by ids and missing ends.

    `envelope` is as read_trace takes it, with documents as text.
    """
    try:
        if len(envelope["Segments"]) > MOST:
            return None
        documents = [_decode(segment["Document"]) for segment in envelope["Segments"]]
    except (msgspec.DecodeError, KeyError, TypeError, RecursionError):
        return None
    documents.sort(key=_START)
    times: list[Any] = []
    ids: list[Any] = []
    above = [document.parent_id for document in documents]
    for document in documents:
        pending = [document]
        for body in pending:  # grows while it is walked
            times.append(body.start_time)
            times.append(body.end_time)
            ids.append(body.id)
            body.id = body.start_time = body.end_time = UNSET
            body.parent_id = ""
            if body.precursor_ids:
                return None
            if inside := body.subsegments:
                pending += inside
    position = {identity: n for n, identity in enumerate(ids)}
    if len(position) < len(ids) or not 0 < len(ids) <= MOST or "" in position or envelope.get("LimitExceeded") is True:
        return None
    parents = tuple([position.get(identity, -1) if identity else None for identity in above])
    length_s = envelope.get("Duration")
    has_length = type(length_s) in (int, float)
    if has_length:
        times.append(length_s)
    return Alike(Key(b"\n".join(map(_encode, documents)), parents, has_length), times)


def envelope(key: Key, times: Sequence[float]) -> dict[str, Any]:
    """A trace that says what the key does, with these times, as read_trace takes it; without an id."""
    moments, ids = iter(times), count()
    documents = _documents(key)
    for document, parent in zip(documents, key.parents, strict=True):
        for body in _inside(document):
            body |= {"id": str(next(ids)), "start_time": next(moments), "end_time": next(moments)}
        if parent is not None:
            document["parent_id"] = str(parent)
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


def region_of(key: Key) -> str:
    """That of the first ARN of a segment's own resource or function; empty if there is none."""
    found = _OWN_ARN.search(key.documents)
    return found[1].decode() if found else ""


def _documents(key: Key) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in key.documents.split(b"\n")]


def _inside(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Level by level, the document itself first."""
    pending = [document]
    for body in pending:  # grows while it is walked
        yield body
        pending += body.get("subsegments", ())


def _rename(body: dict[str, Any], token: Callable[[str], str]) -> None:
    body["name"] = token(text(body.get("name")))
    if arn := body.pop("resource_arn", ""):
        version = qualifier(arn)
        body["resource_arn"] = f"arn:aws:lambda:::function:f:{token(version)}" if version else ""
    if aws := body.get("aws"):
        arn, to = ":".join(aws.get("function_arn", "").split(":")[:7]), resource(aws)
        body["aws"] = {
            **({"function_arn": token(arn)} if arn else {}),
            **({"operation": aws["operation"]} if "operation" in aws else {}),
            **({"table_name": token(to)} if to else {}),
        }
