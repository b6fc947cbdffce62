"""Answers of DynamoDB, S3, ElastiCache and CloudWatch Logs -> tables, buckets, caches, log groups; what they feed."""

from collections import defaultdict
from collections.abc import Mapping

from monitors.fleet.answers import Answers, Found, Json, by_parent, items, links, own_arn, resource, told
from monitors.model import Link, Resource


def tables(answers: Answers) -> Found:
    """Every DynamoDB table. How it is billed, streamed and indexed only where DescribeTable told."""
    described = told(answers, "dynamodb:DescribeTable")
    resources: list[Resource] = []
    for name in items(answers, "dynamodb:ListTables"):
        known = described.get(name, {})
        arn = known.get("TableArn") or own_arn(answers, "dynamodb", f"table/{name}")
        facts = _table_facts(known) if known else {}
        resources.append(resource(answers, service="dynamodb", name=name, arn=arn, facts=facts))
    return Found(tuple(resources))


def buckets(answers: Answers) -> Found:
    """Every S3 bucket of the Region, with the ids of its request-metric filters."""
    metrics = by_parent(answers, "s3:ListBucketMetricsConfigurations", "Name")
    notifications = by_parent(answers, "s3:GetBucketNotificationConfiguration", "Name")
    resources: list[Resource] = []
    found: list[Link] = []
    for bucket in items(answers, "s3:ListBuckets"):
        name = bucket["Name"]
        arn = bucket.get("BucketArn") or f"arn:{answers.partition}:s3:::{name}"
        facts = {"request_metrics_filters": tuple(sorted(config["Id"] for config in metrics.get(name, [])))}
        resources.append(resource(answers, service="s3", name=name, arn=arn, facts=facts))
        for known in notifications.get(name, []):
            found += _notified(arn, known, "LambdaFunctionConfigurations", "LambdaFunctionArn", "invokes")
            found += _notified(arn, known, "QueueConfigurations", "QueueArn", "notifies")
            found += _notified(arn, known, "TopicConfigurations", "TopicArn", "notifies")
    return Found(tuple(resources), tuple(found))


def log_groups(answers: Answers) -> Found:
    """Every log group, and links to what its subscription filters feed."""
    filters = by_parent(answers, "logs:DescribeSubscriptionFilters", "logGroupName")
    metric_filters = _metric_filters(answers)
    resources: list[Resource] = []
    found: list[Link] = []
    for group in items(answers, "logs:DescribeLogGroups"):
        name = group["logGroupName"]
        arn = group.get("logGroupArn") or own_arn(answers, "logs", f"log-group:{name}")
        subscriptions = filters.get(name, [])
        facts = {
            "retention_days": group.get("retentionInDays"),
            "log_class": group.get("logGroupClass", "STANDARD"),
            "stored_bytes": group.get("storedBytes"),
            "metric_filters": max(group.get("metricFilterCount", 0), len(metric_filters[name])),
            "metric_filter_names": _all_of(metric_filters[name], group.get("metricFilterCount", 0)),
            "subscription_filters": tuple(sorted(one["filterName"] for one in subscriptions)),
        }
        resources.append(resource(answers, service="logs", name=name, arn=arn, facts=facts))
        found += links(arn, [one.get("destinationArn") for one in subscriptions], "delivers")
    return Found(tuple(resources), tuple(found))


def caches(answers: Answers) -> Found:
    """Every ElastiCache cluster with the ids of its nodes, and links to the topics that hear of its events."""
    resources: list[Resource] = []
    found: list[Link] = []
    for cluster in items(answers, "elasticache:DescribeCacheClusters"):
        name = cluster["CacheClusterId"]
        arn = cluster.get("ARN") or own_arn(answers, "elasticache", f"cluster:{name}")
        facts = {
            "engine": cluster.get("Engine"),
            "node_type": cluster.get("CacheNodeType"),
            "nodes": tuple(sorted(node["CacheNodeId"] for node in cluster.get("CacheNodes", ()))),
            "replication_group": cluster.get("ReplicationGroupId") or None,
        }
        resources.append(resource(answers, service="elasticache", name=name, arn=arn, facts=facts))
        found += links(arn, [cluster.get("NotificationConfiguration", {}).get("TopicArn")], "notifies")
    return Found(tuple(resources), tuple(found))


def replication_groups(answers: Answers) -> Found:
    """Every ElastiCache replication group, with the clusters it is made of."""
    resources: list[Resource] = []
    for group in items(answers, "elasticache:DescribeReplicationGroups"):
        name = group["ReplicationGroupId"]
        arn = group.get("ARN") or own_arn(answers, "elasticache", f"replicationgroup:{name}")
        facts = {
            "clusters": tuple(sorted(group.get("MemberClusters", ()))),
            "automatic_failover": group.get("AutomaticFailover") == "enabled",
            "multi_az": group.get("MultiAZ") == "enabled",
        }
        resources.append(resource(answers, service="elasticache_group", name=name, arn=arn, facts=facts))
    return Found(tuple(resources))


def _metric_filters(answers: Answers) -> Mapping[str, list[str]]:
    """The names of metric filters by their log group."""
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for one in items(answers, "logs:DescribeMetricFilters"):
        grouped[one["logGroupName"]].append(one["filterName"])
    return grouped


def _all_of(names: list[str], count: int) -> tuple[str, ...] | None:
    """The names, if they are as many as there are known to be."""
    return tuple(sorted(names)) if len(names) >= count else None


def _table_facts(table: Json) -> Json:
    """A table without a BillingModeSummary has been provisioned ever since it was made (DescribeTable)."""
    on_demand = table.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST"
    throughput = {} if on_demand else table.get("ProvisionedThroughput", {})
    return {
        "billing": "on_demand" if on_demand else "provisioned",
        "has_stream": bool(table.get("StreamSpecification", {}).get("StreamEnabled")),
        "indexes": tuple(sorted(index["IndexName"] for index in table.get("GlobalSecondaryIndexes", ()))),
        "replicas": tuple(sorted(one["RegionName"] for one in table.get("Replicas", ()) if one.get("RegionName"))),
        "read_capacity": throughput.get("ReadCapacityUnits"),
        "write_capacity": throughput.get("WriteCapacityUnits"),
    }


def _notified(bucket: str, known: Json, member: str, key: str, kind: str) -> list[Link]:
    return links(bucket, [configuration.get(key) for configuration in known.get(member, ())], kind)
