"""`lookout rightsize`: the memory report, from an account or from log files."""

import argparse
import os
import sys
import time
from dataclasses import asdict

from dashboards import headlines, pages, sheets
from infra import reports
from infra.aws.session import session
from lookout import files, logfiles, show, written
from monitors.errors import InputError
from monitors.rightsize.advise import memory_report
from monitors.rightsize.prices import X86
from monitors.rightsize.report import Action, MemoryReport


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
    written.write(chosen.output, {".html": page, ".csv": sheets.memory_csv(report)})
    if chosen.json:
        show.as_json(asdict(report))
    elif chosen.patch:
        _print_patches(report, chosen.patch)
    elif not chosen.output:
        _print_memory(report)
    return 1 if any(advice.action in (Action.LOWER, Action.RAISE) for advice in report.advice) else 0


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
