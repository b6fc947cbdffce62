"""Claim: from bytes to report, ours is 6 times as fast as what Uber's CRISP does for each file, or more.

Both get the traces of traces.py, in files: we as answers of BatchGetTraces, read as `lookout traces --file` reads them
and made one report; CRISP as Jaeger's JSON, a file a trace and a span a segment or subsegment, once bare and once with
the tags that Jaeger would have of the same requests. CRISP reads, parses, cleans, finds the critical path and what
errors cost, and makes its metrics, all in its own `process`. One process, in turns, CPU time; of the rounds each the
fastest. Fails below 6 times.

CRISP's merging of the metrics, percentiles and flame graphs aren't counted, ours are; numpy and pandas, which only they
need, are empty where they aren't installed. All this makes CRISP look faster, never slower.

CRISP isn't part of this repository: without a checkout this says how to get one, and measures nothing.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from log_subscriber import _best
from traces import EPOCH, _corpus, _traces

from lookout import tracefiles
from monitors.traces.aggregate import latency_report
from monitors.traces.reading import read_trace

TRACES, TIMES = 10_000, 6
VARIABLE = "CRISP"
ROOT = "shop/live"
"""The service and the operation that every trace of the corpus begins with."""
Json = dict[str, Any]
Process = Callable[[str], Any]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--crisp", type=Path, default=os.environ.get(VARIABLE))
    arguments.add_argument("--rounds", type=int, default=5)
    asked = arguments.parse_args()
    if not asked.crisp:
        print(
            "left out: git clone https://github.com/uber-research/CRISP, and give it as --crisp or "
            f"{VARIABLE}; it needs PyYAML"
        )
        return
    process, spans_of = _crisp(Path(asked.crisp))
    answers = _corpus(TRACES)
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        ours = Path(folder, "answers")
        ours.write_bytes(b"\n".join(answers))
        for name, tags in (("bare", False), ("with tags", True)):
            theirs = _written(Path(folder, name), answers, tags=tags)
            _check(process, spans_of, answers, theirs)
            report, each = _best([partial(_report, str(ours)), partial(_process, theirs, process)], asked.rounds)
            ratios.append(each / report)
            print(
                f"{TRACES} traces {name}: {TRACES / report:,.0f} traces/s; CRISP {TRACES / each:,.0f}: "
                f"{each / report:.1f} times as fast, of {TIMES}"
            )
    if min(ratios) < TIMES:
        sys.exit("the claim does not hold")


def _crisp(folder: Path) -> tuple[Process, Callable[[str], int]]:
    """What CRISP does with a file, and how many spans it finds in one."""
    if not (folder / "crisp" / "process_trace.py").is_file():
        sys.exit(f"{folder} has no crisp/process_trace.py: give a checkout")
    sys.modules.update({name: ModuleType(name) for name in ("numpy", "pandas") if find_spec(name) is None})
    sys.path.insert(0, str(folder))  # before this file's own folder: both have a module `crisp`
    process, graph = import_module("crisp.process_trace").process, import_module("crisp.graph").Graph
    sys.path.remove(str(folder))
    config = SimpleNamespace(serviceName=ROOT, operationName=ROOT, rootTrace=False, ignoreTestTraces=False)

    def spans_of(path: str) -> int:
        return len(graph(json.loads(Path(path).read_text()), ROOT, ROOT, path, rootTrace=False).nodeHT)

    return partial(process, config=config), spans_of


def _report(path: str) -> None:
    latency_report(tracefiles.exported(path), start=EPOCH, end=EPOCH + TRACES)


def _process(paths: Sequence[str], process: Process) -> None:
    for path in paths:
        process(path)


def _check(process: Process, spans_of: Callable[[str], int], answers: list[bytes], paths: Sequence[str]) -> None:
    """CRISP makes nothing of a file whose root it doesn't find: its time counts only if it saw every span."""
    for trace, path in zip(_traces(answers), paths, strict=True):
        ours, theirs = len(read_trace(trace).spans), spans_of(path)
        if ours != theirs or process(path) is None:
            sys.exit(f"{trace['Id']}: {ours} spans; CRISP found {theirs}, or no root")


def _written(folder: Path, answers: list[bytes], *, tags: bool) -> list[str]:
    folder.mkdir()
    paths = []
    for trace in _traces(answers):
        path = folder / f"{trace['Id']}.json"
        path.write_text(json.dumps(_jaeger(trace, tags=tags)))
        paths.append(str(path))
    return paths


def _jaeger(trace: Json, *, tags: bool) -> Json:
    """As Jaeger's query service answers /api/traces/{id}."""
    spans: list[Json] = []
    processes: Json = {}
    for segment in trace["Segments"]:
        document = json.loads(segment["Document"])
        process = f"p{len(processes) + 1}"
        processes[process] = {"serviceName": document["name"], "tags": []}
        spans.extend(
            _span(body, trace["Id"], parent, process) | ({"tags": _tags(body), "logs": []} if tags else {})
            for body, parent in _bodies(document, document.get("parent_id", ""))
        )
    return {"data": [{"traceID": trace["Id"], "spans": spans, "processes": processes, "warnings": None}]}


def _bodies(body: Json, parent: str) -> Iterator[tuple[Json, str]]:
    yield body, parent
    for child in body.get("subsegments", ()):
        yield from _bodies(child, body["id"])


def _span(body: Json, trace_id: str, parent: str, process: str) -> Json:
    start, end = (round(body[name] * 1_000_000) for name in ("start_time", "end_time"))
    return {
        "traceID": trace_id,
        "spanID": body["id"],
        "operationName": body["name"],
        "references": [{"refType": "CHILD_OF", "traceID": trace_id, "spanID": parent}] if parent else [],
        "startTime": start,
        "duration": end - start,
        "processID": process,
        "warnings": None,
    }


def _tags(body: Json) -> list[Json]:
    request, response = body["http"]["request"], body["http"]["response"]
    return [
        {"key": "span.kind", "type": "string", "value": "client" if "namespace" in body else "server"},
        {"key": "http.method", "type": "string", "value": request["method"]},
        {"key": "http.url", "type": "string", "value": request["url"]},
        {"key": "http.status_code", "type": "int64", "value": response["status"]},
    ]


if __name__ == "__main__":
    main()
