"""DDSketch: within 1 % of the exact weighted quantile, merged in any order, the same after JSON."""

import json
import random
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.traces.sketch import ALPHA, BUCKETS, Sketch, estimates, from_json, merged, sketch, to_json
from monitors.traces.weighing import quantiles

LEVELS = (0.0, 0.25, 0.5, 0.95, 0.99, 0.999, 1.0)
DURATIONS_US = st.integers(0, 900_000_000)
WEIGHTS = st.integers(1, 4000).map(lambda eighths: eighths / 8)
"""Binary fractions: their sums are exact in whatever order."""
PAIRS = st.lists(st.tuples(DURATIONS_US, WEIGHTS), min_size=1, max_size=60)
SKETCHES = st.lists(st.tuples(DURATIONS_US, WEIGHTS), max_size=20).map(sketch)


@given(PAIRS)
def test_every_quantile_is_within_one_percent_of_the_exact_weighted_one(pairs: list[tuple[float, float]]) -> None:
    for told, exact in zip(estimates(sketch(pairs), LEVELS), quantiles(pairs, LEVELS), strict=True):
        assert abs(told - exact) <= ALPHA * exact * (1 + 1e-9)


def test_quantiles_of_a_week_of_durations_with_cold_starts() -> None:
    dice = random.Random(3)
    pairs = [
        (round(dice.lognormvariate(11, 0.7)) + 900_000 * (dice.random() < 0.03), dice.uniform(1, 40))
        for _ in range(20_000)
    ]
    assert estimates(sketch(pairs), LEVELS) == pytest.approx(quantiles(pairs, LEVELS), rel=0.01)


def test_by_hand() -> None:
    """γ = 1.01 / 0.99. A value of 1 lies in bucket 0, (γ^-1, 1], told as 2 / (γ + 1) = 0.99; weight 3 of 4 is zero."""
    held = sketch([(0, 3.0), (1, 1.0)])
    assert held == Sketch(3.0, {0: 1.0})
    assert held.weight == 4
    assert estimates(held, (0.5, 0.75, 0.76)) == pytest.approx((0, 0, 0.99))
    # 1 s in µs: ln(1e6) / ln(1.01 / 0.99) = 690.75
    assert list(sketch([(1_000_000, 1.0)]).counts) == [691]


@given(SKETCHES, SKETCHES, SKETCHES)
def test_merging_is_associative_and_commutative_and_knows_nothing(one: Sketch, two: Sketch, three: Sketch) -> None:
    assert merged([merged([one, two]), three]) == merged([one, merged([two, three])])
    assert merged([one, two]) == merged([two, one])
    assert merged([one, sketch([])]) == one


@given(PAIRS, PAIRS)
def test_merged_sketches_are_the_sketch_of_all_values(
    one: list[tuple[float, float]], two: list[tuple[float, float]]
) -> None:
    assert merged([sketch(one), sketch(two)]) == sketch(one + two)


FAR_APART = st.lists(st.tuples(st.floats(1e-17, 1e17), WEIGHTS), min_size=1, max_size=30)


@given(FAR_APART, FAR_APART)
def test_buckets_are_bounded_whatever_comes_in(one: list[tuple[float, float]], two: list[tuple[float, float]]) -> None:
    """What collapses keeps its weight, and the highest value its accuracy."""
    both = merged([sketch(one), sketch(two)])
    assert both == sketch(one + two)
    assert max(both.counts) - min(both.counts) < BUCKETS
    assert both.weight == sum(weight for _, weight in one + two)
    highest = max(value for value, _ in one + two)
    assert estimates(both, (1.0,)) == pytest.approx((highest,), rel=ALPHA * (1 + 1e-9))


def test_the_lowest_values_collapse_first() -> None:
    """2,048 buckets of ln(1.01 / 0.99) = 0.0200007 each span e^40.96: beside 10^17, what is below 0.16 collapses."""
    held = sketch([(1e-9, 1.0), (1e17, 1.0)])
    (low,) = estimates(held, (0.5,))
    assert log(1e17 / low) == pytest.approx(2047 * 0.0200007, abs=ALPHA)  # 10^17 is within α of its bucket's middle


@given(PAIRS)
def test_round_trip_through_json(pairs: list[tuple[float, float]]) -> None:
    """The weights of these tests have at most six digits each; a bucket's sum may be rounded to six."""
    held = sketch(pairs)
    read = from_json(json.loads(json.dumps(to_json(held))))
    assert read.counts.keys() == held.counts.keys()
    assert read.counts == pytest.approx(held.counts, rel=1e-5)
    assert read.zero == pytest.approx(held.zero, rel=1e-5)
    assert from_json(to_json(read)) == read


def test_json_form() -> None:
    assert to_json(Sketch(0.0, {700: 2.0, 690: 12.3456789, -3: 1e-9})) == [0, -3, 1e-09, 693, 12.3457, 10, 2]


@pytest.mark.parametrize(
    "told",
    [
        [],
        [0],
        [1, 2],
        [0, 1.5, 1],
        [0, 5, 1, 0, 1],
        [0, 5, 1, -2, 1],
        [0, 5, -1],
        [0, 5, 0],
        [-1, 5, 1],
        [0, 3000, 1],
        [0, 5, 1e16],
    ],
    ids=str,
)
def test_no_sketch(told: list[float]) -> None:
    with pytest.raises(ValueError, match="a sketch"):
        from_json(told)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-3000, 3000), max_size=8))
def test_what_is_read_has_quantiles_and_anything_else_is_a_value_error(told: list[float]) -> None:
    try:
        held = from_json(told)
    except ValueError:
        return
    low, high = estimates(held, (0.0, 1.0))
    assert 0 <= low <= high
