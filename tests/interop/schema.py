"""What the streams of these tests hold, in Python; ``peers/schema.mjs`` says the same there.

Written by hand in the form of a generated package, so that one can take its place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, Unpack

from msgspec import UNSET, Struct, UnsetType, field

from streamdb import (
    AsyncCollection,
    AsyncStreamDB,
    AsyncTransaction,
    Collection,
    CollectionSchema,
    Column,
    Columns,
    DatabaseOptions,
    EventConstructors,
    Maybe,
    StateSchema,
    StreamDB,
    Transaction,
)


class Address(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    city: str
    lines: Sequence[str]


class Author(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    name: str
    address: Address | None


class Step(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    text: str
    done: bool


class Note(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A row with a text key and every shape of field."""

    id: str
    title: str
    status: Literal["open", "done"]
    created_at: dt.datetime = field(name="createdAt")
    due: dt.datetime | None
    label: Maybe[str] = None
    remark: str | UnsetType | None = UNSET
    author: Author
    tags: Sequence[str]
    steps: Sequence[Step]
    scores: Mapping[str, float]


class Counter(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A row with an integer key."""

    number: int
    amount: int
    owner: Maybe[str] = None


class NoteColumns(Columns[Note]):
    id: Column[str]
    title: Column[str]
    status: Column[Literal["open", "done"]]


class CounterColumns(Columns[Counter]):
    number: Column[int]
    amount: Column[int]


NOTES: Final = EventConstructors(
    CollectionSchema(
        name="notes", type="note", primary_key="id", row=Note, key=str, columns=NoteColumns
    )
)
COUNTERS: Final = EventConstructors(
    CollectionSchema(
        name="counters",
        type="counter",
        primary_key="number",
        row=Counter,
        key=int,
        columns=CounterColumns,
    )
)
SCHEMA: Final = StateSchema(name="interop", collections=(NOTES.schema, COUNTERS.schema))
EVENTS: Final[Mapping[str, EventConstructors[Any, Any]]] = {"notes": NOTES, "counters": COUNTERS}


class AsyncNotes(AsyncCollection[Note, str, NoteColumns]):
    def update(
        self, key: str, change: Callable[[Note], Note] | None = None, /, **fields: Any
    ) -> AsyncTransaction:
        return self._update(key, change, fields)


class AsyncCounters(AsyncCollection[Counter, int, CounterColumns]):
    def update(
        self, key: int, change: Callable[[Counter], Counter] | None = None, /, **fields: Any
    ) -> AsyncTransaction:
        return self._update(key, change, fields)


class AsyncNotebook(AsyncStreamDB):
    def __init__(self, url: str, /, **options: Unpack[DatabaseOptions]) -> None:
        super().__init__(SCHEMA, url, **options)
        self.notes = self._collection(AsyncNotes, "notes")
        self.counters = self._collection(AsyncCounters, "counters")


class Notes(Collection[Note, str, NoteColumns]):
    def update(
        self, key: str, change: Callable[[Note], Note] | None = None, /, **fields: Any
    ) -> Transaction:
        return self._update(key, change, fields)


class Counters(Collection[Counter, int, CounterColumns]):
    def update(
        self, key: int, change: Callable[[Counter], Counter] | None = None, /, **fields: Any
    ) -> Transaction:
        return self._update(key, change, fields)


class Notebook(StreamDB):
    def __init__(self, url: str, /, **options: Unpack[DatabaseOptions]) -> None:
        super().__init__(SCHEMA, url, **options)
        self.notes = self._collection(Notes, "notes")
        self.counters = self._collection(Counters, "counters")
