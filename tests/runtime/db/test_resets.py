"""Resets, on real streams, and batch by batch where the cut of batches matters (RESET-*)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from tests.runtime.chat_schema import SCHEMA, AsyncChat, message, messages, sensor, sensors

from streamdb import AsyncStream, BadRequest, Batch, ChangeEvent, InvalidEvent, RetryPolicy
from streamdb.db.state import DatabaseState


def reset(offset: str | None = None) -> dict[str, Any]:
    headers = {"control": "reset"}
    return {"headers": headers if offset is None else {**headers, "offset": offset}}


def add(*keys: str, txid: str | None = None) -> list[ChangeEvent[Any]]:
    return [messages.insert(message(key), txid=txid) for key in keys]


async def test_without_an_offset_reading_goes_on_from_nothing(url: str) -> None:
    """RESET-1, RESET-4, RESET-5: nobody sees the cleared state."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await stream.append_many([*add("a", "b"), sensors.insert(sensor(1), txid="before")])
        await db.await_txid("before")
        seen: list[Any] = []
        db.messages.subscribe(
            lambda changes: seen.append(
                ({(c.kind, c.key) for c in changes}, db.messages.keys(), db.sensors.keys())
            )
        )
        await stream.append_many([*add("c", txid="c"), reset(), *add("b", "d", txid="after")])
        await db.await_txid("after")
        kinds = {("delete", "a"), ("update", "b"), ("insert", "d")}
        assert seen == [(kinds, ["b", "d"], [])]
        await db.await_txid("before", timeout=0)  # RESET-11
        await db.await_txid("c", timeout=0)  # RESET-6
    async with AsyncChat(url) as db:
        assert db.messages.keys() == ["b", "d"]


async def test_with_an_earlier_offset_the_state_is_read_again_from_there(url: str) -> None:
    """RESET-3, RESET-7, RESET-8: the re-read meets the same reset and goes past it."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await stream.append_many(add("a", txid="t-a"))
        mark = (await stream.append_many(add("b"))).offset
        await stream.append_many(add("c", txid="before"))
        await db.await_txid("before")
        commits: list[list[str]] = []
        db.messages.subscribe(lambda _: commits.append(db.messages.keys()))
        waiting = asyncio.create_task(db.await_txid("after", timeout=60))
        await stream.append_many([*add("d"), reset(mark), *add("e", txid="after")])
        await waiting
        assert db.messages.keys() == ["c", "d", "e"]
        assert commits == [["c", "d", "e"]]
        assert db.status == "live"
        await db.await_txid("t-a", timeout=0)  # RESET-11
        await stream.append_many(add("f", txid="more"))
        await db.await_txid("more")
        assert db.messages.keys() == ["c", "d", "e", "f"]


async def test_to_the_very_beginning(url: str) -> None:
    """RESET-2: `-1` is before every other offset."""
    async with await AsyncStream.create(url) as stream:
        await stream.append_many(add("a"))
        await stream.append_many([*add("b"), reset("-1"), *add("c")])
        async with AsyncChat(url) as db:
            assert db.messages.keys() in (["a", "b", "c"], ["c"])  # by how the pages were cut
            await stream.append_many([reset("-1"), *add("d", txid="end")])
            await db.await_txid("end")
            assert db.messages.keys() == ["a", "b", "c", "d"]


async def test_a_restart_that_the_server_refuses_is_fatal(url: str) -> None:
    """RESET-10: it names the reset, and the state before it stays readable."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await stream.append_many(add("a", txid="t"))
        await db.await_txid("t")
        changes = db.messages.changes()
        await stream.append(reset("!"))
        with pytest.raises(BadRequest, match="a reset asks to read again from !, which the server"):
            await anext(changes)
        assert (db.status, db.messages.keys()) == ("error", ["a"])


async def test_a_restart_is_as_patient_as_any_reconnect(http_url: str) -> None:
    """The database was connected before: an outage at that moment is no first contact."""
    outage: list[int] = []

    def token() -> str:
        if outage:
            outage.pop()
            raise OSError("the token service is down")
        return "token"

    impatient = RetryPolicy(attempts=1)
    quick = RetryPolicy(initial=0.001, maximum=0.01)
    async with (
        await AsyncStream.create(http_url) as stream,
        AsyncChat(
            http_url,
            create=True,
            headers={"authorization": token},
            retry=impatient,
            reconnect=quick,
        ) as db,
    ):
        mark = (await stream.append_many(add("a"))).offset
        await stream.append_many(add("b", txid="before"))
        await db.await_txid("before")
        outage += range(5)  # the connection is open: the restart is what asks for a token next
        await stream.append_many([reset(mark), *add("c", txid="end")])
        await db.await_txid("end", timeout=20)
        assert (outage, db.messages.keys(), db.status) == ([], ["b", "c"], "live")


class Tape:
    """A stream as batches: every event has a position, and batches are cut as the test likes."""

    def __init__(self, *events: Any) -> None:
        self.events = [
            event.to_json() if isinstance(event, ChangeEvent) else json.dumps(event).encode()
            for event in events
        ]
        self.state = DatabaseState(SCHEMA, url="tape", report=self._refuse)
        self.seen: list[tuple[str, list[str]]] = []
        self.restarts: list[str] = []
        table = self.state.tables["messages"]
        table.watch(
            lambda _: self.seen.append((self.state.offset, list(table.rows))), lambda _: None
        )

    def _refuse(self, event: InvalidEvent) -> None:
        raise AssertionError(f"no event on this tape is invalid: {event}")

    def play(self, *cuts: int) -> list[str]:
        """Read to the end, in batches that end at the cuts; restart where a reset says so."""
        position, budget = 0, 50
        while position < len(self.events):
            budget -= 1
            assert budget, "it does not end"
            end = next(cut for cut in (*cuts, len(self.events)) if cut > position)
            batch = Batch(
                parts=(b"[" + b",".join(self.events[position:end]) + b"]",),
                offset=offset_of(end),
                cursor=None,
                up_to_date=end == len(self.events),
                closed=False,
                content_type="application/json",
            )
            restart = self.state.take(batch)
            if restart is not None:
                self.restarts.append(restart)
                position = int(restart)
            else:
                position = end
        assert self.state.offset == offset_of(len(self.events))
        return list(self.state.tables["messages"].rows)


def offset_of(position: int) -> str:
    return f"{position:04d}"


@pytest.mark.parametrize(
    ("restart", "expected", "restarts"),
    [
        (None, ["d"], []),
        (offset_of(1), ["b", "c", "d"], [offset_of(1)]),  # before the position
        (offset_of(2), ["d"], []),  # equal
        (offset_of(3), ["d"], []),  # inside the batch
        (offset_of(5), ["d"], []),  # its end: a stamp of the reference server (RESET-9)
        (offset_of(99), ["d"], []),
    ],
)
def test_the_position_is_where_the_batch_was_read_from(
    restart: str | None, expected: list[str], restarts: list[str]
) -> None:
    """RESET-2 to RESET-4, RESET-9; the batch holds c, the reset, and d."""
    tape = Tape(*add("a", "b", "c"), reset(restart), *add("d"))
    assert tape.play(1, 2) == expected
    assert tape.restarts == restarts
    assert tape.seen == [(offset_of(5), expected)], "one commit, at the end of it all"


@pytest.mark.parametrize("cuts", [(2, 4), (2, 3, 4), (1, 2, 3, 4), (3, 5)])
def test_a_restart_is_obeyed_once_however_batches_are_cut(cuts: Sequence[int]) -> None:
    """RESET-8, also where the re-read begins with the batch of the reset."""
    tape = Tape(*add("a", "b", "c"), reset(offset_of(1)), *add("d"))
    assert tape.play(*cuts) == ["b", "c", "d"]
    assert tape.restarts == [offset_of(1)]


def test_a_reset_in_the_batch_that_the_re_read_begins_with() -> None:
    """RESET-8 goes before RESET-4: on the re-read the offset equals the position."""
    tape = Tape(*add("a"), *add("b"), reset(offset_of(1)), *add("c"))

    assert tape.play(1, 2) == ["b", "c"]
    assert tape.restarts == [offset_of(1)]


def test_two_resets_to_the_same_offset() -> None:
    """The second lies behind the end of the first one's batch: it is another reset."""
    tape = Tape(*add("a", "b"), reset(offset_of(1)), *add("c"), reset(offset_of(1)), *add("d"))
    assert tape.play(1, 2, 3, 4, 5) == ["b", "c", "d"]
    assert len(tape.restarts) <= 3


def test_resets_within_resets_end() -> None:
    """RESET-8: each restart is obeyed at most once."""
    tape = Tape(
        *add("a", "b", "c"),
        reset(offset_of(2)),
        *add("d"),
        reset(offset_of(1)),
        *add("e"),
        reset(),
        *add("f"),
        reset(offset_of(8)),
        *add("g"),
    )
    assert tape.play(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) == ["f", "g"]


def test_txids_of_a_load_that_started_over_are_kept() -> None:
    """RESET-6, RESET-11: the txid of `a` lies before the restart and is not met again."""
    tape = Tape(*add("a", txid="t-a"), *add("b"), *add("c"), reset(offset_of(1)), *add("d"))
    waiter = tape.state.txids.wait("t-a")
    tape.play(1, 2)
    assert waiter.done()


def test_nothing_shows_while_a_live_database_reads_again() -> None:
    """RESET-7: readers keep the old state, and the position that belongs to it (ATOM-4)."""
    tape = Tape(*add("a", "b"))
    assert tape.play(1) == ["a", "b"]
    tape.events += Tape(*add("c"), reset(offset_of(0)), *add("d")).events
    state = tape.state
    table = state.tables["messages"]
    batch = Batch((b"[" + b",".join(tape.events[2:]) + b"]",), "0005", None, True, False, "")
    assert state.take(batch) == offset_of(0)
    half = Batch((b"[" + tape.events[0] + b"]",), "0001", None, False, False, "")
    assert state.take(half) is None
    assert (state.is_loading, list(table.rows), state.offset) == (True, ["a", "b"], "0002")
    rest = Batch((b"[" + b",".join(tape.events[1:]) + b"]",), "0005", None, True, False, "")
    assert state.take(rest) is None
    assert (list(table.rows), state.offset) == (["a", "b", "c", "d"], "0005")


@pytest.mark.parametrize("end", [1, 2, 3])
def test_what_is_read_again_does_not_show_before_it_has_come_as_far_as_reading_had(
    end: int,
) -> None:
    """RESET-7: an answer that a proxy gives once more says that it is up to date."""
    tape = Tape(*add("a", "b"))
    tape.play()
    tape.events += Tape(reset("-1"), *add("c")).events
    state = tape.state
    table = state.tables["messages"]
    page = b"[" + b",".join(tape.events) + b"]"
    assert state.take(Batch((page,), "0004", None, True, False, "")) == "-1"
    old = b"[" + b",".join(tape.events[:end]) + b"]"
    assert state.take(Batch((old,), offset_of(end), None, True, False, "")) is None
    assert (state.is_loading, list(table.rows), state.offset) == (True, ["a", "b"], "0002")
    rest = Batch((b"[" + b",".join(tape.events[end:]) + b"]",), "0004", None, True, False, "")
    assert state.take(rest) is None
    assert (state.is_loading, list(table.rows), state.offset) == (False, ["a", "b", "c"], "0004")
