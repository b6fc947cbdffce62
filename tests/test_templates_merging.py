"""A template with the alarms of its own plan in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped] # cfn-lint says nothing of its types

from infra.templates.merging import merged
from infra.templates.parsing import parse
from infra.templates.reading import from_templates
from lookout.cli import main
from monitors.errors import InputError
from monitors.fleet.template.intrinsics import Scope, resolve, written
from monitors.model import Severity
from monitors.names import logical_id
from monitors.plan import plan
from monitors.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SHOP = ROOT / "infra/local/fleet/template.yaml"
TOPICS = {Severity.PAGE: "arn:aws:sns:eu-west-1:123456789012:page", Severity.TICKET: ""}


def merge(path: Path, **parameters: str) -> dict[str, Any]:
    made = plan(from_templates([str(path)], parameters), Settings(), subscriber=False)
    return merged(str(path), made, TOPICS, parameters=parameters)


def test_the_shop_with_its_alarms_is_a_template_that_aws_takes(tmp_path: Path) -> None:
    whole = merge(SHOP)
    path = tmp_path / "template.json"
    path.write_text(json.dumps(whole))
    assert [str(one) for one in lint(path.read_text()) if one.rule.severity == "error"] == []
    given = parse(SHOP.read_text(), "shop")
    assert {key: value for key, value in whole.items() if key != "Resources"} == {
        key: value for key, value in given.items() if key != "Resources"
    }
    assert whole["Resources"].items() >= given["Resources"].items()


def test_the_alarms_watch_what_the_plan_says(tmp_path: Path) -> None:
    fleet = from_templates([str(SHOP)], {})
    made = plan(fleet, Settings(), subscriber=False)
    path = tmp_path / "fleet" / "template.json"  # a folder of the same name: stacks are called by it
    path.parent.mkdir()
    path.write_text(json.dumps(merge(SHOP)))
    found = from_templates([str(path)], {})
    alarms = {one.name: one.facts for one in found.resources if one.service == "alarm"}
    assert alarms.keys() == {one.name for one in (*made.alarms, *made.composites)}
    for alarm in made.alarms:
        metrics = {
            " ".join((query.namespace, query.metric, *sorted(f"{name}={value}" for name, value in query.dimensions)))
            for query in alarm.queries
            if query.metric
        }
        facts = alarms[alarm.name]
        plain = " ".join((str(facts.get("namespace")), str(facts.get("metric")), *facts.get("dimensions", ())))  # type: ignore[arg-type]
        assert metrics == ({plain} if "metric" in facts else set(facts["math"]))  # type: ignore[arg-type]
    for composite in made.composites:
        assert alarms[composite.name]["rule"] == composite.expression
    assert [one for one in found.resources if one.service != "alarm"] == list(fleet.resources)


CONDITIONAL = """
Parameters: {Stage: {Type: String}}
Conditions: {IsProd: !Equals [!Ref Stage, prod]}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Condition: IsProd
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}
  Dead: {Type: AWS::SQS::Queue}
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Join [-, [!ImportValue prefix, !Ref Stage]]}}
"""


def test_alarms_are_made_where_what_they_watch_is(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(CONDITIONAL)
    resources = merge(path)["Resources"]
    alarms = {name: one for name, one in resources.items() if one["Type"] == "AWS::CloudWatch::Alarm"}
    age = logical_id("lookout/sqs.age/${Queue.QueueName}")
    dead = logical_id("lookout/sqs.dead_letters/${Dead.QueueName}")
    assert {name for name, one in alarms.items() if one.get("Condition") == "IsProd"} >= {age}
    assert "Condition" not in alarms[dead]
    assert alarms[age]["Properties"]["Dimensions"] == [
        {"Name": "QueueName", "Value": {"Fn::GetAtt": ["Queue", "QueueName"]}}
    ]
    assert alarms[age]["Properties"]["AlarmName"] == {"Fn::Sub": "lookout/sqs.age/${Queue.QueueName}"}
    health = resources[logical_id("lookout/app.health/shop")]
    terms = health["Properties"]["AlarmRule"]["Fn::Join"][1]
    assert {"Fn::If": ["IsProd", {"Fn::Sub": f'ALARM("${{{age}}}")'}, "FALSE"]} in terms
    assert {"Fn::Sub": 'ALARM("lookout/sqs.dead_letters/${Dead.QueueName}")'} in terms
    assert not {name for name in health["DependsOn"] if resources[name].get("Condition")}
    topic = next(one for one in alarms.values() if one["Properties"].get("Namespace") == "AWS/SNS")
    (dimension,) = topic["Properties"]["Dimensions"]
    prefixed = {"Fn::Sub": ["${Part0}-${Stage}", {"Part0": {"Fn::ImportValue": "prefix"}}]}
    assert dimension == {"Name": "TopicName", "Value": prefixed}
    assert [str(one) for one in lint(json.dumps(merge(path))) if one.rule.severity == "error"] == []


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        7,
        {"Ref": "Queue"},
        {"Fn::GetAtt": ["Queue", "Arn"]},
        {"Fn::Sub": "a-${Queue}-${Queue.Arn}-${AWS::Region}"},
        {"Fn::ImportValue": {"Fn::Sub": "${Stage}-x"}},
        {"Fn::Join": ["/", [{"Fn::ImportValue": "a"}, "b", {"Fn::ImportValue": "a"}, {"Ref": "Stage"}]]},
        {"Fn::If": ["Never", {"Ref": "Queue"}, "x"]},
        {"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, "x"]},
        [{"a": {"Ref": "Queue"}}],
    ],
)
def test_what_is_written_reads_as_it_was(value: Any) -> None:
    there = Scope(parameters={}, declared={"Stage": {"Type": "String"}}, conditions={"Never": {"Fn::Equals": "?"}})
    read = resolve(value, there)
    assert resolve(written(read), there) == read


def test_what_cannot_be_put_in_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("Resources: {Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: x}}}")
    with pytest.raises(InputError, match="Child is a stack of its own"):
        merge(path)
    queues = "".join(f"  Q{n}: {{Type: AWS::SQS::Queue}}\n" for n in range(300))
    path.write_text(f"Resources:\n{queues}")
    with pytest.raises(InputError, match=r"with its alarms the template has \d,?\d+ resources"):
        merge(path)


def test_render_merges_into_the_one_template_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shop.yaml").write_text(CONDITIONAL)
    assert main(["render", "--merge", "--template", "shop.yaml"]) == 0
    told = capsys.readouterr().err
    assert "beside what they watch: out/shop.json" in told
    assert "they tell nobody: name the topics in lookout.toml" in told
    assert "Queue" in json.loads(Path("out/shop.json").read_text())["Resources"]
    assert main(["render", "--merge"]) == 2
    assert "name one file with --template" in capsys.readouterr().err
