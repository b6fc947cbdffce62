"""The trace tree that every report stands on: spans in integer microseconds, and the ledger of what was repaired."""

from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct


class Repair(StrEnum):
    """What had to be put right, or left out, to make a tree of what X-Ray returned."""

    BROKEN_DOCUMENT = "broken segment document"
    BROKEN_SUBSEGMENT = "broken subsegment"
    IMPLAUSIBLE_TIME = "time far from the rest of the trace"
    NEGATIVE_DURATION = "negative duration"
    SUPERSEDED = "in progress, completed later"
    DUPLICATE_ID = "duplicate id"
    MERGED = "separate subsegment merged"
    ORPHAN = "parent missing"
    DETACHED = "subsegment of another function detached"
    CYCLE = "cycle cut"
    CENSORED = "in progress, end taken from its children"
    REPARENTED = "initialization moved before its function"
    PRE_INITIALISED = "initialised before the request"
    CLAMPED = "overrun clamped to the parent"
    SHIFTED = "moved back by what clocks differ"
    EARLY = "starts before its parent"
    DURATION = "length is not the one that X-Ray tells"
    LIMIT_EXCEEDED = "trace too long for X-Ray"
    EMPTY = "no usable segment"
    DUPLICATE_TRACE = "duplicate trace"


class Span(Struct, frozen=True, gc=False):
    """A segment or subsegment after repair. A struct, made in a quarter of the time: a report makes millions."""

    id: str
    name: str
    start: int
    """Epoch microseconds."""
    end: int
    """Epoch microseconds, never before `start`."""
    parent: int
    """Position of the parent in Trace.spans, always a lower one; -1 for a root."""
    segment: bool
    """A segment, as opposed to a subsegment."""
    origin: str
    namespace: str
    operation: str
    resource: str
    """Table, queue, bucket, function, ... that a call went to; empty if not said."""
    status: int
    """HTTP status of the response; 0 if not said."""
    error: bool
    fault: bool
    throttle: bool
    inferred: bool
    """Made by X-Ray from the caller's subsegment: the same time seen a second time."""
    asynchronous: bool
    """It outlives its parent, which did not wait for it."""
    censored: bool
    """Its end was never reported."""
    precursors: tuple[str, ...]
    """Ids of siblings that are known to have finished before it."""
    qualifier: str = ""
    """The version or alias of the Lambda function, where its ARN names one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    id: str
    spans: tuple[Span, ...]
    """Parents before children; the first is the root, further spans with parent -1 hang nowhere."""
    repairs: tuple[tuple[str, int], ...]
    """(Repair, how often), sorted."""
    limit_exceeded: bool = False
    """X-Ray cut the trace: its times are not the request's."""
    region: str = ""
    """That of the earliest segment whose own resource, or function, is named by an ARN; empty if none is."""
