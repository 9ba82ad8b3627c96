"""The collections that are queried, with rows as `streamdb-gen` writes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Final, Literal, Unpack

import msgspec
from msgspec import Meta, Struct, field

from streamdb import (
    AsyncCollection,
    AsyncStreamDB,
    CollectionSchema,
    Column,
    Columns,
    DatabaseOptions,
    StateSchema,
)

Role = Literal["user", "assistant", "system"]
Instant = Annotated[dt.datetime, Meta(tz=True)]


class Message(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    id: str
    role: Role
    user_id: str = field(name="userId")
    tokens: int
    content: str
    created_at: Instant = field(name="createdAt")


class User(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    id: str
    name: str
    status: str


class Chunk(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    id: str
    message_id: str = field(name="messageId")
    role: Role
    seq: int
    tokens: int
    chunk: str
    created_at: Instant = field(name="createdAt")


class MessageColumns(Columns[Message]):
    id: Column[str]
    role: Column[Role]
    user_id: Column[str]
    tokens: Column[int]
    content: Column[str]
    created_at: Column[dt.datetime]


class UserColumns(Columns[User]):
    id: Column[str]
    name: Column[str]
    status: Column[str]


class ChunkColumns(Columns[Chunk]):
    id: Column[str]
    message_id: Column[str]
    role: Column[Role]
    seq: Column[int]
    tokens: Column[int]
    chunk: Column[str]
    created_at: Column[dt.datetime]


SCHEMA: Final = StateSchema(
    name="chat",
    collections=(
        CollectionSchema(
            name="messages",
            type="message",
            primary_key="id",
            row=Message,
            key=str,
            columns=MessageColumns,
        ),
        CollectionSchema(
            name="users", type="user", primary_key="id", row=User, key=str, columns=UserColumns
        ),
        CollectionSchema(
            name="chunks", type="chunk", primary_key="id", row=Chunk, key=str, columns=ChunkColumns
        ),
    ),
)


class Chat(AsyncStreamDB):
    """A database of them."""

    def __init__(self, url: str, **options: Unpack[DatabaseOptions]) -> None:
        super().__init__(SCHEMA, url, **options)
        self.messages: AsyncCollection[Message, str, MessageColumns] = self.collections["messages"]
        self.users: AsyncCollection[User, str, UserColumns] = self.collections["users"]
        self.chunks: AsyncCollection[Chunk, str, ChunkColumns] = self.collections["chunks"]


class Grown(Struct, frozen=True):
    """What a client makes of the chunks of a message."""

    id: str
    role: str
    started_at: dt.datetime
    content: str
    asks: bool


def grown(chunks: Sequence[Chunk], message_id: str, started_at: dt.datetime) -> Grown:
    """Join the deltas of a message in their order; the last word on approval counts."""
    content, asks = "", False
    ordered = sorted(chunks, key=lambda chunk: chunk.seq)
    for chunk in ordered:
        part = msgspec.json.decode(chunk.chunk)
        if part["type"] == "text-delta":
            content += part["delta"]
        else:
            asks = part["type"] == "approval-requested"
    return Grown(message_id, ordered[0].role, started_at, content, asks)
