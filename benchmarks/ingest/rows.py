"""The collections of the chat, with rows as `streamdb-gen` writes them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

from streamdb import CollectionSchema, Columns, StateSchema


class Message(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    id: str
    role: Literal["user", "assistant", "system"]
    content: str
    created_at: Annotated[dt.datetime, Meta(tz=True)] = field(name="createdAt")


class Presence(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    user_id: str = field(name="userId")
    status: Literal["online", "away", "offline"]


class Agent(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    agent_id: str = field(name="agentId")
    name: str
    endpoint: str


def _collection(name: str, type_: str, key: str, row: Any) -> CollectionSchema[Any, str]:
    return CollectionSchema(
        name=name, type=type_, primary_key=key, row=row, key=str, columns=Columns[Any]
    )


SCHEMA: Final = StateSchema(
    name="chat",
    collections=(
        _collection("messages", "message", "id", Message),
        _collection("presence", "presence", "user_id", Presence),
        _collection("agents", "agent", "agent_id", Agent),
    ),
)
