"""Log batches of a subscription, or of Kinesis -> metrics, as EMF lines on stdout.

Exactly once as far as AWS allows: a batch is printed whole, as the last thing done, or not at all; one that AWS sends
again is recognised while the container lives. A batch that can't be unpacked is raised, so that AWS sends it again and
at last puts it by. Everything is counted: EventsIn = EventsEmitted + EventsSkipped + EventsFailed.
"""

import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import translate
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

from monitors import logdefinitions, logmetrics
from monitors.errors import InputError
from monitors.logdefinitions import Definition, Definitions, Known, definitions, read
from monitors.loglines import function_of
from monitors.logmetrics import (
    Dimensions,
    Incident,
    Lines,
    Request,
    error_table,
    gathered,
    incident_samples,
    merged,
    platform,
    tells,
)
from monitors.names import SUBSCRIBER_METRICS, is_own
from monitors.records import Sample, Table, tabulate
from monitors.rightsize.prices import ARM, X86, Price, price
from subscribers import batch, emf

COUNTS = ("EventsIn", "EventsEmitted", "EventsSkipped", "EventsFailed")
SKIPPED = ("EventsOfControl", "EventsOfItsOwn", "EventsSeenBefore", "EventsWithoutSample")
"""Why events were skipped: what EventsSkipped is the sum of."""
REMEMBERED_EVENTS = 50_000
REMEMBERED_BATCHES = 1_000
REMEMBERED_REQUESTS = 1_000
REMEMBERED_FUNCTIONS = 1_000


class Memory(NamedTuple):
    """What a container knows of the batches it has printed: bounded."""

    batches: Sequence[tuple[str, frozenset[str]]]
    """(account, log group and stream; event ids)"""
    requests: Sequence[Request]
    """The requests whose timeout or lack of memory is counted."""
    errors: Mapping[Dimensions, frozenset[str]]
    """By function's dimensions, the types of error that are told apart."""
    known: Known


NOTHING = Memory((), (), {}, {})

_Reading = tuple[Lines, logmetrics.Reading, logdefinitions.Reading]
"""What lines were read, and what they gave."""


class Result(NamedTuple):
    """What a batch comes to."""

    samples: Table
    counts: Counter[str]
    memory: Memory
    """What is known once the samples are printed."""
    oldest_ms: int | None
    """When the oldest of the lines that were read was logged; None if none was."""


_memory = NOTHING  # the one thing that outlives a batch: AWS may send the next one to the same container


def handler(event: Any, context: Any) -> dict[str, Any] | None:
    """Lambda's entry.

    InputError on a subscription's batch that can't be unpacked, for AWS to send it again. A Kinesis record that can't
    be is returned as a batch item failure, and with it all that follow it: Lambda begins there again.
    """
    global _memory
    own_group = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
    defined = _defined(os.environ.get("LOOKOUT_METRICS") or "[]")
    received = _received(event)
    now_ms = time.time_ns() // 1_000_000
    result = process(
        received.envelopes,
        defined=defined.sound,
        own_group=own_group,
        account=_account(context),
        prices=_prices(os.environ.get("AWS_REGION", ""), os.environ.get("LOOKOUT_ARM64", "")),
        memory=_memory,
    )
    counts = result.counts + Counter(DefinitionsFailed=len(defined.mistakes))
    if received.failure:
        counts += Counter(EventsIn=1, EventsFailed=1)
    if received.failure or not all(_is_own(envelope, own_group) for envelope in received.envelopes):
        # Else each line of its own would make another.
        lag_ms = None if result.oldest_ms is None else now_ms - result.oldest_ms
        own = _own(counts, size=received.size, lag_ms=lag_ms, now_ms=now_ms)
        sys.stdout.write(_output(result.samples, own, now_ms=now_ms))
    _memory = result.memory
    if received.failure and not received.sequence:
        raise received.failure
    if "Records" not in event:
        return None
    return {"batchItemFailures": [{"itemIdentifier": received.sequence}] if received.failure else []}


def process(
    envelopes: Iterable[batch.Envelope],
    *,
    defined: Sequence[Definition],
    own_group: str = "",
    account: str = "",
    prices: Callable[[str], Price] = lambda _: price("", X86),
    memory: Memory = NOTHING,
) -> Result:
    """What a batch comes to, given what earlier ones left in memory. Pure.

    `prices` are by function; `account` is the subscriber's own: lines of another are told apart by a dimension.
    """
    batches, known, types = list(memory.batches), memory.known, memory.errors
    table: Table = {}
    counts: Counter[str] = Counter()
    incidents: list[Incident] = []
    times: list[int] = []
    for envelope in envelopes:
        events = _fresh(envelope, own_group, batches, counts)
        times += events.timestamp[:1]
        batches.append((_source(envelope), frozenset(events.id)))
        for each in _lines(envelope, events, account):
            readings, failed = _readings(each, defined, prices(each.function), known)
            counts["EventsFailed"] += failed
            for lines, own, theirs in readings:
                told = _told(lines, own, theirs)
                counts["EventsEmitted"] += told
                counts["EventsWithoutSample"] += len(lines.messages) - told
                counts["SamplesOverflowed"] += theirs.overflowed
                incidents += own.incidents
                known = theirs.known
                errors, types = _error_types(lines, own, types)
                for found in (own.table, theirs.table, errors):
                    _extend(table, found)
    new = merged(incidents, known=frozenset(memory.requests)) if incidents else []
    _extend(table, tabulate(incident_samples(new)))
    requests = (*memory.requests, *(incident.request for incident in new))[-REMEMBERED_REQUESTS:]
    counts["EventsSkipped"] = sum(counts[reason] for reason in SKIPPED)
    return Result(table, +counts, Memory(_newest(batches), requests, types, known), min(times, default=None))


def _fresh(
    envelope: batch.Envelope, own_group: str, batches: Iterable[tuple[str, frozenset[str]]], counts: Counter[str]
) -> batch.Events:
    """The events to read. The others are counted: those of control messages, of the toolkit's own functions, those
    that are broken, and those that were read before."""
    total = len(envelope["logEvents"])
    counts["EventsIn"] += total
    if envelope["messageType"] != "DATA_MESSAGE" or _is_own(envelope, own_group):
        counts["EventsOfControl" if envelope["messageType"] != "DATA_MESSAGE" else "EventsOfItsOwn"] += total
        return batch.Events([], [], [])
    sound = batch.events(envelope["logEvents"])
    source = _source(envelope)
    fresh = batch.fresh(sound, [ids for earlier, ids in batches if earlier == source])
    counts["EventsFailed"] += total - len(sound.id)
    counts["EventsSeenBefore"] += len(sound.id) - len(fresh.id)
    return fresh


def _told(lines: Lines, own: logmetrics.Reading, theirs: logdefinitions.Reading) -> int:
    """How many lines gave a sample: one that gave both the platform's and a user's is one."""
    both = sum(tells(lines.messages[position]) for position in theirs.told) if own.told else 0
    return own.told + len(theirs.told) - both


def _error_types(
    lines: Lines, own: logmetrics.Reading, types: Mapping[Dimensions, frozenset[str]]
) -> tuple[Table, Mapping[Dimensions, frozenset[str]]]:
    """The lines' types of error as samples, and the types known of each function then, the latest functions last."""
    if not own.errors:
        return {}, types
    table, known = error_table(lines, own.errors, types.get(lines.dimensions, frozenset()))
    others = [(dimensions, found) for dimensions, found in types.items() if dimensions != lines.dimensions]
    return table, dict([*others, (lines.dimensions, known)][-REMEMBERED_FUNCTIONS:])


def _is_own(envelope: batch.Envelope, own_group: str) -> bool:
    """Whether the toolkit's own functions wrote the lines: what it makes of them would come back to it."""
    return envelope["logGroup"] == own_group or is_own(_function(envelope))


def _lines(envelope: batch.Envelope, events: batch.Events, account: str) -> Iterator[Lines]:
    function, owner = _function(envelope), str(envelope.get("owner", ""))
    other = owner if account and owner != account else ""
    for minute_ms, messages in batch.by_minute(events):
        yield gathered(envelope["logGroup"], function, minute_ms, messages, account=other)


def _readings(lines: Lines, defined: Sequence[Definition], price: Price, known: Known) -> tuple[list[_Reading], int]:
    """What was read of the lines, and how many failed: a line that breaks the reading is looked for by halves."""
    try:
        return [(lines, platform(lines, price), read(lines, defined, known=known))], 0
    except Exception:  # noqa: BLE001  # nothing below should raise; if it does, one line must not cost the batch
        half = len(lines.messages) // 2
        if not half:
            return [], 1
        parts = (lines.messages[:half], lines.messages[half:])
        found = [
            _readings(
                gathered(lines.log_group, lines.function, lines.minute_ms, part, account=lines.account),
                *(defined, price, known),
            )
            for part in parts
        ]
        return [reading for readings, _ in found for reading in readings], sum(failed for _, failed in found)


def _extend(table: Table, more: Table) -> None:
    for group, columns in more.items():
        into = table.setdefault(group, {})
        for metric, values in columns.items():
            into.setdefault(metric, []).extend(values)


def _newest(batches: Sequence[tuple[str, frozenset[str]]]) -> Sequence[tuple[str, frozenset[str]]]:
    """As many of the last batches as may be remembered; the last one always."""
    sizes = accumulate(len(ids) for _, ids in reversed(batches))
    count = sum(size <= REMEMBERED_EVENTS for size in sizes)
    return batches[-min(max(count, 1), REMEMBERED_BATCHES) :]


def _source(envelope: batch.Envelope) -> str:
    return f"{envelope.get('owner')}\n{envelope['logGroup']}\n{envelope['logStream']}"


def _function(envelope: batch.Envelope) -> str:
    return function_of(envelope["logGroup"], envelope["logStream"])


class _Received(NamedTuple):
    envelopes: Sequence[batch.Envelope]
    """Up to the first that can't be unpacked."""
    size: int
    """Bytes, as they came: base64 of gzip."""
    failure: InputError | None
    sequence: str
    """The Kinesis sequence number of what failed."""


def _received(event: Any) -> _Received:
    envelopes: list[batch.Envelope] = []
    sequence, size = "", 0
    try:
        for payload in batch.payloads(event):
            sequence = payload.sequence
            size += len(payload.data) if isinstance(payload.data, str) else 0
            envelopes.append(batch.envelope(payload))
    except InputError as error:
        return _Received(envelopes, size, error, sequence)
    return _Received(envelopes, size, None, "")


def _account(context: Any) -> str:
    """The account that the subscriber runs in: arn:aws:lambda:eu-west-1:123456789012:function:..."""
    parts = str(getattr(context, "invoked_function_arn", "")).split(":")
    return parts[4] if len(parts) > 4 else ""


@lru_cache(maxsize=1)
def _defined(text: str) -> Definitions:
    """The definitions; what is wrong with any is said once, on stderr."""
    found = definitions(text)
    for mistake in found.mistakes:
        sys.stderr.write(f"LOOKOUT_METRICS: {mistake}\n")
    return found


@lru_cache(maxsize=1)
def _prices(region: str, arm64: str) -> Callable[[str], Price]:
    """A function's prices, given shell-style patterns of the names that run on arm64, with commas between them."""
    is_arm64 = re.compile("|".join(map(translate, filter(None, arm64.split(",")))) or r"(?!)").match
    both = price(region, X86), price(region, ARM)
    return lambda function: both[bool(is_arm64(function))]


def _own(counts: Counter[str], *, size: int, lag_ms: int | None, now_ms: int) -> Iterator[Sample]:
    """The subscriber's own measurements: what it counted, how much came, how late the oldest line was."""
    for name in (*COUNTS, *sorted(counts.keys() - set(COUNTS))):
        yield Sample(SUBSCRIBER_METRICS, name, "Count", counts[name], now_ms)
    yield Sample(SUBSCRIBER_METRICS, "BytesIn", "Bytes", size, now_ms)
    if lag_ms is not None:
        yield Sample(SUBSCRIBER_METRICS, "Lag", "Milliseconds", max(lag_ms, 0), now_ms)


def _output(samples: Table, own: Iterable[Sample], *, now_ms: int) -> str:
    """The samples and the subscriber's own, a line each record."""
    rendered = emf.lines(samples, now_ms=now_ms)
    dropped = Sample(SUBSCRIBER_METRICS, "SamplesDropped", "Count", rendered.dropped, now_ms)
    return "".join(f"{line}\n" for line in rendered.lines + emf.lines(tabulate([*own, dropped]), now_ms=now_ms).lines)
