"""The JSON schema of lookout.toml agrees with what is read."""

import tomllib

import pytest
from jsonschema import Draft202012Validator

from monitors.catalog.tables import CATALOG
from monitors.settings_schema import schema
from tests.test_docs import blocks
from tests.test_settings import FULL

VALID = Draft202012Validator(schema())


def wrong(text: str) -> list[str]:
    return [error.message for error in VALID.iter_errors(tomllib.loads(text))]


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("text", ["", FULL, *(block.text for block in blocks("toml"))])
def test_it_takes_what_the_documents_show(text: str) -> None:
    assert wrong(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "topic = 1",
        '[topics]\npages = "x"',
        '[rules."lambda.eror"]\nhigh = 1',
        '[rules."lambda.errors"]\nhigher = 1',
        '[rules."lambda.errors"]\nhigh = "1"',
        '[rules."lambda.errors"]\nseverity = "loud"',
        "[[match]]\nslo = 100",
        '[[match]]\nmute = "yes"',
        '[[match]]\nrules."lambda.eror".high = 1',
        '[[metrics]]\nname = "A"',
        '[[metrics]]\nname = "A"\npattern = ""\nunit = "percent"',
        '[[metrics]]\nname = "A"\npattern = ""\ndimensions = [["B", "$.b"]]',
    ],
)
def test_it_refuses_what_is_refused(text: str) -> None:
    assert wrong(text)


def test_every_rule_is_told() -> None:
    rules = schema()["$defs"]["Rules"]["properties"]
    assert rules.keys() == {one.id for one in (*CATALOG.rules, *CATALOG.healths)}
    assert all(one["description"].endswith((".", "!")) for one in rules.values())
