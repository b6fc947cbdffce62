"""Weighted values -> their quantiles."""

from collections.abc import Iterable, Sequence

import numpy as np

from monitors.traces import columns


def quantiles(pairs: Iterable[tuple[float, float]], levels: Sequence[float]) -> tuple[float, ...]:
    """Of (value, weight), one pair at least: see columns.quantiles."""
    values, weights = zip(*pairs, strict=True)
    return tuple(columns.quantiles(np.array(values), np.array(weights, np.float64), levels))
