"""Where the embedded account keeps metric datapoints: minute buckets per metric, read back as any statistic.

CloudWatch keeps one-minute aggregates for 15 days and answers percentiles only where raw values were published
(PutMetricData: values and counts, not statistic sets). So does this store; it holds no more than RETENTION_S.
"""

import math
import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from monitors.errors import InputError

RETENTION_S = 15 * 24 * 3600  # CloudWatch user guide, "Metrics retention": 60 s datapoints live 15 days
MINUTE = 60

Scope = tuple[str, str]
"""(account, Region)"""
Key = tuple[str, str, tuple[tuple[str, str], ...]]
"""(namespace, metric name, dimensions sorted by name)"""
Weighted = tuple[float, float]
"""(value, how often)"""

_TRIMMED = re.compile(r"(p|tm)(\d{1,2}(?:\.\d+)?|100)")


@dataclass(slots=True)
class Bucket:
    """One minute of one metric."""

    count: float = 0.0
    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    samples: list[Weighted] = field(default_factory=list)

    def merge(self, other: "Bucket") -> None:
        self.count += other.count
        self.total += other.total
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)
        self.samples.extend(other.samples)


class MetricStore:
    """Datapoints by account and Region. Safe to use from the server's many threads."""

    def __init__(self) -> None:
        self._minutes: dict[Scope, dict[Key, dict[int, Bucket]]] = {}
        self._units: dict[tuple[Scope, Key], str] = {}
        self._lock = threading.Lock()

    def add(self, scope: Scope, key: Key, *, at_s: float, samples: Iterable[Weighted], unit: str = "None") -> None:
        """Keep raw values, each with how often it occurred."""
        values = [(float(value), float(weight)) for value, weight in samples if math.isfinite(value) and weight > 0]
        if values:
            self._merge(
                scope,
                key,
                at_s=at_s,
                unit=unit,
                bucket=Bucket(
                    count=sum(weight for _, weight in values),
                    total=sum(value * weight for value, weight in values),
                    low=min(value for value, _ in values),
                    high=max(value for value, _ in values),
                    samples=values,
                ),
            )

    def add_statistics(self, scope: Scope, key: Key, *, at_s: float, bucket: Bucket, unit: str = "None") -> None:
        """Keep a statistic set. Percentiles can be told from it only where all its values are the same."""
        if bucket.count > 0:
            if bucket.low == bucket.high:
                bucket.samples = [(bucket.low, bucket.count)]
            self._merge(scope, key, at_s=at_s, unit=unit, bucket=bucket)

    def _merge(self, scope: Scope, key: Key, *, at_s: float, unit: str, bucket: Bucket) -> None:
        minute = int(at_s // MINUTE) * MINUTE
        with self._lock:
            minutes = self._minutes.setdefault(scope, {}).setdefault(key, {})
            self._units[scope, key] = unit
            if minute in minutes:
                minutes[minute].merge(bucket)
            else:
                minutes[minute] = bucket

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
        with self._lock:
            minutes = self._minutes.get(scope, {}).get(key)
            if not minutes:
                return [None] * slots
            return [
                _statistic([minutes[m] for m in range(at, at + period_s, MINUTE) if m in minutes], statistic)
                for at in range(start_s, start_s + slots * period_s, period_s)
            ]


def _statistic(buckets: Sequence[Bucket], name: str) -> float | None:
    if not buckets:
        return None
    match name:
        case "Sum":
            return sum(bucket.total for bucket in buckets)
        case "SampleCount":
            return sum(bucket.count for bucket in buckets)
        case "Average":
            return sum(bucket.total for bucket in buckets) / sum(bucket.count for bucket in buckets)
        case "Minimum":
            return min(bucket.low for bucket in buckets)
        case "Maximum":
            return max(bucket.high for bucket in buckets)
    return _trimmed(buckets, name)


def _trimmed(buckets: Sequence[Bucket], name: str) -> float | None:
    match = _TRIMMED.fullmatch(name)
    if not match:
        raise InputError(
            f"statistic {name!r}: the embedded account knows Sum, Average, Minimum, Maximum, SampleCount, pNN and tmNN"
        )
    samples = sorted(sample for bucket in buckets for sample in bucket.samples)
    if sum(weight for _, weight in samples) < sum(bucket.count for bucket in buckets):
        return None
    kind, share = match[1], float(match[2]) / 100
    return _percentile(samples, share) if kind == "p" else _trimmed_mean(samples, share)


def _percentile(samples: Sequence[Weighted], share: float) -> float:
    """The value below which `share` of the samples lie, by linear interpolation between neighbours."""
    rank = share * (sum(weight for _, weight in samples) - 1)
    seen = 0.0
    for index, (value, weight) in enumerate(samples):
        last = seen + weight - 1
        if rank <= last:
            return value
        if rank < last + 1 and index + 1 < len(samples):
            return value + (samples[index + 1][0] - value) * (rank - last)
        seen += weight
    return samples[-1][0]


def _trimmed_mean(samples: Sequence[Weighted], share: float) -> float:
    """The mean of the lowest `share` of the samples."""
    room = share * sum(weight for _, weight in samples)
    total = taken = 0.0
    for value, weight in samples:
        take = min(weight, room - taken)
        total += value * take
        taken += take
        if taken >= room:
            break
    return total / taken if taken else samples[0][0]
