"""One view of all collections that stands still, in both forms; and what is known of rows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextvars import copy_context
from typing import Any

import pytest
from tests.runtime.chat_schema import (
    AsyncChat,
    Chat,
    Message,
    Profile,
    message,
    messages,
    profiles,
    sensor,
    sensors,
)
from tests.runtime.db.torn_views import torn_views

from streamdb import AsyncStream, WouldDeadlock


def view(db: AsyncChat | Chat) -> Any:
    """Everything that may be read."""
    return (
        (db.messages.items(), db.messages.keys(), list(db.messages), db.messages.first()),
        (len(db.messages), "1" in db.messages, "2" in db.messages, db.messages.get("2")),
        [db.messages.meta(key).seq for key, _ in db.messages.items()],
        (db.sensors.items(), [db.sensors.meta(key).seq for key, _ in db.sensors.items()]),
        db.offset,
    )


async def test_no_commit_shows_inside_across_awaits(url: str) -> None:
    async with await AsyncStream.create(url) as stream:
        await stream.append_many([messages.insert(message(1)), sensors.insert(sensor(1))])
        async with AsyncChat(url) as db:
            with db.snapshot():
                before = view(db)
                await stream.append_many(
                    [
                        messages.insert(message(2), txid="t"),
                        messages.update(message(1, "new")),
                        sensors.delete(1),
                    ]
                )
                await db.await_txid("t")
                assert view(db) == before
                with db.snapshot():  # the same one
                    assert view(db) == before
                await stream.append_many([messages.delete("1"), messages.insert(message(3))])
                await stream.append({"headers": {"control": "reset"}})
                await db.messages.upsert(message(4)).synced()
                assert view(db) == before
            assert db.messages.keys() == ["4"]
            assert (len(db.sensors), db.offset > before[-1]) == (0, True)


async def test_others_see_every_commit(url: str) -> None:
    """A task that was started inside inherits the context of the block, but not its view."""
    async with AsyncChat(url, create=True) as db:
        with db.snapshot():
            await db.messages.insert(message(1)).synced()

            async def look() -> list[str]:
                return db.messages.keys()

            assert await asyncio.create_task(look()) == ["1"]
            assert await asyncio.to_thread(db.messages.keys) == ["1"]
            assert db.messages.keys() == []


def test_the_blocking_form_holds_up_no_commit(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        db.messages.insert(message(1)).synced(20)
        with db.snapshot():
            before = view(db)
            db.messages.insert(message(2)).synced(20)  # waited for inside
            db.messages.update("1", content="new").synced(20)
            assert view(db) == before
            seen: list[list[str]] = []
            context = copy_context()
            other = threading.Thread(
                target=lambda: context.run(lambda: seen.append(db.messages.keys()))
            )
            other.start()
            other.join(20)
            assert seen == [["1", "2"]]
        assert db.messages["1"].content == "new"


async def test_writes_inside_build_on_the_latest_rows(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1, "old")).synced()
        with db.snapshot():
            await db.messages.update("1", content="other").synced()
            await db.messages.update("1", note="mine").synced()
        assert db.messages["1"] == message(1, "other", note="mine")


async def test_watching_inside_is_of_what_comes(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1)).synced()
        with db.snapshot():
            await db.messages.insert(message(2)).synced()
            changes = db.messages.changes(initial=True)
            assert [change.key for change in await anext(changes)] == ["1", "2"]
            with pytest.raises(WouldDeadlock, match="nothing changes inside"):
                await db.until(lambda: True)


async def test_several_at_once_are_of_their_own_moments(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        seen: list[list[str]] = []
        done = asyncio.Event()

        async def hold() -> None:
            with db.snapshot():
                await done.wait()
                seen.append(db.messages.keys())

        tasks = []
        for number in range(3):
            tasks.append(asyncio.create_task(hold()))
            await asyncio.sleep(0)
            await db.messages.insert(message(number)).synced()
        done.set()
        await asyncio.gather(*tasks)
        assert seen == [[], ["0"], ["0", "1"]]


def test_collections_never_differ_inside(embedded_url: str) -> None:
    """ATOM-2, ATOM-4, for readers that look more than once: all rows, and the position of them."""
    db = AsyncChat(embedded_url)

    def counts() -> list[int]:
        with db.snapshot():
            reached = 0 if db.offset == "-1" else int(db.offset) + 1
            return [reached, len(db.messages), len(db.sensors), len(list(db.messages))]

    torn = torn_views(db, counts, lambda seen: len(set(seen)) > 1, commits=1000)
    assert torn == []


def test_a_snapshot_copies_nothing_where_nothing_is_committed(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        db.messages.insert(message(1)).synced(20)
        rows = db._state.tables["messages"].rows
        with db.snapshot():
            db.sensors.insert(sensor(1)).synced(20)
            assert db._state.tables["messages"].rows is rows
        db.messages.insert(message(2)).synced(20)  # nobody holds it any more
        assert db._state.tables["messages"].rows is rows


async def test_the_ordinal_of_a_row_is_that_of_its_last_event(url: str) -> None:
    """Over all collections and events of every kind, for live rows and loaded ones alike."""
    undeclared = {"type": "x", "key": "k", "headers": {"operation": "delete"}}
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as live:
        await stream.append_many(
            [
                messages.insert(message(1)),  # 1
                undeclared,  # 2
                sensors.insert(sensor(7)),  # 3
                "invalid",  # 4
                messages.insert(message(2)),  # 5
            ]
        )
        await stream.append_many(
            [messages.update(message(1, "new")), profiles.upsert(Profile(id="p", name="P"))]
        )
        await stream.append(messages.insert(message(3), txid="end"))
        await live.await_txid("end")
        async with AsyncChat(url) as loaded:
            for db in (live, loaded):
                assert [db.messages.meta(key).seq for key, _ in db.messages.items()] == [6, 5, 8]
                assert (db.sensors.meta(7).seq, db.profiles.meta("p").seq) == (3, 7)
                with pytest.raises(KeyError):
                    db.messages.meta("nobody")
        await stream.append_many(
            [{"headers": {"control": "reset"}}, messages.insert(message(9), txid="reset")]
        )
        await live.await_txid("reset")
        async with AsyncChat(url) as loaded:
            assert live.messages.meta("9").seq == loaded.messages.meta("9").seq == 1


async def test_a_generator_inside_may_be_closed_by_another_task(url: str) -> None:
    """As the loop does with one that was left early; then nothing is held for it any more."""
    async with AsyncChat(url, create=True) as db:

        async def rows() -> AsyncGenerator[Message]:
            with db.snapshot():
                for row in db.messages:
                    yield row

        async def begin() -> AsyncGenerator[Message]:
            begun = rows()
            await anext(begun)
            return begun

        await db.messages.insert(message(1)).synced()
        begun = await asyncio.create_task(begin())
        await begun.aclose()
        with db.snapshot():
            assert db.messages.keys() == ["1"]
        await db.messages.insert(message(2)).synced()
        assert db.messages.keys() == ["1", "2"]
