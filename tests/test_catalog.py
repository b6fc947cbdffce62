"""Contract of the catalog: every row is one that AWS documents, and every rule makes an alarm that AWS takes."""

import re

import botocore.session
import pytest
from botocore.validate import ParamValidator

from infra import resources
from monitors import quotas
from monitors.catalog.rows import (
    ANY,
    Condition,
    Metric,
    Rule,
    dimension_sets,
    equal,
    has,
    holds,
    published,
    unequal,
)
from monitors.catalog.tables import CATALOG
from monitors.model import Alarm, Fact, Fleet, Resource
from monitors.plan import plan
from monitors.settings import Override, Settings

CLOUDWATCH = botocore.session.get_session().get_service_model("cloudwatch")
PUT = CLOUDWATCH.operation_model("PutMetricAlarm").input_shape

LAMBDA_COUNTS = """Invocations Errors Throttles DeadLetterErrors DestinationDeliveryFailures OversizedRecordCount
    ProvisionedConcurrencyInvocations ProvisionedConcurrencySpilloverInvocations RecursiveInvocationsDropped
    AsyncEventsReceived AsyncEventsDropped AsyncEventAge Duration PostRuntimeExtensionsDuration IteratorAge
    ConcurrentExecutions ProvisionedConcurrentExecutions UrlRequestCount Url4xxCount Url5xxCount UrlRequestLatency"""
CAPACITY = """ConsumedReadCapacityUnits ConsumedWriteCapacityUnits ProvisionedReadCapacityUnits
    ProvisionedWriteCapacityUnits ReadThrottleEvents WriteThrottleEvents"""
REST = "Count 4XXError 5XXError Latency IntegrationLatency CacheHitCount CacheMissCount"
HTTP = "Count 4xx 5xx Latency IntegrationLatency DataProcessed"
WEBSOCKET = "ConnectCount MessageCount IntegrationError ClientError ExecutionError IntegrationLatency"
EVENTS = """Invocations FailedInvocations TriggeredRules MatchedEvents ThrottledRules DeadLetterInvocations
    InvocationAttempts SuccessfulInvocationAttempts RetryInvocationAttempts InvocationsCreated InvocationsSentToDlq
    InvocationsFailedToBeSentToDlq"""

PIPES = """Invocations EventCount EventSize Duration Concurrency ExecutionThrottled ExecutionTimeout ExecutionFailed
    ExecutionPartiallyFailed EnrichmentStageDuration EnrichmentStageFailed TargetStageDuration TargetStageFailed
    TargetStagePartiallyFailed TargetStageSkipped"""

DOCUMENTED: tuple[tuple[str, str, str], ...] = (
    # (namespace, dimensions, metrics), written down from the pages that the catalog's files name
    ("AWS/Lambda", "FunctionName", LAMBDA_COUNTS + " SignatureValidationErrors"),
    ("AWS/Lambda", "FunctionName Resource", LAMBDA_COUNTS + " ProvisionedConcurrencyUtilization"),
    ("AWS/Lambda", "FunctionName Resource ExecutedVersion", LAMBDA_COUNTS + " ProvisionedConcurrencyUtilization"),
    (
        "AWS/Lambda",
        "",
        """Invocations Errors Throttles Duration ConcurrentExecutions UnreservedConcurrentExecutions
        ClaimedAccountConcurrency RecursiveInvocationsDropped""",
    ),
    (
        "Lookout/Lambda",
        "FunctionName",
        """Timeouts OutOfMemory ColdStarts LogErrors Duration BilledDuration EstimatedCost InitDuration RestoreDuration
        MaxMemoryUsed MemoryUsedPercent""",
    ),
    (
        "AWS/SQS",
        "QueueName",
        """ApproximateAgeOfOldestMessage ApproximateNumberOfMessagesVisible ApproximateNumberOfMessagesNotVisible
        ApproximateNumberOfMessagesDelayed NumberOfMessagesSent NumberOfMessagesReceived NumberOfMessagesDeleted
        NumberOfEmptyReceives SentMessageSize ApproximateNumberOfGroupsWithInflightMessages
        NumberOfDeduplicatedSentMessages""",
    ),
    (
        "AWS/SNS",
        "TopicName",
        """NumberOfMessagesPublished NumberOfNotificationsDelivered NumberOfNotificationsFailed
        NumberOfNotificationsFilteredOut NumberOfNotificationsFilteredOut-MessageAttributes
        NumberOfNotificationsFilteredOut-MessageBody NumberOfNotificationsFilteredOut-InvalidAttributes
        NumberOfNotificationsFilteredOut-NoMessageAttributes NumberOfNotificationsFilteredOut-InvalidMessageBody
        NumberOfNotificationsRedrivenToDlq NumberOfNotificationsFailedToRedriveToDlq PublishSize""",
    ),
    (
        "AWS/DynamoDB",
        "TableName",
        CAPACITY + " ConditionalCheckFailedRequests TransactionConflict TimeToLiveDeletedItemCount",
    ),
    ("AWS/DynamoDB", "TableName GlobalSecondaryIndexName", CAPACITY),
    (
        "AWS/DynamoDB",
        "TableName Operation",
        "ThrottledRequests SystemErrors ReturnedItemCount SuccessfulRequestLatency",
    ),
    ("AWS/DynamoDB", "TableName ReceivingRegion", "ReplicationLatency PendingReplicationCount"),
    (
        "AWS/DynamoDB",
        "",
        "UserErrors AccountProvisionedReadCapacityUtilization AccountProvisionedWriteCapacityUtilization",
    ),
    (
        "AWS/S3",
        "BucketName FilterId",
        """AllRequests GetRequests PutRequests DeleteRequests HeadRequests PostRequests ListRequests 4xxErrors
        5xxErrors BytesDownloaded BytesUploaded FirstByteLatency TotalRequestLatency""",
    ),
    ("AWS/S3", "BucketName StorageType", "BucketSizeBytes NumberOfObjects"),
    ("AWS/Kinesis", "StreamName ConsumerName", "SubscribeToShardEvent.MillisBehindLatest"),
    (
        "AWS/Kinesis",
        "StreamName",
        """GetRecords.IteratorAgeMilliseconds GetRecords.Success GetRecords.Records GetRecords.Bytes
        GetRecords.Latency PutRecord.Success PutRecord.Bytes PutRecord.Latency PutRecords.Success
        PutRecords.Bytes PutRecords.Latency PutRecords.TotalRecords PutRecords.SuccessfulRecords
        PutRecords.FailedRecords PutRecords.ThrottledRecords IncomingRecords IncomingBytes
        ReadProvisionedThroughputExceeded WriteProvisionedThroughputExceeded""",
    ),
    (
        "AWS/Firehose",
        "DeliveryStreamName",
        """IncomingRecords IncomingPutRequests IncomingBytes ThrottledRecords BytesPerSecondLimit
        RecordsPerSecondLimit PutRequestsPerSecondLimit DeliveryToS3.DataFreshness
        DeliveryToAmazonOpenSearchService.DataFreshness DeliveryToAmazonOpenSearchServerless.DataFreshness
        DeliveryToElasticsearch.DataFreshness DeliveryToHttpEndpoint.DataFreshness
        DeliveryToIceberg.DataFreshness DeliveryToSnowflake.DataFreshness DeliveryToSplunk.DataFreshness""",
    ),
    ("AWS/ApiGateway", "ApiName", REST),
    ("AWS/ApiGateway", "ApiName Stage", REST),
    ("AWS/ApiGateway", "ApiName Stage Resource Method", REST),
    ("AWS/ApiGateway", "ApiId", HTTP),
    ("AWS/ApiGateway", "ApiId Stage", f"{HTTP} {WEBSOCKET}"),
    ("AWS/ApiGateway", "ApiId Stage Resource Method", HTTP),
    ("AWS/Events", "RuleName", EVENTS),
    ("AWS/Events", "EventBusName RuleName", EVENTS),
    (
        "AWS/Scheduler",
        "ScheduleGroup",
        """InvocationAttemptCount TargetErrorCount TargetErrorThrottledCount InvocationThrottleCount
        InvocationDroppedCount InvocationsSentToDeadLetterCount InvocationsFailedToBeSentToDeadLetterCount
        InvocationsSentToDeadLetterCount_Truncated_MessageSizeExceeded""",
    ),
    (
        "AWS/States",
        "StateMachineArn",
        """ExecutionsStarted ExecutionsSucceeded ExecutionsFailed ExecutionsAborted ExecutionsTimedOut
        ExecutionThrottled ExecutionTime ExecutionsRedriven RedrivenExecutionsSucceeded RedrivenExecutionsFailed
        RedrivenExecutionsAborted RedrivenExecutionsTimedOut ExpressExecutionMemory
        ExpressExecutionBilledDuration ExpressExecutionBilledMemory""",
    ),
    ("AWS/EventBridge/Pipes", "PipeName", PIPES),
    (
        "AWS/Lambda",
        "EventSourceMappingUUID",
        """PolledEventCount FilteredOutEventCount InvokedEventCount FailedInvokeEventCount DroppedEventCount
        OnFailureDestinationDeliveredEventCount DeletedEventCount CommittedEventCount PollingErrorCount
        InvokeErrorCount OnFailureDestinationDeliveryErrorCount SchemaRegistryErrorCount CommitErrorCount
        MaxOffsetLag SumOffsetLag ProvisionedPollers""",
    ),
    (
        "AWS/Lambda",
        "FunctionName",
        """ApproximateRunningDurableExecutions ApproximateRunningDurableExecutionsUtilization DurableExecutionStarted
        DurableExecutionStopped DurableExecutionSucceeded DurableExecutionFailed DurableExecutionTimedOut
        DurableExecutionOperations DurableExecutionStorageWrittenBytes DurableExecutionDuration""",
    ),
    (
        "LambdaInsights",
        "function_name",
        """memory_utilization cpu_total_time init_duration used_memory_max total_memory rx_bytes tx_bytes total_network
        tmp_used""",
    ),
    (
        "AWS/CloudFront",
        "DistributionId Region",
        """Requests BytesDownloaded BytesUploaded 4xxErrorRate 5xxErrorRate TotalErrorRate
        LambdaExecutionError LambdaValidationError LambdaLimitExceededErrors""",
    ),
    ("AWS/Usage", "Service Type Resource Class", "CallCount ThrottleCount"),
    (
        "AWS/CloudFront",
        "DistributionId FunctionName Region",
        """FunctionInvocations FunctionValidationErrors FunctionExecutionErrors FunctionThrottles
        FunctionComputeUtilization""",
    ),
    ("AWS/AppSync", "GraphQLAPIId", "4XXError 5XXError Latency"),
    (
        "AWS/Cognito",
        "UserPool UserPoolClient",
        """SignUpThrottles SignInThrottles TokenRefreshThrottles SignUpSuccesses SignInSuccesses
        TokenRefreshSuccesses""",
    ),
    ("AWS/Cognito", "UserPool UserPoolClient IdentityProvider", "FederationThrottles FederationSuccesses"),
    (
        "AWS/CodeBuild",
        "ProjectName",
        """Builds SucceededBuilds FailedBuilds Duration SubmittedDuration QueuedDuration ProvisioningDuration
        DownloadSourceDuration InstallDuration PreBuildDuration BuildDuration PostBuildDuration
        UploadArtifactsDuration FinalizingDuration""",
    ),
    ("AWS/CodePipeline", "PipelineName", "PipelineDuration FailedPipelineExecutions"),
    ("AWS/KMS", "KeyId", "SecondsUntilKeyMaterialExpiration"),
    (
        "AWS/ElastiCache",
        "CacheClusterId CacheNodeId",
        "CPUUtilization FreeableMemory SwapUsage CurrConnections Evictions NewConnections",
    ),
    (
        "AWS/ElastiCache",
        "CacheClusterId",
        """Evictions CacheHits CacheMisses EngineCPUUtilization DatabaseMemoryUsagePercentage ReplicationLag""",
    ),
    (
        "AWS/Logs",
        "LogGroupName",
        "IncomingLogEvents IncomingBytes EMFParsingErrors EMFValidationErrors TransformationErrors",
    ),
    (
        "AWS/Logs",
        "LogGroupName DestinationType FilterName",
        "ForwardedLogEvents DeliveryErrors DeliveryThrottling",
    ),
)

EVERY_FACT: dict[str, Fact] = {
    "timeout_ms": 30_000,
    "reserved_concurrency": 100,
    "concurrency_limit": 1_000,
    "retention_s": 345_600,
    "billing": "provisioned",
    "engine": "valkey",
    "type": "V2",
    "storage_mb": 512,
    "bus": "default",
    "destination": "S3",
    "stage": "live",
    "api_id": "a1b2c3",
    "api_name": "shop",
    "slo_budget": 0.1,
    "weighted_routes": ("live:1", "live:2"),
    "arn": "arn:aws:states:eu-west-1:123456789012:stateMachine:thing",
}
"""Facts that are values; those that only are there or not come from the rows' conditions."""


LISTS = (
    *(
        "aliases",
        "indexes",
        "request_metrics_filters",
        "provisioned_qualifiers",
        "cloudfront_functions",
        "clients",
        "nodes",
    ),
    *("event_count_mappings", "error_count_mappings", "kafka_metrics_mappings", "provisioned_mappings"),
)


class Known:
    high, low, basis = 40.0, 2.0, "two weeks"


def having(rule: Rule) -> Resource:
    """A resource that the rule applies to."""
    facts: dict[str, Fact] = dict(EVERY_FACT)
    metrics = [
        next(row for row in CATALOG.metrics if (row.service, row.id) == (rule.service, one)) for one in rule.metrics
    ]
    for condition in (*rule.when, *(one for row in metrics for one in row.when)):
        if condition.test == "has":
            facts.setdefault(condition.fact, True)
    facts |= dict.fromkeys(LISTS, ("first", "second"))
    facts |= {one.fact: False for one in rule.when if one.test == "lacks"}
    return Resource(service=rule.service, name="thing", id="arn:thing", facts=facts)


def alarms_of(rule: Rule) -> tuple[Alarm, ...]:
    fleet, settings = Fleet(resources=(having(rule),)), Settings(rules={rule.id: Override(enabled=True)})
    made = plan(fleet, settings, learned={(rule.id, "arn:thing"): Known()})
    return tuple(one for one in made.alarms if one.rule == rule.id)


def parameters(alarm: Alarm) -> dict[str, object]:
    (resource,) = resources.alarm(alarm, "arn:aws:sns:eu-west-1:123456789012:page").values()
    return dict(resource["Properties"])


def strings(shape: object, value: object) -> list[tuple[object, str]]:
    """(shape, value) of every string in a request, since botocore's validator looks at no enum and no pattern."""
    kind = shape.type_name  # type: ignore[attr-defined]
    if kind == "structure":
        return [pair for key, one in value.items() for pair in strings(shape.members[key], one)]  # type: ignore[attr-defined]
    if kind == "list":
        return [pair for one in value for pair in strings(shape.member, one)]  # type: ignore[attr-defined]
    return [(shape, value)] if isinstance(value, str) else []


@pytest.mark.parametrize("rule", CATALOG.rules, ids=lambda rule: rule.id)
def test_cloudwatch_takes_the_alarm_of_every_rule(rule: Rule) -> None:
    made = alarms_of(rule)
    assert made, "no alarm on a resource that has every fact and every learned level"
    for alarm in made:
        asked = parameters(alarm)
        errors = ParamValidator().validate(asked, PUT)
        assert not errors.has_errors(), errors.generate_report()
        for shape, value in strings(PUT, asked):
            assert not shape.enum or value in shape.enum, f"{shape.name}: {value}"  # type: ignore[attr-defined]
            longest = shape.metadata.get("max")  # type: ignore[attr-defined]
            assert longest is None or len(value) <= longest
        assert asked["TreatMissingData"] in ("breaching", "notBreaching", "ignore", "missing")
        assert ("Metrics" in asked) != ("MetricName" in asked)
        assert sum(query.returned for query in alarm.queries) == 1
        assert len([query for query in alarm.queries if query.metric]) <= quotas.ALARM_METRICS
        longest_s = quotas.ALARM_WINDOW_S if rule.period_s < 3600 else quotas.ALARM_LONG_WINDOW_S
        assert 1 <= alarm.datapoints <= alarm.periods <= longest_s // rule.period_s
        assert all(query.period_s == rule.period_s and query.period_s % 60 == 0 for query in alarm.queries)


@pytest.mark.parametrize("rule", CATALOG.rules, ids=lambda rule: rule.id)
def test_every_rule_can_be_told_by_its_row(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+", rule.id)
    assert rule.service in {one.id for one in CATALOG.services}
    assert rule.high or rule.low
    assert rule.reason.endswith((".", "!")), "a sentence for whoever is woken"
    named = set(re.findall(r"\bm\d+\b", rule.expression))
    assert named == ({f"m{number}" for number, _ in enumerate(rule.metrics, 1)} if rule.expression else set())
    assert rule.expression or len(rule.metrics) == 1


def test_no_id_stands_for_two_things() -> None:
    for ids in (
        [one.id for one in CATALOG.services],
        [*(one.id for one in CATALOG.rules), *(one.id for one in CATALOG.healths)],
    ):
        assert len(ids) == len(set(ids))


def test_rows_of_one_metric_id_exclude_each_other() -> None:
    rows: dict[tuple[str, str], list[Metric]] = {}
    for row in CATALOG.metrics:
        rows.setdefault((row.service, row.id), []).append(row)
    for same in rows.values():
        for number, one in enumerate(same):
            for other in same[number + 1 :]:
                assert any(excludes(a, b) for a in one.when for b in other.when), (one, other)


def excludes(one: Condition, other: Condition) -> bool:
    if one.fact != other.fact:
        return False
    kinds = {one.test, other.test}
    if kinds == {"equal"}:
        return one.value != other.value
    return kinds == {"equal", "unequal"} and one.value == other.value


@pytest.mark.parametrize("row", CATALOG.metrics, ids=lambda row: f"{row.service}/{row.id}")
def test_every_metric_is_published_under_these_dimensions(row: Metric) -> None:
    dimensions = {name for name, _ in row.dimensions}
    known = [
        set(names.split())
        for space, names, metrics in DOCUMENTED
        if space == row.namespace and row.name in metrics.split()
    ]
    assert dimensions in known
    assert row.unit in quotas.METRIC_UNITS
    assert row.statistic in resources.STATISTICS or re.fullmatch(r"p\d\d", row.statistic)


def test_units_are_those_of_the_api() -> None:
    assert set(quotas.METRIC_UNITS) == set(CLOUDWATCH.shape_for("StandardUnit").enum)


def resource(**facts: Fact) -> Resource:
    return Resource(service="x", name="thing", id="arn:x", facts=facts)


def row(**dimensions: str) -> Metric:
    return published("x", "M", namespace="N", dimensions=dimensions, statistic="Sum")[0]


def test_dimensions_are_filled_from_facts() -> None:
    found = dimension_sets(row(Name="{name}", Resource="{name}:{alias}", Kind="Lambda"), resource(alias="live"))
    assert found == (("", (("Name", "thing"), ("Resource", "thing:live"), ("Kind", "Lambda"))),)


def test_a_list_makes_one_set_for_each_member() -> None:
    found = dimension_sets(row(Name="{name}", Index="{indexes}"), resource(indexes=("a", "b")))
    assert found == (
        ("a", (("Name", "thing"), ("Index", "a"))),
        ("b", (("Name", "thing"), ("Index", "b"))),
    )


@pytest.mark.parametrize(
    ("dimensions", "facts"),
    [({"Bus": "{bus}"}, {}), ({"Bus": "{bus}"}, {"bus": ""}), ({"Index": "{i}"}, {"i": ()}), ({"Operation": ANY}, {})],
)
def test_what_is_not_known_has_no_dimensions(dimensions: dict[str, str], facts: dict[str, Fact]) -> None:
    assert dimension_sets(row(**dimensions), resource(**facts)) == ()


def test_a_metric_without_dimensions_has_one_empty_set() -> None:
    assert dimension_sets(row(), resource()) == (("", ()),)


@pytest.mark.parametrize(
    ("condition", "facts", "expected"),
    [
        (has("a"), {"a": True}, True),
        (has("a"), {"a": False}, False),
        (has("a"), {"a": ()}, False),
        (has("a"), {}, False),
        (equal("bus", "default"), {"bus": "default"}, True),
        (equal("bus", "default"), {}, False),
        (unequal("bus", "default"), {"bus": "orders"}, True),
        (unequal("bus", "default"), {"bus": "default"}, False),
        (unequal("bus", "default"), {}, False),
    ],
)
def test_conditions(condition: Condition, facts: dict[str, Fact], expected: bool) -> None:
    assert holds(condition, facts) is expected
