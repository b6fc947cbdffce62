"""Queries and alarms -> widgets of a CloudWatch dashboard, and how they are laid out and counted. Pure.

Source of the structure: "Dashboard Body Structure and Syntax", Amazon CloudWatch API Reference. Widgets come
without a place: `placed` puts rows of them on the grid of 24 columns.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, cycle, islice
from typing import Any

from dashboards.formats import inert
from dashboards.palette import light, tint
from monitors.model import Query

Widget = dict[str, Any]
Row = Sequence[Widget]

COLUMNS = 24
MONTH, MONTH_S = "-P30D", 30 * 86_400
"""The range of a widget that has its own, and its seconds."""
REGION, ACCOUNT, PARTITION = "${AWS::Region}", "${AWS::AccountId}", "${AWS::Partition}"
"""CloudFormation's own words, where the fleet came from a template: the stack's Fn::Sub puts in the values."""

_ESCAPED = str.maketrans({one: f"\\{one}" for one in "\\`*_{}[]()#+!|<>~$&-"})
_SHADES = 4
_MANY = tuple(map(light, ("traffic", "latency", "saturation", "errors", "runtime", "other")))


def text(markdown: str, *, height: int = 1, width: int = COLUMNS) -> Widget:
    """Text without a frame."""
    return _widget("text", width, height, {"markdown": markdown, "background": "transparent"})


def alarms(title: str, arns: Sequence[str], *, states: Sequence[str] = (), width: int, height: int) -> Widget:
    """At most 100 alarms' states; only those in `states` if any are named, the latest change first."""
    shown = {"states": list(states)} if states else {}
    properties = {"title": title, "alarms": list(arns), "sortBy": "stateUpdatedTimestamp", **shown}
    return _widget("alarm", width, height, properties)


def graph(
    title: str,
    rows: Sequence[list[Any]],
    *,
    axis: str,
    region: str,
    levels: Sequence[dict[str, Any]] = (),
    moments: Sequence[dict[str, Any]] = (),
) -> Widget:
    """Lines over time from zero, with the axis in words, alarm levels across, and upright what happened at a moment."""
    drawn = annotations(levels, moments)
    left = {"left": {"label": axis, "min": 0, "showUnits": False}}
    return _metrics("timeSeries", title, rows, region, width=6, height=5, yAxis=left, **drawn)


def annotations(levels: Sequence[dict[str, Any]], moments: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The property of a graph that draws these; nothing where there are none."""
    drawn = {**({"horizontal": list(levels)} if levels else {}), **({"vertical": list(moments)} if moments else {})}
    return {"annotations": drawn} if drawn else {}


def budget(title: str, rows: Sequence[list[Any]], *, region: str) -> Widget:
    """What is left of 100 % over the past 30 days, whatever range the dashboard shows."""
    full = {"left": {"min": 0, "max": 100}}
    more = {"yAxis": full, "start": MONTH, "setPeriodToTimeRange": True}
    return _metrics("gauge", title, rows, region, width=6, height=5, **more)


def number(title: str, rows: Sequence[list[Any]], *, region: str, width: int) -> Widget:
    """The latest value with its course beneath."""
    return _metrics("singleValue", title, rows, region, width=width, height=4, sparkline=True, period=300)


def ranking(title: str, rows: Sequence[list[Any]], *, axis: str, region: str, total: bool) -> Widget:
    """The highest few: their totals as a table where a total means something, else their course."""
    if not total:
        return graph(title, rows, axis=axis, region=region) | {"width": 8, "height": 6}
    table = {"layout": "vertical", "showTimeSeriesData": False, "stickySummary": True, "summaryColumns": ["SUM"]}
    return _metrics("table", title, rows, region, width=8, height=6, table=table)


def logs(title: str, groups: Sequence[str], *, region: str, query: str) -> Widget:
    """A Logs Insights query over at most 50 log groups, as a table."""
    sources = " | ".join(f"SOURCE '{group}'" for group in groups)
    properties = {"title": title, "query": f"{sources} | {query}", "region": region, "view": "table"}
    return _widget("log", COLUMNS, 6, properties)


def metric_rows(queries: Sequence[Query], *, token: str, account: str = "") -> list[list[Any]]:
    """An alarm's queries as a widget's metrics array; what the alarm does not return stays hidden."""
    shown = [query for query in queries if query.returned]
    if len(shown) == 1 or (len(shown) <= _SHADES and len({(query.namespace, query.metric) for query in shown}) == 1):
        # percentiles of one metric: the highest strongest
        colours = [tint(token, (n + 1) / len(shown)) for n in range(len(shown))]
    else:
        colours = [*islice(cycle(_MANY), len(shown))]
    left = iter(colours)
    return [_row(query, next(left) if query.returned else None, account) for query in queries]


def expression_row(expression: str, *, label: str, period_s: int, account: str = "") -> list[Any]:
    """Metrics Insights, SEARCH or metric math as a row."""
    return [{"expression": expression, "id": "q1", "label": label, "period": period_s} | _of(account)]


@lru_cache(maxsize=4096)
def markdown(text: str) -> str:
    """Text with everything that Markdown would act on escaped."""
    return " ".join(inert(text).split()).translate(_ESCAPED)


def link(words: str, dashboard: str) -> str:
    """A Markdown link to another dashboard."""
    return f"[{markdown(words)}](#dashboards/dashboard/{dashboard})"


def placed(rows: Iterable[Row]) -> list[Widget]:
    """The widgets with their x and y: each row begins on the left, wraps at 24 columns, and stands below the last."""
    done: list[Widget] = []
    y = 0
    for row in rows:
        x = deepest = 0
        for widget in row:
            if x + widget["width"] > COLUMNS:
                x, y, deepest = 0, y + deepest, 0
            done.append(widget | {"x": x, "y": y})
            x, deepest = x + widget["width"], max(deepest, widget["height"])
        y += deepest
    return done


def queries(widget: Widget) -> tuple[Query, ...]:
    """What a metric widget asks of CloudWatch, for whoever fetches its data; nothing for other kinds."""
    properties = widget["properties"]
    return tuple(_query(row, properties) for row in properties.get("metrics", ()))


def metric_count(widget: Widget) -> int:
    """How many metrics the widget counts for against the dashboard's limit."""
    return len(widget["properties"].get("metrics", ()))


def _row(query: Query, colour: str | None, account: str) -> list[Any]:
    look: dict[str, Any] = {"id": query.id, "label": query.label or query.metric or query.id, "period": query.period_s}
    if colour:
        look["color"] = colour
    else:
        look["visible"] = False
    if account:
        look["accountId"] = account
    if query.expression:
        look["expression"] = query.expression
        return [look]
    look["stat"] = query.statistic
    return [query.namespace, query.metric, *chain.from_iterable(query.dimensions), look]


def _query(row: Sequence[Any], properties: Widget) -> Query:
    *metric, look = row
    namespace, name, *pairs = metric or ("", "")
    return Query(
        id=look["id"],
        namespace=namespace,
        metric=name,
        dimensions=tuple(zip(pairs[::2], pairs[1::2], strict=True)),
        statistic=look.get("stat", ""),
        period_s=look.get("period", properties.get("period", 60)),
        expression=look.get("expression", ""),
        label=look["label"],
        returned=look.get("visible", True),
    )


def _of(account: str) -> dict[str, str]:
    return {"accountId": account} if account else {}


def _metrics(
    view: str, title: str, rows: Sequence[list[Any]], region: str, *, width: int, height: int, **more: Any
) -> Widget:
    properties = {"view": view, "title": title, "metrics": list(rows), "region": region, **more}
    return _widget("metric", width, height, properties)


def _widget(kind: str, width: int, height: int, properties: dict[str, Any]) -> Widget:
    return {"type": kind, "width": width, "height": height, "properties": properties}
