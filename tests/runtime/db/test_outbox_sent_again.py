"""What the next process sends again is on the stream once, or its refusal is told."""

from __future__ import annotations

import asyncio
import itertools
import json
from concurrent.futures import Future
from typing import Any

import msgspec
import pytest
from tests.faults import AnswerTo, Fine, Refuse, RefuseWrite
from tests.runtime.chat_schema import AsyncChat, message, messages
from tests.runtime.db.held import unread
from tests.runtime.db.outbox_place import Place, emptied, place, read, read_numbered, rewrite, sent

from streamdb import (
    AsyncStream,
    DatabaseClosed,
    OutboxEntry,
    TransactionFailed,
    TransactionKept,
)
from streamdb.cache.outbox_records import SentRecord, TransactionRecord
from streamdb.protocol import json_text
from streamdb.protocol.writing import ProducerState

__all__ = ["place"]


async def test_what_was_stored_before_the_kill_is_not_sent_again(place: Place) -> None:
    async with place.open() as db:
        place.cut()
        tx = db.messages.insert(message("a"))
        await sent(db)
        killed = place.as_of_now()
        place.mend()
        await tx
    place.between.heads.clear()
    async with place.open(killed) as db:
        assert db.messages.keys() == ["old", "a"]
        await emptied(db)
        await db.messages.insert(message("b"))  # its number is the next one
    assert await place.keys() == [("insert", "old"), ("insert", "a"), ("insert", "b")]
    assert sum(head.startswith(b"POST") for head in place.between.heads) == 1


async def test_a_request_that_arrives_late_counts_once(place: Place) -> None:
    """The dead process had sent it; it is stored after the new one has read the stream."""
    async with place.open() as db:
        place.cut()
        db.messages.insert(message("a"))
        await sent(db)
        db.messages.insert(message("b"))
    producer, records = read(place.cache)
    batch = [event for one in records if one.sent for event in one.sent.events]
    async with place.open() as db, AsyncStream(place.direct) as late:
        assert len(db.outbox.pending) == 2
        state = ProducerState(producer.id, producer.epoch, producer.next_seq)
        await late.append_once(state, json_text.frame(batch))
        place.mend()
        await emptied(db)
        assert db.messages.keys() == ["old", "a", "b"]
    assert await place.keys() == [("insert", "old"), ("insert", "a"), ("insert", "b")]


async def test_what_comes_back_right_before_it_is_sent_again_counts_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number is used up then, and what is sent all the same goes under no other."""
    async with place.open() as db:
        place.cut()
        db.messages.insert(message("a"))
        await sent(db)
        db.messages.insert(message("b"))
        producer, records = read(place.as_of_now())
        assert records[0].sent is not None
        keeper = db._session.outbox
        assert keeper is not None
        is_trying, going_on = asyncio.Event(), Future[None]()

        def flush_later() -> Future[None]:
            is_trying.set()
            return going_on

        monkeypatch.setattr(keeper.ledger, "flush", flush_later)
        await is_trying.wait()
        async with AsyncStream(place.direct) as late:
            state = ProducerState(producer.id, producer.epoch, producer.next_seq)
            await late.append_once(state, json_text.frame(records[0].sent.events))
        await db.until(lambda: len(db.outbox.pending) == 1)
        place.mend()
        going_on.set_result(None)
        await emptied(db)
    assert await place.keys() == [("insert", "old"), ("insert", "a"), ("insert", "b")]


@pytest.mark.parametrize("is_stored", [True, False])
@pytest.mark.parametrize("trouble", ["forgotten", "fenced"])
async def test_another_producer_goes_on(place: Place, trouble: str, is_stored: bool) -> None:
    """The server has forgotten ours, or a copy of the file has taken it over."""
    async with place.open() as db:
        place.cut()
        first = db.messages.insert(message("a"))
        await sent(db)
        db.messages.insert(message("b"))
    producer, records = read(place.cache)
    if is_stored:
        async with AsyncStream(place.direct) as stream:
            await stream.append_many([json.loads(event) for event in records[0].sent.events])
    if trouble == "forgotten":
        rewrite(place.cache, msgspec.structs.replace(producer, next_seq=5))
    else:
        async with AsyncStream(place.direct) as thief:
            body = json_text.frame([messages.insert(message("stolen")).to_json()])
            await thief.append_once(ProducerState(producer.id, 3), body)
    place.mend()
    async with place.open() as db:
        await emptied(db)
        assert sorted(db.messages.keys()) == ["a", "b", "old", *["stolen"][: trouble == "fenced"]]
    keys = await place.keys()
    assert keys.count(("insert", "a")) == keys.count(("insert", "b")) == 1
    assert keys.index(("insert", "a")) < keys.index(("insert", "b"))
    assert read(place.cache)[0].id != producer.id
    assert first.status == "kept"


async def test_a_write_that_is_refused_after_a_restart(place: Place) -> None:
    """It is taken back with an event, told, and kept; what does not stand on it goes on."""
    async with place.open() as db:
        place.cut()
        db.messages.insert(message("a"))
        await sent(db)
        bad = db.messages.update("old", content="mine")
        await db.messages.insert(message("b")).stored()
    async with AsyncStream(place.direct) as others:
        await others.append(messages.insert(message("x")))
    told: list[OutboxEntry] = []
    changes: list[Any] = []
    async with place.open(on_outbox_error=told.append) as db:
        assert db.messages["old"].content == "mine"
        db.messages.subscribe(changes.extend)
        async with AsyncStream(place.direct) as others:
            await others.append(messages.delete("old"))
        await db.until(lambda: "old" not in db.messages)
        assert [entry.txid for entry in db.outbox.pending if entry.status == "queued"]
        place.mend()
        await emptied(db)
        (refused,) = db.outbox.refused
        assert told == [refused]
        assert (refused.txid, refused.status) == (bad.txid, "refused")
        assert "was removed before it could be changed" in str(refused.reason)
        assert refused.writes[0].value["content"] == "mine"
        assert ("delete", "old") in [(change.kind, change.key) for change in changes]
    async with place.open() as db:
        assert db.outbox.refused == (refused,)
        assert db.messages.keys() == ["x", "a", "b"]
        with pytest.raises(KeyError):
            db.outbox.forget("another")
        db.outbox.forget(bad.txid)
        assert db.outbox.refused == ()
    async with place.open() as db:
        assert db.outbox.refused == ()
    with pytest.raises(DatabaseClosed):
        db.outbox.forget()


async def test_what_was_refused_beside_another_after_a_restart_is_made_anew(place: Place) -> None:
    """What others have written since it was sent first is not undone by it."""
    async with place.open() as db:
        place.cut()
        db.messages.insert(message("a"))
        await sent(db)
        mine = db.messages.update("old", note="mine")
        bad = db.messages.insert(message("b", "bad"))
        place.between.trouble_posts(itertools.chain([Fine()], itertools.repeat(Refuse())))
        await db.until(lambda: "sent" in (mine.status, bad.status))
    _, records = read(place.cache)
    assert [record.txid for record in records if record.sent] == [mine.txid, bad.txid]
    async with AsyncStream(place.direct) as others:
        await others.append(messages.upsert(message("old", "theirs")))
    place.between.trouble_posts(itertools.repeat(AnswerTo(b'"bad"', 400)))
    async with place.open() as db:
        await emptied(db)
        assert [entry.txid for entry in db.outbox.refused] == [bad.txid]
        await db.until(lambda: not db.messages.meta("old").pending)
        assert db.messages["old"] == message("old", "theirs", note="mine")
    async with AsyncChat(place.direct) as fresh:
        assert list(fresh.messages) == [message("old", "theirs", note="mine"), message("a")]


@pytest.mark.parametrize("front", ["is refused now", "was refused", "fits no more"])
async def test_no_gap_between_rows_of_a_writer_after_a_restart(place: Place, front: str) -> None:
    """As in one process: if a batch is not on the stream, none behind it is."""
    async with place.open() as db:
        place.cut()
        writer = db.messages.writer(max_rows=1)
        for number in range(3):
            await writer.write(message(number))
        await sent(db)
    producer, records = read_numbered(place.cache)
    number, first = next(iter(records.items()))
    unsent = msgspec.structs.replace(first, sent=None)
    if front == "was refused":  # and the process ended before it could say so of the others
        rewrite(place.cache, producer, {number: msgspec.structs.replace(unsent, refused="bad")})
    elif front == "fits no more":
        writes = [msgspec.structs.replace(first.writes[0], type=b"gone")]
        rewrite(place.cache, producer, {number: msgspec.structs.replace(unsent, writes=writes)})
    place.mend()
    if front == "is refused now":
        place.between.trouble_posts([RefuseWrite(400)])
    async with place.open() as db:
        await emptied(db)
        assert [entry.writes[0].key for entry in db.outbox.refused] == ["0", "1", "2"]
        assert db.messages.keys() == ["old"]
        await db.messages.insert(message("other"))
    assert await place.keys() == [("insert", "old"), ("insert", "other")]


async def test_one_that_the_server_refuses_hurts_no_other(
    place: Place,
) -> None:
    """They were sent in one request, by a process that has died; so it is taken apart."""
    async with place.open() as db:
        place.cut()
        first = db.messages.insert(message("a"))
        await sent(db)
    producer, (record,) = read(place.cache)
    assert record.sent is not None
    bad = TransactionRecord("bad", record.at, [], SentRecord([b'{"no JSON'], []))
    rewrite(place.cache, producer, {2: bad})
    place.mend()
    async with place.open() as db:
        await emptied(db)
        assert [entry.txid for entry in db.outbox.refused] == ["bad"]
    events = await place.events()
    assert [event["headers"].get("txid") for event in events] == [None, first.txid]


async def test_a_stream_that_was_made_anew(place: Place) -> None:
    async with place.open() as db:
        place.cut()
        db.messages.insert(message("a"))
        await sent(db)
        db.messages.upsert(message("old", "mine"))
    async with AsyncStream(place.direct) as stream:
        await stream.delete()
    async with await AsyncStream.create(place.direct) as stream:
        await stream.append(messages.insert(message("new")))
    place.mend()
    async with place.open() as db:
        assert db.messages.keys() == ["new"]
        assert db.outbox.pending == ()
        assert [one.writes[0].key for one in db.outbox.refused] == ["a", "old"]
        assert all("the stream is another one" in str(one.reason) for one in db.outbox.refused)
        await db.messages.insert(message("b"))
    assert await place.keys() == [("insert", "new"), ("insert", "b")]


@pytest.mark.parametrize("is_stored", [True, False])
async def test_a_stream_that_has_ended(place: Place, is_stored: bool) -> None:
    """What is on it is not refused, though the server refuses to take it again."""
    async with place.open() as db:
        place.cut()
        tx = db.messages.insert(message("a"))
        await sent(db)
    _, (record,) = read(place.cache)
    assert record.sent is not None
    async with AsyncStream(place.direct) as stream:
        if is_stored:
            await stream.append_many([json.loads(event) for event in record.sent.events])
        await stream.close_stream()
    place.mend()
    async with place.open() as db:
        await db.until(lambda: db.status == "ended")
        assert ("a" in db.messages) is is_stored
        assert [one.txid for one in db.outbox.refused] == ([] if is_stored else [tx.txid])
        assert db.outbox.pending == ()
    async with place.open() as db:
        assert len(db.outbox.refused) == (not is_stored)


async def test_a_stream_that_ends_while_it_is_written_to(place: Place) -> None:
    told: list[OutboxEntry] = []
    async with place.open(on_outbox_error=told.append) as db:
        place.cut()
        tx = db.messages.insert(message("a"))
        await sent(db)
        async with AsyncStream(place.direct) as stream:
            await stream.close_stream()
        with pytest.raises(TransactionFailed) as caught:
            await tx
        assert not isinstance(caught.value, TransactionKept)
        assert "a" not in db.messages
        assert [entry.txid for entry in told] == [tx.txid]


async def test_a_refusal_counts_when_all_was_read(place: Place) -> None:
    """A server refuses what it has stored if the stream was closed since."""
    async with place.open() as db:
        place.cut()
        tx = db.messages.insert(message("a"))
        await sent(db)
        _, (record,) = read(place.as_of_now())
        assert record.sent is not None
        with unread(db):
            async with AsyncStream(place.direct) as stream:
                await stream.append_many([json.loads(event) for event in record.sent.events])
                await stream.close_stream()
            place.between.heads.clear()
            place.mend()
            async with asyncio.timeout(10):
                while not any(one.startswith(b"HEAD") for one in place.between.heads):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        await tx.synced()
        assert db.outbox.refused == ()
