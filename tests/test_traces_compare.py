"""Two windows: what changed is found and blamed on the right phase; what only differs from day to day is not."""

import random
from math import inf, sqrt
from statistics import NormalDist, variance
from typing import Any

import pytest
from msgspec.structs import replace

from monitors.traces.columns import Columns
from monitors.traces.compare import Outcome, _even_days, discoveries
from monitors.traces.labels import HANDLER, RUNTIME_START, Label
from monitors.traces.measures import MEASURES, estimate
from monitors.traces.ranks import apart
from monitors.traces.report import Change
from monitors.traces.requests import Request
from monitors.traces.student import critical, two_sided
from tests.trace_columns import columns_of, comparison

QUERY = Label("dependency", "DynamoDB Query orders")
DAY_US = 86_400_000_000


def week(
    seed: int, first_day: int, *, requests: int = 40, cold: float = 0.03, slower: float = 1.0, query_ms: float = 20.0
) -> list[Request]:
    """Seven days of a function whose days differ by 5 %: lognormal handler, a query, some cold starts, 1 % failures."""
    generator = random.Random(seed)
    found = []
    for day in range(first_day, first_day + 7):
        factor = generator.lognormvariate(0, 0.05)
        for _ in range(requests):
            boots = generator.random() < cold
            phases = (
                (HANDLER, round(generator.lognormvariate(11.9, 0.5) * factor * slower)),
                (QUERY, round(generator.lognormvariate(0, 0.3) * query_ms * 1000)),
                (RUNTIME_START, round(generator.lognormvariate(13.5, 0.3)) if boots else 0),
            )
            start = day * DAY_US + generator.randrange(DAY_US)
            duration = sum(time for _, time in phases)
            found.append(Request("", "t", start, duration, boots, generator.random() < 0.01, phases))
    return sorted(found, key=lambda request: request.duration)


def fleet(seed: int, first_day: int, **first: Any) -> dict[str, list[Request]]:
    """Eight functions, of which the first may be different."""
    return {f"f{i}": week(seed * 100 + i, first_day, **(first if i == 0 else {})) for i in range(8)}


def test_unchanged_weeks_flag_nothing() -> None:
    flagged = [seed for seed in range(20) if comparison(fleet(2 * seed, 0), fleet(2 * seed + 1, 7))[0]]
    assert len(flagged) <= 1


def test_a_slower_handler_is_found_and_blamed() -> None:
    changes, _ = comparison(fleet(0, 0, requests=300), fleet(1, 7, requests=300, slower=1.5))
    found = {(change.function, change.measure): change for change in changes}
    change = found["f0", "p50_ms"]
    assert {function for function, _ in found} == {"f0"}
    assert change.blamed.startswith("handler +")
    # exp(11.9) µs is 147 ms: half as much again is 74 ms more, give or take what days differ by.
    assert change.after - change.before == pytest.approx(74, abs=15)
    assert change.low < change.after - change.before < change.high


def test_a_slower_dependency_is_found_and_blamed_by_name() -> None:
    changes, _ = comparison(fleet(0, 0, requests=300), fleet(1, 7, requests=300, query_ms=100.0))
    blamed = {change.measure: change.blamed for change in changes if change.function == "f0"}
    assert blamed["p50_ms"].startswith("dependency DynamoDB Query orders +")


def test_an_improvement_is_a_change_too() -> None:
    changes, _ = comparison(fleet(0, 0, requests=300, query_ms=100.0), fleet(1, 7, requests=300))
    found = {change.measure: change for change in changes if change.function == "f0"}
    assert found["p50_ms"].high < 0
    assert found["p50_ms"].blamed.startswith("dependency DynamoDB Query orders -")


def test_more_cold_starts_are_found_though_the_median_stays() -> None:
    changes, _ = comparison(fleet(0, 0, requests=600), fleet(1, 7, requests=600, cold=0.06))
    found = {change.measure: change for change in changes if change.function == "f0"}
    assert "p50_ms" not in found
    assert found["cold_share"].after - found["cold_share"].before == pytest.approx(0.03, abs=0.01)
    assert found["cold_share"].blamed.startswith("runtime_start +")


def hundreds(first_day: int, cold: list[int], failed: int = 0) -> list[Request]:
    """A hundred equal requests a day, of which so many are cold on each day, and so many fail."""
    return [
        Request("", "t", (first_day + day) * DAY_US + n, 1000, n < boots, n < failed, ((HANDLER, 1000),))
        for day, boots in enumerate(cold)
        for n in range(100)
    ]


def test_the_interval_is_that_of_the_days_means() -> None:
    """For days alike in size it can be had without resampling: t(12) times the standard error of seven days each."""
    was, now = [4, 16, 6, 14, 10, 8, 12], [40, 60, 45, 55, 50, 42, 58]
    changes, _ = comparison({"f": hundreds(0, was)}, {"f": hundreds(7, now)})
    (change,) = [change for change in changes if change.measure == "cold_share"]
    error = sqrt((variance(was) + variance(now)) / 7) / 100
    assert change.after - change.before == pytest.approx(0.40)
    assert change.high - 0.40 == pytest.approx(2.179 * error, rel=0.05)
    assert 0.40 - change.low == pytest.approx(2.179 * error, rel=0.05)


def test_chance_counts_even_where_days_are_alike() -> None:
    """One failure in each hundred, none before: sqrt(0.01 * 0.99 / 700) = 0.0038, so t is 2.7, which is too little."""
    assert comparison({"f": hundreds(0, [0] * 7)}, {"f": hundreds(7, [0] * 7, failed=1)})[0] == ()
    changes, _ = comparison({"f": hundreds(0, [0] * 7)}, {"f": hundreds(7, [0] * 7, failed=5)})
    assert [(change.measure, change.blamed) for change in changes] == [("fault_share", "")]


def slower(first_day: int, counts: list[int], odd_weigh: float = 1.0) -> Columns:
    """A hundred requests a day, of which so many take 2 ms instead of 1; every other one weighs 1."""
    days = [(first_day + day, count) for day, count in enumerate(counts)]
    took = [(day, n, 2000 if n < count else 1000) for n in range(99, -1, -1) for day, count in days]
    return columns_of(
        Request("", "t", day * DAY_US + n, us, False, False, ((HANDLER, us),), odd_weigh if n % 2 else 1.0)
        for day, n, us in took
    )


def test_how_far_apart_shares_are() -> None:
    """A tenth and a fifth of 700 each: sqrt(0.15 x 0.85 x 2 / 700) = 0.0191 by chance."""
    assert apart(slower(0, [10] * 7), slower(7, [20] * 7), 1500) == (pytest.approx(0.1 / 0.0191, rel=1e-3), inf)
    assert apart(slower(0, [10] * 7), slower(7, [10] * 7), 1500) == (0, 0)
    was, now = [4, 16, 6, 14, 10, 8, 12], [14, 26, 16, 24, 20, 18, 22]
    error = sqrt((variance(was) + variance(now)) / 7) / 100
    assert apart(slower(0, was), slower(7, now), 1500).by_days == pytest.approx(0.1 / error)


def test_a_share_is_of_what_is_slower_than_the_limit() -> None:
    assert apart(slower(0, [10] * 7), slower(7, [20] * 7), 2000) == (0, 0)


def test_chance_is_that_of_both_windows_requests_together() -> None:
    """A tenth of 1,400 and a quarter of 700 are 15 %: 0.15 / sqrt(0.15 x 0.85 x (1 / 1,400 + 1 / 700)) = 9.07."""
    assert apart(slower(0, [10] * 14), slower(14, [25] * 7), 1500).by_chance == pytest.approx(9.07, abs=0.005)


def test_requests_that_weigh_more_than_others_tell_less() -> None:
    """Of weights 1 and 3 alike, 100 tell as much as 200 ^ 2 / 500 = 80: 0.1 / sqrt(0.15 x 0.85 x 2 / 560) = 4.69."""
    found = apart(slower(0, [10] * 7, odd_weigh=3), slower(7, [20] * 7, odd_weigh=3), 1500)
    assert found.by_chance == pytest.approx(4.69, abs=0.005)


def test_chance_is_by_the_requests_that_would_tell_as_much() -> None:
    """A tenth is cold, of 700 requests that tell as much as 560 of one weight."""
    cold = [replace(one, weight=3.0 if n % 2 else 1.0) for n, one in enumerate(hundreds(0, [10] * 7))]
    found = estimate(MEASURES[2], columns_of(cold))
    assert (found.value, found.chance) == (pytest.approx(0.1), pytest.approx(0.1 * 0.9 / 560))


def modes(first_day: int, cold: int) -> list[Request]:
    """A thousand requests a day, of which so many are cold and take 900 ms instead of 100."""
    took = [(day, n, n < cold) for n in range(999, -1, -1) for day in range(first_day, first_day + 7)]
    times = [(day * DAY_US + n, 900_000 if slow else 100_000, slow) for day, n, slow in took]
    return [Request("", "t", at, us, slow, False, ((HANDLER, us),)) for at, us, slow in times]


def test_a_quantile_that_jumps_over_a_gap_must_have_moved_by_ranks() -> None:
    """Of 7,000 requests 4.7 % are slow, then 5.3 %: p95 goes from 100 ms to 900, on every day, but the shares are
    0.006 / sqrt(0.05 x 0.95 x 2 / 7,000) = 1.6 standard errors apart. 4 % and 6 % are 5.4 apart.
    """
    assert "p95_ms" not in {one.measure for one in comparison({"f": modes(0, 47)}, {"f": modes(7, 53)})[0]}
    assert "p95_ms" in {one.measure for one in comparison({"f": modes(0, 40)}, {"f": modes(7, 60)})[0]}


@pytest.mark.parametrize(("slow_days", "found"), [(1, set()), (3, set()), (4, {"p95_ms"}), (7, {"p50_ms", "p95_ms"})])
def test_a_few_slow_days_are_no_slow_week(slow_days: int, found: set[str]) -> None:
    """p95 is that of the slowest day. Of three in seven, resampled, it is the fast ones' in (4 / 7) ^ 7 = 2 % of cases,
    and would seem certain; by ranks, t(12) of four days of seven against none is 2.8, of three 2.1 (p = 0.055).
    """

    def days(first_day: int, slow: int) -> list[Request]:
        took = [(first_day + day, 160_000 if day >= 7 - slow else 100_000) for day in range(7)]
        times = [(day * DAY_US + n, us) for day, us in took for n in range(100)]
        return [Request("", "t", at, us, False, False, ((HANDLER, us),)) for at, us in times]

    changes, _ = comparison({"f": days(0, 0)}, {"f": days(7, slow_days)})
    assert {change.measure for change in changes} == found


def test_nothing_is_blamed_that_does_not_stand_out() -> None:
    def steady(first_day: int, ms: int) -> list[Request]:
        phases = tuple((Label("dependency", name), ms * 1000) for name in "abc")
        times = [day * DAY_US + n for day in range(first_day, first_day + 7) for n in range(30)]
        return [Request("", "t", at, 3 * ms * 1000, False, False, phases) for at in times]

    changes, _ = comparison({"f": steady(0, 50)}, {"f": steady(7, 60)})
    assert {(change.measure, change.blamed) for change in changes} == {("p50_ms", ""), ("p95_ms", "")}


def test_what_moved_the_other_way_hides_no_cause() -> None:
    """Of 80 ms more `a` has 60, three in four, though `b` takes 50 less."""

    def steady(first_day: int, **ms: int) -> list[Request]:
        phases = tuple((Label("dependency", name), time * 1000) for name, time in ms.items())
        times = [day * DAY_US + n for day in range(first_day, first_day + 7) for n in range(30)]
        return [Request("", "t", at, sum(ms.values()) * 1000, False, False, phases) for at in times]

    changes, _ = comparison({"f": steady(0, a=100, b=100, c=100)}, {"f": steady(7, a=160, b=50, c=120)})
    assert {one.blamed for one in changes} == {"dependency a +60 ms"}


def test_the_same_input_gives_the_same_answer() -> None:
    before, after = fleet(0, 0), fleet(1, 7, slower=1.5)
    assert comparison(before, after) == comparison(before, after)


def test_a_change_that_is_certain_but_small_is_not_worth_saying() -> None:
    """9 ms on 50 ms is more than 5 %, but less than 10 ms; 40 ms on 1,000 ms the other way round. 5 % are of what was:
    10 ms less than 205 ms is less than that.
    """

    def steady(first_day: int, ms: float) -> list[Request]:
        times = [(day * DAY_US + n, round(ms * 1000)) for day in range(first_day, first_day + 7) for n in range(30)]
        return [Request("", "t", at, time, False, False, ((HANDLER, time),)) for at, time in times]

    before = {"small": steady(0, 50), "relative": steady(0, 1000), "less": steady(0, 205), "both": steady(0, 100)}
    after = {"small": steady(7, 59), "relative": steady(7, 1040), "less": steady(7, 195), "both": steady(7, 111)}
    changes, _ = comparison(before, after)
    assert {(change.function, change.measure) for change in changes} == {("both", "p50_ms"), ("both", "p95_ms")}


def test_the_largest_relative_change_comes_first() -> None:
    """Half as much again of 200 ms is more than a fifth of 1,000."""
    even = [1.0] * 7
    before, after = {"a": levels(0, even), "b": levels(0, even)}, {"a": levels(7, [1.2] * 7), "b": levels(7, [1.5] * 7)}
    before["a"], after["a"] = ([replace(one, duration=5 * one.duration) for one in w["a"]] for w in (before, after))
    assert [one.function for one in comparison(before, after)[0]] == ["b", "b", "a", "a"]


def test_too_little_is_not_compared() -> None:
    changes, remarks = comparison({"f": week(0, 0, requests=10)}, {"f": week(1, 7, requests=10, slower=9.0)})
    assert changes == ()
    assert "1 function could not be compared" in remarks[1]
    two_days = [request for request in week(0, 0, requests=200) if request.start < 2 * DAY_US]
    assert comparison({"f": two_days}, {"f": week(1, 7, slower=9.0)})[0] == ()


def test_a_function_in_one_window_only_is_no_change() -> None:
    assert comparison({"old": week(0, 0)}, {"new": week(1, 7)})[0] == ()


def test_benjamini_hochberg() -> None:
    """The example of Benjamini & Hochberg (1995), section 4, at 2 %: the third p is the last below 0.02 rank/15.

    0.0019 <= 0.004, and then 0.0095 > 0.0053, 0.0201 > 0.0067, ... 1 > 0.02.
    """
    probabilities = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    probabilities += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    change = Change(function="", measure="", before=0, after=0, low=0, high=0, blamed="")
    outcomes = [Outcome(MEASURES[0], change, probability) for probability in reversed(probabilities)]
    assert [outcome.probability for outcome in discoveries(outcomes)] == [0.0001, 0.0004, 0.0019]


def test_what_is_known_closely_counts_more() -> None:
    """0.015 is more than 0.02 / 2, but 0.015 / 1.9 = 0.008 is not; 0.05 / 0.1 is far from it, and alike they fail."""
    change = Change(function="", measure="", before=0, after=0, low=0, high=0, blamed="")
    close = Outcome(MEASURES[0], change, 0.015, weight=1.9)
    loose = Outcome(MEASURES[0], change, 0.05, weight=0.1)
    assert discoveries([loose, close]) == [close]
    assert discoveries([one._replace(weight=1.0) for one in (loose, close)]) == []


def test_what_is_known_closely_is_found_where_all_alike_would_hide_it() -> None:
    """Three functions in three measures (none is cold): the first p must be below 0.02 / 9 = 0.0022.

    Of 7,000 requests 1 % fail, then 1.7 %: t(12) is 0.007 / sqrt((0.0099 + 0.0167) / 7,000) = 3.6, p 0.0037. Its square
    over its variance is 0.0135 ^ 2 / 3.8e-6 = 48; that of a tenth of 140 requests, 0.01 / (2 x 0.09 / 140) = 7.8. So it
    weighs 48 x 3 / (48 + 2 x 7.8) = 2.3 times the mean, and p / 2.3 is 0.0016.
    """

    def failing(first_day: int, requests: int, failed: int) -> list[Request]:
        times = [((first_day + day) * DAY_US + n, n < failed) for day in range(7) for n in range(requests)]
        return [Request("", "t", at, 1000, False, fails, ((HANDLER, 1000),)) for at, fails in times]

    before, after = ({"few": failing(day, 20, 2), "some": failing(day, 20, 2)} for day in (0, 7))
    before["many"], after["many"] = failing(0, 1000, 10), failing(7, 1000, 17)
    assert [(one.function, one.measure) for one in comparison(before, after)[0]] == [("many", "fault_share")]


@pytest.mark.parametrize(
    ("freedom", "five_percent", "one_percent"),
    [(1, 12.706, 63.657), (2, 4.303, 9.925), (5, 2.571, 4.032), (12, 2.179, 3.055), (30, 2.042, 2.750)],
)
def test_students_t_is_that_of_the_tables(freedom: int, five_percent: float, one_percent: float) -> None:
    assert critical(0.05, freedom) == pytest.approx(five_percent, abs=5e-4)
    assert critical(0.01, freedom) == pytest.approx(one_percent, abs=5e-4)
    assert two_sided(0.0, freedom) == 1.0
    assert two_sided(float("inf"), freedom) == pytest.approx(0.0, abs=1e-12)


def test_many_degrees_of_freedom_are_nearly_normal() -> None:
    assert critical(0.0001, 10**6) == pytest.approx(NormalDist().inv_cdf(1 - 0.00005), rel=0.005)


def test_a_fleet_that_is_steady_lends_its_steadiness() -> None:
    """A sixth more, where days differ by 5 %: t is 0.154 / 2.7 % = 5.8, of which 12 degrees of freedom alone make too
    little for one of twenty functions as often as not (5.6 is needed in one of fifty), and all days together enough.
    """
    found = 0
    for seed in range(10):
        before = {f"f{n}": hundreds_of(random.Random(1000 * seed + n), 0) for n in range(20)}
        after = {
            f"f{n}": hundreds_of(random.Random(1000 * seed + 500 + n), 7, 7 / 6 if n == 0 else 1.0) for n in range(20)
        }
        found += "f0" in {change.function for change in comparison(before, after)[0]}
    assert found >= 9


def test_what_days_of_all_tell_counts_for_each() -> None:
    """Every function's days differ by 5.1 %, so that a change of 0.115 is 0.115 / 5.1 % / sqrt(2 / 7) = 4.2 standard
    errors of a mean, and a little less of a quantile. Of 40 outcomes one must be 4.7 off for t of 12 degrees of
    freedom, 3.5 for that of all functions' 240.
    """
    wide = [0.93, 0.95, 0.98, 1.0, 1.02, 1.05, 1.07]
    before = {f"f{n}": levels(0, wide) for n in range(20)}
    after = {f"f{n}": levels(7, [(1.122 if n == 0 else 1.0) * x for x in wide[::-1]]) for n in range(20)}
    assert {change.function for change in comparison(before, after)[0]} == {"f0"}


@pytest.mark.parametrize(("days", "found"), [(3, set()), (7, {"f"})])
def test_three_days_say_less_than_the_seven_of_the_others(days: int, found: set[str]) -> None:
    """Others' days differ by 5.1 %. An eighth more, 0.12 of the mean, is 0.12 / 5.1 % / sqrt(2 / 7) = 4.4 standard
    errors of seven days, but 2.9 of three, however alike these are; of 22 outcomes one must be 3.3 off, two 3.1.
    """
    wide, narrow = [0.93, 0.95, 0.98, 1.0, 1.02, 1.05, 1.07], [0.99, 1.0, 1.01, 1.0, 0.99, 1.0, 1.01]
    before = {f"f{n}": levels(0, wide) for n in range(10)} | {"f": levels(0, narrow[:days])}
    after = {f"f{n}": levels(7, wide[::-1]) for n in range(10)} | {"f": levels(7, [1.125 * x for x in narrow[:days]])}
    assert {change.function for change in comparison(before, after)[0]} == found


def test_days_of_few_requests_count_for_little() -> None:
    """Three days of 100 and four of 5 tell as much as 320 ^ 2 / 30,100 = 3.4 even ones (Kish 1965)."""
    found = [one for n, one in enumerate(levels(0, [1.0] * 7)) if n < 300 or n % 20 == 0]
    assert _even_days(columns_of(found)) == pytest.approx(3.402, abs=5e-4)


def levels(first_day: int, day_levels: list[float]) -> list[Request]:
    """A hundred requests a day, evenly from a tenth less to a tenth more than the day's part of 200 ms."""
    took = [
        (first_day + day, round(2000 * level * (90 + n / 5)))
        for day, level in enumerate(day_levels)
        for n in range(100)
    ]
    times = [(day * DAY_US + n, us) for n, (day, us) in enumerate(took)]
    return [Request("", "t", at, us, False, False, ((HANDLER, us),)) for at, us in times]


def hundreds_of(generator: random.Random, first_day: int, slower: float = 1.0) -> list[Request]:
    """A hundred requests a day that take about 200 ms, on days that differ by 5 %."""
    found = []
    for day in range(first_day, first_day + 7):
        level = 200_000 * slower * generator.lognormvariate(0, 0.05)
        for n in range(100):
            taken = round(level * generator.lognormvariate(0, 0.02))
            found.append(Request("", "t", day * DAY_US + n, taken, False, False, ((HANDLER, taken),)))
    return sorted(found, key=lambda request: request.duration)
