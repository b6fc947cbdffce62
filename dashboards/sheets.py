"""Reports -> CSV, one row a function, safe to open in a spreadsheet. Pure."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from dashboards.formats import inert
from dashboards.headlines import ranked
from dashboards.latency_charts import phase_words
from monitors.rightsize.report import Action, MemoryAdvice, MemoryReport
from monitors.traces.report import LatencyReport

Cell = str | int | float | None

_FINDINGS = {
    Action.LOWER: ("NotOptimized", "MemoryOverprovisioned"),
    Action.RAISE: ("NotOptimized", "MemoryUnderprovisioned"),
    Action.KEEP: ("Optimized", ""),
    Action.UNKNOWN: ("Unavailable", "InsufficientData"),
}
"""Compute Optimizer's words."""

_MEMORY: tuple[tuple[str, Callable[[MemoryAdvice], Cell]], ...] = (
    ("function", lambda a: a.function),
    ("action", lambda a: a.action),
    ("Finding", lambda a: _FINDINGS[a.action][0]),
    ("FindingReasonCodes", lambda a: _FINDINGS[a.action][1]),
    ("CurrentConfigurationMemorySize", lambda a: a.memory_mb),
    ("RecommendationOptionsConfigurationMemorySize", lambda a: a.advised_mb),
    ("UtilizationMetricsMemoryMaximum", lambda a: a.used_mb),
    ("floor_mb", lambda a: a.floor_mb),
    ("confidence", lambda a: a.confidence),
    ("kind", lambda a: a.kind),
    ("now_usd_month", lambda a: a.now_usd_month),
    ("then_usd_month", lambda a: a.then_usd_month.expected),
    ("then_usd_month_low", lambda a: a.then_usd_month.low),
    ("then_usd_month_high", lambda a: a.then_usd_month.high),
    ("arm64_usd_month", lambda a: a.arm64.usd_month.expected if a.arm64 else None),
    ("arm64_usd_month_low", lambda a: a.arm64.usd_month.low if a.arm64 else None),
    ("arm64_usd_month_high", lambda a: a.arm64.usd_month.high if a.arm64 else None),
    ("p95_ms", lambda a: a.p95_ms),
    ("then_p95_ms", lambda a: a.then_p95_ms.expected),
    ("then_p95_ms_low", lambda a: a.then_p95_ms.low),
    ("then_p95_ms_high", lambda a: a.then_p95_ms.high),
    ("NumberOfInvocations", lambda a: a.invocations),
    ("sandboxes", lambda a: a.sandboxes),
    ("LookbackPeriodInDays", lambda a: a.days),
    ("flags", lambda a: " ".join(a.flags)),
    ("reasons", lambda a: "; ".join(a.reasons)),
)


_COLD = ("requests", "container_ms", "runtime_ms", "restore_ms")
_COUNTED = ("spans", "faults", "errors", "throttles", "cold", "p90_ms", "max_ms")


def latency_csv(report: LatencyReport) -> str:
    """Response times in ms, shares from 0 to 1, and what adds most to the tail; slowest p95 first.

    Columns that begin with `cold_` are of cold starts, their times being means; those that begin with `all_` are of all
    spans, and empty where these were not counted.
    """
    head = ("function", "traces", "requests", "p50_ms", "p95_ms", "p99_ms", "cold_share", "tail_cold_share")
    rows = []
    for f in sorted(report.functions, key=lambda f: (-f.response.p95_ms, f.function)):
        most = max(f.phases, key=lambda p: p.excess_ms, default=None)
        times = (f.response.p50_ms, f.response.p95_ms, f.response.p99_ms)
        blamed = (phase_words(most), most.excess_ms) if most else (None, None)
        shares = (f.cold_share, f.tail_cold_share, f.fault_share)
        cold = [getattr(f.cold, name) for name in _COLD] if f.cold else [None] * len(_COLD)
        all_ = [getattr(f.counted, name) for name in _COUNTED] if f.counted else [None] * len(_COUNTED)
        rows.append((f.function, f.traces, f.requests, *times, *shares, *blamed, *cold, *all_))
    more = [*(f"cold_{name}" for name in _COLD), *(f"all_{name}" for name in _COUNTED)]
    return _csv((*head, "fault_share", "tail_cause", "tail_cause_ms", *more), rows)


def memory_csv(report: MemoryReport) -> str:
    """Advice with its intervals: memory in MB, durations in ms, money in USD a month; what to act on first.

    What Compute Optimizer exports too has its names: the fields of ExportLambdaFunctionRecommendations.
    """
    rows = [[value(advice) for _, value in _MEMORY] for advice in ranked(report.advice)]
    return _csv([name for name, _ in _MEMORY], rows)


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
