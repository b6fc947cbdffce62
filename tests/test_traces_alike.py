"""Traces read many at once give what reading each of them gives."""

import json
import random
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.traces import alike as reading_alike
from monitors.traces.aggregate import Window, window
from monitors.traces.alike import ENOUGH
from monitors.traces.columns import Columns
from monitors.traces.keys import alike
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


def one_by_one(traces: list[Json]) -> Window:
    """With each document decoded, as what is put aside to be read together never is."""
    apart = [
        {**trace, "Segments": [{"Document": json.loads(one["Document"])} for one in trace["Segments"]]}
        for trace in traces
    ]
    assert not any(map(alike, apart))
    return window(apart)


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


def test_reading_them_together_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred functions of one shape: what one trace comes to holds for all."""
    read = []
    monkeypatch.setattr(reading_alike, "read_trace", _noting(read, reading_alike.read_trace))
    found = window([trace(n, f"shop-{n % 100}", ms=20 + n % 7) for n in range(400)])
    assert len(read) == 1
    assert found.used == 400
    assert {name: len(requests) for name, requests in found.requests.items()} == {f"shop-{n}": 4 for n in range(100)}


def _noting(seen: list[Any], inner: Any) -> Any:
    def outer(*arguments: Any) -> Any:
        seen.append(arguments)
        return inner(*arguments)

    return outer
