"""The few pieces of Vega-Lite that the charts share: plain dicts, and the record that carries a chart. Pure.

A spec names its colours by meaning (`var(--errors)`, see palette.py) and has no fonts and no theme: the
page's script adds those. A spec that is empty means that there is nothing to draw.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.palette import var

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    title: str
    spec: Spec
    """Empty if there is nothing to draw."""
    table: Table
    """What the chart says, for those who don't see it."""
    note: str = ""


_FEW = 4
"""Entries of a legend that stand one below the other."""


def frame(values: Sequence[Mapping[str, Any]], layers: Sequence[Spec], *, height: int) -> Spec:
    """A spec as wide as its place on the page: layers over the same values."""
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": height,
        "data": {"values": list(values)},
        "layer": list(layers),
    }


def layer(mark: str, encoding: Spec, **look: object) -> Spec:
    """One mark with its look and its encoding."""
    return {"mark": {"type": mark, **look}, "encoding": encoding}


def names(field: str, *, sort: Sequence[str], title: str = "") -> Spec:
    """A nominal axis in the order given."""
    return {
        "field": field,
        "type": "nominal",
        "sort": list(sort),
        "title": title or None,
        "axis": {"labelLimit": 220},
    }


def amount(field: str, title: str, *, log: bool = False) -> Spec:
    """A quantitative axis; its title says the unit. Linear ones start at zero."""
    scale = {"type": "log", "nice": True} if log else {"zero": True, "nice": True}
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, "axis": {"tickCount": 5}}


def colour(field: str, tokens: Mapping[str, str], *, mark: str = "square") -> Spec:
    """A colour per value of a field: value -> palette colour. No legend where there is but one."""
    legend = {
        "title": None,
        "orient": "top",
        "symbolType": mark,
        "symbolStrokeWidth": 2.5,
        "offset": 16,  # a level's words stand above its rule
        "columns": 2 if len(tokens) > _FEW else 1,
        "labelLimit": 112 if len(tokens) > _FEW else 320,
    }
    return {
        "field": field,
        "type": "nominal",
        "scale": {"domain": list(tokens), "range": list(tokens.values())},
        "legend": legend if len(tokens) > 1 else None,
    }


def plain(token: str) -> Spec:
    """One colour of the palette for the whole mark."""
    return {"value": var(token)}


def tip(*fields: tuple[str, str, str]) -> list[Spec]:
    """A tooltip's lines: (field, title, number format or empty for text)."""
    return [
        {"field": field, "title": title, "type": "quantitative", "format": form}
        if form
        else {"field": field, "title": title, "type": "nominal"}
        for field, title, form in fields
    ]
