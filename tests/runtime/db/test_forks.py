"""A database on a fork: the state of its source at a moment, and from there its own (row B7)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.golden.minimal import AsyncActions, AsyncMinimal
from tests.runtime.chat_schema import SCHEMA, AsyncChat, Chat, message

from streamdb import (
    AsyncStream,
    BadAddress,
    DatabaseClosed,
    StreamDB,
    StreamExists,
    StreamNotFound,
)


async def test_a_fork_materialises_independently(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        for number in range(20):  # more than one page of the server
            await db.messages.insert(message(number, "before")).synced()
        forked_at = db.offset
        await db.messages.update("0", content="after").synced()
        async with await db.fork(f"{url}-fork", at=forked_at) as fork:
            assert {row.content for row in fork.messages} == {"before"}
            assert len(fork.messages) == 20
            await fork.messages.delete("1").synced()
            await db.messages.update("2", content="of the source").synced()
            await fork.messages.update("2", content="of the fork").synced()
            assert "1" in db.messages
            assert db.messages["2"].content == "of the source"
            assert fork.messages["2"].content == "of the fork"


async def test_a_fork_lives_on_without_its_source(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1, "shared"))  # durable, and so before the end
        fork = await db.fork(f"{url}-fork")
    async with AsyncStream(url) as stream:
        await stream.delete()
    async with fork, asyncio.timeout(20):
        assert [row.content for row in fork.messages] == ["shared"]
        await fork.messages.insert(message(2, "own")).synced()
        assert [row.content for row in fork.messages] == ["shared", "own"]


def test_the_blocking_form(url: str) -> None:
    with Chat(url, create=True) as db:
        with db.transaction() as transaction:
            for number in range(3):
                db.messages.insert(message(number))
        transaction.synced()
        beginning = "0000000000000000_0000000000000000"
        with db.fork(f"{url}-fork", at=beginning, sub_offset=2) as fork:
            assert type(fork) is Chat
            assert [row.id for row in fork.messages] == ["0", "1"]


def test_options_and_schemas_go_along(http_url: str) -> None:
    found: list[Any] = []
    options: dict[str, Any] = {"create": True, "on_invalid": found.append}
    with StreamDB(SCHEMA, http_url, **options) as db, db.fork(f"{http_url}-fork") as fork:
        assert type(fork) is StreamDB
        assert fork.schema is db.schema
        assert fork.url == f"{http_url}-fork"


async def test_actions_of_ones_own_go_along(http_url: str) -> None:
    class Own(AsyncActions):
        pass

    async with (
        AsyncMinimal(http_url, create=True, actions=Own) as db,
        await db.fork(f"{http_url}-fork") as fork,
    ):
        assert type(fork) is AsyncMinimal
        assert type(fork.actions) is Own


async def test_forks_that_cannot_be(http_url: str) -> None:
    db = AsyncChat(http_url, create=True)
    with pytest.raises(StreamNotFound):
        await db.fork(f"{http_url}-fork")  # nothing has connected it, and so created it
    async with db:
        with pytest.raises(BadAddress, match="stays on its server"):
            await db.fork("http://elsewhere.example/v1/stream/fork")
        with pytest.raises(StreamExists):
            await db.fork(http_url)
    with pytest.raises(DatabaseClosed):
        await db.fork(f"{http_url}-fork")
