"""Entries compare as the naive evaluator orders rows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from streamdb.engine.compiled.entries import compiled_entry_of
from streamdb.engine.key_order import key_order
from streamdb.engine.naive import Row, in_order
from streamdb.engine.sort_keys import SortKeys, entry_of, inverted
from streamdb.engine.sorted_rows import SortedRows
from streamdb.errors import ExpressionError
from streamdb.expr.nodes import ColumnNode, OrderTerm
from streamdb.expr.shape import row_shape


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


SHAPE = row_shape()
TERMS = st.lists(
    st.builds(OrderTerm, st.sampled_from([ColumnNode("x"), ColumnNode("y")]), *[st.booleans()] * 2),
    max_size=3,
)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda n: dt.timezone(dt.timedelta(minutes=n)))
# Values of one kind compare with each other.
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "numbers": st.integers() | st.floats() | st.booleans() | st.sampled_from([10**40, -(10**40)]),
    "decimals": st.decimals(allow_nan=False) | st.sampled_from([Decimal("nan")]),
    "text": st.text(st.characters(), max_size=3)
    | st.text("ab", max_size=2)
    | st.sampled_from(Colour),
    "moments": st.datetimes(timezones=ZONES),
    "local times": st.datetimes(),
    "dates": st.dates(),
    "times": st.times(),
    "durations": st.timedeltas(),
    "bytes": st.binary(max_size=2),
    "lists": st.lists(st.integers(0, 2), max_size=2),
}
ABSENT = st.sampled_from([None, UNSET])


def rows_of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[SimpleNamespace]]:
    values |= ABSENT
    return st.lists(st.builds(SimpleNamespace, x=values, y=values), max_size=12)


ROWS = st.sampled_from(sorted(KINDS)).flatmap(lambda kind: rows_of(KINDS[kind]))
TEXT_KEYS = st.text("ab", max_size=6)
KEYS = st.recursive(
    st.none() | st.integers(0, 9) | st.sampled_from([0.5, float("nan")]) | TEXT_KEYS,
    lambda inner: st.tuples(inner, inner),
)
BOTH_WAYS = pytest.mark.parametrize("make", [entry_of, compiled_entry_of])


def naive_order(rows: dict[Any, Any], terms: list[OrderTerm]) -> list[Any]:
    all_rows = [Row(key, row, None) for key, row in rows.items()]
    ordered = in_order(all_rows, tuple(terms), SHAPE, tie=lambda row: key_order(row.key))
    return [row.key for row in ordered]


@BOTH_WAYS
@given(ROWS, TERMS, st.data())
def test_any_rows_in_any_order(
    make: Any, items: list[Any], terms: list[OrderTerm], data: st.DataObject
) -> None:
    keys = data.draw(st.lists(KEYS | TEXT_KEYS, min_size=len(items), max_size=len(items)))
    rows = dict(zip(keys, items, strict=True))
    sort_keys = SortKeys(terms, SHAPE, make)
    sort_keys.choose(rows)
    entries = SortedRows(sort_keys.entry(key, row) for key, row in rows.items())
    assert list(entries) == naive_order(rows, terms)


@given(ROWS, TERMS)
def test_text_keys_until_another_comes(items: list[Any], terms: list[OrderTerm]) -> None:
    rows: dict[Any, Any] = {str(number): item for number, item in enumerate(items)}
    sort_keys = SortKeys(terms, SHAPE)
    sort_keys.choose(rows)
    assert sort_keys.are_text
    entries = SortedRows(sort_keys.entry(key, row) for key, row in rows.items())
    assert list(entries) == naive_order(rows, terms)
    sort_keys.take_any(entries)
    rows |= {("a", None): SimpleNamespace(x=None, y=None), None: SimpleNamespace(x=None, y=None)}
    for key in (("a", None), None):
        entries.insert(sort_keys.entry(key, rows[key]))
    assert list(entries) == naive_order(rows, terms)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_inverted_values_are_equal_where_the_values_are(kind: str) -> None:
    @given(KINDS[kind], KINDS[kind])
    def check(one: Any, other: Any) -> None:
        if one == one and other == other:
            assert (inverted(one) == inverted(other)) is (one == other)
            assert (inverted(one) < inverted(other)) is (other < one)

    check()


def test_a_term_of_text_is_the_value_beside_the_key() -> None:
    ascending = SortKeys([OrderTerm(ColumnNode("x"))], SHAPE)
    assert ascending.entry("k", SimpleNamespace(x="text")) == ("text", "k")
    descending = SortKeys([OrderTerm(ColumnNode("x"), descending=True)], SHAPE)
    assert descending.entry("k", SimpleNamespace(x=2)) == (-2, "k")


MIXTURES: list[tuple[Any, Any]] = [
    (1, "a"),
    (dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
    (dt.datetime(2026, 1, 1), dt.date(2026, 1, 1)),
    (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.date(2026, 1, 1)),
    (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.timedelta(1)),
    (b"a", "a"),
    ([1], 1),
    ({}, {"a": 1}),
]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("pair", MIXTURES, ids=repr)
def test_a_mixture_is_an_error_that_names_the_term(pair: tuple[Any, Any], descending: bool) -> None:
    term = OrderTerm(ColumnNode("x"), descending, nulls_first=not descending)
    sort_keys = SortKeys([term], SHAPE)
    rows = {str(number): SimpleNamespace(x=value) for number, value in enumerate(pair)}
    with pytest.raises(TypeError) as error:
        SortedRows(sort_keys.entry(key, row) for key, row in rows.items())
    said = sort_keys.mixture(rows.items(), error.value)
    assert isinstance(said, ExpressionError)
    assert str(said).startswith(f"rows cannot be ordered by `{term}`: ")
    with pytest.raises(ExpressionError) as naive:
        naive_order(rows, [term])
    assert str(said) == str(naive.value)
