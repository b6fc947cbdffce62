"""How many traces are listed and how many will be read -> what that takes: calls, time, USD. Pure."""

from dataclasses import dataclass
from math import ceil

from monitors import quotas
from monitors.cost import price

CALLS_PER_S = 5.0
"""The pace to reckon with. X-Ray publishes none; readers adapt to what it lets through."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """What reading traces takes. Listing them is in the USD, but behind us: without it nothing can be chosen."""

    recorded: int
    """Traces that X-Ray recorded in the windows; about, where not all were listed."""
    listed: int
    """Of these, those that were listed: all, or an even part where they are too many."""
    chosen: int
    kept: int
    """Of the chosen, those that a file has already."""
    calls: int
    seconds: float
    usd: float
    """At list price, of listing and reading, as if the month's free ones were used up."""
    free: int
    """Traces listed or read that are free in a month."""


def effort(*, recorded: int, listed: int, chosen: int, kept: int = 0) -> Effort:
    """What it takes to read the chosen traces that are not kept; BatchGetTraces, in full calls."""
    reading = chosen - kept
    calls = ceil(reading / quotas.TRACES_PER_CALL)
    return Effort(
        recorded=recorded,
        listed=listed,
        chosen=chosen,
        kept=kept,
        calls=calls,
        seconds=calls / CALLS_PER_S,
        usd=price(listed + reading, quotas.TRACE_READ),
        free=quotas.TRACE_READ.free,
    )


def words(found: Effort) -> str:
    """The effort in a sentence."""
    had = f", {found.kept:,} of which are kept already" if found.kept else ""
    span = f"{found.seconds:,.0f} s" if found.seconds < 120 else f"{found.seconds / 60:,.0f} min"
    there = f"X-Ray lists {found.listed:,} traces"
    if found.listed < found.recorded:
        there = f"X-Ray has about {found.recorded:,} traces, of which {found.listed:,} drawn evenly were listed"
    return (
        f"{there}; {found.chosen:,} will be read{had}: {found.calls:,} calls,"
        f" about {span} at {CALLS_PER_S:g} a second, {found.usd:,.4f} USD with the listing"
        f" (the first {found.free:,} traces of a month are free)."
    )
