"""An account's logs and traces -> the two weekly reports. The command line and the Lambda both come through here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import boto3
from botocore.client import BaseClient

from infra.aws.logs import events
from infra.aws.metrics import read_series
from infra.aws.session import client, error_code, pages
from infra.aws.traces import read_traces
from monitors import loglines
from monitors.errors import AwsError
from monitors.model import Query
from monitors.records import Invocation
from monitors.rightsize.advise import FunctionFacts, memory_report
from monitors.rightsize.report import MemoryReport
from monitors.traces.aggregate import Weights, latency_report
from monitors.traces.report import LatencyReport

Json = dict[str, Any]
Progress = Callable[[int, int], None]
DAY_S = 86_400.0
REPORTS = '?"REPORT RequestId" ?"platform.report"'
"""Both log formats' report lines; what merely quotes one is told apart by the parser."""


def memory(
    session: boto3.Session, *, end_s: float, days: float = 14.0, progress: Progress | None = None
) -> MemoryReport:
    """The memory report of every function of the session's account and Region, from its log groups.

    A log group that cannot be read is told in the notes.

    Raises:
        AwsError: the functions cannot be listed, or no log group at all can be read.
    """
    functions = _functions(session)
    logs = client(session, "logs")
    found: list[Invocation] = []
    failed: list[AwsError] = []
    for done, function in enumerate(functions, start=1):
        try:
            found.extend(_invocations(logs, function, start_s=end_s - days * DAY_S, end_s=end_s))
        except AwsError as error:
            failed.append(error)
        if progress:
            progress(done, len(functions))
    if failed and len(failed) == len(functions):
        raise failed[0]
    facts = {function["FunctionName"]: _facts(function) for function in functions}
    report = memory_report(found, functions=facts, region=session.region_name)
    return replace(report, notes=(*report.notes, *(f"Not read: {error}" for error in failed)))


def latency(
    session: boto3.Session,
    *,
    end_s: float,
    days: float = 7.0,
    limit: int = 4000,
    progress: Progress | None = None,
) -> LatencyReport:
    """The latency report of a window of `days`, against the window before it, from X-Ray.

    At most `limit` traces of each window are read, spread evenly. Each stands for as many invocations as CloudWatch
    counted in its minute, so that X-Ray's sampling doesn't bend the percentiles.

    Raises:
        AwsError: a call failed.
    """
    xray = client(session, "xray")
    middle_s, start_s = end_s - days * DAY_S, end_s - 2 * days * DAY_S
    before = list(read_traces(xray, start=start_s, end=middle_s, limit=limit, progress=progress))
    now = list(read_traces(xray, start=middle_s, end=end_s, limit=limit, progress=progress))
    weights = _weights(session, start_s=start_s, end_s=end_s)
    return latency_report(now, start=middle_s, end=end_s, before=before, weights=weights)


def _functions(session: boto3.Session) -> list[Json]:
    lambda_ = client(session, "lambda")
    return [function for page in pages(lambda_, "ListFunctions") for function in page.get("Functions", ())]


def _facts(function: Json) -> FunctionFacts:
    return FunctionFacts(
        memory_mb=function.get("MemorySize", 128),
        architecture=(function.get("Architectures") or ["x86_64"])[0],
        timeout_ms=1000 * function.get("Timeout", 3),
    )


def _invocations(logs: BaseClient, function: Json, *, start_s: float, end_s: float) -> Iterator[Invocation]:
    name = function["FunctionName"]
    group = (function.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}"
    try:
        for event in events(logs, group=group, start_s=start_s, end_s=end_s, pattern=REPORTS):
            record = loglines.parse(
                event["message"],
                function=name,
                log_stream=event.get("logStreamName", ""),
                timestamp_ms=event["timestamp"],
            )
            if isinstance(record, Invocation):
                yield record
    except AwsError as error:
        # A function that was never invoked has no log group yet.
        if error_code(error) != "ResourceNotFoundException":
            raise


def _weights(session: boto3.Session, *, start_s: float, end_s: float) -> Weights:
    """(function, minute) -> its invocations then, as CloudWatch counted them."""
    names = [function["FunctionName"] for function in _functions(session)]
    groups: Sequence[Sequence[Query]] = [
        [
            Query(
                id="m1",
                namespace="AWS/Lambda",
                metric="Invocations",
                dimensions=(("FunctionName", name),),
                statistic="Sum",
            )
        ]
        for name in names
    ]
    found = read_series(client(session, "cloudwatch"), groups, start_s=start_s, end_s=end_s)
    counted = {
        name: {series.start + 60 * n: value for n, value in enumerate(series.values) if value}
        for name, (series,) in zip(names, found, strict=True)
    }
    return lambda function, minute: counted.get(function, {}).get(minute)
