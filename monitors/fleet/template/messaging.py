"""SQS, SNS, Kinesis and Firehose resources in a template -> what their APIs will answer. Pure."""

import json

from monitors.fleet.arns import name_of
from monitors.fleet.template.nodes import Node
from monitors.fleet.template.said import Declared, Open, Said, Saying, left_open, some, tagged

_QUEUE_OPEN = {"visibility_timeout_s": ("VisibilityTimeout", ""), "retention_s": ("MessageRetentionPeriod", "")}
# What SQS sets where a template says nothing (SQS, CreateQueue).
_VISIBILITY_S, _RETENTION_S = 30, 345_600
_STREAM_OPEN = {"shards": ("ShardCount", ""), "retention_s": ("RetentionPeriodHours", "3600*")}
_KEPT_H = 24
"""What Kinesis keeps where a template says nothing."""


def queue(one: Declared) -> Saying:
    """AWS::SQS::Queue."""
    own = one.properties
    url = f"https://sqs/{one.name}"
    attributes = {
        "QueueArn": one.arn,
        "VisibilityTimeout": _seconds(own, "VisibilityTimeout", _VISIBILITY_S),
        "MessageRetentionPeriod": _seconds(own, "MessageRetentionPeriod", _RETENTION_S),
        "RedrivePolicy": _redrive(own),
    }
    yield Said("sqs:ListQueues", url)
    yield Said("sqs:GetQueueAttributes", some(attributes), url)
    if own.true("FifoQueue") and not one.name.endswith(".fifo"):
        yield Open(one.arn, "fifo", "true")
    yield from left_open(one, _QUEUE_OPEN)
    yield from tagged(one)


def topic(one: Declared) -> Saying:
    """AWS::SNS::Topic, with the subscriptions that it declares itself."""
    own = one.properties
    yield Said("sns:ListTopics", {"TopicArn": one.arn})
    for number, each in enumerate(own.many("Subscription")):
        yield from _subscription(f"{one.id}.{number}", one.arn, each)
    yield from tagged(one)


def subscription(one: Declared) -> Saying:
    """AWS::SNS::Subscription."""
    yield from _subscription(one.id, one.properties.text("TopicArn"), one.properties)


def stream(one: Declared) -> Saying:
    """AWS::Kinesis::Stream."""
    own = one.properties
    described = {
        "StreamARN": one.arn,
        "StreamModeDetails": {"StreamMode": own.group("StreamModeDetails").text("StreamMode") or "PROVISIONED"},
        "RetentionPeriodHours": _KEPT_H
        if own.get("RetentionPeriodHours") is None
        else own.whole("RetentionPeriodHours"),
        "OpenShardCount": own.whole("ShardCount"),
    }
    yield Said("kinesis:ListStreams", one.name)
    yield Said("kinesis:DescribeStreamSummary", some(described), one.name)
    yield from left_open(one, _STREAM_OPEN)
    yield from tagged(one)


def stream_consumer(one: Declared) -> Saying:
    """AWS::Kinesis::StreamConsumer."""
    own = one.properties
    parent = {"StreamName": name_of(own.text("StreamARN"))}
    yield Said("kinesis:ListStreamConsumers", {"ConsumerName": own.text("ConsumerName")}, parent)


def delivery_stream(one: Declared) -> Saying:
    """AWS::KinesisFirehose::DeliveryStream."""
    own = one.properties
    destinations = [
        {name.replace("Configuration", "Description"): _destination(own.group(name))}
        for name in sorted(own.value)
        if name.endswith("DestinationConfiguration")
    ]
    source = own.group("KinesisStreamSourceConfiguration").text("KinesisStreamARN")
    item = {
        "DeliveryStreamARN": one.arn,
        "Source": some({"KinesisStreamSourceDescription": some({"KinesisStreamARN": source})}),
        "Destinations": destinations,
    }
    yield Said("firehose:ListDeliveryStreams", one.name)
    yield Said("firehose:DescribeDeliveryStream", some(item), one.name)
    yield from tagged(one)


def _subscription(identity: str, topic_arn: str, own: Node) -> Saying:
    arn = f"{topic_arn}:${{{identity}}}"
    item = {
        "SubscriptionArn": arn,
        "TopicArn": topic_arn,
        "Protocol": own.text("Protocol"),
        "Endpoint": own.text("Endpoint"),
    }
    yield Said("sns:ListSubscriptions", item)
    if policy := _redrive(own):
        yield Said("sns:GetSubscriptionAttributes", {"TopicArn": topic_arn, "RedrivePolicy": policy}, item)


def _redrive(own: Node) -> str:
    """The policy as the API has it: JSON in a string. Some templates write it so themselves."""
    value = own.get("RedrivePolicy")
    if isinstance(value, str) and value.lstrip().startswith("{"):
        return value
    target = own.group("RedrivePolicy").text("deadLetterTargetArn") if value is not None else ""
    return json.dumps({"deadLetterTargetArn": target}) if target else ""


def _destination(own: Node) -> dict[str, object]:
    processors = [
        {
            "Parameters": [
                {key: each.text(key) for key in ("ParameterName", "ParameterValue")} for each in one.many("Parameters")
            ]
        }
        for one in own.group("ProcessingConfiguration").many("Processors")
    ]
    return some({"BucketARN": own.text("BucketARN"), "ProcessingConfiguration": some({"Processors": processors})})


def _seconds(own: Node, key: str, default: int) -> str:
    """An attribute's text; empty where only a deployment decides it."""
    if own.get(key) is None:
        return str(default)
    value = own.whole(key)
    return "" if value is None else str(value)
