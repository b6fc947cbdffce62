"""The memory page's own charts and sentences: who uses how much, what it costs, what is sure."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import headlines, memory_charts, memory_fleet, pages
from dashboards.vega import Chart
from monitors.rightsize.advise import FunctionFacts, memory_report
from monitors.rightsize.bins import BINS, bins
from monitors.rightsize.report import Action, FollowUp, Interval, MemoryAdvice, MemoryReport, UsedBin
from monitors.rightsize.usage import usage
from tests import dashboard_samples as samples
from tests.test_charts import in_colour
from tests.test_rightsize import invocations


def counted(*found: tuple[int, int, int]) -> tuple[UsedBin, ...]:
    return tuple(UsedBin(over_mb=over, to_mb=to, sandboxes=n) for over, to, n in found)


# --- the histogram -------------------------------------------------------------------------------


def test_a_bin_holds_its_upper_bound_so_that_use_clipped_at_the_size_lies_below_it() -> None:
    # 128 MB are 64 bins of 2 MB, and 32 of 4 MB; 1,024 MB are 64 of 16 MB, and 32 of 32 MB.
    assert bins([100, 100, 101], end_mb=128) == counted((96, 100, 2), (100, 104, 1))
    assert bins([1024, 100, 1000], end_mb=1024) == counted((96, 128, 1), (992, 1024, 2))
    assert bins([1024], end_mb=128) == counted((992, 1024, 1))
    assert bins([], end_mb=128) == ()


@given(st.lists(st.integers(10, 10_240), min_size=1), st.integers(128, 15_360))
def test_every_sandbox_is_in_one_of_at_most_forty_equal_bins(tops: list[int], end_mb: int) -> None:
    found = bins(tops, end_mb=end_mb)
    for one in found:
        assert one.sandboxes == sum(one.over_mb < top <= one.to_mb for top in tops)
    assert sum(one.sandboxes for one in found) == len(tops)
    (width,) = {one.to_mb - one.over_mb for one in found}
    assert math.log2(width).is_integer()
    assert max(end_mb, *tops) <= BINS * width


def test_a_report_counts_each_sandbox_once_at_its_highest_use() -> None:
    """Use grows by 1 MB with each of the 20 invocations of 30 sandboxes, from 100 to 119 MB; bins of 32 MB."""
    facts = {"f": FunctionFacts(memory_mb=1024)}
    (advice,) = memory_report(usage(invocations(growth_mb=1)), functions=facts, region="us-east-1").advice
    assert advice.used == counted((96, 128, 30))


def levels(chart: Chart) -> dict[str, float]:
    """Words -> where their rule stands."""
    data = [value for one in chart.spec["layer"] if "data" in one for value in one["data"]["values"]]
    return {value["is"]: next(place for name, place in value.items() if name != "is") for value in data}


def test_the_histogram_has_size_and_floor_and_the_table_says_the_same() -> None:
    advice = replace(samples.advice("f", action=Action.LOWER, memory_mb=1024, advised_mb=512), floor_mb=280)
    chart = memory_charts.sandboxes(replace(advice, used=counted((96, 128, 3), (192, 224, 1))))
    assert chart.spec["data"]["values"] == [{"a": 96, "b": 128, "n": 3}, {"a": 192, "b": 224, "n": 1}]
    assert levels(chart) == {"size 1,024 MB": 1024, "floor 280 MB": 280}
    assert chart.table.rows == (("over 96 to 128 MB", "3"), ("over 192 to 224 MB", "1"))
    bars = chart.spec["layer"][0]["encoding"]
    assert bars["x"]["scale"]["domain"][0] == 0
    assert bars["x"]["scale"]["domain"][1] > 1024
    assert memory_charts.sandboxes(replace(advice, used=())).spec == {}


# --- the fleet -----------------------------------------------------------------------------------


def of_fleet(count: int) -> list[MemoryAdvice]:
    """Of all actions in turn, from a tenth of a cent to some thousand USD, using from 1 % to all of their memory."""
    actions = list(Action)
    return [
        replace(
            samples.advice(f"f{n}", action=actions[n % 4], memory_mb=128 << n % 5, advised_mb=256),
            now_usd_month=0.001 * 1.03**n,
            used_mb=1 + n * 7919 % (128 << n % 5),
        )
        for n in range(count)
    ]


def test_a_point_is_share_of_memory_used_and_cost() -> None:
    one = replace(samples.advice("f", action=Action.LOWER, memory_mb=1024, advised_mb=512), used_mb=256)
    cheap = replace(one, function="cheap", now_usd_month=0.0001, used_mb=1024, action=Action.KEEP, advised_mb=1024)
    # Cost at 1,024 MB: (60 + 240 / 2) x 2 / 40 = 9; at 512 MB: (60 + 240) / 40 = 7.5
    point, least = sorted(memory_fleet.fleet([one, cheap]).spec["data"]["values"], key=lambda value: -value["usd"])
    assert (point["share"], point["usd"], point["mb"], point["is"]) == (0.25, 9, 1024, "lower")
    assert (point["used"], point["to"]) == ("256 of 1,024 MB", "lower to 512 MB")
    assert (point["cost"], point["change"]) == ("$9.00", "−$1.50")
    assert (least["share"], least["usd"], least["cost"], least["change"]) == (1, 0.01, "$0.00010", "–")


def test_the_axis_of_cost_reaches_from_decade_to_decade() -> None:
    one = samples.advice("f", action=Action.KEEP, memory_mb=1024, advised_mb=1024)
    for usd, domain in ((9, [1, 10]), (0.001, [0.01, 0.1]), (10, [10, 100]), (1234, [1000, 10_000])):
        points = memory_fleet.fleet([replace(one, now_usd_month=usd)]).spec["layer"][1]["encoding"]
        assert points["y"]["scale"]["domain"] == domain


def test_what_has_no_reading_is_left_out_and_told() -> None:
    known = samples.advice("f", action=Action.KEEP, memory_mb=1024, advised_mb=1024)
    chart = memory_fleet.fleet([known, replace(known, function="g", used_mb=0)])
    assert [value["f"] for value in chart.spec["data"]["values"]] == ["f"]
    assert "Left out: 1 " in chart.note
    assert memory_fleet.fleet([replace(known, used_mb=0)]).spec == {}
    assert "Left out" not in memory_fleet.fleet([known]).note


def test_what_is_to_change_is_drawn_over_what_stays_and_the_largest_changes_have_their_names() -> None:
    chart = memory_fleet.fleet(of_fleet(40))
    values = chart.spec["data"]["values"]
    acts = [value["is"] in ("lower", "raise") for value in values]
    assert acts == sorted(acts)
    named = {value["f"] for value in values if value["left"] or value["right"]}
    assert named
    assert len(named) <= 5
    assert named <= {value["f"] for value in values if value["is"] in ("lower", "raise")}


@pytest.mark.parametrize("count", [10, 500])
def test_vega_lite_draws_a_fleet_of_any_size(count: int) -> None:
    vl_convert = pytest.importorskip("vl_convert")
    chart = memory_fleet.fleet(of_fleet(count))
    assert len(chart.spec["data"]["values"]) == count
    assert len(chart.table.rows) == min(count, 50)
    assert vl_convert.vegalite_to_vega(in_colour(chart.spec))["marks"]


# --- sure and possible ---------------------------------------------------------------------------


def saving(low: float, expected: float, high: float, *, confidence: str) -> MemoryAdvice:
    """A function of 10 USD a month whose lowering saves from `low` to `high`."""
    made = samples.advice("f", action=Action.LOWER, memory_mb=1024, advised_mb=512)
    then = Interval(10 - high, 10 - expected, 10 - low)
    return replace(made, now_usd_month=10, then_usd_month=then, confidence=confidence)


def report(*advice: MemoryAdvice, **more: Any) -> MemoryReport:
    return replace(samples.memory(), advice=advice, **more)


def test_sure_is_the_poor_end_of_what_more_than_the_prior_tells() -> None:
    found = report(
        saving(2, 3, 4, confidence="A"),
        saving(1, 2, 5, confidence="B"),
        saving(1, 4, 6, confidence="C"),
        saving(-3, 1, 2, confidence="A"),  # may cost 3 more: nothing of it is sure, and nothing is taken off
    )
    assert headlines.sure(found) == pytest.approx(2 + 1)
    assert headlines.memory_status(found) == "Save $3.00 a month for sure and up to $17.00 on 4 functions"
    assert ("$10.00", "expected by lowering ($1.00 to $17.00)", "good") in headlines.memory_figures(found)


def test_what_to_do_first_says_how_sure_it_is() -> None:
    (first,) = headlines.memory_first(report(saving(1, 2, 3, confidence="B")))
    assert first.words.endswith(" then (confidence B).")


def test_where_nothing_is_sure_the_headline_says_no_more() -> None:
    found = report(saving(1, 2, 3, confidence="C"))
    assert headlines.memory_status(found) == "Save up to $3.00 a month on 1 function"


def test_what_cannot_be_judged_is_not_praised() -> None:
    unknown, kept = (
        samples.advice("f", action=action, memory_mb=512, advised_mb=512) for action in (Action.UNKNOWN, Action.KEEP)
    )
    assert headlines.memory_status(report(unknown)) == "Not enough data yet to judge the memory of any function"
    assert headlines.memory_status(report(unknown, kept)).startswith("Every function we can judge")


# --- the page ------------------------------------------------------------------------------------


def page(made: MemoryReport) -> str:
    return pages.memory_page(made, title="Memory", generated_s=samples.NOW)


def test_last_time_s_advice_is_told_if_there_is_any() -> None:
    text = page(replace(samples.memory(), before=samples.followed()))
    assert "Last time's advice" in text
    assert "Of 5 functions: 2 applied, 1 partly, 1 not applied, 1 not invoked." in text
    assert "Of the 2 measured since, p95 is as predicted in 1, cost in 2." in text
    assert "p95 outside, cost inside" in text
    assert 'id="before"' not in page(samples.memory())
    nothing = page(replace(samples.memory(), before=FollowUp(start=0, end=1, advice=())))
    assert "Last time no function was to get another size." in nothing


def test_logs_without_times_are_not_dated() -> None:
    untimed = replace(samples.memory(), start=0, end=0)
    assert "1970" not in page(untimed)
    assert "no line says its time" in page(untimed)
    assert "no line says its time" not in page(samples.memory())


def test_arm64_stands_apart_and_only_where_there_is_any() -> None:
    text = page(samples.memory())
    section = text[text.index('id="arm64"') :]
    assert "needs a test" in section
    assert "$1.80 to $2.70" in section
    assert "$1.80 to $2.70" not in text[: text.index('id="arm64"')]
    assert 'id="arm64"' not in page(report(samples.advice("f", action=Action.KEEP, memory_mb=128, advised_mb=128)))


def test_a_size_that_was_never_seen_is_flagged() -> None:
    facts = {"f": FunctionFacts(memory_mb=512)}
    (advice,) = memory_report(usage(invocations(memory_mb=1024)), functions=facts, region="us-east-1").advice
    assert "unseen" in advice.flags
    facts = {"f": FunctionFacts(memory_mb=1024)}
    (advice,) = memory_report(usage(invocations(memory_mb=1024)), functions=facts, region="us-east-1").advice
    assert "unseen" not in advice.flags
