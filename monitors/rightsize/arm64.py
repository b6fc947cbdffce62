"""Duration on x86_64 -> on arm64, as an interval. Pure.

No log of a function on x86_64 tells how fast it would be on arm64: these are what others measured.
"""

from collections.abc import Mapping

from monitors.rightsize.report import Interval

ANY = Interval(0.74, 0.90, 1.11)
TIME: Mapping[str, Interval] = {"CPU": Interval(0.77, 0.85, 0.99), "IO": Interval(0.91, 1.02, 1.14)}
"""Time on arm64 over time on x86_64, by what bounds the duration: the 10th, 50th and 90th percentile of benchmarks in
Node.js, Python and Rust that were measured warm on both at the same memory size (cebert's of November and December
2025: 208 pairs, of them 84 of computing and 25 of light work, which is taken for that which waits)."""


def slowdown(kind: str) -> Interval:
    """By how much the duration of a function that is bound so (CPU, IO or anything else) is multiplied, an 80 %
    interval."""
    return TIME.get(kind, ANY)
