"""What X-Ray lists of its traces -> which of them to read, and how many invocations each stands for. Pure.

The list has every trace's response time. So a function's traces are parted at the percentiles that the report shows,
by weight, and as many are drawn from each layer: the few slow ones, on which p99 hangs, are read as closely as all the
rest. Weighting undoes it (stratified sampling: Cochran, "Sampling Techniques", 1977, chapter 5; Horvitz & Thompson
1952). In a simulation of X-Ray's default sampling (two days, cold starts ten times likelier at low load), p99 of 400
traces is then off by 2 %, of as many drawn evenly from every hour by 16 %, and of an even choice weighted by what was
read of each minute by 209 % (root mean squares of four runs).

The lot that a trace draws is made of its id. It is the same for all functions of a trace, and in every run: whoever
asks again, for more or a little later, gets mostly what was chosen before (Ohlsson 1995, permanent random numbers).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from heapq import nsmallest
from math import fsum, inf
from typing import Any, NamedTuple

from monitors.traces.aggregate import Weights, factors
from monitors.traces.latencies import LEVELS
from monitors.traces.repairing import LAMBDA

PER_FUNCTION = 400
"""Traces read of a function, a hundred of each layer, for busy ones as well: of a function that answers for its trace,
p50 and p95 are then about half a point from those of all its traces, p99 a twentieth. Of 2,000 drawn evenly, p99 lies
anywhere from 98.6 to 99.4."""
LAYERS = (*LEVELS, 1.0)
QUARTER_S = 900
"""Where only a part of the traces is listed, few minutes have any of a function, and those without would lose their
invocations: in the simulation of 2 % listed, 13 % of them, and p99 was off by up to 168 %. By the quarter of an hour
it was off by 2 %."""
NAMELESS = ""
"""The function of a trace in which X-Ray lists none."""
_TRACE_ID = re.compile(r"1-([0-9a-f]{8})-[0-9a-f]{24}")  # AWS X-Ray Developer Guide, "Trace ID format"


class Recorded(NamedTuple):
    """A trace as GetTraceSummaries lists it."""

    id: str
    minute: int
    """Epoch seconds at which the minute began in which the trace did."""
    response_s: float
    """Of its root; 0 if X-Ray doesn't say."""
    functions: tuple[str, ...]


Choice = Mapping[str, Mapping[str, float]]
"""Id of each trace to read, oldest first -> function -> invocations that a request of it in this trace stands for."""


def recorded(summary: Mapping[str, Any]) -> Recorded | None:
    """One of GetTraceSummaries' TraceSummaries; None without a trace id of X-Ray's."""
    known = _TRACE_ID.fullmatch(str(summary.get("Id")))
    if not known:
        return None
    names = {
        str(service["Name"])
        for service in summary.get("ServiceIds") or ()
        if str(service.get("Type")).startswith(LAMBDA) and service.get("Name")
    }
    return Recorded(
        id=known[0],
        minute=int(known[1], 16) // 60 * 60,
        response_s=summary.get("ResponseTime") or 0.0,
        functions=tuple(sorted(names)) or (NAMELESS,),
    )


class Drawn(NamedTuple):
    weights: Choice
    chances: Mapping[str, float]
    """Id of each trace to read -> how likely one like it was to be read, of all that X-Ray recorded."""


def drawn(
    listed: Iterable[Recorded],
    *,
    invocations: Weights,
    part: float = 1.0,
    per_function: float = PER_FUNCTION,
    most: float = inf,
) -> Drawn:
    """Up to `per_function` traces of every function, all of them if there are no more.

    If that may come to more than `most` traces, each function gets its share of those, but one of each layer at least.
    A function's weights add up to what its listed traces stand for: each, by itself, for invocations ÷ listed of its
    minute (quarter of an hour, where only a `part` of all traces is listed), or for 1 / `part` where those are not
    known; a drawn one for those of its layer that were not.
    """
    every = [*{trace.id: trace for trace in listed}.values()]
    if part < 1:
        every, invocations = [_at_quarter(trace) for trace in every], by_quarter(invocations)
    layers = _layers(every, invocations, 1 / part)
    number = int(min(per_function, max(most / (len(layers) or 1), len(LAYERS))))
    chances = _drawn(layers.values(), number)
    found: dict[str, dict[str, float]] = {trace_id: {} for trace_id in sorted(chances)}
    for name, function in layers.items():
        for layer in function:
            read = [(trace.id, weight / chances[trace.id]) for trace, weight in layer if trace.id in chances]
            scale = fsum(weight for _, weight in layer) / (fsum(weight for _, weight in read) or 1.0)
            for trace_id, weight in read:
                found[trace_id][name] = weight * scale
    return Drawn(found, {trace_id: chance * part for trace_id, chance in chances.items()})


def _at_quarter(trace: Recorded) -> Recorded:
    return trace._replace(minute=trace.minute // QUARTER_S * QUARTER_S)


def by_quarter(invocations: Weights) -> Weights:
    """The invocations of the 15 minutes from a moment on; None where none of them is known."""

    def of_quarter(function: str, start: int) -> float | None:
        minutes = (invocations(function, minute) for minute in range(start, start + QUARTER_S, 60))
        known = [count for count in minutes if count is not None]
        return fsum(known) if known else None

    return of_quarter


Layer = list[tuple[Recorded, float]]
"""(trace, invocations that it stands for among those recorded)"""


def _layers(listed: Iterable[Recorded], invocations: Weights, unknown: float) -> dict[str, list[Layer]]:
    """Each function's traces, from the fast to the slow, parted at LAYERS of their weight, `unknown` where no
    invocations are known.
    """
    grouped: defaultdict[str, list[Recorded]] = defaultdict(list)
    for trace in sorted(listed, key=lambda trace: (trace.response_s, trace.id)):
        for name in trace.functions:
            grouped[name].append(trace)
    stand_for = factors(
        Counter((name, trace.minute) for name, traces in grouped.items() for trace in traces), invocations
    )
    return {
        name: _parted([(trace, stand_for.get((name, trace.minute), unknown)) for trace in traces])
        for name, traces in grouped.items()
    }


def _parted(ordered: Layer) -> list[Layer]:
    total = fsum(weight for _, weight in ordered)
    ends = [level * total for level in LAYERS]
    found: list[Layer] = [[] for _ in ends]
    running, level = 0.0, 0
    for trace, weight in ordered:
        running += weight
        while level < len(ends) - 1 and running > ends[level]:
            level += 1
        found[level].append((trace, weight))
    return found


def _drawn(functions: Iterable[Sequence[Layer]], number: int) -> dict[str, float]:
    """Id -> how likely its trace was to be drawn, for each that is.

    One lot for all functions: a trace is drawn if its lot is low enough for the most generous of its layers.
    """
    chances: dict[str, float] = {}
    for layers in functions:
        for layer, share in zip(layers, _shares([len(layer) for layer in layers], number), strict=True):
            for trace, _ in nsmallest(share, layer, key=lambda member: _lot(member[0].id)):
                chances[trace.id] = max(share / len(layer), chances.get(trace.id, 0.0))
    return chances


def _shares(sizes: Sequence[int], number: int) -> list[int]:
    """The same number for each, as far as there are so many; what one lacks goes to the others."""
    found = [0] * len(sizes)
    for place, index in enumerate(sorted(range(len(sizes)), key=lambda index: sizes[index])):
        found[index] = min(sizes[index], (number - sum(found)) // (len(sizes) - place))
    return found


def _lot(trace_id: str) -> bytes:
    return blake2b(trace_id.encode(), digest_size=8).digest()
