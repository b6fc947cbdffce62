"""Samples -> lines in CloudWatch's embedded metric format (EMF), each within the format's limits. Pure.

Limits: "Specification: Embedded metric format" in the CloudWatch user guide, and PutMetricData in its API reference.
One bad member costs all the metrics of its record, so what CloudWatch would refuse is left out here, and counted.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from monitors.quotas import METRIC_UNITS
from monitors.records import Group, Table

VALUES_LIMIT = 100
"""Values in one metric's array."""
METRICS_LIMIT = 100
"""Metrics in one record. With every name, dimension and array at its limit that is half of the 1 MB of a log event."""
DIMENSIONS_LIMIT = 30
NAME_LIMIT = 255
DIMENSION_NAME_LIMIT = 250
DIMENSION_VALUE_LIMIT = 1024
LARGEST_VALUE = 2.0**360
OLDEST_MS = 14 * 24 * 3_600_000
NEWEST_MS = 2 * 3_600_000
"""How old and how far ahead a timestamp may be."""

_encode = json.JSONEncoder(separators=(",", ":")).encode

Columns = Mapping[tuple[str, str], Sequence[float]]


class Rendered(NamedTuple):
    """EMF lines, and how many samples no line could carry."""

    lines: list[str]
    dropped: int


def lines(table: Table, *, now_ms: int) -> Rendered:
    """Every sample that CloudWatch would take at this time, in as few records as its limits allow."""
    rendered: list[str] = []
    dropped = 0
    for (namespace, dimensions, minute_ms), columns in table.items():
        group = namespace, tuple((name, _ascii(value)) for name, value in dimensions), minute_ms
        sound = _sound_columns(columns, dict(dimensions)) if _is_sound(group, now_ms) else {}
        dropped += sum(map(len, columns.values())) - sum(map(len, sound.values()))
        rendered += [_encode(_record(group, layer)) for layer in _layers(sound)]
    return Rendered(rendered, dropped)


def _is_sound(group: Group, now_ms: int) -> bool:
    namespace, dimensions, minute_ms = group
    names = {name for name, _ in dimensions}
    return (
        _is_name(namespace, NAME_LIMIT)
        and len(names) == len(dimensions) <= DIMENSIONS_LIMIT
        and all(_is_name(name, DIMENSION_NAME_LIMIT) and name != "_aws" for name in names)
        and all(_is_text(value, DIMENSION_VALUE_LIMIT) for _, value in dimensions)
        and now_ms - OLDEST_MS < minute_ms < now_ms + NEWEST_MS
    )


def _sound_columns(columns: Columns, taken: Mapping[str, str]) -> Columns:
    """The columns whose name is free at the record's root, with the values that CloudWatch takes."""
    return {
        (name, unit): _sound_values(values)
        for (name, unit), values in columns.items()
        if _is_name(name, NAME_LIMIT) and name not in taken and name != "_aws" and unit in METRIC_UNITS
    }


def _sound_values(values: Sequence[float]) -> Sequence[float]:
    """The values that CloudWatch takes. No value is beyond their hypotenuse, and NaN and infinities show in it."""
    if math.hypot(*values) <= LARGEST_VALUE:
        return values
    return [value for value in values if abs(value) <= LARGEST_VALUE]


def _layers(columns: Columns) -> Iterator[list[tuple[str, str, Sequence[float]]]]:
    """The columns cut to what one record holds: a name once, 100 values each, 100 names."""
    cut: dict[str, list[tuple[str, Sequence[float]]]] = {}
    for (name, unit), values in columns.items():
        starts = range(0, len(values), VALUES_LIMIT)
        cut.setdefault(name, []).extend((unit, values[start : start + VALUES_LIMIT]) for start in starts)
    for depth in range(max(map(len, cut.values()), default=0)):
        layer = [(name, *pieces[depth]) for name, pieces in cut.items() if depth < len(pieces)]
        for start in range(0, len(layer), METRICS_LIMIT):
            yield layer[start : start + METRICS_LIMIT]


def _record(group: Group, layer: Sequence[tuple[str, str, Sequence[float]]]) -> dict[str, Any]:
    namespace, dimensions, minute_ms = group
    directive = {
        "Namespace": namespace,
        "Dimensions": [[name for name, _ in dimensions]],
        "Metrics": [{"Name": name, "Unit": unit} for name, unit, _ in layer],
    }
    return {
        "_aws": {"Timestamp": minute_ms, "CloudWatchMetrics": [directive]},
        **dict(dimensions),
        **{name: values[0] if len(values) == 1 else values for name, _, values in layer},
    }


def _is_name(text: str, limit: int) -> bool:
    return _is_text(text, limit) and not text.startswith(":")


def _is_text(text: str, limit: int) -> bool:
    """Whether CloudWatch takes it: 1..limit printable ASCII characters, not all of them blank."""
    return 0 < len(text) <= limit and text.isascii() and text.isprintable() and not text.isspace()


def _ascii(value: str) -> str:
    """A dimension's value with all but printable ASCII escaped as Python does: CloudWatch takes nothing else."""
    return value if value.isascii() and value.isprintable() else value.encode("unicode_escape").decode("ascii")
