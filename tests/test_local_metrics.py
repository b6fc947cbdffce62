"""The embedded account's metric store: statistics over minute buckets, by arithmetic written down."""

import pytest

from infra.local.metrics import Bucket, MetricStore
from monitors.errors import InputError

SCOPE = ("123456789012", "us-east-1")
KEY = ("N", "m", (("A", "b"),))


def store(*samples: tuple[float, float, float]) -> MetricStore:
    """(time, value, weight) samples of one metric."""
    kept = MetricStore()
    for at_s, value, weight in samples:
        kept.add(SCOPE, KEY, at_s=at_s, values=[value] * int(weight))
    return kept


def one(kept: MetricStore, statistic: str, *, period_s: int = 60) -> float | None:
    return kept.series(SCOPE, KEY, statistic=statistic, period_s=period_s, start_s=0, slots=1)[0]


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("Sum", 1 + 2 + 3 * 2), ("SampleCount", 4), ("Average", 9 / 4), ("Minimum", 1), ("Maximum", 3)],
)
def test_plain_statistics(statistic: str, expected: float) -> None:
    assert one(store((0, 1, 1), (59, 2, 1), (30, 3, 2)), statistic) == expected


def test_slots_without_datapoints_are_missing() -> None:
    kept = store((60, 5, 1))
    assert kept.series(SCOPE, KEY, statistic="Sum", period_s=60, start_s=0, slots=3) == [None, 5, None]


def test_a_longer_period_joins_minutes_from_its_own_start() -> None:
    kept = store((0, 1, 1), (60, 2, 1), (120, 4, 1), (180, 8, 1))
    assert kept.series(SCOPE, KEY, statistic="Sum", period_s=120, start_s=60, slots=2) == [6, 8]


@pytest.mark.parametrize(("share", "expected"), [("p50", 2.5), ("p0", 1), ("p100", 4), ("p90", 3.7)])
def test_percentiles_lie_between_their_neighbours(share: str, expected: float) -> None:
    """Ranks of 1, 2, 3, 4 are 0 to 3: p50 is rank 1.5, p90 is rank 2.7."""
    kept = store((0, 4, 1), (0, 1, 1), (0, 3, 1), (0, 2, 1))
    assert one(kept, share) == pytest.approx(expected)


def test_weights_count_as_so_many_samples() -> None:
    assert one(store((0, 1, 99), (0, 100, 1)), "p95") == 1


def test_trimmed_mean_leaves_the_tail_out() -> None:
    """tm90 of nine 1s and one 100 is the mean of the nine."""
    assert one(store((0, 1, 9), (0, 100, 1)), "tm90") == 1


def test_percentiles_need_raw_values() -> None:
    """PutMetricData's documentation: none from statistic sets, unless minimum equals maximum."""
    kept = MetricStore()
    kept.add_statistics(SCOPE, KEY, at_s=0, new=Bucket(count=3, total=6, low=1, high=3, values=[]))
    assert one(kept, "Average") == 2
    assert one(kept, "p90") is None
    same = MetricStore()
    same.add_statistics(SCOPE, KEY, at_s=0, new=Bucket(count=3, total=6, low=2, high=2, values=[]))
    assert one(same, "p90") == 2


def test_accounts_and_regions_are_apart() -> None:
    kept = store((0, 1, 1))
    assert kept.keys(("123456789012", "eu-west-1")) == []
    assert kept.keys(SCOPE) == [KEY]


def test_what_is_not_a_number_is_not_kept() -> None:
    assert store((0, float("nan"), 1), (0, float("inf"), 1), (0, 1, 0)).keys(SCOPE) == []


def test_old_datapoints_go() -> None:
    kept = store((0, 1, 1), (600, 2, 1))
    kept.forget_before(300)
    assert kept.series(SCOPE, KEY, statistic="Sum", period_s=600, start_s=0, slots=2) == [None, 2]
    kept.forget_before(1000)
    assert kept.keys(SCOPE) == []


def test_an_unknown_statistic_says_what_is_known() -> None:
    with pytest.raises(InputError, match="pNN"):
        one(store((0, 1, 1)), "IQM")
