"""Variances of many functions -> the same, each drawn towards what they have in common. Pure.

Seven days tell little of how much days differ: of fifty functions, some seem steady by chance, and would cry wolf.
Empirical Bayes has each borrow from the others, the more so the more alike they are (Smyth 2004, "Linear Models and
Empirical Bayes Methods for Assessing Differential Expression in Microarray Experiments", sections 3 and 6.2).
"""

from collections.abc import Sequence
from math import exp, inf, log
from statistics import fmean, variance
from typing import NamedTuple

LEAST = 5
"""Of fewer variances nothing can be said in common."""


class Prior(NamedTuple):
    """What the variances have in common: a scaled inverse chi-square distribution."""

    variance: float
    freedom: float
    """As many degrees of freedom it is worth: infinite if they differ no more than by chance, 0 if it is not known."""


def between(parts: Sequence[tuple[float, float, float]]) -> float:
    """How much the true values vary, in parts of their squares: the estimate of Paule and Mandel (1982).

    Each part is (variance seen, variance by chance, square of the level), the last above 0. It is what has the
    variances seen agree on average with chance + result x square; 0 where chance is more than enough.
    """
    low, high = 0.0, max((seen / square for seen, _, square in parts), default=0.0)
    for _ in range(60):
        middle = (low + high) / 2
        above = fmean(seen / (chance + middle * square) for seen, chance, square in parts) > 1 if middle else False
        low, high = (middle, high) if above else (low, middle)
    return high


def prior(variances: Sequence[float], freedoms: Sequence[int]) -> Prior:
    """The prior of variances above 0, each estimated with so many degrees of freedom, by the moments of their logs."""
    if len(variances) < LEAST:
        return Prior(0.0, 0.0)
    centred = [log(one) - digamma(d / 2) + log(d / 2) for one, d in zip(variances, freedoms, strict=True)]
    spread = variance(centred) - fmean(trigamma(d / 2) for d in freedoms)
    if spread <= 0:
        return Prior(exp(fmean(centred)), inf)
    half = _inverse_trigamma(spread)
    return Prior(exp(fmean(centred) + digamma(half) - log(half)), 2 * half)


def moderated(own: float, freedom: int, common: Prior) -> float:
    """One variance, drawn towards the prior by what each is worth."""
    if common.freedom == inf:
        return common.variance
    return (common.freedom * common.variance + freedom * own) / (common.freedom + freedom)


def digamma(x: float) -> float:
    """The logarithmic derivative of the gamma function at x > 0 (Abramowitz & Stegun 6.3.5, 6.3.18)."""
    below = 0.0
    while x < 10:
        below, x = below + 1 / x, x + 1
    square = 1 / (x * x)
    return log(x) - 1 / (2 * x) - square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square / 240))) - below


def trigamma(x: float) -> float:
    """The derivative of `digamma` at x > 0 (Abramowitz & Stegun 6.4.6, 6.4.12)."""
    below = 0.0
    while x < 10:
        below, x = below + 1 / (x * x), x + 1
    square = 1 / (x * x)
    return below + 1 / x + square / 2 + square / x * (1 / 6 - square * (1 / 30 - square * (1 / 42 - square / 30)))


def _inverse_trigamma(value: float) -> float:
    """The x at which `trigamma`, which only falls, has this value above 0."""
    low, high = 1e-6, 1e9
    for _ in range(200):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if trigamma(middle) > value else (low, middle)
    return high
