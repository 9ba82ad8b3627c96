"""What a program may look at while its database reads, in both forms."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor, sensors

from streamdb import UNSET, AsyncStream, Batch, StreamEvent

ROOT = Path(__file__).parents[3]


def change(type_: str, key: str, operation: str = "insert", **more: Any) -> dict[str, Any]:
    headers = {"operation": operation, **more.pop("headers", {})}
    return {"type": type_, "key": key, "headers": headers, **more}


def control(name: str, **headers: str) -> dict[str, Any]:
    return {"headers": {"control": name, **headers}}


class Told(list[Any]):
    """What observers were told, for tests that wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Event()

    def add(self, item: object) -> None:
        self.append(item)
        self._changed.set()

    async def until(self, is_enough: Callable[[Told], bool]) -> None:
        async with asyncio.timeout(20):
            while not is_enough(self):
                self._changed.clear()
                await self._changed.wait()


EVERYTHING: list[Any] = [
    control("snapshot-start"),
    change(
        "message",
        "m1",
        value={"id": "m1", "later": [1]},
        headers={"txid": "t1", "timestamp": "2026-03-01T08:00:00Z", "from": "web", "x": {"y": 1}},
        traceId=7,
    ),
    change("undeclared", "k", "upsert", value=None),
    control("snapshot-end", offset="0_9"),
    change("sensor", "x", value={"room": 5}),  # its key and value are refused
    change("message", "m1", "delete", old_value={"id": "m1"}),
    "no message",
    change("message", "m2"),  # no value
    {"type": "message", "key": "m2", "value": {}, "headers": {}},
    change("message", "m2", value=json.loads(r'"\ud83d"')),  # half a pair is text
    control("reset"),
]


async def test_every_message_is_handed_over_whole(url: str) -> None:
    """HDR-1, SNAP-1, TYPE-1: unknown headers and fields, control messages, undeclared types."""
    seen: list[StreamEvent] = []
    async with await AsyncStream.create(url) as stream:
        await stream.append_many(EVERYTHING)
        async with AsyncChat(url, on_event=seen.append, on_invalid="ignore") as db:
            offset = db.offset
            assert db.metrics.events == len(EVERYTHING)
    assert [event.operation or event.control for event in seen] == [
        "snapshot-start",
        "insert",
        "upsert",
        "snapshot-end",
        "insert",
        "delete",
        "insert",
        "reset",
    ]
    _, m1, undeclared, snapshot_end, refused, gone, half, _ = seen
    assert (m1.type, m1.key, m1.value) == ("message", "m1", {"id": "m1", "later": [1]})
    assert (m1.txid, m1.timestamp) == ("t1", "2026-03-01T08:00:00Z")
    assert (m1.headers["from"], m1.headers["x"], m1.fields) == ("web", {"y": 1}, {"traceId": 7})
    assert (undeclared.type, undeclared.value, undeclared.old_value) == ("undeclared", None, UNSET)
    assert snapshot_end.headers["offset"] == "0_9"
    assert (snapshot_end.type, snapshot_end.key, snapshot_end.txid) == (None, None, None)
    assert (refused.key, refused.value) == ("x", {"room": 5})
    assert (gone.value, gone.old_value) == (UNSET, {"id": "m1"})
    assert half.value == chr(0xD83D)
    assert {event.offset for event in seen} == {offset}


async def test_an_event_shows_in_the_collections_when_it_is_handed_over(url: str) -> None:
    seen = Told()
    async with await AsyncStream.create(url) as stream:
        await stream.append(messages.insert(message(1)))
        db = AsyncChat(url, on_event=lambda event: seen.add((event.key, db.messages.keys())))
        await db.preload()
        await stream.append(messages.insert(message(2)))
        await seen.until(lambda seen: len(seen) == 2)
        await db.aclose()
    assert seen == [("1", ["1"]), ("2", ["1", "2"])]


async def test_batches_enclose_their_events(url: str) -> None:
    """ATOM-1; and progress counts what was read."""
    told = Told()
    progress: list[tuple[int, int, str]] = []
    async with (
        await AsyncStream.create(url) as stream,
        AsyncChat(
            url,
            on_before_batch=lambda batch: told.add(("before", batch.offset)),
            on_event=lambda event: told.add((event.key, event.offset)),
            on_batch=lambda batch: told.add(("after", batch.offset)),
            on_progress=lambda *numbers: progress.append(numbers),
        ),
    ):
        del told[:], progress[:]
        offsets = [
            (await stream.append_many([messages.upsert(message(n)) for n in keys])).offset
            for keys in ((1, 2), (3,))
        ]
        await told.until(lambda told: ("after", offsets[1]) in told)
    keys = [key for key, _ in told if key not in ("before", "after")]
    assert keys == ["1", "2", "3"]
    first = ("before", told[0][1])
    assert told[0] == first
    for kind, offset in told:
        begin, end = told.index(("before", offset)), told.index(("after", offset))
        assert begin <= told.index((kind, offset)) <= end
    assert progress[-1][0] == 3
    assert progress[-1][2] == offsets[1]
    assert [numbers[1] for numbers in progress] == sorted(numbers[1] for numbers in progress)


async def test_what_is_read_again_is_handed_over_again(url: str) -> None:
    seen = Told()
    async with await AsyncStream.create(url) as stream:
        await stream.append(messages.insert(message("a")))
        db = AsyncChat(url, on_event=lambda event: seen.add(event.key or event.control))
        await db.preload()
        mark = db.offset
        await stream.append(messages.insert(message("b"), txid="b"))
        await db.await_txid("b")
        await stream.append_many([control("reset", offset=mark), messages.insert(message("c"))])
        await seen.until(lambda seen: len(seen) == 7)
        assert db.messages.keys() == ["b", "c"]
        await db.aclose()
    assert seen == ["a", "b", "reset", "c", "b", "reset", "c"]


async def test_what_a_cache_holds_is_not_handed_over_again(url: str, tmp_path: Path) -> None:
    """It was, when it was read."""
    async with await AsyncStream.create(url) as stream:
        for number, expected in enumerate([["0"], ["1"], ["2"]]):
            await stream.append(messages.insert(message(number)))
            seen: list[str | None] = []
            async with AsyncChat(
                url,
                cache=tmp_path / "session.cache",
                on_event=lambda event, seen=seen: seen.append(event.key),
            ) as db:
                assert len(db.messages) == number + 1
            assert seen == expected


@pytest.mark.parametrize("name", ["on_event", "on_before_batch", "on_batch", "on_progress"])
async def test_what_an_observer_raises_is_logged_and_stops_nothing(
    embedded_url: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    async def never(*_: object) -> None: ...

    async with await AsyncStream.create(embedded_url) as stream:
        await stream.append_many([messages.insert(message(1)), messages.insert(message(2))])
        async with AsyncChat(embedded_url, **{name: fail}) as db:
            assert (db.messages.keys(), db.status) == (["1", "2"], "live")
        assert caplog.text.count("a callback raised") >= 1
        with pytest.raises(TypeError, match=f"{name} calls a plain function"):
            AsyncChat(embedded_url, **{name: never})


def test_a_blocking_database_calls_its_observers_where_its_callbacks_are(embedded_url: str) -> None:
    """So they may wait for what the same database writes and reads."""
    threads: set[str] = set()
    seen: list[str | None] = []
    answered = threading.Event()

    def on_event(event: StreamEvent) -> None:
        threads.add(threading.current_thread().name)
        seen.append(event.key)
        if event.key == "1":
            db.sensors.insert(sensor(7)).synced(20)
        answered.set() if event.type == "sensor" else None

    def look(*_: object) -> None:
        threads.add(threading.current_thread().name)

    with Chat(
        embedded_url,
        create=True,
        on_event=on_event,
        on_before_batch=look,
        on_batch=look,
        on_progress=look,
    ) as db:
        db.messages.insert(message(1)).result(20)
        assert answered.wait(20)
    assert seen == ["1", "7"]
    assert threads == {"streamdb-callbacks"}


def test_the_representation_holds_no_content_and_ends() -> None:
    event = StreamEvent.of(
        change(
            "mes\nsage", "k\x1b[2J" * 1000, value={"password": "s3cret"}, headers={"a": "s3cret"}
        ),
        offset="0_1",
    )
    assert repr(event).startswith(r"<StreamEvent insert 'mes\nsage' 'k\x1b[2Jk\x1b[2J")
    assert "s3cret" not in repr(event)
    assert repr(event).isprintable()
    assert len(repr(event)) < 2000
    assert (
        repr(StreamEvent.of(control("reset"), offset="0_1")) == "<StreamEvent reset before '0_1'>"
    )


async def test_a_page_of_any_size_leaves_others_their_turn(embedded_url: str) -> None:
    """Between two pieces of a page, other tasks run."""
    turns = 0
    stop = asyncio.Event()

    async def others() -> None:
        nonlocal turns
        while not stop.is_set():
            await asyncio.sleep(0)
            turns += 1

    seen = Told()
    async with await AsyncStream.create(embedded_url) as stream:
        await stream.append_many([sensors.insert(sensor(n, "x" * 100)) for n in range(5000)])
        db = AsyncChat(embedded_url, on_event=lambda _: seen.add(turns))
        running = asyncio.create_task(others())
        await db.preload()
        await seen.until(lambda seen: len(seen) == 5000)
        stop.set()
        await running
        await db.aclose()
    assert len(set(seen)) > 5


DRAW = """
import asyncio, sys
from tests.runtime.chat_schema import AsyncChat, Chat
form, url = sys.argv[1:]
if form == "blocking":
    with Chat(url, progress=True) as db:
        print(len(db.sensors))
else:
    async def main():
        async with AsyncChat(url, progress=True) as db:
            print(len(db.sensors))
    asyncio.run(main())
"""


@pytest.mark.parametrize("form", ["async", "blocking"])
async def test_progress_is_drawn_on_standard_error(embedded_url: str, form: str) -> None:
    async with await AsyncStream.create(embedded_url) as stream:
        await stream.append_many([sensors.insert(sensor(n)) for n in range(1500)])
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", DRAW, form, embedded_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert done.stdout == "1500\n"
    assert "loading: 1,500 events, 0.2 MB" in done.stderr


def test_progress_says_what_is_missing(embedded_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    with pytest.raises(ImportError, match=r"progress=True draws with rich: pip install .*progress"):
        AsyncChat(embedded_url, progress=True)


def test_who_observes_nothing_pays_for_nothing(
    embedded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No message is read a second time, as it would be for observers."""

    def fail(part: bytes, *, offset: str) -> Any:
        raise AssertionError("read a second time")

    monkeypatch.setattr("streamdb.db.observers.events_by_piece", fail)
    batches: list[Batch] = []
    with Chat(embedded_url, create=True, on_batch=batches.append) as db:
        db.messages.insert(message(1)).synced(20)
    assert b'"key":"1"' in b"".join(batch.data for batch in batches)
