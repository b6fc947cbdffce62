"""History -> CloudWatch datapoints, only where AWS would publish them.

Values are kept one by one, minute by minute, so that any statistic can be told of them. A minute in which nothing
happened has no datapoint; queues (queues.py) are looked at every five minutes. Metrics: the CloudWatch pages of each
service's developer guide.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from infra.local.history.points import MINUTE_S, Dimensions, Point
from infra.local.history.profiles import STATE_MACHINE
from infra.local.history.queues import queue_points
from infra.local.history.sandboxes import ASYNCHRONOUS, Run
from infra.local.history.simulate import History

ANSWER_S = 0.003
"""From the end of an invocation until API Gateway has answered."""
ORDER_EVENTS = (("TopicName", "shop-order-events"),)
CHECKOUT = (("StateMachineArn", STATE_MACHINE),)
STOREFRONT = (("ApiName", "shop-storefront"), ("Stage", "live"))
DROPPED = {"shop-receipts-dlq": "shop-receipts", "shop-undelivered": "shop-catalog-import"}
"""Where Lambda puts the events it gives up, and whose they were."""
READS = {"GetItem": 0.5, "Query": 0.5, "Scan": 64.0}
WRITES = {"PutItem": 1.0, "UpdateItem": 1.0, "BatchWriteItem": 25.0}
"""Capacity units that a call consumes."""

Measure = tuple[str, str, Callable[[Run], float]]
"""(metric, unit, its value for one invocation)"""


def metric_points(history: History, *, orders_api_id: str = "") -> Iterator[Point]:
    """Every datapoint. HTTP APIs go by an id that only a deployment gives: without it that API is left out."""
    by_function: defaultdict[str, list[Run]] = defaultdict(list)
    by_kind: defaultdict[str, list[Run]] = defaultdict(list)
    for run in history.runs:
        by_function[run.function].append(run)
        by_kind[run.origin.kind].append(run)
    for function, runs in by_function.items():
        yield from _lambda_points(function, runs)
    yield from _account_points(history.runs)
    yield from _api_points(by_kind["rest"], STOREFRONT, errors=("4XXError", "5XXError"))
    if orders_api_id:
        orders = (("ApiId", orders_api_id), ("Stage", "$default"))
        yield from _api_points(by_kind["http"], orders, errors=("4xx", "5xx"))
    published = ((run.origin.sent_s, 1.0) for run in by_kind["sns"])
    yield from _points("AWS/SNS", "NumberOfMessagesPublished", ORDER_EVENTS, "Count", published)
    yield from _table_points(history.runs)
    yield from _execution_points(history)
    yield from _dropped_points(history)
    yield from queue_points(history)


def _points(
    namespace: str, metric: str, dimensions: Dimensions, unit: str, values: Iterable[tuple[float, float]]
) -> Iterator[Point]:
    """The metric's points, of (epoch s, value) pairs."""
    minutes: defaultdict[int, list[float]] = defaultdict(list)
    for at_s, value in values:
        minutes[int(at_s) // MINUTE_S * MINUTE_S].append(value)
    for minute_s, of_minute in minutes.items():
        yield Point(namespace, metric, dimensions, unit, minute_s, of_minute)


def _lambda_points(function: str, runs: list[Run]) -> Iterator[Point]:
    """Lambda stamps an invocation's metrics with the moment it was invoked, not with its end."""
    dimensions = (("FunctionName", function),)
    measures: list[Measure] = [
        ("Invocations", "Count", lambda _: 1.0),
        ("Errors", "Count", lambda run: 0.0 if run.status == "success" else 1.0),
        ("Throttles", "Count", lambda _: 0.0),
        ("Duration", "Milliseconds", lambda run: run.duration_ms),
        ("ConcurrentExecutions", "Count", lambda run: float(run.concurrency)),
    ]
    if runs[0].origin.kind == "stream":
        measures.append(("IteratorAge", "Milliseconds", _waited_ms))
    if runs[0].origin.kind in ASYNCHRONOUS:
        measures.append(("AsyncEventAge", "Milliseconds", _waited_ms))
    minutes: defaultdict[int, list[Run]] = defaultdict(list)
    for run in runs:
        minutes[int(run.arrived_s) // MINUTE_S * MINUTE_S].append(run)
    for metric, unit, value in measures:
        for minute_s, of_minute in minutes.items():
            yield Point("AWS/Lambda", metric, dimensions, unit, minute_s, [value(run) for run in of_minute])


def _account_points(runs: Iterable[Run]) -> Iterator[Point]:
    """Functions of the sample fleet reserve nothing, so that what runs at once is all that is claimed."""
    edges = sorted(edge for run in runs for edge in ((run.start_s, 1), (run.end_s, -1)))
    at_once = list(accumulate(step for _, step in edges))
    begun = [(at_s, float(count)) for (at_s, step), count in zip(edges, at_once, strict=True) if step > 0]
    for metric in ("ConcurrentExecutions", "ClaimedAccountConcurrency"):
        yield from _points("AWS/Lambda", metric, (), "Count", begun)


def _waited_ms(run: Run) -> float:
    return (run.arrived_s - run.origin.sent_s) * 1000


def _api_points(runs: list[Run], dimensions: Dimensions, *, errors: tuple[str, str]) -> Iterator[Point]:
    """An invocation that failed is answered with 502, by REST and HTTP APIs alike."""
    client_errors, server_errors = errors
    measures: tuple[Measure, ...] = (
        ("Count", "Count", lambda _: 1.0),
        (client_errors, "Count", lambda _: 0.0),
        (server_errors, "Count", lambda run: 0.0 if run.status == "success" else 1.0),
        ("Latency", "Milliseconds", lambda run: (run.end_s + ANSWER_S - run.origin.sent_s) * 1000),
    )
    for metric, unit, value in measures:
        of_api = ((run.origin.sent_s, value(run)) for run in runs)
        yield from _points("AWS/ApiGateway", metric, dimensions, unit, of_api)


def _table_points(runs: Iterable[Run]) -> Iterator[Point]:
    consumed: defaultdict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for run in runs:
        for call in run.calls:
            operation, table = call.dependency.operation, call.dependency.resource
            if operation in READS:
                consumed["ConsumedReadCapacityUnits", table].append((run.start_s, READS[operation]))
            elif operation in WRITES:
                consumed["ConsumedWriteCapacityUnits", table].append((run.start_s, WRITES[operation]))
    for (metric, table), units in consumed.items():
        yield from _points("AWS/DynamoDB", metric, (("TableName", table),), "Count", units)


def _execution_points(history: History) -> Iterator[Point]:
    started = ((each.started_s, 1.0) for each in history.executions)
    yield from _points("AWS/States", "ExecutionsStarted", CHECKOUT, "Count", started)
    for metric, succeeded in (("ExecutionsSucceeded", True), ("ExecutionsFailed", False)):
        ended = ((each.ended_s, 1.0) for each in history.executions if each.succeeded is succeeded)
        yield from _points("AWS/States", metric, CHECKOUT, "Count", ended)
    took = ((each.ended_s, (each.ended_s - each.started_s) * 1000) for each in history.executions)
    yield from _points("AWS/States", "ExecutionTime", CHECKOUT, "Milliseconds", took)


def _dropped_points(history: History) -> Iterator[Point]:
    """Events that Lambda gave up after the last try, on their way to a queue."""
    for queue, function in DROPPED.items():
        dropped = ((letter.dead_s, 1.0) for letter in history.dead_letters if letter.queue == queue)
        yield from _points("AWS/Lambda", "AsyncEventsDropped", (("FunctionName", function),), "Count", dropped)
