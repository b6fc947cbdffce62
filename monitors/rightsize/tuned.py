"""The output of AWS Lambda Power Tuning -> average durations by memory size. Pure.

Source: README-INPUT-OUTPUT.md of github.com/alexcasalboni/aws-lambda-power-tuning. Its output has a URL whose fragment
holds three base64 arrays: sizes (int16, MB), times (float32, ms) and costs (float32, USD). `includeOutputResults` adds
the same as a list, `stats`.
"""

import base64
import binascii
import json
import re
import struct
from collections.abc import Iterable
from typing import Any

from monitors.errors import InputError
from monitors.rightsize.curve import LARGEST_MB, SMALLEST_MB

_FRAGMENT = re.compile(r"#([\w+/]+=*);([\w+/]+=*);[\w+/]+=*", re.ASCII)


def tuned(text: str, *, file: str) -> dict[int, float]:
    """Memory size (MB) -> average duration (ms), of at least two sizes: from the JSON output, or any text with its URL.

    Raises:
        InputError: there is no result in it, or more than one, or one that cannot be; names the `file`.
    """
    pairs = _stats(text, file) or _fragment(text, file)
    found: dict[int, float] = {}
    for size, duration_ms in pairs:
        if not (SMALLEST_MB <= size <= LARGEST_MB and size == int(size) and 0 < duration_ms < float("inf")):
            raise InputError(f"{file}: {duration_ms:g} ms at {size:g} MB cannot be")
        found[int(size)] = duration_ms
    if len(found) < 2:
        raise InputError(f"{file}: one memory size tells nothing of others: tune at two or more")
    return found


def _stats(text: str, file: str) -> list[tuple[float, float]]:
    """The pairs of the list `stats`; none where there is no such list."""
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return []
    results = value.get("results", value) if isinstance(value, dict) else None
    stats = results.get("stats") if isinstance(results, dict) else None
    if stats is None:
        return []
    try:
        return [(float(one["value"]), float(one["averageDuration"])) for one in stats]
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise InputError(f"{file}: stats is not a list of objects with the numbers value, averageDuration") from error


def _fragment(text: str, file: str) -> Iterable[tuple[float, float]]:
    found = set(_FRAGMENT.findall(text))
    if len(found) != 1:
        many = f"{len(found)} results of Power Tuning: give one" if found else "no result of Power Tuning"
        raise InputError(f"{file}: {many}; it takes the JSON output, or its visualization URL")
    ((sizes, times),) = found
    try:
        return list(zip(_numbers(sizes, "h"), _numbers(times, "f"), strict=True))
    except (binascii.Error, struct.error, ValueError) as error:
        raise InputError(f"{file}: the visualization URL is cut short or broken") from error


def _numbers(encoded: str, kind: str) -> list[float]:
    """Little-endian, as typed arrays are wherever Lambda and browsers run."""
    return [float(number) for (number,) in struct.iter_unpack(f"<{kind}", base64.b64decode(encoded, validate=True))]
