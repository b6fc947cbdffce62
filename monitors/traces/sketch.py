"""Weighted values -> a sketch of their distribution: small, merged by adding, every quantile within 1 %. Pure.

DDSketch (Masson, Rim & Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB
2019): bucket i holds the values in (γ^(i-1), γ^i], with γ = (1 + α) / (1 - α), and 2 γ^i / (γ + 1) is within α of each.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import ceil, fsum, log
from typing import NamedTuple

from monitors.traces.weighing import quantiles

ALPHA = 0.01
BUCKETS = 2048
"""Buckets kept, down from the highest in use: they span 17 powers of ten; 1 µs to Lambda's 15 minutes takes nine.
What lies lower collapses into the lowest bucket kept, as in the paper: only quantiles down there lose accuracy."""

HEAVIEST = 1e15
"""More requests than any week has had."""

_GAMMA = (1 + ALPHA) / (1 - ALPHA)
_LOG_GAMMA = log(_GAMMA)


class Sketch(NamedTuple):
    zero: float
    """Weight of the values that are 0."""
    counts: Mapping[int, float]
    """Weight by bucket, above 0."""

    @property
    def weight(self) -> float:
        """Of all that was put in."""
        return fsum((self.zero, *self.counts.values()))


def sketch(pairs: Iterable[tuple[float, float]]) -> Sketch:
    """The sketch of (value, weight) pairs: values 0 or 10^-17 to 10^17, weights above 0."""
    zero = 0.0
    counts: defaultdict[int, float] = defaultdict(float)
    for value, weight in pairs:
        if value > 0:
            counts[ceil(log(value) / _LOG_GAMMA)] += weight
        else:
            zero += weight
    return Sketch(zero, _collapsed(counts))


def merged(sketches: Iterable[Sketch]) -> Sketch:
    """The sketch of all their values together, whatever their order."""
    zero = 0.0
    counts: defaultdict[int, float] = defaultdict(float)
    for one in sketches:
        zero += one.zero
        for bucket, count in one.counts.items():
            counts[bucket] += count
    return Sketch(zero, _collapsed(counts))


def estimates(held: Sketch, levels: Sequence[float]) -> tuple[float, ...]:
    """`weighing.quantiles` of what was put in, each within 1 % (ALPHA); `levels` rise, and something was put in."""
    pairs = [(_middle(bucket), count) for bucket, count in held.counts.items()]
    return quantiles([(0.0, held.zero), *pairs] if held.zero else pairs, levels)


def to_json(held: Sketch) -> list[float]:
    """[weight of zero, gap, count, gap, count, ...]: buckets in rising order, each told by its distance from the one
    before (the first from 0); weights to six digits."""
    told, last = [_short(held.zero)], 0
    for bucket, count in sorted(held.counts.items()):
        told += [bucket - last, _short(count)]
        last = bucket
    return told


def from_json(told: Sequence[float]) -> Sketch:
    """The sketch that `to_json` told; ValueError if nothing can have told this."""
    if len(told) % 2 == 0 or any(gap != int(gap) for gap in told[1::2]):
        raise ValueError("a sketch is one weight, and then a whole gap and a weight for each bucket")
    if any(gap <= 0 for gap in told[3::2]) or told[0] < 0 or any(count <= 0 for count in told[2::2]):
        raise ValueError("a sketch's buckets rise, and its weights are above 0")
    if max(told[::2]) > HEAVIEST:
        raise ValueError(f"a sketch of weights above {HEAVIEST:g}")
    if not any(told[::2]):
        raise ValueError("a sketch of nothing")
    counts, bucket = {}, 0
    for gap, count in zip(told[1::2], told[2::2], strict=True):
        bucket += int(gap)
        counts[bucket] = count
    if any(abs(bucket) > BUCKETS for bucket in counts):
        raise ValueError("a sketch of values that no clock measures")
    return Sketch(told[0], _collapsed(counts))


def _collapsed(counts: Mapping[int, float]) -> dict[int, float]:
    lowest = max(counts, default=0) - BUCKETS + 1
    kept: defaultdict[int, float] = defaultdict(float)
    for bucket, count in counts.items():
        kept[max(bucket, lowest)] += count
    return dict(kept)


def _middle(bucket: int) -> float:
    value: float = 2 * _GAMMA**bucket / (_GAMMA + 1)
    return value


def _short(weight: float) -> float:
    rounded = float(f"{weight:.6g}")
    return int(rounded) if rounded == int(rounded) else rounded
