"""Reading series by GetMetricData, against a fake that keeps its real limits."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from infra.aws.metrics import POINTS, QUERIES, read_series
from monitors.errors import AwsError
from monitors.model import Query

MODEL = botocore.session.get_session().get_service_model("cloudwatch")
T0 = 1_700_000_100  # a whole number of minutes, and no whole number of 5 minutes: 1_700_000_100 / 300 has a rest of 100
HOUR = 3600
ID = re.compile(r"[a-z][A-Za-z0-9_]*")


class CloudWatch:
    """Answers each metric with its points by name; an expression with those of the first metric it names; a query of
    Metrics Insights with a datapoint for each function.

    Limits from the API reference of GetMetricData: 500 queries, 100,800 datapoints, ids unique and well-formed.
    """

    def __init__(
        self, points: dict[str, dict[int, float]] | None = None, *, page: int = 1000, functions: tuple[str, ...] = ()
    ) -> None:
        self.points = points or {}
        self.functions = functions
        self.page = page
        self.calls: list[dict[str, Any]] = []
        self.failure = ""
        self.meta = SimpleNamespace(region_name="eu-west-1", service_model=MODEL)

    def can_paginate(self, operation: str) -> bool:
        return operation == "get_metric_data"

    def get_paginator(self, _operation: str) -> Any:
        return SimpleNamespace(paginate=self.paginate)

    def paginate(self, *, PaginationConfig: Any, **request: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        report = ParamValidator().validate(request, MODEL.operation_model("GetMetricData").input_shape)
        assert not report.has_errors(), report.generate_report()
        if self.failure:
            raise ClientError({"Error": {"Code": self.failure, "Message": "no"}}, "GetMetricData")
        self.calls.append(request)
        lines = request["MetricDataQueries"]
        ids = [line["Id"] for line in lines]
        assert len(lines) <= QUERIES
        assert len(set(ids)) == len(ids)
        assert all(ID.fullmatch(id_) and len(id_) <= 255 for id_ in ids)
        results = [result for line in lines if line["ReturnData"] for result in self.answers(line, lines)]
        for first in range(0, max(1, len(results)), self.page):
            yield {"MetricDataResults": results[first : first + self.page]}

    def answers(self, line: dict[str, Any], lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if line.get("Expression", "").startswith("SELECT"):
            at = datetime.fromtimestamp(T0 - T0 % line["Period"], UTC)
            return [{"Id": line["Id"], "Label": name, "Timestamps": [at], "Values": [1.0]} for name in self.functions]
        metrics = {one["Id"]: one["MetricStat"]["Metric"]["MetricName"] for one in lines if "MetricStat" in one}
        named = [line["Id"], *re.findall(r"\w+", line.get("Expression", ""))]
        metric = next((metrics[word] for word in named if word in metrics), "")
        points = sorted(self.points.get(metric, {}).items())
        # In two parts, as a long answer comes.
        return [
            {
                "Id": line["Id"],
                "Label": metric,
                "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in part],
                "Values": [value for _, value in part],
            }
            for part in (points[:1], points[1:])
        ]


def metric(name: str, *, id_: str = "m1", period_s: int = 60, returned: bool = True, label: str = "") -> Query:
    return Query(
        id=id_,
        namespace="AWS/Lambda",
        metric=name,
        dimensions=(("FunctionName", "pay"),),
        statistic="Sum",
        period_s=period_s,
        returned=returned,
        label=label,
    )


def read(client: CloudWatch, *groups: list[Query], hours: float = 1) -> list[list[Any]]:
    return read_series(client, groups, start_s=T0, end_s=T0 + hours * HOUR)


def test_a_series_has_a_slot_for_every_period_and_gaps_are_none() -> None:
    client = CloudWatch({"Errors": {T0: 3.0, T0 + 120: 0.0}})
    ((found,),) = read(client, [metric("Errors")], hours=0.1)
    assert (found.label, found.period_s, found.start) == ("Errors", 60, T0)
    assert found.values == (3.0, None, 0.0, None, None, None)


def test_slots_lie_on_the_period_s_own_grid() -> None:
    """CloudWatch's datapoints of 5 minutes begin at whole 5 minutes, the first one before the start asked for."""
    first = T0 - T0 % 300
    client = CloudWatch({"Errors": {first: 1.0, first + 300: 2.0}})
    ((found,),) = read(client, [metric("Errors", period_s=300)], hours=0.1)
    assert (found.start, found.values) == (first, (1.0, 2.0))


def test_answers_on_several_pages_are_put_together() -> None:
    client = CloudWatch({"Errors": {T0: 1.0, T0 + 60: 2.0}}, page=1)
    ((found,),) = read(client, [metric("Errors")], hours=2 / 60)
    assert found.values == (1.0, 2.0)


def test_each_group_gets_its_own_though_all_call_it_m1() -> None:
    client = CloudWatch({"Errors": {T0: 1.0}, "Duration": {T0: 250.0}})
    found = read(client, [metric("Duration")], [metric("Errors")], [metric("Throttles")], hours=1 / 60)
    assert [[series.values for series in group] for group in found] == [[(250.0,)], [(1.0,)], [(None,)]]
    assert len(client.calls) == 1


def test_an_expression_speaks_of_its_own_group() -> None:
    client = CloudWatch({"Errors": {T0: 7.0}})
    group = [
        Query(id="rate", expression="100 * m1 / (m1 + m10)", label="error rate"),
        metric("Errors", returned=False),
        metric("Invocations", id_="m10", returned=False),
    ]
    found = read(client, [metric("Duration")], group, hours=1 / 60)
    (own,) = found[1]
    assert (own.label, own.values) == ("error rate", (7.0,))
    lines = {line["Id"]: line for line in client.calls[0]["MetricDataQueries"]}
    (expression,) = (line["Expression"] for line in lines.values() if "Expression" in line)
    ids = {line["MetricStat"]["Metric"]["MetricName"]: id_ for id_, line in lines.items() if "MetricStat" in line}
    assert expression == f"100 * {ids['Errors']} / ({ids['Errors']} + {ids['Invocations']})"


def test_names_in_quotes_are_no_ids() -> None:
    client = CloudWatch()
    search = "SEARCH('{AWS/Lambda,FunctionName} MetricName=\"m1\"', 'Sum', 60) + m1"
    read(client, [Query(id="all", expression=search), metric("Errors", returned=False)])
    (expression,) = (one["Expression"] for one in client.calls[0]["MetricDataQueries"] if "Expression" in one)
    assert expression == search.removesuffix("m1") + "m1_g0"


def test_only_what_is_returned_comes_back_in_its_order() -> None:
    client = CloudWatch({"Errors": {T0: 1.0}, "Throttles": {T0: 2.0}})
    group = [metric("Errors", id_="b"), metric("Duration", id_="c", returned=False), metric("Throttles", id_="a")]
    (found,) = read(client, group, hours=1 / 60)
    assert [series.label for series in found] == ["Errors", "Throttles"]


@pytest.mark.parametrize(
    ("groups", "lines", "hours", "calls"),
    [
        (QUERIES, 1, 1, 1),
        (QUERIES + 1, 1, 1, 2),
        (QUERIES // 2, 3, 1, 2),  # 250 groups of 3 lines: 750 queries, in calls of 166 groups at most
        (5, 1, 14 * 24, 1),  # 14 days of minutes are 20,160 datapoints, and 5 such just fit
        (6, 1, 14 * 24, 2),
    ],
)
def test_calls_stay_within_the_limits(groups: int, lines: int, hours: float, calls: int) -> None:
    client = CloudWatch()
    group = [metric("Errors", id_=f"m{n}", returned=n == 0) for n in range(lines)]
    found = read(client, *[group] * groups, hours=hours)
    assert len(client.calls) == calls
    assert [len(series) for series in found] == [1] * groups
    slots = math.ceil(hours * HOUR / 60)
    for call in client.calls:
        assert sum(line["ReturnData"] for line in call["MetricDataQueries"]) * slots <= POINTS


def test_series_that_are_found_keep_cloudwatch_s_words_and_have_a_call_of_their_own() -> None:
    """Metrics Insights: one query a call. Each series it finds has its group's label."""
    client = CloudWatch(functions=("pay", "ship"))
    select = Query(id="q1", expression='SELECT SUM(Errors) FROM "AWS/Lambda" GROUP BY FunctionName', period_s=300)
    found = read(client, [metric("Errors")], [select], [metric("Errors")], hours=0.01)
    assert [series.label for series in found[1]] == ["pay", "ship"]
    assert found[1][0].period_s == 300
    assert [len(call["MetricDataQueries"]) for call in client.calls] == [1, 1, 1]


def test_nothing_asked_is_nothing_called() -> None:
    client = CloudWatch()
    assert read(client) == []
    assert client.calls == []


def test_progress_counts_calls() -> None:
    told: list[tuple[int, int]] = []
    groups = [[metric("Errors")]] * (2 * QUERIES + 1)
    read_series(
        CloudWatch(),
        groups,
        start_s=T0,
        end_s=T0 + 60,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_refused_call_names_the_permission() -> None:
    client = CloudWatch()
    client.failure = "AccessDenied"
    with pytest.raises(AwsError, match="cloudwatch:GetMetricData"):
        read(client, [metric("Errors")])
