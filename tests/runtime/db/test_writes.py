"""Writes of an async database: their outcomes, whatever happens to the server or the waiter."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import pytest
from msgspec import structs
from pydantic import create_model
from tests.runtime.chat_schema import AsyncChat, Chat, Message, message, messages, sensor

from streamdb import (
    AsyncStream,
    AsyncStreamDB,
    AsyncTransaction,
    ConnectionFailed,
    DatabaseClosed,
    DuplicateKey,
    InvalidEventError,
    InvalidRow,
    MissingKey,
    NotConnected,
    PayloadTooLarge,
    RetryPolicy,
    StreamClosed,
    StreamDB,
    StreamDBError,
    StreamNotFound,
    TransactionFailed,
    TransactionUnresolved,
    WouldDeadlock,
    collection,
)
from streamdb_server import Options, serving

IMPATIENT: dict[str, Any] = {
    "retry": RetryPolicy(attempts=2, initial=0.01),
    "reconnect": RetryPolicy(initial=0.01, maximum=0.05),
    "close_timeout": 0.1,
}


@dataclass(frozen=True)
class Frozen:
    id: str
    content: str = ""


async def events_of(url: str) -> list[Any]:
    async with AsyncStream(url) as stream:
        return [event async for batch in stream.read() for event in stream.items(batch)]


async def until_status(transaction: AsyncTransaction, status: str) -> None:
    async with asyncio.timeout(10):
        while transaction.status != status:  # noqa: ASYNC110 - nothing tells of "sent"
            await asyncio.sleep(0)


async def test_each_operation_comes_back(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        transaction = db.messages.insert(message(1, "a"))
        assert repr(transaction) == f"<AsyncTransaction {transaction.txid} queued>"
        await transaction
        assert transaction.status in ("durable", "synced")
        await transaction.synced()
        assert list(db.messages) == [message(1, "a")]
        await db.messages.upsert(message(1, "b")).synced()
        await db.messages.upsert(message(2)).synced()
        await db.messages.update("1", note="n").synced()
        await db.messages.update("2", lambda row: message(2, row.content + "!")).synced()
        assert list(db.messages) == [message(1, "b", note="n"), message(2, "!")]
        await db.messages.delete("1").synced()
        assert list(db.messages) == [message(2, "!")]
        await db.await_txid(transaction.txid)
    operations = [event["headers"]["operation"] for event in await events_of(url)]
    assert operations == ["insert", "upsert", "upsert", "update", "update", "delete"]


async def test_faults_are_told_before_anything_is_sent(embedded_url: str) -> None:
    """WRITE-3, WRITE-5."""
    async with AsyncChat(embedded_url, create=True) as db:
        await db.messages.insert(message(1)).synced()
        with pytest.raises(DuplicateKey, match="holds a row of key '1' already; use upsert"):
            db.messages.insert(message(1))
        for missing in (db.messages.delete, lambda key: db.messages.update(key, content="x")):
            with pytest.raises(MissingKey, match="'messages' holds no row of key '2'"):
                missing("2")
        with pytest.raises(InvalidRow, match="/content"):
            db.messages.insert(message(2, content=5))  # type: ignore[arg-type]  # the fault
        with pytest.raises(InvalidRow, match="/role"):
            db.messages.update("1", role="robot")
        with pytest.raises(InvalidRow, match="must keep id='1'"):
            db.messages.update("1", id="2")
        with pytest.raises(InvalidRow, match="holds Message, not Sensor"):
            db.messages.update("1", lambda _: sensor(1))  # type: ignore[arg-type,return-value]  # the fault
        with pytest.raises(TypeError, match="nope"):
            db.messages.update("1", nope=1)
        with pytest.raises(TypeError, match="keys of collection 'sensors' are int"):
            db.sensors.delete(True)
        with pytest.raises(ZeroDivisionError):
            db.messages.update("1", lambda _: 1 / 0)  # type: ignore[arg-type,return-value]  # raises
    assert len(await events_of(embedded_url)) == 1


async def test_updates_build_on_writes_that_are_not_back_yet(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        db.messages.insert(message(1))
        db.messages.update("1", content="a")
        db.messages.update("1", note="b")
        with pytest.raises(DuplicateKey):
            db.messages.insert(message(1))
        assert list(db.messages) == [message(1, "a", note="b")], "rows show at once"
        db.messages.insert(message(2))
        db.messages.delete("2")
        with pytest.raises(MissingKey):
            db.messages.update("2", note="x")
        await db.messages.insert(message(2, "again")).synced()
        assert list(db.messages) == [message(1, "a", note="b"), message(2, "again")]
        assert not db._state.tables["messages"].overlay, "nothing is remembered of what came back"


async def test_a_transaction_is_one_request_with_one_txid(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        seen: list[tuple[int, int]] = []
        db.messages.subscribe(lambda _: seen.append((len(db.messages), len(db.sensors))))
        with db.transaction() as transaction:
            same = db.messages.insert(message(1))
            db.messages.update("1", content="x")
            db.sensors.insert(sensor(7))
            assert (transaction.status, same.txid) == ("open", transaction.txid)
            with pytest.raises(WouldDeadlock, match="still open"):
                await transaction
        await transaction.synced()
        assert seen == [(1, 1)]
        assert list(db.messages) == [message(1, "x")]
    assert {event["headers"]["txid"] for event in await events_of(url)} == {transaction.txid}


async def test_a_transaction_whose_block_raises_sends_nothing(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        with suppress(ZeroDivisionError), db.transaction() as transaction:
            db.messages.insert(message(1))
            raise ZeroDivisionError
        assert transaction.status == "failed"
        with pytest.raises(TransactionFailed, match="nothing was sent"):
            await transaction
        await db.messages.insert(message(1))  # the key is free
    assert len(await events_of(embedded_url)) == 1


async def test_a_caught_fault_leaves_the_rest_of_a_transaction(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        with db.transaction() as transaction:
            db.messages.insert(message(1))
            with pytest.raises(DuplicateKey):
                db.messages.insert(message(1))
            db.messages.insert(message(2))
        await transaction.synced()
        assert db.messages.keys() == ["1", "2"]


async def test_an_empty_transaction_is_free(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        with db.transaction() as transaction:
            pass
        await transaction.synced()
    assert await events_of(embedded_url) == []


async def test_an_update_that_changes_nothing_is_free(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1, "a")).synced()
        same = (
            db.messages.update("1", content="a"),
            db.messages.update("1", lambda row: message(1, "a")),
        )
        assert [transaction.status for transaction in same] == ["synced", "synced"]
        with db.transaction() as transaction:
            db.messages.update("1", content="b")
            db.messages.update("1", content="b")
        assert transaction.status != "synced"
        await transaction.synced()
        assert db.metrics.events == 2


def test_a_blocking_update_that_changes_nothing_is_free(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        db.messages.insert(message(1, "a")).synced(30)
        assert db.messages.update("1", content="a").status == "synced"
        assert db.metrics.events == 1


class Note(TypedDict):
    id: str
    tags: list[str]


class AsyncNotes(AsyncStreamDB):
    notes = collection(Note, primary_key="id")


class Notes(StreamDB):
    notes = collection(Note, primary_key="id")


def tagged(row: Note) -> Note:
    row["tags"].append("new")
    return row


async def test_the_function_of_an_update_may_change_its_row(url: str) -> None:
    """It is a copy, at every depth; what shows changes when the update does."""
    async with AsyncNotes(url, create=True) as db:
        await db.notes.insert({"id": "a", "tags": []}).synced()
        shown = db.notes["a"]
        tx = db.notes.update("a", tagged)
        assert shown == {"id": "a", "tags": []}
        assert db.notes["a"] == {"id": "a", "tags": ["new"]}
        await tx.synced()
    with Notes(url) as again:
        again.notes.update("a", tagged).synced(30)
        assert again.notes["a"] == {"id": "a", "tags": ["new", "new"]}


@pytest.mark.parametrize("kind", ["msgspec", "dataclass", "pydantic"])
async def test_a_function_that_sets_a_field_is_told_how_to_copy(
    embedded_url: str, kind: str
) -> None:
    row: Any
    if kind == "msgspec":
        row, copying = Message, r"msgspec\.structs\.replace\(row"
    elif kind == "dataclass":
        row, copying = Frozen, r"dataclasses\.replace\(row"
    else:
        row = create_model("Note", __config__={"frozen": True}, id=(str, ...), content=(str, ""))
        copying = r"row\.model_copy\(update"
    declared = type("Rows", (AsyncStreamDB,), {"rows": collection(row, primary_key="id")})
    database: Any = declared
    async with database(embedded_url, create=True) as db:
        await db.rows.insert(row(id="a"))
        with pytest.raises(TypeError, match=f"of collection 'rows' cannot be set: .* {copying}"):
            db.rows.update("a", lambda row: setattr(row, "content", "x"))
        with pytest.raises(AttributeError, match="titel"):
            db.rows.update("a", lambda row: row.titel)


async def test_a_transaction_inside_another_one_is_part_of_it(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        with db.transaction() as outer:
            db.messages.insert(message(1))
            with db.transaction() as inner:
                db.messages.update("1", content="a")
                db.messages.insert(message(2))
            db.messages.insert(message(3))
        assert (inner.txid, inner.status) == (outer.txid, "queued")
        await inner.synced()
        assert {e["headers"]["txid"] for e in await events_of(embedded_url)} == {outer.txid}
        assert list(db.messages) == [message(1, "a"), message(2), message(3)]


async def test_a_transaction_goes_on_without_one_inside_that_raises(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        with db.transaction() as outer:
            db.messages.insert(message(1))
            with suppress(ZeroDivisionError), db.transaction() as inner:
                with db.transaction() as innermost:
                    db.messages.insert(message(2))
                raise ZeroDivisionError
            db.messages.insert(message(3))
        await outer.synced()
        assert db.messages.keys() == ["1", "3"]
        assert (inner.status, innermost.status) == ("failed", "failed")
        with pytest.raises(TransactionFailed, match="its block raised"):
            await innermost


def test_transactions_inside_one_in_the_blocking_form(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        with db.transaction() as outer:
            with db.transaction() as inner:
                db.messages.insert(message(1))
            assert inner.status == "open"
        inner.synced()
        assert inner.txid == outer.txid


def test_what_is_a_transaction_by_itself_says_so_inside_one(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db, db.transaction():
        with pytest.raises(StreamDBError, match="writer of 'messages': it makes transactions of"):
            db.messages.writer().write(message(1))
        with pytest.raises(StreamDBError, match=r"the action 'greet': .* outside of that block"):
            db.perform(lambda: None, lambda _: None, name="greet")


async def test_a_transaction_binds_its_own_task_only(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:

        async def elsewhere() -> AsyncTransaction:
            with db.transaction() as own:
                db.messages.insert(message("other"))
            await own
            return own

        with db.transaction() as transaction:
            db.messages.insert(message("mine"))
            other = await asyncio.create_task(elsewhere())
            assert transaction.status == "open"
            assert other.txid != transaction.txid
        await transaction.synced()
        assert db.messages.keys() == ["other", "mine"]


async def test_two_databases_in_one_task_have_their_own_transactions(embedded_url: str) -> None:
    async with (
        AsyncChat(embedded_url, create=True) as db,
        AsyncChat(embedded_url + "2", create=True) as other,
    ):
        with db.transaction() as transaction:
            await other.messages.insert(message(1))
            db.messages.insert(message(2))
        await transaction.synced()
        assert (db.messages.keys(), other.messages.keys()) == (["2"], ["1"])


async def test_cancelling_a_waiter_does_not_cancel_the_write(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        transaction = db.messages.insert(message(1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await transaction
        await transaction.synced()
        assert len(db.messages) == 1


@pytest.mark.parametrize("is_inside", [False, True])
async def test_what_needs_a_row_needs_a_database_that_is_connected(
    url: str, is_inside: bool
) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1))
    db = AsyncChat(url)
    with db.transaction() if is_inside else nullcontext():
        for write in (
            lambda: db.messages.update("1", content="x"),
            lambda: db.messages.delete("1"),
            lambda: db.messages.update("1", lambda row: row, expect=message(1)),
        ):
            with pytest.raises(NotConnected, match="is not connected"):
                write()
    assert db.status == "idle"
    await db.aclose()


async def test_an_own_write_before_the_load_may_be_changed(url: str) -> None:
    db = AsyncChat(url, create=True)
    with db.transaction() as transaction:
        db.messages.insert(message(1))
        db.messages.update("1", content="x")
    await transaction.synced()
    assert list(db.messages) == [message(1, "x")]
    await db.aclose()


def test_the_blocking_form_needs_to_be_connected_too(embedded_url: str) -> None:
    db = Chat(embedded_url, create=True)
    with pytest.raises(NotConnected):
        db.messages.delete("1")
    db.messages.insert(message(1))
    db.messages.update("1", content="x").synced()
    db.close()


async def test_writes_before_the_load_wait_for_it(url: str) -> None:
    db = AsyncChat(url, create=True)
    await db.messages.insert(message(1)).synced()
    assert (db.status, len(db.messages)) == ("live", 1)
    await db.aclose()


async def test_writes_to_a_stream_that_is_missing_fail(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    db = AsyncChat(url)
    with pytest.raises(TransactionFailed, match=r"not on the stream: .*no such") as caught:
        await db.messages.insert(message(1))
    assert isinstance(caught.value.__cause__, StreamNotFound)
    await db.aclose()
    assert "is not on the stream" not in caplog.text


async def test_writes_to_a_closed_stream_fail(url: str) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await stream.close_stream(messages.insert(message(1)))
        assert [len(changes) async for changes in db.messages.changes(initial=True)] in ([1], [])
        transaction = db.messages.update("1", content="x")
        with pytest.raises(TransactionFailed, match="the stream has ended") as caught:
            await transaction
        assert isinstance(caught.value.__cause__, StreamClosed)
        assert (transaction.status, transaction.error) == ("failed", caught.value)
        with pytest.raises(TransactionFailed):
            await transaction.synced()
        with pytest.raises(MissingKey):
            db.messages.delete("2")
        assert db.messages["1"].content == ""


async def test_a_refused_write_does_not_pull_others_down(tmp_path: Path) -> None:
    """They were queued together and refused together; each is judged alone."""
    with serving(tmp_path / "s.db", options=Options(max_body_bytes=2000)) as server:
        async with AsyncChat(f"{server.url}s", create=True) as db:
            before = [db.messages.insert(message(number)) for number in range(3)]
            large = db.messages.insert(message("large", "x" * 3000))
            after = [db.messages.insert(message(number)) for number in range(3, 6)]
            with pytest.raises(TransactionFailed) as caught:
                await large
            assert isinstance(caught.value.__cause__, PayloadTooLarge)
            await asyncio.gather(*(transaction.synced() for transaction in before + after))
            assert db.messages.keys() == [str(number) for number in range(6)]
            await db.messages.insert(message("large", "smaller")).synced()


async def test_many_writes_share_requests_and_keep_their_order(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        transactions = [db.messages.insert(message(number)) for number in range(500)]
        await transactions[-1].synced()
        assert all(transaction.status == "synced" for transaction in transactions)
        assert db.messages.keys() == [str(number) for number in range(500)]
        assert db.metrics.commits < 100


async def test_closing_sends_what_is_queued(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        transactions = [db.messages.insert(message(number)) for number in range(20)]
    assert len(await events_of(url)) == 20
    for transaction in transactions:
        await transaction
        if transaction.status == "durable":
            with pytest.raises(DatabaseClosed):
                await transaction.synced()


async def test_closing_while_the_server_is_gone(tmp_path: Path) -> None:
    with serving(tmp_path / "s.db") as server:
        db = AsyncChat(f"{server.url}s", create=True, **IMPATIENT)
        await db.preload()
    sent = db.messages.insert(message(1))
    await until_status(sent, "sent")
    queued = db.messages.insert(message(2))
    await db.aclose()
    with pytest.raises(TransactionUnresolved, match="its outcome is unknown"):
        await sent
    with pytest.raises(TransactionFailed, match="not on the stream") as caught:
        await queued
    assert not isinstance(caught.value, TransactionUnresolved)
    assert (sent.status, queued.status, db.status) == ("unresolved", "failed", "closed")


async def test_giving_up_on_a_server_that_is_gone(tmp_path: Path) -> None:
    """A policy with an end: reading fails, and so does a write, of which nothing was sent."""
    options = {**IMPATIENT, "reconnect": RetryPolicy(attempts=3, initial=0.01)}
    with serving(tmp_path / "s.db") as server:
        db = AsyncChat(f"{server.url}s", create=True, **options)
        await db.preload()
        changes = db.messages.changes()
    with pytest.raises(ConnectionFailed, match="gave up after 3 tries"):
        await anext(changes)
    assert db.status == "error"
    with pytest.raises(TransactionFailed, match="is not on the stream") as caught:
        await db.messages.insert(message(1))
    assert not isinstance(caught.value, TransactionUnresolved)
    await db.aclose()


async def test_a_callback_may_write(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        answers: list[AsyncTransaction] = []
        db.messages.subscribe(
            lambda changes: answers.extend(
                db.sensors.insert(sensor(int(change.key))) for change in changes
            )
        )
        await db.messages.insert(message(7)).synced()
        await answers[0].synced()
        assert db.sensors.keys() == [7]


async def test_another_writer_of_the_same_key(url: str) -> None:
    """Last write wins; an update builds on what was synced."""
    async with AsyncChat(url, create=True) as one, AsyncChat(url) as two:
        await one.messages.insert(message(1, "one"))
        await two.await_txid(await _last_txid(url))
        await two.messages.update("1", note="two").synced()
        await one.await_txid(await _last_txid(url))
        assert one.messages["1"] == two.messages["1"] == message(1, "one", note="two")


async def _last_txid(url: str) -> str:
    txid: str = (await events_of(url))[-1]["headers"]["txid"]
    return txid


async def test_unusual_text_survives_the_round_trip(url: str) -> None:
    strange = message("\u2028 \ud83d \x00 ☃", json.dumps({"a": ["\\", '"']}))
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(strange).synced()
        assert db.messages[strange.id] == strange
    async with AsyncChat(url) as db:
        assert list(db.messages) == [strange]


def test_the_function_of_an_update_runs_without_the_lock_of_commits(embedded_url: str) -> None:
    """Two threads whose functions read each other's database would wait for each other for ever."""
    with Chat(embedded_url, create=True) as one, Chat(embedded_url + "-2", create=True) as two:
        for db in (one, two):
            db.messages.insert(message("a")).synced(10)
        both_inside = threading.Barrier(2, timeout=10)

        def change(row: Message, other: Chat) -> Message:
            both_inside.wait()
            return structs.replace(row, content=other.messages["a"].id + "!")

        threads = [
            threading.Thread(
                target=lambda db=db, other=other: db.messages.update(
                    "a", lambda row: change(row, other)
                ).synced(10),
                daemon=True,
            )
            for db, other in ((one, two), (two, one))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert [db.messages["a"].content for db in (one, two)] == ["a!", "a!"]


def test_an_update_by_a_function_is_of_the_row_as_it_stands_at_last(url: str) -> None:
    """A write of another thread while the function runs makes it run again, on the new row."""
    with Chat(url, create=True) as db:
        db.messages.insert(message("a")).synced(10)
        bases: list[str] = []

        def change(row: Message) -> Message:
            bases.append(row.content)
            if len(bases) == 1:
                other = threading.Thread(target=lambda: db.messages.update("a", content="moved on"))
                other.start()
                other.join()
            return structs.replace(row, note="changed")

        db.messages.update("a", change).synced(10)
        assert bases == ["", "moved on"]
        assert (db.messages["a"].content, db.messages["a"].note) == ("moved on", "changed")


async def test_writes_that_cannot_come_back_are_let_go(url: str) -> None:
    """Once reading has ended, what was written counts no more as on its way."""
    async with AsyncChat(url, create=True, on_invalid="raise") as db:
        changes = db.messages.changes()
        async with AsyncStream(url) as stream:
            await stream.append({"headers": {}})
        with pytest.raises(InvalidEventError):
            await anext(changes)
        transaction = db.messages.insert(message("a"))
        await transaction
        with pytest.raises(InvalidEventError):
            await transaction.synced()
        assert list(db.messages) == [message("a")], "it is on the stream, so it stays"
        await db.messages.upsert(message("a", "again"))


async def test_the_function_of_an_update_must_not_write_its_own_row(embedded_url: str) -> None:
    """It would be called again for what it wrote, for ever."""
    async with AsyncChat(embedded_url, create=True) as db:
        await db.messages.insert(message(1, "a")).synced()
        for write in (
            lambda: db.messages.update("1", content="b"),
            lambda: db.messages.upsert(message(1, "b")),
            lambda: db.messages.insert(message(1, "b")),
            lambda: db.messages.delete("1"),
        ):
            calls: list[Message] = []

            def change(row: Message, write: Any = write, calls: Any = calls) -> Message:
                calls.append(row)
                if len(calls) < 3:
                    write()
                return row

            with pytest.raises(StreamDBError, match="writes that row itself: return the changed"):
                db.messages.update("1", change)
            assert len(calls) == 1

        def also_another(row: Message) -> Message:
            db.messages.upsert(message(2, "other"))
            db.messages.update("2", lambda other: structs.replace(other, content="inner"))
            return structs.replace(row, content="outer")

        await db.messages.update("1", also_another).synced()
        assert [row.content for row in db.messages] == ["outer", "inner"]
