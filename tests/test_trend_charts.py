"""Trends on the page: charts by week, gaps, what moved in words, and nothing where one week is no trend."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from dashboards import pages, palette, trend_charts
from monitors.traces.report import Quantiles
from monitors.traces.trends import WEEK_S, Move, Trend, Trends, TrendWeek
from tests import dashboard_samples as samples
from tests.dashboard_samples import HOSTILE, NOW
from tests.test_pages import Page


def trend(function: str, *p95s_ms: float | None) -> Trend:
    def week(ms: float) -> TrendWeek:
        times = Quantiles(p50_ms=ms / 2, p95_ms=ms, p99_ms=ms * 2)
        return TrendWeek(requests=1234, response=times, cold_share=0.02, fault_share=0.0)

    return Trend(function=function, weeks=tuple(None if ms is None else week(ms) for ms in p95s_ms))


def found(*functions: Trend, moves: tuple[Move, ...] = ()) -> Trends:
    weeks = len(functions[0].weeks)
    overall = replace(functions[0], function="")
    ends = tuple(NOW - WEEK_S * back for back in range(weeks - 1, -1, -1))
    return Trends(ends_s=ends, overall=overall, functions=functions, moves=moves)


MOVE = Move(function="pay", measure="p95_ms", before=100, after=340, phase="runtime_start", target="", phase_ms=31.0)


def test_all_functions_first_and_then_those_that_moved_most() -> None:
    """1 ms that becomes 3 ms moves little; what has no newest week, or only that, moves not at all."""
    made = trend_charts.charts(
        found(
            trend("same", 50, 50, 50),
            trend("tiny", 1, 1, 3),
            trend("fell", 400, 400, 200),
            trend("rose", 100, None, 340),
            trend("gone", 900, 100, None),
            trend("new", None, None, 700),
        )
    )
    assert [one.title for one in made] == ["All functions", "rose", "fell", "tiny", "gone", "new"]


def test_a_missing_week_is_a_gap_in_chart_and_table() -> None:
    (_, one) = trend_charts.charts(found(trend("pay", 100, None, 340)))
    values = {row["s"]: row for row in one.spec["data"]["values"]}
    assert (values["p50"]["v"], values["p95"]["v"], values["p99"]["v"]) == (
        [50, None, 170],
        [100, None, 340],
        [200, None, 680],
    )
    # The three weeks to 2026-11-24 06:00 UTC begin on 3, 10 and 17 November.
    assert (values["p95"]["t0"], values["p95"]["dt"]) == ((NOW - 3 * WEEK_S) * 1000, WEEK_S * 1000)
    assert one.table.rows == (
        ("03 Nov", "1,234", "50\u00a0ms", "100\u00a0ms", "200\u00a0ms", "2.0\u00a0%", "0\u00a0%"),
        ("10 Nov", "–", "–", "–", "–", "–", "–"),
        ("17 Nov", "1,234", "170\u00a0ms", "340\u00a0ms", "680\u00a0ms", "2.0\u00a0%", "0\u00a0%"),
    )


def test_what_moved_is_said_in_words() -> None:
    (overall, one) = trend_charts.charts(found(trend("pay", 100, 340), moves=(MOVE,)))
    assert overall.note == ""
    assert one.note == (
        "Since the week before: p95 from 100\u00a0ms to 340\u00a0ms, not tested for significance."
        " Moved most: runtime start, +31\u00a0ms on average."
    )
    unexplained = replace(MOVE, phase="", phase_ms=0.0)
    (_, one) = trend_charts.charts(found(trend("pay", 100, 340), moves=(unexplained,)))
    assert one.note.endswith("not tested for significance.")


@pytest.mark.parametrize("weeks", [(100,), (None, 100), (None,)])
def test_one_week_is_no_trend(weeks: tuple[float | None, ...]) -> None:
    told = found(trend("pay", *weeks))
    assert trend_charts.charts(told) == []
    assert "No trend yet" in page(told)


def test_every_chart_compiles() -> None:
    vl_convert = pytest.importorskip("vl_convert")
    for one in trend_charts.charts(found(trend("pay", 100, None, 340), trend("rare", 7, None, None))):
        in_colour = re.sub(r"var\(--([a-z]+)\)", lambda name: palette.light(name[1]), json.dumps(one.spec))
        assert vl_convert.vegalite_to_vega(json.loads(in_colour))["marks"]


def page(told: Trends | None) -> str:
    return pages.latency_page(samples.latency(), title="Latency report", generated_s=NOW, trends=told)


def test_every_function_is_in_the_table_of_weeks() -> None:
    many = [trend(f"f{n}", 100 + n, 200 + n) for n in range(8)]
    table = trend_charts.by_week(found(*many), 7)
    assert table.head == ("Function", "10 Nov", "17 Nov")
    assert table.rows[6] == ("f6", "106\u00a0ms", "206\u00a0ms")
    assert len(table.rows) == 7


@pytest.mark.parametrize("told", [None, "some"])
def test_the_section_is_there_only_with_history(told: Any) -> None:
    shown = page(found(trend("pay", 100, 340)) if told else None)
    assert ("Thirteen weeks" in shown) == bool(told)


def test_names_that_mean_harm_are_shown_inert() -> None:
    """Neither in the charts nor in tables and notes does a name end its element, or turn what follows around."""
    shown = page(found(trend(HOSTILE, 100, 340), moves=(replace(MOVE, function=HOSTILE, target=HOSTILE),)))
    assert Page(shown).text()  # every element closes
    assert "<script>alert" not in shown
    assert "\u202e" not in shown
    assert "alert(1)" in shown
