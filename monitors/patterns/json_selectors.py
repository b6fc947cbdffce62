"""A JSON pattern, `{ $.latency > 50 && $.path = "/api*" }`, -> what it matches and reads. Pure.

What the user guide leaves open follows the answers that the service has been seen to give.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from monitors.errors import PatternError
from monitors.patterns.conditions import OPERATORS, ORDERS, Number, Test, comparison, joined, number
from monitors.patterns.lexing import STEP, Token, tokens, unexpected
from monitors.patterns.pattern import Pattern, refused_selector

MOST_WILDCARDS = 3  # selectors with a wildcard in a pattern; a selector has at most one

_MISSING = object()
_steps = re.compile(STEP).findall
_is_selector = re.compile(rf"\$(?:{STEP})+").fullmatch


class _Path(NamedTuple):
    """A selector's steps: keys of objects and indices of arrays."""

    steps: tuple[str | int, ...]
    each: tuple[str | int, ...] | None
    """The steps after the wildcard; None without one."""


def compiled(text: str) -> Pattern:
    """The pattern of a text that begins with `{`. PatternError if AWS would refuse it."""
    found = tokens(text)
    if found[-1] != ("mark", "}"):
        raise PatternError("Invalid filter pattern: a JSON pattern ends in '}'")
    paths = [_path(token.text) for token in found if token.kind == "selector"]
    if sum(path.each is not None for path in paths) > MOST_WILDCARDS:
        raise PatternError(f"Invalid filter pattern: more than {MOST_WILDCARDS} wildcard selectors")
    test, screen = joined(found, 1, len(found) - 1, _condition), _screen(found)

    def find(message: str) -> Mapping[str, Any] | None:
        if screen and not screen(message):
            return None
        root = document(message)
        return root if root is not None and test(root) else None

    return Pattern(text, find, _no_values, _read, _hints(found))


def _screen(found: Sequence[Token]) -> Callable[[str], bool] | None:
    """Whether a number stands in a line that must for a match, seen without decoding; None if none must."""
    if any(token == ("mark", "||") for token in found):
        return None
    for at, token in enumerate(found):
        key = _last_key(token.text) if token.kind == "selector" else ""
        if key and found[at + 1].kind == "mark" and found[at + 1].text in ORDERS:
            return _numeral_screen(key, ORDERS[found[at + 1].text], float(found[at + 2].text))
    return None


def _numeral_screen(key: str, order: Callable[[float, float], bool], limit: float) -> Callable[[str], bool]:
    r"""Whether a number behind the key is within the limit. JSON may have written the key with `\u`."""
    numerals = re.compile(rf'"{key}"\s*:\s*(-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)').findall

    def may(message: str) -> bool:
        for numeral in numerals(message):
            if order(float(numeral), limit):
                return True
        return r"\u" in message

    return may


def _last_key(selector: str) -> str:
    """The key that the selected value stands behind in the text; "" where that is not plain to see."""
    step = _steps(selector)[-1]
    key = step.removeprefix(".")
    return key if step != key and _is_plain(key) else ""


def _hints(found: Sequence[Token]) -> tuple[str, ...]:
    r"""Of each condition a text that a line must have for it to hold; the longest will do where all must.

    JSON may write any character as `\u0041`, so that a line with `\u` in it may match all the same.
    """
    texts = [_hint(*found[at : at + 3]) for at, token in enumerate(found) if token.kind == "selector"]
    if any(token == ("mark", "||") for token in found):
        return (*texts, r"\u") if all(texts) else ()
    longest = max(texts, key=len)
    return (longest, r"\u") if longest else ()


def _hint(selector: Token, sign: Token, value: Token) -> str:
    """A text that the line must have: what a string is to equal, or a key on the way; empty if none need be there."""
    if (sign, value) == (_NOT, Token("word", "EXISTS")):
        return ""
    if sign == ("mark", "=") and value.kind != "regex" and number(value.text) is None and _is_plain(value.text):
        return value.text
    keys = [step.removeprefix(".") for step in _steps(selector.text)]
    return max(filter(_is_plain, keys), key=len, default="")


_is_plain = re.compile(r"[A-Za-z0-9_-]{2,}", re.ASCII).fullmatch


@lru_cache(maxsize=1)
def document(message: str) -> dict[str, Any] | None:
    """The JSON object that a message is, its numbers as they were written; None if it is anything else, or nested
    deeper than can be read. Of a key given twice the last counts.

    The last answer is kept: every JSON pattern of a log group asks about the same line, one after the other.
    """
    if not message.lstrip(" \t\r\n").startswith("{"):
        return None
    try:
        root: dict[str, Any] = _decode(message)
    except (ValueError, RecursionError):
        return None
    return root


def _not_json(name: str) -> Any:
    raise ValueError(name)


_decode = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_not_json).decode


def _no_values(_: Any) -> Mapping[str, str]:
    return {}


def _read(root: Any, selector: str) -> str | None:
    path = _extractor(selector)
    node = _follow(root, path.steps)
    return str(node) if isinstance(node, str) else None


@lru_cache(maxsize=256)
def _extractor(selector: str) -> _Path:
    path = _path(selector) if _is_selector(selector) else None
    if path is None or path.each is not None:
        raise PatternError(refused_selector(selector))
    return path


def _path(selector: str) -> _Path:
    steps = [step.removeprefix(".") for step in _steps(selector)]
    wild = [index for index, step in enumerate(steps) if step in ("*", "[*]")]
    if len(wild) > 1:
        raise PatternError(f"Invalid filter pattern: more than one wildcard in '{selector}'")
    at = wild[0] if wild else len(steps)
    return _Path(tuple(map(_step, steps[:at])), tuple(map(_step, steps[at + 1 :])) if wild else None)


def _step(text: str) -> str | int:
    if not text.startswith("["):
        return text
    inner = text[1:-1]
    return int(inner) if inner.isdigit() else inner[1:-1]


def _follow(node: Any, steps: Sequence[str | int]) -> Any:
    """The node at the end of the steps; _MISSING if one of them leads nowhere."""
    for step in steps:
        if not isinstance(node, dict if isinstance(step, str) else list):
            return _MISSING
        try:
            node = node[step]  # type: ignore[index]  # a key for an object, an index for an array: seen to above
        except LookupError:
            return _MISSING
    return node


def _condition(found: Sequence[Token], at: int) -> tuple[Test, int]:
    """One condition: selector, operator, value. `= null` is refused, and so are EXISTS and IS NOT."""
    if found[at].kind != "selector":
        raise unexpected(found, at, "a selector such as $.field")
    path = _path(found[at].text)
    sign, value = found[at + 1], found[min(at + 2, len(found) - 1)]
    state = _STATES.get((sign, value))
    if state is not None:
        return _somewhere(path, state), at + 3
    if sign.kind != "mark" or sign.text not in OPERATORS:
        raise unexpected(found, at + 1, "an operator (= != > < >= <= IS NULL, IS TRUE, IS FALSE, NOT EXISTS)")
    if value.kind not in ("quoted", "word", "regex") or value == ("word", "null"):
        raise unexpected(found, at + 2, "a value (for null, IS NULL)")
    return _somewhere(path, _scalar(sign.text, comparison(sign.text, value))), at + 3


def _is_null(node: Any) -> bool:
    """The service finds the null in an array too, though `=` finds nothing there."""
    return node is None or (isinstance(node, list) and None in node)


_IS, _NOT = Token("word", "IS"), Token("word", "NOT")
_STATES: Mapping[tuple[Token, Token], Test] = {
    (_IS, Token("word", "NULL")): _is_null,
    (_IS, Token("word", "TRUE")): lambda node: node is True,
    (_IS, Token("word", "FALSE")): lambda node: node is False,
    (_NOT, Token("word", "EXISTS")): lambda node: node is _MISSING,
}


def _scalar(sign: str, test: Test) -> Test:
    """Only strings and numbers compare, with `!=` as well: never null, booleans, arrays, objects, or what is missing.

    `> < >= <=` look at numbers only: a string never matches, though it may read as a number.
    """
    comparable = Number if sign in ORDERS else str
    return lambda node: isinstance(node, comparable) and test(node)


def _somewhere(path: _Path, test: Test) -> Test:
    """The test of a whole document. A wildcard needs one element that passes; of two conditions on the same array
    each may find its own. `[*]` and `.*` both go through an array's elements or an object's values. Where there are
    none, the steps lead nowhere; that NOT EXISTS too needs just one element is our reading, seen nowhere.
    """
    steps, each = path
    if each is None:
        return lambda root: test(_follow(root, steps))

    def any_passes(root: Any) -> bool:
        inside = _follow(root, steps)
        nodes = inside.values() if isinstance(inside, dict) else inside if isinstance(inside, list) else ()
        return any(test(_follow(node, each)) for node in nodes or (_MISSING,))

    return any_passes
