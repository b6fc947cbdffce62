"""`lookout traces` and `lookout rightsize`: the two reports, from an account or from files."""

import argparse
import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from dashboards import headlines, pages, sheets
from infra import reports
from infra.aws.session import session
from lookout import files, show
from monitors import loglines
from monitors.errors import InputError
from monitors.records import Invocation
from monitors.rightsize.advise import memory_report
from monitors.rightsize.report import Action, MemoryReport
from monitors.traces.aggregate import latency_report
from monitors.traces.report import LatencyReport

Json = dict[str, Any]


def traces(chosen: argparse.Namespace) -> int:
    """Print or write the latency report; 1 if something got worse."""
    now = time.time()
    if chosen.file:
        found = [trace for path in chosen.file for trace in _exported(path)]
        report = latency_report(found, start=now - chosen.days * 86_400, end=now)
    else:
        with show.progress("reading traces") as progress:
            report = reports.latency(session(), end_s=now, days=chosen.days, progress=progress)
    page = pages.latency_page(report, title="Latency report", generated_s=now)
    _write(chosen.output, {".html": page, ".csv": sheets.latency_csv(report)})
    if chosen.json:
        show.as_json(asdict(report))
    elif not chosen.output:
        _print_latency(report)
    return 1 if any(change.after > change.before for change in report.changes) else 0


def rightsize(chosen: argparse.Namespace) -> int:
    """Print or write the memory report; 1 if some function should get another size."""
    now = time.time()
    if chosen.files:
        report = memory_report(_logged(chosen.files), functions={}, region="us-east-1")
    else:
        with show.progress("reading logs") as progress:
            report = reports.memory(session(), end_s=now, days=chosen.days, progress=progress)
    page = pages.memory_page(report, title="Memory report", generated_s=now)
    _write(chosen.output, {".html": page, ".csv": sheets.memory_csv(report)})
    if chosen.json:
        show.as_json(asdict(report))
    elif not chosen.output:
        _print_memory(report)
    return 1 if any(advice.action in (Action.LOWER, Action.RAISE) for advice in report.advice) else 0


def _exported(path: str) -> Iterator[Json]:
    """Traces of an export: what BatchGetTraces answered, a list of traces, or a trace a line."""
    try:
        raw = Path(path).read_bytes()
        text = (gzip.decompress(raw) if path.endswith(".gz") else raw).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        whole = json.loads(text)
    except ValueError:
        yield from _lines(path, text)
        return
    found = whole.get("Traces", [whole]) if isinstance(whole, dict) else whole
    if not isinstance(found, list):
        raise InputError(f"{path}: no traces: expected what BatchGetTraces answers, a list of traces, or one a line")
    yield from (trace for trace in found if isinstance(trace, dict))


def _lines(path: str, text: str) -> Iterator[Json]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                trace = json.loads(line)
            except ValueError as error:
                raise InputError(f"{path}:{number}: not JSON: {error}") from error
            if isinstance(trace, dict):
                yield trace


def _logged(paths: list[str]) -> Iterator[Invocation]:
    """Report records out of log files.

    A line is an event as a subscription or `aws logs filter-log-events` gives it (JSON with `message`, and `logGroup`,
    `logStream` or `logStreamName`, `timestamp`), or the bare message, with its time before it as in an export to S3.
    Bare lines are of the function that the file is named after, and of one sandbox a file.
    """
    for path in paths:
        name = Path(path).name.partition(".")[0]
        for line in files.lines([path]):
            event = _event(line)
            stream = str(event.get("logStream") or event.get("logStreamName") or path)
            group = str(event.get("logGroup") or event.get("logGroupName") or f"/aws/lambda/{name}")
            record = loglines.parse(
                str(event["message"]),
                function=loglines.function_of(group, stream),
                log_stream=stream,
                timestamp_ms=int(event.get("timestamp") or 0),
            )
            if isinstance(record, Invocation):
                yield record


def _event(line: str) -> Json:
    if line.startswith("{"):
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if isinstance(event, dict) and isinstance(event.get("message"), str):
            return event
    stamp, _, rest = line.rstrip("\n").partition(" ")
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return {"message": line.rstrip("\n")}
    return {"message": rest, "timestamp": at.timestamp() * 1000}


def _write(output: str | None, texts: dict[str, str]) -> None:
    if not output:
        return
    text = texts.get(Path(output).suffix)
    if text is None:
        raise InputError(f"{output}: the report can be written as {' or '.join(texts)}")
    files.write(output, text)
    show.note(f"written to {output}")


def _print_latency(report: LatencyReport) -> None:
    show.line(headlines.latency_status(report))
    rows = [
        (f.function, f.traces, f.response.p50_ms, f.response.p95_ms, f.response.p99_ms, f"{f.cold_share:.1%}")
        for f in report.functions
    ]
    show.table("response time, ms", ("function", "traces", "p50", "p95", "p99", "cold"), rows)
    for change in report.changes:
        show.line(f"{change.function}: {change.measure} {change.before:g} -> {change.after:g}  {change.blamed}")


def _print_memory(report: MemoryReport) -> None:
    show.line(headlines.memory_status(report))
    rows = [
        (a.function, str(a.action), a.memory_mb, a.advised_mb, a.used_mb, a.now_usd_month, a.confidence, a.reasons[0])
        for a in report.advice
    ]
    columns = ("function", "advice", "MB now", "MB then", "MB used", "USD a month", "sure", "why")
    show.table(f"memory, {report.invocations:,} invocations", columns, rows)
