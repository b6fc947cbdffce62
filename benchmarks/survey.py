"""Claim: surveying 5,000 functions takes at most functions / 50 * 4 + 40 API calls a Region, and under 500 MB.

Makes the fleet in the embedded account, functions with log groups and tags, a few with what only a call for each would
tell, and surveys it in a process of its own. Prints calls, memory and seconds, and fails if a bound is broken.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

import boto3
from botocore.config import Config

from infra.aws.survey import survey_all
from infra.local.account import ACCOUNT_ID, REGION, LocalAccount, local_account

MEMORY_MB = 500
THREADS = 16
ENVIRONMENT = {f"SETTING_{n}": f"{n:064}" for n in range(16)}
"""As much as fleets tend to have; ListFunctions gives it all."""
TELLING = {  # metric -> how many functions emit it
    "AsyncEventsReceived": 20,
    "UrlRequestCount": 10,
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--functions", type=int, default=5_000)
    arguments.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.measure:
        _measure()
        return
    with local_account() as account:
        began = perf_counter()
        queues = _make(account, asked.functions)
        print(
            f"{asked.functions:,} functions, as many log groups, {queues} queues made in {perf_counter() - began:.1f} s"
        )
        measured = subprocess.run(
            [sys.executable, __file__, "--measure"],
            env=os.environ | account.environment(),
            stdout=subprocess.PIPE,
            check=True,
        )
    found = json.loads(measured.stdout)
    bound = asked.functions / 50 * 4 + 40
    print(f"{found['functions']:,} functions found, of {found['resources']:,} resources, in {found['seconds']:.1f} s")
    print(f"API calls: {found['calls']:5,} of {bound:5,.0f} allowed, {found['calls'] / bound:.2f}")
    print(f"peak RSS:  {found['memory_mb']:5,.0f} of {MEMORY_MB:5,} MB,     {found['memory_mb'] / MEMORY_MB:.2f}")
    print(*found["told"], sep="\n")
    if found["functions"] != asked.functions or found["calls"] > bound or found["memory_mb"] > MEMORY_MB:
        sys.exit("the claim does not hold")


def _measure() -> None:
    began = perf_counter()
    found = survey_all({"": boto3.Session})
    measured = {
        "calls": found.calls,
        "functions": sum(resource.service == "lambda" for resource in found.fleet.resources),
        "resources": len(found.fleet.resources),
        "seconds": perf_counter() - began,
        "memory_mb": _peak_mb(),
        "told": [*found.fleet.notes, *found.fleet.incomplete],
    }
    print(json.dumps(measured))


def _peak_mb() -> float:
    """Of this process alone: getrusage would count the one it was forked from."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _make(account: LocalAccount, functions: int) -> int:
    """Functions and log groups; how many queues."""
    session = boto3.Session(aws_access_key_id=ACCOUNT_ID, aws_secret_access_key="x", region_name=REGION)
    config = Config(max_pool_connections=THREADS)
    aws, logs, metrics, sqs = (
        session.client(service, endpoint_url=account.endpoint, config=config)
        for service in ("lambda", "logs", "cloudwatch", "sqs")
    )
    names = [f"shop-{n:05}" for n in range(functions)]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): pass\n")
    _in_threads(lambda name: _function(aws, name, code.getvalue()), names)
    _in_threads(lambda name: logs.create_log_group(logGroupName=f"/aws/lambda/{name}"), names)
    queues = _in_threads(lambda name: sqs.create_queue(QueueName=name), names[:10])
    for metric, count in TELLING.items():
        data = [_metric(metric, name) for name in names[:count]]
        metrics.put_metric_data(Namespace="AWS/Lambda", MetricData=data)
    return queues


def _function(aws: Any, name: str, code: bytes) -> None:
    aws.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=f"arn:aws:iam::{ACCOUNT_ID}:role/shop",
        Code={"ZipFile": code},
        Environment={"Variables": ENVIRONMENT},
        Tags={"application": f"shop-{name[-3:]}"},
    )


def _metric(name: str, function: str) -> dict[str, Any]:
    return {"MetricName": name, "Value": 1.0, "Dimensions": [{"Name": "FunctionName", "Value": function}]}


def _in_threads(make: Callable[[str], object], names: Iterable[str]) -> int:
    with ThreadPoolExecutor(THREADS) as pool:
        return len(list(pool.map(make, names)))


if __name__ == "__main__":
    main()
