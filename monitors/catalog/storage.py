"""Rows: DynamoDB tables and indexes, S3 buckets.

Metrics: "DynamoDB metrics and dimensions" (Amazon DynamoDB Developer Guide), "Metrics and dimensions" (Amazon S3 User
Guide). Levels: "Recommended alarms" (Amazon CloudWatch User Guide) or as the reason says.
"""

from functools import partial

from monitors.catalog.rows import ANY, Fixed, Learned, Rule, Service, equal, has, published
from monitors.catalog.shapes import in_use, throttled, traffic, unusual
from monitors.model import Severity

SERVICES = (
    Service(id="dynamodb", title="DynamoDB table"),
    Service(id="s3", title="S3 bucket", uncovered="without request metrics a bucket publishes only daily sizes"),
)

_CAPACITY = "ConsumedReadCapacityUnits ConsumedWriteCapacityUnits ReadThrottleEvents WriteThrottleEvents"
_PROVISIONED = "ProvisionedReadCapacityUnits ProvisionedWriteCapacityUnits"
_PROVISIONED_ONLY = (equal("billing", "provisioned"),)
_INDEXED = (has("indexes"),)

_table = partial(published, "dynamodb", namespace="AWS/DynamoDB", dimensions={"TableName": "{name}"})
_index = partial(
    published,
    "dynamodb",
    namespace="AWS/DynamoDB",
    dimensions={"TableName": "{name}", "GlobalSecondaryIndexName": "{indexes}"},
    prefix="index/",
)
_operation = partial(
    published, "dynamodb", namespace="AWS/DynamoDB", dimensions={"TableName": "{name}", "Operation": ANY}
)
_replica = partial(
    published,
    "dynamodb",
    namespace="AWS/DynamoDB",
    dimensions={"TableName": "{name}", "ReceivingRegion": "{replicas}"},
    when=(has("replicas"),),
)
_dynamodb_account = partial(published, "account", namespace="AWS/DynamoDB", dimensions={})
_requests = partial(
    published,
    "s3",
    namespace="AWS/S3",
    dimensions={"BucketName": "{name}", "FilterId": "{request_metrics_filters}"},
    when=(has("request_metrics_filters"),),
)

METRICS = (
    *_table(_CAPACITY, statistic="Sum"),
    *_table(_PROVISIONED, statistic="Average", when=_PROVISIONED_ONLY),
    *_table("ConditionalCheckFailedRequests TransactionConflict TimeToLiveDeletedItemCount", statistic="Sum"),
    *_index(_CAPACITY, statistic="Sum", when=_INDEXED),
    *_index(_PROVISIONED, statistic="Average", when=(*_INDEXED, *_PROVISIONED_ONLY)),
    *_operation("ThrottledRequests SystemErrors ReturnedItemCount", statistic="Sum"),
    *_operation("SuccessfulRequestLatency", statistic="Average", unit="Milliseconds"),
    *_replica("ReplicationLatency", statistic="Average", unit="Milliseconds"),
    *_replica("PendingReplicationCount", statistic="Average"),
    *_dynamodb_account("UserErrors", statistic="Sum"),
    *_dynamodb_account(
        "AccountProvisionedReadCapacityUtilization AccountProvisionedWriteCapacityUtilization",
        statistic="Maximum",
        unit="Percent",
    ),
    *_requests(
        "AllRequests GetRequests PutRequests DeleteRequests HeadRequests PostRequests ListRequests",
        statistic="Sum",
    ),
    *_requests("4xxErrors 5xxErrors", statistic="Average"),
    *_requests("BytesDownloaded BytesUploaded", statistic="Sum", unit="Bytes"),
    *_requests("FirstByteLatency TotalRequestLatency", statistic="p95", unit="Milliseconds"),
    *published(
        "s3",
        "BucketSizeBytes NumberOfObjects",
        namespace="AWS/S3",
        dimensions={"BucketName": "{name}", "StorageType": ANY},
        statistic="Average",
    ),
)

RULES = (
    Rule(
        id="dynamodb.replication_latency",
        title="Replication falls behind",
        metrics=("ReplicationLatency",),
        unit="ms",
        high=Learned(default=Fixed(180_000), floor=Fixed(60_000)),
        datapoints=15,
        periods=15,
        severity=Severity.TICKET,
        reason="What is written here takes this long to reach a replica in another Region; usually it is seconds. "
        "Readers there see old data.",
    ),
    *(
        Rule(
            id=f"account.dynamodb_{what}_capacity",
            title=f"DynamoDB {what} capacity of the account in use",
            metrics=(metric,),
            unit="% of the account's quota",
            high=Fixed(80),
            period_s=300,
            datapoints=2,
            periods=2,
            severity=Severity.TICKET,
            opt_in=True,
            reason=f"Four fifths of the {what} capacity that the account may provision in this Region are; beyond the "
            "quota tables can be neither made nor scaled up.",
        )
        for what, metric in (
            ("read", "AccountProvisionedReadCapacityUtilization"),
            ("write", "AccountProvisionedWriteCapacityUtilization"),
        )
    ),
    throttled(
        "dynamodb.read_throttles",
        "ReadThrottleEvents",
        title="Reads throttled",
        reason="DynamoDB refuses reads minute after minute: capacity is used up, or one key is hot.",
    ),
    throttled(
        "dynamodb.write_throttles",
        "WriteThrottleEvents",
        title="Writes throttled",
        reason="DynamoDB refuses writes minute after minute: capacity is used up, or one key is hot.",
    ),
    throttled(
        "dynamodb.index_read_throttles",
        "index/ReadThrottleEvents",
        title="Index reads throttled",
        reason="DynamoDB refuses reads of the index: its own capacity is used up, or one key is hot.",
    ),
    throttled(
        "dynamodb.index_write_throttles",
        "index/WriteThrottleEvents",
        title="Index writes throttled",
        reason="Writes to the index are throttled, and with them writes to the table itself.",
    ),
    in_use(
        "dynamodb.read_capacity",
        "ConsumedReadCapacityUnits",
        "ProvisionedReadCapacityUnits",
        title="Read capacity in use",
        unit="% of provisioned capacity",
        reason="Four fifths of the provisioned capacity are in use; beyond it requests are throttled.",
    ),
    in_use(
        "dynamodb.write_capacity",
        "ConsumedWriteCapacityUnits",
        "ProvisionedWriteCapacityUnits",
        title="Write capacity in use",
        unit="% of provisioned capacity",
        reason="Four fifths of the provisioned capacity are in use; beyond it requests are throttled.",
    ),
    traffic(
        "dynamodb.reads",
        "ConsumedReadCapacityUnits",
        title="Reads",
        unit="read units in 5 minutes",
        reason="Far fewer or far more reads than usual: a caller has stopped, or scans.",
    ),
    traffic(
        "dynamodb.writes",
        "ConsumedWriteCapacityUnits",
        title="Writes",
        unit="write units in 5 minutes",
        reason="Far fewer or far more writes than usual: a producer has stopped, or repeats itself.",
    ),
    unusual(
        "dynamodb.conditional_checks",
        "ConditionalCheckFailedRequests",
        title="Failed conditional writes",
        unit="requests in 5 minutes",
        reason="More conditional writes fail than usual: contention, or two writers that undo each other.",
    ),
    unusual(
        "dynamodb.transaction_conflicts",
        "TransactionConflict",
        title="Transaction conflicts",
        unit="conflicts in 5 minutes",
        reason="More transactions collide than usual: contention on the same items.",
    ),
    unusual(
        "account.dynamodb_user_errors",
        "UserErrors",
        title="DynamoDB requests refused as invalid",
        unit="requests in 5 minutes",
        opt_in=True,
        reason="DynamoDB refuses requests of this account as invalid, more than usual: often a deploy gone wrong. The "
        "metric names no table.",
    ),
    Rule(
        id="s3.4xx",
        title="Client errors",
        metrics=("4xxErrors",),
        unit="of all requests (0.05 is 5 %)",
        high=Learned(default=Fixed(0.05)),
        datapoints=15,
        periods=15,
        severity=Severity.TICKET,
        reason="More than one request in twenty is refused: permissions, or keys that do not exist.",
    ),
    Rule(
        id="s3.5xx",
        title="Server errors",
        metrics=("5xxErrors",),
        unit="of all requests (0.05 is 5 %)",
        high=Learned(default=Fixed(0.05)),
        datapoints=15,
        periods=15,
        severity=Severity.PAGE,
        reason="More than one request in twenty fails at S3's end: too many requests on one prefix, or an outage.",
    ),
    unusual(
        "s3.latency",
        "TotalRequestLatency",
        title="Request latency, 95th percentile",
        unit="ms",
        reason="Requests take longer than they used to.",
    ),
)
