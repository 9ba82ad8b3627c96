"""Random histories of a stream: the database must equal a fold that a child could check."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.runtime.chat_schema import AsyncChat, Message, Sensor

from streamdb import AsyncStream

KEYS = st.sampled_from(["1", "2", "3", "007", "x"])
OPERATIONS = st.sampled_from(["insert", "update", "upsert", "delete"])
MESSAGES = st.fixed_dictionaries({"content": st.text(max_size=3)})
SENSORS = st.fixed_dictionaries({"room": st.text(max_size=2), "celsius": st.integers(-9, 9)})


def _change(type_: str, key: str, operation: str, value: Any) -> dict[str, Any]:
    return {"type": type_, "key": key, "value": value, "headers": {"operation": operation}}


EVENTS = st.one_of(
    st.builds(_change, st.just("message"), KEYS, OPERATIONS, MESSAGES),
    st.builds(_change, st.just("sensor"), KEYS, OPERATIONS, SENSORS),
    st.builds(_change, st.just("undeclared"), KEYS, OPERATIONS, MESSAGES),
    st.builds(_change, st.just("message"), KEYS, OPERATIONS, st.just({"content": 5})),
    st.sampled_from(
        [
            {"headers": {"control": "reset"}},
            {"headers": {"control": "reset", "offset": "~"}},
            {"headers": {"control": "snapshot-start"}},
            {"headers": {}},
            "nonsense",
        ]
    ),
)
HISTORIES = st.lists(st.lists(EVENTS, min_size=1, max_size=5), max_size=6)


class Naive:
    """The rules of the protocol, one event at a time, in the plainest words."""

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}
        self.sensors: dict[int, Sensor] = {}
        self.invalid = 0

    def apply(self, event: Any) -> None:
        if not isinstance(event, dict) or not event["headers"]:
            self.invalid += 1
        elif "control" in event["headers"]:
            if event["headers"]["control"] == "reset":
                self.messages.clear()
                self.sensors.clear()
        elif event["type"] == "message":
            self._message(event)
        elif event["type"] == "sensor":
            self._sensor(event)

    def _message(self, event: Any) -> None:
        key, value = event["key"], event["value"]
        if event["headers"]["operation"] == "delete":
            self.messages.pop(key, None)
        elif value["content"] == 5:
            self.invalid += 1
        else:
            self.messages[key] = Message(id=key, content=value["content"])

    def _sensor(self, event: Any) -> None:
        key, value = event["key"], event["value"]
        if event["headers"]["operation"] == "delete":
            self.sensors.pop(int(key) if key in ("1", "2", "3") else -1, None)
        elif key not in ("1", "2", "3"):
            self.invalid += 1
        else:
            self.sensors[int(key)] = Sensor(id=int(key), **value)


class Replay:
    """An observer that knows nothing but the changes it is told."""

    def __init__(self) -> None:
        self.rows: dict[Any, Any] = {}

    def __call__(self, changes: Any) -> None:
        assert changes
        assert len({change.key for change in changes}) == len(changes)
        for change in changes:
            assert self.rows.get(change.key) is change.old
            kinds = {(True, False): "insert", (False, False): "update", (False, True): "delete"}
            assert kinds[change.old is None, change.new is None] == change.kind
            if change.new is None:
                del self.rows[change.key]
            else:
                self.rows[change.key] = change.new


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("histories")


_NUMBERS = itertools.count()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=HISTORIES, live=HISTORIES, take_at=st.sets(st.integers(0, 5)))
async def test_state_order_and_observers_equal_a_naive_fold(
    folder: Path, before: list[list[Any]], live: list[list[Any]], take_at: set[int]
) -> None:
    """MAT-*, UPDATE-*, INVALID-2, TYPE-1, RESET-1, RESET-4, SNAP-1; loaded, live, and both."""
    url = f"embedded:{folder / 'h.db'}#{next(_NUMBERS)}"
    naive = Naive()
    end = {"type": "undeclared", "key": "end", "value": 0}
    async with await AsyncStream.create(url) as stream:
        for batch in before:
            await stream.append_many(batch)
        async with AsyncChat(url, on_invalid="ignore", live="long-poll") as db:
            replays = [Replay() for _ in range(4)]
            collections: list[Any] = [db.messages, db.sensors]
            for collection, replay in zip(collections, replays, strict=False):
                collection.subscribe(replay, initial=True)
            readers = [collection.changes(initial=True) for collection in collections]
            for number, batch in enumerate(live):
                txid = f"t{number}"
                await stream.append_many(
                    [*batch, {**end, "headers": {"operation": "insert", "txid": txid}}]
                )
                if number in take_at:
                    await db.await_txid(txid)
            await stream.append({**end, "headers": {"operation": "insert", "txid": "end"}})
            await db.await_txid("end")
            for event in (event for batch in before + live for event in batch):
                naive.apply(event)
            assert db.messages.items() == list(naive.messages.items())
            assert db.sensors.items() == list(naive.sensors.items())
            assert db.metrics.invalid == naive.invalid
            assert replays[0].rows == naive.messages
            assert replays[1].rows == naive.sensors
        for reader, replay in zip(readers, replays[2:], strict=True):
            async for changes in reader:
                replay(changes)
        assert replays[2].rows == naive.messages
        assert replays[3].rows == naive.sensors
        async with AsyncChat(url, on_invalid="ignore") as db:
            assert db.messages.items() == list(naive.messages.items())
            assert db.sensors.items() == list(naive.sensors.items())
