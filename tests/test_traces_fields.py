"""What a segment document says, whether or not it keeps to X-Ray's guide."""

import json
import random
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.traces import fields
from monitors.traces.aggregate import window
from monitors.traces.fields import TEXT_LIMIT, Aws, Body, Http, Request, Response, body
from monitors.traces.keys import alike
from tests.fuzzing_reports import segments

DOCUMENT = {
    "id": "a1",
    "name": "orders",
    "start_time": 1,
    "end_time": 2.5,
    "origin": "AWS::Lambda::Function",
    "inferred": True,
    "aws": {"function_arn": "arn:f", "table_name": "orders", "resource_names": ["orders"], "cpu": {"cores": 2}},
    "http": {"request": {"method": "GET", "url": "https://orders"}, "response": {"status": 200}},
    "precursor_ids": ["a0"],
    "metadata": {"default": [1, None]},
    "subsegments": [{"id": "b1", "name": "DynamoDB", "start_time": 1.5, "fault": True}],
}
READ = Body(
    id="a1",
    name="orders",
    start_time=1,
    end_time=2.5,
    origin="AWS::Lambda::Function",
    inferred=True,
    aws=Aws(function_arn="arn:f", table_name="orders", resource_names=["orders"]),
    http=Http(request=Request("GET"), response=Response(200)),
    precursor_ids=["a0"],
    subsegments=[Body(id="b1", name="DynamoDB", start_time=1.5, fault=True)],
)


@pytest.mark.parametrize("found", [DOCUMENT, json.dumps(DOCUMENT), READ], ids=["decoded", "text", "body"])
def test_a_documented_one_is_read_whole(found: object) -> None:
    assert body(found) == READ


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("name", 5, {"name": ""}),
        ("inferred", "yes", {"inferred": False}),
        ("end_time", "2.5", {"end_time": None}),
        ("end_time", True, {"end_time": None}),
        ("aws", [1], {"aws": None}),
        ("aws", {"table_name": None, "operation": "Query"}, {"aws": Aws(operation="Query")}),
        ("http", {"request": 5, "response": {"status": 200}}, {"http": Http(response=Response(200))}),
        ("http", {"request": {"method": "GET"}, "response": 5}, {"http": Http(Request("GET"))}),
        ("http", {"response": {"status": "200"}}, {"http": Http(response=Response())}),
        ("precursor_ids", [5, "a0", None], {"precursor_ids": ["a0"]}),
        ("precursor_ids", 7, {"precursor_ids": []}),
        ("subsegments", 7, {"subsegments": []}),
        ("subsegments", [None, {"id": "b1"}], {"subsegments": [Body(), Body(id="b1")]}),
        ("name", "\ud800x", {"name": "?x"}),
        ("name", "x" * 9999, {"name": "x" * TEXT_LIMIT}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("as_text", [True, False])
def test_a_field_of_another_type_costs_no_other(field: str, value: object, read: dict[str, Any], as_text: bool) -> None:
    document = {**DOCUMENT, field: value}
    found = body(json.dumps(document) if as_text else document)
    assert {name: getattr(found, name) for name in read} == read
    rest = set(Body.__struct_fields__) - read.keys()
    assert {name: getattr(found, name) for name in rest} == {name: getattr(READ, name) for name in rest}


@pytest.mark.parametrize("found", ["", "{", "[1]", "7", "\ud800", None, 7, [DOCUMENT], object()])
def test_what_is_no_document_says_nothing(found: object) -> None:
    assert body(found) == Body()


@given(seed=st.integers(0, 10**9))
def test_field_by_field_gives_what_reading_it_at_once_gives(seed: int) -> None:
    for document in segments(random.Random(seed)):
        assert fields._as_far_as_possible(deepcopy(document)) == body(json.dumps(document))


def test_half_a_surrogate_pair_stops_nothing() -> None:
    """UTF-8 can't hold one; JSON's escapes can."""
    broken = {"Id": "1-6ab13280-1", "Segments": [{"Document": "\ud800"}]}
    whole = {"Id": "1-6ab13280-2", "Segments": [{"Document": json.dumps(DOCUMENT)}]}
    assert alike(broken) is None
    assert window([broken, whole]).used == 1
