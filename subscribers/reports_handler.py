"""The weekly reports: made on a schedule, kept in a bucket, told over SNS. The edge."""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import boto3

from dashboards import headlines, pages, sheets
from infra import reports
from infra.aws import earlier, history
from infra.aws.session import call, client, session
from monitors.names import REPORT_METRICS
from monitors.rightsize.follow import follow
from monitors.traces.history import week
from monitors.traces.trends import trends

Event = Mapping[str, Any]
TYPES = {"html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8", "json": "application/json"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A report as people get it."""

    kind: str
    title: str
    words: str
    """What it says, in a sentence."""
    files: Mapping[str, str]
    """Text by kind of file."""
    read: int
    """Of how many records."""


def memory(event: Event, context: object) -> dict[str, str]:
    """Make the memory report of the past `days` (14); the key of each file written, by its kind.

    It tells what became of the advice in the newest report that the bucket keeps of an earlier day; if that can't be
    read, the notes say so.
    """
    del context
    return _measured(_memory, event)


def latency(event: Event, context: object) -> dict[str, str]:
    """Make the latency report of the past `days` (7) against those before; the key of each file, by its kind.

    What the week's trend needs is kept in the bucket, under `history/`, and of the weeks kept there the page tells the
    trend; one that can't be read is told in the notes, and costs no more than its place in the trend.
    """
    del context
    return _measured(_latency, event)


def _memory(account: boto3.Session, event: Event, end_s: float) -> Made:
    report = reports.memory(account, end_s=end_s, days=float(event.get("days", 14)))
    before, trouble = earlier.before(account, os.environ["REPORTS_BUCKET"], _day(end_s))
    followed = follow(before, report) if before else None
    report = replace(report, notes=(*report.notes, *trouble), before=followed)
    title = "Weekly memory report"
    page = pages.memory_page(report, title=title, generated_s=end_s)
    return Made(
        kind="memory",
        title=title,
        words=headlines.memory_status(report),
        files={"html": page, "csv": sheets.memory_csv(report), "json": json.dumps(asdict(report))},
        read=report.invocations,
    )


def _latency(account: boto3.Session, event: Event, end_s: float) -> Made:
    report, window = reports.latency(account, end_s=end_s, days=float(event.get("days", 7)))
    bucket = os.environ["REPORTS_BUCKET"]
    kept = week(window.requests, start_s=report.start, end_s=report.end, made_s=time.time())
    weeks, trouble = history.weeks(account, bucket)
    history.keep(account, bucket, kept)
    report = replace(report, notes=(*report.notes, *trouble))
    found = trends([*weeks, kept])
    title = "Weekly latency report"
    page = pages.latency_page(report, title=title, generated_s=end_s, trends=found)
    return Made(
        kind="latency",
        title=title,
        words=headlines.latency_status(report),
        files={
            "html": page,
            "csv": sheets.latency_csv(report),
            "json": json.dumps(asdict(report) | {"trends": asdict(found)}),
        },
        read=report.traces_read,
    )


def _measured(make: Callable[[boto3.Session, Event, float], Made], event: Event) -> dict[str, str]:
    # Imported here and not above: importing these opens sockets and reads the environment.
    from aws_embedded_metrics import metric_scope  # type: ignore[attr-defined]  # it has no __all__
    from aws_xray_sdk.core import patch

    patch(["botocore"])

    @metric_scope
    def measured(metrics: Any = None) -> dict[str, str]:
        account, end_s = session(), float(event.get("end_s") or time.time())
        made = make(account, event, end_s)
        metrics.set_namespace(REPORT_METRICS)
        metrics.set_dimensions({"Report": made.kind})
        metrics.put_metric("RecordsRead", made.read, "Count")
        return _deliver(account, made, end_s)

    keys: dict[str, str] = measured()
    return keys


def _deliver(account: boto3.Session, made: Made, end_s: float) -> dict[str, str]:
    bucket, day = os.environ["REPORTS_BUCKET"], _day(end_s)
    keys = {kind: f"{day}/{made.kind}.{kind}" for kind in made.files}
    s3 = client(account, "s3")
    for kind, text in made.files.items():
        put = {"Bucket": bucket, "Key": keys[kind], "Body": text.encode(), "ContentType": TYPES[kind]}
        call(s3, "PutObject", put, target=keys[kind])
    where = "\n".join(f"s3://{bucket}/{key}" for key in keys.values())
    topic = os.environ["TICKET_TOPIC_ARN"]
    told = {"TopicArn": topic, "Subject": f"{made.title}, {day}", "Message": f"{made.words}.\n\n{where}\n"}
    call(client(account, "sns"), "Publish", told, target=topic)
    return keys


def _day(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d")
