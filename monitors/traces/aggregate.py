"""Traces of a window, and of the one before -> LatencyReport."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from monitors.traces.alike import Gathered, Shapes, add, content, gather, gather_alike
from monitors.traces.columns import (
    Columns,
    Floats,
    Ints,
    Weight,
    columns,
    minutes,
    recorded,
)
from monitors.traces.compare import comparable, comparison
from monitors.traces.fields import text
from monitors.traces.keys import alike
from monitors.traces.latencies import edge_latencies, entry_paths, function_latency
from monitors.traces.report import LatencyReport
from monitors.traces.sketch import HEAVIEST
from monitors.traces.tree import Repair

Weights = Callable[[str, int], float | None]
"""(function name, minute as epoch seconds) -> how often it was invoked in that minute; None if not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """What was recorded in a span of time."""

    requests: Mapping[str, Columns]
    """By function."""
    calls: Mapping[tuple[str, str, str], Columns]
    """By caller, callee and operation; each with the weight of the request that made it."""
    entries: Mapping[str, Columns]
    """Whole traces by the name of their root; see callpaths.whole."""
    completions: Mapping[str, Columns]
    """Those of them that left work running, to its end; see callpaths.completed."""
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
        functions=tuple(function_latency(name, requests) for name, requests in sorted(now.requests.items())),
        edges=edge_latencies(now.calls),
        entries=entry_paths(now.entries),
        completions=entry_paths(now.completions),
        changes=changes,
        ledger=tuple(sorted(now.ledger.items(), key=lambda item: (-item[1], item[0]))),
        notes=(*_notes(now), *remarks),
        compared=len(comparable(then.requests, now.requests)) if then.used else None,
        before=begun(then),
        region=region or (min(now.regions) if len(now.regions) == 1 else ""),
    )


def begun(seen: Window) -> tuple[int, int] | None:
    """Epoch seconds at which the first and the last request of a window began; None if none has ended."""
    starts = [one.start for one in (*seen.requests.values(), *seen.entries.values())]
    if not starts:
        return None
    return int(min(one.min() for one in starts) // 1_000_000), int(max(one.max() for one in starts) // 1_000_000)


def window(envelopes: Iterable[Mapping[str, Any]], weights: Weights | None = None, *, paths: bool = True) -> Window:
    """What traces say of a span of time: every request, weighted if `weights` are known; see `latency_report`.

    Without `paths` there are no entries: a window to compare with needs none. A trace that was chosen from many says in
    `Weights`, by function, what it stands for itself (see choosing).
    """
    gathered = Gathered()
    shapes = Shapes()
    ids: list[str] = []
    seen: set[str] = set()
    chosen: dict[tuple[str, int], float] = {}
    read = 0
    for envelope in envelopes:
        read += 1
        identity = text(envelope.get("Id"))
        if identity in seen:
            gathered.ledger[Repair.DUPLICATE_TRACE] += 1
            continue
        if identity:
            seen.add(identity)
        trace = len(ids)
        ids.append(identity)
        if "Weights" in envelope:
            chosen.update(((name, trace), weight) for name, weight in _told(envelope))
        found = alike(envelope)
        if not (found and add(shapes, found, trace)):
            gather(gathered, content(envelope), trace)
    gather_alike(gathered, shapes)
    factor = factors(recorded(gathered.requests), weights) if weights else {}
    weight = _weight(factor, chosen)
    requests = columns(gathered.requests, ids, weight)
    return Window(
        requests=requests,
        calls=columns(gathered.calls, ids, weight),
        entries=columns(gathered.entries, ids, weight) if paths else {},
        completions=columns(gathered.completions, ids, weight) if paths else {},
        read=read,
        used=gathered.used,
        ledger={str(kind): count for kind, count in gathered.ledger.items()},
        corrected=len({function for function, _ in factor or chosen} & requests.keys()),
        regions=frozenset(gathered.regions),
    )


def _weight(factor: Mapping[tuple[str, int], float], chosen: Mapping[tuple[str, int], float]) -> Weight:
    """What requests stand for: as their trace was chosen, or else as their minute was recorded."""

    def weight(function: str, counted_at: Ints, trace: Ints) -> Floats:
        if not (factor or chosen):
            return np.ones(len(trace))
        minute, place = np.unique(minutes(counted_at), return_inverse=True)
        weights = np.array([factor.get((function, at), 1.0) for at in minute.tolist()])[place]
        if chosen:
            for n, one in enumerate(trace.tolist()):
                weights[n] = chosen.get((function, one), weights[n])
        return weights

    return weight


def _told(envelope: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The weights that a trace says itself, as far as they are any."""
    told = envelope.get("Weights")
    for name, weight in told.items() if isinstance(told, Mapping) else ():
        if isinstance(weight, int | float) and 0 < weight <= HEAVIEST:
            yield name, weight


def factors(counts: Mapping[tuple[str, int], int], weights: Weights) -> dict[tuple[str, int], float]:
    """How many invocations a request of a function and minute stands for: invocations ÷ recorded, at least 1.

    `counts` says how many requests of each function and minute are recorded. A minute whose invocations are not known
    takes the mean of those with as many recorded, or nearly as many: the busier a minute, the smaller is the part that
    X-Ray records of it. A function of which no minute is known has no factor.
    """
    known = {key: invoked for key in counts if (invoked := weights(*key)) is not None}
    by_count: defaultdict[str, defaultdict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for key, invoked in known.items():
        by_count[key[0]][counts[key]].append(invoked)
    factor = {}
    for key, number in counts.items():
        if key in known:
            factor[key] = max(1.0, known[key] / number)
        elif seen := by_count.get(key[0]):
            nearest = min(seen, key=lambda other: (abs(other - number), other))
            factor[key] = max(1.0, fmean(seen[nearest]) / nearest)
    return factor


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
        " remainder. Around p95 are requests from 94 to 96 %, around p99 from 98.5 to 99.5 %."
    )
    return (
        corrected if window.corrected else sampled,
        "A percentile is the smallest measured time that so large a share of requests does not exceed.",
        tail,
        "Cold starts are those a request waited for: a container that was ready before the request came is none.",
    )
