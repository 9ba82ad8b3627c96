"""Values of a spec as TypeScript: they read back as the same value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.codegen.typescript.peer import TypeScript
from tests.codegen.typescript.specs import row, spec_of

from streamdb_gen.targets.typescript.literals import key_name, lit, property_name
from streamdb_gen.targets.typescript.package import render_modules

# Numbers that JavaScript holds, and text of every kind.
TEXT = st.text(st.characters(exclude_categories=[])) | st.sampled_from(
    ["</script>", "<!--", "\u2028", "__proto__", "constructor", "1", "\ud800", "${x}", "`", "*/"]
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(values=st.lists(JSON, min_size=5, max_size=5))
def test_values_read_back(typescript: TypeScript, values: list[Any]) -> None:
    source = render_modules(spec_of(row(), schema={"enum": values}))["index.ts"]
    source.encode("utf-8")
    schema = typescript.exports(source)["jsonSchema"]["collections"]["rows"]["schema"]
    assert as_javascript(schema["enum"]) == as_javascript(values)


def as_javascript(values: list[Any]) -> Any:
    """Every number is a float, and every pair of surrogates one character."""
    return json.loads(json.dumps(values), parse_int=float)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", '"plain"'),
        ('say "hi"', "'say \"hi\"'"),
        ("it's", '"it\'s"'),
        ("a\nb\tc\\", '"a\\nb\\tc\\\\"'),
        ("Grüße 日本 🎉", '"Grüße 日本 🎉"'),
        ("\x00\x7f\u2028\u202e\ufeff", '"\\x00\\x7f\\u2028\\u202e\\ufeff"'),
        ("\ud800\U000e0041", '"\\ud800\\u{e0041}"'),
        ("</script><SCRIPT><!--<b>", '"\\x3c/script>\\x3cSCRIPT>\\x3c!--<b>"'),
        (None, "null"),
        (True, "true"),
        (-1, "-1"),
        (0.5, "0.5"),
        (1e300, "1e300"),
        (1.5e-7, "1.5e-7"),
        (2.0**60, "1.152921504606847e18"),
    ],
)
def test_how_scalars_are_written(value: Any, expected: str) -> None:
    assert lit(value) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_json_has_not_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        lit(value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("createdAt", "createdAt"),
        ("$ref", "$ref"),
        ("日本", "日本"),
        ("class", "class"),
        ("", '""'),
        ("a b", '"a b"'),
        ("1", '"1"'),
        ("a-b", '"a-b"'),
        ("😀", '"😀"'),
        ("\u3164", '"\\u3164"'),
    ],
)
def test_names_are_quoted_where_they_have_to_be(name: str, expected: str) -> None:
    assert property_name(name) == expected
    assert key_name(name) == expected


def test_no_property_sets_a_prototype() -> None:
    assert key_name("__proto__") == '["__proto__"]'
