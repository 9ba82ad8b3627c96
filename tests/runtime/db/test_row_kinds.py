"""Databases on rows of every kind of class: the same events, the same rows, the same refusals."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec import Struct
from pydantic import AwareDatetime, BaseModel
from tests.runtime.task_rows import KINDS, NOON_TEXT, SCHEMA, field, task, unchecked

from streamdb import (
    AsyncStream,
    AsyncStreamDB,
    DuplicateKey,
    Extensible,
    InvalidRow,
    MissingKey,
    StreamDB,
    collection,
)
from streamdb.protocol import json_text
from streamdb.pydantic_rows import ExtensiblePydanticRow

kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def async_class(kind: Any) -> type[Any]:
    declared = collection(kind, type="task", primary_key="id", schema=SCHEMA)
    return type("Tasks", (AsyncStreamDB,), {"tasks": declared})


def blocking_class(kind: Any) -> type[Any]:
    declared = collection(kind, type="task", primary_key="id", schema=SCHEMA)
    return type("Tasks", (StreamDB,), {"tasks": declared})


async def events_of(url: str) -> list[dict[str, Any]]:
    stream = AsyncStream(url)
    found: list[dict[str, Any]] = []
    async for batch in stream.read(live=False):
        found += json_text.messages(batch, url=url)
    await stream.aclose()
    for event in found:
        event["headers"].pop("txid")
    return found


@kinds
async def test_a_life_of_some_rows(kind: Any, embedded_url: str) -> None:
    async with async_class(kind)(embedded_url, create=True, strict=True) as db:
        tasks = db.tasks
        changes = tasks.changes(where=lambda t: (t.count > 1) & t.note.is_null())
        await tasks.insert(task(kind)).synced()
        await tasks.insert(task(kind, "t2", note="n", parent=None)).synced()
        assert tasks["t1"] == task(kind)
        assert [field(row, "note") for row in tasks] == [None, "n"]

        await tasks.update("t1", count=2).synced()
        await tasks.update("t2", lambda row: _counted(kind, row, 5)).synced()
        assert [field(row, "count") for row in tasks] == [2, 5]
        assert [change.key for change in await anext(changes)] == ["t1"]

        with pytest.raises(DuplicateKey):
            tasks.insert(task(kind))
        with pytest.raises(MissingKey):
            tasks.update("t9", count=1)
        for wrong in ({"title": 5}, {"title": "more than twenty characters"}):
            with pytest.raises(InvalidRow, match="at /title"):
                tasks.insert(unchecked(kind, id="t3", **wrong))
            with pytest.raises(InvalidRow, match="at /title"):
                tasks.update("t1", **wrong)
        with pytest.raises(InvalidRow, match="an update must keep"):
            tasks.update("t1", id="t9")
        await tasks.delete("t1").synced()
        assert list(tasks) == [tasks["t2"]]
        changes.close()
    first = {"id": "t1", "title": "write", "count": 1, "at": NOON_TEXT}
    second = {**first, "id": "t2", "note": "n", "parent": None}
    assert await events_of(embedded_url) == [
        _event("t1", "insert", first),
        _event("t2", "insert", second),
        _event("t1", "update", {**first, "count": 2}),
        _event("t2", "update", {**second, "count": 5}),
        {"type": "task", "key": "t1", "headers": {"operation": "delete"}},
    ]


def _event(key: str, operation: str, value: Any) -> dict[str, Any]:
    return {"type": "task", "key": key, "value": value, "headers": {"operation": operation}}


def _counted(kind: Any, row: Any, count: int) -> Any:
    if isinstance(row, dict):
        row["count"] = count  # a row that is lent may be changed in place
        return row
    if isinstance(row, BaseModel):
        return row.model_copy(update={"count": count})
    names = ("id", "title", "at", "note", "parent")
    return kind(**{name: getattr(row, name) for name in names}, count=count)


@kinds
async def test_events_of_others(kind: Any, embedded_url: str) -> None:
    row = {"id": "t1", "title": "write", "count": 1.0, "at": "2026-03-01T14:00:00+02:00"}
    stream = await AsyncStream.create(embedded_url)
    await stream.append_many(
        [
            _event("t1", "insert", {**row, "unknown": [1]}),
            _event("t2", "insert", {**row, "title": "more than twenty characters"}),
            _event("t3", "insert", {**row, "count": "1"}),
            _event("t4", "insert", row),  # KEY-4
        ]
    )
    await stream.aclose()
    async with async_class(kind)(embedded_url, strict=True) as db:
        assert [field(row, "id") for row in db.tasks] == ["t1", "t4"]
        assert [event.pointer for event in db.invalid_events] == ["/value/title", "/value/count"]
        found: list[Any] = []
        db.tasks.subscribe(found.extend, initial=True, where=lambda t: t.count == 1)
        await asyncio.sleep(0)
        assert [change.key for change in found] == ["t1", "t4"]


@kinds
def test_the_blocking_form(kind: Any, embedded_url: str) -> None:
    with blocking_class(kind)(embedded_url, create=True) as db:
        with db.transaction():
            db.tasks.insert(task(kind))
            db.tasks.update("t1", title="read")
        db.tasks.update("t1", lambda row: _counted(kind, row, 7)).synced(5)
        assert (field(db.tasks["t1"], "title"), field(db.tasks["t1"], "count")) == ("read", 7)


@pytest.mark.parametrize("written", KINDS.values(), ids=KINDS)
async def test_kinds_read_what_others_wrote(written: Any, embedded_url: str) -> None:
    async with async_class(written)(embedded_url, create=True) as db:
        await db.tasks.insert(task(written, note="n"))
    for kind in KINDS.values():
        async with async_class(kind)(embedded_url, strict=True) as db:
            assert list(db.tasks) == [task(kind, note="n")]


@kinds
async def test_a_row_may_be_used_again_once_it_was_written(kind: Any, embedded_url: str) -> None:
    row = task(kind)
    async with async_class(kind)(embedded_url, create=True) as db:
        with db.transaction():
            db.tasks.insert(row)
            if isinstance(row, dict):
                row["id"], row["title"] = "t2", "changed in place"
                db.tasks.insert(row)
            db.tasks.update("t1", count=2)
        await db.tasks.update("t1", count=3).synced()
        assert db.tasks["t1"] == task(kind, count=3)


async def test_rows_that_are_shared_are_not_changed_by_an_update(embedded_url: str) -> None:
    """A dict that user code changes in place is its own copy."""
    async with async_class(dict)(embedded_url, create=True) as db:
        await db.tasks.insert(task(dict)).synced()
        before = db.tasks["t1"]
        text = json.dumps(before)
        with pytest.raises(InvalidRow):
            db.tasks.update("t1", lambda row: row.update(count="x") or row)
        assert json.dumps(before) == text
        assert db.tasks["t1"] is before


class ExtensiblePydanticTask(ExtensiblePydanticRow, frozen=True):
    """As `--models pydantic` writes it."""

    id: str
    title: str
    at: AwareDatetime
    count: int
    __pydantic_extra__: dict[str, int]


class ExtensibleTask(Extensible[int]):
    id: str
    title: str
    at: dt.datetime
    count: int


@pytest.mark.parametrize("kind", [ExtensibleTask, ExtensiblePydanticTask])
async def test_further_properties_are_updated(kind: Any, embedded_url: str) -> None:
    async with async_class(kind)(embedded_url, create=True) as db:
        await db.tasks.insert(task(kind, extras={"a": 1, "b": 2})).synced()
        await db.tasks.update("t1", title="other").synced()
        assert db.tasks["t1"].extras == {"a": 1, "b": 2}
        await db.tasks.update("t1", extras={"b": 3}, count=2).synced()
        assert (db.tasks["t1"].extras, db.tasks["t1"].count) == ({"b": 3}, 2)
        await db.tasks.update("t1", extras={}).synced()
        assert db.tasks["t1"].extras == {}
        for wrong in ({"a": "1"}, {"title": "a field"}, {"count": 5}):
            with pytest.raises(InvalidRow):
                db.tasks.update("t1", extras=wrong)
        assert db.tasks["t1"] == task(kind, title="other", count=2)
    values = [event["value"] for event in await events_of(embedded_url)]
    given = {"id": "t1", "at": NOON_TEXT}
    assert values == [
        {**given, "title": "write", "count": 1, "a": 1, "b": 2},
        {**given, "title": "other", "count": 1, "a": 1, "b": 2},
        {**given, "title": "other", "count": 2, "b": 3},
        {**given, "title": "other", "count": 2},
    ]


class ListStruct(Struct, frozen=True):
    id: str
    tags: list[str]


@dataclass(frozen=True)
class ListDataclass:
    id: str
    tags: list[str]


class ListModel(BaseModel, frozen=True):
    id: str
    tags: list[str]


class ListExtensible(Extensible[Any]):
    id: str
    tags: list[str]


@pytest.mark.parametrize("kind", [ListStruct, ListDataclass, ListModel, ListExtensible])
async def test_what_is_mutable_in_a_frozen_row_is_copied(kind: Any, embedded_url: str) -> None:
    declared = collection(kind, type="row", primary_key="id")
    async with type("Rows", (AsyncStreamDB,), {"rows": declared})(embedded_url, create=True) as db:
        rows: Any = db.rows
        given = kind(id="a", tags=["x"])
        with db.transaction() as tx:
            rows.insert(given)
            given.tags.append("later")
            rows.update("a", lambda row: row.tags.append("y") or row)
        await tx.synced()
        before = rows["a"]
        assert before == kind(id="a", tags=["x", "y"])
        with pytest.raises(InvalidRow):
            rows.update("a", lambda row: row.tags.append(5) or row)
        assert before.tags == ["x", "y"]
