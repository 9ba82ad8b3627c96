"""Live queries that ask rows of other places: of other databases, or of local collections."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import Struct
from tests.runtime.chat_schema import AsyncChat, Chat, message, sensor, sensors

from streamdb import (
    AsyncLocalCollection,
    AsyncStream,
    DatabaseClosed,
    LocalCollection,
    NotConnected,
    QueryClosed,
    StreamClosed,
)

FORMS = pytest.mark.parametrize("form", [Chat, AsyncChat])


class Mark(Struct, frozen=True):
    id: str
    text: str = ""


def test_local_rows_in_queries_of_blocking_databases(embedded_url: str) -> None:
    marks = LocalCollection(Mark, key="id", name="marks")
    with Chat(embedded_url, create=True) as db:
        db.messages.insert(message(1, "a")).synced(20)
        marked = db.live(db.messages.join(marks, on=lambda m, k: m.id == k.id))
        assert len(marked) == 0
        marks.insert(Mark("1", "red"))
        assert marked.items() == [(("1", "1"), (message(1, "a"), Mark("1", "red")))]
        waiter = threading.Thread(target=lambda: db.until(lambda: len(marked) == 0, timeout=20))
        waiter.start()
        marks.delete("1")
        waiter.join(20)
        assert not waiter.is_alive()
        threads = [
            threading.Thread(
                target=lambda n=n: [marks.upsert(Mark("1", str(n + k))) for k in range(50)]
            )
            for n in range(3)
        ]
        for thread in threads:
            thread.start()
        for number in range(10):
            db.messages.update("1", content=str(number)).synced(20)
        for thread in threads:
            thread.join(20)
        assert marked.one() == (db.messages["1"], marks["1"])
        assert db.messages.join(marks, on=lambda m, k: m.id == k.id).fetch() == list(marked)
    marks.delete("1")
    assert len(marked) == 1  # it is closed


async def test_local_rows_in_queries_of_async_databases(url: str) -> None:
    marks = AsyncLocalCollection(Mark, key="id")
    async with AsyncChat(url, create=True) as db:
        marked = db.live(db.messages.join(marks, on=lambda m, k: m.id == k.id))
        changes = marked.changes()
        await db.messages.insert(message(1)).synced()
        marks.insert(Mark("1"))
        assert [c.key for c in await anext(changes)] == [("1", "1")]
        with db.snapshot():
            marks.delete("1")
            assert len(marked) == 1
            await asyncio.to_thread(marks.insert, Mark("2"))
        assert len(marked) == 0


@pytest.mark.parametrize("form", [Chat, AsyncChat])
async def test_collections_of_another_database(embedded_url: str, form: Any, url: str) -> None:
    other = Chat(f"{embedded_url}-other", create=True) if form is Chat else None
    async with AsyncChat(url, create=True) as db:
        theirs: Any = other or AsyncChat(f"{embedded_url}-other", create=True)
        both = db.live(db.messages.join(theirs.sensors, on=lambda m, s: m.content == s.room))
        alone = db.live(theirs.live(theirs.sensors.filter(lambda s: s.celsius >= 20)))
        assert (both.status, alone.status) == ("loading", "loading")
        await db.messages.insert(message(1, "A1")).synced()
        if other is not None:
            await asyncio.to_thread(other.preload)
            await asyncio.to_thread(lambda: other.sensors.insert(sensor(7, "A1")).synced(20))
        else:
            await theirs.preload()
            await theirs.sensors.insert(sensor(7, "A1")).synced()
        await db.until(lambda: len(both) == 1 and len(alone) == 1, timeout=20)
        assert (both.keys(), alone.keys(), both.status) == ([("1", 7)], [7], "ready")
        await closed(theirs)


@contextlib.asynccontextmanager
async def another(form: Any, url: str) -> AsyncIterator[Any]:
    """Open a database of either form, and close it without holding up the event loop."""
    db = form(url, create=True)
    await in_its_form(db.preload)
    try:
        yield db
    finally:
        await closed(db)


async def in_its_form(call: Any, *given: Any) -> None:
    result = await asyncio.to_thread(call, *given)
    if inspect.isawaitable(result):
        await result


async def closed(db: Any) -> None:
    await in_its_form(db.close if isinstance(db, Chat) else db.aclose)


@FORMS
async def test_the_close_of_another_database_is_theirs(url: str, form: Any) -> None:
    async with AsyncChat(url, create=True) as db:
        async with another(form, f"{url}-other") as other:
            both = db.live(db.messages.join(other.sensors, on=lambda m, s: m.content == s.room))
            alone = db.live(other.live(other.sensors.filter(lambda s: s.celsius >= 20)))
            derived = db.live(alone.map(lambda s: s.room))
            own = db.live(db.messages)
            changes = [both.changes(), derived.changes()]
            assert both.status == derived.status == "ready"
        await db.until(lambda: both.status == derived.status == "closed", timeout=20)
        assert (alone.status, own.status, both.error) == ("closed", "ready", None)
        for one in changes:
            with pytest.raises(StopAsyncIteration):
                await asyncio.wait_for(anext(one), 20)
        assert (list(both), list(derived)) == ([], [])
        with pytest.raises(DatabaseClosed, match="'sensors'>, which this query asks, is closed"):
            db.live(other.sensors)
        assert db.messages.join(other.sensors, on=lambda m, s: m.content == s.room).fetch() == []


@FORMS
async def test_the_close_of_a_query_of_another_database_is_theirs(url: str, form: Any) -> None:
    async with AsyncChat(url, create=True) as db, another(form, f"{url}-other") as other:
        theirs = other.live(other.sensors)
        live = db.live(theirs)
        beside = db.live(other.sensors)
        theirs.close()
        await db.until(lambda: live.status == "closed", timeout=20)
        assert beside.status == "ready"
        with pytest.raises(QueryClosed, match="sensors>, which this one asks, is closed"):
            db.live(theirs)


@FORMS
async def test_what_has_ended_elsewhere_holds_all_that_there_is(url: str, form: Any) -> None:
    async with AsyncChat(url, create=True) as db, another(form, f"{url}-other") as other:
        both = db.live(db.messages.join(other.sensors, on=lambda m, s: m.content == s.room))
        alone = db.live(db.live(other.sensors).map(lambda s: s.room))
        changes = alone.changes()
        async with AsyncStream(f"{url}-other") as stream:
            await stream.append(sensors.insert(sensor(7, "A1")))
            await stream.close_stream()
        await db.until(lambda: alone.status == "ended", timeout=20)
        assert (both.status, list(alone)) == ("ready", ["A1"])
        assert [c.new for c in await anext(changes)] == ["A1"]
        with pytest.raises(StopAsyncIteration):
            await anext(changes)
        await db.messages.insert(message(1, "A1")).synced()
        assert len(both) == 1
        with pytest.raises(StreamClosed, match="what it asks has ended"):
            await db.until(db.live(other.sensors.filter(lambda _: False)))
        late = [db.live(alone), db.live(other.sensors)]
        assert [(one.status, len(one)) for one in late] == [("ended", 1), ("ended", 1)]
    assert (both.status, alone.status) == ("closed", "closed")


@FORMS
async def test_what_is_not_connected_is_told_from_what_is_empty(url: str, form: Any) -> None:
    other = form(f"{url}-other", create=True)
    async with AsyncChat(url, create=True) as db:
        live = db.live(other.sensors.map(lambda s: s.room))
        derived = db.live(live.filter(lambda room: room != ""))
        changes = derived.changes()
        assert (live.status, derived.status) == ("loading", "loading")
        reads: list[Any] = [len, list, lambda q: q.get(7), lambda q: q.fetch()]
        reads += [
            lambda q: q.map(str).fetch(),
            lambda _: other.sensors.join(db.messages, on=lambda s, m: s.room == m.id).fetch(),
        ]
        reads += [lambda _: db.messages.join(other.sensors, on=lambda m, s: s.room == m.id).fetch()]
        for read in reads:
            with pytest.raises(NotConnected, match="-other: the database is not connected"):
                read(derived)
        for wait in (anext(changes), db.until(derived), db.until(lambda: len(live) == 1)):
            with pytest.raises(NotConnected, match="-other"):
                await wait
        await closed(other)
        await db.until(lambda: derived.status == "closed", timeout=20)


@FORMS
async def test_the_error_of_another_database_reaches_its_readers(
    url: str, http_url: str, form: Any
) -> None:
    address = f"{http_url}-other"
    async with AsyncChat(url, create=True) as db, another(form, address) as other:
        live = db.live(other.sensors)
        assert live.status == "ready"
        async with AsyncStream(address) as stream:
            await stream.delete()
        await db.until(lambda: live.status == "error", timeout=20)
        assert live.error is other.error
