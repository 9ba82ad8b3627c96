"""The scanner reads what `json` reads, and knows where everything stands."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb_gen.json_scanner import MAX_NESTING, MAX_NUMBER_LENGTH, scan
from streamdb_gen.json_source import (
    JsonValue,
    Node,
    Place,
    Source,
    escape_token,
    split_pointer,
)

TEXT = st.text(st.characters(), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    SCALARS.filter(lambda value: value not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def _places(place: Place) -> Iterator[Place]:
    yield place
    for inner in [*place.items(), *(value for _, value in place.members())]:
        yield from _places(inner)


@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_valid_text_reads_as_json_reads_it(
    value: JsonValue, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    scanned = scan(text)

    assert scanned.faults == ()
    assert scanned.root is not None
    assert repr(scanned.root.value) == repr(json.loads(text))


@given(VALUES, st.sampled_from([None, 1]))
def test_every_value_and_key_stands_where_its_node_says(
    value: JsonValue, indent: int | None
) -> None:
    text = json.dumps(value, indent=indent)
    root = scan(text).root
    assert root is not None
    lines = text.split("\n")
    for place in _places(Place(root)):
        piece = text[place.node.start : place.node.end]
        assert repr(json.loads(piece)) == repr(place.value)
        line, column = Source(text).position(place.node.start)
        assert lines[line - 1][column - 1 :].startswith(piece.split("\n")[0])
        for key, member in place.node.members.items():
            assert text[member.key_start :].startswith(json.dumps(key))


@given(VALUES)
def test_pointers_lead_to_their_values(value: JsonValue) -> None:
    root = scan(json.dumps(value)).root
    assert root is not None
    for place in _places(Place(root)):
        found: JsonValue = root.value
        for token in split_pointer(place.pointer) or ():
            found = found[int(token)] if isinstance(found, list) else _member(found, token)
        assert found is place.value


def _member(value: JsonValue, token: str) -> JsonValue:
    assert isinstance(value, dict)
    return value[token]


@given(st.text(st.characters(), max_size=60))
def test_no_text_is_an_exception(text: str) -> None:
    _check(text)


@given(st.text(st.sampled_from('{}[]",:\\u0123dDe+-.tfn/*# \n\tNI'), max_size=40))
def test_no_almost_json_is_an_exception(text: str) -> None:
    _check(text)


def _check(text: str) -> None:
    """Accepted without fault exactly where `json` accepts it."""
    scanned = scan(text)
    for fault in scanned.faults:
        assert 0 <= fault.offset <= len(text)
    try:
        expected = json.loads(text, parse_constant=_refuse)
    except ValueError:
        assert scanned.faults
    else:
        assert scanned.faults == () or _is_beyond_limits(text)
        assert scanned.root is not None
        if not scanned.faults:
            assert repr(scanned.root.value) == repr(expected)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _is_beyond_limits(text: str) -> bool:
    """Exponents beyond floating point, and duplicate keys, which `json` accepts."""
    return {fault.rule for fault in scan(text).faults} <= {"JSON_TOO_LARGE", "JSON_DUPLICATE_KEY"}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_lines_end_as_editors_end_them(line_end: str) -> None:
    root = scan(f"[1,{line_end}  22,{line_end}{line_end}3]").root
    assert root is not None
    text = f"[1,{line_end}  22,{line_end}{line_end}3]"
    assert [Source(text).position(item.start) for item in root.items] == [(1, 2), (2, 3), (4, 1)]


def test_columns_count_characters() -> None:
    text = '["\U0001f600é", 1]'
    root = scan(text).root
    assert root is not None
    assert Source(text).position(root.items[1].start) == (1, 8)


def test_integers_are_exact_and_fractions_are_numbers() -> None:
    root = scan("[9007199254740993, 1.0, 1e2, -0]").root
    assert root is not None
    assert root.value == [9007199254740993, 1.0, 100.0, 0]
    assert [type(item) for item in _list(root)] == [int, float, float, int]


def _list(node: Node) -> list[JsonValue]:
    assert isinstance(node.value, list)
    return node.value


def test_lone_surrogates_are_data() -> None:
    root = scan(r'["\ud83d", "\ude00", "\ud83d\ude00", "\ud83d\u0041"]').root
    assert root is not None
    assert root.value == ["\ud83d", "\ude00", "\U0001f600", "\ud83dA"]


def test_nesting_has_a_limit() -> None:
    assert scan("[" * MAX_NESTING + "]" * MAX_NESTING).faults == ()
    too_deep = scan("[" * 100_000)
    assert [fault.rule for fault in too_deep.faults] == ["JSON_TOO_DEEP"]
    assert too_deep.root is None


@pytest.mark.parametrize(
    "number", ["9" * 5000, "1e999", "-1e999", "1e-999", "0." + "1" * MAX_NUMBER_LENGTH]
)
def test_numbers_have_limits(number: str) -> None:
    assert [fault.rule for fault in scan(number).faults] == ["JSON_TOO_LARGE"]


def test_a_fault_that_is_clear_hides_no_other() -> None:
    scanned = scan('{"a": 01, /* x */ "a": NaN "b": "\\q", }')
    assert [fault.rule for fault in scanned.faults] == [
        "JSON_NUMBER",
        "JSON_COMMENT",
        "JSON_DUPLICATE_KEY",
        "JSON_LITERAL",
        "JSON_COMMA_MISSING",
        "JSON_BAD_ESCAPE",
        "JSON_TRAILING_COMMA",
    ]
    assert scanned.root is not None


def test_the_pointer_of_a_fault_leads_to_the_value_around_it() -> None:
    (fault,) = scan('{"a/b": [1, {"c": NaN}]}').faults
    assert fault.pointer == "/a~1b/1/c"


@given(TEXT)
def test_tokens_survive_pointers(token: str) -> None:
    assert split_pointer(f"/{escape_token(token)}") == (token,)
