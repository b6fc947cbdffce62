"""Rows: the account and Region, whose concurrency and Parameter Store quota all functions share.

Metrics: AWS Lambda Developer Guide, "Types of metrics for Lambda functions".
"""

from functools import partial

from monitors.catalog.rows import Metric, Rule, Service, Share, has, published
from monitors.catalog.shapes import throttled, unusual
from monitors.model import Severity

_account = partial(published, "account", namespace="AWS/Lambda", dimensions={})


def _parameters(metric: str, operations: str) -> tuple[Metric, ...]:
    """Parameter Store publishes nothing of its own: only how often each operation is called in the account."""
    return published(
        "account",
        metric,
        namespace="AWS/Usage",
        dimensions={"Service": "SSM", "Type": "API", "Resource": f"{{{operations}}}", "Class": "None"},
        statistic="Sum",
        unit="None",
        when=(has(operations),),
    )


SERVICES = (Service(id="account", title="Account and Region"),)

METRICS = (
    *_account("ClaimedAccountConcurrency ConcurrentExecutions UnreservedConcurrentExecutions", statistic="Maximum"),
    *_account("Invocations Errors Throttles RecursiveInvocationsDropped", statistic="Sum"),
    *_account("Duration", statistic="p95", unit="Milliseconds"),
    *_parameters("CallCount", "parameter_calls"),
    *_parameters("ThrottleCount", "parameter_throttles"),
)

RULES = (
    unusual(
        "account.parameter_calls",
        "CallCount",
        title="Parameter Store calls",
        unit="calls in 5 minutes",
        reason="Parameters are read more than usual, and the account's quota is for all functions together: one that "
        "reads at each invocation instead of at start can use it up for all.",
    ),
    throttled(
        "account.parameter_throttles",
        "ThrottleCount",
        title="Parameter Store throttled",
        reason="Parameter Store refuses calls of the account minute after minute: functions that read their "
        "configuration at start fail to start.",
    ),
    Rule(
        id="account.concurrency",
        title="Account concurrency in use",
        metrics=("ClaimedAccountConcurrency",),
        unit="invocations at once, reservations included",
        high=Share(0.9, "concurrency_limit"),
        datapoints=10,
        periods=10,
        severity=Severity.PAGE,
        reason="Nine tenths of the account's concurrency in this Region are claimed; at ten tenths every function "
        "without a reservation is throttled. While this is on, functions' own pages wait.",
    ),
)
