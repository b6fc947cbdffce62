"""Claim: the memory report of two weeks is made from its history in at most 2 seconds, however many invocations.

10 million invocations of 50 functions in 14 days, in 100 sandboxes a function and day, as `lookout rightsize FOLDER`
reads them: from Parquet to the report, best of the rounds, and the size on disk. Beside it what DuckDB takes to sum up
the durations of all days, the least that a report must do. Fails beyond the bound, or if an invocation is lost.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from time import perf_counter

import duckdb

from infra.engines import dayfiles, history
from infra.engines.dayfiles import Kept
from monitors.rightsize.advise import memory_report
from monitors.rightsize.usage import Use, binned

MOST_S = 2.0
FIRST = date(2026, 11, 1)
FIRST_MS, DAY_MS = 1_793_491_200_000, 86_400_000  # 2026-11-01 00:00 UTC


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--invocations", type=int, default=10_000_000)
    arguments.add_argument("--functions", type=int, default=50)
    arguments.add_argument("--days", type=int, default=14)
    arguments.add_argument("--sandboxes", type=int, default=100, help="of a function and day")
    arguments.add_argument("--rounds", type=int, default=5)
    asked = arguments.parse_args()
    each = asked.invocations // (asked.functions * asked.days)
    with tempfile.TemporaryDirectory() as folder:
        began = perf_counter()
        _make(folder, asked.days, asked.functions, each, asked.sandboxes)
        made_s = perf_counter() - began
        size_mb = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet")) / 1e6
        report_s, found = _fastest(lambda: _report(folder, asked.days), asked.rounds)
        scan_s, summed = _fastest(lambda: _scan(folder), asked.rounds)
    print(
        f"{found:,} invocations of {asked.functions} functions in {asked.days} days, made in {made_s:.1f} s: "
        f"{size_mb:.1f} MB; report {report_s:.2f} s of {MOST_S:g}; DuckDB's bare scan {scan_s:.3f} s: "
        f"{report_s / scan_s:.1f} times"
    )
    if found != each * asked.functions * asked.days or summed != found:
        sys.exit(f"{found} and {summed} invocations found")
    if report_s > MOST_S:
        sys.exit("the claim does not hold")


def _fastest(run: Callable[[], int], rounds: int) -> tuple[float, int]:
    """(seconds, what it gives)"""
    times = []
    for _ in range(rounds):
        began = perf_counter()
        found = run()
        times.append(perf_counter() - began)
    return min(times), found


def _report(folder: str, days: int) -> int:
    found = history.read(folder, last_days=days)
    return memory_report(found.usage, functions={}, region="us-east-1").invocations


def _scan(folder: str) -> int:
    (row,) = duckdb.execute(
        "SELECT sum(times) FROM (SELECT unnest(map_values(warm)) AS times FROM read_parquet(?) "
        "UNION ALL SELECT unnest(map_values(cold)) FROM read_parquet(?))",
        2 * [f"{folder}/*/*.parquet"],
    ).fetchall()
    return int(row[0])


def _make(folder: str, days: int, functions: int, invocations: int, sandboxes: int) -> None:
    generator = random.Random(7)
    for day in range(days):
        usage = {
            (f"function-{n}", 512): _use(generator, n, FIRST_MS + day * DAY_MS, invocations, sandboxes)
            for n in range(functions)
        }
        path = Path(folder, f"day={FIRST + timedelta(days=day)}", history.FILE)
        dayfiles.write(path, usage, Kept("111122223333", "eu-west-1", {}))


def _use(generator: random.Random, number: int, first_ms: int, invocations: int, sandboxes: int) -> Use:
    """A function's day: log-normal durations of a median from 45 ms to 3 s, a cold start a sandbox, five high-water
    marks in each."""
    median = 3.8 + number % 50 / 12
    in_each = (invocations - sandboxes) // sandboxes // 5
    return Use(
        warm=_lognormal(generator, median, invocations - sandboxes),
        cold=_lognormal(generator, median + 1, sandboxes),
        init=_lognormal(generator, 6.0, sandboxes),
        billed_ms=100.0 * invocations,
        init_ms=400.0 * sandboxes,
        first_ms=first_ms,
        last_ms=first_ms + DAY_MS - 1,
        worst_ms=9_000.0,
        sandboxes={
            f"2026/11/01/[$LATEST]{generator.getrandbits(128):032x}": [(80 + 7 * n, in_each) for n in range(5)]
            for _ in range(sandboxes)
        },
    )


def _lognormal(generator: random.Random, median: float, times: int) -> Counter[float]:
    return Counter(binned(generator.lognormvariate(median, 0.8)) for _ in range(times))


if __name__ == "__main__":
    main()
