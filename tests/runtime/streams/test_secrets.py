"""Headers and addresses: what is sent, and what never shows."""

import itertools
import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from tests.faults import Busy, CutAnswer, Proxy, Refuse, proxy
from tests.runtime.streams.conftest import Opener

from streamdb import AsyncStream, BadHeader, RetryPolicy, Stream, StreamError
from streamdb_server import Serving

SECRET = "sesame-opens"
QUICK = RetryPolicy(attempts=3, initial=0.001, maximum=0.002)


def sent(behind: Proxy, name: str) -> list[str]:
    """Return the values of a header over all requests."""
    lines = b"\r\n".join(behind.heads).decode().splitlines()
    return [line.partition(": ")[2] for line in lines if line.lower().startswith(f"{name}: ")]


async def test_functions_are_asked_for_every_request(
    server: Serving, name: str, open_stream: Opener
) -> None:  # CLIENT-11
    numbers = itertools.count(1)
    async with proxy(server.url) as between:
        headers: dict[str, Any] = {"X-Fixed": "same", "X-Token": lambda: f"t{next(numbers)}"}
        stream = await open_stream("create", between.url(name), headers=headers)
        await stream.append(1)
        await stream.append(2)
        await stream.aclose()
    assert sent(between, "x-token") == ["t1", "t2", "t3"]
    assert sent(between, "x-fixed") == ["same"] * 3


async def test_functions_may_be_async(server: Serving, name: str) -> None:
    async def token() -> str:
        return "fresh"

    async with proxy(server.url) as between:
        headers = {"Authorization": token}
        async with await AsyncStream.create(between.url(name), headers=headers):
            pass
    assert sent(between, "authorization") == ["fresh"]


def test_an_async_function_is_of_no_use_to_blocking_code() -> None:
    async def token() -> str:
        raise AssertionError

    with (
        pytest.raises(BadHeader, match="'Authorization' is an async function: use AsyncStream"),
        Stream("http://127.0.0.1:1/s", headers={"Authorization": token}) as stream,
    ):
        stream.head()


async def test_headers_of_the_protocol_win_in_any_case(server: Serving, name: str) -> None:
    async with proxy(server.url) as between:
        headers = {"content-type": "text/plain", "CONTENT-TYPE": "image/png"}
        async with await AsyncStream.create(between.url(name), headers=headers) as stream:
            await stream.append(1)
    assert sent(between, "content-type") == ["application/json"] * 2


async def test_own_parameters_are_kept_and_sorted(server: Serving, name: str) -> None:
    """CLIENT-10, QUERY-2."""
    async with proxy(server.url) as between:
        address = between.url(name, query="z=%26&key=" + SECRET)
        async with await AsyncStream.create(address, body=[1]) as stream:
            assert [batch.data async for batch in stream.read()] == [b"[1]"]
    target = between.heads[-1].split(b" ")[1]
    assert target.partition(b"?")[2] == b"key=sesame-opens&offset=-1&z=%26"


@pytest.mark.parametrize(
    "value",
    [SECRET + "\n", "a\r\nX-Forged: " + SECRET, SECRET + "é", " " + SECRET, "\x00" + SECRET],
)
async def test_a_value_that_cannot_be_sent_is_not_shown(
    open_stream: Opener, caplog: pytest.LogCaptureFixture, value: str
) -> None:
    caplog.set_level(logging.DEBUG)
    for given in (value, lambda: value):
        with pytest.raises(BadHeader, match="'Authorization'") as caught:
            await open_stream("connect", "http://127.0.0.1:1/s", headers={"Authorization": given})
        told = "".join(traceback.format_exception(caught.value))
        assert SECRET not in told + caplog.text


@pytest.mark.parametrize("value", [7, None, b"bytes"])
async def test_a_value_that_is_no_text(open_stream: Opener, value: object) -> None:
    given: Callable[[], object] = lambda: value  # noqa: E731
    with pytest.raises(BadHeader, match="and not text"):
        await open_stream("connect", "http://127.0.0.1:1/s", headers={"X-Count": given})


def test_a_failing_function_fails_the_call(server: Serving, name: str) -> None:
    """Also where its exception is one that generators end with."""
    spent = iter(())
    for token in (lambda: next(spent), lambda: {}["spent"]):
        stream = Stream(server.url + name, headers={"Authorization": token})
        with stream, pytest.raises((StopIteration, KeyError)):
            stream.head()


def told_by_client(caplog: pytest.LogCaptureFixture) -> str:
    """Return all that was logged, but by the server, which runs in this process too."""
    records = [record for record in caplog.records if not record.name.startswith("uvicorn")]
    return "\n".join(caplog.handler.format(record) for record in records)


@pytest.mark.parametrize(
    "faults", [[], [Refuse()] * 9, [Busy(500)] * 9, [Busy(401)], [CutAnswer(20)] * 9]
)
async def test_no_secret_in_any_message(
    server: Serving,
    name: str,
    open_stream: Opener,
    caplog: pytest.LogCaptureFixture,
    faults: list[Refuse | Busy | CutAnswer],
) -> None:
    caplog.set_level(logging.DEBUG)
    options = {"headers": {"X-Key": SECRET}, "retry": QUICK, "reconnect": QUICK}
    async with proxy(server.url, faults) as between:
        address = between.url(name, credentials=f"user:{SECRET}", query=f"token={SECRET}")
        with pytest.raises(StreamError) as caught:  # if only because there is no such stream
            await open_stream("connect", address, **options)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert SECRET not in told
    assert caught.value.url == between.url(name)
    # The libraries below log too: httpx the whole URL of every request.
    assert SECRET not in told_by_client(caplog)


async def test_interruptions_are_logged_without_secrets(
    server: Serving, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with (
        await AsyncStream.create(server.url + name, body=[1]) as direct,
        proxy(server.url) as between,
    ):
        address = between.url(name, credentials=f"user:{SECRET}", query=f"token={SECRET}")
        async with AsyncStream(address, reconnect=RetryPolicy(initial=0.001)) as stream:
            async for batch in stream.read(live="long-poll"):
                if not batch.closed:
                    await between.trouble([Refuse(), Busy(503)])
                    await direct.close_stream()
    assert "reading on in" in told_by_client(caplog)
    assert "HTTP Request: GET http://127.0.0.1" in told_by_client(caplog)
    assert SECRET not in told_by_client(caplog)


def test_a_handle_shows_no_secret() -> None:
    with Stream(f"http://user:{SECRET}@host/s?token={SECRET}", headers={"X": SECRET}) as stream:
        assert repr(stream) == "Stream('http://host/s')"
        assert stream.url == "http://host/s"
