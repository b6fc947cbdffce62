"""OpenTelemetry's JSON, whoever wrote it -> plain values: attributes by name, ids, times, words. Pure, never raises.

Two writers: `aws/spans` (CloudWatch User Guide, "Transaction Search") has attributes in an object, times as numbers and
enums as words; OTLP/JSON (OTLP Specification 1.x, "JSON Protobuf Encoding") has attributes in a list of typed values,
times as text and enums as numbers.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_HEX = re.compile(r"[0-9a-f]+")
_LATEST_NS = 10**20  # no time is above (reading.LATEST_S)

# What Application Signals says where it doesn't know; the SDKs say unknown_service:<process>.
_UNKNOWN = ("UnknownService", "UnknownOperation", "UnknownRemoteService", "UnknownRemoteOperation", "UnmappedOperation")


def spans(export: Mapping[str, Any]) -> Iterator[object]:
    """The spans of `{"resourceSpans": [...]}`, each with its resource."""
    for group in items(export.get("resourceSpans")):
        resource = mapping(group).get("resource")
        for scope in items(mapping(group).get("scopeSpans")):
            for span in items(mapping(scope).get("spans")):
                yield {**span, "resource": resource} if isinstance(span, dict) else span


def attributes(value: object) -> Mapping[str, Any]:
    """Attributes by name; of a list of typed values, the values."""
    if not isinstance(value, list):
        return mapping(value)
    pairs = [mapping(pair) for pair in value]
    return {key: _untyped(pair.get("value")) for pair in pairs if isinstance(key := pair.get("key"), str)}


def first(found: Mapping[str, Any], names: Sequence[str]) -> str:
    """The first of these attributes that is text, or a list that begins with one; empty if none is."""
    for name in names:
        if not (value := found.get(name)):
            continue
        text_ = text(value[0] if isinstance(value, list) else value)
        if text_ and text_ not in _UNKNOWN and not text_.startswith("unknown_service"):
            return text_
    return ""


def identity(value: object, length: int) -> str:
    """An id of so many hexadecimal digits, in lower case; empty if it is none, or all zeros, which means none."""
    lower = text(value).lower()
    return lower if len(lower) == length and _HEX.fullmatch(lower) and lower.strip("0") else ""


def word(value: object, words: Sequence[str]) -> str:
    """A word of an enum: from its number, by itself, or with OTLP's prefix (`SPAN_KIND_SERVER`)."""
    if type(value) is int:
        return words[value] if 0 <= value < len(words) else ""
    return text(value).rsplit("_", 1)[-1]


def whole(value: object) -> int | None:
    """A whole number, from a number or its digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        return int(value)
    return value if type(value) is int else None


def seconds(nanoseconds: object) -> float | None:
    """Epoch seconds that reading takes for exactly the nearest whole microsecond; None if it is no time.

    The nearest, since what AWS makes of X-Ray's documents went through a float: 1700000000.421 s comes as
    1700000000420999936 ns. Until 2106 (2**32 s) a float's step is below half a microsecond: none is lost on the way.
    """
    found = whole(nanoseconds)
    return (found + 500) // 1000 / 1_000_000 if found is not None and 0 <= found <= _LATEST_NS else None


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def items(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _untyped(value: object) -> object:
    typed = mapping(value)
    if "arrayValue" in typed:
        return [_untyped(item) for item in items(mapping(typed["arrayValue"]).get("values"))]
    return next(iter(typed.values()), None)
