"""Levels from history: arithmetic on small histories, and what must hold for any."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.evaluate import breaches, episodes, states
from monitors.model import Comparison, Missing, Series, State
from monitors.thresholds import judged, levels

DAY, HOUR = 86_400, 3600
ONE = ((1, 1),)


def series(values, period_s=DAY):
    return Series(label="m", period_s=period_s, start=0, values=tuple(values))


def hours(days=14, seed=1, base=100.0, spread=10.0):
    """A daily season with noise, an hour a slot."""
    noise = random.Random(seed)
    return [
        base + base / 2 * math.sin(2 * math.pi * hour / 24) + noise.uniform(-spread, spread)
        for hour in range(24 * days)
    ]


def test_the_level_of_fourteen_days():
    # Daily highest 1, 2, ..., 14: mean 7.5; second L-moment of 1..n is (n + 1) / 6 = 2.5; scale 2.5 / ln 2 = 3.6067.
    # Once in 1000 days: 7.5 + 3.6067 * (ln 1000 - 0.5772) = 7.5 + 3.6067 * 6.3305 = 30.333, and up to three digits.
    learned = levels(series(range(1, 15)), low=False, zero_floor=False, shapes=ONE)
    assert (learned.high, learned.low) == (30.4, None)
    assert (learned.datapoints, learned.periods, learned.days) == (1, 1, 14)
    assert learned.basis == "14 days of history; outside about once in 1,000 ordinary days, 1 of 1"


def test_the_same_on_square_roots():
    # The squares of 1..14 have the roots 1..14: 30.333 again, squared: 920.1.
    learned = levels(series(n * n for n in range(1, 15)), low=False, shapes=ONE)
    assert learned.high == 921


def test_the_low_level_is_the_mirror_image():
    # 100 - 1..14: 100 - 30.333 = 69.667, and down to three digits.
    learned = levels(series(100 - n for n in range(1, 15)), high=False, zero_floor=False, shapes=ONE)
    assert (learned.high, learned.low) == (None, 69.6)


def test_an_incident_does_not_lift_the_level():
    usual, incident = hours(), hours()
    incident[100:106] = [5000.0] * 6
    without_that_day = usual[: 4 * 24] + usual[5 * 24 :]
    assert levels(series(incident, HOUR)).high == levels(series(without_that_day, HOUR)).high


def test_nor_does_one_that_is_cut_in_two_by_the_end_of_a_day():
    usual, incident = hours(), hours()
    incident[94:98] = [5000.0, 4900.0, 4800.0, 5000.0]
    without_these_days = usual[: 3 * 24] + usual[5 * 24 :]
    assert levels(series(incident, HOUR)).high == levels(series(without_these_days, HOUR)).high


def test_neither_does_one_at_the_low_side():
    usual, incident = hours(), hours()
    incident[100:106] = [1.0] * 6
    without_that_day = usual[: 4 * 24] + usual[5 * 24 :]
    low = levels(series(incident, HOUR)).low
    assert low == levels(series(without_that_day, HOUR)).low
    assert 1 < low < min(usual)


def test_what_happens_every_third_day_is_no_incident():
    values = hours()
    for day in range(0, 14, 3):
        values[24 * day] = 5000.0
    assert levels(series(values, HOUR), shapes=ONE).high >= 5000


def test_too_little_history():
    learned = levels(series(hours(days=6), HOUR))
    assert (learned.high, learned.low, learned.days) == (None, None, 6)
    assert learned.basis == "6 days of history, and 7 are needed"
    assert levels(series([None] * 24 * 30, HOUR)).days == 0
    assert levels(series([])).days == 0


def test_what_is_always_zero_alarms_at_the_first():
    learned = levels(series([0.0] * 24 * 14, HOUR))
    assert (learned.high, learned.low) == (0, None)
    assert "too near 0" in learned.basis


def test_nights_without_traffic_leave_no_low_level():
    values = [None if hour % 24 < 6 else x for hour, x in enumerate(hours())]
    assert levels(series(values, HOUR), silence_is_low=True).low is None
    assert levels(series(values, HOUR)).low > 0


def test_a_weekly_job_with_three_of_three_has_no_level():
    # Its single datapoints never make three in the evaluation range of five.
    values = [5.0 if hour % 24 == 3 else None for hour in range(24 * 14)]
    assert levels(series(values, HOUR), shapes=((3, 3),)).high is None
    assert levels(series(values, HOUR)).high == 5
    assert levels(series(values, HOUR)).datapoints == 1


def test_single_blips_call_for_a_slower_alarm():
    noise, blips = random.Random(2), hours()
    for day in range(14):
        blips[24 * day + 5] = noise.uniform(2000, 4000)
    learned = levels(series(blips, HOUR))
    assert (learned.datapoints, learned.periods) == (2, 3)
    assert learned.high < 400
    assert levels(series(hours(), HOUR)).datapoints == 1


VALUES = st.lists(st.none() | st.integers(0, 6).map(float), min_size=1, max_size=40)
SHAPES = st.sampled_from([(1, 1), (1, 3), (2, 3), (3, 3), (3, 5), (5, 5)])


@given(VALUES, SHAPES, st.integers(-1, 6))
def test_an_alarm_is_on_exactly_while_the_deciding_value_is_above_its_level(values, shape, level):
    m, n = shape
    on = states(breaches(values, Comparison.ABOVE, level), datapoints=m, periods=n, missing=Missing.NOT_BREACHING)
    deciding = judged(values, datapoints=m, periods=n)
    assert [state is State.ALARM for state in on] == [x is not None and x > level for x in deciding]


@given(VALUES, SHAPES, st.integers(1, 6))
def test_where_silence_is_low_it_decides_as_breaching_does(values, shape, level):
    m, n = shape
    on = states(breaches(values, Comparison.BELOW, level), datapoints=m, periods=n, missing=Missing.BREACHING)
    mirrored = [None if x is None else -x for x in values]
    deciding = judged(mirrored, datapoints=m, periods=n, gap=0.0)
    assert [state is State.ALARM for state in on] == [x is not None and x > -level for x in deciding]


@given(st.lists(st.none() | st.floats(0, 1e6), min_size=7 * 6, max_size=15 * 6))
def test_ordinary_days_never_alarm(values):
    history = series(values, 4 * HOUR)
    learned = levels(history)
    for level, comparison in ((learned.high, Comparison.ABOVE), (learned.low, Comparison.BELOW)):
        if level is None:
            continue
        on = states(
            breaches(values, comparison, level),
            datapoints=learned.datapoints,
            periods=learned.periods,
            missing=Missing.NOT_BREACHING,
        )
        spare = len(values) % 6  # slots before the first whole day
        alarmed = {(slot - spare) // 6 for slot, state in enumerate(on) if state is State.ALARM and slot >= spare}
        assert len(alarmed) <= len(values) // 6 // 7  # no more days than may be set aside


@given(st.lists(st.floats(1, 1000), min_size=14, max_size=30), st.integers(-3, 3))
def test_levels_do_not_depend_on_the_unit(values, power):
    plain, scaled = levels(series(values)), levels(series(x * 10.0**power for x in values))
    assert scaled.datapoints == plain.datapoints
    for one, other in ((plain.high, scaled.high), (plain.low, scaled.low)):
        assert (one is None) == (other is None)
        if one is not None:
            assert other == pytest.approx(one * 10.0**power, rel=0.02)


@given(st.lists(st.none() | st.floats(), max_size=20), st.sampled_from([60, HOUR, DAY, 7 * DAY]), st.booleans())
def test_any_history_gives_levels_or_none(values, period_s, zero_floor):
    learned = levels(series(values, period_s), zero_floor=zero_floor)
    assert all(level is None or math.isfinite(level) for level in (learned.high, learned.low))


def test_a_learned_alarm_sees_the_incident_it_was_not_taught():
    history, today = hours(), hours(days=1, seed=9)
    today[10:14] = [400.0] * 4
    learned = levels(series(history, HOUR))
    on = states(
        breaches(today, Comparison.ABOVE, learned.high),
        datapoints=learned.datapoints,
        periods=learned.periods,
        missing=Missing.NOT_BREACHING,
    )
    (found,) = episodes(on, start=0, period_s=HOUR)
    assert (found.start, found.end) == (11 * HOUR, 15 * HOUR)
