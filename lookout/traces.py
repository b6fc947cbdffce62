"""`lookout traces`: the latency report, from an account or from exported traces."""

import argparse
import json
import re
import time
from dataclasses import asdict
from typing import Any

from dashboards import headlines, pages, sheets
from infra import reports
from infra.aws.session import session
from lookout import files, show, tracefiles, written
from monitors.errors import InputError
from monitors.traces.aggregate import latency_report
from monitors.traces.phases import per_trace
from monitors.traces.reading import read_trace
from monitors.traces.report import LatencyReport

Json = dict[str, Any]
_TRACE_ID = re.compile(r"1-([0-9a-f]{8})-")  # its second, in hexadecimal (AWS X-Ray Developer Guide, "Trace ID format")


def traces(chosen: argparse.Namespace) -> int:
    """Print or write the latency report; 1 if something got worse."""
    now = time.time()
    if chosen.per_trace and not chosen.file:
        raise InputError("--per-trace is of exported traces: name them with --file")
    if chosen.file:
        found = [trace for path in chosen.file for trace in tracefiles.exported(path)]
        report = _latency_of(found, chosen.file)
        if chosen.per_trace:
            files.write(chosen.per_trace, "".join(f"{json.dumps(per_trace(read_trace(one)))}\n" for one in found))
    else:
        with show.progress("reading traces") as progress:
            report = reports.latency(session(), end_s=now, days=chosen.days, progress=progress)
    page = pages.latency_page(report, title="Latency report", generated_s=now)
    written.write(chosen.output, {".html": page, ".csv": sheets.latency_csv(report)})
    if chosen.json:
        show.as_json(asdict(report))
    elif not chosen.output:
        _print_latency(report)
    return 1 if any(change.after > change.before for change in report.changes) else 0


def _latency_of(found: list[Json], paths: list[str]) -> LatencyReport:
    begun = [int(known[1], 16) for trace in found if (known := _TRACE_ID.match(str(trace.get("Id"))))]
    report = latency_report(found, start=min(begun, default=0), end=max(begun, default=0))
    if not report.traces_used:
        raise InputError(f"{', '.join(paths)}: no traces: expected {tracefiles.SHAPES}")
    return report


def _print_latency(report: LatencyReport) -> None:
    show.line(headlines.latency_status(report))
    rows = [
        (f.function, f.traces, f.response.p50_ms, f.response.p95_ms, f.response.p99_ms, f"{f.cold_share:.1%}")
        for f in report.functions
    ]
    show.table("response time, ms", ("function", "traces", "p50", "p95", "p99", "cold"), rows)
    for change in report.changes:
        show.line(f"{change.function}: {change.measure} {change.before:g} -> {change.after:g}  {change.blamed}")
