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
    """A (two sizes seen), B (indirect evidence), C (measured prior only)."""
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
    """leak, growth, clipped, killed, timeouts, few_data, mixed_epochs"""
    sizes: tuple[SizePoint, ...]


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
