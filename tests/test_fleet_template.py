"""The sample fleet's template: clean by cfn-lint, least privilege, traced, a place for whatever fails."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from samtranslator.translator.transform import transform

from infra.packaging import package_template
from infra.templates.parsing import parse

FLEET = Path(__file__).parents[1] / "infra/local/fleet"
TEXT = (FLEET / "template.yaml").read_text()
TEMPLATE = parse(TEXT, "template")
ASYNCHRONOUS = {"S3", "SNS", "ScheduleV2"}
"""SAM event types whose source puts the event into Lambda's own queue."""

Resources = dict[str, dict[str, Any]]


class NoPolicies:
    """Stands for the loader of AWS managed policies, which would call IAM."""

    def load(self) -> dict[str, str]:
        return {
            name: f"arn:aws:iam::aws:policy/{name}"
            for name in (
                "AWSLambdaBasicExecutionRole",
                "AWSLambdaSQSQueueExecutionRole",
                "AWSLambdaDynamoDBExecutionRole",
                "AWSXrayWriteOnlyAccess",
                "AWSXRayDaemonWriteAccess",
            )
        }


def of_type(resources: Resources, kind: str) -> Resources:
    return {key: each["Properties"] for key, each in resources.items() if each["Type"] == kind}


SAM_FUNCTIONS = of_type(TEMPLATE["Resources"], "AWS::Serverless::Function")


@pytest.fixture(scope="module")
def translated() -> Resources:
    """The resources that SAM makes of the template: what CloudFormation would create."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        packaged, _ = package_template(TEXT, FLEET)
        found: Resources = transform(packaged, {"LibraryLayerArn": "", "CodeBucket": "code"}, NoPolicies())["Resources"]
    return found


def test_cfn_lint_finds_nothing() -> None:
    assert lint(TEXT, config=ManualArgs(regions=["us-east-1", "eu-central-1"])) == []


def test_cfn_lint_would_find_something() -> None:
    spoilt = TEXT.replace("RetentionInDays: 30", "RetentionInDay: 30", 1)
    assert [match.rule.id for match in lint(spoilt, config=ManualArgs(regions=["us-east-1"]))] == ["E3002"]


def test_about_a_dozen_functions_each_with_a_name_and_code_of_its_own() -> None:
    names = [function["FunctionName"] for function in SAM_FUNCTIONS.values()]
    folders = [function["CodeUri"] for function in SAM_FUNCTIONS.values()]
    assert len(set(names)) == len(set(folders)) == len(SAM_FUNCTIONS) == 14
    assert sorted(folders) == sorted(f"functions/{path.parent.name}" for path in FLEET.glob("functions/*/app.py"))
    assert all(
        name == "shop-" + folder.removeprefix("functions/").replace("_", "-")
        for name, folder in zip(names, folders, strict=True)
    )


def test_every_function_has_a_role_of_its_own_and_is_traced(translated: Resources) -> None:
    functions = of_type(translated, "AWS::Lambda::Function")
    roles = [json.dumps(function["Role"]) for function in functions.values()]
    assert len(set(roles)) == len(functions) == 14
    assert {function["TracingConfig"]["Mode"] for function in functions.values()} == {"Active"}
    assert {function["Runtime"] for function in functions.values()} == {"python3.13"}


def test_no_role_may_do_everything(translated: Resources) -> None:
    """Statements that SAM writes for X-Ray have no resource to name; every other one names its own."""
    for logical_id, role in of_type(translated, "AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                for action in [actions] if isinstance(actions, str) else actions:
                    assert not action.endswith(":*"), (logical_id, action)
                    assert statement["Resource"] != "*" or action.startswith("xray:"), (logical_id, action)


def test_what_is_asynchronous_has_a_place_to_fail(translated: Resources) -> None:
    functions = of_type(translated, "AWS::Lambda::Function")
    destinations = of_type(translated, "AWS::Lambda::EventInvokeConfig").values()
    with_destination = {
        config["FunctionName"]["Ref"] for config in destinations if config["DestinationConfig"]["OnFailure"]
    }
    asynchronous = {
        key
        for key, function in SAM_FUNCTIONS.items()
        if ASYNCHRONOUS & {event["Type"] for event in function.get("Events", {}).values()}
    } | {"ReceiptsFunction"}
    assert asynchronous == {"CatalogImportFunction", "OrderFanoutFunction", "OrderSweepFunction", "ReceiptsFunction"}
    for key in asynchronous:
        assert "DeadLetterConfig" in functions[key] or key in with_destination, key


def test_polled_sources_have_a_place_to_fail(translated: Resources) -> None:
    mappings = of_type(translated, "AWS::Lambda::EventSourceMapping").values()
    queues = of_type(translated, "AWS::SQS::Queue")
    read = {mapping["EventSourceArn"]["Fn::GetAtt"][0]: mapping for mapping in mappings}
    assert set(read) == {"PaymentsQueue", "FulfilmentQueue", "OrdersTable"}
    assert read["OrdersTable"]["DestinationConfig"]["OnFailure"]["Destination"]
    for key in ("PaymentsQueue", "FulfilmentQueue"):
        assert queues[key]["RedrivePolicy"]["maxReceiveCount"] == 3
        # AWS Lambda Developer Guide, "Using Lambda with Amazon SQS": six times the function's timeout (10 s).
        assert queues[key]["VisibilityTimeout"] >= 6 * 10


def test_every_function_logs_to_a_group_that_forgets(translated: Resources) -> None:
    groups = {
        each["LogGroupName"]: each["RetentionInDays"] for each in of_type(translated, "AWS::Logs::LogGroup").values()
    }
    assert groups == {f"/aws/lambda/{function['FunctionName']}": 30 for function in SAM_FUNCTIONS.values()}


def test_everything_that_can_be_tagged_says_its_application(translated: Resources) -> None:
    for kind in (
        "AWS::Lambda::Function",
        "AWS::SQS::Queue",
        "AWS::DynamoDB::Table",
        "AWS::SNS::Topic",
        "AWS::S3::Bucket",
    ):
        for logical_id, properties in of_type(translated, kind).items():
            assert {"Key": "application", "Value": "shop"} in properties["Tags"], logical_id


def test_one_function_is_called_through_an_alias(translated: Resources) -> None:
    [alias] = of_type(translated, "AWS::Lambda::Alias").values()
    assert alias["Name"] == "live"
    assert alias["FunctionName"] == {"Ref": "OrdersApiFunction"}


def app(function: str) -> ModuleType:
    """The code of a function that needs no AWS."""
    spec = importlib.util.spec_from_file_location(f"fleet_{function}", FLEET / "functions" / function / "app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_fraud_check_hashes_as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """64-bit FNV-1a of `a` and `foobar`: test vectors of the FNV specification."""
    module = app("fraud_check")
    monkeypatch.setattr(module, "ROUNDS", 1)
    assert module.fingerprint(b"a") == 0xAF63DC4C8601EC8C
    assert module.fingerprint(b"foobar") == 0x85944171F73967E8


def test_recommendations_leak_but_not_without_end() -> None:
    module = app("recommendations")
    for visit in range(module.LIMIT + 5):
        module.handler({"queryStringParameters": {"sku": f"SKU-{visit % 3}"}}, None)
    assert len(module.VISITS) == module.LIMIT == 300
    answer = module.handler({"queryStringParameters": {"sku": "SKU-0"}}, None)
    assert set(json.loads(answer["body"])["recommended"]) == {"SKU-1", "SKU-2"}
