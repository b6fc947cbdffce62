"""Space-delimited filter patterns, beyond the documented examples: fields, values, refusals, properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors import patterns
from monitors.errors import PatternError

FRANK = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
PARTS = ["127.0.0.1", "Prod", "frank", "10/Oct/2000:13:25:15 -0700", "GET /index.html HTTP/1.0", "404", "1534"]
REPORT = (
    "REPORT RequestId: 3604209a-e9a3-11e6-939a-754dd98c7be3\tDuration: 12.34 ms\tBilled Duration: 100 ms "
    "Memory Size: 128 MB\tMax Memory Used: 18 MB\n"
)


def values(pattern: str, message: str) -> dict[str, str] | None:
    match = patterns.compile(pattern).match(message)
    return None if match is None else dict(match.values)


# The four examples of the API reference's TestMetricFilter and the one of the user guide; there counted from 0 in one
# place, while the service counts unnamed fields from 1.
@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("[ip, server, username, timestamp, request, status_code, bytes > 1000]", None),
        ("[ip, server, username, timestamp, request, status_code, bytes]", None),
        ("[..., bytes]", ["1", "2", "3", "4", "5", "6", "bytes"]),
        ("[]", ["1", "2", "3", "4", "5", "6", "7"]),
        ("[..., status_code=404, bytes]", ["1", "2", "3", "4", "5", "status_code", "bytes"]),
        ("[..., request=*.html*, status_code=4*,]", ["1", "2", "3", "4", "request", "status_code", "7"]),
        ("[ip, , username, ...]", ["ip", "2", "username", "4", "5", "6", "7"]),
        ("[ip, ..., bytes]", ["ip", "2", "3", "4", "5", "6", "bytes"]),
    ],
)
def test_extracted_values(pattern: str, names: list[str] | None) -> None:
    names = names or ["ip", "server", "username", "timestamp", "request", "status_code", "bytes"]
    expected = {f"${name}": part for name, part in zip(names, PARTS, strict=True)}
    assert values(pattern, FRANK) == expected
    assert list(expected) == list(values(pattern, FRANK) or {})


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        # without an ellipsis, the last field is all that is left of the line
        ("[a, b]", "one two three", {"$a": "one", "$b": "two three"}),
        ("[a, b]", 'one two  "three four" \n', {"$a": "one", "$b": 'two  "three four"'}),
        ("[a, b]", 'one "two three"\n', {"$a": "one", "$b": "two three"}),
        ("[a]", " ERROR here ", {"$a": "ERROR here"}),
        ("[a,]", "one two three", {"$a": "one", "$2": "two three"}),
        ("[a, b]", "one", None),
        ("[a]", "", None),
        ("[a]", " \n", None),
        # any run of whitespace is between two fields
        ("[a, b, ...]", "one \t\r\n two", {"$a": "one", "$b": "two"}),
        # brackets and quotes; one that nothing closes is text
        ("[a, b, ...]", "[x y] [z]", {"$a": "x y", "$b": "z"}),
        ("[a, b, ...]", '"" []', {"$a": "", "$b": ""}),
        ("[a, b, ...]", '"GET /', {"$a": '"GET', "$b": "/"}),
        ("[a, b, ...]", "[GET /", {"$a": "[GET", "$b": "/"}),
        ("[a, b, ...]", '] "', {"$a": "]", "$b": '"'}),
        ("[a, b, ...]", 'k="v w"', {"$a": 'k="v', "$b": 'w"'}),
        ("[a, b, ...]", "[x] y] z", {"$a": "x", "$b": "y]", "$3": "z"}),
        # an ellipsis may stand for nothing
        ("[a, ..., b]", "one two", {"$a": "one", "$b": "two"}),
        ("[a, ..., b]", "one", None),
        ("[]", "", {}),
        ("[...]", "one two", {"$1": "one", "$2": "two"}),
    ],
)
def test_fields(pattern: str, message: str, expected: dict[str, str] | None) -> None:
    assert values(pattern, message) == expected


def test_eight_words_in_seven_fields_make_the_last_no_number() -> None:
    pattern = "[ip, server, username, timestamp, request, status_code, bytes{}]"
    found = values(pattern.format(""), f"{FRANK} extra")
    assert found is not None
    assert found["$bytes"] == "1534 extra"
    assert values(pattern.format(" > 1000"), f"{FRANK} extra") is None


@pytest.mark.parametrize(
    ("condition", "matching", "others"),
    [
        ("a = 404", ["404"], ["404.0", "4040"]),  # a field is text
        ('a = "404"', ["404"], ["504"]),
        ("a = 4*", ["404", "4"], ["504"]),
        ('a = "*-*"', ["a-b", "-"], ["ab"]),
        ("a != -", ["x"], ["-"]),
        ("a != ERROR && a != WARN", ["INFO"], ["ERROR", "WARN"]),
        ("a > 1000", ["1000.5", "1e4"], ["1000", "-5", "nan", "inf", "1_000_000", "x"]),
        ("a >= -1.5 && a < 2", ["-1.5", "1.99"], ["-1.6", "2"]),
        ("a = x || a = y && a = z", ["x"], ["y", "z"]),
        ("a = x && (a = y || a = x)", ["x"], ["y"]),
        ("a = %^[0-9]+$%", ["123"], ["12a", ""]),
        ("a = null", ["null"], [""]),
    ],
)
def test_a_condition_on_one_field(condition: str, matching: list[str], others: list[str]) -> None:
    pattern = patterns.compile(f"[{condition}]")
    found = [word for word in [*matching, *others] if pattern.match(f'"{word}"')]
    assert found == matching


@pytest.mark.parametrize(
    "pattern",
    [
        *("[", "[a", "[a, b] x", "[a, b]]", "[a b]", "[[a]]", "[1a]", "[*]", '["a"]', "[%a%]", "[$a]", "[a:b]"),
        *("[a = ]", "[a = 1 ||]", "[= 1]", "[a = 1 || b = 2]", "[a, b = 1 && a = 2]", "[a == 1]", "[a IS NULL]"),
        *("[a, a]", "[a = 1, b, a = 2]", "[..., ...]", "[... = 1]", '[a > "1"]', "[a > b]", "[a < 1*]", "[a = (b)]"),
        *("[(a = 1)]", "[a = 1 && (a = 2]", "[a = 1)]", "[a = /x/*]", '[a = "x]'),
    ],
)
def test_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        patterns.compile(pattern)


def test_a_report_line_by_name_and_by_position() -> None:
    pattern = patterns.compile('[kind = "REPORT", id_name = "RequestId:", id, _d, duration, ms, ..., used, mb]')
    assert pattern.value(REPORT, "$duration") == 12.34
    assert pattern.value(REPORT, "$used") == 18.0
    assert pattern.value(REPORT, "$9") == 100.0  # behind `Billed Duration:`
    assert pattern.value(REPORT, "$5") == 12.34  # a named field has its position as well
    assert pattern.value(REPORT, "$99") is None
    assert pattern.text(REPORT, "$id") == "3604209a-e9a3-11e6-939a-754dd98c7be3"
    assert pattern.value(REPORT, "$id") is None
    assert pattern.value("START RequestId: 1", "$duration") is None
    assert pattern.value(REPORT, "1") == 1.0


@pytest.mark.parametrize("selector", ["$.a", "$nobody", "$0", "$01", "$-1", "a", "$", "$a b"])
def test_selectors_refused(selector: str) -> None:
    with pytest.raises(PatternError, match="must be a valid number"):
        patterns.compile("[a, b]").text("one two", selector)


WORDS = st.lists(st.text("abc=.:-", min_size=1, max_size=4), max_size=8)
SPACES = st.text(" \t", min_size=1, max_size=3)


@given(words=WORDS, space=SPACES, fields=st.integers(1, 9))
def test_the_last_field_takes_what_is_left_of_plain_words(words: list[str], space: str, fields: int) -> None:
    found = values("[" + ", ".join(f"f{index}" for index in range(fields)) + "]", space.join(words))
    if len(words) < fields:
        assert found is None
    else:
        assert list((found or {}).values()) == [*words[: fields - 1], space.join(words[fields - 1 :])]


@given(words=WORDS, before=st.integers(0, 4), after=st.integers(0, 4))
def test_an_ellipsis_loses_no_word(words: list[str], before: int, after: int) -> None:
    fields = [*(f"b{index}" for index in range(before)), "...", *(f"a{index}" for index in range(after))]
    found = values(f"[{', '.join(fields)}]", " ".join(words))
    if len(words) < before + after:
        assert found is None
    else:
        middle = [f"${index}" for index in range(before + 1, len(words) - after + 1)]
        names = [*(f"$b{index}" for index in range(before)), *middle, *(f"$a{index}" for index in range(after))]
        assert found == dict(zip(names, words, strict=True))


@given(parts=st.lists(st.tuples(st.sampled_from(['""', "[]", "  "]), st.text("ab ", min_size=1)), max_size=6))
def test_delimited_fields_come_back_whole(parts: list[tuple[str, str]]) -> None:
    line = " ".join(marks[0] + text + marks[1] for marks, text in parts)
    expected = [part for marks, text in parts for part in ([text] if marks != "  " else text.split())]
    assert list((values("[]", line) or {}).values()) == expected
