"""Rows: what a Lambda function publishes only if it is told to: event source mappings, Lambda Insights, durable runs.

Metrics: AWS Lambda Developer Guide, "Types of metrics for Lambda functions" (event source mapping metrics, durable
functions); Amazon CloudWatch User Guide, "Metrics collected by Lambda Insights". Levels: "Recommended alarms" (Amazon
CloudWatch User Guide) or as the reason says.
"""

from functools import partial

from monitors.catalog.rows import Fixed, Learned, Metric, Rule, Share, has, published
from monitors.catalog.shapes import never, share, unusual
from monitors.model import Severity

_BYTES_OF_MB = 1024 * 1024


def _mapping(fact: str, names: str, *, statistic: str = "Sum") -> tuple[Metric, ...]:
    """Metrics of the function's mappings that the fact lists."""
    return published(
        "lambda",
        names,
        namespace="AWS/Lambda",
        dimensions={"EventSourceMappingUUID": f"{{{fact}}}"},
        statistic=statistic,
        when=(has(fact),),
        prefix="mapping/",
    )


_insights = partial(
    published,
    "lambda",
    namespace="LambdaInsights",
    dimensions={"function_name": "{name}"},
    when=(has("insights"),),
    prefix="insights/",
)
_durable = partial(
    published, "lambda", namespace="AWS/Lambda", dimensions={"FunctionName": "{name}"}, when=(has("durable"),)
)

METRICS = (
    *_mapping(
        "event_count_mappings",
        "PolledEventCount FilteredOutEventCount InvokedEventCount FailedInvokeEventCount DroppedEventCount "
        "OnFailureDestinationDeliveredEventCount DeletedEventCount CommittedEventCount",
    ),
    *_mapping(
        "error_count_mappings",
        "PollingErrorCount InvokeErrorCount OnFailureDestinationDeliveryErrorCount SchemaRegistryErrorCount "
        "CommitErrorCount",
    ),
    *_mapping("kafka_metrics_mappings", "MaxOffsetLag SumOffsetLag", statistic="Maximum"),
    *_mapping("provisioned_mappings", "ProvisionedPollers", statistic="Maximum"),
    *_insights("memory_utilization", statistic="Average", unit="Percent"),
    *_insights("cpu_total_time init_duration", statistic="Maximum", unit="Milliseconds"),
    *_insights("used_memory_max total_memory", statistic="Maximum", unit="Megabytes"),
    *_insights("rx_bytes tx_bytes total_network tmp_used", statistic="Maximum", unit="Bytes"),
    *_durable("ApproximateRunningDurableExecutions", statistic="Maximum"),
    *_durable("ApproximateRunningDurableExecutionsUtilization", statistic="Maximum", unit="Percent"),
    *_durable(
        "DurableExecutionStarted DurableExecutionStopped DurableExecutionSucceeded DurableExecutionFailed "
        "DurableExecutionTimedOut DurableExecutionOperations",
        statistic="Sum",
    ),
    *_durable("DurableExecutionStorageWrittenBytes", statistic="Sum", unit="Bytes"),
    *_durable("DurableExecutionDuration", statistic="p95", unit="Milliseconds"),
)

RULES = (
    never(
        "lambda.mapping_dropped",
        "mapping/DroppedEventCount",
        title="Event source mapping drops events",
        unit="dropped events a minute",
        reason="Events are given up after all retries, with no destination for failures to keep them: lost.",
    ),
    share(
        "lambda.mapping_failures",
        "mapping/FailedInvokeEventCount",
        "mapping/InvokedEventCount",
        title="Event source mapping, failed events",
        unit="% of events failed",
        severity=Severity.PAGE,
        reason="A good part of the events that the mapping hands over fails, and is retried or given up.",
    ),
    unusual(
        "lambda.mapping_polling",
        "mapping/PollingErrorCount",
        title="Event source mapping cannot poll",
        unit="errors in 5 minutes",
        default=Fixed(0),
        severity=Severity.PAGE,
        reason="Lambda cannot read from the source: credentials, network or the broker. No event arrives meanwhile.",
    ),
    unusual(
        "lambda.offset_lag",
        "mapping/MaxOffsetLag",
        title="Kafka reading falls behind",
        unit="records",
        reason="More records than usual wait in a partition: the function is too slow, or one record holds it up.",
    ),
    Rule(
        id="lambda.insights_memory",
        title="Memory in use, by Lambda Insights",
        metrics=("insights/memory_utilization",),
        unit="% of its memory",
        high=Fixed(90),
        datapoints=10,
        periods=10,
        severity=Severity.TICKET,
        reason="The function nearly fills its memory: at its limit the process is killed in the middle of its work.",
    ),
    Rule(
        id="lambda.tmp_used",
        title="Space in /tmp, by Lambda Insights",
        metrics=("insights/tmp_used",),
        unit="bytes",
        high=Share(0.9 * _BYTES_OF_MB, "storage_mb"),
        datapoints=3,
        periods=5,
        severity=Severity.TICKET,
        reason="The function's own disk is nearly full, and what is left there stays for the next invocation; writes "
        "will fail.",
    ),
    share(
        "lambda.durable_failed",
        "DurableExecutionFailed",
        "DurableExecutionStarted",
        title="Durable executions failed",
        unit="% of executions failed",
        severity=Severity.PAGE,
        reason="A good part of the durable executions ends in failure, after all retries of their steps.",
    ),
    never(
        "lambda.durable_timed_out",
        "DurableExecutionTimedOut",
        title="Durable executions timed out",
        unit="executions a minute",
        severity=Severity.TICKET,
        reason="A durable execution was cut off at its own timeout: it waits for something that does not come.",
    ),
    Rule(
        id="lambda.durable_running",
        title="Durable executions at once",
        metrics=("ApproximateRunningDurableExecutionsUtilization",),
        unit="% of the account's quota",
        high=Learned(default=Fixed(80)),
        datapoints=5,
        periods=5,
        severity=Severity.TICKET,
        reason="Four fifths of the durable executions that the account may run at once are running, or more than "
        "usual; beyond the quota new ones are refused.",
    ),
)
