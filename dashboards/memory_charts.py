"""Memory report -> charts. Pure."""

from collections.abc import Callable, Sequence

from dashboards import formats
from dashboards.palette import var
from dashboards.vega import Chart, Spec, Table, amount, colour, frame, layer, names, plain, tip
from monitors.rightsize.report import Action, Interval, MemoryAdvice, SizePoint

_TOP = 15
_BESIDE = 1.3  # the width of a histogram over its last rule, so that there is room for words
ACTED = (Action.LOWER, Action.RAISE)
KINDS = {
    Action.LOWER: var("saturation"),
    Action.RAISE: var("errors"),
    Action.KEEP: var("traffic"),
    Action.UNKNOWN: var("wait"),
}


def effect(advice: MemoryAdvice) -> Interval:
    """What the advised change does to the bill, in USD a month: negative is a saving."""
    then, now = advice.then_usd_month, advice.now_usd_month
    return Interval(low=then.low - now, expected=then.expected - now, high=then.high - now)


def monthly_effects(advice: Sequence[MemoryAdvice]) -> Chart:
    """What each advised change does to the bill, with its interval; the largest first."""
    changed = [a for a in advice if a.action in ACTED]
    rows = [(a, effect(a)) for a in sorted(changed, key=lambda a: (-abs(effect(a).expected), a.function))[:_TOP]]
    values = [
        {
            "f": a.function,
            "is": str(a.action),
            "usd": round(e.expected, 4),
            "a": round(e.low, 4),
            "b": round(e.high, 4),
        }
        for a, e in rows
    ]
    money = "+,.2f"
    y = names("f", sort=[a.function for a, _ in rows])
    hint = tip(("f", "function", ""), ("usd", "USD a month", money), ("a", "from", money), ("b", "to", money))
    kinds = {str(action): KINDS[action] for action in ACTED}
    x = amount("usd", "Change (USD a month)")
    bars = {"x": x, "y": y, "color": colour("is", kinds), "tooltip": hint}
    whiskers = {"x": x | {"field": "a"}, "x2": {"field": "b"}, "y": y, "color": plain("ink"), "tooltip": hint}
    layers = [layer("bar", bars, height={"band": 0.66}), layer("rule", whiskers, strokeWidth=1.5)]
    return Chart(
        title="What the advised changes do to the bill",
        spec=frame(values, layers, height=22 * len(rows)) if rows else {},
        table=Table(
            head=("Function", "Action", "Change a month", "From", "To"),
            rows=tuple(
                (a.function, str(a.action), formats.usd(e.expected), formats.usd(e.low), formats.usd(e.high))
                for a, e in rows
            ),
        ),
    )


def sandboxes(advice: MemoryAdvice) -> Chart:
    """How many sandboxes used at most how much memory, against the size and the floor that no advice goes below."""
    values = [{"a": one.over_mb, "b": one.to_mb, "n": one.sandboxes} for one in advice.used]
    return Chart(
        title="Memory used, by sandbox",
        spec=frame(values, _histogram(advice), height=180) if values else {},
        table=Table(
            head=("Highest use", "Sandboxes"),
            rows=tuple((f"over {one.over_mb:,} to {one.to_mb:,} MB", f"{one.sandboxes:,}") for one in advice.used),
        ),
    )


def _histogram(advice: MemoryAdvice) -> list[Spec]:
    (low_mb, low), (high_mb, high) = sorted([(advice.memory_mb, "size"), (advice.floor_mb, "floor")])
    end_mb = _BESIDE * max(high_mb, advice.used[-1].to_mb)
    x = amount("a", "Highest Max Memory Used (MB)")
    x |= {"scale": {"domain": [0, end_mb], "nice": False}}
    y = amount("n", "Sandboxes")
    y["axis"] = {"tickCount": 4, "tickMinStep": 1}
    bars = {
        "x": x,
        "x2": {"field": "b"},
        "y": y,
        "y2": {"datum": 0},
        "color": plain("traffic"),
        "tooltip": tip(("a", "over (MB)", ",d"), ("b", "to (MB)", ",d"), ("n", "sandboxes", ",d")),
    }
    shades = {"size": "ink", "floor": "errors"}
    # The words lie away from each other's rule.
    left = low_mb > end_mb / 3
    return [
        layer("rect", bars, stroke=var("paper"), strokeWidth=0.5),
        level(low_mb, f"{low} {low_mb:,} MB", x, shade=shades[low], row=0, left=left),
        level(high_mb, f"{high} {high_mb:,} MB", x, shade=shades[high], row=0 if left else 1, left=False),
    ]


def level(value: float, words: str, x: Spec, *, shade: str, row: int, left: bool) -> Spec:
    """A rule across the chart with its words in that row from the top, left or right of it."""
    text = {"text": {"field": "is"}, "y": {"value": 14 * row}}
    side = {"align": "right", "dx": -4} if left else {"align": "left", "dx": 4}
    return {
        "data": {"values": [{x["field"]: value, "is": words}]},
        "encoding": {"x": x, "color": plain(shade)},
        "layer": [
            layer("rule", {}, strokeDash=[4, 3], strokeWidth=1.5),
            layer("text", text, baseline="top", dy=2, fontSize=11, **side),
        ],
    }


def sizes(advice: MemoryAdvice) -> tuple[Chart, Chart]:
    """Cost and p95 over memory sizes, each with its interval as a band; measured ones filled, predicted hollow."""
    cost = _over_sizes(advice, "Cost", "USD a month", "saturation", lambda p: p.cost_usd_month, formats.usd)
    speed = _over_sizes(advice, "p95 duration", "p95 (ms)", "latency", lambda p: p.p95_ms, formats.ms)
    return cost, speed


def _over_sizes(
    advice: MemoryAdvice,
    what: str,
    axis: str,
    token: str,
    of: Callable[[SizePoint], Interval],
    words: Callable[[float], str],
) -> Chart:
    points = sorted(advice.sizes, key=lambda p: p.memory_mb)
    values = [
        {"mb": p.memory_mb, "v": of(p).expected, "a": of(p).low, "b": of(p).high, "known": _known(p)} for p in points
    ]
    rows = tuple(
        (f"{p.memory_mb:,} MB", *(words(v) for v in (of(p).expected, of(p).low, of(p).high)), _known(p)) for p in points
    )
    return Chart(
        title=f"{what} by memory size",
        spec=frame(values, _layers(advice, axis, token), height=180) if points else {},
        table=Table(head=("Memory", "Expected", "From", "To", "How known"), rows=rows),
    )


def _layers(advice: MemoryAdvice, axis: str, token: str) -> list[Spec]:
    ticks = sorted({p.memory_mb for p in advice.sizes})
    x = amount("mb", "Memory (MB, logarithmic)")
    x |= {
        "scale": {"type": "log", "base": 2, "nice": False},
        "axis": {"values": ticks, "format": "d", "grid": False},
    }
    y = amount("v", axis)
    hint = tip(
        ("mb", "MB", "d"),
        ("v", axis, ",.4~g"),
        ("a", "from", ",.4~g"),
        ("b", "to", ",.4~g"),
        ("known", "how known", ""),
    )
    fill = {"condition": {"test": "datum.known == 'measured'", "value": var(token)}, "value": var("paper")}
    return [
        layer(
            "area",
            {"x": x, "y": y | {"field": "a"}, "y2": {"field": "b"}, "color": plain(token)},
            opacity=0.16,
        ),
        layer("line", {"x": x, "y": y, "color": plain(token)}, strokeWidth=1.6),
        layer(
            "point",
            {"x": x, "y": y, "stroke": plain(token), "fill": fill, "tooltip": hint},
            size=50,
            opacity=1,
        ),
        _marks(advice, x),
    ]


def _marks(advice: MemoryAdvice, x: Spec) -> Spec:
    changed = advice.advised_mb != advice.memory_mb
    values = [{"mb": advice.memory_mb, "is": "now"}] + ([{"mb": advice.advised_mb, "is": "advised"}] if changed else [])
    words = {"text": {"field": "is"}, "y": {"value": 0}}
    row = {"expr": "datum.is === 'advised' ? 16 : 2"}
    return {
        "data": {"values": values},
        "encoding": {"x": x, "color": plain("ink")},
        "layer": [
            layer("rule", {}, strokeDash=[4, 3]),
            layer("text", words, align="left", baseline="top", dx=4, dy=row, fontSize=11),
        ],
    }


def _known(point: SizePoint) -> str:
    return "measured" if point.observed else "predicted"
