"""A state change -> what to ask AWS about it; the answers -> what was found. Pure: the handler makes the calls."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from monitors import names
from monitors.model import State
from subscribers.notification import StateChange

LOOK_BACK_S = 600
LINES = 8
_NEWEST_S = 120
_PUBLISHED_LATE_S = 60
_PAGE = 100
_ERRORS = '?ERROR ?Error ?error ?Exception ?"Task timed out" ?"Runtime exited"'
_OF_FUNCTIONS = frozenset({"AWS/Lambda", names.LOG_METRICS, names.CUSTOM_METRICS})
"""Where the dimension FunctionName is a Lambda function; CloudFront has functions too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What was found out about a state change."""

    log_lines: tuple[str, ...] = ()
    """Oldest first, as they were written."""
    values: Mapping[str, float] = field(default_factory=dict)
    """Newest value of each metric behind metric math, by query id."""
    failed: tuple[str, ...] = ()
    """What could not be found out, and why."""


def log_group(change: StateChange) -> str:
    """Where the log of the Lambda function behind the alarm is; empty if there is none."""
    if change.description.log_group:
        return change.description.log_group
    functions = (
        value
        for query in change.queries
        if query.namespace in _OF_FUNCTIONS
        for name, value in query.dimensions
        if name == "FunctionName"
    )
    function = next(functions, "")
    return names.log_group(function) if function else ""


def log_searches(change: StateChange) -> tuple[dict[str, Any], ...]:
    """FilterLogEvents calls for the error lines of the ten minutes before: the newest two minutes, then the
    rest.

    An answer begins with its oldest line, so in a flood one call for all ten minutes would never reach the
    newest.
    """
    group = log_group(change)
    if not group or change.new is not State.ALARM or change.at is None:
        return ()
    end, middle, start = (int(1000 * (change.at + offset)) for offset in (_PUBLISHED_LATE_S, -_NEWEST_S, -LOOK_BACK_S))
    return tuple(
        {"logGroupName": group, "startTime": first, "endTime": last, "filterPattern": _ERRORS, "limit": _PAGE}
        for first, last in ((middle, end), (start, middle))
    )


def lines_found(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The newest lines of a FilterLogEvents answer, oldest first."""
    events = sorted(answer["events"], key=lambda event: event.get("timestamp", 0))
    return tuple(event.get("message", "") for event in events[-LINES:])


def value_search(change: StateChange) -> dict[str, Any] | None:
    """The GetMetricData call for the metrics behind metric math, whose own value says little; None for other alarms."""
    behind = [query for query in change.queries if query.metric]
    if change.at is None or len(behind) == len(change.queries) or not behind:
        return None
    span_s = max(query.period_s for query in behind) * max(change.periods or 1, 3)
    return {
        "MetricDataQueries": [
            {
                "Id": query.id,
                "MetricStat": {
                    "Metric": {
                        "Namespace": query.namespace,
                        "MetricName": query.metric,
                        "Dimensions": [{"Name": name, "Value": value} for name, value in query.dimensions],
                    },
                    "Period": query.period_s,
                    "Stat": query.statistic,
                },
            }
            for query in behind
        ],
        "StartTime": change.at - span_s,
        "EndTime": change.at,
        "ScanBy": "TimestampDescending",
    }


def values_found(answers: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The newest value of each query of a GetMetricData answer's results that has one."""
    return {answer["Id"]: answer["Values"][0] for answer in answers if answer["Values"]}
