"""Lambda Insights' records, added up by CloudWatch Logs Insights -> the CPU time of functions. Pure.

The extension logs a record of each invocation, of which `cpu_total_time` is the CPU time that the sandbox took, user
and system, in ms (CloudWatch User Guide, "Metrics collected by Lambda Insights" and "Example telemetry event").
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from monitors.rightsize.usage import Key

GROUP = "/aws/lambda-insights"
"""The log group of every function's records."""
# A JSON's true and false are 1 and 0. CPU time comes in steps of 10 ms, so that only its mean says anything.
QUESTION = """filter event_type = "performance" and duration > 0
    and coalesce(cold_start, 0) = 0 and coalesce(timeout, 0) = 0
| stats count(*) as invocations, pct(duration, 50) as median_ms, avg(duration) as mean_ms, avg(cpu_total_time) as cpu_ms
    by function_name, total_memory"""
"""One row for each function and memory size, of warm invocations that ended."""


class CpuTime(NamedTuple):
    """What warm invocations of a function took at one memory size, in ms."""

    invocations: int
    median_ms: float
    """Of their durations, as is the mean."""
    mean_ms: float
    cpu_ms: float
    """The mean of their CPU times."""


def cpu_times(rows: Iterable[Mapping[str, str]]) -> dict[Key, CpuTime]:
    """(function, memory size in MB) -> its CPU time, of the rows that answer QUESTION; those without one left out."""
    return {
        (row["function_name"], round(float(row["total_memory"]))): CpuTime(
            invocations=round(float(row["invocations"])),
            median_ms=float(row["median_ms"]),
            mean_ms=float(row["mean_ms"]),
            cpu_ms=float(row["cpu_ms"]),
        )
        for row in rows
        if {"function_name", "total_memory", "cpu_ms"} <= row.keys()
    }
