"""Regular expressions of filter patterns: the language against Python's own `re`, the two engines, hostile input."""

import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors import patterns
from monitors.errors import PatternError
from monitors.patterns import regex
from monitors.patterns.automaton import MOST_KEPT, searcher
from monitors.patterns.expressions import alternatives


@pytest.mark.parametrize(
    ("expression", "matching", "others"),
    [
        (r"\d", ["port 80"], ["port", "٣"]),  # ASCII digits only
        (r"^\D+$", ["port", "٣"], ["80"]),
        (r"a\sb", ["a b", "a\tb", "a\nb"], ["ab", "a\u00a0b"]),
        (r"^\S$", ["a", "\u00a0"], [" "]),
        (r"^\w$", ["a", "Z", "0", "_"], ["-", "é"]),
        (r"^\W$", ["-", "é"], ["a"]),
        (r"\x41\x7e", ["A~"], ["a~"]),
        (r"\\\.\-\/\$\^", [r"\.-/$^"], ["x"]),
        ("a.b", ["a b", "aéb"], ["a\nb"]),
        ("^b", ["bc"], ["a\nb"]),  # the ends of the whole text, not of its lines
        ("b$", ["ab"], ["b\na", "b\n"]),
        ("^$", [""], ["a"]),
        ("$^", [""], ["a"]),
        ("a*^b", ["b"], ["ab"]),
        ("a^b", [], ["ab", "a^b"]),
        ("x|^b$|", ["", "anything"], []),
        ("[]a]", ["]", "a"], ["b"]),
        ("^[^]a]$", ["b", "é"], ["]", "a"]),
        ("[a-c-]", ["b", "-"], ["d"]),
        ("[-.]", ["-", "."], ["x"]),
        (r"^[\d_]+$", ["1_2"], ["a"]),
        (r"^[^\d]$", ["a", "é"], ["1"]),
        (r"^[\Dx]$", ["a", "é"], ["1"]),
        (r"[\x30-\x33]", ["2"], ["4"]),
        (r"[\]\\]", ["]", "\\"], ["a"]),
        ("[ab|]", ["|"], ["c"]),
        ("^a{2}$", ["aa"], ["a", "aaa"]),
        ("^a{,2}$", ["", "a", "aa"], ["aaa"]),
        ("^a{2,}$", ["aa", "aaaaa"], ["a"]),
        ("^ba{0,0}c$", ["bc"], ["bac"]),
        ("^a+?b??c*?$", ["a", "ab", "abcc"], ["b"]),  # a search that only says yes or no is never lazy
        ("a}]", ["a}]"], ["a"]),
        (".*foo.*bar.*", ["1foo2bar3"], ["bar foo"]),
        ("ERROR: #1=@/;,_-", ["ERROR: #1=@/;,_-"], ["ERROR"]),
    ],
)
def test_the_language(expression: str, matching: list[str], others: list[str]) -> None:
    search, automaton = regex.compiled(expression), searcher(alternatives(expression))
    assert [text for text in [*matching, *others] if search(text)] == matching
    assert [text for text in [*matching, *others] if automaton(text)] == matching


@pytest.mark.parametrize(
    "expression",
    [
        *("", "*a", "a**", "a*+", "a++", "a{2}{3}", "|*", "^*", "$+", "a{2,1}", "a{", "a{,}", "a{x}", "{2}"),
        *(
            "[a",
            "[]",
            "[^]",
            "[z-a]",
            r"[a-\d]",
            r"[\w-z]",
            "a\\",
            r"\b",
            r"\n",
            r"\p",
            r"\1",
            r"\x4",
            r"\xZZ",
            r"[\b]",
        ),
        *("a{2001}", "a{1000}b{1001}", "a{99999999999999999999}"),
    ],
)
def test_does_not_compile(expression: str) -> None:
    with pytest.raises(PatternError, match=r"Failed to compile regular expression\."):
        regex.compiled(expression)


@pytest.mark.parametrize("stray", ["(", ")", "!", "<", ">", "&", "~", "'", '"', "é", "日", "\n", "%"])
def test_outside_the_alphabet(stray: str) -> None:
    with pytest.raises(PatternError, match=r"Invalid character\(s\) in term '%a"):
        regex.compiled(f"a{stray}b")


ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "1",
        ".",
        "[ab]",
        "[^a]",
        "[0-9a]",
        r"\d",
        r"\D",
        r"\w",
        r"\W",
        r"\s",
        r"\S",
        r"[^\d]",
        r"\x61",
        r"\.",
        " ",
    ]
)
TIMES = st.sampled_from(["", "", "", "*", "+", "?", "*?", "{2}", "{1,3}", "{,2}", "{2,}", "{0}"])
ROWS = st.lists(st.tuples(ATOMS, TIMES).map("".join) | st.sampled_from("^$"), min_size=1, max_size=6).map("".join)
EXPRESSIONS = st.lists(ROWS, min_size=1, max_size=3).map("|".join)


@given(expression=EXPRESSIONS, text=st.text("ab1 .\nÿéΩ", max_size=12))
def test_both_engines_agree_with_python(expression: str, text: str) -> None:
    expected = bool(re.search(expression.replace("$", r"\Z"), text, re.ASCII))
    assert regex.compiled(expression)(text) is expected
    assert searcher(alternatives(expression))(text) is expected


@given(seed=st.integers(0, 50), last=st.sampled_from("abc"))
def test_the_automaton_may_forget(seed: int, last: str) -> None:
    """2^13 sets of states come up: more than are kept."""
    text = "".join(random.Random(seed).choices("ab", k=3 * MOST_KEPT)) + last
    assert searcher(alternatives("a[ab]{12}c"))(text) is bool(re.search("a[ab]{12}c", text))


MEGABYTE = 1_000_000
CODE_POINTS = "".join(map(chr, range(256, 50_256))) * 20


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("%a*a*a*a*b%", "a" * MEGABYTE),
        (r"%\w\d+x%", "1" * MEGABYTE),
        ("%a.*a.*a.*b%", "a" * MEGABYTE),
        ("%a.{900}c.{900}d%", "".join(random.Random(1).choices("ab", k=MEGABYTE))),
        ("%[^a].{900}c%", CODE_POINTS),
        ("{ $.a = %a+a+a+b% }", '{"a":"' + "a" * MEGABYTE + '"}'),
        ("{ $.a > 1 }", '{"a":' + "1" * MEGABYTE + "}"),
        ("{ $.a[*] = 2 && $.a[*] = 3 }", '{"a":[' + "1," * (MEGABYTE // 2) + "1]}"),
        ("{ $.a = 1 }", '{"a":' * (MEGABYTE // 5)),
        ("[a = %a+a+a+b%, b]", "a" * MEGABYTE + " a"),
        ("[a, ..., b = x]", "[ " * (MEGABYTE // 2)),
        ("[a, ..., b = x]", '"" ' * (MEGABYTE // 3)),
        ("[a > 1]", "1" * MEGABYTE + "x"),
    ],
)
def test_a_megabyte_takes_about_a_second_at_worst(pattern: str, message: str) -> None:
    compiled = patterns.compile(pattern)
    begun = time.perf_counter()
    assert compiled.match(message) is None
    assert time.perf_counter() - begun < 4  # under 1 on an idle machine; a backtracking search would take hours


@pytest.mark.parametrize("expression", ["a*a*a*a*b", r"\w\d+x", "a{1,30}a{1,30}a{1,30}b", "aaaaaaaaaa?a?a?a?b"])
def test_no_length_in_between_takes_long(expression: str) -> None:
    """Python's `re` searches the shorter of these."""
    search = regex.compiled(expression)
    begun = time.perf_counter()
    assert not any(search(letter * length) for letter in "a1" for length in (10, 30, 100, 300, 1_000, 3_000, 10_000))
    assert time.perf_counter() - begun < 2
