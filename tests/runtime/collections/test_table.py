"""Tables: order of rows, and keyed deltas that say what changed and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb.collections.changes import Delta, net_deltas
from streamdb.collections.loading import LoadingRows
from streamdb.collections.overlay import NO_ECHOES, Echoes
from streamdb.collections.staging import StagedRows
from streamdb.collections.table import Table, Write
from streamdb.state.unknown_fields import stored


class Row:
    """Deltas compare rows by identity, so every one of these is another row."""


Writes = list[tuple[str, Row | None, int]]


@st.composite
def write_lists(draw: st.DrawFn) -> Writes:
    """Writes whose ordinals rise, as in a stream."""
    operations = draw(
        st.lists(st.tuples(st.sampled_from("abcd"), st.none() | st.builds(Row)), max_size=12)
    )
    return [(key, row, number) for number, (key, row) in enumerate(operations)]


def naive(before: dict[str, Row], writes: Writes) -> dict[str, Row]:
    rows = dict(before)
    for key, row, _ in writes:
        if row is None:
            rows.pop(key, None)
        else:
            rows[key] = row
    return rows


def loaded(writes: Writes) -> LoadingRows:
    loading = LoadingRows()
    for key, row, ordinal in writes:
        if row is None:
            loading.remove(key, 0)
        else:
            loading.sink.put(key, row, ordinal)
    return loading


def replayed(rows: dict[str, Row], deltas: Sequence[Delta]) -> dict[str, Row]:
    """Apply deltas, checking each against the rule that it is keyed, true and no no-op."""
    rows = dict(rows)
    assert len({key for key, _, _ in deltas}) == len(deltas)
    for key, old, new in deltas:
        assert old is not new
        assert rows.get(key) is old
        if new is None:
            del rows[key]
        else:
            rows[key] = new
    return rows


@given(write_lists(), st.lists(write_lists(), max_size=4), st.booleans())
def test_loads_writes_and_their_deltas(load: Writes, batches: list[Writes], ask: bool) -> None:
    """Rows, order, deltas and ordinals (S27), whenever the ordinals are asked for first."""
    table = Table()
    table.replace(loaded(load))
    assert list(table.rows.items()) == list(naive({}, load).items())
    seen, last = dict[str, Row](table.rows), {key: ordinal for key, _, ordinal in load}
    for number, batch in enumerate(batches, 1):
        writes = [(key, row, 100 * number + ordinal) for key, row, ordinal in batch]
        before = dict(table.rows)
        seen = replayed(seen, table.write(writes))
        last.update({key: ordinal for key, _, ordinal in writes})
        assert list(table.rows.items()) == list(naive(before, writes).items())
        assert seen == table.rows
        if ask:
            assert {key: table.ordinal(key) for key in table.rows} == {
                key: last[key] for key in table.rows
            }
    assert [table.ordinal(key) for key in table.rows] == [last[key] for key in table.rows]
    for key in set("abcd").difference(table.rows):
        with pytest.raises(KeyError):
            table.ordinal(key)


@given(write_lists(), write_lists())
def test_replacing_all_rows_gives_those_before(before: Writes, after: Writes) -> None:
    table = Table()
    table.write(before)
    was = dict(table.rows)
    assert table.replace(loaded(after)) == was
    assert list(table.rows.items()) == list(naive({}, after).items())
    assert replayed(was, net_deltas(was, table.rows)) == table.rows


@given(write_lists())
def test_a_load_of_which_much_is_removed_again(writes: Writes) -> None:
    """What was removed leaves nothing behind, and the rest is where it was."""
    loading = loaded(writes)
    passing: Writes = [(f"p{number}", Row(), 0) for number in range(1500)]
    for key, row, ordinal in passing:
        loading.sink.put(key, row, ordinal)
    for key, _, _ in passing:
        loading.remove(key, 0)
    expected = naive({}, writes)
    assert [loading.get(key) for key in "abcd"] == [stored(expected.get(key)) for key in "abcd"]
    assert list(loading.rows.items()) == list(expected.items())
    last = {key: ordinal for key, _, ordinal in writes}
    for _ in range(2):
        assert {key: loading.ordinals.of(key) for key in expected} == {
            key: last[key] for key in expected
        }
        loading.tidy()
    assert len(loading.ordinals.keys) < 1100


@given(write_lists(), write_lists(), st.booleans())
def test_staged_writes_show_when_they_are_committed(
    before: Writes, staged: Writes, is_cleared: bool
) -> None:
    table = Table()
    table.write(before)
    was = dict(table.rows)
    staging = StagedRows(table)
    if is_cleared:
        staging.sink.put("a", Row(), 1)
        staging.clear()
    for key, row, ordinal in staged:
        if row is None:
            staging.remove(key, ordinal)
        else:
            staging.sink.put(key, row, ordinal)
    expected = naive({} if is_cleared else was, staged)
    assert [staging.get(key) for key in "abcd"] == [stored(expected.get(key)) for key in "abcd"]
    assert table.rows == was
    assert replayed(was, staging.commit()) == expected
    assert list(table.rows.items()) == list(expected.items())


@given(write_lists(), st.lists(write_lists(), max_size=4), st.booleans())
def test_arrivals_are_the_order_of_rows(load: Writes, batches: list[Writes], ask: bool) -> None:
    """Whenever they are asked for first; and what stays has its number."""
    table = Table()
    table.replace(loaded(load))
    for batch in batches:
        before = {key: table.arrival(key) for key in table.rows} if ask else {}
        held = set(table.rows)
        table.write(batch)
        removed = {key for key, row, _ in batch if row is None}
        assert set(filter(table.moved, table.rows)) == table.rows.keys() & held & removed
        if ask:
            after = {key: table.arrival(key) for key in table.rows}
            assert after.items() >= {k: n for k, n in before.items() if k not in removed}.items()
            assert all(after[k] > max(before.values()) for k in after.keys() & before & removed)
            assert sorted(table.rows, key=table.arrival) == list(table.rows)
    assert sorted(table.rows, key=table.arrival) == list(table.rows)
    table.replace(loaded([("a", Row(), 0)]))
    assert table.moved("a")  # all numbers are new
    frozen = table.freeze()
    order = list(table.rows)
    table.write([(key, None, 0) for key in "abcd"])
    assert sorted(order, key=frozen.arrival) == order
    for no_row in (table, frozen):
        with pytest.raises(KeyError):
            no_row.arrival("e")


def test_order_is_of_first_insertion() -> None:
    """An upsert keeps the place; delete and insert goes last."""
    table = Table()
    table.write([("a", Row(), 1), ("b", Row(), 2), ("c", Row(), 3)])
    table.write([("a", Row(), 4)])
    assert list(table.rows) == ["a", "b", "c"]
    table.write([("a", None, 5), ("a", Row(), 6)])
    assert list(table.rows) == ["b", "c", "a"]


def test_watchers_are_isolated(caplog: pytest.LogCaptureFixture) -> None:
    table = Table()
    told: list[Sequence[Delta]] = []
    table.watch(lambda _: 1 / 0, lambda _: None)  # type: ignore[arg-type]  # raises
    table.watch(told.append, lambda _: None)
    delta = ("a", None, Row())
    table.notify([delta])
    assert told == [[delta]]
    assert "ZeroDivisionError" in caplog.text


def test_a_stopped_watcher_is_not_told() -> None:
    table = Table()
    told: list[object] = []
    stop = table.watch(told.append, told.append)
    stop()
    stop()
    table.notify([("a", None, Row())])
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


def test_each_staged_row_is_written_with_its_own_ordinal() -> None:
    """What comes back of own writes is known by ordinals, so none may be left out or replaced."""
    written = list[Write]()

    class Recording(Table):
        def write(self, writes: Iterable[Write], echoes: Echoes = NO_ECHOES) -> list[Delta]:
            written.extend(writes)
            return []

    staging = StagedRows(Recording())
    first, second = Row(), Row()
    staging.sink.put("a", first, 1)
    staging.remove("a", 2)
    staging.sink.put("a", second, 3)
    staging.commit()
    assert [(key, row) for key, row, _ in written] == [("a", first), ("a", None), ("a", second)]
    assert [ordinal for _, row, ordinal in written if row] == [1, 3]


@pytest.mark.parametrize("comes", ["put", "written", "loaded"])
def test_a_key_leads_to_no_other_row_once_there_is_a_row_of_it(comes: str) -> None:
    table = Table()
    table.write([("m17", Row(), 0)])
    table.note_renamed("new", "m17")
    frozen = None if comes == "put" else table.freeze()  # "put" is for rows that nobody holds
    assert table.renamed.now("new", table.rows) == "m17"
    if comes == "put":
        table.put("new", Row(), 1)
    elif comes == "written":
        table.write([("new", Row(), 1)])
    else:
        table.replace(loaded([("m17", Row(), 0), ("new", Row(), 1)]))
    table.note_renamed("new", "m18")  # which comes too late
    table.write([("new", None, 2)])
    assert table.renamed.now("new", table.rows) == "new"
    assert frozen is None or frozen.renamed.now("new", frozen.rows) == "m17"
