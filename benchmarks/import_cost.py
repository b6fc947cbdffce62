"""Claim: importing the log subscriber costs less than 40 ms of CPU above a bare interpreter, boto3 or
aws_embedded_metrics several times that. Each import runs in a process of its own; prints the medians.
"""

import argparse
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

MODULES = ("subscribers.logs_handler", "boto3", "aws_embedded_metrics")
ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=15)
    asked = arguments.parse_args()
    bare = _median(["-c", "pass"], asked.rounds)
    print(f"{'bare interpreter':26} {bare:6.1f} ms")
    for module in MODULES:
        print(f"{module:26} {_median(['-c', f'import {module}'], asked.rounds) - bare:6.1f} ms above it")


def _median(command: Sequence[str], rounds: int) -> float:
    return median(_cpu_ms(command) for _ in range(rounds))


def _cpu_ms(command: Sequence[str]) -> float:
    """CPU time, user and system, of one interpreter; the first run of a module also compiles it, hence the median."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


if __name__ == "__main__":
    main()
