"""Claim: from the bytes of BatchGetTraces to a latency report costs a small multiple of merely decoding those bytes.

Prints traces a second for both, on a corpus made here, and their ratio. Standard library only, one process.
"""

import argparse
import json
import random
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from monitors.traces.aggregate import latency_report

ANSWER = 5  # BatchGetTraces returns five traces a call
EPOCH = 1_750_000_000.0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--traces", type=int, default=5_000)
    arguments.add_argument("--rounds", type=int, default=3)
    asked = arguments.parse_args()
    answers = _corpus(asked.traces)
    size = sum(map(len, answers))
    print(f"{asked.traces} traces, {size / 1e6:.1f} MB, {size / asked.traces / 1e3:.1f} kB a trace")
    decode = _best(lambda: _decode(answers), asked.rounds)
    report = _best(lambda: latency_report(_traces(answers), start=EPOCH, end=EPOCH + asked.traces), asked.rounds)
    print(f"json.loads of envelope and documents: {asked.traces / decode:9,.0f} traces/s")
    print(f"bytes to latency report:              {asked.traces / report:9,.0f} traces/s")
    print(f"report at {decode / report:.0%} of the speed of decoding alone")


def _best(run: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest round: the others were disturbed."""
    times = []
    for _ in range(rounds):
        began = perf_counter()
        run()
        times.append(perf_counter() - began)
    return min(times)


def _decode(answers: list[bytes]) -> None:
    for answer in answers:
        for trace in json.loads(answer)["Traces"]:
            for segment in trace["Segments"]:
                json.loads(segment["Document"])


def _traces(answers: list[bytes]) -> Iterator[dict[str, Any]]:
    for answer in answers:
        yield from json.loads(answer)["Traces"]


def _corpus(count: int) -> list[bytes]:
    generator = random.Random(7)
    traces = [_trace(generator, EPOCH + i) for i in range(count)]
    return [json.dumps({"Traces": traces[i : i + ANSWER]}).encode() for i in range(0, count, ANSWER)]


def _trace(generator: random.Random, start: float) -> dict[str, Any]:
    """A stage of API Gateway in front of a function that makes two calls; every thirtieth start is cold."""
    trace_id = f"1-{int(start):08x}-{generator.getrandbits(96):024x}"
    name = f"shop-{generator.randrange(20)}"
    boot = generator.uniform(0.4, 1.5) if generator.random() < 1 / 30 else 0.0
    work = [generator.lognormvariate(-4, 0.5) for _ in range(2)]
    function_start = start + 0.02 + boot
    function_end = function_start + sum(work) + 0.004
    arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"
    calls, inferred = _calls(generator, trace_id, function_start + 0.002, work)
    inside = [_part(generator, "Invocation", function_start + 0.001, function_end - 0.001, arn, subsegments=calls)]
    inside.append(_part(generator, "Overhead", function_end - 0.001, function_end - 0.0003, arn))
    if boot:
        inside.append(_part(generator, "Initialization", start + 0.015 + boot / 3, function_start - 0.001, arn))
    integration = _entity(generator, "Lambda", start + 0.003, function_end + 0.003)
    integration |= {"namespace": "aws", "aws": {"function_name": name, "operation": "Invoke", "resource_names": [name]}}
    stage = _segment(generator, trace_id, "shop/live", "AWS::ApiGateway::Stage", (start, function_end + 0.004), "")
    service = _segment(
        generator, trace_id, name, "AWS::Lambda", (start + 0.015, function_end + 0.001), integration["id"]
    )
    function = _segment(
        generator, trace_id, name, "AWS::Lambda::Function", (function_start, function_end), service["id"]
    )
    stage["subsegments"] = [integration]
    function |= {"aws": {"function_arn": arn}, "subsegments": inside}
    segments = [stage, service, function, *inferred]
    generator.shuffle(segments)
    return {
        "Id": trace_id,
        "Duration": function_end + 0.004 - start,
        "LimitExceeded": False,
        "Segments": [
            {"Id": segment["id"], "Document": json.dumps(segment, separators=(",", ":"))} for segment in segments
        ],
    }


def _calls(
    generator: random.Random, trace_id: str, start: float, lengths: list[float]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Calls one after the other, and the segment X-Ray infers from each."""
    calls, inferred = [], []
    for length, operation in zip(lengths, ("GetItem", "PutItem"), strict=True):
        call = _entity(generator, "DynamoDB", start, start + length)
        call |= {
            "namespace": "aws",
            "aws": {"operation": operation, "table_name": "orders", "resource_names": ["orders"]},
        }
        mirror = _segment(generator, trace_id, "DynamoDB", "AWS::DynamoDB::Table", (start, start + length), call["id"])
        calls.append(call)
        inferred.append(mirror | {"inferred": True, "aws": call["aws"]})
        start += length
    return calls, inferred


def _entity(generator: random.Random, name: str, start: float, end: float) -> dict[str, Any]:
    request = {
        "url": f"https://{name.lower()}.eu-west-1.amazonaws.com/{generator.getrandbits(64):016x}",
        "method": "POST",
    }
    return {
        "id": f"{generator.getrandbits(64):016x}",
        "name": name,
        "start_time": start,
        "end_time": end,
        "http": {"request": request, "response": {"status": 200, "content_length": generator.randrange(4096)}},
    }


def _part(generator: random.Random, name: str, start: float, end: float, arn: str, **more: object) -> dict[str, Any]:
    return {**_entity(generator, name, start, end), "aws": {"account_id": "123456789012", "function_arn": arn}, **more}


def _segment(
    generator: random.Random, trace_id: str, name: str, origin: str, times: tuple[float, float], parent_id: str
) -> dict[str, Any]:
    segment = {
        **_entity(generator, name, *times),
        "trace_id": trace_id,
        "origin": origin,
        "aws": {"account_id": "123456789012", "request_id": f"{generator.getrandbits(128):032x}"},
        "resource_arn": f"arn:aws:service:eu-west-1:123456789012:resource:{name}",
        "metadata": {"default": {"extended_request_id": f"{generator.getrandbits(64):016x}"}},
    }
    return segment | {"parent_id": parent_id} if parent_id else segment


if __name__ == "__main__":
    main()
