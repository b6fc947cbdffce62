"""CloudWatch alarms, over SNS or EventBridge -> messages on the topics of the people they concern. The edge."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from monitors import names
from monitors.errors import AwsError
from monitors.model import Severity
from subscribers.enrichment import LINES, Context, lines_found, log_searches, value_search, values_found
from subscribers.message import Message, message, raw_message
from subscribers.notification import StateChange, parse

Call = Callable[..., Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of the records of one event."""

    notified: int
    not_enriched: int
    """Of those sent: how many went out without all that should be in them, or raw."""
    failures: tuple[str, ...]
    """Why the others could not be sent."""


def handler(event: Any, _: Any) -> None:
    """Lambda's entry. Raises AwsError if anything could not be sent, so that AWS retries, then dead-letters."""
    _measured()(event)


def handle(event: Any, *, topics: Mapping[Severity, str], publish: Call, logs: Call, metrics: Call) -> Outcome:
    """Tell people about every record of the event; a record that fails keeps none of the others from being
    told.

    `publish`, `logs` and `metrics` are SNS Publish, FilterLogEvents and GetMetricData, as boto3 has them.
    """
    notified, not_enriched = 0, 0
    failures: list[str] = []
    for text in _texts(event):
        found, complete = _understood(text, logs=logs, metrics=metrics)
        try:
            publish(**_publication(found, topics))
        except Exception as error:  # noqa: BLE001 - whatever it was, the other records must still go out
            failures.append(f"{found.subject}: {error}")
        else:
            notified += 1
            not_enriched += not complete
    return Outcome(notified=notified, not_enriched=not_enriched, failures=tuple(failures))


def _texts(event: Any) -> Iterator[str]:
    records = event.get("Records") if isinstance(event, dict) else None
    for record in records if isinstance(records, list) else [event]:
        said = record.get("Sns") if isinstance(record, dict) else None
        text = said.get("Message") if isinstance(said, dict) else None
        yield text if isinstance(text, str) else json.dumps(record, default=str)


def _understood(text: str, *, logs: Call, metrics: Call) -> tuple[Message, bool]:
    try:
        change = parse(text)
        context = _context(change, logs=logs, metrics=metrics)
        return message(change, context), not context.failed
    except Exception as error:  # noqa: BLE001 - an alarm that we don't understand must still wake someone
        return raw_message(text, f"{type(error).__name__}: {error}"), False


def _context(change: StateChange, *, logs: Call, metrics: Call) -> Context:
    lines: tuple[str, ...] = ()
    values: dict[str, float] = {}
    failed: list[str] = []
    try:
        for search in log_searches(change):
            if len(lines) < LINES:
                lines = lines_found(logs(**search)) + lines
    except Exception as error:  # noqa: BLE001 - enrichment is a courtesy: the message goes out and says so
        failed.append(f"the error lines of its log could not be read: {error}")
    try:
        if search_values := value_search(change):
            values = values_found(metrics(**search_values)["MetricDataResults"])
    except Exception as error:  # noqa: BLE001 - as above
        failed.append(f"the metrics behind it could not be read: {error}")
    return Context(log_lines=lines, values=values, failed=tuple(failed))


def _publication(found: Message, topics: Mapping[Severity, str]) -> dict[str, Any]:
    return {
        "TopicArn": topics[found.severity],
        "Subject": found.subject,
        "Message": found.body,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in found.attributes.items()
        },
    }


@cache
def _measured() -> Call:
    # Here and not above, since importing these opens sockets and reads the environment, and takes most of a second.
    import boto3
    from aws_embedded_metrics.metric_scope import metric_scope
    from aws_xray_sdk.core import patch
    from botocore.config import Config

    patch(["botocore"])
    brief = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 1})
    patient = Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 3})
    publish = boto3.client("sns", config=patient).publish
    logs = boto3.client("logs", config=brief).filter_log_events
    values = boto3.client("cloudwatch", config=brief).get_metric_data
    topics = {
        Severity.PAGE: os.environ["PAGE_TOPIC_ARN"],
        Severity.TICKET: os.environ["TICKET_TOPIC_ARN"],
    }

    @metric_scope
    def measured(event: Any, metrics: Any) -> None:
        outcome = handle(event, topics=topics, publish=publish, logs=logs, metrics=values)
        metrics.set_namespace(names.SUBSCRIBER_METRICS)
        metrics.set_dimensions({"FunctionName": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local")})
        metrics.put_metric("Notified", outcome.notified, "Count")
        metrics.put_metric("NotEnriched", outcome.not_enriched, "Count")
        metrics.put_metric("Failed", len(outcome.failures), "Count")
        if outcome.failures:
            raise AwsError(f"sns.publish failed {len(outcome.failures)} times: {'; '.join(outcome.failures)}")

    return measured
