"""Sorted rows are held to a plain sorted list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamdb.engine import sorted_rows
from streamdb.engine.sorted_rows import Entry, SortedRows

# Few values, so that there are many ties; few keys, so that keys come again.
ENTRIES = st.tuples(st.integers(0, 9), st.integers(0, 60))


@pytest.fixture(autouse=True)
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have several blocks from a few rows on, so that blocks are cut and joined."""
    monkeypatch.setattr(sorted_rows, "_LONGEST", 4)
    monkeypatch.setattr(sorted_rows, "_ROOTS", 1)
    monkeypatch.setattr(sorted_rows, "_SHORT", 2)


def assert_is(rows: SortedRows, expected: list[Entry]) -> None:
    keys = [entry[-1] for entry in expected]
    assert len(rows) == len(keys)
    assert list(rows) == keys
    assert [rows[place] for place in range(len(keys))] == keys
    assert [rows.index(key) for key in keys] == list(range(len(keys)))
    for outside in (-1, len(keys)):
        with pytest.raises(IndexError, match=f"no row {outside} among {len(keys)}"):
            rows[outside]


def changed(rows: SortedRows, expected: list[Entry], entry: Entry) -> None:
    """Put in an entry, or take its key out if the very same one is there."""
    key = entry[-1]
    old = next((one for one in expected if one[-1] == key), None)
    if old is not None and old == entry:
        place = expected.index(old)
        assert rows.remove(key) == place
        del expected[place]
        return
    old_place = None if old is None else expected.index(old)
    if old_place is not None:
        del expected[old_place]
    expected.append(entry)
    expected.sort()
    place = expected.index(entry)
    assert (rows.insert(entry) if old is None else rows.move(entry)) == (
        place if old is None else (old_place, place)
    )


@settings(deadline=None)
@given(st.lists(ENTRIES, unique_by=lambda e: e[-1]), st.lists(ENTRIES, max_size=150))
def test_any_history(first: list[Entry], changes: list[Entry]) -> None:
    rows, expected = SortedRows(first), sorted(first)
    assert_is(rows, expected)
    for entry in changes:
        changed(rows, expected, entry)
    assert_is(rows, expected)


@given(st.permutations(range(40)), st.permutations(range(40)))
def test_filled_and_emptied(come: list[int], go: list[int]) -> None:
    rows, expected = SortedRows(), list[Entry]()
    for entry in [(n, n) for n in [*come, *go, *come]]:
        changed(rows, expected, entry)
        assert_is(rows, expected)


def test_moving_within_a_tie_changes_nothing() -> None:
    rows = SortedRows([(1, "a"), (1, "b"), (1, "c")])
    assert rows.move((1, "b")) == (1, 1)
    assert list(rows) == ["a", "b", "c"]


def test_unknown_keys() -> None:
    rows = SortedRows([(1, "a")])
    for ask in (rows.index, rows.remove):
        with pytest.raises(KeyError):
            ask("b")


def test_entries_that_do_not_compare() -> None:
    rows = SortedRows([(1, "a")])
    entry: Any = ("one", "b")
    with pytest.raises(TypeError):
        rows.insert(entry)
    assert list(rows) == ["a"]
