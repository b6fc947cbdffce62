"""The embedded account's trace store, against the X-Ray API's documented behaviour."""

import json
from typing import Any

import pytest

from infra.local.xray import OPERATIONS, TraceStore, answer

TRACE = "1-5d83c0ad-b8eb33a0b1de97d804fac890"
AT = 0x5D83C0AD


def document(**more: Any) -> dict[str, Any]:
    return {"id": "a" * 16, "trace_id": TRACE, "name": "f", "start_time": AT + 0.1, "end_time": AT + 0.5} | more


def test_separately_sent_subsegments_are_put_back() -> None:
    store = TraceStore()
    store.put(document(id="c" * 16, parent_id="b" * 16, type="subsegment", name="query"))
    store.put(document(subsegments=[{"id": "b" * 16, "name": "Invocation"}]))
    (segment,) = store.segments(TRACE)
    assert segment["subsegments"][0]["subsegments"][0]["name"] == "query"


def test_reading_twice_tells_the_same() -> None:
    store = TraceStore()
    store.put(document(subsegments=[{"id": "b" * 16, "name": "Invocation"}]))
    store.put(document(id="c" * 16, parent_id="a" * 16, type="subsegment"))
    store.put(document(id="d" * 16, parent_id="b" * 16, type="subsegment"))
    assert store.segments(TRACE) == store.segments(TRACE)


def test_a_complete_document_replaces_one_in_progress_whichever_comes_first() -> None:
    done, begun = document(), document(in_progress=True, end_time=None)
    for order in ([done, begun], [begun, done]):
        store = TraceStore()
        for each in order:
            store.put(each)
        assert store.segments(TRACE) == [done]


def test_an_orphan_stands_alone() -> None:
    store = TraceStore()
    store.put(document(id="c" * 16, parent_id="f" * 16, type="subsegment"))
    assert [segment["id"] for segment in store.segments(TRACE)] == ["c" * 16]


def test_a_trace_is_found_by_the_second_in_its_id() -> None:
    store = TraceStore()
    store.put(document())
    assert store.between(AT, AT + 1) == [TRACE]
    assert store.between(AT + 1, AT + 9) == []


def test_a_bad_document_does_not_cost_the_others() -> None:
    good = document(trace_id="1-5d83c0ad-000000000000000000000001")
    status, body = answer("/TraceSegments", {"TraceSegmentDocuments": ["{", '{"id": "x"}', "[]", json.dumps(good)]})
    assert status == 200
    assert len(body["UnprocessedTraceSegments"]) == 3
    status, body = answer("/Traces", {"TraceIds": [good["trace_id"]]})
    assert json.loads(body["Traces"][0]["Segments"][0]["Document"]) == good


@pytest.mark.parametrize(
    "bad",
    [
        [],
        "text",
        None,
        {},
        document(start_time="now"),
        document(start_time=float("nan")),
        document(start_time=float("inf")),
        document(end_time=float("inf")),
        document(end_time="later"),
        document(start_time=0),
        document(name=7),
        document(id=""),
        document(trace_id="1-5d83c0ad"),
    ],
)
def test_what_is_no_document_is_refused_and_listing_goes_on(bad: Any) -> None:
    store = TraceStore()
    store.put(document())
    with pytest.raises(ValueError, match="Missing or invalid"):
        store.put(bad)
    assert len(store.segments(TRACE)) == 1


def test_batch_get_traces_takes_five_different_ids() -> None:
    assert answer("/Traces", {"TraceIds": [TRACE] * 2})[0] == 400
    assert answer("/Traces", {"TraceIds": [f"1-5d83c0ad-{n:024x}" for n in range(6)]})[0] == 400


def test_summaries_refuse_what_they_cannot_answer() -> None:
    assert answer("/TraceSummaries", {"StartTime": 0, "EndTime": 2 * 86_400})[0] == 400
    assert answer("/TraceSummaries", {"StartTime": 0, "EndTime": 60, "FilterExpression": "fault"})[0] == 400


def test_the_samplers_of_the_sdk_get_an_answer() -> None:
    assert {"/GetSamplingRules", "/SamplingTargets"} <= OPERATIONS.keys()


def test_subsegments_that_are_each_others_parent_are_told_and_not_followed() -> None:
    store = TraceStore()
    store.put(document(id="c" * 16, parent_id="d" * 16, type="subsegment"))
    store.put(document(id="d" * 16, parent_id="c" * 16, type="subsegment"))
    assert {segment["id"] for segment in store.segments(TRACE)} == {"c" * 16, "d" * 16}
