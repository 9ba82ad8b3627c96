"""Writes that the application brings onto the stream: they show at once, and have one outcome."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor
from tests.runtime.db.held import held_writes, unread

from streamdb import (
    ActionTransaction,
    AsyncActionTransaction,
    AsyncStream,
    AsyncTransaction,
    ConnectionFailed,
    MissingKey,
    Stream,
    StreamDBError,
    StreamParseError,
    TransactionFailed,
    TransactionUnresolved,
)
from streamdb.db import long_waits


def nothing() -> None:
    """Show nothing."""


async def pause() -> None:
    await asyncio.sleep(0.05)


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


class Unreadable(Exception):
    """No error that this library knows."""


async def test_a_write_that_breaks_in_the_making_hurts_no_other(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncChat(url, create=True) as db:
        pending = db._session.pending
        events = pending.events

        def events_or_fault(draft: Any) -> list[bytes]:
            if draft.outcome.txid == broken.txid:
                raise Unreadable
            return events(draft)

        monkeypatch.setattr(pending, "events", events_or_fault)
        with held_writes(db):
            first = db.messages.insert(message(1))
            broken = db.messages.insert(message(2))
            last = db.messages.insert(message(3))
        with pytest.raises(TransactionFailed, match="is not on the stream") as failed:
            await broken
        assert not isinstance(failed.value, TransactionUnresolved)
        await first.synced()
        await last.synced()
        assert db.messages.keys() == ["1", "3"]


async def test_what_raises_before_it_shows_leaves_nothing(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        called: list[Any] = []

        async def persist(tx: AsyncActionTransaction) -> None:
            called.append(tx)

        def on_mutate() -> None:
            db.messages.insert(message(1))
            raise RuntimeError("no")

        with pytest.raises(RuntimeError, match="no"):
            db.perform(on_mutate, persist)
        await pause()
        assert (db.messages.keys(), called) == ([], [])


async def test_what_raises_later_is_taken_back_and_told(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        db.messages.insert(message(0))
        cause = RuntimeError("the server said no")

        async def persist(_: AsyncActionTransaction) -> None:
            await pause()
            raise cause

        def on_mutate() -> None:
            db.messages.insert(message(1))
            db.messages.update("0", content="changed")

        transaction = db.perform(on_mutate, persist, name="greet")
        other = db.messages.insert(message(2))
        on_top = db.messages.update("1", content="x")
        assert db.messages["0"].content == "changed"
        with pytest.raises(TransactionFailed, match="'greet' raised RuntimeError: the server") as e:
            await transaction
        assert e.value.__cause__ is cause
        assert transaction.error is e.value
        assert not isinstance(e.value, TransactionUnresolved)
        with pytest.raises(TransactionFailed, match="it changes what an earlier one wrote"):
            await on_top
        await other.synced()
        assert db.messages.keys() == ["0", "2"]
        assert db.messages["0"].content == ""


@pytest.mark.parametrize("error", [ConnectionFailed("gone"), TransactionUnresolved("who knows")])
async def test_an_unknown_outcome_is_told_as_such(error: Exception, url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(_: AsyncActionTransaction) -> None:
            raise error

        with pytest.raises(TransactionUnresolved, match="its outcome is unknown"):
            await db.perform(lambda: db.messages.insert(message(1)), persist)


async def test_later_writes_of_its_rows_wait_and_others_do_not(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        going_on = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await going_on.wait()
            await tx.send()

        action = db.perform(lambda: db.messages.insert(message(1)), persist)
        on_top = db.messages.update("1", content="x")
        behind = db.messages.upsert(message(1, "y"))
        other = db.messages.insert(message(2))
        await other.synced()
        assert (action.status, on_top.status, behind.status) == ("sent", "queued", "queued")
        assert db.messages["1"].content == "y"
        going_on.set()
        await behind.synced()
        await action.synced()  # which is when `persist` has returned, too
        assert (action.status, on_top.status) == ("synced", "synced")
        assert db.messages["1"].content == "y"
        assert db.messages.keys() == ["2", "1"]


async def test_what_waits_holds_back_what_stands_on_it_and_keeps_its_order(url: str) -> None:
    """Though the action has not written all of these rows."""

    async def persist(tx: AsyncActionTransaction) -> None:
        await may_go_on.wait()
        await tx.send()

    may_go_on = asyncio.Event()
    async with AsyncChat(url, create=True) as db:
        acting = db.perform(lambda: db.messages.insert(message(1)), persist)
        with db.transaction() as first:
            db.messages.update("1", content="first")
            db.messages.insert(message(2))
        with db.transaction() as second:
            db.messages.update("2", content="second")
            db.messages.insert(message(3))
        third = db.messages.update("3", content="third")
        await db.messages.insert(message("other"))
        assert {one.status for one in (first, second, third)} == {"queued"}
        may_go_on.set()
        await third.synced()
        async with AsyncStream(url) as stream:
            events: list[Any] = [
                event async for batch in stream.read() for event in stream.items(batch)
            ]
        txids = dict.fromkeys(event["headers"]["txid"] for event in events[1:])
        assert list(txids) == [one.txid for one in (acting, first, second, third)]


async def test_it_waits_for_what_it_stands_on(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        order: list[str] = []

        def persisting(name: str) -> Callable[[AsyncActionTransaction], Any]:
            async def persist(tx: AsyncActionTransaction) -> None:
                order.append(f"{name} begins")
                await pause()
                await tx.send()
                await pause()
                order.append(f"{name} ends")

            return persist

        db.messages.insert(message(1))
        first = db.perform(lambda: db.messages.update("1", content="a"), persisting("first"))
        second = db.perform(lambda: db.messages.update("1", content="b"), persisting("second"))
        other = db.perform(lambda: db.messages.insert(message(2)), persisting("other"))
        for transaction in (first, second, other):
            await transaction.synced()
        await db.aclose()
        assert order.index("first ends") < order.index("second begins")
        assert order.index("other begins") < order.index("first ends")
        assert db.messages["1"].content == "b"


async def test_it_fails_with_what_it_stands_on_and_is_not_persisted(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        called: list[Any] = []

        async def refuse(_: AsyncActionTransaction) -> None:
            await pause()
            raise RuntimeError("no")

        async def persist(tx: AsyncActionTransaction) -> None:
            called.append(tx)

        first = db.perform(lambda: db.messages.insert(message(1)), refuse)
        second = db.perform(lambda: db.messages.update("1", content="x"), persist)
        with pytest.raises(TransactionFailed):
            await first
        with pytest.raises(TransactionFailed, match="an earlier one wrote"):
            await second
        await pause()
        assert (called, db.messages.keys()) == ([], [])


async def test_closing_waits_for_what_is_sent_when_an_action_ends(url: str) -> None:
    async def persist(_: AsyncActionTransaction) -> None:
        """Be done at once."""

    async with AsyncChat(url, create=True) as db:
        with held_writes(db):
            sent = db.messages.insert(message(1))
            await db.perform(lambda: None, persist)
            closing = asyncio.create_task(db.aclose())
            for _ in range(100):
                await asyncio.sleep(0)
        await closing
        await sent


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


async def test_a_failure_after_the_outcome_changes_nothing(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            await tx.send()
            raise RuntimeError("too late")

        transaction = db.perform(lambda: db.messages.insert(message(1)), persist, name="greet")
        await transaction.synced()
        await pause()
        assert "persist of the action 'greet' failed when its outcome stood already" in caplog.text
        assert db.messages.keys() == ["1"]


async def test_it_is_awaited_until_persist_returns_though_it_has_come_back(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        going_on = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            async with AsyncStream(url) as server:
                await server.append(messages.insert(message(1), txid=tx.txid))
            await db.await_txid(tx.txid)
            await going_on.wait()
            with pytest.raises(StreamDBError, match="has come back: nothing of it is pending"):
                _ = tx.events
            if next(fails):
                raise RuntimeError("too late")
            await tx.send()

        fails = iter((False, True))
        for _ in range(2):
            going_on.clear()
            transaction = db.perform(lambda: db.messages.upsert(message(1)), persist)
            await pause()
            assert transaction.status == "sent"
            going_on.set()
            await transaction
            assert transaction.status == "synced"


async def test_closing_gives_up_waiting_for_one_that_has_come_back(url: str) -> None:
    """Which is on the stream, whatever its `persist` still does."""

    async def persist(tx: AsyncActionTransaction) -> None:
        async with AsyncStream(url) as server:
            await server.append(messages.insert(message(1), txid=tx.txid))
        await asyncio.Event().wait()

    async with AsyncChat(url, create=True, close_timeout=0.05) as db:
        transaction = db.perform(lambda: db.messages.insert(message(1)), persist)
        await db.await_txid(transaction.txid)
        assert transaction.status == "sent"
    assert transaction.status == "synced"
    await transaction.synced()


async def test_closing_waits_for_it_and_then_gives_it_up(url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            await pause()
            await tx.send()

        transaction = db.perform(lambda: db.messages.insert(message(1)), persist)
    assert transaction.status in ("durable", "synced")

    async with AsyncChat(url, close_timeout=0.05) as db:

        async def wait_for_ever(_: AsyncActionTransaction) -> None:
            await asyncio.Event().wait()

        transaction = db.perform(lambda: db.messages.insert(message(2)), wait_for_ever)
        await pause()
    with pytest.raises(TransactionUnresolved):
        await transaction
    assert db.messages.keys() == ["1"]


@pytest.mark.parametrize("has_outbox", [False, True])
async def test_what_ends_the_reading_says_nothing_of_it(
    has_outbox: bool, url: str, tmp_path: Path
) -> None:
    outbox = {"cache": tmp_path / "c", "outbox": True} if has_outbox else {}
    async with (
        await AsyncStream.create(url) as server,
        AsyncChat(url, **cast("Any", outbox)) as db,
    ):
        going_on = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await going_on.wait()
            await server.append(messages.insert(message(1), txid=tx.txid))

        def refuse(_: object) -> Iterator[Any]:
            raise StreamParseError("not JSON")

        transaction = db.perform(lambda: db.messages.insert(message(1)), persist)
        db._state.steps = refuse
        await server.append(messages.insert(message(2)))
        with pytest.raises(StreamParseError):
            await db.until(lambda: False)
        assert transaction.status == ("unresolved" if has_outbox else "sent")
        going_on.set()
        if has_outbox:
            with pytest.raises(TransactionUnresolved, match="its outcome is unknown: not JSON"):
                await transaction
        else:
            await transaction


async def test_a_cancelled_waiter_does_not_end_it(url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            await pause()
            await tx.send()

        transaction = db.perform(lambda: db.messages.insert(message(1)), persist)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await transaction
        await transaction.synced()


async def test_who_cancels_it_from_inside_has_failed_it(url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(_: AsyncActionTransaction) -> None:
            raise asyncio.CancelledError

        with pytest.raises(TransactionFailed, match="CancelledError"):
            await db.perform(lambda: db.messages.insert(message(1)), persist)
        assert db.messages.keys() == []


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
