"""Rows: aliases and versions of Lambda functions, and the concurrency provisioned for them.

Metrics: AWS Lambda Developer Guide, "Types of metrics for Lambda functions", by Resource and ExecutedVersion too.
"""

from functools import partial

from monitors.catalog.rows import ANY, Fixed, Rule, has, published
from monitors.catalog.shapes import share, traffic, unusual
from monitors.model import Severity

_FUNCTION = {"FunctionName": "{name}"}
_QUALIFIED = {"FunctionName": "{name}", "Resource": ANY}
_WEIGHTED = {"FunctionName": "{name}", "Resource": ANY, "ExecutedVersion": ANY}
_PROVISIONED = (has("provisioned"),)

_metrics = partial(published, "lambda", namespace="AWS/Lambda", dimensions=_FUNCTION)
_sums = partial(_metrics, statistic="Sum")
_qualified = partial(published, "lambda", namespace="AWS/Lambda")

METRICS = (
    *_sums("ProvisionedConcurrencyInvocations ProvisionedConcurrencySpilloverInvocations", when=_PROVISIONED),
    *_metrics("ProvisionedConcurrentExecutions", statistic="Maximum", when=_PROVISIONED),
    *_qualified(
        "ProvisionedConcurrencyUtilization",
        dimensions={"FunctionName": "{name}", "Resource": "{name}:{provisioned_qualifiers}"},
        statistic="Maximum",
        when=(has("provisioned_qualifiers"),),
    ),
    *_qualified(
        "Errors Invocations",
        dimensions={"FunctionName": "{name}", "Resource": "{name}:{aliases}"},
        statistic="Sum",
        when=(has("aliases"),),
        prefix="alias/",
    ),
    *_qualified(
        "Errors Invocations",
        dimensions={
            "FunctionName": "{name}",
            "Resource": "{name}:{weighted_routes:0}",
            "ExecutedVersion": "{weighted_routes:1}",
        },
        statistic="Sum",
        when=(has("weighted_routes"),),
        prefix="version/",
    ),
    *(
        row
        for prefix, dimensions in (("qualified/", _QUALIFIED), ("weighted/", _WEIGHTED))
        for names, statistic, unit in (
            ("Invocations Errors Throttles DeadLetterErrors DestinationDeliveryFailures", "Sum", "Count"),
            ("AsyncEventsReceived AsyncEventsDropped OversizedRecordCount", "Sum", "Count"),
            ("RecursiveInvocationsDropped ProvisionedConcurrencyInvocations", "Sum", "Count"),
            ("ProvisionedConcurrencySpilloverInvocations", "Sum", "Count"),
            ("UrlRequestCount Url4xxCount Url5xxCount", "Sum", "Count"),
            ("Duration IteratorAge AsyncEventAge UrlRequestLatency", "Maximum", "Milliseconds"),
            ("PostRuntimeExtensionsDuration", "Maximum", "Milliseconds"),
            ("ConcurrentExecutions ProvisionedConcurrentExecutions", "Maximum", "Count"),
            ("ProvisionedConcurrencyUtilization", "Maximum", "Count"),
        )
        for row in _qualified(names, dimensions=dimensions, statistic=statistic, unit=unit, prefix=prefix)
    ),
)

RULES = (
    share(
        "lambda.alias_errors",
        "alias/Errors",
        "alias/Invocations",
        title="Error rate of an alias",
        unit="% of invocations through the alias failed",
        severity=Severity.PAGE,
        reason="What is called through this alias fails for a good part. Named in a deployment's alarms, it rolls back "
        "a version that takes its first share of the traffic.",
    ),
    share(
        "lambda.version_errors",
        "version/Errors",
        "version/Invocations",
        title="Error rate of a version",
        unit="% of invocations of the version through the alias failed",
        severity=Severity.PAGE,
        reason="An alias splits its traffic between two versions, and this one fails for a good part of its share: "
        "give the alias back to the other.",
    ),
    unusual(
        "lambda.spillover",
        "ProvisionedConcurrencySpilloverInvocations",
        title="Provisioned concurrency spills over",
        unit="invocations in 5 minutes",
        default=Fixed(0),
        reason="More runs at once than was provisioned for, so invocations start cold again.",
    ),
    traffic(
        "lambda.provisioned_traffic",
        "ProvisionedConcurrencyInvocations",
        title="Invocations on provisioned concurrency",
        unit="invocations in 5 minutes",
        opt_in=True,
        reason="Far fewer invocations than usual meet a sandbox that is kept ready, which is paid for all the same: "
        "callers may use another version or alias. Far more: see lambda.spillover.",
    ),
    Rule(
        id="lambda.provisioned",
        title="Provisioned concurrency in use",
        metrics=("ProvisionedConcurrencyUtilization",),
        unit="of what is provisioned (0.8 is 80 %)",
        high=Fixed(0.8),
        datapoints=10,
        periods=10,
        severity=Severity.TICKET,
        reason="Four fifths of the provisioned concurrency are in use; beyond it invocations start cold.",
    ),
)
