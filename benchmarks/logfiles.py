"""Claim: the memory report reads log files in at most 1.6 times what `gzip -dc | wc -l` takes, in at most 600 MB.

One, ten and fifty million REPORT lines in .gz files of 10,000 as CloudWatch Logs exports them to S3, since time should
grow with them and no faster; then a log with one report in four lines, Lambda's JSON format, and one large .gz file,
each against gzip on the same. Both sides have two processes. Wall clock, of the rounds each the fastest, and one round
beyond ten million. Memory is the highest sum over the processes. Fails beyond either, or if a line is lost.

A hundred files are made here first, and then linked under other names as often as it takes.
"""

import argparse
import gzip
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, sleep

from infra.engines.logfiles import read

TIMES, MOST_MB = 1.6, 600
PROCESSES = 2
LINES, DISTINCT = 10_000, 100
LOGS = "exported"
Line = Callable[[random.Random, int], str]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    asked = arguments.parse_args()
    held = True
    for name, of, million, one_file in (
        ("reports", _text, 1, False),
        ("reports", _text, 10, False),
        ("reports", _text, 50, False),
        ("one in four", _mixed, 10, False),
        ("JSON", _json, 10, False),
        ("one file", _text, 1, True),
    ):
        lines, rounds = million * 1_000_000, asked.rounds if million <= 10 else 1
        with tempfile.TemporaryDirectory() as folder:
            paths = list(_one(Path(folder), of, lines) if one_file else _many(Path(folder), of, lines))
            theirs = min(_timed(lambda paths=paths: _gzip(paths)) for _ in range(rounds))
            logs = str(Path(folder, LOGS))
            ours = min(_timed(lambda logs=logs, lines=lines: _ours(logs, lines)) for _ in range(rounds))
            most_mb = _most_mb(logs)
        ratio = ours / theirs
        print(
            f"{name:12} {lines:>11,} lines in {len(paths):,} files: {ours:.2f} s, {lines / ours / 1e6:.2f} million/s; "
            f"gzip {theirs:.2f} s: {ratio:.2f} times, of {TIMES}; {most_mb:.0f} MB of {MOST_MB}",
            flush=True,
        )
        held = held and ratio <= TIMES and most_mb <= MOST_MB
    if not held:
        sys.exit("the claim does not hold")


def _timed(run: Callable[[], None]) -> float:
    began = perf_counter()
    run()
    return perf_counter() - began


def _gzip(paths: list[Path]) -> None:
    count = 'gzip -dc "$@" | wc -l'
    shares = [paths[n::PROCESSES] for n in range(PROCESSES) if paths[n::PROCESSES]]
    running = [
        subprocess.Popen(["sh", "-c", count, "sh", *map(str, share)], stdout=subprocess.DEVNULL) for share in shares
    ]
    for one in running:
        one.wait()


def _ours(folder: str, lines: int) -> None:
    found = read([folder], processes=PROCESSES)
    seen = sum(use.invocations for use in found.usage.values())
    if seen not in (lines, lines // 4) or found.notes:
        sys.exit(f"{seen} of {lines} lines found, {found.notes}")


def _most_mb(folder: str) -> float:
    """The highest resident memory of a process of its own and those that it starts."""
    script = f"from infra.engines.logfiles import read\nread([{folder!r}], processes={PROCESSES})"
    run = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parent.parent)
    most = 0.0

    def watch() -> None:
        nonlocal most
        while run.poll() is None:
            most = max(most, sum(map(_resident_mb, _family(run.pid))))
            sleep(0.05)

    watching = threading.Thread(target=watch)
    watching.start()
    run.wait()
    watching.join()
    return most


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _family(int(child))
    except OSError:
        return


def _resident_mb(pid: int) -> float:
    """What the process alone has, and its part of what it shares."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("Pss:")), 0.0)


def _many(folder: Path, of: Line, lines: int) -> Iterator[Path]:
    """Files of LINES each: at most DISTINCT that differ, each again in other log streams of other functions."""
    generator = random.Random(5)
    made: list[Path] = []
    for number in range(lines // LINES):
        stream = f"2026-11-{1 + number % 14:02}-[$LATEST]{generator.getrandbits(128):032x}"
        path = folder / LOGS / f"function-{number % 50}" / stream / "000000.gz"
        path.parent.mkdir(parents=True)
        if number < DISTINCT:
            _write(path, of, LINES, generator)
            made.append(path)
        else:
            path.hardlink_to(made[number % DISTINCT])
        yield path


def _one(folder: Path, of: Line, lines: int) -> Iterator[Path]:
    path = folder / LOGS / "function.gz"
    path.parent.mkdir()
    _write(path, of, lines, random.Random(5))
    yield path


def _write(path: Path, of: Line, lines: int, generator: random.Random) -> None:
    with gzip.open(path, "wt", compresslevel=6) as out:
        for n in range(lines):
            out.write(f"2026-11-01T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}.000Z {of(generator, n)}\n")


def _text(generator: random.Random, number: int) -> str:
    duration = generator.lognormvariate(4.5, 0.8)
    cold = "Init Duration: 412.30 ms\t" if number == 0 else ""
    return (
        f"REPORT RequestId: {_id(generator)}\tDuration: {duration:.2f} ms\tBilled Duration: {int(duration) + 1} ms\t"
        f"Memory Size: 512 MB\tMax Memory Used: {80 + number // 500} MB\t{cold}"
    )


def _mixed(generator: random.Random, number: int) -> str:
    match number % 4:
        case 0:
            return f"START RequestId: {_id(generator)} Version: $LATEST"
        case 1:
            return f"[INFO]\t2026-11-01T10:00:00.123Z\t{_id(generator)}\tcard {generator.randint(1, 9999)} charged"
        case 2:
            return f"END RequestId: {_id(generator)}"
    return _text(generator, number)


def _json(generator: random.Random, number: int) -> str:
    duration = generator.lognormvariate(4.5, 0.8)
    return (
        f'{{"time":"2026-11-01T10:00:00.123Z","type":"platform.report","record":{{"requestId":"{_id(generator)}",'
        f'"metrics":{{"durationMs":{duration:.3f},"billedDurationMs":{int(duration) + 1},"memorySizeMB":512,'
        f'"maxMemoryUsedMB":{80 + number // 500}}},"status":"success"}}}}'
    )


def _id(generator: random.Random) -> str:
    return f"{generator.getrandbits(32):08x}-1234-4abc-8def-{generator.getrandbits(48):012x}"


if __name__ == "__main__":
    main()
