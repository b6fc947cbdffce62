"""Latency report -> charts. Pure."""

from collections.abc import Sequence
from math import fsum
from operator import attrgetter

from dashboards import formats
from dashboards.palette import PHASES, var
from dashboards.vega import Chart, Spec, Table, amount, colour, frame, layer, names, plain, tip
from monitors.traces.report import ColdStarts, FunctionLatency, PhaseTime

_TOP = 15
_BANDS = {
    "around p50": attrgetter("middle_ms"),
    "around p95": attrgetter("p95_ms"),
    "around p99": attrgetter("p99_ms"),
    "slowest 5 %": attrgetter("tail_ms"),
}
_STARTS = {
    "container_start": attrgetter("container_ms"),
    "runtime_start": attrgetter("runtime_ms"),
    "restore": attrgetter("restore_ms"),
}
_COLD_HEAD = ("Function", "Cold starts", "Share", "Container", "Runtime and code", "Restore", "Cold p50", "Warm p50")
_QUANTILES = ("p50", "p95", "p99")


def phase_words(phase: PhaseTime) -> str:
    """A phase as people say it: `container start`, `DynamoDB Query shop-orders`."""
    return phase.target or _kind(phase)[0]


def phases(function: FunctionLatency) -> Chart:
    """Where ordinary and slow responses spend their time: a stacked bar for each percentile, a colour a phase."""
    order = {name: n for n, (name, _, _) in enumerate(PHASES)}
    rows = sorted(function.phases, key=lambda p: (order.get(p.phase, len(order)), p.target))
    by_excess = sorted(rows, key=lambda p: -p.excess_ms)
    return Chart(
        title="Response time by percentile and phase",
        spec=_bars(rows) if rows else {},
        table=Table(
            head=("Phase", *(band.capitalize() for band in _BANDS), "Adds to the tail"),
            rows=tuple(
                (phase_words(p), *(formats.ms(time(p)) for time in _BANDS.values()), formats.ms(p.excess_ms))
                for p in by_excess
            ),
        ),
    )


def response_times(functions: Sequence[FunctionLatency]) -> Chart:
    """p50 to p99 of the slowest functions (by p95) on one logarithmic axis."""
    slowest = sorted(functions, key=lambda f: (-f.response.p95_ms, f.function))[:_TOP]
    values = [{"f": f.function, "q": q, "ms": max(0.1, round(_quantile(f, q), 3))} for f in slowest for q in _QUANTILES]
    where = {
        "x": amount("ms", "Response time (ms, logarithmic)", log=True),
        "y": names("f", sort=[f.function for f in slowest]),
    }
    shades = {"p50": f"{var('latency')}80", "p95": var("latency"), "p99": var("ink")}
    hint = tip(("f", "function", ""), ("q", "quantile", ""), ("ms", "ms", ",.4~g"))
    layers = [
        layer("line", where | {"detail": {"field": "f"}, "color": plain("latency")}, strokeWidth=3, opacity=0.3),
        layer(
            "point",
            where | {"color": colour("q", shades, mark="circle"), "tooltip": hint},
            filled=True,
            size=46,
            opacity=1,
        ),
    ]
    counted = sum(f.counted is not None and f.counted.of is None for f in functions)
    return Chart(
        title=f"Response times, slowest {len(slowest)} by p95" if len(functions) > _TOP else "Response times",
        note=f"Of {counted:,} of {len(functions):,} functions they are of all requests." if counted else "",
        spec=frame(values, layers, height=22 * len(slowest)) if slowest else {},
        table=Table(
            head=("Function", *_QUANTILES),
            rows=tuple((f.function, *(formats.ms(_quantile(f, q)) for q in _QUANTILES)) for f in slowest),
        ),
    )


def cold_starts(functions: Sequence[FunctionLatency]) -> Chart:
    """What a cold start takes, of the functions that lose most time to them."""
    found = [(f.function, f.cold, f.cold_share) for f in functions if f.cold]
    found.sort(key=lambda one: (-one[1].requests * _start_ms(one[1]), one[0]))
    drawn = found[:_TOP]
    kinds = {name: (words, var(token)) for name, words, token in PHASES if name in _STARTS}
    values = [
        {"f": name, "kind": kinds[phase][0], "ms": round(time_ms(cold), 3), "n": n}
        for name, cold, _ in drawn
        for n, (phase, time_ms) in enumerate(_STARTS.items())
        if time_ms(cold)
    ]
    encoding = {
        "y": names("f", sort=[name for name, _, _ in drawn]),
        "x": amount("ms", "Mean time of a cold start (ms)"),
        "color": colour(
            "kind", {words: shade for words, shade in kinds.values() if any(words == v["kind"] for v in values)}
        ),
        "order": {"field": "n", "type": "quantitative"},
        "tooltip": tip(("f", "function", ""), ("kind", "phase", ""), ("ms", "ms", ",.4~g")),
    }
    bar = layer("bar", encoding, stroke=var("paper"), strokeWidth=1, height={"band": 0.7})
    return Chart(
        title=f"The {_TOP} that lose most time to cold starts" if len(found) > _TOP else "What a cold start takes",
        spec=frame(values, [bar], height=24 * len(drawn)) if values else {},
        table=Table(head=_COLD_HEAD, rows=tuple(_cold_row(name, cold, share) for name, cold, share in found)),
    )


def _cold_row(name: str, cold: ColdStarts, share: float) -> tuple[str, ...]:
    return (
        name,
        formats.number(cold.requests),
        formats.share(share),
        *(formats.ms(time_ms(cold)) if time_ms(cold) else "–" for time_ms in _STARTS.values()),
        formats.ms(cold.response.p50_ms),
        formats.ms(cold.warm.p50_ms) if cold.warm else "–",
    )


def _start_ms(cold: ColdStarts) -> float:
    return fsum(time_ms(cold) for time_ms in _STARTS.values())


def _bars(rows: Sequence[PhaseTime]) -> Spec:
    values = [
        {"in": band, "kind": _kind(p)[0], "phase": phase_words(p), "ms": round(time(p), 3), "n": n}
        for n, p in enumerate(rows)
        for band, time in _BANDS.items()
    ]
    encoding = {
        "y": names("in", sort=list(_BANDS)),
        "x": amount("ms", "Mean time on the response path (ms)"),
        "color": colour("kind", {_kind(p)[0]: var(_kind(p)[1]) for p in rows}),
        "order": {"field": "n", "type": "quantitative"},
        "tooltip": tip(("phase", "phase", ""), ("in", "of the", ""), ("ms", "ms", ",.4~g")),
    }
    bar = layer("bar", encoding, stroke=var("paper"), strokeWidth=1, height={"band": 0.7})
    return frame(values, [bar], height=40 * len(_BANDS))


def _kind(phase: PhaseTime) -> tuple[str, str]:
    return next(((words, token) for name, words, token in PHASES if name == phase.phase), (phase.phase, "other"))


def _quantile(function: FunctionLatency, name: str) -> float:
    return {
        "p50": function.response.p50_ms,
        "p95": function.response.p95_ms,
        "p99": function.response.p99_ms,
    }[name]
