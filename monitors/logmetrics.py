r"""Log lines of one function and minute -> what Lambda says of itself, as metric samples. Pure.

By columns rather than line by line: the log subscriber has about a microsecond for a line. One search goes over the
lines joined by \0, and stops only where a line has something to tell.
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import lru_cache
from operator import mul
from typing import NamedTuple

from monitors import applines
from monitors.applines import ERROR_LEVELS, LEVELS, leveled
from monitors.loglines import REQUEST, parse, plain_report, plain_report_of, platform_opening
from monitors.names import LOG_METRICS
from monitors.records import Invocation, PlatformEvent, Sample, Table, numeral
from monitors.rightsize.prices import Price

Metric = tuple[str, str]
"""(name, unit)"""
DURATION: Metric = ("Duration", "Milliseconds")
BILLED: Metric = ("BilledDuration", "Milliseconds")
USED: Metric = ("MaxMemoryUsed", "Megabytes")
USED_PERCENT: Metric = ("MemoryUsedPercent", "Percent")
COLD_STARTS: Metric = ("ColdStarts", "Count")
INIT: Metric = ("InitDuration", "Milliseconds")
RESTORE: Metric = ("RestoreDuration", "Milliseconds")
TIMEOUTS: Metric = ("Timeouts", "Count")
OUT_OF_MEMORY: Metric = ("OutOfMemory", "Count")
ERRORS: Metric = ("LogErrors", "Count")
"""By function; and by function and ErrorType, of the lines that name one."""
COST: Metric = ("EstimatedCost", "None")
"""USD: billed time and requests, without free tier, savings plans or what else costs money."""

ERROR_TYPES = 30
"""Distinct types of error that are told apart of one function in one container of the subscriber."""
OTHER = "(other)"
"""The value of every dimension of the samples beyond."""


Dimensions = tuple[tuple[str, str], ...]


class Lines(NamedTuple):
    """Messages of one log stream within one minute."""

    log_group: str
    function: str
    """Empty where the names of group and stream don't tell: then only users' definitions apply."""
    account: str
    """Empty where it is the subscriber's own."""
    minute_ms: int
    messages: Sequence[str]
    joined: str
    r"""All of them, each between two \0; a \0 of their own is \1 here."""

    @property
    def of_account(self) -> Dimensions:
        """What tells another account's lines from this one's, whose functions may have the same names."""
        return (("AccountId", self.account),) if self.account else ()

    @property
    def dimensions(self) -> Dimensions:
        """Whose metrics those out of the lines are."""
        return (("FunctionName", self.function), *self.of_account)


Request = tuple[Metric, Dimensions, str]
"""(TIMEOUTS or OUT_OF_MEMORY, dimensions, request id)"""


class Incident(NamedTuple):
    """A line's sign that a request ran into its timeout or out of memory. Several lines may tell of the same."""

    request: Request
    """The request id is empty where the line doesn't say."""
    minute_ms: int


class Reading(NamedTuple):
    """What some lines gave."""

    table: Table
    told: int
    """How many of them gave it."""
    incidents: Sequence[Incident] = ()
    errors: Sequence[str] = ()
    """The types of error, one for each line that names its own."""


class _Said(NamedTuple):
    """What one line gives."""

    values: Sequence[tuple[Metric, float]] = ()
    signs: Sequence[tuple[Metric, str]] = ()
    """(TIMEOUTS or OUT_OF_MEMORY, request id)"""
    error_type: str = ""
    cost: float = 0


_QUIET = leveled(f"(?:{'|'.join(sorted(LEVELS - ERROR_LEVELS))})") + "|(?:START|END) RequestId: "
_telling = re.compile(rf"\0(?:{plain_report_of(REQUEST)}\s*+(?=\0)|(?!{_QUIET})([^\0]++))").findall
"""Finds every plain report, by its numerals, and every other line that may have something to tell."""
_quiet = re.compile(_QUIET).match
_SEPARATOR = "\0"


def gathered(log_group: str, function: str, minute_ms: int, messages: Sequence[str], *, account: str = "") -> Lines:
    """The lines, with the text that is searched."""
    clean = messages
    if _SEPARATOR in "".join(messages):
        clean = [message.replace(_SEPARATOR, "\1") for message in messages]
    return Lines(log_group, function, account, minute_ms, messages, _SEPARATOR.join(("", *clean, "")))


def platform(lines: Lines, price: Price) -> Reading:
    """The built-in metrics of the lines' function; timeouts and lacks of memory as incidents, for `merged` to count;
    the types of errors, for `error_samples`.
    """
    if not lines.function:
        return Reading({}, 0)
    rows = _telling(lines.joined)
    plain = [row for row in rows if not row[-1]]
    columns, cost = _plain_columns(plain, price)
    told, incidents, errors = len(plain), [], []
    for message in [row[-1] for row in rows if row[-1]] if len(plain) < len(rows) else ():
        said = _said(message, price)
        for metric, value in said.values:
            columns.setdefault(metric, []).append(numeral(value))
        incidents += [Incident((metric, lines.dimensions, request), lines.minute_ms) for metric, request in said.signs]
        errors += [said.error_type] if said.error_type else []
        cost += said.cost
        told += _tells(said)
    if cost:
        columns[COST] = [numeral(cost)]
    group = (LOG_METRICS, lines.dimensions, lines.minute_ms)
    return Reading({group: columns} if columns else {}, told, incidents, errors)


def tells(message: str) -> bool:
    """Whether `platform` counts the message among those that told something."""
    return bool(plain_report(message)) or (not _quiet(message) and _tells(_said(message, _FREE)))


def _tells(said: _Said) -> bool:
    return bool(said.values or said.signs)


def _plain_columns(rows: Sequence[tuple[str, ...]], price: Price) -> tuple[dict[Metric, list[str]], float]:
    """(duration, billed ms, memory size, memory used) of plain reports -> their metrics, and the cost."""
    if not rows:
        return {}, 0
    durations, billed, sizes, used, _ = zip(*rows, strict=True)
    if sizes.count(sizes[0]) == len(sizes):
        mb_ms = int(sizes[0]) * sum(map(int, billed))
    else:
        mb_ms = sum(map(mul, map(int, billed), map(int, sizes)))
    columns = {
        DURATION: list(durations),
        BILLED: list(billed),
        USED: list(used),
        USED_PERCENT: list(map(_percent, used, sizes)),
    }
    return columns, _cost(mb_ms, len(rows), price)


def _said(message: str, price: Price) -> _Said:
    """What a line that is not a plain report gives."""
    record = parse(message) if platform_opening(message) else None
    if isinstance(record, Invocation):
        return _Said(_values(record), _signs(record), record.error_type, _invocation_cost(record, price))
    if record is not None:
        return _Said(signs=_signs(record))
    if applines.level(message) not in ERROR_LEVELS:
        return _Said()
    signs = [(OUT_OF_MEMORY, applines.request_id(message))] if applines.out_of_memory(message) else []
    return _Said([(ERRORS, 1)], signs, applines.error_type(message))


def _values(report: Invocation) -> list[tuple[Metric, float]]:
    sized = report.used_mb is not None and report.memory_mb
    values = (
        (DURATION, report.duration_ms),
        (BILLED, report.billed_ms),
        (USED, report.used_mb),
        (USED_PERCENT, float(_percent(str(report.used_mb), str(report.memory_mb))) if sized else None),
        (COLD_STARTS, 1 if report.cold else None),
        (INIT, report.init_ms),
        (RESTORE, report.restore_ms),
    )
    return [(metric, value) for metric, value in values if value is not None]


def _invocation_cost(report: Invocation, price: Price) -> float:
    """Lambda Managed Instances are billed by the instance: their reports name no billed time."""
    if report.billed_ms is None or report.memory_mb is None:
        return 0
    return _cost(report.billed_ms * report.memory_mb, 1, price)


def _cost(mb_ms: float, requests: int, price: Price) -> float:
    return mb_ms / 1024 / 1000 * price.gb_second + requests * price.request


@lru_cache(maxsize=4096)
def _percent(used_mb: str, memory_mb: str) -> str:
    """Cut to a hundredth, not rounded: 100 is full."""
    return numeral(int(used_mb) * 10_000 // int(memory_mb) / 100)


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


# --- what a batch's lines come to together -------------------------------------------------------


def merged(incidents: Iterable[Incident], *, known: Container[Request]) -> list[Incident]:
    """One incident a request, the earliest, in whatever order the lines came; none of a request already known.

    Lines that name no request are taken to tell of the same ones as those that do, and count where there are more.
    """
    earliest: dict[Request, Incident] = {}
    unnamed: dict[tuple[Metric, Dimensions], list[Incident]] = {}
    for incident in sorted(incidents, key=lambda incident: incident.minute_ms):
        metric, dimensions, request = incident.request
        if request:
            earliest.setdefault(incident.request, incident)
        else:
            unnamed.setdefault((metric, dimensions), []).append(incident)
    named = Counter(request[:2] for request in earliest)
    beyond = [incident for kind, found in unnamed.items() for incident in found[named[kind] :]]
    return [incident for request, incident in earliest.items() if request not in known] + beyond


def incident_samples(incidents: Iterable[Incident]) -> Iterator[Sample]:
    """A count of 1 for each."""
    for ((name, unit), dimensions, _), minute_ms in incidents:
        yield Sample(LOG_METRICS, name, unit, 1, minute_ms, dimensions)


def error_table(lines: Lines, errors: Iterable[str], known: frozenset[str]) -> tuple[Table, frozenset[str]]:
    """The counts of the types of error, and which types are known of the function now: at most ERROR_TYPES, and
    OTHER for those beyond.
    """
    table: Table = {}
    name, unit = ERRORS
    for kind, count in Counter(errors).items():
        told = kind if kind in known or len(known) < ERROR_TYPES else OTHER
        known |= {told} - {OTHER}
        group = (LOG_METRICS, (*lines.dimensions, ("ErrorType", told)), lines.minute_ms)
        columns = table.setdefault(group, {})
        columns.setdefault((name, unit), []).extend(["1"] * count)
    return table, known


_FREE = Price(0, 0)
