"""The latency report's records: what `aggregate` makes and the pages show. Times in ms unless a name says otherwise."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantiles:
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseTime:
    """Mean time on the response path in one phase, of requests about a percentile and of the slowest 5 %."""

    phase: str
    """gateway, hop, dispatch, container_start, runtime_start, restore, handler, dependency, overhead, ..."""
    target: str
    """The dependency's resource and operation (`DynamoDB Query shop-orders`); empty for other phases."""
    middle_ms: float
    """From 40 to 60 %."""
    p95_ms: float
    """From 94 to 96 %."""
    p99_ms: float
    """From 98.5 to 99.5 %."""
    tail_ms: float
    """From 95 to 100 %."""
    worst_ms: float
    """The most that one request spent here."""
    worst_trace: str

    @property
    def excess_ms(self) -> float:
        """What this phase adds to the tail; the sum over phases is the tail's whole excess."""
        return self.tail_ms - self.middle_ms


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """What all spans of a window say of a function, or of a call: how many, how they ended, and how long they took."""

    spans: int
    faults: int
    """Ended with a status of 500 and more, or failed without one of 400 and more."""
    errors: int
    """With a status from 400 to 499, throttled ones included."""
    throttles: int
    cold: int | None
    """Containers started or restored, those made ready beforehand too; None where spans don't tell."""
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    of: float | None = None
    """About how many there were, where only a part of the requests is traced: then percentiles are of that part."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ColdStarts:
    """What the requests of a function that waited for a container waited for, as means, and how long they took."""

    requests: float
    """How many there were, after the sampling correction."""
    container_ms: float
    """Until the runtime began: a container, and the code in it."""
    runtime_ms: float
    """Runtime, extensions and the code outside the handler."""
    restore_ms: float
    """Of a SnapStart snapshot, in place of these."""
    response: Quantiles
    warm: Quantiles | None
    """Of the other requests, if there are any."""


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
    cold: ColdStarts | None = None
    counted: Counted | None = None
    """If all spans were counted: `requests`, `response` and `fault_share` are theirs, unless these are a part `of` the
    requests, and `traces` may be 0."""
    counted_before: Counted | None = None
    """The same of the window before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EdgeLatency:
    caller: str
    callee: str
    operation: str
    calls: int
    response: Quantiles
    fault_share: float
    counted: Counted | None = None
    """If all spans were counted; `calls`, `response` and `fault_share` are theirs unless they are but a part."""
    counted_before: Counted | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PathTime:
    """A leaf of an entry's tree: time spent in one phase at the end of one path of calls, a mean over each band."""

    path: tuple[str, ...]
    """The services, calls and parts of code below the entry, each called by the one before; empty for its own time."""
    phase: str
    """As in PhaseTime; `other` for what is too small to be told apart."""
    middle_ms: float
    tail_ms: float
    traces: int
    """How many of the entry's traces have it on their response path; of `other`, its most frequent part."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryPaths:
    """The response paths of all traces that begin at one entry point, as a tree."""

    entry: str
    """The name of the traces' root: a function, a state machine, or a gateway and what it passed the request to."""
    traces: int
    requests: float
    """How many requests the traces stand for, after the sampling correction."""
    response: Quantiles
    times: tuple[PathTime, ...]
    """In the middle and in the tail they add up to the mean response time of that band."""
    exemplars: tuple[tuple[str, str], ...]
    """(what it is an example of, trace id): p50, p95, p99, worst."""


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
    mix: str = ""
    """The kind of request (cold, of a version, of a caller) whose share made at least half of the change, in words."""
    since: float | None = None
    """Epoch seconds of the hour that best splits both windows in two levels; None where too few hours tell."""
    deployed: float | None = None
    """Epoch seconds at which the function's code or settings changed, if that was about then."""
    memory_mb: tuple[int, int] | None = None
    """The function's memory size before and after, if it is another now."""


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
    entries: tuple[EntryPaths, ...] = ()
    """Those on which most time was spent first."""
    completions: tuple[EntryPaths, ...] = ()
    """The same of the requests that set off work which went on after the response: until its end."""
    compared: int | None = None
    """Functions compared with the window before; None where there was none."""
    before: tuple[float, float] | None = None
    """When the first and the last request of that window began, epoch seconds."""
    region: str = ""
    """Where the traces are; empty if not known, or if they are of several Regions."""
