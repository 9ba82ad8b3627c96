"""Rules of the state protocol that no other test is about, on real streams."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.faults import LoseAnswer, proxy
from tests.runtime.chat_schema import SCHEMA, AsyncChat, Chat, message, messages, sensor, sensors

from streamdb import AsyncStream, Batch, RetryPolicy, TxidTimeout
from streamdb.db.state import DatabaseState
from streamdb.db.txids import Txids
from streamdb.protocol import json_text
from streamdb_server import Serving


async def events_of(url: str) -> list[Any]:
    async with AsyncStream(url) as stream:
        return [event async for batch in stream.read() for event in stream.items(batch)]


def change(type_: str, key: str, operation: str = "insert", **more: Any) -> dict[str, Any]:
    headers = {"operation": operation, **more.pop("headers", {})}
    return {"type": type_, "key": key, "headers": headers, **more}


@pytest.mark.parametrize("form", [AsyncChat, Chat])
async def test_upserts_may_be_written_as_insert_or_update(
    url: str, form: type[AsyncChat] | type[Chat]
) -> None:
    """UPSERT-2: for readers that follow the text alone; by what is known, own writes included."""
    async with await AsyncStream.create(url) as stream:
        await stream.append(messages.insert(message("known")))

    def write(db: Any) -> list[Any]:
        first = db.messages.upsert(message("known", "new"))
        second = db.messages.upsert(message("a"))
        with db.transaction() as both:
            db.messages.upsert(message("a", "again"))  # on its way, and not back yet
            db.messages.delete("known")
            db.messages.upsert(message("known", "anew"))
        return [first, second, both]

    options: dict[str, Any] = {"upsert_as": "insert_or_update"}
    if form is AsyncChat:
        async with AsyncChat(url, **options) as db:
            for transaction in write(db):
                await transaction.synced()
            rows = list(db.messages)
    else:

        def run() -> list[Any]:
            with Chat(url, **options) as db:
                for transaction in write(db):
                    transaction.synced(20)
                return list(db.messages)

        rows = await asyncio.to_thread(run)
    assert rows == [message("a", "again"), message("known", "anew")]
    operations = [event["headers"]["operation"] for event in await events_of(url)]
    assert operations == ["insert", "update", "insert", "update", "delete", "insert"]
    with pytest.raises(ValueError, match="upsert_as is 'insert'"):
        form(url, upsert_as="insert")


async def test_a_key_is_text_and_identifies_within_its_type(url: str) -> None:
    """KEY-1: the same key under two types is two entities, and a number is no key."""
    async with await AsyncStream.create(url) as stream:
        await stream.append_many([messages.insert(message("7")), sensors.insert(sensor(7))])
        await stream.append(change("message", 7, value={"id": "7", "content": "x"}))  # type: ignore[arg-type]  # the fault
        await stream.append(messages.delete("7"))
        async with AsyncChat(url, on_invalid="ignore") as db:
            assert (len(db.messages), list(db.sensors)) == (0, [sensor(7)])
            assert [event.pointer for event in db.invalid_events] == ["/key"]
    assert [event["key"] for event in await events_of(url)] == ["7", "7", 7, "7"]


async def test_of_a_delete_only_the_key_matters(url: str) -> None:
    """KEY-9: its old value is neither read nor compared, nor is its value (UPDATE-3)."""
    odd = {"old_value": {"id": "other", "content": 5}, "value": {"id": []}}
    async with await AsyncStream.create(url) as stream:
        await stream.append(messages.insert(message(1)))
        await stream.append(change("message", "1", "delete", **odd))
        await stream.append(change("message", "nobody", "delete", **odd))
        async with AsyncChat(url, on_invalid="raise") as db:
            assert len(db.messages) == 0


@pytest.mark.parametrize("parts", [(), (b"[]",)])
def test_a_batch_without_events_moves_the_position_and_tells_of_no_changes(
    embedded_url: str, parts: tuple[bytes, ...]
) -> None:
    """ATOM-5: a keep-alive, or a poll that ran out."""
    db = AsyncChat(embedded_url)
    body = json_text.frame([messages.insert(message(1)).to_json()])
    db._state.take(Batch((body,), "0001", None, True, False, "application/json"))
    seen: list[Any] = []
    db.messages.subscribe(seen.append)
    before = db.metrics
    db._state.take(Batch(parts, "0002", None, True, False, "application/json"))
    assert (db.offset, seen, db.metrics) == ("0002", [], before)
    assert list(db.messages) == [message(1)]


async def test_what_is_read_again_changes_nothing(embedded_url: str) -> None:
    """ATOM-7: store and remove are idempotent; counters see it twice."""
    db = AsyncChat(embedded_url)
    events = [
        messages.insert(message(1)),
        messages.update(message(1, "new")),
        messages.insert(message(2)),
        messages.delete("2"),
        sensors.upsert(sensor(3)),
    ]
    body = json_text.frame(event.to_json() for event in events)
    batch = Batch((body,), "0001", None, True, False, "application/json")
    db._state.take(batch)
    once = (db.messages.items(), db.sensors.items(), db.offset)
    seen: list[Any] = []
    db.messages.subscribe(lambda changes: seen.extend(change.key for change in changes))
    db._state.take(batch)
    assert (db.messages.items(), db.sensors.items(), db.offset) == once
    assert db.metrics.events == 2 * len(events)
    assert "2" not in seen, "what came and went within a commit is no change"


async def test_a_txid_over_several_batches_counts_from_the_first(url: str) -> None:
    """TXID-7, TXID-2."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        waiting = asyncio.create_task(db.await_txid("t", timeout=20))
        await asyncio.sleep(0)
        await stream.append(messages.insert(message(1), txid="t"))
        await waiting
        assert db.messages.keys() == ["1"]
        await stream.append(messages.insert(message(2), txid="t"))
        await stream.append(messages.insert(message(3), txid="end"))
        await db.await_txid("end")
        await db.await_txid("t", timeout=0)


def test_the_memory_of_txids_is_bounded() -> None:
    """TXID-6: the last ten thousand are known; one that comes again counts as new."""
    txids = Txids()
    txids.record(["first", "again"])
    txids.record([f"t{number}" for number in range(9_998)])
    assert txids.wait("first").done()
    txids.record(["again", "more"])
    assert not txids.wait("first").done()
    assert txids.wait("again").done()
    assert txids.wait("t0").done()
    txids.record(["and more"])
    assert not txids.wait("t0").done()


def test_the_memory_of_txids_is_bounded_in_a_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """TXID-6, TXID-2: forgotten or not, whoever waits for one goes on when the load shows."""
    state = DatabaseState(SCHEMA, url="u", report=print)
    state.in_flight = {"t1", "t2"}
    committed: list[str] = []
    record = state.txids.record

    def note(txids: list[str]) -> None:
        committed.extend(txids)
        record(txids)

    monkeypatch.setattr(state.txids, "record", note)
    waiting = state.txids.wait("t3")
    for page in range(20):
        numbers = range(page * 4_000, page * 4_000 + 4_000)
        events = b",".join(
            b'{"type":"sensor","key":"1","headers":{"operation":"delete","txid":"t%d"}}' % number
            for number in (*numbers, 5)
        )
        state.take(Batch((b"[%s]" % events,), f"{page:04}", None, page == 19, False, ""))
        assert waiting.done() == (page == 19)
    assert committed[:3] == ["t1", "t2", "t3"]
    assert committed[-2:] == ["t79999", "t5"]
    assert 10_000 < len(committed) < 30_000
    newest = [f"t{number}" for number in range(80_000)][-9_999:]
    assert state.txids.remembered() == [*newest, "t5"]


async def test_a_txid_that_does_not_come_is_an_error_of_its_own_in_time(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TXID-3: after five seconds if nothing is said; the waiter is gone then."""
    limits: list[float | None] = []
    real = asyncio.timeout

    def at_once(seconds: float | None) -> asyncio.Timeout:
        limits.append(seconds)
        return real(0 if seconds == 5.0 else seconds)  # reading goes on meanwhile

    async with AsyncChat(url, create=True) as db:
        monkeypatch.setattr(asyncio, "timeout", at_once)
        with pytest.raises(TxidTimeout, match=r"within 5\.0 s"):
            await db.await_txid("never")
        monkeypatch.undo()
        assert 5.0 in limits
        assert db._state.txids._waiting == {}


async def test_a_stream_is_made_for_json(url: str) -> None:
    """WRITE-1."""
    async with AsyncChat(url, create=True), AsyncStream(url) as stream:
        assert (await stream.head()).content_type == "application/json"


async def test_a_transaction_is_one_append_and_readers_do_not_count_on_it(url: str) -> None:
    """WRITE-2: written together, at one offset; taken in however they come."""
    async with AsyncChat(url, create=True) as db:
        with db.transaction() as both:
            db.messages.insert(message(1))
            db.sensors.insert(sensor(1))
        await both.synced()
        async with AsyncStream(url) as stream:
            batches = [batch async for batch in stream.read()]
            assert sum(len(list(stream.items(batch))) for batch in batches) == 2
    one, two = (event for event in await events_of(url))
    assert one["headers"]["txid"] == two["headers"]["txid"] == both.txid
    cut = AsyncChat(url)
    for number, event in enumerate((one, two)):
        body = json_text.frame([json_text.encode(event)])
        cut._state.take(Batch((body,), f"{number:04d}", None, True, False, "application/json"))
    assert (list(cut.messages), list(cut.sensors)) == ([message(1)], [sensor(1)])


async def test_a_write_is_known_to_this_reader_when_its_own_txid_comes_back(url: str) -> None:
    """WRITE-9: durable is not synced; the txid of each write is its own."""
    async with AsyncChat(url, create=True) as db:
        writes = [db.messages.insert(message(number)) for number in range(3)]
        for write in writes:
            await write
            assert write.status in ("durable", "synced")
            await write.synced()
            await db.await_txid(write.txid, timeout=0)
        assert len({write.txid for write in writes}) == 3
        assert db.messages.keys() == ["0", "1", "2"]
    txids = [event["headers"]["txid"] for event in await events_of(url)]
    assert txids == [write.txid for write in writes]


async def test_a_lost_answer_doubles_nothing(server: Serving, http_url: str) -> None:
    """WRITE-10: writes go through an idempotent producer."""
    name = http_url.removeprefix(server.url)
    options: dict[str, Any] = {"live": "long-poll", "reconnect": RetryPolicy(initial=0.01)}
    async with (
        await AsyncStream.create(http_url),
        proxy(server.url) as between,
        AsyncChat(between.url(name), **options) as db,
    ):
        await between.trouble([LoseAnswer()] * 4)
        for number in range(4):
            await db.messages.insert(message(number)).synced()
    assert [event["key"] for event in await events_of(http_url)] == ["0", "1", "2", "3"]


async def test_offsets_of_changes_are_the_servers(url: str) -> None:
    """WRITE-8, WRITE-11, HDR-2: what a writer put there, and what is stamped, moves nothing."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await stream.append(
            change("message", "1", value={"id": "1"}, headers={"offset": "9_9", "txid": "t"})
        )
        await db.await_txid("t")
        assert db.offset == (await stream.head()).offset
        stamped = {"headers": {"control": "reset", "offset": "9999999999999999_0"}}
        await stream.append_many([stamped, messages.insert(message(2), txid="end")])
        await db.await_txid("end")
        assert db.messages.keys() == ["2"], "an offset ahead restarts nothing (RESET-4)"
