"""Span -> the phase that its own time belongs to: what no child of it accounts for."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from monitors.traces.repairing import FUNCTION, LAMBDA, STARTS, is_attempt
from monitors.traces.tree import Span

GATEWAYS = ("AWS::ApiGateway", "AWS::AppSync", "AWS::ElasticLoadBalancing")
ORCHESTRATOR = "aws::stepfunctions"
"""How the origin of a state machine begins in lower case, and that of its API as X-Ray infers it from a call."""
CALLS = ("aws", "remote")
"""Namespaces of subsegments that are calls to something else."""


class Label(NamedTuple):
    phase: str
    target: str = ""
    """The dependency's resource and operation, or the service's name."""


GATEWAY = Label("gateway")
HOP = Label("hop")
DISPATCH = Label("dispatch")
CONTAINER_START = Label("container_start")
RUNTIME_START = Label("runtime_start")
RESTORE = Label("restore")
HANDLER = Label("handler")
OVERHEAD = Label("overhead")
QUEUE = Label("queue")
TRIGGER = Label("trigger")
ORCHESTRATION = Label("orchestration")
UNCLASSIFIED = Label("unclassified")
SERVICE = Label("lambda")
"""Lambda's own view of one invocation, around the sandbox's, or one try of an asynchronous one: see `gap`."""

OF_LAMBDA = {
    "Initialization": RUNTIME_START,
    "Restore": RESTORE,
    "Invocation": HANDLER,
    "Overhead": OVERHEAD,
    "Dwell Time": QUEUE,
}
"""The subsegments that Lambda itself makes, by name."""


def target(span: Span) -> str:
    """What a call went to and what it did there: `DynamoDB Query shop-orders`, `example.com GET`."""
    return " ".join(filter(None, (span.name, span.operation, span.resource)))


def labels(spans: Sequence[Span], below: Sequence[Sequence[int]]) -> list[Label]:
    """One label a span."""
    found: list[Label] = []
    for span, children in zip(spans, below, strict=True):
        if span.parent < 0:
            found.append(_segment(span, UNCLASSIFIED))
        elif span.segment:
            found.append(_segment(span, found[span.parent]))
        else:
            inside = (spans[i] for i in children)
            found.append(_subsegment(span, spans[span.parent], inside, found[span.parent]))
    return found


def gap(span: Span, earlier: Span | None, later: Span | None) -> Label:
    """The phase of a SERVICE span's own time between two of its children; None where there is no such child.

    Without any child the function ran unseen, unless Lambda only took the event in (202) or refused it.
    """
    if later is None:
        return UNCLASSIFIED if earlier is None and span.status != 202 and not _refused(span) else DISPATCH
    if later.name in STARTS and not later.segment:
        return CONTAINER_START
    return QUEUE if is_attempt(later.name) and earlier is not None else DISPATCH


def _segment(span: Span, inherited: Label) -> Label:
    if span.origin.lower().startswith(ORCHESTRATOR):
        return ORCHESTRATION
    if span.inferred:
        if span.origin == LAMBDA and _refused(span):
            return DISPATCH
        return inherited if inherited.phase == "dependency" else Label("dependency", target(span))
    if span.origin == LAMBDA:
        return SERVICE
    if span.origin == FUNCTION:
        return HANDLER
    if span.origin.startswith(GATEWAYS):
        return GATEWAY
    return Label("service", span.name) if span.segment else UNCLASSIFIED


def _refused(span: Span) -> bool:
    """Lambda turned the call away; a function that fails leaves the status 200."""
    return span.throttle or span.status >= 400


def _subsegment(span: Span, parent: Span, inside: Iterable[Span], inherited: Label) -> Label:
    if span.namespace in CALLS:
        waited_for = any(child.segment and not child.inferred and not child.asynchronous for child in inside)
        return HOP if waited_for else Label("dependency", target(span))
    if inherited == SERVICE:
        if parent.segment and is_attempt(span.name):
            return SERVICE
        return OF_LAMBDA.get(span.name, DISPATCH)
    return OF_LAMBDA.get(span.name, inherited) if parent.origin == FUNCTION else inherited
