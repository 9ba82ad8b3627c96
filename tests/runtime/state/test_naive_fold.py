"""Pages of anything, decoded and folded in pieces, beside a fold that takes event by event."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.runtime.chat_schema import SCHEMA, Message, Profile, Sensor

from streamdb.db.read_place import is_before
from streamdb.db.state import DatabaseState
from streamdb.protocol.exchange import Batch
from streamdb.state import page_pieces

Row = tuple[Any, int, str | None]
Rows = dict[str, dict[str, Row]]


class Naive:
    """The rules of the protocol in the plainest words; rows with ordinals and stamps."""

    def __init__(self) -> None:
        self.rows: Rows = {"messages": {}, "sensors": {}, "profiles": {}}
        self.txids: list[str] = []
        self.undeclared: Counter[str] = Counter()
        self.invalid = 0
        self.ordinal = 0

    def apply(self, event: Any) -> None:
        self.ordinal += 1
        if not isinstance(event, dict):
            self.invalid += 1
            return
        headers = event["headers"]
        if control := headers.get("control"):
            if control == "reset":
                self.ordinal = 0
                for rows in self.rows.values():
                    rows.clear()
            return
        self.txids += [headers["txid"]] if "txid" in headers else []
        type_, key, operation = event["type"], event["key"], headers["operation"]
        is_declared = type_ in ("message", "sensor", "profile")
        if operation != "delete" and "value" not in event:
            self.invalid += 1
        elif not is_declared:
            self.undeclared[type_] += 1
        elif operation == "delete":
            self.rows[f"{type_}s"].pop(key, None)
        else:
            self._put(self.rows[f"{type_}s"], type_, key, event["value"])
            if key in (rows := self.rows[f"{type_}s"]) and rows[key][1] == self.ordinal:
                rows[key] = (*rows[key][:2], headers.get("offset"))

    def _put(self, rows: dict[str, Row], type_: str, key: str, value: dict[str, Any]) -> None:
        value = {**value, "id": key}
        row: Any
        if type_ == "sensor":
            is_valid = str(key).isdecimal() and str(int(key)) == key and value["celsius"] != "hot"
            row = Sensor(**{**value, "id": int(key)}) if is_valid else None
        elif type_ == "profile":
            before = rows[key][0] if key in rows else None
            if before is not None:
                value = {"name": before.name, "city": before.city, **value}
            row = Profile(**value) if "name" in value else None
        else:
            row = Message(**value) if value["content"] != 5 else None
        if row is None:
            self.invalid += 1
        else:
            rows[key] = (row, self.ordinal, None)


KEYS = st.sampled_from(["1", "2", "3", "007", "},{", "ключ"])
TEXTS = st.sampled_from(["", "},{", '"},{"', "[", "\ud83d", "x" * 40])
OWN_KEY = st.fixed_dictionaries({}, optional={"id": KEYS})


def _with(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda given, own: {**given, **own}, st.fixed_dictionaries(fields), OWN_KEY)


VALUES = {
    "message": _with({"content": TEXTS | st.just(5)}),
    "sensor": _with({"room": TEXTS, "celsius": st.just("hot") | st.integers(0, 3)}),
    "profile": st.fixed_dictionaries({}, optional={"name": TEXTS, "city": TEXTS}),
    "seen": st.lists(st.fixed_dictionaries({"a": TEXTS}), max_size=3),
    "\ud83d": st.none(),
}


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    type_ = draw(st.sampled_from([*VALUES]))
    operation = draw(st.sampled_from(["insert", "update", "upsert", "delete"]))
    optional = {"txid": st.sampled_from(["t1", "t2"]), "trace": TEXTS}
    headers = draw(st.fixed_dictionaries({"operation": st.just(operation)}, optional=optional))
    event = {"type": type_, "key": draw(KEYS), "value": draw(VALUES[type_]), "headers": headers}
    if draw(st.booleans()) and draw(st.booleans()):
        del event["value"]
    return event


ODD = st.sampled_from(
    [
        {"headers": {"control": "reset"}},
        {"headers": {"control": "snapshot-start"}},
        5,
        "},{",
        [{"a": 1}, {"b": 2}],
    ]
)
# Half of the events fit the union, and often many of them in a row.
PAGES = st.lists(st.lists(changes(), max_size=8) | st.lists(ODD, max_size=1), max_size=8)


@pytest.mark.parametrize("piece_bytes", [1, 300, 64 * 1024])
@settings(max_examples=50, deadline=None)
@given(
    loaded=PAGES, live=PAGES, separator=st.sampled_from([",", " ,\n "]), are_stamped=st.booleans()
)
def test_pieces_fold_to_what_single_events_do(
    piece_bytes: int,
    loaded: list[list[Any]],
    live: list[list[Any]],
    separator: str,
    are_stamped: bool,
) -> None:
    """State, order, ordinals (S27), stamps (S6), txids and counts, after a load and live pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page_pieces, "PIECE_BYTES", piece_bytes)
        naive = Naive()
        state = DatabaseState(SCHEMA, url="u", report=lambda _: None)
        txids: list[str] = []
        patch.setattr(state.txids, "record", txids.extend)
        offset = 0
        for pages, up_to_date in ((loaded, False), ([[]], True), (live, True)):
            for page in pages:
                if are_stamped:
                    page = [_stamped(event, f"0_{7 * offset}") for event in page]
                for event in page:
                    naive.apply(event)
                texts = separator.join(json.dumps(event) for event in page)
                offset += 1
                part = f"[{texts}]".encode()
                batch = Batch((part,), f"{offset:03}", None, up_to_date, False, "application/json")
                assert state.take(batch) is None
                if up_to_date:
                    assert _rows_of(state) == naive.rows
                    assert [list(rows) for rows in _rows_of(state).values()] == [
                        list(rows) for rows in naive.rows.values()
                    ]
        assert txids == naive.txids
        assert state.metrics.undeclared == naive.undeclared
        assert state.metrics.invalid == naive.invalid
        assert state.metrics.events == sum(map(len, loaded + live))
        assert not is_before(state.offset, f"{offset:03}")


def _stamped(event: Any, offset: str) -> Any:
    """What the reference server sends (REF-24, REF-25); here a reset keeps what it says."""
    if not isinstance(event, dict) or event["headers"].get("control") == "reset":
        return event
    return {**event, "headers": {**event["headers"], "offset": offset}}


def _rows_of(state: DatabaseState) -> Rows:
    return {
        name: {
            key: (row, table.ordinal(key), table.stamps.of(table.ordinal(key)))
            for key, row in table.rows.items()
        }
        for name, table in state.tables.items()
    }
