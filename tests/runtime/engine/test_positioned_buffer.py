"""Whoever replays what a slow reader takes has the list as it is, whenever it takes it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamdb.engine import positioned_buffer, positioned_net
from streamdb.engine.executor import Change, Changes
from streamdb.engine.positioned_buffer import PositionedBuffer
from streamdb.engine.positioned_net import net_changes


class Listed:
    """An ordered result, changed at will: pairs of a key and a row."""

    def __init__(self, length: int) -> None:
        self.rows: list[tuple[int, Any]] = [(key, f"row {key}") for key in range(length)]

    def commit(self, writes: list[tuple[int, Any, int]]) -> Changes:
        """Put rows, or None to remove them, near places; one write for a key."""
        changes = list[Change]()
        for key, new, place in writes:
            keys = [one for one, _ in self.rows]
            old_index = keys.index(key) if key in keys else None
            old = None if old_index is None else self.rows.pop(old_index)[1]
            new_index = None
            if new is not None:
                new_index = min(place, len(self.rows))
                self.rows.insert(new_index, (key, new))
            if old is not new or old_index != new_index:
                changes.append((key, old, new, old_index, new_index))
        return changes


class Reader:
    """Replays what it takes."""

    def __init__(self, listed: Listed) -> None:
        self.woken = 0
        self.buffer = PositionedBuffer(self.wake, len(listed.rows))
        self.rows = list(listed.rows)

    def wake(self) -> None:
        self.woken += 1

    def take(self) -> Changes:
        changes = self.buffer.take()
        assert len({change[0] for change in changes}) == len(changes), "two changes of one key"
        for key, old, new, old_index, new_index in changes:
            assert old is not new or old_index != new_index, "a no-op"
            assert (old is None) is (old_index is None)
            assert (new is None) is (new_index is None)
            if old_index is not None:
                assert self.rows.pop(old_index) == (key, old)
            if new_index is not None:
                assert new_index <= len(self.rows)
                self.rows.insert(new_index, (key, new))
        return changes


ROWS = st.none() | st.sampled_from(["one", "other", ("tuple", 1)])
WRITES = st.lists(
    st.tuples(st.integers(0, 30), ROWS, st.integers(0, 30)), max_size=5, unique_by=lambda w: w[0]
)


@settings(deadline=None, max_examples=200)
@given(
    length=st.integers(0, 20),
    steps=st.lists(WRITES | st.just("take"), max_size=40),
    block=st.integers(1, 5),
    spare=st.sampled_from([3, 1000]),
)
def test_readers_of_any_slowness(length: int, steps: list[Any], block: int, spare: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(positioned_net, "_BLOCK", block)
        patch.setattr(positioned_buffer, "_SPARE", spare)
        listed = Listed(length)
        reader, last = Reader(listed), Reader(listed)
        for step in steps:
            if step == "take":
                reader.take()
                assert reader.rows == listed.rows
            else:
                changes = listed.commit(step)
                reader.buffer.push(changes)
                last.buffer.push(changes)
        for one in (reader, last):
            one.take()
            assert one.rows == listed.rows
            assert one.take() == []


def test_one_commit_is_handed_on_as_it_is() -> None:
    listed = Listed(3)
    reader = Reader(listed)
    changes = listed.commit([(0, "new", 2), (7, "seven", 0), (1, None, 0)])
    reader.buffer.push(changes)
    assert reader.take() == changes
    assert reader.woken == 1


def test_what_comes_to_nothing_is_nothing() -> None:
    listed = Listed(3)
    reader = Reader(listed)
    row = listed.rows[0][1]
    for writes in ([(7, "seven", 1), (0, row, 2)], [(7, None, 0)], [(0, row, 0)]):
        reader.buffer.push(listed.commit(writes))
    assert reader.take() == []


def test_a_row_that_moved_in_the_order_of_arrival_alone_is_nothing_to_a_reader() -> None:
    reader = Reader(Listed(3))
    reader.buffer.push([(0, "row 0", "row 0", 0, 0)])
    assert (reader.take(), reader.woken) == ([], 0)


def test_rows_that_stay_where_they_are_are_not_moved_around() -> None:
    listed = Listed(5)
    reader = Reader(listed)
    for key in (3, 1, 2):
        reader.buffer.push(listed.commit([(key, f"new {key}", key)]))
    assert reader.take() == [(key, f"row {key}", f"new {key}", key, key) for key in (1, 2, 3)]


def test_a_reader_who_never_takes_costs_memory_by_rows() -> None:
    listed = Listed(10)
    reader = Reader(listed)
    for n in range(20_000):
        reader.buffer.push(listed.commit([(n % 10, n, (n * 7) % 10)]))
        kept = reader.buffer._commits  # pyright: ignore[reportPrivateUsage] - it is the point
        assert sum(map(len, kept)) <= 4 * 10 + 1024
    assert len(reader.take()) == 10
    assert reader.rows == listed.rows


def test_an_end_is_told_and_nothing_is_taken_in_after_it() -> None:
    listed = Listed(3)
    reader = Reader(listed)
    reader.buffer.push(listed.commit([(0, None, 0)]))
    reader.buffer.end(ValueError("over"))
    reader.buffer.push(listed.commit([(1, None, 0)]))
    assert (reader.woken, reader.buffer.ended) == (2, True)
    assert [change[0] for change in reader.take()] == [0]


def test_a_long_list_of_which_little_changes() -> None:
    changes: list[Change] = [
        (50_000, "a", "b", 50_000, 99_999),
        (7, "c", None, 7, None),
        (-1, None, "d", None, 0),
        (50_000, "b", "e", 99_999, 50_001),
    ]
    assert net_changes(changes, 100_000) == [
        (7, "c", None, 7, None),
        (-1, None, "d", None, 0),
        (50_000, "a", "e", 50_000, 50_001),
    ]
