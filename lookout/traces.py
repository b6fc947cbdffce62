"""`lookout traces`: the latency report, from an account or from exported traces."""

import argparse
import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dashboards import headlines, pages, sheets
from lookout import files, history, show, tracefiles, written, xray
from monitors.errors import InputError
from monitors.traces.aggregate import Window, report_of, window
from monitors.traces.history import week
from monitors.traces.phases import per_trace
from monitors.traces.reading import read_trace
from monitors.traces.report import LatencyReport
from monitors.traces.trends import Move, trends

Json = dict[str, Any]
_TRACE_ID = re.compile(r"1-([0-9a-f]{8})-")  # its second, in hexadecimal (AWS X-Ray Developer Guide, "Trace ID format")


def traces(chosen: argparse.Namespace) -> int:
    """Print or write the latency report; 1 if something got worse."""
    now = time.time()
    earlier = history.weeks(chosen.history) if chosen.history else []
    if chosen.per_trace and not chosen.file:
        raise InputError("--per-trace is of exported traces: name them with --file")
    if chosen.file and (chosen.plan or chosen.resume):
        raise InputError("--plan and --resume are of traces in X-Ray: leave out --file")
    if chosen.plan:
        return xray.plan(chosen, end_s=now)
    if chosen.file:
        found = list(tracefiles.exported(*chosen.file))
        report, seen = _latency_of(found, chosen.file)
        if chosen.per_trace:
            files.write(chosen.per_trace, "".join(f"{json.dumps(per_trace(read_trace(one)))}\n" for one in found))
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


def _latency_of(found: list[Json], paths: list[str]) -> tuple[LatencyReport, Window]:
    begun = [int(known[1], 16) for trace in found if (known := _TRACE_ID.match(str(trace.get("Id"))))]
    seen = window(found)
    report = report_of(seen, window(()), start=min(begun, default=0), end=max(begun, default=0))
    if not report.traces_used:
        raise InputError(f"{', '.join(paths)}: no traces: expected {tracefiles.SHAPES}")
    return report, seen


def _print_latency(report: LatencyReport, moves: Sequence[Move]) -> None:
    show.line(headlines.latency_status(report))
    rows = [
        (f.function, f.traces, f.response.p50_ms, f.response.p95_ms, f.response.p99_ms, f"{f.cold_share:.1%}")
        for f in report.functions
    ]
    show.table("response time, ms", ("function", "traces", "p50", "p95", "p99", "cold"), rows)
    for change in report.changes:
        show.line(f"{change.function}: {change.measure} {change.before:g} -> {change.after:g}  {change.blamed}")
    for move in moves:
        told = f"{move.function}: {move.measure} {move.before:.0f} -> {move.after:.0f} since the week before"
        show.line(f"{told}, not tested for significance")
