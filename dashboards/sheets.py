"""Reports -> CSV, one row a function, safe to open in a spreadsheet. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence

from dashboards.formats import inert
from dashboards.headlines import ranked
from dashboards.latency_charts import phase_words
from monitors.rightsize.report import MemoryReport
from monitors.traces.report import LatencyReport

Cell = str | int | float | None


def latency_csv(report: LatencyReport) -> str:
    """Response times in ms, shares from 0 to 1, and what adds most to the tail; slowest p95 first."""
    head = ("function", "traces", "requests", "p50_ms", "p95_ms", "p99_ms", "cold_share", "tail_cold_share")
    rows = []
    for f in sorted(report.functions, key=lambda f: (-f.response.p95_ms, f.function)):
        most = max(f.phases, key=lambda p: p.excess_ms, default=None)
        times = (f.response.p50_ms, f.response.p95_ms, f.response.p99_ms)
        blamed = (phase_words(most), most.excess_ms) if most else (None, None)
        shares = (f.cold_share, f.tail_cold_share, f.fault_share)
        rows.append((f.function, f.traces, f.requests, *times, *shares, *blamed))
    return _csv((*head, "fault_share", "tail_cause", "tail_cause_ms"), rows)


def memory_csv(report: MemoryReport) -> str:
    """Advice with its intervals: memory in MB, durations in ms, money in USD a month; what to act on first."""
    head = ("function", "action", "memory_mb", "advised_mb", "used_mb", "floor_mb", "confidence", "kind")
    costs = ("now_usd_month", "then_usd_month", "then_usd_month_low", "then_usd_month_high")
    times = ("p95_ms", "then_p95_ms", "then_p95_ms_low", "then_p95_ms_high")
    seen = ("invocations", "sandboxes", "days", "flags", "reasons")
    rows = [
        (
            *(a.function, a.action, a.memory_mb, a.advised_mb, a.used_mb, a.floor_mb, a.confidence, a.kind),
            *(a.now_usd_month, a.then_usd_month.expected, a.then_usd_month.low, a.then_usd_month.high),
            *(a.p95_ms, a.then_p95_ms.expected, a.then_p95_ms.low, a.then_p95_ms.high),
            *(a.invocations, a.sandboxes, a.days, " ".join(a.flags), "; ".join(a.reasons)),
        )
        for a in ranked(report.advice)
    ]
    return _csv((*head, *costs, *times, *seen), rows)


def _csv(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Cell) -> Cell:
    # Spreadsheets run text that begins like a formula; a leading quote makes it text (OWASP, "CSV Injection").
    if isinstance(value, float):
        return round(value, 6)
    if not isinstance(value, str):
        return value
    text = inert(value).replace("\n", " ").replace("\t", " ")
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") and text else text
