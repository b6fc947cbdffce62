"""Where there are many of a thing: which of them are worth a call each, by what cheaper calls already tell.

Lambda allows 15 control-plane calls a second in a Region (Lambda quotas), and a function takes four: up to MANY
functions are asked one by one in less than a minute, and 5,000 would take more than 20. Beyond MANY, only those are
asked of which CloudWatch has a metric that nothing else emits, or that something else names. ListMetrics knows what
had data in the last two weeks and nothing older, so what is not asked for is said in words.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from monitors.fleet.answers import Answer, Json

Answered = Mapping[str, Sequence[Answer]]
"""What is found so far in a Region, by call."""

MANY = 200
FUNCTIONS, LOG_GROUPS, METRICS = "lambda:ListFunctions", "logs:DescribeLogGroups", "cloudwatch:ListMetrics"

LISTED: tuple[Mapping[str, Json], ...] = (
    {"Namespace": "AWS/Lambda", "MetricName": "AsyncEventsReceived"},
    {"Namespace": "AWS/Lambda", "MetricName": "UrlRequestCount"},
    {"Namespace": "AWS/Lambda", "MetricName": "ProvisionedConcurrencyUtilization"},
    {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": [{"Name": "Resource"}]},
    {"Namespace": "AWS/Logs", "MetricName": "ForwardedLogEvents"},
    {"Namespace": "AWS/Logs", "MetricName": "DeliveryErrors"},
    {"Namespace": "AWS/Usage", "Dimensions": [{"Name": "Service", "Value": "SSM"}]},
)
"""The metrics to list (Lambda, Types of metrics; CloudWatch Logs, Monitoring with CloudWatch metrics).

The last, AWS's usage metrics, alone tell of Parameter Store: there is one for each operation that is called.
"""

_EMITTER = {"AWS/Lambda": FUNCTIONS, "AWS/Logs": LOG_GROUPS}
# A function's ARN with a name behind it that is no version: an alias (Lambda, CreateAlias).
_ALIASED = re.compile(r":lambda:[a-z0-9-]+:\d{12}:function:([A-Za-z0-9_-]+):(?!\d+(?![A-Za-z0-9_-]))[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Which of many things a call is made for, and what is not known of the others."""

    key: str
    """The thing's key that holds its name."""
    what: str
    """What the call tells, and of what: `aliases of {count} functions`."""
    why: str
    """Why the others may have it all the same, as a sentence goes on."""
    names: Callable[[Answered], AbstractSet[str]]
    """The names of those to ask about."""


def has_many(metric: Json, found: Answered) -> bool:
    """Whether there are many of what emits one of the LISTED metrics; of the account's own there is always enough."""
    emitter = _EMITTER.get(metric["Namespace"])
    return emitter is None or len(found.get(emitter, ())) > MANY


def _emitting(*metrics: str, dimension: str = "FunctionName") -> Callable[[Answered], AbstractSet[str]]:
    def names(found: Answered) -> AbstractSet[str]:
        return set(_dimensions(found, metrics, dimension))

    return names


def _dimensions(found: Answered, metrics: Sequence[str], wanted: str) -> Iterable[str]:
    for answer in found.get(METRICS, ()):
        if answer.item.get("MetricName") in metrics:
            yield from (one["Value"] for one in answer.item.get("Dimensions", ()) if one["Name"] == wanted)


def _aliased(found: Answered) -> AbstractSet[str]:
    """Functions invoked through an alias, and those whose alias any other answer names."""
    resources = (resource.partition(":") for resource in _dimensions(found, ("Invocations",), "Resource"))
    invoked = {name for name, _, qualifier in resources if qualifier.strip("0123456789") not in ("", "$LATEST")}
    # Lists of functions and metrics are long, and name no alias that isn't looked for above.
    others = (answer.item for call, answers in found.items() if call not in (FUNCTIONS, METRICS) for answer in answers)
    return invoked | {name for item in others for name in _ALIASED.findall(str(item))}


def _nobody(_found: Answered) -> AbstractSet[str]:
    return set()


_UNSEEN = "of which no metric of the last two weeks shows any"

EVENT_INVOKE = Evidence(
    "FunctionName",
    "asynchronous invocation settings (destinations) of {count} functions",
    _UNSEEN,
    _emitting("AsyncEventsReceived"),
)
ALIASES = Evidence("FunctionName", "aliases of {count} functions", _UNSEEN, _aliased)
URLS = Evidence("FunctionName", "URLs of {count} functions", _UNSEEN, _emitting("UrlRequestCount"))
PROVISIONED = Evidence(
    "FunctionName",
    "provisioned concurrency of {count} functions",
    _UNSEEN,
    _emitting("ProvisionedConcurrencyUtilization"),
)
RESERVED = Evidence(
    "FunctionName",
    "reserved concurrency of {count} functions",
    "some of which reserve some, and no list tells which",
    _nobody,
)
SUBSCRIPTIONS = Evidence(
    "logGroupName",
    "subscription filters of {count} log groups",
    _UNSEEN,
    _emitting("ForwardedLogEvents", "DeliveryErrors", dimension="LogGroupName"),
)
