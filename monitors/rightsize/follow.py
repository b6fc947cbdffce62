"""An earlier memory report's JSON and the new report -> what became of its advice. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeVar

from monitors.errors import InputError
from monitors.rightsize.report import (
    Action,
    Followed,
    FollowUp,
    Held,
    Interval,
    MemoryAdvice,
    MemoryReport,
    Outcome,
)

Kind = TypeVar("Kind")
_KINDS: Mapping[type, str] = {dict: "a JSON object", list: "a list", str: "a text"}

ENOUGH = 200
"""Invocations at the advised size from which a prediction is judged: ten of them lie beyond p95."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Advised:
    """A function's advice in an earlier report."""

    function: str
    action: Action
    memory_mb: int
    advised_mb: int
    daily: float
    """Invocations a day."""
    p95_ms: Interval
    usd_month: Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class Earlier:
    """What an earlier report advised to lower or raise."""

    start: float
    end: float
    advice: tuple[Advised, ...]


def earlier(text: str | bytes, file: str) -> Earlier:
    """The advice in the JSON of a memory report, as `lookout rightsize --json` prints it.

    Raises:
        InputError: it is of something else; names the `file` and what is wrong.
    """
    try:
        told = _checked(json.loads(text), dict)
        found = [_advised(_checked(one, dict)) for one in _checked(told["advice"], list)]
        start, end = _number(told["start"]), _number(told["end"])
    except KeyError as error:
        raise InputError(f"{file}: no memory report: {error} is missing") from error
    except (ValueError, OverflowError, RecursionError) as error:
        raise InputError(f"{file}: no memory report: {error}") from error
    acted = tuple(one for one in found if one.action in (Action.LOWER, Action.RAISE))
    return Earlier(start=start, end=end, advice=acted)


def follow(before: Earlier, report: MemoryReport) -> FollowUp:
    """Whether each advice was applied, and whether p95 and cost are now in the intervals predicted.

    The cost was predicted for the invocations of then: it is scaled to those of now.
    """
    now = {advice.function: advice for advice in report.advice}
    advice = tuple(_followed(one, now.get(one.function)) for one in before.advice)
    return FollowUp(start=before.start, end=before.end, advice=advice)


def _followed(then: Advised, now: MemoryAdvice | None) -> Followed:
    outcome = _outcome(then, now)
    p95 = cost = None
    if now and outcome is Outcome.APPLIED and now.invocations >= ENOUGH and "unseen" not in now.flags:
        traffic = now.invocations / now.days / then.daily
        p95 = _held(then.p95_ms, 1.0, now.p95_ms)
        cost = _held(then.usd_month, traffic, now.now_usd_month)
    return Followed(
        function=then.function,
        action=then.action,
        was_mb=then.memory_mb,
        advised_mb=then.advised_mb,
        now_mb=now.memory_mb if now else None,
        outcome=outcome,
        p95_ms=p95,
        usd_month=cost,
    )


def _outcome(then: Advised, now: MemoryAdvice | None) -> Outcome:
    if now is None:
        return Outcome.GONE
    if now.memory_mb == then.advised_mb:
        return Outcome.APPLIED
    moved, meant = now.memory_mb - then.memory_mb, then.advised_mb - then.memory_mb
    return Outcome.PARTLY if moved * meant > 0 else Outcome.NOT


def _held(predicted: Interval, factor: float, measured: float) -> Held:
    scaled = Interval(predicted.low * factor, predicted.expected * factor, predicted.high * factor)
    return Held(predicted=scaled, measured=measured, inside=scaled.low <= measured <= scaled.high)


def _advised(told: dict[str, Any]) -> Advised:
    return Advised(
        function=_checked(told["function"], str),
        action=Action(told["action"]),
        memory_mb=int(_positive(told["memory_mb"])),
        advised_mb=int(_positive(told["advised_mb"])),
        daily=_positive(told["invocations"]) / _positive(told["days"]),
        p95_ms=_interval(_checked(told["then_p95_ms"], dict)),
        usd_month=_interval(_checked(told["then_usd_month"], dict)),
    )


def _interval(told: dict[str, Any]) -> Interval:
    return Interval(*(_number(told[name]) for name in ("low", "expected", "high")))


def _positive(told: object) -> float:
    if (value := _number(told)) <= 0:
        raise ValueError(f"expected a number above 0, not {value:g}")
    return value


def _number(told: object) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float) or not isfinite(told):
        raise ValueError(f"expected a number, not {told!r:.80}")
    return float(told)


def _checked(told: Any, kind: type[Kind]) -> Kind:
    if not isinstance(told, kind):
        raise ValueError(f"expected {_KINDS[kind]}, not {told!r:.80}")  # noqa: TRY004 - the file's trouble, not a bug
    return told
