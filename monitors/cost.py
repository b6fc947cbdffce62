"""Plan -> USD a month, by kind, with what the free tier takes off. Pure.

Prices and free tier: Amazon CloudWatch pricing, as in quotas.py. The free tier is the account's: if other alarms and
dashboards use it up already, `list_usd` is what will be paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from monitors import names, quotas
from monitors.catalog.rows import Catalog, dimension_sets, holds
from monitors.catalog.tables import CATALOG
from monitors.model import Plan, Query


@dataclass(frozen=True, kw_only=True, slots=True)
class CostLine:
    kind: str
    quantity: int
    list_usd: float
    """Without the free tier."""
    usd: float
    """With all of the free tier."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """USD a month."""

    lines: tuple[CostLine, ...]
    notes: tuple[str, ...]

    @property
    def list_usd(self) -> float:
        return round(sum(line.list_usd for line in self.lines), 2)

    @property
    def usd(self) -> float:
        return round(sum(line.usd for line in self.lines), 2)


def cost(plan: Plan, *, dashboard_metrics: Sequence[int] = (), catalog: Catalog = CATALOG) -> Cost:
    """What the plan costs. `dashboard_metrics` tells for each dashboard how many metrics are on it."""
    billed = [query for alarm in plan.alarms for query in alarm.queries if query.metric]
    fast = sum(_high_resolution(query) for query in billed)
    small = sum(count <= quotas.FREE_DASHBOARD_METRICS for count in dashboard_metrics)
    return Cost(
        lines=(
            _line("alarm metrics", len(billed) - fast, quotas.ALARM_METRIC),
            _line("high-resolution alarm metrics", fast, quotas.HIGH_RESOLUTION_ALARM_METRIC),
            _line("composite alarms", len(plan.composites), quotas.COMPOSITE_ALARM),
            _line("dashboards", len(dashboard_metrics), quotas.DASHBOARD, most_free=small),
            _line("custom metrics", _custom_metrics(plan, catalog), quotas.CUSTOM_METRIC),
        ),
        notes=(
            f"Prices of {quotas.PRICES_REGION}, read on {quotas.CHECKED}.",
            "A custom metric with dimensions counts once here; AWS counts each set of values that the logs hold.",
            "Not counted: running the log subscriber, log ingestion, messages, API calls.",
        ),
    )


def price(quantity: int, rate: quotas.Price, *, free: int = 0) -> float:
    """USD for so many pieces; the free ones are the first."""
    usd, start = 0.0, 0.0
    for end, each in rate.tiers:
        usd += max(0.0, min(quantity, end) - max(start, free)) * each
        start = end
    return usd


def _line(kind: str, quantity: int, rate: quotas.Price, *, most_free: int | None = None) -> CostLine:
    free = rate.free if most_free is None else min(rate.free, most_free)
    return CostLine(
        kind=kind,
        quantity=quantity,
        list_usd=round(price(quantity, rate), 2),
        usd=round(price(quantity, rate, free=free), 2),
    )


def _high_resolution(query: Query) -> bool:
    return query.period_s < 60


def _custom_metrics(plan: Plan, catalog: Catalog) -> int:
    """Metrics of ours: those that metric filters make, and those that the log subscriber makes for each function."""
    rows = [row for row in catalog.metrics if row.namespace == names.LOG_METRICS]
    read = sum(
        len(dimension_sets(row, resource))
        for resource in plan.fleet.resources
        for row in rows
        if row.service == resource.service and all(holds(one, resource.facts) for one in row.when)
    )
    return read + len({(one.namespace, one.definition.name) for one in plan.metric_filters})
