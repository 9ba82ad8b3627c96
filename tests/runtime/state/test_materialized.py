"""The simple fold: values of any kind, by the rules of databases (state protocol, section 7)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.chat_schema import message, messages

from streamdb import MaterializedState, StreamEvent


def change(key: str, value: Any, operation: str = "insert", type_: str = "t") -> dict[str, Any]:
    return {"type": type_, "key": key, "value": value, "headers": {"operation": operation}}


@pytest.mark.parametrize("value", [None, "text", 5, 1.5, True, [1, {"a": 2}], {"a": {"b": 1}}])
@pytest.mark.parametrize("operation", ["insert", "update", "upsert"])
def test_any_value_is_stored_as_it_is(value: Any, operation: str) -> None:
    """CHG-2, CHG-3: null is a value."""
    state = MaterializedState()
    state.apply(change("k", value, operation))
    assert state.get("t", "k", "absent") == value
    assert dict(state.of_type("t")) == {"k": value}


def test_an_update_replaces_and_an_insert_too() -> None:
    """UPDATE-1, UPDATE-2."""
    state = MaterializedState()
    state.apply_all([change("a", {"x": 1, "y": 2}), change("a", {"x": 3}, "update")])
    assert state.get("t", "a") == {"x": 3}
    state.apply(change("a", {"z": 1}))
    assert state.get("t", "a") == {"z": 1}


def test_a_delete_of_nothing_does_nothing() -> None:
    """UPDATE-3."""
    state = MaterializedState()
    gone = {"type": "t", "key": "a", "headers": {"operation": "delete"}}
    state.apply_all([gone, change("a", 1), gone, gone])
    assert (state.types, state.invalid, len(state)) == ((), 0, 0)


def test_control_messages() -> None:
    """RESET-1, SNAP-1; the original ignores them all."""
    state = MaterializedState()
    state.apply(change("a", 1))
    for mark in ("snapshot-start", "snapshot-end"):
        state.apply({"headers": {"control": mark}})
    assert state.get("t", "a") == 1
    state.apply({"headers": {"control": "reset", "offset": "0_0"}})
    assert (len(state), state.type_count) == (0, 0)


INVALID: list[Any] = [
    None,
    "text",
    [],
    {},
    {"headers": None},
    {"headers": {}},
    {"headers": {"operation": "insert"}},
    {"headers": {"control": "unknown"}},
    {"headers": {"control": ["reset"]}},
    {"headers": {"control": "reset", "offset": ""}},
    {**change("k", 1), "headers": {"operation": "insert", "control": "reset"}},
    {**change("k", 1), "headers": {"operation": "insert", "txid": ""}},
    {**change("k", 1), "headers": {"operation": "move"}},
    {**change("k", 1), "headers": {"operation": []}},
    {**change("k", 1), "type": ""},
    {**change("k", 1), "type": 5},
    {**change("k", 1), "key": ""},
    {**change("k", 1), "key": 5},
    {"type": "t", "key": "k", "headers": {"operation": "update"}},
]


@pytest.mark.parametrize("message", INVALID)
def test_what_is_no_message_is_counted_and_changes_nothing(message: Any) -> None:
    """INVALID-1, INVALID-2, INVALID-8; and it is not observed either."""
    state = MaterializedState()
    state.apply_all([change("k", "before"), message])
    assert (state.invalid, state.get("t", "k")) == (1, "before")
    assert StreamEvent.of(message) is None


def test_events_that_are_observed_or_are_to_be_written() -> None:
    state = MaterializedState()
    state.apply(messages.insert(message(1, "hi")))
    event = StreamEvent.of(change("2", 5, type_="message"), offset="0_1")
    assert event is not None
    state.apply(event)
    assert list(state.of_type("message")) == ["1", "2"]
    assert state.get("message", "1")["content"] == "hi"
    assert repr(state) == "<MaterializedState with 2 values of 1 types>"
    state.clear()
    assert len(state) == 0


_events = st.builds(
    change,
    st.sampled_from(["a", "b"]),
    st.integers(),
    st.sampled_from(["insert", "update", "upsert", "delete"]),
    st.sampled_from(["t", "u"]),
)


@given(st.lists(_events))
def test_it_is_a_dictionary_of_types_and_keys(events: list[dict[str, Any]]) -> None:
    expected: dict[tuple[str, str], int] = {}
    for event in events:
        place = event["type"], event["key"]
        if event["headers"]["operation"] == "delete":
            expected.pop(place, None)
        else:
            expected[place] = event["value"]
    state = MaterializedState()
    state.apply_all(events)
    assert {
        (type_, key): value for type_ in state.types for key, value in state.of_type(type_).items()
    } == expected
    assert len(state) == len(expected)
