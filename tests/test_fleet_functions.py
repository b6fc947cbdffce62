"""What is told of functions besides their own settings: mappings, aliases, URLs, the edge, their log group."""

import pytest

from monitors.plan import plan
from monitors.settings import Settings
from tests.answers import Item, arn, fleet, function, function_arn, functions, one, said

UUIDS = [f"{number}0000000-0000-0000-0000-000000000000" for number in range(4)]


def mapping(uuid: str, **more: Item) -> dict[str, Item]:
    return {"UUID": uuid, "FunctionArn": function_arn("f"), "EventSourceArn": arn("sqs", "orders"), **more}


def test_the_mappings_that_publish_metrics_are_those_told_to():
    """Lambda, "Event source mapping metrics": opt-in by MetricsConfig; the pollers' with provisioned mode."""
    found = fleet(
        functions("f", "other"),
        said(
            "lambda:ListEventSourceMappings",
            mapping(UUIDS[1], MetricsConfig={"Metrics": ["EventCount"]}),
            mapping(UUIDS[0], MetricsConfig={"Metrics": ["EventCount", "ErrorCount", "KafkaMetrics"]}),
            mapping(UUIDS[2], ProvisionedPollerConfig={"MinimumPollers": 2, "MaximumPollers": 9}),
            mapping(UUIDS[3], MetricsConfig={"Metrics": []}),
        ),
    )
    facts = one(found, "lambda", "f").facts
    assert facts["event_count_mappings"] == (UUIDS[0], UUIDS[1])
    assert facts["error_count_mappings"] == (UUIDS[0],)
    assert facts["kafka_metrics_mappings"] == (UUIDS[0],)
    assert facts["provisioned_mappings"] == (UUIDS[2],)
    assert not [fact for fact in one(found, "lambda", "other").facts if fact.endswith("_mappings")]


def test_a_weighted_alias_sends_to_two_versions():
    """Lambda, "Implement Lambda canary deployments using a weighted alias": the primary version and one other."""
    found = fleet(
        functions("f"),
        said(
            "lambda:ListAliases",
            {"Name": "live", "FunctionVersion": "3", "RoutingConfig": {"AdditionalVersionWeights": {"4": 0.1}}},
            {"Name": "next", "FunctionVersion": "4", "RoutingConfig": {"AdditionalVersionWeights": {"5": 0.5}}},
            {"Name": "plain", "FunctionVersion": "3", "RoutingConfig": {"AdditionalVersionWeights": {}}},
            {"Name": "old", "FunctionVersion": "1"},
            parent=function("f"),
        ),
    )
    facts = one(found, "lambda", "f").facts
    assert facts["aliases"] == ("live", "next", "old", "plain")
    assert facts["weighted_aliases"] == ("live", "next")
    assert facts["weighted_routes"] == ("live:3", "live:4", "next:4", "next:5")


@pytest.mark.parametrize(
    ("auth", "told"), [(["AWS_IAM"], "AWS_IAM"), (["NONE", "AWS_IAM"], "NONE"), (["AWS_IAM", "NONE"], "NONE")]
)
def test_a_function_with_any_url_open_to_all_is_open_to_all(auth: list[str], told: str):
    urls = [
        {
            "FunctionUrl": f"https://{number:040}.lambda-url.eu-west-1.on.aws/",
            "FunctionArn": function_arn("f"),
            "CreationTime": "2026-01-01",
            "LastModifiedTime": "2026-01-01",
            "AuthType": one_auth,
        }
        for number, one_auth in enumerate(auth)
    ]
    found = fleet(functions("f", "g"), said("lambda:ListFunctionUrlConfigs", *urls, parent=function("f")))
    assert one(found, "lambda", "f").facts["url_auth"] == told
    assert "url_auth" not in one(found, "lambda", "g").facts


@pytest.mark.parametrize(
    ("said_", "fact"),
    [
        ("2026-11-28T10:00:00.123+0000", "2026-11-28T10:00:00Z"),
        ("2026-11-28T11:30:00+0130", "2026-11-28T10:00:00Z"),
        ("yesterday", None),
        ("", None),
    ],
)
def test_when_it_last_changed_in_utc(said_: str, fact: str | None):
    found = fleet(said("lambda:ListFunctions", function("f", LastModified=said_)))
    assert one(found, "lambda", "f").facts.get("modified") == fact


def test_the_strictest_of_several_asynchronous_configurations_counts():
    configs = [
        {
            "FunctionArn": f"{function_arn('f')}:{alias}",
            "MaximumEventAgeInSeconds": age,
            "MaximumRetryAttempts": retries,
        }
        for alias, age, retries in (("live", 21_600, 0), ("beta", 60, 2))
    ]
    found = fleet(functions("f"), said("lambda:ListFunctionEventInvokeConfigs", *configs, parent=function("f")))
    facts = one(found, "lambda", "f").facts
    assert (facts["async_max_age_s"], facts["async_retries"]) == (60, 0)


def test_a_function_has_the_class_of_the_group_it_logs_to():
    found = fleet(
        said(
            "lambda:ListFunctions",
            function("rare", LoggingConfig={"LogGroup": "/cheap"}),
            function("plain"),
            function("silent"),
        ),
        said(
            "logs:DescribeLogGroups",
            {"logGroupName": "/cheap", "logGroupClass": "INFREQUENT_ACCESS"},
            {"logGroupName": "/aws/lambda/plain"},
        ),
    )
    assert one(found, "lambda", "rare").facts["log_class"] == "INFREQUENT_ACCESS"
    assert one(found, "lambda", "plain").facts["log_class"] == "STANDARD"
    assert "log_class" not in one(found, "lambda", "silent").facts


def test_a_replica_at_the_edge_names_its_master():
    replica = function("us-east-1.rewrite", MasterArn="arn:aws:lambda:us-east-1:123456789012:function:rewrite:3")
    found = fleet(said("lambda:ListFunctions", replica))
    assert one(found, "lambda", "us-east-1.rewrite").facts["is_edge"] is True


def usage(metric: str, service: str, operation: str, kind: str = "API") -> dict[str, Item]:
    pairs = {"Service": service, "Type": kind, "Resource": operation, "Class": "None"}
    return {
        "Namespace": "AWS/Usage",
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in pairs.items()],
    }


def test_parameter_store_is_watched_through_what_the_account_uses_of_it():
    """Amazon CloudWatch, "AWS usage metrics": CallCount and ThrottleCount by Service, Type, Resource and Class."""
    found = fleet(
        functions("f"),
        said(
            "cloudwatch:ListMetrics",
            usage("CallCount", "SSM", "GetParameter"),
            usage("CallCount", "SSM", "GetParametersByPath"),
            usage("CallCount", "SSM", "SendCommand"),
            usage("CallCount", "SSM", "GetParameters", kind="Resource"),
            usage("CallCount", "CloudWatch", "PutParameter"),
            usage("ThrottleCount", "SSM", "GetParameter"),
        ),
    )
    account = next(resource for resource in found.resources if resource.service == "account")
    assert account.facts["parameter_calls"] == ("GetParameter", "GetParametersByPath")
    assert account.facts["parameter_throttles"] == ("GetParameter",)
    (alarm,) = [made for made in plan(found, Settings()).alarms if made.rule == "account.parameter_throttles"]
    assert alarm.name.endswith("/GetParameter")
    assert dict(alarm.queries[0].dimensions) == {
        "Service": "SSM",
        "Type": "API",
        "Resource": "GetParameter",
        "Class": "None",
    }
