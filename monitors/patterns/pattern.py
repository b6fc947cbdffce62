"""What a compiled pattern is: how it matches a message, and how values are read out of one that matches."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from monitors.patterns.conditions import number


class Match(NamedTuple):
    """A message matched. `values` is TestMetricFilter's extractedValues: `$name`, `$1`, ... -> text; empty unless
    the pattern is space-delimited.
    """

    values: Mapping[str, str]


class Pattern(NamedTuple):
    """A compiled filter pattern. The three functions are what the kinds of pattern differ in."""

    source: str
    """The pattern's text, without blanks at its ends."""
    find: Callable[[str], Any]
    """message -> what `values` and `read` look into; None if it does not match."""
    values: Callable[[Any], Mapping[str, str]]
    read: Callable[[Any, str], str | None]
    """(found, or None to check the selector only; selector) -> text. PatternError on a selector AWS would refuse."""
    hints: tuple[str, ...] = ()
    """A message with none of these in it does not match; empty if any may."""

    def may(self, text: str) -> bool:
        r"""Whether any of the messages that a text holds, one after the other, may match, at the least cost.

        A \0 of their own may have been replaced in it.
        """
        return not self.hints or any("\0" in hint or hint in text for hint in self.hints)

    def match(self, message: str) -> Match | None:
        """The match, None if there is none. Never raises; linear in the message, whatever the pattern."""
        found = self.find(message) if self.may(message) else None
        return None if found is None else Match(self.values(found))

    def text(self, message: str, selector: str) -> str | None:
        """What `$.field`, `$name` or `$1` selects, as a dimension's value; None if the message does not match, or
        what is selected is missing, or is neither a string nor a number.

        PatternError, whatever the message, on a selector that AWS would refuse with this pattern.
        """
        return self.read(self.find(message), selector)

    def value(self, message: str, selector: str) -> float | None:
        """The metric value of a matching message: what the selector selects, if that is a number or the text of
        one, or the selector itself if it is a number. None means no sample. Raises as `text` does.
        """
        constant = number(selector)
        if constant is not None:
            return None if self.find(message) is None else constant
        text = self.text(message, selector)
        return None if text is None else number(text)


def refused_selector(selector: str) -> str:
    """AWS's own words for a metric value that the pattern cannot give."""
    return f"Invalid metric transformation: metric value {selector} must be a valid number"
