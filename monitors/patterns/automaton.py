"""Alternatives of repeated characters -> a search that takes one step for each character of the text. Pure.

An alternative on its way through a text is in one or more states, each the point before one of its
characters. The states of all alternatives are the bits of one number, and a step is a few shifts and masks
(the extended shift-and of Navarro and Raffinot, "Flexible Pattern Matching in Strings", 2002, chapter 4).
Numbers that come up are kept, with where each character leads from there, so that a step is mostly one look-up
in a dict. What is kept is bounded, and can be forgotten at any time.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

LOW = tuple(map(chr, range(256)))
"""The characters that an expression can name, by itself or by `\\xhh`; to all others it does the same."""

MOST_KEPT = 4_096  # ours: steps, of about 200 bytes each


class Chars(NamedTuple):
    """A set of characters: some of LOW, and either all others or none."""

    low: frozenset[str]
    others: bool


class Atom(NamedTuple):
    """A character of the set, at least and at most so many times; None is no limit."""

    chars: Chars
    least: int
    most: int | None


class Alternative(NamedTuple):
    atoms: tuple[Atom, ...]
    at_start: bool
    at_end: bool


def searcher(alternatives: Sequence[Alternative]) -> Callable[[str], bool]:
    """Whether one of the alternatives is found in a text, at its ends where they say so."""
    return _Automaton(alternatives).search


class _State(dict[str, "_State | None"]):
    """A set of states of the alternatives, and where each character leads from it; None is a match."""

    __slots__ = ("automaton", "bits")
    automaton: "_Automaton"
    bits: int

    def __missing__(self, char: str) -> "_State | None":
        following = self[char] = self.automaton.following(self.bits, char)
        return following


class _Automaton:
    """The alternatives as masks, one bit a state. The last state of each has no character; bits of the next follow."""

    __slots__ = (
        "_begin",
        "_ending",
        "_found",
        "_kept",
        "_known",
        "_masks",
        "_once",
        "_repeated",
        "_restart",
        "_skipped",
    )

    def __init__(self, alternatives: Sequence[Alternative]) -> None:
        self._once: dict[Chars, int] = {}
        self._repeated: dict[Chars, int] = {}
        self._begin = self._restart = self._skipped = self._found = self._ending = 0
        bit = 1
        for alternative in alternatives:
            self._begin |= bit
            self._restart |= 0 if alternative.at_start else bit
            for atom in alternative.atoms:
                bit = self._add(atom, bit)
            if alternative.at_end:
                self._ending |= bit
            else:
                self._found |= bit
            bit <<= 1
        self._begin, self._restart = self._with_skips(self._begin), self._with_skips(self._restart)
        self._masks: dict[str, tuple[int, int]] = {}
        self._known: dict[int, _State] = {}
        self._kept = 0

    def search(self, text: str) -> bool:
        if self._begin & self._found:
            return True
        state = self._state(self._begin)
        for char in text:
            following = state[char]
            if following is None:
                return True
            state = following
        return bool(state.bits & self._ending)

    def following(self, bits: int, char: str) -> _State | None:
        """The state after one more character; None if that completes an alternative."""
        once, repeated = self._mask(char if char <= LOW[-1] else "")
        bits = self._with_skips((bits & once) << 1 | bits & repeated) | self._restart
        return None if bits & self._found else self._state(bits)

    def _add(self, atom: Atom, bit: int) -> int:
        """Write out an atom from this state on; the first state behind it."""
        once = atom.least if atom.most is None else atom.most
        run = (1 << once) - 1
        self._once[atom.chars] = self._once.get(atom.chars, 0) | bit * run
        self._skipped |= bit * (run >> atom.least << atom.least)
        bit <<= once
        if atom.most is None:
            self._repeated[atom.chars] = self._repeated.get(atom.chars, 0) | bit
            self._skipped |= bit
            bit <<= 1
        return bit

    def _with_skips(self, bits: int) -> int:
        """With the states that are reached without a character. The carry of the sum runs through each row of states
        that may be skipped, from the first that is on to the one behind the row.
        """
        return bits | ((bits & self._skipped) + self._skipped) ^ self._skipped

    def _mask(self, char: str) -> tuple[int, int]:
        """(states that the character leads on from, states that it leaves where they are)."""
        found = self._masks.get(char)
        if found is None:
            once, repeated = (
                sum(bits for chars, bits in table.items() if (char in chars.low if char else chars.others))
                for table in (self._once, self._repeated)
            )
            found = self._masks[char] = once, repeated
        return found

    def _state(self, bits: int) -> _State:
        if self._kept >= MOST_KEPT:
            for state in self._known.values():
                state.clear()
            self._known.clear()
            self._kept = 0
        self._kept += 1
        known = self._known.get(bits)
        if known is not None:
            return known
        state = self._known[bits] = _State()
        state.automaton, state.bits = self, bits
        return state
