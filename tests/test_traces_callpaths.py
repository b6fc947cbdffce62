"""Whole traces in, a tree per entry out: by hand for the usual shapes, exact for any, and bounded."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.traces.aggregate import latency_report, report_of, window
from monitors.traces.callpaths import BETWEEN, DEPTH, NODES, completed, path_times, whole
from monitors.traces.columns import band
from monitors.traces.labels import Label
from monitors.traces.phases import per_trace, response_path, view
from monitors.traces.report import EntryPaths, LatencyReport
from monitors.traces.requests import Request
from monitors.traces.tree import Trace
from tests.test_traces_phases import FUNCTION, T0, any_trace, call, cold_behind_a_gateway, entity, read
from tests.test_traces_report import invocation
from tests.trace_columns import columns_of


def times(*segments: dict[str, Any]) -> tuple[str, dict[tuple[str, str], float]]:
    """The entry, and ms by (path, phase)."""
    found = whole(view(read(*segments)), "t")
    assert found
    return found.function, {(label.target, label.phase): us / 1000 for label, us in found.phases}


def report(*traces: dict[str, Any], **more: Any) -> LatencyReport:
    return latency_report(traces, start=T0, end=T0, **more)


# --- one trace -----------------------------------------------------------------------------------------


def test_a_cold_start_behind_a_gateway() -> None:
    """The call to Lambda and the inferred table add no step; the figures are those of the phases' own test."""
    entry, found = times(*cold_behind_a_gateway())
    assert entry == "A › shop"
    assert {phase: path for path, phase in found} == {
        "gateway": "",
        "hop": "",
        "container_start": "shop",
        "runtime_start": "shop",
        "dispatch": "shop",
        "handler": "shop",
        "dependency": "shop › DynamoDB Query orders",
        "overhead": "shop",
    }
    assert found["", "gateway"] == 3 + 1
    assert found["", "hop"] == 27 + 1
    assert found["shop › DynamoDB Query orders", "dependency"] == 150
    assert sum(found.values()) == 1000


def test_a_function_that_calls_another_and_names_its_own_work() -> None:
    """`pay` stands below `shop`, and `check` is a part of `pay` that its code named."""
    invoke = call("L", 10, 90, "Invoke", function_name="pay")
    entry, found = times(
        entity("S", 0, 100, name="shop", origin="AWS::Lambda"),
        entity("F", 5, 100, name="shop", origin=FUNCTION, parent_id="S", subsegments=[invoke]),
        entity("S2", 20, 89, name="pay", origin="AWS::Lambda", parent_id="L"),
        entity(
            "F2", 30, 89, name="pay", origin=FUNCTION, parent_id="S2", subsegments=[entity("c", 40, 70, name="check")]
        ),
    )
    assert entry == "shop"
    assert found == {
        ("", "dispatch"): 5,
        ("", "handler"): 5 + 10,
        ("", "hop"): 10 + 1,
        ("pay", "dispatch"): 10,
        ("pay", "handler"): 10 + 19,
        ("pay › check", "handler"): 30,
    }


def test_states_are_steps() -> None:
    put = call("DynamoDB", 20, 80, "PutItem", table_name="orders")
    states = [entity("a", 10, 90, name="Store", subsegments=[put])]
    entry, found = times(
        entity("M", 0, 100, name="flow", origin="AWS::StepFunctions::StateMachine", subsegments=states)
    )
    assert entry == "flow"
    assert found == {
        ("", "orchestration"): 20,
        ("Store", "orchestration"): 20,
        ("Store › DynamoDB PutItem orders", "dependency"): 60,
    }


def announced(number: int, *, after_ms: float) -> dict[str, Any]:
    """A function that publishes at 10 ms and ends at 30; the subscriber starts so long after and runs 150 ms."""
    publish = call("SNS", 10, 20, "Publish", topic_arn="arn:aws:sns:eu-west-1:123456789012:orders")
    start = 20 + after_ms
    segments = [
        entity("F", 0, 30, name="shop", origin=FUNCTION, subsegments=[publish]),
        entity("S2", start, start + 150, name="mail", origin="AWS::Lambda", parent_id="SNS"),
        entity("F2", start + 5, start + 150, name="mail", origin=FUNCTION, parent_id="S2"),
    ]
    return {"Id": f"t{number}", "Segments": segments}


def test_until_what_a_request_set_off_is_done() -> None:
    """Taken up 30 ms later: the way to the end is the handler's first 10 ms, the call, the wait, and the subscriber."""
    found = report(announced(1, after_ms=30), announced(2, after_ms=30), invocation("t3", 0, 10))
    (done,) = found.completions
    assert (done.entry, done.traces, done.response.p50_ms) == ("shop", 2, 200)
    assert {(time.path, time.phase): time.middle_ms for time in done.times} == pytest.approx(
        {
            ((), "handler"): 10,
            (("SNS Publish orders",), "hop"): 10,
            (("SNS Publish orders",), "trigger"): 30,
            (("SNS Publish orders", "mail"), "dispatch"): 5,
            (("SNS Publish orders", "mail"), "handler"): 145,
        }
    )
    (shop,) = found.entries
    assert (shop.traces, shop.response.p99_ms) == (3, 30)


@given(any_trace())
def test_until_any_trace_is_done(trace: Trace) -> None:
    seen = view(trace)
    response = whole(seen, trace.id)
    done = completed(seen, response) if response else None
    told = per_trace(trace)
    if done:
        assert done.duration == told["completion_us"] == sum(us for _, us in done.phases) > told["response_us"]
    elif response:
        assert told["completion_us"] == told["response_us"]


@given(any_trace())
def test_the_tree_of_any_trace_adds_up_to_its_response_time(trace: Trace) -> None:
    seen = view(trace)
    found, root = whole(seen, trace.id), trace.spans[0]
    assert (found is None) == root.censored
    if found:
        assert sum(us for _, us in found.phases) == found.duration == root.end - root.start
        assert len({label for label, _ in found.phases}) == len(found.phases)
        by_phase: Counter[str] = Counter()
        for label, us in found.phases:
            by_phase[label.phase] += us
        for section in response_path(seen).sections:
            by_phase[section.label.phase] -= section.end - section.start
        assert not any(by_phase.values())


def test_a_chain_of_ten_thousand_and_a_sign_that_names_may_not_hold() -> None:
    """Deeper steps count to the last that is told apart; 1 µs each, they are its 10,000 - DEPTH."""
    chain = [entity("0", 0, 10.0, name="root", origin="AWS::Lambda")]
    for n in range(1, 10_000):
        segment = entity(str(n), n / 1000, 10.0, name=f"a {BETWEEN} b" if n == 1 else f"s{n}", parent_id=str(n - 1))
        chain.append(segment)
    found = whole(view(read(*chain)), "t")
    assert found
    assert sum(us for _, us in found.phases) == 10_000
    deepest = max(found.phases, key=lambda phase: phase[0].target.count(BETWEEN))
    assert deepest[0].target.count(BETWEEN) == DEPTH - 1
    assert deepest[0].target.startswith("a  >  b › s2 › s3 › ")
    assert deepest[1] == 10_000 - DEPTH


@pytest.mark.parametrize("envelope", [{}, {"Segments": []}, {"Segments": [None, 3, {"Document": "{"}]}])
def test_what_is_no_trace_is_no_entry(envelope: dict[str, Any]) -> None:
    assert report(envelope).entries == ()


# --- many traces ---------------------------------------------------------------------------------------

paths = st.lists(st.sampled_from("abc"), max_size=4).map(BETWEEN.join)
leaves = st.builds(Label, st.sampled_from(["handler", "dependency", "hop"]), paths)


@st.composite
def some_requests(draw: st.DrawFn) -> list[Request]:
    found = []
    for _ in range(draw(st.integers(1, 30))):
        parts = draw(st.dictionaries(leaves, st.integers(1, 10**7), min_size=1, max_size=6))
        weight = float(draw(st.integers(1, 9)))
        found.append(Request("f", "t", 0, sum(parts.values()), False, False, tuple(parts.items()), weight))
    return sorted(found, key=lambda request: request.duration)


@given(some_requests())
def test_a_bands_tree_adds_up_to_its_mean_response_time(requests: list[Request]) -> None:
    """To the microsecond: the mean is that of integers, weighted."""
    whole = columns_of(requests)
    middle, tail = band(whole, 0.4, 0.6), band(whole, 0.95, 1.0)
    found = path_times(whole, middle, tail)
    for weights, sums in ((middle, [t.middle_ms for t in found]), (tail, [t.tail_ms for t in found])):
        mean = sum(one.duration * w for one, w in zip(whole, weights, strict=True)) / sum(weights)
        assert sum(sums) * 1000 == pytest.approx(mean, abs=1e-3)
    assert all(1 <= time.traces <= len(requests) for time in found)


def test_the_middle_and_the_tail_of_a_hundred_traces() -> None:
    """1 ms to 100 ms, the last five cold: the middle is 41 to 60 ms, mean 50.5; the tail 96 to 100 ms, mean 98."""
    traces = [invocation(f"t{n}", n, n, cold_ms=90 if n > 95 else 0) for n in range(1, 101)]
    (shop,) = report(*traces).entries
    assert (shop.entry, shop.traces, shop.requests, shop.response.p50_ms) == ("shop", 100, 100.0, 50)
    found = {(time.path, time.phase): (time.middle_ms, time.tail_ms, time.traces) for time in shop.times}
    assert found[(), "runtime_start"] == (0.0, pytest.approx(90), 5)
    assert found[(), "handler"][:2] == pytest.approx((49.5, 7))
    assert sum(time.tail_ms for time in shop.times) == pytest.approx(98)
    assert shop.exemplars == (("p50", "t50"), ("p95", "t95"), ("p99", "t99"), ("worst", "t100"))


def test_one_trace_is_its_own_middle_and_tail() -> None:
    (shop,) = report(invocation("t", 0, 10)).entries
    assert [(time.path, time.phase, time.traces) for time in shop.times] == [((), "handler", 1), ((), "dispatch", 1)]
    assert [time.middle_ms for time in shop.times] == pytest.approx([9, 1])
    assert [time.tail_ms for time in shop.times] == pytest.approx([9, 1])


def test_ten_thousand_names_are_put_together_without_loss() -> None:
    """One call of 9 ms stays itself, 10,000 of 0.1 ms each with a name of its own come together as `other`."""
    calls = [entity(f"d{n}", 9 + n / 10, 9 + (n + 1) / 10, name=f"host{n}", namespace="remote") for n in range(9_999)]
    calls.append(entity("big", 0, 9, name="big", namespace="remote"))
    root = entity("F", 0, 1_010, name="shop", origin=FUNCTION, subsegments=calls)
    (shop,) = report({"Id": "t", "Segments": [root]}).entries
    assert len(shop.times) <= 2 * NODES
    assert sum(time.tail_ms for time in shop.times) == pytest.approx(1_010)
    found = {(time.path, time.phase): time.tail_ms for time in shop.times}
    assert found[("big",), "dependency"] == pytest.approx(9)
    assert found[(), "other"] > 900


def test_entries_come_by_the_time_spent_on_them() -> None:
    """Three of 10 ms outweigh one of 20 ms; weights count."""
    other = invocation("x", 0, 20)
    for segment in other["Segments"]:
        segment["name"] = "slow"
    traces = [*(invocation(f"t{n}", n, 10) for n in range(3)), other]
    assert [entry.entry for entry in report(*traces).entries] == ["shop", "slow"]
    found = report(*traces, weights=lambda function, _: 10.0 if function == "slow" else 3.0).entries
    assert [(entry.entry, entry.requests) for entry in found] == [("slow", 10.0), ("shop", 3.0)]


def test_a_trace_weighs_as_much_as_its_first_invocation() -> None:
    """One of 5 invocations of `shop` was recorded, behind a gateway; so its trace stands for 5."""
    trace = {"Id": "t", "Segments": cold_behind_a_gateway()}
    (entry,) = report(trace, weights=lambda function, _: 5.0 if function == "shop" else None).entries
    assert (entry.entry, entry.requests) == ("A › shop", 5.0)


def entries(of: Sequence[EntryPaths]) -> list[str]:
    return [one.entry for one in of]


def test_a_gateway_is_an_entry_for_each_service_behind_it() -> None:
    refused = [entity("A", 0, 5, origin="AWS::ApiGateway::Stage")]
    found = report({"Id": "a", "Segments": cold_behind_a_gateway()}, {"Id": "b", "Segments": refused}).entries
    assert entries(found) == ["A › shop", "A"]


def test_an_authorizer_is_a_step_and_no_entry() -> None:
    """It stands before every route alike: 3 to 20 ms here, before the integration of 20 to 95 ms."""
    calls = [call("auth", 3, 20, "Invoke", function_name="auth"), call("L", 20, 95, "Invoke", function_name="shop")]
    entry, found = times(
        entity("A", 0, 100, origin="AWS::ApiGateway::Stage", subsegments=calls),
        entity("S1", 5, 19, name="auth", origin="AWS::Lambda", parent_id="auth"),
        entity("S2", 25, 94, name="shop", origin="AWS::Lambda", parent_id="L"),
        call("SQS", 25, 94, "SendMessage") | {"parent_id": "S2", "type": "subsegment"},
    )
    assert entry == "A › shop"
    assert {path: ms for (path, _), ms in found.items() if path} == {"auth": 14, "shop › SQS SendMessage": 69}


# --- the Region ------------------------------------------------------------------------------------------


def in_region(identity: str, region: str) -> dict[str, Any]:
    arn = f"arn:aws:lambda:{region}:123456789012:function:shop"
    document = f'{{"id": "{identity}", "name": "shop", "start_time": 1, "end_time": 2, "resource_arn": "{arn}"}}'
    return {"Id": identity, "Segments": [{"Id": identity, "Document": document}]}


def test_the_region_is_that_of_the_traces_or_the_one_given() -> None:
    one, other = in_region("a", "eu-west-1"), in_region("b", "us-east-1")
    assert report(one, in_region("c", "eu-west-1")).region == "eu-west-1"
    assert report(one, other).region == report(invocation("t", 0, 1)).region == ""
    assert report_of(window([one, other]), window([]), start=0, end=0, region="eu-west-1").region == "eu-west-1"
