"""The icicle and the map: nothing lost, nothing overlapping, hostile names harmless; links to traces lead to AWS."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import pages, palette
from dashboards.call_map import NODES, call_map
from dashboards.layers import Edge, crossings, layers
from dashboards.path_charts import icicle, path_words
from dashboards.vega import Chart, Spec
from monitors import console
from monitors.traces.aggregate import latency_report
from monitors.traces.report import EdgeLatency, EntryPaths, LatencyReport, PathTime, Quantiles
from tests import dashboard_samples as samples
from tests.dashboard_samples import HOSTILE, NOW
from tests.test_charts import contrast, in_colour, theme
from tests.test_pages import Page
from tests.test_traces_phases import T0, call, cold_behind_a_gateway, entity

TRACE = "1-5759e988-bd862e3fe1be46a994272793"
"""The example of the X-Ray Developer Guide, "Trace ID format"."""
NAMES = ("p50", "p95", "p99", "worst")


def entry(*times: PathTime, name: str = "shop/live › shop", trace: str = TRACE) -> EntryPaths:
    return EntryPaths(
        entry=name,
        traces=100,
        requests=100.0,
        response=Quantiles(p50_ms=50, p95_ms=90, p99_ms=99),
        times=times,
        exemplars=tuple((what, trace) for what in NAMES),
    )


def time(path: tuple[str, ...], phase: str, middle_ms: float, tail_ms: float) -> PathTime:
    return PathTime(path=path, phase=phase, middle_ms=middle_ms, tail_ms=tail_ms, traces=7)


def shop() -> EntryPaths:
    return entry(
        time((), "gateway", 4, 5),
        time((), "hop", 20, 25),
        time(("shop",), "container_start", 0, 170),
        time(("shop",), "handler", 10, 20),
        time(("shop", "DynamoDB Query orders"), "dependency", 30, 300),
        time(("shop", "pay"), "handler", 5, 5),
        time(("shop", "pay"), "dispatch", 5, 5),
    )


def edge(caller: str, callee: str, calls: int = 10, p95_ms: float = 80, **more: Any) -> EdgeLatency:
    response = Quantiles(p50_ms=p95_ms / 2, p95_ms=p95_ms, p99_ms=p95_ms * 2)
    return EdgeLatency(
        caller=caller, callee=callee, calls=calls, response=response, **{"operation": "", "fault_share": 0.0} | more
    )


def report(*edges: EdgeLatency, entries: tuple[EntryPaths, ...] = (), region: str = "") -> LatencyReport:
    plain = samples.latency()
    functions = tuple(
        replace(one, exemplars=tuple((what, TRACE) for what, _ in one.exemplars)) for one in plain.functions
    )
    return replace(plain, functions=functions, edges=edges, entries=entries, region=region)


def marks(chart: Chart, mark: str) -> list[Spec]:
    return [one for one in chart.spec["layer"] if one["mark"]["type"] == mark]


def compiles(chart: Chart) -> None:
    vl_convert = pytest.importorskip("vl_convert")
    assert vl_convert.vegalite_to_vega(in_colour(chart.spec))["marks"]
    assert all(len(row) == len(chart.table.head) for row in chart.table.rows)


# --- the icicle ------------------------------------------------------------------------------------------


def rects(chart: Chart, band: str) -> list[Spec]:
    return [one for one in chart.spec["data"]["values"] if one["in"] == band]


def test_an_entry_from_the_top_down() -> None:
    """The tail: 5 of gateway and 25 of hop, then `shop` with the rest; a step with one phase only is one rectangle."""
    found = {one["path"]: (one["kind"], one["x"], one["x2"]) for one in rects(icicle(shop()), "slowest 5 %")}
    assert found == {
        "gateway": ("gateway", 0, 5),
        "between services": ("between services", 5, 30),
        "shop": ("all below", 30, 530),
        "shop › container start": ("container start", 30, 200),
        "shop › own code": ("own code", 200, 220),
        "shop › DynamoDB Query orders": ("dependency", 220, 520),
        "shop › pay": ("all below", 520, 530),
        "shop › pay › dispatch, queueing": ("dispatch, queueing", 520, 525),
        "shop › pay › own code": ("own code", 525, 530),
    }
    compiles(icicle(shop()))


def test_the_table_and_the_note_tell_what_the_tail_adds() -> None:
    """The tail takes 530 ms, the middle 74: 270 more of the table and 170 of starting containers; the rest is small."""
    chart = icicle(shop())
    assert chart.table.rows[0] == ("shop › DynamoDB Query orders", "30\u00a0ms", "300\u00a0ms", "270\u00a0ms", "7")
    assert len(chart.table.rows) == len(shop().times)
    assert chart.note == (
        "The slowest 5 % take 456\u00a0ms longer than the middle: 270\u00a0ms shop › DynamoDB Query orders, "
        "170\u00a0ms shop › container start."
    )
    assert icicle(entry(time((), "handler", 5, 5))).note == ""


def test_a_phase_that_no_table_knows_is_shown_by_its_name() -> None:
    assert path_words(time(("a",), "orchestration", 1, 1)) == "a › orchestration"
    compiles(icicle(entry(time((), "orchestration", 1, 1))))


def test_no_times_no_chart() -> None:
    assert icicle(entry()).spec == {}


phases = st.sampled_from([name for name, _, _ in palette.PHASES] + ["other", "queue"])
some_ms = st.floats(0, 1e5)
trees = st.dictionaries(
    st.tuples(st.lists(st.sampled_from(["a", "b", HOSTILE, "x" * 250]), max_size=4).map(tuple), phases),
    st.tuples(some_ms, some_ms),
    min_size=1,
    max_size=25,
)


@given(trees)
def test_rectangles_fill_their_parents_without_overlap(found: dict[Any, tuple[float, float]]) -> None:
    chart = icicle(entry(*(time(*leaf, *times) for leaf, times in found.items())))
    for band, which in (("middle 40–60 %", 0), ("slowest 5 %", 1)):
        drawn = rects(chart, band)
        whole = sum(times[which] for times in found.values())
        assert sum(one["ms"] for one in drawn if not one["step"]) == pytest.approx(whole, abs=0.01)
        by_row: dict[float, list[tuple[float, float]]] = {}
        for one in drawn:
            by_row.setdefault(one["y"], []).append((one["x"], one["x2"]))
        above = [(0.0, whole + 0.01)]
        for y in sorted(by_row):
            row = sorted(by_row[y])
            assert all(a[1] <= b[0] + 0.001 for a, b in pairwise(row))
            assert all(any(up[0] - 0.001 <= x and x2 <= up[1] + 0.001 for up in above) for x, x2 in row)
            above = row


@pytest.mark.parametrize("which", [1, 2], ids=["light", "dark"])
def test_words_can_be_read_on_every_colour(which: int) -> None:
    """WCAG 2.2, 1.4.3: 4.5:1, for ink on the colour laid over the page with its alpha."""
    colours = theme(which)
    shades = {
        match
        for one in marks(icicle(entry(*(time((), name, 1, 1) for name, _, _ in palette.PHASES))), "rect")
        for shade in one["encoding"].get("color", {}).get("scale", {}).get("range", [])
        for match in re.findall(r"^var\(--([a-z]+)\)([0-9a-f]{2})$", shade)
    }
    assert len(shades) == len(palette.PHASES)
    for token, alpha in shades:
        share = int(alpha, 16) / 255
        parts = [[int(colours[c][n : n + 2], 16) for n in (1, 3, 5)] for c in (token, "paper")]
        mixed = "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in zip(*parts, strict=True))
        assert contrast(colours["ink"], mixed) >= 4.5, token


# --- the order of the map ------------------------------------------------------------------------------

graphs = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")).filter(lambda edge: edge[0] != edge[1]),
    max_size=20,
)


@given(graphs)
def test_edges_lead_right_column_by_column(edges: list[Edge]) -> None:
    drawn = layers(edges)
    assert drawn.routes.keys() == set(edges)
    for edge_, route in drawn.routes.items():
        assert (route[0].name, route[-1].name) == (edge_[::-1] if edge_ in drawn.turned else edge_)
        assert [place.column for place in route] == list(range(route[0].column, route[-1].column + 1))
        assert all(place.edge == edge_ and not place.name for place in route[1:-1])
    placed = [place for column in drawn.columns for place in column]
    assert len(placed) == len(set(placed))
    assert {place.name for place in placed if place.name} == {name for edge_ in edges for name in edge_}


def test_the_later_edge_of_a_circle_is_turned() -> None:
    drawn = layers([("a", "b"), ("b", "c"), ("c", "a")])
    assert drawn.turned == {("c", "a")}
    assert [[place.name for place in column if place.name] for column in drawn.columns] == [["a"], ["b"], ["c"]]


def test_crossings_are_sorted_away() -> None:
    """Together the lines are one path, c x a y b z: that can be drawn without a crossing."""
    drawn = layers([("a", "x"), ("a", "y"), ("b", "z"), ("c", "x"), ("b", "y")])
    assert crossings(drawn.columns, drawn.routes.values()) == 0


# --- the map -------------------------------------------------------------------------------------------


def lines(chart: Chart) -> dict[str, list[Spec]]:
    found: dict[str, list[Spec]] = {}
    for point in marks(chart, "line")[0]["data"]["values"]:
        found.setdefault(point["e"], []).append(point)
    return found


def boxes(chart: Chart) -> dict[str, Spec]:
    return {one["name"]: one for one in marks(chart, "rect")[0]["data"]["values"]}


def test_a_line_leaves_its_caller_and_arrives_at_what_it_calls() -> None:
    chart = call_map(report(edge("gw", "shop-list"), edge("shop-list", "table"), edge("gw", "table")))
    found = boxes(chart)
    for ends, points in lines(chart).items():
        caller, callee = (found[name] for name in ends.split(" → "))
        assert points[0]["x"] == caller["x2"]
        assert points[-1]["x"] == callee["x"]
        assert caller["y"] < points[0]["y"] < caller["y2"]
        assert callee["y"] < points[-1]["y"] < callee["y2"]
        assert [p["n"] for p in points] == sorted(p["n"] for p in points)
    compiles(chart)


def test_operations_between_two_services_are_one_line() -> None:
    """30 calls, of them 10 with a tenth of faults: 1 of 30. Neither takes longer than 200 ms in 95 % of its calls."""
    chart = call_map(
        report(edge("a", "t", 10, 200, operation="Query", fault_share=0.1), edge("a", "t", 20, 50, operation="GetItem"))
    )
    assert chart.table.rows == (("a → t", "30", "≤ 200\u00a0ms", "3.3\u00a0%"),)
    (points,) = lines(chart).values()
    assert (points[0]["faults"], points[0]["operations"]) == ("1 % faults or more", "GetItem, Query")


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "no faults"), (0.0001, "under 1 % faults"), (0.01, "1 % faults or more"), (1.0, "1 % faults or more")],
)
def test_faults_have_three_colours(share: float, words: str) -> None:
    (points,) = lines(call_map(report(edge("a", "b", fault_share=share)))).values()
    assert points[0]["faults"] == words


def test_a_circle_is_drawn_and_what_calls_itself_is_told() -> None:
    chart = call_map(report(edge("a", "b", 9), edge("b", "a", 3), edge("b", "b", 2)))
    assert {ends: points[0]["back"] for ends, points in lines(chart).items()} == {"a → b": False, "b → a": True}
    assert "since they call themselves: b." in chart.note
    compiles(chart)
    only = call_map(report(edge("a", "a")))
    assert (only.spec, only.note) == ({}, "")


def test_a_thousand_services_leave_the_busiest_and_say_so() -> None:
    chart = call_map(report(*(edge("gateway", f"f{n}", calls=n + 1) for n in range(1_000))))
    assert len(boxes(chart)) == NODES
    assert {"gateway", "f999"} < boxes(chart).keys()
    assert f"The {NODES} busiest of 1,001 services; the table of calls has the 961 others." in chart.note
    compiles(chart)


@given(graphs.filter(bool))
def test_boxes_and_ends_of_lines_keep_apart(edges: list[Edge]) -> None:
    chart = call_map(report(*(edge(*ends) for ends in dict.fromkeys(edges))))
    by_column: dict[int, list[tuple[float, float]]] = {}
    for box in boxes(chart).values():
        by_column.setdefault(box["x"], []).append((box["y"], box["y2"]))
    for column in by_column.values():
        column.sort()
        assert all(a[1] < b[0] for a, b in pairwise(column))
    ends = [(p["x"], p["y"]) for points in lines(chart).values() for p in (points[0], points[-1])]
    assert len(set(ends)) == len(ends)
    height = chart.spec["height"]
    assert all(0 <= p["y"] <= height for points in lines(chart).values() for p in points)


# --- the page ------------------------------------------------------------------------------------------


def page(found: LatencyReport) -> Page:
    return Page(pages.latency_page(found, title="Latency", generated_s=NOW))


def test_names_that_mean_harm_do_none() -> None:
    long = "n" * 250
    hostile = report(
        edge(HOSTILE, long, operation=HOSTILE),
        edge(long, HOSTILE),
        entries=(
            entry(time((HOSTILE, long), "handler", 1, 2), time((long,), HOSTILE, 1, 2), name=HOSTILE, trace=HOSTILE),
        ),
        region=HOSTILE,
    )
    made = page(hostile)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2028\u2029]", made.source)
    assert "<script>alert(1)" not in made.source
    assert not [address for address, _ in made.all("a") if "console" in address["href"]]
    specs = [json.loads(text) for attributes, text in made.all("script") if attributes.get("class") == "chart"]
    assert any(HOSTILE.split("\u202e", maxsplit=1)[0] in json.dumps(spec) for spec in specs)
    compiles(call_map(hostile))
    compiles(icicle(hostile.entries[0]))


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_example_traces_lead_to_their_page_in_the_partitions_console(region: str, host: str) -> None:
    made = page(report(entries=(shop(),), region=region))
    address = f"https://{host}/cloudwatch/home?region={region}#xray:traces/{TRACE}"
    found = [attributes["href"] for attributes, _ in made.all("a") if TRACE in attributes["href"]]
    exemplars = len(NAMES) + sum(len(one.exemplars) for one in samples.latency().functions)
    assert found == [address] * exemplars


@pytest.mark.parametrize(
    ("region", "trace"),
    [
        ("", TRACE),
        ("us-iso-east-1", TRACE),
        ("evil.example/", TRACE),
        ("eu-west-1\n", TRACE),
        ("eu-west-1", ""),
        ("eu-west-1", f"{TRACE}/../x"),
    ],
)
def test_no_link_where_none_is_known(region: str, trace: str) -> None:
    assert console.trace(region, trace) == ""


def test_every_region_of_the_sdk_has_its_partitions_console() -> None:
    sdk = botocore.session.get_session()
    for partition in sdk.get_available_partitions():
        for region in sdk.get_available_regions("lambda", partition):
            host = f"https://{region}.{console.CONSOLES[partition]}/" if partition in console.CONSOLES else ""
            assert console.trace(region, TRACE).startswith(host)
            assert bool(console.trace(region, TRACE)) == bool(host)


def test_the_page_has_the_map_and_the_paths_or_says_that_there_are_none() -> None:
    full = page(report(edge("a", "b"), entries=(shop(),)))
    assert {"calls", "paths"} <= {attributes.get("id") for attributes, _ in full.all("h2")}
    assert "shop/live › shop100 traces, p50" in full.text()
    bare = page(report())
    assert "The traces show no calls between services." in bare.text()
    assert "No trace has a root whose end was reported." in bare.text()


def test_entries_beyond_those_drawn_are_counted() -> None:
    made = page(report(entries=(shop(),) * (pages.PATHS + 3)))
    assert "And 3 more" in made.text()


def test_a_trace_of_ten_thousand_spans_makes_a_light_page() -> None:
    segments = cold_behind_a_gateway()
    segments[2]["subsegments"][1]["subsegments"] += [
        call(f"host{n}", 750, 900 + n / 1000, "GetItem", table_name=f"t{n}") for n in range(10_000)
    ]
    segments.append(entity("lone", 0, 5, name="lone"))
    found = latency_report([{"Id": TRACE, "Segments": segments}], start=T0, end=T0)
    text = pages.latency_page(found, title="Latency", generated_s=NOW)
    assert Page(text).all("h2")
    compiles(call_map(found))
    for one in found.entries:
        compiles(icicle(one))
    drawn = sum(len(text) for attributes, text in Page(text).all("script") if attributes.get("class") == "chart")
    assert drawn < 200_000
