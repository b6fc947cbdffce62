"""Claim: 400 functions are planned in under 150 ms of CPU beyond imports, 10,000 in under 5 s and 1 GB, linearly.

Plans the fleets of _fleets.py, each in a process of its own, once to warm up, the fastest of three, and prints CPU,
peak memory, and the cost of a function as a ratio to that in the smallest fleet. Fails if a bound is broken.
"""

import argparse
import gc
import json
import sys
from pathlib import Path
from time import process_time

from _fleets import fleet_of
from _runs import fastest

from lookout.cli import YOUNG
from monitors.plan import plan
from monitors.settings import Settings

SIZES = (100, 400, 1_000, 10_000)
BOUNDS_S = {400: 0.150, 10_000: 5.0}
MEMORY_MB = {10_000: 1_000}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.measure:
        _measure(asked.measure)
        return
    broken, smallest = [], 0.0
    for size in SIZES:
        found = fastest([sys.executable, __file__, "--measure", str(size)], runs=3)
        each = found["cpu_s"] / size
        smallest = smallest or each
        bound = f", {found['cpu_s'] / BOUNDS_S[size]:.2f} of {BOUNDS_S[size]} s" if size in BOUNDS_S else ""
        memory = f", {found['memory_mb'] / MEMORY_MB[size]:.2f} of {MEMORY_MB[size]:,} MB" if size in MEMORY_MB else ""
        print(
            f"{size:6,} functions, {found['resources']:6,.0f} resources, {found['alarms']:7,.0f} alarms: "
            f"{found['cpu_s']:.3f} s, {found['memory_mb']:,.0f} MB, {each / smallest:.2f} a function{bound}{memory}"
        )
        if found["cpu_s"] > BOUNDS_S.get(size, found["cpu_s"]) or found["memory_mb"] > MEMORY_MB.get(size, 1e9):
            broken.append(f"{size:,}")
    if broken:
        sys.exit(f"the claim does not hold for {', '.join(broken)} functions")


def _measure(functions: int) -> None:
    gc.set_threshold(YOUNG)  # as the command does
    fleet, settings = fleet_of(functions), Settings()
    plan(fleet_of(20), settings)
    began = process_time()
    made = plan(fleet, settings)
    cpu_s = process_time() - began
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    print(
        json.dumps(
            {
                "cpu_s": cpu_s,
                "memory_mb": int(line.split()[1]) / 1024,
                "resources": len(fleet.resources),
                "alarms": len(made.alarms) + len(made.composites),
            }
        )
    )


if __name__ == "__main__":
    main()
