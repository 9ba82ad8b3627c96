"""A server that is killed and started again, in the middle of everything."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.serving_process import ServingProcess

from streamdb import AsyncStream, RetryPolicy
from streamdb.protocol import json_text
from streamdb.protocol.read_options import LiveMode
from streamdb.protocol.writing import ProducerState

TIRELESS = RetryPolicy(initial=0.01, maximum=0.05)
COUNT = 90


@pytest.mark.parametrize("live", ["sse", "long-poll"])
async def test_nothing_is_lost_or_doubled(tmp_path: Path, live: LiveMode) -> None:
    with ServingProcess(tmp_path / "streams.db") as server:
        url = server.url + "s"
        acknowledged = asyncio.Condition()
        written = 0

        async def write() -> None:
            nonlocal written
            producer = ProducerState("writer")
            async with AsyncStream(url, retry=TIRELESS, reconnect=TIRELESS) as stream:
                for number in range(COUNT):
                    await stream.append_once(producer, json_text.frame([b"%d" % number]))
                    async with acknowledged:
                        written = number + 1
                        acknowledged.notify_all()
                    await asyncio.sleep(0)
                await stream.close_stream()

        async def read() -> tuple[list[Any], list[str]]:
            items: list[Any] = []
            offsets: list[str] = []
            async with AsyncStream(url, retry=TIRELESS, reconnect=TIRELESS) as stream:
                async for batch in stream.read(live=live):
                    items += stream.items(batch)
                    offsets.append(batch.offset)
            return items, offsets

        async def kill_again_and_again() -> None:
            for at in (COUNT // 4, COUNT // 2):
                async with acknowledged:
                    await acknowledged.wait_for(lambda at=at: written >= at)  # type: ignore[misc] # bound
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)

        await (await AsyncStream.create(url)).aclose()
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            tasks.create_task(write())
            reader = tasks.create_task(read())
            tasks.create_task(kill_again_and_again())
        items, offsets = reader.result()
        assert items == list(range(COUNT))
        assert offsets == sorted(offsets)
