"""Samples -> lines in CloudWatch's embedded metric format (EMF), each within the format's limits. Pure.

Limits: "Specification: Embedded metric format" in the CloudWatch user guide, and PutMetricData in its API reference.
One bad member costs all the metrics of its record, so what CloudWatch would refuse is left out here, and counted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

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
_quoted = lru_cache(maxsize=1024)(_encode)

Columns = Mapping[tuple[str, str], Sequence[str]]
Dimensions = tuple[tuple[str, str], ...]


class Rendered(NamedTuple):
    """EMF lines, and how many samples no line could carry."""

    lines: list[str]
    dropped: int


def lines(table: Table, *, now_ms: int) -> Rendered:
    """Every sample that CloudWatch would take at this time, in as few records as its limits allow."""
    rendered: list[str] = []
    dropped = 0
    for (namespace, dimensions, minute_ms), columns in table.items():
        escaped = _sound_dimensions(namespace, dimensions) if _is_recent(minute_ms, now_ms) else None
        sound = {} if escaped is None else _sound_columns(columns, dict(dimensions))
        dropped += sum(map(len, columns.values())) - sum(map(len, sound.values()))
        rendered += [_record((namespace, escaped or (), minute_ms), layer) for layer in _layers(sound)]
    return Rendered(rendered, dropped)


def _is_recent(minute_ms: int, now_ms: int) -> bool:
    return now_ms - OLDEST_MS < minute_ms < now_ms + NEWEST_MS


@lru_cache(maxsize=1024)
def _sound_dimensions(namespace: str, dimensions: Dimensions) -> Dimensions | None:
    """The dimensions with their values escaped; None where CloudWatch would refuse these or the namespace."""
    names = {name for name, _ in dimensions}
    escaped = tuple((name, _ascii(value)) for name, value in dimensions)
    sound = (
        _is_name(namespace, NAME_LIMIT)
        and len(names) == len(dimensions) <= DIMENSIONS_LIMIT
        and all(_is_name(name, DIMENSION_NAME_LIMIT) and name != "_aws" for name in names)
        and all(_is_text(value, DIMENSION_VALUE_LIMIT) for _, value in escaped)
    )
    return escaped if sound else None


def _sound_columns(columns: Columns, taken: Mapping[str, str]) -> Columns:
    """The columns whose name is free at the record's root, with the values that CloudWatch takes."""
    return {
        metric: _sound_values(values)
        for metric, values in columns.items()
        if _is_sound_metric(*metric) and metric[0] not in taken
    }


@lru_cache(maxsize=1024)
def _is_sound_metric(name: str, unit: str) -> bool:
    return _is_name(name, NAME_LIMIT) and name != "_aws" and unit in METRIC_UNITS


def _sound_values(values: Sequence[str]) -> Sequence[str]:
    """The numerals that CloudWatch takes. Those of records.numeral and of a platform line are small enough where they
    have no exponent, and are not `nan` or `inf`.
    """
    text = ",".join(values)
    if "e" not in text and "n" not in text:
        return values
    return [value for value in values if abs(float(value)) <= LARGEST_VALUE]


def _layers(columns: Columns) -> Iterator[list[tuple[str, str, Sequence[str]]]]:
    """The columns cut to what one record holds: a name once, 100 values each, 100 names."""
    cut: dict[str, list[tuple[str, Sequence[str]]]] = {}
    for (name, unit), values in columns.items():
        starts = range(0, len(values), VALUES_LIMIT)
        cut.setdefault(name, []).extend((unit, values[start : start + VALUES_LIMIT]) for start in starts)
    for depth in range(max(map(len, cut.values()), default=0)):
        layer = [(name, *pieces[depth]) for name, pieces in cut.items() if depth < len(pieces)]
        for start in range(0, len(layer), METRICS_LIMIT):
            yield layer[start : start + METRICS_LIMIT]


def _record(group: Group, layer: Sequence[tuple[str, str, Sequence[str]]]) -> str:
    namespace, dimensions, minute_ms = group
    head = _directive(namespace, tuple(name for name, _ in dimensions), tuple((name, unit) for name, unit, _ in layer))
    members = [f"{_quoted(name)}:{_quoted(value)}" for name, value in dimensions]
    for name, _, values in layer:
        text = ",".join(values)
        members.append(f"{_quoted(name)}:{text}" if len(values) == 1 else f"{_quoted(name)}:[{text}]")
    return f'{{"_aws":{{"Timestamp":{minute_ms},"CloudWatchMetrics":[{head}]}},' + ",".join(members) + "}"


@lru_cache(maxsize=64)
def _directive(namespace: str, dimensions: Sequence[str], metrics: Sequence[tuple[str, str]]) -> str:
    """What a record says of its metrics: the same, minute after minute."""
    return _encode(
        {
            "Namespace": namespace,
            "Dimensions": [dimensions],
            "Metrics": [{"Name": name, "Unit": unit} for name, unit in metrics],
        }
    )


def _is_name(text: str, limit: int) -> bool:
    return _is_text(text, limit) and not text.startswith(":")


def _is_text(text: str, limit: int) -> bool:
    """Whether CloudWatch takes it: 1..limit printable ASCII characters, not all of them blank."""
    return 0 < len(text) <= limit and text.isascii() and text.isprintable() and not text.isspace()


def _ascii(value: str) -> str:
    """A dimension's value with all but printable ASCII escaped as Python does: CloudWatch takes nothing else."""
    return value if value.isascii() and value.isprintable() else value.encode("unicode_escape").decode("ascii")
