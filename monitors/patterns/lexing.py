"""The text of a JSON or space-delimited pattern -> its tokens. Pure."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from monitors.errors import PatternError

MOST_REGEXES = 2

BLANK = " \t\n\r\f\v"
QUOTED = r'"((?:[^"\\]|\\.)*)"'
REGEX = r"%([^%]*)%"
STEP = r"""\.[A-Za-z0-9_-]+|\.\*|\.?\[(?:[0-9]+|\*|'[^']*'|"[^"]*")\]"""
"""One step of a JSON selector: `.name`, `.*`, `[0]`, `[*]`, `['any key']`, `.["any key"]`."""

_TOKEN = re.compile(
    rf"""\s*(?:
    (?P<selector>\$(?:{STEP})+)
  | (?P<quoted>{QUOTED})
  | (?P<regex>{REGEX})
  | (?P<mark>&&|\|\||[<>!]=|[=<>(){{}}\[\],])
  | (?P<word>\+?[A-Za-z0-9_.*-]+(?:(?<=[eE])\+[0-9]+)?)
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


class Token(NamedTuple):
    kind: str
    """selector, quoted, regex, mark or word."""
    text: str
    """Without quotes, percent signs and escapes."""


def tokens(text: str) -> tuple[Token, ...]:
    """All tokens of a pattern without blanks at its end. PatternError names the characters that make none."""
    found, at = [], 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or token.lastgroup is None:
            raise PatternError(unreadable(text, at))
        found.append(Token(token.lastgroup, _bare(token.lastgroup, token[token.lastgroup])))
        at = token.end()
    limit_regexes(sum(token.kind == "regex" for token in found))
    return tuple(found)


def limit_regexes(count: int) -> None:
    """PatternError if a pattern has more regular expressions than AWS allows."""
    if count > MOST_REGEXES:
        raise PatternError(
            f"Your input has exceeded the maximum of {MOST_REGEXES} regular expressions per filter pattern."
        )


def unquoted(text: str) -> str:
    r"""What stands between the quotes: `\"` is a quote and `\\` a backslash, as CDK's FilterPattern writes them."""
    return re.sub(r'\\(["\\])', r"\1", text)


def unreadable(text: str, at: int) -> str:
    """AWS's words for characters that make no token: from the token's start to the first that does not fit."""
    rest = text[at:].lstrip(BLANK)
    if rest[0] in '"%':
        return f"Invalid character(s) in term '{rest}': there is no closing {rest[0]}"
    stray = re.match(r"\$\.?.|.", rest, re.DOTALL)
    return f"Invalid character(s) in term '{stray[0] if stray else rest}'"


def unexpected(found: Sequence[Token], at: int, wanted: str) -> PatternError:
    """The error of a token in the wrong place, or of a pattern that ends too early."""
    there = f"'{found[at].text}'" if at < len(found) else "the end"
    return PatternError(f"Invalid filter pattern: {wanted} expected, not {there}")


def _bare(kind: str, text: str) -> str:
    if kind == "quoted":
        return unquoted(text[1:-1])
    return text[1:-1] if kind == "regex" else text
