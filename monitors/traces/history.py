"""A window's requests -> a week's record -> one small file; weeks -> their trends. Pure.

A file keeps one sketch of response times a function and its mean times by phase, and nothing by the hour: 168 hours of
50 functions are 8,400 sketches, megabytes that a trend over weeks never asks for. So 50 functions take 100 to 170 kB.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import fsum, inf, isfinite
from typing import Any, TypeVar

from monitors.errors import InputError
from monitors.jsontext import compact
from monitors.traces.columns import Columns, phase_means, share
from monitors.traces.labels import Label
from monitors.traces.sketch import Sketch, from_json, sketch, to_json

VERSION = 1
WEEKS = 13
PHASES = 20
"""Phases and targets kept for a function; what is smaller comes together as `other`."""

Kind = TypeVar("Kind")
_KINDS: Mapping[type, str] = {dict: "JSON object", list: "list", str: "text"}
_NAME = re.compile(r"(\d{4}-\d\d-\d\d)\.json")


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionWeek:
    recorded: int
    """Requests read, of those that X-Ray recorded; the weight of `response_us` is how many they stand for."""
    cold_share: float
    fault_share: float
    phases_us: Mapping[Label, float]
    """Mean microseconds on the response path, by phase and target."""
    response_us: Sketch


@dataclass(frozen=True, kw_only=True, slots=True)
class Week:
    """A window of traces, of a week as a rule. Times are epoch seconds."""

    start_s: float
    end_s: float
    made_s: float
    functions: Mapping[str, FunctionWeek]


def week(requests: Mapping[str, Columns], *, start_s: float, end_s: float, made_s: float) -> Week:
    """What is kept of a window's requests, which come by function (see aggregate.Window); times are epoch seconds."""
    functions = {name: _function_week(found) for name, found in requests.items()}
    return Week(start_s=start_s, end_s=end_s, made_s=made_s, functions=functions)


def file_name(kept: Week) -> str:
    """`2026-11-17.json`, by the day (UTC) on which the window begins: a window that is read again replaces its file."""
    return datetime.fromtimestamp(kept.start_s, UTC).strftime("%Y-%m-%d.json")


def recent(names: Iterable[str]) -> list[str]:
    """Of file names those that a trend to the newest of them needs, oldest first; names of other files are left out."""
    begun = sorted((day, name) for name in names if (day := _day(name)))
    return [name for day, name in begun if begun[-1][0] - day < timedelta(weeks=WEEKS)]


def to_text(kept: Week) -> str:
    """The file's text, JSON; see `from_text`."""
    functions = {
        name: {
            "recorded": one.recorded,
            "cold_share": round(one.cold_share, 6),
            "fault_share": round(one.fault_share, 6),
            "phases_us": [[*label, round(mean, 1)] for label, mean in one.phases_us.items()],
            "response_us": to_json(one.response_us),
        }
        for name, one in kept.functions.items()
    }
    times = {"start_s": kept.start_s, "end_s": kept.end_s, "made_s": kept.made_s}
    return compact({"version": VERSION, **times, "functions": functions})


def from_text(text: str | bytes, file: str) -> Week:
    """The week that a file's text tells; weights to six digits, shares to a millionth, phases to a tenth of 1 µs.

    Raises:
        InputError: it is no such file, or of another version; names the `file` and its trouble.
    """
    try:
        return _read_week(_checked(json.loads(text), dict))
    except KeyError as error:
        raise InputError(f"{file}: no week of latency history: {error} is missing") from error
    except (ValueError, OverflowError, OSError, RecursionError) as error:
        raise InputError(f"{file}: no week of latency history: {error}") from error


def _function_week(requests: Columns) -> FunctionWeek:
    means = phase_means(requests, requests.weight)
    ranked = sorted(means.items(), key=lambda item: (-item[1], item[0]))
    phases = dict(ranked[:PHASES])
    if small := ranked[PHASES:]:
        phases[Label("other")] = fsum(mean for _, mean in small)
    return FunctionWeek(
        recorded=len(requests),
        cold_share=share(requests.of_kinds(lambda kind: kind.cold), requests.weight),
        fault_share=share(requests.of_kinds(lambda kind: kind.failed), requests.weight),
        phases_us=phases,
        response_us=sketch(zip(requests.duration.tolist(), requests.weight.tolist(), strict=True)),
    )


def _read_week(told: dict[str, Any]) -> Week:
    if told["version"] != VERSION:
        raise ValueError(f"its version is {told['version']!r:.80}, and {VERSION} is known")
    start_s, end_s, made_s = (_number(told[name]) for name in ("start_s", "end_s", "made_s"))
    datetime.fromtimestamp(max(start_s, end_s), UTC)  # no calendar has every number
    functions = {name: _read_function(_checked(one, dict)) for name, one in _checked(told["functions"], dict).items()}
    return Week(start_s=start_s, end_s=end_s, made_s=made_s, functions=functions)


def _read_function(told: dict[str, Any]) -> FunctionWeek:
    shares = [_number(told[name]) for name in ("cold_share", "fault_share")]
    if max(shares) > 1:
        raise ValueError(f"a share of {max(shares)}")
    return FunctionWeek(
        recorded=int(_number(told["recorded"])),
        cold_share=shares[0],
        fault_share=shares[1],
        phases_us=dict(_read_phase(_checked(one, list)) for one in _checked(told["phases_us"], list)),
        response_us=from_json([_number(part, least=-inf) for part in _checked(told["response_us"], list)]),
    )


def _read_phase(told: list[Any]) -> tuple[Label, float]:
    phase, target, mean = told
    return Label(_checked(phase, str), _checked(target, str)), _number(mean)


def _checked(value: object, kind: type[Kind]) -> Kind:
    if not isinstance(value, kind):
        raise ValueError(f"{value!r:.80} where a {_KINDS[kind]} should be")  # noqa: TRY004 - bad input, not a bug
    return value


def _number(value: object, *, least: float = 0) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        raise ValueError(f"{value!r:.80} where a number should be")
    if value < least:
        raise ValueError(f"{value} where a number from {least} should be")
    return value


def _day(name: str) -> date | None:
    found = _NAME.fullmatch(name)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
