"""Rows as they show: what the stream says, in its order, under local writes in theirs.

Random histories of commits of others, local writes, their coming back and their failing are held to
a model that keeps the whole log and works everything out anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import eq
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb.collections.changes import Delta, filtered
from streamdb.collections.loading import LoadingRows
from streamdb.collections.overlay import Echoes, Pending
from streamdb.collections.table import Table

Row = tuple[str, ...]  # what was done to it, so that equal rows are rows of one history


@dataclass
class Model:
    """What must show."""

    synced: dict[str, Row] = field(default_factory=dict[str, Row])
    pending: list[tuple[str, str, Any]] = field(default_factory=list[Any])  # txid, key, change

    def write(self, key: str, row: Row | None) -> None:
        if row is None:
            self.synced.pop(key, None)
        else:
            self.synced[key] = row

    def rows(self) -> list[tuple[str, Row]]:
        shown = dict(self.synced)
        ahead: dict[str, None] = {}
        for _, key, change in self.pending:
            row = change(shown.get(key))
            if row is None:
                shown.pop(key, None)
                ahead.pop(key, None)
            else:
                shown[key] = row
                if key not in self.synced:
                    ahead.setdefault(key)
        keys = [key for key in self.synced if key in shown] + list(ahead)
        return [(key, shown[key]) for key in keys]


KEYS = st.sampled_from("abcd")
KINDS = st.sampled_from(["insert", "update", "delete"])
REMOTE = st.tuples(st.just("remote"), KEYS, st.booleans())
LOCAL = st.tuples(st.just("local"), KEYS, KINDS)
ECHO = st.tuples(st.just("echo"), st.integers(0, 5))
FAIL = st.tuples(st.just("fail"), st.integers(0, 5))
COMMIT = st.lists(REMOTE | ECHO, min_size=1, max_size=4).map(lambda ops: ("commit", ops))
STEPS = st.lists(COMMIT | LOCAL | FAIL | st.just(("freeze",)) | st.just(("reset",)), max_size=25)


def change_of(kind: str, mark: str) -> Callable[[Row | None], Row | None]:
    if kind == "insert":
        return lambda _: (mark,)
    if kind == "delete":
        return lambda _: None
    return lambda row: None if row is None else (*row, mark)


class Run:
    """Does the same to a table and to the model, and compares them after every step."""

    def __init__(self, asks: bool) -> None:
        self.table = Table()
        self.model = Model()
        self.asks = asks  # for places in the order of arrival
        self.seen: dict[str, Row] = {}
        self.places: dict[str, int] = {}
        self.told: list[Delta] = []
        self.ordinal = 0
        self.number = 0
        self.frozen: list[tuple[Any, list[tuple[str, Row]]]] = []
        self.table.watch(self.told.extend, lambda _: None)

    def step(self, step: Any) -> None:
        match step:
            case ("commit", operations):
                self._commit(operations)
            case ("local", key, kind):
                self.number += 1
                txid, mark = f"t{self.number}", f"L{self.number}"
                change = change_of(kind, mark)
                self.model.pending.append((txid, key, change))
                self._compare(self.table.lay([(key, Pending(txid, change))]))
            case ("fail", which):
                if which < len(self.model.pending):
                    txid, key, _ = self.model.pending.pop(which)
                    self._compare(self.table.lift([(key, txid)]))
            case ("freeze",):
                self.frozen.append((self.table.freeze(), self.model.rows()))
            case _:
                loaded = LoadingRows()
                for key, row in self.model.synced.items():
                    loaded.sink.put(key, row, self.ordinal)
                self.table.replace(loaded)
                self.seen = dict(self.table.rows)
                self._compare([])

    def _commit(self, operations: Any) -> None:
        writes, echoes = (
            list[Any](),
            Echoes(dict[int, str](), is_same=lambda one, other: one == other),
        )
        for operation in operations:
            self.ordinal += 1
            if operation[0] == "remote":
                row = (f"R{self.ordinal}",) if operation[2] else None
                key = operation[1]
            else:
                first = self._first_of_each_key()
                if operation[1] >= len(first):
                    continue
                txid, key, change = first[operation[1]]
                row = change(self.model.synced.get(key))
                for pending in self.table.overlay.of(key):
                    if pending.txid == txid:  # what is sent is fixed when it is sent
                        self.table.overlay.send(key, pending, row, self.model.synced.get(key))
                self.model.pending.remove((txid, key, change))
                echoes.txids[self.ordinal] = txid  # type: ignore[index]  # made above
            self.model.write(key, row)
            writes.append((key, row, self.ordinal))
        self._compare(self.table.write(writes, echoes))

    def _first_of_each_key(self) -> list[Any]:
        """Only the oldest change of a row is ever on its way."""
        found: dict[str, Any] = {}
        for pending in self.model.pending:
            found.setdefault(pending[1], pending)
        return list(found.values())

    def _compare(self, deltas: list[Delta]) -> None:
        table = self.table
        assert list(table.in_order()) == self.model.rows()
        assert table.synced_rows() == self.model.synced
        assert list(table.synced_rows()) == list(self.model.synced)
        assert len({key for key, _, _ in deltas}) == len(deltas)
        for key, old, new in deltas:
            assert self.seen.get(key) == old
            assert old is not new or table.moved(key)
            if new is None:
                del self.seen[key]
            else:
                self.seen[key] = new
        assert self.seen == table.rows
        if self.asks:
            places = {key: table.arrival(key) for key in table.rows}
            assert sorted(places, key=places.__getitem__) == [key for key, _ in table.in_order()]
            for key in places.keys() & self.places.keys():
                assert places[key] == self.places[key] or table.moved(key)
            self.places = places
        self.told.clear()
        table.notify(deltas)
        assert self.told == deltas
        assert all(old is not new for _, old, new in filtered(self.told, None))
        for frozen, rows in self.frozen:
            assert list(frozen.in_order()) == rows


@given(STEPS, st.booleans())
def test_what_shows_is_the_stream_under_local_writes(steps: list[Any], asks: bool) -> None:
    run = Run(asks)
    for step in steps:
        run.step(step)


def test_a_row_that_comes_back_as_it_was_sent_is_no_change() -> None:
    table, row = Table(), ("mine",)
    pending = Pending("t1", lambda _: row)
    table.lay([("a", pending)])
    table.overlay.send("a", pending, row, None)
    told = list[Delta]()
    table.watch(told.extend, lambda _: None)
    echoes = Echoes({1: "t1"}, is_same=lambda one, other: one == other)
    deltas = table.write([("a", ("mine",), 1)], echoes)
    table.notify(deltas)
    assert table.rows["a"] is row
    assert deltas == [("a", row, row)], "it moved: it has a place in the stream now"
    assert filtered(told, None) == []
    assert echoes.conflicts == []


def test_another_writer_in_between_is_a_conflict() -> None:
    table = Table()
    table.write([("a", ("first",), 1)])
    first = table.rows["a"]
    pending = Pending("t1", lambda row: (*row, "mine"))
    table.lay([("a", pending)])
    table.overlay.send("a", pending, (*first, "mine"), first)
    echoes = Echoes({3: "t1"})
    theirs = ("theirs",)
    deltas = table.write([("a", theirs, 2), ("a", ("first", "mine"), 3)], echoes)
    (conflict,) = echoes.conflicts
    assert (conflict.base, conflict.theirs, conflict.ours) == (first, theirs, ("first", "mine"))
    assert deltas == [("a", ("first", "mine"), ("first", "mine"))]


def test_a_removal_that_fails_puts_the_row_back_in_its_place() -> None:
    table = Table()
    table.write([(key, (key,), number) for number, key in enumerate("abc")])
    deleted = Pending("t1", lambda _: None)
    assert table.lay([("b", deleted)]) == [("b", ("b",), None)]
    assert list(table.synced_rows()) == ["a", "b", "c"]
    assert table.lift([("b", "t1")]) == [("b", None, ("b",))]
    assert list(table.rows) == ["a", "b", "c"]


def test_the_same_row_in_another_object_after_a_load_is_no_conflict() -> None:
    """What was written first comes back with the load, and what was made of it after that."""
    table, first, second = Table(), ["first"], ["second"]
    for txid, row, base in (("t1", first, None), ("t2", second, first)):
        pending = Pending(txid, lambda _, row=row: row)
        table.lay([("a", pending)])
        table.overlay.send("a", pending, row, base)
    loaded = LoadingRows()
    loaded.sink.put("a", ["first"], 1)
    table.replace(loaded, Echoes({1: "t1"}))
    echoes = Echoes({2: "t2"}, is_same=eq)
    assert table.write([("a", ["second"], 2)], echoes) == []
    assert echoes.conflicts == []
    assert table.rows["a"] is second


@pytest.mark.parametrize("is_back", [True, False])
def test_a_change_has_seen_what_it_was_made_on_whatever_fails_below(is_back: bool) -> None:
    """What was made on a write that never was has seen what that saw, and nothing else has."""
    table = Table()
    first, second, third = (
        Pending(txid, lambda _, row=(txid,): row) for txid in ("first", "second", "third")
    )
    for pending in (first, second, third):
        table.lay([("a", pending)])
    if is_back:
        second.base = ("first",)
        table.write([("a", ("second",), 1)], Echoes({1: "second"}))
    table.lift([("a", "first")])
    assert third.seen == ("second",)
    assert is_back or second.seen is None


@pytest.mark.parametrize("is_hidden", [True, False])
def test_what_others_hide_is_not_taken_for_a_row_under_another_key(is_hidden: bool) -> None:
    """An action shows "new" and removes "old"; both come back as rows, so neither is the other."""
    table = Table()
    table.write([("old", ("old",), 1)])
    table.lay([("new", Pending("action", lambda _: ("new",)))])
    table.lay([("old", Pending("action", lambda _: None))])
    if is_hidden:
        table.lay([("new", Pending("later", lambda _: None))])
    echoes = Echoes({2: "action", 3: "action"}, gone=[("new", "action"), ("old", "action")])
    table.write([("new", ("new",), 2), ("old", ("other",), 3)], echoes)
    assert table.renamed.now("new", table.rows) == "new"
    assert ("new" in table.rows) is not is_hidden
