"""The outcome of a transaction moves forwards only, and every waiter learns it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import Any

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
from streamdb.query_functions import check_may_wait

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
    for wait in (
        Transaction(outcome(), check_may_wait).result,
        Transaction(outcome(), check_may_wait).synced,
    ):
        with pytest.raises(WouldDeadlock, match="still open"):
            wait()


def test_blocking_waits() -> None:
    moved = outcome("sent")
    transaction = Transaction(moved, check_may_wait)
    with pytest.raises(TimeoutError, match=r"transaction t is still sent after 0\.01 s"):
        transaction.result(0.01)
    moved.advance("durable")
    transaction.result()
    failed = outcome("queued")
    failed.fail(FAILURE)
    with pytest.raises(TransactionFailed) as caught:
        Transaction(failed, check_may_wait).result(1)
    assert caught.value is FAILURE


def test_waiting_where_that_would_never_end_raises() -> None:
    def refuse(what: str) -> None:
        raise WouldDeadlock(f"{what} for ever")

    with pytest.raises(WouldDeadlock, match="waiting for a transaction for ever"):
        Transaction(outcome("sent"), refuse).result()
    Transaction(outcome("durable"), refuse).result()  # nothing to wait for


@pytest.mark.parametrize("error", [None, FAILURE])
def test_what_settles_in_the_moment_in_which_a_wait_ends_counts(
    error: TransactionFailed | None,
) -> None:
    class Late(Future[None]):
        def result(self, timeout: float | None = None) -> None:
            if not self.done():
                moved.advance("durable") if error is None else moved.fail(error)
                raise TimeoutError
            super().result(timeout)

    moved = outcome("sent")
    moved._durable = Late()
    if error is None:
        Transaction(moved, check_may_wait).result(0.01)
    else:
        with pytest.raises(TransactionFailed):
            Transaction(moved, check_may_wait).result(0.01)


@pytest.mark.parametrize("end", ["advance", "fail"])
def test_who_asks_in_the_moment_of_settling_is_told_once(end: str) -> None:
    """Another thread comes between two steps wherever there are two."""
    asked: list[Future[None]] = []

    class Interrupting:
        def __init__(self, lock: Any) -> None:
            self._lock = lock
            self._has_interrupted = False

        def __enter__(self) -> None:
            self._lock.acquire()

        def __exit__(self, *_: object) -> None:
            self._lock.release()
            if not self._has_interrupted:
                self._has_interrupted = True
                asked.append(moved.durable)

    moved = outcome("sent")
    moved._lock = Interrupting(moved._lock)  # type: ignore[assignment]  # lets another thread in
    moved.advance("durable") if end == "advance" else moved.fail(FAILURE)
    (future,) = asked
    assert future.done()
    assert future.exception() is (None if end == "advance" else FAILURE)
