"""Values of a spec as Python literals: they read back as the same value."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb_gen.rendering.literals import lit

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_a_literal_reads_back_as_its_value(value: object) -> None:
    text = lit(value)  # type: ignore[arg-type]  # the strategy's type says less than it makes
    text.encode("utf-8")
    read = ast.literal_eval(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", '"plain"'),
        ('say "hi"', "'say \"hi\"'"),
        ("it's", '"it\'s"'),
        ("""both ' and " """, '"both \' and \\" "'),
        ("back\\slash", '"back\\\\slash"'),
        ("a\nb\tc\rd", '"a\\nb\\tc\\rd"'),
        ("Grüße 日本 🎉", '"Grüße 日本 🎉"'),
        ("\x00\x7f\x85\xa0", '"\\x00\\x7f\\x85\\xa0"'),
        ("\u202e\u2066\u200b\ufeff", '"\\u202e\\u2066\\u200b\\ufeff"'),
        ("\ud800", '"\\ud800"'),
        ("\U000e0041", '"\\U000e0041"'),
    ],
)
def test_text_is_quoted_as_ruff_does_and_hidden_characters_are_escaped(
    text: str, expected: str
) -> None:
    assert lit(text) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_json_has_not_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        lit(value)
