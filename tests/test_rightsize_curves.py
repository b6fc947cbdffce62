"""The memory model against other people's measurements: warm durations of 21 functions, 2 architectures, 2 months.

`data/measured_curves.csv` has the mean warm durations of github.com/cebert/aws-lambda-performance-benchmarks (commit
c8c9c66): seven runtimes, three workloads, up to nine memory sizes. Bounds are what a user is promised; most of these
functions compute, which is the easier half, so they are the least that must hold.
"""

import csv
import itertools
import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from monitors.rightsize.curve import THREAD_ARM, THREAD_X86, Curve, choose, fit
from monitors.rightsize.prices import ARM

Durations = dict[int, float]
"""By memory size, ms."""


def _curves() -> dict[tuple[str, str, str], Durations]:
    """(function, architecture, month) -> its durations."""
    found: dict[tuple[str, str, str], Durations] = defaultdict(dict)
    with (Path(__file__).parent / "data" / "measured_curves.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            key = row["function"], row["architecture"], row["run"]
            found[key][int(row["memory_mb"])] = float(row["duration_ms"])
    return dict(found)


CURVES_OF = _curves()
CURVES = [(architecture, durations) for (_, architecture, _), durations in CURVES_OF.items()]
LONG_ENOUGH = [(architecture, durations) for architecture, durations in CURVES if len(durations) >= 4]


def fitted(architecture: str, durations: Durations, sizes: Sequence[int]) -> Curve:
    thread = THREAD_ARM if architecture == ARM else THREAD_X86
    return fit([(size, durations[size]) for size in sizes], thread_vcpus=thread)


def held_back(architecture: str, durations: Durations, seen: int) -> Iterator[tuple[float, bool, bool]]:
    """(relative error, inside the interval, between the sizes seen) of every size, from every so many others."""
    for sizes in itertools.combinations(sorted(durations), seen):
        curve = fitted(architecture, durations, sizes)
        for size in durations.keys() - set(sizes):
            low, expected, high = curve.duration_ms(size)
            true = durations[size]
            yield abs(expected / true - 1), low <= true <= high, sizes[0] < size < sizes[-1]


@pytest.mark.parametrize(("between", "bound"), [(False, 0.15), (True, 0.09)])
def test_two_sizes_foretell_the_others(*, between: bool, bound: float) -> None:
    """The median over functions of the median error of each."""
    errors = [[e for e, _, inside in held_back(*each, 2) if inside or not between] for each in LONG_ENOUGH]
    assert statistics.median(map(statistics.median, errors)) <= bound


def test_three_sizes_foretell_the_others() -> None:
    """The first, the one a third up, and the last."""
    errors = []
    for architecture, durations in LONG_ENOUGH:
        sizes = sorted(durations)
        seen = sizes[0], sizes[len(sizes) // 3], sizes[-1]
        curve = fitted(architecture, durations, seen)
        found = [abs(curve.duration_ms(m)[1] / durations[m] - 1) for m in sizes if m not in seen]
        errors.append(statistics.median(found))
    assert statistics.median(errors) <= 0.107


def test_four_of_five_intervals_hold_the_truth() -> None:
    held = [inside for each in LONG_ENOUGH for _, inside, _ in held_back(*each, 2)]
    assert 0.75 <= statistics.fmean(held) <= 0.90


def test_one_size_gives_an_interval_that_holds_the_truth() -> None:
    held = [inside for each in LONG_ENOUGH for _, inside, _ in held_back(*each, 1)]
    assert statistics.fmean(held) >= 0.75


def between(durations: Durations, memory_mb: int) -> float:
    """What was measured, or lies between what was measured on both sides (straight in logarithms)."""
    if memory_mb in durations:
        return durations[memory_mb]
    below, above = max(m for m in durations if m < memory_mb), min(m for m in durations if m > memory_mb)
    weight = math.log(memory_mb / below) / math.log(above / below)
    return float(durations[below] ** (1 - weight) * durations[above] ** weight)


def replay(current_mb: int) -> tuple[float, float, float, float]:
    """The advice from this size and each other one: (cost, latency, share that got dearer, the least possible cost).

    Cost and latency are geometric means of what was measured at the advised size over what was at the current one; the
    least possible is that of the cheapest measured size that takes at most 1.1 times as long.
    """
    costs, latencies, least = [], [], []
    for architecture, durations in CURVES:
        for other in durations.keys() - {current_mb} if current_mb in durations else ():
            curve = fitted(architecture, durations, (current_mb, other))
            advised = choose(curve, current_mb=current_mb, floor_mb=min(durations)).memory_mb
            now = durations[current_mb]
            latencies.append(between(durations, advised) / now)
            costs.append(latencies[-1] * advised / current_mb)
            allowed = [m for m, ms in durations.items() if ms <= 1.1 * now and m <= current_mb]
            least.append(min(m / current_mb * durations[m] / now for m in allowed))
    dearer = statistics.fmean(cost > 1.02 for cost in costs)
    mean = statistics.geometric_mean
    return mean(costs), mean(latencies), dearer, mean(least)


def test_from_4096_mb_it_saves_a_third_and_slows_nothing() -> None:
    """Single-threaded code gains nothing beyond one vCPU: the money is there."""
    cost, latency, dearer, _ = replay(4096)
    assert 1 - cost >= 0.34
    assert latency <= 1.05
    assert dearer == 0


@pytest.mark.parametrize("current_mb", [1024, 2048])
def test_where_little_can_be_saved_nobody_pays_for_the_advice(current_mb: int) -> None:
    cost, latency, dearer, least = replay(current_mb)
    assert dearer <= 0.02
    assert latency <= 1.12
    assert 1 - cost >= (1 - least) / 3


def test_arm_threads_gain_beyond_one_vcpu() -> None:
    """From 1,769 to 2,048 MB, 1.158 times the CPU: without that, the advice on arm64 makes functions slower."""
    gains = {
        architecture: statistics.median(
            durations[1769] / durations[2048]
            for each, durations in CURVES
            if each == architecture and {1769, 2048} <= durations.keys()
        )
        for architecture, _ in CURVES
    }
    assert gains["arm64"] > 1.12
    assert gains["x86_64"] < 1.04
    assert (
        fit([(1024, 200)], thread_vcpus=THREAD_ARM).duration_ms(2048)[1] < 0.9 * fit([(1024, 200)]).duration_ms(2048)[1]
    )
