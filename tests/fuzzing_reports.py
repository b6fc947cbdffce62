"""What the weekly reports read, damaged at random: trace documents, OpenTelemetry spans, log files by the block."""

import json
import random
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from typing import Any

from infra.engines.logblocks import Source, read_block
from monitors import loglines
from monitors.records import Invocation
from monitors.rightsize.usage import Usage, Use, usage
from monitors.traces import otel
from monitors.traces.aggregate import latency_report
from monitors.traces.documents import decode
from monitors.traces.phases import both_paths, per_trace, view
from monitors.traces.reading import read_trace

T0 = 1_790_000_000.25
ODD = (None, True, -1, 0, 2**63, 1e300, -1.5, "", "x", "1" * 600, "\u202e</script>", [], [[]], {}, {"a": []})


def segments(chance: random.Random) -> list[dict[str, Any]]:
    """A gateway, a function that is cold or not, a call and what X-Ray infers of it: by chance."""
    at = [T0 + 0.001 * n for n in sorted(chance.choices(range(400), k=12))]
    call = _part("d", "DynamoDB", at[6], at[7], namespace="aws", aws={"operation": "Query", "table_name": "t"})
    handler = _part("v", "Invocation", at[5], at[8], subsegments=[call])
    begun = _part("i", "Initialization", at[2], at[3])
    inside = [handler, *([begun] if chance.random() < 0.5 else []), _part("o", "Overhead", at[8], at[9])]
    return [
        _part("g", "shop/live", at[0], at[11], origin="AWS::ApiGateway::Stage"),
        _part("s", "f", at[1], at[10], parent_id="g", origin="AWS::Lambda", http={"response": {"status": 200}}),
        _part("f", "f", at[4], at[9], parent_id="s", origin="AWS::Lambda::Function", subsegments=inside),
        _part("n", "DynamoDB", at[6], at[7], parent_id="d", origin="AWS::DynamoDB::Table", inferred=True),
    ]


def try_trace(chance: random.Random) -> None:
    """The parts of a path add up to its length; the report counts every trace that it was given."""
    whole = segments(chance)
    for _ in range(chance.randrange(4)):
        _bend(chance.choice(whole), chance)
    if chance.random() < 0.3:
        text = json.dumps(whole)
        cut = chance.randrange(len(text))
        whole = [_decoded(text[:cut] + text[cut + chance.randrange(40) :])]
    trace = {"Id": "1-6ab13280-" + "0" * 24, "Segments": [{"Id": "x", "Document": one} for one in whole]}
    if chance.random() < 0.1:
        trace[chance.choice([*trace])] = chance.choice(ODD)  # type: ignore[assignment]
    _adds_up(trace)


def try_spans(chance: random.Random) -> None:
    spans: list[Any] = [_span(chance, number) for number in range(chance.randrange(6))]
    for _ in range(chance.randrange(4)):
        if spans:
            _bend(chance.choice(spans), chance)
    if chance.random() < 0.1:
        spans.append(chance.choice(ODD))
    for trace in otel.traces(spans):
        _adds_up(trace)


def try_block(chance: random.Random) -> None:
    """What a block counts is what the parser finds line by line, however the lines are damaged."""
    from tests.fuzzing import LINES, damaged

    messages = [damaged(LINES, chance).replace("\n", " ").replace("\ud800", "?") for _ in range(chance.randrange(6))]
    text = "".join(f"2026-11-02T10:00:00.000Z {one}\n" for one in messages).encode()
    found: dict[tuple[str, int], Use] = defaultdict(Use)
    read_block(text, found, Source("f", "s", stamped=True))
    apart = usage(_invocations(messages))
    assert _counted(found) == _counted(apart), messages


def _counted(found: Usage) -> dict[tuple[str, int], object]:
    return {key: (use.warm, use.pressed, use.cold, use.init, use.killed, use.timeouts) for key, use in found.items()}


def _invocations(messages: list[str]) -> list[Invocation]:
    parsed = [loglines.parse(one, function="f", log_stream="s", timestamp_ms=1) for one in messages]
    return [one for one in parsed if isinstance(one, Invocation)]


def _adds_up(trace: Any) -> None:
    read = read_trace(trace)
    told = per_trace(read)
    assert sum(told["phases"].values()) == told["response_us"] >= 0
    assert sum(told["completion_phases"].values()) == told["completion_us"] >= told["response_us"]
    for path in both_paths(view(read)):
        assert all(one.end == later.start for one, later in pairwise(path.sections))
    report = latency_report([trace], start=0, end=1)
    assert report.traces_read == 1
    assert report.traces_used or report.ledger
    segments = trace.get("Segments")
    if isinstance(segments, list):
        otherwise = [{"Document": _otherwise(_document(one))} for one in segments]
        again = latency_report([{**trace, "Segments": otherwise}], start=0, end=1)
        assert replace(again, region="") == replace(report, region="")


def _document(segment: Any) -> Any:
    return segment["Document"] if isinstance(segment, dict) and "Document" in segment else segment


def _otherwise(document: Any) -> Any:
    """Text of what is decoded, and the other way round."""
    if not isinstance(document, str):
        return json.dumps(document)
    try:
        return decode(document)
    except ValueError:
        return document


def _part(identity: str, name: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    return {"id": identity, "name": name, "start_time": start, "end_time": end, **more}


def _span(chance: random.Random, number: int) -> dict[str, Any]:
    start = int(T0 * 1e9) + chance.randrange(10**8)
    return {
        "traceId": "6ab13280" + "0" * 24,
        "spanId": f"{number + 1:016x}",
        "parentSpanId": f"{chance.randrange(6):016x}",
        "name": chance.choice(["GET /", "DynamoDB.Query", "</script>"]),
        "kind": chance.choice(["SERVER", "CLIENT", "INTERNAL", "CONSUMER", "SPAN_KIND_PRODUCER", 3]),
        "startTimeUnixNano": start,
        "endTimeUnixNano": start + chance.randrange(10**8),
        "status": {"code": chance.choice(["OK", "ERROR", "UNSET", 2])},
        "attributes": {"aws.local.service": "f", "rpc.service": "DynamoDB", "faas.coldstart": True},
        "resource": {"attributes": {"cloud.platform": "aws_lambda", "faas.name": "f"}},
    }


def _bend(one: dict[str, Any], chance: random.Random) -> None:
    """Put something odd in the place of a value, at any depth; or drop it."""
    inside: Any = one
    while isinstance(inside, dict) and inside:
        key = chance.choice([*inside])
        value = inside[key]
        if isinstance(value, list) and value and isinstance(value[0], dict):
            value = chance.choice(value)
        if isinstance(value, dict) and value and chance.random() < 0.6:
            inside = value
            continue
        if chance.random() < 0.2:
            del inside[key]
        elif isinstance(value, int | float) and chance.random() < 0.6:
            inside[key] = value + chance.choice((-1, 1)) * 10 ** chance.randrange(-4, 9)
        else:
            inside[key] = chance.choice((*ODD, "g", "s", "f", "d"))
        return


def _decoded(text: str) -> object:
    try:
        return decode(text)
    except ValueError:
        return text
