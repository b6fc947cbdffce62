"""Questions for engines that add up where the data lies, and their answers -> what functions used.

Pure, but for the use that it adds to. Whatever the engine, there are two questions, and their rows have the same
columns: DURATIONS, a histogram by memory size in bins of 2 %; SANDBOXES, one row for each with its high-water marks.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from monitors import loglines
from monitors.rightsize.usage import CLIPPED_AT, IMPLAUSIBLE_MB, MEMORY_DEATHS, PRESSED_AT, Use, mark, seen

STEPS = 50
"""Bins to a factor of e: each is 2 % wide, and every row says the mean of what is in it."""
TWENTIETHS, LEAST = 20, 17
"""Memory used is told in twentieths of the size, since PRESSED_AT and CLIPPED_AT are whole ones; all below as one."""
DAY_S = 86_400

Row = Mapping[str, str | None]
"""Column -> value as text; a column without a value may be missing."""

# Lambda's fields, and the dots of JSON: CloudWatch Logs User Guide, "Supported logs and discovered fields". Memory is
# in bytes, a MB a million of them, as in AWS's sample queries. A text's status is no field, nor is SnapStart's restore:
# Lambda Developer Guide, "Monitoring for Lambda SnapStart", whose query groups by ispresent as well. The times of a
# query are whole seconds and both included, hence the filter.
_REPORTS = r"""filter (@type = "REPORT" or type = "platform.report")
    and toMillis(@timestamp) >= {start_ms} and toMillis(@timestamp) < {end_ms}
| parse @logStream /^[0-9]+\/[0-9]+\/[0-9]+\/(?<named>[A-Za-z0-9_-]+)\[/
| parse @message /\tRestore Duration: (?<restored>[0-9.]+) ms/
| parse @message /\tStatus: (?<said>[a-z]+)/
| fields coalesce(named, @log) as whose, toMillis(@timestamp) as at,
    coalesce(@duration, record.metrics.durationMs) as took,
    coalesce(@billedDuration, record.metrics.billedDurationMs) as billed,
    coalesce(@memorySize / 1000000, record.metrics.memorySizeMB) as memory_mb,
    coalesce(@maxMemoryUsed / 1000000, record.metrics.maxMemoryUsedMB) as used,
    coalesce(@initDuration, record.metrics.initDurationMs) as init,
    coalesce(restored, record.metrics.restoreDurationMs) as restore,
    coalesce(said, record.status, "success") as status,
    strcontains(@message, "{death}") as killed
| filter memory_mb > 0 and took > 0
"""
INSIGHTS_DURATIONS = (
    _REPORTS
    + """| fields floor(log(took) * {steps}) as step, coalesce(init, restore) as begun
| fields ispresent(begun) as cold, greatest(floor(coalesce(used, 0) * {whole} / memory_mb), {least}) as fullness
| stats count(*) as invocations, avg(took) as mean_ms, max(took) as worst_ms,
    sum(coalesce(billed, ceil(took))) as billed_ms, sum(init) as init_ms, sum(begun) as begun_ms,
    min(at) as first_ms, max(at) as last_ms
    by whose, memory_mb, cold, fullness, status, killed, step"""
)
# A high-water mark never falls: sorted by size its readings are in their order, and a percentile is a place in it.
INSIGHTS_SANDBOXES = (
    _REPORTS
    + """| filter used >= {plausible}
| stats count(*) as invocations, pct(used, 25) as early_mb, pct(used, 75) as late_mb, max(used) as top_mb
    by whose, @logStream, memory_mb"""
)

# Of the archive (monitors/archive.py), in DuckDB's dialect. A row may be there twice, with one event_id.
_ROWS = """SELECT DISTINCT function_name, memory_mb, log_stream, event_id, logged_at, duration_ms, billed_ms,
    max_memory_mb, init_ms, coalesce(init_ms, restore_ms) AS begun_ms, coalesce(status, 'success') AS status,
    coalesce(error_type, '') = '{death}' AS killed
  FROM records
  WHERE kind = 'report' AND day BETWEEN '{first_day}' AND '{last_day}'
    AND logged_at >= TIMESTAMP '{start}' AND logged_at < TIMESTAMP '{end}' AND memory_mb > 0 AND duration_ms > 0"""
SQL_DURATIONS = """WITH reports AS (
  {rows}
), binned AS (
  SELECT *, floor(ln(duration_ms) * {steps}) AS step, begun_ms IS NOT NULL AS cold,
    greatest(floor(coalesce(max_memory_mb, 0) * {whole} / memory_mb), {least}) AS fullness
  FROM reports
)
SELECT function_name, memory_mb, cold, fullness, status, killed, count(*) AS invocations, avg(duration_ms) AS mean_ms,
  max(duration_ms) AS worst_ms, sum(coalesce(billed_ms, ceil(duration_ms))) AS billed_ms, sum(init_ms) AS init_ms,
  sum(begun_ms) AS begun_ms,
  date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', min(logged_at)) AS first_ms,
  date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', max(logged_at)) AS last_ms
FROM binned
GROUP BY function_name, memory_mb, cold, fullness, status, killed, step"""
SQL_SANDBOXES = """WITH reports AS (
  {rows}
), placed AS (
  SELECT function_name, memory_mb, log_stream, max_memory_mb,
    row_number() OVER (PARTITION BY function_name, memory_mb, log_stream ORDER BY logged_at, event_id) - 1 AS place,
    count(*) OVER (PARTITION BY function_name, memory_mb, log_stream) AS invocations
  FROM reports
  WHERE max_memory_mb >= {plausible}
)
SELECT function_name, memory_mb, log_stream, max(invocations) AS invocations,
  max(CASE WHEN place = floor(invocations / 4) THEN max_memory_mb END) AS early_mb,
  max(CASE WHEN place = invocations - 1 - floor(invocations / 4) THEN max_memory_mb END) AS late_mb,
  max(max_memory_mb) AS top_mb
FROM placed
GROUP BY function_name, memory_mb, log_stream"""
_VALUES = {
    "steps": STEPS,
    "whole": TWENTIETHS,
    "least": LEAST,
    "plausible": IMPLAUSIBLE_MB,
    "death": MEMORY_DEATHS[0],
}


def of_insights(question: str, *, start_ms: int, end_ms: int) -> str:
    """A question to Logs Insights about the reports from one moment (epoch ms) until just before another."""
    return question.format(**_VALUES, start_ms=start_ms, end_ms=end_ms)


def of_archive(question: str, *, start_s: float, end_s: float) -> str:
    """A question to the archive, in DuckDB's dialect, about the reports from `start_s` until before `end_s` (epoch).

    A row's day is that of its delivery, which may be the next.
    """
    start, end, last = (datetime.fromtimestamp(at, UTC) for at in (start_s, end_s, end_s + DAY_S))
    rows = _ROWS.format(
        death=MEMORY_DEATHS[0],
        first_day=f"{start:%Y-%m-%d}",
        last_day=f"{last:%Y-%m-%d}",
        start=f"{start:%Y-%m-%d %H:%M:%S}",
        end=f"{end:%Y-%m-%d %H:%M:%S}",
    )
    return question.format(**_VALUES, rows=rows)


def function_in(row: Row, owners: Mapping[str, str]) -> str:
    """Whose a row of Logs Insights is: the name in the log streams, as loglines.function_of has it, or in the log
    group's, or what `owners` says of the log group."""
    whose, _, group = (row.get("whose") or "").partition(":")
    return (loglines.function_of(group, "") or owners.get(group, "")) if group else whose


def add_durations(use: Use, row: Row) -> None:
    """Add one bin of the histogram. Init durations are told as their mean in the bin."""
    times, full = round(_number(row, "invocations")), _number(row, "fullness") / TWENTIETHS
    killed, timeouts = _true(row, "killed"), row.get("status") == "timeout"
    near = full >= PRESSED_AT
    bins = use.cold if _true(row, "cold") else use.pressed if near else use.warm
    bins[round(_number(row, "mean_ms"), 2)] += times
    if _true(row, "cold"):
        use.init[round(_number(row, "begun_ms") / times, 2)] += times
        use.init_ms += _number(row, "init_ms")
    use.billed_ms += _number(row, "billed_ms")
    use.worst_ms = max(use.worst_ms, _number(row, "worst_ms"))
    use.killed += times * killed
    use.timeouts += times * timeouts
    use.clipped += times * (killed or full >= CLIPPED_AT or (near and timeouts))
    seen(use, round(_number(row, "first_ms")), round(_number(row, "last_ms")))


def add_sandbox(use: Use, row: Row, *, stream: str) -> None:
    """Add one sandbox: its reading a quarter of its invocations in, the one as far from the end, and the highest.

    These are all that monitors.rightsize.need looks at. Of several rows for a sandbox the earlier come first.
    """
    times, top = round(_number(row, "invocations")), round(_number(row, "top_mb"))
    quarter = times // 4
    marks = use.sandboxes[stream]
    if quarter:
        mark(marks, round(_number(row, "early_mb")), quarter + 1)
        mark(marks, round(_number(row, "late_mb")), times - 1 - 2 * quarter)
    mark(marks, top, quarter or times)


def memory_mb(row: Row) -> int:
    """The memory size that a row is about."""
    return round(_number(row, "memory_mb"))


def _number(row: Row, column: str) -> float:
    return float(row.get(column) or 0)


def _true(row: Row, column: str) -> bool:
    return row.get(column) in ("true", "1", "1.0")
