"""The records that flow at run time, one per log line or sample.

Named tuples, not dataclasses: the log subscription Lambda imports this file, and `dataclasses` alone costs it 19 ms of
every cold start.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Invocation(NamedTuple):
    """One REPORT line or platform.report record: what AWS says of one invocation. Times in ms, memory in MB."""

    function: str
    log_stream: str
    request_id: str
    timestamp_ms: int
    duration_ms: float
    billed_ms: float | None
    memory_mb: int | None
    used_mb: int | None
    init_ms: float | None = None
    restore_ms: float | None = None
    billed_restore_ms: float | None = None
    status: str = "success"
    """success, error, failure or timeout, in AWS's words."""
    error_type: str = ""
    trace_id: str = ""
    segment_id: str = ""
    sampled: bool | None = None

    @property
    def kind(self) -> str:
        """Which platform line this was, in the words of PlatformEvent.kind: always a report."""
        return "report"

    @property
    def max_memory_mb(self) -> int | None:
        """`used_mb` in AWS's words: Max Memory Used."""
        return self.used_mb

    @property
    def cold(self) -> bool:
        """The sandbox was started (or restored) for this invocation."""
        return self.init_ms is not None or self.restore_ms is not None

    @property
    def version(self) -> str:
        """The function version, read from the log stream's name: `2026/11/23/[7]0a1b...` -> `7`."""
        _, bracket, rest = self.log_stream.partition("[")
        return rest.partition("]")[0] if bracket else ""


class PlatformEvent(NamedTuple):
    """Any other line of the platform's own; None where the line doesn't say. Times in ms unless named otherwise."""

    kind: str
    """init_start, init_report, init_runtime_done, restore_start, restore_report, restore_runtime_done, start, end,
    runtime_done, task_timeout, runtime_exit, extension, logs_subscription, telemetry_subscription, logs_dropped, fault;
    of the JSON format also whatever AWS adds, in this spelling."""
    function: str
    log_stream: str
    timestamp_ms: int
    request_id: str | None = None
    duration_ms: float | None = None
    init_ms: float | None = None
    restore_ms: float | None = None
    status: str | None = None
    """In AWS's words; of an extension its State."""
    error_type: str | None = None
    phase: str | None = None
    init_type: str | None = None
    version: str | None = None
    """The function's version on a start, the runtime's on an init_start or restore_start."""
    trace_id: str | None = None
    segment_id: str | None = None
    sampled: bool | None = None
    timeout_s: float | None = None
    reason: str | None = None
    name: str | None = None
    """The extension or subscriber that the line is about."""


class Sample(NamedTuple):
    """One value of one custom metric, ready to be grouped into EMF."""

    namespace: str
    name: str
    unit: str
    value: float
    timestamp_ms: int
    dimensions: tuple[tuple[str, str], ...] = ()


Group = tuple[str, tuple[tuple[str, str], ...], int]
"""What one EMF record can be about: namespace, dimensions, start of the minute in epoch ms."""
Table = dict[Group, dict[tuple[str, str], list[str]]]
"""The samples of a batch by columns: group -> (metric name, unit) -> values, as JSON numerals. 10,000 lines make 20,000
samples: a tuple for each, or turning numerals into floats and back, would cost more than reading the lines."""


def numeral(value: float) -> str:
    """The number as JSON writes it. NaN and infinities, which JSON does not know, are left to who writes the JSON."""
    return repr(value).removesuffix(".0")


def tabulate(samples: Iterable[Sample]) -> Table:
    """The same samples by columns; timestamps become minutes, CloudWatch's own resolution."""
    table: Table = {}
    for namespace, name, unit, value, timestamp_ms, dimensions in samples:
        columns = table.setdefault((namespace, dimensions, timestamp_ms - timestamp_ms % 60_000), {})
        columns.setdefault((name, unit), []).append(numeral(value))
    return table
