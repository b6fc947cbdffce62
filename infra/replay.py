"""Failed log batches in the subscriber's on-failure queue -> the subscriber, once more.

A message there is the record of a failed asynchronous invocation, with the batch in it ("Retaining records of
asynchronous invocations", AWS Lambda Developer Guide). It is deleted once the subscriber has taken the batch; one that
fails again, or that has no batch in it, stays.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from infra.aws.session import call, client
from monitors.errors import InputError

Json = Any
INVISIBLE_S = 300
"""How long a message is nobody else's while it is replayed: longer than the subscriber may run."""
BATCH = 10
_WORDS = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """What became of the messages."""

    sent: int
    """Batches that the subscriber took; their messages are deleted."""
    kept: tuple[tuple[str, str], ...]
    """(message id, why it is still in the queue)"""


def queue_url(session: boto3.Session, name: str) -> str:
    """The address of the queue. AwsError if there is none of this name."""
    return str(call(client(session, "sqs"), "GetQueueUrl", {"QueueName": name}, target=name)["QueueUrl"])


def waiting(session: boto3.Session, queue: str) -> int:
    """About how many messages wait in the queue."""
    asked = {"QueueUrl": queue, "AttributeNames": ["ApproximateNumberOfMessages"]}
    found = call(client(session, "sqs"), "GetQueueAttributes", asked, target=queue)
    return int(found.get("Attributes", {}).get("ApproximateNumberOfMessages", 0))


def replay(
    session: boto3.Session,
    *,
    queue: str,
    function: str,
    limit: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Replayed:
    """Send batches until the queue is empty, or `limit` messages were tried. `progress` is told how many are done.

    Stopped in the middle, no batch is lost: what was not deleted comes back to the queue. AwsError if a call fails.
    """
    sqs, lambda_ = client(session, "sqs"), client(session, "lambda")
    sent, kept = 0, dict[str, str]()
    while limit is None or sent + len(kept) < limit:
        most = BATCH if limit is None else min(BATCH, limit - sent - len(kept))
        asked = {"QueueUrl": queue, "MaxNumberOfMessages": most, "VisibilityTimeout": INVISIBLE_S, "WaitTimeSeconds": 1}
        messages = call(sqs, "ReceiveMessage", asked, target=queue).get("Messages", ())
        fresh = [one for one in messages if one["MessageId"] not in kept]
        if not fresh:
            break
        for message in fresh:
            if reason := _refusal(lambda_, function, message["Body"]):
                kept[message["MessageId"]] = reason
            else:
                call(sqs, "DeleteMessage", {"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]}, target=queue)
                sent += 1
            progress(sent + len(kept))
    return Replayed(sent=sent, kept=tuple(kept.items()))


def _refusal(lambda_: Any, function: str, body: str) -> str:
    """Why the batch of this message was not taken; empty if it was."""
    try:
        event = batch(body)
    except InputError as error:
        return str(error)
    answer = call(lambda_, "Invoke", {"FunctionName": function, "Payload": json.dumps(event)}, target=function)
    if "FunctionError" not in answer:
        return ""
    said = answer["Payload"].read().decode(errors="replace")
    return f"it failed again: {said[:_WORDS]}"


def batch(body: str) -> Mapping[str, Json]:
    """The event that a message of the queue holds: a failed invocation's record, or the event as it was.

    InputError if there is none in it.
    """
    try:
        record = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}") from error
    event = record.get("requestPayload", record) if isinstance(record, dict) else None
    if not isinstance(event, dict) or not event.keys() & {"awslogs", "Records"}:
        raise InputError("no log batch in it; Lambda leaves out one that is too large for the queue")
    return event
