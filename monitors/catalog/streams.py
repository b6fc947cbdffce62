"""Rows: Kinesis data streams, Firehose streams.

Metrics: "Monitor the Amazon Kinesis Data Streams service with Amazon CloudWatch", "Monitor Amazon Data Firehose using
CloudWatch metrics" (their names depend on the destination). Levels: as the reasons say.
"""

from dataclasses import replace
from functools import partial

from monitors.catalog.rows import Fixed, Learned, Rule, Service, equal, has, published
from monitors.catalog.shapes import in_use, throttled, traffic, unusual
from monitors.model import Severity

SERVICES = (
    Service(id="kinesis", title="Kinesis stream"),
    Service(id="firehose", title="Firehose stream"),
)

_FRESH_DESTINATIONS = (
    "S3",
    "AmazonOpenSearchService",
    "AmazonOpenSearchServerless",
    "Elasticsearch",
    "HttpEndpoint",
    "Iceberg",
    "Snowflake",
    "Splunk",
)
"""Destinations whose metrics tell the age of undelivered data; Redshift's do not."""

_stream = partial(published, "kinesis", namespace="AWS/Kinesis", dimensions={"StreamName": "{name}"})
_consumer = partial(
    published,
    "kinesis",
    namespace="AWS/Kinesis",
    dimensions={"StreamName": "{name}", "ConsumerName": "{consumers}"},
    when=(has("consumers"),),
)
_delivery = partial(published, "firehose", namespace="AWS/Firehose", dimensions={"DeliveryStreamName": "{name}"})

METRICS = (
    *_stream("GetRecords.IteratorAgeMilliseconds", statistic="Maximum", unit="Milliseconds"),
    *_stream("GetRecords.Success PutRecord.Success PutRecords.Success", statistic="Average"),
    *_consumer("SubscribeToShardEvent.MillisBehindLatest", statistic="Maximum", unit="Milliseconds"),
    *_stream(
        "IncomingRecords GetRecords.Records PutRecords.TotalRecords PutRecords.SuccessfulRecords "
        "PutRecords.FailedRecords PutRecords.ThrottledRecords "
        "ReadProvisionedThroughputExceeded WriteProvisionedThroughputExceeded",
        statistic="Sum",
    ),
    *_stream("IncomingBytes GetRecords.Bytes PutRecord.Bytes PutRecords.Bytes", statistic="Sum", unit="Bytes"),
    *_stream("GetRecords.Latency PutRecord.Latency PutRecords.Latency", statistic="p95", unit="Milliseconds"),
    *_delivery("IncomingRecords IncomingPutRequests ThrottledRecords", statistic="Sum"),
    *_delivery("IncomingBytes", statistic="Sum", unit="Bytes"),
    *_delivery("BytesPerSecondLimit RecordsPerSecondLimit PutRequestsPerSecondLimit", statistic="Minimum"),
    *(
        replace(row, id=row.name.partition(".")[2])
        for destination in _FRESH_DESTINATIONS
        for row in _delivery(
            f"DeliveryTo{destination}.DataFreshness",
            statistic="Maximum",
            unit="Seconds",
            when=(equal("destination", destination),),
        )
    ),
)


RULES = (
    Rule(
        id="kinesis.iterator_age",
        title="Reading falls behind",
        metrics=("GetRecords.IteratorAgeMilliseconds",),
        unit="ms",
        high=Learned(default=Fixed(600_000), floor=Fixed(60_000)),
        datapoints=15,
        periods=15,
        severity=Severity.PAGE,
        reason="The last record read was this old: consumers do not keep up. At the end of the retention period "
        "records are lost unread.",
    ),
    Rule(
        id="kinesis.consumer_behind",
        title="A consumer falls behind",
        metrics=("SubscribeToShardEvent.MillisBehindLatest",),
        unit="ms",
        high=Learned(default=Fixed(600_000), floor=Fixed(60_000)),
        datapoints=5,
        periods=5,
        severity=Severity.TICKET,
        reason="A consumer with enhanced fan-out is this far behind the newest record. At the end of the retention "
        "period records are lost unread.",
    ),
    *(
        Rule(
            id=f"kinesis.{what}_success",
            title=f"Share of {words} that succeed",
            metrics=(metric,),
            unit="of all calls (0.95 is 95 %)",
            low=Learned(default=Fixed(0.95)),
            datapoints=5,
            periods=5,
            severity=Severity.TICKET,
            reason=f"A good part of the {words} fails: throttled, refused, or Kinesis itself is in trouble.",
        )
        for what, metric, words in (
            ("get", "GetRecords.Success", "reads"),
            ("put", "PutRecord.Success", "writes of single records"),
        )
    ),
    throttled(
        "kinesis.write_throttles",
        "WriteProvisionedThroughputExceeded",
        title="Writes throttled",
        reason="The stream refuses writes minute after minute: too few shards, or one hot partition key.",
    ),
    throttled(
        "kinesis.read_throttles",
        "ReadProvisionedThroughputExceeded",
        title="Reads throttled",
        reason="The stream refuses reads minute after minute: more consumers than its shards can serve.",
    ),
    unusual(
        "kinesis.failed_records",
        "PutRecords.FailedRecords",
        title="Records refused by the service",
        unit="records in 5 minutes",
        default=Fixed(0),
        reason="Records were refused by internal errors; a producer that does not repeat them has lost them.",
    ),
    traffic(
        "kinesis.traffic",
        "IncomingRecords",
        title="Records coming in",
        unit="records in 5 minutes",
        reason="Far fewer records come in than usual: the producer has stopped. Far more: a flood.",
    ),
    unusual(
        "firehose.throttled",
        "ThrottledRecords",
        title="Records throttled",
        unit="records in 5 minutes",
        default=Fixed(0),
        reason="Firehose refuses records: the stream's limits are reached.",
    ),
    in_use(
        "firehose.bytes",
        "IncomingBytes",
        "BytesPerSecondLimit",
        title="Throughput in use",
        unit="% of the bytes a second it may take",
        reason="Four fifths of the stream's limit are in use; beyond it records are refused.",
    ),
    Rule(
        id="firehose.freshness",
        title="Age of undelivered data",
        metrics=("DataFreshness",),
        unit="s",
        high=Learned(default=Fixed(1_800), floor=Fixed(900)),
        period_s=300,
        datapoints=3,
        periods=3,
        severity=Severity.PAGE,
        reason="Data has not reached its destination for longer than buffering explains (15 minutes at most): the "
        "destination or its key refuses it. Firehose drops data after 24 hours.",
    ),
    traffic(
        "firehose.traffic",
        "IncomingRecords",
        title="Records coming in",
        unit="records in 5 minutes",
        reason="Far fewer records come in than usual: the producer has stopped. Far more: a flood.",
    ),
)
