"""One widget of a CloudWatch dashboard body + its data -> what the page draws of it. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markupsafe import Markup

from dashboards.charts import lines, sparkline
from dashboards.formats import counted, inert, short
from dashboards.palette import COLOURS, signal
from dashboards.vega import Chart, Table
from monitors import names
from monitors.model import Series, State

Widget = Mapping[str, Any]

ALARMS = 500
"""The most alarms drawn in one widget; CloudWatch itself allows 100."""
_FEW = 3
"""Lines beyond so many are left out where they are 0 throughout."""


class AlarmChip(NamedTuple):
    name: str
    words: str
    state: State
    address: str
    """Where more is told of it; empty if here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    kind: str
    """text, alarm, numbers, chart, table or empty: what the template draws."""
    width: int
    """Of the board's 24 columns."""
    title: str = ""
    html: Markup | None = None
    alarms: tuple[AlarmChip, ...] = ()
    left: int = 0
    """Alarms that are not shown."""
    numbers: tuple[tuple[str, Chart], ...] = ()
    chart: Chart | None = None
    table: Table | None = None
    nothing: str = ""
    query: str = ""

    @property
    def charts(self) -> bool:
        return any(chart.spec for chart in (*(c for _, c in self.numbers), *filter(None, [self.chart])))

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to show but the words that say so."""
        return bool(self.nothing)


def tile(widget: Widget, series: Sequence[Series], states: Mapping[str, State], addresses: Mapping[str, str]) -> Tile:
    """What stands in the widget's place. A kind or view that is not drawn here says so instead of staying blank."""
    properties = widget["properties"]
    make = partial(Tile, title=str(properties.get("title", "")), width=widget["width"])
    match widget["type"]:
        case "text":
            return make(kind="text", html=markdown(str(properties["markdown"]), addresses))
        case "alarm":
            return _alarms(make, properties, states, addresses)
        case "metric":
            return _metric(make, properties, series)
        case "log":
            nothing = "A Logs Insights query: CloudWatch runs it when the dashboard is opened."
            return make(kind="empty", nothing=nothing, query=str(properties["query"]))
        case kind:
            return make(kind="empty", nothing=f"Widgets of the kind {kind} are drawn by CloudWatch only.")


def _metric(make: Callable[..., Tile], properties: Mapping[str, Any], series: Sequence[Series]) -> Tile:
    match properties.get("view", "timeSeries"):
        case _ if "start" in properties:
            return make(kind="empty", nothing="Over 30 days: CloudWatch works it out when the dashboard is opened.")
        case _ if not any(value is not None for one in series for value in one.values):
            return make(kind="empty", nothing="No datapoints in this window.")
        case "singleValue" | "gauge":
            return make(kind="numbers", numbers=tuple(_number(one, _token(properties)) for one in series))
        case _ if not any(value for one in series for value in one.values):
            return make(kind="empty", nothing="0 throughout.")
        case "timeSeries":
            return make(kind="chart", chart=_lines(properties, series))
        case _:
            return _ranking(make, series)


def alarm_names(widget: Widget) -> list[str]:
    """The names of the alarms that an alarm widget shows; none for other kinds."""
    arns = widget["properties"].get("alarms", ()) if widget["type"] == "alarm" else ()
    return [str(arn).partition(":alarm:")[2] or str(arn) for arn in arns]


def markdown(text: str, addresses: Mapping[str, str], *, inline: bool = False) -> Markup:
    """CommonMark as HTML, without raw HTML, with links to other dashboards where those are pages too."""
    # markdown-it escapes what it is given, and lets links of safe kinds through only.
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    shown = _BOARD_LINK.sub(lambda m: f"[{m[1]}](<{addresses[m[2]]}>)" if m[2] in addresses else m[1], inert(text))
    return Markup(renderer.renderInline(shown) if inline else renderer.render(shown))  # noqa: S704 - see above


_BOARD_LINK = re.compile(r"\[((?:\\.|[^\\\]\n])*)\]\(#dashboards/dashboard/([^)\s]*)\)")


def _alarms(
    make: Callable[..., Tile],
    properties: Mapping[str, Any],
    states: Mapping[str, State],
    addresses: Mapping[str, str],
) -> Tile:
    wanted = properties.get("states") or list(State)
    names = alarm_names({"type": "alarm", "properties": properties})
    chips = [
        AlarmChip(name, _called(name), states.get(name, State.INSUFFICIENT_DATA), addresses.get(name, ""))
        for name in names
    ]
    shown = sorted((c for c in chips if c.state in wanted), key=lambda c: (c.state is not State.ALARM, c.words))
    nothing = "" if shown else f"None of {counted(len(names), 'alarm')}."
    return make(kind="alarm", alarms=tuple(shown[:ALARMS]), left=len(shown) - ALARMS, nothing=nothing)


def _called(name: str) -> str:
    return " ".join(names.parse_alarm_name(name) or [name])


def _ranking(make: Callable[..., Tile], series: Sequence[Series]) -> Tile:
    known = [(_short(one.label), [v for v in one.values if v is not None]) for one in series]
    some = sorted(((label, values) for label, values in known if any(values)), key=lambda one: (-sum(one[1]), one[0]))
    rows = tuple((label, *map(short, (sum(values), max(values), values[-1]))) for label, values in some)
    return make(kind="table", table=Table(head=("", "Total", "Highest", "Last"), rows=rows))


def _short(label: str) -> str:
    return label.rpartition(":")[2] if label.startswith("arn:") else label


def _lines(properties: Mapping[str, Any], series: Sequence[Series]) -> Chart:
    axis = properties.get("yAxis", {}).get("left", {}).get("label", "")
    drawn = properties.get("annotations", {}).get("horizontal", [])
    levels = {str(one.get("label", one["value"])): float(one["value"]) for one in drawn}
    upright = properties.get("annotations", {}).get("vertical", [])
    found = not properties["metrics"][0][-1]["label"]
    some = [one for one in series if any(one.values)] if len(series) > _FEW else series
    chart = lines(
        str(properties.get("title", "")),
        [replace(one, label=_short(one.label)) for one in some],
        axis=axis,
        signal=_token(properties),
        levels=levels,
        moments={str(one["label"]): datetime.fromisoformat(one["value"]).timestamp() for one in upright},
        stacked=bool(properties.get("stacked")),
        ranked=found,
    )
    # A line alone has no legend: what a search has found has to be named all the same.
    return replace(chart, note=f"{_short(some[0].label)} {chart.note}") if found and len(some) == 1 else chart


def _number(one: Series, token: str) -> tuple[str, Chart]:
    last = next((v for v in reversed(one.values) if v is not None), None)
    return short(last), sparkline(one.label, one, signal=token)


def _token(properties: Mapping[str, Any]) -> str:
    # The body gives CloudWatch the colour; the page wants its meaning back, to follow the theme.
    options = [m[-1] for m in properties.get("metrics", []) if m and isinstance(m[-1], dict)]
    by_value = {on_light: token for token, on_light, _ in reversed(COLOURS)}
    named = next((by_value[o["color"]] for o in options if o.get("color") in by_value), None)
    return named or signal(str(properties.get("title", "")))
