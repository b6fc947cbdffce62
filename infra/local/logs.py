"""What CloudWatch Logs does with each event it takes in: EMF, metric filters, subscription filters.

Patterns are matched by the product's own engine. One hook serves PutLogEvents and Lambda's own logs alike.
"""

import base64
import contextvars
import functools
import gzip
import json
import logging
import math
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, json_response
from ministack.services import cloudwatch_logs as cwl
from ministack.services import firehose, lambda_svc

from infra.local import cloudwatch
from monitors import patterns
from monitors.errors import PatternError

Json = dict[str, Any]
log = logging.getLogger(__name__)

PAGE = 10_000  # events a page of FilterLogEvents

compiled = functools.lru_cache(maxsize=1024)(patterns.compile)
_put_metric_filter = cwl._put_metric_filter
_put_subscription_filter = cwl._put_subscription_filter


def install() -> None:
    """Put this module on the path of every log event, and check patterns where they are stored."""
    cwl._fanout_to_subscription_filters = ingest
    cwl._filter_log_events = _filter_log_events
    cwl._put_metric_filter = _checked(_put_metric_filter)
    cwl._put_subscription_filter = _checked(_put_subscription_filter)


def ingest(group: str, stream: str, events: Sequence[Json]) -> None:
    """Run every filter of the group over new events. A filter that fails doesn't stop the others, or the log."""
    now_ms = int(time.time() * 1000)
    stamped = [{"timestamp": now_ms, "message": "", **event} for event in events]
    for event in stamped:
        if '"_aws"' in event["message"]:
            _guarded(_emf, event["message"])
    for name, found in list(cwl._metric_filters.items()):
        if name[0] == group:
            _guarded(_metric_filter, found, stamped)
    filters = (cwl._log_groups.get(group) or {}).get("subscriptionFilters") or {}
    for found in list(filters.values()):
        _guarded(_deliver, found, stamped, group, stream)


def append(group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
    """Store (timestamp ms, message) events in a stream, which is made if need be. Filters don't see them."""
    if group not in cwl._log_groups:
        cwl._create_log_group({"logGroupName": group})
    streams = cwl._log_groups[group]["streams"]
    if stream not in streams:
        cwl._create_log_stream({"logGroupName": group, "logStreamName": stream})
    cwl._append_log_events(
        streams[stream],
        [{"timestamp": at, "message": message, "ingestionTime": at} for at, message in events],
    )


def _guarded(work: Any, *args: Any) -> None:
    try:
        work(*args)
    except Exception:
        log.exception("filter failed")


def _filter_log_events(data: Json) -> Any:
    """FilterLogEvents, with pages: in order of time, at most 10,000 events each."""
    group = cwl._log_groups.get(data.get("logGroupName") or "")
    if group is None:
        return error_response_json("ResourceNotFoundException", "The specified log group does not exist.", 400)
    try:
        pattern = compiled(data.get("filterPattern") or "")
    except PatternError as error:
        return error_response_json("InvalidParameterException", str(error), 400)
    start, end = data.get("startTime") or 0, data.get("endTime") or math.inf
    limit, offset = min(int(data.get("limit") or PAGE), PAGE), int(data.get("nextToken") or 0)
    wanted = data.get("logStreamNames") or list(group["streams"])
    hits = sorted(
        (event["timestamp"], name, index, event)
        for name in wanted
        for index, event in enumerate((group["streams"].get(name) or {"events": []})["events"])
        if start <= event["timestamp"] <= end and pattern.match(event["message"].removesuffix("\n")) is not None
    )
    page = [
        {**event, "logStreamName": name, "eventId": f"{name}/{index}"}
        for _, name, index, event in hits[offset:][:limit]
    ]
    more = {"nextToken": str(offset + limit)} if offset + limit < len(hits) else {}
    return json_response({"events": page, "searchedLogStreams": [], **more})


def _checked(put: Any) -> Any:
    def handler(data: Json) -> Any:
        try:
            compiled(data.get("filterPattern") or "")
        except PatternError as error:
            return error_response_json("InvalidParameterException", str(error), 400)
        return put(data)

    return handler


def _emf(message: str) -> None:
    """Embedded metric format, as its specification has it: a pure JSON message; targets are root members."""
    body = json.loads(message)
    at_s = body["_aws"]["Timestamp"] / 1000
    for directive in body["_aws"]["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            for names in directive["Dimensions"]:
                _emf_metric(body, directive["Namespace"], metric, names, at_s)


def _emf_metric(body: Json, namespace: str, metric: Json, names: Sequence[str], at_s: float) -> None:
    found = body.get(metric["Name"])
    values = found if isinstance(found, list) else [found]
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if isinstance(namespace, str) and all(isinstance(body.get(name), str) for name in names):
        dimensions = {name: body[name] for name in names}
        cloudwatch.put(namespace, metric["Name"], dimensions, numbers, unit=metric.get("Unit", "None"), at_s=at_s)


def _metric_filter(found: Json, events: Sequence[Json]) -> None:
    pattern = compiled(found.get("filterPattern") or "")
    for transformation in found.get("metricTransformations") or []:
        for event in events:
            _transform(pattern, transformation, event)


def _transform(pattern: patterns.Pattern, transformation: Json, event: Json) -> None:
    message = event["message"].removesuffix("\n")
    dimensions: Mapping[str, str] = transformation.get("dimensions") or {}
    if pattern.match(message) is None:
        default = transformation.get("defaultValue")
        if default is not None and not dimensions:
            _sample(transformation, float(default), {}, event)
        return
    value = pattern.value(message, str(transformation.get("metricValue", "1")))
    texts = {name: pattern.text(message, selector) for name, selector in dimensions.items()}
    known = {name: text for name, text in texts.items() if text}
    if value is not None and len(known) == len(dimensions):
        _sample(transformation, value, known, event)


def _sample(transformation: Json, value: float, dimensions: Mapping[str, str], event: Json) -> None:
    cloudwatch.put(
        transformation["metricNamespace"],
        transformation["metricName"],
        dimensions,
        [value],
        unit=transformation.get("unit") or "None",
        at_s=event["timestamp"] / 1000,
    )


def _deliver(found: Json, events: Sequence[Json], group: str, stream: str) -> None:
    """Send what matches to a Lambda function or a Firehose stream, asynchronously, in AWS's envelope."""
    pattern = compiled(found.get("filterPattern") or "")
    hits = [event for event in events if pattern.match(event["message"].removesuffix("\n")) is not None]
    if not hits:
        return
    packed = _packed(found, hits, group, stream)
    destination = found.get("destinationArn", "")
    if ":firehose:" in destination:
        record = {"DeliveryStreamName": destination.partition(":deliverystream/")[2], "Record": {"Data": packed}}
        put = functools.partial(contextvars.copy_context().run, firehose._put_record, record)
        threading.Thread(target=put, daemon=True).start()
        return
    function = destination.partition(":function:")[2].partition(":")[0]
    subscriber = lambda_svc._functions.get(function)
    own = (subscriber or {}).get("config", {}).get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function}"
    if subscriber is not None and group != own:
        lambda_svc.invoke_async_with_retry(subscriber, {"awslogs": {"data": packed}})


def _packed(found: Json, hits: Sequence[Json], group: str, stream: str) -> str:
    envelope = {
        "messageType": "DATA_MESSAGE",
        "owner": get_account_id(),
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [found["filterName"]],
        "logEvents": [
            {"id": f"{uuid.uuid4().int:056d}", "timestamp": int(hit["timestamp"]), "message": hit["message"]}
            for hit in hits
        ],
    }
    return base64.b64encode(gzip.compress(json.dumps(envelope).encode())).decode()
