"""The records that flow at run time, one per log line or sample.

Named tuples, not dataclasses: the log subscription Lambda imports this file, and `dataclasses` alone costs it 19 ms of
every cold start.
"""

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

    @property
    def cold(self) -> bool:
        """The sandbox was started (or restored) for this invocation."""
        return self.init_ms is not None or self.restore_ms is not None

    @property
    def version(self) -> str:
        """The function version, read from the log stream's name: `2026/11/23/[7]0a1b...` -> `7`."""
        _, bracket, rest = self.log_stream.partition("[")
        return rest.partition("]")[0] if bracket else ""


class Sample(NamedTuple):
    """One value of one custom metric, ready to be grouped into EMF."""

    namespace: str
    name: str
    unit: str
    value: float
    timestamp_ms: int
    dimensions: tuple[tuple[str, str], ...] = ()
