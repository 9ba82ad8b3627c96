"""Live queries of databases, in both forms, over real streams."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.runtime.chat_schema import (
    AsyncChat,
    Chat,
    message,
    messages,
    sensor,
)

from streamdb import (
    AsyncStream,
    DatabaseClosed,
    ExpressionError,
    NotConnected,
    NotOneRow,
    QueryClosed,
    Stream,
    StreamClosed,
    StreamDBError,
    StreamNotFound,
    Transaction,
    WouldDeadlock,
    fn,
)
from streamdb.collections.transaction import Outcome
from streamdb.query_functions import check_may_wait, running_functions


async def test_it_is_read_like_a_sequence_and_by_key(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        live = db.live(db.messages.where(lambda m: m.role == "user").order_by(lambda m: m.content))
        with db.transaction() as tx:
            db.messages.insert(message(1, "b"))
            db.messages.insert(message(2, "a"))
            db.messages.insert(message(3, "c", role="assistant"))
        await tx.synced()
        assert [m.content for m in live] == ["a", "b"]
        assert (len(live), live.keys(), live[0].id, live[-1].id) == (2, ["2", "1"], "2", "1")
        assert (live[1:], live[::-1], live[5:]) == ([live[1]], [live[1], live[0]], [])
        assert ("1" in live, "3" in live, 1 in live, [] in live) == (True, False, False, False)
        assert (live.get("1"), live.get("3"), live.get("3", 0)) == (db.messages["1"], None, 0)
        assert (live.first(), live.items()[0]) == (live[0], ("2", live[0]))
        for index in (2, -3):
            with pytest.raises(IndexError):
                live[index]
        with pytest.raises(NotOneRow):
            live.one()
        unordered = db.live(db.messages)
        with pytest.raises(TypeError, match="no order"):
            unordered[0]
        assert "order by content" in live.explain()
        assert (repr(live), live.status) == (
            "<AsyncLiveQuery of live query of messages, ready>",
            "ready",
        )


async def test_changes_come_a_commit_at_a_time_and_are_net(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        live = db.live(db.messages.where(lambda m: m.content != ""))
        changes = live.changes(initial=True)
        told: list[Any] = []
        live.subscribe(told.append)
        for content in ("a", "b", ""):
            await db.messages.upsert(message(1, content)).synced()
        await db.messages.insert(message(2, "x")).synced()
        await db.messages.update("2", content="y").synced()
        assert [[c.kind for c in commit] for commit in told] == [
            *(["insert"], ["update"], ["delete"]),
            *(["insert"], ["update"]),
        ]
        (change,) = await anext(changes)  # slow: one net change for each key
        assert (change.kind, change.key, change.new) == ("insert", "2", message(2, "y"))
        waiting = asyncio.create_task(anext(changes))
        await db.messages.delete("2").synced()
        assert [c.kind for c in await waiting] == ["delete"]
        live.close()
        with pytest.raises(StopAsyncIteration):
            await anext(changes)


async def test_a_write_that_comes_back_is_told_once(url: str) -> None:
    """The row moves in the order of arrival, and nothing that is made of it is made anew."""
    async with AsyncChat(url, create=True) as db:
        await db.sensors.insert(sensor(7, "A1")).synced()
        rows = db.messages
        made: list[str] = []
        by_role = rows.group_by(lambda m: m.role)
        joined = rows.join(db.sensors, on=lambda m, s: m.content == s.room)
        lives: list[Any] = [
            db.live(rows.map(lambda m: (made.append(m.id), [m.content])[1])),
            db.live(rows.order_by(lambda m: m.id).map(lambda m: [m.content])),
            db.live(joined.map(lambda m, s: [m.content])),
            db.live(by_role.agg(lambda m: fn.collect(m)).map(lambda role, found: [*found])),
            db.live(by_role.agg(lambda m: fn.fold([], lambda some, m: [*some, m], m))),
            db.live(by_role.agg(lambda m: fn.reduce(list, m.content))),
            db.live(by_role.agg(lambda m: (fn.first(m), fn.last(m), fn.count()))),
            db.live(db.live(rows).map(lambda m: [m.content])),
        ]
        told: list[int] = [0 for _ in lives]

        def count(number: int) -> None:
            told[number] += 1

        for number, live in enumerate(lives):
            live.subscribe(lambda _, number=number: count(number))
        await rows.insert(message(1, "A1")).synced()
        assert (told, made) == ([1] * len(lives), ["1"])
        with db.transaction() as tx:
            rows.insert(message(2, "A1"))
            rows.insert(message(3, "A1"))
        await tx.synced()
        assert (told, made) == ([2] * len(lives), ["1", "2", "3"])


async def test_derived_queries_and_joins(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        users = db.live(db.messages.where(lambda m: m.role == "user"))
        pairs = db.live(
            users.join(db.sensors, on=lambda m, s: m.content == s.room, how="left").map(
                lambda m, s: (m.id, s.celsius if s else None)
            )
        )
        torn: list[Any] = []
        users.subscribe(lambda _: torn.append([len(users), len(pairs)]))
        with db.transaction() as tx:
            db.messages.insert(message(1, "A1"))
            db.sensors.insert(sensor(7, "A1", 19.5))
        await tx.synced()
        assert pairs.items() == [(("1", 7), ("1", 19.5))]
        await db.sensors.delete(7).synced()
        assert pairs.items() == [(("1", None), ("1", None))]
        assert pairs.get(("1", None)) == ("1", None)
        assert torn == [[1, 1]]


async def test_a_query_made_before_the_first_load(url: str) -> None:
    async with await AsyncStream.create(url) as stream:
        await stream.append_many([messages.insert(message(n)) for n in range(30)])
        db = AsyncChat(url)
        live = db.live(db.messages.where(lambda m: m.id != "7"))
        with pytest.raises(NotConnected):
            await anext(live.changes())
        told: list[Any] = []
        live.subscribe(told.append)
        for read in (len, list, lambda q: q.get("1"), lambda q: q.map(str).fetch()):
            with pytest.raises(NotConnected):
                read(live)  # it would be taken for empty
        assert live.status == "loading"
        async with db:
            assert (live.status, len(live), len(told), len(told[0])) == ("ready", 29, 1, 29)


async def test_a_reset_is_one_difference(url: str) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        contents = db.live(db.messages.select(lambda m: (m.id, m.content)))
        await stream.append_many([messages.insert(message(n, "x"), txid="1") for n in (1, 2)])
        await db.await_txid("1")
        told: list[Any] = []
        contents.subscribe(told.append)
        await stream.append_many(
            [
                {"headers": {"control": "reset"}},
                messages.insert(message(2, "x")),
                messages.insert(message(3, "x"), txid="2"),
            ]
        )
        await db.await_txid("2")
        assert contents.keys() == ["2", "3"]
        assert [(c.kind, c.key) for commit in told for c in commit] == [
            ("delete", "1"),
            ("insert", "3"),
        ]


async def test_snapshots_show_live_queries_as_they_were(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1, "a")).synced()
        live = db.live(db.messages.order_by(lambda m: m.content))
        derived = db.live(live.map(lambda m: m.content))
        with db.snapshot():
            before = (list(live), live.keys(), list(derived), live.fetch())
            with db.transaction() as tx:
                db.messages.insert(message(2, "0"))
                db.messages.update("1", content="b")
            await tx.synced()
            late = db.live(live.map(lambda m: m.content * 2))
            assert (list(live), live.keys(), list(derived), live.fetch()) == before
            assert (live[0].content, live.get("2"), "2" in live, len(live)) == ("a", None, False, 1)
            assert list(late) == ["aa"]
            asked = live.map(lambda m: m.id)
            assert (asked.fetch(), asked.first(), asked.one()) == (["1"], "1", "1")
            assert db.messages.where(lambda m: m.content == "a").fetch() == before[0]

            async def look() -> list[str]:
                return sorted(derived)

            assert await asyncio.create_task(look()) == ["0", "b"]
        assert (sorted(derived), sorted(late)) == (["0", "b"], ["00", "bb"])


async def test_until_takes_live_queries(url: str) -> None:
    async with AsyncChat(url, create=True) as db, AsyncChat(url) as other:
        live = db.live(db.messages.where(lambda m: m.content == "x"))
        waiting = asyncio.create_task(db.until(live, timeout=20))
        counting = asyncio.create_task(db.until(lambda: len(live) == 1, timeout=20))
        await db.messages.insert(message(1, "y")).synced()
        assert not waiting.done()
        await db.messages.insert(message(2, "x")).synced()
        assert (await waiting, await counting) == (message(2, "x"), True)
        with pytest.raises(ValueError, match="another database"):
            await other.until(live)
        failing = db.live(db.messages.map(lambda m: 1 // 0))
        with pytest.raises(ZeroDivisionError):
            await db.until(failing)
        never = db.live(live.filter(lambda _: False))
        waiting = asyncio.create_task(db.until(never, timeout=20))
        await asyncio.sleep(0)
        never.close()
        live.close()
        with pytest.raises(QueryClosed, match="closed> holds no row"):
            await waiting
        with pytest.raises(QueryClosed):
            await db.until(never)
        assert await db.until(live) == message(2, "x")  # rows stay


async def test_the_end_of_the_stream_and_of_the_database(url: str) -> None:
    async with await AsyncStream.create(url) as stream:
        await stream.append_many([messages.insert(message(1))])
        db = AsyncChat(url)
        async with db:
            live = db.live(db.messages)
            changes = live.changes()
            await stream.close_stream()
            with pytest.raises(StopAsyncIteration):
                await anext(changes)
            assert (live.status, len(live), live.error) == ("ended", 1, None)
            late = db.live(live.map(lambda m: m.id))
            assert (late.status, list(late)) == ("ended", ["1"])
            with pytest.raises(StreamClosed):
                await db.until(lambda: len(live) == 2)
        assert (live.status, len(live)) == ("closed", 1)
        with pytest.raises(DatabaseClosed):
            db.live(db.messages)
        for rows in (live, db.messages):
            for watch in (rows.changes, lambda rows=rows: rows.subscribe(print)):
                with pytest.raises(DatabaseClosed):
                    watch()


async def test_a_fatal_error_of_the_database(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        live = db.live(db.messages)
        changes = live.changes()
        async with AsyncStream(url) as stream:
            await stream.delete()
        with pytest.raises(StreamNotFound) as caught:
            await asyncio.wait_for(anext(changes), 20)
        assert (live.status, live.error) == ("error", db.error)
        assert caught.value is db.error
        for call in (db.live, lambda rows: rows.changes(), lambda rows: rows.subscribe(print)):
            with pytest.raises(StreamNotFound):
                call(db.messages)


async def test_what_is_no_query_is_refused(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        refused: Any = lambda m: m.id  # noqa: E731
        with pytest.raises(TypeError, match="live\\(\\) takes a query, a collection"):
            db.live(refused)
        from tests.runtime.engine.tables import TableSource

        from streamdb.expr.query import query_of

        with pytest.raises(ExpressionError, match="belongs to no database"):
            db.live(query_of(TableSource(), None))


# --- the blocking form


def test_the_blocking_form(url: str) -> None:
    with Chat(url, create=True) as db:
        live = db.live(db.messages.where(lambda m: m.content != "").order_by(lambda m: m.content))
        made: list[Any] = []
        done = threading.Event()

        def follow(changes: Any) -> None:
            made.append([c.kind for c in changes])
            if len(made) == 1:
                db.messages.insert(message(2, "b")).synced(20)  # legal: a thread of its own
            else:
                done.set()

        live.subscribe(follow)
        changes = live.changes()
        db.messages.insert(message(1, "a")).synced(20)
        assert done.wait(20)
        assert made == [["insert"], ["insert"]]
        assert [m.content for m in live] == ["a", "b"]
        assert {c.key for c in next(changes)} == {"1", "2"}
        assert db.until(live, timeout=20) in (live[0], live[1])
        assert db.messages.where(lambda m: m.content == "b").one().id == "2"
        assert live.map(lambda m: m.content).fetch() == ["a", "b"]
        assert "where" in db.messages.where(lambda m: m.id == "1").explain()
    assert list(changes) == []
    assert live.status == "closed"


def test_a_function_of_a_query_neither_closes_nor_waits(embedded_url: str) -> None:
    """It runs while the database is held still, so whatever it waits for would never come."""
    with Chat(embedded_url, create=True) as db, Chat(f"{embedded_url}-2", create=True) as other:
        tx = db.messages.insert(message(1))
        tx.synced(20)
        changes = db.messages.changes()
        live = db.live(db.messages)
        refused: list[Callable[[], object]] = [
            *(db.close, other.close, db.preload, live.close),
            *(lambda: db.until(lambda: False), lambda: db.await_txid("t"), lambda: next(changes)),
            *(
                lambda: Stream(f"{embedded_url}-2").head(),
                lambda: other.messages.insert(message(2)),
            ),
            *(lambda: other.live(other.messages), lambda: other.messages.as_query().fetch()),
        ]
        for call in refused:
            with pytest.raises(StreamDBError, match="called by a function of a query"):
                list(db.live(db.messages.map(lambda _, call=call: call())))
            with pytest.raises(StreamDBError, match="called by a function of a query"):
                db.messages.map(lambda _, call=call: call()).fetch()
        calls = iter([int, *refused[:2]])
        later = db.live(db.messages.map(lambda _: next(calls)()))
        db.messages.insert(message(2)).synced(20)  # now it is called on streamdb's own thread
        assert isinstance(later.error, WouldDeadlock)
        assert (db.status, other.status, len(live)) == ("live", "live", 2)


def test_a_function_of_a_query_does_not_wait_for_a_write() -> None:
    tx = Transaction(Outcome("t1"), check_may_wait)
    tx._outcome.status = "queued"
    with running_functions, pytest.raises(WouldDeadlock, match="waiting for a transaction"):
        tx.result()


def test_threads_make_read_and_drop_queries_while_commits_come(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        pairs = db.live(db.messages.join(db.messages, on=lambda a, b: a.id == b.id))
        faults: list[Any] = []
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                try:
                    live = db.live(db.messages.where(lambda m: m.content != "7"))
                    derived = db.live(live.map(lambda m: m.content))
                    with db.snapshot():
                        if len(live) != len(derived) or len(pairs) != len(db.messages):
                            faults.append("torn")
                    del live
                    if gc.get_count()[0] % 7 == 0:
                        gc.collect(0)  # what was dropped is young
                    list(derived), derived.keys()
                except Exception as error:  # noqa: BLE001 - told by the test
                    faults.append(error)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(40):
            db.messages.upsert(message(number % 9, str(number % 10))).synced(20)
        stop.set()
        for thread in threads:
            thread.join(20)
        assert faults == []
        assert len(pairs) == 9
