"""Rows: EventBridge rules, EventBridge Scheduler, EventBridge Pipes, Step Functions.

Metrics: "Monitoring Amazon EventBridge" (a rule on a custom bus has two dimensions), "Monitoring Amazon EventBridge
Scheduler with Amazon CloudWatch" (no metric for a single schedule), "Monitoring Amazon EventBridge Pipes", "Monitoring
Step Functions metrics using Amazon CloudWatch". Levels: "Recommended alarms" (Amazon CloudWatch User
Guide) or as the reason says.
"""

from functools import partial

from monitors.catalog.rows import Fixed, Learned, Rule, Service, equal, has, published, unequal
from monitors.catalog.shapes import never, share, throttled, traffic, unusual
from monitors.model import Severity

SERVICES = (
    Service(id="events_rule", title="EventBridge rule", subject="{bus}/{name}"),
    Service(id="scheduler_group", title="Schedule group"),
    Service(id="pipes", title="EventBridge pipe"),
    Service(id="states", title="State machine"),
)

_RULE_COUNTS = (
    "Invocations FailedInvocations TriggeredRules MatchedEvents ThrottledRules DeadLetterInvocations "
    "InvocationAttempts SuccessfulInvocationAttempts RetryInvocationAttempts InvocationsCreated"
)
_RULE_DLQ = "InvocationsSentToDlq InvocationsFailedToBeSentToDlq"
_DEFAULT_BUS = (equal("bus", "default"),)
_CUSTOM_BUS = (unequal("bus", "default"),)

_rule = partial(published, "events_rule", namespace="AWS/Events", statistic="Sum")
_on_default = partial(_rule, dimensions={"RuleName": "{name}"})
_on_custom = partial(_rule, dimensions={"EventBusName": "{bus}", "RuleName": "{name}"})
_group = partial(
    published,
    "scheduler_group",
    namespace="AWS/Scheduler",
    dimensions={"ScheduleGroup": "{name}"},
    statistic="Sum",
)
_pipe = partial(published, "pipes", namespace="AWS/EventBridge/Pipes", dimensions={"PipeName": "{name}"})
_machine = partial(published, "states", namespace="AWS/States", dimensions={"StateMachineArn": "{arn}"})

METRICS = (
    *_on_default(_RULE_COUNTS, when=_DEFAULT_BUS),
    *_on_default(_RULE_DLQ, when=_DEFAULT_BUS),
    *_on_custom(_RULE_COUNTS, when=_CUSTOM_BUS),
    *_on_custom(_RULE_DLQ, when=_CUSTOM_BUS),
    *_group(
        "InvocationAttemptCount TargetErrorCount TargetErrorThrottledCount InvocationThrottleCount "
        "InvocationDroppedCount InvocationsSentToDeadLetterCount InvocationsFailedToBeSentToDeadLetterCount "
        "InvocationsSentToDeadLetterCount_Truncated_MessageSizeExceeded"
    ),
    *_pipe(
        "Invocations EventCount ExecutionFailed ExecutionPartiallyFailed ExecutionThrottled ExecutionTimeout "
        "EnrichmentStageFailed TargetStageFailed TargetStagePartiallyFailed TargetStageSkipped",
        statistic="Sum",
    ),
    *_pipe("Concurrency", statistic="Maximum"),
    *_pipe("EventSize", statistic="Sum", unit="Bytes"),
    *_pipe("Duration EnrichmentStageDuration TargetStageDuration", statistic="p95", unit="Milliseconds"),
    *_machine(
        "ExecutionsStarted ExecutionsSucceeded ExecutionsFailed ExecutionsAborted ExecutionsTimedOut "
        "ExecutionThrottled ExecutionsRedriven RedrivenExecutionsSucceeded RedrivenExecutionsFailed "
        "RedrivenExecutionsAborted RedrivenExecutionsTimedOut",
        statistic="Sum",
    ),
    *_machine("ExecutionTime", statistic="p95", unit="Milliseconds"),
    *_machine(
        "ExpressExecutionMemory ExpressExecutionBilledDuration ExpressExecutionBilledMemory",
        statistic="Sum",
        when=(has("express"),),
    ),
)

RULES = (
    share(
        "pipes.failures",
        "ExecutionFailed",
        "Invocations",
        title="Failed executions",
        unit="% of executions failed",
        severity=Severity.PAGE,
        reason="The pipe fails for a good part of its batches: its target or enrichment refuses them, or is gone. They "
        "are retried until they expire in the source.",
    ),
    unusual(
        "pipes.partly_failed",
        "ExecutionPartiallyFailed",
        title="Executions failed in part",
        unit="executions in 5 minutes",
        default=Fixed(0),
        reason="A part of the events of a batch fails, and is tried again.",
    ),
    throttled(
        "pipes.throttled",
        "ExecutionThrottled",
        title="Executions throttled",
        reason="The account runs as many pipes at once as it may, or the target takes no more; events wait.",
    ),
    unusual(
        "pipes.timed_out",
        "ExecutionTimeout",
        title="Executions timed out",
        unit="executions in 5 minutes",
        default=Fixed(0),
        severity=Severity.PAGE,
        reason="The pipe was cut off before its target had answered, and the batch is tried again.",
    ),
    traffic(
        "pipes.traffic",
        "EventCount",
        title="Events",
        unit="events in 5 minutes",
        reason="Far fewer or far more events than usual pass the pipe: its source has stopped, or repeats itself.",
    ),
    never(
        "events_rule.failed",
        "FailedInvocations",
        title="Targets not reached",
        unit="failed invocations a minute",
        reason="EventBridge could not invoke a target and has given up: permission, a target that is gone, or input it "
        "refuses. Without a dead-letter queue the events are lost.",
    ),
    never(
        "events_rule.dead_letter_errors",
        "InvocationsFailedToBeSentToDlq",
        title="Dead-letter delivery failed",
        reason="An event could neither be delivered nor put into the rule's dead-letter queue, and is lost.",
    ),
    unusual(
        "events_rule.throttled",
        "ThrottledRules",
        title="Rule throttled",
        unit="times in 5 minutes",
        default=Fixed(0),
        reason="The rule fires more often than the account's invocation quota allows; events wait.",
    ),
    traffic(
        "events_rule.traffic",
        "Invocations",
        title="Invocations",
        unit="invocations in 5 minutes",
        reason="The rule fires less than usual, or not at all: disabled, its pattern no longer matches, or its source "
        "has stopped. Far more: a loop or a flood.",
    ),
    never(
        "scheduler_group.dropped",
        "InvocationDroppedCount",
        title="Invocations dropped",
        reason="Scheduler gave up on an invocation after all its retries; without a dead-letter queue it is lost.",
    ),
    never(
        "scheduler_group.dead_letter_errors",
        "InvocationsFailedToBeSentToDeadLetterCount",
        title="Dead-letter delivery failed",
        reason="A failed invocation could not be put into its dead-letter queue, and is lost.",
    ),
    unusual(
        "scheduler_group.target_errors",
        "TargetErrorCount",
        title="Targets answer with errors",
        unit="errors in 5 minutes",
        default=Fixed(0),
        reason="Targets refuse invocations; Scheduler retries them. Permission, throttling, or a target that is gone.",
    ),
    unusual(
        "scheduler_group.throttled",
        "InvocationThrottleCount",
        title="Invocations throttled",
        unit="invocations in 5 minutes",
        default=Fixed(0),
        datapoints=3,
        periods=3,
        reason="More schedules fall due at once than the account's quota allows; some run late.",
    ),
    unusual(
        "scheduler_group.target_throttled",
        "TargetErrorThrottledCount",
        title="Targets throttle",
        unit="invocations in 5 minutes",
        default=Fixed(0),
        datapoints=3,
        periods=3,
        reason="Targets refuse invocations for their number, for ten minutes and more. Scheduler retries them; what is "
        "still refused when it gives up is dropped.",
    ),
    share(
        "states.errors",
        "ExecutionsFailed",
        "ExecutionsStarted",
        title="Share of failed executions",
        unit="% of executions failed",
        severity=Severity.PAGE,
        reason="A good part of the executions fails, and has for more than five minutes.",
    ),
    unusual(
        "states.failures",
        "ExecutionsFailed",
        title="Failed executions",
        unit="executions in 5 minutes",
        default=Fixed(0),
        datapoints=1,
        periods=1,
        reason="Executions failed, retries and catchers notwithstanding.",
    ),
    unusual(
        "states.timed_out",
        "ExecutionsTimedOut",
        title="Executions timed out",
        unit="executions in 5 minutes",
        default=Fixed(0),
        datapoints=1,
        periods=1,
        reason="Executions were cut off at the state machine's timeout: a task hangs, or never calls back.",
    ),
    unusual(
        "states.aborted",
        "ExecutionsAborted",
        title="Executions aborted",
        unit="executions in 5 minutes",
        reason="More executions are aborted than usual: by a person, a deploy, or a caller.",
    ),
    unusual(
        "states.throttled",
        "ExecutionThrottled",
        title="Executions throttled",
        unit="state transitions in 5 minutes",
        default=Fixed(0),
        reason="State transitions exceed the account's quota; executions take longer.",
    ),
    Rule(
        id="states.duration",
        title="Execution time, 95th percentile",
        metrics=("ExecutionTime",),
        unit="ms",
        high=Learned(),
        low=Learned(),
        period_s=300,
        datapoints=2,
        periods=3,
        severity=Severity.TICKET,
        reason="Executions take far longer than they used to, or end far too soon.",
    ),
    traffic(
        "states.traffic",
        "ExecutionsStarted",
        title="Executions started",
        unit="executions in 5 minutes",
        reason="Far fewer executions start than usual: whatever starts them has stopped. Far more: a loop or a flood.",
    ),
)
