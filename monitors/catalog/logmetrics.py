"""Rows: what the log subscriber reads out of functions' platform lines. Only functions it is subscribed to have them.

Memory: 90 % is AWS's recommended level for the same measure of Lambda Insights ("Recommended alarms", Amazon
CloudWatch User Guide). Initialisation: the ten-second limit of the init phase (AWS Lambda Developer Guide).
"""

from functools import partial

from monitors import names, quotas
from monitors.catalog.rows import Fixed, Learned, Rule, has, published
from monitors.catalog.shapes import never, share, unusual
from monitors.model import Severity

_READ = (has("subscribed"),)

_metrics = partial(
    published,
    "lambda",
    namespace=names.LOG_METRICS,
    dimensions={"FunctionName": "{name}"},
    when=_READ,
)

METRICS = (
    *_metrics("Timeouts OutOfMemory ColdStarts LogErrors", statistic="Sum"),
    *_metrics("Duration", statistic="Average", unit="Milliseconds", prefix="Logged"),
    *_metrics("BilledDuration", statistic="Sum", unit="Milliseconds"),
    *_metrics("EstimatedCost", statistic="Sum", unit="None"),
    *_metrics("InitDuration", statistic="Maximum", unit="Milliseconds"),
    *_metrics("RestoreDuration", statistic="Maximum", unit="Milliseconds", when=(*_READ, has("snap_start"))),
    *_metrics("MemoryUsedPercent", statistic="Maximum", unit="Percent"),
    *_metrics("MaxMemoryUsed", statistic="Maximum", unit="Megabytes"),
)

RULES = (
    Rule(
        id="lambda.memory",
        title="Memory used",
        metrics=("MemoryUsedPercent",),
        unit="% of the memory size",
        high=Fixed(90),
        period_s=300,
        datapoints=3,
        periods=3,
        severity=Severity.TICKET,
        reason="It runs close to its memory size; at the size it is killed.",
    ),
    unusual(
        "lambda.timeouts",
        "Timeouts",
        title="Timeouts",
        unit="timeouts in 5 minutes",
        default=Fixed(0),
        datapoints=1,
        periods=1,
        reason="Invocations were cut off at the function's timeout: a dependency hangs, or the timeout is too short.",
    ),
    never(
        "lambda.out_of_memory",
        "OutOfMemory",
        title="Out of memory",
        unit="kills a minute",
        severity=Severity.TICKET,
        reason="The platform killed the function for want of memory; the work was lost in the middle.",
    ),
    Rule(
        id="lambda.init",
        title="Initialisation",
        metrics=("InitDuration",),
        unit="ms",
        high=Learned(default=Fixed(0.8 * quotas.INIT_LIMIT_MS), cap=Fixed(quotas.INIT_LIMIT_MS)),
        period_s=300,
        datapoints=2,
        periods=3,
        severity=Severity.TICKET,
        reason="Starting takes too long. At ten seconds Lambda starts the initialisation over, on the first caller's "
        "time.",
    ),
    unusual(
        "lambda.restore",
        "RestoreDuration",
        title="Restoring from a snapshot",
        unit="ms",
        reason="SnapStart takes longer to restore than it used to: a larger snapshot, or more to do after it.",
    ),
    share(
        "lambda.cold_starts",
        "ColdStarts",
        "Invocations",
        title="Share of cold starts",
        unit="% of invocations started cold",
        high=Learned(),
        severity=Severity.TICKET,
        reason="More invocations start cold than usual: sandboxes die early, or many run at once.",
    ),
    Rule(
        id="lambda.billed",
        title="Billed time",
        metrics=("BilledDuration",),
        unit="billed ms an hour",
        high=Learned(),
        low=Learned(),
        period_s=3600,
        datapoints=2,
        periods=2,
        severity=Severity.TICKET,
        reason="It is billed for far more, or far less, than it used to be: cost, before the invoice says so.",
    ),
    Rule(
        id="lambda.cost",
        title="Cost",
        metrics=("EstimatedCost",),
        unit="USD an hour",
        high=Learned(),
        period_s=3600,
        datapoints=2,
        periods=2,
        severity=Severity.TICKET,
        opt_in=True,
        reason="It costs far more than it used to: more work, slower work, or a larger memory size.",
    ),
    unusual(
        "lambda.log_errors",
        "LogErrors",
        title="Errors in its logs",
        unit="error lines in 5 minutes",
        reason="It logs more errors than usual, though its invocations may succeed: failures caught and swallowed.",
    ),
)
