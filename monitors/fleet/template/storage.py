"""DynamoDB, S3, ElastiCache and CloudWatch Logs resources in a template -> what their APIs will answer. Pure."""

from collections.abc import Iterator, Sequence

from monitors.fleet.answers import own_arn
from monitors.fleet.template.said import Declared, Said, Saying, Under, left_open, some, tagged

# Member of NotificationConfiguration and its target in a template -> the same in S3's API.
_NOTIFICATIONS = (
    ("LambdaConfigurations", "Function", "LambdaFunctionConfigurations", "LambdaFunctionArn"),
    ("QueueConfigurations", "Queue", "QueueConfigurations", "QueueArn"),
    ("TopicConfigurations", "Topic", "TopicConfigurations", "TopicArn"),
)
_CAPACITY = {"read_capacity": ("ReadCapacityUnits", ""), "write_capacity": ("WriteCapacityUnits", "")}


def table(one: Declared) -> Saying:
    """AWS::DynamoDB::Table."""
    own = one.properties
    throughput = own.group("ProvisionedThroughput")
    units = {key: throughput.whole(key) for key in ("ReadCapacityUnits", "WriteCapacityUnits")}
    yield from _table(one, throughput=some(units), has_stream=bool(own.get("StreamSpecification")))
    yield from left_open(one._replace(properties=throughput), _CAPACITY)
    yield from tagged(one)


def global_table(one: Declared) -> Saying:
    """AWS::DynamoDB::GlobalTable: its tags stand with its replicas. Its stream is there where it has replicas."""
    own = one.properties
    replicas = own.many("Replicas")
    regions = {replica.text("Region") for replica in replicas} - {""}
    elsewhere = regions - {one.answers.region} if one.answers.region in regions else set()
    has_stream = bool(own.get("StreamSpecification")) or len(replicas) > 1
    yield from _table(one, throughput={}, has_stream=has_stream, replicas=sorted(elsewhere))
    own_tags = next((replica for replica in replicas if replica.get("Tags")), own)
    yield from tagged(one._replace(properties=own_tags))


def bucket(one: Declared) -> Saying:
    """AWS::S3::Bucket."""
    own = one.properties
    parent = {"Name": one.name}
    yield Said("s3:ListBuckets", {"Name": one.name, "BucketArn": one.arn})
    for each in own.many("MetricsConfigurations"):
        yield Said("s3:ListBucketMetricsConfigurations", {"Id": each.text("Id")}, parent)
    notifications = own.group("NotificationConfiguration")
    item = {
        member: [{key: each.text(target)} for each in notifications.many(declared)]
        for declared, target, member, key in _NOTIFICATIONS
    }
    if found := some(item):
        yield Said("s3:GetBucketNotificationConfiguration", found, parent)
    yield from tagged(one)


def log_group(one: Declared) -> Saying:
    """AWS::Logs::LogGroup."""
    own = one.properties
    item = {
        "logGroupName": one.name,
        "logGroupArn": one.arn,
        "retentionInDays": own.whole("RetentionInDays"),
        "logGroupClass": own.text("LogGroupClass"),
    }
    yield Said("logs:DescribeLogGroups", some(item))
    yield from left_open(one, {"retention_days": ("RetentionInDays", "")})
    yield from tagged(one)


def metric_filter(one: Declared) -> Saying:
    """AWS::Logs::MetricFilter."""
    own = one.properties
    item = {"filterName": own.text("FilterName") or f"${{{one.id}}}", "logGroupName": own.text("LogGroupName")}
    yield Said("logs:DescribeMetricFilters", item)


def subscription_filter(one: Declared) -> Saying:
    """AWS::Logs::SubscriptionFilter."""
    own = one.properties
    item = {"filterName": own.text("FilterName") or f"${{{one.id}}}", "destinationArn": own.text("DestinationArn")}
    yield Said("logs:DescribeSubscriptionFilters", some(item), {"logGroupName": own.text("LogGroupName")})


def cache(one: Declared) -> Saying:
    """AWS::ElastiCache::CacheCluster."""
    own = one.properties
    yield _cluster(one, one.name, nodes=own.whole("NumCacheNodes") or 0, topic=own.text("NotificationTopicArn"))
    yield from tagged(one)


def replication_group(one: Declared) -> Saying:
    """AWS::ElastiCache::ReplicationGroup, and the clusters of one node each that ElastiCache makes for it."""
    own = one.properties
    members = list(_members(one))
    item = {
        "ReplicationGroupId": one.name,
        "ARN": one.arn,
        "MemberClusters": members,
        "AutomaticFailover": "enabled" if own.true("AutomaticFailoverEnabled") else "disabled",
        "MultiAZ": "enabled" if own.true("MultiAZEnabled") else "disabled",
    }
    yield Said("elasticache:DescribeReplicationGroups", item)
    for name in members:
        yield _cluster(one, name, nodes=1, topic=own.text("NotificationTopicArn"), group=one.name)
        yield Under(own_arn(one.answers, "elasticache", f"cluster:{name}"))
    yield from tagged(one)


def _cluster(one: Declared, name: str, *, nodes: int, topic: str, group: str = "") -> Said:
    own = one.properties
    item = {
        "CacheClusterId": name,
        "ARN": own_arn(one.answers, "elasticache", f"cluster:{name}"),
        "Engine": own.text("Engine"),
        "CacheNodeType": own.text("CacheNodeType"),
        "CacheNodes": [{"CacheNodeId": f"{number:04}"} for number in range(1, nodes + 1)],
        "ReplicationGroupId": group,
        "NotificationConfiguration": some({"TopicArn": topic}),
    }
    return Said("elasticache:DescribeCacheClusters", some(item))


def _members(one: Declared) -> Iterator[str]:
    """`<group>-001` ..., or `<group>-0001-001` ... where it has shards."""
    own = one.properties
    shards, replicas = own.whole("NumNodeGroups"), own.whole("ReplicasPerNodeGroup")
    if shards is not None:
        for shard in range(1, shards + 1):
            yield from (f"{one.name}-{shard:04}-{number:03}" for number in range(1, (replicas or 0) + 2))
        return
    count = own.whole("NumCacheClusters") or (replicas or 0) + 1
    yield from (f"{one.name}-{number:03}" for number in range(1, count + 1))


def _table(one: Declared, *, throughput: dict[str, int], has_stream: bool, replicas: Sequence[str] = ()) -> Saying:
    indexes = [{"IndexName": each.text("IndexName")} for each in one.properties.many("GlobalSecondaryIndexes")]
    item = {
        "TableArn": one.arn,
        "BillingModeSummary": some({"BillingMode": one.properties.text("BillingMode")}),
        "StreamSpecification": some({"StreamEnabled": has_stream or None}),
        "GlobalSecondaryIndexes": indexes,
        "ProvisionedThroughput": throughput,
        "Replicas": [{"RegionName": region} for region in replicas],
    }
    yield Said("dynamodb:ListTables", one.name)
    yield Said("dynamodb:DescribeTable", some(item), one.name)
