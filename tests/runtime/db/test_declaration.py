"""Databases without generated code: collections declared in the class, or a schema alone."""

from __future__ import annotations

import dataclasses
import re
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
    InvalidRow,
    SchemaError,
    StreamDB,
    UnknownCollection,
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


class Note(Struct, frozen=True):
    id: str


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
    with pytest.raises(SchemaError, match=attribute):
        type("Bad", (AsyncStreamDB,), {attribute: MESSAGES})


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"a": {"type": "note"}, "b": {"type": "note"}}, "share the event type 'note'"),
        ({"a": {"primary_key": "idd"}}, "has no field 'idd'. Did you mean 'id'"),
    ],
)
def test_a_mistaken_class_is_told_where_it_is_defined(members: Any, says: str) -> None:
    declared = {
        name: collection(Note, **{"primary_key": "id", **parts}) for name, parts in members.items()
    }
    with pytest.raises(SchemaError, match=re.escape(says)):
        type("Bad", (StreamDB,), declared)


@dataclasses.dataclass
class Early:
    id: str
    later: Later | None = None


class EarlyRows(StreamDB):
    rows = collection(Early, primary_key="id")


@dataclasses.dataclass
class Later:
    n: int


def test_a_row_may_name_a_class_that_is_defined_later(embedded_url: str) -> None:
    with EarlyRows(embedded_url, create=True) as db:
        db.rows.insert(Early("a", Later(1))).synced(5)
        assert db.rows["a"] == Early("a", Later(1))


def test_a_class_that_declares_nothing() -> None:
    with pytest.raises(SchemaError, match="declares no collections"):
        AsyncStreamDB("http://localhost:1/s")


@pytest.mark.parametrize("checker", CHECKERS)
def test_planted_mistakes_are_reported_and_nothing_else(checker: Checker) -> None:
    check_marked(Path(__file__).parent / "typing_cases.py", checker)


def test_a_collection_that_is_not_there_is_told_with_those_that_are(embedded_url: str) -> None:
    database: Any = type("Notes", (StreamDB,), {"notes": collection(Note, primary_key="id")})
    db = database(embedded_url)
    with pytest.raises(UnknownCollection) as caught:
        db.collections["note"]
    assert isinstance(caught.value, KeyError)
    assert str(caught.value) == (
        "the schema 'Notes' has no collection 'note'. Did you mean 'notes'? Its collections: notes"
    )
    assert db.collections.get("note") is None
    assert "note" not in db.collections


def test_a_path_is_no_schema(embedded_url: str) -> None:
    wrong: Any = "schema.json"
    with pytest.raises(TypeError, match=r"StateSchema\.from_file\('schema.json'\)"):
        StreamDB(wrong, embedded_url)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"primary_key": "id", "typ": "note"}, "no option 'typ': did you mean 'type'"),
        ({"type": "note"}, "a collection needs `primary_key=`"),
        ({"primary_key": None}, "a collection needs `primary_key=`"),
        ({"primary_key": 5}, "a collection's primary_key is a text, not int"),
        ({"primary_key": "id", "type": 3}, "a collection's type is a text, not int"),
    ],
)
def test_a_mistaken_call_is_told_where_it_stands(parts: dict[str, Any], says: str) -> None:
    declare: Any = collection
    with pytest.raises(TypeError, match=says):
        declare(Note, **parts)


PLAIN = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}


@pytest.mark.parametrize(
    ("row", "parts", "says"),
    [
        (Note, {"primary_key": "idd"}, "'notes': Note has no field 'idd'. Did you mean 'id'"),
        (dict, {"primary_key": "idd", "schema": PLAIN}, "has no field 'idd'. Did you mean 'id'"),
        (Note, {"primary_key": "id", "updates": "merg"}, "updates is 'merg': it must be one of"),
    ],
)
def test_a_mistaken_declaration_is_told_when_it_is_used(
    row: Any, parts: dict[str, Any], says: str
) -> None:
    declared: Any = collection(row, name="notes", **parts)
    with pytest.raises(SchemaError, match=re.escape(says)):
        _ = declared.schema


def test_an_update_that_makes_no_row(embedded_url: str) -> None:
    database: Any = type("Notes", (StreamDB,), {"notes": collection(Note, primary_key="id")})
    with database(embedded_url, create=True) as db:
        db.notes.insert(Note("n1")).synced()
        with pytest.raises(InvalidRow, match="returned None: it returns the changed row"):
            db.notes.update("n1", lambda note: None)
        with pytest.raises(TypeError, match="takes fields by their names, or a function, not dict"):
            db.notes.update("n1", {"text": "x"})
