"""AWS's limits and prices that a plan must respect: each number once, with its source and the day it was read.

Read on 2026-11-20. Limits marked (adjustable) can be raised for an account by AWS.
"""

from typing import NamedTuple

CHECKED = "2026-11-20"

# AWS CloudFormation User Guide, "Understand CloudFormation quotas"
STACK_RESOURCES = 500
TEMPLATE_BYTES = 1_000_000
"""A template in S3 (1 MB)."""
TEMPLATE_BODY_BYTES = 51_200
"""A template passed in the request itself."""
NESTED_OPERATION_RESOURCES = 2_500
"""Resources that one operation on a stack may create, update or delete over all its nested stacks."""

# Amazon CloudWatch User Guide, "CloudWatch service quotas"; API reference of PutMetricAlarm and PutCompositeAlarm
ALARM_NAME_CHARACTERS = 255
ALARM_DESCRIPTION_CHARACTERS = 1_024
ALARM_METRICS = 10
ALARM_ACTIONS = 5
ALARM_WINDOW_S = 86_400
"""Periods x period, for periods under an hour."""
ALARM_LONG_WINDOW_S = 604_800
"""Periods x period, for periods of an hour and more."""
INSIGHTS_ALARMS = 200
"""Alarms on Metrics Insights queries in a Region."""
INSIGHTS_METRICS = 10_000
"""Metrics that one query sees."""
INSIGHTS_SERIES = 500
"""Series that one query returns."""
INSIGHTS_WINDOW_S = 10_800
COMPOSITE_RULE_CHARACTERS = 10_240
COMPOSITE_CHILDREN = 100
DASHBOARD_WIDGETS = 500
WIDGET_METRICS = 500
DASHBOARD_METRICS = 2_500
ALARM_WIDGET_ALARMS = 100
PUT_METRIC_ALARM_PER_S = 3  # adjustable

# Amazon CloudWatch Logs User Guide, "CloudWatch Logs quotas" and "Filter pattern syntax"
METRIC_FILTERS_PER_GROUP = 100
REGEX_PATTERNS_PER_GROUP = 5
SUBSCRIPTION_FILTERS_PER_GROUP = 2
SELECTION_BYTES = 25_000
"""Which log groups an account's subscription policy leaves out: the text of it (25 KB)."""
QUERY_LOG_GROUPS = 50
"""Log groups that one Logs Insights query may read."""
METRIC_FILTER_DIMENSIONS = 3

# AWS Lambda Developer Guide, "Lambda quotas" and "Understanding the Lambda execution environment lifecycle"
INIT_LIMIT_MS = 10_000
"""How long the init phase of an on-demand function may take before it is started over."""

# Amazon SQS Developer Guide, "Amazon SQS message quotas"
SQS_IN_FLIGHT = 120_000
"""Messages in flight, standard and FIFO queues alike."""


# AWS X-Ray, BatchGetTraces: the service enforces it, though no page of its reference tells it
TRACES_PER_CALL = 5


class Price(NamedTuple):
    """USD a month for one piece, in tiers, and how many pieces are free."""

    tiers: tuple[tuple[float, float], ...]
    """(up to so many pieces, USD each); the last tier is without end."""
    free: int = 0


# Amazon CloudWatch pricing, us-east-1
PRICES_REGION = "us-east-1"
ALARM_METRIC = Price(((float("inf"), 0.10),), free=10)
INSIGHTS_METRIC = Price(((float("inf"), 0.10),))
"""A metric that an alarm's Metrics Insights query analyses."""
HIGH_RESOLUTION_ALARM_METRIC = Price(((float("inf"), 0.30),))
COMPOSITE_ALARM = Price(((float("inf"), 0.50),))
DASHBOARD = Price(((float("inf"), 3.00),), free=3)
FREE_DASHBOARD_METRICS = 50
"""A dashboard is free (the first three) only up to so many metrics."""
CUSTOM_METRIC = Price(((10_000, 0.30), (250_000, 0.10), (1_000_000, 0.05), (float("inf"), 0.02)), free=10)

# Amazon CloudWatch pricing and Amazon Athena pricing, us-east-1, read on 2026-11-28
LOGS_SCANNED_GB = Price(((float("inf"), 0.005),))
"""A GB that a Logs Insights query reads, uncompressed; what is free of it is shared with all that the account logs."""
ATHENA_SCANNED_TB = Price(((float("inf"), 5.0),))

# AWS X-Ray pricing, us-east-1, read on 2026-11-28
TRACE_READ = Price(((float("inf"), 0.000_000_5),), free=1_000_000)
"""A trace retrieved, or one that a search for traces scanned. Free in every month, not only in a first year."""

# Amazon CloudWatch API reference, MetricDatum, Unit
METRIC_UNITS = (
    *("Seconds", "Microseconds", "Milliseconds"),
    *("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes"),
    *("Bits", "Kilobits", "Megabits", "Gigabits", "Terabits"),
    *("Percent", "Count", "None"),
    *("Bytes/Second", "Kilobytes/Second", "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second"),
    *("Bits/Second", "Kilobits/Second", "Megabits/Second", "Gigabits/Second", "Terabits/Second", "Count/Second"),
)
