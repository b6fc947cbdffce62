"""Claims: a latency report of a million OpenTelemetry spans takes 60 s and 1 GB, as one of X-Ray's does.

The traces of benchmarks/traces.py as spans in the shape of `aws/spans`, one a line, and shuffled: a span says nothing
of the others in its trace, so that none can be read before all are there. `lookout traces --file` in a process of its
own: seconds from its imports on, and its peak memory. `--spans 1000000` for the full size, of which 520 MB are written
to a temporary folder; with fewer, the limit of time is 60 µs a span, and that of memory says little. Fails if a limit
does not hold, or a trace is lost.
"""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from _runs import fastest
from traces import MOST_MB, MOST_S, _answers, _traces


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--spans", type=int, default=100_000)
    count = arguments.parse_args().spans // 8  # spans a trace, a few more where the start is cold
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "spans.jsonl")
        lines = [json.dumps(span) for answer in _answers(count) for span in _spans(answer)]
        random.Random(3).shuffle(lines)
        path.write_text("\n".join(lines))
        told = fastest([sys.executable, str(Path(__file__).with_name("traces.py")), "--read", str(path)], runs=1)
    if told["used"] != count:
        sys.exit(f"{told['used']} of {count} traces used")
    most_s = MOST_S * len(lines) / 1_000_000
    print(f"{len(lines):,} spans: {told['seconds']:.1f} s of {most_s:.1f}, {told['memory_mb']:.0f} MB of {MOST_MB}")
    if told["seconds"] > most_s or told["memory_mb"] > MOST_MB:
        sys.exit("the claim does not hold")


def _spans(answer: bytes) -> Iterator[dict[str, Any]]:
    """What the segments and subsegments of an answer were as spans; X-Ray's inferred segments are none."""
    for trace in _traces([answer]):
        pending = [(json.loads(segment["Document"]), None) for segment in trace["Segments"]]
        for body, above in pending:  # grows while it is walked
            if not body.get("inferred"):
                yield _span(trace["Id"], body, above)
            pending += [(part, body["id"]) for part in body.get("subsegments", ())]


def _span(trace_id: str, body: Mapping[str, Any], above: str | None) -> dict[str, Any]:
    aws = body.get("aws", {})
    said = {
        "http.response.status_code": body["http"]["response"]["status"],
        "aws.xray.origin": body.get("origin"),
        "rpc.system": "aws-api" if "operation" in aws else None,
        "rpc.service": body["name"] if "operation" in aws else None,
        "rpc.method": aws.get("operation"),
        "aws.table_name": aws.get("table_name"),
    }
    internal = "CLIENT" if "namespace" in body else "INTERNAL"
    return {
        "traceId": trace_id[2:].replace("-", ""),
        "spanId": body["id"],
        "parentSpanId": above or body.get("parent_id", ""),
        "name": body["name"],
        "kind": internal if above else "SERVER",
        "startTimeUnixNano": round(body["start_time"] * 1e9),
        "endTimeUnixNano": round(body["end_time"] * 1e9),
        "status": {"code": "UNSET"},
        "attributes": {name: value for name, value in said.items() if value},
        "resource": {"attributes": {"service.name": body["name"], "cloud.resource_id": body.get("resource_arn", "")}},
    }


if __name__ == "__main__":
    main()
