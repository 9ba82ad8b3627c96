"""Good and bad uses of databases without generated code; test_declaration.py runs the checkers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict, assert_type

from msgspec import Struct
from pydantic import BaseModel

from streamdb import (
    AsyncCollection,
    AsyncLiveQuery,
    AsyncStreamDB,
    AsyncTransaction,
    Change,
    ChangeEvent,
    Collection,
    Column,
    Columns,
    Opaque,
    Query,
    StateSchema,
    Status,
    StreamDB,
    Transaction,
    UntypedColumns,
    collection,
)


class Message(Struct):
    id: str
    role: str


class MessageColumns(Columns[Message]):
    id: Column[str]
    role: Column[str]


class Sensor(BaseModel):
    id: int


class Note(TypedDict):
    id: str


class AsyncSession(AsyncStreamDB):
    messages = collection(Message, type="message", primary_key="id", key=str)
    typed = collection(Message, primary_key="id", key=str, columns=MessageColumns)
    sensors = collection(Sensor, primary_key="id", updates="merge")
    notes = collection(Note, primary_key="id", schema={"type": "object"})
    plain = collection(dict[str, Any], primary_key="id", schema={"type": "object"})
    wrong = collection(Message, primary_key=5)  # E


class Session(StreamDB):
    messages = collection(Message, type="message", primary_key="id", key=str)


async def asynchronous(db: AsyncSession) -> None:
    assert_type(db.messages, AsyncCollection[Message, str, UntypedColumns[Message]])
    assert_type(db.typed, AsyncCollection[Message, str, MessageColumns])
    assert_type(db.messages["m1"], Message)
    assert_type(db.sensors[5], Sensor)
    assert_type(db.notes["n"], Note)
    assert_type(db.plain["n"], dict[str, Any])
    assert_type(db.messages.insert(Message("m1", "user")), AsyncTransaction)
    assert_type(db.messages.update("m1", role="user"), AsyncTransaction)
    await db.messages.update("m1", changed)
    db.give_up(db.messages.upsert(Message("m1", "user")))
    db.give_up("a txid")
    db.give_up(Message("m1", "user"))  # E: a transaction or its txid
    await db.give_up("a txid")  # E: it waits for nothing
    db.messages.subscribe(print, where=lambda m: (m.role == "user") & m.anything.is_null())
    db.typed.subscribe(print, where=lambda m: m.role == "user")
    assert_type(await db.until(lambda: len(db.messages)), int)
    assert_type(await db.until(db.typed, where=lambda m: m.role == "user"), Message)
    await db.until(db.typed, where=lambda m: m.rol == "user")  # E: no such column
    async for status in db.status_changes():
        assert_type(status, Status)
    live = db.live(db.typed.where(lambda m: m.role == "user").order_by(lambda m: m.id))
    assert_type(live, AsyncLiveQuery[Message, MessageColumns])
    assert_type(live[0], Message)
    assert_type(live[1:], list[Message])
    assert_type(live.first(), Message | None)
    async for changes in live.changes():
        assert_type(changes, tuple[Change[Message, Any], ...])
    assert_type(await db.until(live), Message)
    assert_type(db.live(live.map(lambda m: len(m.role))), AsyncLiveQuery[int, Opaque[int]])
    joined = db.live(db.typed.join(db.typed, on=lambda a, b: a.id == b.id, how="left"))
    for _, other in joined:
        assert_type(other, Message | None)
    print(await db.until(live), await db.until(db.typed, where=lambda m: m.role == "user"))
    print(await db.until(joined), await db.until(lambda: len(joined)))
    either: Message | None = await db.until(db.typed)
    use(either)
    await db.until(live, where=lambda m: m.role == "user")  # E: only of collections
    await db.until(db.typed.where(lambda m: m.role == "user"))  # E: not live
    live.where(lambda m: m.rol == "user")  # E: no such column
    db.live(lambda m: m)  # E: no query
    db.messages[5]  # E: keys are text
    db.messages.insert(Sensor(id=5))  # E: another row
    db.typed.subscribe(print, where=lambda m: m.rol == "user")  # E: no such column
    db.nothing()  # E


def general(db: Session, query: Query[Message]) -> None:
    assert_type(db.live(query).first(), Message | None)
    db.give_up(db.messages.insert(Message("m1", "user")))
    db.give_up(5)  # E: a transaction or its txid


def use(_: object) -> None: ...


def changed(row: Message) -> Message:
    return row


def blocking(db: Session) -> None:
    assert_type(db.messages, Collection[Message, str, UntypedColumns[Message]])
    assert_type(db.messages.update("m1", role="user"), Transaction)
    assert_type(db.until(lambda: "ready", timeout=5), str)
    assert_type(db.until(db.messages), Message)
    assert_type(db.live(db.messages).one(), Message)
    joined = db.live(db.messages.join(db.messages, on=lambda a, b: a.id == b.id, how="left"))
    assert_type(db.until(joined), tuple[Message, Message | None])
    db.until(joined, where=lambda m: m.role == "user")  # E: only of collections
    assert_type(db.messages.map(changed).fetch(), list[Message])
    for status in db.status_changes():
        assert_type(status, Status)
    for message in db.messages:
        assert_type(message, Message)


def producers() -> None:
    assert_type(Session.messages.events.insert(Message("m1", "user")), ChangeEvent[Message])


def from_a_file() -> None:
    schema = StateSchema.from_file("schema.json")
    db = StreamDB(schema, "embedded:file.db#x", create=True, strict=True)
    assert_type(db.collections, Mapping[str, Collection[Any, Any, Any]])
    assert_type(db.collections["messages"].update("m1", role="user"), Transaction)
    StreamDB(schema, "embedded:file.db#x", strict="yes")  # E
    AsyncStreamDB(schema)  # E: no address
    AsyncSession("embedded:file.db#x", created=True)  # E: no such option
    AsyncSession("embedded:file.db#x", on_event=lambda event: event.headers, upcast={"m": dict})
    AsyncSession("embedded:file.db#x", on_event=lambda event: event.header)  # E
    AsyncSession("embedded:file.db#x", upsert_as="insert")  # E
    with db.snapshot():
        assert_type(db.collections["messages"].meta("m1").seq, int | None)
