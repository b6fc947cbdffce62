"""Student's t: how far out a value lies, for whole degrees of freedom."""

from functools import lru_cache
from math import atan, cos, pi, sin, sqrt

MOST_FREEDOM = 1_000
"""More makes no difference: the value exceeded once in 10,000 is then within 0.5 % of the normal law's."""


def two_sided(t: float, freedom: int) -> float:
    """The probability of a value further from 0 than `t`: Abramowitz & Stegun 26.7.3 and 26.7.4."""
    freedom = min(freedom, MOST_FREEDOM)
    angle = atan(abs(t) / sqrt(freedom))
    term = cos(angle) if freedom % 2 else 1.0
    total = 0.0 if freedom == 1 else term
    for k in range(3 if freedom % 2 else 2, freedom - 1, 2):
        term *= cos(angle) ** 2 * (k - 1) / k
        total += term
    inside = 2 / pi * (angle + sin(angle) * total) if freedom % 2 else sin(angle) * total
    return max(0.0, 1.0 - inside)


@lru_cache(maxsize=256)
def critical(probability: float, freedom: int) -> float:
    """The t that a value exceeds, either way, with this probability."""
    low, high = 0.0, 1e6
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, freedom) > probability else (low, middle)
    return high
