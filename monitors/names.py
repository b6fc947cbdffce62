"""Every name two modules must agree on: built and parsed here, and nowhere else."""

import hashlib
import re

PREFIX = "lookout"
LOG_METRICS = "Lookout/Lambda"
"""Namespace of the metrics that the log subscriber reads out of platform lines; dimension FunctionName."""
SUBSCRIBER_METRICS = "Lookout/Subscriber"
"""Namespace of the log subscriber's own counts."""
ARCHIVE_METRICS = "Lookout/Archive"
"""Namespace of the archive's own counts."""
REPORT_METRICS = "Lookout/Reports"
"""Namespace of the weekly reports' own counts; dimension Report."""
CUSTOM_METRICS = "Lookout/Custom"
"""Namespace of the metrics that users define in lookout.toml."""
STACK = "lookout"
"""The toolkit's own stack (infra/template.yaml)."""
ARCHIVE = "lookout-archive"
"""The stack, the Firehose stream and its Lambda function (infra/archive.yaml), and the subscriptions that feed it."""
FAILED_BATCHES = "lookout-log-subscriber-failures"
"""The queue for log batches that the subscriber could not take (infra/template.yaml)."""
ALARM_STACK = "lookout-alarms"
"""The stack made from a plan, or the first of several: see `alarm_stack`."""
SUBSCRIPTION = "lookout"
"""The subscription filter that sends a log group's lines to the log subscriber."""
APPLICATION = "application:"
"""What the id of an application begins with, where an alarm is about one instead of a resource."""
FLEET = "fleet:"
"""The id of the whole fleet, where an alarm is about all resources of a kind."""
FLEET_DASHBOARD = "fleet"
FUNCTION_DASHBOARD = "function"
"""Kinds of dashboard: the whole fleet; any one function, chosen in it."""

_PUNCTUATION = re.compile(r"[^A-Za-z0-9]+")
ALARM_NAME_LIMIT = 255  # PutMetricAlarm, AlarmName: 1-255 characters


def alarm_name(rule: str, resource: str) -> str:
    """The alarm's name, `lookout/<rule id>/<resource name>`: at most 255 characters, never that of another resource.

    A name too long is cut and ends in a hash of the whole.
    """
    name = f"{PREFIX}/{rule}/{resource}"
    if len(name) <= ALARM_NAME_LIMIT:
        return name
    return f"{name[: ALARM_NAME_LIMIT - 9]}~{_hash(name)}"


def parse_alarm_name(name: str) -> tuple[str, str] | None:
    """(rule id, resource name) of one of our alarms; None for anyone else's."""
    prefix, _, rest = name.partition("/")
    rule, slash, resource = rest.partition("/")
    return (rule, resource) if prefix == PREFIX and "." in rule and slash and resource else None


def logical_id(name: str) -> str:
    """A CloudFormation logical id: letters and digits, ending in a hash, since `a-b` and `ab` would collide without."""
    return f"{_PUNCTUATION.sub('', name)[:200]}{_hash(name)}"


def alarm_stack(bits: str) -> str:
    """One of the further stacks that a plan too big for ALARM_STACK takes, by the bits its nested stacks begin with."""
    return f"{ALARM_STACK}-{bits}"


def is_alarm_stack(name: str) -> bool:
    """Whether it is a stack made from a plan: neither a nested one nor anyone else's."""
    return re.fullmatch(rf"{ALARM_STACK}(-[01]+)?", name) is not None


def nested_stack(kind: str, bits: str) -> str:
    """The template of a nested stack: `lookout-alarms-part-01`."""
    return f"{ALARM_STACK}-{kind}-{bits}" if bits else f"{ALARM_STACK}-{kind}"


def log_group(function: str) -> str:
    """Where a Lambda function logs unless it was told otherwise."""
    return f"/aws/lambda/{function}"


def dashboard(kind: str, region: str) -> str:
    """`lookout-fleet-eu-central-1`: dashboards have no Region of their own, so two Regions' must differ in name."""
    return f"{PREFIX}-{kind}-{region}"


def application_dashboard(application: str, region: str) -> str:
    """The application's dashboard, in the letters, digits, `-` and `_` that AWS allows; never the same for two.

    A name that had to be changed ends in a hash of the whole.
    """
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", application)[:150]
    changed = plain != application or re.search(r"_[01]+$", plain)
    said = f"{plain}-{_hash(application)}" if changed else plain
    return dashboard(f"app-{said}" if application else "rest", region)


def dashboard_part(name: str, bits: str) -> str:
    """The part of a dashboard too large for one, by the bits of its bucket; the only part has the plain name."""
    return f"{name}_{bits}" if bits else name


def is_own(name: str) -> bool:
    """Whether the toolkit itself made the function or filter: it is named `lookout`, `lookout-...` or `lookout/...`."""
    return re.match(rf"{PREFIX}($|[-/])", name) is not None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
