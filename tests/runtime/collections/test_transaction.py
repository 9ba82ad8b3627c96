"""The outcome of a transaction moves forwards only, and every waiter learns it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from streamdb import (
    AsyncTransaction,
    Transaction,
    TransactionFailed,
    TransactionKept,
    TransactionUnresolved,
    WouldDeadlock,
)
from streamdb.collections.transaction import Outcome

FAILURE = TransactionFailed("no")


def outcome(*steps: str) -> Outcome:
    moved = Outcome("t")
    for step in steps:
        moved.advance(step)  # type: ignore[arg-type]  # one of the literals
    return moved


def test_states_in_order() -> None:
    moved = outcome()
    for status in ("open", "queued", "sent", "durable", "synced"):
        moved.advance(status)
        assert moved.status == status
        assert moved.durable.done() == (status in ("durable", "synced"))
        assert moved.synced.done() == (status == "synced")


def test_steps_back_are_ignored() -> None:
    """The echo may overtake the acknowledgement."""
    moved = outcome("queued", "synced", "durable", "sent")
    assert moved.status == "synced"
    assert moved.durable.done()


def test_a_failure_is_final_unless_it_was_durable() -> None:
    failed = outcome("queued")
    assert failed.fail(FAILURE)
    assert not failed.fail(ValueError())
    failed.advance("synced")
    assert (failed.status, failed.error) == ("failed", FAILURE)
    assert failed.durable.exception() is failed.synced.exception() is FAILURE
    durable = outcome("durable")
    assert not durable.fail(FAILURE)
    assert durable.status == "durable"


@pytest.mark.parametrize(
    ("failure", "status"),
    [(TransactionUnresolved("who knows"), "unresolved"), (TransactionKept("later"), "kept")],
)
def test_what_may_be_on_the_stream_has_not_failed(failure: TransactionFailed, status: str) -> None:
    moved = outcome("sent")
    assert moved.fail(failure)
    moved.advance("durable")
    moved.take_back()
    assert not moved.fail(FAILURE)
    assert (moved.status, moved.error) == (status, failure)
    assert moved.is_settled
    assert moved.durable.exception() is moved.synced.exception() is failure


def test_a_lost_echo_leaves_it_durable() -> None:
    lost = outcome("durable")
    lost.lose_echo(FAILURE)
    lost.lose_echo(ValueError())
    assert lost.status == "durable"
    assert lost.durable.exception() is None
    assert lost.synced.exception() is FAILURE
    seen = outcome("synced")
    seen.lose_echo(FAILURE)
    assert seen.error is None


async def test_awaiting() -> None:
    moved = outcome("queued")
    transaction = AsyncTransaction(moved)

    async def wait() -> None:
        await transaction

    waiters = [asyncio.create_task(wait()) for _ in range(3)]
    await asyncio.sleep(0)
    waiters.pop().cancel()
    await asyncio.sleep(0)
    assert not moved.durable.done(), "cancelling a waiter is not an outcome"
    threading.Thread(target=moved.advance, args=("durable",)).start()
    await asyncio.gather(*waiters)
    moved.advance("synced")
    await transaction.synced()
    await transaction
    assert (transaction.txid, transaction.status, transaction.error) == ("t", "synced", None)
    assert repr(transaction) == "<AsyncTransaction t synced>"


async def test_an_open_transaction_cannot_be_waited_for() -> None:
    transaction = AsyncTransaction(outcome())
    with pytest.raises(WouldDeadlock, match="still open"):
        await transaction
    with pytest.raises(WouldDeadlock, match="still open"):
        await transaction.synced()
    for wait in (Transaction(outcome(), None).result, Transaction(outcome(), None).synced):
        with pytest.raises(WouldDeadlock, match="still open"):
            wait()


def test_blocking_waits() -> None:
    moved = outcome("sent")
    transaction = Transaction(moved, None)
    with pytest.raises(TimeoutError, match=r"transaction t is still sent after 0\.01 s"):
        transaction.result(0.01)
    moved.advance("durable")
    transaction.result()
    failed = outcome("queued")
    failed.fail(FAILURE)
    with pytest.raises(TransactionFailed) as caught:
        Transaction(failed, None).result(1)
    assert caught.value is FAILURE


def test_waiting_on_the_io_thread_raises() -> None:
    transaction = Transaction(outcome("sent"), threading.get_ident())
    with pytest.raises(WouldDeadlock, match="for ever"):
        transaction.result()
    Transaction(outcome("durable"), threading.get_ident()).result()  # nothing to wait for
