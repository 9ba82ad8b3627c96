"""Collections over a table that the test commits to: reading, subscribing, iterating changes."""

from __future__ import annotations

import asyncio
import gc
import threading
from enum import Enum, IntEnum
from functools import partial
from typing import Any

import pytest
from tests.runtime.chat_schema import (
    AsyncMessages,
    AsyncSensors,
    Message,
    MessageColumns,
    Messages,
    message,
    messages,
    sensor,
    sensors,
)
from tests.runtime.expr.query_sources import Oracle

from streamdb import AsyncCollection, Change, Collection, ExpressionError, NotConnected
from streamdb.collections.base_collection import BaseCollection
from streamdb.collections.callbacks import run_callback
from streamdb.collections.collection_parts import CollectionParts
from streamdb.collections.commit_lock import CommitLock
from streamdb.collections.snapshots import Snapshots
from streamdb.collections.source import CollectionSource
from streamdb.collections.table import Table
from streamdb.expr.query import QueryRunner


class _Name(str, Enum):  # noqa: UP042 (its text differs from its value)
    A = "a"


class _Number(IntEnum):
    SEVEN = 7


class Bench:
    """A table, its lock, and commits as a database makes them."""

    def __init__(
        self,
        kind: type[BaseCollection[Any, Any, Any, Any]],
        schema: Any,
        runner: QueryRunner | None = None,
    ) -> None:
        self.table = Table()
        self.lock = CommitLock("test")
        self.collection: Any = kind(
            CollectionParts(
                schema=schema,
                table=self.table,
                lock=self.lock,
                snapshots=Snapshots(self.lock, lambda: [self.table], lambda: "-1"),
                writer=None,  # type: ignore[arg-type]  # nothing is written here
                deliver=run_callback,
                check_started=lambda: None,
                check_goes_on=lambda: None,
                runner=runner,
            )
        )

    def commit(self, *rows: Any, gone: tuple[str, ...] = ()) -> None:
        writes = [*((key, None, 0) for key in gone), *((str(row.id), row, 0) for row in rows)]
        with self.lock:
            self.table.notify(self.table.write(writes))


@pytest.fixture
def bench() -> Bench:
    return Bench(AsyncMessages, messages.schema)


@pytest.fixture
def blocking_bench() -> Bench:
    return Bench(Messages, messages.schema)


def test_reading(bench: Bench) -> None:
    db_messages: AsyncCollection[Message, str, MessageColumns] = bench.collection
    assert (len(db_messages), db_messages.first(), list(db_messages)) == (0, None, [])
    a, b = message("a"), message("b")
    bench.commit(a, b)
    assert db_messages["a"] is a
    assert db_messages.get("b") is b
    assert db_messages.get("c") is None
    assert db_messages.get("c", 5) == 5
    assert ("a" in db_messages, "c" in db_messages, 5 in db_messages) == (True, False, False)
    assert db_messages.keys() == ["a", "b"]
    assert db_messages.items() == [("a", a), ("b", b)]
    assert list(db_messages) == [a, b]
    assert db_messages.first() is a
    assert repr(db_messages) == "<AsyncMessages 'messages' with 2 rows>"
    with pytest.raises(KeyError, match="'c'"):
        db_messages["c"]


def test_keys_have_their_declared_type() -> None:
    """KEY-2, trap 12."""
    bench = Bench(AsyncSensors, sensors.schema)
    bench.commit(sensor(1))
    assert bench.collection.keys() == [1]
    assert (1 in bench.collection, "1" in bench.collection, True in bench.collection) == (
        True,
        False,
        False,
    )
    with pytest.raises(TypeError, match="keys of collection 'sensors' are int, not str"):
        bench.collection["1"]


def test_iteration_keeps_to_the_rows_of_its_start(bench: Bench) -> None:
    bench.commit(message("a"), message("b"))
    seen = []
    for row in bench.collection:
        bench.commit(message("c"), gone=("b",))
        seen.append(row.id)
    assert seen == ["a", "b"]


def test_subscribe(bench: Bench) -> None:
    seen: list[Any] = []
    a, changed = message("a"), message("a", "changed")
    with bench.collection.subscribe(seen.append):
        bench.commit(a)
        bench.commit(changed, message("b"))
        bench.commit(gone=("a",))
    bench.commit(message("c"))
    assert seen == [
        (Change("insert", "a", None, a),),
        (Change("update", "a", a, changed), Change("insert", "b", None, message("b"))),
        (Change("delete", "a", changed, None),),
    ]


def test_subscribe_initial(bench: Bench) -> None:
    seen: list[Any] = []
    bench.collection.subscribe(seen.append, initial=True)  # nothing yet: not called
    bench.commit(message("a"), message("b"))
    bench.collection.subscribe(seen.append, initial=True)
    both = tuple(Change("insert", key, None, message(key)) for key in "ab")
    assert seen == [both, both]


def test_subscribe_where(bench: Bench) -> None:
    """A row that stops matching is a delete; one that never did is not heard of."""
    seen: list[Any] = []
    bench.commit(message("a", role="assistant"), message("b"))
    bench.collection.subscribe(seen.append, initial=True, where=lambda m: m.role == "assistant")
    bench.commit(message("b", "still not"))
    bench.commit(message("a"))
    bench.commit(message("b", role="assistant"))
    assert [(c.kind, c.key) for changes in seen for c in changes] == [
        ("insert", "a"),
        ("delete", "a"),
        ("insert", "b"),
    ]


def test_a_failing_subscriber_does_not_reach_the_others(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []

    def cancelled(_: Any) -> None:
        raise asyncio.CancelledError  # as a careless `future.result()` does

    bench.collection.subscribe(lambda _: 1 / 0)
    bench.collection.subscribe(cancelled)
    bench.collection.subscribe(seen.append)
    bench.commit(message("a"))
    bench.commit(message("b"))
    assert len(seen) == 2
    assert caplog.text.count("ZeroDivisionError") == 2


async def _show(changes: object) -> None:
    """Would never be awaited."""


class _Shows:
    async def __call__(self, changes: object) -> None:
        """Would never be awaited."""

    async def show_later(self, changes: object) -> None:
        """Would never be awaited."""


@pytest.mark.parametrize(
    "callback", [_show, partial(_show), _Shows(), _Shows().show_later, partial(_Shows())]
)
def test_an_async_subscriber_is_refused_at_once(bench: Bench, callback: Any) -> None:
    with pytest.raises(TypeError, match=r"`\w+` is `async def`, .* iterate over `changes\(\)`"):
        bench.collection.subscribe(callback)
    with pytest.raises(TypeError, match="update calls a plain function"):
        bench.collection.update("a", callback)


def test_a_subscriber_is_a_function(bench: Bench) -> None:
    with pytest.raises(TypeError, match="subscribe takes a function, not list"):
        bench.collection.subscribe([])


def test_a_subscriber_may_stop_itself_and_add_others(bench: Bench) -> None:
    seen: list[str] = []

    def once(_: Any) -> None:
        subscription.close()
        seen.append("once")
        bench.collection.subscribe(lambda _: seen.append("later"))

    subscription = bench.collection.subscribe(once)
    bench.commit(message("a"))
    bench.commit(message("b"))
    assert seen == ["once", "later"]


async def test_changes_are_registered_at_the_call(bench: Bench) -> None:
    changes = bench.collection.changes()
    bench.commit(message("a"))
    bench.commit(message("a", "2"), message("b"))
    bench.commit(gone=("b",))
    assert await anext(changes) == (Change("insert", "a", None, message("a", "2")),)


async def test_changes_wait_for_a_commit(bench: Bench) -> None:
    changes = bench.collection.changes()
    waiting = asyncio.create_task(anext(changes))
    await asyncio.sleep(0)
    bench.commit(message("a"), message("b"))
    bench.commit(gone=("b",))
    assert await waiting == (Change("insert", "a", None, message("a")),)


async def test_changes_that_cancel_out_wake_nobody(bench: Bench) -> None:
    changes = bench.collection.changes()
    bench.commit(message("a"))
    bench.commit(gone=("a",))
    bench.commit(message("b"))
    assert [change.key for change in await anext(changes)] == ["b"]


async def test_changes_initial_and_where(bench: Bench) -> None:
    bench.commit(message("a"), message("b", role="assistant"))
    changes = bench.collection.changes(initial=True, where=lambda m: m.role == "user")
    assert [c.key for c in await anext(changes)] == ["a"]
    bench.commit(message("a", role="assistant"))
    assert [(c.kind, c.new) for c in await anext(changes)] == [("delete", None)]


async def test_changes_end_after_what_was_pending(bench: Bench) -> None:
    changes = bench.collection.changes()
    bench.commit(message("a"))
    bench.table.end(None)
    assert [[c.key for c in item] async for item in changes] == [["a"]]
    assert [item async for item in bench.collection.changes()] == []


async def test_changes_raise_what_ended_the_reading(bench: Bench) -> None:
    changes = bench.collection.changes()
    bench.commit(message("a"))
    bench.table.end(ValueError("lost"))
    assert len(await anext(changes)) == 1
    for _ in range(2):
        with pytest.raises(ValueError, match="lost"):
            await anext(changes)


async def test_a_condition_that_fails_ends_the_changes_with_its_error() -> None:
    bench = Bench(AsyncSensors, sensors.schema)
    changes = bench.collection.changes(where=lambda s: s.extra > 5)
    bench.commit(sensor(1, extra="text"))
    with pytest.raises(Exception, match="cannot be evaluated"):
        await anext(changes)


async def test_closing_ends_a_waiting_iteration(bench: Bench) -> None:
    changes = bench.collection.changes()
    waiting = asyncio.create_task(anext(changes, "over"))
    await asyncio.sleep(0)
    changes.close()
    assert await waiting == "over"


def watchers_of(table: Table) -> int:
    return len(table._watchers)


async def test_changes_left_early_are_forgotten(bench: Bench) -> None:
    bench.commit(message("a"))
    async for _ in bench.collection.changes(initial=True):
        break
    gc.collect()
    assert watchers_of(bench.table) == 0


async def test_a_slow_reader_holds_one_change_for_a_key(bench: Bench) -> None:
    changes = bench.collection.changes()
    for number in range(1000):
        bench.commit(message(number % 3, str(number)))
    taken = await anext(changes)
    assert {change.key: change.new.content for change in taken} == {
        "0": "999",
        "1": "997",
        "2": "998",
    }
    assert all(change.kind == "insert" for change in taken)


def test_blocking_changes(blocking_bench: Bench) -> None:
    bench = blocking_bench
    collection: Collection[Message, str, MessageColumns] = bench.collection
    changes = collection.changes()
    seen: list[str] = []
    begun = threading.Event()

    def follow() -> None:
        begun.set()
        seen.extend(change.key for item in changes for change in item)

    follower = threading.Thread(target=follow)
    follower.start()
    begun.wait()
    for key in "abc":
        bench.commit(message(key))
    bench.table.end(None)
    follower.join(10)
    assert seen == ["a", "b", "c"]


def test_blocking_changes_raise_and_close(blocking_bench: Bench) -> None:
    closed = blocking_bench.collection.changes()
    closed.close()
    assert list(closed) == []
    changes = blocking_bench.collection.changes()
    blocking_bench.table.end(ValueError("lost"))
    with pytest.raises(ValueError, match="lost"):
        next(changes)


def test_update_takes_fields_or_a_function(bench: Bench) -> None:
    for change, fields in ((None, {}), (lambda row: row, {"content": "x"})):
        with pytest.raises(TypeError, match="either fields or one function"):
            bench.collection.update("a", change, **fields)


def test_a_condition_that_suits_no_row_is_refused_at_once(bench: Bench) -> None:
    with pytest.raises(ExpressionError, match="`content > 5` compares values that are never alike"):
        bench.collection.subscribe(print, where=lambda m: m.content > 5)


@pytest.mark.parametrize("kind", [AsyncMessages, Messages])
def test_a_query_begins_at_a_collection(kind: type[BaseCollection[Any, Any, Any, Any]]) -> None:
    bench = Bench(kind, messages.schema, Oracle())
    db_messages: BaseCollection[Message, str, MessageColumns, Any] = bench.collection
    a, b = message("a", content="long"), message("b")
    bench.commit(a, b)
    query = db_messages.where(lambda m: m.content == "long")
    assert query.fetch() == [a]
    assert db_messages.order_by(lambda m: m.id).limit(1).fetch() == [a]
    pairs = query.join(db_messages, on=lambda m, n: m.role == n.role)
    assert pairs.fetch() == [(a, a), (a, b)]
    assert (db_messages.fetch(), db_messages.first()) == ([a, b], a)
    bench.commit(gone=("a",))
    assert query.fetch() == []


def test_a_collection_of_no_database_answers_no_query(bench: Bench) -> None:
    with pytest.raises(NotConnected, match="begins at a collection that belongs to no database"):
        bench.collection.fetch()


@pytest.mark.parametrize(
    ("value", "key"),
    [("a", "a"), (1, None), (None, None), (_Name.A, "a"), (b"a", None)],
)
def test_the_text_key_that_equals_a_value(value: object, key: str | None) -> None:
    found = CollectionSource(messages.schema, Table()).key_of(value)
    assert (found, type(found)) == (key, type(key))


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (7, "7"),
        (-7, "-7"),
        (7.0, "7"),
        (True, "1"),
        (_Number.SEVEN, "7"),
        (7.5, None),
        (float("nan"), None),
        (float("inf"), None),
        ("7", None),
        (None, None),
    ],
)
def test_the_text_of_the_integer_key_that_equals_a_value(value: object, key: str | None) -> None:
    assert CollectionSource(sensors.schema, Table()).key_of(value) == key
