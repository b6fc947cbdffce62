"""A CloudWatch dashboard body + its data -> the parts of its page: what hurts is open, what is well is folded. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from markupsafe import Markup

from dashboards.formats import counted
from dashboards.tiles import Tile, alarm_names, markdown, tile
from dashboards.widgets import COLUMNS
from dashboards.widgets import markdown as escaped
from monitors.model import Series, State

Widget = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A text across the whole board and the widgets below it, up to the next such text."""

    title: Markup
    """The text's first line."""
    html: Markup
    """The rest of it."""
    kind: Markup
    """Its second line up to the first dot: what sort of resource it is about."""
    tiles: tuple[Tile, ...]
    quiet: tuple[Tile, ...]
    """Those that have nothing to show."""
    alarms: int
    on: int
    """How many of its alarms are on."""
    address: str = ""
    """A page about it alone."""


def parts(
    body: Widget,
    data: Mapping[int, Sequence[Series]],
    states: Mapping[str, State],
    addresses: Mapping[str, str],
    subjects: Mapping[str, str],
) -> list[Part]:
    """The body's parts in their order; see pages.dashboard_page for the arguments."""
    titled = {escaped(name): address for name, address in subjects.items()}
    heads = 0
    numbered: list[tuple[int, int, Widget]] = []
    for n, widget in enumerate(body["widgets"]):
        heads += _is_head(widget)
        numbered.append((heads, n, widget))
    return [
        _part([(n, widget) for _, n, widget in group], data, states, addresses, titled)
        for _, group in groupby(numbered, key=lambda one: one[0])
    ]


def status(body: Widget, states: Mapping[str, State]) -> str:
    """`6 of 269 alarms are on.`"""
    alarms = {name for widget in body["widgets"] for name in alarm_names(widget)}
    on = sum(states.get(name) is State.ALARM for name in alarms)
    return f"{on or 'None'} of {counted(len(alarms), 'alarm')} {'is' if on < 2 else 'are'} on." if alarms else ""


def _is_head(widget: Widget) -> bool:
    return bool(widget["type"] == "text" and widget["width"] == COLUMNS)


def _part(
    widgets: Sequence[tuple[int, Widget]],
    data: Mapping[int, Sequence[Series]],
    states: Mapping[str, State],
    addresses: Mapping[str, str],
    titled: Mapping[str, str],
) -> Part:
    text = "".join(str(widget["properties"]["markdown"]) for _, widget in widgets[:1] if _is_head(widget))
    title, _, rest = text.partition("\n")
    tiles = [tile(widget, data.get(n, ()), states, addresses) for n, widget in widgets if not _is_head(widget)]
    alarms = {name for _, widget in widgets for name in alarm_names(widget)}
    return Part(
        title=markdown(title.lstrip("# "), addresses, inline=True),
        html=markdown(rest, addresses),
        kind=markdown(rest.partition("\n")[0].partition(" · ")[0], addresses, inline=True),
        tiles=tuple(one for one in tiles if not one.quiet),
        quiet=tuple(one for one in tiles if one.quiet),
        alarms=len(alarms),
        on=sum(states.get(name) is State.ALARM for name in alarms),
        address=titled.get(title.removeprefix("### "), "") if alarms else "",
    )
