"""The calls of a survey, against a fake AWS whose answers are held against botocore's models."""

from collections.abc import Mapping
from typing import Any

import pytest

from infra.aws.survey import survey
from monitors.fleet.calls import CALLS, waves
from monitors.model import Fleet
from tests.aws import ACCOUNT, REGION, Aws, function

WAVE_0 = sum(row.when({"Region": REGION}, {}) for row in waves()[0])


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")


def names(fleet: Fleet, service: str) -> list[str]:
    return [resource.name for resource in fleet.resources if resource.service == service]


def test_an_empty_account_takes_one_call_a_row():
    aws = Aws({})
    told: list[tuple[int, int]] = []
    fleet = survey(aws.session, progress=lambda done, total: told.append((done, total)))
    assert names(fleet, "account") == [f"{ACCOUNT}/{REGION}"]
    assert len(fleet.resources) == 1
    assert fleet.incomplete == ()
    assert len(aws.asked) == WAVE_0 + 1 + 1  # and who am I, and is Parameter Store used
    assert told[0] == (1, WAVE_0)
    assert told[-1] == (WAVE_0 + 1, WAVE_0 + 1)


def test_things_are_asked_about_one_by_one_only_where_no_list_tells():
    limits = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}
    aws = Aws(
        {
            "lambda:ListFunctions": {"Functions": [function("a"), function("b")]},
            "lambda:GetAccountSettings": {"AccountLimit": limits},
            "lambda:GetFunctionConcurrency": lambda asked, _: (
                {"ReservedConcurrentExecutions": 100} if asked["FunctionName"] == "a" else {}
            ),
            "sqs:ListQueues": {"QueueUrls": [f"https://sqs/{ACCOUNT}/q"]},
            "sqs:GetQueueAttributes": {"Attributes": {"VisibilityTimeout": "30"}},
            "events:ListEventBuses": {"EventBuses": [{"Name": "default"}]},
            "events:ListRules": {
                "Rules": [{"Name": "r", "Arn": "arn:aws:events:x:1:rule/r", "EventBusName": "default"}]
            },
            "events:ListTargetsByRule": {"Targets": [{"Id": "1", "Arn": function("a")["FunctionArn"]}]},
        }
    )
    fleet = survey(aws.session)
    reserved = [
        resource.facts.get("reserved_concurrency") for resource in fleet.resources if resource.service == "lambda"
    ]
    assert reserved == [100, None]
    assert [link.kind for link in fleet.links] == ["invokes"]
    per_resource = [asked for asked in aws.asked if asked[0] == "sqs:GetQueueAttributes"]
    assert per_resource == [
        (
            "sqs:GetQueueAttributes",
            REGION,
            {"QueueUrl": f"https://sqs/{ACCOUNT}/q", "AttributeNames": ["All"]},
        )
    ]
    assert ("events:ListTargetsByRule", REGION, {"Rule": "r", "EventBusName": "default"}) in aws.asked
    assert aws.count("lambda:ListAliases") == aws.count("lambda:GetFunctionConcurrency") == 2


@pytest.mark.parametrize(
    ("limits", "asked"),
    [
        ({"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}}, 0),
        ({"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 999}}, 2),
        (("AccessDeniedException", "no"), 2),
    ],
)
def test_nobody_is_asked_for_reserved_concurrency_where_the_account_says_none_is_reserved(limits: Any, asked: int):
    """GetAccountSettings: the unreserved concurrency is the limit less what functions reserve."""
    aws = Aws(
        {
            "lambda:ListFunctions": {"Functions": [function("a"), function("b")]},
            "lambda:GetAccountSettings": limits,
        }
    )
    survey(aws.session)
    assert aws.count("lambda:GetFunctionConcurrency") == asked


def test_what_cannot_have_the_fact_is_not_asked():
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:t"
    aws = Aws(
        {
            "sns:ListSubscriptions": {
                "Subscriptions": [
                    {"SubscriptionArn": "PendingConfirmation", "TopicArn": topic, "Protocol": "email"},
                    {"SubscriptionArn": f"{topic}:1", "TopicArn": topic, "Protocol": "sqs"},
                ]
            },
            "logs:DescribeLogGroups": {
                "logGroups": [
                    {"logGroupName": "/a"},
                    {"logGroupName": "/b", "logGroupClass": "INFREQUENT_ACCESS"},
                    {"logGroupName": "/c", "logGroupClass": "STANDARD"},
                ]
            },
            "events:ListEventBuses": {"EventBuses": [{"Name": "default"}]},
            "events:ListRules": {"Rules": [{"Name": "r", "Arn": "arn:x", "ManagedBy": "states.amazonaws.com"}]},
        }
    )
    fleet = survey(aws.session)
    assert [asked[2] for asked in aws.asked if asked[0] == "sns:GetSubscriptionAttributes"] == [
        {"SubscriptionArn": f"{topic}:1"}
    ]
    described = [asked[2] for asked in aws.asked if asked[0] == "logs:DescribeSubscriptionFilters"]
    assert described == [{"logGroupName": "/a"}, {"logGroupName": "/c"}]
    assert aws.count("events:ListTargetsByRule") == 0
    assert names(fleet, "events_rule") == []


def pages_of_functions(asked: Mapping[str, Any], _region: str) -> Any:
    page = int(asked.get("Marker", "0"))
    return {
        "Functions": [function(f"f{page}{n}") for n in range(2)],
        **({"NextMarker": str(page + 1)} if page < 4 else {}),
    }


def test_every_page_is_read():
    def metrics(asked: Mapping[str, Any], _region: str) -> Any:
        more = {"IsTruncated": True, "NextContinuationToken": "t"} if "ContinuationToken" not in asked else {}
        return {"MetricsConfigurationList": [{"Id": "last" if not more else "first"}], **more}

    aws = Aws(
        {
            "lambda:ListFunctions": pages_of_functions,
            "s3:ListBuckets": {"Buckets": [{"Name": "b"}]},
            "s3:ListBucketMetricsConfigurations": metrics,
        }
    )
    fleet = survey(aws.session)
    assert names(fleet, "lambda") == [f"f{page}{n}" for page in range(5) for n in range(2)]
    (bucket,) = [resource for resource in fleet.resources if resource.service == "s3"]
    assert bucket.facts["request_metrics_filters"] == ("first", "last")


def test_queues_and_buckets_are_asked_for_in_pages_since_they_page_only_then():
    aws = Aws({})
    survey(aws.session)
    assert ("sqs:ListQueues", REGION, {"MaxResults": 1000}) in aws.asked
    assert ("s3:ListBuckets", REGION, {"BucketRegion": REGION, "MaxBuckets": 1000}) in aws.asked


def test_a_list_that_breaks_off_keeps_what_came_and_says_so():
    def broken(asked: Mapping[str, Any], region: str) -> Any:
        if asked.get("Marker") == "3":
            return "AccessDeniedException", f"User u is not authorized to perform: lambda:ListFunctions in {region}"
        return pages_of_functions(asked, region)

    aws = Aws({"lambda:ListFunctions": broken, "sqs:ListQueues": {"QueueUrls": ["https://sqs/1/q"]}})
    fleet = survey(aws.session)
    assert names(fleet, "lambda") == [f"f{page}{n}" for page in range(3) for n in range(2)]
    assert names(fleet, "sqs") == ["q"]
    assert aws.count("lambda:ListAliases") == 6
    assert fleet.incomplete == (
        (
            "lambda:ListFunctions in eu-west-1: AccessDeniedException: User u is not authorized to perform: "
            "lambda:ListFunctions in eu-west-1. Allow lambda:ListFunctions. "
            "It stopped after 6 items: there may be more."
        ),
    )


def test_what_is_denied_for_many_is_told_once():
    aws = Aws(
        {
            "lambda:ListFunctions": {"Functions": [function(f"f{n}") for n in range(30)]},
            "lambda:ListAliases": ("AccessDeniedException", "no"),
            "s3:ListBuckets": ("AccessDenied", "Access Denied"),
            "apigateway:GetRestApis": ("AccessDeniedException", "no"),
        }
    )
    fleet = survey(aws.session)
    assert len(names(fleet, "lambda")) == 30
    assert fleet.incomplete == (
        "apigateway:GetRestApis in eu-west-1: AccessDeniedException: no. Allow apigateway:GET.",
        (
            "lambda:ListAliases of f0 in eu-west-1: AccessDeniedException: no. Allow lambda:ListAliases. "
            "(29 more like it.)"
        ),
        "s3:ListBuckets in eu-west-1: AccessDenied: Access Denied. Allow s3:ListAllMyBuckets.",
    )


def test_an_operation_the_endpoint_lacks_is_told_and_the_rest_goes_on():
    replies = {row.id: ("UnknownOperationException", "") for row in CALLS if row.id != "sns:ListTopics"}
    aws = Aws({**replies, "sns:ListTopics": {"Topics": [{"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:t"}]}})
    fleet = survey(aws.session)
    assert names(fleet, "sns") == ["t"]
    # Every other list, the topic's own attributes, and the usage of Parameter Store.
    assert len(fleet.incomplete) == WAVE_0 - 1 + 1 + 1
    assert all("This endpoint lacks the operation." in line for line in fleet.incomplete)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("dynamodb:DescribeTable", "ResourceNotFoundException"),
        ("sqs:GetQueueAttributes", "AWS.SimpleQueueService.NonExistentQueue"),
        ("s3:GetBucketNotificationConfiguration", "NoSuchBucket"),
    ],
)
def test_what_was_deleted_meanwhile_leaves_nothing_incomplete(call: str, code: str):
    aws = Aws(
        {
            "dynamodb:ListTables": {"TableNames": ["orders"]},
            "sqs:ListQueues": {"QueueUrls": ["https://sqs/1/orders"]},
            "s3:ListBuckets": {"Buckets": [{"Name": "orders"}]},
            call: (code, "gone"),
        }
    )
    assert survey(aws.session).incomplete == ()
    assert aws.count(call) == 1


def test_a_list_that_is_not_found_is_missing():
    (told,) = survey(Aws({"apigateway:GetRestApis": ("NotFoundException", "no such path")}).session).incomplete
    assert told.startswith("apigateway:GetRestApis in eu-west-1: NotFoundException: no such path.")


def test_several_regions_are_asked_each_for_its_own():
    aws = Aws({"lambda:ListFunctions": lambda _, region: {"Functions": [function(f"in-{region}", region)]}})
    fleet = survey(aws.session, regions=["us-east-1", "eu-west-1", "us-east-1"])
    assert names(fleet, "lambda") == ["in-eu-west-1", "in-us-east-1"]
    assert [resource.region for resource in fleet.resources if resource.service == "lambda"] == [
        "eu-west-1",
        "us-east-1",
    ]
    assert aws.count("lambda:ListFunctions") == 2
