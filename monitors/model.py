"""The nouns of the field, as frozen records. Imports nothing of ours.

Records made once per log line are in records.py, apart, for the sake of Lambda cold starts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar, dataclass_transform

Scalar = str | int | float | bool
Fact = Scalar | tuple[str, ...]
_Record = TypeVar("_Record")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def record(own: type[_Record]) -> type[_Record]:
    """The class as a dataclass that is frozen for the type checker only.

    Of a fleet there are tens of thousands, and to be frozen at run time too takes more than half of making one.
    """
    return dataclass(kw_only=True, slots=True, unsafe_hash=True)(own)


class State(StrEnum):
    """The three states of a CloudWatch alarm, in AWS's words."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Missing(StrEnum):
    """TreatMissingData."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


class Comparison(StrEnum):
    """ComparisonOperator, without the three that need an anomaly detection band."""

    ABOVE = "GreaterThanThreshold"
    AT_LEAST = "GreaterThanOrEqualToThreshold"
    BELOW = "LessThanThreshold"
    AT_MOST = "LessThanOrEqualToThreshold"


class Severity(StrEnum):
    """Whom an alarm calls: `page` wakes someone, `ticket` can wait."""

    PAGE = "page"
    TICKET = "ticket"


# --- what is there -------------------------------------------------------------------------------


@record
class Resource:
    """One deployed thing and its facts."""

    service: str
    """A catalog service id: `lambda`, `sqs`, `dynamodb`, ..."""
    name: str
    """What its metrics' dimension says: function name, queue name, table name, ...

    Names, ids and facts out of a template hold `${...}`, as Fn::Sub does, for what only a deployment decides.
    """
    id: str
    """Its ARN."""
    region: str = ""
    account: str = ""
    application: str = ""
    """The stack it came from, or the application tag: one health alarm and one dashboard each."""
    condition: str = ""
    """The condition of its template that decides whether it is made; empty if it is in any case."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """One resource feeds another. `kind` is invokes, reads, notifies, dead_letter or delivers."""

    source: str
    target: str
    kind: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many things of a kind a survey came upon, and how many of them it understood; the rest it passed over."""

    kind: str
    seen: int
    understood: int


@record
class Fleet:
    """Every resource of the accounts and Regions asked for, and the links between them."""

    resources: tuple[Resource, ...]
    links: tuple[Link, ...] = ()
    incomplete: tuple[str, ...] = ()
    """What could not be read, in words: absence here is not absence there."""
    notes: tuple[str, ...] = ()
    """What is odd about what was read, in words."""
    tally: tuple[Tally, ...] = ()
    """Of the templates read, by resource type."""


def with_facts(resource: Resource, facts: Mapping[str, Fact]) -> Resource:
    """The resource with these facts too, which win over its own."""
    return Resource(  # `replace` takes three times as long
        service=resource.service,
        name=resource.name,
        id=resource.id,
        region=resource.region,
        account=resource.account,
        application=resource.application,
        condition=resource.condition,
        facts={**resource.facts, **facts},
        tags=resource.tags,
    )


# --- what ought to be watched --------------------------------------------------------------------


@record
class Query:
    """One line of an alarm or widget: a metric with its statistic, or metric math over the other lines."""

    id: str
    namespace: str = ""
    metric: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    statistic: str = ""
    period_s: int = 60
    expression: str = ""
    label: str = ""
    returned: bool = True


@record
class Description:
    """What an alarm means, which its description says in text (monitors/describe.py). No line breaks."""

    title: str = ""
    reason: str = ""
    """What it means when this fires."""
    severity: Severity = Severity.PAGE
    unit: str = ""
    """What the levels are in, in words: `failed invocations in 5 minutes`."""
    high: float | None = None
    low: float | None = None
    runbook: str = ""
    owner: str = ""
    """Who looks after the resource, by its tags."""
    log_group: str = ""


@record
class Alarm:
    """A rule on a resource, nothing left to decide: everything PutMetricAlarm needs but the topic's ARN."""

    name: str
    rule: str
    resource: str
    """Resource.id"""
    description: Description
    severity: Severity
    queries: tuple[Query, ...]
    """One plain metric, or metric math of which exactly one line is returned."""
    comparison: Comparison
    threshold: float
    datapoints: int
    periods: int
    missing: Missing
    evidence: Mapping[str, Scalar] = field(default_factory=dict)
    """Why the level is what it is: which row, setting or history."""
    covers: tuple[str, ...] = ()
    """Of an alarm for the whole fleet: the ids of the resources that have it in place of one of their own."""


@record
class CompositeAlarm:
    """One alarm over others, so that a person hears once."""

    name: str
    rule: str
    resource: str
    description: Description
    severity: Severity
    expression: str
    """AWS's alarm rule: `ALARM("a") OR ALARM("b")`."""
    children: tuple[str, ...] = ()
    """The names of the alarms in the expression."""
    joint: bool = False
    """Its alarms mean something together only: none of them calls anybody by itself."""
    suppressor: str = ""
    """The name of the alarm that keeps this one's actions back while it is on; empty for none."""


@record
class MetricDefinition:
    """A custom metric out of log lines, as a user writes it in lookout.toml."""

    name: str
    pattern: str
    value: str = "1"
    unit: str = "Count"
    default: float | None = None
    dimensions: tuple[tuple[str, str], ...] = ()
    """(dimension name, selector) pairs, such as ("Currency", "$.currency")."""
    log_groups: str = "/aws/lambda/*"
    """A shell-style pattern of log group names."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tag of the log group -> shell-style pattern of its value."""


@record
class MetricFilter:
    """A metric definition on one log group, run by CloudWatch Logs itself."""

    name: str
    log_group: str
    namespace: str
    definition: MetricDefinition


EVERY_GROUP = "*"


@record
class Subscription:
    """A log group whose matching lines go to the subscription Lambda."""

    name: str
    log_group: str
    """EVERY_GROUP for the account's policy, which is for all groups but those left out, later ones too."""
    pattern: str
    left_out: tuple[str, ...] = ()
    archived: bool = False
    """Whether they go to the archive instead."""


@record
class Plan:
    """All that would be watched, nothing left to decide."""

    fleet: Fleet
    alarms: tuple[Alarm, ...]
    composites: tuple[CompositeAlarm, ...] = ()
    metric_filters: tuple[MetricFilter, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    subscriber_metrics: tuple[MetricDefinition, ...] = ()
    """Definitions for the log subscriber to run, each on one log group that cannot run it itself."""
    application_dashboards: bool = True
    """Whether each application has a dashboard of its own."""
    notes: tuple["Finding", ...] = ()


# --- what the measurements say -------------------------------------------------------------------


@record
class Series:
    """Datapoints of one metric on a period grid; None where there is no datapoint."""

    label: str
    period_s: int
    start: int
    """Epoch seconds of the first slot, a multiple of `period_s`."""
    values: tuple[float | None, ...]


@record
class Finding:
    """Something now true of a resource that a person should hear, with its evidence."""

    kind: str
    resource: str
    title: str
    severity: Severity = Severity.TICKET
    evidence: Mapping[str, Scalar] = field(default_factory=dict)
