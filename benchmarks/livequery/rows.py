"""The collections that are queried, with rows as `streamdb-gen` writes them."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from typing import Annotated, Final, Literal, NamedTuple, Unpack

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


class Part(Struct, frozen=True, gc=False):
    """What the text of a chunk holds."""

    type: str
    delta: str = ""


_part_of: Final = msgspec.json.Decoder(Part).decode


class Written(NamedTuple):
    """What all chunks of a message say together."""

    role: str
    content: str
    asks: bool


class Writing:
    """A message as it is written: each chunk is decoded once, when it comes."""

    def __init__(self) -> None:
        self._chunks = list[tuple[int, str, Chunk]]()  # in order
        self._deltas = list[str]()  # of each of them, none of those that are no text
        self._asks = dict[tuple[int, str], bool]()  # what those say of approval

    def add(self, chunk: Chunk, /) -> None:
        """Put a chunk where it belongs."""
        place, part = (chunk.seq, chunk.id), _part_of(chunk.chunk)
        index = bisect_left(self._chunks, place)
        self._chunks.insert(index, (*place, chunk))
        self._deltas.insert(index, part.delta if part.type == "text-delta" else "")
        if part.type != "text-delta":
            self._asks[place] = part.type == "approval-requested"

    def remove(self, chunk: Chunk, /) -> None:
        """Take it out."""
        place = (chunk.seq, chunk.id)
        index = bisect_left(self._chunks, place)
        del self._chunks[index], self._deltas[index]
        self._asks.pop(place, None)

    def result(self) -> Written:
        """Join the deltas; the last word on approval counts."""
        asks = bool(self._asks) and self._asks[max(self._asks)]
        return Written(self._chunks[0][2].role, "".join(self._deltas), asks)


class Grown(Struct, frozen=True):
    """A message as a client shows it."""

    id: str
    role: str
    started_at: dt.datetime
    content: str
    asks: bool


def grown(message_id: str, written: Written, started_at: dt.datetime) -> Grown:
    """Make a message of what has been written."""
    return Grown(message_id, written.role, started_at, written.content, written.asks)
