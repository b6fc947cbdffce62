"""The highest use of each sandbox -> a histogram of bounded size. Pure."""

from collections import Counter
from collections.abc import Sequence

from monitors.rightsize.report import UsedBin

BINS = 40


def bins(tops_mb: Sequence[int], *, end_mb: int) -> tuple[UsedBin, ...]:
    """Of the BINS at most from 0 to `end_mb`, or to the highest use, those that are not empty; lowest first.

    They are as wide as the smallest power of two that will do, so that usual memory sizes lie on their bounds.
    """
    width = 1
    while _place(max([end_mb, *tops_mb]), width) > BINS:
        width *= 2
    counts = Counter(_place(top, width) for top in tops_mb)
    return tuple(
        UsedBin(over_mb=(place - 1) * width, to_mb=place * width, sandboxes=n) for place, n in sorted(counts.items())
    )


def _place(top_mb: int, width_mb: int) -> int:
    return -(-top_mb // width_mb)
