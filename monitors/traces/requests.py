"""Trace -> one record for every invocation and every call in it: what the report's figures are made of."""

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from monitors.traces.labels import CALLS, SERVICE, Label
from monitors.traces.phases import View, cold, function_path, functions, handled
from monitors.traces.repairing import FUNCTION, LAMBDA
from monitors.traces.tree import Span


class Request(Struct, frozen=True, gc=False):
    """One invocation of one function."""

    function: str
    trace_id: str
    start: int
    """Epoch microseconds."""
    duration: int
    """Microseconds."""
    cold: bool
    failed: bool
    phases: tuple[tuple[Label, int], ...]
    """Microseconds by phase and target; they add up to `duration`."""
    weight: float = 1.0
    """How many invocations it stands for."""
    caller: str = ""
    """The nearest service above it that has a segment of its own; empty where the trace begins with it."""
    qualifier: str = ""
    """The version or alias that was invoked, where the trace says so."""


class Call(Struct, frozen=True, gc=False):
    """One call as the caller saw it: network, retries and all."""

    caller: str
    callee: str
    operation: str
    start: int
    """Epoch microseconds at which the caller's own request began."""
    duration: int
    """Microseconds."""
    failed: bool


def invocations(seen: View, trace_id: str) -> Iterator[Request]:
    """Every invocation whose end was reported."""
    for node in functions(seen):
        span = seen.spans[node]
        if span.censored:
            continue
        times: defaultdict[Label, int] = defaultdict(int)
        for section in function_path(seen, node).sections:
            times[section.label] += section.end - section.start
        yield Request(
            function=_function(seen, node),
            trace_id=trace_id,
            start=span.start,
            duration=span.end - span.start,
            cold=cold(seen, node),
            failed=any(_failed(seen.spans[i]) for i in (node, *handled(seen, node))),
            phases=tuple(times.items()),
            caller=_caller(seen, node),
            qualifier=span.qualifier,
        )


def calls(seen: View) -> Iterator[Call]:
    """Every finished subsegment that is a call to something else, asynchronous work included."""
    owners: list[int] = []
    for i, span in enumerate(seen.spans):
        owners.append(i if (span.segment and not span.inferred) or span.parent < 0 else owners[span.parent])
        if span.segment or span.censored or span.namespace not in CALLS:
            continue
        owner = seen.spans[owners[i]]
        inside = owner.origin == FUNCTION and owner.parent >= 0 and seen.labels[owner.parent] == SERVICE
        yield Call(
            caller=owner.name,
            callee=_callee(seen, i),
            operation=span.operation,
            start=seen.spans[owner.parent].start if inside else owner.start,
            duration=span.end - span.start,
            failed=span.fault or span.throttle,
        )


def _failed(span: Span) -> bool:
    return span.error or span.fault or span.throttle


def _caller(seen: View, node: int) -> str:
    """The name of the first segment above that is another's."""
    own = _function(seen, node)
    above = seen.spans[node].parent
    while above >= 0:
        span = seen.spans[above]
        if span.segment and not span.inferred and span.name != own:
            return span.name
        above = span.parent
    return ""


def _function(seen: View, node: int) -> str:
    """The function's name: an attempt's is that of the segment above it."""
    span = seen.spans[node]
    return span.name if span.segment or span.parent < 0 else seen.spans[span.parent].name


def _callee(seen: View, index: int) -> str:
    span = seen.spans[index]
    for i in seen.below[index]:
        child = seen.spans[i]
        if child.segment and not child.inferred:
            return child.name
    if span.operation == "Invoke" and span.resource and any(seen.spans[i].origin == LAMBDA for i in seen.below[index]):
        return span.resource
    return " ".join(filter(None, (span.name, span.resource)))
