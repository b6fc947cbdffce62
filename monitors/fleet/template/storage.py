"""DynamoDB, S3 and CloudWatch Logs resources in a template -> what their APIs will answer. Pure."""

from monitors.fleet.template.said import Declared, Said, Saying, left_open, some, tagged

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
    yield from _table(one, throughput={}, has_stream=bool(own.get("StreamSpecification")) or len(replicas) > 1)
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


def subscription_filter(one: Declared) -> Saying:
    """AWS::Logs::SubscriptionFilter."""
    own = one.properties
    item = {"filterName": own.text("FilterName") or f"${{{one.id}}}", "destinationArn": own.text("DestinationArn")}
    yield Said("logs:DescribeSubscriptionFilters", some(item), {"logGroupName": own.text("LogGroupName")})


def _table(one: Declared, *, throughput: dict[str, int], has_stream: bool) -> Saying:
    indexes = [{"IndexName": each.text("IndexName")} for each in one.properties.many("GlobalSecondaryIndexes")]
    item = {
        "TableArn": one.arn,
        "BillingModeSummary": some({"BillingMode": one.properties.text("BillingMode")}),
        "StreamSpecification": some({"StreamEnabled": has_stream or None}),
        "GlobalSecondaryIndexes": indexes,
        "ProvisionedThroughput": throughput,
    }
    yield Said("dynamodb:ListTables", one.name)
    yield Said("dynamodb:DescribeTable", some(item), one.name)
