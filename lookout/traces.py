"""`lookout traces`: the latency report, from an account or from exported traces."""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dashboards import headlines, pages, sheets
from dashboards.formats import counted, moment
from lookout import files, history, show, tracefiles, written, xray
from lookout.commands.rows import WINDOW
from monitors.errors import InputError
from monitors.traces.aggregate import Window, begun, report_of, window
from monitors.traces.history import week
from monitors.traces.phases import per_trace
from monitors.traces.reading import read_trace
from monitors.traces.report import EntryPaths, FunctionLatency, LatencyReport, Quantiles
from monitors.traces.tree import Repair
from monitors.traces.trends import Move, trends

Json = dict[str, Any]
DAY_S = 86_400
LOSSES = (
    Repair.EMPTY,
    Repair.BROKEN_DOCUMENT,
    Repair.BROKEN_SUBSEGMENT,
    Repair.IMPLAUSIBLE_TIME,
    Repair.LIMIT_EXCEEDED,
    Repair.DUPLICATE_TRACE,
)
"""Repairs by leaving something out."""


def traces(chosen: argparse.Namespace) -> int:
    """Print or write the latency report; 1 if something got worse."""
    now = time.time()
    _check(chosen)
    earlier = history.weeks(chosen.history) if chosen.history else []
    if chosen.plan:
        return xray.plan(chosen, end_s=now)
    if chosen.file:
        report, seen = _of_files(chosen)
    else:
        report, seen = xray.read(chosen, end_s=now)
    if chosen.history and report.end > now + DAY_S:  # all weeks to come would be too old for a trend that ends there
        raise InputError(f"--history: a request began at {moment(report.end)}, yet to come: leave its trace out")
    times = {"start_s": report.start, "end_s": report.end, "made_s": now}
    kept = week(seen.requests, **times) if chosen.history else None
    trend = trends([*earlier, kept]) if kept else None
    page = pages.latency_page(report, title="Latency report", generated_s=now, trends=trend)
    written.write(chosen.output, {".html": page, ".csv": sheets.latency_csv(report)})
    _tell_losses(report)
    try:
        if chosen.json:
            show.as_json(asdict(report) | ({"trends": asdict(trend)} if trend else {}))
        elif not chosen.output:
            _print_latency(report, trend.moves if trend else ())
    finally:  # whoever reads it may stop half way, as `head` does
        if kept:
            history.keep(chosen.history, kept)
    return 1 if any(change.after > change.before for change in report.changes) else 0


def _check(chosen: argparse.Namespace) -> None:
    """InputError for what can be known to go wrong before anything is read or written."""
    written.check(chosen.output)
    files.spare(read=(*(chosen.file or ()), *(chosen.before or ())), write=(chosen.per_trace, chosen.output))
    if chosen.per_trace and chosen.output and Path(chosen.per_trace).resolve() == Path(chosen.output).resolve():
        raise InputError(f"{chosen.output}: is what --per-trace writes: name another file for the report")
    if (chosen.per_trace or chosen.before) and not chosen.file:
        raise InputError("--per-trace and --before are of exported traces: name them with --file")
    if chosen.file and (chosen.plan or chosen.resume or chosen.engine or chosen.days != WINDOW.settings["default"]):
        raise InputError("--plan, --resume, --engine and --days are of traces in X-Ray: leave out --file")


def _of_files(chosen: argparse.Namespace) -> tuple[LatencyReport, Window]:
    """The report of exported traces, against those of --before if there are any, and their window."""
    with files.writing(chosen.per_trace) as put:
        seen = window(_passing(chosen.file, put))
    before = chosen.before or ()
    then = window(tracefiles.exported(*before), paths=False)
    if not seen.used or (before and not then.used):
        raise InputError(f"{', '.join(before if seen.used else chosen.file)}: no traces: expected {tracefiles.SHAPES}")
    if not (span := begun(seen)):
        raise InputError(f"{', '.join(chosen.file)}: {counted(seen.used, 'trace')}, but no request has ended in any")
    start, end = span
    if (earlier := begun(then)) and earlier[0] > end:
        raise InputError("--before: its traces began after all those of --file: are the two the wrong way round?")
    return report_of(seen, then, start=start, end=end), seen


def _passing(paths: Sequence[str], put: Callable[[str], object] | None) -> Iterator[Json]:
    """The traces, one at a time; `put` gets a line of each."""
    for trace in tracefiles.exported(*paths):
        if put:
            put(f"{json.dumps(per_trace(read_trace(trace)))}\n")
        yield trace


def _of(one: FunctionLatency | EntryPaths) -> str:
    """What response times are of."""
    read = counted(one.traces, "trace")
    every = one.counted if isinstance(one, FunctionLatency) else None
    return f"all {counted(every.spans, 'request')} ({read} read)" if every and every.of is None else read


def _times(response: Quantiles) -> tuple[float, float, float]:
    return response.p50_ms, response.p95_ms, response.p99_ms


def _tell_losses(report: LatencyReport) -> None:
    """Say what of the traces could not be used."""
    often = dict(report.ledger)
    told = ", ".join(f"{loss} {often[loss]:,}" for loss in LOSSES if loss in often)
    if told:
        show.note(f"{report.traces_used:,} of {counted(report.traces_read, 'trace')} used; left out: {told}")


def _print_latency(report: LatencyReport, moves: Sequence[Move]) -> None:
    show.line(headlines.latency_status(report))
    rows = [
        (f.function, _of(f), *_times(f.response), f"{f.cold_share:.1%}", headlines.blame(f)) for f in report.functions
    ]
    for note in report.notes:
        if "could not be compared" in note or "were counted" in note:
            show.note(note)
    if rows or not report.entries:
        show.table("response time, ms", ("function", "of", "p50", "p95", "p99", "cold", "adds most to the tail"), rows)
    else:
        whole = [(e.entry, _of(e), *_times(e.response)) for e in report.entries]
        show.table("no function is in the traces; whole requests, ms", ("entry", "of", "p50", "p95", "p99"), whole)
    for change in headlines.latency_changes(report):
        show.line(change.title)
        show.line(f"  {change.words}")
    for move in moves:
        told = f"{move.function}: {move.measure} {move.before:.0f} -> {move.after:.0f} since the week before"
        show.line(f"{told}, not tested for significance")
