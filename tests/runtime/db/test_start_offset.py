"""Reading from another place than the beginning, and who is asked about errors."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor, sensors

from streamdb import AsyncStream, BadRequest, Retry, StreamError, StreamGone


async def test_rows_are_those_of_the_events_from_there(url: str) -> None:
    async with await AsyncStream.create(url) as stream:
        await stream.append(messages.insert(message(1)))
        mark = (await stream.append(messages.insert(message(2)))).offset
        await stream.append(messages.insert(message(3)))
        async with AsyncChat(url, start_offset=mark) as db:
            await db.messages.insert(message(4)).synced()
            assert db.messages.keys() == ["3", "4"]
            assert db.messages.meta("3").seq == 1
        async with AsyncChat(url, start_offset="-1") as db:
            assert len(db.messages) == 4


async def test_from_now_on(url: str) -> None:
    async with await AsyncStream.create(url) as stream:
        await stream.append(messages.insert(message(1)))
        async with AsyncChat(url, start_offset="now") as db:
            assert (len(db.messages), db.status) == (0, "live")
            assert db.offset == (await stream.head()).offset
            await stream.append(messages.insert(message(2), txid="t"))
            await db.await_txid("t")
            assert db.messages.keys() == ["2"]


def test_the_blocking_form(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        db.messages.insert(message(1)).synced(20)
        mark = db.offset
        db.messages.insert(message(2)).synced(20)
    with Chat(embedded_url, start_offset=mark) as db:
        assert db.messages.keys() == ["2"]


async def test_a_snapshot_is_loaded_without_what_was_before_it(url: str) -> None:
    """A producer frames the whole state; who reads from there has it, and what follows."""

    def mark(control: str) -> dict[str, Any]:
        return {"headers": {"control": control}}

    async with await AsyncStream.create(url) as stream:
        await stream.append_many([messages.insert(message(n)) for n in range(20)])
        before = (await stream.append_many([messages.delete(str(n)) for n in range(18)])).offset
        rows = [messages.upsert(message(18)), messages.upsert(message(19))]
        await stream.append_many([mark("snapshot-start"), *rows, mark("snapshot-end")])
        await stream.append(sensors.insert(sensor(1)))
        async with AsyncChat(url) as whole, AsyncChat(url, start_offset=before) as loaded:
            assert loaded.messages.items() == whole.messages.items()
            assert loaded.sensors.items() == whole.sensors.items()
            assert loaded.metrics.events == 5


async def test_a_reset_that_is_met_there(url: str) -> None:
    """RESET-2 to RESET-4: the position is the start; an offset before it is read again from."""
    async with await AsyncStream.create(url) as stream:
        first = (await stream.append(messages.insert(message(1)))).offset
        mark = (await stream.append(messages.insert(message(2)))).offset
        reset = {"headers": {"control": "reset", "offset": mark}}
        await stream.append_many([messages.insert(message(3)), reset, messages.insert(message(4))])
        async with AsyncChat(url, start_offset=mark) as db:
            assert db.messages.keys() == ["4"], "equal to the position: it clears"
            earlier = {"headers": {"control": "reset", "offset": first}}
            await stream.append_many([earlier, messages.insert(message(5), txid="t")])
            await db.await_txid("t")
            assert db.messages.keys()[-1] == "5"
            assert "1" not in db.messages


@pytest.mark.parametrize("form", [AsyncChat, Chat])
async def test_an_offset_that_never_was(url: str, form: type[AsyncChat] | type[Chat]) -> None:
    async with await AsyncStream.create(url):
        db = form(url, start_offset="!")
        with pytest.raises((BadRequest, StreamGone)):
            await (db.preload() if isinstance(db, AsyncChat) else asyncio.to_thread(db.preload))
        assert db.status == "error"
        await (db.aclose() if isinstance(db, AsyncChat) else asyncio.to_thread(db.close))


def test_a_cache_is_of_a_whole_stream(embedded_url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="start_offset and cache exclude each other"):
        AsyncChat(embedded_url, start_offset="now", cache=tmp_path / "c")


async def test_the_error_handler_is_asked_before_reading_ends(url: str) -> None:
    """S33, C10: it may have the read repeated, or let it end as `error`."""
    asked: list[StreamError] = []

    def on_error(error: StreamError) -> Retry | None:
        asked.append(error)
        return Retry() if len(asked) < 3 else None

    async with await AsyncStream.create(url):
        db = AsyncChat(url, start_offset="!", on_error=on_error)
        statuses = db.status_changes()
        with pytest.raises(BadRequest):
            await db.preload()
        assert [type(error) for error in asked] == [BadRequest] * 3
        await db.aclose()
        assert [status async for status in statuses][-2:] == ["error", "closed"]
