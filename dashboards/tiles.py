"""One widget of a CloudWatch dashboard body + its data -> what the page draws in its place on the grid. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from dashboards import formats
from dashboards.charts import lines, sparkline
from dashboards.palette import COLOURS, signal
from dashboards.vega import Chart, Table
from monitors import names
from monitors.model import Series, State

Widget = Mapping[str, Any]

ALARMS = 500
"""The most alarms drawn in one widget; CloudWatch itself allows 100."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    kind: str
    """text, alarm, numbers, chart, table or empty: what the template draws."""
    title: str = ""
    html: Markup | None = None
    alarms: tuple[tuple[str, State], ...] = ()
    left: int = 0
    numbers: tuple[tuple[str, Chart], ...] = ()
    chart: Chart | None = None
    table: Table | None = None
    nothing: str = ""
    query: str = ""

    @property
    def charts(self) -> bool:
        return any(chart.spec for chart in (*(c for _, c in self.numbers), *filter(None, [self.chart])))

    @property
    def without_data(self) -> bool:
        return self.kind == "empty" or (self.kind in ("numbers", "chart") and not self.charts)


def tile(widget: Widget, series: Sequence[Series], states: Mapping[str, State]) -> Tile:
    """What stands in the widget's place. A kind or view that is not drawn here says so instead of staying blank."""
    properties = widget["properties"]
    title = str(properties.get("title", ""))
    match widget["type"], properties.get("view", "timeSeries"):
        case "text", _:
            return Tile(kind="text", html=_markdown(str(properties["markdown"])))
        case "alarm", _:
            return _alarms(title, properties, states)
        case "metric", "timeSeries":
            return Tile(kind="chart", title=title, chart=_lines(title, properties, series))
        case "metric", "singleValue" | "gauge" if series:
            return Tile(kind="numbers", title=title, numbers=tuple(_number(one, _token(properties)) for one in series))
        case "metric", "table" | "bar" | "pie" if series:
            return Tile(kind="table", title=title, table=_ranking(series))
        case "metric", _:
            return Tile(kind="empty", title=title, nothing="No datapoints in this window.")
        case "log", _:
            nothing = "A Logs Insights query: CloudWatch runs it when the dashboard is opened."
            return Tile(kind="empty", title=title, nothing=nothing, query=str(properties["query"]))
        case kind, _:
            return Tile(kind="empty", title=title, nothing=f"Widgets of the kind {kind} are drawn by CloudWatch only.")


def place(number: int, widget: Widget) -> str:
    """The CSS rule that puts the page's widget of that number where the body has it."""
    column, row = f"{widget['x'] + 1}/span {widget['width']}", f"{widget['y'] + 1}/span {widget['height']}"
    return f"#w{number}{{grid-column:{column};grid-row:{row}}}\n"


def _alarms(title: str, properties: Mapping[str, Any], states: Mapping[str, State]) -> Tile:
    wanted = properties.get("states") or list(State)
    alarms = [str(arn).partition(":alarm:")[2] or str(arn) for arn in properties["alarms"]]
    known = [(_called(name), states.get(name, State.INSUFFICIENT_DATA)) for name in alarms]
    shown = sorted((a for a in known if a[1] in wanted), key=lambda a: (a[1] is not State.ALARM, a[0]))
    nothing = f"None of {formats.counted(len(alarms), 'alarm')}."
    return Tile(kind="alarm", title=title, alarms=tuple(shown[:ALARMS]), left=len(shown) - ALARMS, nothing=nothing)


def _called(name: str) -> str:
    return " ".join(names.parse_alarm_name(name) or [name])


def _ranking(series: Sequence[Series]) -> Table:
    known = [(one.label, [v for v in one.values if v is not None]) for one in series]
    rows = sorted(known, key=lambda one: (-sum(one[1]), one[0]))
    return Table(
        head=("", "Total", "Highest", "Last"),
        rows=tuple(
            (label, *map(formats.short, (sum(values), max(values), values[-1]))) for label, values in rows if values
        ),
    )


def _lines(title: str, properties: Mapping[str, Any], series: Sequence[Series]) -> Chart:
    axis = properties.get("yAxis", {}).get("left", {}).get("label", "")
    drawn = properties.get("annotations", {}).get("horizontal", [])
    levels = {str(one.get("label", one["value"])): float(one["value"]) for one in drawn}
    stacked = bool(properties.get("stacked"))
    return lines(title, series, axis=axis, signal=_token(properties), levels=levels, stacked=stacked)


def _number(one: Series, token: str) -> tuple[str, Chart]:
    last = next((v for v in reversed(one.values) if v is not None), None)
    return formats.short(last), sparkline(one.label, one, signal=token)


def _token(properties: Mapping[str, Any]) -> str:
    # The body gives CloudWatch the colour; the page wants its meaning back, to follow the theme.
    options = [m[-1] for m in properties.get("metrics", []) if m and isinstance(m[-1], dict)]
    by_value = {on_light: token for token, on_light, _ in reversed(COLOURS)}
    named = next((by_value[o["color"]] for o in options if o.get("color") in by_value), None)
    return named or signal(str(properties.get("title", "")))


def _markdown(text: str) -> Markup:
    # CommonMark without raw HTML: escaped, and links only of safe kinds.
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    return Markup(renderer.render(formats.inert(text)))  # noqa: S704 - markdown-it escapes what it is given
