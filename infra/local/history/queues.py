"""History -> the datapoints of the shop's SQS queues, every minute while they are active."""

import math
from collections import defaultdict
from collections.abc import Iterator

from infra.local.history import plants
from infra.local.history.points import Dimensions, Point
from infra.local.history.simulate import DeadLetter, History

PERIOD_S = 60
ACTIVE_S = 6 * 3600
"""SQS publishes for a queue until six hours after it last held a message (Developer Guide, "Available metrics")."""
READERS = {"shop-payments": "shop-payments", "shop-fulfilment": "shop-fulfilment"}
"""Queue to the function that reads it."""
DEAD_LETTER_QUEUES = ("shop-payments-dlq", "shop-fulfilment-dlq", "shop-receipts-dlq", "shop-undelivered")


def queue_points(history: History) -> Iterator[Point]:
    """What SQS publishes of every queue: messages sent, messages visible, age of the oldest."""
    for queue, function in READERS.items():
        yield from _read_at_once(history, queue, function)
    for queue in DEAD_LETTER_QUEUES:
        yield from _left_lying(history, queue)


def _read_at_once(history: History, queue: str, function: str) -> Iterator[Point]:
    """The oldest message is as old as the longest that one had to wait just then."""
    sent: defaultdict[int, list[float]] = defaultdict(list)
    oldest_s: defaultdict[int, float] = defaultdict(float)
    for run in history.runs:
        if run.function == function:
            slot = int(run.arrived_s) // PERIOD_S * PERIOD_S
            oldest_s[slot] = max(oldest_s[slot], run.arrived_s - run.origin.sent_s)
            if run.origin.attempt == 1:
                sent[slot].append(1.0)
    for slot in _slots(history):
        yield Point("AWS/SQS", "NumberOfMessagesSent", _named(queue), "Count", slot, sent[slot] or [0.0])
        yield from _depth(queue, slot, visible=0, age_s=oldest_s[slot])


def _left_lying(history: History, queue: str) -> Iterator[Point]:
    """Messages that nothing reads, until somebody does."""
    coming = sorted(
        (letter for letter in history.dead_letters if letter.queue == queue), key=lambda letter: letter.dead_s
    )
    lying: list[DeadLetter] = []
    active_s = -math.inf
    for slot in _slots(history):
        while coming and coming[0].dead_s < slot + PERIOD_S:
            lying.append(coming.pop(0))
        if plants.emptied(history.windows, queue, slot):
            lying = []
        active_s = slot if lying else active_s
        if slot - active_s > ACTIVE_S:
            continue
        age_s = slot - min((letter.sent_s for letter in lying), default=slot)
        yield from _depth(queue, slot, visible=len(lying), age_s=age_s)


def _slots(history: History) -> range:
    first = math.ceil(history.windows.start_s / PERIOD_S) * PERIOD_S
    return range(first, int(history.windows.end_s), PERIOD_S)


def _depth(queue: str, slot: int, *, visible: int, age_s: float) -> Iterator[Point]:
    count, age = "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"
    yield Point("AWS/SQS", count, _named(queue), "Count", slot, [float(visible)])
    yield Point("AWS/SQS", age, _named(queue), "Seconds", slot, [max(0.0, float(int(age_s)))])


def _named(queue: str) -> Dimensions:
    return (("QueueName", queue),)
