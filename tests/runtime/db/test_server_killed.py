"""The server dies in the middle of reads and writes, and comes back: nothing lost or doubled."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message
from tests.runtime.serving_process import ServingProcess

from streamdb import AsyncStream, RetryPolicy, Transaction

RECONNECT = RetryPolicy(initial=0.02, maximum=0.1)


async def until(db: AsyncChat, status: str) -> None:
    await db.until(lambda: db.status == status, timeout=20)


@pytest.mark.parametrize("live", ["sse", "long-poll"])
async def test_a_killed_server_costs_nothing_but_time(tmp_path: Path, live: str) -> None:
    """CLIENT-17, CLIENT-31: reads go on from the last offset, writes keep their number."""
    with ServingProcess(tmp_path / "s.db") as server:
        url = f"{server.url}chat"
        options: dict[str, Any] = {"create": True, "live": live, "reconnect": RECONNECT}
        async with AsyncChat(url, **options) as writer, AsyncChat(url, **options) as reader:
            told: list[tuple[str, str]] = []
            reader.messages.subscribe(lambda changes: told.extend((c.kind, c.key) for c in changes))
            keys = iter(range(1000))
            stop = asyncio.Event()
            written = []

            async def write() -> None:
                while not stop.is_set():
                    written.append(writer.messages.insert(message(next(keys))))
                    await asyncio.sleep(0.002)

            writing = asyncio.create_task(write())
            for _ in range(2):
                before = len(reader.messages)
                async for _ in reader.messages.changes():
                    if len(reader.messages) > before + 5:
                        break
                server.kill()
                await until(reader, "reconnecting")
                await until(writer, "reconnecting")
                await asyncio.to_thread(server.start)
                await until(reader, "live")
            stop.set()
            await writing
            await asyncio.gather(*(transaction.synced() for transaction in written))
            await reader.await_txid(written[-1].txid)
            expected = [str(number) for number in range(len(written))]
            assert reader.messages.keys() == writer.messages.keys() == expected
            assert told == [("insert", key) for key in expected]
        async with AsyncStream(url) as stream:
            events = [event async for batch in stream.read() for event in stream.items(batch)]
        assert Counter(event["key"] for event in events) == Counter(expected)


def test_a_blocking_database_goes_on_by_itself(tmp_path: Path) -> None:
    with ServingProcess(tmp_path / "s.db") as server:  # noqa: SIM117 - the second needs its URL
        with Chat(f"{server.url}chat", create=True, reconnect=RECONNECT) as db:
            db.messages.insert(message(0)).synced(20)
            server.kill()
            waiting: list[Transaction] = [db.messages.insert(message(n)) for n in range(1, 4)]
            with pytest.raises(TimeoutError):
                waiting[0].result(0.05)
            server.start()
            for transaction in waiting:
                transaction.synced(20)
            assert db.messages.keys() == ["0", "1", "2", "3"]
            assert db.status == "live"
