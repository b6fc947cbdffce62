"""Log lines and users' metric definitions -> samples, as CloudWatch Logs' own metric filters would make them. Pure.

Rules: MetricTransformation, in the API reference of PutMetricFilter. A line without the value or a dimension gives no
sample; a default is given for a minute in which there were lines and none matched.
"""

import json
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from fnmatch import translate
from typing import Any, NamedTuple

from monitors import patterns
from monitors.errors import InputError
from monitors.logmetrics import OTHER, Dimensions, Lines
from monitors.names import CUSTOM_METRICS
from monitors.patterns.conditions import number
from monitors.quotas import METRIC_UNITS
from monitors.records import Table, numeral

DIMENSION_SETS = 100
"""Distinct dimension sets a definition may make in one container of the subscriber: each is a metric on the bill."""
DIMENSION_CHARACTERS = 1024  # PutMetricData, Dimension, Value

Known = Mapping[str, frozenset[Dimensions]]
"""Definition's name -> the dimension sets it has made so far."""


class Definition(NamedTuple):
    """A user's metric, ready to run; the fields are those of model.MetricDefinition."""

    name: str
    pattern: patterns.Pattern
    value: str | float
    """A selector or a number."""
    unit: str
    default: float | None
    dimensions: Dimensions
    """(name, selector) pairs."""
    log_groups: re.Pattern[str]


class Definitions(NamedTuple):
    """The definitions that can run, and what is wrong with the others, in words."""

    sound: tuple[Definition, ...]
    mistakes: tuple[str, ...]


class Reading(NamedTuple):
    """What definitions made of some lines."""

    table: Table
    told: set[int]
    """Positions of the lines that gave a sample."""
    known: Known
    overflowed: int
    """Samples whose dimensions were one set too many."""


class _Hit(NamedTuple):
    definition: Definition
    position: int
    value: float | None
    dimensions: Dimensions | None
    """None, like the value, where the line lacks it."""


def definitions(text: str) -> Definitions:
    """The definitions in a JSON list of objects with the fields of model.MetricDefinition."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Definitions((), (f"not JSON: {error}",))
    if not isinstance(rows, list):
        return Definitions((), ("not a list of definitions",))
    sound, mistakes = [], []
    for place, row in enumerate(rows, start=1):
        try:
            sound.append(_definition(row))
        except (InputError, TypeError, ValueError) as error:
            name = row.get("name") if isinstance(row, dict) else row
            mistakes.append(f"definition {place} ({name}): {error}")
    return Definitions(tuple(sound), tuple(mistakes))


def _definition(row: Any) -> Definition:
    """InputError, TypeError or ValueError say what is wrong with it."""
    if not isinstance(row, dict):
        raise InputError("not an object")
    texts = {"value": "1", "unit": "Count", "log_groups": "/aws/lambda/*", **row}
    for key in ("name", "pattern", "value", "unit", "log_groups"):
        if not isinstance(texts.get(key), str):
            raise InputError(f"{key} is not a text")
    if texts["unit"] not in METRIC_UNITS:
        raise InputError(f"no such unit: {texts['unit']}")
    pattern = patterns.compile(texts["pattern"])
    constant, default = number(texts["value"]), row.get("default")
    dimensions = dict(row.get("dimensions") or ())
    for selector in (*([texts["value"]] if constant is None else ()), *dimensions.values()):
        pattern.read(None, selector)
    if dimensions and default is not None:
        raise InputError("CloudWatch takes a default or dimensions, not both")
    return Definition(
        name=texts["name"],
        pattern=pattern,
        value=texts["value"] if constant is None else constant,
        unit=texts["unit"],
        default=None if default is None else float(default),
        dimensions=tuple(dimensions.items()),
        log_groups=re.compile(translate(texts["log_groups"])),
    )


def read(lines: Lines, defined: Iterable[Definition], *, known: Known) -> Reading:
    """The samples of the definitions that are about these lines' log group."""
    due = [one for one in defined if one.log_groups.match(lines.log_group)]
    made: dict[str, set[Dimensions]] = {}
    table: Table = {}
    hits = _all_hits(due, lines)
    told: set[int] = set()
    overflowed = 0
    for definition, position, value, dimensions in hits:
        if value is None or dimensions is None:
            continue
        if dimensions:
            sets = made.setdefault(definition.name, set(known.get(definition.name, ())))
            if not _has_room(dimensions, sets):
                dimensions = tuple((name, OTHER) for name, _ in dimensions)
                overflowed += 1
        _put(table, definition, (*dimensions, *lines.of_account), lines.minute_ms, value)
        told.add(position)
    _put_defaults(table, due, {hit.definition.name for hit in hits}, lines)
    if made:
        known = {**known, **{name: frozenset(sets) for name, sets in made.items()}}
    return Reading(table, told, known, overflowed)


def _put_defaults(table: Table, due: Iterable[Definition], matched: Container[str], lines: Lines) -> None:
    for one in due:
        if one.default is not None and one.name not in matched:
            _put(table, one, lines.of_account, lines.minute_ms, one.default)


def _put(table: Table, one: Definition, dimensions: Dimensions, minute_ms: int, value: float) -> None:
    columns = table.setdefault((CUSTOM_METRICS, dimensions, minute_ms), {})
    columns.setdefault((one.name, one.unit), []).append(numeral(value))


def _has_room(dimensions: Dimensions, made: set[Dimensions]) -> bool:
    """Whether these are known or can still be; if so, they are from now on."""
    if dimensions not in made:
        if len(made) >= DIMENSION_SETS or any(len(value) > DIMENSION_CHARACTERS for _, value in dimensions):
            return False
        made.add(dimensions)
    return True


def _all_hits(due: Iterable[Definition], lines: Lines) -> list[_Hit]:
    """Each pattern is tried only on the lines that can match. Those for JSON share a line's decoding, and so are tried
    on it one after the other.
    """
    due = [one for one in due if one.pattern.may(lines.joined)]
    for_json = [one for one in due if one.pattern.source.startswith("{")]
    tried = [(position, one) for one in due if one not in for_json for position in _possible(one, lines)]
    if for_json:
        objects = [position for position, message in enumerate(lines.messages) if message[:1] in "{ \t\r\n"]
        tried += [(position, one) for position in objects for one in for_json]
    messages = lines.messages
    return [
        _hit(one, position, found)
        for position, one in tried
        if (found := one.pattern.find(messages[position])) is not None
    ]


def _possible(definition: Definition, lines: Lines) -> Sequence[int]:
    """The positions of messages that the pattern's hints do not rule out."""
    match definition.pattern.hints:
        case ():
            return range(len(lines.messages))
        case (hint,):
            return [position for position, message in enumerate(lines.messages) if hint in message]
        case hints:
            messages = enumerate(lines.messages)
            return [position for position, message in messages if any(hint in message for hint in hints)]


def _hit(definition: Definition, position: int, found: Any) -> _Hit:
    """What the definition reads in a line that its pattern found."""
    read = definition.pattern.read
    value = definition.value if isinstance(definition.value, float) else number(read(found, definition.value) or "")
    texts = [(name, read(found, selector)) for name, selector in definition.dimensions]
    dimensions = tuple((name, text) for name, text in texts if text)
    return _Hit(definition, position, value, dimensions if len(dimensions) == len(texts) else None)
