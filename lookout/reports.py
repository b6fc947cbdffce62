"""`lookout traces` and `lookout rightsize`: the two reports, from an account or from files."""

import argparse
import gzip
import json
import os
import re
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dashboards import assets, headlines, pages, sheets
from infra import reports
from infra.aws.session import session
from lookout import files, logfiles, show
from monitors.errors import InputError
from monitors.rightsize.advise import memory_report
from monitors.rightsize.prices import X86
from monitors.rightsize.report import Action, MemoryReport
from monitors.traces.aggregate import latency_report
from monitors.traces.documents import decode
from monitors.traces.phases import per_trace
from monitors.traces.reading import envelopes, read_trace
from monitors.traces.report import LatencyReport

Json = dict[str, Any]
_EXPORT = "what BatchGetTraces answers, a list of traces or of segment documents, or one a line"
_TRACE_ID = re.compile(r"1-([0-9a-f]{8})-")  # its second, in hexadecimal (AWS X-Ray Developer Guide, "Trace ID format")


def traces(chosen: argparse.Namespace) -> int:
    """Print or write the latency report; 1 if something got worse."""
    now = time.time()
    if chosen.per_trace and not chosen.file:
        raise InputError("--per-trace is of exported traces: name them with --file")
    if chosen.file:
        found = [trace for path in chosen.file for trace in _exported(path)]
        report = _latency_of(found, chosen.file)
        if chosen.per_trace:
            files.write(chosen.per_trace, "".join(f"{json.dumps(per_trace(read_trace(one)))}\n" for one in found))
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
    if chosen.json and chosen.patch:
        raise InputError("--json and --patch both go to standard output: choose one")
    if chosen.files:
        region, architecture = chosen.region or "us-east-1", chosen.architecture or X86
        with show.progress("reading log files") as progress:
            found = logfiles.invocations(chosen.files, progress=progress)
            report = memory_report(found, functions={}, region=region, architecture=architecture)
        if not report.invocations:
            raise InputError(f"{', '.join(chosen.files)}: no REPORT lines")
    elif chosen.region or chosen.architecture:
        raise InputError("--region and --architecture are of log files: an account says its own")
    else:
        with show.progress("reading logs") as progress:
            report = reports.memory(session(), end_s=now, days=chosen.days, progress=progress)
    page = pages.memory_page(report, title="Memory report", generated_s=now)
    _write(chosen.output, {".html": page, ".csv": sheets.memory_csv(report)})
    if chosen.json:
        show.as_json(asdict(report))
    elif chosen.patch:
        _print_patches(report, chosen.patch)
    elif not chosen.output:
        _print_memory(report)
    return 1 if any(advice.action in (Action.LOWER, Action.RAISE) for advice in report.advice) else 0


def _latency_of(found: list[Json], paths: list[str]) -> LatencyReport:
    begun = [int(known[1], 16) for trace in found if (known := _TRACE_ID.match(str(trace.get("Id"))))]
    report = latency_report(found, start=min(begun, default=0), end=max(begun, default=0))
    if not report.traces_used:
        raise InputError(f"{', '.join(paths)}: no traces: expected {_EXPORT}")
    return report


def _exported(path: str) -> Iterator[Json]:
    """Traces of an export in one of the shapes of _EXPORT; segment documents by themselves are put together."""
    loose: list[Json] = []
    for one in _traces(path):
        if "Segments" not in one and "trace_id" in one:
            loose.append(one)
        else:
            yield one
    yield from envelopes(loose)


def _traces(path: str) -> Iterator[Json]:
    try:
        raw = Path(path).read_bytes()
        text = (gzip.decompress(raw) if path.endswith(".gz") else raw).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        whole = decode(text)
    except ValueError:
        yield from _lines(path, text)
        return
    found = whole.get("Traces", [whole]) if isinstance(whole, dict) else whole
    yield from (trace for trace in (found if isinstance(found, list) else ()) if isinstance(trace, dict))


def _lines(path: str, text: str) -> Iterator[Json]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                trace = decode(line)
            except ValueError as error:
                raise InputError(f"{path}:{number}: not JSON: {error}") from error
            if isinstance(trace, dict):
                yield trace


def _write(output: str | None, texts: dict[str, str]) -> None:
    if not output:
        return
    text = texts.get(Path(output).suffix)
    if text is None:
        raise InputError(f"{output}: the report can be written as {' or '.join(texts)}")
    files.write(output, text)
    show.note(f"written to {output}")
    if output.endswith(".html"):
        _write_charts(Path(output).parent)


def _write_charts(folder: Path) -> None:
    """The script that draws the charts, beside the page; without the extra that has it the page shows tables."""
    try:
        files.write(folder / "charts.js", assets.chart_script())
    except ImportError:
        show.note("the page shows tables only: charts need the extra `local` (pip install 'lambda-lookout[local]')")


def _print_latency(report: LatencyReport) -> None:
    show.line(headlines.latency_status(report))
    rows = [
        (f.function, f.traces, f.response.p50_ms, f.response.p95_ms, f.response.p99_ms, f"{f.cold_share:.1%}")
        for f in report.functions
    ]
    show.table("response time, ms", ("function", "traces", "p50", "p95", "p99", "cold"), rows)
    for change in report.changes:
        show.line(f"{change.function}: {change.measure} {change.before:g} -> {change.after:g}  {change.blamed}")


def _print_patches(report: MemoryReport, paths: list[str]) -> None:
    """The diffs on standard output, and what they leave out beside it."""
    from infra.templates.resizing import resized  # the extra `templates`

    sizes = {a.function: a.advised_mb for a in report.advice if a.action is not Action.UNKNOWN}
    acted = {a.function for a in report.advice if a.action in (Action.LOWER, Action.RAISE)}
    declared: set[str] = set()
    for path in paths:
        patch = resized(files.read_text(path), os.path.relpath(path), sizes)
        declared |= patch.declared
        sys.stdout.write(patch.diff)
        for function, why in patch.refused.items():
            if function in acted:
                show.note(f"{path}: {function} is left as it is: {why}")
    if not acted:
        show.note("no function needs another size")
    if missing := sorted(acted - declared):
        show.note(f"in none of the files: {', '.join(missing)}")


def _print_memory(report: MemoryReport) -> None:
    show.line(headlines.memory_status(report))
    rows = [
        (a.function, str(a.action), a.memory_mb, a.advised_mb, a.used_mb, a.now_usd_month, a.confidence, a.reasons[0])
        for a in report.advice
    ]
    columns = ("function", "advice", "MB now", "MB then", "MB used", "USD a month", "sure", "why")
    show.table(f"memory, {report.invocations:,} invocations", columns, rows)
