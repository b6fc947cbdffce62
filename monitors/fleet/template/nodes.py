"""Resolved properties of a template, read without ever failing on a shape that nobody expected. Pure.

What has another shape than AWS documents reads as empty and is noted, with the place where it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from monitors.fleet.template.intrinsics import known, shown

LONGEST = 300
"""Characters of a note; what people put into templates has no bound."""

Json = Any
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Something odd at a place in a template."""

    path: Path
    words: str
    missing: bool = False
    """It keeps something from being seen that may well be there."""


class Node(NamedTuple):
    """A value, where it stands, and what was noted of it and what is below it."""

    value: Json
    path: Path
    notes: list[Note]

    def get(self, key: str) -> Json:
        value = self.value
        return value.get(key) if isinstance(value, dict) else None

    def text(self, key: str) -> str:
        """The member as text; empty if it is not there."""
        value = self.get(key)
        if value is None or isinstance(value, str):
            return value or ""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int | float):
            return str(value)
        self.note(key, "text was expected")
        return ""

    def whole(self, key: str) -> int | None:
        """The member as a whole number; None if it is not there, or known only when deployed."""
        text = self.text(key)
        return int(text) if text.isdecimal() else None

    def open(self, key: str) -> str:
        """The member's text if only a deployment decides it, else empty."""
        value = self.get(key)
        return "" if known(value) else str(value)

    def true(self, key: str) -> bool:
        return self.text(key).lower() == "true"

    def group(self, key: str) -> "Node":
        """The member as an object; an empty one if it is none."""
        value = self.get(key)
        if not isinstance(value, dict):
            if value is not None:
                self.note(key, "an object was expected")
            value = {}
        return Node(value, (*self.path, key), self.notes)

    def texts_of(self, key: str, *names: str) -> dict[str, str]:
        """Of the member, an object, the texts that it has under these names."""
        if self.get(key) is None:
            return {}
        group = self.group(key)
        return {name: text for name in names if (text := group.text(name))}

    def many(self, key: str) -> Sequence["Node"]:
        """The member's items; none if it is no list."""
        value = self.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.note(key, "a list was expected")
            return []
        return [Node(item, (*self.path, key, number), self.notes) for number, item in enumerate(value)]

    def texts(self, key: str) -> list[str]:
        """The member's items that are text."""
        return [item.value for item in self.many(key) if isinstance(item.value, str)]

    def note(self, key: str, expected: str) -> None:
        """What stands there cannot be read."""
        value = self.get(key)
        words = f"{expected}, found {value!r}" if known(value) else f"only a deployment decides it: {shown(value)}"
        self.notes.append(Note((*self.path, key), f"{key} is not seen: {words}"[:LONGEST], missing=known(value)))
