"""The text of a CloudWatch metric math expression -> a postfix program. Pure.

Postfix, because a sum over hundreds of metrics is as deep as it is long once it is a tree: a program runs in
a loop.
"""

import math
import re
from collections import deque
from typing import Literal, NamedTuple

from monitors.errors import InputError

LONGEST = 2048  # GetMetricData and PutMetricAlarm, MetricExpression: 1-2048 characters
DEEPEST = 50  # ours: well within Python's stack, and far beyond what a person can read

UNSUPPORTED = frozenset({
    "ANOMALY_DETECTION_BAND", "DB_PERF_INSIGHTS", "INSIGHT_RULE_METRIC", "LAMBDA", "REMOVE_EMPTY", "SEARCH",
    "SELECT", "SERVICE_QUOTA", "SLICE", "SORT",
})  # fmt: skip
"""What CloudWatch has and we have not."""

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>\d+(?:\.\d*)?|\.\d+)
  | (?P<series>[a-z][A-Za-z0-9_]*)
  | (?P<word>[A-Z][A-Z0-9_]*)
  | (?P<text>"[^"]*"|'[^']*')
  | (?P<mark>==|!=|<=|>=|&&|\|\||[-+*/^<>()\[\],])
  | (?P<end>\Z)
  | (?P<stray>.)
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
# CloudWatch documents the operators, not their precedence: this is the usual one.
_BINDS = {"OR": 1, "AND": 2} | dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 3)
_BINDS |= {"+": 4, "-": 4, "*": 5, "/": 5, "^": 7}
_BINDS_NEGATION = 6
_SPELLINGS = {"&&": "AND", "||": "OR"}


class Step(NamedTuple):
    """One step of a program: put a number, a text or a named series on the stack, or apply a name to the top
    of it.
    """

    verb: Literal["number", "text", "series", "apply"]
    value: str | float
    arity: int = 0


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


def parse(expression: str) -> tuple[Step, ...]:
    """The program, its result the one value left on the stack. InputError says at which column it went wrong."""
    if len(expression) > LONGEST:
        raise InputError(f"{len(expression)} characters are more than the {LONGEST} CloudWatch takes")
    tokens, out = _tokens(expression), list[Step]()
    _expression(tokens, out, binds=0, depth=0)
    _expect(tokens, "")
    return tuple(out)


def _tokens(expression: str) -> deque[_Token]:
    found = deque[_Token]()
    for match in _TOKEN.finditer(expression):
        kind = match.lastgroup or "stray"
        text = match[kind]
        found.append(_Token(kind, _SPELLINGS.get(text, text), match.start(kind) + 1))
        if kind == "end":
            break
    return found


def _expression(tokens: deque[_Token], out: list[Step], *, binds: int, depth: int) -> None:
    # Precedence climbing: operators of one level loop, so only nesting and `^` go deeper.
    if depth > DEEPEST:
        raise InputError(f"nested more than {DEEPEST} deep")
    _operand(tokens, out, depth=depth)
    while (level := _BINDS.get(tokens[0].text, 0)) > binds and tokens[0].kind in ("mark", "word"):
        operator = tokens.popleft().text
        _expression(tokens, out, binds=level - (operator == "^"), depth=depth + 1)
        out.append(Step("apply", operator, 2))


def _operand(tokens: deque[_Token], out: list[Step], *, depth: int) -> None:
    token = tokens.popleft()
    if token.kind == "number":
        out.append(Step("number", _number(token)))
    elif token.kind == "series":
        out.append(Step("series", token.text))
    elif token.kind == "text":
        out.append(Step("text", token.text[1:-1]))
    elif token.kind == "word" and token.text not in _BINDS:
        _word(token, tokens, out, depth=depth)
    elif token.text == "-":
        _expression(tokens, out, binds=_BINDS_NEGATION, depth=depth + 1)
        out.append(Step("apply", "-", 1))
    elif token.text == "(":
        _expression(tokens, out, binds=0, depth=depth + 1)
        _expect(tokens, ")")
    elif token.text == "[":
        out.append(Step("apply", "[]", _list(tokens, out, closing="]", depth=depth)))
    else:
        raise _unexpected(token)


def _word(token: _Token, tokens: deque[_Token], out: list[Step], *, depth: int) -> None:
    if token.text in UNSUPPORTED:
        raise InputError(f"{token.text} is not supported")
    if tokens[0].text != "(":
        out.append(Step("text", token.text))
        return
    tokens.popleft()
    out.append(Step("apply", token.text, _list(tokens, out, closing=")", depth=depth)))


def _list(tokens: deque[_Token], out: list[Step], *, closing: str, depth: int) -> int:
    if tokens[0].text == closing:
        tokens.popleft()
        return 0
    count = 1
    _expression(tokens, out, binds=0, depth=depth + 1)
    while tokens[0].text == ",":
        tokens.popleft()
        _expression(tokens, out, binds=0, depth=depth + 1)
        count += 1
    _expect(tokens, closing)
    return count


def _number(token: _Token) -> float:
    value = float(token.text)
    if not math.isfinite(value):
        raise InputError(f"column {token.column}: a number too large")
    return value


def _expect(tokens: deque[_Token], text: str) -> None:
    token = tokens.popleft()
    if token.text != text:
        raise _unexpected(token)


def _unexpected(token: _Token) -> InputError:
    said = f"{token.text!r} is out of place" if token.text else "something is missing"
    return InputError(f"column {token.column}: {said}")
