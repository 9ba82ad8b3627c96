"""Tables: order of rows, and keyed deltas that say what changed and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb.collections.changes import Delta
from streamdb.collections.table import Table


class Row:
    """Deltas compare rows by identity, so every one of these is another row."""


Writes = list[tuple[str, Row | None]]
WRITES = st.lists(st.tuples(st.sampled_from("abcd"), st.none() | st.builds(Row)), max_size=12)


def naive(before: dict[str, Row], writes: Writes) -> dict[str, Row]:
    rows = dict(before)
    for key, row in writes:
        if row is None:
            rows.pop(key, None)
        else:
            rows[key] = row
    return rows


def replayed(rows: dict[str, Row], deltas: Sequence[Delta]) -> dict[str, Row]:
    """Apply deltas, checking each against the rule that it is keyed, true and no no-op."""
    rows = dict(rows)
    assert len({delta.key for delta in deltas}) == len(deltas)
    for delta in deltas:
        assert delta.old is not delta.new
        assert rows.get(delta.key) is delta.old
        if delta.new is None:
            del rows[delta.key]
        else:
            rows[delta.key] = delta.new
    return rows


@given(st.lists(WRITES, max_size=4))
def test_writes_and_their_deltas(batches: list[Writes]) -> None:
    table, seen = Table(), dict[str, Row]()
    for writes in batches:
        before = dict(table.rows)
        seen = replayed(seen, table.write(writes))
        assert list(table.rows.items()) == list(naive(before, writes).items())
        assert seen == table.rows


@given(WRITES, WRITES)
def test_replacing_all_rows_tells_the_difference(before: Writes, after: Writes) -> None:
    table = Table()
    table.write(before)
    was = dict(table.rows)
    rows = naive({}, after)
    assert replayed(was, table.replace(rows)) == rows
    assert list(table.rows) == list(rows)
    assert table.replace(dict(rows)) == []


def test_order_is_of_first_insertion() -> None:
    """An upsert keeps the place; delete and insert goes last."""
    table = Table()
    table.write([("a", Row()), ("b", Row()), ("c", Row())])
    table.write([("a", Row())])
    assert list(table.rows) == ["a", "b", "c"]
    table.write([("a", None), ("a", Row())])
    assert list(table.rows) == ["b", "c", "a"]


def test_watchers_are_isolated(caplog: pytest.LogCaptureFixture) -> None:
    table = Table()
    told: list[Sequence[Delta]] = []
    table.watch(lambda _: 1 / 0, lambda _: None)  # type: ignore[arg-type]  # raises
    table.watch(told.append, lambda _: None)
    delta = Delta("a", None, Row())
    table.notify([delta])
    assert told == [[delta]]
    assert "ZeroDivisionError" in caplog.text


def test_a_stopped_watcher_is_not_told() -> None:
    table = Table()
    told: list[object] = []
    stop = table.watch(told.append, told.append)
    stop()
    stop()
    table.notify([Delta("a", None, Row())])
    table.end(None)
    assert told == []


def test_the_end_is_told_once_and_to_latecomers() -> None:
    table = Table()
    ends: list[BaseException | None] = []
    error = ValueError("over")
    table.watch(lambda _: None, ends.append)
    table.end(error)
    table.watch(lambda _: None, ends.append)
    assert ends == [error, error]
