"""`lookout rightsize`: the memory report, from an account or from log files."""

import argparse
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from dashboards import formats, headlines, pages, sheets
from infra import reports
from infra.aws import performance
from infra.aws.session import session
from infra.engines import athena, insights
from lookout import files, patching, powertuning, show, usedays, written
from monitors.errors import InputError
from monitors.rightsize.advise import memory_report
from monitors.rightsize.follow import earlier, follow
from monitors.rightsize.pricelist import OWN, PriceList, price_list
from monitors.rightsize.prices import X86
from monitors.rightsize.report import Action, Followed, FollowUp, MemoryReport
from monitors.rightsize.tuned import tuned

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[1-9]")
Tunings = dict[str, dict[int, float]]
"""Function -> memory size in MB -> the average duration in ms that Power Tuning measured."""
Made = Callable[[Tunings], MemoryReport]
"""Makes the report with what Power Tuning measured."""
ENGINES: dict[str, reports.Engine] = {
    "logs": reports.from_logs,
    "insights": insights.read,
    "athena": athena.read,
}
"""What `--engine` may name."""


def rightsize(chosen: argparse.Namespace) -> int:
    """Print or write the memory report; 1 if some function should get another size."""
    now = time.time()
    written.check(chosen.output)
    powertuning.check(chosen)
    patching.check(chosen)
    files.spare(read=(*chosen.files, *filter(None, (chosen.before, chosen.prices))), write=(chosen.output,))
    if chosen.json and chosen.patch:
        raise InputError("--json and --patch both go to standard output: choose one")
    before = earlier(files.read_text(chosen.before), chosen.before) if chosen.before else None
    prices = _price_list(chosen.prices) if chosen.prices else OWN
    tunings = _tunings(chosen.tuned or ())
    made = _of_files(chosen, prices) if chosen.files else _of_account(chosen, prices, end_s=now)
    report = made(tunings)
    if unknown := sorted(tunings.keys() - {advice.function for advice in report.advice}):
        raise InputError(f"--tuned {', '.join(unknown)}: no invocation of that name was read")
    if chosen.power_tuning:
        report = made(tunings | {chosen.power_tuning: powertuning.measured(chosen, report, prices)})
    if before:
        report = replace(report, before=follow(before, report))
    page = pages.memory_page(report, title="Memory report", generated_s=now)
    written.write(chosen.output, {".html": page, ".csv": sheets.memory_csv(report)})
    if chosen.json:
        show.as_json(asdict(report))
    elif chosen.patch:
        patching.patch(report, chosen.patch, apply=chosen.apply)
    elif not chosen.output:
        _print_memory(report)
    return 1 if any(advice.action in (Action.LOWER, Action.RAISE) for advice in report.advice) else 0


def _of_files(chosen: argparse.Namespace, prices: PriceList) -> Made:
    """What makes the report of log files, once they are read."""
    if chosen.engine != "logs":
        raise InputError("--engine is of an account: log files are read here")
    region, architecture = usedays.region(chosen), chosen.architecture or X86
    if not _REGION.fullmatch(region):
        raise InputError(f"--region {region}: no AWS Region, such as eu-west-1")
    with show.progress("reading log files") as progress:
        found = usedays.read(chosen, progress)
    for note in found.notes:
        show.note(note)
    if not found.usage:
        raise InputError(
            f"{', '.join(chosen.files)}: no REPORT lines; it takes log lines, or events as JSON, one a line "
            "(aws logs filter-log-events ... | jq -c '.events[]')"
        )

    def made(tunings: Tunings) -> MemoryReport:
        report = memory_report(
            found.usage, functions={}, region=region, architecture=architecture, price_list=prices, tuned=tunings
        )
        return replace(report, notes=(*report.notes, *found.notes))

    return made


def _of_account(chosen: argparse.Namespace, prices: PriceList, *, end_s: float) -> Made:
    """What makes the report of the account, which is read once."""
    if chosen.region or chosen.architecture:
        raise InputError("--region and --architecture are of log files: an account says its own")
    engine = powertuning.once(usedays.engine(chosen, ENGINES[chosen.engine]))
    cpu_times = powertuning.once(performance.read)

    def made(tunings: Tunings) -> MemoryReport:
        with show.progress("reading logs") as progress:
            return reports.memory(
                session(),
                end_s=end_s,
                days=usedays.days(chosen),
                engine=engine,
                price_list=prices,
                tuned=tunings,
                cpu_times=cpu_times if chosen.engine == "insights" else None,
                progress=progress,
                say=show.note,
            )

    return made


def _tunings(named: Iterable[str]) -> Tunings:
    found: Tunings = {}
    for one in named:
        function, _, path = one.partition("=")
        if not (function and path):
            raise InputError(f"--tuned {one}: expected FUNCTION=FILE")
        if function in found:
            raise InputError(f"--tuned {one}: {function} has a file already, and payloads may differ: choose one")
        found[function] = tuned(files.read_text(path), file=path)
    return found


def _price_list(path: str) -> PriceList:
    text = files.read_text(path)
    changed = datetime.fromtimestamp(Path(path).stat().st_mtime, UTC)
    return price_list(text, file=path, date=changed.strftime("%Y-%m-%d"))


def _print_memory(report: MemoryReport) -> None:
    show.line(headlines.memory_status(report))
    rows = [
        (a.function, str(a.action), a.memory_mb, a.advised_mb, a.used_mb, a.now_usd_month, a.confidence, a.reasons[0])
        for a in report.advice
    ]
    columns = ("function", "advice", "MB now", "MB then", "MB used", "USD a month", "sure", "why")
    show.table(f"memory, {report.invocations:,} invocations", columns, rows)
    if report.before:
        _print_before(report.before)


def _print_before(before: FollowUp) -> None:
    show.line(f"Last time's advice. {headlines.followed(before)}")
    rows = [(f.function, str(f.action), f.was_mb, f.advised_mb, str(f.outcome), _held(f)) for f in before.advice]
    if rows:
        show.table("last time's advice", ("function", "advice", "MB then", "MB advised", "done", "as predicted"), rows)


def _held(one: Followed) -> str:
    if not (one.p95_ms and one.usd_month):
        return ""
    said = (("p95", one.p95_ms, formats.ms), ("cost", one.usd_month, formats.usd))
    return "; ".join(
        f"{what} {words(held.measured)}, {'inside' if held.inside else 'outside'} "
        f"{words(held.predicted.low)} to {words(held.predicted.high)}"
        for what, held, words in said
    )
