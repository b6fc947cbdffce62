"""The embedded account's alarms: judged in their own words, told in CloudWatch's shapes."""

import json
from typing import Any

import pytest
from ministack.services import cloudwatch as cw
from ministack.services import sns

from infra.local import alarms, cloudwatch, queries
from infra.local.metrics import MetricStore
from monitors.model import Query

NOW = 1_795_500_000  # 2026-11-24 06:00:00 UTC, a whole minute
MINUTES = [NOW - 180, NOW - 120, NOW - 60]
ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"
DIMENSIONS = [{"Name": "FunctionName", "Value": "pay"}]


def alarm(**more: Any) -> dict[str, Any]:
    return {
        "AlarmName": "a",
        "AlarmArn": ARN,
        "StateValue": "OK",
        "Namespace": "N",
        "MetricName": "m",
        "Dimensions": DIMENSIONS,
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
    } | more


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """A store of this test's own; (old, new) state of every change that was told."""
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(cloudwatch, "STORE", MetricStore())
    monkeypatch.setattr(cw, "_record_history", lambda *_args, **_rest: None)
    monkeypatch.setattr(cw, "_evaluate_parent_alarms", lambda _alarm: None)
    monkeypatch.setattr(alarms, "tell", lambda _alarm, old, new, _reason: told.append((old, new)))
    return told


def observed(*values: float, metric: str = "m") -> None:
    for at, value in zip(MINUTES[-len(values) :], values, strict=True):
        cloudwatch.put("N", metric, {"FunctionName": "pay"}, [value], unit="None", at_s=at)


def test_two_of_three_is_enough_and_only_those_are_named(changes: list[tuple[str, str]]) -> None:
    observed(9.0, 1.0, 7.0)
    found = alarm()
    assert alarms._evaluate(found, NOW)
    assert changes == [("OK", "ALARM")]
    assert found["StateReason"] == (
        "Threshold Crossed: 2 out of the last 3 datapoints [9.0 (24/11/26 05:57:00), 7.0 (24/11/26 05:59:00)] "
        "were greater than the threshold (5.0)."
    )
    data = json.loads(found["StateReasonData"])
    assert data["recentDatapoints"] == [9.0, 1.0, 7.0]
    assert data["queryDate"] == "2026-11-24T06:00:00.000+0000"
    assert data["evaluatedDatapoints"][0] == {"timestamp": "2026-11-24T05:59:00.000+0000", "value": 7.0}


def test_coming_back_says_which_were_within(changes: list[tuple[str, str]]) -> None:
    observed(1.0, 9.0, 2.0)
    found = alarm(StateValue="ALARM")
    assert alarms._evaluate(found, NOW)
    assert found["StateReason"].startswith("Threshold Crossed: 2 out of the last 3 datapoints [1.0 (")
    assert found["StateReason"].endswith("were not greater than the threshold (5.0).")


def test_nothing_new_is_nothing_told(changes: list[tuple[str, str]]) -> None:
    observed(1.0, 1.0, 1.0)
    assert not alarms._evaluate(alarm(), NOW)
    assert changes == []


def test_no_data_says_how_it_was_treated(changes: list[tuple[str, str]]) -> None:
    found = alarm()
    assert alarms._evaluate(found, NOW)
    assert changes == [("OK", "INSUFFICIENT_DATA")]
    assert found["StateReason"] == "Insufficient Data: 3 missing datapoints were treated as [missing]."
    found = alarm(TreatMissingData="breaching")
    alarms._evaluate(found, NOW)
    assert found["StateReason"] == "Threshold Crossed: 3 missing datapoints were treated as [breaching]."


def math_alarm(*lines: dict[str, Any]) -> dict[str, Any]:
    found = alarm(Metrics=list(lines), EvaluationPeriods=1, DatapointsToAlarm=1)
    return {name: value for name, value in found.items() if name not in ("MetricName", "Namespace", "Statistic")}


def line(id_: str, metric: str, *, period: int = 60) -> dict[str, Any]:
    stat = {
        "Metric": {"Namespace": "N", "MetricName": metric, "Dimensions": DIMENSIONS},
        "Period": period,
        "Stat": "Sum",
    }
    return {"Id": id_, "MetricStat": stat, "ReturnData": False}


def test_metric_math_is_judged_by_its_returned_line(changes: list[tuple[str, str]]) -> None:
    observed(4.0, metric="errors")
    observed(8.0, metric="calls")
    rate = {"Id": "rate", "Expression": "100 * m1 / m2", "ReturnData": True}
    assert alarms._evaluate(math_alarm(rate, line("m1", "errors"), line("m2", "calls")), NOW)
    assert changes == [("OK", "ALARM")]  # 50 > 5


@pytest.mark.parametrize(
    "broken",
    [
        {"ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold"},
        {"Threshold": None, "ComparisonOperator": "GreaterThanUpperThreshold", "ThresholdMetricId": "band"},
        {"Statistic": None, "ExtendedStatistic": "wm10"},
        {"Metrics": [{"Id": "a", "Expression": "SEARCH('x')", "ReturnData": True}]},
        {"Metrics": [{"Id": "a", "Expression": "1 +", "ReturnData": True}]},
        {"Metrics": [line("m1", "errors")]},
        {"TreatMissingData": "nonsense"},
    ],
)
def test_an_alarm_that_cannot_be_judged_says_so(changes: list[tuple[str, str]], broken: dict[str, Any]) -> None:
    observed(9.0, 9.0, 9.0)
    found = alarm(**broken)
    assert not alarms._evaluate(found, NOW)
    assert (found["StateValue"], found["EvaluationState"]) == ("OK", "EVALUATION_ERROR")
    assert found["StateReason"].startswith("The embedded account cannot evaluate this alarm: ")


def test_the_payload_has_cloudwatch_s_fields() -> None:
    """As in the CloudWatch user guide's and the SNS developer guide's examples: name and value in small letters."""
    found = alarm(StateUpdatedTimestamp=NOW, AlarmActions=["arn:aws:sns:us-east-1:123456789012:page"])
    body = alarms._payload(found, "OK", "ALARM", "why")
    assert {name: body[name] for name in ("AlarmName", "OldStateValue", "NewStateValue", "NewStateReason")} == {
        "AlarmName": "a",
        "OldStateValue": "OK",
        "NewStateValue": "ALARM",
        "NewStateReason": "why",
    }
    assert (body["StateChangeTime"], body["AlarmDescription"]) == ("2026-11-24T06:00:00.000+0000", None)
    assert body["AlarmActions"] == ["arn:aws:sns:us-east-1:123456789012:page"]
    trigger = body["Trigger"]
    assert (trigger["StatisticType"], trigger["Statistic"]) == ("Statistic", "SUM")
    assert trigger["Dimensions"] == [{"name": "FunctionName", "value": "pay"}]
    assert (trigger["DatapointsToAlarm"], trigger["TreatMissingData"]) == (2, "missing")


def test_the_payload_of_percentiles_and_of_metric_math() -> None:
    trigger = alarms._payload(alarm(ExtendedStatistic="p99.9"), "OK", "ALARM", "")["Trigger"]
    assert (trigger["StatisticType"], trigger["Statistic"]) == ("ExtendedStatistic", "p99.9")
    rate = {"Id": "rate", "Expression": "m1", "ReturnData": True}
    trigger = alarms._payload(math_alarm(rate, line("m1", "errors")), "OK", "ALARM", "")["Trigger"]
    assert "MetricName" not in trigger
    assert trigger["Metrics"][0] == rate
    assert trigger["Metrics"][1]["MetricStat"]["Metric"]["Dimensions"] == [{"name": "FunctionName", "value": "pay"}]


def test_a_composite_names_the_alarms_that_set_it_off() -> None:
    reason = {"triggeringAlarms": [{"arn": ARN, "state": {"value": "ALARM", "timestamp": "x"}}]}
    found = {"AlarmName": "c", "AlarmArn": "c", "AlarmRule": 'ALARM("a")', "StateReasonData": json.dumps(reason)}
    body = alarms._payload(found, "OK", "ALARM", "")
    assert body["AlarmRule"] == 'ALARM("a")'
    assert body["TriggeringChildren"] == [{"Arn": ARN, "State": {"Value": "ALARM"}}]
    assert "Trigger" not in body


@pytest.mark.parametrize(
    ("state", "topic"), [("ALARM", "page"), ("OK", "fine"), ("INSUFFICIENT_DATA", "silent"), ("ALARM", "off")]
)
def test_each_state_has_its_topics(monkeypatch: pytest.MonkeyPatch, state: str, topic: str) -> None:
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(sns, "_fanout", lambda arn, _id, _body, subject: sent.append((arn, subject)))
    actions = {"AlarmActions": "page", "OKActions": "fine", "InsufficientDataActions": "silent"}
    given = {name: [f"arn:aws:sns:::{to}", "arn:aws:autoscaling:::x"] for name, to in actions.items()}
    found = alarm(AlarmName="a" * 255, ActionsEnabled=topic != "off", **given)
    alarms.tell(found, "OK", state, "")
    assert [arn for arn, _ in sent] == ([] if topic == "off" else [f"arn:aws:sns:::{topic}"])
    assert all(len(subject) <= 100 for _, subject in sent), "SNS takes no more"


def test_what_a_suppressor_keeps_back_is_told_once_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(sns, "_fanout", lambda _arn, _id, body, _subject: sent.append(json.loads(body)["AlarmName"]))
    cause = alarm(AlarmName="cause", StateValue="ALARM")
    health = {
        "AlarmName": "health",
        "AlarmArn": "health",
        "AlarmRule": 'ALARM("a")',
        "StateReason": "",
        "StateValue": "ALARM",
        "ActionsSuppressor": "cause",
        "AlarmActions": ["arn:aws:sns:::page"],
    }
    monkeypatch.setattr(cw, "_alarms", {"cause": cause})
    monkeypatch.setattr(cw, "_composite_alarms", {"health": health})
    alarms.tell(health, "OK", "ALARM", "")
    assert sent == []
    cause["StateValue"] = "OK"
    alarms._release("cause")
    assert sent == ["health"]


# --- queries -----------------------------------------------------------------------------------------

SCOPE = ("123456789012", "us-east-1")


def metric(id_: str, *, period_s: int = 60) -> Query:
    return Query(id=id_, namespace="N", metric=id_, statistic="Sum", period_s=period_s)


def math(id_: str, expression: str) -> Query:
    return Query(id=id_, expression=expression)


ASKED = [metric("m1"), metric("m2"), metric("slow", period_s=3600), math("a", "m1 + b"), math("b", "2 * m2")]


@pytest.mark.parametrize(
    ("id_", "standing"), [("m1", {"m1"}), ("slow", {"slow"}), ("b", {"b", "m2"}), ("a", {"a", "b", "m1", "m2"})]
)
def test_a_query_stands_on_what_it_names(id_: str, standing: set[str]) -> None:
    (query,) = (one for one in ASKED if one.id == id_)
    found = queries.standing_on(query, ASKED)
    assert {one.id for one in found} == standing
    assert queries.period_of(found) == (3600 if id_ == "slow" else 60)


def test_expressions_in_a_circle_are_found_once() -> None:
    asked = [math("a", "b"), math("b", "a")]
    assert {one.id for one in queries.standing_on(asked[0], asked)} == {"a", "b"}


def test_expressions_may_name_each_other_in_any_order() -> None:
    store = MetricStore()
    for name, value in (("m1", 1.0), ("m2", 10.0)):
        store.add(SCOPE, queries.key("N", name, {}), at_s=0, values=[value])
    found = queries.resolve(store, SCOPE, [ASKED[3], ASKED[4], *ASKED[:2]], start_s=0, period_s=60, slots=2)
    assert found["a"] == [1 + 2 * 10, None]


def test_dimensions_in_any_order_name_one_metric() -> None:
    assert queries.key("N", "m", {"b": "2", "a": "1"}) == queries.key("N", "m", {"a": "1", "b": "2"})


def test_a_query_as_the_api_has_it() -> None:
    """GetMetricData: what is not said is returned; alarms from templates say so in text."""
    assert queries.from_api(line("m1", "errors", period=300)) == Query(
        id="m1",
        namespace="N",
        metric="errors",
        dimensions=(("FunctionName", "pay"),),
        statistic="Sum",
        period_s=300,
        label="m1",
        returned=False,
    )
    assert queries.from_api({"Id": "e", "Expression": "m1", "Label": "x"}).returned
    assert not queries.from_api({"Id": "e", "Expression": "m1", "ReturnData": "false"}).returned


def test_other_queries_of_a_call_do_not_lengthen_a_period(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MetricStore()
    monkeypatch.setattr(cloudwatch, "STORE", store)
    monkeypatch.setattr(cloudwatch, "scope", lambda: SCOPE)
    for at in MINUTES:
        store.add(SCOPE, queries.key("N", "m1", {}), at_s=at, values=[1.0])
    asked = [math("double", "2 * m1"), metric("m1"), metric("slow", period_s=3600)]
    found = cloudwatch._found(asked[0], asked, (NOW - 180, NOW))
    assert [(one.period, one.values) for one in found] == [(60, [2.0, 2.0, 2.0])]
