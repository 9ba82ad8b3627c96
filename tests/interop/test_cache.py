"""Databases with a cache on both servers, which cut pages and stamp events each in its own way."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from tests.interop.processes import Peer
from tests.interop.samples import BEFORE, LIVE
from tests.interop.schema import AsyncNotebook
from tests.interop.writes import Write, last_txid, replayed, rows_of, with_txids

from streamdb import AsyncStream


@pytest.mark.parametrize("live", ["sse", "long-poll"])
async def test_it_goes_on_from_its_cache(
    writer: Peer, url: str, tmp_path: Path, live: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """B6: what was read in one way of following is known again when it is read in another one."""
    cache = tmp_path / "notebook.cache"
    write(writer, url, BEFORE)
    async with AsyncNotebook(url, cache=cache, live=live) as db:
        assert rows_of(db) == replayed(BEFORE)
        for change in with_txids(LIVE):
            writer.ask("append", url=url, writes=[change.for_typescript()])
            await db.await_txid(last_txid([change]), timeout=20)
        read = db.metrics.events
    async with AsyncNotebook(url, cache=cache, live=live) as db:
        assert rows_of(db) == replayed(BEFORE, LIVE)
        assert (db.metrics.cached, db.metrics.events) == (read, 0)
    async with AsyncStream(url) as stream:
        await stream.append_many([{"headers": {"control": "snapshot-end"}, "text": "x" * 100_000}])
    for events in (1, 0):
        async with AsyncNotebook(url, cache=cache, live=live) as db:
            assert rows_of(db) == replayed(BEFORE, LIVE)
            assert db.metrics.events == events
    async with AsyncStream(url) as stream:
        await stream.delete()
    write(writer, url, [*BEFORE, *LIVE, *LIVE])
    assert caplog.text == ""
    async with AsyncNotebook(url, cache=cache, live=live) as db:
        assert rows_of(db) == replayed(BEFORE, LIVE, LIVE)
        assert db.metrics.cached == 0
    assert "the stream is another one" in caplog.text


def write(writer: Peer, url: str, writes: Iterable[Write]) -> None:
    writer.ask("create", url=url)
    writer.ask("append", url=url, writes=[one.for_typescript() for one in writes])
