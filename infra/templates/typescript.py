"""TypeScript's or JavaScript's text -> its tokens, and which brackets belong together. Pure.

Not a parser: it knows strings, templates, comments, regular expressions and brackets, which is what finding a property
of an object takes. A regular expression is told from a division by what stands before it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_LEXEME = re.compile(
    r"""
    (?P<blank>\s+ | \A\ufeff?\#![^\n]* | \ufeff | //[^\n]* | /\*.*?\*/)
    | (?P<string>"(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
    | (?P<word>[\w$]+)
    | (?P<mark>\.\.\.|.)
    """,
    re.DOTALL | re.VERBOSE,
)
_REGEX = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/\w*")
_BEFORE_REGEX = {"return", "typeof", "case", "in", "of", "do", "else", "void", "delete", "throw", "await", "yield"}
_CLOSERS = {"(": ")", "[": "]", "{": "}"}


class Token(NamedTuple):
    kind: str
    start: int
    end: int
    said: str
    """A word or mark itself, what a string says, a template with `${}` for its variables."""


class UnclosedError(Exception):
    """A string, template or bracket that begins here is not closed."""


def tokens(text: str, at: int = 0) -> Iterator[Token]:
    """The tokens from a place on, comments left out; UnclosedError where a string, template or comment does not end."""
    last: Token | None = None
    while found := _LEXEME.match(text, at):
        kind, said, end = str(found.lastgroup), found[0], found.end()
        if kind == "mark" and (said in ("'", '"') or text.startswith("/*", at)):
            raise UnclosedError(at)
        if said == "`":
            kind, (said, end) = "string", _template(text, at)
        elif said == "/" and _regex_may_begin(last) and (regex := _REGEX.match(text, at)):
            kind, said, end = "regex", regex[0], regex.end()
        if kind != "blank":
            last = Token(kind, at, end, said[1:-1] if kind == "string" and text[at] != "`" else said)
            yield last
        at = end


def _regex_may_begin(last: Token | None) -> bool:
    if last is None or last.kind == "word":
        return last is None or last.said in _BEFORE_REGEX
    return last.kind == "mark" and last.said not in (")", "]", "}")


def _template(text: str, start: int) -> tuple[str, int]:
    """What a template says, and where it ends."""
    said: list[str] = []
    at = start + 1
    while at < len(text):
        if text[at] == "`":
            return "".join(said), at + 1
        if text.startswith("${", at):
            said.append("${}")
            at = _variable_end(text, at + 2, start)
        else:
            step = 2 if text[at] == "\\" else 1
            said.append(text[at : at + step])
            at += step
    raise UnclosedError(start)


def _variable_end(text: str, at: int, template: int) -> int:
    depth = 1
    for token in tokens(text, at):
        if token.kind == "mark":
            depth += {"{": 1, "}": -1}.get(token.said, 0)
        if not depth:
            return token.end
    raise UnclosedError(template)


def closers(found: Sequence[Token]) -> dict[int, int]:
    """By the number of an opening bracket's token, that of the closing one; UnclosedError where there is none."""
    pairs: dict[int, int] = {}
    open_: list[int] = []
    for number, token in enumerate(found):
        if token.kind == "mark" and token.said in _CLOSERS:
            open_.append(number)
        elif token.kind == "mark" and token.said in _CLOSERS.values():
            if not open_ or _CLOSERS[found[open_[-1]].said] != token.said:
                raise UnclosedError(found[open_[-1]].start if open_ else token.start)
            pairs[open_.pop()] = number
    if open_:
        raise UnclosedError(found[open_[-1]].start)
    return pairs
