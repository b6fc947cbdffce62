"""`lookout dashboards`: pages of a fleet, with what a fake CloudWatch says."""

import json
from pathlib import Path
from typing import Any

import pytest

from lookout.cli import main
from monitors.fleet import to_json
from monitors.names import alarm_name
from tests.aws import REGION, Aws
from tests.fleets import fleet, function, resource

ALARM = alarm_name("lambda.health", "orders")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Aws:
    made = Aws({"cloudwatch:DescribeAlarms": alarms, "cloudwatch:GetMetricData": data})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lookout.dashboards.session", lambda **_: made.session)
    where = fleet(
        function("orders", application="shop"),
        function('a<b"c', application="shop"),
        resource("sqs", "work", application="shop", is_dead_letter_queue=False, retention_s=345_600),
    )
    Path("fleet.json").write_text(json.dumps(to_json(where)))
    return made


def alarms(_asked: Any, _region: str) -> dict[str, Any]:
    return {"CompositeAlarms": [{"AlarmName": ALARM, "StateValue": "ALARM"}], "MetricAlarms": []}


def data(asked: Any, _region: str) -> dict[str, Any]:
    shown = [query for query in asked["MetricDataQueries"] if query.get("ReturnData", True)]
    return {
        "MetricDataResults": [
            {
                "Id": query["Id"],
                "Label": "it",
                "Timestamps": [asked["StartTime"]],
                "Values": [7.0],
                "StatusCode": "Complete",
            }
            for query in shown
        ]
    }


def test_the_fleet_s_page_is_the_first_and_leads_on(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboards", "--fleet", "fleet.json", "-o", "site"]) == 0
    assert capsys.readouterr().out == f"{REGION}: site/index.html\n"
    index = Path("site/index.html").read_text()
    assert index == Path(f"site/lookout-fleet-{REGION}.html").read_text()
    assert f"lookout-app-shop-{REGION}.html" in index
    assert "1 of" in index
    assert {path.name for path in Path("site").iterdir()} == {
        "charts.js",
        "index.html",
        f"lookout-app-shop-{REGION}.html",
        f"lookout-fleet-{REGION}.html",
    }


def test_for_grafana_nothing_is_asked_of_cloudwatch(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboards", "--fleet", "fleet.json", "--format", "grafana", "-o", "grafana"]) == 0
    assert capsys.readouterr().out == f"{REGION}: 3 dashboards in grafana, to import or provision\n"
    assert {path.stem for path in Path("grafana").iterdir()} == {
        f"lookout-{kind}-{REGION}" for kind in ("app-shop", "fleet", "function")
    }
    assert json.loads(Path(f"grafana/lookout-fleet-{REGION}.json").read_text())["panels"]
    assert aws.asked == []


def test_one_function_in_the_variable_s_place(aws: Aws) -> None:
    name = 'a<b"c'
    assert main(["dashboards", "--fleet", "fleet.json", "--function", name]) == 0
    page = Path(f"site/lookout-function-{REGION}.html").read_text()
    assert "LOOKOUT_FUNCTION" not in page
    assert "choose a function" not in page
    assert "a&lt;b&quot;c" in page
    assert "a<b" not in page
    asked = [
        query for call in aws.asked if call[0] == "cloudwatch:GetMetricData" for query in call[2]["MetricDataQueries"]
    ]
    dimensions = [
        pair["Value"]
        for query in asked
        for pair in query.get("MetricStat", {}).get("Metric", {}).get("Dimensions", ())
        if pair["Name"] == "FunctionName"
    ]
    assert name in dimensions


def test_a_function_that_is_not_there(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboards", "--fleet", "fleet.json", "--function", "nope"]) == 2
    assert "no function is called nope" in capsys.readouterr().err
    assert not Path("site").exists()


def test_it_looks_as_far_back_as_asked(aws: Aws) -> None:
    main(["dashboards", "--fleet", "fleet.json", "--since", "3h"])
    spans = {
        (call[2]["EndTime"] - call[2]["StartTime"]).total_seconds()
        for call in aws.asked
        if call[0] == "cloudwatch:GetMetricData"
    }
    assert all(3 * 3600 <= span <= 3 * 3600 + 2 * 300 for span in spans)
