"""The option `strict`: what the schema of a collection says beyond its class holds on reading."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from tests.runtime.chat_schema import Message, MessageColumns

from streamdb import (
    AsyncCollection,
    AsyncStream,
    AsyncStreamDB,
    CollectionSchema,
    Contract,
    EventConstructors,
    InvalidRow,
    MissingExtra,
    StateSchema,
)

SHORT = {"properties": {"content": {"maxLength": 3}}}


def constructors(contract: Contract | None) -> EventConstructors[Message, str]:
    return EventConstructors(
        CollectionSchema(
            name="messages",
            type="message",
            primary_key="id",
            row=Message,
            key=str,
            columns=MessageColumns,
            contract=contract,
        )
    )


STRICT, FREE = constructors(Contract.of(SHORT)), constructors(None)
SCHEMA = StateSchema(name="strict", collections=(STRICT.schema,))


class Database(AsyncStreamDB):
    def __init__(self, url: str, /, **options: Any) -> None:
        super().__init__(SCHEMA, url, **options)
        self.messages = self._collection(AsyncCollection[Message, str, MessageColumns], "messages")


async def test_a_row_that_breaks_the_schema_is_an_invalid_event(embedded_url: str) -> None:
    stream = await AsyncStream.create(embedded_url)
    await stream.append_many(
        [FREE.insert(Message(id="a", content="long")), FREE.insert(Message(id="b", content="ok"))]
    )
    async with Database(embedded_url, strict=True) as db:
        assert [row.id for row in db.messages] == ["b"]
        (invalid,) = db.invalid_events
        assert (invalid.key, invalid.pointer) == ("a", "/value/content")
        assert invalid.message == "must have at most 3 characters (maxLength)"
    async with Database(embedded_url) as db:
        assert [row.id for row in db.messages] == ["a", "b"]
    await stream.aclose()


async def test_a_write_that_breaks_the_schema_is_refused_in_any_case(embedded_url: str) -> None:
    async with Database(embedded_url, create=True) as db:
        with pytest.raises(InvalidRow, match="Message at /content: must have at most 3"):
            db.messages.insert(Message(id="a", content="long"))
        await db.messages.insert(Message(id="a", content="ok"))


async def test_strict_reading_without_the_extra_says_what_to_install(
    embedded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    monkeypatch.setattr(sys.modules[__name__], "SCHEMA", _fresh_schema())
    stream = await AsyncStream.create(embedded_url)
    await stream.append(FREE.insert(Message(id="a", content="ok")))
    await stream.aclose()
    db = Database(embedded_url, strict=True)
    with pytest.raises(MissingExtra, match="validate"):
        await db.preload()
    await db.aclose()


def _fresh_schema() -> StateSchema:
    return StateSchema(name="fresh", collections=(constructors(Contract.of(SHORT)).schema,))
