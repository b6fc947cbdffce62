"""Claim: 400 functions are planned in under 150 ms of CPU beyond imports, 10,000 in under 5 s and 1 GB, linearly.

Makes fleets of functions with their log groups and a source each (queue with dead-letter queue, HTTP API, stream,
table), plans each in a process of its own, once to warm up, and prints CPU, peak memory, and the cost of a function
as a ratio to that in the smallest fleet. Fails if a bound is broken.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from time import process_time

from monitors.model import Fact, Fleet, Link, Resource
from monitors.plan import plan
from monitors.settings import Settings

SIZES = (100, 400, 1_000, 10_000)
BOUNDS_S = {400: 0.150, 10_000: 5.0}
MEMORY_MB = {10_000: 1_000}
ACCOUNT, REGION = "123456789012", "eu-west-1"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.measure:
        _measure(asked.measure)
        return
    broken, smallest = [], 0.0
    for size in SIZES:
        done = subprocess.run(
            [sys.executable, __file__, "--measure", str(size)], stdout=subprocess.PIPE, check=True
        ).stdout
        found = json.loads(done)
        each = found["cpu_s"] / size
        smallest = smallest or each
        bound = f", {found['cpu_s'] / BOUNDS_S[size]:.2f} of {BOUNDS_S[size]} s" if size in BOUNDS_S else ""
        memory = f", {found['memory_mb'] / MEMORY_MB[size]:.2f} of {MEMORY_MB[size]:,} MB" if size in MEMORY_MB else ""
        print(
            f"{size:6,} functions, {found['resources']:6,} resources, {found['alarms']:7,} alarms: "
            f"{found['cpu_s']:.3f} s, {found['memory_mb']:,.0f} MB, {each / smallest:.2f} a function{bound}{memory}"
        )
        if found["cpu_s"] > BOUNDS_S.get(size, found["cpu_s"]) or found["memory_mb"] > MEMORY_MB.get(size, 1e9):
            broken.append(f"{size:,}")
    if broken:
        sys.exit(f"the claim does not hold for {', '.join(broken)} functions")


def _measure(functions: int) -> None:
    fleet, settings = _fleet(functions), Settings()
    plan(_fleet(20), settings)
    began = process_time()
    made = plan(fleet, settings)
    cpu_s = process_time() - began
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    print(
        json.dumps(
            {
                "cpu_s": cpu_s,
                "memory_mb": int(line.split()[1]) / 1024,
                "resources": len(fleet.resources),
                "alarms": len(made.alarms) + len(made.composites),
            }
        )
    )


def _fleet(functions: int) -> Fleet:
    resources: list[Resource] = []
    links: list[Link] = []
    for n in range(functions):
        name, application = f"shop-{n}", f"shop-{n % 40}"
        function = _resource(
            "lambda", name, application, timeout_ms=30_000, memory_mb=256, log_group=f"/aws/lambda/{name}"
        )
        sources = _sources(n, name, application)
        resources += [function, _resource("logs", f"/aws/lambda/{name}", application, log_class="STANDARD"), *sources]
        links += [Link(source.id, function.id, "reads") for source in sources]
    return Fleet(resources=tuple(resources), links=tuple(links))


def _sources(n: int, name: str, application: str) -> list[Resource]:
    match n % 4:
        case 0:
            dead = _resource("sqs", f"{name}-dlq", application, is_dead_letter_queue=True, retention_s=1_209_600)
            return [_resource("sqs", name, application, is_dead_letter_queue=False, retention_s=345_600), dead]
        case 1:
            return [_resource("apigateway_http", f"{n}/$default", application, api_id=str(n), stage="$default")]
        case 2:
            return [_resource("kinesis", name, application, on_demand=True)]
        case _:
            return [_resource("dynamodb", name, application, billing="on_demand")]


def _resource(service: str, name: str, application: str, **facts: Fact) -> Resource:
    return Resource(
        service=service,
        name=name,
        id=f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}",
        region=REGION,
        account=ACCOUNT,
        application=application,
        facts=facts,
    )


if __name__ == "__main__":
    main()
