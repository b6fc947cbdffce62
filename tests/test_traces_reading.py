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


def test_a_negative_duration_is_none_at_all() -> None:
    trace = read(entity("root", 0, 10, subsegments=[entity("back", 5, 3)]))
    assert by_id(trace)["back"].start == by_id(trace)["back"].end == T0 * 1_000_000 + 5_000
    assert repairs(trace) == {Repair.NEGATIVE_DURATION: 1}


def test_a_time_from_another_age_does_not_stretch_the_trace() -> None:
    trace = read(
        entity("root", 0, 10),
        entity("child", 1, 2, parent_id="root"),
        {"id": "1970", "name": "clock", "start_time": 1.0, "end_time": 2.0},
        {"id": "2100", "name": "clock", "start_time": 4_102_444_800.0, "end_time": 4_102_444_801.0},
    )
    assert [span.id for span in trace.spans] == ["root", "child"]
    assert repairs(trace) == {Repair.IMPLAUSIBLE_TIME: 2}


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

    trace = read(entity("app", 0, 100, subsegments=[entity("one", 0, 101), entity("two", 0, 102)]))
    assert not by_id(trace)["one"].asynchronous
    assert by_id(trace)["one"].end == by_id(trace)["app"].end
    assert by_id(trace)["two"].asynchronous


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
    more = ("http", "response", "status", "origin", "subsegments", "type", "function_arn", "resource_names", "inferred")
    return st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(keys + more), inner, max_size=8)


@given(st.recursive(json_values | st.sampled_from([1.7e9, 1e400, "a", "b", True]), similar, max_leaves=30))
def test_reading_never_raises(value: Any) -> None:
    for envelope in (value, {"Segments": [value, value]}, *loose(value, json.dumps(value))):
        report = per_trace(read_trace(envelope))
        assert sum(report["phases"].values()) == report["response_us"]
