"""A query of CloudWatch Logs Insights -> its rows; log groups -> the bytes that it would scan."""

from collections.abc import Callable, Mapping, Sequence
from time import sleep as wait

from botocore.client import BaseClient

from infra.aws.metrics import read_series
from infra.aws.session import Json, call
from monitors.errors import AwsError
from monitors.model import Query

ROWS = 10_000
"""Rows in an answer (CloudWatch Logs API Reference, GetQueryResults); more come page by page only."""
POLL_S = 1.0
DAY_S = 86_400


def rows(
    logs: BaseClient,
    asked: Mapping[str, Json],
    *,
    target: str,
    pause_s: float = POLL_S,
    sleep: Callable[[float], object] = wait,
) -> list[dict[str, str]]:
    """The rows, by field, of a query as StartQuery takes it; at most ROWS unless it says another limit.

    Raises:
        AwsError: a call failed, or the query ended without an answer; it names the `target`.
    """
    found = call(logs, "StartQuery", {"limit": ROWS, **asked}, target=target)
    answer: dict[str, Json] = {"status": "Scheduled"}
    while answer.get("status") in ("Scheduled", "Running"):
        sleep(pause_s)
        answer = call(logs, "GetQueryResults", {"queryId": found["queryId"]}, target=target)
    if answer.get("status") != "Complete":
        query = asked["queryString"]
        raise AwsError(f"The query of {target} ended as {answer.get('status')}: {query}. Run it again later.")
    return [
        {cell["field"]: cell["value"] for cell in row if "field" in cell and "value" in cell}
        for row in answer.get("results", ())
    ]


def bytes_logged(cloudwatch: BaseClient, groups: Sequence[str], *, start_s: float, end_s: float) -> dict[str, float]:
    """Log group -> the bytes that came in between two times (epoch seconds), which is what a query of it scans; 0 where
    CloudWatch counted none.

    Uncompressed, as Logs Insights counts them (CloudWatch Logs User Guide, "Monitoring with CloudWatch metrics").

    Raises:
        AwsError: the call failed.
    """
    queries = [
        [
            Query(
                id="m1",
                namespace="AWS/Logs",
                metric="IncomingBytes",
                dimensions=(("LogGroupName", group),),
                statistic="Sum",
                period_s=DAY_S,
            )
        ]
        for group in groups
    ]
    found = read_series(cloudwatch, queries, start_s=start_s, end_s=end_s)
    return {group: sum(filter(None, series.values)) for group, (series,) in zip(groups, found, strict=True)}
