"""JSON filter patterns, beyond the documented examples: the service's own rules, values, refusals, properties."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors import patterns
from monitors.errors import PatternError
from monitors.patterns.json_selectors import document


def matches(pattern: str, message: str) -> bool:
    return patterns.compile(pattern).match(message) is not None


@pytest.mark.parametrize(
    ("condition", "matching", "others"),
    [
        # an unquoted number: numbers by value, strings as they are written
        ("= 1", ["1", "1.0", "1e0", "10e-1", '"1"'], ['"1.0"', "2", "true", "null", "[1]", '{"b":1}']),
        ("= -1.5", ["-1.5", "-15e-1", '"-1.5"'], ["1.5"]),
        ("= 1e3", ["1000", "1E3", '"1e3"'], ['"1000"']),
        # a quoted number: the number as it is written
        ('= "1"', ["1", '"1"'], ["1.0", "1e0"]),
        ("= %^[45][0-9]{2}$%", ["404", '"503"'], ["4040", "404.0", "true"]),
        # != differs, and is comparable: a string or a number
        ("!= 1", ["2", '"x"', '""', '"1.0"'], ["1", "1.0", '"1"', "null", "true", "false", "[]", "{}", "[2]"]),
        ('!= "x"', ['"y"', "0"], ['"x"', "null", "false", "[]"]),
        ("!= %^x%", ['"y"', "1"], ['"xy"', "null"]),
        # orders are of numbers only
        ("> 1", ["2", "1.5", "1e9"], ["1", "0", '"2"', "true", "null", "[2]"]),
        ("< 1", ["0", "-1e3"], ["1", '"0"', "false"]),
        (">= 1", ["1", "1.0", "2"], ["0.99", '"1"']),
        ("<= 1", ["1", "1.0", "0"], ["1.01", '"1"']),
        # booleans are not their names
        ("= true", ['"true"'], ["true", "1"]),
        ("IS TRUE", ["true"], ["false", '"true"', "1"]),
        ("IS FALSE", ["false"], ["true", '"false"', "0", "null"]),
        # any string or number
        ("= *", ['"x"', '""', "0"], ["null", "true", "[]", "{}"]),
        ('= "*"', ['"x"', '""', "0"], ["null", "true", "[]", "{}"]),
        ("= Alpha*", ['"Alpha"', '"AlphaBeta"'], ['"BetaAlpha"']),
        ("= *Alpha", ['"Alpha"', '"BetaAlpha"'], ['"AlphaBeta"']),
        ("= *.html*", ['"/index.html?x"', '".html"'], ['"html"']),
        ("= 4*", ["404", "4", '"4xx"'], ["504"]),
        ("= Ev*ent", ['"Ev*ent"'], ['"Event"', '"EvXent"']),  # as the guide had it in 2018
        ('= "Ev?nt"', ['"Ev?nt"'], ['"Event"']),
        ('= "say \\"hi\\""', [r'"say \"hi\""'], ['"say hi"']),
        ("= kms.amazonaws.com", ['"kms.amazonaws.com"'], ['"kms-amazonaws-com"']),
        ("= null_", ['"null_"'], ["null"]),
        # null, in an array too
        ("IS NULL", ["null", "[1,null]"], ["0", '""', "[]", '["null"]', "[[null]]", "false"]),
    ],
)
def test_a_condition_on_one_value(condition: str, matching: list[str], others: list[str]) -> None:
    pattern = patterns.compile(f"{{ $.a {condition} }}")
    found = [value for value in [*matching, *others] if pattern.match(f'{{"a":{value}}}')]
    assert found == matching
    assert pattern.match('{"b":1}') is None  # a missing value meets no condition but NOT EXISTS


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('{"a":{"b":null}}', False),  # null is there
        ('{"a":{"b":[]}}', False),
        ('{"a":{}}', True),
        ('{"a":null}', True),
        ('{"a":[{"b":1}]}', True),
        ('{"a":"b"}', True),
        ("{}", True),
    ],
)
def test_not_exists_if_any_step_is_missing(message: str, expected: bool) -> None:
    assert matches("{ $.a.b NOT EXISTS }", message) is expected


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("$.a.b-c_d[0]", '{"a":{"b-c_d":[7]}}'),
        ("$.['a.b']", '{"a.b":7}'),
        ('$.["a b"].c', '{"a b":{"c":7}}'),
        ("$['a'][\"b\"]", '{"a":{"b":7}}'),
        ("$.a[1][0]", '{"a":[[1],[7]]}'),
        ("$.0", '{"0":7}'),
        ("$.a[*]", '{"a":[1,7]}'),
        ("$.a[*]", '{"a":{"x":1,"y":7}}'),  # values of an object, too
        ("$.a[*].b", '{"a":[{"b":1},3,{"b":7}]}'),
        ("$.a[*][1]", '{"a":[[1],[1,7]]}'),
        ("$.*", '{"x":1,"y":7}'),
        ("$.*.b", '{"x":{"b":7}}'),
    ],
)
def test_selectors(selector: str, message: str) -> None:
    assert matches(f"{{ {selector} = 7 }}", message)
    assert not matches(f"{{ {selector} = 8 }}", message)


def test_a_wildcard_at_the_root_looks_at_scalars_only() -> None:
    assert not matches("{ $.* = 7 }", '{"x":[7],"y":{"z":7}}')


def test_wildcard_conditions_may_each_find_their_own_element() -> None:
    pattern = "{ $.items[*].a = 1 && $.items[*].b = 2 }"
    assert matches(pattern, '{"items":[{"a":1,"b":0},{"a":0,"b":2}]}')
    assert not matches(pattern, '{"items":[{"a":1,"b":0},{"a":0,"b":0}]}')


@pytest.mark.parametrize(
    ("message", "expected"),
    [('{"a":[{"b":1},{}]}', True), ('{"a":[{"b":1}]}', False), ('{"a":[]}', True), ("{}", True)],
)
def test_one_element_without_it_is_enough_for_not_exists(message: str, expected: bool) -> None:
    assert matches("{ $.a[*].b NOT EXISTS }", message) is expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('  {"a":1}\n', True),
        ('{"a":2,"a":1}', True),  # of a key given twice the last counts
        ('{"a":1,"a":2}', False),
        ('[{"a":1}]', False),
        ('INFO {"a":1}', False),
        ('{"a":1} INFO', False),
        ("{'a':1}", False),
        ('{"a":1', False),
        ('{"a":1,"b":NaN}', False),  # not JSON
        ('{"a":1,"b":' + "9" * 10_000 + "}", True),
        ('{"a":1,"b":' + "[" * 10_000 + "]" * 10_000 + "}", False),  # deeper than is read
        ("", False),
    ],
)
def test_the_message_is_one_json_object(message: str, expected: bool) -> None:
    assert matches("{ $.a = 1 }", message) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        *("{", "{}", "{ $.a }", "{ $.a = }", "{ $.a = 1", "{ $.a = 1 } x", "{ a = 1 }", "{ = 1 }", "{ 1 = $.a }"),
        *("{ $..a = 1 }", "{ $.a[-1] = 1 }", "{ $.a[0:2] = 1 }", "{ $.a[x] = 1 }", "{ $ = 1 }", "{ $.@a = 1 }"),
        *("{ $.a == 1 }", "{ !($.a = 1) }", "{ $.a = 1 AND $.b = 2 }", "{ $.a = 1 OR $.b = 2 }"),
        *(
            "{ $.a IS NOT NULL }",
            "{ $.a EXISTS }",
            "{ $.a = null }",
            "{ $.a != null }",
            "{ $.a IS }",
            '{ $.a IS "NULL" }',
        ),
        *('{ $.a > "1" }', '{ $.a > "str" }', "{ $.a > str }", "{ $.a >= 1* }", "{ $.a < %1% }"),
        *("{ $.a = 1 && }", "{ && $.a = 1 }", "{ ($.a = 1 }", "{ $.a = 1) }", "{ () }", "{ $.a = 1 $.b = 2 }"),
        *('{ $.a = "x }', "{ $.a = %x }", "{ $.a = [1] }", "{ $.a = $.b }", "{ $.a = a@b }", "{ $.a = c++ }"),
        *("{ $.a[*].b[*] = 1 }", "{ $.*[*] = 1 }"),
        "{ $.a[*] = 1 || $.b[*] = 1 || $.c[*] = 1 || $.d[*] = 1 }",
    ],
)
def test_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        patterns.compile(pattern)


def test_three_wildcards_and_many_parentheses_are_fine() -> None:
    assert matches("{ $.a[*] = 1 || $.b[*] = 1 || $.* = 1 }", '{"c":1}')
    assert matches("{" + "(" * 500 + "$.a=1" + ")" * 500 + "}", '{"a":1}')


LINE = (
    '{"ms": 11.5, "text": "11.5", "word": "fast", "yes": true, "none": null, "list": [3, "x"], '
    '"in": {"a.b": -2e1}, "huge": 1e999, "exact": 1.50}'
)


@pytest.mark.parametrize(
    ("selector", "text", "value"),
    [
        ("$.ms", "11.5", 11.5),
        ("$.text", "11.5", 11.5),  # numeric strings will do
        ("$.word", "fast", None),
        ("$.yes", None, None),
        ("$.none", None, None),
        ("$.list", None, None),
        ("$.list[0]", "3", 3.0),
        ("$.list[7]", None, None),
        ("$.in", None, None),
        ("$.in['a.b']", "-2e1", -20.0),
        ("$.missing", None, None),
        ("$.huge", "1e999", None),  # no metric value is infinite
        ("$.exact", "1.50", 1.5),
    ],
)
def test_values(selector: str, text: str | None, value: float | None) -> None:
    pattern = patterns.compile("{ $.ms = * }")
    assert (pattern.text(LINE, selector), pattern.value(LINE, selector)) == (text, value)
    assert (pattern.text("{}", selector), pattern.value("{}", selector)) == (None, None)


def test_a_line_is_decoded_once_for_all_patterns() -> None:
    document.cache_clear()
    for selector in ("$.ms", "$.word", "$.in"):
        patterns.compile(f"{{ {selector} = * }}").value(LINE, "$.ms")
    assert document.cache_info().misses == 1


def test_a_json_match_has_no_extracted_values() -> None:
    match = patterns.compile("{ $.ms = * }").match(LINE)
    assert match is not None
    assert match.values == {}


@pytest.mark.parametrize("selector", ["$.items[*].value", "$.*", "$ms", "$1", "$.", "ms", "", "$.a ", "nan", "1e999"])
def test_selectors_refused(selector: str) -> None:
    with pytest.raises(PatternError, match="must be a valid number"):
        patterns.compile("{ $.ms = * }").value("no match", selector)


SCALARS = st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(text=st.text(max_size=400).filter(lambda text: "*" not in text), value=VALUES)
def test_a_quoted_value_is_found_whatever_its_characters(text: str, value: Any) -> None:
    equal = patterns.compile(f"{{ $.a = {quoted(text)} }}")
    unequal = patterns.compile(f"{{ $.a != {quoted(text)} }}")
    assert equal.match(json.dumps({"a": text}))
    assert not unequal.match(json.dumps({"a": text}))
    message = json.dumps({"a": value})
    comparable = isinstance(value, str | int | float) and not isinstance(value, bool)
    assert bool(equal.match(message)) + bool(unequal.match(message)) == comparable


@given(limit=st.floats(allow_nan=False, allow_infinity=False), value=st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_compare_as_numbers_do(limit: float, value: float) -> None:
    message = json.dumps({"a": value})
    found = [sign for sign in ("=", "!=", "<", "<=", ">", ">=") if matches(f"{{ $.a {sign} {limit!r} }}", message)]
    if value == limit:
        assert found == ["=", "<=", ">="]
    else:
        assert found == (["!=", "<", "<="] if value < limit else ["!=", ">", ">="])


EXPRESSIONS = st.recursive(
    st.sampled_from("abcd").map(lambda key: (f"$.{key} = 1", key)),
    lambda inner: st.tuples(inner, st.sampled_from([("&&", "and"), ("||", "or")]), inner, st.booleans()).map(
        lambda parts: (
            f"({parts[0][0]} {parts[1][0]} {parts[2][0]})" if parts[3] else f"{parts[0][0]}{parts[1][0]}{parts[2][0]}",
            f"({parts[0][1]} {parts[1][1]} {parts[2][1]})"
            if parts[3]
            else f"{parts[0][1]} {parts[1][1]} {parts[2][1]}",
        )
    ),
    max_leaves=12,
)


@given(expression=EXPRESSIONS, bits=st.tuples(*[st.integers(0, 1)] * 4))
def test_precedence_is_that_of_and_and_or(expression: tuple[str, str], bits: tuple[int, ...]) -> None:
    values = dict(zip("abcd", bits, strict=True))
    pattern, python = expression
    assert matches(f"{{ {pattern} }}", json.dumps(values)) == bool(eval(python, {}, values))


@given(value=st.none() | st.booleans() | SCALARS | st.lists(SCALARS | st.just({"a": 1}), max_size=3), text=st.text())
def test_only_objects_match(value: Any, text: str) -> None:
    for message in (json.dumps(value), text + json.dumps({"b": 1}), json.dumps({"b": 1}) + text):
        if message.strip(" \t\r\n") != '{"b": 1}':
            assert not matches("{ $.a NOT EXISTS || $.* = * }", message)
