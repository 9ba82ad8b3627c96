"""Actions wait for earlier writes of their rows, and later ones for them, but never in a circle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from tests.runtime.chat_schema import AsyncChat, message
from tests.runtime.db.held import unread

from streamdb import (
    AsyncActionTransaction,
    AsyncTransaction,
    BadRequest,
    TransactionFailed,
    WriterFailed,
)


@asynccontextmanager
async def chat(url: str) -> AsyncGenerator[AsyncChat]:
    """Open a database with two rows, for what would otherwise take for ever."""
    async with asyncio.timeout(20), AsyncChat(url, create=True, close_timeout=0.1) as db:
        for key in (1, 2):
            await db.messages.insert(message(key)).synced()
        yield db


def noting(db: AsyncChat, key: str, begun: Callable[[], Any]) -> Any:
    """Return what writes a row, when all have begun that are to, and waits for that."""

    async def persist(tx: AsyncActionTransaction) -> None:
        await begun()
        await db.messages.update(key, note="noted")
        tx.release()

    return persist


async def test_two_of_one_row_that_write_it_themselves(url: str) -> None:
    async with chat(url) as db:
        going_on = asyncio.Event()
        persist = noting(db, "1", going_on.wait)
        first = db.perform(lambda: db.messages.update("1", content="a"), persist)
        second = db.perform(lambda: db.messages.update("1", content="b"), persist)
        going_on.set()
        await first
        await second
        assert db.messages["1"].note == "noted"


async def test_two_that_each_write_the_row_of_the_other(url: str) -> None:
    async with chat(url) as db:
        both = asyncio.Barrier(2)
        first = db.perform(lambda: db.messages.update("1", content="a"), noting(db, "2", both.wait))
        second = db.perform(
            lambda: db.messages.update("2", content="b"), noting(db, "1", both.wait)
        )
        await first
        await second
        assert [row.note for row in db.messages] == ["noted", "noted"]


async def test_an_inner_one_does_not_wait_for_what_waits_for_the_outer_one(url: str) -> None:
    async with chat(url) as db:
        begun, going_on = asyncio.Event(), asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            begun.set()
            await going_on.wait()
            await db.perform(lambda: db.messages.update("1", note="inner"), lambda tx: tx.send())
            tx.release()

        outer = db.perform(lambda: db.messages.update("1", content="outer"), persist)
        await begun.wait()
        later = db.messages.update("1", content="later")
        going_on.set()
        await outer
        await later.synced()
        assert db.messages["1"] == message(1, "later", note="inner")


async def test_what_an_inner_one_writes_does_not_wait_for_the_outer_one(url: str) -> None:
    async with chat(url) as db:

        async def inner(tx: AsyncActionTransaction) -> None:
            await db.messages.update("1", note="inner")
            tx.release()

        async def outer(tx: AsyncActionTransaction) -> None:
            await db.perform(lambda: db.messages.update("2", content="inner"), inner)
            tx.release()

        await db.perform(lambda: db.messages.update("1", content="outer"), outer)
        assert db.messages["1"].note == "inner"


async def test_an_inner_one_that_outlasts_the_outer_one_does_not_wait_for_what_waits_for_it(
    url: str,
) -> None:
    async with chat(url) as db:
        written, begun, is_over = asyncio.Event(), asyncio.Event(), asyncio.Event()
        began: list[AsyncTransaction] = []

        async def inner(tx: AsyncActionTransaction) -> None:
            begun.set()
            await is_over.wait()
            await tx.send()

        async def outer(tx: AsyncActionTransaction) -> None:
            await written.wait()
            began.append(db.perform(lambda: db.messages.update("1", note="inner"), inner))
            await begun.wait()
            tx.release()

        action = db.perform(lambda: db.messages.update("1", content="outer"), outer)
        later = db.messages.update("1", content="later")
        last = db.perform(lambda: db.messages.update("1", role="assistant"), lambda tx: tx.send())
        written.set()
        await action
        is_over.set()
        await began[0]
        await later
        await last.synced()
        assert db.messages["1"] == replace(message(1, "later", note="inner"), role="assistant")


@pytest.mark.parametrize("key", ["2", "3"])
async def test_an_inner_one_does_not_wait_for_an_open_one_that_waits_for_the_outer_one(
    key: str, url: str
) -> None:
    """Nor for what waits for that."""
    async with chat(url) as db:
        await db.messages.insert(message(3)).synced()
        written = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            await written.wait()
            inner = db.perform(lambda: db.messages.update(key, note="inner"), lambda tx: tx.send())
            while inner.txid not in db._session.sender.actions:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0)
            by_hand.commit()
            await inner
            tx.release()

        outer = db.perform(lambda: db.messages.update("1", content="outer"), persist)
        by_hand = db.begin()
        with by_hand:
            for each in ("1", "2"):
                db.messages.update(each, role="assistant")
        with db.transaction() as later:
            for each in ("2", "3"):
                db.messages.update(each, content="later")
        written.set()
        await outer
        await later.synced()
        assert [row.role for row in db.messages] == ["assistant", "assistant", "user"]
        assert [row.content for row in db.messages][1:] == ["later", "later"]
        assert db.messages[key].note == "inner"


async def test_without_a_circle_what_it_writes_waits_for_another_one(url: str) -> None:
    async with chat(url) as db:
        going_on = asyncio.Event()
        written: list[AsyncTransaction] = []

        async def other(tx: AsyncActionTransaction) -> None:
            await going_on.wait()
            await tx.send()

        async def persist(tx: AsyncActionTransaction) -> None:
            with db.transaction() as both:
                for key in ("1", "2"):
                    db.messages.update(key, note="first")
            written.extend([both, db.messages.update("2", note="second")])
            await db.messages.upsert(message(3)).synced()
            assert [each.status for each in written] == ["queued", "queued"]
            going_on.set()
            await written[1].synced()
            tx.release()

        db.perform(lambda: db.messages.update("1", content="other"), other)
        await db.perform(lambda: db.messages.insert(message(4)), persist).synced()
        assert db.messages["1"] == message(1, "other", note="first")
        assert db.messages["2"].note == "second"


@pytest.mark.parametrize("fails", [False, True])
async def test_what_is_sent_ahead_is_made_of_the_stream_and_not_of_what_waits(
    fails: bool, url: str
) -> None:
    """Else one would undo the other, and the stream would hold what an action showed that fails."""
    async with chat(url) as db:
        both, sent = asyncio.Barrier(2), asyncio.Event()
        shown: list[tuple[str, str | None]] = []

        async def persist(tx: AsyncActionTransaction) -> None:
            with unread(db):
                noted = db.messages.update("2", note="noted")
                await both.wait()
                await noted
                shown.append((db.messages["2"].content, db.messages["2"].note))
            sent.set()
            tx.release()

        async def other(tx: AsyncActionTransaction) -> None:
            await both.wait()
            noted = db.messages.update("1", note="noted")
            await sent.wait()
            await noted
            if fails:
                raise RuntimeError("no")
            await tx.send()

        action = db.perform(lambda: db.messages.update("1", content="a"), persist)
        second = db.perform(lambda: db.messages.update("2", content="b"), other)
        later = db.messages.update("2", role="assistant")
        await action
        if fails:
            for failed in (second, later):
                with pytest.raises(TransactionFailed):
                    await failed
        else:
            await second
            await later.synced()
        assert shown == [("b", "noted")]
        await db.until(lambda: db.messages["2"].note == "noted")
    async with AsyncChat(url) as db:
        expected = message(2, note="noted") if fails else message(2, "b", note="noted")
        if not fails:
            expected = replace(expected, role="assistant")
        assert db.messages["2"] == expected


async def test_what_is_refused_takes_later_writes_with_it_and_no_earlier_ones(url: str) -> None:
    async with chat(url) as db:
        begun, written = asyncio.Event(), asyncio.Event()
        inner: list[AsyncTransaction] = []
        sender = db._session.sender
        deliver = sender.deliver

        async def refuse(stream: Any, sending: Any) -> None:
            await written.wait()
            if any(draft.outcome.txid == inner[0].txid for draft, _ in sending):
                raise BadRequest("400")
            await deliver(stream, sending)

        async def persist(tx: AsyncActionTransaction) -> None:
            await begun.wait()
            inner.append(db.messages.update("1", note="refused"))
            with pytest.raises(TransactionFailed):
                await inner[0]
            tx.release()

        sender.deliver = refuse
        action = db.perform(lambda: db.messages.update("1", content="a"), persist)
        earlier = db.messages.update("1", role="assistant")
        begun.set()
        while not inner or inner[0].status != "sent":  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        later = db.messages.update("1", content="later")
        written.set()
        await action
        with pytest.raises(TransactionFailed, match="it changes what an earlier one wrote"):
            await later
        await earlier.synced()
        assert db.messages["1"] == replace(message(1), role="assistant")


async def test_a_writer_leaves_no_gap_for_what_goes_ahead(url: str) -> None:
    async with chat(url) as db:
        writer = db.messages.writer(max_rows=1)
        begun = asyncio.Event()

        async def persist(_: AsyncActionTransaction) -> None:
            await begun.wait()
            await writer.write(message(3))
            await db.messages.insert(message(4)).synced()
            raise RuntimeError("no")

        action = db.perform(lambda: db.messages.delete("1"), persist)
        await writer.write(message(1, "again"))
        begun.set()
        with pytest.raises(TransactionFailed, match="RuntimeError: no"):
            await action
        with pytest.raises(WriterFailed) as failed:
            await writer.flush()
        assert failed.value.unwritten == (message(1, "again"), message(3))
        assert db.messages.keys() == ["1", "2", "4"]
