"""Where the embedded account keeps metric datapoints: minute buckets per metric, read back as any statistic.

CloudWatch keeps one-minute aggregates for 15 days and answers percentiles only where raw values were published
(PutMetricData: values and counts, not statistic sets). So does this store; it holds no more than RETENTION_S.
"""

import math
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from monitors.errors import InputError

RETENTION_S = 15 * 24 * 3600  # CloudWatch user guide, "Metrics retention": 60 s datapoints live 15 days
MINUTE = 60

Scope = tuple[str, str]
"""(account, Region)"""
Key = tuple[str, str, tuple[tuple[str, str], ...]]
"""(namespace, metric name, dimensions sorted by name)"""

_TRIMMED = re.compile(r"(p|tm)(\d{1,2}(?:\.\d+)?|100)")


@dataclass(slots=True)
class Bucket:
    """One minute of one metric."""

    count: float
    total: float
    low: float
    high: float
    values: list[float]
    """Every value there was; fewer than `count` where only statistics were published."""

    def merge(self, other: "Bucket") -> None:
        self.count += other.count
        self.total += other.total
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)
        self.values += other.values


def bucket(values: list[float]) -> Bucket:
    """A bucket of raw values, at least one."""
    return Bucket(len(values), sum(values), min(values), max(values), values)


Statistic = Callable[[Sequence[Bucket]], float | None]


class MetricStore:
    """Datapoints by account and Region. Safe to use from the server's many threads."""

    def __init__(self) -> None:
        self._minutes: dict[Scope, dict[Key, dict[int, Bucket]]] = {}
        self._units: dict[tuple[Scope, Key], str] = {}
        self._lock = threading.Lock()

    def add(self, scope: Scope, key: Key, *, at_s: float, values: list[float], unit: str = "None") -> None:
        """Keep raw values; those that are no finite numbers are left out."""
        if not math.isfinite(sum(values)):
            values = [value for value in values if math.isfinite(value)]
        if values:
            self._merge(scope, key, at_s=at_s, unit=unit, new=bucket(values))

    def add_statistics(self, scope: Scope, key: Key, *, at_s: float, new: Bucket, unit: str = "None") -> None:
        """Keep a statistic set. Percentiles can be told from it only where all its values are the same."""
        if new.count > 0:
            if new.low == new.high:
                new.values = [new.low] * int(new.count)
            self._merge(scope, key, at_s=at_s, unit=unit, new=new)

    def _merge(self, scope: Scope, key: Key, *, at_s: float, unit: str, new: Bucket) -> None:
        minute = int(at_s // MINUTE) * MINUTE
        with self._lock:
            minutes = self._minutes.setdefault(scope, {}).setdefault(key, {})
            self._units[scope, key] = unit
            if minute in minutes:
                minutes[minute].merge(new)
            else:
                minutes[minute] = new

    def forget_before(self, oldest_s: float) -> None:
        """Drop what CloudWatch would no longer have, and metrics that have nothing left."""
        with self._lock:
            for metrics in self._minutes.values():
                for key, minutes in list(metrics.items()):
                    if min(minutes) < oldest_s:
                        metrics[key] = {minute: b for minute, b in minutes.items() if minute >= oldest_s}
                        if not metrics[key]:
                            del metrics[key]

    def keys(self, scope: Scope) -> list[Key]:
        """Every metric that has a datapoint, sorted."""
        with self._lock:
            return sorted(self._minutes.get(scope, {}))

    def unit(self, scope: Scope, key: Key) -> str:
        return self._units.get((scope, key), "None")

    def series(
        self, scope: Scope, key: Key, *, statistic: str, period_s: int, start_s: int, slots: int
    ) -> list[float | None]:
        """The statistic of `slots` periods from `start_s` on; None for a period without datapoints."""
        return self.joined(scope, [key], statistic=statistic, period_s=period_s, start_s=start_s, slots=slots)

    def joined(
        self, scope: Scope, keys: Sequence[Key], *, statistic: str, period_s: int, start_s: int, slots: int
    ) -> list[float | None]:
        """The statistic over all that these metrics observed, as if they were one."""
        made = _statistic(statistic)
        by_slot: dict[int, list[Bucket]] = {}
        with self._lock:
            for key in keys:
                minutes = self._minutes.get(scope, {}).get(key, {})
                for minute in _within(minutes, start_s, start_s + slots * period_s):
                    by_slot.setdefault((minute - start_s) // period_s, []).append(minutes[minute])
            values: list[float | None] = [None] * slots
            for slot, buckets in by_slot.items():
                values[slot] = made(buckets)
            return values


def _within(minutes: Mapping[int, Bucket], start_s: int, end_s: int) -> list[int]:
    # Whichever is fewer: the minutes asked for, or those that there are.
    asked = range(start_s, end_s, MINUTE)
    if len(asked) < len(minutes):
        return [minute for minute in asked if minute in minutes]
    return [minute for minute in minutes if start_s <= minute < end_s]


_PLAIN: Mapping[str, Statistic] = {
    "Sum": lambda buckets: sum([bucket.total for bucket in buckets]),
    "SampleCount": lambda buckets: sum([bucket.count for bucket in buckets]),
    "Average": lambda buckets: sum([bucket.total for bucket in buckets]) / sum([bucket.count for bucket in buckets]),
    "Minimum": lambda buckets: min([bucket.low for bucket in buckets]),
    "Maximum": lambda buckets: max([bucket.high for bucket in buckets]),
}


def _statistic(name: str) -> Statistic:
    """What makes the statistic out of buckets; InputError if it is none that is known here."""
    if name in _PLAIN:
        return _PLAIN[name]
    match = _TRIMMED.fullmatch(name)
    if not match:
        known = "Sum, Average, Minimum, Maximum, SampleCount, pNN and tmNN"
        raise InputError(f"statistic {name!r}: the embedded account knows {known}")
    made, share = (_percentile if match[1] == "p" else _trimmed_mean), float(match[2]) / 100

    def trimmed(buckets: Sequence[Bucket]) -> float | None:
        values = sorted([value for bucket in buckets for value in bucket.values])
        return made(values, share) if len(values) >= sum([bucket.count for bucket in buckets]) else None

    return trimmed


def _percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted values lie, by linear interpolation between neighbours."""
    rank = share * (len(values) - 1)
    below = int(rank)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (rank - below)


def _trimmed_mean(values: Sequence[float], share: float) -> float:
    """The mean of the lowest `share` of the sorted values, one at least."""
    kept = values[: max(1, round(share * len(values)))]
    return sum(kept) / len(kept)
