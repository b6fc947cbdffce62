"""Template text -> values, or an error with file and line; whatever the text, never a crash."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.templates.parsing import MOST_NODES, lines, parse
from monitors.errors import InputError


def resources(text: str) -> Any:
    return parse(text, "t.yaml")["Resources"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!Ref Queue", {"Ref": "Queue"}),
        ("!GetAtt Queue.Arn", {"Fn::GetAtt": ["Queue", "Arn"]}),
        ("!GetAtt [Queue, Arn]", {"Fn::GetAtt": ["Queue", "Arn"]}),
        ("!GetAtt Child.Outputs.Arn", {"Fn::GetAtt": ["Child", "Outputs.Arn"]}),
        ("!Sub '${A}-b'", {"Fn::Sub": "${A}-b"}),
        ("!If [Prod, !Ref A, 1]", {"Fn::If": ["Prod", {"Ref": "A"}, 1]}),
        ("!Condition Prod", {"Condition": "Prod"}),
        ("!Transform {Name: AWS::Include}", {"Fn::Transform": {"Name": "AWS::Include"}}),
        ("2010-09-09", "2010-09-09"),  # no date: CloudFormation takes it for text
        ("=", "="),
        ("yes", True),
        ("{1: a}", {"1": "a"}),
    ],
)
def test_short_forms_become_long_ones_and_text_stays_text(text: str, expected: Any) -> None:
    assert resources(f"Resources:\n  A: {text}\n") == {"A": expected}


def test_json_is_read_as_json_and_yaml_with_braces_as_yaml() -> None:
    assert resources('{"Resources": {"A": {"Type": "T\\u00e9"}}}') == {"A": {"Type": "Té"}}
    assert resources('{\n\t"Resources": {\n\t\t"A": 1}}') == {"A": 1}
    assert resources("{Resources: {A: !Ref B}}") == {"A": {"Ref": "B"}}


def test_aliases_are_written_out() -> None:
    text = "Resources:\n  A: &a {Type: T}\n  B: *a\n  C: {<<: *a, More: 1}\n"
    assert resources(text) == {"A": {"Type": "T"}, "B": {"Type": "T"}, "C": {"Type": "T", "More": 1}}


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Resources: [", r"t\.yaml:\d+:\d+: not YAML"),
        ("Resources:\n  A: {Type: x\n  B: 1", r"t\.yaml:\d+:\d+: not YAML"),
        ("Resources:\n  A: 1\n  B: 2\n  A: 3\n", r"t\.yaml:4:3: the key 'A' stands here twice"),
        ('{"Resources": {},\n "Resources": {}}', r"t\.yaml:2:2: the key 'Resources' stands here twice"),
        ('{"Resources":\n{"A": 1', r"t\.yaml:2:8: neither JSON nor YAML: Expecting ',' delimiter"),
        ("Resources: &r\n  A: *r\n", r"t\.yaml:1: an alias refers to what it is part of"),
        (f"{BOMB}Resources: {{}}", rf"more than {MOST_NODES:,} values once its aliases are written out"),
        ("Resources:\n  ? [a]\n  : 1", r"t\.yaml:2:5: a key must be text"),
        ("Resources: {}\n---\nResources: {}\n", r"t\.yaml:2:1: not YAML"),
        ("Resources:\n\tA: 1", r"t\.yaml:2:1: not YAML"),
        ("", "it has no Resources"),
        ("just words", "it has no Resources"),
        ("- a\n- b", "it has no Resources"),
        ("Resources: []", "it has no Resources"),
        ("a: 1", "it has no Resources"),
        ("Resources: *nobody", "not YAML"),
        ("Resources: {A: !!python/object:os.system x}", "not YAML"),
        ("\x00", "not YAML"),
    ],
)
def test_what_is_no_template_is_refused_with_its_place(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told) as raised:
        parse(text, "t.yaml")
    assert str(raised.value).startswith("t.yaml")


@pytest.mark.parametrize("depth", [200, 5_000, 300_000])
@pytest.mark.parametrize("opening", ["[", "- ", '{"a":', "{a: ", "? "])
def test_however_deep_it_is_an_error_and_no_crash(opening: str, depth: int) -> None:
    for text in (opening * depth, f"Resources:\n  A: {opening * depth}"):
        with pytest.raises(InputError):
            parse(text, "t.yaml")


def test_brackets_in_texts_are_not_taken_for_depth() -> None:
    text = "Resources:\n  A: " + json.dumps("[" * 3_000)
    assert resources(text) == {"A": "[" * 3_000}


def test_a_path_has_the_line_of_what_it_leads_to_or_of_the_part_before() -> None:
    text = "Resources:\n  A:\n    Type: T\n    Properties:\n      Tags:\n        - a\n        - b\n"
    whole = ("Resources", "A", "Properties", "Tags", 1)
    beyond = ("Resources", "A", "Properties", "Timeout")
    assert lines(text, [whole, beyond, ("Resources", "Made"), ("Nothing",)]) == {
        whole: 7,
        beyond: 4,
        ("Resources", "Made"): 1,
    }
    assert lines('{\n\t"Resources":\n\t{"A": 1}}', [("Resources", "A")]) == {("Resources", "A"): 3}


@given(st.text(max_size=80) | st.text(alphabet="{}[]:,-?!&* ab\n'\"", max_size=80))
def test_any_text_is_a_template_or_an_input_error(text: str) -> None:
    with contextlib.suppress(InputError):
        assert isinstance(parse(text, "t.yaml")["Resources"], dict)
