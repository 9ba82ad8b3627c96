"""Python writes, and the TypeScript libraries have the same rows.

`MaterializedState` is held to exactly the rows; `createStreamDB`, which alone follows live, to the
rows with its known peculiarities: see `replayed_by_stream_db` and `without_additions`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from tests.interop.clients import Client
from tests.interop.processes import Peer
from tests.interop.samples import BEFORE, FULL_NOTE, LIVE, TEXTS, counter, note
from tests.interop.schema import COUNTERS, AsyncNotebook, Author, Note, Step
from tests.interop.stream_db import OpenTypeScript
from tests.interop.writes import (
    Write,
    last_txid,
    replayed,
    replayed_by_stream_db,
    rows_of,
    with_txids,
)

from streamdb import AsyncStream


@pytest.mark.parametrize("live", ["sse", "long-poll", True])
async def test_typescript_follows_a_database(
    open_typescript: OpenTypeScript, writer: Peer, url: str, client: Client, live: str | bool
) -> None:
    async with client.open(url, create=True) as python:
        for change in BEFORE:
            txid = await python.write(change)
            await python.after(txid)
        typescript = open_typescript(url, live)
        assert typescript.rows() == replayed_by_stream_db(BEFORE)

        for number, change in enumerate(LIVE, start=1):
            txid = await python.write(change)
            assert typescript.rows(txid) == replayed_by_stream_db(BEFORE, LIVE[:number])
            assert await python.after(txid) == replayed(BEFORE, LIVE[:number])

        changes = typescript.changes()
        assert ["notes", "insert", "later"] in changes
        assert ["notes", "update", "plain"] in changes
        assert ["counters", "delete", "-12"] in changes
        assert writer.ask("materialize", url=url) == rows_of(python.db)


async def test_typescript_follows_event_constructors(
    open_typescript: OpenTypeScript, writer: Peer, url: str, client: Client
) -> None:
    await client.append(url, BEFORE[:3], BEFORE[3:])
    typescript = open_typescript(url)
    live = with_txids(LIVE)
    await client.append(url, *([change] for change in live))
    assert typescript.rows(last_txid(live)) == replayed_by_stream_db(BEFORE, live)
    assert writer.ask("materialize", url=url) == replayed(BEFORE, live)


async def test_a_transaction_over_collections(open_typescript: OpenTypeScript, url: str) -> None:
    """One txid for all of it, by which the peer knows the writes."""
    async with AsyncNotebook(url, create=True) as db:
        typescript = open_typescript(url)
        with db.transaction() as transaction:
            for change in BEFORE:
                change.apply_to(db)
        await transaction
    assert typescript.rows(transaction.txid) == replayed_by_stream_db(BEFORE)


async def test_values_made_in_python_read_as_javascript_writes_them(writer: Peer, url: str) -> None:
    """Instants in UTC with three digits, absent and null told apart, and every kind of field."""
    east = dt.timezone(dt.timedelta(hours=5, minutes=45))
    made = Note(
        id="made",
        title="Made in Python",
        status="done",
        created_at=dt.datetime(2026, 1, 1, 0, 30, tzinfo=east),
        due=dt.datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=dt.UTC),
        remark=None,
        author=Author(name="Grace", address=None),
        tags=("a", "b"),
        steps=[Step(text="only", done=False)],
        scores={"half": 0.5},
    )
    async with AsyncNotebook(url, create=True) as db:
        await db.notes.insert(made)
        await db.notes.insert(msgspec.convert(FULL_NOTE, Note))
    assert writer.ask("materialize", url=url)["notes"] == {
        "made": {
            "id": "made",
            "title": "Made in Python",
            "status": "done",
            "createdAt": "2025-12-31T18:45:00.000Z",
            "due": "2026-01-02T03:04:05.678Z",
            "remark": None,
            "author": {"name": "Grace", "address": None},
            "tags": ["a", "b"],
            "steps": [{"text": "only", "done": False}],
            "scores": {"half": 0.5},
        },
        "full": FULL_NOTE,
    }


async def test_updated_fields_reach_typescript(open_typescript: OpenTypeScript, url: str) -> None:
    """`update` with fields sends the whole row (WRITE-6): the peer has the other fields too."""
    async with AsyncNotebook(url, create=True) as db:
        await db.notes.insert(msgspec.convert(FULL_NOTE, Note))
        typescript = open_typescript(url)
        transaction = db.notes.update("full", status="done", due=None)
        await transaction
    expected = {**FULL_NOTE, "status": "done", "due": None}
    assert typescript.rows(transaction.txid)["notes"] == {"full": expected}


async def test_a_field_that_is_removed_stays_in_the_peer(
    open_typescript: OpenTypeScript, writer: Peer, url: str
) -> None:
    """What `createStreamDB` does against the protocol (UPDATE-1, REF-2), told here once."""
    writes = with_txids(
        Write("update", "counters", value) for value in (counter(1, owner="Ada"), counter(1, 5))
    )
    async with AsyncStream(url) as stream:
        await stream.put()
        typescript = open_typescript(url)
        for change in writes:
            await stream.append(change.event())
    kept = {"number": "1", "amount": 5, "owner": "Ada"}
    assert typescript.rows(last_txid(writes))["counters"] == {"1": kept}
    assert writer.ask("materialize", url=url)["counters"] == {"1": counter(1, 5)}


async def test_a_row_is_deleted_by_its_old_value(open_typescript: OpenTypeScript, url: str) -> None:
    rows = [change.row for change in (Write("insert", "counters", counter(n)) for n in (1, 2))]
    async with await AsyncStream.create(url) as stream:
        await stream.append_many(COUNTERS.insert(row) for row in rows)
        typescript = open_typescript(url)
        await stream.append(COUNTERS.delete(old=rows[0], txid="gone"))
    assert list(typescript.rows("gone")["counters"]) == ["2"]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_text_arrives_as_it_was_written(
    open_typescript: OpenTypeScript, writer: Peer, url: str, text: str
) -> None:
    before, live = with_txids(
        Write("insert", "notes", note(f"{place} {text}", title=text, scores={text: 1}))
        for place in ("before", "live")
    )
    async with AsyncNotebook(url, create=True) as db:
        await before.apply_to(db)
        typescript = open_typescript(url, "sse")
        transaction = live.apply_to(db)
        await transaction
    expected = replayed([before, live])
    assert typescript.rows(transaction.txid) == expected
    assert writer.ask("materialize", url=url) == expected


async def test_large_values_arrive_whole(
    open_typescript: OpenTypeScript, url: str, client: Client
) -> None:
    large = "0123456789abcdeé" * (1024 * 1024 // 16)
    before = Write("insert", "notes", note("before", title=large))
    live = Write("insert", "notes", note("live", title=large))
    async with client.open(url, create=True) as python:
        await python.write(before)
        typescript = open_typescript(url)
        txid = await python.write(live)
    assert typescript.rows(txid) == replayed([before, live])


async def test_thousands_of_events_arrive(
    open_typescript: OpenTypeScript, writer: Peer, url: str, client: Client
) -> None:
    before = [Write("upsert", "counters", counter(n, 1)) for n in range(2000)]
    live = with_txids(Write("upsert", "counters", counter(n, 2)) for n in range(1000, 3000))
    await client.append(url, before[:1000], before[1000:])
    typescript = open_typescript(url)
    await client.append(url, live[:1000], live[1000:])
    assert typescript.rows(last_txid(live)) == replayed_by_stream_db(before, live)
    assert writer.ask("materialize", url=url) == replayed(before, live)


async def test_python_closes_the_stream(writer: Peer, url: str) -> None:
    """The last values come with the end, and a TypeScript writer is refused behind it."""
    async with await AsyncStream.create(url) as stream:
        await stream.append(BEFORE[0].event())
        await stream.close_stream(BEFORE[1].event())
    assert writer.ask("materialize", url=url) == replayed(BEFORE[:2])
    with pytest.raises(RuntimeError, match=r"(?i)closed"):
        writer.ask("append", url=url, writes=[BEFORE[2].for_typescript()])


def test_event_constructors_agree(writer: Peer) -> None:
    """The same changes make the same messages in both languages."""
    writes = with_txids([*BEFORE, *LIVE])
    here: list[Any] = [msgspec.json.decode(change.event().to_json()) for change in writes]
    assert here == writer.ask("events", writes=[change.for_typescript() for change in writes])
