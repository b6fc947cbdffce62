"""Intrinsic functions: answered where a template says enough, kept as text where only a deployment decides.

Expected values are those of the CloudFormation Template Reference, or its own examples.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.fleet.template.intrinsics import NO_VALUE, Scope, condition, resolve, shown


def scope(**more: Any) -> Scope:
    declared = {"Stage": {"Type": "String", "Default": "dev"}, "Names": {"Type": "CommaDelimitedList"}}
    known = {"Queue": {"": "https://queue", "Arn": "arn:aws:sqs:x:1:q"}}
    given_: dict[str, Any] = {
        "parameters": {},
        "declared": declared,
        "attribute": lambda id_, name: known[id_].get(name, f"${{{id_}.{name}}}") if id_ in known else None,
    }
    return Scope(**(given_ | more))


@pytest.mark.parametrize(
    ("value", "parameters", "expected"),
    [
        ({"Ref": "Stage"}, {"Stage": "prod"}, "prod"),
        ({"Ref": "Stage"}, {}, "${Stage}"),  # a default is not an answer: any deployment may give another
        ({"Ref": "Names"}, {"Names": "a, b"}, ["a", "b"]),
        ({"Ref": "Queue"}, {}, "https://queue"),
        ({"Ref": "AWS::Region"}, {}, "${AWS::Region}"),
        ({"Ref": "AWS::Region"}, {"AWS::Region": "eu-west-1"}, "eu-west-1"),
        ({"Ref": "AWS::Partition"}, {}, "aws"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, {}, "arn:aws:sqs:x:1:q"),
        ({"Fn::GetAtt": "Queue.Arn"}, {}, "arn:aws:sqs:x:1:q"),
        ({"Fn::GetAtt": ["Queue", "Url"]}, {}, "${Queue.Url}"),
        (
            {"Fn::Sub": "${Stage}-${AWS::AccountId}-${Queue.Arn}"},
            {"Stage": "p"},
            "p-${AWS::AccountId}-arn:aws:sqs:x:1:q",
        ),
        ({"Fn::Sub": ["www.${Domain}", {"Domain": {"Ref": "Stage"}}]}, {"Stage": "x.org"}, "www.x.org"),
        ({"Fn::Sub": "${!Literal}"}, {}, "${Literal}"),
        ({"Fn::Join": [":", ["a", "b", {"Ref": "Stage"}]]}, {}, "a:b:${Stage}"),
        ({"Fn::Join": ["", {"Ref": "Names"}]}, {"Names": "a,b"}, "ab"),
        ({"Fn::Select": ["1", ["apples", "grapes", "oranges"]]}, {}, "grapes"),
        ({"Fn::Select": [2, {"Fn::Split": ["|", "a|b|c"]}]}, {}, "c"),
        ({"Fn::Split": ["|", "a||c|"]}, {}, ["a", "", "c", ""]),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {}, {"b": [1]}),
        ({"Fn::ToJsonString": {"a": {"Ref": "Stage"}}}, {"Stage": "p"}, '{"a": "p"}'),
        ({"Fn::If": ["IsProd", "many", "few"]}, {"Stage": "prod"}, "many"),
        ({"Fn::If": ["IsProd", "many", "few"]}, {"Stage": "dev"}, "few"),
        ({"Fn::If": ["IsProd", "same", "same"]}, {}, "same"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "Memory"]}, {"Stage": "prod"}, 1024),
        ({"Fn::FindInMap": ["Sizes", "none", "Memory", {"DefaultValue": 128}]}, {}, 128),
        ({"Fn::ImportValue": {"Fn::Sub": "${Stage}-bus"}}, {"Stage": "p"}, "arn:bus"),
        (
            {"Timeout": 3, "Ref": "no intrinsic, since it has a neighbour"},
            {},
            {"Timeout": 3, "Ref": "no intrinsic, since it has a neighbour"},
        ),
    ],
)
def test_what_is_known_is_answered(value: Any, parameters: dict[str, Any], expected: Any) -> None:
    conditions = {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}}
    mappings = {"Sizes": {"prod": {"Memory": 1024}}}
    there = scope(parameters=parameters, conditions=conditions, mappings=mappings, imports={"p-bus": "arn:bus"})
    assert resolve(value, there) == expected
    assert there.dangling == []


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::If": ["IsProd", {"TargetArn": "x"}, {"Ref": "AWS::NoValue"}]},
        {"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "Memory"]},
        {"Fn::ImportValue": "elsewhere"},
        {"Fn::Select": [0, {"Fn::GetAZs": ""}]},
        {"Fn::Split": [",", {"Ref": "Stage"}]},
        {"Fn::Base64": "text"},
        {"Fn::Anything": {"new": ["{", "}"]}},
        {"Fn::Join": "not as it should be"},
        {"Fn::Sub": [1, 2, 3]},
        {"Fn::GetAtt": []},
    ],
)
def test_what_a_deployment_decides_is_kept_whole_as_text(value: Any) -> None:
    there = scope(conditions={"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}})
    text = resolve(value, there)
    assert text.startswith("${")
    assert text.endswith("}")
    assert "}" not in text[:-1]  # so that whoever looks for the end of it finds it
    (name,) = value
    assert shown(text).startswith('${{"' + name)


def test_a_whole_function_can_be_had_back_from_its_text() -> None:
    text = resolve({"Fn::ImportValue": "elsewhere"}, scope())
    assert json.loads(shown(text)[2:-1]) == {"Fn::ImportValue": "elsewhere"}


def test_references_to_nothing_are_told() -> None:
    there = scope()
    value = [
        {"Ref": "Nobody"},
        {"Fn::GetAtt": ["Nothing", "Arn"]},
        {"Fn::Sub": "${Nowhere}"},
        {"Fn::If": ["Never", 1, 2]},
    ]
    assert resolve(value, there)[:3] == ["${Nobody}", "${Nothing.Arn}", "${Nowhere}"]
    assert there.dangling == ["Ref Nobody", "Fn::GetAtt Nothing.Arn", "Ref Nowhere", "condition Never"]


EQUAL = {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
OPEN = {"Fn::Equals": [{"Ref": "Other"}, "x"]}


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (EQUAL, True),
        ({"Fn::Not": [EQUAL]}, False),
        (OPEN, None),
        ({"Fn::Equals": [{"Ref": "Other"}, {"Ref": "Other"}]}, True),
        ({"Fn::Equals": ["1", 1]}, True),
        ({"Fn::Equals": ["true", True]}, True),
        ({"Fn::And": [EQUAL, OPEN]}, None),
        ({"Fn::And": [{"Fn::Not": [EQUAL]}, OPEN]}, False),
        ({"Fn::Or": [EQUAL, OPEN]}, True),
        ({"Fn::Or": [{"Fn::Not": [EQUAL]}, OPEN]}, None),
        ({"Condition": "Known"}, True),
        ({"Condition": "Loop"}, None),
        ("nonsense", None),
        ({"Fn::Equals": ["one"]}, None),
    ],
)
def test_conditions_hold_or_do_not_or_are_left_open(test: Any, expected: bool | None) -> None:
    conditions = {"Tested": test, "Known": EQUAL, "Loop": {"Fn::Not": [{"Condition": "Loop"}]}}
    there = scope(parameters={"Stage": "prod"}, declared={"Stage": {}, "Other": {}}, conditions=conditions)
    assert condition("Tested", there) is expected


def test_too_deep_is_said_so() -> None:
    value: Any = "x"
    for _ in range(200):
        value = {"Fn::Join": ["", [value]]}
    with pytest.raises(RecursionError):
        resolve(value, scope())


NAMES = st.sampled_from(
    ["Ref", "Fn::Sub", "Fn::If", "Fn::Join", "Fn::GetAtt", "Fn::Select", "Fn::FindInMap", "Fn::X", "a"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["Stage", "Queue", "AWS::NoValue", "${Stage}"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=12,
)


@given(VALUES)
def test_any_value_resolves_to_plain_json_or_to_nothing(value: Any) -> None:
    found = resolve(value, scope(conditions={"Stage": value}))
    assert found is NO_VALUE or json.loads(json.dumps(found)) == found
