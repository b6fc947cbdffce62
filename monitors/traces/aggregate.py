"""Traces of a window, and of the one before -> LatencyReport."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from monitors.traces.compare import comparison
from monitors.traces.labels import Label
from monitors.traces.phases import view
from monitors.traces.reading import read_trace
from monitors.traces.report import EdgeLatency, FunctionLatency, LatencyReport, PhaseTime, Quantiles
from monitors.traces.requests import Call, Request, calls, invocations
from monitors.traces.tree import Repair
from monitors.traces.weighing import band, phase_means, quantiles, share

Weights = Callable[[str, int], float | None]
"""(function name, minute as epoch seconds) -> how often it was invoked in that minute; None if not known."""

LEVELS = (0.50, 0.95, 0.99)
TAIL = (0.95, 1.0)
MIDDLE = (0.40, 0.60)
PHASES = 40
"""Phases and targets listed for a function; what is smaller comes together as `other`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """What was recorded in a span of time."""

    requests: Mapping[str, Sequence[Request]]
    """By function, sorted by duration."""
    calls: Sequence[tuple[Call, float]]
    """With the weight of the request that made it."""
    read: int
    used: int
    ledger: Mapping[str, int]
    corrected: int
    """Functions whose recorded requests are weighted by their invocations."""


def latency_report(
    traces: Iterable[Mapping[str, Any]],
    *,
    start: float,
    end: float,
    before: Iterable[Mapping[str, Any]] = (),
    weights: Weights | None = None,
) -> LatencyReport:
    """Where the time went in a window, and what changed since the one before.

    `traces` and `before` are traces as BatchGetTraces returns them (see reading.read_trace); `start` and `end` are
    epoch seconds, and only label the report. `weights` corrects X-Ray's sampling: each recorded request of a minute
    stands for invocations ÷ recorded of its function in that minute. The ledger counts the window's own traces.
    """
    now, then = _window(traces, weights), _window(before, weights)
    changes, remarks = comparison(then.requests, now.requests) if then.requests else ((), ())
    return LatencyReport(
        start=start,
        end=end,
        traces_read=now.read,
        traces_used=now.used,
        functions=tuple(_function(name, requests) for name, requests in sorted(now.requests.items())),
        edges=_edges(now.calls),
        changes=changes,
        ledger=tuple(sorted(now.ledger.items(), key=lambda item: (-item[1], item[0]))),
        notes=(*_notes(now), *remarks),
    )


def _window(envelopes: Iterable[Mapping[str, Any]], weights: Weights | None) -> Window:
    ledger: Counter[str] = Counter()
    requests: list[Request] = []
    made: list[Call] = []
    seen: set[str] = set()
    read = used = 0
    for envelope in envelopes:
        read += 1
        trace = read_trace(envelope)
        if trace.id and trace.id in seen:
            ledger[Repair.DUPLICATE_TRACE] += 1
            continue
        seen.add(trace.id)
        ledger.update(dict(trace.repairs))
        if trace.spans and not trace.limit_exceeded:
            used += 1
            shape = view(trace)
            requests.extend(invocations(shape, trace.id))
            made.extend(calls(shape))
    factors = _factors(requests, weights) if weights else {}
    grouped: defaultdict[str, list[Request]] = defaultdict(list)
    for request in sorted(requests, key=lambda r: r.duration):
        grouped[request.function].append(request._replace(weight=factors.get((request.function, request.minute), 1.0)))
    return Window(
        requests=grouped,
        calls=[(call, factors.get((call.caller, call.minute), 1.0)) for call in made],
        read=read,
        used=used,
        ledger={str(kind): count for kind, count in ledger.items()},
        corrected=len({function for function, _ in factors}),
    )


def _factors(requests: Iterable[Request], weights: Weights) -> dict[tuple[str, int], float]:
    """How many invocations a request of a function and minute stands for: invocations ÷ recorded, at least 1.

    A minute whose invocations are not known takes the function's mean; a function none of whose are has no factor.
    """
    recorded = Counter((request.function, request.minute) for request in requests)
    known = {key: count for key in recorded if (count := weights(*key)) is not None}
    invoked: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    for key, count in known.items():
        invoked[key[0]] += count  # type: ignore[assignment]  # invocations may come as floats; a Counter adds them too
        counted[key[0]] += recorded[key]
    return {
        key: max(1.0, known[key] / number if key in known else invoked[key[0]] / counted[key[0]])
        for key, number in recorded.items()
        if counted[key[0]]
    }


def _function(name: str, requests: Sequence[Request]) -> FunctionLatency:
    response = _quantiles((request.duration, request.weight) for request in requests)
    tail = band(requests, *TAIL)
    return FunctionLatency(
        function=name,
        traces=len({request.trace_id for request in requests}),
        requests=fsum(request.weight for request in requests),
        response=response,
        cold_share=share((request.cold, request.weight) for request in requests),
        tail_cold_share=share((request.cold, weight) for request, weight in tail),
        fault_share=share((request.failed, request.weight) for request in requests),
        phases=_phases(phase_means(band(requests, *MIDDLE)), phase_means(tail)),
        exemplars=_exemplars(requests, response),
    )


def _quantiles(pairs: Iterable[tuple[float, float]]) -> Quantiles:
    p50, p95, p99 = quantiles(pairs, LEVELS)
    return Quantiles(p50_ms=p50 / 1000, p95_ms=p95 / 1000, p99_ms=p99 / 1000)


def _phases(middle: Mapping[Label, float], tail: Mapping[Label, float]) -> tuple[PhaseTime, ...]:
    """The phases, what adds most to the tail first; the sum of the excesses is the tail's."""
    found = sorted(middle.keys() | tail.keys(), key=lambda label: -max(middle.get(label, 0.0), tail.get(label, 0.0)))
    listed, small = found[:PHASES], found[PHASES:]
    times = [_phase_time(label, [label], middle, tail) for label in listed]
    if small:
        times.append(_phase_time(Label("other"), small, middle, tail))
    return tuple(sorted(times, key=lambda time: (-round(time.excess_ms, 6), time.phase, time.target)))


def _phase_time(
    shown: Label, members: Sequence[Label], middle: Mapping[Label, float], tail: Mapping[Label, float]
) -> PhaseTime:
    return PhaseTime(
        phase=shown.phase,
        target=shown.target,
        middle_ms=fsum(middle.get(label, 0.0) for label in members) / 1000,
        tail_ms=fsum(tail.get(label, 0.0) for label in members) / 1000,
    )


def _exemplars(requests: Sequence[Request], response: Quantiles) -> tuple[tuple[str, str], ...]:
    """A trace to open for each quantile, the one nearest to it, and the slowest."""
    wanted = (("p50", response.p50_ms), ("p95", response.p95_ms), ("p99", response.p99_ms))
    nearest = [(name, _nearest(requests, at)) for name, at in wanted]
    return (*nearest, ("worst", requests[-1].trace_id))


def _nearest(requests: Sequence[Request], duration_ms: float) -> str:
    return min(requests, key=lambda request: abs(request.duration / 1000 - duration_ms)).trace_id


def _edges(made: Iterable[tuple[Call, float]]) -> tuple[EdgeLatency, ...]:
    grouped: defaultdict[tuple[str, str, str], list[tuple[Call, float]]] = defaultdict(list)
    for call, weight in made:
        grouped[call.caller, call.callee, call.operation].append((call, weight))
    return tuple(
        EdgeLatency(
            caller=caller,
            callee=callee,
            operation=operation,
            calls=len(found),
            response=_quantiles((call.duration, weight) for call, weight in found),
            fault_share=share((call.failed, weight) for call, weight in found),
        )
        for (caller, callee, operation), found in sorted(grouped.items())
    )


def _notes(window: Window) -> tuple[str, ...]:
    sampled = (
        "Percentiles and shares are of recorded traces only: X-Ray records the first request of each second and a part"
        " of the rest, so quiet times, and the cold starts in them, count too much."
    )
    corrected = (
        f"Each recorded request of {window.corrected} of {len(window.requests)} functions stands for the invocations of"
        " its minute divided by those recorded; of the others, percentiles are of recorded traces only."
    )
    tail = (
        "The tail is the slowest 5 % of requests; its excess is over the middle, 40-60 %, and is split by phase without"
        " remainder."
    )
    return (
        corrected if window.corrected else sampled,
        "A percentile is the smallest measured time that so large a share of requests does not exceed.",
        tail,
        "Cold starts are those a request waited for: a container that was ready before the request came is none.",
    )
