"""Declarations: what makes no sense is refused where it is written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.chat_schema import Message, MessageColumns, messages, sensors

from streamdb import CollectionSchema, SchemaError, StateSchema


def declare(**changes: Any) -> CollectionSchema[Message, str]:
    given = {"name": "messages", "type": "message", "primary_key": "id", "row": Message}
    return CollectionSchema(**{**given, "key": str, "columns": MessageColumns, **changes})


@pytest.mark.parametrize("changes", [{"name": ""}, {"type": ""}, {"primary_key": "nope"}])
def test_faulty_collections(changes: dict[str, str]) -> None:
    with pytest.raises(SchemaError):
        declare(**changes)


@pytest.mark.parametrize("name", ["actions", "close", "collections", "preload", "utils"])
def test_reserved_names(name: str) -> None:
    """REF-1: the database classes use them."""
    with pytest.raises(SchemaError, match="reserved"):
        StateSchema(name="s", collections=(declare(name=name),))


def test_names_and_types_are_unique() -> None:
    with pytest.raises(SchemaError, match="two collections are named 'messages'"):
        StateSchema(name="s", collections=(declare(), declare(type="other")))
    with pytest.raises(SchemaError, match="'messages' and 'others' share the event type 'message'"):
        StateSchema(name="s", collections=(declare(), declare(name="others")))


def test_a_schema_holds_something() -> None:
    with pytest.raises(SchemaError, match="no collection"):
        StateSchema(name="s", collections=())


def test_keys_are_exactly_of_their_type() -> None:
    """Trap 12: True is no integer."""
    assert sensors.schema.wire_key(7) == "7"
    for wrong in (True, "7", 7.0, None):
        with pytest.raises(TypeError, match="keys of collection 'sensors' are int"):
            sensors.schema.wire_key(wrong)  # type: ignore[arg-type]  # the fault
    with pytest.raises(TypeError, match="are str, not int"):
        messages.schema.wire_key(7)  # type: ignore[arg-type]  # the fault


@given(st.integers())
def test_integer_keys_round_trip(key: int) -> None:
    """KEY-6, KEY-7."""
    assert sensors.schema.parse_key(sensors.schema.wire_key(key)) == key


@given(st.text())
def test_text_either_round_trips_or_is_no_integer_key(text: str) -> None:
    """KEY-6: two texts never become one key."""
    try:
        key = sensors.schema.parse_key(text)
    except ValueError as error:
        assert str(error) == f"the key {text!r} is no integer"  # noqa: PT017 - one of two outcomes
    else:
        assert str(key) == text
    assert messages.schema.parse_key(text) == text
