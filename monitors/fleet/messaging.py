"""Answers of SQS, SNS, Kinesis and Firehose -> queues, topics and streams, and what they feed."""

import json

from monitors.fleet.answers import Answers, Found, Json, by_parent, items, links, own_arn, resource, told
from monitors.fleet.arns import name_of, service_of
from monitors.model import Link, Resource

# Member of Firehose's DestinationDescription -> the word in its metrics' names (Firehose, CloudWatch metrics).
_DESTINATIONS = {
    "S3DestinationDescription": "S3",
    "ExtendedS3DestinationDescription": "S3",
    "RedshiftDestinationDescription": "Redshift",
    "ElasticsearchDestinationDescription": "Elasticsearch",
    "AmazonopensearchserviceDestinationDescription": "AmazonOpenSearchService",
    "AmazonOpenSearchServerlessDestinationDescription": "AmazonOpenSearchServerless",
    "SplunkDestinationDescription": "Splunk",
    "HttpEndpointDestinationDescription": "HttpEndpoint",
    "IcebergDestinationDescription": "Iceberg",
    "SnowflakeDestinationDescription": "Snowflake",
}


def queues(answers: Answers) -> Found:
    """Every queue, and the link to its dead-letter queue. Which queues are such is known once all is read."""
    attributes = told(answers, "sqs:GetQueueAttributes")
    resources: list[Resource] = []
    found: list[Link] = []
    for url in items(answers, "sqs:ListQueues"):
        name = url.rsplit("/", 1)[-1]
        known = attributes.get(url, {})
        arn = known.get("QueueArn") or own_arn(answers, "sqs", name)
        target = _dead_letter(known)
        facts = {
            "fifo": name.endswith(".fifo"),  # SQS demands the suffix of FIFO queues and of no others
            "dead_letter": target,
            "visibility_timeout_s": _whole(known, "VisibilityTimeout"),
            "retention_s": _whole(known, "MessageRetentionPeriod"),
        }
        resources.append(resource(answers, service="sqs", name=name, arn=arn, facts=facts))
        found += links(arn, [target], "dead_letter")
    return Found(tuple(resources), tuple(found))


def topics(answers: Answers) -> Found:
    """Every topic, and links to its subscribers and their dead-letter queues."""
    subscriptions = items(answers, "sns:ListSubscriptions")
    attributes = told(answers, "sns:GetTopicAttributes", "TopicArn")
    resources: list[Resource] = []
    for topic in items(answers, "sns:ListTopics"):
        arn = topic["TopicArn"]
        known = attributes.get(arn, {})
        # The topic's own count holds subscriptions of other accounts too, which the list lacks.
        count = _whole(known, "SubscriptionsConfirmed")
        listed = sum(subscription.get("TopicArn") == arn for subscription in subscriptions)
        facts = {"subscriptions": listed if count is None else count, "fifo": arn.endswith(".fifo")}
        resources.append(resource(answers, service="sns", name=name_of(arn), arn=arn, facts=facts))
    found = [link for subscription in subscriptions for link in _subscriber(subscription)]
    for known, parent in answers.found.get("sns:GetSubscriptionAttributes", ()):
        found += links(parent["TopicArn"], [_dead_letter(known)], "dead_letter")
    return Found(tuple(resources), tuple(found))


def streams(answers: Answers) -> Found:
    """Every Kinesis stream. How it is run and who consumes it (enhanced fan-out) only where AWS described it."""
    described = told(answers, "kinesis:DescribeStreamSummary")
    consumers = by_parent(answers, "kinesis:ListStreamConsumers", "StreamName")
    resources: list[Resource] = []
    for name in items(answers, "kinesis:ListStreams"):
        known = described.get(name, {})
        arn = known.get("StreamARN") or own_arn(answers, "kinesis", f"stream/{name}")
        facts = _stream_facts(known, consumers.get(name, [])) if known else {}
        resources.append(resource(answers, service="kinesis", name=name, arn=arn, facts=facts))
    return Found(tuple(resources))


def deliveries(answers: Answers) -> Found:
    """Every Firehose stream: what it reads, which functions transform for it, where it delivers."""
    described = told(answers, "firehose:DescribeDeliveryStream")
    resources: list[Resource] = []
    found: list[Link] = []
    for name in items(answers, "firehose:ListDeliveryStreams"):
        known = described.get(name, {})
        arn = known.get("DeliveryStreamARN") or own_arn(answers, "firehose", f"deliverystream/{name}")
        source = known.get("Source", {}).get("KinesisStreamSourceDescription", {}).get("KinesisStreamARN")
        destinations = _destinations(known)
        facts = {"destination": min(destinations, default=None), "source": source}
        resources.append(resource(answers, service="firehose", name=name, arn=arn, facts=facts))
        found += links(source, [arn], "reads") if source else []
        for destination in destinations.values():
            found += links(arn, _transformers(destination), "invokes")
            found += links(arn, [destination.get("BucketARN")], "delivers")
    return Found(tuple(resources), tuple(found))


def _stream_facts(stream: Json, consumers: list[Json]) -> Json:
    hours = stream.get("RetentionPeriodHours")
    return {
        "on_demand": stream.get("StreamModeDetails", {}).get("StreamMode") == "ON_DEMAND",
        "retention_s": None if hours is None else hours * 3600,
        "shards": stream.get("OpenShardCount"),
        "consumers": tuple(sorted(consumer["ConsumerName"] for consumer in consumers)),
    }


def _subscriber(subscription: Json) -> list[Link]:
    endpoint = subscription.get("Endpoint", "")
    kind = {"lambda": "invokes", "sqs": "notifies", "firehose": "notifies"}.get(service_of(endpoint))
    return links(subscription["TopicArn"], [endpoint], kind) if kind else []


def _destinations(stream: Json) -> dict[str, Json]:
    """What describes each destination, by the word that its metrics begin with after `DeliveryTo`."""
    return {
        word: description[member]
        for description in stream.get("Destinations", ())
        for member, word in _DESTINATIONS.items()
        if member in description
    }


def _transformers(description: Json) -> list[str]:
    return [
        parameter["ParameterValue"]
        for processor in description.get("ProcessingConfiguration", {}).get("Processors", ())
        for parameter in processor.get("Parameters", ())
        if parameter.get("ParameterName") == "LambdaArn"
    ]


def _dead_letter(attributes: Json) -> str | None:
    """The target of a RedrivePolicy, which SQS and SNS alike keep as JSON in a string."""
    text = attributes.get("RedrivePolicy")
    if not text:
        return None
    try:
        policy = json.loads(text)
    except ValueError:
        return None
    target = policy.get("deadLetterTargetArn") if isinstance(policy, dict) else None
    return target if isinstance(target, str) else None


def _whole(attributes: Json, key: str) -> int | None:
    text = str(attributes.get(key, ""))
    return int(text) if text.isdecimal() else None
