"""Requests one by one -> columns, as a window has them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from monitors.traces import compare
from monitors.traces.columns import Columns, Kind, Pile, columns
from monitors.traces.report import Change
from monitors.traces.requests import Request


def columns_of(requests: Iterable[Request]) -> Columns:
    """Of one function, each with its own weight."""
    piles: defaultdict[Kind, Pile] = defaultdict(Pile)
    ids, weights = [], []
    for number, one in enumerate(requests):
        labels = tuple(label for label, _ in one.phases)
        kind = Kind(one.function, one.function, one.cold, one.failed, labels, one.caller, one.qualifier)
        times = (time for _, time in one.phases)
        piles[kind].loose.append((number, one.start, one.start, one.duration, *times))
        ids.append(one.trace_id)
        weights.append(one.weight)
    (found,) = columns(piles, ids, lambda _, __, trace: np.array(weights)[trace]).values()
    return found


def comparison(
    before: Mapping[str, Iterable[Request]], after: Mapping[str, Iterable[Request]]
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """As compare.comparison has it, of requests one by one."""
    was, now = ({name: columns_of(found) for name, found in one.items()} for one in (before, after))
    return compare.comparison(was, now)
