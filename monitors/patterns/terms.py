"""A pattern of terms, `ERROR -"timed out" %regex%`, -> what it matches. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from monitors.errors import PatternError
from monitors.patterns import regex
from monitors.patterns.lexing import QUOTED, REGEX, limit_regexes, unquoted, unreadable
from monitors.patterns.pattern import Pattern, refused_selector

_TERM = re.compile(
    rf"""\s*([-?]?)(?:{QUOTED}|{REGEX}|([A-Za-z0-9_.][A-Za-z0-9_.-]*))""", re.VERBOSE | re.DOTALL | re.ASCII
)


def compiled(text: str) -> Pattern:
    r"""The pattern of a text without blanks at its ends. PatternError if AWS would refuse it.

    Terms are case-sensitive substrings, in any order. `?` terms are an alternative only among themselves: next to
    any other term they are ignored. The guide says that `" "` matches every message; the service looks for a space.
    `$` in a regular expression is the message's end, before the newline that Lambda ends text lines with. The guide
    allows two regular expressions to a pattern of the other kinds, and is silent on terms; so do we here.
    """
    signed: dict[str, list[Callable[[str], bool]]] = {"": [], "-": [], "?": []}
    hints: dict[str, list[tuple[str, ...]]] = {"": [], "-": [], "?": []}
    at = regexes = 0
    while at < len(text):
        term = _TERM.match(text, at)
        if term is None:
            raise PatternError(unreadable(text, at))
        sign, quoted, expression, word = term.groups()
        signed[sign].append(_test(quoted, expression, word))
        hints[sign].append(regex.hints(expression) if expression is not None else (_literal(quoted, word),))
        regexes += expression is not None
        at = term.end()
    limit_regexes(regexes)
    find = _finder(signed[""], signed["-"], signed["?"])
    return Pattern(text, find, _no_values, _read, _hints(hints[""], hints["-"], hints["?"]))


def _test(quoted: str | None, expression: str | None, word: str | None) -> Callable[[str], bool]:
    if expression is not None:
        search = regex.compiled(expression)
        return lambda message: search(message.removesuffix("\n"))
    literal = _literal(quoted, word)
    return lambda message: literal in message


def _literal(quoted: str | None, word: str | None) -> str:
    return unquoted(quoted) if quoted is not None else word or ""


def _hints(
    needed: list[tuple[str, ...]], excluded: list[tuple[str, ...]], either: list[tuple[str, ...]]
) -> tuple[str, ...]:
    """Of the needed terms the one that fewest messages have, which is likely the longest; else all alternatives."""
    if needed:
        return max(needed, key=lambda hints: min(map(len, hints), default=0))
    whole = either and not excluded and all(either)
    return tuple(hint for hints in either for hint in hints) if whole else ()


def _finder(
    needed: list[Callable[[str], bool]],
    excluded: list[Callable[[str], bool]],
    either: list[Callable[[str], bool]],
) -> Callable[[str], bool | None]:
    """message -> True, or None if it does not match."""
    if not needed and not excluded and either:
        return lambda message: any(test(message) for test in either) or None
    if len(needed) == 1 and not excluded:
        only = needed[0]
        return lambda message: only(message) or None

    def find(message: str) -> bool | None:
        for test in needed:
            if not test(message):
                return None
        return None if any(test(message) for test in excluded) else True

    return find


def _no_values(_: Any) -> Mapping[str, str]:
    return {}


def _read(_: Any, selector: str) -> str | None:
    raise PatternError(refused_selector(selector))
