"""Streams' consumers, pipes from one thing to another, and caches."""

import pytest

from monitors.fleet.calls import CALLS
from monitors.model import Link
from tests.answers import Item, arn, fleet, function_arn, functions, one, said

CLICKS = arn("kinesis", "stream/clicks")


def stream(**more: Item) -> dict[str, Item]:
    return {
        "StreamName": "clicks",
        "StreamARN": CLICKS,
        "StreamStatus": "ACTIVE",
        "RetentionPeriodHours": 24,
        "StreamCreationTimestamp": "2026-01-01",
        "EnhancedMonitoring": [],
        "OpenShardCount": 4,
        **more,
    }


def test_a_stream_with_its_consumers():
    described = stream(StreamModeDetails={"StreamMode": "ON_DEMAND"}, ConsumerCount=2)
    consumers = [
        {
            "ConsumerName": name,
            "ConsumerARN": f"{CLICKS}/consumer/{name}:1700000000",
            "ConsumerStatus": "ACTIVE",
            "ConsumerCreationTimestamp": "2026-01-01",
        }
        for name in ("search", "billing")
    ]
    found = fleet(
        said("kinesis:ListStreams", "clicks", "hidden"),
        said("kinesis:DescribeStreamSummary", described, parent="clicks"),
        said("kinesis:ListStreamConsumers", *consumers, parent=described),
    )
    assert one(found, "kinesis", "clicks").facts == {
        "on_demand": True,
        "retention_s": 86_400,
        "shards": 4,
        "consumers": ("billing", "search"),
    }
    assert one(found, "kinesis", "hidden").facts == {}


@pytest.mark.parametrize(
    ("described", "asked"), [({}, True), ({"ConsumerCount": 0}, False), ({"ConsumerCount": 3}, True)]
)
def test_a_stream_without_consumers_is_not_asked_for_them(described: Item, asked: bool):
    (row,) = [row for row in CALLS if row.id == "kinesis:ListStreamConsumers"]
    assert row.when(stream(**described), {}) is asked


def pipe(name: str, *, source: str, target: str, **more: Item) -> dict[str, Item]:
    return {"Name": name, "Arn": arn("pipes", f"pipe/{name}"), "Source": source, "Target": target, **more}


def test_a_pipe_stands_between_its_source_its_enrichment_and_its_target():
    table = arn("dynamodb", "table/orders/stream/2026-01-01T00:00:00.000")
    listed = pipe(
        "flow", source=table, target=arn("sqs", "out"), DesiredState="RUNNING", Enrichment=function_arn("add")
    )
    described = {
        "Name": "flow",
        "SourceParameters": {
            "FilterCriteria": {"Filters": []},
            "DynamoDBStreamParameters": {
                "StartingPosition": "LATEST",
                "DeadLetterConfig": {"Arn": arn("sqs", "lost")},
            },
        },
        "Tags": {"application": "shop"},
    }
    found = fleet(said("pipes:ListPipes", listed), said("pipes:DescribePipe", described, parent=listed))
    known = one(found, "pipes", "flow")
    assert known.application == "shop"
    assert known.facts == {
        "source": table,
        "enrichment": function_arn("add"),
        "target": arn("sqs", "out"),
        "enabled": True,
        "dead_letter": arn("sqs", "lost"),
    }
    assert set(found.links) == {
        Link(arn("dynamodb", "table/orders"), known.id, "reads"),
        Link(known.id, function_arn("add"), "invokes"),
        Link(known.id, arn("sqs", "out"), "notifies"),
        Link(known.id, arn("sqs", "lost"), "dead_letter"),
    }


@pytest.mark.parametrize(
    ("parameters", "kind", "asynchronous"),
    [
        ({}, "invokes", False),
        ({"LambdaFunctionParameters": {"InvocationType": "REQUEST_RESPONSE"}}, "invokes", False),
        ({"LambdaFunctionParameters": {"InvocationType": "FIRE_AND_FORGET"}}, "notifies", True),
    ],
)
def test_a_pipe_waits_for_its_function_unless_told_otherwise(parameters: Item, kind: str, asynchronous: bool):
    """AWS::Pipes::Pipe PipeTargetLambdaFunctionParameters: REQUEST_RESPONSE (default) is synchronous."""
    listed = pipe("flow", source=arn("sqs", "in"), target=function_arn("f"), DesiredState="STOPPED")
    found = fleet(
        functions("f"),
        said("pipes:ListPipes", listed),
        said("pipes:DescribePipe", {"Name": "flow", "TargetParameters": parameters}, parent=listed),
    )
    assert one(found, "pipes", "flow").facts["enabled"] is False
    assert Link(arn("pipes", "pipe/flow"), function_arn("f"), kind) in found.links
    assert one(found, "lambda", "f").facts["is_async"] is asynchronous


def test_a_pipe_from_somewhere_outside_reads_nothing_of_the_fleet():
    listed = pipe("flow", source="smk://broker.example.com:9092", target=arn("events", "event-bus/shop"))
    found = fleet(said("pipes:ListPipes", listed))
    assert found.links == (Link(listed["Arn"], arn("events", "event-bus/shop"), "delivers"),)


def test_caches_and_the_groups_they_make_up():
    node = {"CacheNodeId": "0001"}
    found = fleet(
        said(
            "elasticache:DescribeCacheClusters",
            {
                "CacheClusterId": "sessions-001",
                "ARN": arn("elasticache", "cluster:sessions-001"),
                "Engine": "valkey",
                "CacheNodeType": "cache.t4g.small",
                "CacheNodes": [node],
                "ReplicationGroupId": "sessions",
                "NotificationConfiguration": {"TopicArn": arn("sns", "caches"), "TopicStatus": "active"},
            },
            {"CacheClusterId": "bare"},
        ),
        said(
            "elasticache:DescribeReplicationGroups",
            {
                "ReplicationGroupId": "sessions",
                "MemberClusters": ["sessions-002", "sessions-001"],
                "AutomaticFailover": "enabled",
                "MultiAZ": "disabled",
            },
        ),
    )
    cluster = one(found, "elasticache", "sessions-001")
    assert cluster.facts == {
        "engine": "valkey",
        "node_type": "cache.t4g.small",
        "nodes": ("0001",),
        "replication_group": "sessions",
    }
    assert one(found, "elasticache", "bare").id == arn("elasticache", "cluster:bare")
    group = one(found, "elasticache_group", "sessions")
    assert group.id == arn("elasticache", "replicationgroup:sessions")
    assert group.facts == {
        "clusters": ("sessions-001", "sessions-002"),
        "automatic_failover": True,
        "multi_az": False,
    }
    assert found.links == (Link(cluster.id, arn("sns", "caches"), "notifies"),)
