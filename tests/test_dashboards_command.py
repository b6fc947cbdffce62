"""`lookout dashboards`: pages of a fleet, with what a fake CloudWatch says."""

import http.client
import json
import re
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from lookout.boards import chosen_functions
from lookout.cli import main
from lookout.serving import serving
from monitors.errors import AwsError
from monitors.fleet import to_json
from monitors.model import State
from monitors.names import alarm_name
from monitors.plan import plan
from monitors.settings import Settings
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
    names = {path.name for path in Path("site").iterdir()}
    (odd,) = (name for name in names if "a-b-c-" in name)
    assert names == {
        "charts.js",
        "index.html",
        f"lookout-app-shop-{REGION}.html",
        f"lookout-fleet-{REGION}.html",
        f"lookout-function-{REGION}--orders.html",
        odd,
    }


def test_from_an_application_to_each_function_and_from_one_to_another(aws: Aws) -> None:
    main(["dashboards", "--fleet", "fleet.json"])
    page = f"lookout-function-{REGION}--orders.html"
    assert f'href="{page}"' in Path(f"site/lookout-app-shop-{REGION}.html").read_text()
    (odd,) = Path("site").glob("*--a-b-c-*.html")
    assert f'href="{odd.name}"' in Path("site", page).read_text()


def test_of_many_functions_those_in_alarm_are_drawn_and_those_named() -> None:
    where = fleet(*(function(f"f{n:02}") for n in range(60)))
    made = plan(where, Settings())
    states = {one.name: State.ALARM for one in made.alarms if one.resource == where.resources[7].id}
    assert chosen_functions(made, states, ["f59"]) == ["f07", "f59"]
    few = plan(fleet(*(function(f"f{n:02}") for n in range(50))), Settings())
    assert len(chosen_functions(few, {}, [])) == 50


def test_for_grafana_nothing_is_asked_of_cloudwatch(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboards", "--fleet", "fleet.json", "--format", "grafana", "-o", "grafana"]) == 0
    assert capsys.readouterr().out == f"{REGION}: 3 dashboards in grafana, for Grafana\n"
    assert {path.stem for path in Path("grafana").iterdir()} == {
        f"lookout-{kind}-{REGION}" for kind in ("app-shop", "fleet", "function")
    }
    assert json.loads(Path(f"grafana/lookout-fleet-{REGION}.json").read_text())["panels"]
    assert aws.asked == []


def test_one_function_in_the_variable_s_place(aws: Aws) -> None:
    name = 'a<b"c'
    assert main(["dashboards", "--fleet", "fleet.json", "--function", name]) == 0
    (found,) = Path("site").glob(f"lookout-function-{REGION}--a-b-c-*.html")
    page = found.read_text()
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


# --- served ------------------------------------------------------------------------------------------


def test_served_with_new_data_each_minute_until_stopped(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The wait between two drawings is where the test looks, breaks a call, and at last presses Ctrl-C."""
    seen: list[tuple[int, str, str]] = []

    def look(seconds: float) -> None:
        address = re.search(r"http://127\.0\.0\.1:\d+/index\.html", "".join(printed()))
        assert address
        with urllib.request.urlopen(address[0]) as answer:
            seen.append((answer.status, answer.headers["Refresh"], answer.headers["Cache-Control"]))
        asked.append(len(aws.asked))
        if len(seen) == 2:
            raise KeyboardInterrupt

    lines: list[str] = []
    asked: list[int] = []

    def printed() -> list[str]:
        lines.append(capsys.readouterr().out)
        return lines

    monkeypatch.setattr("lookout.dashboards.time.sleep", look)
    assert main(["dashboards", "--fleet", "fleet.json", "--serve", "--port", "0"]) == 130
    assert seen == [(200, "60", "no-store")] * 2
    assert asked[1] > asked[0], "the second drawing asks CloudWatch again"


def test_what_cloudwatch_refuses_once_is_asked_again(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waits: list[float] = []

    def look(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            raise KeyboardInterrupt
        monkeypatch.setattr("lookout.dashboards._draw", refuse)

    def refuse(*_: Any) -> None:
        raise AwsError("cloudwatch:GetMetricData in eu-central-1: Throttling")

    monkeypatch.setattr("lookout.dashboards.time.sleep", look)
    assert main(["dashboards", "--fleet", "fleet.json", "--serve", "--port", "0"]) == 130
    assert "as they were, and again in 60 s: cloudwatch:GetMetricData" in capsys.readouterr().err


def test_a_taken_port_is_told(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["dashboards", "--fleet", "fleet.json", "--serve", "--port", port]) == 2
    assert f"port {port} of 127.0.0.1" in capsys.readouterr().err


def test_only_this_machine_is_answered_and_only_with_the_folders_files(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/a.html").write_text("here")
    (tmp_path / "secret").write_text("no")
    with serving(tmp_path / "site", port=0, every_s=60) as address:
        port = int(address.rsplit(":", 1)[1].strip("/"))

        def status(path: str, host: str) -> int:
            asking = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            asking.request("GET", path, headers={"Host": host})
            return asking.getresponse().status

        assert status("/a.html", f"127.0.0.1:{port}") == 200
        assert status("/a.html", f"localhost:{port}") == 200
        assert status("/a.html", f"evil.example:{port}") == 403
        assert status("/../secret", f"127.0.0.1:{port}") == 404
        assert status("/", f"127.0.0.1:{port}") == 404


def test_grafana_is_not_served(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboards", "--fleet", "fleet.json", "--format", "grafana", "--serve"]) == 2
    assert "--serve shows pages" in capsys.readouterr().err
