"""Rows: log groups, that is the delivery of log lines itself.

Metrics: "Monitoring CloudWatch Logs usage" (Amazon CloudWatch Logs User Guide). Most log groups carry other resources'
lines and need no alarm of their own; those the log subscriber reads must deliver.
"""

from functools import partial

from monitors import names
from monitors.catalog.rows import ANY, Service, has, published
from monitors.catalog.shapes import never
from monitors.model import Severity

SERVICES = (
    Service(
        id="logs",
        title="Log group",
        takes_filters=True,
        uncovered="it carries the lines of other resources, which have alarms of their own",
    ),
)

_group = partial(published, "logs", namespace="AWS/Logs", statistic="Sum")
_of_group = partial(_group, dimensions={"LogGroupName": "{name}"})
_FORWARD = "ForwardedLogEvents DeliveryErrors DeliveryThrottling"

METRICS = (
    *_of_group("IncomingLogEvents EMFParsingErrors EMFValidationErrors TransformationErrors"),
    *_of_group("IncomingBytes", unit="Bytes"),
    *_group(
        _FORWARD,
        dimensions={
            "LogGroupName": "{name}",
            "DestinationType": "Lambda",
            "FilterName": names.SUBSCRIPTION,
        },
        when=(has("subscribed"),),
    ),
    *_group(
        _FORWARD,
        dimensions={"LogGroupName": "{name}", "DestinationType": ANY, "FilterName": ANY},
        prefix="any/",
        when=(has("subscription_filters"),),
    ),
)

RULES = (
    never(
        "logs.delivery_errors",
        "DeliveryErrors",
        title="Log delivery failed",
        unit="log events a minute",
        severity=Severity.TICKET,
        opt_in=True,
        reason="CloudWatch Logs cannot hand lines to the log subscriber: permission, or the function is gone. What the "
        "subscriber reads out of the lines is missing meanwhile.",
    ),
    never(
        "logs.delivery_throttling",
        "DeliveryThrottling",
        title="Log delivery throttled",
        unit="log events a minute",
        severity=Severity.TICKET,
        opt_in=True,
        reason="The log subscriber is throttled: its concurrency is used up. Lines are retried for 24 hours.",
    ),
    never(
        "logs.emf_errors",
        "EMFParsingErrors",
        title="Malformed metrics in the logs",
        unit="log events a minute",
        severity=Severity.TICKET,
        opt_in=True,
        reason="Lines marked as embedded metric format could not be read; their metrics are missing.",
    ),
)
