"""Writes that are never answered are told of, and can be given up; nothing else suffers by that."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.faults import AnswerTo, LoseAnswer, Refuse, proxy
from tests.runtime.chat_schema import AsyncChat, message
from tests.runtime.db.held import held_writes, unread
from tests.runtime.db.outbox_place import Place, read, sent

from streamdb import (
    AsyncStream,
    RetryPolicy,
    StreamDBError,
    TransactionFailed,
    TransactionUnresolved,
    UnknownTransaction,
)
from streamdb.db import long_waits, outbox_keeper
from streamdb_server import Serving

BAD = "never answered"
FAST: dict[str, Any] = {"reconnect": RetryPolicy(initial=0.005, maximum=0.02)}


@pytest.fixture
async def place(
    server: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Place]:
    monkeypatch.setattr(outbox_keeper, "_PATIENCE", RetryPolicy(initial=0.01, maximum=0.05))
    async with proxy(server.url) as between:
        made = Place(between, server.url, tmp_path)
        async with await AsyncStream.create(made.direct):
            yield made


def poison(place: Place) -> None:
    """Have what is bad be answered with an error for ever."""
    place.between.trouble_posts(itertools.repeat(AnswerTo(BAD.encode(), 500)))


async def until_sent(db: AsyncChat, count: int) -> None:
    async with asyncio.timeout(10):
        while [one.status for one in db.outbox.pending].count("sent") < count:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def told_of(caplog: pytest.LogCaptureFixture) -> str:
    """Return what is told of a write that waits, when that is told and more could have been."""
    async with asyncio.timeout(10):
        while "later writes wait behind it" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    (told,) = [record for record in caplog.messages if "later writes wait behind it" in record]
    return told


async def test_one_that_is_answered_with_errors_for_ever(place: Place) -> None:
    poison(place)
    async with place.open(**FAST) as db:
        with held_writes(db):
            first = db.messages.insert(message("a"))
            bad = db.messages.insert(message("b", BAD))
            stands = db.messages.update("b", note="later")
            last = db.messages.insert(message("c"))
        behind = db.messages.insert(message("d"))
        await until_sent(db, 4)
        db.outbox.forget(bad.txid)
        await first
        await last
        await behind.synced()
        assert bad.status == stands.status == "unresolved"
        with pytest.raises(TransactionUnresolved, match="the application has given it up"):
            await bad
        assert db.messages.keys() == ["a", "c", "d"]
        assert db.outbox.pending == ()
        assert [entry.txid for entry in db.outbox.refused] == [stands.txid]
    assert await place.keys() == [("insert", "a"), ("insert", "c"), ("insert", "d")]
    async with place.open() as db:
        assert db.messages.keys() == ["a", "c", "d"]


async def test_what_was_stored_with_it_is_not_stored_again(place: Place) -> None:
    async with place.open(**FAST) as db:
        place.between.trouble_posts(itertools.chain([LoseAnswer()], itertools.repeat(Refuse())))
        with unread(db):
            with held_writes(db):
                first = db.messages.insert(message("a"))
                given_up = db.messages.insert(message("b"))
                last = db.messages.insert(message("c"))
            await until_sent(db, 3)
            while len(await place.keys()) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            db.outbox.forget(given_up.txid)
            place.mend()
            await first
            await last
        await db.messages.insert(message("d")).synced()
        assert given_up.status == "unresolved"
        assert db.messages.keys() == ["a", "b", "c", "d"], "it was stored, as nobody knew"
    assert await place.keys() == [("insert", key) for key in "abcd"]


async def test_what_comes_after_one_that_was_stored_is_no_copy_of_it(place: Place) -> None:
    """It was alone in its request, and nobody knows whether its number is used up."""
    async with place.open(**FAST) as db:
        place.between.trouble_posts(itertools.chain([LoseAnswer()], itertools.repeat(Refuse())))
        with unread(db):
            given_up = db.messages.insert(message("a"))
            await sent(db)
            while len(await place.keys()) < 1:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            db.outbox.forget(given_up.txid)
            place.mend()
            await db.messages.insert(message("b"))
        await db.messages.insert(message("c")).synced()
        assert given_up.status == "unresolved"
    assert await place.keys() == [("insert", key) for key in "abc"]
    assert read(place.cache)[0].epoch == 1


async def test_one_that_was_not_sent_is_not_on_the_stream(place: Place) -> None:
    poison(place)
    async with place.open(**FAST) as db:
        bad = db.messages.insert(message("a", BAD))
        await sent(db)
        queued = db.messages.insert(message("b"))
        last = db.messages.insert(message("c"))
        db.outbox.forget(queued.txid)
        with pytest.raises(TransactionFailed, match="is not on the stream: the application"):
            await queued
        assert queued.status == "failed"
        assert db.messages.keys() == ["a", "c"]
        db.outbox.forget(bad.txid)
        await last
        with pytest.raises(UnknownTransaction, match="the outbox holds no transaction"):
            db.outbox.forget(bad.txid)
        assert (db.outbox.pending, db.outbox.refused) == ((), ())
    assert await place.keys() == [("insert", "c")]


async def test_one_that_an_earlier_process_has_sent(place: Place) -> None:
    poison(place)
    async with place.open(**FAST) as db:
        with held_writes(db):
            db.messages.insert(message("a"))
            bad = db.messages.insert(message("b", BAD))
        await until_sent(db, 2)
    async with place.open(**FAST) as db:
        db.outbox.forget(bad.txid)
        await db.messages.insert(message("c")).synced()
        assert db.messages.keys() == ["a", "c"]
    assert await place.keys() == [("insert", "a"), ("insert", "c")]


def test_the_blocking_form_gives_up_on_any_thread(embedded_url: str, tmp_path: Path) -> None:
    from tests.runtime.chat_schema import Chat

    with Chat(embedded_url, create=True, cache=tmp_path / "c", outbox=True) as db:
        with held_writes(db):
            given_up = db.messages.insert(message("a"))
            db.outbox.forget(given_up.txid)
            with pytest.raises(TransactionFailed, match="given it up"):
                given_up.result(10)
        db.messages.insert(message("b")).synced(10)
        assert db.messages.keys() == ["b"]


@pytest.mark.parametrize(
    ("status", "says"), [(500, "the server answered 500"), (401, "the server wants credentials")]
)
async def test_the_log_tells_once_what_waits_and_what_to_do(
    status: int,
    says: str,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(long_waits, "_LONG", 0.1)
    place.between.trouble_posts(itertools.repeat(AnswerTo(BAD.encode(), status)))
    async with place.open(**FAST) as db:
        bad = db.messages.insert(message("a", BAD))
        told = await told_of(caplog)
        assert bad.txid in told
        assert says in told
        assert "db.give_up(txid)" in told
        db.give_up(bad.txid)
        assert bad.status == "unresolved"


async def test_without_an_outbox_closing_gives_up(
    server: Serving,
    http_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(long_waits, "_LONG", 0.1)
    name = http_url.removeprefix(server.url)
    async with proxy(server.url) as between:
        db = AsyncChat(between.url(name), create=True, close_timeout=0.05, **FAST)
        await db.preload()
        between.trouble_posts(itertools.repeat(AnswerTo(BAD.encode(), 503)))
        bad = db.messages.insert(message("a", BAD))
        behind = db.messages.insert(message("b"))
        told = await told_of(caplog)
        assert "the server answered 503" in told
        assert "db.give_up(txid)" in told
        with pytest.raises(StreamDBError, match="no outbox"):
            _ = db.outbox
        await db.aclose()
    assert {bad.status, behind.status} <= {"unresolved", "failed"}
    assert bad.status == "unresolved"
