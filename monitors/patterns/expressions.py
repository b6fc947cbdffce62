r"""The text between the signs of a `%regex%` -> the alternatives it stands for. Pure.

The language is that of the user guide, "Supported regular expressions (regex) syntax": no groups, so an
expression is alternatives of single characters, each repeated so often, at an end of the text or anywhere.
What the guide does not have (other escapes, possessive repetition, `{` that begins no repetition) is refused.
"""

import re

from monitors.errors import PatternError
from monitors.patterns.automaton import LOW, Alternative, Atom, Chars

LONGEST = 2_000  # ours: characters of an expression with its repetitions written out

ALL = frozenset(LOW)
_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_CLASSES = {
    "d": Chars(frozenset("0123456789"), others=False),
    "s": Chars(frozenset(" \t\n\r\f\v"), others=False),
    "w": Chars(_WORD, others=False),
}

_alphabet = re.compile(r"[A-Za-z0-9 :_#=@/;,^$?\[\]{}|\\*+.-]*").match
_CHAR = r"\\x[0-9A-Fa-f]{2}|\\[^x]"
_piece = re.compile(
    rf"""(?P<mark>[\^$|])
      | (?:\[(?P<inverse>\^?)(?P<members>\]?(?:[^\]\\]|\\.)*)\] | (?P<char>{_CHAR}|[^\\\[{{*+?]))
        (?:(?P<times>[*+?]|\{{[0-9]+(?:,[0-9]*)?\}}|\{{,[0-9]+\}})\??)?
    """,
    re.VERBOSE,
).match
_member = re.compile(rf"({_CHAR}|[^\\])(?:-({_CHAR}|[^\\]))?").match


def alternatives(text: str) -> list[Alternative]:
    """Whatever of the expression can match at all. PatternError, in AWS's words, on one that it would not compile."""
    known = _alphabet(text)
    if known and known.end() < len(text):
        raise PatternError(f"Invalid character(s) in term '%{text[: known.end() + 1]}'")
    rows = _rows(text)
    atoms = [piece for row in rows for piece in row if isinstance(piece, Atom)]
    if not text or sum(atom.least + 1 if atom.most is None else atom.most for atom in atoms) > LONGEST:
        raise _uncompiled()
    return [found for found in map(_alternative, rows) if found is not None]


def _uncompiled() -> PatternError:
    return PatternError("Failed to compile regular expression.")


def _rows(text: str) -> list[list[Atom | str]]:
    """The alternatives as they are written, each a row of atoms and anchors."""
    rows: list[list[Atom | str]] = [[]]
    at = 0
    while at < len(text):
        piece = _piece(text, at)
        if piece is None:
            raise _uncompiled()
        if piece["mark"] == "|":
            rows.append([])
        elif piece["mark"]:
            rows[-1].append(piece["mark"])
        else:
            chars = _char(piece["char"]) if piece["char"] else _class(piece["members"], piece["inverse"])
            rows[-1].append(Atom(chars, *_times(piece["times"])))
        at = piece.end()
    return rows


def _alternative(row: list[Atom | str]) -> Alternative | None:
    """A row without its anchors; None if it can match nothing, such as `a^b`.

    What stands before a `^` or behind a `$` must be nothing. Where there is no anchor, nothing limits the search, and
    what may be repeated there need not be: `.*ab+` is found where `ab` is.
    """
    starts = [at for at, piece in enumerate(row) if piece == "^"]
    ends = [at for at, piece in enumerate(row) if piece == "$"]
    first, last = starts[-1] if starts else -1, ends[0] if ends else len(row)
    outside = [*row[: first + 1], *row[last:]]
    if any(isinstance(piece, Atom) and piece.least for piece in outside):
        return None
    atoms = [piece for piece in row[first + 1 : last] if isinstance(piece, Atom)]
    if not starts:
        _loosen(atoms, 0)
    if not ends:
        _loosen(atoms, -1)
    return Alternative(tuple(atoms), bool(starts), bool(ends))


def _loosen(atoms: list[Atom], end: int) -> None:
    while atoms and not atoms[end].least:
        del atoms[end]
    if atoms:
        atoms[end] = atoms[end]._replace(most=atoms[end].least)


def _times(text: str | None) -> tuple[int, int | None]:
    if text is None:
        return 1, 1
    if text in "*+?":
        return int(text == "+"), 1 if text == "?" else None
    least, comma, most = text[1:-1].partition(",")
    low, high = int(least or 0), int(most) if most else None if comma else int(least)
    if high is not None and low > high:
        raise _uncompiled()
    return low, high


def _class(members: str, inverse: str) -> Chars:
    """A class `[...]`, in which a dot is a dot, and a hyphen at either end a hyphen."""
    low: frozenset[str] = frozenset()
    others, at = False, 0
    while at < len(members):
        member = _member(members, at)
        if member is None:
            raise _uncompiled()
        first, last = member.groups()
        chars = _escape(first) if last is None else _range(_escape(first), _escape(last))
        low, others, at = low | chars.low, others or chars.others, member.end()
    if not members:
        raise _uncompiled()
    return Chars(ALL - low, not others) if inverse else Chars(low, others)


def _range(first: Chars, last: Chars) -> Chars:
    if len(first.low) > 1 or len(last.low) > 1 or min(first.low) > min(last.low):
        raise _uncompiled()
    return Chars(frozenset(map(chr, range(ord(min(first.low)), ord(min(last.low)) + 1))), others=False)


def _char(text: str) -> Chars:
    return Chars(ALL - {"\n"}, others=True) if text == "." else _escape(text)


def _escape(text: str) -> Chars:
    r"""A character by itself, by `\xhh`, or escaped; or one of the classes `\d \D \s \S \w \W`."""
    escaped = text[1:]
    if escaped.lower() in _CLASSES:
        chars = _CLASSES[escaped.lower()]
        return chars if escaped.islower() else Chars(ALL - chars.low, others=True)
    if len(escaped) > 1:
        return Chars(frozenset(chr(int(escaped[1:], 16))), others=False)
    if escaped.isalnum():
        raise _uncompiled()
    return Chars(frozenset(escaped or text), others=False)
