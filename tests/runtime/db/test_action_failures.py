"""What fails of an action is taken back and told."""

from __future__ import annotations

from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, message
from tests.runtime.db.held import held_writes
from tests.runtime.db.idle_actions import pause

from streamdb import (
    AsyncActionTransaction,
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
