"""Operators and functions of CloudWatch metric math: arguments -> value. Pure.

Source: CloudWatch User Guide, "Using math expressions with CloudWatch metrics". Where it is silent: STDDEV is
that of a population, DIFF and RATE go back to the last datapoint there was, FILL leaves open what it has
nothing to fill from.
"""

import math
import operator as op
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, pairwise

from monitors.errors import InputError

Line = tuple[float | None, ...]
"""A series on the request's grid."""
Value = float | None | str | Line | list[Line]
"""A scalar (None: one that has no value), a word, a series, an array of series."""

LARGEST_ARRAY = 500  # GetMetricData: 500 queries a call


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What all expressions of one request share: its metrics by id, and the grid they are on."""

    metrics: Mapping[str, Line]
    start: int
    period_s: int
    slots: int


_Function = Callable[[list[Value], Request], Value]


def apply(name: str, arguments: list[Value], request: Request) -> Value:
    """What the operator or function makes of its arguments. InputError for arguments CloudWatch would refuse."""
    fewest, most, function = _FUNCTIONS.get(name, (0, 0, None))
    if function is None:
        raise InputError(f"{name} is not a function of metric math")
    if not fewest <= len(arguments) <= most:
        takes = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        raise InputError(f"{name} has {len(arguments)} arguments, not {takes}")
    return function(arguments, request)


def finite(function: Callable[..., float], *arguments: float) -> float | None:
    """The function's value, None where it has no finite one: CloudWatch drops such points."""
    try:
        value = float(function(*arguments))
    except (ArithmeticError, ValueError):
        return None
    return value if math.isfinite(value) else None


# --- operators -----------------------------------------------------------------------------------


def _pairwise(function: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if isinstance(left, list) and isinstance(right, list):
        raise InputError("an operator takes one array of series, not two")
    if isinstance(left, list):
        return [_series(_pairwise(function, line, right)) for line in left]
    if isinstance(right, list):
        return [_series(_pairwise(function, left, line)) for line in right]
    if isinstance(left, tuple) and isinstance(right, tuple):
        # Between two series a gap in one counts as 0; only a gap in both stays one.
        pairs = zip(left, right, strict=True)
        return tuple(None if x is y is None else finite(function, x or 0.0, y or 0.0) for x, y in pairs)
    if isinstance(left, tuple):
        return tuple(_both(function, x, right) for x in left)
    if isinstance(right, tuple):
        return tuple(_both(function, left, y) for y in right)
    return _both(function, left, right)


def _both(function: Callable[[float, float], float], x: Value, y: Value) -> float | None:
    if isinstance(x, str) or isinstance(y, str):
        raise InputError("an operator takes numbers and series, not words")
    return finite(function, x, y) if isinstance(x, float) and isinstance(y, float) else None


def _minus(arguments: list[Value], _: Request) -> Value:
    left, right = arguments if len(arguments) == 2 else (0.0, arguments[0])
    return _pairwise(op.sub, left, right)


def _operator(function: Callable[[float, float], float]) -> _Function:
    return lambda arguments, _: _pairwise(function, *arguments)


# --- functions of a series, of an array one by one, or of an array slot by slot ----------------------


def _series(value: Value) -> Line:
    if not isinstance(value, tuple):
        raise InputError("a series is needed here, not a number, a word or an array")
    return value


def _each(function: Callable[[Line, Request], Line]) -> _Function:
    def applied(arguments: list[Value], request: Request) -> Value:
        if isinstance(arguments[0], list):
            return [function(line, request) for line in arguments[0]]
        return function(_series(arguments[0]), request)

    return applied


def _point(function: Callable[[float], float]) -> _Function:
    return _each(lambda line, _: tuple(None if x is None else finite(function, x) for x in line))


def _summary(function: Callable[[Line], float | None]) -> _Function:
    def applied(arguments: list[Value], request: Request) -> Value:
        if not isinstance(arguments[0], list):
            return function(_series(arguments[0]))
        slots = zip(*arguments[0], strict=True) if arguments[0] else [()] * request.slots
        return tuple(None if all(x is None for x in slot) else function(slot) for slot in slots)

    return applied


def _real(line: Line) -> list[float]:
    return [x for x in line if x is not None]


def _sum(line: Line) -> float | None:
    return finite(lambda: math.fsum(_real(line)))


def _average(line: Line) -> float | None:
    return finite(lambda: math.fsum(_real(line)) / len(line))  # the guide: missing values are treated as 0


def _deviation(line: Line) -> float | None:
    real = _real(line)
    return finite(lambda: math.hypot(*(x - math.fsum(real) / len(real) for x in real)) / math.sqrt(len(real)))


def _since_last(function: Callable[[float, float], float]) -> _Function:
    """A function of what a point adds to the last datapoint before it, and of the seconds since that one."""

    def applied(line: Line, request: Request) -> Line:
        found: list[float | None] = []
        last: tuple[int, float] | None = None
        for slot, x in enumerate(line):
            if x is None or last is None:
                found.append(None)
            else:
                found.append(finite(function, x - last[1], (slot - last[0]) * request.period_s))
            last = last if x is None else (slot, x)
        return tuple(found)

    return _each(applied)


def _running_sum(line: Line, _: Request) -> Line:
    sums = accumulate(x or 0.0 for x in line)
    return tuple(None if x is None else finite(float, total) for x, total in zip(line, sums, strict=True))


def _clock(reading: Callable[[datetime], float]) -> _Function:
    def applied(arguments: list[Value], request: Request) -> Value:
        _series(arguments[0])
        times = (request.start + slot * request.period_s for slot in range(request.slots))
        return tuple(float(reading(datetime.fromtimestamp(time, UTC))) for time in times)

    return applied


# --- the functions with a shape of their own ----------------------------------------------------------


def _array(arguments: list[Value], _: Request) -> Value:
    lines = [line for value in arguments for line in (value if isinstance(value, list) else [_series(value)])]
    if len(lines) > LARGEST_ARRAY:
        raise InputError(f"an array of more than {LARGEST_ARRAY} series")
    return lines


def _metrics(arguments: list[Value], request: Request) -> Value:
    part = arguments[0] if arguments else ""
    if not isinstance(part, str):
        raise InputError("METRICS takes a text, part of an id")
    return [line for id_, line in request.metrics.items() if part in id_]


def _if(arguments: list[Value], request: Request) -> Value:
    condition, when_true, when_false = (*arguments, None)[:3]
    if any(isinstance(value, list | str) for value in arguments):
        raise InputError("IF takes numbers and series")
    slots = range(request.slots)
    if not isinstance(condition, tuple):
        return tuple(_at(when_true if condition else when_false, slot) for slot in slots)
    return tuple(
        None if test is None else (_at(when_true, slot) or 0.0) if test else _at(when_false, slot)
        for slot, test in zip(slots, condition, strict=True)
    )


def _at(value: Value, slot: int) -> float | None:
    found = value[slot] if isinstance(value, tuple) else value
    return found if isinstance(found, float) else None


def _fill(arguments: list[Value], _: Request) -> Value:
    value, filler = arguments
    if isinstance(filler, list) or (isinstance(filler, str) and filler not in ("REPEAT", "LINEAR")):
        raise InputError("FILL takes a number, a series, REPEAT or LINEAR to fill with")
    if isinstance(value, list):
        return [_filled(line, filler) for line in value]
    return _filled(_series(value), filler)


def _filled(line: Line, filler: Value) -> Line:
    if filler == "REPEAT":
        return tuple(accumulate(line, lambda last, x: last if x is None else x))
    if filler == "LINEAR":
        return _interpolated(line)
    return tuple(_at(filler, slot) if x is None else x for slot, x in enumerate(line))


def _interpolated(line: Line) -> Line:
    known = [(slot, x) for slot, x in enumerate(line) if x is not None]
    filled = list(line)
    for (left, x), (right, y) in pairwise(known):
        for slot in range(left + 1, right):
            share = (slot - left) / (right - left)
            filled[slot] = finite(lambda x, y, share: x * (1 - share) + y * share, x, y, share)
    return tuple(filled)


def _period(arguments: list[Value], request: Request) -> Value:
    _series(arguments[0])
    return float(request.period_s)


def _time_series(arguments: list[Value], request: Request) -> Value:
    if not isinstance(arguments[0], float | None):
        raise InputError("TIME_SERIES takes a number")
    return (arguments[0],) * request.slots


_FUNCTIONS: Mapping[str, tuple[int, int, _Function]] = {
    "+": (2, 2, _operator(op.add)),
    "-": (1, 2, _minus),
    "*": (2, 2, _operator(op.mul)),
    "/": (2, 2, _operator(op.truediv)),
    "^": (2, 2, _operator(math.pow)),
    "==": (2, 2, _operator(op.eq)),
    "!=": (2, 2, _operator(op.ne)),
    "<": (2, 2, _operator(op.lt)),
    "<=": (2, 2, _operator(op.le)),
    ">": (2, 2, _operator(op.gt)),
    ">=": (2, 2, _operator(op.ge)),
    "AND": (2, 2, _operator(lambda x, y: bool(x and y))),
    "OR": (2, 2, _operator(lambda x, y: bool(x or y))),
    "[]": (1, LARGEST_ARRAY, _array),
    "METRICS": (0, 1, _metrics),
    "IF": (2, 3, _if),
    "FILL": (2, 2, _fill),
    "ABS": (1, 1, _point(abs)),
    "CEIL": (1, 1, _point(math.ceil)),
    "FLOOR": (1, 1, _point(math.floor)),
    "LOG": (1, 1, _point(math.log)),
    "LOG10": (1, 1, _point(math.log10)),
    "SUM": (1, 1, _summary(_sum)),
    "AVG": (1, 1, _summary(_average)),
    "MIN": (1, 1, _summary(lambda line: min(_real(line), default=None))),
    "MAX": (1, 1, _summary(lambda line: max(_real(line), default=None))),
    "STDDEV": (1, 1, _summary(_deviation)),
    "DATAPOINT_COUNT": (1, 1, _summary(lambda line: float(len(_real(line))))),
    "DIFF": (1, 1, _since_last(lambda added, _: added)),
    "DIFF_TIME": (1, 1, _since_last(lambda _, seconds: seconds)),
    "RATE": (1, 1, _since_last(op.truediv)),
    "RUNNING_SUM": (1, 1, _each(_running_sum)),
    "PERIOD": (1, 1, _period),
    "TIME_SERIES": (1, 1, _time_series),
    "MINUTE": (1, 1, _clock(lambda time: time.minute)),
    "HOUR": (1, 1, _clock(lambda time: time.hour)),
    "DAY": (1, 1, _clock(datetime.isoweekday)),
    "DATE": (1, 1, _clock(lambda time: time.day)),
    "MONTH": (1, 1, _clock(lambda time: time.month)),
    "YEAR": (1, 1, _clock(lambda time: time.year)),
    "EPOCH": (1, 1, _clock(datetime.timestamp)),
}
