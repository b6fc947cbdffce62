"""Log batches of a subscription, or of Kinesis -> metrics, as EMF lines on stdout.

Exactly once as far as AWS allows: a batch is printed whole, as the last thing done, or not at all; one that AWS sends
again is recognised while the container lives. A batch that can't be unpacked is raised, so that AWS sends it again and
at last puts it by. Everything is counted: EventsIn = EventsEmitted + EventsSkipped + EventsFailed.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

from monitors import logdefinitions, logmetrics
from monitors.errors import InputError
from monitors.logdefinitions import Definition, Definitions, Known, definitions, read
from monitors.loglines import function_of
from monitors.logmetrics import Incident, Lines, Request, incident_samples, merged, platform
from monitors.names import SUBSCRIBER_METRICS, is_own
from monitors.records import Sample, Table, tabulate
from subscribers import batch, emf

COUNTS = ("EventsIn", "EventsEmitted", "EventsSkipped", "EventsFailed", "SamplesDropped")
REMEMBERED_EVENTS = 50_000
REMEMBERED_BATCHES = 1_000
REMEMBERED_REQUESTS = 1_000


class Memory(NamedTuple):
    """What a container knows of the batches it has printed: bounded."""

    batches: Sequence[tuple[str, frozenset[str]]]
    """(log group and stream, event ids)"""
    requests: Sequence[Request]
    """The requests whose timeout or lack of memory is counted."""
    known: Known


NOTHING = Memory((), (), {})

_Reading = tuple[int, logmetrics.Reading, logdefinitions.Reading]
"""How many lines were read, and what they gave."""


class Result(NamedTuple):
    """What a batch comes to."""

    samples: Table
    counts: Counter[str]
    memory: Memory
    """What is known once the samples are printed."""


_memory = NOTHING  # the one thing that outlives a batch: AWS may send the next one to the same container


def handler(event: Any, context: Any) -> dict[str, Any] | None:  # noqa: ARG001  # Lambda's own signature
    """Lambda's entry.

    InputError on a subscription's batch that can't be unpacked, for AWS to send it again. A Kinesis record that can't
    be is returned as a batch item failure, and with it all that follow it: Lambda begins there again.
    """
    global _memory
    own_group = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
    defined = _defined(os.environ.get("LOOKOUT_METRICS") or "[]")
    received, failure, sequence = _received(event)
    result = process(received, defined=defined.sound, own_group=own_group, memory=_memory)
    counts = result.counts + Counter(DefinitionsFailed=len(defined.mistakes))
    if failure:
        counts += Counter(EventsIn=1, EventsFailed=1)
    if failure or not all(_is_own(envelope, own_group) for envelope in received):  # else each line would make another
        sys.stdout.write(_output(result.samples, counts, now_ms=time.time_ns() // 1_000_000))
    _memory = result.memory
    if failure and not sequence:
        raise failure
    return {"batchItemFailures": [{"itemIdentifier": sequence}] if failure else []} if "Records" in event else None


def process(
    envelopes: Iterable[batch.Envelope],
    *,
    defined: Sequence[Definition],
    own_group: str = "",
    memory: Memory = NOTHING,
) -> Result:
    """What a batch comes to, given what earlier ones left in memory. Pure."""
    batches, known = list(memory.batches), memory.known
    table: Table = {}
    counts: Counter[str] = Counter()
    incidents: list[Incident] = []
    for envelope in envelopes:
        events, tally = _fresh(envelope, own_group, batches)
        counts.update(tally)
        batches.append((_source(envelope), frozenset(events.id)))
        for lines in _lines(envelope, events):
            readings, failed = _readings(lines, defined, known)
            counts["EventsFailed"] += failed
            for messages, own, theirs in readings:
                told = len(own.told | theirs.told)
                counts.update(EventsEmitted=told, EventsSkipped=messages - told, SamplesOverflowed=theirs.overflowed)
                incidents += own.incidents
                known = theirs.known
                _extend(table, own.table)
                _extend(table, theirs.table)
    new = merged(incidents, known=frozenset(memory.requests))
    _extend(table, tabulate(incident_samples(new)))
    requests = (*memory.requests, *(incident.request for incident in new))[-REMEMBERED_REQUESTS:]
    return Result(table, counts, Memory(_newest(batches), requests, known))


def _fresh(
    envelope: batch.Envelope, own_group: str, batches: Iterable[tuple[str, frozenset[str]]]
) -> tuple[batch.Events, Counter[str]]:
    """The events to read, and the count of the others: those of control messages, of the toolkit's own functions,
    those that are broken, and those that were read before."""
    total = len(envelope["logEvents"])
    if envelope["messageType"] != "DATA_MESSAGE" or _is_own(envelope, own_group):
        return batch.Events([], [], []), Counter(EventsIn=total, EventsSkipped=total)
    sound = batch.events(envelope["logEvents"])
    fresh = batch.fresh(sound, [ids for source, ids in batches if source == _source(envelope)])
    broken, known = total - len(sound.id), len(sound.id) - len(fresh.id)
    return fresh, Counter(EventsIn=total, EventsFailed=broken, EventsSkipped=known)


def _is_own(envelope: batch.Envelope, own_group: str) -> bool:
    """Whether the toolkit's own functions wrote the lines: what it makes of them would come back to it."""
    return envelope["logGroup"] == own_group or is_own(_function(envelope))


def _lines(envelope: batch.Envelope, events: batch.Events) -> Iterator[Lines]:
    function = _function(envelope)
    for minute_ms, messages in batch.by_minute(events):
        yield Lines(envelope["logGroup"], function, minute_ms, messages)


def _readings(lines: Lines, defined: Sequence[Definition], known: Known) -> tuple[list[_Reading], int]:
    """What was read of the lines, and how many failed: a line that breaks the reading is looked for by halves."""
    try:
        return [(len(lines.messages), platform(lines), read(lines, defined, known=known))], 0
    except Exception:  # noqa: BLE001  # nothing below should raise; if it does, one line must not cost the batch
        half = len(lines.messages) // 2
        if not half:
            return [], 1
        parts = (lines.messages[:half], lines.messages[half:])
        found = [_readings(lines._replace(messages=part), defined, known) for part in parts]
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
    return f"{envelope['logGroup']}\n{envelope['logStream']}"


def _function(envelope: batch.Envelope) -> str:
    return function_of(envelope["logGroup"], envelope["logStream"])


def _received(event: Any) -> tuple[list[batch.Envelope], InputError | None, str]:
    """The envelopes up to the first that can't be unpacked; its error, and its Kinesis sequence number."""
    received: list[batch.Envelope] = []
    sequence = ""
    try:
        for payload in batch.payloads(event):
            sequence = payload.sequence
            received.append(batch.envelope(payload))
    except InputError as error:
        return received, error, sequence
    return received, None, ""


@lru_cache(maxsize=1)
def _defined(text: str) -> Definitions:
    """The definitions; what is wrong with any is said once, on stderr."""
    found = definitions(text)
    for mistake in found.mistakes:
        sys.stderr.write(f"LOOKOUT_METRICS: {mistake}\n")
    return found


def _output(samples: Table, counts: Counter[str], *, now_ms: int) -> str:
    """The samples and the subscriber's own counts, a line each record."""
    rendered = emf.lines(samples, now_ms=now_ms)
    counts = counts + Counter(SamplesDropped=rendered.dropped)
    names = (*COUNTS, *sorted(counts.keys() - set(COUNTS)))
    own = tabulate(Sample(SUBSCRIBER_METRICS, name, "Count", counts[name], now_ms) for name in names)
    return "".join(f"{line}\n" for line in rendered.lines + emf.lines(own, now_ms=now_ms).lines)
