"""What Lambda is invoked with for log lines -> envelopes -> events by columns and minute. Pure and bounded.

Shapes: "Subscription filters" in the CloudWatch Logs user guide (Lambda, and Kinesis Data Streams).
"""

import binascii
import json
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from monitors.errors import InputError

ENVELOPE_BYTES = 32 * 2**20
"""The most that a payload may unpack to: CloudWatch Logs' batches come to a few MB, a gzip bomb to thousands."""

Envelope = dict[str, Any]


class Payload(NamedTuple):
    """One packed envelope: base64 of gzip of JSON."""

    data: Any
    sequence: str = ""
    """The Kinesis record's sequence number."""


class Events(NamedTuple):
    """Log events by columns, oldest first."""

    id: Sequence[str]
    timestamp: Sequence[int]
    message: Sequence[str]


_KINDS = (str, int, str)


def payloads(event: Any) -> list[Payload]:
    """The one payload of a subscription's event, or one for each record of a Kinesis event. InputError on any other."""
    try:
        if "awslogs" in event:
            return [Payload(event["awslogs"]["data"])]
        records = [record["kinesis"] for record in event["Records"]]
        return [Payload(record["data"], record["sequenceNumber"]) for record in records]
    except (KeyError, TypeError) as error:
        raise InputError("neither a log subscription's event nor one of Kinesis") from error


def envelope(payload: Payload) -> Envelope:
    """The unpacked envelope, its parts of the right types but for the events. InputError if it is none."""
    try:
        found = json.loads(_unpacked(payload.data).decode(errors="replace"))
    except (TypeError, ValueError, zlib.error, RecursionError) as error:
        raise InputError(f"log batch: {error}") from error
    texts = ("messageType", "logGroup", "logStream")
    if not isinstance(found, dict) or not all(isinstance(found.get(key), str) for key in texts):
        raise InputError(f"log batch: not an object with {', '.join(texts)}")
    if not isinstance(found.get("logEvents"), list):
        raise InputError("log batch: logEvents is not a list")
    return found


def _unpacked(data: str) -> bytes:
    unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    unpacked = unpacking.decompress(binascii.a2b_base64(data, strict_mode=True), ENVELOPE_BYTES)
    if not unpacking.eof or unpacking.unused_data:
        raise InputError(f"log batch: gzip cut short, or too long, or of more than {ENVELOPE_BYTES} bytes")
    return unpacked


def events(found: Sequence[Any]) -> Events:
    """The events that have an id, a time and a message, oldest first. The others are left out."""
    try:
        columns = _columns(found)
        whole = _are_texts(columns.id) and _are_texts(columns.message) and set(map(type, columns.timestamp)) <= {int}
    except (KeyError, TypeError, IndexError):
        whole = False
    if not whole:
        columns = _columns([event for event in found if _is_sound(event)])
    if sorted(columns.timestamp) == columns.timestamp:
        return columns
    return _picked(columns, sorted(range(len(columns.timestamp)), key=columns.timestamp.__getitem__))


def _are_texts(values: Sequence[Any]) -> bool:
    """True; TypeError if one is none. Joining them is the quickest way to find out."""
    return "".join(values) is not None


def fresh(found: Events, earlier: Iterable[frozenset[str]]) -> Events:
    """The events whose id is in none of the earlier sets, each once."""
    seen = frozenset[str]().union(*(ids for ids in earlier if not ids.isdisjoint(found.id)))
    if not seen and len(set(found.id)) == len(found.id):
        return found
    first: dict[str, int] = {}
    for position, each in enumerate(found.id):
        if each not in seen:
            first.setdefault(each, position)
    return _picked(found, first.values())


def _picked(found: Events, positions: Iterable[int]) -> Events:
    rows = [(found.id[position], found.timestamp[position], found.message[position]) for position in positions]
    return Events([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


def _columns(found: Sequence[Any]) -> Events:
    return Events(
        [event["id"] for event in found],
        [event["timestamp"] for event in found],
        [event["message"] for event in found],
    )


def _is_sound(event: Any) -> bool:
    return isinstance(event, dict) and all(
        type(event.get(key)) is kind for key, kind in zip(Events._fields, _KINDS, strict=True)
    )


def by_minute(found: Events) -> Iterator[tuple[int, Sequence[str]]]:
    """(start of the minute in epoch ms, its messages)"""
    start = 0
    while start < len(found.timestamp):
        minute_ms = found.timestamp[start] // 60_000 * 60_000
        end = bisect_left(found.timestamp, minute_ms + 60_000, lo=start)
        yield minute_ms, found.message[start:end]
        start = end
