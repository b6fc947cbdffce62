"""An alarm's state change + what else was found -> words a person can act on. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from unicodedata import normalize

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from dashboards import formats
from monitors import names
from monitors.model import Comparison, Query, Severity, State
from subscribers import links
from subscribers.enrichment import LINES, LOOK_BACK_S, Context, log_group
from subscribers.notification import StateChange
from subscribers.redaction import redacted

SUBJECT = 99  # SNS Publish: less than 100 characters, no line breaks or control characters
_LINE = 600
_TEXT = 1024  # AlarmDescription: at most 1024 characters; CloudWatch's own reasons are as long
_RAW = 100_000  # well below the 256 KiB of SNS, whatever the characters
_MOST_CHILDREN = 10

_WORDS = {
    Comparison.ABOVE: "above",
    Comparison.AT_LEAST: "at or above",
    Comparison.BELOW: "below",
    Comparison.AT_MOST: "at or below",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What SNS is asked to publish, and for whom."""

    severity: Severity
    subject: str
    body: str
    attributes: Mapping[str, str]
    """For subscription filter policies: severity, state, and of one of our alarms its rule, resource and owner."""


def message(change: StateChange, context: Context) -> Message:
    """The message for people. Everything in it that others wrote is bounded, inert and without known secrets."""
    rule, resource = _rule_and_resource(change)
    severity = change.description.severity
    headline = _headline(change, context, resource)
    body = _template().render(
        headline=headline,
        change=change,
        severity=severity,
        level=_level(change),
        resource=_safe(resource),
        rule=_safe(rule),
        owner=_safe(change.description.owner, 255),
        since="" if change.at is None else formats.moment(change.at),
        meaning=_safe(change.description.reason),
        reason=_safe(redacted(change.reason)),
        behind=_behind(change, context),
        children=[_child(name, state) for name, state in change.children[:_MOST_CHILDREN]],
        links=_links(change),
        log_group=_safe(log_group(change)),
        log_lines=[_log_line(line) for line in context.log_lines[-LINES:]],
        failed=[_safe(redacted(what)) for what in context.failed],
        safe=_safe,
    )
    where = f" in {change.region}" if change.region else ""
    attributes = {
        "severity": severity,
        "state": change.new,
        "rule": _safe(rule, 255),
        "resource": _safe(resource, 255),
        "owner": _safe(change.description.owner, 255),
    }
    return Message(
        severity=severity,
        subject=_subject(f"{change.new} [{severity}] {headline}{where}"),
        body=body,
        attributes={name: str(value) for name, value in attributes.items() if value},
    )


def raw_message(text: str, why: str) -> Message:
    """The notification as it came, for when it can't be understood: it goes to whoever is on call."""
    shown = formats.inert(redacted(text[:_RAW]))[:_RAW]
    return Message(
        severity=Severity.PAGE,
        subject="A notification that lookout could not read",
        body=f"This came in as it stands below; it could not be read: {_safe(why)}\n\n{shown}\n",
        attributes={"severity": Severity.PAGE},
    )


# --- words ------------------------------------------------------------------------------------------


def _rule_and_resource(change: StateChange) -> tuple[str, str]:
    if parsed := names.parse_alarm_name(change.alarm):
        return parsed
    dimensions = [value for query in change.queries for _, value in query.dimensions]
    return "", dimensions[0] if dimensions else change.alarm


def _headline(change: StateChange, context: Context, resource: str) -> str:
    what = f"{_safe(_title(change), 100)} of {_safe(resource, 255)}"
    if change.new is State.INSUFFICIENT_DATA:
        return f"{what}: no data to judge by"
    if not change.queries:
        return f"{what}: {'in alarm' if change.new is State.ALARM else 'over'}"
    now = _now(change, context)
    if change.new is State.OK:
        return f"{what}: back within its level{f' ({now})' if now else ''}"
    return f"{what}: {now or 'beyond its level'} (level: {_level(change, unit=False)})"


def _title(change: StateChange) -> str:
    if change.description.title:
        return change.description.title
    returned = next((query for query in change.queries if query.returned), None)
    return (returned.metric or returned.label or returned.expression) if returned else change.alarm


def _now(change: StateChange, context: Context) -> str:
    if _two_sided(change):
        values = list(context.values.values())
        metrics = [query for query in change.queries if query.metric]
        return _quantity(values[0], change) if len(values) == len(metrics) == 1 else ""
    if change.value is not None:
        return _quantity(change.value, change)
    return "no data, which counts as beyond the level" if change.new is State.ALARM else ""


def _level(change: StateChange, *, unit: bool = True) -> str:
    said = _quantity if unit else _amount
    if _two_sided(change):
        return f"above {said(change.description.high, change)} or below {said(change.description.low, change)}"
    if change.threshold is None or change.comparison not in _WORDS:
        return "unknown" if change.queries else ""
    return f"{_WORDS[Comparison(change.comparison)]} {said(change.threshold, change)}"


def _two_sided(change: StateChange) -> bool:
    # Such an alarm judges an expression that is 1 beyond either level, so its own value and threshold say nothing.
    return change.description.high is not None and change.description.low is not None


def _quantity(value: float | None, change: StateChange) -> str:
    unit = _safe(change.description.unit, 100)
    return _amount(value, change) if unit == "ms" else f"{_amount(value, change)} {unit}".strip()


def _amount(value: float | None, change: StateChange) -> str:
    return formats.ms(value) if change.description.unit == "ms" else formats.short(value)


def _behind(change: StateChange, context: Context) -> list[str]:
    return [_query(query, context.values[query.id]) for query in change.queries if query.id in context.values]


def _query(query: Query, value: float) -> str:
    period = formats.span(query.period_s)
    return f"{_safe(query.metric, 255)} ({_safe(query.statistic, 40)} over {period}): {formats.short(value)}"


def _child(name: str, state: str) -> str:
    rule, resource = names.parse_alarm_name(name) or ("", name)
    return _safe(f"{rule} of {resource}: {state}" if rule else f"{resource}: {state}", 400)


def _links(change: StateChange) -> list[tuple[str, str]]:
    found = [("Runbook", formats.link(change.description.runbook))]
    if change.region:
        console = (change.partition, change.region)
        found.append(("Alarm", links.alarm(*console, change.alarm)))
        if change.at is not None:
            start, end = int(1000 * (change.at - LOOK_BACK_S)), int(1000 * (change.at + LOOK_BACK_S))
            if change.queries:
                found.append(("Metric", links.metrics(*console, change.queries, start_ms=start, end_ms=end)))
            if group := log_group(change):
                found.append(("Log", links.logs(*console, group, start_ms=start, end_ms=end)))
    return [(name, address) for name, address in found if address]


def _safe(text: str, length: int = _TEXT) -> str:
    """One line, every unseen character spelled out, no longer than `length`."""
    shown = formats.inert(" ".join(text[: 2 * length].split()))
    return shown if len(shown) <= length else f"{shown[: length - 3]}..."


def _log_line(line: str) -> str:
    shown = formats.inert(redacted(line[: 10 * _LINE]).replace("\r", "").strip())
    return shown if len(shown) <= _LINE else f"{shown[:_LINE]}..."


def _subject(text: str) -> str:
    plain = normalize("NFKD", text).encode("ascii", "replace").decode()
    return plain if len(plain) <= SUBJECT else f"{plain[: SUBJECT - 3]}..."


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("subscribers"),
        autoescape=select_autoescape(),  # by the file's extension: plain text stays as it is
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("alarm.txt.j2")
