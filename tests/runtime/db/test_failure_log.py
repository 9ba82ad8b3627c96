"""What fails is logged as an error if the program does not learn of it in another way."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor
from tests.runtime.db.held import held_writes
from tests.runtime.db.span_rows import ModelSpan, Span

from streamdb import (
    ActionTransaction,
    AsyncActionTransaction,
    AsyncStream,
    AsyncStreamDB,
    InvalidRow,
    RowChanged,
    Stream,
    TransactionFailed,
    WriterFailed,
    collection,
    debounce,
)
from streamdb.collections.transaction import Outcome
from streamdb.db import failure_log

SECRET = "what the row holds"


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
        f"transaction {lost.txid}: persist of the action 'perform' raised ValueError "
        f"(test_failure_log.py:{refuse.__code__.co_firstlineno + 1}, in refuse)"
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
        await db.until(lambda: lost.status == "failed", timeout=10)
    (text,) = told(caplog)
    assert f"transaction {lost.txid} is not on the stream: update: the row" in text


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


def test_what_comes_to_nothing_when_the_stream_has_ended_is_no_failure(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop would have it fail in the very moment in which this thread commits nothing."""
    with Stream.create(url) as stream:
        stream.close_stream()
    with Chat(url) as db:
        db.until(lambda: db.status == "ended")
        for _ in range(10):
            with db._state.committing():
                empty = db.begin()
                with empty:
                    pass
                time.sleep(0.01)  # the loop has found it to be open, and waits for this thread
                empty.commit()
            assert empty.status == "synced"  # nobody asks for more
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


@pytest.mark.parametrize("row", [Span, ModelSpan])
async def test_what_rows_hold_is_told_to_the_program_and_not_to_the_log(
    row: Any, embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    declared = collection(row, type="span", primary_key="id")
    spans: Any = type("Spans", (AsyncStreamDB,), {"spans": declared})
    async with await AsyncStream.create(embedded_url) as stream, spans(embedded_url) as db:
        await db.spans.insert(row(id="a", start=1, end=5, label=SECRET)).synced()
        with held_writes(db):
            lost = db.spans.update("a", end=3)
            on_top = db.spans.update("a", label=f"{SECRET} too")
            value = {"id": "a", "start": 4, "end": 6, "label": SECRET}
            headers = {"operation": "update", "txid": "t"}
            await stream.append({"type": "span", "key": "a", "value": value, "headers": headers})
            await db.await_txid("t")
        await db.until(lambda: on_top.status == "failed")
    (text,) = told(caplog)
    assert SECRET not in caplog.text
    assert f"transaction {lost.txid} is not on the stream: InvalidRow (" in text
    assert f"from {'ValueError (span_rows.py' if row is Span else 'ValidationError'}" in text
    assert SECRET in str(lost.error), "the program is told it all"
    assert SECRET in str(on_top.error)


async def test_what_persist_says_of_a_row_is_not_logged_above_debug(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse_with_all(_: AsyncActionTransaction) -> None:
        raise InvalidRow(f"a row holds {SECRET}", type="message") from KeyError(SECRET)

    async def send_and_raise(tx: AsyncActionTransaction) -> None:
        await tx.send()
        raise ValueError(SECRET)

    caplog.set_level(logging.DEBUG, logger="streamdb.db")
    async with AsyncChat(embedded_url, create=True) as db:
        lost = db.perform(lambda: db.messages.insert(message(1)), refuse_with_all)
        await db.until(lambda: db.messages.keys() == [])
        await db.perform(lambda: db.messages.insert(message(2)), send_and_raise)
    texts = told(caplog)
    assert len(texts) == 2
    assert any("raised InvalidRow (test_failure_log.py" in text for text in texts)
    assert any("stood already: ValueError (test_failure_log.py" in text for text in texts)
    for record in caplog.records:
        assert record.levelno == logging.DEBUG or SECRET not in record.getMessage()
    in_full = [one.getMessage() for one in caplog.records if one.levelno == logging.DEBUG]
    assert f"in full: {lost.error}" in in_full, "for those who ask for it"


async def test_an_error_that_is_its_own_cause_is_told_once(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse_in_a_circle(_: AsyncActionTransaction) -> None:
        first, second = ValueError("1"), KeyError("2")
        first.__cause__, second.__cause__ = second, first
        raise first

    async with AsyncChat(embedded_url, create=True) as db:
        db.perform(lambda: db.messages.insert(message(1)), refuse_in_a_circle)
        await db.until(lambda: db.messages.keys() == [])
        await db.messages.insert(message(1, "old")).synced()
        changed = db.messages.update("1", content="x", expect=message(1, "old"))
        db._session.sender.failed.fail(  # as if it had changed meanwhile
            db._session.sender.drafts[changed.txid], RowChanged("it is another one", None)
        )
    first, second = told(caplog)
    assert first.endswith("in refuse_in_a_circle) from KeyError")
    assert second.endswith("it is another one")
