"""A program that uses a generated package; lines marked with E hold a mistake."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import assert_type

from everything import (
    SCHEMA,
    AsyncEverything,
    AsyncMessagesCollection,
    Counters,
    Everything,
    Folder,
    Message,
    MessageAuthor,
    MessageColumns,
    MessageRole,
    Part,
    PartChoice2,
    PartToolCall,
    RenameInput,
    TextPart,
    events,
)
from streamdb import AsyncTransaction, ChangeEvent, StateSchema, Transaction

NOW = dt.datetime.now(dt.timezone.utc)
assert_type(SCHEMA, StateSchema)

message = Message(id="m1", role="user", content="hi", created_at=NOW, reply_to=None, labels=["a"])
assert_type(message.role, MessageRole)
assert_type(message.note, "str | None")
assert_type(message.created_at, dt.datetime)

Message(id="m1", role="user", content="hi", created_at=NOW, reply_to=None)  # E: no labels
Message(id=1, role="user", content="hi", created_at=NOW, reply_to=None, labels=[])  # E: id
Message(id="m", role="usr", content="hi", created_at=NOW, reply_to=None, labels=[])  # E: literal
Message(id="m", role="user", content="", created_at=NOW, reply_to=None, labels=[], x=1)  # E: field
message.content = "changed"  # E: rows are frozen
print(message.contents)  # E: misspelt
Counters(number=1, class_="medium")  # E: literal
Counters(number=1, class_="low", step=5)
MessageAuthor(name="a", address=None)


def text_of(part: Part) -> str:
    if part.kind == "text":
        assert_type(part, TextPart)
        return part.text
    if part.kind == "group":
        assert_type(part, PartChoice2)
        return "".join(map(text_of, part.parts))
    assert_type(part, PartToolCall)
    return part.text  # E: a tool call has no text


def depth(folder: Folder) -> int:
    children: Sequence[Folder] = folder.children or ()
    return 1 + max(map(depth, children), default=0)


assert_type(events.messages.insert(message, txid="t1"), ChangeEvent[Message])
events.messages.insert(Folder(path="/"))  # E: another row
events.messages.delete("m1")
events.messages.delete(1)  # E: key
events.counters.delete(1)
events.counters.delete("1")  # E: key


async def use(db: AsyncEverything) -> None:
    assert_type(db.messages, AsyncMessagesCollection)
    assert_type(db.messages.get("m1"), "Message | None")
    db.messages.get(1)  # E: key
    transaction = db.messages.insert(message)
    assert_type(transaction, AsyncTransaction)
    await transaction
    db.messages.insert(Folder(path="/"))  # E: another row
    db.messages.update("m1", content="new", note=None)
    db.messages.update("m1", contents="new")  # E: field
    db.messages.update("m1", role="usr")  # E: literal
    db.messages.update("m1", id="m2")  # E: the key does not change
    db.messages.update(1, content="new")  # E: key
    db.messages.update("m1", lambda row: row)
    db.counters.update(1, class_="high")
    db.counters.update("1", class_="high")  # E: key
    db.tallies.update("words", extras={"the": 7}, weight=0.5)
    db.tallies.update("words", extras={"the": "7"})  # E: type
    db.counters.update(1, extras={})  # E: no further properties
    db.messages.update("m1", edited_at=None, payload={"any": "thing"})
    await db.actions.post_message(message)
    await db.actions.rename(RenameInput(message_id="m1", content="x"))
    db.actions.rename(message)  # E: input
    db.mesages.get("m1")  # E: collection


def use_blocking(db: Everything) -> None:
    transaction = db.messages.insert(message)
    assert_type(transaction, Transaction)
    transaction.result()
    db.messages.delete(1)  # E: key
    db.actions.post_message(message).result()
    db.messages.update("m1", content=1)  # E: type


def columns(m: MessageColumns) -> None:
    print(m.role == "user", m.note.is_null())
    print(m.roles)  # E: column
