"""API answers -> Fleet -> JSON -> Fleet. Every answer here is held against botocore's model of the operation."""

import json
import re
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from botocore import xform_name
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from monitors.errors import InputError
from monitors.fleet import from_answers, from_json, to_json
from monitors.fleet.answers import Answer, Answers
from monitors.fleet.arns import name_of, resource_arn, service_of
from monitors.fleet.calls import CALLS, Call, waves
from monitors.model import Fleet, Link, Resource, with_facts
from tests.answers import (
    ACCOUNT,
    BOTOCORE,
    REGION,
    ROWS,
    Item,
    arn,
    fleet,
    function,
    function_arn,
    functions,
    item_shape,
    one,
    operation,
    said,
)

PARTS = ("resources", "links", "incomplete", "notes", "tally")
LAYER = f"arn:aws:lambda:{REGION}:580247275435:layer:LambdaInsightsExtension:53"

# --- the table of calls --------------------------------------------------------------------------


def test_calls_are_each_made_once_and_after_what_they_need():
    assert len(ROWS) == len(CALLS)
    made: set[str] = set()
    for wave in waves():
        assert all(row.each == "" or row.each in made for row in wave)
        made |= {row.id for row in wave}
    assert made == set(ROWS)


@pytest.mark.parametrize("row", CALLS, ids=lambda row: row.id)
def test_each_row_is_a_call_that_botocores_model_knows(row: Call):
    model = operation(row)
    assert not row.items or row.items in model.output_shape.members
    kinds = {key: model.input_shape.members[key].type_name for key in row.arguments}
    given = {key: ["x"] if kind == "list" else "x" * 40 for key, kind in kinds.items()}
    report = ParamValidator().validate({**given, **row.constants}, model.input_shape)
    assert not report.has_errors(), report.generate_report()
    if row.each:
        parent = item_shape(ROWS[row.each])
        for key in row.arguments.values():
            assert key in parent.members if key else parent.type_name == "string"


@pytest.mark.parametrize("row", CALLS, ids=lambda row: row.id)
def test_each_row_reads_every_page(row: Call):
    """Either botocore pages, or the row names the token, or the answer has no token at all."""
    service, _, name = row.id.partition(":")
    try:
        pageable = xform_name(name) and bool(BOTOCORE.get_paginator_model(service).get_paginator(name))
    except ValueError:
        pageable = False
    members = set(operation(row).output_shape.members)
    tokens = {member for member in members if re.search("token|marker|position", member, re.IGNORECASE)}
    if row.token:
        parameter, member = row.token
        assert parameter in operation(row).input_shape.members
        assert member in members
        assert not pageable
    else:
        assert pageable or not tokens
    if row.page_size:
        assert pageable


# --- functions -----------------------------------------------------------------------------------


def test_a_function_with_every_setting():
    name = "checkout"
    configured = function(
        name,
        Runtime="python3.13",
        Timeout=30,
        MemorySize=1769,
        Architectures=["arm64"],
        PackageType="Zip",
        DeadLetterConfig={"TargetArn": arn("sqs", "lost")},
        TracingConfig={"Mode": "Active"},
        LoggingConfig={"LogFormat": "JSON", "LogGroup": "/shop/all"},
        SnapStart={"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"},
        EphemeralStorage={"Size": 1024},
        VpcConfig={"SubnetIds": ["subnet-b", "subnet-a"], "SecurityGroupIds": ["sg-1"], "VpcId": "vpc-1"},
        Layers=[{"Arn": LAYER, "CodeSize": 1}],
        Environment={"Variables": {"PASSWORD": "hunter2"}},
    )
    parent = configured
    found = fleet(
        said("lambda:ListFunctions", configured),
        said("lambda:GetFunctionConcurrency", {"ReservedConcurrentExecutions": 7}, parent=parent),
        said(
            "lambda:ListAliases",
            {"Name": "live", "AliasArn": f"{function_arn(name)}:live", "FunctionVersion": "3"},
            {"Name": "beta", "AliasArn": f"{function_arn(name)}:beta", "FunctionVersion": "4"},
            parent=parent,
        ),
        said(
            "lambda:ListProvisionedConcurrencyConfigs",
            {"FunctionArn": f"{function_arn(name)}:live", "RequestedProvisionedConcurrentExecutions": 2},
            parent=parent,
        ),
        said(
            "lambda:ListFunctionUrlConfigs",
            {
                "FunctionUrl": "https://abcdefghijklmnopqrstuvwxyz0123456.lambda-url.eu-west-1.on.aws/",
                "FunctionArn": function_arn(name),
                "CreationTime": "2026-01-01",
                "LastModifiedTime": "2026-01-01",
                "AuthType": "NONE",
            },
            parent=parent,
        ),
        said(
            "lambda:ListFunctionEventInvokeConfigs",
            {
                "FunctionArn": f"{function_arn(name)}:$LATEST",
                "DestinationConfig": {
                    "OnFailure": {"Destination": arn("sns", "failed")},
                    "OnSuccess": {"Destination": arn("sqs", "done")},
                },
                "MaximumEventAgeInSeconds": 3600,
                "MaximumRetryAttempts": 1,
            },
            parent=parent,
        ),
    )
    assert one(found, "lambda", name) == Resource(
        service="lambda",
        name=name,
        id=function_arn(name),
        region=REGION,
        account=ACCOUNT,
        facts={
            "timeout_ms": 30_000,
            "memory_mb": 1769,
            "architecture": "arm64",
            "runtime": "python3.13",
            "package_type": "Zip",
            "tracing": "Active",
            "log_group": "/shop/all",
            "log_format": "JSON",
            "snap_start": True,
            "storage_mb": 1024,
            "subnets": ("subnet-a", "subnet-b"),
            "layers": (LAYER,),
            "insights": True,
            "is_edge": False,
            "reserved_concurrency": 7,
            "dead_letter": arn("sqs", "lost"),
            "on_failure": arn("sns", "failed"),
            "on_success": arn("sqs", "done"),
            "async_max_age_s": 3600,
            "async_retries": 1,
            "is_async": True,
            "is_stream_consumer": False,
            "is_documentdb_consumer": False,
            "is_sqs_consumer": False,
            "event_sources": (),
            "has_url": True,
            "url_auth": "NONE",
            "provisioned": True,
            "provisioned_qualifiers": ("live",),
            "provisioned_concurrency": ("live=2",),
            "aliases": ("beta", "live"),
        },
    )
    assert set(found.links) == {
        Link(function_arn(name), arn("sqs", "lost"), "dead_letter"),
        Link(function_arn(name), arn("sns", "failed"), "dead_letter"),
        Link(function_arn(name), arn("sqs", "done"), "delivers"),
    }
    assert "hunter2" not in json.dumps(to_json(found))


def test_a_function_of_which_aws_says_nothing_has_lambdas_defaults():
    """CreateFunction: 3 s, 128 MB, x86_64, Zip; and logs as text to /aws/lambda/<name>."""
    facts = one(fleet(functions("bare")), "lambda", "bare").facts
    assert facts["timeout_ms"] == 3_000
    assert facts["memory_mb"] == 128
    assert facts["architecture"] == "x86_64"
    assert facts["log_group"] == "/aws/lambda/bare"
    assert facts["log_format"] == "Text"
    assert not {"reserved_concurrency", "dead_letter", "on_failure", "runtime"} & facts.keys()
    assert not any(facts[fact] for fact in ("is_async", "is_sqs_consumer", "is_stream_consumer", "has_url"))


def test_a_dead_letter_target_means_asynchronous_invocations():
    """Lambda, "Adding a dead-letter queue": it takes what asynchronous invocations failed at, and nothing else."""
    found = fleet(said("lambda:ListFunctions", function("f", DeadLetterConfig={"TargetArn": arn("sqs", "lost")})))
    assert one(found, "lambda", "f").facts["is_async"] is True


def test_of_several_versions_destinations_the_first_in_order_is_the_functions():
    configs = [
        {
            "FunctionArn": f"{function_arn('f')}:{alias}",
            "DestinationConfig": {"OnFailure": {"Destination": arn("sqs", target)}},
        }
        for alias, target in (("live", "b"), ("beta", "a"), ("old", "c"))
    ]
    found = fleet(functions("f"), said("lambda:ListFunctionEventInvokeConfigs", *configs, parent=function("f")))
    assert one(found, "lambda", "f").facts["on_failure"] == arn("sqs", "a")
    assert [link.target for link in found.links] == [arn("sqs", target) for target in "abc"]


def test_no_concurrency_at_all_is_a_fact_and_not_the_absence_of_one():
    found = fleet(
        functions("off"),
        said("lambda:GetFunctionConcurrency", {"ReservedConcurrentExecutions": 0}, parent=function("off")),
    )
    assert one(found, "lambda", "off").facts["reserved_concurrency"] == 0


@pytest.mark.parametrize(
    ("source", "stream", "sqs", "feeder"),
    [
        (arn("kinesis", "stream/clicks"), True, False, arn("kinesis", "stream/clicks")),
        (arn("kinesis", "stream/clicks/consumer/fan-out:1700000000"), True, False, arn("kinesis", "stream/clicks")),
        (arn("dynamodb", "table/orders/stream/2026-01-01T00:00:00.000"), True, False, arn("dynamodb", "table/orders")),
        (arn("rds", "cluster:documents"), True, False, arn("rds", "cluster:documents")),
        (arn("sqs", "orders"), False, True, arn("sqs", "orders")),
        (arn("kafka", "cluster/k/1-2"), False, False, arn("kafka", "cluster/k/1-2")),
    ],
)
def test_an_event_source_feeds_the_function_through_any_alias(source: str, stream: bool, sqs: bool, feeder: str):
    mapping = {"EventSourceArn": source, "FunctionArn": f"{function_arn('f')}:live", "State": "Enabled"}
    found = fleet(functions("f", "other"), said("lambda:ListEventSourceMappings", mapping))
    facts = one(found, "lambda", "f").facts
    assert (facts["is_stream_consumer"], facts["is_sqs_consumer"], facts["event_sources"]) == (stream, sqs, (source,))
    assert not facts["is_async"]
    assert one(found, "lambda", "other").facts["event_sources"] == ()
    assert found.links == (Link(feeder, function_arn("f"), "reads"),)


def test_event_sources_without_arn_and_those_on_their_way_out_feed_nothing():
    found = fleet(
        functions("f"),
        said(
            "lambda:ListEventSourceMappings",
            {"FunctionArn": function_arn("f"), "SelfManagedEventSource": {"Endpoints": {}}, "Topics": ["t"]},
            {"FunctionArn": function_arn("f"), "EventSourceArn": arn("sqs", "old"), "State": "Deleting"},
        ),
    )
    assert one(found, "lambda", "f").facts["event_sources"] == ()
    assert found.links == ()


BUCKET = {"Name": "uploads"}
RULE = {"Name": "nightly", "Arn": arn("events", "rule/nightly"), "EventBusName": "default"}
GROUP = {"logGroupName": "/app", "logGroupArn": arn("logs", "log-group:/app")}
TOPIC = {"TopicArn": arn("sns", "news")}


@pytest.mark.parametrize(
    ("answers", "source", "kind"),
    [
        (
            [
                said("s3:ListBuckets", BUCKET),
                said(
                    "s3:GetBucketNotificationConfiguration",
                    {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": function_arn("f"), "Events": ["s3:*"]}]},
                    parent=BUCKET,
                ),
            ],
            "arn:aws:s3:::uploads",
            "invokes",
        ),
        (
            [
                said("sns:ListTopics", TOPIC),
                said(
                    "sns:ListSubscriptions",
                    {
                        "SubscriptionArn": f"{TOPIC['TopicArn']}:1",
                        "Protocol": "lambda",
                        "Endpoint": f"{function_arn('f')}:live",
                        **TOPIC,
                    },
                ),
            ],
            TOPIC["TopicArn"],
            "invokes",
        ),
        (
            [
                said("events:ListRules", RULE),
                said("events:ListTargetsByRule", {"Id": "1", "Arn": function_arn("f")}, parent=RULE),
            ],
            RULE["Arn"],
            "invokes",
        ),
        (
            [
                said("scheduler:ListScheduleGroups", {"Name": "g", "Arn": arn("scheduler", "schedule-group/g")}),
                said("scheduler:ListSchedules", {"GroupName": "g", "Target": {"Arn": function_arn("f")}}),
            ],
            arn("scheduler", "schedule-group/g"),
            "invokes",
        ),
        (
            [
                said("logs:DescribeLogGroups", GROUP),
                said(
                    "logs:DescribeSubscriptionFilters",
                    {"filterName": "x", "destinationArn": function_arn("f")},
                    parent=GROUP,
                ),
            ],
            GROUP["logGroupArn"],
            "delivers",
        ),
        (
            [
                functions("g"),
                said(
                    "lambda:ListFunctionEventInvokeConfigs",
                    {
                        "FunctionArn": f"{function_arn('g')}:live",
                        "DestinationConfig": {"OnSuccess": {"Destination": function_arn("f")}},
                    },
                    parent=function("g"),
                ),
            ],
            function_arn("g"),
            "delivers",
        ),
    ],
    ids=["s3", "sns", "events", "scheduler", "logs", "destination"],
)
def test_asynchronous_callers_are_linked_and_make_a_function_asynchronous(answers, source: str, kind: str):
    found = fleet(functions("f", "quiet"), *answers)
    assert one(found, "lambda", "f").facts["is_async"] is True
    assert one(found, "lambda", "quiet").facts["is_async"] is False
    assert Link(source, function_arn("f"), kind) in found.links


def test_the_account_is_a_resource_of_its_own_in_each_region():
    limits = said("lambda:GetAccountSettings", {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900})
    found = one(fleet(limits), "account", f"{ACCOUNT}/{REGION}")
    assert found.facts == {"concurrency_limit": 1000}
    assert one(fleet(), "account", f"{ACCOUNT}/{REGION}").facts == {}


# --- queues, topics, streams ---------------------------------------------------------------------

URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/"


def queue(name: str, **attributes: str) -> list[tuple[str, list[Answer]]]:
    return [
        said("sqs:ListQueues", URL + name),
        said("sqs:GetQueueAttributes", {"QueueArn": arn("sqs", name), **attributes}, parent=URL + name),
    ]


def redrive(name: str) -> str:
    return json.dumps({"deadLetterTargetArn": arn("sqs", name), "maxReceiveCount": 5})


def test_a_queue_that_others_fail_into_is_a_dead_letter_queue_of_theirs():
    found = fleet(
        *queue("orders", RedrivePolicy=redrive("lost"), VisibilityTimeout="180", MessageRetentionPeriod="345600"),
        *queue("lost", MessageRetentionPeriod="1209600"),
        said("lambda:ListFunctions", function("f", DeadLetterConfig={"TargetArn": arn("sqs", "lost")})),
        said("events:ListRules", RULE),
        said(
            "events:ListTargetsByRule",
            {"Id": "1", "Arn": function_arn("f"), "DeadLetterConfig": {"Arn": arn("sqs", "lost")}},
            parent=RULE,
        ),
        said("sns:ListTopics", TOPIC),
        said(
            "sns:GetSubscriptionAttributes",
            {"RedrivePolicy": redrive("lost")},
            parent={"SubscriptionArn": "arn:x", **TOPIC},
        ),
    )
    assert one(found, "sqs", "orders").facts == {
        "fifo": False,
        "dead_letter": arn("sqs", "lost"),
        "visibility_timeout_s": 180,
        "retention_s": 345_600,
        "is_dead_letter_queue": False,
        "dead_letter_of": (),
    }
    lost = one(found, "sqs", "lost").facts
    assert lost["is_dead_letter_queue"] is True
    assert lost["dead_letter_of"] == ("f", "news", "nightly", "orders")
    assert "dead_letter" not in lost


def test_a_queue_is_found_even_where_its_attributes_are_not():
    found = one(fleet(said("sqs:ListQueues", URL + "secret.fifo")), "sqs", "secret.fifo")
    assert found.id == arn("sqs", "secret.fifo")
    assert found.facts == {"fifo": True, "is_dead_letter_queue": False, "dead_letter_of": ()}


@pytest.mark.parametrize("policy", ["", "{", "[]", '{"deadLetterTargetArn": 7}', "null"])
def test_a_redrive_policy_that_says_nothing_links_nothing(policy: str):
    assert fleet(*queue("orders", RedrivePolicy=policy)).links == ()


def test_a_topics_subscriptions_are_counted_by_the_topic_or_else_by_the_list():
    subscription = {"SubscriptionArn": "arn:x", "Protocol": "sqs", "Endpoint": arn("sqs", "q"), **TOPIC}
    listed = (said("sns:ListTopics", TOPIC), said("sns:ListSubscriptions", subscription))
    counted = said("sns:GetTopicAttributes", {"SubscriptionsConfirmed": "3"}, parent=TOPIC)
    assert one(fleet(*listed), "sns", "news").facts == {"subscriptions": 1, "fifo": False}
    assert one(fleet(*listed, counted), "sns", "news").facts["subscriptions"] == 3
    assert fleet(*listed).links == (Link(TOPIC["TopicArn"], arn("sqs", "q"), "notifies"),)


def test_subscribers_that_are_no_resources_are_no_links():
    mail = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "a@example.com", **TOPIC}
    assert fleet(said("sns:ListTopics", TOPIC), said("sns:ListSubscriptions", mail)).links == ()


def test_streams_and_what_delivers_them():
    described = {
        "DeliveryStreamName": "archive",
        "DeliveryStreamARN": arn("firehose", "deliverystream/archive"),
        "DeliveryStreamStatus": "ACTIVE",
        "DeliveryStreamType": "KinesisStreamAsSource",
        "VersionId": "1",
        "Source": {"KinesisStreamSourceDescription": {"KinesisStreamARN": arn("kinesis", "stream/clicks")}},
        "HasMoreDestinations": False,
        "Destinations": [
            {
                "DestinationId": "d-1",
                "S3DestinationDescription": {
                    "RoleARN": "arn:aws:iam::123456789012:role/r",
                    "BucketARN": "arn:aws:s3:::lake",
                    "BufferingHints": {},
                    "CompressionFormat": "GZIP",
                    "EncryptionConfiguration": {},
                },
                "ExtendedS3DestinationDescription": {
                    "RoleARN": "arn:aws:iam::123456789012:role/r",
                    "BucketARN": "arn:aws:s3:::lake",
                    "BufferingHints": {},
                    "CompressionFormat": "GZIP",
                    "EncryptionConfiguration": {},
                    "ProcessingConfiguration": {
                        "Enabled": True,
                        "Processors": [
                            {
                                "Type": "Lambda",
                                "Parameters": [
                                    {"ParameterName": "NumberOfRetries", "ParameterValue": "3"},
                                    {"ParameterName": "LambdaArn", "ParameterValue": f"{function_arn('clean')}:live"},
                                ],
                            }
                        ],
                    },
                },
            }
        ],
    }
    found = fleet(
        said("kinesis:ListStreams", "clicks"),
        said("firehose:ListDeliveryStreams", "archive"),
        said("firehose:DescribeDeliveryStream", described, parent="archive"),
    )
    stream = one(found, "kinesis", "clicks")
    archive = one(found, "firehose", "archive")
    assert stream.id == arn("kinesis", "stream/clicks")
    assert archive.facts == {"destination": "S3", "source": stream.id}
    assert set(found.links) == {
        Link(stream.id, archive.id, "reads"),
        Link(archive.id, function_arn("clean"), "invokes"),
        Link(archive.id, "arn:aws:s3:::lake", "delivers"),
    }


# --- tables, buckets, log groups -----------------------------------------------------------------


def test_tables_by_how_they_are_billed():
    found = fleet(
        said("dynamodb:ListTables", "busy", "old"),
        said(
            "dynamodb:DescribeTable",
            {
                "TableArn": arn("dynamodb", "table/busy"),
                "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
                "GlobalSecondaryIndexes": [{"IndexName": "by-user"}, {"IndexName": "by-day"}],
            },
            parent="busy",
        ),
        said(
            "dynamodb:DescribeTable",
            {"ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 2}},
            parent="old",
        ),
    )
    assert one(found, "dynamodb", "busy").facts == {
        "billing": "on_demand",
        "has_stream": True,
        "indexes": ("by-day", "by-user"),
        "replicas": (),
    }
    assert one(found, "dynamodb", "old").facts == {
        "billing": "provisioned",
        "has_stream": False,
        "indexes": (),
        "replicas": (),
        "read_capacity": 5,
        "write_capacity": 2,
    }


def test_a_bucket_has_request_metrics_only_for_the_filters_it_has():
    found = fleet(
        said("s3:ListBuckets", BUCKET, {"Name": "plain"}),
        said("s3:ListBucketMetricsConfigurations", {"Id": "EntireBucket"}, {"Id": "a"}, parent=BUCKET),
        said(
            "s3:GetBucketNotificationConfiguration",
            {
                "QueueConfigurations": [{"QueueArn": arn("sqs", "q"), "Events": ["s3:*"]}],
                "TopicConfigurations": [{"TopicArn": arn("sns", "t"), "Events": ["s3:*"]}],
            },
            parent=BUCKET,
        ),
    )
    assert one(found, "s3", "uploads").facts == {"request_metrics_filters": ("EntireBucket", "a")}
    assert one(found, "s3", "plain").facts == {"request_metrics_filters": ()}
    assert {link.kind for link in found.links} == {"notifies"}


def test_a_log_group_and_what_reads_it():
    group = {
        "logGroupName": "/aws/lambda/f",
        "arn": arn("logs", "log-group:/aws/lambda/f:*"),
        "retentionInDays": 30,
        "metricFilterCount": 2,
        "storedBytes": 1_000,
    }
    found = fleet(
        said("logs:DescribeLogGroups", group),
        said(
            "logs:DescribeSubscriptionFilters",
            {"filterName": "to-archive", "destinationArn": arn("firehose", "deliverystream/archive")},
            {"filterName": "lookout", "destinationArn": function_arn("reader")},
            parent=group,
        ),
    )
    logs = one(found, "logs", "/aws/lambda/f")
    assert logs.id == arn("logs", "log-group:/aws/lambda/f")
    assert logs.facts == {
        "retention_days": 30,
        "log_class": "STANDARD",
        "stored_bytes": 1_000,
        "metric_filters": 2,
        "subscription_filters": ("lookout", "to-archive"),
    }
    assert {link.kind for link in found.links} == {"delivers"}


# --- what calls functions ------------------------------------------------------------------------


def test_rules_of_either_kind_of_bus_but_not_those_of_aws_itself():
    own = {
        "Name": "paid",
        "Arn": arn("events", "rule/shop/paid"),
        "EventBusName": "shop",
        "EventPattern": "{}",
        "State": "DISABLED",
    }
    managed = {"Name": "StepFunctionsGetEvents", "Arn": arn("events", "rule/x"), "ManagedBy": "states.amazonaws.com"}
    found = fleet(
        said("events:ListRules", {**RULE, "ScheduleExpression": "rate(1 day)", "State": "ENABLED"}, own, managed),
        said("events:ListTargetsByRule", {"Id": "1", "Arn": arn("sqs", "q")}, parent=own),
    )
    assert one(found, "events_rule", "nightly").facts == {"bus": "default", "enabled": True, "schedule": "rate(1 day)"}
    assert one(found, "events_rule", "paid").facts == {"bus": "shop", "enabled": False}
    assert [resource.name for resource in found.resources if resource.service == "events_rule"] == ["nightly", "paid"]
    assert found.links == (Link(own["Arn"], arn("sqs", "q"), "notifies"),)


def test_the_default_schedule_group_is_there_only_if_it_is_used():
    default = {"Name": "default", "Arn": arn("scheduler", "schedule-group/default")}
    mine = {"Name": "mine", "Arn": arn("scheduler", "schedule-group/mine")}
    groups = said("scheduler:ListScheduleGroups", default, mine)
    universal = {"GroupName": "default", "Target": {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"}}
    tags = said("scheduler:ListTagsForResource", {"Key": "application", "Value": "shop"}, parent=mine)
    unused, used = fleet(groups, tags), fleet(groups, said("scheduler:ListSchedules", universal))
    assert [group.name for group in unused.resources if group.service == "scheduler_group"] == ["mine"]
    assert one(unused, "scheduler_group", "mine").application == "shop"
    assert one(used, "scheduler_group", "default").facts == {"schedules": 1}
    assert used.links == ()


def test_a_state_machine_invokes_the_functions_its_definition_names():
    """Step Functions, "Invoke an AWS Lambda function": by the function's ARN, or by lambda:invoke with its name."""
    definition = {
        "States": {
            "Old": {"Type": "Task", "Resource": f"{function_arn('by-arn')}:3"},
            "New": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": "by-name:live"},
            },
            "Dynamic": {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName.$": "$.which"}},
        }
    }
    machine = {
        "stateMachineArn": arn("states", "stateMachine:flow"),
        "name": "flow",
        "type": "EXPRESS",
        "creationDate": "2026-01-01T00:00:00Z",
    }
    found = fleet(
        said("stepfunctions:ListStateMachines", machine),
        said(
            "stepfunctions:DescribeStateMachine",
            {**machine, "definition": json.dumps(definition), "roleArn": "arn:aws:iam::123456789012:role/r"},
            parent=machine,
        ),
    )
    assert one(found, "states", "flow").facts == {"arn": machine["stateMachineArn"], "express": True}
    assert set(found.links) == {
        Link(machine["stateMachineArn"], function_arn(name), "invokes") for name in ("by-arn", "by-name")
    }


INVOKED = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{{}}/invocations"


def test_http_and_websocket_stages_with_the_functions_behind_them():
    http = {
        "ApiId": "abc",
        "Name": "shop",
        "ProtocolType": "HTTP",
        "RouteSelectionExpression": "x",
        "Tags": {"application": "shop"},
    }
    socket = {"ApiId": "xyz", "Name": "chat", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "x"}
    found = fleet(
        said("apigatewayv2:GetApis", http, socket),
        said("apigatewayv2:GetStages", {"StageName": "$default"}, parent=http),
        said("apigatewayv2:GetStages", {"StageName": "prod"}, parent=socket),
        said("apigatewayv2:GetIntegrations", {"IntegrationUri": f"{function_arn('web')}:live"}, parent=http),
        said("apigatewayv2:GetIntegrations", {"IntegrationUri": "https://example.com"}, parent=socket),
        said(
            "apigatewayv2:GetAuthorizers",
            {"Name": "token", "AuthorizerUri": INVOKED.format(function_arn("who"))},
            {"Name": "jwt", "JwtConfiguration": {"Issuer": "https://example.com"}},
            parent=socket,
        ),
    )
    stage = one(found, "apigateway_http", "abc/$default")
    assert stage.facts == {"api_id": "abc", "api_name": "shop", "stage": "$default", "protocol": "HTTP"}
    assert stage.id == f"arn:aws:apigateway:{REGION}::/apis/abc/stages/$default"
    assert stage.application == "shop"
    chat = one(found, "apigateway_websocket", "xyz/prod")
    assert chat.facts["protocol"] == "WEBSOCKET"
    assert set(found.links) == {
        Link(stage.id, function_arn("web"), "invokes"),
        Link(chat.id, function_arn("who"), "invokes"),
    }


def test_rest_stages_put_their_own_variables_into_integrations():
    """API Gateway, "Use stage variables": `${stageVariables.<name>}` in an integration's URI."""
    api = {"id": "r1", "name": "orders"}
    uri = INVOKED
    found = fleet(
        said("apigateway:GetRestApis", api),
        said(
            "apigateway:GetStages", {"stageName": "prod", "variables": {"f": "live"}}, {"stageName": "dev"}, parent=api
        ),
        said(
            "apigateway:GetResources",
            {
                "path": "/",
                "resourceMethods": {
                    "GET": {"methodIntegration": {"uri": uri.format(function_arn("read"))}},
                    "POST": {"methodIntegration": {"uri": uri.format(function_arn("${stageVariables.f}"))}},
                    "PUT": {"methodIntegration": {"type": "MOCK"}},
                    "HEAD": {"methodIntegration": {"uri": uri.format(function_arn("a-${stageVariables.unset}"))}},
                },
            },
            {"path": "/empty"},
            parent=api,
        ),
        said("apigateway:GetAuthorizers", {"authorizerUri": uri.format(function_arn("who"))}, parent=api),
    )
    prod, dev = one(found, "apigateway_rest", "orders/prod"), one(found, "apigateway_rest", "orders/dev")
    assert prod.facts == {"api_id": "r1", "api_name": "orders", "stage": "prod"}
    assert prod.id == f"arn:aws:apigateway:{REGION}::/restapis/r1/stages/prod"
    assert set(found.links) == {
        Link(prod.id, function_arn("read"), "invokes"),
        Link(prod.id, function_arn("live"), "invokes"),
        Link(dev.id, function_arn("read"), "invokes"),
        *(Link(stage.id, function_arn("who"), "invokes") for stage in (prod, dev)),
    }


# --- the whole -----------------------------------------------------------------------------------


def tagged(resource: str, **tags: str) -> dict[str, Item]:
    return {"ResourceARN": resource, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def test_the_application_is_the_tag_or_else_the_stack():
    stack = {"aws:cloudformation:stack-name": "shop-prod"}
    found = fleet(
        functions("a", "b", "c"),
        said(
            "resourcegroupstaggingapi:GetResources",
            tagged(function_arn("a"), **stack),
            tagged(function_arn("b"), application="shop", **stack),
        ),
    )
    assert [one(found, "lambda", name).application for name in "abc"] == ["shop-prod", "shop", ""]
    assert one(found, "lambda", "a").tags == stack


def test_what_has_no_application_has_that_of_its_neighbours_if_they_agree():
    """A queue, its dead-letter queue and a log group of one application; a topic and a log group between two."""
    found = fleet(
        functions("a", "b"),
        said("lambda:ListFunctions", function("untagged", DeadLetterConfig={"TargetArn": arn("sqs", "lost")})),
        said("resourcegroupstaggingapi:GetResources", tagged(function_arn("a"), application="one")),
        said("resourcegroupstaggingapi:GetResources", tagged(function_arn("b"), application="two")),
        *queue("work", RedrivePolicy=redrive("lost")),
        *queue("lost"),
        said(
            "lambda:ListEventSourceMappings", {"EventSourceArn": arn("sqs", "work"), "FunctionArn": function_arn("a")}
        ),
        said("sns:ListTopics", TOPIC),
        said(
            "sns:ListSubscriptions",
            *(
                {"Protocol": "lambda", "Endpoint": function_arn(name), "SubscriptionArn": "arn:x", **TOPIC}
                for name in ("a", "b", "untagged")
            ),
        ),
        said("logs:DescribeLogGroups", {"logGroupName": "/aws/lambda/a"}, {"logGroupName": "/elsewhere"}),
        said(
            "logs:DescribeSubscriptionFilters",
            {"filterName": "x", "destinationArn": function_arn("b")},
            parent={"logGroupName": "/aws/lambda/a"},
        ),
    )
    assert {resource.name: resource.application for resource in found.resources if resource.service != "account"} == {
        "a": "one",
        "b": "two",
        "untagged": "",
        "work": "one",
        "lost": "one",
        "news": "",
        "/aws/lambda/a": "one",
        "/elsewhere": "",
    }


def test_failures_are_told_and_a_thing_seen_from_two_regions_is_one():
    found = {"s3:ListBuckets": [Answer(BUCKET, {"Region": REGION})]}
    places = [
        Answers(account=ACCOUNT, region=region, found=found, failures=(f"no rules in {region}",))
        for region in ("eu-west-1", "us-east-1")
    ]
    joined = from_answers(places)
    assert joined.incomplete == ("no rules in eu-west-1", "no rules in us-east-1")
    assert [one.region for one in joined.resources if one.service == "s3"] == ["eu-west-1"]
    assert [resource.name for resource in joined.resources if resource.service == "account"] == [
        f"{ACCOUNT}/eu-west-1",
        f"{ACCOUNT}/us-east-1",
    ]


@given(st.permutations([function(name) for name in ("a", "b", "c", "d")]), st.permutations(list("wxyz")))
def test_the_order_of_answers_does_not_matter(listed: Sequence[Item], queued: Sequence[str]):
    mappings = [
        {"EventSourceArn": arn("sqs", source), "FunctionArn": target["FunctionArn"]}
        for source, target in sorted(zip(sorted(queued), sorted(listed, key=str), strict=True), key=str)
    ]
    found = fleet(
        said("lambda:ListFunctions", *listed),
        said("sqs:ListQueues", *(URL + name for name in queued)),
        said("lambda:ListEventSourceMappings", *mappings),
    )
    assert found == fleet(
        said("lambda:ListFunctions", *sorted(listed, key=str)),
        said("sqs:ListQueues", *(URL + name for name in sorted(queued))),
        said("lambda:ListEventSourceMappings", *mappings),
    )


@pytest.mark.parametrize(
    ("given_arn", "whole", "service", "name"),
    [
        (function_arn("f:live"), function_arn("f"), "lambda", "f"),
        (function_arn("f:$LATEST"), function_arn("f"), "lambda", "f"),
        (arn("events", "rule/bus/paid"), arn("events", "rule/bus/paid"), "events", "paid"),
        (arn("logs", "log-group:/a/b:*"), arn("logs", "log-group:/a/b"), "logs", "b"),
        (
            "arn:aws-cn:dynamodb:cn-north-1:1:table/t/stream/2026",
            "arn:aws-cn:dynamodb:cn-north-1:1:table/t",
            "dynamodb",
            "t",
        ),
        ("https://example.com/x", "https://example.com/x", "", "x"),
    ],
)
def test_arns_are_those_of_whole_resources(given_arn: str, whole: str, service: str, name: str):
    assert (resource_arn(given_arn), service_of(given_arn), name_of(given_arn)) == (whole, service, name)


# --- Fleet <-> JSON ------------------------------------------------------------------------------

TEXT = st.text(max_size=8)
NAME = st.text(min_size=1, max_size=8)
FACT = (
    TEXT
    | st.integers(-(2**53), 2**53)
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.lists(TEXT, max_size=3).map(tuple)
)
RESOURCE = st.builds(
    Resource,
    service=NAME,
    name=NAME,
    id=NAME,
    region=TEXT,
    account=TEXT,
    application=TEXT,
    facts=st.dictionaries(TEXT, FACT, max_size=4),
    tags=st.dictionaries(TEXT, TEXT, max_size=3),
)
FLEET = st.builds(
    Fleet,
    resources=st.lists(RESOURCE, max_size=5, unique_by=lambda resource: resource.id).map(tuple),
    links=st.lists(st.builds(Link, TEXT, TEXT, TEXT), max_size=5, unique=True).map(tuple),
    incomplete=st.lists(TEXT, max_size=3).map(tuple),
)


@given(FLEET)
def test_a_fleet_survives_being_written_and_read(fleet: Fleet):
    text = json.dumps(to_json(fleet))
    read = from_json(json.loads(text))
    assert json.dumps(to_json(read)) == text
    assert set(read.links) == set(fleet.links)
    assert sorted(read.incomplete) == sorted(fleet.incomplete)
    assert {resource.id: resource for resource in read.resources} == {
        resource.id: resource for resource in fleet.resources
    }


@given(FLEET, st.randoms(use_true_random=False))
def test_equal_fleets_give_equal_documents(fleet: Fleet, random):
    resources, links = list(fleet.resources), list(fleet.links)
    random.shuffle(resources)
    random.shuffle(links)
    shuffled = Fleet(resources=tuple(resources), links=tuple(links), incomplete=fleet.incomplete[::-1])
    assert json.dumps(to_json(shuffled)) == json.dumps(to_json(fleet))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(JSON, st.fixed_dictionaries({"version": st.just(1), **dict.fromkeys(PARTS, JSON)}))
def test_anything_but_a_fleet_is_an_input_error(any_json: Any, shaped: dict[str, Any]):
    for document in (any_json, shaped):
        try:
            from_json(document)
        except InputError:
            continue
        words = {key: document[key] for key in ("incomplete", "notes")}
        assert document == {"version": 1, "resources": [], "links": [], "tally": [], **words}


GOOD = {
    "service": "sqs",
    "name": "q",
    "id": "x",
    "region": "",
    "account": "",
    "application": "",
    "condition": "",
    "facts": {},
    "tags": {},
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": 7}, "resources[0].name: expected text, found 7"),
        ({"name": ""}, "resources[0].name: must not be empty"),
        ({"facts": {"timeout_ms": None}}, "resources[0].facts.timeout_ms: expected text, a number"),
        ({"facts": {"retention_s": float("nan")}}, "resources[0].facts.retention_s: expected text, a number"),
        ({"facts": {"aliases": ["a", 1]}}, "resources[0].facts.aliases[1]: expected text, found 1"),
        ({"tags": ["a"]}, "resources[0].tags: expected an object, found ['a']"),
        ({"colour": "red"}, "resources[0]: unknown key 'colour'"),
        ({"facts": {"x": {"y" * 99: 1}}}, "..."),
    ],
)
def test_what_is_wrong_with_a_document_is_told_with_its_place(change: dict[str, Any], told: str):
    document = {"version": 1, **{key: [] for key in PARTS}, "resources": [{**GOOD, **change}]}
    with pytest.raises(InputError, match=re.escape(told)):
        from_json(document)


def test_every_problem_is_told_at_once_but_not_without_end():
    tally = [{"kind": "AWS::SQS::Queue", "seen": 1, "understood": "one"}]
    twice = {"version": 1, "resources": [GOOD, GOOD], "links": [{"source": "a"}], "tally": tally, "note": ""}
    with pytest.raises(InputError) as raised:
        from_json(twice)
    told = str(raised.value).splitlines()[1:]
    assert told == [
        "links[0].target: expected text, found nothing",
        "links[0].kind: expected text, found nothing",
        "tally[0]: expected how many were seen and understood, found [1, 'one']",
        "incomplete: expected a list of texts, found nothing",
        "notes: expected a list of texts, found nothing",
        "the Fleet: unknown key 'note'",
        "resources: the id 'x' is there more than once",
    ]
    with pytest.raises(InputError, match=r"and 290 more"):
        from_json({"version": 1, **{key: [] for key in PARTS}, "links": [{}] * 100})


@pytest.mark.parametrize("document", [[], None, "{}", {}, {"version": 2, "resources": []}])
def test_a_document_of_another_kind_or_version_is_refused(document: Any):
    with pytest.raises(InputError, match="expected an object with version 1"):
        from_json(document)


# --- records -------------------------------------------------------------------------------------


def test_facts_are_added_and_nothing_else_changes():
    texts = {field.name: field.name for field in fields(Resource)}
    whole = Resource(**texts | {"facts": {"timeout_ms": 3000, "memory_mb": 128}, "tags": {"team": "pay"}})
    found = with_facts(whole, {"memory_mb": 256, "is_edge": True})
    assert found == replace(whole, facts={"timeout_ms": 3000, "memory_mb": 256, "is_edge": True})
    assert whole.facts == {"timeout_ms": 3000, "memory_mb": 128}
