"""Claims: a latency report takes at most 2.5 times as long as decoding its traces; a million spans take 60 s and 1 GB.

Prints traces a second from the bytes of BatchGetTraces to a report, and for orjson alone on the same bytes, envelope
and documents: nothing that reads them in Python can be faster. CPU time, one process, in turns; of the rounds each the
fastest.

Then `lookout traces --file` in a process of its own: seconds from its imports on, and its peak memory; beside it a
tenth of the spans, since time should grow with them and no faster. Last one long trace, in CPU time, against 0.2 s.
Fails if a trace is lost, or if one of the limits does not hold; that of time is 60 µs a span if there are fewer than a
million, that of memory then says little.

All on a corpus made here; `--spans 1000000` for the full size, of which 570 MB are written to a temporary folder.
"""

import argparse
import gc
import io
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import orjson
from _runs import fastest
from log_subscriber import _best, _peak_mb

from lookout.cli import YOUNG
from monitors.traces.aggregate import latency_report
from monitors.traces.phases import per_trace
from monitors.traces.reading import read_trace

ANSWER = 5  # BatchGetTraces returns five traces a call
EPOCH = 1_750_000_000.0
SPANS_A_TRACE = 10  # 11 if the start is cold
TIMES = 2.5
MOST_S, MOST_MB = 60, 1000
LONG, LONG_S = 10_000, 0.2


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--traces", type=int, default=20_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--spans", type=int, default=100_000)
    arguments.add_argument("--read", help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.read:
        _read(asked.read)
        return
    gc.set_threshold(YOUNG)  # as the command does
    held = [
        _against_decoding(_corpus(asked.traces), asked.traces, asked.rounds),
        _in_bulk(asked.spans),
        _of_one(asked.rounds),
    ]
    if not all(held):
        sys.exit("the claim does not hold")


def _against_decoding(answers: list[bytes], count: int, rounds: int) -> bool:
    size = sum(map(len, answers))
    print(f"{count} traces, {size / 1e6:.1f} MB, {size / count / 1e3:.1f} kB a trace")
    decode, report = _best([partial(_decode, answers), partial(_report, answers)], rounds)
    print(f"orjson of envelope and documents: {count / decode:9,.0f} traces/s")
    print(
        f"bytes to latency report:          {count / report:9,.0f} traces/s, {report / decode:.2f} times as long, "
        f"of {TIMES}"
    )
    return report / decode <= TIMES


def _decode(answers: list[bytes]) -> None:
    for trace in _traces(answers):
        for segment in trace["Segments"]:
            orjson.loads(segment["Document"])


def _report(answers: list[bytes]) -> None:
    latency_report(_traces(answers), start=EPOCH, end=EPOCH + len(answers))


def _traces(answers: list[bytes]) -> Iterator[dict[str, Any]]:
    for answer in answers:
        yield from orjson.loads(answer)["Traces"]


def _in_bulk(spans: int) -> bool:
    tenth, _ = _command(spans // 10, runs=3)
    seconds, memory_mb = _command(spans, runs=1)
    most_s = MOST_S * spans / 1_000_000
    print(f"{spans:,} spans by the command: {seconds:.1f} s of {most_s:.1f}, {memory_mb:.0f} MB of {MOST_MB}")
    print(f"a tenth of them: {tenth:.2f} s, so ten times as many take {seconds / tenth:.1f} times as long")
    return seconds <= most_s and memory_mb <= MOST_MB


def _command(spans: int, *, runs: int) -> tuple[float, float]:
    """Seconds and MB of the command on a file of so many spans."""
    count = spans // SPANS_A_TRACE
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "answers.json")
        with path.open("wb") as out:
            out.writelines(answer + b"\n" for answer in _answers(count))
        told = fastest([sys.executable, __file__, "--read", str(path)], runs=runs)
    if told["used"] != count:
        sys.exit(f"{told['used']} of {count} traces used")
    return told["seconds"], told["memory_mb"]


def _read(path: str) -> None:
    from lookout import cli, traces  # noqa: F401  # before the clock: what the command would import itself

    began = perf_counter()
    with redirect_stdout(io.StringIO()) as out:
        cli.main(["traces", "--file", path, "--json"])
    seconds, memory_mb = perf_counter() - began, _peak_mb()
    used = json.loads(out.getvalue())["traces_used"]
    print(json.dumps({"seconds": seconds, "cpu_s": process_time(), "memory_mb": memory_mb, "used": used}))


def _of_one(rounds: int) -> bool:
    answer = _long(LONG)
    spans = sum(len(read_trace(trace).spans) for trace in _traces([answer]))
    alone, report = _best([partial(_alone, answer), partial(_report, [answer])], rounds)
    print(f"one trace of {spans:,} spans: phases {alone:.3f} s, a report of it {report:.3f} s, each of {LONG_S}")
    return spans >= LONG and max(alone, report) <= LONG_S


def _alone(answer: bytes) -> None:
    for trace in _traces([answer]):
        per_trace(read_trace(trace))


def _long(spans: int) -> bytes:
    """An answer with one trace: a job that calls the stage once a second until it has so many spans."""
    generator = random.Random(9)
    trace_id = f"1-{int(EPOCH):08x}-{generator.getrandbits(96):024x}"
    count = spans // (SPANS_A_TRACE + 1)  # with the job's own call
    root = _segment(generator, trace_id, "job", "AWS::EC2::Instance", (EPOCH, EPOCH + count + 3), "")
    root["subsegments"] = []
    documents = []
    for n in range(count):
        called = [json.loads(one["Document"]) for one in _trace(generator, EPOCH + n)["Segments"]]
        (stage,) = (one for one in called if "parent_id" not in one)
        call = _entity(generator, "shop", stage["start_time"] - 0.001, stage["end_time"] + 0.001)
        root["subsegments"].append(call | {"namespace": "remote"})
        documents += [one | {"trace_id": trace_id} for one in called if one is not stage]
        documents.append(stage | {"trace_id": trace_id, "parent_id": call["id"]})
    segments = [{"Id": one["id"], "Document": json.dumps(one)} for one in (root, *documents)]
    return json.dumps({"Traces": [{"Id": trace_id, "Segments": segments}]}).encode()


def _corpus(count: int) -> list[bytes]:
    return list(_answers(count))


def _answers(count: int) -> Iterator[bytes]:
    generator = random.Random(7)
    for at in range(0, count, ANSWER):
        traces = [_trace(generator, EPOCH + i) for i in range(at, min(at + ANSWER, count))]
        yield json.dumps({"Traces": traces}).encode()


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
