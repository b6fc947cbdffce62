"""Rows: Lambda functions.

Metrics: AWS Lambda Developer Guide, "Types of metrics for Lambda functions". Levels: "Recommended alarms" in the
Amazon CloudWatch User Guide where AWS names one, else as the reason says.
"""

from functools import partial

from monitors.catalog.rows import (
    Fixed,
    Health,
    Learned,
    Rule,
    Service,
    Share,
    at_least,
    has,
    lacks,
    published,
)
from monitors.catalog.shapes import never, share, throttled, traffic, unusual
from monitors.model import Severity

_FUNCTION = {"FunctionName": "{name}"}
_STREAM = (has("is_stream_consumer"),)
_ASYNC = (has("is_async"),)
_URL = (has("has_url"),)

_metrics = partial(published, "lambda", namespace="AWS/Lambda", dimensions=_FUNCTION)
_sums = partial(_metrics, statistic="Sum")

SERVICES = (Service(id="lambda", title="Lambda function", platform_logs=True),)

METRICS = (
    *_sums("Invocations Errors Throttles RecursiveInvocationsDropped SignatureValidationErrors"),
    *_sums("OversizedRecordCount", when=(has("is_documentdb_consumer"),)),
    *_sums("DeadLetterErrors", when=(has("dead_letter"),)),
    *_sums("DestinationDeliveryFailures", when=(has("on_failure"),)),
    *_sums("AsyncEventsReceived AsyncEventsDropped", when=_ASYNC),
    *_sums("UrlRequestCount Url4xxCount Url5xxCount", when=_URL),
    *_metrics("Duration", statistic="p95", unit="Milliseconds"),
    *_metrics("PostRuntimeExtensionsDuration", statistic="Maximum", unit="Milliseconds"),
    *_metrics("IteratorAge", statistic="Maximum", unit="Milliseconds", when=_STREAM),
    *_metrics("AsyncEventAge", statistic="Maximum", unit="Milliseconds", when=_ASYNC),
    *_metrics("UrlRequestLatency", statistic="p95", unit="Milliseconds", when=_URL),
    *_metrics("ConcurrentExecutions", statistic="Maximum"),
)

RULES = (
    share(
        "lambda.errors",
        "Errors",
        "Invocations",
        title="Error rate",
        unit="% of invocations failed",
        severity=Severity.PAGE,
        reason="The function fails for a good part of what it is asked, and has for more than five minutes. "
        "Three failures are needed in a period, so that one bad call at night wakes nobody.",
    ),
    unusual(
        "lambda.failures",
        "Errors",
        title="Failed invocations",
        unit="failed invocations in 5 minutes",
        default=Fixed(0),
        datapoints=1,
        periods=1,
        reason="Invocations failed. For a function that runs once an hour this is the only sign there will be; "
        "where a few failures are usual, the level is learned.",
    ),
    throttled(
        "lambda.throttles",
        "Throttles",
        title="Throttles",
        unit="throttled invocations a minute",
        reason="Lambda refuses invocations and goes on refusing: reserved or account concurrency is used up. "
        "Synchronous callers see errors; queued work waits.",
    ),
    Rule(
        id="lambda.duration",
        title="Duration, 95th percentile",
        metrics=("Duration",),
        unit="ms",
        high=Learned(default=Share(0.8, "timeout_ms"), cap=Share(0.95, "timeout_ms")),
        low=Learned(),
        datapoints=5,
        periods=5,
        severity=Severity.TICKET,
        reason="Too long: it nears its timeout, where work is cut off and paid for all the same. "
        "Too short: it may be failing early without saying so.",
    ),
    Rule(
        id="lambda.concurrent",
        title="Running at once",
        metrics=("ConcurrentExecutions",),
        unit="invocations at once",
        high=Learned(),
        low=Learned(),
        period_s=300,
        datapoints=3,
        periods=3,
        severity=Severity.TICKET,
        opt_in=True,
        reason="More run at once than usual: more traffic, or each takes longer; it draws on what all functions of the "
        "account share. Fewer: as for less traffic.",
    ),
    Rule(
        id="lambda.concurrency",
        title="Reserved concurrency in use",
        metrics=("ConcurrentExecutions",),
        unit="invocations at once",
        high=Share(0.9, "reserved_concurrency"),
        datapoints=10,
        periods=10,
        severity=Severity.TICKET,
        when=(at_least("reserved_concurrency", 10),),
        reason="Nine tenths of its reserved concurrency are in use; at ten tenths it is throttled. Smaller "
        "reservations are meant to be used up; lambda.throttles watches those.",
    ),
    Rule(
        id="lambda.iterator_age",
        title="Stream reading falls behind",
        metrics=("IteratorAge",),
        unit="ms",
        high=Learned(default=Fixed(300_000), floor=Fixed(60_000)),
        datapoints=5,
        periods=5,
        severity=Severity.PAGE,
        reason="Records wait this long before the function sees them: it is too slow, or a record that always fails "
        "holds up its shard. At the stream's retention they are lost.",
    ),
    never(
        "lambda.oversized_records",
        "OversizedRecordCount",
        title="Change events too large",
        severity=Severity.TICKET,
        reason="A change event of the DocumentDB cluster was larger than Lambda takes (6 MB), and was dropped.",
    ),
    never(
        "lambda.signature_errors",
        "SignatureValidationErrors",
        title="Code signature not valid",
        severity=Severity.TICKET,
        opt_in=True,
        reason="Code was deployed whose signature fails its check, and the function's policy only warns of that.",
    ),
    never(
        "lambda.dead_letter_errors",
        "DeadLetterErrors",
        title="Dead-letter delivery failed",
        reason="A failed event could not be put into the dead-letter queue or topic and is lost: permission, size, "
        "or a queue that is gone.",
    ),
    never(
        "lambda.destination_failures",
        "DestinationDeliveryFailures",
        title="Destination delivery failed",
        reason="An event could not be sent to the function's destination and is lost: permission, size, or a target "
        "that is gone.",
    ),
    never(
        "lambda.async_dropped",
        "AsyncEventsDropped",
        title="Asynchronous events dropped",
        when=(lacks("dead_letter"), lacks("on_failure")),
        reason="Lambda gave up on events, and there is no dead-letter queue or destination to keep them: lost.",
    ),
    Rule(
        id="lambda.async_age",
        title="Asynchronous events wait",
        metrics=("AsyncEventAge",),
        unit="ms",
        high=Learned(default=Fixed(600_000), floor=Fixed(240_000)),
        datapoints=3,
        periods=3,
        severity=Severity.TICKET,
        reason="Events wait this long for an attempt. Two retries account for about three minutes; more means "
        "throttling or a backlog.",
    ),
    traffic(
        "lambda.async_received",
        "AsyncEventsReceived",
        title="Asynchronous events received",
        unit="events in 5 minutes",
        opt_in=True,
        reason="Far fewer events are queued for the function than usual: what sends them has stopped. Far more: a "
        "backlog is on its way.",
    ),
    traffic(
        "lambda.url_traffic",
        "UrlRequestCount",
        title="Function URL, requests",
        unit="requests in 5 minutes",
        opt_in=True,
        reason="Far fewer requests come to the function's URL than usual, refused ones included. Far more: a flood.",
    ),
    share(
        "lambda.url_5xx",
        "Url5xxCount",
        "UrlRequestCount",
        title="Function URL, server errors",
        unit="% of requests failed",
        severity=Severity.PAGE,
        reason="Callers of the function's URL get server errors.",
    ),
    share(
        "lambda.url_4xx",
        "Url4xxCount",
        "UrlRequestCount",
        title="Function URL, client errors",
        unit="% of requests refused",
        high=Learned(),
        severity=Severity.TICKET,
        reason="More requests than usual are refused: a client changed, a signature expired, or someone probes.",
    ),
    unusual(
        "lambda.url_latency",
        "UrlRequestLatency",
        title="Function URL, latency, 95th percentile",
        unit="ms",
        reason="Callers of the function's URL wait longer than they used to.",
    ),
    unusual(
        "lambda.extensions",
        "PostRuntimeExtensionsDuration",
        title="Extensions run on",
        unit="ms",
        opt_in=True,
        reason="After the function has answered, its extensions go on for longer than they used to: it is billed, and "
        "the sandbox is not free for the next call.",
    ),
    never(
        "lambda.recursion",
        "RecursiveInvocationsDropped",
        title="Recursive loop stopped",
        reason="Lambda found the function invoking itself through a queue, topic or bucket, and stopped it. Where "
        "its detection does not reach, the loop runs on, and costs.",
    ),
    traffic(
        "lambda.traffic",
        "Invocations",
        title="Invocations",
        unit="invocations in 5 minutes",
        reason="Called far less than usual: something upstream has stopped. Far more: a retry storm, a loop, or "
        "success.",
    ),
)

HEALTHS = (
    Health(
        id="lambda.health",
        service="lambda",
        title="Health",
        severity=Severity.PAGE,
        reason="The function is in trouble: one or more of its alarms that wake somebody are on. This alarm pages "
        "for them all, once.",
        waits_for="account.concurrency",
    ),
    Health(
        id="app.health",
        title="Application health",
        severity=Severity.TICKET,
        reason="Something in the application wakes somebody at this moment; the page came from the function or "
        "resource itself. This alarm shows that the application as a whole is affected.",
    ),
)
