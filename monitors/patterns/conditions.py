"""Operator and value -> a test of one text; tests joined by && and || -> one test. Pure."""

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from monitors.errors import PatternError
from monitors.patterns import regex
from monitors.patterns.lexing import Token, unexpected

Test = Callable[[Any], bool]

ORDERS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
OPERATORS = frozenset({"=", "!=", *ORDERS})

_BINDS = {"&&": 2, "||": 1, "(": 0}
_INFINITY = float("inf")
_number = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?").fullmatch


class Number(str):
    """A JSON number as it was written: the language compares it both as a number and as text."""

    __slots__ = ()


def number(text: str) -> float | None:
    """The number a text is: decimal or scientific, signed or not, within a double; None if it is none."""
    value = float(text) if _number(text) else _INFINITY
    return value if abs(value) < _INFINITY else None


def comparison(sign: str, value: Token) -> Test:
    """The test `<text> <sign> <value>`. PatternError where AWS would not compare these.

    An unquoted number equals a Number of the same value, but any other text only as it is written; `> < >= <=`
    need a number on both sides. A quoted number, a word and a regular expression look at the text alone.
    """
    if sign in ORDERS:
        return _order(ORDERS[sign], value)
    equal = _equal(value)
    return equal if sign == "=" else lambda text: not equal(text)


def joined(
    found: Sequence[Token], at: int, end: int, condition: Callable[[Sequence[Token], int], tuple[Test, int]]
) -> Test:
    """The one test that the tokens from `at` up to `end` make: `()` binds more than `&&`, that more than `||`.

    `condition` reads one condition and says where the next token is. Operators wait on a stack, since a pattern
    has room for more parentheses than Python's own has.
    """
    tests: list[Test] = []
    waiting: list[str] = []
    wanted = True
    while at < end:
        mark = found[at].text if found[at].kind == "mark" else ""
        if wanted and mark != "(":
            test, at = condition(found, at)
            tests.append(test)
            wanted = False
            continue
        if wanted:
            waiting.append(mark)
        elif mark == ")":
            _settle(tests, waiting, 1)
            if not waiting:
                raise unexpected(found, at, "'&&' or '||'")
            waiting.pop()
        elif mark in ("&&", "||"):
            _settle(tests, waiting, _BINDS[mark])
            waiting.append(mark)
            wanted = True
        else:
            raise unexpected(found, at, "'&&' or '||'")
        at += 1
    if wanted:
        raise unexpected(found, end, "a condition")
    _settle(tests, waiting, 1)
    if waiting:
        raise unexpected(found, end, "')'")
    return tests[0]


def _settle(tests: list[Test], waiting: list[str], binds: int) -> None:
    """Join the last tests while the operator between them binds at least so much."""
    while waiting and _BINDS[waiting[-1]] >= binds:
        right, left = tests.pop(), tests.pop()
        tests.append(_both(left, right) if waiting.pop() == "&&" else _either(left, right))


def _both(left: Test, right: Test) -> Test:
    return lambda subject: left(subject) and right(subject)


def _either(left: Test, right: Test) -> Test:
    return lambda subject: left(subject) or right(subject)


def _order(order: Callable[[float, float], bool], value: Token) -> Test:
    limit = number(value.text) if value.kind == "word" else None
    if limit is None:
        raise PatternError(f"Invalid filter pattern: > < >= <= compare with a number, not with '{value.text}'")

    def test(text: str) -> bool:
        found = number(text)
        return found is not None and order(found, limit)

    return test


def _equal(value: Token) -> Test:
    if value.kind == "regex":
        return regex.compiled(value.text)
    if value.kind == "word":
        literal, wanted = value.text, number(value.text)
        if wanted is not None:
            return lambda text: text == literal or (type(text) is Number and number(text) == wanted)
    return _like(value.text)


def _like(glob: str) -> Test:
    """`*` stands for any text at either end; between other characters it is itself, as AWS's guide of 2018 had it."""
    core = glob.strip("*")
    if glob.startswith("*"):
        return (lambda text: core in text) if glob.endswith("*") else (lambda text: text.endswith(core))
    return (lambda text: text.startswith(core)) if glob.endswith("*") else (lambda text: text == core)
