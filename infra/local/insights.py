"""Metrics Insights queries and SEARCH expressions -> the series they find in the metric store.

Sources: "Metrics Insights query components and syntax", "CloudWatch search expression syntax" and the function SORT of
"Using math expressions with CloudWatch metrics", Amazon CloudWatch User Guide. Of searches it knows those by exact
names, {namespace,dimension} MetricName="m" dimension="v": such a search is a query grouped by all its dimensions.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.local.metrics import Key, MetricStore, Scope
from monitors.errors import InputError

LONGEST = 2048
MOST = 500
"""Series that a query or a search returns at most."""
OTHER = "Other"
"""Stands for a dimension that a metric doesn't have."""
STATISTICS = {"AVG": "Average", "COUNT": "SampleCount", "MAX": "Maximum", "MIN": "Minimum", "SUM": "Sum"}

Series = tuple[str, list[float | None]]
"""(label, values)"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What a query or a search asks for."""

    namespace: str
    metric: str
    statistic: str
    dimensions: frozenset[str] | None = None
    """Metrics with exactly these dimensions; None for any."""
    conditions: tuple[tuple[str, bool, str], ...] = ()
    """(dimension, whether it must be so, value)"""
    by: tuple[str, ...] = ()
    order: str = ""
    """The function by whose value over the whole window series are ordered; empty for their names."""
    descending: bool = False
    limit: int = MOST
    period_s: int = 0
    """The search's own; 0 for that of the request."""


_TEXT = r'"(?:[^"\\]|\\.)*"'
_NAME = rf"(?:{_TEXT}|\w+)"
_CONDITION = rf"{_NAME}\s*!?=\s*'[^']*'"
_SELECT = re.compile(
    rf"""\s*SELECT\s+(?P<function>AVG|COUNT|MAX|MIN|SUM)\s*\(\s*(?P<metric>{_NAME})\s*\)
    \s*FROM\s+(?:SCHEMA\s*\(\s*(?P<schema>{_NAME}(?:\s*,\s*{_NAME})*)\s*\)|(?P<namespace>{_NAME}))
    (?:\s*\bWHERE\s+(?P<where>{_CONDITION}(?:\s*\bAND\s+{_CONDITION})*))?
    (?:\s*\bGROUP\s+BY\s+(?P<by>{_NAME}(?:\s*,\s*{_NAME})*))?
    (?:\s*\bORDER\s+BY\s+(?P<order>AVG|COUNT|MAX|MIN|SUM)\s*\(\s*\)(?:\s*\b(?P<direction>ASC|DESC))?)?
    (?:\s*\bLIMIT\s+(?P<limit>\d{{1,9}}))?\s*""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_SCHEMA_NAME = rf"""(?:{_TEXT}|[^\s",{{}}']+)"""
_TERM = rf"{_NAME}\s*=\s*{_TEXT}"
_SEARCH = rf"""SEARCH\s*\(\s*'\s*\{{\s*(?P<schema>{_SCHEMA_NAME}(?:\s*,\s*{_SCHEMA_NAME})*)\s*\}}\s*,?
    \s*(?P<terms>{_TERM}(?:\s+(?:AND\s+)?{_TERM})*)\s*'\s*,\s*'(?P<statistic>[\w.]+)'
    (?:\s*,\s*(?P<period>\d{{1,9}}))?\s*\)"""
_SORTED = re.compile(
    rf"""\s*(?:SORT\s*\(\s*(?=SEARCH))?{_SEARCH}
    (?:\s*,\s*(?P<order>AVG|MAX|MIN|SUM)\s*,\s*(?P<direction>ASC|DESC)(?:\s*,\s*(?P<limit>\d{{1,9}}))?\s*\))?\s*""",
    re.VERBOSE | re.ASCII,
)
_KNOWN = (
    "the embedded account knows queries (SELECT, FROM, WHERE, GROUP BY, ORDER BY, LIMIT), and searches by schema and "
    "exact names, alone or in SORT"
)
_FINDS = re.compile(r"\s*(?:(?i:SELECT)\s|(?:SORT\s*\(\s*)?SEARCH\s*\()", re.ASCII)


def finds(expression: str) -> bool:
    """Whether it is a query or a search, which finds series, instead of metric math, which is one."""
    return bool(_FINDS.match(expression))


def parse(expression: str) -> Selection:
    """What a query or a search asks for.

    Raises:
        InputError: it is neither, or one that is not modelled here.
    """
    if len(expression) <= LONGEST:
        if query := _SELECT.fullmatch(expression):
            return _query(query)
        search = _SORTED.fullmatch(expression)
        if search and expression.lstrip().startswith("SORT") == bool(search["order"]):
            return _search(search)
    raise InputError(f"{_KNOWN}: not {expression[:80]!r}")


def evaluate(
    store: MetricStore, scope: Scope, chosen: Selection, *, start_s: int, period_s: int, slots: int
) -> list[Series]:
    """The series found, in the order asked for, labelled by their group; those without a datapoint are left out.

    Raises:
        InputError: the statistic is not modelled here.
    """
    groups: dict[tuple[str, ...], list[Key]] = {}
    for key in store.keys(scope):
        if _matches(chosen, key):
            dimensions = dict(key[2])
            groups.setdefault(tuple(dimensions.get(name, OTHER) for name in chosen.by), []).append(key)
    found = [
        (
            " ".join(group) or chosen.metric,
            store.joined(scope, keys, statistic=chosen.statistic, period_s=period_s, start_s=start_s, slots=slots),
        )
        for group, keys in sorted(groups.items())
    ]
    found = [one for one in found if _present(one)]
    if chosen.order:
        worth = _WORTH[chosen.order]
        found.sort(key=lambda one: worth(_present(one)), reverse=chosen.descending)
    return found[: chosen.limit]


def _query(match: re.Match[str]) -> Selection:
    namespace, *dimensions = map(_plain, re.findall(_NAME, match["schema"] or match["namespace"], re.ASCII))
    conditions = re.findall(rf"({_NAME})\s*(!?=)\s*'([^']*)'", match["where"] or "", re.ASCII)
    return Selection(
        namespace=namespace,
        metric=_plain(match["metric"]),
        statistic=STATISTICS[match["function"].upper()],
        dimensions=frozenset(dimensions) if match["schema"] else None,
        conditions=tuple((_plain(name), sign == "=", value) for name, sign, value in conditions),
        by=tuple(map(_plain, re.findall(_NAME, match["by"] or "", re.ASCII))),
        order=(match["order"] or "").upper(),
        descending=(match["direction"] or "").upper() == "DESC",
        limit=_limit(match["limit"]),
    )


def _search(match: re.Match[str]) -> Selection:
    namespace, *dimensions = map(_plain, re.findall(_SCHEMA_NAME, match["schema"], re.ASCII))
    terms = re.findall(rf"({_NAME})\s*=\s*({_TEXT})", match["terms"], re.ASCII)
    named = {_plain(name): _plain(value) for name, value in terms}
    metric = named.pop("MetricName", "")
    if not metric:
        raise InputError('the embedded account searches for one metric: name it as MetricName="..."')
    return Selection(
        namespace=namespace,
        metric=metric,
        statistic=match["statistic"],
        dimensions=frozenset(dimensions),
        conditions=tuple((name, True, value) for name, value in named.items()),
        by=tuple(dimensions),
        order=match["order"] or "",
        descending=match["direction"] == "DESC",
        limit=_limit(match["limit"]),
        period_s=int(match["period"] or 0),
    )


def _plain(name: str) -> str:
    """Without its quotation marks and what escapes them."""
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith('"') else name


def _limit(text: str | None) -> int:
    return min(int(text), MOST) if text else MOST


def _matches(chosen: Selection, key: Key) -> bool:
    namespace, metric, pairs = key
    dimensions = dict(pairs)
    return (
        (namespace, metric) == (chosen.namespace, chosen.metric)
        and chosen.dimensions in (None, dimensions.keys())
        and all((dimensions.get(name) == value) is wanted for name, wanted, value in chosen.conditions)
    )


def _present(series: Series) -> list[float]:
    return [value for value in series[1] if value is not None]


_WORTH: dict[str, Callable[[Sequence[float]], float]] = {
    "AVG": lambda values: sum(values) / len(values),
    "COUNT": len,
    "MAX": max,
    "MIN": min,
    "SUM": sum,
}
