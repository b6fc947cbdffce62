"""Segments and subsegments as reported become a tree: whose child each is, when it ended, who waited for it."""

from typing import Any

import pytest

from monitors.traces.tree import Repair
from tests.test_traces_reading import ARN, T0, by_id, entity, parent, read, repairs


def test_what_is_in_progress_ends_with_its_last_descendant() -> None:
    inner = entity("inner", 2, None, subsegments=[entity("leaf", 3, 7)])
    trace = read(entity("root", 0, 10, subsegments=[inner, entity("idle", 8, None)]))
    assert by_id(trace)["inner"].end == T0 * 1_000_000 + 7_000
    assert by_id(trace)["idle"].end == by_id(trace)["idle"].start
    assert repairs(trace) == {Repair.CENSORED: 2}


def test_orphans_self_parents_and_cycles_end_up_as_roots() -> None:
    trace = read(
        entity("root", 0, 10),
        entity("lost", 1, 2, parent_id="never seen"),
        entity("self", 1, 2, parent_id="self"),
        entity("b", 4, 6, parent_id="c"),
        entity("c", 3, 7, parent_id="b"),
        entity("below", 4, 5, parent_id="b"),
    )
    assert trace.spans[0].id == "root"
    assert {name: parent(trace, name) for name in ("lost", "self", "c", "b", "below")} == {
        "lost": "",
        "self": "",
        "c": "",
        "b": "c",
        "below": "b",
    }
    assert repairs(trace) == {Repair.ORPHAN: 1, Repair.CYCLE: 2}


def test_the_root_is_the_earliest_segment_without_a_parent() -> None:
    trace = read(
        entity("early", 2, 4),
        entity("orphan", 0, 20, parent_id="unknown"),
        entity("late", 5, 9),
        entity("part", 1, 30, type="subsegment"),
    )
    assert trace.spans[0].id == "early"
    trace = read(entity("part", 0, 30, type="subsegment"), entity("orphan", 1, 20, parent_id="unknown"))
    assert trace.spans[0].id == "orphan"


def test_a_negative_duration_is_none_at_all() -> None:
    trace = read(entity("root", 0, 10, subsegments=[entity("back", 5, 3)]))
    assert by_id(trace)["back"].start == by_id(trace)["back"].end == T0 * 1_000_000 + 5_000
    assert repairs(trace) == {Repair.NEGATIVE_DURATION: 1}


def function_segments(name: str, times: tuple[float, float], parent_id: str, *inside: object) -> list[dict[str, Any]]:
    """Lambda's service segment and the function's inside it, one millisecond later and shorter."""
    start, end = times
    service = entity(f"S-{name}", start, end, origin="AWS::Lambda", **({"parent_id": parent_id} if parent_id else {}))
    function = entity(
        f"F-{name}",
        start + 1,
        end - 1,
        origin="AWS::Lambda::Function",
        parent_id=f"S-{name}",
        aws={"function_arn": ARN + name},
        subsegments=list(inside),
    )
    return [service, function]


def test_a_subsegment_of_another_function_goes_home() -> None:
    """Seen in real traces: the caller's Invocation below the function it called, which makes a ring of parents."""
    call = entity("call", 10, 60, namespace="aws")
    stray = entity("Invocation", 5, 90, aws={"function_arn": f"{ARN}caller:7"}, subsegments=[call])
    trace = read(*function_segments("caller", (0, 100), ""), *function_segments("called", (20, 50), "call", stray))
    assert parent(trace, "Invocation") == "F-caller"
    assert parent(trace, "S-called") == "call"
    assert repairs(trace) == {Repair.DETACHED: 1}


def test_of_several_invocations_the_nearest_takes_its_subsegment_back() -> None:
    """By their starts, 1, 53 and 90 ms: the stray one starts at 54."""
    stray = entity("Invocation", 54, 58, aws={"function_arn": f"{ARN}caller"})
    tries = [
        entity(
            f"F-{at}", at, at + 8, origin="AWS::Lambda::Function", parent_id="app", aws={"function_arn": ARN + "caller"}
        )
        for at in (1, 53, 90)
    ]
    trace = read(entity("app", 0, 100), *tries, *function_segments("called", (20, 80), "app", stray))
    assert parent(trace, "Invocation") == "F-53"


def test_where_a_function_says_no_arn_nothing_is_another_ones() -> None:
    part = entity("Invocation", 5, 90, aws={"function_arn": f"{ARN}f"})
    trace = read(entity("F", 0, 100, origin="AWS::Lambda::Function", subsegments=[part]))
    assert parent(trace, "Invocation") == "F"
    assert trace.repairs == ()


def test_a_ring_is_cut_at_its_earliest_span() -> None:
    """Wherever it is entered: what hangs below it begins before."""
    trace = read(
        entity("below", 1, 2, parent_id="b"),
        entity("b", 4, 6, parent_id="c"),
        entity("c", 3, 7, parent_id="b"),
    )
    assert {name: parent(trace, name) for name in ("below", "b", "c")} == {"below": "b", "b": "c", "c": ""}


def test_a_call_that_names_another_function_stays_with_its_caller() -> None:
    call = entity("call", 10, 60, namespace="aws", aws={"operation": "Invoke", "function_arn": f"{ARN}called"})
    trace = read(*function_segments("caller", (0, 100), "", call), *function_segments("called", (20, 50), "call"))
    assert parent(trace, "call") == "F-caller"
    assert trace.repairs == ()


def test_a_subsegment_of_a_function_that_is_not_there_is_left_out() -> None:
    stray = entity("Invocation", 5, 90, aws={"function_arn": f"{ARN}elsewhere"})
    trace = read(*function_segments("called", (0, 100), "", stray))
    assert parent(trace, "Invocation") == ""
    assert repairs(trace) == {Repair.DETACHED: 1}


@pytest.mark.parametrize("name", ["Initialization", "Restore"])
def test_the_start_of_a_container_hangs_below_what_waited_for_it(name: str) -> None:
    trace = read(*function_segments("f", (200, 300), "", entity(name, 197, 200.5, aws={"function_arn": ARN + "f"})))
    assert parent(trace, name) == "S-f"
    assert repairs(trace) == {Repair.REPARENTED: 1}


def test_a_start_that_began_with_its_function_is_a_part_of_it() -> None:
    """As Lambda repeats one that failed within the invocation; the function's segment starts at 201 ms."""
    trace = read(*function_segments("f", (200, 300), "", entity("Initialization", 201, 210)))
    assert parent(trace, "Initialization") == "F-f"
    assert trace.repairs == ()


def test_a_container_that_was_ready_before_was_not_waited_for() -> None:
    trace = read(*function_segments("f", (60_000, 60_100), "", entity("Initialization", 0, 60_000)))
    assert parent(trace, "Initialization") == ""
    assert repairs(trace) == {Repair.PRE_INITIALISED: 1}


def test_small_overruns_are_clock_errors_and_large_ones_asynchronous_work() -> None:
    """Milliseconds round by one (1.001 allowed), Lambda's clocks differ by up to five; a function is always sync."""
    segments = function_segments("f", (0, 100), "")
    segments[1] |= {
        "end_time": T0 + 0.116,  # 16 ms after its service segment
        "subsegments": [entity("Overhead", 90, 115), entity("tail", 90, 130, namespace="aws")],
    }
    trace = read(*segments)
    spans = by_id(trace)
    assert spans["F-f"].end == spans["Overhead"].end == spans["S-f"].end
    assert spans["tail"].asynchronous
    assert spans["tail"].end == T0 * 1_000_000 + 130_000
    assert repairs(trace) == {Repair.CLAMPED: 2}

    trace = read(entity("app", 0, 100, subsegments=[entity("one", 0, 101.001), entity("two", 0, 101.002)]))
    assert not by_id(trace)["one"].asynchronous
    assert by_id(trace)["one"].end == by_id(trace)["app"].end
    assert by_id(trace)["two"].asynchronous


@pytest.mark.parametrize(("start", "status", "waited_for"), [(39, 200, True), (41, 200, False), (39, 202, False)])
def test_a_function_is_waited_for_by_the_service_that_answered_for_it(
    start: int, status: int, waited_for: bool
) -> None:
    """Lambda's service ends at 40 ms, the function long after; 202 is the answer to an event that was taken in."""
    service = entity("S", 0, 40, origin="AWS::Lambda", http={"response": {"status": status}})
    trace = read(service, entity("F", start, 90, origin="AWS::Lambda::Function", parent_id="S"))
    assert by_id(trace)["F"].asynchronous is not waited_for


@pytest.mark.parametrize(("outer", "inner"), [("AWS::Lambda::Function", ""), ("AWS::Lambda", ""), ("", "AWS::Lambda")])
@pytest.mark.parametrize(("over_ms", "asynchronous"), [(5, False), (5.001, True)])
def test_five_milliseconds_on_either_side_of_lambda_are_its_clocks(
    outer: str, inner: str, over_ms: float, asynchronous: bool
) -> None:
    trace = read(entity("app", 0, 100, origin=outer), entity("part", 10, 100 + over_ms, origin=inner, parent_id="app"))
    assert by_id(trace)["part"].asynchronous is asynchronous


def test_what_x_ray_inferred_has_its_calls_clock_and_is_cut() -> None:
    call = entity("call", 10, 60, namespace="aws")
    table = entity("table", 10.5, 61, parent_id="call", inferred=True)
    trace = read(entity("app", 0, 100, subsegments=[call]), table)
    times = [round((at / 1_000_000 - T0) * 1000, 3) for at in (by_id(trace)["table"].start, by_id(trace)["table"].end)]
    assert times == [10.5, 60]
    assert repairs(trace) == {Repair.CLAMPED: 1}


@pytest.mark.parametrize(("start", "told"), [(46, {}), (45, {}), (44, {Repair.EARLY: 1})])
def test_what_begins_before_its_parent_by_more_than_clocks_differ_is_told(start: int, told: dict[str, int]) -> None:
    """Its parent begins at 50 ms; Lambda's clocks differ by up to five."""
    assert (
        repairs(
            read(entity("app", 0, 100), entity("a", 50, 90, parent_id="app"), entity("b", start, 60, parent_id="a"))
        )
        == told
    )
