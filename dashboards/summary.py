"""What the front page shows, as records: the demo or an audit fills them in, `pages.index_page` draws them."""

from dataclasses import dataclass

from dashboards.vega import Chart
from monitors.model import State


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    name: str
    seconds: float
    outcome: str
    """What came of it, in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionRow:
    function: str
    facts: str
    """Of its service: runtime, memory, timeout, what feeds it."""
    alarms: int
    state: State
    """The worst state among its alarms."""
    errors: int
    p95_ms: float | None
    memory_used: float | None
    """Highest share of its memory ever in use, 0 to 1."""
    link: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmRow:
    name: str
    rule: str
    resource: str
    title: str
    """The rule in words: `Dead letters`."""
    meaning: str
    """What it means when it is on; may be empty."""
    state: State
    since_s: float | None
    """Epoch seconds; None if it never changed."""
    level: str
    """In words: `above 3 errors a minute, 3 of 5 minutes`."""
    reason: str
    note: str = ""
    """Anything else to know of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """A notification as it was received."""

    channel: str
    subject: str
    body: str
    at_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Planted:
    """A fault put in on purpose, and whether it was seen."""

    fault: str
    found: str
    """Empty if nothing was found."""
    verdict: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CostRow:
    what: str
    quantity: str
    usd_month: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    functions: int
    functions_covered: int
    resources: int
    """Of every kind, functions included."""
    resources_covered: int
    stated: int
    """Not covered, for a stated reason."""
    incomplete: tuple[str, ...] = ()
    """What could not be read, in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    words: str
    address: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    title: str
    generated_s: float
    """Epoch seconds."""
    steps: tuple[Step, ...]
    functions: tuple[FunctionRow, ...]
    alarms: tuple[AlarmRow, ...]
    notices: tuple[Notice, ...]
    planted: tuple[Planted, ...]
    costs: tuple[CostRow, ...]
    coverage: Coverage
    thin: tuple[str, ...]
    """What this account or emulator cannot show, in words."""
    charts: tuple[Chart, ...]
    links: tuple[Link, ...] = ()
