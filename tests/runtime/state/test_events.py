"""Event constructors: typed, checked, and exactly what goes on the wire (S10 to S14, WRITE-*)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.runtime.chat_schema import Message, message, messages, sensor, sensors

from streamdb import ChangeEvent, InvalidRow


def wire(event: ChangeEvent[Any]) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(event.to_json())
    return parsed


@pytest.mark.parametrize("operation", ["insert", "update", "upsert"])
def test_writes_carry_the_whole_row(operation: str) -> None:
    """S10, WRITE-5, WRITE-6, CHG-6."""
    event: ChangeEvent[Any] = getattr(sensors, operation)(sensor(17))
    assert wire(event) == {
        "type": "sensor",
        "key": "17",
        "value": {"id": 17, "room": "B2", "celsius": 20.5, "extra": None},
        "headers": {"operation": operation},
    }
    assert (event.type, event.key, event.operation) == ("sensor", "17", operation)
    assert event.value == sensor(17)


def test_a_delete_leaves_its_value_out() -> None:
    """WRITE-7."""
    assert wire(sensors.delete(17)) == {
        "type": "sensor",
        "key": "17",
        "headers": {"operation": "delete"},
    }


def test_a_delete_takes_a_key_or_an_old_row() -> None:
    """S12."""
    event = wire(messages.delete(old=message("a", "x")))
    assert (event["key"], event["old_value"]) == ("a", {"id": "a", "content": "x"})
    assert wire(messages.delete("a", old=message("a")))["key"] == "a"
    with pytest.raises(InvalidRow, match="contradicts"):
        messages.delete("b", old=message("a"))
    for nothing in (None, ""):
        with pytest.raises(InvalidRow, match="needs a key, or the old row"):
            messages.delete(nothing)


def test_old_values_are_optional_and_checked() -> None:
    """CHG-4, S11."""
    event = wire(messages.update(message(1, "new"), old=message(1, "old")))
    assert event["old_value"] == {"id": "1", "content": "old"}
    assert "old_value" not in wire(messages.update(message(1)))
    wrong = Message(id=5)  # type: ignore[arg-type]  # the fault
    with pytest.raises(InvalidRow, match="/id"):
        messages.update(message(1), old=wrong)
    with pytest.raises(InvalidRow, match="/id"):
        messages.delete(old=wrong)


def test_rows_are_checked() -> None:
    """S11."""
    with pytest.raises(InvalidRow, match="/content") as caught:
        messages.insert(message(1, content=5))  # type: ignore[arg-type]  # the fault
    assert caught.value.pointer == "/content"


def test_an_explicit_key_must_agree() -> None:
    """WRITE-3, WRITE-4."""
    assert wire(messages.insert(message("a"), key="a"))["key"] == "a"
    for constructor in (messages.insert, messages.update, messages.upsert):
        with pytest.raises(InvalidRow, match="contradicts"):
            constructor(message("a"), key="b")
        with pytest.raises(InvalidRow, match="must not be empty"):
            constructor(message(""))


def test_txid_timestamp_and_headers() -> None:
    """S14."""
    trace = {"trace": {"id": 1}}
    event = messages.insert(
        message(1), txid="t", timestamp="2026-03-01T00:00:00Z", headers={**trace, "from": "x"}
    )
    assert wire(event)["headers"] == {
        "operation": "insert",
        "txid": "t",
        "timestamp": "2026-03-01T00:00:00Z",
        "trace": {"id": 1},
        "from": "x",
    }
    with pytest.raises(InvalidRow, match="txid must not be empty"):
        messages.delete("a", txid="")


@pytest.mark.parametrize("name", ["operation", "txid", "timestamp", "offset", "control"])
def test_headers_of_the_protocol_are_not_the_callers(name: str) -> None:
    """WRITE-8, S14."""
    with pytest.raises(InvalidRow, match=f"the header '{name}' is not yours"):
        messages.insert(message(1), headers={name: "x"})


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_headers_are_checked_before_anything_is_sent(value: object) -> None:
    with pytest.raises(InvalidRow, match="headers: "):
        messages.insert(message(1), headers={"x": value})


def test_headers_are_copied() -> None:
    """REF-30."""
    headers = {"x": 1}
    event = messages.insert(message(1), headers=headers)
    headers["x"] = 2
    assert wire(event)["headers"]["x"] == 1


def test_a_lone_surrogate_goes_out_as_an_escape() -> None:
    event = messages.insert(message("\ud83d"))
    assert b"\\ud83d" in event.to_json()
    assert wire(event)["key"] == "\ud83d"


def test_events_are_compared_by_what_they_say_and_cannot_be_changed() -> None:
    event = messages.insert(message("a"), txid="t")
    same = ChangeEvent("message", "a", "insert", message("a"), "t")
    assert event == same
    assert "txid='t'" in repr(event)
    assert repr(event) == repr(same)
    assert event != messages.insert(message("a"), txid="u")
    assert event != "a"
    with pytest.raises(AttributeError):
        event.key = "b"  # type: ignore[misc]  # the mistake under test
