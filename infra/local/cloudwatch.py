"""CloudWatch's metric API over the product's own store and metric math, in place of ministack's.

Speaks the two protocols that today's SDKs use (JSON and CBOR); the old form-encoded one is refused in words.
"""

import contextvars
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from ministack.core.responses import _request_account_id, _request_region, get_account_id, get_region
from ministack.services import cloudwatch as cw

from infra.local import insights, queries
from infra.local.metrics import RETENTION_S, Bucket, MetricStore, Scope
from monitors.errors import InputError
from monitors.model import Query

Json = dict[str, Any]
Window = tuple[float, float]
Result = TypeVar("Result")
STORE = MetricStore()
STATISTICS = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
GAUGES = ("ConcurrentExecutions",)
"""What is no sum or distribution over functions: the account has a measurement of its own."""
_put_metric_alarm = cw._put_metric_alarm


def scope() -> Scope:
    """The account and Region of the request (or invocation) being served."""
    return get_account_id(), get_region()


def within(account: str, region: str, work: Callable[[], Result]) -> Result:
    """The result of work that is done as if a request of this account and Region were being served."""

    def scoped() -> Result:
        _request_account_id.set(account)
        _request_region.set(region)
        return work()

    return contextvars.copy_context().run(scoped)


def record(
    namespace: str, name: str, value: float, unit: str = "None", dimensions: Mapping[str, str] | None = None
) -> None:
    """Keep one value, now."""
    put(namespace, name, dimensions or {}, [value], unit=unit, at_s=time.time())


def put(
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    values: list[float],
    *,
    unit: str,
    at_s: float,
) -> None:
    """Keep values of one metric at one time; what functions emit also counts for the account as a whole."""
    STORE.add(scope(), queries.key(namespace, name, dimensions), at_s=at_s, values=values, unit=unit)
    if namespace == "AWS/Lambda" and dimensions.keys() == {"FunctionName"} and name not in GAUGES:
        STORE.add(scope(), queries.key(namespace, name, {}), at_s=at_s, values=list(values), unit=unit)


def install() -> None:
    """Put this module in ministack's place, and switch off its own alarm evaluation and its 14-day eviction."""
    cw._store_datum = _store_datum
    cw.record_metric = record
    cw._list_metrics = _answer(_list_metrics)
    cw._get_metric_data = _answer(_get_metric_data)
    cw._get_metric_statistics = _answer(_get_metric_statistics)
    cw._put_metric_alarm = _keep_metric_math
    cw._evaluate_alarm = lambda _alarm: None
    cw._evaluate_all_alarms = lambda: None
    cw._evict_old_metrics = lambda: None


def forget_old() -> None:
    """Drop datapoints older than CloudWatch keeps at one-minute resolution."""
    STORE.forget_before(time.time() - RETENTION_S)


def _store_datum(
    namespace: str,
    name: str,
    dims: Mapping[str, str],
    at_s: float,
    unit: str,
    value: float | None,
    values: list[float] | None,
    counts: list[float] | None,
    statistics: Mapping[str, float] | None,
) -> None:
    if statistics is None:
        raw = values if values is not None else [value or 0.0]
        counted = zip(raw, counts or [1.0] * len(raw), strict=False)
        put(namespace, name, dims, [float(v) for v, n in counted for _ in range(int(n))], unit=unit, at_s=at_s)
        return
    new = Bucket(
        count=float(statistics.get("SampleCount", 0)),
        total=float(statistics.get("Sum", 0)),
        low=float(statistics.get("Minimum", 0)),
        high=float(statistics.get("Maximum", 0)),
        values=[],
    )
    STORE.add_statistics(scope(), queries.key(namespace, name, dims), at_s=at_s, new=new, unit=unit)


def _answer(operation: Any) -> Any:
    """An operation on decoded JSON as one of ministack's handlers."""

    def handler(_params: Json, data: Json, is_cbor: bool, is_json: bool = False) -> Any:
        if not (is_cbor or is_json):
            words = "The embedded account speaks CloudWatch's JSON and CBOR protocols: use a newer SDK."
            return cw._error("InvalidAction", words, 400)
        try:
            return operation(data, is_cbor)
        except InputError as error:
            return cw._error("ValidationError", str(error), 400, use_json=is_json, use_cbor=is_cbor)

    return handler


def _list_metrics(data: Json, is_cbor: bool) -> Any:
    wanted = [(d.get("Name"), d.get("Value")) for d in data.get("Dimensions") or []]
    found = [
        {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": n, "Value": v} for n, v in dimensions],
        }
        for namespace, name, dimensions in STORE.keys(scope())
        if data.get("Namespace", namespace) == namespace
        and data.get("MetricName", name) == name
        and all(any(n == dn and v in (None, "", dv) for dn, dv in dimensions) for n, v in wanted)
    ]
    page, token = _page(found, data.get("NextToken"), size=500)
    return _ok({"Metrics": page, **token}, is_cbor)


def _page(items: list[Any], token: str | None, *, size: int) -> tuple[list[Any], Json]:
    start = int(token) if token and token.isdigit() else 0
    rest = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return items[start : start + size], rest


def _get_metric_data(data: Json, is_cbor: bool) -> Any:
    asked = [queries.from_api(raw) for raw in data.get("MetricDataQueries") or []]
    others = [query for query in asked if not insights.finds(query.expression)]
    window = _window(data)
    ascending = data.get("ScanBy") == "TimestampAscending"
    results = [
        _result(query.id, found, ascending=ascending)
        for query in asked
        if query.returned
        for found in _found(query, others, window)
    ]
    return _ok({"MetricDataResults": [cw._cbor_metric_data_result(r) if is_cbor else r for r in results]}, is_cbor)


class _Found(NamedTuple):
    """One series of an answer, or why there is none."""

    label: str
    start: int
    period: int
    values: queries.Values
    failure: str = ""


def _found(query: Query, others: Sequence[Query], window: Window) -> list[_Found]:
    """What one query gives: one series, or as many as it finds. An expression may name any of the others."""
    try:
        if insights.finds(query.expression):
            chosen = insights.parse(query.expression)
            period = chosen.period_s or query.period_s
            start, slots = _grid(window, period)
            found = insights.evaluate(STORE, scope(), chosen, start_s=start, period_s=period, slots=slots)
            return [_Found(label, start, period, values) for label, values in found]
        group = queries.standing_on(query, others)  # so that no other query of the call lengthens its period
        period = queries.period_of(group)
        start, slots = _grid(window, period)
        values = queries.resolve(STORE, scope(), group, start_s=start, period_s=period, slots=slots)
        return [_Found(query.label, start, period, values[query.id])]
    except InputError as error:
        return [_Found(query.label, 0, 0, [], str(error))]


def _result(id_: str, found: _Found, *, ascending: bool) -> Json:
    points = [(found.start + n * found.period, v) for n, v in enumerate(found.values) if v is not None]
    points = points if ascending else points[::-1]
    result: Json = {"Id": id_, "Label": found.label, "StatusCode": "Complete"}
    result |= {"Timestamps": [at for at, _ in points], "Values": [value for _, value in points]}
    if found.failure:
        result["StatusCode"] = "InternalError"
        result["Messages"] = [{"Code": "Unsupported", "Value": found.failure}]
    return result


def _get_metric_statistics(data: Json, is_cbor: bool) -> Any:
    period = int(data.get("Period") or 60)
    start, slots = _grid(_window(data), period)
    dimensions = {d["Name"]: d["Value"] for d in data.get("Dimensions") or []}
    key = queries.key(data.get("Namespace", ""), data.get("MetricName", ""), dimensions)
    plain = data.get("Statistics") or ([] if data.get("ExtendedStatistics") else STATISTICS)
    extended = data.get("ExtendedStatistics") or []
    columns = {
        name: STORE.series(scope(), key, statistic=name, period_s=period, start_s=start, slots=slots)
        for name in (*plain, *extended)
    }
    points = []
    for index in range(slots):
        values = {name: column[index] for name, column in columns.items() if column[index] is not None}
        if values:
            point = {"Timestamp": cw._ts_iso(start + index * period), "Unit": STORE.unit(scope(), key)}
            point |= {name: values[name] for name in plain if name in values}
            if extended:
                point["ExtendedStatistics"] = {name: values[name] for name in extended if name in values}
            points.append(cw._cbor_datapoint(point) if is_cbor else point)
    return _ok({"Label": data.get("MetricName", ""), "Datapoints": points}, is_cbor)


def _window(data: Json) -> Window:
    """A request's StartTime (inclusive) and EndTime (exclusive)."""
    start, end = cw._parse_ts(data.get("StartTime")), cw._parse_ts(data.get("EndTime"))
    if start is None or end is None or start >= end:
        raise InputError("The parameter StartTime must be less than the parameter EndTime.")
    return start, end


def _grid(window: Window, period: int) -> tuple[int, int]:
    """(first slot, number of slots) that cover it."""
    start, end = window
    first = int(start // period) * period
    return first, math.ceil((end - first) / period)


def _keep_metric_math(params: Json, data: Json, is_cbor: bool, is_json: bool = False) -> Any:
    """PutMetricAlarm as ministack has it, but `Metrics` is kept, where ministack loses it."""
    answer = _put_metric_alarm(params, data, is_cbor, is_json)
    alarm = cw._alarms.get((data or {}).get("AlarmName", ""))
    if alarm is not None and data.get("Metrics"):
        make_metric_math(alarm, data["Metrics"])
    return answer


def make_metric_math(alarm: Json, metrics: list[Json]) -> None:
    """Turn a stored single-metric alarm into a metric-math alarm, in place."""
    for name in ("Statistic", "ExtendedStatistic", "MetricName", "Namespace", "Period", "Dimensions", "Unit"):
        alarm.pop(name, None)
    alarm["Metrics"] = [{**m, "ReturnData": str(m.get("ReturnData", True)).lower() == "true"} for m in metrics]


def _ok(data: Json, is_cbor: bool) -> Any:
    return cw._cbor_ok(data) if is_cbor else cw._json_ok(data)
