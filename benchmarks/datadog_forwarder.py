"""Claim: the log subscriber takes events in at 5 times the speed of the Datadog forwarder's CPU path or more.

Both get the payloads of log_subscriber.py, as base64: the subscriber, with its five user definitions on, makes EMF
lines of them; the forwarder does its own parse, enrich, transform, split and parse_and_submit_enhanced_metrics. One
process, in turns; of the rounds each the fastest counts. Fails below 5 times.

Three things of the forwarder are replaced: its caches of tags know no tags, lambda_stats of datadog_lambda throws the
metrics away, and requests, with which it would check its API key, is empty. Its forward(), which scrubs, filters,
serialises, compresses and sends the logs, isn't called. All this makes the forwarder look faster, never slower.

The forwarder isn't part of this repository: without a checkout this says how to get one, and measures nothing.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from log_subscriber import DEFINITIONS, _best, _events, _packed, _subscriber

from monitors.logdefinitions import definitions

EVENTS, TIMES = 10_000, 5
VARIABLE = "DATADOG_FORWARDER"
LogsOf = Callable[[str], Sequence[object]]
STEPS = (
    ("steps.parsing", "parse"),
    ("steps.enrichment", "enrich"),
    ("steps.transformation", "transform"),
    ("steps.splitting", "split"),
    ("enhanced_lambda_metrics", "parse_and_submit_enhanced_metrics"),
)
ABOUT_ITSELF = SimpleNamespace(
    function_name="forwarder",
    function_version="$LATEST",
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:forwarder",
    memory_limit_in_mb=1024,
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--forwarder", type=Path, default=os.environ.get(VARIABLE))
    arguments.add_argument("--rounds", type=int, default=7)
    asked = arguments.parse_args()
    if not asked.forwarder:
        print(
            "left out: git clone https://github.com/DataDog/datadog-serverless-functions, and give its "
            f"aws/logs_monitoring as --forwarder or {VARIABLE}; no package is needed"
        )
        return
    logs_of, stats = _forwarder(asked.forwarder)
    events = _events(EVENTS)
    defined = definitions(json.dumps(DEFINITIONS)).sound
    ratios = []
    for size in (EVENTS, 100):
        packed = [_packed(events[at : at + size]) for at in range(0, EVENTS, size)]
        _check(logs_of, stats, packed)
        ours, theirs = _best([partial(_subscriber, packed, defined), partial(_forward, packed, logs_of)], asked.rounds)
        ratios.append(theirs / ours)
        print(
            f"{EVENTS} events in {len(packed)} payloads: {EVENTS / ours:,.0f} events/s; the Datadog forwarder "
            f"{EVENTS / theirs:,.0f}: {theirs / ours:.1f} times as fast, of {TIMES}"
        )
    if min(ratios) < TIMES:
        sys.exit("the claim does not hold")


def _forwarder(folder: Path) -> tuple[LogsOf, SimpleNamespace]:
    """What makes logs of a payload, and where its metrics go."""
    if not (folder / "steps" / "parsing.py").is_file():
        sys.exit(f"{folder} has no steps/parsing.py: give aws/logs_monitoring of a checkout")
    stats = SimpleNamespace(distribution=_ignore)
    metric = ModuleType("datadog_lambda.metric")
    vars(metric)["lambda_stats"] = stats
    stubs = {
        "datadog_lambda": ModuleType("datadog_lambda"),
        metric.__name__: metric,
        "requests": ModuleType("requests"),
    }
    sys.modules.update(stubs)
    sys.path.insert(0, str(folder))
    parse, enrich, transform, split, submit = (getattr(import_module(module), name) for module, name in STEPS)
    sys.path.remove(str(folder))
    no_tags = SimpleNamespace(get=lambda _: [])
    caches = SimpleNamespace(get_cloudwatch_log_group_tags_cache=lambda: no_tags, get_lambda_tags_cache=lambda: no_tags)

    def logs_of(data: str) -> Any:
        parsed = parse({"awslogs": {"data": data}}, ABOUT_ITSELF, caches)
        _, logs, _ = split(transform(enrich(parsed, caches)))
        submit(logs, caches)
        return logs

    return logs_of, stats


def _ignore(*_: Any, **__: Any) -> None:
    pass


def _forward(packed: Sequence[str], logs_of: LogsOf) -> None:
    for data in packed:
        logs_of(data)


def _check(logs_of: LogsOf, stats: SimpleNamespace, packed: Sequence[str]) -> None:
    """The forwarder makes a log of what it can't read: its time counts only if it read everything."""
    names: list[str] = []
    stats.distribution = lambda name, *_, **__: names.append(name)
    logs = sum(len(logs_of(data)) for data in packed)
    stats.distribution = _ignore
    points = sum(name.startswith("aws.lambda.enhanced.") for name in names)
    if logs != EVENTS or points < EVENTS // 2:
        sys.exit(f"the forwarder made {logs} logs and {points} points of {EVENTS} events, half of them REPORT lines")


if __name__ == "__main__":
    main()
