"""Random histories over all faults, and that they fail where the client's logic is broken.

The long form is `python -m tests.runtime.streams.fault_campaign`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from tests.campaigns import run_examples
from tests.faults import EndEvents, Fault, Fine, Replay
from tests.runtime.streams import histories
from tests.runtime.streams.histories import (
    BothHistory,
    ReadHistory,
    Reading,
    WriteHistory,
    Writing,
    both_histories,
    history_server,
    in_a_hurry,
    judge_both,
    judge_read,
    judge_write,
    read_histories,
    write_histories,
)

from streamdb.protocol import calling, read_doubts, reading, sse_batches
from streamdb.protocol.exchange import Operation, Reply, Request
from streamdb.protocol.parcel import Parcel
from streamdb.protocol.read_position import Position

some = settings(max_examples=25, deadline=None)
_ENOUGH = 300  # histories in which a broken client must fail


@pytest.fixture(scope="module")
def history_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The root of a server for histories, with all waits of the client shortened."""
    with history_server(tmp_path_factory.mktemp("histories")) as server, in_a_hurry():
        yield server.url


@some
@given(read_histories)
def test_what_is_read_is_what_was_written(history_url: str, history: ReadHistory) -> None:
    asyncio.run(judge_read(history_url, history))  # CLIENT-17, CLIENT-19


@some
@given(write_histories)
def test_what_a_producer_loses_is_told(history_url: str, history: WriteHistory) -> None:
    asyncio.run(judge_write(history_url, history))  # CLIENT-31, CLIENT-39


@some
@given(both_histories)
def test_a_reader_reads_what_a_producer_stored(history_url: str, history: BothHistory) -> None:
    asyncio.run(judge_both(history_url, history))


# --- the client without some of its logic


def never_again(*_: object) -> None:
    """Decide that a failed request is not repeated."""


def nothing_wrong(*_: object) -> None:
    """Find no damage in any answer."""


def without_resuming(reply: Reply, position: Position, url: str) -> Operation[sse_batches.Ended]:
    """Follow SSE, and come back to where the connection began instead of to what was delivered."""
    return (yield from deliver_events(reply, position, url))._replace(position=position)


def without_numbers(self: Parcel, producer_id: str, content_type: str) -> Request:
    """Send a batch under no number, as a plain append."""
    request = build_request(self, producer_id, content_type)
    kept = {name: v for name, v in request.headers.items() if not name.startswith("Producer-")}
    return Request("POST", headers=kept, body=request.body)


deliver_events = sse_batches.deliver_events
build_request = Parcel.request

replays: list[Fault] = [Fine(), Fine(), Fine(), Fine(), Replay()]
writing = Writing("async", replays, None, 1, 1, 1, "close")
following = Reading("async", "sse", [Fine(), EndEvents(3), EndEvents(3)])


def often(history: Any) -> SearchStrategy[Any]:
    """Draw one history again and again, where a random one would seldom meet what is broken."""
    return st.integers(0, _ENOUGH).map(lambda _: history)


Judge = Callable[[str, Any], Awaitable[None]]
BROKEN: Mapping[str, tuple[Judge, Any, list[tuple[Any, str, Any]]]] = {
    "no request of a reader is repeated": (
        judge_read,
        read_histories,
        [(calling, "interruption", never_again)],
    ),
    "SSE is resumed elsewhere": (
        judge_read,
        often(ReadHistory("json", following, before=0, step=1)),
        [(reading, "deliver_events", without_resuming)],
    ),
    "damaged answers are taken": (
        judge_read,
        often(ReadHistory("json", Reading("async", "long-poll", replays), before=0, step=1)),
        [(read_doubts, "damage_of_page", nothing_wrong), (sse_batches, "damage_of", nothing_wrong)],
    ),
    "no batch is repeated": (
        judge_write,
        write_histories,
        [(calling, "interruption", never_again)],
    ),
    "batches have no numbers": (
        judge_write,
        write_histories,
        [(Parcel, "request", without_numbers)],
    ),
    "old answers are taken": (
        judge_write,
        often(WriteHistory("json", writing)),
        [(calling, "_is_of_another_batch", lambda request, reply: False)],
    ),
    "a reader of a producer is not resumed": (
        judge_both,
        often(BothHistory("json", following, writing)),
        [(reading, "deliver_events", without_resuming)],
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_client_without_this_fails(
    history_url: str,
    broken: tuple[Judge, Any, list[tuple[Any, str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judge, drawn, patches = broken
    for where, name, replacement in patches:
        monkeypatch.setattr(where, name, replacement)
    monkeypatch.setattr(histories, "LONGEST", 3.0)
    failures: list[Exception] = []

    def fail(history: Any) -> None:
        if not failures:
            try:
                asyncio.run(judge(history_url, history))
            except Exception as failure:  # noqa: BLE001 - a broken client may raise anything
                failures.append(failure)

    run_examples(fail, drawn, count=_ENOUGH, start=1)
    assert failures  # CLIENT-19
