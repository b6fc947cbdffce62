"""What the logs, Power Tuning, twins and CPU time say of a function -> its curve, and how it is known. Pure.

What was measured elsewhere, with other payloads, tells only the shape of the curve: it is brought to the level of the
logs. That takes a size that both have seen, or two sizes there that are far enough apart. A twin at one other size is
left out: how much of the difference is memory and how much is payload, nothing says but the prior. Taken as equal work,
it makes 80 % intervals hold 61 % of the time if the payloads differ by a lognormal factor of e ** 0.5.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import hypot, sqrt
from statistics import geometric_mean
from typing import Any, NamedTuple

from monitors.rightsize import prices
from monitors.rightsize.cputime import CpuTime
from monitors.rightsize.curve import ONE_VCPU_MB, THREAD_ARM, THREAD_X86, Z_80, Cpu, Curve, fit, tell
from monitors.rightsize.usage import PRESSED_AT, Use, quantile

ENOUGH_AT_A_SIZE = 30
"""Warm invocations at a memory size that make their durations worth fitting."""
BORROWED_NOISE = 0.18
"""The standard deviation, a share, of what was measured elsewhere at a size: 0.11 for the noise of two more medians,
and 0.14 for payloads that wait and compute in other proportions. Intervals then hold four times in five if the CPU time
of twins' payloads differs by a lognormal factor of up to e ** 0.5 (tests/test_rightsize_evidence.py)."""
OTHER_WORK = 4.0
"""A twin that takes so many times longer or shorter does other work. A judgement: no measurement of it is known."""
TWINS_ALIKE = 2
"""Twins kept that were seen at the same sizes: one for the other, and the busiest for all the rest."""
CPU_NOISE = 0.23
"""The standard deviation of CPU time, a share: in 14,436 measurements of functions that compute all the time it was
0.93 to 1.27 times what their memory allows in the middle half, and ln(1.27 / 0.93) / 1.35 is 0.23."""
CPU_STEP_MS = 10.0
"""What CPU time is counted in."""
UNCERTAIN = 0.43
"""CPU time that leaves the exponent of the duration less certain than this tells nothing, as sizes nearer to each other
than curve.TELLING don't."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionFacts:
    """What the logs don't say of a function."""

    memory_mb: int
    architecture: str = prices.X86
    timeout_ms: int = 900_000
    tuned: Mapping[int, float] = field(default_factory=dict)
    """Memory size (MB) -> average duration (ms) that Power Tuning measured."""
    cpu: Mapping[int, CpuTime] = field(default_factory=dict)
    """Memory size (MB) -> the CPU time that Lambda Insights measured."""
    code: str = ""
    """What twins have in common, as `code_of` has it; empty if not known."""


class Borrowed(NamedTuple):
    """What the same code took elsewhere at some size, brought to the level of the logs."""

    duration_ms: float
    noise: float
    """Its standard deviation, a share."""
    twin: str = ""
    """Whose it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """All that is known of a function's durations, by memory size (MB)."""

    seen: Mapping[int, float]
    """Median warm durations (ms) in the logs, the current size always among them."""
    tuned: Mapping[int, Borrowed]
    """What Power Tuning adds."""
    twins: Mapping[int, Borrowed]
    cpu: Cpu | None
    thread_vcpus: float

    def curve(self) -> Curve:
        """The curve through all of it."""
        borrowed = [(size, one.duration_ms, one.noise) for size, one in (*self.tuned.items(), *self.twins.items())]
        return fit(self.seen.items(), borrowed=borrowed, cpu=self.cpu, thread_vcpus=self.thread_vcpus)


def code_of(function: Mapping[str, Any]) -> str:
    """What makes an entry of ListFunctions another's twin: code, runtime, handler, architecture, layers, and the
    command of an image; empty if the entry doesn't tell its code."""
    if not function.get("CodeSha256"):
        return ""
    layers = [layer.get("Arn") for layer in function.get("Layers") or ()]
    command = (function.get("ImageConfigResponse") or {}).get("ImageConfig")
    named = [function.get(name) for name in ("CodeSha256", "Runtime", "Handler", "Architectures")]
    return json.dumps([*named, layers, command], sort_keys=True)


def evidence(
    sizes: Mapping[int, Use],
    facts: FunctionFacts,
    *,
    now_ms: float,
    used_mb: int,
    twins: Mapping[str, Mapping[int, float]],
) -> Evidence:
    """What is known of a function that the logs show at these sizes, and that takes `now_ms` at its current one.

    `twins` has the medians of functions with the same code by name, the busiest first; `used_mb` is the most memory
    that this one used.
    """
    seen = medians(sizes) | {facts.memory_mb: now_ms}
    tuned = {size: ms for size, ms in facts.tuned.items() if used_mb < PRESSED_AT * size}
    return Evidence(
        seen=seen,
        tuned=_brought(tuned, seen, facts),
        twins=_of_twins(twins, seen, facts),
        cpu=_cpu(facts, now_ms),
        thread_vcpus=_thread(facts),
    )


def twins_by_code(
    used: Mapping[str, Mapping[int, Use]], functions: Mapping[str, FunctionFacts]
) -> dict[str, dict[str, dict[int, float]]]:
    """Code -> name -> its medians, the busiest first; TWINS_ALIKE of those that were seen at the same sizes."""
    found: dict[str, dict[str, dict[int, float]]] = defaultdict(dict)
    kept: Counter[tuple[str, frozenset[int]]] = Counter()
    busy = {name: sum(use.warm.total() for use in sizes.values()) for name, sizes in used.items()}
    for name in sorted(used.keys() & functions.keys(), key=lambda name: (-busy[name], name)):
        code, times = functions[name].code, medians(used[name])
        if code and times and kept[code, frozenset(times)] < TWINS_ALIKE:
            kept[code, frozenset(times)] += 1
            found[code][name] = times
    return found


def medians(sizes: Mapping[int, Use]) -> dict[int, float]:
    """The median warm duration (ms) at each memory size that the logs show often enough."""
    return {size: quantile(use.warm, 0.5) for size, use in sizes.items() if use.warm.total() >= ENOUGH_AT_A_SIZE}


def confidence(known: Evidence, curve: Curve) -> str:
    """A (sizes of its own, or Power Tuning's, tell waiting from computing), B (twins or CPU time do) or C (prior)."""
    if tell([*known.seen, *known.tuned], vcpus=curve.vcpus):
        return "A"
    return "B" if curve.measured or len(curve.sizes) > 1 else "C"


def in_words(known: Evidence, curve: Curve) -> str:
    """What the curve rests on, in a sentence's words."""
    elsewhere = [f"by Power Tuning at {_list(known.tuned)}"] if known.tuned else []
    elsewhere += [
        f"twin {name} at {_list(size for size, one in known.twins.items() if one.twin == name)}"
        for name in dict.fromkeys(one.twin for one in known.twins.values())
    ]
    words = ", ".join([f"seen at {_list(known.seen)}", *elsewhere])
    if elsewhere:
        words += " (times brought to the logs' level)"
    if known.cpu:
        words += f", {known.cpu.cpu_ms / known.thread_vcpus:.3g} ms of CPU time by Lambda Insights"
    return words if curve.measured else f"{words} only: other sizes by the prior"


def _list(sizes: Iterable[int]) -> str:
    return f"{', '.join(map(str, sorted(sizes)))} MB"


def _brought(elsewhere: Mapping[int, float], seen: Mapping[int, float], facts: FunctionFacts) -> dict[int, Borrowed]:
    """Durations measured elsewhere, at the level of those seen, by the sizes that these lack.

    None where the two don't meet but by the prior, which would then pass for something measured.
    """
    if shared := elsewhere.keys() & seen.keys():
        level, noise = geometric_mean(seen[size] / elsewhere[size] for size in shared), 0.0
    elif elsewhere and (curve := fit(elsewhere.items(), thread_vcpus=_thread(facts))).measured:
        _, there_ms, high_ms = curve.duration_ms(facts.memory_mb)
        level, noise = seen[facts.memory_mb] / there_ms, (high_ms / there_ms - 1) / Z_80
    else:
        return {}
    noise = hypot(BORROWED_NOISE, noise)
    return {size: Borrowed(ms * level, noise) for size, ms in elsewhere.items() if size not in seen}


def _of_twins(
    twins: Mapping[str, Mapping[int, float]], seen: Mapping[int, float], facts: FunctionFacts
) -> dict[int, Borrowed]:
    """By size, what the busiest twin took that was seen at it."""
    found: dict[int, Borrowed] = {}
    for name, times in twins.items():
        for size, one in _brought(times, seen, facts).items():
            if 1 / OTHER_WORK <= one.duration_ms / times[size] <= OTHER_WORK:
                found.setdefault(size, one._replace(twin=name))
    return found


def _cpu(facts: FunctionFacts, now_ms: float) -> Cpu | None:
    """The CPU time of a usual invocation, as measured at the current size, or else where it was most often.

    Where slow invocations compute more, the usual one takes the mean's share of its duration; where they wait, it takes
    the mean: the truth lies between. None if that is no help.
    """
    enough = {size: time for size, time in facts.cpu.items() if time.invocations >= ENOUGH_AT_A_SIZE}
    if not enough:
        return None
    at = enough.get(facts.memory_mb) or max(enough.values(), key=lambda time: time.invocations)
    # On arm64 a whole vCPU of 1,769 MB is less than a thread can use, and so less CPU time than wall clock.
    thread = _thread(facts)
    low_ms, high_ms = sorted((thread * at.cpu_ms, thread * at.cpu_ms * at.median_ms / at.mean_ms))
    cpu_ms = sqrt(low_ms * high_ms)
    deviation_ms = hypot(CPU_NOISE * cpu_ms, (high_ms - low_ms) / 2, thread * CPU_STEP_MS / 2)
    share = min(facts.memory_mb / ONE_VCPU_MB, thread)
    return Cpu(cpu_ms, deviation_ms) if deviation_ms / share <= UNCERTAIN * now_ms else None


def _thread(facts: FunctionFacts) -> float:
    return THREAD_ARM if facts.architecture == prices.ARM else THREAD_X86
