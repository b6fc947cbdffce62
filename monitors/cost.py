"""Plan -> USD a month: by kind, with what the free tier takes off; by service; and how to make it less. Pure.

Prices and free tier: Amazon CloudWatch pricing, as in quotas.py. The free tier is the account's: if other alarms and
dashboards use it up already, `list_usd` is what will be paid.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from monitors import names, quotas
from monitors.catalog.rows import Catalog, Metric, dimension_sets, hold
from monitors.catalog.tables import CATALOG
from monitors.model import Alarm, CompositeAlarm, Plan, Query, Resource, Severity

CUTS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class CostLine:
    kind: str
    quantity: int
    list_usd: float
    """Without the free tier."""
    usd: float
    """With all of the free tier."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What some of the alarms cost, without the free tier."""

    what: str
    alarms: int
    usd: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """USD a month."""

    lines: tuple[CostLine, ...]
    services: tuple[Share, ...]
    """Alarms by the service that they watch, health alarms of applications as `application`; dearest first."""
    cuts: tuple[Share, ...]
    """What one would turn off first: the CUTS rules that cost most of those that wake nobody, or only put others
    together."""
    deployed_list_usd: float
    """What the alarms of ours that the fleet has already cost, without the free tier."""
    notes: tuple[str, ...]

    @property
    def list_usd(self) -> float:
        return round(sum(line.list_usd for line in self.lines), 2)

    @property
    def usd(self) -> float:
        return round(sum(line.usd for line in self.lines), 2)


def cost(plan: Plan, *, dashboard_metrics: Sequence[int] = (), catalog: Catalog = CATALOG) -> Cost:
    """What the plan costs. `dashboard_metrics` tells for each dashboard how many metrics are on it."""
    return Cost(
        lines=cost_lines(plan, dashboard_metrics=dashboard_metrics, catalog=catalog),
        services=_services(plan),
        cuts=_shares((one.rule, one) for one in _every(plan) if _dispensable(one))[:CUTS],
        deployed_list_usd=round(sum(_deployed(one) for one in plan.fleet.resources if one.service == "alarm"), 2),
        notes=(
            f"Prices of {quotas.PRICES_REGION}, read on {quotas.CHECKED}.",
            "A custom metric with dimensions counts once here, AWS counts each set of values in the logs.",
            "Not counted: running the log subscriber, log ingestion, messages, API calls.",
        ),
    )


def cost_lines(
    plan: Plan, *, dashboard_metrics: Sequence[int] = (), catalog: Catalog = CATALOG
) -> tuple[CostLine, ...]:
    """What the plan costs by what is paid for."""
    billed = [query for alarm in plan.alarms for query in alarm.queries if query.metric]
    fast = sum([_high_resolution(query) for query in billed])
    small = sum(count <= quotas.FREE_DASHBOARD_METRICS for count in dashboard_metrics)
    return (
        _line("alarm metrics", len(billed) - fast, quotas.ALARM_METRIC),
        _line("high-resolution alarm metrics", fast, quotas.HIGH_RESOLUTION_ALARM_METRIC),
        _line("metrics of fleet alarms", sum([len(one.covers) for one in plan.alarms]), quotas.INSIGHTS_METRIC),
        _line("composite alarms", len(plan.composites), quotas.COMPOSITE_ALARM),
        _line("dashboards", len(dashboard_metrics), quotas.DASHBOARD, most_free=small),
        _line("custom metrics", _custom_metrics(plan, catalog), quotas.CUSTOM_METRIC),
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


def _services(plan: Plan) -> tuple[Share, ...]:
    service = {one.id: one.service for one in plan.fleet.resources}
    return _shares((service.get(_watched(one), "application"), one) for one in _every(plan))


def _watched(alarm: Alarm | CompositeAlarm) -> str:
    """The id of the resource that the alarm is about, or of one of those that an alarm for the fleet covers."""
    return alarm.covers[0] if isinstance(alarm, Alarm) and alarm.covers else alarm.resource


def _every(plan: Plan) -> Iterator[Alarm | CompositeAlarm]:
    yield from plan.alarms
    yield from plan.composites


def _dispensable(alarm: Alarm | CompositeAlarm) -> bool:
    return isinstance(alarm, CompositeAlarm) or alarm.severity is Severity.TICKET


def _shares(alarms: Iterable[tuple[str, Alarm | CompositeAlarm]]) -> tuple[Share, ...]:
    """Alarms put together by what stands before each, dearest first."""
    prices: dict[str, list[float]] = defaultdict(list)
    for what, alarm in alarms:
        prices[what].append(_list_price(alarm))
    found = (Share(what=what, alarms=len(each), usd=round(sum(each), 2)) for what, each in prices.items())
    return tuple(sorted(found, key=lambda one: (-one.usd, one.what)))


def _list_price(alarm: Alarm | CompositeAlarm) -> float:
    if isinstance(alarm, CompositeAlarm):
        return price(1, quotas.COMPOSITE_ALARM)
    billed = [query for query in alarm.queries if query.metric]
    fast = sum(_high_resolution(query) for query in billed)
    if alarm.covers:
        return price(len(alarm.covers), quotas.INSIGHTS_METRIC)
    return price(len(billed) - fast, quotas.ALARM_METRIC) + price(fast, quotas.HIGH_RESOLUTION_ALARM_METRIC)


def _deployed(alarm: Resource) -> float:
    """What an alarm of ours costs as it is; other people's are not on this bill."""
    if names.parse_alarm_name(alarm.name) is None:
        return 0.0
    if "rule" in alarm.facts:
        return price(1, quotas.COMPOSITE_ALARM)
    metrics = alarm.facts.get("math", ("itself",))
    return price(len(metrics) if isinstance(metrics, tuple) else 1, quotas.ALARM_METRIC)


def _high_resolution(query: Query) -> bool:
    return query.period_s < 60


def _custom_metrics(plan: Plan, catalog: Catalog) -> int:
    """Metrics of ours: those that metric filters make, and those that the log subscriber makes for each function."""
    alike: dict[object, list[Metric]] = defaultdict(list)  # most rows have the same dimensions, under one condition
    for row in catalog.metrics:
        if row.namespace == names.LOG_METRICS:
            alike[row.service, row.dimensions, row.when].append(row)
    rows: dict[str, list[tuple[Metric, int]]] = defaultdict(list)
    for first, *others in alike.values():
        rows[first.service].append((first, 1 + len(others)))
    read = sum(
        count * len(dimension_sets(row, resource))
        for resource in plan.fleet.resources
        for row, count in rows.get(resource.service, ())
        if hold(row.when, resource.facts)
    )
    return read + len({(one.namespace, one.definition.name) for one in plan.metric_filters})
