"""The SDK's settings, and what its errors become."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber
from botocore.utils import parse_timestamp

from infra.aws import session as sessions
from infra.aws.session import Identity, call, client, core_session, error_code, explaining, identity, pages, session
from monitors.errors import AwsError
from tests.aws import ACCOUNT, Aws


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "config"
    config.write_text("[profile work]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    return config


@pytest.fixture
def functions() -> Iterator[tuple[BaseClient, Stubber]]:
    asked = client(session(region="eu-west-1"), "lambda")
    with Stubber(asked) as stub:
        yield asked, stub


def test_the_region_is_the_one_given_or_set_or_the_profiles(monkeypatch: pytest.MonkeyPatch):
    assert session(profile="work").region_name == "eu-north-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")
    assert session().region_name == "us-east-2"
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    assert session().region_name == "us-west-2"
    assert session(region="sa-east-1").region_name == "sa-east-1"


def test_no_region_and_no_such_profile_are_told_with_the_way_out():
    with pytest.raises(AwsError, match="Set AWS_REGION"):
        session()
    with pytest.raises(AwsError, match=r"\(nope\) could not be found.*list-profiles"):
        session(profile="nope")


@pytest.mark.parametrize(
    ("region", "endpoint", "told"),
    [
        ("eu west", None, r"No client for sqs in eu west: .*the Region's spelling"),
        ("eu-west-1", "nonsense", r"Invalid endpoint: nonsense\. Check AWS_ENDPOINT_URL"),
    ],
)
def test_a_client_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, region: str, endpoint: str | None, told: str):
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(AwsError, match=told):
        client(session(region=region), "sqs")


def test_half_of_the_credentials_are_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(AwsError, match=r"Partial credentials.*Set AWS_PROFILE"):
        client(session(region="eu-west-1"), "sqs")


def test_the_endpoint_is_the_sdks_own_setting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9324")
    assert client(session(region="eu-west-1"), "lambda").meta.endpoint_url == "http://127.0.0.1:4566"
    assert client(session(region="eu-west-1"), "sqs").meta.endpoint_url == "http://127.0.0.1:9324"


def test_a_throttled_call_is_made_again_by_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    asked = client(session(region="eu-west-1"), "lambda")
    agents: list[str] = []

    class Raw:
        def __init__(self, body: bytes) -> None:
            self.body = body

        def stream(self) -> Iterator[bytes]:
            yield self.body

    def send(request, **_):
        agents.append(request.headers["User-Agent"].decode())
        if len(agents) == 1:
            headers = {"x-amzn-errortype": "TooManyRequestsException"}
            return AWSResponse(request.url, 429, headers, Raw(b'{"Reason": "CallerRateLimitExceeded"}'))
        return AWSResponse(request.url, 200, {}, Raw(b'{"Functions": []}'))

    asked.meta.events.register("before-send.lambda.*", send)
    assert call(asked, "ListFunctions") == {"Functions": []}
    assert len(agents) == 2
    assert all(re.search(r"(^| )lookout/\S+", agent) for agent in agents)
    assert "cfg/retry-mode#standard" in agents[0]


def test_who_the_credentials_belong_to(monkeypatch: pytest.MonkeyPatch):
    made = boto3.Session(region_name="cn-north-1")
    answer = {"UserId": "u", "Account": "123456789012", "Arn": "arn:aws-cn:iam::123456789012:user/u"}

    def reply(**_):
        return AWSResponse("", 200, {}, None), {**answer, "ResponseMetadata": {}}

    made.events.register("before-call.sts.GetCallerIdentity", reply)
    assert identity(made) == Identity(account="123456789012", partition="aws-cn")


def test_who_the_credentials_belong_to_is_asked_again_while_throttled(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    aws = Aws({})
    aws.refuses = lambda *_: ("Throttling", "Rate exceeded") if len(aws.asked) < 5 else None
    assert identity(aws.session).account == ACCOUNT
    assert len(aws.asked) == 5


def test_who_the_credentials_belong_to_is_given_up_soon_where_nobody_answers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    aws = Aws({"sts:GetCallerIdentity": lambda *_: EndpointConnectionError(endpoint_url="http://127.0.0.1:1/")})
    with pytest.raises(AwsError, match="Check AWS_ENDPOINT_URL"):
        identity(aws.session)
    assert len(aws.asked) == 2


def test_all_sessions_share_the_models_of_services():
    first, second = (core_session().get_component("data_loader") for _ in range(2))
    assert first is second


def test_an_answer_comes_without_its_metadata(functions: tuple[BaseClient, Stubber]):
    asked, stub = functions
    stub.add_response("get_function_concurrency", {"ReservedConcurrentExecutions": 3}, {"FunctionName": "f"})
    assert call(asked, "GetFunctionConcurrency", {"FunctionName": "f"}) == {"ReservedConcurrentExecutions": 3}


def test_pages_come_one_by_one_and_single_where_there_are_none(functions: tuple[BaseClient, Stubber]):
    asked, stub = functions
    stub.add_response("list_functions", {"Functions": [], "NextMarker": "2"}, {"MaxItems": 10})
    stub.add_response("list_functions", {"Functions": []}, {"MaxItems": 10, "Marker": "2"})
    stub.add_response("get_account_settings", {"AccountLimit": {}}, {})
    assert [page["Functions"] for page in pages(asked, "ListFunctions", size=10)] == [[], []]
    assert list(pages(asked, "GetAccountSettings")) == [{"AccountLimit": {}}]


@pytest.mark.parametrize(
    ("service", "operation", "code", "message", "told"),
    [
        (
            "lambda",
            "ListAliases",
            "AccessDeniedException",
            "User: u is not authorized to perform: kms:Decrypt on resource: k because of an explicit deny",
            (
                "lambda:ListAliases of f in eu-west-1: AccessDeniedException: User: u is not authorized to perform: "
                "kms:Decrypt on resource: k because of an explicit deny. Allow kms:Decrypt."
            ),
        ),
        ("s3", "ListBuckets", "AccessDenied", "Access Denied", "Allow s3:ListAllMyBuckets."),
        ("sns", "ListTopics", "AuthorizationError", "not you", "Allow sns:ListTopics."),
        (
            "apigatewayv2",
            "CreateApi",
            "AccessDeniedException",
            "",
            "AccessDeniedException: no message. Allow apigateway:POST.",
        ),
        ("cloudwatch", "PutMetricAlarm", "AccessDenied", "no", "Allow cloudwatch:PutMetricAlarm."),
        ("stepfunctions", "ListStateMachines", "AccessDeniedException", "no", "Allow states:ListStateMachines."),
        ("resourcegroupstaggingapi", "GetResources", "AccessDeniedException", "no", "Allow tag:GetResources."),
        ("lambda", "Invoke", "AccessDeniedException", "no", "Allow lambda:InvokeFunction."),
        ("sqs", "ListQueues", "ExpiredToken", "too old", "Renew the credentials"),
        ("sqs", "ListQueues", "UnrecognizedClientException", "?", "the account has enabled eu-west-1."),
        ("logs", "DescribeLogGroups", "ThrottlingException", "Rate exceeded", "run it again later."),
        ("xray", "GetTraceSummaries", "UnknownOperationException", "", "This endpoint lacks the operation."),
        ("sqs", "ListQueues", "InternalError", "we are\n  sorry", "InternalError: we are sorry."),
    ],
)
def test_a_refused_call_names_target_words_permission_and_way_out(
    service: str, operation: str, code: str, message: str, told: str
):
    asked = client(session(region="eu-west-1"), service)
    refused = ClientError({"Error": {"Code": code, "Message": message}}, operation)
    with pytest.raises(AwsError) as raised, explaining(asked, operation, target="f"):
        raise refused
    text = str(raised.value)
    assert text.startswith(f"{service}:{operation} of f in eu-west-1: {code}: ")
    assert text.endswith(told) or told in text
    assert raised.value.__cause__ is refused
    assert error_code(raised.value) == code


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NoCredentialsError(), "Unable to locate credentials. Set AWS_PROFILE"),
        (UnauthorizedSSOTokenError(), "aws sso login"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1/"), "Check AWS_ENDPOINT_URL"),
        (ReadTimeoutError(endpoint_url="http://127.0.0.1:1/"), "and the network."),
        (ResponseParserError("this is\nHTML"), "this is HTML. Check AWS_ENDPOINT_URL"),
        (ResponseParserError("x" * 9_999), f"{'x' * 600}. Check"),
    ],
)
def test_a_call_that_gets_no_answer_says_what_to_check(error: Exception, told: str):
    asked = client(session(region="eu-west-1"), "sqs")
    with pytest.raises(AwsError, match=re.escape(told)) as raised, explaining(asked, "ListQueues"):
        raise error
    assert str(raised.value).startswith("sqs:ListQueues in eu-west-1: ")
    assert error_code(raised.value) == type(error).__name__


def test_a_parameter_of_ours_that_is_wrong_is_a_bug():
    with pytest.raises(ParamValidationError):
        call(client(session(region="eu-west-1"), "lambda"), "ListAliases", {"Function": "f"})


@pytest.mark.parametrize("value", [0, 1_795_593_105, 1_795_593_105.25, "2026-11-24T06:00:00Z", "1795593105"])
def test_times_are_those_of_botocore_s_own_parser_in_utc(value: Any) -> None:
    found = sessions._moment(value)
    assert found == parse_timestamp(value)
    assert found.utcoffset() == timedelta(0)
