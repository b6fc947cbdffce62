"""Template files -> Fleet: what is found, what is left open, what is passed over, and where."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.templates.parsing import LARGEST
from infra.templates.reading import from_templates
from monitors.errors import InputError
from monitors.fleet import from_json, to_json
from monitors.model import Fleet, Resource, Tally

HERE = "${AWS::Region}:${AWS::AccountId}"


def fleet(folder: Path, text: str, *, file: str = "shop.yaml", **parameters: str) -> Fleet:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return from_templates([str(path)], parameters)


def one(found: Fleet, service: str) -> Resource:
    (resource,) = [each for each in found.resources if each.service == service]
    return resource


def links(found: Fleet) -> set[tuple[str, str, str]]:
    """Links by the names of both ends."""
    names = {each.id: each.name for each in found.resources}
    return {
        (names.get(link.source, link.source), names.get(link.target, link.target), link.kind) for link in found.links
    }


FUNCTION = """
Parameters: {Timeout: {Type: Number, Default: 3}, Stage: {Type: String}}
Conditions: {IsProd: !Equals [!Ref Stage, prod]}
Resources:
  Fn:
    Type: AWS::Lambda::Function
    Condition: IsProd
    Properties:
      FunctionName: !Sub "${Stage}-orders"
      Timeout: !Ref Timeout
      MemorySize: "512"
      Architectures: [arm64]
      Runtime: python3.13
      ReservedConcurrentExecutions: 5
      DeadLetterConfig: {TargetArn: !GetAtt Dead.Arn}
      LoggingConfig: {LogFormat: JSON}
      Tags: [{Key: team, Value: !Ref Stage}]
  Dead:
    Type: AWS::SQS::Queue
"""


def test_what_the_parameters_decide_stays_open_and_the_condition_travels(tmp_path: Path) -> None:
    found = fleet(tmp_path, FUNCTION)
    function = one(found, "lambda")
    assert function.name == "${Stage}-orders"
    assert function.condition == "IsProd"
    assert function.application == "shop"
    assert function.tags == {"team": "${Stage}"}
    facts = function.facts
    assert (facts["timeout_ms"], facts["memory_mb"], facts["reserved_concurrency"]) == ("1000*${Timeout}", 512, 5)
    assert (facts["architecture"], facts["log_format"], facts["is_async"]) == ("arm64", "JSON", True)
    assert facts["log_group"] == "/aws/lambda/${Stage}-orders"
    assert facts["dead_letter"] == f"arn:aws:sqs:{HERE}:${{Dead.QueueName}}"
    queue = one(found, "sqs")
    assert (queue.name, queue.condition) == ("${Dead.QueueName}", "")
    assert queue.facts["is_dead_letter_queue"] is True
    assert queue.facts["dead_letter_of"] == ("${Stage}-orders",)
    assert found.incomplete == ()
    assert from_json(json.loads(json.dumps(to_json(found)))) == found


def test_parameters_that_are_given_decide(tmp_path: Path) -> None:
    prod = fleet(
        tmp_path, FUNCTION, **{"Stage": "prod", "Timeout": "30", "AWS::Region": "eu-west-1", "AWS::AccountId": "1" * 12}
    )
    function = one(prod, "lambda")
    assert (function.name, function.condition, function.facts["timeout_ms"]) == ("prod-orders", "", 30_000)
    assert function.id == "arn:aws:lambda:eu-west-1:111111111111:function:prod-orders"
    assert (function.region, function.account) == ("eu-west-1", "111111111111")
    assert prod.notes == ()
    dev = fleet(tmp_path, FUNCTION, Stage="dev")
    assert [each.service for each in dev.resources] == ["sqs"]
    assert dev.notes == (f"{tmp_path}/shop.yaml:5: Fn is left out: its condition does not hold",)


def test_a_parameter_that_nobody_declares_is_told(tmp_path: Path) -> None:
    assert fleet(tmp_path, FUNCTION, Stage="prod", Stge="x").notes == ("no template has the parameter Stge",)


EVENTS = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Runtime: python3.13
      CodeUri: src/
      AutoPublishAlias: live
      EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}}
      FunctionUrlConfig: {AuthType: NONE}
      ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 2}
      Events:
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}
        Table: {Type: DynamoDB, Properties: {Stream: !GetAtt Table.StreamArn, StartingPosition: LATEST}}
        Topic: {Type: SNS, Properties: {Topic: !Ref Topic}}
        Bucket: {Type: S3, Properties: {Bucket: !Ref Bucket, Events: "s3:ObjectCreated:*"}}
        Rest: {Type: Api, Properties: {Path: /a, Method: get}}
        Http: {Type: HttpApi, Properties: {Path: /b, Method: get}}
        Rule: {Type: EventBridgeRule, Properties: {Pattern: {source: [x]}, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}}}
        Schedule: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 hour)}}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: machine.asl.json
      DefinitionSubstitutions: {Task: !GetAtt Fn.Arn}
      Policies: [{LambdaInvokePolicy: {FunctionName: !Ref Fn}}]
  Queue:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
  Topic: {Type: AWS::SNS::Topic}
  Bucket: {Type: AWS::S3::Bucket}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      GlobalSecondaryIndexes: [{IndexName: by-day}]
"""


def test_every_event_of_a_sam_function_is_a_link(tmp_path: Path) -> None:
    definition = {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "${Task}", "End": True}}}
    (tmp_path / "machine.asl.json").write_text(json.dumps(definition))
    found = fleet(tmp_path, EVENTS)
    into = {source for source, target, kind in links(found) if target == "${Fn}" and kind in ("invokes", "reads")}
    assert into == {
        "${Queue.QueueName}",
        "${Table}",
        "${Topic.TopicName}",
        "${Bucket}",
        "${AWS::StackName}/Prod",  # SAM names the API after the stack, and lets it make a second stage
        "${AWS::StackName}/Stage",
        "${ServerlessHttpApi}/$default",
        "${FnRule}",
        "default",
        "${Machine.Name}",
    }
    assert links(found) >= {
        ("${Fn}", "dead", "dead_letter"),
        ("${FnRule}", "dead", "dead_letter"),
        ("${Queue.QueueName}", "dead", "dead_letter"),
    }
    facts = one(found, "lambda").facts
    assert facts["aliases"] == ("live",)
    assert facts["provisioned_qualifiers"] == ("live",)
    assert (facts["has_url"], facts["is_async"], facts["is_stream_consumer"], facts["is_sqs_consumer"]) == (True,) * 4
    table = one(found, "dynamodb").facts
    assert (table["billing"], table["has_stream"], table["indexes"]) == ("on_demand", True, ("by-day",))
    assert Tally("AWS::Serverless::Function", 1, 1) in found.tally


PARENT = """
Parameters: {Stage: {Type: String}}
Resources:
  Bus: {Type: AWS::SNS::Topic}
  Orders:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: nested/orders.yaml, Parameters: {Topic: !Ref Bus, Stage: !Ref Stage}}
  Far:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: https://example.com/far.yaml}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Orders.Outputs.Queue, FunctionName: !Ref Fn}
  Fn: {Type: AWS::Lambda::Function}
"""
CHILD = """
Parameters: {Topic: {Type: String}, Stage: {Type: String}}
Resources:
  Bus: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "${Stage}-orders"}}
  Heard: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Bus.Arn}}
Outputs: {Queue: {Value: !GetAtt Bus.Arn}}
"""


def test_nested_stacks_are_read_and_what_passes_between_them_is_followed(tmp_path: Path) -> None:
    (tmp_path / "nested").mkdir()
    (tmp_path / "nested/orders.yaml").write_text(CHILD)
    found = fleet(tmp_path, PARENT)
    queue = one(found, "sqs")
    assert queue.application == "shop"
    assert links(found) == {
        ("${Bus.TopicName}", queue.name, "notifies"),  # the parent's Bus, not the child's
        (queue.name, "${Fn}", "reads"),
    }
    assert found.incomplete == (f"{tmp_path}/shop.yaml:8: the nested stack Far is not seen: no file here",)
    assert Tally("AWS::CloudFormation::Stack", 2, 1) in found.tally


def test_a_stack_that_nests_itself_comes_to_an_end(tmp_path: Path) -> None:
    text = "Resources: {Again: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: shop.yaml}}}"
    assert len(fleet(tmp_path, text).incomplete) == 1


def test_exports_of_one_template_are_imports_of_another(tmp_path: Path) -> None:
    made = "Resources: {Q: {Type: AWS::SQS::Queue}}\nOutputs: {Q: {Value: !GetAtt Q.Arn, Export: {Name: the-queue}}}"
    used = """
Resources:
  F: {Type: AWS::Lambda::Function}
  M: {Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref F, EventSourceArn: !ImportValue the-queue}}
"""
    for name, text in (("made.yaml", made), ("used.yaml", used)):
        (tmp_path / name).write_text(text)
    found = from_templates([str(tmp_path / "used.yaml"), str(tmp_path / "made.yaml")], {})
    assert links(found) == {("${Q.QueueName}", "${F}", "reads")}
    assert {each.application for each in found.resources} == {"made", "used"}


def test_the_same_names_in_two_templates_stay_apart(tmp_path: Path) -> None:
    text = "Resources: {F: {Type: AWS::Lambda::Function}}"
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "template.yaml").write_text(text)
    found = from_templates([str(tmp_path / "one/template.yaml"), str(tmp_path / "two/template.yaml")], {})
    assert [each.application for each in found.resources] == ["one", "two"]


LOOPS = """
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList, Default: "a,b-c"}, Open: {Type: CommaDelimitedList}}
Resources:
  Fn::ForEach::Queues:
    - Name
    - !Ref Names
    - "Queue&{Name}":
        Type: AWS::SQS::Queue
        Properties: {QueueName: !Sub "${Name}-queue"}
  Fn::ForEach::Others:
    - Name
    - !Ref Open
    - "Other${Name}": {Type: AWS::SQS::Queue}
  Fn::ForEach::Broken: oops
"""


def test_loops_are_unrolled(tmp_path: Path) -> None:
    found = fleet(tmp_path, LOOPS)
    assert [each.name for each in found.resources] == ["a-queue", "b-c-queue"]
    assert Tally("AWS::SQS::Queue", 2, 2) in found.tally
    at = f"{tmp_path}/shop.yaml"
    assert found.notes == (f"{at}:5: Fn::ForEach::Queues loops over the default of Names, as no other value was given",)
    assert found.incomplete == (
        (
            f"{at}:11: Fn::ForEach::Others is not seen: what it loops over is known only when deployed: "
            "give it with --parameters"
        ),
        f"{at}:15: Fn::ForEach::Broken is not seen: a name, a list and an object were expected",
    )
    given = fleet(tmp_path, LOOPS, Names="x", Open="y,z")
    assert [each.name for each in given.resources] == ["${Othery.QueueName}", "${Otherz.QueueName}", "x-queue"]


def test_loops_in_loops_have_a_bound(tmp_path: Path) -> None:
    inner: dict[str, Any] = {"Q${A}${B}${C}": {"Type": "AWS::SQS::Queue"}}
    for name in "ABC":
        inner = {f"Fn::ForEach::{name}": [name, [str(n) for n in range(100)], inner]}
    found = fleet(tmp_path, json.dumps({"Transform": "AWS::LanguageExtensions", "Resources": inner}))
    assert any("more than 10000 rounds" in words for words in found.incomplete)


def test_includes_are_put_in_where_they_are_at_hand(tmp_path: Path) -> None:
    (tmp_path / "queue.yaml").write_text("QueueName: from-include\nVisibilityTimeout: 5\n")
    text = """
Resources:
  Near:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: 9, "Fn::Transform": {Name: AWS::Include, Parameters: {Location: queue.yaml}}}
  Far:
    Type: AWS::SQS::Queue
    Properties: {"Fn::Transform": {Name: AWS::Include, Parameters: {Location: s3://b/k.yaml}}}
  Macro:
    Type: AWS::SQS::Queue
    Properties: {"Fn::Transform": {Name: Mine}}
"""
    found = fleet(tmp_path, text)
    near = next(each for each in found.resources if each.name == "from-include")
    assert near.facts["visibility_timeout_s"] == 9
    at = f"{tmp_path}/shop.yaml"
    assert found.incomplete == (
        f"{at}:11: what the macro Mine would make of it is not seen",
        f"{at}:8: what AWS::Include takes from s3://b/k.yaml is not seen",
    )


def test_a_cdk_assembly_is_read_by_its_manifest(tmp_path: Path) -> None:
    out = tmp_path / "cdk.out"
    out.mkdir()
    stack = {"type": "aws:cloudformation:stack", "environment": "aws://123456789012/eu-west-1"}
    stack["properties"] = {"templateFile": "Shop.template.json", "stackName": "shop-prod"}  # type: ignore[assignment]
    (out / "manifest.json").write_text(json.dumps({"artifacts": {"Shop": stack, "Tree": {"type": "cdk:tree"}}}))
    nested = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "In.nested.template.json"}}
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${AWS::StackName}-q"}}}
    (out / "Shop.template.json").write_text(json.dumps({"Resources": {"In": nested, "Queue": queue}}))
    (out / "In.nested.template.json").write_text(json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}))
    for path in (tmp_path, out):
        found = from_templates([str(path)], {})
        assert [(each.service, each.application, each.region) for each in found.resources] == [
            ("sns", "shop-prod", "eu-west-1"),
            ("sqs", "shop-prod", "eu-west-1"),
        ]
        assert one(found, "sqs").id == "arn:aws:sqs:eu-west-1:123456789012:shop-prod-q"


def test_an_assembly_without_stacks_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"artifacts": {}}')
    with pytest.raises(InputError, match="no stacks in it"):
        from_templates([str(tmp_path)], {})


def test_a_package_of_the_serverless_framework_is_found_in_its_folder(tmp_path: Path) -> None:
    text = json.dumps({"Resources": {"HelloLambdaFunction": {"Type": "AWS::Lambda::Function"}}})
    fleet(tmp_path, text, file="hello/.serverless/cloudformation-template-update-stack.json")
    found = from_templates([str(tmp_path / "hello")], {})
    assert [(each.name, each.application) for each in found.resources] == [("${HelloLambdaFunction}", "hello")]


def test_what_nobody_knows_is_counted_and_what_is_odd_is_told_with_its_line(tmp_path: Path) -> None:
    text = """
Resources:
  Custom: {Type: Custom::Thing}
  Own: {Type: Acme::Own::Type}
  NoType: {Properties: {}}
  Text: hello
  Fn:
    Type: AWS::Lambda::Function
    Properties: {DeadLetterConfig: nonsense, Layers: {a: b}, Timeout: [1], FunctionName: !Ref Nobody}
  Gone: {Type: AWS::Lambda::Function, Properties: 17}
"""
    found = fleet(tmp_path, text)
    assert found.tally == (
        Tally("AWS::Lambda::Function", 2, 2),
        Tally("Acme::Own::Type", 1, 0),
        Tally("Custom::Thing", 1, 0),
    )
    at = f"{tmp_path}/shop.yaml"
    assert found.notes == (f"{at}:7: Ref Nobody: there is no such thing here",)
    assert found.incomplete == (
        f"{at}:10: the properties of Gone are not seen: an object was expected",
        f"{at}:5: NoType is not seen: a resource with a Type was expected",
        f"{at}:6: Text is not seen: a resource with a Type was expected",
        f"{at}:9: DeadLetterConfig is not seen: an object was expected, found 'nonsense'",
        f"{at}:9: Layers is not seen: a list was expected, found {{'a': 'b'}}",
        f"{at}:9: Timeout is not seen: text was expected, found [1]",
    )


def test_what_cannot_be_read_at_all_is_an_error_that_names_it(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    with large.open("wb") as file:
        file.truncate(51_000_000)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"Resources: {A: \xe9}")
    for path, told in (
        (large, "51 MB are no template"),
        (latin, "not UTF-8"),
        (tmp_path / "missing.yaml", "No such file"),
        (tmp_path, "a folder with neither"),
    ):
        with pytest.raises(InputError, match=told) as raised:
            from_templates([str(path)], {})
        assert str(path) in str(raised.value)
    assert LARGEST < 51_000_000


def test_a_file_that_is_no_template_costs_the_others_nothing(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: q}}}")
    bad.write_text("Resources:\n  A: [\n")
    found = from_templates([str(bad), str(good)], {})
    assert [one.name for one in found.resources] == ["q"]
    (told,) = found.incomplete
    assert told.startswith(f"{bad}:3:1: not YAML")
    with pytest.raises(InputError, match=r"bad\.yaml:3:1.*\n.*bad\.yaml:3:1"):
        from_templates([str(bad), str(bad)], {})


def test_what_sam_refuses_is_told_in_its_words_with_the_way_out(tmp_path: Path) -> None:
    text = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Alias: {Type: String}}
Resources:
  F: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, Runtime: python3.13, AutoPublishAlias: !Ref Alias}}
"""
    with pytest.raises(InputError, match=r"shop\.yaml: SAM refuses it:\n.*\[F\].*\n.*--parameters can give: Alias"):
        fleet(tmp_path, text)
    assert one(fleet(tmp_path, text, Alias="live"), "lambda").facts["aliases"] == ("live",)


def test_an_application_of_the_repository_is_a_nested_stack_that_is_not_seen(tmp_path: Path) -> None:
    text = """
Transform: AWS::Serverless-2016-10-31
Resources:
  App:
    Type: AWS::Serverless::Application
    Properties: {Location: {ApplicationId: "arn:aws:serverlessrepo:us-east-1:1:applications/x", SemanticVersion: 1.0.0}}
"""
    assert fleet(tmp_path, text).incomplete == (
        f"{tmp_path}/shop.yaml:4: the nested stack App is not seen: no file here",
    )


def test_no_setting_of_this_machine_gets_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-southeast-2")
    monkeypatch.setenv("AWS_REGION", "ap-southeast-2")
    assert "ap-southeast-2" not in json.dumps(to_json(fleet(tmp_path, EVENTS)))
