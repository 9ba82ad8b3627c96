"""Events that come alone take a short way: it leads where the long one does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.chat_schema import SCHEMA

from streamdb.db.state import DatabaseState
from streamdb.protocol.exchange import Batch
from streamdb.state.fold import Fold

KEYS = st.sampled_from(["1", "2", "3"])
VALUES = {
    "message": st.fixed_dictionaries({"content": st.sampled_from(["a", "b"])}),
    "sensor": st.fixed_dictionaries({"room": st.just("r"), "celsius": st.integers(0, 2)}),
    # Some are no rows: the key is another one's, or is in the event alone.
    "profile": st.fixed_dictionaries({}, optional={"id": KEYS, "name": st.text(max_size=2)}),
}
UNDECLARED = {"type": "seen", "key": "k", "value": 1, "headers": {"operation": "insert"}}


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    type_ = draw(st.sampled_from([*VALUES]))
    operation = draw(st.sampled_from(["insert", "update", "upsert", "delete"]))
    optional = {"txid": st.sampled_from(["t1", "own"])}
    if draw(st.integers(0, 9)) == 9:  # from then on, none takes the short way
        optional["offset"] = st.sampled_from(["0_1", "0_2"])
        optional["timestamp"] = st.sampled_from(["2026-01-02T03:04:05Z", "yesterday"])
    headers = draw(st.fixed_dictionaries({"operation": st.just(operation)}, optional=optional))
    key, value = draw(KEYS), draw(VALUES[type_])
    if type_ == "message":
        value["id"] = key
    if type_ == "sensor":
        value["id"] = int(key)
    return {"type": type_, "key": key, "value": value, "headers": headers}


@given(st.lists(changes(), max_size=12), st.booleans(), st.booleans())
def test_alone_and_among_others_they_do_the_same(
    events: list[dict[str, Any]], ask_arrivals: bool, freeze: bool
) -> None:
    """What is told, rows, their order, ordinals and stamps, txids and counts."""
    alone, among = _Watched(), _Watched()
    for event in events:
        for watched, page in ((alone, [event]), (among, [event, UNDECLARED])):
            watched.take(page)
            if ask_arrivals:
                watched.look_at_arrivals()
        if freeze:  # as a snapshot does, in which rows stay what they are
            alone.freeze()
        assert alone.seen() == among.seen()
        alone.check_frozen()
    assert alone.told == among.told


def test_a_plain_one_is_not_worked_out_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The long way is another one, and is not taken by chance."""
    watched = _Watched()

    def refuse(*_: Any) -> None:
        raise AssertionError("it took the long way")

    monkeypatch.setattr(Fold, "add", refuse)
    event = {"type": "message", "key": "1", "value": {"id": "1", "content": "a"}}
    watched.take([{**event, "headers": {"operation": "insert", "txid": "t"}}])
    assert list(watched.state.tables["messages"].rows) == ["1"]
    with pytest.raises(AssertionError, match="the long way"):
        watched.take([event | {"headers": {"operation": "insert", "txid": "own"}}])


class _Watched:
    """A database's state that is loaded, and what its tables tell."""

    def __init__(self) -> None:
        self.state = DatabaseState(SCHEMA, url="u", report=lambda _: None)
        self.state.in_flight = {"own"}
        self.told: list[tuple[str, list[Any]]] = []
        self._txids: list[str] = []
        self._offset = self._ordinals = 0
        self._frozen: list[tuple[Any, dict[str, Any]]] = []
        self.state.txids.record = self._txids.extend  # type: ignore[method-assign]  # looked at here
        self.take([])
        for name, table in self.state.tables.items():
            table.watch(self._note(name), lambda _: None)

    def _note(self, name: str) -> Any:
        def note(deltas: Sequence[Any]) -> None:
            self.told.append((name, [*deltas]))

        return note

    def take(self, events: list[Any]) -> None:
        self._offset += 1
        part = json.dumps(events).encode()
        self.state.take(Batch((part,), f"{self._offset:03}", None, True, False, "application/json"))

    def look_at_arrivals(self) -> None:
        """Have the tables keep the order of arrival from now on."""
        for table in self.state.tables.values():
            for key in table.rows:
                table.arrival(key)

    def freeze(self) -> None:
        self._frozen += [(table.freeze(), dict(table.rows)) for table in self._tables()]

    def check_frozen(self) -> None:
        for frozen, rows in self._frozen:
            assert frozen.rows == rows

    def _tables(self) -> list[Any]:
        return [*self.state.tables.values()]

    def seen(self) -> Any:
        state = self.state
        tables = [
            (
                list(table.rows.items()),
                sorted(table.rows, key=table.arrival),
                [table.moved(key) for key in table.rows],
                [table.stamps.of(table.ordinal(key)) for key in table.rows],
            )
            for table in self._tables()
        ]
        return tables, self._txids, state.metrics.commits, state.offset, state.invalid_events.last()
