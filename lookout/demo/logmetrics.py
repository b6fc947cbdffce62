"""The metrics that live log lines became: by metric filters, and by the log subscriber."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import boto3

from infra.aws.metrics import read_series
from infra.aws.session import client, pages
from monitors.model import Query
from monitors.names import CUSTOM_METRICS, LOG_METRICS


class OutOfLogs(NamedTuple):
    custom: Mapping[str, float]
    """What the team's own metrics add up to, by name and dimension values."""
    functions: int
    """How many functions the log subscriber measured."""

    def words(self) -> str:
        sums = ", ".join(f"{name} {total:,.10g}" for name, total in sorted(self.custom.items()))
        return f"{sums or 'nothing'} by metric filters; {self.functions} functions measured by the log subscriber"


def out_of_logs(session: boto3.Session, *, start_s: float, end_s: float) -> OutOfLogs:
    """What came out of the logs between two moments, epoch seconds."""
    cloudwatch = client(session, "cloudwatch")
    found = [
        metric
        for namespace in (CUSTOM_METRICS, LOG_METRICS)
        for page in pages(cloudwatch, "ListMetrics", {"Namespace": namespace})
        for metric in page["Metrics"]
    ]
    series = read_series(cloudwatch, [[_sum(metric)] for metric in found], start_s=start_s, end_s=end_s)
    totals = [sum(value or 0.0 for one in those for value in one.values) for those in series]
    measured = [(metric, total) for metric, total in zip(found, totals, strict=True) if total]
    return OutOfLogs(
        custom={_name(metric): total for metric, total in measured if metric["Namespace"] == CUSTOM_METRICS},
        functions=len({_values(metric) for metric, _ in measured if metric["Namespace"] == LOG_METRICS}),
    )


def _sum(metric: Mapping[str, Any]) -> Query:
    return Query(
        id="m1",
        namespace=metric["Namespace"],
        metric=metric["MetricName"],
        dimensions=tuple((each["Name"], each["Value"]) for each in metric["Dimensions"]),
        statistic="Sum",
    )


def _name(metric: Mapping[str, Any]) -> str:
    return " ".join([metric["MetricName"], *_values(metric)])


def _values(metric: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(each["Value"] for each in metric["Dimensions"])
