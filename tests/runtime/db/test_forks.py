"""A database on a fork: the state of its source at a moment, and from there its own (row B7)."""

from __future__ import annotations

import asyncio

from tests.runtime.chat_schema import AsyncChat, message

from streamdb import AsyncStream


async def test_a_fork_materialises_independently(url: str) -> None:
    fork_url = f"{url}-fork"
    async with AsyncChat(url, create=True) as db:
        for number in range(20):  # more than one page of the server
            await db.messages.insert(message(number, "before")).synced()
        forked_at = db.offset
        await db.messages.update("0", content="after").synced()
        async with AsyncStream(url) as stream:
            await (await stream.fork(fork_url, at=forked_at)).aclose()
        async with AsyncChat(fork_url) as fork:
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
        await db.messages.insert(message(1, "shared")).synced()
        async with AsyncStream(url) as stream:
            await (await stream.fork(f"{url}-fork")).aclose()
    async with AsyncStream(url) as stream:
        await stream.delete()
    async with AsyncChat(f"{url}-fork") as fork, asyncio.timeout(20):
        assert [row.content for row in fork.messages] == ["shared"]
        await fork.messages.insert(message(2, "own")).synced()
        assert [row.content for row in fork.messages] == ["shared", "own"]
