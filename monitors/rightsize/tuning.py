"""A function's memory advice -> at which sizes to invoke it, what that costs; its invocations -> what comes next. Pure.

The way is that of AWS Lambda Power Tuning (README-INPUT-OUTPUT.md of github.com/alexcasalboni/aws-lambda-power-tuning):
a version of each memory size, invoked with one payload, one invocation after the other.
"""

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from monitors.errors import InputError
from monitors.records import Invocation
from monitors.rightsize.curve import LADDER_MB, LARGEST_MB, gb_seconds
from monitors.rightsize.prices import Price
from monitors.rightsize.report import MemoryAdvice

INVOCATIONS = 11
"""At each size: one starts the sandbox, and ten are warm, which Power Tuning recommends at least. So few also stay
below ENOUGH_AT_A_SIZE, and do not pass for real requests in later reports."""
DISCARDED = 0.2
"""The share of the warm ones at either end that the average leaves out (Power Tuning's discardTopBottom)."""
INIT_LIMIT_MS = 10_000
"""How long the start of a sandbox may take and be billed (developer guide, "Lambda execution environment")."""
NEW_ACCOUNT_MB = 3008
"""The most that new accounts may ask for (developer guide, "Lambda quotas")."""


class Step(NamedTuple):
    """One memory size, with what its invocations cost together."""

    memory_mb: int
    expected_usd: float
    worst_usd: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Tuning:
    """What is to be measured of a function."""

    function: str
    memory_mb: int
    """Its own size, which it gets back."""
    timeout_ms: int
    steps: tuple[Step, ...]
    """In the order in which they tell most, at least two."""
    price: Price

    @property
    def expected_usd(self) -> float:
        """By the logs' p50."""
        return sum(step.expected_usd for step in self.steps)

    @property
    def worst_usd(self) -> float:
        """If every invocation runs until the timeout."""
        return sum(step.worst_usd for step in self.steps)


def refusal(configuration: Mapping[str, Any]) -> str:
    """Why a function with this configuration (as GetFunctionConfiguration answers) can't be measured so; "" if it can.

    Container images and functions in a VPC can; provisioned concurrency is of other versions, and left alone.
    """
    logging, snap_start = (configuration.get(key) or {} for key in ("LoggingConfig", "SnapStart"))
    reasons = (
        (
            snap_start.get("ApplyOn") == "PublishedVersions",
            "SnapStart makes a snapshot of each version, in minutes, billed for three hours: measure a copy without it",
        ),
        (configuration.get("CapacityProviderConfig"), "Lambda Managed Instances are not billed by the invocation"),
        (configuration.get("DurableConfig"), "a durable function's invocations may wait for days"),
        (configuration.get("TenancyConfig"), "with tenant isolation each invocation needs a tenant"),
        (logging.get("SystemLogLevel") == "WARN", "its log has no report lines: set the system log level to INFO"),
    )
    return next((reason for holds, reason in reasons if holds), "")


def tuning(advice: MemoryAdvice, *, memory_mb: int, timeout_ms: int, price: Price) -> Tuning:
    """What is to be measured of the function that the advice is of, with the size and timeout that it has now.

    InputError if no two sizes are safe to run it at.
    """
    found = sizes(memory_mb, floor_mb=advice.floor_mb, advised_mb=advice.advised_mb)
    if len(found) < 2:
        raise InputError(
            f"{advice.function}: safe from {advice.floor_mb} MB on, so {found[0]} MB has nothing beside it"
        )
    worst_ms = INVOCATIONS * timeout_ms + INIT_LIMIT_MS
    return Tuning(
        function=advice.function,
        memory_mb=memory_mb,
        timeout_ms=timeout_ms,
        steps=tuple(
            Step(size, _usd(size, _expected_ms(advice, size), price), _usd(size, worst_ms, price)) for size in found
        ),
        price=price,
    )


def sizes(memory_mb: int, *, floor_mb: int, advised_mb: int) -> tuple[int, ...]:
    """The memory sizes to measure: the present one, then of the usual ones those nearest to the advised one, a half,
    the double and a quarter; none under the floor, and none that a new account could not have.
    """
    base = memory_mb if memory_mb >= floor_mb else next((s for s in LADDER_MB if s >= floor_mb), LARGEST_MB)
    most = LARGEST_MB if base > NEW_ACCOUNT_MB else NEW_ACCOUNT_MB
    safe = [size for size in LADDER_MB if floor_mb <= size <= most] or [base]
    wanted = (advised_mb, base / 2, base * 2, base / 4)
    return tuple(dict.fromkeys((base, *(min(safe, key=lambda size: _apart(size, one)) for one in wanted))))


def following(plan: Tuning, done: Sequence[Invocation], *, at_most_usd: float) -> int | None:
    """The memory size to invoke at next; None if all is measured, or the limit reached.

    A size is begun only if what was billed and what it is expected to cost stay within the limit, and left once more
    was billed. What is expected follows from how far off it was before: the payload may be heavier than the requests.
    """
    times = Counter(one.memory_mb for one in done)
    step = next((one for one in plan.steps if times[one.memory_mb] < INVOCATIONS), None)
    if step is None:
        return None
    billed = billed_usd(plan, done)
    finished = sum(one.expected_usd for one in plan.steps if times[one.memory_mb] >= INVOCATIONS)
    expected = step.expected_usd * (billed / finished if finished else 1.0)
    ahead = 0.0 if times[step.memory_mb] else expected
    return step.memory_mb if billed + ahead <= at_most_usd else None


def billed_usd(plan: Tuning, done: Sequence[Invocation]) -> float:
    """What these invocations cost."""
    return sum(
        gb_seconds(one.memory_mb or 0, math.ceil(one.duration_ms) if one.billed_ms is None else one.billed_ms)
        * plan.price.gb_second
        + plan.price.request
        for one in done
    )


def averages(plan: Tuning, done: Sequence[Invocation]) -> dict[int, float]:
    """Memory size (MB) -> average duration (ms) of the warm invocations, of each size that was measured to the end."""
    found = {}
    for step in plan.steps:
        there = [one for one in done if one.memory_mb == step.memory_mb]
        warm = sorted(one.duration_ms for one in there if not one.cold)
        if len(there) >= INVOCATIONS and warm:
            cut = int(len(warm) * DISCARDED)
            found[step.memory_mb] = statistics.fmean(warm[cut : len(warm) - cut])
    return dict(sorted(found.items()))


def _expected_ms(advice: MemoryAdvice, memory_mb: int) -> float:
    """What the invocations at a size take together: the logs' p50, as the advice predicts it there, and one start."""
    near = min(advice.sizes, key=lambda point: _apart(point.memory_mb, memory_mb))
    return INVOCATIONS * advice.p50_ms * near.p95_ms.expected / advice.p95_ms + (advice.init_ms or 0.0)


def _usd(memory_mb: int, all_ms: float, price: Price) -> float:
    return gb_seconds(memory_mb, all_ms) * price.gb_second + INVOCATIONS * price.request


def _apart(one_mb: float, other_mb: float) -> float:
    return abs(math.log(one_mb / other_mb))
