"""The demo's look at the account: past alarms, present ones, hours, reports."""

import io
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.validate import ParamValidator

from infra.backtest import backtest
from lookout.demo import watch
from monitors.errors import AwsError
from monitors.evaluate import Episode
from monitors.model import Alarm, Comparison, Description, Missing, Query, Series, Severity, State
from tests.aws import meta

END = 1_795_500_000


class Fake:
    """A client whose calls are checked against AWS's model and answered from a table."""

    def __init__(self, service: str, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[dict[str, Any]] = []
        self.meta = meta(service)

    def can_paginate(self, operation: str) -> bool:
        return operation == "describe_alarms"

    def get_paginator(self, _operation: str) -> Any:
        def paginate(*, PaginationConfig: Any, **request: Any) -> Iterator[Any]:  # noqa: N803
            self.check("DescribeAlarms", request)
            return iter(self.answers["DescribeAlarms"])

        return SimpleNamespace(paginate=paginate)

    def invoke(self, **request: Any) -> Any:
        self.check("Invoke", request)
        return self.answers["Invoke"]

    def get_object(self, **request: Any) -> Any:
        self.check("GetObject", request)
        return {"Body": io.BytesIO(self.answers[request["Key"]])}

    def check(self, operation: str, request: dict[str, Any]) -> None:
        report = ParamValidator().validate(request, self.meta.service_model.operation_model(operation).input_shape)
        assert not report.has_errors(), report.generate_report()
        self.asked.append(request)


def session(**clients: Any) -> Any:
    return SimpleNamespace(
        region_name="us-east-1", client=lambda service, **_rest: clients.get(service) or Fake(service, {})
    )


def alarm(name: str, *, threshold: float = 5) -> Alarm:
    return Alarm(
        name=name,
        rule="lambda.errors",
        resource=name,
        description=Description(),
        severity=Severity.PAGE,
        queries=(Query(id="m1", namespace="N", metric=name, statistic="Sum", period_s=60),),
        comparison=Comparison.ABOVE,
        threshold=threshold,
        datapoints=1,
        periods=1,
        missing=Missing.NOT_BREACHING,
    )


def test_backtest_tells_of_alarms_that_would_have_gone_on(monkeypatch: pytest.MonkeyPatch) -> None:
    start = END - 300
    values: dict[str, tuple[float | None, ...]] = {
        "noisy": (0.0, 9.0, 9.0, 0.0, 9.0),
        "quiet": (0.0, 1.0, 2.0, 1.0, 0.0),
        "silent": (None,) * 5,
    }

    def read(_client: Any, groups: Any, *, start_s: float, end_s: float, progress: Any) -> list[list[Series]]:
        assert (start_s, end_s) == (END - 14 * 86_400, END)
        return [[Series(label="x", period_s=60, start=start, values=values[group[0].metric])] for group in groups]

    monkeypatch.setattr("infra.backtest.read_series", read)
    found = backtest(session(), [alarm(name) for name in values], end_s=END, days=14)
    assert found.keys() == {"noisy"}
    # Each datapoint is judged when its minute is over.
    assert found["noisy"] == (
        Episode(start=start + 120, end=start + 240, ended=State.OK),
        Episode(start=start + 300, end=start + 300, ended=State.ALARM),
    )


def test_states_are_of_the_alarms_asked_for() -> None:
    pages = [
        {"MetricAlarms": [{"AlarmName": "a", "StateValue": "OK"}, {"AlarmName": "other"}]},
        {"CompositeAlarms": [{"AlarmName": "c", "StateValue": "ALARM"}]},
    ]
    cloudwatch = Fake("cloudwatch", {"DescribeAlarms": pages})
    found = watch.states(session(cloudwatch=cloudwatch), ["a", "c", "gone"])
    assert {name: record["StateValue"] for name, record in found.items()} == {"a": "OK", "c": "ALARM"}
    assert cloudwatch.asked == [{"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}]


def test_hours_are_by_function(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_client: Any, groups: Any, **_window: float) -> list[list[Series]]:
        assert {(one.metric, one.statistic, one.period_s) for group in groups for one in group} == {
            ("Errors", "Sum", 3600)
        }
        names = [dict(group[0].dimensions)["FunctionName"] for group in groups]
        return [[Series(label=name, period_s=3600, start=0, values=())] for name in names]

    monkeypatch.setattr(watch, "read_series", read)
    found = watch.hourly(session(), ["pay", "ship"], "Errors", end_s=END, days=14)
    assert {name: series.label for name, series in found.items()} == {"pay": "pay", "ship": "ship"}


def invoked(payload: object, **more: Any) -> Fake:
    return Fake("lambda", {"Invoke": {"Payload": io.BytesIO(json.dumps(payload).encode()), **more}})


def test_a_report_is_made_by_its_function_and_read_from_the_bucket() -> None:
    lambda_, s3 = (
        invoked({"html": "day/m.html", "json": "day/m.json"}),
        Fake("s3", {"day/m.html": b"<p>", "day/m.json": b"{}"}),
    )
    found = watch.report(session(**{"lambda": lambda_, "s3": s3}), "lookout-memory-report", bucket="reports", end_s=END)
    assert found == {"html": "<p>", "json": "{}"}
    assert json.loads(lambda_.asked[0]["Payload"]) == {"end_s": END}
    assert {one["Bucket"] for one in s3.asked} == {"reports"}


def test_a_report_that_fails_says_why() -> None:
    lambda_ = invoked({"errorType": "KeyError", "errorMessage": "'REPORTS_BUCKET'"}, FunctionError="Unhandled")
    with pytest.raises(AwsError, match="lookout-memory-report failed: KeyError: 'REPORTS_BUCKET'"):
        watch.report(session(**{"lambda": lambda_}), "lookout-memory-report", bucket="reports", end_s=END)
