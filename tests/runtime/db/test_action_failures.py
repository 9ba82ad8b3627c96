"""What fails of an action is taken back and told."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, message
from tests.runtime.db.held import held_writes, unread
from tests.runtime.db.idle_actions import pause

from streamdb import (
    AsyncActionTransaction,
    AsyncTransaction,
    ConnectionFailed,
    TransactionFailed,
    TransactionUnresolved,
)


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


@pytest.mark.parametrize(
    ("step", "made"),
    [
        *((step, made) for step in ("queued", "durable", "read") for made in ("before", "after")),
        ("read", "when it was read"),  # below what the action shows by then
    ],
)
async def test_what_is_made_on_what_persist_writes_itself_does_not_fail_with_the_action(
    step: str, made: str, url: str
) -> None:
    """What is made on what the action shows does, however far the other write has come by then."""
    held = ExitStack()
    async with AsyncChat(url, create=True) as db:
        go_on, is_written, fail = asyncio.Event(), asyncio.Event(), asyncio.Event()
        own: list[AsyncTransaction] = []

        async def persist(_: AsyncActionTransaction) -> None:
            await go_on.wait()
            own.append(db.messages.upsert(message(1, "itself")))
            is_written.set()
            await fail.wait()
            raise RuntimeError("no")

        action = db.perform(lambda: db.messages.insert(message(1, "hi")), persist)
        removals = [db.messages.delete("1")] if made == "before" else []
        if step == "queued":
            held.enter_context(held_writes(db))
        elif step == "durable":
            held.enter_context(unread(db))
        go_on.set()
        await is_written.wait()
        if made == "after":
            removals.append(db.messages.delete("1"))
        if step != "queued":
            await (own[0].synced() if step == "read" else own[0])
        if made == "when it was read":
            removals.append(db.messages.delete("1"))
        fail.set()
        with pytest.raises(TransactionFailed, match="RuntimeError: no"):
            await action
        held.close()
        await own[0].synced()
        if made == "after":
            await removals[0].synced()
        else:
            with pytest.raises(TransactionFailed, match="it changes what an earlier one wrote"):
                await removals[0]
        assert list(db.messages) == ([] if made == "after" else [message(1, "itself")])


async def test_what_outlives_what_it_was_made_on_fails_with_what_that_was_made_on(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        fail = asyncio.Event()

        async def persist(_: AsyncActionTransaction) -> None:
            await fail.wait()
            raise RuntimeError("no")

        action = db.perform(lambda: db.messages.insert(message(1)), persist)
        between, last = db.begin(), db.begin()
        with between:
            db.messages.update("1", note="between")
        with last:
            db.messages.upsert(message(1, "whatever is there"))
        between.rollback()
        with last:
            db.messages.delete("1")
        fail.set()
        with pytest.raises(TransactionFailed, match="RuntimeError: no"):
            await action
        assert (between.status, last.status) == ("failed", "failed")
