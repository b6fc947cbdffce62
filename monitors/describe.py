"""What an alarm's description says: built by the plan, parsed by the notifier, readable in the console. Pure.

Error rate
The function fails for a good part of what it is asked.
unit: % of invocations failed
high: 5
runbook: https://wiki.example.com/errors
severity: page
"""

from functools import lru_cache

from monitors.model import Description, Severity

LIMIT = 1024  # PutMetricAlarm, AlarmDescription: at most 1024 characters
LONGEST_VALUE = 300  # so that what follows the reason always fits
_TITLE = 100
"""Room that an owner leaves for the title."""
_SEVERITIES = frozenset(Severity)
_TAIL = frozenset({"logs", "unit", "high", "low", "runbook", "owner", "severity"})


def describe(description: Description) -> str:
    """The alarm's description, at most 1024 characters; a reason too long for that is cut, then the title.

    A unit, log group, runbook or owner of more than 300 characters is left out: cut, it would lead nowhere. So is an
    owner for whom there is no room.
    """
    tail = (
        _said("logs", _line(description.log_group))
        + _said("unit", _line(description.unit))
        + ("" if description.high is None else f"\nhigh: {description.high:.15g}")
        + ("" if description.low is None else f"\nlow: {description.low:.15g}")
        + _said("runbook", _line(description.runbook))
        + f"\nseverity: {description.severity.value}"
    )
    owner = _said("owner", _line(description.owner))
    tail += owner if len(tail) + len(owner) <= LIMIT - _TITLE else ""
    title = _cut(_line(description.title), LIMIT - len(tail))
    reason = _cut(_line(description.reason), LIMIT - len(tail) - len(title) - 1)
    return f"{title}\n{reason}{tail}" if reason else f"{title}{tail}"


def _said(key: str, value: str) -> str:
    return f"\n{key}: {value}" if 0 < len(value) <= LONGEST_VALUE else ""


def parse_description(text: str) -> Description:
    """What the description says. One that is not ours is all `reason`, and severity page: nobody said it can wait."""
    lines = text.strip().splitlines()
    said: dict[str, str] = {}
    while lines:
        key, colon, value = lines[-1].strip().partition(": ")
        if not colon or key not in _TAIL or key in said:
            break
        said[key] = value.strip()
        lines.pop()
    if said.get("severity") not in _SEVERITIES:
        return Description(reason=_line(text))
    return Description(
        title=_line(lines[0]) if lines else "",
        reason=_line(" ".join(lines[1:])),
        severity=Severity(said["severity"]),
        unit=said.get("unit", ""),
        high=_number(said.get("high")),
        low=_number(said.get("low")),
        runbook=said.get("runbook", ""),
        owner=said.get("owner", ""),
        log_group=said.get("logs", ""),
    )


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: max(length - 3, 0)]}..." if length > 3 else ""
