"""A server gives a row its key: no moment shows both rows, or neither; the old key leads to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages
from tests.runtime.db.held import held_writes, unread

from streamdb import (
    ActionTransaction,
    AsyncActionTransaction,
    AsyncStream,
    MissingKey,
    Stream,
    TransactionFailed,
    debounce,
)


async def append(url: str, *events: Any) -> None:
    async with AsyncStream(url) as server:
        for event in events:
            await server.append(event)


@pytest.mark.parametrize("first", ["answer", "event"])
async def test_no_moment_shows_both_or_neither(first: str, url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        seen: list[list[str]] = []
        db.messages.subscribe(lambda _: seen.append(db.messages.keys()))

        async def persist(tx: AsyncActionTransaction) -> None:
            event = messages.insert(message("m17", "hi"), txid=tx.txid)
            if first == "event":
                await append(url, event)
                await db.await_txid(tx.txid)
            tx.map_key(db.messages, "new", "m17")
            assert db.messages["new"] is db.messages["m17"]
            if first == "answer":
                await append(url, event)

        transaction = db.perform(lambda: db.messages.insert(message("new", "hi")), persist)
        assert db.messages.keys() == ["new"]
        await transaction
        await transaction.synced()
        assert seen == [["new"], ["m17"]]
        assert db.messages["new"] == db.messages["m17"] == message("m17", "hi")
        assert "new" in db.messages
        assert db.messages.meta("new").key == "m17"


@pytest.mark.parametrize("first", ["answer", "event"])
async def test_later_writes_reach_it(first: str, url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        going_on = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await going_on.wait()
            event = messages.insert(message("m17", "hi"), txid=tx.txid)
            if first == "event":
                await append(url, event)
                await db.await_txid(tx.txid)
            tx.map_key(db.messages, "new", "m17")
            if first == "answer":
                await append(url, event)

        db.perform(lambda: db.messages.insert(message("new", "hi")), persist)
        with db.transaction() as before:
            db.messages.update("new", content="hello")
        with db.transaction() as open_then:
            db.messages.update("new", note="open when the key came")
            going_on.set()
            await db.until(lambda: "m17" in db.messages)
            await asyncio.sleep(0.05)
        after = db.messages.update("new", role="assistant")
        function = db.messages.update("new", lambda m: message(m.id, m.content + "!", note=m.note))
        for transaction in (before, open_then, after, function):
            await transaction.synced()
        expected = message("m17", "hello!", note="open when the key came")
        assert list(db.messages) == [expected]
        await db.messages.upsert(message("new", "said again")).synced()
        assert list(db.messages) == [message("m17", "said again")]
        await db.messages.delete("new").synced()
        assert list(db.messages) == []
        with pytest.raises(MissingKey):
            db.messages.update("new", content="x")


@pytest.mark.parametrize("seconds", [0.01, 60])
@pytest.mark.parametrize("is_open_then", [True, False])
async def test_a_paced_block_reaches_it_and_goes_before_what_is_written_later(
    is_open_then: bool, seconds: float, url: str
) -> None:
    async with AsyncChat(url, create=True) as db:
        going_on, mapped = asyncio.Event(), asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await going_on.wait()
            tx.map_key(db.messages, "new", "m17")
            mapped.set()
            await append(url, messages.insert(message("m17", "hi"), txid=tx.txid))

        async def have_it_mapped() -> None:
            going_on.set()
            await mapped.wait()

        db.perform(lambda: db.messages.insert(message("new", "hi")), persist)
        with db.paced(debounce(seconds)) as typed:
            db.messages.update("new", content="typed", note="typed")
            if is_open_then:
                await have_it_mapped()
        if not is_open_then:
            await have_it_mapped()
        if seconds < 1:  # it goes by itself
            await typed.synced()
            assert list(db.messages) == [message("m17", "typed", note="typed")]
        later = db.messages.update("m17", content="written later")
        await later.synced()
        assert typed.status == "synced"
        assert list(db.messages) == [message("m17", "written later", note="typed")]
        assert not db._mutations.holders


DELETE = {"deleted": True}


@pytest.mark.parametrize("first", ["new", "m17"])
@pytest.mark.parametrize(
    ("one", "other", "left"),
    [
        ({"content": "a"}, {"note": "b"}, message("m17", "a", note="b")),
        ({"content": "a"}, {"content": "b"}, message("m17", "b")),
        ({"content": "a"}, DELETE, None),
        (DELETE, {"content": "b"}, None),
        (DELETE, DELETE, None),
        ({"content": "a"}, message("", "b"), message("m17", "b")),
        (message("", "a"), {"note": "b"}, message("m17", "a", note="b")),
        (DELETE, message("", "b"), message("m17", "b")),
        (message("", "a"), DELETE, None),
    ],
)
async def test_a_transaction_that_writes_it_by_both_keys_writes_one_row(
    one: Any, other: Any, left: Any, first: str, url: str
) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message("m17", "there")).synced()
        going_on = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await going_on.wait()
            tx.map_key(db.messages, "new", "m17")
            tx.release()

        def write(key: str, what: Any) -> None:
            if what is DELETE:
                db.messages.delete(key)
            elif isinstance(what, dict):
                db.messages.update(key, **what)
            else:
                db.messages.upsert(message(key, what.content))

        db.perform(lambda: db.messages.insert(message("new", "there")), persist)
        with db.transaction() as both:
            write(first, one)
            write("m17" if first == "new" else "new", other)
        going_on.set()
        await both.synced()
        assert list(db.messages) == ([] if left is None else [left])
        assert not db.messages.meta("m17").pending if left else "m17" not in db.messages


async def test_an_outbox_keeps_what_waits_by_the_new_key(url: str, tmp_path: Path) -> None:
    async with AsyncChat(
        url, create=True, cache=tmp_path / "c", outbox=True, close_timeout=0.05
    ) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            await later.stored()
            await append(url, messages.insert(message("m17", "hi"), txid=tx.txid))
            tx.map_key(db.messages, "new", "m17")

        with held_writes(db):
            action = db.perform(lambda: db.messages.insert(message("new", "hi")), persist)
            later = db.messages.update("new", content="edited")
            await action
            (entry,) = db.outbox.pending
            assert entry.writes[0].key == "m17"
            assert entry.writes[0].value["id"] == "m17"
            await db.aclose()
    async with AsyncChat(url, cache=tmp_path / "c", outbox=True) as db:
        await db.await_txid(later.txid)
        assert list(db.messages) == [message("m17", "edited")]
        assert db.outbox.refused == ()


async def test_one_row_that_came_instead_of_one_is_taken_for_it(url: str) -> None:
    """So who writes it by its old key reaches it before the application knows the new one."""
    async with AsyncChat(url, create=True) as db:
        going_on = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await append(url, messages.insert(message("m17", "hi"), txid=tx.txid))
            await db.await_txid(tx.txid)
            await going_on.wait()
            tx.map_key(db.messages, "new", "m17")

        transaction = db.perform(lambda: db.messages.insert(message("new", "hi")), persist)
        before = db.messages.update("new", content="hello")
        await db.until(lambda: "m17" in db.messages)
        assert list(db.messages) == [message("m17", "hello")]
        assert db.messages["new"] == message("m17", "hello")
        meanwhile = db.messages.update("new", note="by its old key")
        going_on.set()
        for written in (transaction, before, meanwhile):
            await written.synced()
        assert list(db.messages) == [message("m17", "hello", note="by its old key")]


async def test_of_several_rows_nothing_is_guessed(url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            events = [messages.insert(message(key), txid=tx.txid) for key in ("m1", "m2")]
            async with AsyncStream(url) as server:
                await server.append_many(events)

        await db.perform(lambda: db.messages.insert(message("new")), persist).synced()
        assert sorted(db.messages.keys()) == ["m1", "m2"]
        assert "new" not in db.messages


async def test_no_row_is_taken_for_one_that_an_action_has_removed(url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        def on_mutate() -> None:
            db.messages.upsert(message("removed"))
            db.messages.delete("removed")
            db.messages.insert(message("made"))

        async def persist(tx: AsyncActionTransaction) -> None:
            async with AsyncStream(url) as server:
                await server.append_many(tx.events)

        await db.perform(on_mutate, persist).synced()
        assert db.messages.keys() == ["made"]
        assert "removed" not in db.messages


async def test_a_row_that_came_by_its_own_key_is_none_that_came_instead(url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        def on_mutate() -> None:
            db.messages.insert(message("new", "hi"))
            db.messages.insert(message("kept"))

        async def persist(tx: AsyncActionTransaction) -> None:
            rows = message("kept"), message("m17", "hi")
            async with AsyncStream(url) as server:
                await server.append_many([messages.insert(row, txid=tx.txid) for row in rows])

        await db.perform(on_mutate, persist).synced()
        assert db.messages.keys() == ["kept", "m17"]
        assert db.messages["new"] == message("m17", "hi")


async def test_a_temporary_key_may_be_used_again(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        numbers = iter(("m1", "m2"))

        async def persist(tx: AsyncActionTransaction) -> None:
            number = next(numbers)
            tx.map_key(db.messages, "new", number)
            await append(url, messages.insert(message(number), txid=tx.txid))

        for _ in range(2):
            await db.perform(lambda: db.messages.insert(message("new")), persist).synced()
        assert db.messages.keys() == ["m1", "m2"]
        assert db.messages["new"].id == "m2"


async def test_a_temporary_key_may_be_used_again_before_a_server_has_answered(url: str) -> None:
    """What is inserted when the first row was removed is another row, with another number."""
    async with AsyncChat(url, create=True) as db:
        going_on = asyncio.Event()

        def persist(number: str) -> Callable[[AsyncActionTransaction], Awaitable[None]]:
            async def part(tx: AsyncActionTransaction) -> None:
                await going_on.wait()
                tx.map_key(db.messages, "new", number)
                await append(url, *[json.loads(event.to_json()) for event in tx.events])

            return part

        first = db.perform(lambda: db.messages.insert(message("new", "1")), persist("m1"))
        removal = db.messages.delete("new")
        second = db.perform(lambda: db.messages.insert(message("new", "2")), persist("m2"))
        later = db.messages.update("new", note="of the second")
        going_on.set()
        for transaction in (first, removal, second, later):
            await transaction.synced()
        assert list(db.messages) == [message("m2", "2", note="of the second")]
        assert db.messages["new"].id == "m2"


@pytest.mark.parametrize("first_by", ["answer", "event"])
async def test_a_temporary_key_of_two_removed_rows_leads_from_the_second_one_nowhere(
    first_by: str, url: str
) -> None:
    """The key is taken by a row that does not show: what removes that stays with it."""
    async with AsyncChat(url, create=True) as db:
        go_on, told = asyncio.Event(), asyncio.Event()

        async def first(tx: AsyncActionTransaction) -> None:
            await go_on.wait()
            if first_by == "answer":
                tx.map_key(db.messages, "new", "m1")
            await append(url, messages.insert(message("m1", "1"), txid=tx.txid))
            await db.await_txid(tx.txid)
            told.set()

        async def second(tx: AsyncActionTransaction) -> None:
            await append(url, messages.upsert(message("m1", "theirs"), txid="t"))
            await append(url, messages.insert(message("new", "2"), txid=tx.txid))
            await db.await_txid(tx.txid)

        db.perform(lambda: db.messages.insert(message("new", "1")), first)
        removal = db.messages.delete("new")
        db.perform(lambda: db.messages.insert(message("new", "2")), second)
        other_removal = db.messages.delete("new")
        go_on.set()
        await told.wait()
        last = db.messages.upsert(message("new", "3"))
        for transaction in (removal, other_removal, last):
            await transaction.synced()
        assert list(db.messages) == [message("m1", "theirs"), message("new", "3")]


async def test_a_temporary_key_leads_from_the_last_row_of_it_whatever_comes_later(url: str) -> None:
    """What an earlier row of that key has come as, is as it was: its removal stays with it."""
    async with AsyncChat(url, create=True) as db:
        seen: list[list[str]] = []

        async def plain(tx: AsyncActionTransaction) -> None:
            await append(url, messages.insert(message("new", "1"), txid=tx.txid))

        async def mapped(tx: AsyncActionTransaction) -> None:
            tx.map_key(db.messages, "new", "m2")
            await append(url, messages.insert(message("m2", "2"), txid=tx.txid))

        with unread(db):
            await db.perform(lambda: db.messages.insert(message("new", "1")), plain)
            removal = db.messages.delete("new")
            second = db.perform(lambda: db.messages.insert(message("new", "2")), mapped)
            await second
            assert db.messages["new"].id == "m2"
            db.messages.subscribe(lambda _: seen.append(db.messages.keys()))
        await removal.synced()
        await second.synced()
        assert all(keys == ["m2"] for keys in seen)
        assert db.messages["new"].id == "m2"


@pytest.mark.parametrize("form", ["block", "open block", "by hand"])
async def test_one_transaction_removes_a_row_and_inserts_another_one(form: str, url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        going_on, mapped = asyncio.Event(), asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await going_on.wait()
            tx.map_key(db.messages, "new", "m1")
            mapped.set()
            await append(url, messages.insert(message("m1", "1"), txid=tx.txid))

        first = db.perform(lambda: db.messages.insert(message("new", "1")), persist)
        both = db.begin()
        with both if form == "by hand" else db.transaction() as written:
            db.messages.update("new", content="on its way out")
            db.messages.delete("new")
            db.messages.insert(message("new", "2"))
            if form == "open block":
                going_on.set()
                await mapped.wait()
        going_on.set()
        await mapped.wait()
        await first.synced()
        assert list(db.messages) == [message("new", "2")]
        both.commit()
        await (both if form == "by hand" else written).synced()
        assert list(db.messages) == [message("new", "2")]


async def test_a_row_that_is_inserted_and_removed_again_behind_a_removal_never_was(
    url: str,
) -> None:
    async with AsyncChat(url, create=True) as db:
        going_on = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await going_on.wait()
            tx.map_key(db.messages, "new", "m1")
            await append(url, messages.insert(message("m1", "1"), txid=tx.txid))

        first = db.perform(lambda: db.messages.insert(message("new", "1")), persist)
        with db.transaction() as removed:
            db.messages.delete("new")
            db.messages.insert(message("new", "2"))
            db.messages.delete("new")
        going_on.set()
        await first.synced()
        await removed.synced()
        assert list(db.messages) == []
    async with AsyncStream(url) as server:
        events = [event async for batch in server.read() for event in server.items(batch)]
    written = [(event["headers"]["operation"], event["key"]) for event in events]
    assert written == [("insert", "m1"), ("delete", "m1")]


async def test_a_row_that_takes_the_place_of_a_removed_one_gets_its_own_key(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message("old", "1")).synced()

        def on_mutate() -> None:
            db.messages.delete("old")
            db.messages.insert(message("old", "2"))

        async def persist(tx: AsyncActionTransaction) -> None:
            tx.map_key(db.messages, "old", "m2")
            assert list(db.messages) == [message("m2", "2")]
            async with AsyncStream(url) as server:
                await server.append_many(tx.events)

        await db.perform(on_mutate, persist).synced()
        assert list(db.messages) == [message("m2", "2")]


async def test_what_one_row_was_called_says_nothing_of_another_one_of_that_key(url: str) -> None:
    """Others may call a row as one was called here before: its removal reaches no other row."""
    async with AsyncChat(url, create=True) as db:
        going_on = asyncio.Event()

        async def first(tx: AsyncActionTransaction) -> None:
            tx.map_key(db.messages, "new", "m1")
            await append(url, messages.insert(message("m1"), txid=tx.txid))

        async def second(tx: AsyncActionTransaction) -> None:
            await going_on.wait()
            await append(url, messages.upsert(message("new", "ours"), txid=tx.txid))
            await db.await_txid(tx.txid)

        await db.perform(lambda: db.messages.insert(message("new")), first).synced()
        await append(url, messages.insert(message("new", "theirs"), txid="t"))
        await db.await_txid("t")
        db.perform(lambda: db.messages.update("new", content="ours"), second)
        removal = db.messages.delete("new")
        going_on.set()
        await removal.synced()
        assert db.messages.keys() == ["m1"]


async def insert_mapped(db: AsyncChat, url: str) -> None:
    """Insert the row "new", which a server calls "m17"."""

    async def persist(tx: AsyncActionTransaction) -> None:
        tx.map_key(db.messages, "new", "m17")
        await append(url, messages.insert(message("m17"), txid=tx.txid))

    await db.perform(lambda: db.messages.insert(message("new")), persist).synced()


@pytest.mark.parametrize("comes", ["alone", "with others", "from here"])
async def test_a_temporary_key_leads_nowhere_once_a_row_of_it_was_there(
    comes: str, url: str
) -> None:
    """Even when that is removed, here or for good: whoever writes it then, means that row."""
    async with AsyncChat(url, create=True) as db:
        await insert_mapped(db, url)
        assert db.messages["new"].id == "m17"
        if comes == "from here":
            await db.messages.insert(message("new", "another")).synced()
        else:
            events = [messages.insert(message("new", "another"), txid="t")]
            if comes == "with others":
                events.append(messages.insert(message("m18"), txid="t"))
            async with AsyncStream(url) as server:
                await server.append_many(events)
            await db.await_txid("t")
        with held_writes(db):
            removal = db.messages.delete("new")
            assert "new" not in db.messages
            later = db.messages.upsert(message("new", "again"))
            assert db.messages["new"] == message("new", "again")
        await removal.synced()
        await later.synced()
        await db.messages.delete("new").synced()
        assert "new" not in db.messages
        with pytest.raises(MissingKey):
            db.messages.update("new", note="of which row?")
        assert db.messages["m17"] == message("m17")


async def test_a_key_that_others_use_leads_nowhere_from_the_start(url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            await append(url, messages.insert(message("new", "theirs"), txid="t"))
            await db.await_txid("t")
            tx.map_key(db.messages, "new", "m17")
            await append(url, messages.insert(message("m17"), txid=tx.txid))

        await db.perform(lambda: db.messages.insert(message("new")), persist).synced()
        assert db.messages["new"] == message("new", "theirs")
        await db.messages.delete("new").synced()
        assert "new" not in db.messages
        assert db.messages.keys() == ["m17"]


async def test_in_a_snapshot_a_temporary_key_leads_where_it_led(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await insert_mapped(db, url)
        with db.snapshot():
            await append(url, messages.insert(message("new", "another"), txid="t"))
            await db.await_txid("t")
            assert db.messages["new"].id == db.messages.meta("new").key == "m17"
        assert db.messages["new"] == message("new", "another")


@pytest.mark.parametrize("number", ["m1", "m2"])
async def test_a_later_action_is_told_the_key_too(number: str, url: str) -> None:
    """It finds its row by the key that it wrote it by, whatever it is called by then."""
    async with AsyncChat(url, create=True) as db:

        async def first(tx: AsyncActionTransaction) -> None:
            await later_is_there.wait()
            tx.map_key(db.messages, "new", "m1")
            await append(url, messages.insert(message("m1", "1"), txid=tx.txid))

        async def second(tx: AsyncActionTransaction) -> None:
            tx.map_key(db.messages, "new", number)
            await append(url, messages.upsert(message(number, "2"), txid=tx.txid))

        later_is_there = asyncio.Event()
        db.perform(lambda: db.messages.insert(message("new", "1")), first)
        transaction = db.perform(lambda: db.messages.upsert(message("new", "2")), second)
        on_top = db.messages.update("new", note="on top")
        later_is_there.set()
        await transaction.synced()
        await on_top.synced()
        assert db.messages["new"] == message(number, "2", note="on top")
        assert db.messages.keys() == (["m1"] if number == "m1" else ["m1", "m2"])


async def test_it_keeps_its_place_among_what_is_pending(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        mapped, going_on = asyncio.Event(), asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            tx.map_key(db.messages, "new", "m17")
            mapped.set()
            await going_on.wait()
            await append(url, *tx.events)

        async def later(tx: AsyncActionTransaction) -> None:
            await going_on.wait()
            await tx.send()

        transaction = db.perform(lambda: db.messages.insert(message("new")), persist)
        db.perform(lambda: db.messages.insert(message("other")), later)
        await mapped.wait()
        assert db.messages.keys() == ["m17", "other"]
        going_on.set()
        await transaction.synced()


async def test_what_fails_after_it_is_taken_back(url: str) -> None:
    async with AsyncChat(url, create=True) as db:

        async def persist(tx: AsyncActionTransaction) -> None:
            tx.map_key(db.messages, "new", "m17")
            raise RuntimeError("no")

        transaction = db.perform(lambda: db.messages.insert(message("new")), persist)
        on_top = db.messages.update("new", content="x")
        for failed in (transaction, on_top):
            with pytest.raises(TransactionFailed):
                await failed
        assert list(db.messages) == []
        assert "new" not in db.messages


async def test_a_snapshot_shows_it_as_it_was(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        mapped = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await asyncio.sleep(0)
            tx.map_key(db.messages, "new", "m17")
            mapped.set()
            await tx.send()

        transaction = db.perform(lambda: db.messages.insert(message("new")), persist)
        with db.snapshot():
            await mapped.wait()
            assert db.messages["new"].id == "new"
        assert db.messages["new"].id == "m17"
        await transaction.synced()


async def test_what_the_action_has_not_written_has_no_temporary_key(url: str) -> None:
    async with AsyncChat(url, create=True) as db, AsyncChat(url) as other:

        async def persist(tx: AsyncActionTransaction) -> None:
            with pytest.raises(MissingKey, match="has written no row of key 'old'"):
                tx.map_key(db.messages, "old", "m17")
            by_name: Any = "messages"
            with pytest.raises(TypeError, match=r"such as db\.messages, not str"):
                tx.map_key(by_name, "new", "m17")
            with pytest.raises(ValueError, match="a collection of another database"):
                tx.map_key(other.messages, "new", "m17")
            tx.map_key(db.messages, "new", "new")
            await tx.send()

        await db.perform(lambda: db.messages.insert(message("new")), persist)
        assert db.messages.keys() == ["new"]


def test_the_blocking_form(url: str) -> None:
    with Stream.create(url) as server, Chat(url) as db:

        def persist(tx: ActionTransaction) -> None:
            tx.map_key(db.messages, "new", "m17")
            server.append(messages.insert(message("m17", "hi"), txid=tx.txid))

        transaction = db.perform(lambda: db.messages.insert(message("new", "hi")), persist)
        later = db.messages.update("new", content="hello")
        later.synced(10)
        transaction.synced(10)
        assert list(db.messages) == [message("m17", "hello")]


def test_of_what_was_given_up_nothing_is_called_otherwise(url: str) -> None:
    """A durable part on a thread goes on; the row that has its key by then is another one."""
    with Stream.create(url) as server, Chat(url) as db:
        is_running, is_taken, is_mapped = Event(), Event(), Event()

        def persist(tx: ActionTransaction) -> None:
            is_running.set()
            is_taken.wait(10)
            tx.map_key(db.messages, "new", "m17")
            is_mapped.set()

        transaction = db.perform(lambda: db.messages.insert(message("new")), persist)
        assert is_running.wait(10)
        db.give_up(transaction)
        server.append(messages.insert(message("new", "theirs"), txid="t"))
        db.await_txid("t", timeout=10)
        tx = db.begin()
        with tx:
            db.messages.update("new", note="of theirs")
        is_taken.set()
        assert is_mapped.wait(10)
        assert list(db.messages) == [message("new", "theirs", note="of theirs")]
        assert isinstance(db.messages.meta("new").error, TransactionFailed)
        tx.commit().synced(10)
        assert list(db.messages) == [message("new", "theirs", note="of theirs")]
