"""Whatever X-Ray or a receiver hands over becomes a tree, and what was wrong with it is counted."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.traces.documents import decode_deep
from monitors.traces.phases import per_trace
from monitors.traces.reading import Loose, envelopes, put, read_trace
from monitors.traces.tree import Repair, Span, Trace

T0 = 1_700_000_000
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:"
LONG_ARN = f"arn:{'a' * 600}:lambda:eu-west-1:123456789012:function:pay:live"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def entity(name: str, start_ms: float, end_ms: float | None, **more: Any) -> dict[str, Any]:
    """A segment or subsegment; its id is its name unless told otherwise."""
    ended = {"in_progress": True} if end_ms is None else {"end_time": T0 + end_ms / 1000}
    return {"id": name, "name": name, "start_time": T0 + start_ms / 1000, **ended, **more}


def read(*documents: object, **more: Any) -> Trace:
    return read_trace({"Id": "1-x", "Segments": [{"Id": "s", "Document": document} for document in documents], **more})


def by_id(trace: Trace) -> dict[str, Span]:
    return {span.id: span for span in trace.spans}


def parent(trace: Trace, identity: str) -> str:
    above = by_id(trace)[identity].parent
    return trace.spans[above].id if above >= 0 else ""


def repairs(trace: Trace) -> Mapping[str, int]:
    return dict(trace.repairs)


def test_documents_come_as_text_decoded_or_bare() -> None:
    root, child = entity("root", 0, 10), entity("child", 1.5, 9.000001, parent_id="root")
    for segments in (
        [{"Id": "r", "Document": json.dumps(root)}, {"Id": "c", "Document": json.dumps(child)}],
        [{"Id": "r", "Document": root}, {"Id": "c", "Document": child}],
        [child, root],
    ):
        trace = read_trace({"Id": "1-x", "Segments": segments})
        assert [span.id for span in trace.spans] == ["root", "child"]
        assert trace.spans[1].start == T0 * 1_000_000 + 1_500
        assert trace.spans[1].end == T0 * 1_000_000 + 9_000
        assert parent(trace, "child") == "root"
        assert trace.repairs == ()


def test_a_broken_document_costs_no_other() -> None:
    good = entity("good", 0, 10, subsegments=[{"name": "no id"}, None, entity("kept", 1, 2)])
    late = {**entity("ms", 0, 1), "start_time": (T0 + 1) * 1000.0}
    trace = read(good, '{"id": "cut', 7, {"id": "no time"}, late, {**entity("nan", 0, 1), "start_time": float("nan")})
    assert [span.id for span in trace.spans] == ["good", "kept"]
    assert repairs(trace) == {Repair.BROKEN_DOCUMENT: 5, Repair.BROKEN_SUBSEGMENT: 2}


def test_what_hangs_below_a_broken_subsegment_hangs_above_it() -> None:
    trace = read(entity("root", 0, 10, subsegments=[{"name": "broken", "subsegments": [entity("leaf", 1, 2)]}]))
    assert parent(trace, "leaf") == "root"


@pytest.mark.parametrize("envelope", [None, [], "x", {}, {"Id": 3, "Segments": {}}, {"Segments": [None, 1, "[]"]}])
def test_what_is_no_trace_is_an_empty_one(envelope: object) -> None:
    trace = read_trace(envelope)
    assert trace.spans == ()
    assert repairs(trace)[Repair.EMPTY] == 1
    assert per_trace(trace)["response_us"] == 0


def loose(*documents: object) -> list[dict[str, Any]]:
    found: Loose = {}
    for document in documents:
        put(found, document)
    return list(envelopes(found))


def test_separate_subsegments_are_merged_by_parent() -> None:
    """As a receiver sees the SDK in Lambda: children first, each alone."""
    documents = [
        entity("call", 3, 5, type="subsegment", trace_id="1-a", parent_id="handler", namespace="aws"),
        entity("handler", 2, 6, type="subsegment", trace_id="1-a", parent_id="function", in_progress=False),
        entity("function", 1, 8, trace_id="1-a", origin="AWS::Lambda::Function"),
        entity("other", 0, 1, trace_id="1-b"),
        "no JSON",
    ]
    found = {trace["Id"]: read_trace(trace) for trace in loose(*map(json.dumps, documents))}
    assert list(found) == ["1-a", "1-b", ""]
    assert parent(found["1-a"], "call") == "handler"
    assert parent(found["1-a"], "handler") == "function"
    assert found["1-a"].spans[0].id == "function"
    assert repairs(found["1-a"]) == {Repair.MERGED: 2}
    assert repairs(found[""]) == {Repair.BROKEN_DOCUMENT: 1, Repair.EMPTY: 1}


@pytest.mark.parametrize("complete_first", [True, False])
def test_the_complete_document_wins_over_the_one_in_progress(complete_first: bool) -> None:
    documents = [entity("a", 0, 10), entity("a", 0, None)]
    trace = read(*(documents if complete_first else reversed(documents)))
    assert by_id(trace)["a"].end == T0 * 1_000_000 + 10_000
    assert not by_id(trace)["a"].censored
    assert repairs(trace) == {Repair.SUPERSEDED: 1}


def test_of_two_complete_documents_the_later_wins() -> None:
    trace = read(entity("a", 0, 10), entity("a", 0, 20))
    assert by_id(trace)["a"].end == T0 * 1_000_000 + 20_000
    assert repairs(trace) == {Repair.DUPLICATE_ID: 1}


def test_a_time_from_another_age_does_not_stretch_the_trace() -> None:
    trace = read(
        entity("root", 0, 10),
        entity("child", 1, 2, parent_id="root"),
        {"id": "1970", "name": "clock", "start_time": 1.0, "end_time": 2.0},
        {"id": "2100", "name": "clock", "start_time": 4_102_444_800.0, "end_time": 4_102_444_801.0},
    )
    assert [span.id for span in trace.spans] == ["root", "child"]
    assert repairs(trace) == {Repair.IMPLAUSIBLE_TIME: 2}


def test_a_trace_over_the_limit_says_so() -> None:
    trace = read(entity("root", 0, 10), LimitExceeded=True)
    assert trace.limit_exceeded
    assert repairs(trace) == {Repair.LIMIT_EXCEEDED: 1}


@pytest.mark.parametrize(("told", "counted"), [(0.3, 0), (0.3015, 0), (0.303, 1), (None, 0), ("0.9", 0)])
def test_a_length_that_is_not_what_x_ray_tells_is_counted(told: object, counted: int) -> None:
    """From the first start at 0 to the last end at 300 ms; a millisecond and a half is what rounding makes."""
    trace = read(entity("root", 0, 200), entity("late", 100, 300, parent_id="root"), Duration=told)
    assert repairs(trace).get(Repair.DURATION, 0) == counted


def test_a_length_reaches_to_the_end_of_what_outlives_its_segment() -> None:
    """As an asynchronous invocation's try does; an initialization begins before all segments, and does not count."""
    start, late = entity("Initialization", -5, 8), entity("Attempt #1", 20, 500)
    for told, counted in ((0.5, 0), (0.505, 1), (0.04, 1)):
        trace = read(entity("S", 0, 40, origin="AWS::Lambda", subsegments=[late, start]), Duration=told)
        assert repairs(trace).get(Repair.DURATION, 0) == counted


@pytest.mark.parametrize("name", ["", None, 7])
def test_what_has_no_name_is_not_a_blank_in_the_report(name: object) -> None:
    (span,) = read(entity("root", 0, 10) | {"name": name}).spans
    assert span.name == "(no name)"


def test_names_are_bounded_and_can_be_written_as_utf_8() -> None:
    trace = read(json.dumps(entity("root", 0, 10) | {"name": "\ud800" + "x" * 100_000, "origin": ["no text"]}))
    name = trace.spans[0].name
    assert len(name) < 1_000
    assert name.encode().decode() == name
    assert trace.spans[0].origin == ""


@pytest.mark.parametrize(
    ("aws", "resource"),
    [
        ({"table_name": "orders", "resource_names": ["other"]}, "orders"),
        ({"queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/mail"}, "mail"),
        ({"topic_arn": "arn:aws:sns:eu-west-1:123456789012:news"}, "news"),
        ({"function_name": f"{ARN}pay:live"}, "pay"),
        ({"function_name": "pay:live"}, "pay"),
        ({"resource_names": ["bucket"]}, "bucket"),
        ({"resource_names": "bucket"}, ""),
    ],
)
def test_what_a_call_went_to(aws: dict[str, Any], resource: str) -> None:
    assert read(entity("call", 0, 1, aws=aws)).spans[0].resource == resource


@pytest.mark.parametrize(
    ("arn", "qualifier", "region"),
    [
        (f"{ARN}pay:live", "live", "eu-west-1"),
        (f"{ARN}pay", "", "eu-west-1"),
        ("arn:aws:states:eu-west-1:123456789012:stateMachine:pay:live", "", "eu-west-1"),
        ("arn:aws:s3:::bucket", "", ""),
        (LONG_ARN, "live", "eu-west-1"),
        (f"{ARN}{'p' * 600}:live", "live", "eu-west-1"),
        ("arn:", "", ""),
        ("pay:live", "", ""),
    ],
)
def test_what_a_segment_s_own_arn_says(arn: str, qualifier: str, region: str) -> None:
    """A version or alias is what follows the function's name; an ARN of any length stops nothing."""
    trace = read(json.dumps(entity("root", 0, 1, resource_arn=arn)))
    assert (trace.spans[0].qualifier, trace.region) == (qualifier, region)


DEPTH = 10_000


def deep_text() -> str:
    """One document, each subsegment inside the one before."""
    opened = [json.dumps(entity(f"s{i}", 0, 10))[:-1] + ', "subsegments": [' for i in range(DEPTH)]
    return "".join(opened) + json.dumps(entity("leaf", 0, 10)) + "]}" * DEPTH


def test_depth_has_no_limit() -> None:
    chain = [entity(f"s{i}", 0, 10, **({"parent_id": f"s{i - 1}"} if i else {})) for i in range(DEPTH + 1)]
    for trace in (read(*chain), read(deep_text())):
        assert len(trace.spans) == DEPTH + 1
        report = per_trace(trace)
        assert report["response_us"] == 10_000
        assert len(report["critical_path"]) == DEPTH + 1
        assert report["repairs"] == {}


@given(json_values, st.integers(0, 4))
def test_the_deep_decoder_agrees_with_the_standard_one(value: object, indent: int) -> None:
    text = json.dumps(value, indent=indent or None)
    assert decode_deep(text) == json.loads(text)


@given(st.text(alphabet='[]{}",:\\ 1atrueNI', max_size=30))
def test_the_deep_decoder_refuses_what_the_standard_one_refuses(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"\w"):
            decode_deep(text)
        return
    if "N" not in text and "I" not in text:  # NaN and Infinity are no JSON, though Python reads them
        assert decode_deep(text) == expected


def similar(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects with the keys of segment documents and any values."""
    keys = ("Id", "Segments", "Document", "id", "name", "parent_id", "start_time", "end_time", "in_progress", "aws")
    more = (
        "http",
        "response",
        "status",
        "origin",
        "subsegments",
        "type",
        "function_arn",
        "resource_arn",
        "resource_names",
        "inferred",
    )
    return st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(keys + more), inner, max_size=8)


@given(st.recursive(json_values | st.sampled_from([1.7e9, 1e400, "a", "b", True, LONG_ARN]), similar, max_leaves=30))
def test_reading_never_raises(value: Any) -> None:
    for envelope in (value, {"Segments": [value, value]}, *loose(value, json.dumps(value))):
        report = per_trace(read_trace(envelope))
        assert sum(report["phases"].values()) == report["response_us"]
