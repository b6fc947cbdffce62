"""A plan -> what it would change in the alarms that its fleet has already. Pure.

Alarms of ours are known by their names; all others are foreign and stay as they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitors import names
from monitors.model import Alarm, CompositeAlarm, Fact, Plan


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would be other than it is; None where there is, or would be, nothing."""

    alarm: str
    what: str
    """high, low, severity, datapoints, periods or rule."""
    before: Fact | None
    after: Fact | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """By name, each in order."""

    added: tuple[str, ...]
    changed: tuple[Change, ...]
    removed: tuple[str, ...]
    foreign: tuple[str, ...]


def changes(plan: Plan) -> Changes:
    """What `apply` would do to the alarms of the plan's fleet. None that could not be read is among them."""
    deployed = {one.name: one.facts for one in plan.fleet.resources if one.service == "alarm"}
    wanted = {one.name: _levels(one) for one in plan.alarms} | {one.name: _rule(one) for one in plan.composites}
    ours = {name for name in deployed if names.parse_alarm_name(name)}
    return Changes(
        added=tuple(sorted(wanted.keys() - deployed.keys())),
        changed=tuple(
            change
            for name in sorted(wanted.keys() & deployed.keys())
            for change in _changed(name, deployed[name], wanted[name])
        ),
        removed=tuple(sorted(ours - wanted.keys())),
        foreign=tuple(sorted(deployed.keys() - ours)),
    )


def _levels(alarm: Alarm) -> Mapping[str, Fact | None]:
    return {
        "high": alarm.evidence.get("high"),
        "low": alarm.evidence.get("low"),
        "severity": str(alarm.severity),
        "datapoints": alarm.datapoints,
        "periods": alarm.periods,
    }


def _rule(alarm: CompositeAlarm) -> Mapping[str, Fact | None]:
    return {"rule": alarm.expression, "severity": str(alarm.severity)}


def _changed(name: str, before: Mapping[str, Fact], after: Mapping[str, Fact | None]) -> Iterator[Change]:
    for what, value in after.items():
        if _told(before.get(what)) != _told(value):
            yield Change(name, what, before.get(what), value)


def _told(value: Fact | None) -> str:
    """As far as an alarm's description tells: a level in 15 digits."""
    return f"{value:.15g}" if isinstance(value, int | float) else str(value)
