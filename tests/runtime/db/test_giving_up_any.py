"""Any write without an outcome can be given up, with an outbox or without it, and is told truly."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from tests.faults import AnswerTo, LoseAnswer, Proxy, Refuse, proxy
from tests.runtime.chat_schema import AsyncChat, Chat, message
from tests.runtime.db.held import held_writes, unread

from streamdb import (
    ActionTransaction,
    AsyncActionTransaction,
    AsyncStream,
    RetryPolicy,
    TransactionFailed,
    TransactionUnresolved,
    UnknownTransaction,
    debounce,
)
from streamdb_server import Serving

BAD = "never answered"
FAST: dict[str, Any] = {"reconnect": RetryPolicy(initial=0.005, maximum=0.02)}


class Place:
    """A stream, behind what troubles its writers."""

    def __init__(self, between: Proxy, server: Serving, direct: str) -> None:
        self.between = between
        self.direct = direct
        self.url = between.url(direct.removeprefix(server.url))

    async def keys(self) -> list[str]:
        async with AsyncStream(self.direct) as stream:
            events: list[Any] = [
                event async for batch in stream.read() for event in stream.items(batch)
            ]
        return [event["key"] for event in events]

    async def until_stored(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(await self.keys()) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.005)


@pytest.fixture
async def place(server: Serving, http_url: str) -> AsyncIterator[Place]:
    async with proxy(server.url) as between, await AsyncStream.create(http_url):
        yield Place(between, server, http_url)


def lose_answers(place: Place) -> None:
    """Have the next write be stored and not answered, and nothing get through after it."""
    place.between.trouble_posts(itertools.chain([LoseAnswer()], itertools.repeat(Refuse())))


async def test_the_others_of_its_request_are_sent_on(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.between.trouble_posts(itertools.repeat(AnswerTo(BAD.encode(), 500)))
    async with AsyncChat(place.url, **FAST) as db:
        with held_writes(db):
            first = db.messages.insert(message("a"))
            bad = db.messages.insert(message("b", BAD))
            stands = db.messages.update("b", note="later")
            last = db.messages.insert(message("c"))
        behind = db.messages.insert(message("d"))
        await db.until(lambda: last.status == "sent", timeout=10)
        db.give_up(bad)
        assert db.messages.keys() == ["a", "c", "d"]
        await first
        await last
        await behind.synced()
        assert bad.status == stands.status == "unresolved"
        with pytest.raises(TransactionUnresolved, match="the application has given it up"):
            await bad
        with pytest.raises(TransactionUnresolved):
            await stands
    assert await place.keys() == ["a", "c", "d"]
    assert "given it up" not in caplog.text


async def test_what_was_stored_with_it_is_not_stored_again(place: Place) -> None:
    async with AsyncChat(place.url, **FAST) as db:
        lose_answers(place)
        with unread(db):
            with held_writes(db):
                first = db.messages.insert(message("a"))
                given_up = db.messages.insert(message("b"))
                last = db.messages.insert(message("c"))
            await place.until_stored(3)
            db.give_up(given_up.txid)
            place.between.trouble_posts(())
            await first
            await last
        await db.messages.insert(message("d")).synced()
        assert given_up.status == "unresolved"
        assert db.messages.keys() == ["a", "b", "c", "d"], "it was stored, as nobody knew"
    assert await place.keys() == ["a", "b", "c", "d"]


async def test_what_comes_after_one_that_was_stored_is_no_copy_of_it(place: Place) -> None:
    async with AsyncChat(place.url, **FAST) as db:
        lose_answers(place)
        with unread(db):
            given_up = db.messages.insert(message("a"))
            await place.until_stored(1)
            db.give_up(given_up)
            place.between.trouble_posts(())
            await db.messages.insert(message("b"))
        await db.messages.insert(message("c")).synced()
    assert await place.keys() == ["a", "b", "c"]


async def test_a_refusal_of_the_rest_tells_nothing_of_what_was_sent_before(place: Place) -> None:
    async with AsyncChat(place.url, **FAST) as db:
        lose_answers(place)
        with unread(db):
            with held_writes(db):
                first = db.messages.insert(message("a"))
                given_up = db.messages.insert(message("b"))
            await place.until_stored(2)
            place.between.trouble_posts(itertools.repeat(AnswerTo(b"", 403)))
            db.give_up(given_up)
            with pytest.raises(TransactionUnresolved):
                await first
            place.between.trouble_posts(())
        await db.messages.insert(message("c")).synced()
    assert await place.keys() == ["a", "b", "c"]


async def test_what_was_not_sent_has_failed(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        with held_writes(db):
            sending = db.messages.insert(message("a"))
            await asyncio.sleep(0)
            queued = db.messages.insert(message("b"))
            stands = db.messages.update("b", note="later")
            last = db.messages.insert(message("c"))
            db.give_up(queued)
            assert queued.status == stands.status == "failed"
            assert db.messages.keys() == ["a", "c"]
        await sending
        await last.synced()
        with pytest.raises(TransactionFailed, match="is not on the stream: the application"):
            await queued
        for given in (last, queued, "no txid"):
            with pytest.raises(UnknownTransaction, match="is not pending"):
                db.give_up(given)
        with pytest.raises(TypeError, match="give_up takes a transaction or its txid"):
            db.give_up(cast("Any", 5))


@pytest.mark.parametrize("has_outbox", [False, True])
async def test_what_is_open_or_held_has_failed(has_outbox: bool, url: str, tmp_path: Path) -> None:
    outbox: dict[str, Any] = {"cache": tmp_path / "c", "outbox": True} if has_outbox else {}
    async with AsyncChat(url, create=True, **outbox) as db:
        opened = db.begin()
        with opened:
            db.messages.insert(message("a"))
        waiting = db.messages.upsert(message("a", "waiting"))
        with db.paced(debounce(60)) as held:
            db.messages.insert(message("b"))
        db.give_up(opened)
        db.give_up(held)
        assert (opened.status, held.status) == ("failed", "failed")
        await waiting.synced()
        assert db.messages.keys() == ["a"]
        with pytest.raises(TransactionFailed, match="given it up"):
            await opened.commit()
        again = db.messages.insert(message("b"))
        await again.synced()


@pytest.mark.parametrize("has_outbox", [False, True])
async def test_an_action_that_runs_for_ever(has_outbox: bool, url: str, tmp_path: Path) -> None:
    outbox: dict[str, Any] = {"cache": tmp_path / "c", "outbox": True} if has_outbox else {}
    async with AsyncChat(url, create=True, **outbox) as db:
        begun, told = asyncio.Event(), asyncio.Event()
        going_on = asyncio.Event()

        async def persist(tx: AsyncActionTransaction) -> None:
            begun.set()
            await going_on.wait()
            with pytest.raises(TransactionUnresolved):
                await tx.send()
            told.set()

        def show(content: str) -> Callable[[], object]:
            return lambda: db.messages.upsert(message("a", content))

        running = db.perform(show("running"), persist)
        not_begun = db.perform(show("not begun"), persist)
        behind = db.messages.upsert(message("a", "behind"))
        await begun.wait()
        db.give_up(not_begun)
        assert (running.status, not_begun.status) == ("sent", "failed")
        db.give_up(running)
        assert running.status == "unresolved"
        await behind.synced()
        assert [row.content for row in db.messages] == ["behind"]
        going_on.set()
        await told.wait()


async def test_an_action_that_is_sent_as_it_is(place: Place) -> None:
    place.between.trouble_posts(itertools.repeat(AnswerTo(BAD.encode(), 500)))
    async with AsyncChat(place.url, **FAST) as db:
        bad = db.perform(lambda: db.messages.insert(message("a", BAD)), lambda tx: tx.send())
        await db.until(lambda: bad.status == "queued", timeout=10)
        await db.until(lambda: bad.status == "sent", timeout=10)
        behind = db.messages.insert(message("b"))
        db.give_up(bad)
        assert bad.status == "unresolved"
        await behind.synced()
    assert await place.keys() == ["b"]


async def test_with_an_outbox_it_goes_from_there(embedded_url: str, tmp_path: Path) -> None:
    async with AsyncChat(embedded_url, create=True, cache=tmp_path / "c", outbox=True) as db:
        with held_writes(db):
            given_up = db.messages.insert(message("a"))
            db.give_up(given_up)
        assert given_up.status == "failed"
        assert db.outbox.pending == ()


def test_the_blocking_form_gives_up_on_any_thread(url: str) -> None:
    with Chat(url, create=True) as db:
        with held_writes(db):
            given_up = db.messages.insert(message("a"))
            giving_up = threading.Thread(target=db.give_up, args=(given_up,))
            giving_up.start()
            giving_up.join()
            with pytest.raises(TransactionFailed, match="given it up"):
                given_up.result(10)
        going_on = threading.Event()

        def persist(_: ActionTransaction) -> None:
            going_on.wait()

        running = db.perform(lambda: db.messages.insert(message("b")), persist)
        db.until(lambda: running.status == "sent")
        db.give_up(running.txid)
        with pytest.raises(TransactionUnresolved):
            running.result(10)
        going_on.set()
        db.messages.insert(message("c")).synced(10)
        assert db.messages.keys() == ["c"]
