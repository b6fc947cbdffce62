"""Alarm + datapoints -> states, by CloudWatch's own rules; and their replay over the past. Pure.

The rules are those of the CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms
treat missing data". Three things a replay cannot know:

- Late data. CloudWatch judges what has arrived by then; a replay sees the final values.
- The evaluation range. CloudWatch looks further back than N periods, how far is not documented. The guide's
  examples show 5 slots for N = 3, hence N + 2 by default; for one-minute periods there are signs of more.
- The sliding window. CloudWatch evaluates every minute over windows that are not aligned to the clock; a
  replay sees one datapoint a period, on the series' own grid.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import ge, gt, le, lt

from monitors.errors import InputError
from monitors.model import Alarm, Comparison, Missing, Series, State

Point = bool | None
"""One slot: breaching, not breaching, or (None) no datapoint."""

_COMPARE = {Comparison.ABOVE: gt, Comparison.AT_LEAST: ge, Comparison.BELOW: lt, Comparison.AT_MOST: le}
RANGE_BEYOND_PERIODS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Episode:
    """One stay in ALARM. Epoch seconds."""

    start: int
    end: int
    """When it left ALARM; the end of the series if it never did."""
    ended: State
    """The state it went to; ALARM if it never left."""


def judge(points: Sequence[Point], *, datapoints: int, periods: int, missing: Missing | str, current: State) -> State:
    """The state after one evaluation of a `datapoints` of `periods` alarm over the evaluation range `points`.

    `points` is oldest first and at least `periods` long; `current` is retained where `ignore` says so.
    InputError for settings that CloudWatch would refuse.
    """
    mode = _mode(missing)
    _check(datapoints=datapoints, periods=periods, slots=len(points))
    real = [point for point in points if point is not None]
    if not real:
        return _nothing_arrived(mode, current)
    filled = max(0, periods - len(real))
    breaching = sum(real[-periods:]) + (filled if mode is Missing.BREACHING else 0)
    if breaching >= datapoints:
        return State.ALARM
    if filled and mode in (Missing.MISSING, Missing.IGNORE) and _went_silent(points, real, datapoints):
        return State.ALARM if mode is Missing.MISSING else current
    return State.OK


def breaches(values: Iterable[float | None], comparison: Comparison | str, threshold: float) -> tuple[Point, ...]:
    """Each value against the threshold, value first as in CloudWatch; None stays None.

    InputError for an operator that needs an anomaly detection band.
    """
    try:
        compare = _COMPARE[Comparison(comparison)]
    except ValueError as error:
        raise InputError(f"unknown comparison {comparison!r}: use one of {', '.join(map(str, Comparison))}") from error
    return tuple(None if value is None else compare(value, threshold) for value in values)


def states(
    points: Sequence[Point],
    *,
    datapoints: int,
    periods: int,
    missing: Missing | str,
    evaluation_range: int | None = None,
) -> tuple[State, ...]:
    """The state after each slot, beginning as a new alarm does: INSUFFICIENT_DATA, with nothing before.

    `evaluation_range` is in slots, `periods` + 2 if not given.
    """
    slots = periods + RANGE_BEYOND_PERIODS if evaluation_range is None else evaluation_range
    mode = _mode(missing)
    _check(datapoints=datapoints, periods=periods, slots=slots)
    judged = lru_cache(maxsize=1024)(partial(judge, datapoints=datapoints, periods=periods, missing=mode))
    padded = (None,) * (slots - 1) + tuple(points)
    current = State.INSUFFICIENT_DATA
    result = []
    for slot in range(len(points)):
        current = judged(padded[slot : slot + slots], current=current)
        result.append(current)
    return tuple(result)


def replay(alarm: Alarm, series: Series, *, evaluation_range: int | None = None) -> tuple[Episode, ...]:
    """When `alarm` would have been in ALARM over `series`, oldest first: the backtest.

    `series` is the alarm's returned line (metric math already done), on the alarm's own period; InputError
    otherwise. A slot is judged when it is over, so an episode that its datapoint begins starts at the slot's
    end.
    """
    periods_s = {query.period_s for query in alarm.queries if query.metric}
    if periods_s != {series.period_s}:
        raise InputError(f"{alarm.name}: period {sorted(periods_s)} s, but the series has {series.period_s} s")
    seen = states(
        breaches(series.values, alarm.comparison, alarm.threshold),
        datapoints=alarm.datapoints,
        periods=alarm.periods,
        missing=alarm.missing,
        evaluation_range=evaluation_range,
    )
    return episodes(seen, start=series.start, period_s=series.period_s)


def episodes(seen: Sequence[State], *, start: int, period_s: int) -> tuple[Episode, ...]:
    """The stays in ALARM among the states after each slot; `start` is the first slot's epoch seconds."""
    found: list[Episode] = []
    began: int | None = None
    for slot, state in enumerate(seen, 1):
        now = start + slot * period_s
        if state is State.ALARM and began is None:
            began = now
        elif state is not State.ALARM and began is not None:
            found.append(Episode(start=began, end=now, ended=state))
            began = None
    if began is not None:
        found.append(Episode(start=began, end=start + len(seen) * period_s, ended=State.ALARM))
    return tuple(found)


def _nothing_arrived(mode: Missing, current: State) -> State:
    return {
        Missing.MISSING: State.INSUFFICIENT_DATA,
        Missing.IGNORE: current,
        Missing.BREACHING: State.ALARM,
        Missing.NOT_BREACHING: State.OK,
    }[mode]


def _went_silent(points: Sequence[Point], real: Sequence[bool], datapoints: int) -> bool:
    # The guide's premature-alarm rule. Its text speaks of the points newer than the oldest breaching one, but
    # its table (`0 - X - -`, 2 of 3: OK) has any non-breaching point in the range switch the rule off.
    age = len(points) - next(slot for slot, point in enumerate(points) if point is not None)
    return all(real) and age >= datapoints


def _mode(missing: Missing | str) -> Missing:
    try:
        return Missing(missing)
    except ValueError as error:
        modes = ", ".join(Missing)
        raise InputError(f"unknown treatment of missing data {missing!r}: use one of {modes}") from error


def _check(*, datapoints: int, periods: int, slots: int) -> None:
    if not 1 <= datapoints <= periods:
        raise InputError(f"{datapoints} of {periods} datapoints: use 1 <= datapoints <= periods")
    if slots < periods:
        raise InputError(f"an evaluation range of {slots} slots is shorter than the {periods} periods evaluated")
