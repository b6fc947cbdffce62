"""Metric queries -> Series, by GetMetricData, in as few calls as its limits allow."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from botocore.client import BaseClient

from infra.aws.session import WORKERS, pages
from monitors.model import Query, Series

# A call takes one Metrics Insights query ("Metrics Insights quotas", CloudWatch user guide), and that or a search may
# find 500 series: each has a call of its own.
_FINDING = re.compile(r"^\s*(?i:SELECT)\s|\bSEARCH\s*\(")

_WORD = re.compile(r""""[^"]*"|'[^']*'|\w+""")

# GetMetricData: at most 500 queries a call, and 100,800 datapoints (CloudWatch user guide, "Service quotas").
QUERIES, POINTS = 500, 100_800

Progress = Callable[[int, int], None]


def read_series(
    client: BaseClient,
    groups: Sequence[Sequence[Query]],
    *,
    start_s: float,
    end_s: float,
    progress: Progress | None = None,
) -> list[list[Series]]:
    """For each group of queries (expressions with the metrics they stand on), its returned series in their order.

    A query gives one series; Metrics Insights and SEARCH give as many as they find, in CloudWatch's order and words,
    or one without datapoints if they find none. A group shares one period. Slots without a datapoint are None. Ids
    need be unique within a group only.

    Raises:
        AwsError: a call failed.
    """
    batches = list(_batches(groups, end_s - start_s))
    found: list[list[Series]] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        asked = [pool.submit(_ask, client, batch, start_s=start_s, end_s=end_s) for batch in batches]
        try:
            for done, answer in enumerate(asked, start=1):
                found += answer.result()
                if progress:
                    progress(done, len(batches))
        finally:
            # After an error, or Ctrl-C, what has not been asked yet need not be.
            pool.shutdown(wait=False, cancel_futures=True)
    return found


Batch = list[tuple[int, Sequence[Query]]]


def _batches(groups: Sequence[Sequence[Query]], span_s: float) -> Iterator[Batch]:
    batch: Batch = []
    queries = points = 0
    for index, group in enumerate(groups):
        finding = any(_FINDING.search(query.expression) for query in group)
        asked = QUERIES if finding else len(group)
        wanted = sum(query.returned for query in group) * math.ceil(span_s / _period(group))
        if batch and (queries + asked > QUERIES or points + wanted > POINTS):
            yield batch
            batch, queries, points = [], 0, 0
        batch.append((index, group))
        queries += asked
        points += wanted
    if batch:
        yield batch


def _ask(client: BaseClient, batch: Batch, *, start_s: float, end_s: float) -> list[list[Series]]:
    """The series of each of the batch's groups."""
    lines = [_line(query, index, group) for index, group in batch for query in group]
    asked = {
        "MetricDataQueries": lines,
        "StartTime": datetime.fromtimestamp(start_s, UTC),
        "EndTime": datetime.fromtimestamp(end_s, UTC),
        "ScanBy": "TimestampAscending",
    }
    answers: dict[str, dict[str, dict[int, float]]] = {}
    for page in pages(client, "GetMetricData", asked):
        for result in page["MetricDataResults"]:
            at = (int(moment.timestamp()) for moment in result["Timestamps"])
            points = answers.setdefault(result["Id"], {}).setdefault(result.get("Label", ""), {})
            points.update(zip(at, result["Values"], strict=True))
    return [
        [
            _series(query.label or query.metric or label, points, _period(group), start_s, end_s)
            for query in group
            if query.returned
            for label, points in (answers.get(_id(query.id, index)) or {query.id: {}}).items()
        ]
        for index, group in batch
    ]


def _series(label: str, points: Mapping[int, float], period_s: int, start_s: float, end_s: float) -> Series:
    first = int(start_s // period_s) * period_s
    slots = range(first, math.ceil(end_s), period_s)
    return Series(label=label, period_s=period_s, start=first, values=tuple(points.get(at) for at in slots))


def _period(group: Sequence[Query]) -> int:
    metrics = [query for query in group if not query.expression]
    return max((query.period_s for query in metrics or group), default=60)


def _id(id_: str, index: int) -> str:
    return f"{id_}_g{index}"


def _line(query: Query, index: int, group: Sequence[Query]) -> dict[str, Any]:
    line: dict[str, Any] = {"Id": _id(query.id, index), "ReturnData": query.returned}
    if query.expression:
        return line | {"Expression": _renamed(query.expression, index, group), "Period": _period(group)}
    metric = {
        "Namespace": query.namespace,
        "MetricName": query.metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in query.dimensions],
    }
    return line | {"MetricStat": {"Metric": metric, "Period": query.period_s, "Stat": query.statistic}}


def _renamed(expression: str, index: int, group: Sequence[Query]) -> str:
    """The expression with the group's ids as they are called in the whole call; quoted text stays as it is."""
    ids = {query.id for query in group}
    return _WORD.sub(lambda word: _id(word[0], index) if word[0] in ids else word[0], expression)
