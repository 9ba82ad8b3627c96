"""Commits: all collections at once, for whoever looks; and what is done about invalid events."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.chat_schema import (
    AsyncChat,
    Chat,
    Message,
    Profile,
    message,
    messages,
    profiles,
    sensor,
    sensors,
)
from tests.runtime.db.torn_views import torn_views

from streamdb import AsyncStream, InvalidEvent, InvalidEventError, LocalCollection, TxidTimeout


def test_readers_in_other_threads_never_see_half_a_batch(embedded_url: str) -> None:
    """ATOM-2, ATOM-4: whichever collection is read first, the other is never behind it."""
    db = AsyncChat(embedded_url)

    def counts() -> list[int]:
        return [len(db.messages), len(db.sensors), len(db.messages)]

    torn = torn_views(db, counts, lambda seen: seen != sorted(seen), commits=2000)
    assert torn == []


async def test_observers_see_all_collections_at_the_same_commit(url: str) -> None:
    """ATOM-2: whoever is told first finds the others moved on, the waiters' ids included."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        seen: list[tuple[str, int, int]] = []

        def look(name: str) -> None:
            seen.append((name, len(db.messages), len(db.sensors)))

        db.messages.subscribe(lambda _: look("messages"))
        db.sensors.subscribe(lambda _: look("sensors"))
        for number in range(3):
            await stream.append_many(
                [
                    sensors.insert(sensor(number), txid=f"t{number}"),
                    messages.insert(message(number)),
                ]
            )
            await db.await_txid(f"t{number}")
        assert seen == [(name, n, n) for n in (1, 2, 3) for name in ("messages", "sensors")]


INVALID: list[Any] = [
    {"type": "sensor", "key": "9", "value": {"id": 9}, "headers": {"operation": "insert"}},
    {"type": "sensor", "key": "x", "value": {}, "headers": {"operation": "insert", "txid": "bad"}},
    "no event",
]


async def with_invalid(url: str) -> AsyncStream:
    stream = await AsyncStream.create(url)
    await stream.append_many([messages.insert(message(1)), sensors.insert(sensor(9), txid="ok")])
    await stream.append_many([*INVALID, messages.insert(message(2)), {"headers": {}}])
    return stream


async def test_invalid_events_are_reported_and_skipped(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """INVALID-2 to INVALID-5: the value before stays, and other types and later events go on."""
    caplog.set_level(logging.WARNING, "streamdb.state")
    async with await with_invalid(url), AsyncChat(url) as db:
        assert db.messages.keys() == ["1", "2"]
        assert list(db.sensors) == [sensor(9)]
        assert db.metrics.invalid == 4
        reports = db.invalid_events
        assert [(r.type, r.key, r.pointer) for r in reports] == [
            ("sensor", "9", "/value"),
            ("sensor", "x", "/key"),
            (None, None, ""),
            (None, None, "/headers/operation"),
        ]
        assert {report.offset for report in reports} == {db.offset}
        assert str(reports[1]) == (
            f"invalid sensor event 'x' before offset {db.offset}: /key: the key 'x' is no integer"
        )
        assert len(caplog.records) == 4
        assert f"{db.url}: {reports[1]}; it is skipped" in caplog.text
        await db.await_txid("bad")  # TXID-5


async def test_a_report_is_one_line_of_bounded_length(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Streams are data: a type, a key or a name may be anything, and logs are read by people."""
    odd = "x\nERROR forged\x1b[2J" * 1000
    events: list[Any] = [
        {"type": odd, "key": odd, "value": 1, "headers": {"operation": odd}},
        {
            "type": "message",
            "key": odd,
            "value": {"content": {}},
            "headers": {"operation": "insert"},
        },
    ]
    async with await AsyncStream.create(embedded_url) as stream:
        await stream.append_many(events)
        async with AsyncChat(embedded_url):
            pass
    reports = [record.getMessage() for record in caplog.records]
    assert len(reports) == 2
    assert all(report.isprintable() and len(report) < 3000 for report in reports)


@pytest.mark.parametrize("policy", ["report", "raise", "function", "ignore"])
async def test_a_wrong_timestamp_is_reported_and_the_event_counts(
    embedded_url: str, caplog: pytest.LogCaptureFixture, policy: Any
) -> None:
    """INVALID-7: nothing depends on it, so no policy stops there, and it is not counted."""
    stamps: list[Any] = ["2026-03-01T08:00:00.5+01:00", "2016-12-31T23:59:60Z", "yesterday", 5]
    stamps += [None, "2026-03-01T08:00:00", "2026-03-01 08:00:00Z", "2026-02-30T08:00:00Z"]
    events: list[Any] = [messages.insert(message(100))]
    for key, stamp in enumerate(stamps):
        event = json.loads(messages.insert(message(key)).to_json())
        event["headers"]["timestamp"] = stamp
        events.append(event)
    invalid: dict[str, Any] = {"type": "sensor", "key": "9", "value": 5}
    invalid["headers"] = {"operation": "insert", "timestamp": "yesterday"}
    reports: list[InvalidEvent] = []
    async with await AsyncStream.create(embedded_url) as stream:
        await stream.append_many(events)
        options: Any = {"on_invalid": reports.append if policy == "function" else policy}
        async with AsyncChat(embedded_url, **options) as db:
            assert len(db.messages) == 1 + len(stamps)
            assert (db.metrics.invalid, db.invalid_events) == (0, ())
            if policy != "raise":  # an invalid event is reported once, as that
                await stream.append_many([invalid, messages.delete("0", txid="t")])
                await db.await_txid("t")
                assert db.metrics.invalid == 1
    shown = [str(report) for report in reports if report.is_applied]
    shown += [text for record in caplog.records if "sensor" not in (text := record.getMessage())]
    assert len(shown) == (0 if policy == "ignore" else 6)
    for key, text in enumerate(shown, 2):
        assert f"wrong timestamp of message event '{key}' before offset " in text
        assert "/headers/timestamp: no RFC 3339 instant" in text
    others = [*reports, *caplog.records]
    assert len(others) - len(shown) == (policy in ("function", "report"))


async def test_invalid_events_may_be_ignored(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """INVALID-4."""
    async with await with_invalid(url), AsyncChat(url, on_invalid="ignore") as db:
        assert db.messages.keys() == ["1", "2"]
        assert db.metrics.invalid == 4
        assert caplog.records == []


async def test_invalid_events_may_be_handed_over(embedded_url: str) -> None:
    reports: list[InvalidEvent] = []
    async with (
        await with_invalid(embedded_url),
        AsyncChat(embedded_url, on_invalid=reports.append) as db,
    ):
        assert tuple(reports) == db.invalid_events


async def test_invalid_events_may_stop_the_database(url: str) -> None:
    """INVALID-4, INVALID-6: nothing of the batch is committed, and the position stays before it."""
    async with await AsyncStream.create(url) as stream:
        await stream.append(messages.insert(message(1), txid="ok"))
        async with AsyncChat(url, on_invalid="raise") as db:
            position, changes = db.offset, db.messages.changes()
            await stream.append(
                {"type": "undeclared", "key": "k", "headers": {"operation": "delete"}}
            )
            await stream.append_many([messages.insert(message(2)), *INVALID])
            with pytest.raises(
                InvalidEventError, match=r"invalid sensor event '9' .*: /value:"
            ) as caught:
                await anext(changes)
            error = caught.value
            assert (error.type, error.key, error.pointer) == ("sensor", "9", "/value")
            assert error.url == db.url
            assert error.offset > position
            assert error.reason in str(error)
            assert db.messages.keys() == ["1"]
            assert db.status == "error"
            assert db.offset >= position
            await db.await_txid("ok")
        with pytest.raises(InvalidEventError):
            async with AsyncChat(url, on_invalid="raise"):
                pass


async def test_what_is_handed_over_may_raise_and_stops_nothing(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(event: InvalidEvent) -> None:
        raise ZeroDivisionError(str(event))

    async with await with_invalid(embedded_url), AsyncChat(embedded_url, on_invalid=refuse) as db:
        assert (db.messages.keys(), db.status) == (["1", "2"], "live")
    assert caplog.text.count("a callback raised") == len(db.invalid_events)


async def test_a_blocking_database_hands_over_where_its_callbacks_are(embedded_url: str) -> None:
    """So the function may wait for a write, as the class promises for callbacks."""
    handed_over = threading.Event()

    def answer(event: InvalidEvent) -> None:
        db.messages.upsert(message("answer")).result(10)
        handed_over.set()

    async with await with_invalid(embedded_url):
        db = Chat(embedded_url, on_invalid=answer)
        await asyncio.to_thread(db.preload)
        assert await asyncio.to_thread(handed_over.wait, 10)
        await asyncio.to_thread(db.close)


async def test_the_error_that_ended_a_database_stays_after_closing(url: str) -> None:
    async with await with_invalid(url):
        db = AsyncChat(url, on_invalid="raise")
        with pytest.raises(InvalidEventError) as caught:
            await db.preload()
        await db.aclose()
        assert (db.status, db.error) == ("closed", caught.value)
        with pytest.raises(InvalidEventError):
            await anext(db.messages.changes())


async def test_metrics_are_of_the_committed_state_and_the_callers_own(url: str) -> None:
    async with await with_invalid(url), AsyncChat(url) as db:
        before = db.metrics
        before.undeclared["mine"] = 1
        await db.messages.insert(message(7)).synced()
        assert "mine" not in db.metrics.undeclared
        assert db.metrics.events == before.events + 1


async def test_a_report_of_a_merging_collection_does_not_quote_content(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        odd = {"id": "u", "name": "U", "plan": "s3cret"}
        headers = {"operation": "insert"}
        await stream.append({"type": "profile", "key": "u", "value": odd, "headers": headers})
        await stream.append(messages.insert(message(1), txid="t"))
        await db.await_txid("t")
        assert [event.pointer for event in db.invalid_events] == ["/value/plan"]
        assert "s3cret" not in caplog.text + str(db.invalid_events)


async def test_undeclared_types_are_counted_under_any_policy(url: str) -> None:
    """TYPE-1, and their txids are recorded."""
    undeclared = {"key": "k", "value": 1, "headers": {"operation": "insert", "txid": "t"}}
    async with await AsyncStream.create(url) as stream:
        await stream.append_many([{**undeclared, "type": type_} for type_ in ("x", "y", "x")])
        async with AsyncChat(url, on_invalid="raise") as db:
            assert (db.metrics.undeclared, db.metrics.events) == ({"x": 2, "y": 1}, 3)
            await db.await_txid("t")


async def test_merging_collections(url: str) -> None:
    """UPDATE-4."""

    def part(operation: str, **value: Any) -> dict[str, Any]:
        headers = {"operation": operation, "txid": operation}
        return {"type": "profile", "key": "a", "value": value, "headers": headers}

    async with await AsyncStream.create(url) as stream:
        await stream.append(part("insert", name="Ada"))
        async with AsyncChat(url) as db:
            await stream.append_many([part("update", city="London"), part("upsert", name="A.")])
            await db.await_txid("upsert")
            assert list(db.profiles) == [Profile(id="a", name="A.", city="London")]
            await stream.append_many([profiles.delete("a"), part("insert", name="New")])
            await stream.append(profiles.insert(Profile(id="b", name="B"), txid="end"))
            await db.await_txid("end")
            assert db.profiles["a"] == Profile(id="a", name="New")


async def test_txids(url: str) -> None:
    """TXID-2 to TXID-4, TXID-7."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        waiters = [asyncio.create_task(db.await_txid("t", timeout=60)) for _ in range(3)]
        gives_up = asyncio.create_task(db.await_txid("t", timeout=60))
        await asyncio.sleep(0)
        gives_up.cancel()
        await stream.append(messages.insert(message(1), txid="t"))
        await asyncio.gather(*waiters)
        assert len(db.messages) == 1, "the state shows the effect"
        await db.await_txid("t", timeout=0)
        with pytest.raises(TxidTimeout) as caught:
            await db.await_txid("never", timeout=0.01)
        assert str(caught.value) == (
            f"txid 'never' did not come back within 0.01 s (url {db.url}, status live, "
            f"offset {db.offset}, last seen: t)"
        )
        assert db._state.txids._waiting == {}


async def test_a_callback_that_fails_at_once_stays_registered(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """``initial=True`` calls it within `subscribe`: what it raises is logged as ever."""
    calls: list[int] = []

    def fail(changes: object) -> None:
        calls.append(1)
        raise ZeroDivisionError

    async with await AsyncStream.create(url) as stream:
        await stream.append(messages.insert(message(1)))
        async with AsyncChat(url) as db:
            db.messages.subscribe(fail, initial=True)
            await db.messages.insert(message(2)).synced()
    assert len(calls) == 2
    assert caplog.text.count("a callback raised") == 2


async def test_callbacks_are_in_no_block_of_who_writes(tmp_path: Path) -> None:
    """As in the blocking form, where they are on another thread."""
    urls = [f"embedded:{tmp_path / 'streams.db'}#{name}" for name in ("one", "other")]
    async with AsyncChat(urls[0], create=True) as db, AsyncChat(urls[1], create=True) as other:
        seen: list[list[str]] = []
        rows = LocalCollection(Message, key="id")
        for watched in (db.messages, rows):
            watched.subscribe(lambda _: seen.append(db.messages.keys()))
            watched.subscribe(lambda _: other.sensors.insert(sensor(len(other.sensors))))

        def write_and_raise() -> None:
            with db.snapshot(), other.transaction():
                db.messages.insert(message(1))
                rows.insert(message(1))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            write_and_raise()
        assert seen == [["1"], ["1"]]
        assert other.sensors.keys() == [0, 1]
