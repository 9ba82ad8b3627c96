"""Databases without generated code: collections declared in the class, or a schema alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, NewType

import pytest
from msgspec import Meta, Struct
from tests.runtime.chat_schema import SCHEMA, Message, MessageColumns, Sensor, message, sensor
from tests.type_checkers import CHECKERS, Checker, check_marked

from streamdb import (
    AsyncCollection,
    AsyncStreamDB,
    Collection,
    SchemaError,
    StreamDB,
    UnknownColumn,
    collection,
)

# One declaration may serve both forms.
MESSAGES = collection(Message, type="message", primary_key="id", columns=MessageColumns)


class AsyncChat(AsyncStreamDB):
    messages = MESSAGES
    sensors = collection(Sensor, type="sensor", primary_key="id")


class Chat(StreamDB):
    messages = MESSAGES


class MoreChat(AsyncChat):
    tool_calls = collection(Message, name="toolCalls", type="tool-call", primary_key="id")


async def test_an_async_database(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        assert isinstance(db.messages, AsyncCollection)
        await db.messages.insert(message(1)).synced()
        await db.sensors.insert(sensor(7)).synced()
        await db.sensors.update(7, room="C3").synced()
        assert db.sensors[7].room == "C3"
        assert db.collections["messages"] is db.messages
        assert db.schema.name == "AsyncChat"


def test_a_blocking_database(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        assert isinstance(db.messages, Collection)
        db.messages.insert(message(1)).synced(5)
        db.messages.update("1", lambda row: message(row.id, "changed")).synced(5)
        assert db.messages["1"].content == "changed"


def test_what_a_class_declares() -> None:
    db = MoreChat("http://localhost:1/s")
    assert list(db.collections) == ["messages", "sensors", "toolCalls"]
    assert db.tool_calls is db.collections["toolCalls"]
    assert (MoreChat.sensors.schema.key, MoreChat.messages.schema.key) == (int, str)
    event = MoreChat.tool_calls.events.delete("x")
    assert (event.type, event.key) == ("tool-call", "x")


def test_columns_are_known_by_name() -> None:
    db = AsyncChat("http://localhost:1/s")
    db.sensors.subscribe(print, where=lambda s: s.room == "B2")
    with pytest.raises(UnknownColumn, match="SensorColumns has no column 'rom'"):
        db.sensors.subscribe(print, where=lambda s: s.rom == "B2")
    with pytest.raises(UnknownColumn):
        db.messages.subscribe(print, where=lambda m: m.rol == "user")  # type: ignore[attr-defined]  # the fault


async def test_a_schema_alone(embedded_url: str) -> None:
    async with AsyncStreamDB(SCHEMA, embedded_url, create=True) as db:
        assert set(db.collections) == {"messages", "sensors", "profiles"}
        await db.collections["messages"].insert(message(1)).synced()
        await db.collections["messages"].update("1", content="x").synced()
        assert db.collections["messages"]["1"] == message(1, "x")


def test_a_schema_alone_in_the_blocking_form(embedded_url: str) -> None:
    with StreamDB(SCHEMA, embedded_url, create=True) as db:
        db.collections["messages"].insert(message(1)).synced(5)
        db.collections["messages"].update("1", content="x").synced(5)
        assert db.collections["messages"]["1"] == message(1, "x")
        with pytest.raises(TypeError, match="either fields or one function"):
            db.collections["messages"].update("1", print, print)


Name = NewType("Name", str)


class Keys(Struct, frozen=True):
    text: str
    number: int
    narrow: Annotated[int, Meta(ge=1)]
    literal: Literal["a", "b"]
    name: Name
    mixed: Literal["a", 1] = "a"
    real: float = 0
    flag: bool = False


@pytest.mark.parametrize(
    ("primary_key", "key"),
    [("text", str), ("number", int), ("narrow", int), ("literal", str), ("name", str)],
)
def test_the_class_of_a_key_is_that_of_its_field(primary_key: str, key: type) -> None:
    assert collection(Keys, name="keys", primary_key=primary_key).schema.key is key


@pytest.mark.parametrize("primary_key", ["mixed", "real", "flag", "nowhere"])
def test_other_keys_are_refused(primary_key: str) -> None:
    with pytest.raises(SchemaError):
        _ = collection(Keys, name="keys", primary_key=primary_key).schema


@pytest.mark.parametrize("attribute", ["status", "schema", "url", "transaction", "_state"])
def test_attributes_that_databases_need_themselves(attribute: str) -> None:
    database: Any = type("Bad", (AsyncStreamDB,), {attribute: MESSAGES})
    with pytest.raises(SchemaError, match=attribute):
        database("http://localhost:1/s")


def test_a_class_that_declares_nothing() -> None:
    with pytest.raises(SchemaError, match="declares no collections"):
        AsyncStreamDB("http://localhost:1/s")


@pytest.mark.parametrize("checker", CHECKERS)
def test_planted_mistakes_are_reported_and_nothing_else(checker: Checker) -> None:
    check_marked(Path(__file__).parent / "typing_cases.py", checker)
