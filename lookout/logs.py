"""`lookout logs`: try a metric definition on log lines before it is deployed."""

import argparse
import time
from collections.abc import Iterator

from infra.aws import logs
from infra.aws.session import client, session
from lookout import files, show
from monitors import patterns

SHOWN = 20


def run(chosen: argparse.Namespace) -> int:
    """Print which lines match and what value comes out; 1 if none does."""
    pattern = patterns.compile(chosen.pattern)
    pattern.value("", chosen.value)  # refuses a selector that doesn't go with the pattern, whatever the lines are
    read = matched = 0
    values: list[float] = []
    samples: list[dict[str, object]] = []
    for line in _lines(chosen):
        read += 1
        match = pattern.match(line)
        if match is None:
            continue
        matched += 1
        value = pattern.value(line, chosen.value)
        if value is not None:
            values.append(value)
        if len(samples) < SHOWN:
            samples.append({"line": line[:500], "value": value, "fields": dict(match.values)})
    result = {
        "lines": read,
        "matched": matched,
        "without_value": matched - len(values),
        "sum": sum(values),
        "minimum": min(values, default=None),
        "maximum": max(values, default=None),
    }
    if chosen.json:
        show.as_json(result | {"samples": samples})
    else:
        words = [hint for hint in pattern.hints if not hint.startswith("\\")]
        rows = [("-" if s["value"] is None else f"{s['value']:g}", show.marked(str(s["line"]), words)) for s in samples]
        show.table(f"{matched} of {read} lines match", ("value", "line"), rows)
        if matched > len(values):
            show.note(f"{matched - len(values)} matching lines have no number at {chosen.value}: AWS skips them too")
    return 0 if matched else 1


def _lines(chosen: argparse.Namespace) -> Iterator[str]:
    if not chosen.log_group:
        yield from (line.rstrip("\n") for line in files.lines(["-"]))
        return
    start_s = time.time() - chosen.since
    for event in logs.events(client(session(), "logs"), group=chosen.log_group, start_s=start_s):
        yield event["message"].removesuffix("\n")
