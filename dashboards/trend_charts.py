"""Latency trends -> charts over weeks. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import log
from statistics import median

from dashboards import formats
from dashboards.charts import lines
from dashboards.palette import PHASES, var
from dashboards.vega import Chart, Table, colour
from monitors.model import Series
from monitors.traces.trends import WEEK_S, Move, Trend, Trends, TrendWeek

_TOP = 5  # with that of all functions six charts: full rows of two or three
_DAMP_MS = 10.0  # by so much no one would notice: 1 ms that becomes 2 ms is no doubling
_SHADES = {"p50": f"{var('latency')}80", "p95": var("latency"), "p99": var("ink")}
"""As on the chart of response times on the same page."""


def charts(trends: Trends) -> list[Chart]:
    """Percentiles by week: of all functions together, and of those whose p95 is furthest from its median before.

    A note tells what moved since the week before. A week of which nothing is known is a gap; one week makes no trend,
    and no charts.
    """
    if sum(one is not None for one in trends.overall.weeks) < 2:
        return []
    most = sorted(trends.functions, key=lambda one: (-_moved(one), one.function))[:_TOP]
    return [_chart(one, trends) for one in (trends.overall, *most)]


def by_week(trends: Trends, limit: int) -> Table:
    """The p95 in each week, by the day (UTC) on which it begins, of as many functions."""
    return Table(
        head=("Function", *map(_begun, trends.ends_s)),
        rows=tuple(
            (one.function, *(formats.ms(week.response.p95_ms if week else None) for week in one.weeks))
            for one in trends.functions[:limit]
        ),
    )


def _chart(trend: Trend, trends: Trends) -> Chart:
    series = [
        Series(
            label=name,
            period_s=WEEK_S,
            start=round(trends.ends_s[0]) - WEEK_S,
            values=tuple(_quantile(one, name) if one else None for one in trend.weeks),
        )
        for name in _SHADES
    ]
    drawn = lines(trend.function or "All functions", series, axis="Response time (ms)", signal="latency")
    rows = tuple(_row(end_s, one) for end_s, one in zip(trends.ends_s, trend.weeks, strict=True))
    table = Table(head=("Week from", "Requests", *_SHADES, "Cold", "Faults"), rows=rows)
    shaded = drawn.spec | {"encoding": {"color": colour("s", _SHADES, mark="stroke")}}
    return replace(
        drawn,
        spec=shaded if drawn.spec else {},
        table=table,
        note=_note([one for one in trends.moves if one.function == trend.function]),
    )


def _row(end_s: float, week: TrendWeek | None) -> tuple[str, ...]:
    if not week:
        return (_begun(end_s), *[formats.NONE] * 6)
    return (
        _begun(end_s),
        formats.number(week.requests),
        *(formats.ms(_quantile(week, name)) for name in _SHADES),
        formats.share(week.cold_share),
        formats.share(week.fault_share),
    )


def _note(moves: Sequence[Move]) -> str:
    if not moves:
        return ""
    told = ", ".join(
        f"{one.measure.removesuffix('_ms')} from {formats.ms(one.before)} to {formats.ms(one.after)}" for one in moves
    )
    most = max(moves, key=lambda one: abs(one.after - one.before))
    words = most.target or {name: said for name, said, _ in PHASES}.get(most.phase, most.phase)
    mean = f"{'+' if most.phase_ms > 0 else '−'}{formats.ms(abs(most.phase_ms))}"
    why = f" Moved most: {words}, {mean} on average." if words else ""
    return f"Since the week before: {told}, not tested for significance.{why}"


def _begun(end_s: float) -> str:
    """The day on which the week begins: where the charts have its point, and what its file is named after."""
    return datetime.fromtimestamp(end_s - WEEK_S, UTC).strftime("%d %b")


def _moved(trend: Trend) -> float:
    """How far the newest p95 lies from the median of those before, in proportion; 0 if either is not known."""
    *earlier, newest = trend.weeks
    known = [one.response.p95_ms for one in earlier if one]
    if not newest or not known:
        return 0.0
    return abs(log((newest.response.p95_ms + _DAMP_MS) / (median(known) + _DAMP_MS)))


def _quantile(week: TrendWeek, name: str) -> float:
    return {"p50": week.response.p50_ms, "p95": week.response.p95_ms, "p99": week.response.p99_ms}[name]
