"""Appends of one handle that come at once: whose turn it is, and whom a failure concerns."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from streamdb import Appended, BadHeader
from streamdb.protocol.exchange import Operation, Release
from streamdb.streams.appending import Appends, AsyncAppends, Piece

_MIB = 1024 * 1024


class Requests:
    """Carries requests out: the first one waits until it is let go; some fail before the sending.

    Attributes:
        failures: what is raised instead of a request, by its number.
        begun: how many were begun.
        sent: the values of each that was sent.
    """

    def __init__(self, failures: dict[int, BaseException] | None = None) -> None:
        self.failures = failures or {}
        self.begun = 0
        self.sent: list[list[bytes]] = []
        self.let_go = threading.Event()

    def send(self, texts: Sequence[bytes], _: str | None) -> Operation[Appended]:
        self.sent.append(list(texts))
        yield Release()
        return Appended(str(len(self.sent)))

    def run(self, operation: Operation[None]) -> None:
        number, self.begun = self.begun, self.begun + 1
        self.let_go.wait(60)
        if number in self.failures:
            raise self.failures[number]
        for _ in operation:
            pass

    async def run_async(self, operation: Operation[None]) -> None:
        await asyncio.to_thread(self.run, operation)


@pytest.fixture(params=["async", "blocking"])
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def append_at_once(form: str, requests: Requests, pieces: list[Piece]) -> list[Any]:
    """Append pieces that arrive one after another while the first one is under way."""
    appends: Any
    if form == "async":
        appends = AsyncAppends(requests.run_async, requests.send)
        tasks = [asyncio.ensure_future(appends.append(piece)) for piece in pieces]
    else:
        appends, tasks = Appends(requests.run, requests.send), []
        for number, piece in enumerate(pieces):
            tasks.append(asyncio.ensure_future(asyncio.to_thread(appends.append, piece)))
            await until(lambda: requests.begun > 0 and len(appends._waiting) == number)  # noqa: B023
    await until(lambda: requests.begun > 0)
    requests.let_go.set()
    async with asyncio.timeout(30):
        return await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_request_that_cannot_be_made_concerns_its_own_values_alone(form: str) -> None:
    requests = Requests({1: BadHeader("no token")})
    pieces = [Piece([b"0"]), Piece([b"1"], "a"), Piece([b"2"], "b"), Piece([b"3"]), Piece([b"4"])]
    outcomes = await append_at_once(form, requests, pieces)
    assert [type(one) for one in outcomes] == [Appended, BadHeader, Appended, Appended, Appended]
    assert requests.sent == [[b"0"], [b"2"], [b"3", b"4"]]


async def test_who_shares_a_failure_raises_an_error_of_the_own(form: str) -> None:
    requests = Requests({1: BadHeader("no token")})
    outcomes = await append_at_once(form, requests, [Piece([b"%d" % n]) for n in range(4)])
    errors = outcomes[1:]
    assert [repr(error) for error in errors] == [repr(BadHeader("no token"))] * 3
    assert len({id(error) for error in errors}) == 3
    assert requests.sent == [[b"0"]]


async def test_turns_are_taken_in_the_order_of_arrival(form: str) -> None:  # SEQ-2
    requests = Requests({0: BadHeader("no token")})
    await append_at_once(form, requests, [Piece([b"%d" % n], str(n)) for n in range(5)])
    assert requests.sent == [[b"1"], [b"2"], [b"3"], [b"4"]]


async def test_a_joint_request_has_a_bound(form: str) -> None:
    requests = Requests()
    sizes = [1, 600 * 1024, _MIB - 600 * 1024, 1, 2 * _MIB]
    await append_at_once(form, requests, [Piece([b"x" * size]) for size in sizes])
    sent = [[len(text) for text in texts] for texts in requests.sent]
    assert sent == [[1], [600 * 1024, _MIB - 600 * 1024], [1], [2 * _MIB]]


def test_what_a_thread_was_interrupted_in_sending_is_not_sent_later() -> None:
    requests = Requests({0: KeyboardInterrupt()})
    requests.let_go.set()
    appends = Appends(requests.run, requests.send)
    with pytest.raises(KeyboardInterrupt):
        appends.append(Piece([b"given up"]))
    appends.append(Piece([b"next"]))
    assert requests.sent == [[b"next"]]


def test_what_a_thread_was_interrupted_in_waiting_for_is_not_sent_later() -> None:
    requests = Requests()
    appends = Appends(requests.run, requests.send)
    first = threading.Thread(target=appends.append, args=(Piece([b"first"]),))
    first.start()
    wait_until(lambda: requests.begun == 1)

    def interrupt(main: int) -> None:
        wait_until(lambda: len(appends._waiting) == 1)
        signal.pthread_kill(main, signal.SIGINT)

    interrupting = threading.Thread(target=interrupt, args=(threading.get_ident(),))
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        appends.append(Piece([b"given up"]))
    interrupting.join()
    requests.let_go.set()
    first.join()
    appends.append(Piece([b"next"]))
    assert requests.sent == [[b"first"], [b"next"]]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what other threads do; the test's timeout bounds it."""
    for _ in range(30_000):
        if condition():
            return
        await asyncio.sleep(0.001)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what other threads do, in blocking code."""
    for _ in range(30_000):
        if condition():
            return
        time.sleep(0.001)
