"""Users' definitions give what CloudWatch Logs' own metric filters would: a sample for each match that has a value."""

import dataclasses
import json
from typing import Any

import pytest

from monitors.logdefinitions import Definition, Reading, definitions, read
from monitors.logmetrics import OTHER, gathered
from monitors.model import MetricDefinition
from monitors.names import CUSTOM_METRICS
from monitors.records import numeral

MINUTE = 1_790_000_040_000
ORDERS = [
    '{"level": "INFO", "amount": 12.5, "currency": "EUR"}',
    '{"level": "INFO", "amount": "7", "currency": "USD"}',
    '{"level": "INFO", "amount": "free", "currency": "EUR"}',
    '{"level": "INFO", "amount": 3}',
    '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET / HTTP/1.0" 404 1534',
    "payment failed",
]
AMOUNT = {"name": "Amount", "pattern": "{ $.amount = * }", "value": "$.amount", "unit": "None"}
BY_CURRENCY = AMOUNT | {"dimensions": [["Currency", "$.currency"]]}


def sound(*rows: dict[str, Any]) -> tuple[Definition, ...]:
    found = definitions(json.dumps(rows))
    assert found.mistakes == ()
    return found.sound


def reading(
    *rows: dict[str, Any], messages: list[str] = ORDERS, known: Any = None, group: str = "/aws/lambda/f"
) -> Reading:
    return read(gathered(group, "f", MINUTE, messages), sound(*rows), known=known or {})


def table(**columns: Any) -> Any:
    return {
        (CUSTOM_METRICS, (), MINUTE): {
            (name, unit): list(map(numeral, values)) for name, (unit, values) in columns.items()
        }
    }


def test_a_number_counts_each_match() -> None:
    found = reading({"name": "Failures", "pattern": '"payment failed"'})
    assert found.table == table(Failures=("Count", [1]))
    assert found.told == {5}


def test_a_selectors_value_and_no_sample_where_it_is_no_number() -> None:
    found = reading(AMOUNT)
    assert found.table == table(Amount=("None", [12.5, 7, 3]))
    assert found.told == {0, 1, 3}


def test_a_field_of_a_space_delimited_line() -> None:
    found = reading(
        {"name": "Bytes", "pattern": "[ip, id, user, time, request, status = 4*, bytes]", "value": "$bytes"}
    )
    assert found.table == table(Bytes=("Count", [1534]))


def test_a_line_without_the_dimension_gives_no_sample() -> None:
    assert reading(BY_CURRENCY).table == {
        (CUSTOM_METRICS, (("Currency", "EUR"),), MINUTE): {("Amount", "None"): ["12.5"]},
        (CUSTOM_METRICS, (("Currency", "USD"),), MINUTE): {("Amount", "None"): ["7"]},
    }


def test_a_default_where_none_matched() -> None:
    silent = {"name": "Crashes", "pattern": "segfault", "default": 0}
    failures = {"name": "Failures", "pattern": "failed", "default": 0}
    found = reading(silent, failures)
    assert found.table == table(Crashes=("Count", [0]), Failures=("Count", [1]))
    assert found.told == {5}


def test_no_default_where_a_match_had_no_value() -> None:
    found = reading(AMOUNT | {"default": 0}, messages=['{"amount": "free"}'])
    assert found.table == {}


def test_only_the_log_groups_it_is_about() -> None:
    failures = {"name": "Failures", "pattern": "failed", "log_groups": "/aws/lambda/shop-*"}
    assert not reading(failures).table
    assert reading(failures, group="/aws/lambda/shop-orders").table
    assert not reading({"name": "Failures", "pattern": "failed"}, group="/ecs/web").table


def test_several_definitions_on_one_line() -> None:
    found = reading(AMOUNT, {"name": "Info", "pattern": "INFO"}, messages=ORDERS[:1])
    assert found.table == table(Amount=("None", [12.5]), Info=("Count", [1]))


def test_dimension_sets_are_bounded_and_the_rest_kept_together() -> None:
    messages = [json.dumps({"amount": at, "currency": f"C{at}"}) for at in range(103)]
    found = reading(BY_CURRENCY, messages=messages)
    rest = (CUSTOM_METRICS, (("Currency", OTHER),), MINUTE)
    assert len(found.table) == 101
    assert found.table[rest] == {("Amount", "None"): ["100", "101", "102"]}
    assert found.overflowed == 3
    assert len(found.told) == 103
    again = reading(BY_CURRENCY, messages=messages[::-1], known=found.known)
    assert again.table.keys() == found.table.keys()
    assert len(found.known["Amount"]) == 100


def test_a_dimension_too_long_for_cloudwatch_is_not_remembered() -> None:
    found = reading(BY_CURRENCY, messages=[json.dumps({"amount": 1, "currency": "x" * 1025})])
    assert list(found.table) == [(CUSTOM_METRICS, (("Currency", OTHER),), MINUTE)]
    assert found.known == {"Amount": frozenset()}


def test_every_field_of_the_model_is_understood() -> None:
    model = MetricDefinition(name="Amount", pattern="{ $.amount = * }", value="$.amount", dimensions=(("C", "$.c"),))
    (found,) = sound(dataclasses.asdict(model))
    # Tags are the plan's to look at: the subscriber is handed definitions of one log group each.
    assert {*Definition._fields, "tags"} == {field.name for field in dataclasses.fields(MetricDefinition)}
    assert (found.name, found.value, found.unit, found.default) == ("Amount", "$.amount", "Count", None)
    assert found.dimensions == (("C", "$.c"),)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([], "not an object"),
        ({"pattern": "x"}, "name is not a text"),
        ({"name": "A"}, "pattern is not a text"),
        ({"name": "A", "pattern": None}, "pattern is not a text"),
        ({"name": "A", "pattern": "%(%"}, "Invalid character"),
        ({"name": "A", "pattern": "{ $.a = 1"}, "Invalid filter pattern"),
        ({"name": "A", "pattern": "x", "value": "$.amount"}, "must be a valid number"),
        ({"name": "A", "pattern": "{ $.a = 1 }", "dimensions": [["D", "$.b[*]"]]}, "must be a valid number"),
        ({"name": "A", "pattern": "x", "unit": "Parsecs"}, "no such unit: Parsecs"),
        ({"name": "A", "pattern": "x", "default": "often"}, "could not convert"),
        ({"name": "A", "pattern": "{ $.a = 1 }", "default": 0, "dimensions": [["D", "$.b"]]}, "not both"),
        ({"name": "A", "pattern": "{ $.a = 1 }", "dimensions": [["D"]]}, "length 1"),
        ({"name": "A", "pattern": "{ $.a = 1 }", "dimensions": 7}, "not iterable"),
        ({"name": "A", "pattern": "{ $.a = 1 }", "dimensions": {"D": 7}}, ""),
    ],
)
def test_a_bad_definition_is_named_and_the_others_run(row: Any, reason: str) -> None:
    found = definitions(json.dumps([row, {"name": "Good", "pattern": "x"}]))
    assert [one.name for one in found.sound] == ["Good"]
    (mistake,) = found.mistakes
    assert mistake.startswith("definition 1 (")
    assert reason in mistake


@pytest.mark.parametrize("text", ["", "{", "{}", "null", "[" * 100_000])
def test_text_that_is_no_list_of_definitions(text: str) -> None:
    found = definitions(text)
    assert found.sound == ()
    assert len(found.mistakes) == 1
