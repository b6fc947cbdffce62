"""Log batches on their way to S3 -> rows for Athena: called by Firehose, which stores what comes back.

A record is one batch of CloudWatch Logs. What can't be read, or comes to more than Lambda may answer, is told to have
failed: Firehose then keeps it as it was, under errors/ in the bucket. Rows carry the event's id, since CloudWatch Logs
sends some events twice.
"""

import base64
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from monitors.archive import Origin, row
from monitors.errors import InputError
from monitors.loglines import function_of
from monitors.names import ARCHIVE_METRICS, is_own
from monitors.records import Sample, tabulate
from subscribers import batch, emf
from subscribers.redaction import redacted

MOST_BYTES = 6_000_000
"""Of base64 in one answer; a Lambda function may answer 6 MB (AWS Lambda Developer Guide, "Lambda quotas")."""
COUNTS = ("RecordsIn", "RecordsFailed", "EventsIn", "EventsFailed", "EventsSkipped", "RowsOut")
"""EventsIn = EventsFailed + EventsSkipped + RowsOut, of the records that did not fail."""

_encode = json.JSONEncoder(separators=(",", ":")).encode


def handler(event: Any, context: Any) -> dict[str, Any]:  # noqa: ARG001  # Lambda's own signature
    """Firehose's records, each with its rows, or `Dropped` if it has none, or `ProcessingFailed`."""
    counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
    room = MOST_BYTES
    answers = []
    for record in event["records"]:
        answer = _answer(record, room, counts)
        room -= len(answer.get("data", ""))
        answers.append(answer)
    now_ms = time.time_ns() // 1_000_000
    own = tabulate(Sample(ARCHIVE_METRICS, name, "Count", count, now_ms) for name, count in counts.items())
    sys.stdout.writelines(f"{line}\n" for line in emf.lines(own, now_ms=now_ms).lines)
    return {"records": answers}


def _answer(record: Mapping[str, Any], room: int, counts: Counter[str]) -> dict[str, str]:
    counts["RecordsIn"] += 1
    try:
        envelope = batch.envelope(batch.Payload(record["data"]))
    except InputError as error:
        return _failed(record, str(error), counts)
    total, events = len(envelope["logEvents"]), batch.events(envelope["logEvents"])
    rows = [_encode(found) for found in _rows(envelope, events)]
    data = base64.b64encode("".join(f"{each}\n" for each in rows).encode()).decode()
    if len(data) > room:
        return _failed(record, f"its {len(rows):,} rows are more than Lambda may answer at once", counts)
    counts.update(EventsIn=total, EventsFailed=total - len(events.id), EventsSkipped=len(events.id) - len(rows))
    counts["RowsOut"] += len(rows)
    return {"recordId": record["recordId"], "result": "Ok" if rows else "Dropped", "data": data}


def _failed(record: Mapping[str, Any], why: str, counts: Counter[str]) -> dict[str, str]:
    """Without data: Firehose keeps its own."""
    counts["RecordsFailed"] += 1
    sys.stderr.write(f"record {record['recordId']}: {why}\n")
    return {"recordId": record["recordId"], "result": "ProcessingFailed"}


def _rows(envelope: batch.Envelope, events: batch.Events) -> Iterator[dict[str, Any]]:
    """None of control messages, and none of the toolkit's own functions: they would tell of themselves without end."""
    function = function_of(envelope["logGroup"], envelope["logStream"])
    if envelope["messageType"] != "DATA_MESSAGE" or is_own(function):
        return
    origin = Origin(str(envelope.get("owner", "")), envelope["logGroup"], envelope["logStream"], function)
    for event_id, timestamp_ms, message in zip(*events, strict=True):
        if found := row(origin, event_id, timestamp_ms, message, redacted=redacted):
            yield found
