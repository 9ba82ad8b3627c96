"""Writes that the application brings onto the stream: they show at once, and have one outcome."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor
from tests.runtime.db.held import held_writes, unread
from tests.runtime.db.idle_actions import nothing, pause

from streamdb import (
    ActionTransaction,
    AsyncActionTransaction,
    AsyncStream,
    AsyncTransaction,
    MissingKey,
    Stream,
    StreamDBError,
    TransactionFailed,
    TransactionUnresolved,
)
from streamdb.db import long_waits


def kinds(seen: list[Any]) -> list[list[tuple[str, str]]]:
    return [[(change.kind, change.key) for change in commit] for commit in seen]


async def test_it_shows_at_once_and_is_what_comes_back(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        seen: list[Any] = []
        db.messages.subscribe(seen.append)

        async def persist(tx: AsyncActionTransaction) -> None:
            assert db.messages["1"] == message(1, "hi")
            await server.append(messages.insert(message(1, "hi, said the server"), txid=tx.txid))

        transaction = db.perform(lambda: db.messages.insert(message(1, "hi")), persist)
        assert db.messages["1"] == message(1, "hi")
        assert transaction.status == "queued"
        await transaction
        await transaction.synced()
        assert db.messages["1"].content == "hi, said the server"
        assert kinds(seen) == [[("insert", "1")], [("update", "1")]]


async def test_what_comes_back_as_it_showed_is_no_change(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        seen: list[Any] = []
        db.messages.subscribe(seen.append)

        async def persist(tx: AsyncActionTransaction) -> None:
            for event in tx.events:
                await server.append(event)

        transaction = db.perform(lambda: db.messages.insert(message(1, "hi")), persist)
        shown = db.messages["1"]
        await transaction.synced()
        assert db.messages["1"] is shown
        assert kinds(seen) == [[("insert", "1")]]


async def test_what_the_server_writes_instead_takes_its_place_in_one_commit(url: str) -> None:
    """Another row in another collection, even: no moment shows both, or neither."""
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        seen: list[int] = []
        db.messages.subscribe(lambda _: seen.append(len(db.messages) + len(db.sensors)))
        db.sensors.subscribe(lambda _: seen.append(len(db.messages) + len(db.sensors)))

        async def persist(tx: AsyncActionTransaction) -> None:
            from tests.runtime.chat_schema import sensors

            await server.append(sensors.insert(sensor(7), txid=tx.txid))

        transaction = db.perform(lambda: db.messages.insert(message(1)), persist)
        await transaction.synced()
        assert (db.messages.keys(), db.sensors.keys()) == ([], [7])
        assert set(seen) == {1}


async def test_without_effect_on_the_stream_it_is_durable_when_persist_returns(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        done = asyncio.Event()

        async def persist(_: AsyncActionTransaction) -> None:
            await done.wait()

        transaction = db.perform(nothing, persist)
        await pause()
        assert transaction.status == "sent"
        done.set()
        await transaction
        assert transaction.status == "durable"


async def test_it_may_say_that_nothing_will_come_back(url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            tx.release()
            assert db.messages.keys() == []
            with pytest.raises(StreamDBError, match="was released"):
                _ = tx.events
            with pytest.raises(StreamDBError, match="was released"):
                await tx.send()

        transaction = db.perform(lambda: db.messages.insert(message(1)), persist)
        assert db.messages.keys() == ["1"]
        await transaction.synced()


async def test_one_that_forgets_to_write_leaves_no_row_behind(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncChat(url, create=True) as db:
        going_on = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await going_on.wait()

        transaction = db.perform(lambda: db.messages.insert(message(1)), persist, name="greet")
        later = db.messages.update("1", note="later")
        assert db.messages.keys() == ["1"]
        going_on.set()
        await transaction.synced()
        assert db.messages.keys() == []
        assert caplog.text.count("persist of the action 'greet' has returned without asking") == 1
        with pytest.raises(TransactionFailed) as failed:
            await later
        assert isinstance(failed.value.__cause__, MissingKey)


@pytest.mark.parametrize("ask", ["events", "txid", "outside"])
async def test_one_whose_txid_is_known_shows_until_that_comes(
    ask: str, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            if ask == "events":
                known.append(tx.events[0].txid)
            elif ask == "txid":
                known.append(tx.txid)

        known: list[Any] = []
        transaction = db.perform(lambda: db.messages.insert(message(1)), persist)
        if ask == "outside":
            known.append(transaction.txid)
        await transaction
        assert (transaction.status, db.messages.keys()) == ("durable", ["1"])
        await server.append(messages.insert(message(2), txid=known[0]))
        await transaction.synced()
        assert db.messages.keys() == ["2"]
        assert "without asking" not in caplog.text


@pytest.mark.parametrize("comes", [False, True])
async def test_one_in_whose_place_nothing_comes_is_told(
    comes: bool, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(long_waits, "_LONG", 0.2)
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            txid = tx.txid  # and the server may lose it
            event = messages.insert(message(2), txid=txid if comes else "another")
            await server.append(event)

        transaction = db.perform(lambda: db.messages.insert(message(1)), persist, name="greet")
        await transaction
        async with asyncio.timeout(10):
            while db._session.loop._timers:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        told = "persist of the action 'greet' has returned" in caplog.text
        assert told is not comes
        assert transaction.status == ("synced" if comes else "durable")


async def test_it_may_be_sent_as_it_is(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        steps: list[str] = []

        async def persist(tx: AsyncActionTransaction) -> None:
            await pause()
            await tx.send()
            steps.append("sent")
            with pytest.raises(StreamDBError, match="was sent"):
                tx.release()

        transaction = db.perform(lambda: db.messages.insert(message(1)), persist)
        await transaction.synced()
        assert steps == ["sent"]
        assert db.messages.keys() == ["1"]
        assert db.metrics.events == 1


async def test_what_cannot_be_sent_is_told_to_be_not_on_the_stream(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        await db.messages.insert(message(1)).synced()

        async def persist(tx: AsyncActionTransaction) -> None:
            await server.append(messages.delete("1", txid="theirs"))
            await db.await_txid("theirs")
            with pytest.raises(TransactionFailed, match="is not on the stream: update: the row"):
                await tx.send()
            told.set()
            await tx.send()

        told = asyncio.Event()
        lost = db.perform(lambda: db.messages.update("1", content="x"), persist)
        with pytest.raises(TransactionFailed) as failed:
            await lost
        assert not isinstance(failed.value, TransactionUnresolved)
        assert lost.status == "failed"
        await told.wait()


async def test_what_waits_to_be_sent_when_the_database_closes_was_not_sent(url: str) -> None:
    async with AsyncChat(url, create=True, close_timeout=0.05) as db:
        with held_writes(db):
            sending = db.messages.insert(message(0))
            await pause()
            action = db.perform(lambda: db.messages.insert(message(1)), lambda tx: tx.send())
            await pause()
            assert action.status == "queued"
            await db.aclose()
    with pytest.raises(TransactionFailed) as failed:
        await action
    assert not isinstance(failed.value, TransactionUnresolved)
    assert sending.status == "failed"


async def test_what_it_writes_itself_does_not_wait_for_it(url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            await db.messages.upsert(message(1, "written by persist")).synced()
            tx.release()
            inner = db.perform(
                lambda: db.messages.update("1", note="by an inner one"), lambda inner: inner.send()
            )
            await inner.synced()

        await db.perform(lambda: db.messages.insert(message(1)), persist).synced()
        assert db.messages["1"] == message(1, "written by persist", note="by an inner one")


@pytest.mark.parametrize("status", ["sent", "durable"])
async def test_what_it_has_sent_itself_stays_when_it_fails(status: str, url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1, "hi")).synced()
        seen: list[Any] = []
        db.messages.subscribe(lambda changes: seen.append([change.new for change in changes]))
        sender = db._session.sender
        deliver, answered = sender.deliver, asyncio.Event()
        inner: list[AsyncTransaction] = []

        async def deliver_and_wait(*arguments: Any) -> None:
            await deliver(*arguments)
            await answered.wait()

        async def persist(_: AsyncActionTransaction) -> None:
            inner.append(db.messages.update("1", note="by persist"))
            while inner[0].status != status:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0)
            raise RuntimeError("no")

        if status == "sent":
            sender.deliver = deliver_and_wait
        with unread(db):
            with pytest.raises(TransactionFailed, match="RuntimeError: no"):
                await db.perform(lambda: db.messages.update("1", content="shown"), persist)
            assert inner[0].status == status
            on_top = db.messages.update("1", role="assistant")
            answered.set()
            await inner[0]
        await on_top.synced()
        assert inner[0].status == "synced"
        assert all(row.note == "by persist" for (row,) in seen[1:])
        assert db.messages["1"].note == "by persist"
        assert db.messages["1"].role == "assistant"


async def test_the_events_of_an_update_whose_row_is_gone_make_no_sense(url: str) -> None:
    async with await AsyncStream.create(url) as server, AsyncChat(url) as db:
        await db.messages.insert(message(1)).synced()

        async def persist(tx: AsyncActionTransaction) -> None:
            await server.append(messages.delete("1", txid="theirs"))
            await db.await_txid("theirs")
            with pytest.raises(MissingKey, match="was removed before"):
                _ = tx.events
            tx.release()

        await db.perform(lambda: db.messages.update("1", content="x"), persist).synced()


def test_the_blocking_form(url: str) -> None:
    with Stream.create(url) as server, Chat(url) as db:
        threads: list[threading.Thread] = []

        def persist(tx: ActionTransaction) -> None:
            threads.append(threading.current_thread())
            db.messages.upsert(message(0)).result()  # it may wait
            for event in tx.events:
                server.append(event)

        transaction = db.perform(lambda: db.messages.insert(message(1, "hi")), persist)
        assert db.messages["1"].content == "hi"
        transaction.synced(10)
        assert threads[0] not in (threading.main_thread(), threading.current_thread())
        sent = db.perform(lambda: db.messages.insert(message(2)), lambda tx: tx.send())
        sent.synced(10)

        def refuse(_: ActionTransaction) -> None:
            raise RuntimeError("no")

        with pytest.raises(TransactionFailed, match="RuntimeError: no"):
            db.perform(lambda: db.messages.insert(message(3)), refuse).result(10)
        assert sorted(db.messages.keys()) == ["0", "1", "2"]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), StopIteration(), EOFError()])
def test_whatever_a_thread_raises_fails_the_action_and_nothing_else(
    error: BaseException, url: str
) -> None:
    """SystemExit on the loop would end it, and with it every blocking database of the process."""

    def persist(_: ActionTransaction) -> None:
        raise error

    with Chat(url, create=True) as db:
        failed = db.perform(lambda: db.messages.insert(message(1)), persist, name="greet")
        with pytest.raises(TransactionFailed, match=type(error).__name__) as told:
            failed.result(10)
        assert told.value.__cause__ is error
        db.messages.insert(message(2)).result(10)
        assert db.messages.keys() == ["2"]


def test_a_thread_that_ends_after_its_database_says_nothing(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    begun, going_on, threads = threading.Event(), threading.Event(), list[threading.Thread]()

    def persist(_: ActionTransaction) -> None:
        threads.append(threading.current_thread())
        begun.set()
        going_on.wait()

    with Chat(url, create=True, close_timeout=0) as db:
        given_up = db.perform(lambda: db.messages.insert(message(1)), persist)
        assert begun.wait(10)
    with pytest.raises(TransactionUnresolved):
        given_up.result(10)
    caplog.clear()
    going_on.set()
    threads[0].join(10)  # pytest tells of what a thread raises, and the suite takes it for an error
    assert not threads[0].is_alive()
    assert caplog.text == ""


def test_functions_of_the_wrong_kind_are_refused(url: str) -> None:
    async def asynchronous(*_: object) -> None: ...

    with Chat(url, create=True) as db:
        with pytest.raises(TypeError, match="perform calls a plain function"):
            db.perform(asynchronous, lambda tx: tx.send())
        with pytest.raises(TypeError, match="perform calls a plain function"):
            db.perform(nothing, asynchronous)
