"""What a change came with: other requests than before, or the same ones slower, and since when."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from msgspec.structs import replace

from monitors.traces.causes import _best_split, with_deployments, with_memory
from monitors.traces.labels import HANDLER
from monitors.traces.report import Change
from monitors.traces.requests import Request
from tests.trace_columns import comparison

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
Kind = tuple[bool, str, str]
"""(cold, qualifier, caller)"""
PLAIN: Kind = (False, "", "")


def week(first_day: int, kind: Callable[[float], Kind], took_ms: Callable[[Kind, int], float]) -> list[Request]:
    """Fifty requests an hour: `kind` of a number in 0..1, `took_ms` of a kind and the hour since 1970, 1 % of noise."""
    generator = random.Random(first_day)
    found = []
    for hour in range(first_day * 24, (first_day + 7) * 24):
        for n in range(50):
            cold, qualifier, caller = kind((n + 0.5) / 50)
            time = round(1000 * took_ms((cold, qualifier, caller), hour) * generator.lognormvariate(0, 0.01))
            request = Request("", "t", hour * HOUR_US + n, time, cold, False, ((HANDLER, time),))
            found.append(replace(request, qualifier=qualifier, caller=caller))
    return sorted(found, key=lambda one: one.duration)


def changes(before: list[Request], after: list[Request]) -> dict[str, Change]:
    return {one.measure: one for one in comparison({"f": before}, {"f": after})[0]}


def test_a_new_version_is_named_with_its_shares() -> None:
    """Six in ten requests go to version 8, which takes half as long again: nothing else changed."""

    def took(kind: Kind, _: int) -> float:
        return 150.0 if kind[1] == "8" else 100.0

    found = changes(
        week(0, lambda _: (False, "7", ""), took),
        week(7, lambda n: (False, "8" if n < 0.6 else "7", ""), took),
    )
    assert found["p50_ms"].mix == "version 8: 0.0% of all before, 60.0% now"


def test_a_version_that_took_the_place_of_all_others_is_named() -> None:
    found = changes(
        week(0, lambda _: (False, "7", ""), lambda *_: 100.0),
        week(7, lambda _: (False, "8", ""), lambda *_: 150.0),
    )
    assert found["p50_ms"].mix == "version 8: 0.0% of all before, 100.0% now"


def test_more_requests_of_a_slow_caller_are_named() -> None:
    def took(kind: Kind, _: int) -> float:
        return 300.0 if kind[2] == "batch" else 100.0

    found = changes(
        week(0, lambda n: (False, "", "batch" if n < 0.2 else "shop"), took),
        week(7, lambda n: (False, "", "batch" if n < 0.6 else "shop"), took),
    )
    assert found["p50_ms"].mix == "requests from batch: 20.0% of all before, 60.0% now"


def test_more_cold_starts_are_named_for_the_tail_and_not_for_their_own_share() -> None:
    def took(kind: Kind, _: int) -> float:
        return 900.0 if kind[0] else 100.0

    found = changes(
        week(0, lambda n: (n < 0.02, "", ""), took),
        week(7, lambda n: (n < 0.08, "", ""), took),
    )
    assert found["p95_ms"].mix == "cold starts: 2.0% of all before, 8.0% now"
    assert found["cold_share"].mix == ""


def test_the_same_requests_that_got_slower_are_no_other_kind() -> None:
    """Cold starts are as many as before, and every request takes a fifth longer."""

    def kind(n: float) -> Kind:
        return (n < 0.04, "7", "shop" if n < 0.5 else "batch")

    found = changes(week(0, kind, lambda *_: 100.0), week(7, kind, lambda *_: 120.0))
    assert found["p50_ms"].mix == ""
    assert found["p50_ms"].blamed == "handler +20 ms"


@pytest.mark.parametrize("hour", [7 * 24, 9 * 24 + 14, 10 * 24 + 3])
def test_the_hour_since_when(hour: int) -> None:
    """At the border of the windows, and at hours within the later one."""
    found = changes(
        week(0, lambda _: PLAIN, lambda *_: 100.0),
        week(7, lambda _: PLAIN, lambda _, at: 160.0 if at >= hour else 100.0),
    )
    assert next(iter(found.values())).since == hour * 3600


@pytest.mark.parametrize("seed", range(5))
def test_the_hour_since_when_p95_moved_shows_in_few_requests(seed: int) -> None:
    """Seven an hour, of 80 ms by a lognormal law: p95 of an hour is its slowest one, anything from 100 to 300 ms."""
    generator = random.Random(seed)

    def some(first_day: int, slower_from: int) -> list[Request]:
        found = []
        for hour in range(first_day * 24, (first_day + 7) * 24):
            for n in range(7):
                time = round(1000 * (80 * generator.lognormvariate(0, 0.4) + 30 * (hour >= slower_from)))
                found.append(Request("", "t", hour * HOUR_US + n, time, False, False, ((HANDLER, time),)))
        return sorted(found, key=lambda one: one.duration)

    since = changes(some(0, 10**6), some(7, 9 * 24))["p95_ms"].since
    assert since
    assert abs(since / 3600 - 9 * 24) <= 3


def test_the_median_s_hour_is_not_that_of_the_slowest() -> None:
    """From the border on, six in ten requests take 200 ms instead of four; three days later, one in five takes 900."""
    border, later = 7 * 24, 10 * 24

    def some(first_day: int) -> list[Request]:
        found = []
        for hour in range(first_day * 24, (first_day + 7) * 24):
            for n in range(50):
                ms = 900 if n < 10 and hour >= later else 200 if n < (30 if hour >= border else 19) else 100
                found.append(Request("", "t", hour * HOUR_US + n, 1000 * ms, False, False, ((HANDLER, 1000 * ms),)))
        return found

    found = changes(some(0), some(7))
    assert (found["p50_ms"].since, found["p95_ms"].since) == (border * 3600, later * 3600)


def test_the_hour_is_that_of_the_weight() -> None:
    """Five requests an hour stand for twenty each and are slow from the border on, 45 stand for one and are later."""
    border, later = 7 * 24, 10 * 24

    def some(first_day: int) -> list[Request]:
        found = []
        for hour in range(first_day * 24, (first_day + 7) * 24):
            for n in range(50):
                us = 200_000 if hour >= (border if n < 5 else later) else 100_000
                weight = 20.0 if n < 5 else 1.0
                found.append(Request("", "t", hour * HOUR_US + n, us, False, False, ((HANDLER, us),), weight))
        return found

    assert changes(some(0), some(7))["p50_ms"].since == border * 3600


@pytest.mark.parametrize(
    ("slow", "explained", "at"),
    [
        ([0] * 10 + [2] * 10, 1.0, 10),
        # Twelve of forty, all in one half: (0 - 0.3 x 20) ^ 2 / (20 x 20) / (0.3 x 0.7).
        ([0] * 10 + [1] * 8 + [2] * 2, 3 / 7, 10),
        ([0] * 20, 0.0, 6),
        ([2] * 20, 0.0, 6),
    ],
)
def test_what_a_split_of_the_hours_explains(slow: list[int], explained: float, at: int) -> None:
    """Twenty hours of two requests each."""
    assert _best_split(np.full(20, 2.0), np.array(slow, float)) == (pytest.approx(explained), at)


def test_no_moment_is_named_with_less_than_six_hours_on_either_side() -> None:
    """The nearest that has them is, to three hours at the end or the beginning."""
    last = np.array([0.0] * 17 + [1.0] * 3)
    assert _best_split(np.full(20, 2.0), last)[1] == 14
    assert _best_split(np.full(20, 2.0), last[::-1])[1] == 6


def test_too_few_hours_tell_no_moment() -> None:
    """A function that runs once a day, a hundred times at once: 14 hours in all, and 12 are needed; at 4 days none."""

    def nightly(first_day: int, days: int, ms: int) -> list[Request]:
        times = [day * DAY_US + n for day in range(first_day, first_day + days) for n in range(100)]
        return [Request("", "t", at, ms * 1000, False, False, ((HANDLER, ms * 1000),)) for at in times]

    assert changes(nightly(0, 7, 100), nightly(7, 7, 200))["p50_ms"].since == 7 * 86_400
    assert changes(nightly(0, 4, 100), nightly(7, 4, 200))["p50_ms"].since is None


def test_another_memory_size_is_named() -> None:
    change = Change(function="f", measure="p50_ms", before=1, after=2, low=1, high=1, blamed="")
    for sizes, named in (({"f": (128, 256)}, (128, 256)), ({"f": (128, 128)}, None), ({"g": (128, 256)}, None)):
        assert [one.memory_mb for one in with_memory([change], sizes)] == [named]


def test_a_deployment_is_named_if_the_change_began_with_it() -> None:
    began = Change(function="f", measure="p50_ms", before=1, after=2, low=1, high=1, blamed="", since=7200.0)
    for at, named in ((3599, None), (3600, 3600), (7200, 7200), (10_799, 10_799), (10_800, None)):
        (change,) = with_deployments([began], {"f": at, "g": 7200})
        assert change.deployed == named
    (elsewhere,) = with_deployments([began], {"g": 7200})
    assert elsewhere == began
