import json

from hypothesis import given
from hypothesis import strategies as st

from monitors.jsontext import compact

ANY_TEXT = st.text(st.characters(codec=None))  # lone surrogates too: a template may hold "\ud800"
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
)


@given(ANY_JSON)
def test_the_text_is_ascii_and_reads_back_as_the_value(value):
    text = compact(value)
    assert text.isascii()
    assert json.loads(text) == value


@given(st.dictionaries(st.text(), st.integers()))
def test_the_order_of_keys_does_not_matter(value):
    assert compact(value) == compact(dict(reversed(value.items())))


def test_keys_are_sorted_and_blanks_left_out():
    assert compact({"b": [1, 2.5], "a": "é"}) == '{"a":"\\u00e9","b":[1,2.5]}'
