"""A rule's levels on one resource: the row's own, the settings', or learned ones; and where each came from. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from monitors.catalog.rows import Fixed, Learned, Level, Rule, Share
from monitors.model import Fact, Resource
from monitors.settings import Override


class LearnedLevels(Protocol):
    """What history says of one rule on one resource."""

    @property
    def high(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def basis(self) -> str:
        """In words: how much history, by which method."""


class Side(NamedTuple):
    """One side of a rule: its level, or None; and where that came from, or why there is none."""

    level: float | None
    basis: str


class Layer(NamedTuple):
    """An override, and the place in the settings that it stands in."""

    place: str
    override: Override


UNTIL = ", until its history is learned"
NO_SIDE = Side(None, "")


def sides(rule: Rule, resource: Resource, layers: Sequence[Layer], learned: LearnedLevels | None) -> tuple[Side, Side]:
    """(high, low) of the rule on the resource. The last of the layers to name a side wins over the row."""
    high = _overridden(layers, "high") or _by_row(rule.high, "high", facts=resource.facts, learned=learned)
    low = _overridden(layers, "low") or _by_row(rule.low, "low", facts=resource.facts, learned=learned)
    if low.level is not None and low.level <= 0:
        low = Side(None, "nothing can fall below 0")
    return high, low


def learnable(rule: Rule, layers: Sequence[Layer]) -> tuple[bool, bool]:
    """Whether history may set the (high, low) level: the row says so and no setting speaks first."""
    return (
        isinstance(rule.high, Learned) and not _overridden(layers, "high"),
        isinstance(rule.low, Learned) and not _overridden(layers, "low"),
    )


def _overridden(layers: Sequence[Layer], name: str) -> Side | None:
    for place, override in reversed(layers):
        value: float | None = getattr(override, name)
        if value is not None:
            return Side(value, place)
    return None


def _by_row(level: Level | None, name: str, *, facts: Mapping[str, Fact], learned: LearnedLevels | None) -> Side:
    if level is None:
        return NO_SIDE
    if not isinstance(level, Learned):
        return _known(level, facts)
    value: float | None = getattr(learned, name) if learned else None
    if learned is None or value is None:
        if level.default is None:
            return Side(None, "nothing learned yet")
        default = _known(level.default, facts)
        return default._replace(basis=f"{default.basis}{UNTIL}")
    cap = _known(level.cap, facts).level if level.cap else None
    if name == "high" and cap is not None and value > cap:
        return Side(cap, f"as far as makes sense; learned was {value:g}: {learned.basis}")
    if name == "high" and level.floor is not None and value < level.floor.value:
        least = level.floor.value if cap is None else min(level.floor.value, cap)
        return Side(least, f"as little as makes sense; learned was {value:g}: {learned.basis}")
    return Side(value, f"learned: {learned.basis}")


def _known(level: Fixed | Share, facts: Mapping[str, Fact]) -> Side:
    if isinstance(level, Fixed):
        return Side(level.value, "the rule's own")
    fact = facts.get(level.fact)
    if isinstance(fact, str):
        return Side(None, f"{level.fact} is known only when deployed: {fact}")
    if isinstance(fact, bool) or not isinstance(fact, int | float):
        return Side(None, f"{level.fact} is not known")
    value, basis = round(level.factor * fact, 9), f"{level.factor:g} x {level.fact} ({fact:g})"
    if level.under is not None and value >= level.under:
        return Side(None, f"{basis} is {value:g}, which is never exceeded")
    return Side(value, basis)
