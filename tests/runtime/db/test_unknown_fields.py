"""What newer programs write beyond the rows of an older one survives its updates, on real streams.

And what has none of that stays as it is: rows that were made by hand, deleted, or written anew.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from msgspec import UNSET, Struct, UnsetType
from pydantic import BaseModel
from tests.runtime.task_rows import KINDS, NOON_TEXT, SCHEMA, field, task

from streamdb import AsyncStream, AsyncStreamDB, Extensible, collection
from streamdb.cache import store

NEW: dict[str, Any] = {"priority": {"level": 3, "by": ["ann"]}, "é\"'": None}
TASK: dict[str, Any] = {"id": "t1", "title": "write", "count": 1, "at": NOON_TEXT}

kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@pytest.fixture
def url(embedded_url: str) -> str:
    return embedded_url


def database(row: Any, base: Any = AsyncStreamDB, **options: Any) -> type[Any]:
    declared = collection(row, type="task", primary_key="id", **options)
    return type("Tasks", (base,), {"tasks": declared})


async def write(url: str, *values: Any, operation: str = "upsert", **headers: Any) -> None:
    """Append events as a newer program does."""
    events = [
        {
            "type": "task",
            "key": value["id"],
            "value": value,
            "headers": {"operation": operation, **headers},
        }
        for value in values
    ]
    async with await AsyncStream.create(url) as stream:
        await stream.append_many(events)


async def written(url: str) -> list[Any]:
    """Return the values on a stream."""
    async with AsyncStream(url) as stream:
        events = [event async for batch in stream.read() for event in stream.items(batch)]
    return [event.get("value") for event in events]


def counted(kind: Any, row: Any, count: int) -> Any:
    """Return a row with another count, as a user's function makes it."""
    if isinstance(row, dict):
        return {**row, "count": count}
    if issubclass(kind, Struct):
        return msgspec.structs.replace(row, count=count)
    if issubclass(kind, BaseModel):
        return row.model_copy(update={"count": count})
    if issubclass(kind, Extensible):
        return row.__replace__(count=count)
    return dataclasses.replace(row, count=count)


@kinds
async def test_they_survive_both_forms_of_update(kind: Any, url: str) -> None:
    await write(url, TASK | NEW)
    async with database(kind, schema=SCHEMA)(url) as db:
        assert field(db.tasks["t1"], "count") == 1
        await db.tasks.update("t1", count=2).synced()
        await db.tasks.update("t1", lambda row: counted(kind, row, 3)).synced()
        assert field(db.tasks["t1"], "count") == 3
        assert (await written(url))[1:] == [TASK | NEW | {"count": 2}, TASK | NEW | {"count": 3}]


@kinds
async def test_rows_are_what_they_would_be_without_them(kind: Any, url: str) -> None:
    """Their class and their equality, whether they were read with others like them or alone."""
    await write(url, *({**TASK, "id": f"t{n}"} | (NEW if n % 3 else {}) for n in range(20)))
    async with database(kind, schema=SCHEMA)(url) as db:
        await write(url, TASK | NEW | {"id": "live"})
        await db.until(lambda: "live" in db.tasks)
        for row in db.tasks:
            if kind is not dict and not issubclass(kind, Extensible):
                assert row == task(kind, field(row, "id"))
            assert kind in (dict, KINDS["TypedDict"]) or type(row) is kind
        await db.tasks.update("t1", note="n").synced()
        await db.tasks.update("t3", note="n").synced()
        assert (await written(url))[-2:] == [
            TASK | NEW | {"note": "n"},
            TASK | {"id": "t3", "note": "n"},
        ]


@kinds
async def test_updates_before_the_first_one_has_come_back(kind: Any, url: str) -> None:
    await write(url, TASK | NEW)
    async with database(kind, schema=SCHEMA)(url) as db:
        first = db.tasks.update("t1", count=2)
        second = db.tasks.update("t1", note="n")
        with db.transaction() as third:
            db.tasks.update("t1", count=4)
            db.tasks.update("t1", title="read")
        await asyncio.gather(first.synced(), second.synced(), third.synced())
        expected = TASK | NEW | {"count": 4, "note": "n", "title": "read"}
        assert (await written(url))[-1] == expected


@kinds
async def test_a_row_that_was_made_by_hand_is_written_as_it_is(kind: Any, url: str) -> None:
    await write(url, TASK | NEW)
    async with database(kind, schema=SCHEMA)(url) as db:
        await db.tasks.upsert(task(kind, count=5)).synced()
        await db.tasks.update("t1", note="n").synced()
        expected = TASK | {"count": 5}
        assert (await written(url))[1:] == [expected, expected | {"note": "n"}]


@kinds
async def test_a_delete_drops_them(kind: Any, url: str) -> None:
    await write(url, TASK | NEW)
    async with database(kind, schema=SCHEMA)(url) as db:
        await db.tasks.delete("t1").synced()
        await db.tasks.insert(task(kind)).synced()
        await db.tasks.update("t1", count=2).synced()
        assert (await written(url))[-1] == TASK | {"count": 2}


@kinds
@pytest.mark.parametrize("is_live", [False, True], ids=["loaded", "live"])
async def test_a_later_event_without_them_drops_them(kind: Any, is_live: bool, url: str) -> None:
    await write(url, TASK | NEW)
    if not is_live:
        await write(url, TASK | {"count": 7})
    async with database(kind, schema=SCHEMA)(url) as db:
        if is_live:
            await write(url, TASK | {"count": 7}, txid="x")
            await db.await_txid("x")
        await db.tasks.update("t1", note="n").synced()
        assert (await written(url))[-1] == TASK | {"count": 7, "note": "n"}


@kinds
async def test_a_reset_drops_them(kind: Any, url: str) -> None:
    await write(url, TASK | NEW)
    async with database(kind, schema=SCHEMA)(url) as db:
        async with AsyncStream(url) as stream:
            await stream.append({"headers": {"control": "reset"}})
        await write(url, TASK, TASK | {"id": "t2"} | NEW, txid="x")
        await db.await_txid("x")
        await db.tasks.update("t1", count=2).synced()
        await db.tasks.update("t2", count=3).synced()
        expected = [TASK | {"count": 2}, TASK | {"id": "t2", "count": 3} | NEW]
        assert (await written(url))[-2:] == expected


@kinds
async def test_rows_that_are_merged_keep_them(kind: Any, url: str) -> None:
    """UPDATE-4: fields are laid over the stored row, and what nobody declares is stored, too."""
    await write(url, TASK | NEW)
    async with database(kind, schema=SCHEMA, updates="merge")(url) as db:
        await write(url, {"id": "t1", "count": 2, "later": 1}, operation="update", txid="x")
        await db.await_txid("x")
        await db.tasks.update("t1", note="n").synced()
        assert (await written(url))[-1] == TASK | NEW | {"count": 2, "later": 1, "note": "n"}


@kinds
async def test_they_survive_where_the_key_had_to_be_put_right(kind: Any, url: str) -> None:
    """KEY-4."""
    async with await AsyncStream.create(url) as stream:
        value = {name: item for name, item in (TASK | NEW).items() if name != "id"}
        headers = {"operation": "insert"}
        await stream.append({"type": "task", "key": "t1", "value": value, "headers": headers})
    async with database(kind, schema=SCHEMA)(url) as db:
        await db.tasks.update("t1", count=2).synced()
        assert (await written(url))[-1] == TASK | NEW | {"count": 2}


@kinds
@pytest.mark.parametrize("is_written_anew", [False, True], ids=["as read", "as rows"])
async def test_they_survive_a_cache(
    kind: Any,
    is_written_anew: bool,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An older program that starts from its cache knows of them all the same."""
    monkeypatch.setattr(store, "_LEAST_TO_REWRITE", 0 if is_written_anew else 1024 * 1024)
    tasks = database(kind, schema=SCHEMA)
    await write(url, TASK | NEW, TASK | {"id": "t2"})
    for count in (2, 3):
        async with tasks(url, cache=tmp_path / "cache") as db:
            assert db.metrics.cached == (0 if count == 2 else 4)
            assert field(db.tasks["t1"], "count") == count - 1
            for key in ("t1", "t2"):
                await db.tasks.update(key, count=count).synced()
    assert (await written(url))[-2:] == [
        TASK | NEW | {"count": 3},
        TASK | {"id": "t2", "count": 3},
    ]


class Closed(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    n: int


async def test_a_closed_row_has_none(url: str) -> None:
    await write(url, {"id": "a", "n": 1}, {"id": "b", "n": 1, "new": 1})
    async with database(Closed)(url) as db:
        assert db.tasks.keys() == ["a"]
        [invalid] = db.invalid_events
        assert (invalid.key, invalid.pointer) == ("b", "/value/new")


class Text(Struct, frozen=True, gc=False, tag_field="kind", tag="text"):
    text: str


class Call(Struct, frozen=True, gc=False, tag_field="kind", tag="call"):
    name: str
    status: Literal["running", "done"] = "running"


class Tool(Struct, frozen=True, omit_defaults=True):
    id: str
    parts: Sequence[Text | Call]
    last: Text | Call
    by_name: Mapping[str, Call]
    note: str | UnsetType = UNSET


DEEP: dict[str, Any] = {
    "id": "d",
    "parts": [
        {"kind": "text", "text": "hi", "language": "en"},
        {"kind": "call", "name": "sh", "status": "running", "cwd": {"path": "/"}},
    ],
    "last": {"kind": "call", "name": "sh", "status": "running", "cost": 1.25},
    "by_name": {"sh": {"kind": "call", "name": "sh", "status": "running", "pid": 7}},
}


async def test_they_survive_at_every_depth(url: str) -> None:
    await write(url, DEEP)
    done = Call("sh", "done")
    async with database(Tool)(url) as db:
        assert type(db.tasks["d"].parts[1]) is Call
        await db.tasks.update("d", note="n").synced()
        await db.tasks.update("d", last=done).synced()
        await db.tasks.update("d", by_name={"sh": done, "ls": Call("ls")}).synced()
        await db.tasks.update(
            "d", lambda tool: msgspec.structs.replace(tool, parts=[*tool.parts[1:], Text("new")])
        ).synced()
        await db.tasks.update("d", last=Text("end")).synced()
    values = await written(url)
    assert values[1] == DEEP | {"note": "n"}
    assert values[2]["last"] == DEEP["last"] | {"status": "done"}
    assert values[3]["by_name"] == {
        "sh": DEEP["by_name"]["sh"] | {"status": "done"},
        "ls": {"kind": "call", "name": "ls", "status": "running"},
    }
    assert values[4]["parts"] == [DEEP["parts"][1], {"kind": "text", "text": "new"}]
    assert values[5] == values[4] | {"last": {"kind": "text", "text": "end"}}
