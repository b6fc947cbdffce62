"""The latency report's records: what `aggregate` makes and the pages show. Times in ms unless a name says otherwise."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantiles:
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseTime:
    """Time on the response path in one phase: its mean in the middle (40-60 %) and in the slowest 5 %."""

    phase: str
    """gateway, hop, dispatch, container_start, runtime_start, restore, handler, dependency, overhead, ..."""
    target: str
    """The dependency's resource and operation (`DynamoDB Query shop-orders`); empty for other phases."""
    middle_ms: float
    tail_ms: float

    @property
    def excess_ms(self) -> float:
        """What this phase adds to the tail; the sum over phases is the tail's whole excess."""
        return self.tail_ms - self.middle_ms


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionLatency:
    function: str
    traces: int
    requests: float
    """How many requests the traces stand for, after the sampling correction."""
    response: Quantiles
    cold_share: float
    tail_cold_share: float
    fault_share: float
    phases: tuple[PhaseTime, ...]
    exemplars: tuple[tuple[str, str], ...]
    """(what it is an example of, trace id): p50, p95, p99, worst."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EdgeLatency:
    caller: str
    callee: str
    operation: str
    calls: int
    response: Quantiles
    fault_share: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """This window against the one before, for one measure of one function."""

    function: str
    measure: str
    """p50_ms, p95_ms, cold_share or fault_share."""
    before: float
    after: float
    low: float
    high: float
    """95 % interval of after - before."""
    blamed: str
    """The phase and target that moved most, in words; empty if none stands out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LatencyReport:
    start: float
    end: float
    """Epoch seconds."""
    traces_read: int
    traces_used: int
    functions: tuple[FunctionLatency, ...]
    edges: tuple[EdgeLatency, ...]
    changes: tuple[Change, ...]
    ledger: tuple[tuple[str, int], ...]
    """(repair, how often)"""
    notes: tuple[str, ...]
    """Method and limits, in words."""
