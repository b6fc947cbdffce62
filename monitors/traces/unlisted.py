"""Traces read of those chosen -> the same, with weights for functions in them that X-Ray's list didn't name. Pure.

The list names the services of a trace, but not always, and a function under its own name for OpenTelemetry by that. Of
the slow traces more were chosen than of the fast (monitors/traces/choosing.py), whoever is in them: if each counted
alike, such a function's median would be that of its slow requests. So each counts 1 ÷ the chance that it had (Horvitz &
Thompson 1952).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from monitors.traces.aggregate import Weights
from monitors.traces.choosing import QUARTER_S, Drawn, by_quarter
from monitors.traces.documents import decode
from monitors.traces.repairing import LAMBDA

MINUTE_S = 60


def with_weights(traces: Iterable[Mapping[str, Any]], drawn: Drawn, invocations: Weights) -> list[dict[str, Any]]:
    """Traces of those drawn, as BatchGetTraces returns them, each with its `Weights`: those drawn, and the others.

    A function that no chosen trace was listed for stands for its invocations as far as these are known and more than
    what was recorded: by the minute, or by the quarter of an hour where not all traces were chosen (see choosing).
    """
    found = [{**trace, "Weights": dict(drawn.weights[trace["Id"]])} for trace in traces]
    listed = {name for weights in drawn.weights.values() for name in weights}
    counts = [
        (trace, name, 1 / drawn.chances[trace["Id"]])
        for trace in found
        for name in sorted(_functions(trace) - trace["Weights"].keys())
    ]
    some = any(count > 1 for *_, count in counts)
    step, invoked = (QUARTER_S, by_quarter(invocations)) if some else (MINUTE_S, invocations)
    keys = [(name, int(trace["Id"][2:10], 16) // step * step) for trace, name, _ in counts]
    recorded: defaultdict[tuple[str, int], float] = defaultdict(float)
    for key, (*_, count) in zip(keys, counts, strict=True):
        recorded[key] += count
    known = {key: 0.0 if key[0] in listed else invoked(*key) or 0.0 for key in recorded}
    for key, (trace, name, count) in zip(keys, counts, strict=True):
        trace["Weights"][name] = count * max(1.0, known[key] / recorded[key])
    return found


def _functions(trace: Mapping[str, Any]) -> set[str]:
    """The names of Lambda's own segments; a document that is none is for the reader to count."""
    documents = (one.get("Document", one) for one in trace["Segments"] if isinstance(one, dict))
    bodies = (_body(document) for document in documents if LAMBDA in str(document))
    return {str(body["name"]) for body in bodies if str(body.get("origin")).startswith(LAMBDA) and body.get("name")}


def _body(document: object) -> Mapping[str, Any]:
    try:
        body = decode(document) if isinstance(document, str) else document
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
