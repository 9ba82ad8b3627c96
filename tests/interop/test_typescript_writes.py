"""TypeScript writes by the helpers of `@durable-streams/state`, and Python has the same rows."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from tests.interop.clients import Client
from tests.interop.processes import Peer
from tests.interop.samples import BEFORE, LIVE, TEXTS, counter, note
from tests.interop.schema import AsyncNotebook
from tests.interop.writes import Json, Write, last_txid, replayed, rows_of, with_txids

from streamdb import AsyncStream


@pytest.mark.parametrize("live", ["sse", "long-poll"])
async def test_python_follows(
    writer: Peer, url: str, client: Client, live: Literal["sse", "long-poll"]
) -> None:
    write(writer, url, BEFORE)
    async with client.open(url, live=live) as python:
        assert rows_of(python.db) == replayed(BEFORE)

        writes = with_txids(LIVE)
        for number, change in enumerate(writes, start=1):
            writer.ask("append", url=url, writes=[change.for_typescript()])
            rows = await python.after(last_txid(writes[:number]))
            assert rows == replayed(BEFORE, writes[:number])

        assert rows_of(python.db) == writer.ask("materialize", url=url)
        assert python.db.metrics.invalid == 0


async def test_keys_have_their_declared_type(writer: Peer, url: str) -> None:
    """(KEY-2): the key is text on the wire, and an integer in the row and for the reader."""
    write(writer, url, BEFORE)
    async with AsyncNotebook(url) as db:
        assert db.counters.keys() == [7, -12]
        assert db.counters[-12].number == -12


async def test_rows_stand_in_the_order_of_the_stream(writer: Peer, url: str) -> None:
    """An update keeps the place of a row; deleted and inserted again, it goes last."""
    write(writer, url, [*BEFORE, *LIVE])
    async with AsyncNotebook(url) as db:
        assert db.notes.keys() == ["plain", "later", "upserted", "full"]


async def test_a_row_is_deleted_by_its_old_value(writer: Peer, url: str) -> None:
    """The helper takes the key out of the old value and sends it along (REF-28)."""
    writer.ask("create", url=url)
    deletion = {"collection": "counters", "operation": "delete", "oldValue": counter(7)}
    [event] = writer.ask("events", writes=[deletion])
    assert event["old_value"] == counter(7)
    writer.ask("post", url=url, messages=[counter_event(7), counter_event(8), event])
    async with AsyncNotebook(url) as db:
        assert db.counters.keys() == [8]
        assert db.metrics.invalid == 0


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_text_arrives_as_it_was_written(writer: Peer, url: str, text: str) -> None:
    before, live = with_txids(written_everywhere(text))
    write(writer, url, [before])
    async with AsyncNotebook(url, live="sse") as db:
        writer.ask("append", url=url, writes=[live.for_typescript()])
        await db.await_txid(last_txid([live]))
        assert rows_of(db) == replayed([before, live])


async def test_large_values_arrive_whole(writer: Peer, url: str, client: Client) -> None:
    large = "0123456789abcdeé" * (1024 * 1024 // 16)
    before = Write("insert", "notes", note("before", title=large))
    [live] = with_txids([Write("insert", "notes", note("live", title=large))])
    write(writer, url, [before])
    async with client.open(url) as python:
        writer.ask("append", url=url, writes=[live.for_typescript()])
        assert await python.after(last_txid([live])) == replayed([before, live])


async def test_thousands_of_events_arrive(writer: Peer, url: str, client: Client) -> None:
    before = many_counters(range(2000), amount=1)
    live = with_txids(many_counters(range(1000, 3000), amount=2))
    post(writer, url, before)
    async with client.open(url) as python:
        post(writer, url, live)
        assert await python.after(last_txid(live)) == replayed(before, live)
        assert python.db.metrics.events == 4000


async def test_appends_that_the_library_batches(writer: Peer, url: str) -> None:
    """Its handle packs appends that are not awaited into POSTs of many messages."""
    writes = with_txids(many_counters(range(500)))
    writer.ask("create", url=url)
    async with AsyncNotebook(url) as db:
        writer.ask("appendTogether", url=url, writes=[each.for_typescript() for each in writes])
        await db.await_txid(last_txid(writes))
        assert rows_of(db) == replayed(writes)


async def test_a_closed_stream_ends_the_reader(writer: Peer, url: str) -> None:
    """(END-1): the end of the stream is no error, and the state stays."""
    write(writer, url, BEFORE)
    async with AsyncNotebook(url) as db:
        changes = db.notes.changes()
        writer.ask("close", url=url)
        assert [change async for change in changes] == []
        assert db.status == "ended"
        assert rows_of(db) == replayed(BEFORE)


async def test_the_reference_server_stamps_offsets(writer: Peer, reference_url: str) -> None:
    """Events of one POST carry the offset behind it, whatever the writer put there (REF-24ff)."""
    writer.ask("create", url=reference_url)
    lying = {**counter_event(3), "headers": {"operation": "insert", "offset": "a lie"}}
    first = writer.ask("post", url=reference_url, messages=[counter_event(1), counter_event(2)])
    second = writer.ask("post", url=reference_url, messages=[lying])
    async with AsyncStream(reference_url) as stream:
        items = [item async for batch in stream.read() for item in stream.items(batch)]
    assert [item["headers"]["offset"] for item in items] == [first, first, second]

    async with AsyncNotebook(reference_url) as db:
        assert db.counters.keys() == [1, 2, 3]
        assert db.offset == second
        assert db.metrics.invalid == 0
        # S6: where reading goes on behind what was appended together with the row
        assert [db.counters.meta(key).offset for key in (1, 2, 3)] == [first, first, second]


RESET: Json = {"headers": {"control": "reset"}}


async def test_a_reset_clears_what_came_before(writer: Peer, url: str, client: Client) -> None:
    """(RESET-1, RESET-9): stamped with an offset or not; the peer's own reader fails (REF-12)."""
    write(writer, url, BEFORE)
    writer.ask("post", url=url, messages=[counter_event(1), RESET, counter_event(2)])
    async with client.open(url) as python:
        assert list(rows_of(python.db)["counters"]) == ["2"]
        assert rows_of(python.db)["notes"] == {}

        after = counter_event(4, txid="after the reset")
        writer.ask("post", url=url, messages=[counter_event(3), RESET, after])
        rows = await python.after("after the reset")
        assert rows == {"notes": {}, "counters": {"4": counter(4)}}


async def test_a_reset_reads_again_from_its_offset(writer: Peer, own_url: str) -> None:
    """(RESET-3): only on our server, for the reference server stamps over the offset (REF-26)."""
    writer.ask("create", url=own_url)
    writer.ask("post", url=own_url, messages=[counter_event(1)])
    restart = writer.ask("post", url=own_url, messages=[counter_event(2)])
    writer.ask("post", url=own_url, messages=[counter_event(3)])
    async with AsyncNotebook(own_url) as db:
        reset = {"headers": {"control": "reset", "offset": restart}}
        after = counter_event(4, txid="after the reset")
        writer.ask("post", url=own_url, messages=[reset, after])
        await db.await_txid("after the reset")
        assert db.counters.keys() == [3, 4]


async def test_what_python_does_not_know_is_passed_over(writer: Peer, url: str) -> None:
    """Undeclared types and snapshot marks change nothing; the txid is seen (TYPE-1, SNAP-1)."""
    writer.ask("create", url=url)
    undeclared: Json = {
        "type": "elsewhere",
        "key": "1",
        "value": 1,
        "headers": {"operation": "insert", "txid": "t"},
    }
    snapshot = [{"headers": {"control": f"snapshot-{side}"}} for side in ("start", "end")]
    writer.ask("post", url=url, messages=[snapshot[0], undeclared, counter_event(1), snapshot[1]])
    async with AsyncNotebook(url) as db:
        await db.await_txid("t")
        assert db.counters.keys() == [1]
        assert db.metrics.undeclared == {"elsewhere": 1}
        assert db.metrics.invalid == 0


def write(writer: Peer, url: str, writes: Any) -> None:
    """Create a stream and write to it as the library's documentation does."""
    writer.ask("create", url=url)
    writer.ask("append", url=url, writes=[each.for_typescript() for each in writes])


def post(writer: Peer, url: str, writes: list[Write]) -> None:
    """Create the stream if need be and write in POSTs of 1000 events."""
    writer.ask("create", url=url)
    events = writer.ask("events", writes=[each.for_typescript() for each in writes])
    for start in range(0, len(events), 1000):
        writer.ask("post", url=url, messages=events[start : start + 1000])


def counter_event(number: int, **headers: Any) -> Json:
    return {
        "type": "counter",
        "key": str(number),
        "value": counter(number),
        "headers": {"operation": "insert", **headers},
    }


def many_counters(numbers: range, amount: int = 0) -> list[Write]:
    return [Write("upsert", "counters", counter(number, amount)) for number in numbers]


def written_everywhere(text: str) -> list[Write]:
    """Two rows with the text in the key, in values, and in the names of a map."""
    return [
        Write("insert", "notes", note(f"{place} {text}", title=text, scores={text: 1}))
        for place in ("before", "live")
    ]
