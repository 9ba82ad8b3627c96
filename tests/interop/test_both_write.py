"""Both languages write one stream at once, and both have the same rows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from tests.interop.clients import Client, OpenDatabase
from tests.interop.processes import Peer
from tests.interop.samples import counter, note
from tests.interop.stream_db import OpenTypeScript
from tests.interop.writes import (
    Write,
    last_txid,
    replayed,
    replayed_by_stream_db,
    rows_of,
    with_txids,
)


async def test_an_optimistic_action_of_typescript(
    open_typescript: OpenTypeScript, url: str, client: Client
) -> None:
    """It shows there at once, is on the stream when `awaitTxId` returns, and Python follows."""
    actions = with_txids(
        [
            Write("insert", "notes", note("acted", label="by TypeScript")),
            Write("insert", "counters", counter(42, 1)),
        ]
    )
    async with client.open(url, create=True) as python:
        typescript = open_typescript(url)
        for number, action in enumerate(actions, start=1):
            assert typescript.put(action)
            assert await python.after(last_txid([action])) == replayed(actions[:number])
        assert typescript.rows() == replayed_by_stream_db(actions)


async def test_python_changes_what_typescript_wrote(
    open_typescript: OpenTypeScript, url: str, client: Client
) -> None:
    [action] = with_txids([Write("insert", "notes", note("shared"))])
    answers = [
        Write("update", "notes", note("shared", status="done", tags=["seen"])),
        Write("delete", "notes", key="shared"),
    ]
    async with client.open(url, create=True) as python:
        typescript = open_typescript(url)
        typescript.put(action)
        await python.after(last_txid([action]))
        for number, answer in enumerate(answers, start=1):
            txid = await python.write(answer)
            assert typescript.rows(txid) == replayed([action], answers[:number])


async def test_writes_of_both_at_once(
    open_typescript: OpenTypeScript, writer: Peer, url: str, client: Client
) -> None:
    """Keys of each side, and keys that both write: the order of the stream decides, for all."""
    by_typescript = with_txids(history(range(60), owner="TypeScript"))
    by_python = history(range(30, 90), owner="Python")
    async with client.open(url, create=True) as python:
        typescript = open_typescript(url)
        _, txids = await asyncio.gather(
            asyncio.to_thread(
                writer.ask,
                "append",
                url=url,
                writes=[write.for_typescript() for write in by_typescript],
            ),
            in_turn(python, by_python),
        )
        for txid in (last_txid(by_typescript), txids[-1]):
            await python.after(txid)
            typescript.rows(txid)

        rows = rows_of(python.db)
        assert len(rows["counters"]) == 90
        assert rows == writer.ask("materialize", url=url)
        for key, row in rows["counters"].items():
            row["number"] = key
        assert rows == typescript.rows()


def history(numbers: range, *, owner: str) -> list[Write]:
    return [Write("upsert", "counters", counter(number, owner=owner)) for number in numbers]


async def in_turn(python: OpenDatabase, writes: Iterable[Write]) -> list[str]:
    """Write one by one, so that the other side's writes come in between; return the txids."""
    return [await python.write(write) for write in writes]
