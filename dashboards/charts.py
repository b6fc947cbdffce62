"""Series -> charts over time: lines, alarm levels, stays in ALARM, sparklines. UTC, axes with units. Pure."""

import math
import statistics
from collections.abc import Mapping, Sequence

from dashboards import formats
from dashboards.palette import var
from dashboards.vega import Chart, Spec, Table, amount, colour, frame, layer, plain, tip
from monitors.evaluate import Episode
from monitors.model import Series

_FAR = 3.0  # an alarm level this many times above the data would flatten the chart: told in the note, not drawn
_SHADES = ("", "b3", "66")  # the last series is the strongest: p50, p95, p99
_MANY = ("traffic", "latency", "saturation", "errors", "runtime", "other")
_ROUNDS = ("", "80", "40")  # paler each time the colours begin anew
_SAID = 8  # stays in ALARM told one by one in the note
_DAY_S = 86_400


def lines(
    title: str,
    series: Sequence[Series],
    *,
    axis: str,
    signal: str,
    levels: Mapping[str, float] | None = None,
    episodes: Sequence[Episode] = (),
    moments: Mapping[str, float] | None = None,
    stacked: bool = False,
    ranked: bool = False,
) -> Chart:
    """Series over time, with alarm levels (words -> level) as rules, stays in ALARM as shaded bands, and moments (words
    -> epoch seconds) as upright rules.

    `axis` is the y axis's title with its unit; `signal` a token of the palette. A few series are shades of its
    colour, as percentiles of one thing are; `ranked` ones are different things, in colours of their own. A gap
    in the data is a gap in the line, and a datapoint alone is a dot. A level far above the data is told in the
    note instead of flattening the chart.
    """
    known = levels or {}
    told, note = table(series), _note(known, episodes)
    values = [v for one in series for v in _finite(one.values)]
    if not values:
        return Chart(title=title, spec={}, table=told, note=note)
    near = {words: level for words, level in known.items() if level <= max(values) * _FAR}
    x = _time(series)
    shown = "area" if stacked else "line"
    encoding = {"x": x, "y": amount("v", axis) | ({"stack": "zero"} if stacked else {"stack": None})}
    body = layer(shown, encoding, strokeWidth=1.6, **({"fillOpacity": 0.75} if stacked else {})) | _ZOOM
    upright = _moments(moments or {}, x, series)
    layers = [_bands(episodes, x), upright, body, _dots(series, encoding), _hover(encoding), _rules(near, axis)]
    spec = _frame(series, [one for one in layers if one], height=190)
    spec["encoding"] = {"color": _colours(series, signal, apart=ranked and len(series) > 1)}
    return Chart(title=title, spec=spec, table=told, note=note)


_ZOOM: Spec = {
    "params": [
        {
            "name": "zoom",
            "select": {"type": "interval", "encodings": ["x"], "zoom": "wheel![event.ctrlKey]"},
            "bind": "scales",
        }
    ]
}
"""Ctrl and the wheel, or two fingers, zoom into the time; dragging moves it, a double click goes back."""


def sparkline(title: str, series: Series, *, signal: str) -> Chart:
    """One series as a small area without axes, to stand under its number; small multiples are many of these."""
    if not _finite(series.values):
        return Chart(title=title, spec={}, table=table([series]))
    encoding = {
        "x": _time([series]) | {"axis": None},
        "y": amount("v", "") | {"axis": None, "stack": None},
        "color": plain(signal),
    }
    area = layer("area", encoding, line={"strokeWidth": 1.5}, fillOpacity=0.14)
    layers = [one for one in (area, _dots([series], encoding), _hover(encoding)) if one]
    spec = _frame([series], layers, height=44)
    return Chart(title=title, spec=spec | {"view": {"stroke": None}}, table=table([series]))


def _frame(series: Sequence[Series], layers: Sequence[Spec], *, height: int) -> Spec:
    # A list of numbers per series, unfolded in the browser: a tenth of the size of a record per datapoint.
    values = [
        {
            "s": one.label,
            "t0": one.start * 1000,
            "dt": one.period_s * 1000,
            "v": [_rounded(v) for v in one.values],
            "lone": _lone(one.values),
        }
        for one in series
    ]
    unfold = [
        {"flatten": ["v"]},
        {"window": [{"op": "row_number", "as": "i"}], "groupby": ["s"]},
        {"calculate": "datum.t0 + (datum.i - 1) * datum.dt", "as": "t"},
        {"calculate": "utcFormat(datum.t, '%a %d %b %H:%M') + ' UTC'", "as": "when"},
    ]
    return frame(values, layers, height=height) | {"transform": unfold}


def _dots(series: Sequence[Series], encoding: Spec) -> Spec:
    if not any(_lone(one.values) for one in series):
        return {}
    dots = layer("point", encoding, filled=True, size=24, opacity=1)
    return dots | {"transform": [{"filter": "indexof(datum.lone, datum.i - 1) >= 0"}]}


def _hover(encoding: Spec) -> Spec:
    # The nearest point is found by cells over the chart, whose datum is the point. Vega-Lite forgets that for fields of
    # text, hence the tooltip as an expression.
    fields = {"at": "datum.datum.when", "what": "datum.datum.s", "value": "format(datum.datum.v, ',.4~g')"}
    said = ", ".join(f"'{title}': {field}" for title, field in fields.items())
    shown = {"opacity": {"condition": {"param": "hover", "empty": False, "value": 1}, "value": 0}}
    select = {"type": "point", "on": "pointerover", "clear": "pointerout", "nearest": True}
    points = layer("point", encoding | shown, filled=True, size=50, tooltip={"expr": f"datum.datum && {{{said}}}"})
    return points | {
        "transform": [{"filter": "isValid(datum.v)"}],
        "params": [{"name": "hover", "select": select}],
    }


def _bands(episodes: Sequence[Episode], x: Spec) -> Spec:
    if not episodes:
        return {}
    values = [{"a": one.start * 1000, "b": one.end * 1000, "in": _stay(one)} for one in episodes]
    where = {"x": x | {"field": "a"}, "x2": {"field": "b"}, "color": plain("bad")}
    shaded = layer("rect", where | {"tooltip": tip(("in", "in ALARM", ""))}, opacity=0.16, clip=True)
    return {"data": {"values": values}} | shaded


def _moments(moments: Mapping[str, float], x: Spec, series: Sequence[Series]) -> Spec:
    """Those within the time shown."""
    start, end = _span(series)
    values = [{"a": at * 1000, "is": said} for said, at in moments.items() if start <= at <= end]
    if not values:
        return {}
    where = {"x": x | {"field": "a"}, "color": plain("accent"), "tooltip": tip(("is", "what", ""))}
    return {"data": {"values": values}} | layer("rule", where, strokeDash=[2, 2], strokeWidth=1.4)


def _rules(levels: Mapping[str, float], axis: str) -> Spec:
    if not levels:
        return {}
    words = {"text": {"field": "is"}, "x": {"value": 4}}
    return {
        "data": {"values": [{"y": level, "is": said} for said, level in levels.items()]},
        "encoding": {"y": amount("y", axis), "color": plain("bad")},
        "layer": [
            layer("rule", {}, strokeDash=[5, 3], strokeWidth=1.2),
            layer("text", words, align="left", baseline="bottom", dy=-3, fontSize=11),
        ],
    }


def _span(series: Sequence[Series]) -> tuple[int, int]:
    end = max(one.start + max(1, len(one.values)) * one.period_s for one in series)
    return min(one.start for one in series), end


def _time(series: Sequence[Series]) -> Spec:
    start, end = _span(series)
    day = "%H:%M" if end - start <= 1.5 * _DAY_S else "%a %H:%M" if end - start <= 3 * _DAY_S else "%d %b"
    return {
        "field": "t",
        "type": "temporal",
        "title": "Time (UTC)",
        "scale": {"type": "utc", "domainMin": _at(start), "domainMax": _at(end), "nice": False},
        "axis": {"format": day, "labelOverlap": "greedy", "labelSeparation": 8, "grid": False, "tickCount": 6},
    }


def _at(epoch_s: int) -> Spec:
    # An expression: Vega-Lite wraps a plain number in datetime(n), which Vega's interpreter takes for a year.
    return {"expr": str(epoch_s * 1000)}


def _colours(series: Sequence[Series], signal: str, *, apart: bool) -> Spec:
    labels = [one.label for one in series]
    if apart or len(labels) > len(_SHADES):
        tokens = [f"{var(_MANY[i % len(_MANY)])}{_ROUNDS[i // len(_MANY) % len(_ROUNDS)]}" for i in range(len(labels))]
    else:
        tokens = [f"{var(signal)}{shade}" for shade in reversed(_SHADES[: len(labels)])]
    return colour("s", dict(zip(labels, tokens, strict=True)), mark="stroke")


# --- in words ------------------------------------------------------------------------------------


def table(series: Sequence[Series]) -> Table:
    """What a chart of these series says, a row each."""
    head = ("Series", "Lowest", "Median", "Highest", "Highest at", "Last", "Datapoints")
    return Table(head=head, rows=tuple(_in_words(one) for one in series))


def _in_words(one: Series) -> tuple[str, ...]:
    values = _finite(one.values)
    if not values:
        return (one.label, *(formats.NONE,) * 5, "none")
    low, middle, high = min(values), statistics.median(values), max(values)
    at = formats.moment(one.start + one.values.index(high) * one.period_s)
    figures = (formats.short(low), formats.short(middle), formats.short(high), at, formats.short(values[-1]))
    return (one.label, *figures, f"{len(values)} of {len(one.values)}")


def _note(levels: Mapping[str, float], episodes: Sequence[Episode]) -> str:
    said = [f"Alarm level: {'; '.join(levels)}."] if levels else []
    said += [f"In ALARM {'; '.join(_stay(one) for one in episodes[:_SAID])}."] if episodes else []
    said += [f"And {len(episodes) - _SAID} more stays in ALARM."] if len(episodes) > _SAID else []
    return " ".join(said)


def _stay(one: Episode) -> str:
    return f"{formats.moment(one.start)} for {formats.span(one.end - one.start)}"


def _finite(values: Sequence[float | None]) -> list[float]:
    return [v for v in values if v is not None and math.isfinite(v)]


def _lone(values: Sequence[float | None]) -> list[int]:
    there = [False, *(v is not None and math.isfinite(v) for v in values), False]
    return [i for i in range(len(values)) if there[i + 1] and not there[i] and not there[i + 2]]


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")
