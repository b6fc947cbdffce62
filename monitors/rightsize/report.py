"""The memory report's records: what `advise` makes and the pages show."""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    LOWER = "lower"
    RAISE = "raise"
    KEEP = "keep"
    UNKNOWN = "unknown"
    """Not enough data to say."""


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    expected: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SizePoint:
    """One memory size: what was measured at it, or is predicted for it."""

    memory_mb: int
    p95_ms: Interval
    cost_usd_month: Interval
    observed: bool
    """Measured, in its own logs or by Power Tuning."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UsedBin:
    """How many sandboxes used at most so much."""

    over_mb: int
    to_mb: int
    """More than the one, up to and with the other: what is clipped at a size lies below it."""
    sandboxes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OnArm64:
    """What the present use would do on arm64 at the present memory size: to be tested before it is believed."""

    p95_ms: Interval
    usd_month: Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryAdvice:
    function: str
    memory_mb: int
    advised_mb: int
    """Equal to `memory_mb` for keep and unknown."""
    action: Action
    kind: str
    """CPU, IO, mixed or unknown: what bounds its duration."""
    confidence: str
    """A (two sizes seen, or by Power Tuning), B (twins, CPU time, sizes near each other), C (measured prior only)."""
    architecture: str
    invocations: int
    sandboxes: int
    days: float
    used_mb: int
    """Highest Max Memory Used of any sandbox."""
    floor_mb: int
    """Never advised below this."""
    clipped: bool
    """Use reached the size: the true need is unknown."""
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cold_share: float
    init_ms: float | None
    now_usd_month: float
    then_usd_month: Interval
    then_p95_ms: Interval
    reasons: tuple[str, ...]
    """In words, most important first."""
    flags: tuple[str, ...]
    """leak, growth, clipped, killed, timeouts, few_data, mixed_epochs; unseen: measured at other sizes than it has"""
    sizes: tuple[SizePoint, ...]
    used: tuple[UsedBin, ...] = ()
    """Highest Max Memory Used by sandbox: at most 40 bins of equal width from 0 to the size or the floor, lowest first,
    empty ones left out."""
    arm64: OnArm64 | None = None
    """None on arm64, and where it is not known to cost less."""


class Outcome(StrEnum):
    APPLIED = "applied"
    PARTLY = "partly"
    """Another size, in the direction of the advice."""
    NOT = "not applied"
    GONE = "not invoked"


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A prediction, and what was measured."""

    predicted: Interval
    measured: float
    inside: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """What became of a function's advice."""

    function: str
    action: Action
    was_mb: int
    advised_mb: int
    now_mb: int | None
    """None if it was not invoked."""
    outcome: Outcome
    p95_ms: Held | None
    """None unless applied, and invoked often enough since."""
    usd_month: Held | None
    """Predicted for the invocations of now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowUp:
    """What became of an earlier report's advice to lower or raise, in that report's order."""

    start: float
    end: float
    """Epoch seconds of what the earlier report read."""
    advice: tuple[Followed, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryReport:
    start: float
    end: float
    """Epoch seconds of the first and last invocation read."""
    invocations: int
    advice: tuple[MemoryAdvice, ...]
    prices_date: str
    region: str
    notes: tuple[str, ...]
    before: FollowUp | None = None
    """None if no earlier report was at hand."""
