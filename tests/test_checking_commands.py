"""`lookout audit`, `learn` and `backtest` on a fleet file, with what a fake CloudWatch says."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lookout.cli import main
from monitors.fleet import to_json
from monitors.model import Fact, Fleet, Plan, Resource
from monitors.plan import plan
from monitors.settings import Settings
from tests.aws import REGION, Aws
from tests.fleets import fleet, function

MINUTE_S, DAY_S = 60, 86_400


def deployed(made: Plan, **changed: Mapping[str, Fact]) -> Fleet:
    """The plan's fleet with its alarms in place, but for what is said of some by rule."""
    found = [_alarm(one.name, {"rule": one.expression, "severity": str(one.severity)}) for one in made.composites]
    for one in made.alarms:
        facts: dict[str, Fact] = {
            "high": one.evidence.get("high", ""),
            "low": one.evidence.get("low", ""),
            "severity": str(one.severity),
            "datapoints": one.datapoints,
            "periods": one.periods,
            **changed.get(one.rule.replace(".", "_"), {}),
        }
        found.append(_alarm(one.name, {fact: value for fact, value in facts.items() if value != ""}))
    return replace(made.fleet, resources=(*made.fleet.resources, *found))


def _alarm(name: str, facts: Mapping[str, Fact]) -> Resource:
    arn = f"arn:aws:cloudwatch:{REGION}:123456789012:alarm:{name}"
    return Resource(service="alarm", name=name, id=arn, region=REGION, account="123456789012", facts=facts)


def written(found: Fleet) -> str:
    Path("fleet.json").write_text(json.dumps(to_json(found)))
    return "fleet.json"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


SHOP = plan(fleet(function("orders")), Settings())


def test_an_account_as_planned_has_no_findings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--fleet", written(deployed(SHOP))]) == 0
    assert "0 findings" in capsys.readouterr().out


def test_what_is_changed_by_hand_or_missing_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    there = deployed(SHOP, lambda_errors={"high": 99.0})
    gone = next(one for one in there.resources if one.name == "lookout/lambda.throttles/orders")
    there = replace(there, resources=tuple(one for one in there.resources if one is not gone))
    assert main(["audit", "--fleet", written(there)]) == 1
    out = capsys.readouterr().out
    assert "lookout/lambda.errors/orders: high is 99.0, planned 5" in out
    assert "not deployed" in out
    assert "lookout/lambda.throttles/orders" in out
    assert main(["audit", "--fleet", "fleet.json", "--json"]) == 1
    (document,) = json.loads(capsys.readouterr().out)
    assert document["drift"]["added"] == ["lookout/lambda.throttles/orders"]


def test_what_could_not_be_read_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    there = replace(deployed(SHOP), incomplete=("sqs:ListQueues in eu-west-1: AccessDenied",))
    assert main(["audit", "--fleet", written(there)]) == 1
    assert "not read" in capsys.readouterr().out


# --- learn, backtest ---------------------------------------------------------------------------------


def cloudwatch(values: Mapping[str, Mapping[int, float]]) -> Aws:
    """Metric name -> {seconds after the start: value}; nothing of any other."""

    def data(asked: Any, _region: str) -> dict[str, Any]:
        first = asked["StartTime"].replace(second=0, microsecond=0) + timedelta(minutes=1)
        results = []
        for query in asked["MetricDataQueries"]:
            metric = query.get("MetricStat", {}).get("Metric", {}).get("MetricName", "")
            found = values.get(metric, {}) if query.get("ReturnData", True) else {}
            results.append(
                {
                    "Id": query["Id"],
                    "Label": metric,
                    "Timestamps": [first + timedelta(seconds=at) for at in found],
                    "Values": list(found.values()),
                    "StatusCode": "Complete",
                }
            )
        return {"MetricDataResults": results}

    return Aws({"cloudwatch:GetMetricData": data})


def replayed(monkeypatch: pytest.MonkeyPatch, throttles: Mapping[int, float], *more: str) -> int:
    made = cloudwatch({"Throttles": throttles})
    monkeypatch.setattr("lookout.backtest.session", lambda **_: made.session)
    return main(["backtest", "--fleet", written(fleet(function("orders"))), *more])


def bursts(count: int) -> dict[int, float]:
    """Five minutes of throttles an hour apart each."""
    return {
        3_600 * burst + MINUTE_S * minute: 5.0 if minute < 5 else 0.0 for burst in range(count) for minute in range(60)
    }


def test_when_alarms_would_have_been_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert replayed(monkeypatch, bursts(3), "--json") == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert (document["alarm"], document["severity"]) == ("lookout/lambda.throttles/orders", "page")
    assert (document["times"], document["times_a_week"]) == (3, 1.5)
    assert document["on_s"] == sum(one["end"] - one["start"] for one in document["episodes"])


def test_a_page_a_day_is_a_finding(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert replayed(monkeypatch, bursts(14)) == 1
    said = capsys.readouterr()
    assert "1 of 5 alarms would have been on, 14 times; 14 times somebody would have been woken" in said.out
    assert "noisy: lookout/lambda.throttles/orders, 7 times a week" in said.err


def test_silence_wakes_nobody(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert replayed(monkeypatch, {}) == 0
    assert "0 of 5 alarms would have been on, 0 times" in capsys.readouterr().out


def test_levels_out_of_two_weeks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Durations climb from 100 to 149 ms and begin anew. The rule asks for five in a row: 145 to 149 are all above any
    lower level, and no five are above 145.
    """
    durations = {MINUTE_S * n: 100.0 + n % 50 for n in range(14 * DAY_S // MINUTE_S - 5)}
    made = cloudwatch({"Duration": durations})
    monkeypatch.setattr("lookout.learn.session", lambda **_: made.session)
    path = written(fleet(function("orders")))
    assert main(["learn", "--fleet", path, "--json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert (document["rule"], document["resource"]) == ("lambda.duration", "orders")
    assert document["high"] == 145
    assert main(["learn", "--fleet", path]) == 0
    assert "rules that may learn have enough history" in capsys.readouterr().out
