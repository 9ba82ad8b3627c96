"""The blocking database: the same engine, on one loop thread for the whole process."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.chat_schema import Chat, message, messages, sensor

from streamdb import (
    Change,
    DatabaseClosed,
    DuplicateKey,
    ForkedProcess,
    InvalidEventError,
    RetryPolicy,
    Stream,
    StreamClosed,
    Transaction,
    TransactionFailed,
    TransactionUnresolved,
    TxidTimeout,
    WouldDeadlock,
    debounce,
)
from streamdb.streams.loop_thread import shared_loop_thread
from streamdb_server import serving


def test_write_and_read(url: str) -> None:
    with Chat(url, create=True) as db:
        transaction = db.messages.insert(message(1))
        transaction.result(10)
        transaction.synced(10)
        assert transaction.status == "synced"
        db.messages.update("1", content="x").synced(10)
        with db.transaction() as both:
            db.messages.insert(message(2))
            db.sensors.insert(sensor(7))
        both.synced(10)
        db.messages.delete("1").synced(10)
        db.await_txid(both.txid, timeout=0)
        assert (list(db.messages), list(db.sensors)) == ([message(2)], [sensor(7)])
        with pytest.raises(DuplicateKey):
            db.messages.insert(message(2))
    assert (db.status, len(db.messages)) == ("closed", 1)
    db.close()
    with pytest.raises(DatabaseClosed):
        db.messages.insert(message(3))
    with pytest.raises(DatabaseClosed):
        db.preload()


def test_callbacks_may_wait_for_their_own_writes(url: str) -> None:
    with Chat(url, create=True) as db:
        done = threading.Event()
        threads: set[str] = set()

        def answer(changes: Any) -> None:
            threads.add(threading.current_thread().name)
            for change in changes:
                db.sensors.insert(sensor(int(change.key))).synced(10)
            if len(db.sensors) == 3:
                done.set()

        db.messages.subscribe(answer)
        for number in range(3):
            db.messages.insert(message(number))
        assert done.wait(10)
        assert threads == {"streamdb-callbacks"}
        assert sorted(db.sensors.keys()) == [0, 1, 2]


def test_callbacks_come_in_order_and_one_that_fails_stops_nothing(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []
    with Chat(embedded_url, create=True) as db:
        db.messages.insert(message(0)).synced(10)
        db.messages.subscribe(lambda _: 1 / 0, initial=True)
        db.messages.subscribe(seen.extend, initial=True)
        for number in range(1, 20):
            db.messages.insert(message(number))
    assert seen == [Change("insert", str(n), None, message(n)) for n in range(len(seen))]
    assert len(seen) > 0
    assert "ZeroDivisionError" in caplog.text


def test_a_callback_may_close_the_database(embedded_url: str) -> None:
    closed = threading.Event()
    db = Chat(embedded_url, create=True)

    def close(_: Any) -> None:
        db.close()
        closed.set()

    db.preload()
    db.messages.subscribe(close)
    db.messages.insert(message(1))
    assert closed.wait(10)
    assert db.status == "closed"
    db._dispatcher._thread.join(10)  # type: ignore[union-attr]  # it ran the callback


def test_a_closed_subscription_is_not_called_any_more(embedded_url: str) -> None:
    first = threading.Event()
    release = threading.Event()
    seen: list[Any] = []

    def slow(_: Any) -> None:
        first.set()
        release.wait(10)

    with Chat(embedded_url, create=True) as db:
        db.messages.subscribe(slow)
        late = db.messages.subscribe(seen.append)
        db.messages.insert(message(1)).synced(10)
        first.wait(10)
        late.close()
        release.set()
    assert seen == []


def test_waiting_where_it_could_never_end_raises(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        with db.transaction() as transaction:
            inner = db.messages.insert(message(1))
            for wait in (transaction.result, inner.result, inner.synced):
                with pytest.raises(WouldDeadlock, match="still open"):
                    wait()
        transaction.result(10)

        async def on_the_loop_thread() -> list[type[BaseException]]:
            unsent = db.messages.insert(message(2))
            caught: list[type[BaseException]] = []
            waits = (
                unsent.result,
                unsent.synced,
                db.preload,
                db.close,
                lambda: db.await_txid("never"),
                lambda: db.until(lambda: False),
                lambda: next(db.messages.changes()),
                lambda: next(db.status_changes()),
                lambda: db.fork(f"{db.url}-fork"),
            )
            for call in waits:
                try:
                    call()
                except WouldDeadlock as error:
                    caught.append(type(error))
            return caught

        thread = shared_loop_thread()
        assert thread.run(on_the_loop_thread()) == [WouldDeadlock] * 9


def test_a_transaction_binds_its_own_thread_only(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        with db.transaction() as transaction:
            db.messages.insert(message("mine"))
            with ThreadPoolExecutor(1) as elsewhere:
                other = elsewhere.submit(db.messages.insert, message("other")).result(10)
            other.synced(10)
            assert transaction.status == "open"
        transaction.synced(10)
        assert db.messages.keys() == ["other", "mine"]


def test_many_threads_write_at_once(embedded_url: str) -> None:
    """Updates build on one another whichever thread made them: none is lost."""
    with Chat(embedded_url, create=True) as db:
        db.messages.insert(message("count", "0"))

        def count() -> None:
            for _ in range(25):
                db.messages.update("count", lambda row: message("count", str(int(row.content) + 1)))

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        db.messages.update("count", note="end").synced(10)
        assert db.messages["count"] == message("count", "100", note="end")


def test_many_databases_share_one_loop_thread(tmp_path: Path) -> None:
    dbs = [Chat(f"embedded:{tmp_path / 's.db'}#{n % 5}", create=True) for n in range(20)]
    for db in dbs:
        db.preload(30)
    loops = [t for t in threading.enumerate() if t.name.startswith("streamdb-loop")]
    assert len(loops) == 1
    assert not [t for t in threading.enumerate() if t.name == "streamdb-callbacks"]
    for number, db in enumerate(dbs):
        db.messages.insert(message(number)).result(10)
    for db in dbs:
        db.close()


def test_each_database_has_a_thread_for_its_callbacks_that_ends_with_it(tmp_path: Path) -> None:
    """One whose callback waits holds up no other one."""
    release, first, second = threading.Event(), queue.SimpleQueue[str](), queue.SimpleQueue[str]()

    def note(told: queue.SimpleQueue[str]) -> Callable[[object], None]:
        return lambda _: told.put(threading.current_thread().name)

    def callback_threads() -> int:
        return sum(thread.name == "streamdb-callbacks" for thread in threading.enumerate())

    url = f"embedded:{tmp_path / 's.db'}#"
    with Chat(f"{url}a", create=True) as one, Chat(f"{url}b", create=True) as other:
        one.messages.subscribe(lambda _: release.wait(20))
        one.messages.subscribe(note(first))
        other.messages.subscribe(note(second))
        for db in (one, other):
            db.messages.insert(message(1)).synced(20)
        assert second.get(timeout=20) == "streamdb-callbacks"
        assert (first.empty(), callback_threads()) == (True, 2)
        other.close()
        assert callback_threads() == 1
        release.set()
        assert first.get(timeout=20) == "streamdb-callbacks"
    assert callback_threads() == 0


def test_a_forked_child_opens_databases_of_its_own(http_url: str) -> None:
    with Chat(http_url, create=True) as db:
        db.messages.insert(message("a")).synced(20)
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            try:
                with Chat(http_url) as own:
                    own.messages.insert(message("child")).synced(20)
                    os._exit(len(own.messages))
            finally:
                os._exit(99)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 2
        assert db.until(db.messages, where=lambda m: m.id == "child", timeout=20)


def test_changes(url: str) -> None:
    with Chat(url, create=True) as db:
        changes = db.messages.changes()
        followed: list[str] = []

        def follow() -> None:
            followed.extend(change.key for item in changes for change in item)

        follower = threading.Thread(target=follow)
        follower.start()
        for number in range(5):
            db.messages.insert(message(number)).synced(10)
    follower.join(10)
    assert followed == [str(number) for number in range(5)]


def test_changes_raise_what_ended_the_reading(embedded_url: str) -> None:
    with Stream.create(embedded_url) as stream, Chat(embedded_url, on_invalid="raise") as db:
        changes = db.messages.changes()
        stream.append("nonsense")
        with pytest.raises(InvalidEventError):
            next(changes)
        with pytest.raises(InvalidEventError):
            db.await_txid("t", timeout=60)
        assert isinstance(db.error, InvalidEventError)


def test_txids(embedded_url: str) -> None:
    with Stream.create(embedded_url) as stream, Chat(embedded_url) as db:
        stream.append(messages.insert(message(1), txid="t"))
        db.await_txid("t")
        with pytest.raises(TxidTimeout, match=r"'never' did not come back within 0\.01 s"):
            db.await_txid("never", timeout=0.01)
        waiting = threading.Event()
        failed: list[BaseException] = []

        def wait() -> None:
            waiting.set()
            try:
                db.await_txid("never", timeout=60)
            except DatabaseClosed as error:
                failed.append(error)

        waiter = threading.Thread(target=wait)
        waiter.start()
        waiting.wait()
    waiter.join(10)
    assert len(failed) == 1


def test_failing_writes(embedded_url: str) -> None:
    with Stream.create(embedded_url) as stream, Chat(embedded_url) as db:
        stream.close_stream()
        transaction = db.messages.insert(message(1))
        for wait in (transaction.result, transaction.synced):
            with pytest.raises(TransactionFailed) as caught:
                wait(10)
            assert isinstance(caught.value.__cause__, StreamClosed)


def test_closing_while_the_server_is_gone(tmp_path: Path) -> None:
    policy = RetryPolicy(initial=0.01, maximum=0.05)
    with serving(tmp_path / "s.db") as server:
        db = Chat(f"{server.url}s", create=True, reconnect=policy, close_timeout=0.1)
        db.preload()
    transaction = db.messages.insert(message(1))
    with pytest.raises(TimeoutError, match="it goes on"):
        transaction.result(0.05)
    db.close()
    with pytest.raises(TransactionUnresolved):
        transaction.result()


def test_giving_up_preloading_leaves_the_database_to_be_closed(embedded_url: str) -> None:
    db = Chat(embedded_url, create=True)
    with pytest.raises(TimeoutError, match="longer than 0 s"):
        db.preload(0)
    db.preload(30)
    db.close()


def test_a_callback_that_does_not_end_does_not_hold_up_closing(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    let_go = threading.Event()
    db = Chat(embedded_url, create=True, close_timeout=0.05)
    db.preload()
    db.messages.subscribe(lambda _: let_go.wait(30))
    db.messages.insert(message("a")).synced(10)
    db.close()
    assert "a callback is still running" in caplog.text
    left_behind = [t for t in threading.enumerate() if t.name == "streamdb-callbacks"]
    let_go.set()
    for thread in left_behind:
        thread.join(10)


def test_a_callback_that_exits_does_not_end_the_others(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen: queue.SimpleQueue[int] = queue.SimpleQueue()

    def leave(_: object) -> None:
        seen.put(1)
        raise SystemExit

    with Chat(embedded_url, create=True) as db:
        db.messages.subscribe(leave)
        for key in ("a", "b"):
            db.messages.insert(message(key)).synced(10)
        assert [seen.get(timeout=10), seen.get(timeout=10)] == [1, 1]
    assert caplog.text.count("a callback raised") == 2


def test_a_forked_child_is_told(embedded_url: str) -> None:
    """Its copy of the rows stands still, and its copy of the lock may be held for ever."""
    with Chat(embedded_url, create=True) as db:
        db.messages.insert(message("a")).synced(10)
        changes, statuses = db.messages.changes(), db.status_changes()
        with db.paced(debounce(100)) as waiting:
            db.messages.insert(message("waiting"))
        attempts = (
            lambda: waiting.result(),
            lambda: db.messages["a"],
            lambda: len(db.messages),
            lambda: next(changes),
            lambda: db.await_txid("t"),
            lambda: db.messages.insert(message("b")),
            lambda: db.messages.meta("a"),
            lambda: db.snapshot().__enter__(),
            lambda: db.until(lambda: True),
            lambda: next(statuses),
            lambda: db.preload(),
        )
        db._state.lock.__enter__()  # as a commit of the loop thread may do at that moment
        child = os.fork()
        if child == 0:
            signal.alarm(30)  # whatever hangs
            refused = 0
            for attempt in attempts:
                try:
                    attempt()
                except ForkedProcess:
                    refused += 1
            db.close()  # it is the parent's, and leaving its block here is no fault
            os._exit(refused)
        db._state.lock.__exit__()
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == len(attempts)


def test_what_another_thread_writes_as_it_closes_is_waited_for(url: str) -> None:
    with Chat(url, create=True) as db:
        written: list[Transaction] = []

        def write() -> None:
            written.append(db.messages.insert(message(1)))

        def write_elsewhere() -> None:
            thread = threading.Thread(target=write)
            thread.start()
            thread.join()

        db._session.release_all = write_elsewhere
    written[0].result(10)
