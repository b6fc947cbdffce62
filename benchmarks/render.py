"""Claim: 10,000 functions with their sources are rendered in 1.5 GB, every template within its limits; aim: in 10 s.

Runs `lookout render` on the fleets of _fleets.py, each in a process of its own, and prints time, peak memory, and how
full the fullest stack is. Then plans and renders once more with one function more, whose application has others: two
templates may change, that of its alarms and that of its application. Fails if a bound is broken; the aim is only told.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from _fleets import fleet_of, with_one_more

from monitors import quotas
from monitors.fleet.document import to_json
from monitors.model import Fleet

SIZES = (400, 10_000)
AIM_S, BOUND_MB, CHANGED = 10.0, 1_500, 2
RENDER = """
import sys
from pathlib import Path
from lookout.cli import main
assert main(["render", "--fleet", sys.argv[1], "-o", sys.argv[2]]) == 0
(line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
print(int(line.split()[1]) / 1024)
"""


def main() -> None:
    broken = []
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            print(f"{size:6,} functions: ", end="", flush=True)
            base, grown = Path(folder, f"{size}"), Path(folder, f"{size}-grown")
            took_s, memory_mb = _rendered(fleet_of(size), base)
            _rendered(with_one_more(fleet_of(size)), grown)
            before, after = _templates(base), _templates(grown)
            changed = sum(before.get(name) != text for name, text in after.items()) + len(before.keys() - after.keys())
            most = max(len(json.loads(text)["Resources"]) for text in before.values())
            longest = max(len(text.encode()) for text in before.values())
            print(
                f"{len(before)} templates, {took_s:.1f} s ({took_s / AIM_S:.2f} of {AIM_S:g}), "
                f"{memory_mb:,.0f} MB ({memory_mb / BOUND_MB:.2f} of {BOUND_MB:,}); in the fullest {most} resources "
                f"({most / quotas.STACK_RESOURCES:.2f} of {quotas.STACK_RESOURCES}), {longest:,} bytes "
                f"({longest / quotas.TEMPLATE_BYTES:.2f} of {quotas.TEMPLATE_BYTES:,}); "
                f"one function more changes {changed} of {CHANGED}"
            )
            within = most <= quotas.STACK_RESOURCES and longest <= quotas.TEMPLATE_BYTES
            if not within or changed > CHANGED or memory_mb > BOUND_MB:
                broken.append(f"{size:,}")
    if broken:
        sys.exit(f"the claim does not hold for {' and '.join(broken)} functions")


def _rendered(fleet: Fleet, folder: Path) -> tuple[float, float]:
    """Seconds and MB that the command takes."""
    source = folder.with_suffix(".json")
    source.write_text(json.dumps(to_json(fleet)))
    began = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", RENDER, str(source), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return perf_counter() - began, float(done.stdout)


def _templates(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("*/*/*.json")}


if __name__ == "__main__":
    main()
