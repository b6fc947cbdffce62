"""A space-delimited pattern, `[ip, ..., status = 4*, bytes]`, -> what it matches and extracts. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from monitors.errors import PatternError
from monitors.patterns.conditions import OPERATORS, Test, comparison, joined
from monitors.patterns.lexing import Token, tokens, unexpected
from monitors.patterns.pattern import Pattern, refused_selector

_REST = Token("word", "...")

_is_name = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*").fullmatch
_is_position = re.compile(r"\$[1-9][0-9]{0,5}").fullmatch
_fields = re.compile(r'\[([^\]]*)\]|(?P<unclosed>\[[^\]]*)|"([^"]*)"|(\S+)').finditer
_unbracketed = re.compile(r'"([^"]*)"|(\S+)').finditer


class _Field(NamedTuple):
    name: str
    """Empty for a field that is known by its position only."""
    test: Test | None


class _Layout(NamedTuple):
    """The fields from the start of the line and, if there is an ellipsis, those up to its end."""

    before: tuple[_Field, ...]
    after: tuple[_Field, ...]
    rest: bool
    """An ellipsis stands between the two: any number of fields."""

    @property
    def fixed(self) -> int:
        return len(self.before) + len(self.after)

    def placed(self) -> list[tuple[int, _Field]]:
        """(index, field), the index negative for those that are counted from the end."""
        return [*enumerate(self.before), *enumerate(self.after, -len(self.after))]


def compiled(text: str) -> Pattern:
    """The pattern of a text that begins with `[`. PatternError if AWS would refuse it."""
    found = tokens(text)
    if found[-1] != ("mark", "]"):
        raise PatternError("Invalid filter pattern: a space-delimited pattern ends in ']'")
    layout = _layout(found)
    tests = [(index, field.test) for index, field in layout.placed() if field.test]
    index_of = {f"${field.name}": index for index, field in layout.placed() if field.name}
    limit = 0 if layout.rest else layout.fixed

    def find(message: str) -> list[str] | None:
        parts = split(message, limit)
        if len(parts) < layout.fixed or not all(test(parts[index]) for index, test in tests):
            return None
        return parts

    def values(parts: Sequence[str]) -> Mapping[str, str]:
        named = {index % len(parts): name for name, index in index_of.items()}
        return {named.get(index) or f"${index + 1}": part for index, part in enumerate(parts)}

    def read(parts: Sequence[str] | None, selector: str) -> str | None:
        if selector in index_of:
            return parts[index_of[selector]] if parts else None
        if not _is_position(selector):
            raise PatternError(refused_selector(selector))
        position = int(selector[1:])
        return parts[position - 1] if parts and position <= len(parts) else None

    return Pattern(text, find, values, read)


def split(message: str, limit: int) -> list[str]:
    """The fields of a line: words, and what stands between a word's opening `[` or `"` and the next `]` or `"`.

    The field at a `limit` above 0 is all that is left of the line, as it stands if that is more than one field: so
    the service does where there is no ellipsis. A bracket or quote that nothing closes is text. That a field begins
    right behind a closing one, with no blank between (`[INFO]: x` has three), is ours.
    """
    if "[" not in message and '"' not in message:
        return message.rstrip().split(None, limit - 1)
    parts: list[str] = []
    start = 0
    unclosed = message.rfind("[") > message.rfind("]")
    for word in _words(message) if unclosed else _fields(message):
        if len(parts) == limit > 0:
            parts[-1] = message[start:].rstrip()
            break
        parts.append(word[word.lastindex or 0])
        start = word.start()
    return parts


def _words(message: str) -> Iterator[re.Match[str]]:
    """A match of each field, where a `[` may be text: from the first that nothing closes, they all are. So a `]` is
    looked for in vain only once, and time stays linear.
    """
    for word in _fields(message):
        if word.lastgroup == "unclosed":
            yield from _unbracketed(message, word.start())
        else:
            yield word


def _layout(found: Sequence[Token]) -> _Layout:
    """The fields of `[ ... ]`: `[]` takes whatever there is; nothing before a comma or the end is a field without a
    name.
    """
    commas = [at for at, token in enumerate(found) if token == ("mark", ",")]
    edges = [0, *commas, len(found) - 1]
    entries = [found[at + 1 : end] for at, end in pairwise(edges)]
    if len(found) == 2:
        entries = [(_REST,)]
    names = [entry[0].text for entry in entries if entry]
    for name in names:
        if names.count(name) > 1:
            raise PatternError(f"Duplicate field '{name}'")
    ellipses = [at for at, entry in enumerate(entries) if tuple(entry) == (_REST,)]
    at = ellipses[0] if ellipses else len(entries)
    return _Layout(tuple(map(_field, entries[:at])), tuple(map(_field, entries[at + 1 :])), bool(ellipses))


def _field(entry: Sequence[Token]) -> _Field:
    if not entry:
        return _Field("", None)
    name = entry[0].text
    if entry[0].kind != "word" or not _is_name(name):
        raise unexpected(entry, 0, "a field's name")
    return _Field(name, joined(entry, 0, len(entry), _condition) if len(entry) > 1 else None)


def _condition(entry: Sequence[Token], at: int) -> tuple[Test, int]:
    """One condition: the field's own name, operator, value. A field is text, as a JSON string is: `= 404` compares it
    as it is written (ours), `> 404` as a number.
    """
    if entry[at] != entry[0]:
        raise unexpected(entry, at, f"'{entry[0].text}'")
    if at + 1 >= len(entry) or entry[at + 1].kind != "mark" or entry[at + 1].text not in OPERATORS:
        raise unexpected(entry, at + 1, "an operator (= != > < >= <=)")
    if at + 2 >= len(entry) or entry[at + 2].kind not in ("quoted", "word", "regex"):
        raise unexpected(entry, at + 2, "a value")
    return comparison(entry[at + 1].text, entry[at + 2]), at + 3
