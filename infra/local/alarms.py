"""Alarms of the embedded account: judged by the product's own evaluation, told to SNS in CloudWatch's own words.

A tick evaluates every alarm as at a moment, as CloudWatch does each minute: on whole minutes only, over a window that
ends at that moment and is not aligned to the clock.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import cloudwatch as cw
from ministack.services import sns, sqs

from infra.local import cloudwatch, insights, queries
from monitors.errors import InputError
from monitors.evaluate import RANGE_BEYOND_PERIODS, breaches, judge
from monitors.model import Comparison, Query, State

Json = dict[str, Any]
Values = list[float | None]

WORDS = {
    Comparison.ABOVE: "greater than",
    Comparison.AT_LEAST: "greater than or equal to",
    Comparison.BELOW: "less than",
    Comparison.AT_MOST: "less than or equal to",
}
CONFIGURATION = ("AlarmActions", "OKActions", "InsufficientDataActions")


def install() -> None:
    """Let alarm actions carry the whole payload that AWS sends."""
    cw._dispatch_alarm_actions = tell


def tick(now_s: float) -> int:
    """Evaluate every alarm of every account and Region as at `now_s`; how many changed state."""
    queues = [(account, region) for account, region, _ in list(sqs._queues._data)]
    for account, region in sorted(set(queues)):
        cloudwatch.within(account, region, partial(_measure_queues, now_s))
    changed = 0
    for (account, region, _), alarm in list(cw._alarms._data.items()):
        changed += bool(cloudwatch.within(account, region, partial(_evaluate, alarm, now_s)))
    return changed


def _measure_queues(now_s: float) -> None:
    """What SQS publishes each minute about the queues of this account and Region."""
    minute = now_s - 60
    for queue in list(sqs._queues.values()):
        waiting = [m for m in queue["messages"] if m["visible_at"] <= now_s]
        age = max((now_s - m["sent_at"] for m in waiting), default=0.0)
        for metric, value, unit in (
            ("ApproximateNumberOfMessagesVisible", len(waiting), "Count"),
            ("ApproximateNumberOfMessagesNotVisible", len(queue["messages"]) - len(waiting), "Count"),
            ("ApproximateAgeOfOldestMessage", max(age, 0.0), "Seconds"),
        ):
            cloudwatch.put("AWS/SQS", metric, {"QueueName": queue["name"]}, [float(value)], unit=unit, at_s=minute)


def _evaluate(alarm: Json, now_s: float) -> bool:
    """Whether the alarm changed state. One that cannot be judged here says so, and leaves the others in peace."""
    periods = int(alarm.get("EvaluationPeriods") or 1)
    try:
        times, series = _values(alarm, now_s)
        states = [_judged(alarm, values) for values in series]
    except (InputError, KeyError, ValueError) as error:
        alarm["EvaluationState"] = "EVALUATION_ERROR"
        alarm["StateReason"] = f"The embedded account cannot evaluate this alarm: {error}"
        return False
    # A query's series are contributors: it is on while one of them is, and knows nothing where there is none.
    state = State.ALARM if State.ALARM in states else states[0] if states else State.INSUFFICIENT_DATA
    if state == alarm["StateValue"]:
        return False
    values = series[states.index(state)] if states else []
    recent = [(at, value) for at, value in zip(times, values, strict=False) if value is not None][-periods:]
    _change(alarm, state, recent=recent, period=times.step, now_s=now_s)
    return True


def _judged(alarm: Json, values: Values) -> State:
    periods = int(alarm.get("EvaluationPeriods") or 1)
    return judge(
        breaches(values, Comparison(alarm["ComparisonOperator"]), float(alarm["Threshold"])),
        datapoints=int(alarm.get("DatapointsToAlarm") or periods),
        periods=periods,
        missing=alarm.get("TreatMissingData") or "missing",
        current=State(alarm["StateValue"]),
    )


def _values(alarm: Json, now_s: float) -> tuple[range, list[Values]]:
    """The slots that an evaluation at this moment looks at, and what the alarm's returned query gives in each.

    A Metrics Insights query gives as many series as it finds; all others give one.
    """
    lines = _queries(alarm)
    wide = len(lines) == 1 and insights.finds(lines[0].expression)
    period = lines[0].period_s if wide else queries.period_of(lines)
    slots = int(alarm.get("EvaluationPeriods") or 1) + RANGE_BEYOND_PERIODS
    end = int(now_s // 60) * 60
    times = range(end - slots * period, end, period)
    if wide:
        chosen = insights.parse(lines[0].expression)
        grid = {"start_s": times.start, "period_s": period, "slots": slots}
        return times, [v for _, v in insights.evaluate(cloudwatch.STORE, cloudwatch.scope(), chosen, **grid)]
    found = queries.resolve(
        cloudwatch.STORE, cloudwatch.scope(), lines, start_s=times.start, period_s=period, slots=slots
    )
    (returned,) = (query.id for query in lines if query.returned)
    return times, [found[returned]]


def _queries(alarm: Json) -> list[Query]:
    if alarm.get("Metrics"):
        return [queries.from_api(raw) for raw in alarm["Metrics"]]
    return [
        Query(
            id="m1",
            namespace=alarm["Namespace"],
            metric=alarm["MetricName"],
            dimensions=tuple(sorted((d["Name"], d["Value"]) for d in alarm.get("Dimensions") or [])),
            statistic=alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average",
            period_s=int(alarm.get("Period") or 60),
        )
    ]


def _change(alarm: Json, state: State, *, recent: Sequence[tuple[int, float]], period: int, now_s: float) -> None:
    old = alarm["StateValue"]
    reason = _reason(alarm, state, recent)
    data = {
        "version": "1.0",
        "queryDate": _stamp(now_s),
        "period": period,
        "recentDatapoints": [value for _, value in recent],
        "threshold": alarm["Threshold"],
        "evaluatedDatapoints": [{"timestamp": _stamp(at), "value": value} for at, value in reversed(recent)],
    }
    alarm |= {
        "StateValue": str(state),
        "StateReason": reason,
        "StateReasonData": json.dumps(data),
        "StateUpdatedTimestamp": int(now_s),
    }
    cw._record_history(alarm["AlarmName"], old, str(state), reason, reason_data=data)
    tell(alarm, old, str(state), reason)
    cw._evaluate_parent_alarms(alarm)
    if state != State.ALARM:
        _release(alarm["AlarmName"])


def _release(name: str) -> None:
    """Have composites say what this alarm kept them from saying. AWS waits for their extension period first."""
    for composite in list(cw._composite_alarms.values()):
        if composite.get("ActionsSuppressor") == name and composite["StateValue"] == State.ALARM:
            tell(composite, str(State.OK), str(State.ALARM), composite["StateReason"])


def _reason(alarm: Json, state: State, recent: Sequence[tuple[int, float]]) -> str:
    if state == State.INSUFFICIENT_DATA or not recent:
        count, treated = alarm.get("EvaluationPeriods") or 1, alarm.get("TreatMissingData") or "missing"
        kind = "Insufficient Data" if state == State.INSUFFICIENT_DATA else "Threshold Crossed"
        return f"{kind}: {count} missing datapoints were treated as [{treated}]."
    comparison, threshold = Comparison(alarm["ComparisonOperator"]), float(alarm["Threshold"])
    crossing = breaches([value for _, value in recent], comparison, threshold)
    # Those that speak for the state; none do where it was missing data that decided.
    deciding = [point for point, breach in zip(recent, crossing, strict=True) if breach == (state == State.ALARM)]
    points = ", ".join(f"{value} ({datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S})" for at, value in deciding)
    was = ("was" if len(deciding) == 1 else "were") + ("" if state == State.ALARM else " not")
    return (
        f"Threshold Crossed: {len(deciding)} out of the last {alarm.get('EvaluationPeriods')} datapoints [{points}] "
        f"{was} {WORDS[comparison]} the threshold ({threshold})."
    )


def tell(alarm: Json, old: str, new: str, reason: str) -> None:
    """Send a state change to the alarm's SNS topics: fields and shapes as CloudWatch sends them."""
    suppressor = cw._alarms.get(alarm.get("ActionsSuppressor") or "") or {}
    if not alarm.get("ActionsEnabled", True) or suppressor.get("StateValue") == State.ALARM:
        return
    field = {"ALARM": "AlarmActions", "OK": "OKActions"}.get(new, "InsufficientDataActions")
    subject = f'{new}: "{alarm["AlarmName"]}" in {get_region()}'[:100]
    for target in alarm.get(field) or []:
        if ":sns:" in target:
            sns._fanout(target, new_uuid(), json.dumps(_payload(alarm, old, new, reason)), subject)


def _payload(alarm: Json, old: str, new: str, reason: str) -> Json:
    body: Json = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": get_account_id(),
        "AlarmConfigurationUpdatedTimestamp": _stamp(alarm.get("AlarmConfigurationUpdatedTimestamp", 0)),
        "NewStateValue": new,
        "NewStateReason": reason,
        "StateChangeTime": _stamp(alarm.get("StateUpdatedTimestamp", 0)),
        "Region": get_region(),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old,
        **{name: alarm.get(name) or [] for name in CONFIGURATION},
    }
    if "AlarmRule" in alarm:
        children = json.loads(alarm.get("StateReasonData") or "{}").get("triggeringAlarms", [])
        return body | {
            "AlarmRule": alarm["AlarmRule"],
            "TriggeringChildren": [{"Arn": c["arn"], "State": {"Value": c["state"]["value"]}} for c in children],
        }
    return body | {"Trigger": _trigger(alarm)}


def _trigger(alarm: Json) -> Json:
    trigger: Json = {
        "Period": alarm.get("Period", 60),
        "EvaluationPeriods": alarm.get("EvaluationPeriods", 1),
        "DatapointsToAlarm": alarm.get("DatapointsToAlarm") or alarm.get("EvaluationPeriods", 1),
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": alarm["Threshold"],
        "TreatMissingData": alarm.get("TreatMissingData") or "missing",
    }
    if alarm.get("Metrics"):
        return trigger | {"Metrics": [_with_lower_dimensions(line) for line in alarm["Metrics"]]}
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "")
    return trigger | {
        "MetricName": alarm["MetricName"],
        "Namespace": alarm["Namespace"],
        "StatisticType": "ExtendedStatistic" if alarm.get("ExtendedStatistic") else "Statistic",
        "Statistic": statistic if alarm.get("ExtendedStatistic") else statistic.upper(),
        "Unit": alarm.get("Unit"),
        "Dimensions": _lower(alarm.get("Dimensions") or []),
    }


def _with_lower_dimensions(line: Json) -> Json:
    if "MetricStat" not in line:
        return line
    stat = line["MetricStat"]
    metric = stat["Metric"] | {"Dimensions": _lower(stat["Metric"].get("Dimensions") or [])}
    return line | {"MetricStat": stat | {"Metric": metric}}


def _lower(dimensions: Sequence[Json]) -> list[Json]:
    """CloudWatch's notifications spell a dimension's keys `name` and `value`, unlike its API."""
    return [{"value": d["Value"], "name": d["Name"]} for d in dimensions]


def _stamp(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
