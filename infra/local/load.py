"""Generated history -> the account's own stores: metrics, log events, trace documents."""

import gc
from itertools import groupby
from operator import itemgetter
from typing import Any

from ministack.services import apigateway

from infra.local import cloudwatch, logs, xray
from infra.local.history.logs import log_events
from infra.local.history.metrics import metric_points
from infra.local.history.simulate import simulate
from infra.local.history.traces import trace_documents


def history(*, account: str, region: str, end_s: float, days: int, seed: int) -> dict[str, Any]:
    """Load the history of the sample fleet into an account and Region where it is deployed.

    How much of each kind, and how many messages are `waiting` in which queue when it ends.
    """
    gc.disable()  # hundreds of thousands of objects that are there to stay: collecting among them takes half the time
    try:
        return cloudwatch.within(account, region, lambda: _load(end_s=end_s, days=days, seed=seed))
    finally:
        gc.freeze()
        gc.enable()


def _load(*, end_s: float, days: int, seed: int) -> dict[str, Any]:
    found = simulate(end_s=end_s, days=days, seed=seed)
    waiting: dict[str, int] = {}
    datapoints = events = documents = 0
    for point in metric_points(found, orders_api_id=_api_id("shop-orders")):
        dimensions = dict(point.dimensions)
        cloudwatch.put(point.namespace, point.metric, dimensions, point.values, unit=point.unit, at_s=point.minute_s)
        datapoints += 1
        if point.metric == "ApproximateNumberOfMessagesVisible":
            waiting[dimensions["QueueName"]] = int(point.values[-1])
    for (group, stream), found_events in groupby(log_events(found), key=itemgetter(0, 1)):
        said = [(at_ms, message) for _, _, at_ms, message in found_events]
        logs.append(group, stream, said)
        events += len(said)
    for document in trace_documents(found):
        xray.STORE.put(document)
        documents += 1
    return {
        "invocations": len(found.runs),
        "datapoints": datapoints,
        "log_events": events,
        "documents": documents,
        "waiting": {queue: count for queue, count in waiting.items() if count},
    }


def _api_id(name: str) -> str:
    return next((api_id for api_id, api in apigateway._apis.items() if api.get("name") == name), "")
