"""One minute's values of one metric."""

from typing import NamedTuple

MINUTE_S = 60
Dimensions = tuple[tuple[str, str], ...]


class Point(NamedTuple):
    """What CloudWatch would hold of one metric for one minute, with every value kept."""

    namespace: str
    metric: str
    dimensions: Dimensions
    unit: str
    minute_s: int
    values: list[float]
