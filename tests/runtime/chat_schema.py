"""A small schema, and databases on it as a careful colleague would generate them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

from streamdb import (
    AsyncCollection,
    AsyncStreamDB,
    AsyncTransaction,
    Collection,
    CollectionSchema,
    Column,
    Columns,
    EventConstructors,
    Maybe,
    NullableColumn,
    StateSchema,
    StreamDB,
    Transaction,
)

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


class Message(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A row with a text key, an instant under another name, and a field that may be absent."""

    id: str
    role: Literal["user", "assistant"] = field(default="user")
    content: str = ""
    created_at: dt.datetime = field(name="createdAt", default=NOON)
    note: Maybe[str] = None


class MessageColumns(Columns[Message]):
    id: Column[str]
    role: Column[Literal["user", "assistant"]]
    content: Column[str]
    note: NullableColumn[str]


class Sensor(Struct, frozen=True, kw_only=True, gc=False):
    """A row with an integer key; every field has to be there."""

    id: int
    room: str
    celsius: float
    extra: Any = None


class SensorColumns(Columns[Sensor]):
    id: Column[int]
    room: Column[str]
    extra: Column[Any]


class Profile(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A row whose producers send only what they know (``updates: merge``)."""

    id: str
    name: str
    city: Maybe[str] = None
    plan: Maybe[Literal["free", "paid"]] = None


class ProfileColumns(Columns[Profile]):
    id: Column[str]
    name: Column[str]


messages = EventConstructors(
    CollectionSchema(
        name="messages",
        type="message",
        primary_key="id",
        row=Message,
        key=str,
        columns=MessageColumns,
    )
)
sensors = EventConstructors(
    CollectionSchema(
        name="sensors", type="sensor", primary_key="id", row=Sensor, key=int, columns=SensorColumns
    )
)
profiles = EventConstructors(
    CollectionSchema(
        name="profiles",
        type="profile",
        primary_key="id",
        row=Profile,
        key=str,
        columns=ProfileColumns,
        updates="merge",
    )
)
SCHEMA = StateSchema(
    name="chat", collections=(messages.schema, sensors.schema, profiles.schema), version="1.0.0"
)


class AsyncMessages(AsyncCollection[Message, str, MessageColumns]):
    def update(
        self,
        key: str | Sequence[str],
        change: Callable[[Message], Message] | None = None,
        /,
        *,
        expect: Message | UnsetType = UNSET,
        **fields: Any,
    ) -> AsyncTransaction:
        return self._update(key, change, fields, expect)


class Messages(Collection[Message, str, MessageColumns]):
    def update(
        self,
        key: str | Sequence[str],
        change: Callable[[Message], Message] | None = None,
        /,
        *,
        expect: Message | UnsetType = UNSET,
        **fields: Any,
    ) -> Transaction:
        return self._update(key, change, fields, expect)


class AsyncSensors(AsyncCollection[Sensor, int, SensorColumns]):
    pass


class Sensors(Collection[Sensor, int, SensorColumns]):
    pass


class AsyncProfiles(AsyncCollection[Profile, str, ProfileColumns]):
    pass


class Profiles(Collection[Profile, str, ProfileColumns]):
    pass


class AsyncChat(AsyncStreamDB):
    def __init__(self, url: str, /, **options: Any) -> None:
        super().__init__(SCHEMA, url, **options)
        self.messages = self._collection(AsyncMessages, "messages")
        self.sensors = self._collection(AsyncSensors, "sensors")
        self.profiles = self._collection(AsyncProfiles, "profiles")


class Chat(StreamDB):
    def __init__(self, url: str, /, **options: Any) -> None:
        super().__init__(SCHEMA, url, **options)
        self.messages = self._collection(Messages, "messages")
        self.sensors = self._collection(Sensors, "sensors")
        self.profiles = self._collection(Profiles, "profiles")


def message(key: str | int, content: str = "", **fields: Any) -> Message:
    return Message(id=str(key), content=content, **fields)


def sensor(key: int, room: str = "B2", celsius: float = 20.5, extra: Any = None) -> Sensor:
    return Sensor(id=key, room=room, celsius=celsius, extra=extra)
