"""Traces of a window, and of the one before -> LatencyReport."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, inf
from typing import Any

from monitors.traces.callpaths import path_times, whole
from monitors.traces.compare import comparable, comparison
from monitors.traces.labels import Label
from monitors.traces.phases import view
from monitors.traces.reading import read_trace
from monitors.traces.report import EdgeLatency, EntryPaths, FunctionLatency, LatencyReport, PhaseTime, Quantiles
from monitors.traces.requests import Call, Request, calls, invocations
from monitors.traces.tree import Repair
from monitors.traces.weighing import band, phase_means, quantiles, share

Weights = Callable[[str, int], float | None]
"""(function name, minute as epoch seconds) -> how often it was invoked in that minute; None if not known."""

_OWN = re.compile(r'"(?:resource|function)_arn"\s*:\s*"arn:[^:"]*:[^:"]*:([^:"]+):')

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
    entries: Mapping[str, Sequence[Request]]
    """Whole traces by the name of their root, sorted by duration; see callpaths.whole."""
    read: int
    used: int
    ledger: Mapping[str, int]
    corrected: int
    """Functions whose recorded requests are weighted by their invocations."""
    regions: frozenset[str]
    """Where the traces say that they were recorded."""


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
    return report_of(window(traces, weights), window(before, weights, paths=False), start=start, end=end)


def report_of(now: Window, then: Window, *, start: float, end: float, region: str = "") -> LatencyReport:
    """The report of one window against the one before, which may be empty; see `latency_report`.

    Without a `region` it is that of the ARNs in the traces, if they all say the same.
    """
    changes, remarks = comparison(then.requests, now.requests) if then.used else ((), ())
    return LatencyReport(
        start=start,
        end=end,
        traces_read=now.read,
        traces_used=now.used,
        functions=tuple(_function(name, requests) for name, requests in sorted(now.requests.items())),
        edges=_edges(now.calls),
        entries=_entries(now.entries),
        changes=changes,
        ledger=tuple(sorted(now.ledger.items(), key=lambda item: (-item[1], item[0]))),
        notes=(*_notes(now), *remarks),
        compared=len(comparable(then.requests, now.requests)) if then.used else None,
        region=region or (min(now.regions) if len(now.regions) == 1 else ""),
    )


def window(envelopes: Iterable[Mapping[str, Any]], weights: Weights | None = None, *, paths: bool = True) -> Window:
    """What traces say of a span of time: every request, weighted if `weights` are known; see `latency_report`.

    Without `paths` there are no entries: a window to compare with needs none. A trace that was chosen from many says in
    `Weights`, by function, what it stands for itself (see choosing).
    """
    ledger: Counter[str] = Counter()
    requests: list[Request] = []
    made: list[tuple[Call, str]] = []
    begun: list[tuple[Request, Request | None]] = []
    seen: set[str] = set()
    regions: set[str] = set()
    chosen: dict[tuple[str, str], float] = {}
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
            regions.update(_regions(envelope))
            shape = view(trace)
            chosen.update(((name, trace.id), weight) for name, weight in _told(envelope))
            inside = list(invocations(shape, trace.id))
            requests.extend(inside)
            made.extend((call, trace.id) for call in calls(shape))
            if paths and (request := whole(shape, trace.id)):
                begun.append((request, inside[0] if inside else None))
    read_of = factors(((request.function, request.minute) for request in requests), weights) if weights else {}

    def weight(function: str, minute: int, trace_id: str) -> float:
        return chosen.get((function, trace_id)) or read_of.get((function, minute), 1.0)

    return Window(
        requests=_grouped(((request, request) for request in requests), weight),
        calls=[(call, weight(call.caller, call.minute, trace_id)) for call, trace_id in made],
        entries=_grouped(begun, weight),
        read=read,
        used=used,
        ledger={str(kind): count for kind, count in ledger.items()},
        corrected=len({function for function, _ in read_of or chosen} & {request.function for request in requests}),
        regions=frozenset(regions),
    )


def _regions(envelope: Mapping[str, Any]) -> list[str]:
    """The Region of the first segment that names its own resource, in a text as X-Ray returns it, or decoded."""
    for segment in envelope["Segments"]:
        document = segment.get("Document", segment) if isinstance(segment, Mapping) else None
        if isinstance(document, Mapping):
            document = f'"resource_arn":"{document.get("resource_arn")}"'
        if isinstance(document, str) and (found := _OWN.search(document)):
            return [found[1]]
    return []


def _told(envelope: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The weights that a trace says itself, as far as they are any."""
    told = envelope.get("Weights")
    for name, weight in told.items() if isinstance(told, Mapping) else ():
        if isinstance(weight, int | float) and 0 < weight < inf:
            yield name, weight


def _grouped(
    pairs: Iterable[tuple[Request, Request | None]], weight: Callable[[str, int, str], float]
) -> dict[str, list[Request]]:
    """Requests by name and duration, each weighted as the invocation beside it; one without, as its trace."""
    grouped: defaultdict[str, list[Request]] = defaultdict(list)
    for request, counted in sorted(pairs, key=lambda pair: pair[0].duration):
        function = counted.function if counted else ""
        weighted = request._replace(weight=weight(function, (counted or request).minute, request.trace_id))
        grouped[request.function].append(weighted)
    return grouped


def factors(requests: Iterable[tuple[str, int]], weights: Weights) -> dict[tuple[str, int], float]:
    """How many invocations a request of a function and minute stands for: invocations ÷ recorded, at least 1.

    `requests` are the function and the minute of each one recorded.
    A minute whose invocations are not known takes the function's mean; a function none of whose are has no factor.
    """
    recorded = Counter(requests)
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


def _entries(found: Mapping[str, Sequence[Request]]) -> tuple[EntryPaths, ...]:
    """Those on which most time was spent first."""
    spent = {name: fsum(one.duration * one.weight for one in requests) for name, requests in found.items()}
    return tuple(_entry(name, found[name]) for name in sorted(found, key=lambda name: (-spent[name], name)))


def _entry(name: str, requests: Sequence[Request]) -> EntryPaths:
    response = _quantiles((request.duration, request.weight) for request in requests)
    return EntryPaths(
        entry=name,
        traces=len(requests),
        requests=fsum(request.weight for request in requests),
        response=response,
        times=path_times(requests, band(requests, *MIDDLE), band(requests, *TAIL)),
        exemplars=_exemplars(requests, response),
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
