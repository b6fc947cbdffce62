"""Odd templates, and good ones with something broken in them: every one ends in a Fleet or an error that says where."""

import contextlib
import copy
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.templates.parsing import parse
from infra.templates.reading import from_templates
from lookout.cli import main
from monitors.coverage import coverage
from monitors.errors import InputError
from monitors.fleet import from_json, to_json
from monitors.plan import by_place, plan
from monitors.settings import Settings
from tests.test_templates_services import TEMPLATE as SERVICES

ROOT = Path(__file__).resolve().parents[1]
ODD = sorted((ROOT / "tests/templates").iterdir())
GOOD = (ROOT / "infra/local/fleet/template.yaml", ROOT / "infra/template.yaml")

# By file: services found with how many; how many things are said to be missing; resources seen and understood.
EXPECTED = {
    "circular-references.yaml": ({"dynamodb": 1, "sns": 1, "sqs": 1}, 0, (3, 3)),
    "conditions-everywhere.yaml": ({"lambda": 1, "sqs": 1}, 0, (2, 2)),
    "dangling.yaml": ({"lambda": 1}, 0, (3, 3)),
    "loops.yaml": ({"sns": 2}, 1, (2, 2)),
    "odd-text.json": ({"lambda": 1, "sqs": 2}, 0, (3, 3)),
    "serverless-globals.yaml": ({"alarm": 1, "codedeploy": 1, "lambda": 2}, 0, (3, 3)),
    "shapes-nobody-expects.yaml": ({"events_rule": 1, "lambda": 2, "sns": 1, "sqs": 1}, 13, (5, 5)),
    "unknown-types.yaml": ({"lambda": 1}, 1, (5, 1)),
}


@pytest.mark.parametrize("path", ODD, ids=lambda path: path.name)
def test_an_odd_template_gives_what_can_be_had_and_counts_the_rest(path: Path) -> None:
    found = from_templates([str(path)], {})
    counted = sum(one.seen for one in found.tally), sum(one.understood for one in found.tally)
    services = dict(Counter(one.service for one in found.resources))
    assert (services, len(found.incomplete), counted) == EXPECTED[path.name]
    assert from_json(json.loads(json.dumps(to_json(found)))) == found
    for own in by_place(found).values():
        plan(own, Settings())


@pytest.mark.parametrize("path", [*ODD, *GOOD], ids=lambda path: path.name)
def test_whatever_a_template_makes_has_an_alarm_or_a_reason(path: Path) -> None:
    for own in by_place(from_templates([str(path)], {})).values():
        found = coverage(plan(own, Settings()))
        assert found.findings == ()
        assert all(one.alarms or one.reason for one in found.resources)


@pytest.mark.parametrize("path", ODD, ids=lambda path: path.name)
def test_the_command_prints_it_and_says_what_is_missing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["survey", "--template", str(path)]) == (1 if EXPECTED[path.name][1] else 0)
    said = capsys.readouterr()
    assert "in the templates" in said.out
    assert "\x00" not in said.out
    assert said.err.count("not read: ") == EXPECTED[path.name][1]


NUMBERS = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.floats(allow_nan=False))
TEXTS = st.sampled_from(["", "x", "${", "${A", "${AWS::Region}", "arn:", "arn:aws:sqs:::", "a,b", "[", "*"])
FUNCTIONS = st.sampled_from(
    (
        *("Ref", "Fn::Sub", "Fn::GetAtt", "Fn::If", "Fn::Join", "Fn::Select"),
        *("Fn::Split", "Fn::FindInMap", "Fn::Transform", "Fn::ImportValue", "Fn::Base64", "Fn::Cidr"),
        *("Fn::Equals", "Condition", "Fn::ForEach::X", "Fn::ToJsonString"),
    )
)
VALUES = st.recursive(
    NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FUNCTIONS | TEXTS, inner, max_size=2),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value within."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield (*path, key)
        yield from places(inner, (*path, key))


WHOLE = [*(parse(path.read_text(), path.name) for path in GOOD), parse(SERVICES, "services")]
PLACES = [list(places(each)) for each in WHOLE]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_broken_in_a_good_template_it_ends_in_a_fleet_or_an_input_error(tmp_path: Path, data: Any) -> None:
    which = data.draw(st.integers(0, len(WHOLE) - 1))
    template = copy.deepcopy(WHOLE[which])
    for path in data.draw(st.lists(st.sampled_from(PLACES[which]), min_size=1, max_size=3)):
        holder = template
        with contextlib.suppress(KeyError, IndexError, TypeError):  # what led there is itself broken by now
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = data.draw(VALUES)
    file = tmp_path / "t.json"
    file.write_text(json.dumps(template))
    with contextlib.suppress(InputError):
        found = from_templates([str(file)], {})
        assert from_json(json.loads(json.dumps(to_json(found)))) == found


@pytest.mark.parametrize(
    "more",
    [
        {"Conditions": {"Never": {"Fn::Not": []}}},
        {"Conditions": {"Never": {"Fn::And": []}}},
        {
            "Resources": {
                "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "a", "ProtocolType": "HTTP"}},
                "Stage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {"ApiId": {"Ref": "Api"}}},
            }
        },
    ],
    ids=["not nothing", "and nothing", "a stage without a name"],
)
def test_what_cloudformation_would_refuse_is_read_as_far_as_it_goes(tmp_path: Path, more: dict[str, Any]) -> None:
    topic = {"Topic": {"Type": "AWS::SNS::Topic", "Condition": "Never", "Properties": {"TopicName": "t"}}}
    template = {**more, "Resources": {**topic, **more.get("Resources", {})}}
    (tmp_path / "t.json").write_text(json.dumps(template))
    assert "sns" in {one.service for one in from_templates([str(tmp_path / "t.json")], {}).resources}
