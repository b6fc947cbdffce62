"""Metric queries -> values on one grid of periods: metrics from the store, expressions by the product's metric math."""

from collections.abc import Mapping, Sequence
from typing import Any

from infra.local.metrics import Key, MetricStore, Scope
from monitors import metricmath
from monitors.mathsyntax import parse
from monitors.model import Query

Values = list[float | None]


def key(namespace: str, name: str, dimensions: Mapping[str, str]) -> Key:
    """The identity of a metric: dimensions in any order name the same one."""
    return namespace, name, tuple(sorted(dimensions.items()))


def from_api(raw: Mapping[str, Any]) -> Query:
    """A MetricDataQuery of GetMetricData or PutMetricAlarm as a Query."""
    stat = raw.get("MetricStat") or {}
    metric = stat.get("Metric") or {}
    return Query(
        id=raw.get("Id", ""),
        namespace=metric.get("Namespace", ""),
        metric=metric.get("MetricName", ""),
        dimensions=tuple(sorted((d["Name"], d["Value"]) for d in metric.get("Dimensions") or [])),
        statistic=stat.get("Stat", ""),
        period_s=int(stat.get("Period") or raw.get("Period") or 60),
        expression=raw.get("Expression") or "",
        label=raw.get("Label") or raw.get("Id", ""),
        returned=str(raw.get("ReturnData", True)).lower() != "false",
    )


def period_of(queries: Sequence[Query]) -> int:
    """The period of the whole: the longest among the metrics, as metric math has it."""
    return max((query.period_s for query in queries if not query.expression), default=60)


def standing_on(query: Query, queries: Sequence[Query]) -> list[Query]:
    """The query with all those that its expression names, directly or not: the rest of a request is no part of it.

    InputError for an expression that cannot be read.
    """
    by_id = {one.id: one for one in queries}
    found: dict[str, Query] = {}
    waiting = [query]
    while waiting:
        one = waiting.pop()
        if one.id not in found:
            found[one.id] = one
            named = (
                {str(step.value) for step in parse(one.expression) if step.verb == "series"} if one.expression else ()
            )
            waiting += [by_id[id_] for id_ in named if id_ in by_id]
    return list(found.values())


def resolve(
    store: MetricStore, scope: Scope, queries: Sequence[Query], *, start_s: int, period_s: int, slots: int
) -> dict[str, Values]:
    """Each query's values, by id. Expressions may use the ids of any other query, in any order.

    Raises:
        InputError: an expression, or a statistic, that is wrong or not modelled here.
    """
    values: dict[str, Values] = {
        query.id: store.series(
            scope,
            (query.namespace, query.metric, query.dimensions),
            statistic=query.statistic,
            period_s=period_s,
            start_s=start_s,
            slots=slots,
        )
        for query in queries
        if not query.expression
    }
    expressions = {query.id: query.expression for query in queries if query.expression}
    lines = {
        id_: list(metricmath.evaluate(text, values, start=start_s, period_s=period_s, expressions=expressions))
        for id_, text in expressions.items()
    }
    return values | lines
