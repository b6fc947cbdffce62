"""Levels learned from CloudWatch's history, candidate by candidate."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from infra import learn as learning
from infra.learn import learn
from monitors.candidates import Candidate
from monitors.levels import Layer
from monitors.model import Missing, Query, Series
from monitors.plan import to_learn
from monitors.settings import Override, Settings
from tests.aws import meta
from tests.fleets import fleet, function

DAY = 86_400
END = 20_000 * DAY
SESSION: Any = SimpleNamespace(client=lambda service, **_rest: SimpleNamespace(meta=meta(service)))


def candidate(rule: str = "lambda.duration", name: str = "shop-pay") -> Candidate:
    (found,) = (one for one in to_learn(fleet(function(name)), Settings()) if one.rule.id == rule)
    return found


def series(*days: tuple[float, float], period_s: int = 3600) -> Series:
    """Each day swings between its lowest and its highest value, hour by hour."""
    values = [(low, high)[hour % 2] for low, high in days for hour in range(24)]
    return Series(label="x", period_s=period_s, start=END - len(days) * DAY, values=tuple(values))


class Reader:
    """Stands for read_series: gives each group its series, and remembers what was asked."""

    def __init__(self, *found: Series) -> None:
        self.found = found
        self.groups: list[Any] = []
        self.window: tuple[float, float] = (0, 0)

    def __call__(
        self, _client: Any, groups: list[list[Query]], *, start_s: float, end_s: float, progress: Any
    ) -> list[list[Series]]:
        self.groups, self.window = groups, (start_s, end_s)
        if progress:
            progress(1, 1)
        return [[one] for one in self.found]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Any:
    def given(*found: Series) -> Reader:
        reader = Reader(*found)
        monkeypatch.setattr(learning, "read_series", reader)
        return reader

    return given


FORTNIGHT = [(200.0 + day, 201.0 + day) for day in range(14)]
"""Five hours in a row, whichever, reach their day's lower value: 213 is the most that the alarm's 5 of 5 ever saw."""


def test_a_level_lies_above_every_ordinary_day(reads: Any) -> None:
    reader, told = reads(series(*FORTNIGHT)), []
    one = candidate()
    learned = learn(SESSION, [one], end_s=END, days=14, progress=lambda done, total: told.append((done, total)))
    found = learned["lambda.duration", one.resource.id]
    assert found.high is not None
    assert 213 <= found.high < 2 * 213
    assert reader.groups == [one.queries]
    assert reader.window == (END - 14 * DAY, END)
    assert told == [(1, 1)]


def test_too_little_history_gives_nothing(reads: Any) -> None:
    """A level needs every day of the week (monitors.thresholds)."""
    reads(series(*FORTNIGHT[:6]))
    assert learn(SESSION, [candidate()], end_s=END) == {}


def test_two_subjects_of_one_resource_share_the_wider_levels(reads: Any) -> None:
    """Say, the indexes of a table: neither is out of the ordinary within what the other reaches."""
    busy = [(2 * low, 2 * high) for low, high in FORTNIGHT]
    one = candidate()
    alone = {}
    for days in (FORTNIGHT, busy):
        reads(series(*days))
        (alone[days[0]],) = learn(SESSION, [one], end_s=END).values()
    highs = [levels.high or 0 for levels in alone.values()]
    for order in ((FORTNIGHT, busy), (busy, FORTNIGHT)):
        reads(*(series(*days) for days in order))
        (both,) = learn(SESSION, [one, one], end_s=END).values()
        assert both.high == max(highs)


def test_resources_do_not_share(reads: Any) -> None:
    one, other = candidate(), candidate(name="shop-ship")
    reads(series(*FORTNIGHT), series(*FORTNIGHT[:3]))
    assert learn(SESSION, [one, other], end_s=END).keys() == {("lambda.duration", one.resource.id)}


def test_what_a_setting_says_is_not_learned(reads: Any) -> None:
    one = replace(candidate("lambda.traffic"), layers=(Layer("lookout.toml", Override(high=900.0)),))
    reads(series(*FORTNIGHT))
    found = learn(SESSION, [one], end_s=END)
    assert [levels.high for levels in found.values()] == [None] * len(found)


def test_silence_counts_as_nothing_where_the_rule_says_so(reads: Any) -> None:
    """Traffic that stops has no datapoints: gaps are 0 on its low side, so a metric full of them has no low level."""
    one = candidate("lambda.traffic")
    assert one.rule.missing_low is Missing.BREACHING
    whole = series(*FORTNIGHT)
    gaps = tuple(None if n % 24 < 12 else value for n, value in enumerate(whole.values))
    reads(Series(label="x", period_s=3600, start=whole.start, values=gaps))
    (found,) = learn(SESSION, [one], end_s=END).values()
    assert found.low is None
    reads(whole)
    (found,) = learn(SESSION, [one], end_s=END).values()
    assert found.low is not None
