"""CloudWatch's words about an alarm -> one record. Pure.

Three shapes: the JSON that an alarm sends to SNS (CloudWatch User Guide, "Notifying users on alarm changes"),
the EventBridge event "CloudWatch Alarm State Change" ("Alarm events and EventBridge"), and what an alarm
invokes a Lambda function with ("Invoke a Lambda function from an alarm").
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from monitors.describe import parse_description
from monitors.errors import InputError
from monitors.model import Comparison, Description, Query, State

Json = Mapping[str, object]

_ARN = re.compile(r"arn:(?P<partition>[a-z-]{1,20}):cloudwatch:(?P<region>[a-z0-9-]{1,30}):(?P<account>\d{12}):alarm:")
# "[7.0 (04/06/26 14:04:00), 3.0 (04/06/26 14:03:00)] was greater than ...": day, month, year, UTC
_DATAPOINT = re.compile(r"(-?[\d.]{1,40}(?:E-?\d{1,3})?) \((\d\d)/(\d\d)/(\d\d) (\d\d:\d\d:\d\d)\)")
_COMPARISONS = (
    ("greater than or equal to the", Comparison.AT_LEAST),
    ("greater than the", Comparison.ABOVE),
    ("less than or equal to the", Comparison.AT_MOST),
    ("less than the", Comparison.BELOW),
)
"""Events leave the operator out, but the reason has it in words."""
_LATEST = 4_102_444_800  # the year 2100: later than that is no time at all, and room to add to it
_MOST_QUERIES = 10  # metrics in one alarm, CloudWatch service quotas


@dataclass(frozen=True, kw_only=True, slots=True)
class StateChange:
    """One alarm went from one state to another. Text is as CloudWatch sent it, not yet safe to show."""

    alarm: str
    old: str
    new: State
    reason: str
    at: float | None
    """Epoch seconds."""
    partition: str
    region: str
    account: str
    description: Description
    queries: tuple[Query, ...] = ()
    """Empty for a composite alarm."""
    comparison: str = ""
    threshold: float | None = None
    datapoints: int | None = None
    periods: int | None = None
    value: float | None = None
    """The newest datapoint judged, None if there was none."""
    rule: str = ""
    """A composite alarm's rule."""
    children: tuple[tuple[str, str], ...] = ()
    """(name, state) of the alarms that made a composite one change."""


def parse(text: str) -> StateChange:
    """What the notification says. InputError if it is not one of CloudWatch's three shapes."""
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}") from error
    if not isinstance(payload, dict):
        raise InputError("not a JSON object")
    if data := _json(payload, "detail") or _json(payload, "alarmData"):
        return _from_event(payload, data)
    return _from_sns(payload)


def _from_sns(payload: Json) -> StateChange:
    trigger = _json(payload, "Trigger")
    arn = _ARN.match(_text(payload, "AlarmArn"))
    reason = _text(payload, "NewStateReason")
    return StateChange(
        alarm=_needed(payload, "AlarmName"),
        old=_text(payload, "OldStateValue"),
        new=_state(payload, "NewStateValue"),
        reason=reason,
        at=_time(_text(payload, "StateChangeTime")),
        partition=arn["partition"] if arn else "",
        region=arn["region"] if arn else "",
        account=_text(payload, "AWSAccountId"),
        description=parse_description(_text(payload, "AlarmDescription")),
        queries=_queries(trigger),
        comparison=_text(trigger, "ComparisonOperator"),
        threshold=_number(trigger, "Threshold"),
        datapoints=_count(trigger, "DatapointsToAlarm") or _count(trigger, "EvaluationPeriods"),
        periods=_count(trigger, "EvaluationPeriods"),
        value=_newest(reason),
        rule=_text(payload, "AlarmRule"),
        children=tuple(_child(child, "Arn", "State", "Value") for child in _items(payload, "TriggeringChildren")),
    )


def _from_event(payload: Json, data: Json) -> StateChange:
    now, configuration = _json(data, "state"), _json(data, "configuration")
    named = [_text(payload, "alarmArn"), *(arn for arn in _values(payload, "resources") if isinstance(arn, str))]
    arn = next(filter(None, map(_ARN.match, named)), None)
    evidence = _evidence(now)
    reason = _text(now, "reason")
    return StateChange(
        alarm=_needed(data, "alarmName"),
        old=_text(_json(data, "previousState"), "value"),
        new=_state(now, "value"),
        reason=reason,
        at=_time(_text(now, "timestamp")),
        partition=arn["partition"] if arn else "",
        region=arn["region"] if arn else "",
        account=arn["account"] if arn else _text(payload, "account"),
        description=parse_description(_text(configuration, "description")),
        queries=tuple(map(_event_query, _items(configuration, "metrics")[:_MOST_QUERIES])),
        comparison=next((comparison for words, comparison in _COMPARISONS if words in reason), ""),
        threshold=_number(evidence, "threshold"),
        value=_newest(reason),
        rule=_text(configuration, "alarmRule"),
        children=tuple(_child(child, "arn", "state", "value") for child in _items(evidence, "triggeringAlarms")),
    )


def _evidence(state: Json) -> Json:
    try:
        found = json.loads(_text(state, "reasonData") or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _queries(trigger: Json) -> tuple[Query, ...]:
    if lines := _items(trigger, "Metrics"):
        return tuple(map(_sns_query, lines[:_MOST_QUERIES]))
    return (_metric("m1", trigger, trigger),) if trigger else ()


def _sns_query(line: Json) -> Query:
    if stat := _json(line, "MetricStat"):
        return _metric(_text(line, "Id"), _json(stat, "Metric"), stat, returned=line.get("ReturnData") is not False)
    return Query(
        id=_text(line, "Id"),
        expression=_text(line, "Expression"),
        label=_text(line, "Label"),
        returned=line.get("ReturnData") is not False,
    )


def _metric(id_: str, metric: Json, stat: Json, *, returned: bool = True) -> Query:
    statistic = _text(stat, "Stat") or _text(stat, "Statistic") or _text(stat, "ExtendedStatistic")
    return Query(
        id=id_,
        namespace=_text(metric, "Namespace"),
        metric=_text(metric, "MetricName"),
        dimensions=tuple((_text(pair, "name"), _text(pair, "value")) for pair in _items(metric, "Dimensions")),
        statistic=_API_STATISTICS.get(statistic, statistic),
        period_s=_count(stat, "Period") or 60,
        returned=returned,
    )


_API_STATISTICS = {"SUM": "Sum", "AVERAGE": "Average", "MAXIMUM": "Maximum", "MINIMUM": "Minimum"} | {
    "SAMPLE_COUNT": "SampleCount"
}
"""An alarm on one metric tells SNS its statistic in capitals; the API wants it back as it was."""


def _event_query(line: Json) -> Query:
    stat = _json(line, "metricStat")
    metric = _json(stat, "metric")
    return Query(
        id=_text(line, "id"),
        namespace=_text(metric, "namespace"),
        metric=_text(metric, "name"),
        dimensions=tuple((name, str(value)) for name, value in _json(metric, "dimensions").items()),
        statistic=_text(stat, "stat"),
        period_s=_count(stat, "period") or 60,
        expression=_text(line, "expression"),
        label=_text(line, "label"),
        returned=line.get("returnData") is not False,
    )


def _child(child: Json, arn: str, state: str, value: str) -> tuple[str, str]:
    name = _text(child, arn)
    return name.partition(":alarm:")[2] or name, _text(_json(child, state), value)


def _newest(reason: str) -> float | None:
    found = [(year + month + day + time, value) for value, day, month, year, time in _DATAPOINT.findall(reason)]
    return _finite(max(found, key=lambda pair: pair[0])[1]) if found else None


def _time(text: str) -> float | None:
    try:
        time = datetime.fromisoformat(text)
        at = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return at if 0 <= at < _LATEST else None


# --- JSON that anyone may have sent ------------------------------------------------------------------


def _text(found: Json, key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""


def _needed(found: Json, key: str) -> str:
    if not _text(found, key):
        raise InputError(f"no {key}")
    return _text(found, key)


def _state(found: Json, key: str) -> State:
    try:
        return State(_text(found, key))
    except ValueError as error:
        raise InputError(f"no alarm state in {key}") from error


def _json(found: Json, key: str) -> Json:
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def _values(found: Json, key: str) -> Sequence[object]:
    value = found.get(key)
    return value if isinstance(value, list) else []


def _items(found: Json, key: str) -> list[Json]:
    return [item for item in _values(found, key) if isinstance(item, dict)]


def _finite(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _number(found: Json, key: str) -> float | None:
    return _finite(found.get(key))


def _count(found: Json, key: str) -> int | None:
    number = _number(found, key)
    return int(number) if number is not None and 1 <= number <= 604_800 else None
