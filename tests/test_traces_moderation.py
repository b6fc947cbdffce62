"""Variances that have something in common: the functions where they are known, what is learned of drawn variances."""

import random
from math import inf, pi

import pytest

from monitors.traces.moderation import LEAST, Prior, between, digamma, moderated, prior, trigamma

EULER = 0.5772156649015329


@pytest.mark.parametrize(("x", "value"), [(1, -EULER), (2, 1 - EULER), (0.5, -EULER - 1.3862943611198906)])
def test_digamma_where_it_is_known(x: float, value: float) -> None:
    """Abramowitz & Stegun 6.3.2 and 6.3.3: psi(1/2) is -Euler - 2 ln 2."""
    assert digamma(x) == pytest.approx(value, abs=1e-10)


@pytest.mark.parametrize(("x", "value"), [(1, pi**2 / 6), (2, pi**2 / 6 - 1), (0.5, pi**2 / 2)])
def test_trigamma_where_it_is_known(x: float, value: float) -> None:
    """Abramowitz & Stegun 6.4.2 and 6.4.4."""
    assert trigamma(x) == pytest.approx(value, abs=1e-10)


def drawn(generator: random.Random, true: float, freedom: int) -> float:
    """A variance as a sample of a normal distribution estimates it."""
    return true * generator.gammavariate(freedom / 2, 2) / freedom


def test_variances_that_differ_by_chance_alone_are_one() -> None:
    """With 12 degrees of freedom, three hundred of 4.0 agree on it within a few standard errors of sqrt(2 / 3600)."""
    generator = random.Random(3)
    found = prior([drawn(generator, 4.0, 12) for _ in range(300)], [12] * 300)
    assert found.variance == pytest.approx(4.0, rel=0.08)
    assert found.freedom > 100


def test_variances_that_truly_differ_are_left_more_of_their_own() -> None:
    """True variances of a scaled inverse chi-square with 8 degrees of freedom: that is what comes out."""
    generator = random.Random(4)
    true = [4.0 * 8 / generator.gammavariate(4, 2) for _ in range(2000)]
    found = prior([drawn(generator, one, 12) for one in true], [12] * 2000)
    assert found.freedom == pytest.approx(8, rel=0.2)
    assert found.variance == pytest.approx(4.0, rel=0.05)


def test_what_is_own_and_what_is_common_count_by_their_worth() -> None:
    assert moderated(10.0, 12, Prior(4.0, 6)) == pytest.approx((12 * 10 + 6 * 4) / 18)
    assert moderated(10.0, 12, Prior(4.0, inf)) == 4.0
    assert moderated(10.0, 12, Prior(0.0, 0.0)) == 10.0


def test_too_few_have_nothing_in_common() -> None:
    assert prior([1.0] * (LEAST - 1), [12] * (LEAST - 1)) == Prior(0.0, 0.0)


def test_what_days_add_to_chance() -> None:
    """Half a per mille of the square, whatever the level and however much is chance."""
    parts = [(chance + 0.0005 * square, chance, square) for chance in (0.1, 1.0, 9.0) for square in (100.0, 1e6)]
    assert between(parts) == pytest.approx(0.0005, rel=1e-6)


def test_days_that_differ_no_more_than_by_chance_add_nothing() -> None:
    assert between([(0.9, 1.0, 100.0), (0.8, 1.0, 100.0)]) == pytest.approx(0, abs=1e-12)
    assert between([]) == 0.0
