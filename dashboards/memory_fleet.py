"""Memory report -> the whole fleet in one chart. Pure."""

from collections.abc import Sequence
from math import ceil, floor, log10

from dashboards import formats
from dashboards.memory_charts import ACTED, KINDS, effect, level
from dashboards.palette import var
from dashboards.vega import Chart, Spec, Table, amount, colour, frame, layer, plain, tip
from monitors.rightsize.need import HEADROOM
from monitors.rightsize.report import Action, MemoryAdvice

_NAMED = 5  # functions named beside their points; the tooltips have the rest
_ROWS = 50
_POINTS = 2_000  # dearest functions drawn: SVG of more is slow to handle
_ASIDE, _APART, _MIDDLE = 0.3, 0.25, 0.6  # room for a name: in shares of memory used, in powers of ten of the cost
_LEAST_USD = 0.01  # what is cheaper stands at a cent, so that it doesn't stretch the axis


def fleet(advice: Sequence[MemoryAdvice]) -> Chart:
    """Every function by the share of its memory that it uses and by its cost: what is dear and uses little can be
    lowered, what is beyond the headroom needs more.

    Area is memory size. Functions without a reading of their use are left out, and told in the note.
    """
    known = [a for a in advice if a.used_mb]
    drawn = sorted(known, key=lambda a: (-a.now_usd_month, a.function))[:_POINTS]
    # What should be acted on is drawn last, over the rest; of equals the smaller.
    over = sorted(drawn, key=lambda a: (a.action in ACTED, -a.memory_mb, a.function))
    named = _named(drawn)
    values = [_point(a, named=a.function in named) for a in over]
    left = len(advice) - len(drawn)
    note = f" Left out: {left:,} without a reading of use, or cheaper than all these." if left else ""
    return Chart(
        title="Share of memory used, and cost",
        spec=frame(values, _points(drawn), height=380) if drawn else {},
        table=Table(
            head=("Function", "Memory", "Most used", "Share", "Cost a month", "Advice"),
            rows=tuple(
                (
                    a.function,
                    f"{a.memory_mb:,} MB",
                    f"{a.used_mb:,} MB",
                    formats.share(_share(a)),
                    formats.usd(a.now_usd_month),
                    _advised(a),
                )
                for a in drawn[:_ROWS]
            ),
        ),
        note=f"The larger a point, the larger the memory size. What costs less than a cent stands at one.{note}",
    )


def _named(drawn: Sequence[MemoryAdvice]) -> set[str]:
    """Those whose change moves the bill most, but for any whose name would lie across another's."""
    acted = [a for a in drawn if a.action in ACTED]
    chosen: list[MemoryAdvice] = []
    for a in sorted(acted, key=lambda a: (-abs(effect(a).expected), a.function))[:_NAMED]:
        if all(abs(_share(a) - _share(b)) > _ASIDE or abs(_decades(a) - _decades(b)) > _APART for b in chosen):
            chosen.append(a)
    return {a.function for a in chosen}


def _points(drawn: Sequence[MemoryAdvice]) -> list[Spec]:
    x = amount("share", "Highest use (share of the memory size)")
    x |= {"scale": {"domain": [0, 1]}, "axis": {"format": "%", "tickCount": 5, "grid": False}}
    lowest = floor(min(map(_decades, drawn)))
    highest = max(lowest + 1, ceil(max(map(_decades, drawn))))
    decades = [float(f"1e{n}") for n in range(lowest, highest + 1)]
    y = amount("usd", "Cost (USD a month, logarithmic)", log=True)
    y |= {
        "scale": {"type": "log", "domain": [decades[0], decades[-1]]},
        "axis": {"values": decades, "format": "$,.2~f"},
    }
    hint = tip(
        ("f", "function", ""),
        ("to", "advice", ""),
        ("used", "most used", ""),
        ("cost", "a month now", ""),
        ("change", "change a month", ""),
    )
    there = [action for action in Action if any(a.action is action for a in drawn)]
    shades = colour("is", {str(action): KINDS[action] for action in there}, mark="circle")
    if shades["legend"]:
        shades["legend"] |= {"columns": len(there)}
    area = {
        "field": "mb",
        "type": "quantitative",
        "scale": {"type": "linear", "domain": [0, 10_240], "range": [12, 700]},
        "legend": None,
    }
    loud = " || ".join(f"datum.is === '{action}'" for action in ACTED)
    shown = {
        "x": x,
        "y": y,
        "size": area,
        "color": shades,
        "opacity": {"condition": {"test": loud, "value": 0.85}, "value": 0.4},
        "tooltip": hint,
    }
    words = {"x": x, "y": y, "color": plain("ink")}
    look = {"baseline": "middle", "fontSize": 11, "limit": 200}
    return [
        level(HEADROOM, f"headroom ends at {formats.share(HEADROOM)}", x, shade="muted", row=0, left=True),
        layer("point", shown, filled=True, stroke=var("paper"), strokeWidth=0.7),
        layer("text", words | {"text": {"field": "right"}}, align="left", dx=10, **look),
        layer("text", words | {"text": {"field": "left"}}, align="right", dx=-10, **look),
    ]


def _point(advice: MemoryAdvice, *, named: bool) -> Spec:
    side = "left" if _share(advice) > _MIDDLE else "right"
    return {
        "left": "",
        "right": "",
        side: advice.function if named else "",
        "f": advice.function,
        "is": str(advice.action),
        "to": _advised(advice),
        "share": round(_share(advice), 4),
        "used": f"{advice.used_mb:,} of {advice.memory_mb:,} MB",
        "usd": round(max(_LEAST_USD, advice.now_usd_month), 4),
        "mb": advice.memory_mb,
        "cost": formats.usd(advice.now_usd_month),
        "change": formats.usd(effect(advice).expected) if advice.action in ACTED else formats.NONE,
    }


def _advised(advice: MemoryAdvice) -> str:
    changed = advice.advised_mb != advice.memory_mb
    return f"{advice.action} to {advice.advised_mb:,} MB" if changed else str(advice.action)


def _decades(advice: MemoryAdvice) -> float:
    """The cost as the chart has it, on its logarithmic axis."""
    return log10(max(_LEAST_USD, advice.now_usd_month))


def _share(advice: MemoryAdvice) -> float:
    """Of the memory size; 1 at most, since use may have been seen at a larger size than the present one."""
    return min(1.0, advice.used_mb / advice.memory_mb)
