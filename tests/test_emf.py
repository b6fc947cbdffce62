"""EMF lines: read back by an independent reading of the format's specification, they hold exactly the samples given."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.records import Sample, tabulate
from subscribers import emf

NOW = 1_790_000_055_000
MINUTE = NOW // 60_000 * 60_000

# "Embedded metric format schema" in the CloudWatch user guide, restated; with PutMetricData's stricter limits on names.
NAME = {"type": "string", "minLength": 1, "maxLength": 255}
SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": NAME,
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "array",
                                    "maxItems": 30,
                                    "items": {"type": "string", "minLength": 1, "maxLength": 250},
                                },
                            },
                            "Metrics": {
                                "type": "array",
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "properties": {"Name": NAME, "Unit": {"type": "string"}},
                                },
                            },
                        },
                    },
                },
            },
        }
    },
    "additionalProperties": {
        "anyOf": [
            {"type": "number"},
            {"type": "string", "minLength": 1, "maxLength": 1024},
            {"type": "array", "maxItems": 100, "items": {"type": "number"}},
        ]
    },
}
validator = jsonschema.Draft202012Validator(SCHEMA)


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def samples_in(lines: Iterable[str]) -> Iterator[Sample]:
    """What CloudWatch takes out of EMF lines, by its specification."""
    for line in lines:
        assert len(line.encode()) <= 1_000_000
        assert "\n" not in line
        record = json.loads(line, parse_constant=refuse)
        validator.validate(record)
        for directive in record["_aws"]["CloudWatchMetrics"]:
            names = [metric["Name"] for metric in directive["Metrics"]]
            assert len(set(names)) == len(names)
            for keys in directive["Dimensions"]:
                dimensions = tuple((key, record[key]) for key in keys)
                assert all(isinstance(value, str) for _, value in dimensions)
                for metric in directive["Metrics"]:
                    values = record[metric["Name"]]
                    for value in values if isinstance(values, list) else [values]:
                        place = record["_aws"]["Timestamp"], dimensions
                        yield Sample(directive["Namespace"], metric["Name"], metric["Unit"], value, *place)


def rendered(*samples: Sample) -> emf.Rendered:
    return emf.lines(tabulate(samples), now_ms=NOW)


def sample(**more: Any) -> Sample:
    plain: dict[str, Any] = {"namespace": "N", "name": "m", "unit": "Count", "value": 1, "timestamp_ms": NOW}
    return Sample(**plain | more)


names = st.sampled_from(["a", "b", "c"])
good = st.builds(
    Sample,
    namespace=names.map(str.upper),
    name=names,
    unit=st.sampled_from(["Count", "Milliseconds"]),
    value=st.integers(-(10**9), 10**9) | st.floats(-1e100, 1e100),
    timestamp_ms=st.sampled_from([NOW, NOW - 60_000]),
    dimensions=st.sampled_from([(), (("D", "x"),), (("D", "y"), ("E", "z"))]),
)


@given(st.lists(good, max_size=300))
def test_every_good_sample_arrives_once(samples: list[Sample]) -> None:
    found = rendered(*samples)
    assert found.dropped == 0
    expected = Counter(one._replace(timestamp_ms=one.timestamp_ms // 60_000 * 60_000) for one in samples)
    assert Counter(samples_in(found.lines)) == expected


def test_metrics_of_a_group_share_records_of_100_values_each() -> None:
    many = [sample(name="a", value=at) for at in range(250)]
    few = [sample(name="b", value=at) for at in range(120)]
    found = rendered(*many, *few, sample(name="c"))
    sizes = [
        {key: len(value) for key, value in json.loads(line).items() if isinstance(value, list)} for line in found.lines
    ]
    assert sizes == [{"a": 100, "b": 100}, {"a": 100, "b": 20}, {"a": 50}]
    assert json.loads(found.lines[0])["c"] == 1


def test_one_name_with_two_units_takes_two_records() -> None:
    found = rendered(sample(unit="Count"), sample(unit="Percent"))
    assert len(found.lines) == 2
    assert {one.unit for one in samples_in(found.lines)} == {"Count", "Percent"}


def test_more_than_100_metrics_take_another_record() -> None:
    found = rendered(*(sample(name=f"m{at}") for at in range(101)))
    assert len(found.lines) == 2
    assert len(list(samples_in(found.lines))) == 101


def test_a_record_with_everything_at_its_limit_is_below_1_mb() -> None:
    dimensions = tuple((f"{at:02}{chr(34) * 248}", '"' * 1024) for at in range(30))
    columns: Any = {
        (f"{at:02}{chr(34) * 253}", "Gigabytes/Second"): ["-1.2345678901234567e-100"] * 100 for at in range(100)
    }
    found = emf.lines({('"' * 255, dimensions, MINUTE): columns}, now_ms=NOW)
    assert len(found.lines) == 1
    assert len(list(samples_in(found.lines))) == 10_000


BAD = {
    "not a number": {"value": float("nan")},
    "infinite": {"value": float("-inf")},
    "too large": {"value": 2.0**361},
    "no name": {"name": ""},
    "blank name": {"name": " "},
    "long name": {"name": "m" * 256},
    "colon first": {"name": ":m"},
    "a name that is taken": {"name": "_aws"},
    "a dimension's name": {"name": "D", "dimensions": (("D", "x"),)},
    "no namespace": {"namespace": ""},
    "unknown unit": {"unit": "Parsecs"},
    "empty dimension": {"dimensions": (("D", ""),)},
    "blank dimension": {"dimensions": (("D", "  "),)},
    "long dimension": {"dimensions": (("D", "x" * 1025),)},
    "long dimension name": {"dimensions": (("D" * 251, "x"),)},
    "dimension named twice": {"dimensions": (("D", "x"), ("D", "y"))},
    "reserved dimension": {"dimensions": (("_aws", "x"),)},
    "31 dimensions": {"dimensions": tuple((f"D{at}", "x") for at in range(31))},
    "two weeks old": {"timestamp_ms": NOW - 14 * 86_400_000 - 60_000},
    "three hours ahead": {"timestamp_ms": NOW + 3 * 3_600_000},
    "before the epoch": {"timestamp_ms": -1},
    "beyond all time": {"timestamp_ms": 10**30},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_what_cloudwatch_would_refuse_is_dropped_alone_and_counted(bad: dict[str, Any]) -> None:
    found = rendered(sample(name="good"), sample(**bad), sample(name="good"))
    assert found.dropped == 1
    assert [one.name for one in samples_in(found.lines)] == ["good", "good"]


def test_a_bad_value_does_not_cost_its_column() -> None:
    found = rendered(*(sample(value=value) for value in (1, float("nan"), 2.5, float("inf"))))
    assert [one.value for one in samples_in(found.lines)] == [1, 2.5]
    assert found.dropped == 2


@pytest.mark.parametrize(("value", "written"), [("Zürich", r"Z\xfcrich"), ("a\tb", r"a\tb"), ("\ud800", r"\ud800")])
def test_dimensions_beyond_ascii_are_escaped(value: str, written: str) -> None:
    (found,) = samples_in(rendered(sample(dimensions=(("City", value),))).lines)
    assert found.dimensions == (("City", written),)


@given(st.dictionaries(st.text(), st.text(), max_size=3), st.text(), st.floats(), st.integers())
def test_whatever_comes_every_line_is_sound_and_all_is_counted(
    dimensions: dict[str, str], name: str, value: float, timestamp_ms: int
) -> None:
    given_ = [
        sample(name=name, value=value, dimensions=tuple(dimensions.items())),
        sample(timestamp_ms=timestamp_ms),
        sample(),
    ]
    found = rendered(*given_)
    assert len(list(samples_in(found.lines))) + found.dropped == 3


def test_no_samples_no_lines() -> None:
    assert rendered() == ([], 0)
