"""Requests, calls and whole traces in columns -> what the report says of each function, edge and entry. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import fsum
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from monitors.traces.callpaths import path_times
from monitors.traces.columns import Columns, Floats, Ints, band, longest, phase_means, quantiles, share
from monitors.traces.labels import Label
from monitors.traces.report import ColdStarts, EdgeLatency, EntryPaths, FunctionLatency, PhaseTime, Quantiles

LEVELS = (0.50, 0.95, 0.99)
MIDDLE, TAIL = (0.40, 0.60), (0.95, 1.0)
BANDS = {"middle_ms": MIDDLE, "p95_ms": (0.94, 0.96), "p99_ms": (0.985, 0.995), "tail_ms": TAIL}
"""Of requests by response time, for the times of PhaseTime."""
PHASES = 40
"""Phases and targets listed for a function; what is smaller comes together as `other`."""


def function_latency(name: str, requests: Columns) -> FunctionLatency:
    """Of one function's requests."""
    response = _quantiles(requests.duration, requests.weight)
    cold = requests.of_kinds(lambda kind: kind.cold)
    return FunctionLatency(
        function=name,
        traces=len(np.unique(requests.trace)),
        requests=float(requests.weight.sum()),
        response=response,
        cold_share=share(cold, requests.weight),
        tail_cold_share=share(cold, band(requests, *TAIL)),
        fault_share=share(requests.of_kinds(lambda kind: kind.failed), requests.weight),
        phases=_phases(requests),
        exemplars=_exemplars(requests, response),
        cold=_cold_starts(requests, cold) if cold.any() else None,
    )


def _cold_starts(requests: Columns, cold: NDArray[np.bool_]) -> ColdStarts:
    means = phase_means(requests, requests.weight * cold)
    spent_us: defaultdict[str, float] = defaultdict(float)
    for label, time in means.items():
        spent_us[label.phase] += time
    warm = ~cold
    return ColdStarts(
        requests=float(requests.weight[cold].sum()),
        container_ms=spent_us["container_start"] / 1000,
        runtime_ms=spent_us["runtime_start"] / 1000,
        restore_ms=spent_us["restore"] / 1000,
        response=_quantiles(requests.duration[cold], requests.weight[cold]),
        warm=_quantiles(requests.duration[warm], requests.weight[warm]) if warm.any() else None,
    )


def _quantiles(durations: Ints, weights: Floats) -> Quantiles:
    p50, p95, p99 = quantiles(durations, weights, LEVELS)
    return Quantiles(p50_ms=p50 / 1000, p95_ms=p95 / 1000, p99_ms=p99 / 1000)


def _phases(requests: Columns) -> tuple[PhaseTime, ...]:
    """The phases, what adds most to the tail first; the sum of the excesses is the tail's."""
    means = {name: phase_means(requests, band(requests, *limits)) for name, limits in BANDS.items()}
    worst = longest(requests)
    seen = {label for found in means.values() for label in found}
    largest = {label: max(found.get(label, 0.0) for found in means.values()) for label in seen}
    labels = sorted(largest, key=lambda label: (-largest[label], label))
    listed, small = labels[:PHASES], labels[PHASES:]
    times = [_phase_time(label, [label], means, worst) for label in listed]
    if small:
        times.append(_phase_time(Label("other"), small, means, worst))
    return tuple(sorted(times, key=lambda time: (-round(time.excess_ms, 6), time.phase, time.target)))


def _phase_time(
    shown: Label,
    members: Sequence[Label],
    means: Mapping[str, Mapping[Label, float]],
    worst: Mapping[Label, tuple[int, str]],
) -> PhaseTime:
    times_ms = {name: fsum(found.get(label, 0.0) for label in members) / 1000 for name, found in means.items()}
    most, trace = max((worst[label] for label in members), key=itemgetter(0))
    return PhaseTime(phase=shown.phase, target=shown.target, **times_ms, worst_ms=most / 1000, worst_trace=trace)


def _exemplars(requests: Columns, response: Quantiles) -> tuple[tuple[str, str], ...]:
    """A trace to open for each quantile, the one nearest to it, and the slowest."""
    wanted = (("p50", response.p50_ms), ("p95", response.p95_ms), ("p99", response.p99_ms))
    nearest = [(name, int(np.argmin(np.abs(requests.duration / 1000 - at)))) for name, at in wanted]
    return tuple((name, requests.ids[requests.trace[at]]) for name, at in (*nearest, ("worst", -1)))


def edge_latencies(made: Mapping[tuple[str, str, str], Columns]) -> tuple[EdgeLatency, ...]:
    """Of calls by (caller, callee, operation)."""
    return tuple(
        EdgeLatency(
            caller=caller,
            callee=callee,
            operation=operation,
            calls=len(found),
            response=_quantiles(found.duration, found.weight),
            fault_share=share(found.of_kinds(lambda kind: kind.failed), found.weight),
        )
        for (caller, callee, operation), found in sorted(made.items(), key=itemgetter(0))
    )


def entry_paths(found: Mapping[str, Columns]) -> tuple[EntryPaths, ...]:
    """Of whole traces by their entry, those on which most time was spent first."""
    spent = {name: float(requests.duration @ requests.weight) for name, requests in found.items()}
    return tuple(_entry(name, found[name]) for name in sorted(found, key=lambda name: (-spent[name], name)))


def _entry(name: str, requests: Columns) -> EntryPaths:
    response = _quantiles(requests.duration, requests.weight)
    return EntryPaths(
        entry=name,
        traces=len(requests),
        requests=float(requests.weight.sum()),
        response=response,
        times=path_times(requests, band(requests, *MIDDLE), band(requests, *TAIL)),
        exemplars=_exemplars(requests, response),
    )
