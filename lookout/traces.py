"""`lookout traces`: the latency report, from an account or from exported traces."""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from dashboards import headlines, pages, sheets
from lookout import files, history, show, tracefiles, written, xray
from monitors.errors import InputError
from monitors.traces.aggregate import Window, report_of, window
from monitors.traces.history import week
from monitors.traces.phases import per_trace
from monitors.traces.reading import read_trace
from monitors.traces.report import FunctionLatency, LatencyReport
from monitors.traces.trends import Move, trends

Json = dict[str, Any]


def traces(chosen: argparse.Namespace) -> int:
    """Print or write the latency report; 1 if something got worse."""
    now = time.time()
    written.check(chosen.output)
    files.spare(read=(*(chosen.file or ()), *(chosen.before or ())), write=(chosen.per_trace, chosen.output))
    earlier = history.weeks(chosen.history) if chosen.history else []
    if (chosen.per_trace or chosen.before) and not chosen.file:
        raise InputError("--per-trace and --before are of exported traces: name them with --file")
    if chosen.file and (chosen.plan or chosen.resume or chosen.engine):
        raise InputError("--plan, --resume and --engine are of traces in X-Ray: leave out --file")
    if chosen.plan:
        return xray.plan(chosen, end_s=now)
    if chosen.file:
        report, seen = _of_files(chosen)
    else:
        report, seen = xray.read(chosen, end_s=now)
    times = {"start_s": report.start, "end_s": report.end, "made_s": now}
    kept = week(seen.requests, **times) if chosen.history else None
    trend = trends([*earlier, kept]) if kept else None
    page = pages.latency_page(report, title="Latency report", generated_s=now, trends=trend)
    written.write(chosen.output, {".html": page, ".csv": sheets.latency_csv(report)})
    if chosen.json:
        show.as_json(asdict(report) | ({"trends": asdict(trend)} if trend else {}))
    elif not chosen.output:
        _print_latency(report, trend.moves if trend else ())
    if kept:
        history.keep(chosen.history, kept)
    return 1 if any(change.after > change.before for change in report.changes) else 0


def _of_files(chosen: argparse.Namespace) -> tuple[LatencyReport, Window]:
    """The report of exported traces, against those of --before if there are any, and their window."""
    with files.writing(chosen.per_trace) as put:
        seen = window(_passing(chosen.file, put))
    before = chosen.before or ()
    then = window(tracefiles.exported(*before), paths=False)
    if not seen.used or (before and not then.used):
        raise InputError(f"{', '.join(before if seen.used else chosen.file)}: no traces: expected {tracefiles.SHAPES}")
    begun = [found.start // 1_000_000 for kind in (seen.requests, seen.entries) for found in kind.values()]
    start, end = min(map(min, begun), default=0), max(map(max, begun), default=0)
    return report_of(seen, then, start=int(start), end=int(end)), seen


def _passing(paths: Sequence[str], put: Callable[[str], object] | None) -> Iterator[Json]:
    """The traces, one at a time; `put` gets a line of each."""
    for trace in tracefiles.exported(*paths):
        if put:
            put(f"{json.dumps(per_trace(read_trace(trace)))}\n")
        yield trace


def _of(one: FunctionLatency) -> str:
    """What a function's response times are of."""
    read = f"{one.traces:,} traces"
    counted = one.counted
    return f"all {counted.spans:,} requests ({read} read)" if counted and counted.of is None else read


def _print_latency(report: LatencyReport, moves: Sequence[Move]) -> None:
    show.line(headlines.latency_status(report))
    rows = [
        (f.function, _of(f), f.response.p50_ms, f.response.p95_ms, f.response.p99_ms, f"{f.cold_share:.1%}")
        for f in report.functions
    ]
    for note in report.notes:
        if "could not be compared" in note or "were counted" in note:
            show.note(note)
    show.table("response time, ms", ("function", "of", "p50", "p95", "p99", "cold"), rows)
    for change in headlines.latency_changes(report):
        show.line(change.title)
        show.line(f"  {change.words}")
    for move in moves:
        told = f"{move.function}: {move.measure} {move.before:.0f} -> {move.after:.0f} since the week before"
        show.line(f"{told}, not tested for significance")
