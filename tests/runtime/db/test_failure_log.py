"""What fails is logged as an error if the program does not learn of it in another way."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor
from tests.runtime.db.held import held_writes

from streamdb import (
    ActionTransaction,
    AsyncActionTransaction,
    AsyncStream,
    RowChanged,
    TransactionFailed,
    WriterFailed,
    debounce,
)
from streamdb.collections.transaction import Outcome
from streamdb.db import failure_log


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]


async def refuse(_: AsyncActionTransaction) -> None:
    raise ValueError("no")


def refuse_blocking(_: ActionTransaction) -> None:
    raise ValueError("no")


async def test_what_is_awaited_is_not_logged(url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        with pytest.raises(TransactionFailed, match="ValueError: no"):
            await db.perform(lambda: db.messages.insert(message(1)), refuse)
        await db.messages.insert(message(2, "old")).synced()
        with held_writes(db):
            late = db.messages.update("2", content="x", expect=db.messages["2"])
            await stream.append(messages.update(message(2, "theirs"), txid="t"))
            await db.await_txid("t")
        with pytest.raises(RowChanged):
            await late.synced()
        looked_at = db.perform(lambda: db.messages.insert(message(3)), refuse)
        await db.until(lambda: looked_at.status == "failed")
        assert isinstance(looked_at.error, TransactionFailed)
    assert told(caplog) == []


def test_the_blocking_form_does_not_log_it_either(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Chat(url, create=True) as db, pytest.raises(TransactionFailed):
        db.perform(lambda: db.messages.insert(message(1)), refuse_blocking).result()
    assert told(caplog) == []


async def test_what_nobody_asks_for_is_logged_when_the_database_closes(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        lost = db.perform(lambda: db.messages.insert(message(1)), refuse)
        on_top = db.messages.update("1", content="x")
        await db.until(lambda: on_top.status == "failed")
    (text,) = told(caplog)
    assert text.endswith(
        f"transaction {lost.txid}: persist of the action 'perform' raised ValueError: no"
    )


async def test_what_stands_on_it_may_be_what_nobody_asks_for(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        lost = db.perform(lambda: db.messages.insert(message(1)), refuse)
        on_top = db.messages.update("1", content="x")
        with suppress(TransactionFailed):
            await lost
    (text,) = told(caplog)
    assert f"transaction {on_top.txid} is not on the stream: it changes what" in text


class Telling(logging.Handler):
    """Sets an event when something is logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.has_told = threading.Event()

    def emit(self, _: logging.LogRecord) -> None:
        self.has_told.set()


def test_it_is_logged_while_the_database_goes_on(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_log, "PATIENCE", 0.0)
    telling = Telling()
    failure_log.log.addHandler(telling)
    try:
        with Chat(url, create=True) as db:
            db.perform(lambda: db.messages.insert(message(1)), refuse_blocking)
            assert telling.has_told.wait(10)
    finally:
        failure_log.log.removeHandler(telling)


async def test_an_action_that_waits_for_its_own_sending_asks_for_nobody(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        await db.messages.insert(message(1)).synced()

        async def persist(tx: AsyncActionTransaction) -> None:
            async with AsyncStream(embedded_url) as stream:
                await stream.append(messages.delete("1", txid="t"))
                await db.await_txid("t")
            await tx.send()

        lost = db.perform(lambda: db.messages.update("1", content="x"), persist)
        async with asyncio.timeout(10):
            while lost.status != "unresolved":  # noqa: ASYNC110 - nobody is told, for nothing shows
                await asyncio.sleep(0.001)
    (text,) = told(caplog)
    assert f"transaction {lost.txid}: its outcome is unknown: update: the row" in text


async def test_what_a_writer_or_a_flush_raises_is_not_logged(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncStream(embedded_url) as stream, AsyncChat(embedded_url, create=True) as db:
        writer = db.sensors.writer(max_delay=60)
        paced = db.paced(debounce(60))
        with paced:
            db.messages.insert(message(1))
        await writer.write(sensor(1))
        await stream.close_stream()
        await db.until(lambda: db.status == "ended")
        with pytest.raises(WriterFailed):
            await writer.flush()
        with pytest.raises(TransactionFailed):
            await paced.flush()
    assert told(caplog) == []


def test_programs_that_end_have_it_logged_before(caplog: pytest.LogCaptureFixture) -> None:
    failures = failure_log.FailureLog("here")
    failures.later = lambda _seconds, _call: None
    outcome = Outcome("t")
    outcome.fail(TransactionFailed("it is lost"))
    failures.note([outcome])
    assert told(caplog) == []
    failure_log._tell_all()
    failure_log._tell_all()
    assert told(caplog) == ["here: it is lost"]
