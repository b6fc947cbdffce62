"""A time that remembers what it was made of, and every comparison that it was part of. Pure.

What is computed with such times by adding, subtracting and comparing holds for any other times for which each of those
comparisons comes out the same: a path through the code, learned from one example (concolic execution, after King 1976
and Godefroid, Klarlund & Sen 2005).
"""

from collections.abc import Iterator, Mapping, Sequence
from math import isinf
from typing import Any, NamedTuple, Self

_BITS = 16
"""Of a digit of a form: a time goes into a sum fewer than 2 ** 15 times, either way."""


class Path(NamedTuple):
    """What was compared."""

    given: Sequence[int]
    """The times of the example."""
    least: dict[int, int]
    """The least value that a sum of this form had, where it may not be negative."""


class Sum(NamedTuple):
    """Some of the given times, each so often, and a constant."""

    often: Mapping[int, int]
    """Position of the time -> how often it is in the sum; not 0."""
    beyond: int


class Moment(int):
    """An integer with its form; see `moments`.

    The form has a digit for each of the given times, which says how often that is in it: forms add up as numbers do.
    """

    form: int
    path: Path

    def __new__(cls, value: int, form: int, path: Path) -> Self:
        made = super().__new__(cls, value)
        made.form = form
        made.path = path
        return made

    def __add__(self, other: int) -> "Moment":
        form = self.form + other.form if isinstance(other, Moment) else self.form
        return Moment(int(self) + int(other), form, self.path)

    __radd__ = __add__

    def __neg__(self) -> "Moment":
        return Moment(-int(self), -self.form, self.path)

    def __sub__(self, other: int) -> "Moment":
        return self + (-other)

    def __rsub__(self, other: int) -> "Moment":
        return -self + other

    def __abs__(self) -> "Moment":
        return -self if self < 0 else self

    def __lt__(self, other: Any) -> bool:
        return self._below(other, 1)

    def __le__(self, other: Any) -> bool:
        return self._below(other, 0)

    def __gt__(self, other: Any) -> bool:
        return not self._below(other, 0)

    def __ge__(self, other: Any) -> bool:
        return not self._below(other, 1)

    def __eq__(self, other: object) -> bool:
        """Which of the three it is, is noted."""
        return isinstance(other, int) and self._below(other, 0) and not self._below(other, 1)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = int.__hash__

    def __bool__(self) -> bool:
        return self != 0

    def _below(self, other: float, by: int) -> bool:
        """Whether it is less than the other by so much, which is noted."""
        if isinstance(other, float) and isinf(other):
            return other > 0
        form = (other.form if isinstance(other, Moment) else 0) - self.form
        value = int(other) - int(self) - by
        holds = value >= 0
        if form:
            least, noted = (form, value) if holds else (-form, -value - 1)
            self.path.least[least] = min(noted, self.path.least.get(least, noted))
        return holds


def moments(values: Sequence[int]) -> tuple[list[Moment], Path]:
    """The times, each of a form of its own, and the path that notes what is compared."""
    path = Path(values, {})
    return [Moment(value, 1 << _BITS * at, path) for at, value in enumerate(values)], path


def conditions(path: Path) -> Iterator[Sum]:
    """The sums that must not be negative, if other times are to take the same path."""
    return (_sum(value, form, path.given) for form, value in path.least.items())


def made_of(time: int, path: Path) -> Sum:
    """What went into a time."""
    return _sum(int(time), time.form if isinstance(time, Moment) else 0, path.given)


def _sum(value: int, form: int, given: Sequence[int]) -> Sum:
    half, whole = 1 << _BITS - 1, 1 << _BITS
    often = {}
    for at in range(len(given)):
        digit = (form + half) % whole - half
        form = form - digit >> _BITS
        if digit:
            often[at] = digit
    return Sum(often, value - sum(digit * given[at] for at, digit in often.items()))
