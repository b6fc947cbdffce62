"""Traces read many at once give what reading each of them gives."""

import json
import random
from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.traces import alike as reading_alike
from monitors.traces.aggregate import Weights, Window, window
from monitors.traces.alike import ENOUGH
from monitors.traces.columns import Columns
from monitors.traces.keys import alike
from monitors.traces.moments import made_of, moments
from tests.fuzzing_reports import T0, _bend, segments

Json = dict[str, Any]


def as_text(number: int, documents: list[Json], **more: Any) -> Json:
    told = [{"Id": one.get("id"), "Document": json.dumps(one)} for one in documents]
    return {"Id": f"1-6ab13280-{number:024x}", "Segments": told, **more}


def rows(named: Mapping[Any, Columns]) -> dict[Any, list[Any]]:
    return {
        name: sorted(found, key=lambda one: (one.duration, one.trace_id, one.start)) for name, found in named.items()
    }


def same(found: Window, wanted: Window) -> None:
    assert (found.read, found.used, found.ledger) == (wanted.read, wanted.used, wanted.ledger)
    assert found.regions == wanted.regions
    assert rows(found.requests) == rows(wanted.requests)
    assert rows(found.entries) == rows(wanted.entries)
    assert rows(found.completions) == rows(wanted.completions)
    assert rows(found.calls) == rows(wanted.calls)


def one_by_one(traces: list[Json], weights: Weights | None = None) -> Window:
    """With each document decoded, as what is put aside to be read together never is."""
    apart = [
        {**trace, "Segments": [{"Document": json.loads(one["Document"])} for one in trace["Segments"]]}
        for trace in traces
    ]
    assert not any(map(alike, apart))
    return window(apart, weights)


@given(seed=st.integers(0, 10**9), count=st.integers(1, 5 * ENOUGH), odd=st.sampled_from([0.0, 0.1, 0.5]))
def test_the_same_comes_out(seed: int, count: int, odd: float) -> None:
    """Times are drawn anew for each trace, so that orders differ and margins are crossed; some documents are odd."""
    chance = random.Random(seed)
    traces = []
    for number in range(count):
        documents = segments(chance)
        while chance.random() < odd:
            documents = deepcopy(documents)  # what is put in is the same object each time
            _bend(chance.choice(documents), chance)
        chance.shuffle(documents)
        more = {"Duration": chance.choice([0.399, 0.4, 12])} if chance.random() < 0.5 else {}
        traces.append(as_text(number, documents, **more))
    same(window(traces), one_by_one(traces))


@given(
    values=st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=5),
    added=st.lists(st.tuples(st.integers(0, 4), st.sampled_from([1, -1])), max_size=60),
    beyond=st.integers(-9, 9),
)
def test_a_sum_of_times_knows_what_it_is_made_of(values: list[int], added: list[tuple[int, int]], beyond: int) -> None:
    times, path = moments(values)
    often: Counter[int] = Counter()
    whole = times[0] - times[0] + beyond
    for at, sign in added:
        at %= len(times)
        whole = whole + times[at] if sign > 0 else whole - times[at]
        often[at] += sign
    assert made_of(whole, path) == ({at: times for at, times in often.items() if times}, beyond)


def trace(number: int, name: str, *, ms: float, call_ms: float = 5.0, table: str = "orders", **more: Any) -> Json:
    """A function that makes one call."""
    at = T0 + number
    call = {
        "id": "c",
        "name": "DynamoDB",
        "namespace": "aws",
        "start_time": at + 0.002,
        "end_time": at + 0.002 + call_ms / 1000,
        "aws": {"operation": "Query", "table_name": table},
    }
    function = {
        "id": "f",
        "parent_id": "s",
        "name": name,
        "origin": "AWS::Lambda::Function",
        "start_time": at + 0.001,
        "end_time": at + ms / 1000,
        "subsegments": [call],
    }
    service = {"id": "s", "name": name, "origin": "AWS::Lambda", "start_time": at, "end_time": at + ms / 1000, **more}
    return as_text(number, [service, function])


def calling(number: int, *calls: Json) -> Json:
    """A function that makes calls of 5 ms, one after another."""
    at = T0 + number
    inside = [
        {"id": f"c{n}", "namespace": "aws", "start_time": at + 0.01 * n, "end_time": at + 0.01 * n + 0.005, **call}
        for n, call in enumerate(calls, start=1)
    ]
    times = {"start_time": at, "end_time": at + 0.1}
    return as_text(
        number, [{"id": "f", "name": "f", "origin": "AWS::Lambda::Function", **times, "subsegments": inside}]
    )


@pytest.mark.parametrize(
    "calls",
    [
        ({"name": "A B"}, {"name": "A", "aws": {"operation": "B"}}),
        ({"name": "A", "aws": {"table_name": "B C"}}, {"name": "A B", "aws": {"table_name": "C"}}),
        ({"name": "A", "aws": {"resource_names": ["Attempt #1/2"]}},),
        ({"name": "A", "aws": {"resource_names": ["a › b/2:c"]}},),
    ],
)
def test_names_that_make_the_same_words_make_no_difference(calls: tuple[Json, ...]) -> None:
    """Two calls of 5 ms that are called the same are one dependency of 10 ms, however they are read."""
    traces = [calling(number, *calls) for number in range(2 * ENOUGH)]
    found = window(traces)
    same(found, one_by_one(traces))
    (spent,) = {tuple(one.phases) for one in found.requests["f"]}
    assert [time for label, time in spent if label.phase == "dependency"] == [5000 * len(calls)]


ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f"
TRY = {"id": "t", "name": "Attempt #1", "start_time": 0.1, "end_time": 0.4}
PART = {"id": "p", "name": "C", "start_time": 0.06, "end_time": 0.08}


def invoked(*inside: Json, **more: Any) -> list[Json]:
    """A function that makes two calls which overlap, and has more inside; times are from 0 on."""
    calls = [
        {"id": "c1", "name": "A", "namespace": "aws", "start_time": 0.01, "end_time": 0.05},
        {"id": "c2", "name": "B", "namespace": "aws", "start_time": 0.02, "end_time": 0.06},
    ]
    function = {"id": "f", "parent_id": "s", "origin": "AWS::Lambda::Function", "aws": {"function_arn": ARN}}
    times = {"name": "f", "start_time": 0, "end_time": 0.09}
    return [
        {"id": "s", "origin": "AWS::Lambda", **times, **more},
        {**function, **times, "subsegments": [*calls, *inside]},
    ]


def moved(one: Json, by_s: float) -> Json:
    inside = [moved(part, by_s) for part in one.get("subsegments", ())]
    return {
        **one,
        "start_time": by_s + one["start_time"],
        "end_time": by_s + one["end_time"],
        **({"subsegments": inside} if inside else {}),
    }


@pytest.mark.parametrize(
    ("documents", "more"),
    [
        pytest.param(invoked(PART | {"precursor_ids": ["c1"]}), {}, id="what it waited for"),
        pytest.param(invoked(), {"LimitExceeded": True}, id="cut by X-Ray"),
        pytest.param(invoked(http={"response": {"status": 202}}, subsegments=[TRY]), {}, id="an attempt"),
        pytest.param(invoked(resource_arn=f"{ARN}:live"), {}, id="an alias"),
        pytest.param(invoked(PART | {"namespace": "aws", "aws": {"operation": "\U000f0000"}}), {}, id="as a token"),
        pytest.param(invoked(PART | {"aws": {"function_arn": f"{ARN}:7"}}), {}, id="its own version"),
        pytest.param(invoked(PART | {"aws": {"function_arn": f"{ARN}g"}}), {}, id="part of another function"),
    ],
)
def test_what_rules_look_at_is_the_same(documents: list[Json], more: Json) -> None:
    traces = [as_text(n, [moved(one, T0 + n) for one in documents], **more) for n in range(2 * ENOUGH)]
    same(window(traces), one_by_one(traces))


def test_times_are_rounded_alike() -> None:
    """To the nearest microsecond: at this epoch a float tells quarters of one, a half among them."""
    traces = [as_text(n, [moved(one, T0 + n * 0.25e-6) for one in invoked()]) for n in range(2 * ENOUGH)]
    same(window(traces), one_by_one(traces))


def test_they_are_weighted_alike() -> None:
    """Two functions, of one shape, of which one is invoked ten times as often as recorded."""

    def weights(function: str, minute: int) -> float:
        return recorded[function, minute] * (10.0 if function == "shop" else 1.0)

    traces = [trace(n, ("shop", "pay")[n % 2], ms=20) for n in range(2 * ENOUGH)]
    recorded = Counter((("shop", "pay")[n % 2], int(T0 + n) // 60 * 60) for n in range(2 * ENOUGH))
    found = window(traces, weights)
    same(found, one_by_one(traces, weights))
    assert {one.weight for one in found.requests["shop"]} == {10.0}


@pytest.mark.parametrize("length_s", [10**400, float("nan"), -1, "0.1"])
def test_a_length_that_is_none_stops_nothing(length_s: object) -> None:
    traces = [calling(number) | {"Duration": length_s} for number in range(2 * ENOUGH)]
    same(window(traces), one_by_one(traces))


def test_the_region_is_that_of_the_earliest_segment() -> None:
    """Whatever order they come in, and whatever else tells of an ARN."""
    regions = "eu-west-1", "us-east-1"
    traces = []
    for number in range(2 * ENOUGH):
        early, late = (
            {
                "id": f"s{n}",
                "name": "f",
                "origin": "AWS::Lambda",
                "metadata": {"resource_arn": "arn:aws:lambda:sa-east-1:123456789012:function:f"},
                "start_time": T0 + number + n,
                "end_time": T0 + number + 2,
                **({"resource_arn": arn} if n else {"aws": {"function_arn": arn}}),
            }
            for n, arn in enumerate(f"arn:aws:lambda:{region}:123456789012:function:f" for region in regions)
        )
        traces.append(as_text(number, [late, early]))
    for some in (traces, traces[:1]):
        assert window(some).regions == {"eu-west-1"}
        same(window(some), one_by_one(some))


def test_reading_them_together_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred functions of one shape: what one trace comes to holds for all."""
    read = []
    monkeypatch.setattr(reading_alike, "read_trace", _noting(read, reading_alike.read_trace))
    traces = [trace(n, f"shop-{n % 100}", ms=20 + n % 7) for n in range(400)]
    for one in traces[1::2]:
        one["Segments"].reverse()  # X-Ray returns them in no order
    found = window(traces)
    assert len(read) == 1
    assert found.used == 400
    assert {name: len(requests) for name, requests in found.requests.items()} == {f"shop-{n}": 4 for n in range(100)}


def _noting(seen: list[Any], inner: Any) -> Any:
    def outer(*arguments: Any) -> Any:
        seen.append(arguments)
        return inner(*arguments)

    return outer
