"""Charts: right places, right numbers, nothing lost on the way; and colours that everybody can tell apart."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import charts, latency_charts, memory_charts, memory_fleet, palette
from dashboards.vega import Chart
from monitors.evaluate import Episode
from monitors.model import Series, State
from monitors.rightsize.report import Action
from monitors.traces.report import FunctionLatency, PhaseTime
from tests import dashboard_samples as samples

START = 1_795_478_400  # 2026-11-24 00:00 UTC


def series(*values: float | None, label: str = "Errors") -> Series:
    return Series(label=label, period_s=60, start=START, values=values)


def drawn(*values: float | None, **more: Any) -> Chart:
    return charts.lines("Errors", [series(*values)], axis="Errors a minute", signal="errors", **more)


def parts(chart: Chart, mark: str) -> list[dict[str, Any]]:
    flat = [inner for one in chart.spec["layer"] for inner in one.get("layer", [one])]
    return [one for one in flat if one["mark"]["type"] == mark]


def every_chart() -> list[Chart]:
    report, advice = samples.latency(), samples.memory().advice
    made = [*samples.summary().charts, latency_charts.response_times(report.functions)]
    made += [latency_charts.phases(report.functions[0]), memory_charts.monthly_effects(advice)]
    made += [*memory_charts.sizes(advice[0]), *memory_charts.sizes(advice[-1])]
    made += [memory_charts.sandboxes(advice[0]), memory_fleet.fleet(advice)]
    made.append(charts.sparkline("Errors", series(1, None, 3), signal="errors"))
    made.append(
        charts.lines(
            "Two", [series(1, 2, label="a"), series(3, 4, label="b")], axis="y", signal="traffic", stacked=True
        )
    )
    return made


def test_moments_within_the_time_shown_stand_upright() -> None:
    chart = drawn(1, 2, 3, moments={"changed: a": START + 60, "changed: b": START - 60, "changed: c": START + 999})
    (rule,) = [one for one in parts(chart, "rule") if "x" in one["encoding"]]
    layer = next(one for one in chart.spec["layer"] if one is rule)
    assert layer["data"]["values"] == [{"a": (START + 60) * 1000, "is": "changed: a"}]
    assert not parts(drawn(1, 2, 3), "rule")


def in_colour(spec: Any) -> Any:
    """The specification as the page's script would hand it to Vega."""
    return json.loads(re.sub(r"var\(--([a-z]+)\)", lambda name: palette.light(name[1]), json.dumps(spec)))


@pytest.mark.parametrize("chart", every_chart(), ids=lambda one: one.title)
def test_vega_lite_compiles_every_chart(chart: Chart) -> None:
    vl_convert = pytest.importorskip("vl_convert")
    if chart.spec:
        vega = vl_convert.vegalite_to_vega(in_colour(chart.spec))
        assert vega["marks"]


@pytest.mark.parametrize("chart", every_chart(), ids=lambda one: one.title)
def test_every_chart_has_its_table_and_titled_axes(chart: Chart) -> None:
    assert all(len(row) == len(chart.table.head) for row in chart.table.rows)
    if not chart.spec:
        return
    assert chart.table.rows
    if chart.title != "Errors":  # the sparkline stands under its number, without axes
        titles = re.findall(r'"title": "([^"]+)"', json.dumps(chart.spec))
        assert any("(" in title or " a " in title or title == "y" for title in titles)


def test_gaps_stay_gaps_and_lonely_datapoints_become_dots() -> None:
    (data,) = drawn(1, None, 3, None, 5, 6).spec["data"]["values"]
    assert data["v"] == [1, None, 3, None, 5, 6]
    assert data["lone"] == [0, 2]
    assert (data["t0"], data["dt"]) == (START * 1000, 60_000)


def test_time_is_utc_from_the_first_slot_to_the_end_of_the_last() -> None:
    (line,) = parts(drawn(1, 2, 3), "line")
    assert line["encoding"]["x"]["scale"] == {
        "type": "utc",
        "domainMin": {"expr": str(START * 1000)},
        "domainMax": {"expr": str((START + 180) * 1000)},
        "nice": False,
    }


def test_what_is_no_number_is_no_datapoint() -> None:
    chart = drawn(float("nan"), float("inf"), 2.0)
    json.dumps(chart.spec, allow_nan=False)
    assert chart.spec["data"]["values"][0]["v"] == [None, None, 2.0]
    assert chart.table.rows == (("Errors", "2", "2", "2", "2026-11-24 00:02 UTC", "2", "1 of 3"),)


@pytest.mark.parametrize("values", [(), (None, None), (float("nan"),)])
def test_no_datapoints_no_chart_and_the_table_says_so(values: tuple[float | None, ...]) -> None:
    chart = drawn(*values)
    assert chart.spec == {}
    assert chart.table.rows[0][-1] == "none"
    assert charts.sparkline("Errors", series(*values), signal="errors").spec == {}


def test_the_table_tells_lowest_median_highest_when_and_last() -> None:
    (row,) = drawn(4, 1, 9, None, 2).table.rows
    # sorted 1 2 4 9: median (2 + 4) / 2 = 3; the highest is the third minute
    assert row == ("Errors", "1", "3", "9", "2026-11-24 00:02 UTC", "2", "4 of 5")


def test_levels_are_rules_unless_they_would_flatten_the_chart() -> None:
    chart = drawn(1, 5, levels={"above 10": 10, "above 16": 16})
    rules = next(one for one in chart.spec["layer"] if "layer" in one)
    assert rules["data"]["values"] == [{"y": 10, "is": "above 10"}]  # 16 > 3 x 5
    assert chart.note == "Alarm level: above 10; above 16."


def test_stays_in_alarm_are_bands_from_begin_to_end() -> None:
    stays = [Episode(start=START + 60, end=START + 240, ended=State.OK)]
    chart = drawn(1, 5, 5, 5, 1, episodes=stays)
    (band,) = parts(chart, "rect")
    assert band["data"]["values"] == [
        {"a": (START + 60) * 1000, "b": (START + 240) * 1000, "in": "2026-11-24 00:01 UTC for 3\u00a0min"}
    ]
    assert chart.note == "In ALARM 2026-11-24 00:01 UTC for 3\u00a0min."


def test_a_thousand_stays_are_counted_not_told() -> None:
    stays = [Episode(start=START, end=START + 60, ended=State.OK)] * 1_000
    assert drawn(1, episodes=stays).note.endswith("And 992 more stays in ALARM.")


def test_forty_charts_of_a_day_in_minutes_stay_under_two_megabytes() -> None:
    day = series(*(123.456789 + n % 977 for n in range(1_440)))
    chart = charts.lines("x", [day], axis="y", signal="traffic")
    assert 40 * len(json.dumps(chart.spec, separators=(",", ":"))) < 2_000_000


@given(
    st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True), max_size=20),
    st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    st.text(max_size=20),
)
def test_no_series_breaks_a_chart(values: list[float | None], levels: dict[str, float], label: str) -> None:
    one = Series(label=label, period_s=60, start=START, values=tuple(values))
    for chart in (
        charts.lines(label, [one, one], axis=label, signal="errors", levels=levels),
        charts.sparkline(label, one, signal="errors"),
    ):
        json.dumps(chart.spec, allow_nan=False)
        assert all(isinstance(cell, str) for row in chart.table.rows for cell in row)


# --- reports -------------------------------------------------------------------------------------


def test_phase_bars_add_up_to_the_whole_response() -> None:
    function = samples.latency().functions[0]
    values = latency_charts.phases(function).spec["data"]["values"]
    tail = sum(one["ms"] for one in values if one["in"] == "slowest 5 %")
    assert tail == pytest.approx(6 + 9 + 38 + 61 + 14 + 30 + 22 + 2)
    assert [one["kind"] for one in values[::4]][:3] == ["gateway", "dispatch, queueing", "container start"]


def test_the_table_of_phases_begins_with_what_adds_most_to_the_tail() -> None:
    rows = latency_charts.phases(samples.latency().functions[0]).table.rows
    assert rows[0] == ("runtime start", "0\u00a0ms", "0\u00a0ms", "61\u00a0ms", "61\u00a0ms", "61\u00a0ms")


def test_a_phase_nobody_heard_of_is_drawn_all_the_same() -> None:
    strange = PhaseTime(
        phase="quantum", target="", middle_ms=1, p95_ms=1, p99_ms=2, tail_ms=2, worst_ms=3, worst_trace="1-a"
    )
    assert latency_charts.phase_words(strange) == "quantum"


def cold(function: str, *, starts: int, container_ms: float) -> FunctionLatency:
    sample = samples.latency().functions[0]
    assert sample.cold
    own = replace(sample.cold, requests=starts, container_ms=container_ms, runtime_ms=0)
    return replace(sample, function=function, cold_share=0.01, cold=own)


def test_cold_starts_are_in_the_order_of_the_time_lost_to_them() -> None:
    """10 starts of 900 ms, 9 s, and 100 of 300, 30 s."""
    few, many = cold("few", starts=10, container_ms=900), cold("many", starts=100, container_ms=300)
    chart = latency_charts.cold_starts([few, many, replace(few, function="warm", cold=None)])
    assert [(one["f"], one["kind"], one["ms"]) for one in chart.spec["data"]["values"]] == [
        ("many", "container start", 300),
        ("few", "container start", 900),
    ]
    assert chart.table.rows[0][:6] == ("many", "100", "1.0\u00a0%", "300\u00a0ms", "–", "–")
    assert latency_charts.cold_starts([replace(few, cold=None)]).spec == {}


def test_the_effect_on_the_bill_is_then_minus_now() -> None:
    advice = samples.advice("f", action=Action.RAISE, memory_mb=512, advised_mb=1024)
    # p95 at 512: 300 ms, cost 300 x 1 / 40 = 7.5; at 1,024: 180 ms, cost 180 x 2 / 40 = 9, give or take 12 %
    effect = memory_charts.effect(advice)
    assert (effect.low, effect.expected, effect.high) == pytest.approx((9 * 0.88 - 7.5, 1.5, 9 * 1.12 - 7.5))


def test_sizes_are_drawn_in_order_and_marked_now_and_advised() -> None:
    cost, speed = memory_charts.sizes(samples.advice("f", action=Action.LOWER, memory_mb=1024, advised_mb=512))
    assert [one["mb"] for one in cost.spec["data"]["values"]] == [128, 256, 512, 1024, 1769, 3008]
    assert cost.spec["layer"][-1]["data"]["values"] == [{"mb": 1024, "is": "now"}, {"mb": 512, "is": "advised"}]
    assert speed.table.rows[2] == ("512 MB", "300\u00a0ms", "246\u00a0ms", "354\u00a0ms", "measured")


# --- colours -------------------------------------------------------------------------------------


def linear(colour: str) -> list[float]:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio" and "relative luminance"."""
    light, dark = sorted(
        (sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), linear(c), strict=True)) for c in (one, other)),
        reverse=True,
    )
    return (light + 0.05) / (dark + 0.05)


def theme(which: int) -> dict[str, str]:
    return {row[0]: row[which] for row in palette.COLOURS}


@pytest.mark.parametrize("which", [1, 2], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "raised"])
def test_text_has_a_contrast_of_at_least_4_5(which: int, ground: str) -> None:
    colours = theme(which)
    for token in ("ink", "muted", "accent", "good", "warn", "bad"):
        assert contrast(colours[token], colours[ground]) >= 4.5, token


@pytest.mark.parametrize("which", [1, 2], ids=["light", "dark"])
def test_lines_bars_and_borders_of_controls_have_a_contrast_of_at_least_3(which: int) -> None:
    colours = theme(which)
    for token in colours.keys() - {"paper", "raised", "line"}:
        assert contrast(colours[token], colours["paper"]) >= 3, token


# Machado, Oliveira, Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009
PROTAN = ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))
DEUTAN = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))
NORMAL = ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def lab(colour: str, seen_by: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    """CIE L*a*b* under D65 of the colour as someone sees it."""
    rgb = linear(colour)
    seen = [min(1, max(0, sum(w * part for w, part in zip(row, rgb, strict=True)))) for row in seen_by]
    to_xyz = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(w * part for w, part in zip(row, seen, strict=True)) for row in to_xyz]
    x, y, z = (
        (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116)
        for v in (part / white for part, white in zip(xyz, (0.9505, 1.0, 1.089), strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("which", [1, 2], ids=["light", "dark"])
@pytest.mark.parametrize("eyes", [NORMAL, PROTAN, DEUTAN], ids=["normal", "protan", "deutan"])
def test_the_four_signals_stay_apart_for_every_eye(which: int, eyes: tuple[tuple[float, ...], ...]) -> None:
    colours = theme(which)
    signals = [lab(colours[token], eyes) for token in ("traffic", "errors", "latency", "saturation")]
    apart = [
        sum((a - b) ** 2 for a, b in zip(one, two, strict=True)) ** 0.5
        for one in signals
        for two in signals
        if one < two
    ]
    assert min(apart) >= 15  # a difference of 2 is just noticeable side by side


def test_every_colour_that_a_chart_names_exists() -> None:
    known = {name for name, _, _ in palette.COLOURS}
    used = set(re.findall(r"var\(--([a-z]+)\)", json.dumps([one.spec for one in every_chart()])))
    assert used <= known
    assert {token for _, _, token in palette.PHASES} <= known


@pytest.mark.parametrize(
    ("metric", "signal"),
    [
        ("Invocations", "traffic"),
        ("NumberOfMessagesSent", "traffic"),
        ("Errors", "errors"),
        ("5XXError", "errors"),
        ("AsyncEventsDropped", "errors"),
        ("Duration", "latency"),
        ("IteratorAge", "latency"),
        ("ApproximateAgeOfOldestMessage", "latency"),
        ("ConcurrentExecutions", "saturation"),
        ("Throttles", "saturation"),
        ("MemoryUsedPercent", "saturation"),
        ("ApproximateNumberOfMessagesVisible", "saturation"),
    ],
)
def test_metrics_belong_to_signals(metric: str, signal: str) -> None:
    assert palette.signal(metric) == signal


def test_a_tint_is_mixed_with_white() -> None:
    # #0072b2 at one half: (0 + 255) / 2 = 127.5, (114 + 255) / 2 = 184.5, (178 + 255) / 2 = 216.5
    assert palette.tint("traffic", 1) == "#0072b2"
    assert palette.tint("traffic", 0.5) in {"#80b8d8", "#7fb8d8", "#80b9d9"}
