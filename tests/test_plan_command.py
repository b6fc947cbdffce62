"""`lookout plan`, `render` and `survey` from a fleet file: no account, no network."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped] # cfn-lint says nothing of its types

from infra.aws import survey as asked
from infra.aws.session import Identity
from lookout import cli
from lookout.cli import main
from monitors import fleet as fleets
from monitors.model import Fleet
from monitors.names import ALARM_STACK, alarm_name
from tests.fleets import ACCOUNT, REGION, fleet, function, log_group, resource

SHOP = fleet(
    function("shop-pay", application="shop"),
    function("shop-ship", application="shop", is_async=True),
    log_group("/aws/lambda/shop-pay"),
    log_group("/aws/lambda/shop-ship"),
    resource("sqs", "shop-orders", application="shop"),
)
SETTINGS = """
[rules."lambda.duration"]
high = 1234

[[metrics]]
name = "Payments"
pattern = '{ $.event = "payment" }'
value = "$.amount"
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The shop's fleet file, in an otherwise empty folder from which no AWS can be reached."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_REGION", REGION)
    return written(tmp_path, SHOP)


def written(folder: Path, found: Fleet) -> str:
    path = folder / "fleet.json"
    path.write_text(json.dumps(fleets.to_json(found)))
    return str(path)


def planned(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    status = main(["plan", "--json", *arguments])
    return status, json.loads(capsys.readouterr().out)


def elsewhere() -> Fleet:
    """The shop in another Region too, with a function of its own."""
    moved = [
        fleets.from_json(json.loads(json.dumps(fleets.to_json(fleet(one))).replace(REGION, "us-east-1"))).resources[0]
        for one in (*SHOP.resources, function("shop-west"))
    ]
    return fleet(*SHOP.resources, *moved)


def test_the_plan_as_json(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, (found,) = planned(capsys, "--fleet", shop)
    names = [one["name"] for one in found["alarms"]]
    assert status == 0
    assert {alarm_name(rule, "shop-pay") for rule in ("lambda.errors", "lambda.throttles")} <= {*names}
    assert len(names) == len({*names})
    assert (found["region"], found["uncovered"]) == (REGION, [])
    assert found["cost_usd_month"] > 0
    assert {one["severity"] for one in found["alarms"]} == {"page", "ticket"}


def test_each_region_is_a_plan(shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, found = planned(capsys, "--fleet", written(tmp_path, elsewhere()))
    assert [one["region"] for one in found] == [REGION, "us-east-1"]
    assert [any("shop-west" in alarm["name"] for alarm in one["alarms"]) for one in found] == [False, True]


def test_what_could_not_be_read_is_a_finding(shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    partly = Fleet(resources=SHOP.resources, incomplete=("sqs:ListQueues in eu-west-1: AccessDenied",))
    assert planned(capsys, "--fleet", written(tmp_path, partly))[0] == 1


def test_settings_of_the_folder_are_found(shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lookout.toml").write_text(SETTINGS)
    _, (found,) = planned(capsys, "--fleet", shop)
    durations = [one["threshold"] for one in found["alarms"] if one["rule"] == "lambda.duration"]
    assert durations == [1234.0, 1234.0]
    assert [one["log_group"] for one in found["metric_filters"]] == ["/aws/lambda/shop-pay", "/aws/lambda/shop-ship"]


def test_a_resource_s_alarms_and_why(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--fleet", shop, "--resource", "shop-orders"]) == 0
    said = capsys.readouterr().out
    assert "sqs shop-orders" in said
    assert "sqs." in said
    assert "lambda." not in said


@pytest.mark.parametrize("name", ["shop-west", "shop-pay"])
def test_a_resource_of_whichever_region(
    shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["plan", "--fleet", written(tmp_path, elsewhere()), "--resource", name]) == 0
    assert capsys.readouterr().out.count(f"lambda {name}") == (2 if name == "shop-pay" else 1)


def test_an_unknown_resource_is_an_error(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--fleet", shop, "--resource", "shop-pya"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: no resource is called shop-pya")


def test_the_plan_for_people(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--fleet", shop]) == 0
    said = capsys.readouterr().out
    assert "lambda.errors" in said
    assert re.search(r"\d+ alarms, 3 composites, .* of 5 resources have alarms", said)
    assert "USD a month" in said


def test_an_empty_fleet_is_an_error(shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--fleet", written(tmp_path, fleet())]) == 2
    assert "nothing to watch" in capsys.readouterr().err


def test_a_fleet_of_another_account_is_not_applied_to_this_one(
    shop: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lookout.stacks.identity", lambda _session: Identity(account="999999999999", partition="aws"))
    assert main(["apply", "--fleet", shop]) == 2
    assert f"the fleet is of account {ACCOUNT}, but the credentials are of 999999999999" in capsys.readouterr().err


def test_rendered_templates_are_what_aws_takes(shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lookout.toml").write_text(SETTINGS)
    assert main(["render", "--fleet", shop, "-o", "out"]) == 0
    folder = tmp_path / "out" / ACCOUNT / REGION
    templates = {path.name: path.read_text() for path in folder.glob("*.json")}
    assert templates.keys() == {f"{ALARM_STACK}.json"}
    assert [str(found) for text in templates.values() for found in lint(text, regions=[REGION])] == []
    made = json.loads(templates[f"{ALARM_STACK}.json"])["Resources"].values()
    kinds = {one["Type"] for one in made}
    assert kinds >= {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm", "AWS::Logs::MetricFilter"}
    assert "AWS::CloudWatch::Dashboard" in kinds
    boards = [json.loads(path.read_text()) for path in (folder / "dashboards").glob("*.json")]
    assert boards
    assert all(board["widgets"] for board in boards)
    said = capsys.readouterr()
    assert said.out == ""
    assert str(folder.relative_to(tmp_path)) in said.err


def test_what_an_earlier_plan_left_is_removed(shop: str, tmp_path: Path) -> None:
    main(["render", "--fleet", shop, "-o", "out"])
    folder = tmp_path / "out" / ACCOUNT / REGION
    old = [folder / f"{ALARM_STACK}-part-01.json", folder / "dashboards" / "lookout-app-gone.json"]
    kept = [folder / "README.md", folder / "dashboards" / "ours.json"]
    for path in (*old, *kept):
        path.write_text("{}")
    main(["render", "--fleet", shop, "-o", "out"])
    assert [path.exists() for path in (*old, *kept)] == [False, False, True, True]


def test_what_was_rendered_is_applied_as_it_stands(shop: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr("lookout.stacks.identity", lambda _session: Identity(account=ACCOUNT, partition="aws"))
    monkeypatch.setattr("lookout.stacks.code_bucket", lambda _session: "code")
    monkeypatch.setattr(
        "lookout.stacks.apply_templates", lambda account, made, **_: done.append((account.region_name, made))
    )
    main(["render", "--fleet", shop, "-o", "out"])
    text = (tmp_path / "out" / ACCOUNT / REGION / f"{ALARM_STACK}.json").read_text()
    assert main(["apply", "out"]) == 0
    assert done == [(REGION, {ALARM_STACK: text})]


def test_what_was_rendered_for_another_account_is_not_applied(
    shop: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lookout.stacks.identity", lambda _session: Identity(account="999999999999", partition="aws"))
    main(["render", "--fleet", shop, "-o", "out"])
    assert main(["apply", "out"]) == 2
    assert f"of account {ACCOUNT}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["empty"], "empty: no lookout-alarms.json in it"),
        (["out", "--fleet", "fleet.json"], "leave --fleet and --template out"),
    ],
)
def test_a_folder_that_was_not_rendered(
    arguments: list[str], told: str, shop: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_rendering_twice_writes_the_same(shop: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        main(["render", "--fleet", shop, "-o", name])
    files = [
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.json")}
        for name in ("one", "two")
    ]
    assert files[0] == files[1] != {}


def test_a_folder_for_each_account_and_region(shop: str, tmp_path: Path) -> None:
    main(["render", "--fleet", written(tmp_path, elsewhere()), "-o", "out"])
    assert {path.name for path in (tmp_path / "out" / ACCOUNT).iterdir()} == {REGION, "us-east-1"}


# --- survey ------------------------------------------------------------------------------------------


@pytest.fixture
def surveyed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stands for the account: it has the shop; what was asked."""
    given: dict[str, Any] = {"fleet": SHOP}

    def survey(accounts: Any, *, regions: list[str], thorough: bool, progress: Any) -> asked.Surveyed:
        given.update(accounts=list(accounts), regions=regions, thorough=thorough)
        given["region"] = next(iter(accounts.values()))().region_name
        progress(1, 1)
        return asked.Surveyed(given["fleet"], 412)

    monkeypatch.setattr(asked, "survey_all", survey)
    return given


def test_a_survey_written_is_a_fleet_to_plan_from(
    shop: str, surveyed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["survey", "-o", "found.json"]) == 0
    assert capsys.readouterr().out == ""
    assert fleets.from_json(json.loads(Path("found.json").read_text())) == SHOP
    assert planned(capsys, "--fleet", "found.json") == planned(capsys, "--fleet", shop)


def test_a_survey_for_people(shop: str, surveyed: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["survey"]) == 0
    said = capsys.readouterr()
    assert "lambda (2)" in said.out
    assert "sqs (1)" in said.out
    assert "timeout_ms=30000" in said.out
    assert f"{len(SHOP.resources)} resources in 412 API calls\n" in said.err


def test_a_survey_as_json_of_the_regions_asked_for(
    shop: str, surveyed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["survey", "--json", "--region", "us-east-1", "--region", "eu-west-1"]) == 0
    assert fleets.from_json(json.loads(capsys.readouterr().out)) == SHOP
    assert (surveyed["region"], surveyed["regions"]) == ("us-east-1", ["us-east-1", "eu-west-1"])


def test_a_survey_that_could_not_read_all_says_so(
    shop: str, surveyed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    surveyed["fleet"] = Fleet(resources=SHOP.resources, incomplete=("sqs:ListQueues: AccessDenied",))
    assert main(["survey"]) == 1
    assert "not read: sqs:ListQueues: AccessDenied" in capsys.readouterr().err


# --- templates ---------------------------------------------------------------------------------------

TEMPLATE = """
Parameters: {Stage: {Type: String}, Timeout: {Type: Number}}
Resources:
  Pay:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: !Sub "${Stage}-pay", Timeout: !Ref Timeout, MemorySize: 128}
  Secret: {Type: AWS::SecretsManager::Secret}
"""


@pytest.fixture
def template(shop: str) -> str:
    Path("shop.yaml").write_text(TEMPLATE)
    return "shop.yaml"


def test_a_template_is_surveyed_with_the_parameters_given(template: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("--parameters", "Stage=prod", "Timeout=30", "--region", "eu-west-1")
    assert main(["survey", "--json", "--template", template, *given]) == 0
    (function,) = fleets.from_json(json.loads(capsys.readouterr().out)).resources
    assert (function.name, function.region, function.facts["timeout_ms"]) == ("prod-pay", "eu-west-1", 30_000)


@pytest.mark.parametrize(
    "file",
    [
        {"Stage": "prod", "Timeout": 30},
        {"Parameters": {"Stage": "prod", "Timeout": "30"}},
        [{"ParameterKey": "Stage", "ParameterValue": "prod"}, {"ParameterKey": "Timeout", "ParameterValue": "30"}],
    ],
)
def test_parameters_may_come_from_a_file(template: str, file: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Path("parameters.json").write_text(json.dumps(file))
    assert main(["survey", "--json", "--template", template, "--parameters", "parameters.json", "Stage=test"]) == 0
    (function,) = fleets.from_json(json.loads(capsys.readouterr().out)).resources
    assert (function.name, function.facts["timeout_ms"]) == ("test-pay", 30_000)


def test_what_a_template_declares_is_counted_by_type(template: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["survey", "--template", template]) == 0
    rows = [re.findall(r"[^│\s]+", line) for line in capsys.readouterr().out.splitlines()]
    assert ["AWS::Lambda::Function", "1", "1", "0"] in rows
    assert ["AWS::SecretsManager::Secret", "1", "0", "1"] in rows


def test_a_level_that_only_a_deployment_decides_says_so(template: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, (plan,) = planned(capsys, "--template", template)
    assert {one["rule"] for one in plan["alarms"]} > {"lambda.errors"}
    told = [note for note in plan["notes"] if "lambda.duration" in note]
    assert told
    assert all("timeout_ms is known only when deployed: 1000*${Timeout}" in note for note in told)


def test_alarms_on_what_has_no_name_yet_are_not_rendered(template: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "--template", template]) == 2
    assert "known only when deployed: ${Stage}. Give parameters with --parameters" in capsys.readouterr().err
    place = ("--region", "eu-west-1", "--parameters", "Stage=prod", f"AWS::AccountId={ACCOUNT}")
    assert main(["render", "--template", template, *place]) == 0
    assert list(Path("out").rglob(f"{ALARM_STACK}.json")) == [Path("out", ACCOUNT, "eu-west-1", f"{ALARM_STACK}.json")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--parameters", "Stage=x"], "--parameters are a template's"),
        (["--template", "shop.yaml", "--fleet", "fleet.json"], "only one can be the fleet"),
        (["--template", "shop.yaml", "--parameters", "Stage"], "expected NAME=VALUE, or a .json file"),
        (["--template", "shop.yaml", "--parameters", "bad.json"], "bad.json: Stage: expected text, a number or a list"),
        (["--template", "none.yaml"], "none.yaml: No such file"),
        (["--template", "bad.json"], "bad.json"),
        (["--template", "shop.yaml", "--region", "a", "--region", "b"], "one Region at a time"),
        (["--fleet", "bad.json"], "bad.json: not a Fleet"),
    ],
)
def test_what_cannot_be_a_fleet_is_an_error(
    template: str, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.json").write_text('{"Stage": {}}')
    assert main(["survey", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_a_missing_extra_is_named(
    template: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "infra.templates.reading", None)
    monkeypatch.setattr(cli, "EXTRAS", {"infra.templates.reading": "templates"})
    assert main(["survey", "--template", template]) == 2
    assert capsys.readouterr().err == (
        "error: this needs the extra `templates`: pip install 'lambda-lookout[templates]'\n"
    )


# --- what is different -------------------------------------------------------------------------------


def test_two_fleets_are_compared(shop: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["survey", "--fleet", shop, "--diff", shop]) == 0
    assert capsys.readouterr().out == "no difference\n"
    resources = [replace(one, facts={**one.facts, "memory_mb": 1769}) for one in SHOP.resources[:1]]
    (tmp_path / "new").mkdir()
    new = written(tmp_path / "new", Fleet(resources=tuple(resources)))
    assert main(["survey", "--fleet", new, "--diff", shop, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    (changed,) = found["changed"]
    assert (changed["name"], changed["what"], changed["after"]) == ("shop-pay", "memory_mb", 1769)
    assert len(found["removed"]) == len(SHOP.resources) - 1
    assert main(["survey", "--fleet", new, "--diff", shop]) == 1
    said = capsys.readouterr().out
    assert "removed (4)" in said
    assert "memory_mb" in said
