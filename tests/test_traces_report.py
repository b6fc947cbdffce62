"""Traces in, LatencyReport out: percentiles, tail, sampling correction, edges, ledger."""

import json
from collections.abc import Callable, Iterator
from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.traces.aggregate import latency_report, window
from monitors.traces.columns import band, longest, phase_means, share
from monitors.traces.labels import HANDLER, RUNTIME_START, Label
from monitors.traces.report import LatencyReport
from monitors.traces.requests import Request
from monitors.traces.tree import Repair
from monitors.traces.weighing import quantiles
from tests.trace_columns import columns_of

T0 = 1_699_999_980
"""Begins a minute."""


def invocation(identity: str, start_s: float, ms: float, *, cold_ms: float = 0.0, **more: Any) -> dict[str, Any]:
    """A trace of one direct invocation: 1 ms of dispatch, then the handler; a cold start takes the given part of it."""
    start, end = T0 + start_s, T0 + start_s + ms / 1000
    began = start + 0.001 + cold_ms / 1000
    boot = {"id": "i", "name": "Initialization", "start_time": start, "end_time": start + cold_ms / 1000}
    function = {"id": "f", "name": "shop", "parent_id": "s", "origin": "AWS::Lambda::Function"}
    return {
        "Id": identity,
        "Segments": [
            {"id": "s", "name": "shop", "origin": "AWS::Lambda", "start_time": start, "end_time": end, **more},
            {**function, "start_time": began, "end_time": end, "subsegments": [boot] if cold_ms else []},
        ],
    }


def report(*traces: dict[str, Any], **more: Any) -> LatencyReport:
    return latency_report(traces, start=T0, end=T0 + 3600, **more)


def test_one_hundred_invocations_of_a_function() -> None:
    """1 ms to 100 ms, the last five cold: the p-th percentile is p ms, and the tail is those five."""
    traces = [invocation(f"t{n}", n, n, cold_ms=90 if n > 95 else 0) for n in range(1, 101)]
    found = report(*traces)
    (shop,) = found.functions
    assert (shop.function, shop.traces, shop.requests) == ("shop", 100, 100.0)
    assert (shop.response.p50_ms, shop.response.p95_ms, shop.response.p99_ms) == (50, 95, 99)
    assert shop.cold_share == pytest.approx(0.05)
    assert shop.tail_cold_share == pytest.approx(1.0)
    assert shop.exemplars == (("p50", "t50"), ("p95", "t95"), ("p99", "t99"), ("worst", "t100"))
    # The middle is 41 to 60 ms, mean 50.5, of which 1 ms is dispatch; the tail 96 to 100 ms, mean 98, of which 90 ms
    # is the start and 1 ms is dispatch.
    # Around p95 are the requests of 95 ms, warm, and 96 ms; around p99 half of those of 99 and of 100 ms.
    times = {time.phase: (time.middle_ms, time.p95_ms, time.p99_ms, time.tail_ms) for time in shop.phases}
    assert times["handler"] == pytest.approx((49.5, (94 + 5) / 2, (8 + 9) / 2, 7.0))
    assert times["runtime_start"] == pytest.approx((0.0, 45.0, 90.0, 90.0))
    assert times["dispatch"] == pytest.approx((1.0, 1.0, 1.0, 1.0))
    assert sum(time.excess_ms for time in shop.phases) == pytest.approx(98 - 50.5)
    # The longest own code is that of the slowest warm one, 95 ms without the dispatch; all starts are equally long.
    worst = {time.phase: (time.worst_ms, time.worst_trace) for time in shop.phases}
    assert worst["handler"] == (94, "t95")
    assert worst["runtime_start"] == (90, "t96")
    assert shop.phases[0].phase == "runtime_start"
    # Of the five cold ones the third is the median, of the 95 others the 48th.
    assert shop.cold
    assert (shop.cold.requests, shop.cold.container_ms, shop.cold.runtime_ms, shop.cold.restore_ms) == (5, 0, 90, 0)
    assert shop.cold.response.p50_ms == 98
    assert shop.cold.warm
    assert shop.cold.warm.p50_ms == 48
    assert (found.traces_read, found.traces_used) == (100, 100)
    assert "recorded traces only" in found.notes[0]


def test_the_sampling_correction() -> None:
    """A busy minute records 20 of 1,000 requests, a quiet one all 10, and those are cold.

    Of 1,010 requests 10 are cold (0.99 %), and 1,000 (99.01 %) take 100 ms: p99 is 100 ms. Of the 30 recorded ones a
    third is cold, and p99 is a cold start.
    """
    busy = [invocation(f"b{n}", n, 100) for n in range(20)]
    quiet = [invocation(f"q{n}", 60 + n, 1000, cold_ms=800) for n in range(10)]
    invoked = {("shop", T0): 1000.0, ("shop", T0 + 60): 10.0}
    (naive,) = report(*busy, *quiet).functions
    assert naive.cold_share == pytest.approx(1 / 3)
    assert naive.response.p99_ms == 1000
    found = report(*busy, *quiet, weights=lambda function, minute: invoked.get((function, minute)))
    (shop,) = found.functions
    assert shop.requests == pytest.approx(1010)
    assert shop.cold_share == pytest.approx(10 / 1010)
    assert shop.response.p99_ms == 100
    assert "invocations" in found.notes[0]


def test_a_minute_without_a_count_takes_that_of_one_as_busy() -> None:
    """One known minute has 3 of 30 recorded, the other its only one; the unknown ones have 3 (10 each), 1 and 4."""
    recorded = {0: 3, 1: 1, 2: 3, 3: 1, 4: 4}
    traces = [invocation(f"{m}-{n}", 60 * m + n, 10) for m, count in recorded.items() for n in range(count)]
    known = {T0: 30.0, T0 + 60: 1.0}
    (shop,) = report(*traces, weights=lambda _, minute: known.get(minute)).functions
    assert shop.requests == pytest.approx(30 + 1 + 30 + 1 + 40)


def test_a_minute_without_a_count_is_as_the_only_one_that_has_one() -> None:
    """2 of 10 were recorded in the minute that is known; so the third stands for 5 as well."""
    traces = [invocation("a", 0, 10), invocation("b", 1, 10), invocation("c", 61, 10)]
    (shop,) = report(*traces, weights=lambda _, minute: 10.0 if minute == T0 else None).functions
    assert shop.requests == pytest.approx(15)
    found = report(*traces, weights=lambda _, __: None)
    assert found.functions[0].requests == 3
    assert "recorded traces only" in found.notes[0]


def test_minutes_as_busy_stand_for_their_mean() -> None:
    """Two minutes of which one request is recorded had 10 and 30; so one like them had 20."""
    traces = [invocation(str(m), 60 * m, 10) for m in range(3)]
    known = {T0: 10.0, T0 + 60: 30.0}
    (shop,) = report(*traces, weights=lambda _, minute: known.get(minute)).functions
    assert shop.requests == pytest.approx(10 + 30 + 20)


def test_of_minutes_as_near_the_less_busy_one_is_taken() -> None:
    """One known minute has its only request recorded, the other 3 of 30: that with 2 is a minute like the first."""
    traces = [invocation(f"{m}-{n}", 60 * m + n, 10) for m, count in enumerate((1, 3, 2)) for n in range(count)]
    known = {T0: 1.0, T0 + 60: 30.0}
    (shop,) = report(*traces, weights=lambda _, minute: known.get(minute)).functions
    assert shop.requests == pytest.approx(1 + 30 + 2)


def test_a_minute_without_a_count_stands_at_least_for_itself() -> None:
    """The known minute has 2 recorded of 1 that CloudWatch counts."""
    traces = [invocation("a", 0, 10), invocation("b", 1, 10), invocation("c", 61, 10)]
    (shop,) = report(*traces, weights=lambda _, minute: 1.0 if minute == T0 else None).functions
    assert shop.requests == 3


def test_a_recorded_request_stands_at_least_for_itself() -> None:
    """At the border of a minute, more may be recorded than CloudWatch counts."""
    (shop,) = report(invocation("a", 0, 10), invocation("b", 1, 10), weights=lambda _, __: 1.0).functions
    assert shop.requests == 2


def test_a_call_weighs_as_much_as_the_request_that_made_it() -> None:
    """Two requests, each with a call; the first began just before the minute in which its function's segment did."""
    traces = [invocation("a", 59.9995, 10), invocation("b", 61, 10)]
    for trace, fault in zip(traces, (True, False), strict=True):
        function = trace["Segments"][1]
        call = {"id": "d", "name": "SQS", "namespace": "aws", "fault": fault}
        function["subsegments"] = [{**call, "start_time": function["start_time"], "end_time": function["end_time"]}]
    (edge,) = report(*traces, weights=lambda _, minute: 10.0 if minute == T0 else 1.0).edges
    assert edge.fault_share == pytest.approx(10 / 11)


def test_a_function_is_weighted_by_its_own_minute() -> None:
    """It has no segment of Lambda's, and began in the minute after the call that it hangs below."""
    call = {"id": "l", "name": "L", "namespace": "remote", "start_time": T0 + 59.99, "end_time": T0 + 60.09}
    inner = {"id": "d", "name": "SQS", "namespace": "aws", "start_time": T0 + 60.02, "end_time": T0 + 60.05}
    times = {"start_time": T0 + 59, "end_time": T0 + 61}
    app = {"id": "a", "name": "app", **times, "subsegments": [call]}
    function = {"id": "f", "name": "shop", "parent_id": "l", "origin": "AWS::Lambda::Function", "subsegments": [inner]}
    function |= {"start_time": T0 + 60.01, "end_time": T0 + 60.08}
    seen = window([{"Id": "t", "Segments": [app, function]}], lambda _, minute: 10.0 if minute == T0 + 60 else 2.0)
    assert [one.weight for one in seen.calls["shop", "SQS", ""]] == [10.0]


def test_a_function_right_below_another_fails_alone() -> None:
    times = {"start_time": T0, "end_time": T0 + 1}
    outer = {"id": "o", "name": "outer", "origin": "AWS::Lambda::Function", **times}
    inner = outer | {"id": "i", "name": "inner", "parent_id": "o", "fault": True}
    found = report({"Id": "t", "Segments": [outer, inner]})
    assert {one.function: one.fault_share for one in found.functions} == {"inner": 1.0, "outer": 0.0}


def test_an_invocation_fails_with_its_function() -> None:
    """Lambda's own segment may say nothing of it: a function that fails leaves the status 200. A part of Lambda's that
    failed, as a start that is tried again, is no failure of the whole.
    """
    trace, tried = invocation("t", 0, 100), invocation("u", 0, 100)
    trace["Segments"][1]["fault"] = True
    start = {"id": "i", "name": "Initialization", "start_time": T0, "end_time": T0 + 0.01, "fault": True}
    tried["Segments"][0]["subsegments"] = [start]
    assert [report(one).functions[0].fault_share for one in (trace, tried)] == [1.0, 0.0]


@pytest.mark.parametrize(("said", "lost"), [("fault", 1.0), ("throttle", 1.0), ("error", 0.0)])
def test_a_call_that_was_answered_is_not_lost(said: str, lost: float) -> None:
    """An error is the caller's own, and told to it: 4xx."""
    trace = invocation("t", 0, 100)
    call = {"id": "d", "name": "SQS", "namespace": "aws", "start_time": T0 + 0.01, "end_time": T0 + 0.02, said: True}
    trace["Segments"][1]["subsegments"] = [call]
    (edge,) = report(trace).edges
    assert edge.fault_share == lost


def test_cold_starts_stand_for_others_too() -> None:
    traces = [invocation(str(n), n, 1000, cold_ms=800) for n in range(2)]
    (shop,) = report(*traces, weights=lambda _, __: 10.0).functions
    assert shop.cold
    assert shop.cold.requests == 10


def test_of_equal_requests_the_first_read_comes_first() -> None:
    """Whatever kind they are of: these are cold by turns."""
    found = columns_of(Request("f", f"t{n}", n, 5, n in (0, 3), False, ((HANDLER, 5),)) for n in range(4))
    assert found.trace.tolist() == [0, 1, 2, 3]


def test_edges_are_the_callers_view() -> None:
    trace = invocation("t", 0, 100)
    table = {"id": "d", "name": "DynamoDB", "namespace": "aws", "aws": {"operation": "Query", "table_name": "orders"}}
    invoke = {"id": "l", "name": "Lambda", "namespace": "aws", "aws": {"operation": "Invoke", "function_name": "pay"}}
    trace["Segments"][1]["subsegments"] = [
        {**table, "start_time": T0 + 0.010, "end_time": T0 + 0.030, "fault": True},
        {**invoke, "start_time": T0 + 0.040, "end_time": T0 + 0.090},
    ]
    trace["Segments"].append(
        {
            "id": "s2",
            "name": "pay",
            "origin": "AWS::Lambda",
            "parent_id": "l",
            "start_time": T0 + 0.050,
            "end_time": T0 + 0.089,
            "fault": True,
        }
    )
    found = report(trace)
    assert [(e.caller, e.callee, e.operation, e.calls, e.response.p50_ms, e.fault_share) for e in found.edges] == [
        ("shop", "DynamoDB orders", "Query", 1, 20, 1.0),
        ("shop", "pay", "Invoke", 1, 50, 0.0),
    ]
    assert [(f.function, f.response.p50_ms, f.fault_share) for f in found.functions] == [
        ("pay", 39, 1.0),
        ("shop", 100, 0.0),
    ]
    shop = {(time.phase, time.target): time.middle_ms for time in found.functions[1].phases}
    assert shop["dependency", "DynamoDB Query orders"] == pytest.approx(20)
    assert shop["dependency", "Lambda Invoke pay"] == pytest.approx(50)


def test_what_cannot_be_used_is_counted() -> None:
    good = invocation("good", 0, 10)
    cut = invocation("cut", 0, 10_000) | {"LimitExceeded": True}
    unfinished = invocation("open", 0, 10)
    del unfinished["Segments"][0]["end_time"]
    found = report(good, good, cut, unfinished, {"Id": "gone", "Segments": []})
    assert (found.traces_read, found.traces_used) == (5, 2)
    assert [(f.traces, f.response.p99_ms) for f in found.functions] == [(1, 10)]
    assert dict(found.ledger) == {
        Repair.DUPLICATE_TRACE: 1,
        Repair.LIMIT_EXCEEDED: 1,
        Repair.CENSORED: 1,
        Repair.EMPTY: 1,
    }


def test_the_most_frequent_repair_comes_first() -> None:
    good, empty = invocation("good", 0, 10), {"Segments": []}
    assert report(good, good, empty, empty).ledger == ((Repair.EMPTY, 2), (Repair.DUPLICATE_TRACE, 1))


def test_traces_without_an_id_are_each_another() -> None:
    """The second says none; the first calls itself what a reader might call the second."""
    ids = [" 2", "", "", "z"]
    found = window([invocation(identity, n, 10 * n) for n, identity in enumerate(ids, start=1)])
    assert [request.trace_id for request in found.requests["shop"]] == ids
    assert found.requests["shop"].trace.tolist() == [0, 1, 2, 3]


def test_of_requests_that_spent_as_long_in_a_phase_the_shortest_and_first_is_shown() -> None:
    """Whichever kind of them was read first: a cold one here, that took longer as a whole."""
    cold, warm = invocation("cold", 0, 100, cold_ms=89), invocation("warm", 1, 11)
    for traces in ((cold, warm), (warm, cold)):
        worst = longest(window(traces).requests["shop"])
        assert worst[HANDLER] == (10_000, "warm")


def test_nothing_in_nothing_out() -> None:
    found = report()
    assert (found.functions, found.edges, found.changes, found.ledger) == ((), (), (), ())


def test_countless_targets_are_put_together_without_loss() -> None:
    trace = invocation("t", 0, 1000)
    trace["Segments"][1]["subsegments"] = [
        {
            "id": f"d{n}",
            "name": f"host-{n}.example",
            "namespace": "remote",
            "start_time": T0 + (10 + n) / 1000,
            "end_time": T0 + (11 + n) / 1000,
        }
        for n in range(500)
    ]
    (shop,) = report(trace).functions
    assert {"handler", "dependency", "other"} <= {time.phase for time in shop.phases}
    assert len(shop.phases) < 50
    assert sum(time.tail_ms for time in shop.phases) == pytest.approx(1000)


def test_changes_come_with_the_window_before() -> None:
    """Ten days each, 40 requests a day; 100 ms becomes 200 ms, all of it handler. Days differ by a few ms."""

    def days(first: int, ms: float) -> Iterator[dict[str, Any]]:
        for day in range(first, first + 10):
            for n in range(40):
                yield invocation(f"{day}-{n}", day * 86_400 + n * 60, ms + day % 3 + n % 5)

    found = latency_report(days(10, 200), start=T0, end=T0, before=days(0, 100))
    assert [(c.function, c.measure, c.blamed) for c in found.changes] == [
        ("shop", "p50_ms", "handler +100 ms"),
        ("shop", "p95_ms", "handler +100 ms"),
    ]
    for change in found.changes:
        assert change.low < 100 < change.high
    assert found.before == (T0, T0 + 9 * 86_400 + 39 * 60)
    assert report(*days(0, 100)).changes == ()


weighted = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), min_size=1, max_size=40)


@given(weighted, st.sampled_from([0.5, 0.95, 0.99]))
def test_quantiles_are_those_of_every_value_repeated(pairs: list[tuple[int, int]], level: float) -> None:
    everyone = sorted(value for value, weight in pairs for _ in range(weight))
    assert quantiles(pairs, (level,)) == (everyone[ceil(round(level * len(everyone), 9)) - 1],)


@st.composite
def some_requests(draw: st.DrawFn) -> list[Request]:
    found = []
    for duration, weight in draw(weighted):
        handler = draw(st.integers(0, duration))
        phases = (
            (HANDLER, handler),
            (draw(st.sampled_from([RUNTIME_START, Label("dependency", "x")])), duration - handler),
        )
        found.append(Request("f", "t", 0, duration, draw(st.booleans()), False, phases, weight / 2))
    return sorted(found, key=lambda request: request.duration)


@given(some_requests())
def test_phases_explain_the_whole_excess_of_the_tail(requests: list[Request]) -> None:
    found = columns_of(requests)
    tail, middle = band(found, 0.95, 1.0), band(found, 0.4, 0.6)
    total = sum(request.weight for request in requests)
    assert sum(tail) == pytest.approx(0.05 * total)
    assert sum(middle) == pytest.approx(0.2 * total)
    means = [sum(one.duration * w for one, w in zip(found, ws, strict=True)) / sum(ws) for ws in (tail, middle)]
    excess = sum(phase_means(found, tail).values()) - sum(phase_means(found, middle).values())
    assert excess == pytest.approx(means[0] - means[1])
    assert excess >= -1e-9


def test_shares_are_of_the_weight() -> None:
    assert share(np.array([True, False]), np.array([1.0, 3.0])) == 0.25


@pytest.mark.parametrize("written", [json.dumps, dict], ids=["text", "decoded"])
def test_the_region_is_that_of_the_arns_if_they_agree(written: Callable[[dict[str, Any]], object]) -> None:
    def trace(number: int, region: str) -> dict[str, Any]:
        arn = f"arn:aws:lambda:{region}:123456789012:function:f"
        times = {"start_time": 1_700_000_000.0, "end_time": 1_700_000_000.1}
        segment = {"id": "s", "name": "f", "origin": "AWS::Lambda", "resource_arn": arn, **times}
        return {"Id": f"1-6553f100-{number:024x}", "Segments": [{"Id": "s", "Document": written(segment)}]}

    assert latency_report([trace(1, "eu-west-1"), trace(2, "eu-west-1")], start=0, end=1).region == "eu-west-1"
    assert latency_report([trace(1, "eu-west-1"), trace(2, "us-east-1")], start=0, end=1).region == ""
