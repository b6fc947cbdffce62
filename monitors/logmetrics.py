"""Log lines of one function and minute -> what Lambda says of itself, as metric samples. Pure.

By columns rather than line by line: the log subscriber has about a microsecond for a line.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from monitors.loglines import (
    ERROR_LEVELS,
    level,
    out_of_memory,
    parse,
    plain_report,
    platform_opening,
    request_id,
    says_nothing,
)
from monitors.names import LOG_METRICS
from monitors.records import Invocation, PlatformEvent, Sample, Table

Metric = tuple[str, str]
"""(name, unit)"""
BILLED: Metric = ("BilledDuration", "Milliseconds")
USED: Metric = ("MaxMemoryUsed", "Megabytes")
USED_PERCENT: Metric = ("MemoryUsedPercent", "Percent")
COLD_STARTS: Metric = ("ColdStarts", "Count")
INIT: Metric = ("InitDuration", "Milliseconds")
RESTORE: Metric = ("RestoreDuration", "Milliseconds")
TIMEOUTS: Metric = ("Timeouts", "Count")
OUT_OF_MEMORY: Metric = ("OutOfMemory", "Count")
ERRORS: Metric = ("LogErrors", "Count")


class Lines(NamedTuple):
    """Messages of one log stream within one minute."""

    log_group: str
    function: str
    """Empty where the names of group and stream don't tell: then only users' definitions apply."""
    minute_ms: int
    messages: Sequence[str]


Request = tuple[Metric, str, str]
"""(TIMEOUTS or OUT_OF_MEMORY, function, request id)"""


class Incident(NamedTuple):
    """A line's sign that a request ran into its timeout or out of memory. Several lines may tell of the same."""

    request: Request
    """The request id is empty where the line doesn't say."""
    minute_ms: int


class Reading(NamedTuple):
    """What some lines gave, and the positions of those that gave it."""

    table: Table
    told: set[int]
    incidents: Sequence[Incident] = ()


def platform(lines: Lines) -> Reading:
    """The built-in metrics of the lines' function; timeouts and lacks of memory as incidents, for `merged` to count."""
    if not lines.function:
        return Reading({}, set())
    reports = list(map(plain_report, lines.messages))
    told = {position for position, report in enumerate(reports) if report}
    columns = _plain_columns([report.group(3, 4, 5) for report in reports if report])
    incidents: list[Incident] = []
    for position, message in enumerate(lines.messages):
        if reports[position] or says_nothing(message):
            continue
        values, signs = _line(message)
        for metric, value in values:
            columns.setdefault(metric, []).append(value)
        incidents += [Incident((metric, lines.function, request), lines.minute_ms) for metric, request in signs]
        if values or signs:
            told.add(position)
    group = (LOG_METRICS, _dimensions(lines.function), lines.minute_ms)
    return Reading({group: columns} if columns else {}, told, incidents)


def merged(incidents: Iterable[Incident], *, known: Container[Request]) -> list[Incident]:
    """One incident a request, the earliest, in whatever order the lines came; none of a request already known.

    Lines that name no request are taken to tell of the same ones as those that do, and count where there are more.
    """
    earliest: dict[Request, Incident] = {}
    unnamed: dict[tuple[Metric, str], list[Incident]] = {}
    for incident in sorted(incidents, key=lambda incident: incident.minute_ms):
        metric, function, request = incident.request
        if request:
            earliest.setdefault(incident.request, incident)
        else:
            unnamed.setdefault((metric, function), []).append(incident)
    named = Counter(request[:2] for request in earliest)
    beyond = [incident for kind, found in unnamed.items() for incident in found[named[kind] :]]
    return [incident for request, incident in earliest.items() if request not in known] + beyond


def incident_samples(incidents: Iterable[Incident]) -> Iterator[Sample]:
    """A count of 1 for each."""
    for ((name, unit), function, _), minute_ms in incidents:
        yield Sample(LOG_METRICS, name, unit, 1, minute_ms, _dimensions(function))


def _dimensions(function: str) -> tuple[tuple[str, str], ...]:
    return (("FunctionName", function),)


def _plain_columns(rows: Sequence[tuple[str, ...]]) -> dict[Metric, list[float]]:
    """(billed ms, memory size, memory used) as plain_report matched them -> their metrics."""
    if not rows:
        return {}
    billed, sizes, used = zip(*rows, strict=True)
    used_mb: list[float] = list(map(int, used))
    return {
        BILLED: list(map(int, billed)),
        USED: used_mb,
        USED_PERCENT: list(map(_percent, used_mb, map(int, sizes))),
    }


def _line(message: str) -> tuple[list[tuple[Metric, float]], list[tuple[Metric, str]]]:
    """(metric, value) and (TIMEOUTS or OUT_OF_MEMORY, request id) pairs of a line that is not a plain report."""
    record = parse(message) if platform_opening(message) else None
    if record is not None:
        return _values(record) if isinstance(record, Invocation) else [], _signs(record)
    if level(message) not in ERROR_LEVELS:
        return [], []
    return [(ERRORS, 1)], [(OUT_OF_MEMORY, request_id(message))] if out_of_memory(message) else []


def _values(report: Invocation) -> list[tuple[Metric, float]]:
    sized = report.used_mb is not None and report.memory_mb
    values = (
        (BILLED, report.billed_ms),
        (USED, report.used_mb),
        (USED_PERCENT, _percent(report.used_mb or 0, report.memory_mb or 1) if sized else None),
        (COLD_STARTS, 1 if report.cold else None),
        (INIT, report.init_ms),
        (RESTORE, report.restore_ms),
    )
    return [(metric, value) for metric, value in values if value is not None]


def _percent(used_mb: float, memory_mb: int) -> float:
    """Cut to a hundredth, not rounded: 100 is full."""
    return used_mb * 10_000 // memory_mb / 100


def _signs(record: Invocation | PlatformEvent) -> list[tuple[Metric, str]]:
    """Whether the request timed out, and whether it ran out of memory, as far as this record knows.

    All memory used proves it of an invocation that failed; one that timed out may have been busy collecting garbage.
    """
    timed_out = record.status == "timeout" and record.kind in ("report", "runtime_done")
    killed = record.error_type == "Runtime.OutOfMemory"
    if isinstance(record, Invocation):
        full = bool(record.memory_mb) and (record.used_mb or 0) >= (record.memory_mb or 0)
        killed |= full and record.status in ("error", "failure")
    else:
        timed_out |= record.kind == "task_timeout"
        killed |= record.kind == "runtime_exit" and record.reason == "signal: killed"
    request = record.request_id or ""
    return [(metric, request) for metric, is_so in ((TIMEOUTS, timed_out), (OUT_OF_MEMORY, killed)) if is_so]
