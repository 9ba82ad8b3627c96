"""Events of one action that come over several commits: no row shows a value in between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor, sensors
from tests.runtime.db.held import unread

from streamdb import (
    ActionTransaction,
    AsyncActionTransaction,
    AsyncStream,
    Stream,
    TransactionUnresolved,
)


@contextmanager
def shown(db: AsyncChat | Chat) -> Iterator[list[dict[str, str]]]:
    """Yield what shows of the messages after each commit: their contents by their keys."""
    seen: list[dict[str, str]] = []
    with db.messages.subscribe(lambda _: seen.append({row.id: row.content for row in db.messages})):
        yield seen


async def until_read(db: AsyncChat, key: str, content: str) -> None:
    await db.until(lambda: key in db.messages and db.messages[key].content == content)


async def test_each_row_shows_until_its_own_event_comes(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        await db.messages.insert(message("old", "before")).synced()

        def on_mutate() -> None:
            db.messages.insert(message(1, "shown"))
            db.messages.update("old", content="shown")
            db.messages.insert(message(2, "shown"))

        async def persist(tx: AsyncActionTransaction) -> None:
            await server.append(messages.insert(message(1, "server"), txid=tx.txid))
            await until_read(db, "1", "server")
            await server.append(messages.update(message("old", "server"), txid=tx.txid))
            await until_read(db, "old", "server")
            assert transaction.status == "sent"
            await server.append(messages.insert(message(2, "server"), txid=tx.txid))

        with shown(db) as seen:
            transaction = db.perform(on_mutate, persist)
            await transaction.synced()
        assert seen == [
            {"old": "shown", "1": "shown", "2": "shown"},
            {"old": "shown", "1": "server", "2": "shown"},
            {"old": "server", "1": "server", "2": "shown"},
            {"old": "server", "1": "server", "2": "server"},
        ]


def test_each_row_does_so_in_the_blocking_form(url: str) -> None:
    with Stream.create(url) as server, Chat(url) as db:

        def on_mutate() -> None:
            db.messages.insert(message(1, "shown"))
            db.messages.insert(message(2, "shown"))

        def persist(tx: ActionTransaction) -> None:
            server.append(messages.insert(message(2, "server"), txid=tx.txid))
            db.until(lambda: db.messages["2"].content == "server")
            assert db.messages["1"].content == "shown"
            server.append(messages.insert(message(1, "server"), txid=tx.txid))

        db.perform(on_mutate, persist).synced(10)
        assert [row.content for row in db.messages] == ["server", "server"]


async def test_what_is_on_its_way_when_persist_returns_is_waited_for(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:

        def on_mutate() -> None:
            for key in (1, 2, 3):
                db.messages.insert(message(key, "shown"))

        async def persist(tx: AsyncActionTransaction) -> None:
            await server.append(messages.insert(message(1, "server"), txid=tx.txid))
            await until_read(db, "1", "server")
            reading.__enter__()
            await server.append(messages.insert(message(2, "server"), txid=tx.txid))

        reading = unread(db)
        with shown(db) as seen:
            transaction = db.perform(on_mutate, persist)
            await transaction
            await asyncio.sleep(0.1)  # in which the end of the stream is asked for
            assert db.messages.keys() == ["1", "2", "3"]
            assert transaction.status == "durable"
            reading.__exit__(None, None, None)
            await transaction.synced()
        assert db.messages.keys() == ["1", "2"], "an event of 3 has not been written, and goes"
        assert all(rows["2"] in ("shown", "server") for rows in seen)
        assert [rows["2"] for rows in seen][-1] == "server"


async def test_what_comes_first_after_persist_has_returned_may_be_all(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:

        def on_mutate() -> None:
            db.messages.insert(message(1, "shown"))
            db.messages.insert(message(2, "shown"))

        async def persist(tx: AsyncActionTransaction) -> None:
            txids.append(tx.txid)

        txids: list[str] = []
        transaction = db.perform(on_mutate, persist)
        await transaction
        assert db.messages.keys() == ["1", "2"]
        await server.append(messages.insert(message(1, "server"), txid=txids[0]))
        await transaction.synced()
        assert db.messages.keys() == ["1"]


async def test_a_new_row_comes_in_place_of_what_is_here_alone(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        await db.messages.insert(message("old", "before")).synced()
        await db.messages.insert(message("count", "1")).synced()
        await db.sensors.insert(sensor(1)).synced()

        def on_mutate() -> None:
            db.messages.insert(message("new", "shown"))
            db.messages.update("old", content="shown")
            db.messages.delete("count")

        async def persist(tx: AsyncActionTransaction) -> None:
            txid = tx.txid
            await server.append(sensors.update(sensor(1, "counted"), txid=txid))
            await db.until(lambda: db.sensors[1].room == "counted")
            assert db.messages["new"].content == "shown", "a row that was there is no other row"
            await server.append(messages.insert(message("m1", "server"), txid=txid))
            await until_read(db, "m1", "server")
            assert db.messages["new"].id == "m1", "its old key leads to it"
            assert "count" not in db.messages
            await server.append(messages.delete("count", txid=txid))
            await server.append(messages.update(message("old", "server"), txid=txid))

        with shown(db) as seen:
            await db.perform(on_mutate, persist).synced()
        assert seen == [
            {"old": "shown", "new": "shown"},
            {"old": "shown", "m1": "server"},
            {"old": "server", "m1": "server"},
        ]


async def test_a_new_row_of_another_collection_leaves_what_has_events_of_its_own(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        await db.messages.insert(message("old", "before")).synced()

        def on_mutate() -> None:
            db.messages.insert(message(1, "shown"))
            db.sensors.insert(sensor(1, "shown"))
            db.messages.update("old", content="shown")

        async def persist(tx: AsyncActionTransaction) -> None:
            await server.append(sensors.insert(sensor(7, "server"), txid=tx.txid))
            await db.until(lambda: 7 in db.sensors)
            assert db.sensors.keys() == [7]
            assert db.messages["1"].content == "shown"
            await server.append(messages.insert(message(1, "server"), txid=tx.txid))

        with shown(db) as seen:
            await db.perform(on_mutate, persist).synced()
        assert seen == [
            {"old": "shown", "1": "shown"},
            {"old": "shown", "1": "server"},
            {"old": "before", "1": "server"},
        ]


async def test_keys_can_be_mapped_between(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        await db.messages.insert(message("old", "before")).synced()

        def on_mutate() -> None:
            db.messages.insert(message("new", "shown"))
            db.messages.update("old", content="shown")

        async def persist(tx: AsyncActionTransaction) -> None:
            await server.append(messages.update(message("old", "server"), txid=tx.txid))
            await until_read(db, "old", "server")
            later.append(db.messages.update("old", note="later"))
            tx.map_key(db.messages, "new", "m1")
            await server.append(messages.insert(message("m1", "server"), txid=tx.txid))

        later: list[Any] = []
        await db.perform(on_mutate, persist).synced()
        await later[0].synced()
        assert {row.id: row.content for row in db.messages} == {"old": "server", "m1": "server"}
        assert (db.messages["new"].id, db.messages["old"].note) == ("m1", "later")


async def test_what_has_come_stands_if_persist_raises(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:

        def on_mutate() -> None:
            db.messages.insert(message(1, "shown"))
            db.messages.insert(message(2, "shown"))

        async def persist(tx: AsyncActionTransaction) -> None:
            await server.append(messages.insert(message(1, "server"), txid=tx.txid))
            await until_read(db, "1", "server")
            await tx.send()  # it has been brought onto the stream in another way
            raise RuntimeError("too late")

        transaction = db.perform(on_mutate, persist, name="greet")
        await transaction.synced()
        assert db.messages.keys() == ["1"]
        assert "persist of the action 'greet' failed when its outcome stood already" in caplog.text


async def test_the_end_of_the_stream_ends_it(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url, close_timeout=0.05) as db:

        def on_mutate() -> None:
            db.messages.insert(message(1, "shown"))
            db.messages.insert(message(2, "shown"))

        async def persist(tx: AsyncActionTransaction) -> None:
            await server.append(messages.insert(message(1, "server"), txid=tx.txid))
            await until_read(db, "1", "server")
            await server.close_stream()
            await asyncio.Event().wait()

        transaction = db.perform(on_mutate, persist)
        await transaction.synced()
        assert db.messages.keys() == ["1"]


async def test_closing_in_between_knows_no_outcome(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url, close_timeout=0.05) as db:

        def on_mutate() -> None:
            db.messages.insert(message(1, "shown"))
            db.messages.insert(message(2, "shown"))

        async def persist(tx: AsyncActionTransaction) -> None:
            await server.append(messages.insert(message(1, "server"), txid=tx.txid))
            await asyncio.Event().wait()

        transaction = db.perform(on_mutate, persist)
        await until_read(db, "1", "server")
    with pytest.raises(TransactionUnresolved):
        await transaction
