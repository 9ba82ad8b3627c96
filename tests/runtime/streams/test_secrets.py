"""Headers and addresses: what is sent, and what never shows."""

import asyncio
import itertools
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from contextvars import ContextVar
from typing import Any

import httpx
import pytest
from tests.faults import Busy, CutAnswer, Proxy, Refuse, proxy
from tests.runtime.streams.conftest import Opener

from streamdb import (
    AsyncStream,
    BadAddress,
    BadHeader,
    ConnectionFailed,
    HandleClosed,
    RetryPolicy,
    Stream,
    StreamError,
)
from streamdb.streams.loop_thread import shared_loop_thread
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
        shown = "".join(traceback.format_exception(caught.value))
        assert SECRET not in shown + caplog.text


@pytest.mark.parametrize("value", [7, None, b"bytes"])
async def test_a_value_that_is_no_text(open_stream: Opener, value: object) -> None:
    given: Callable[[], object] = lambda: value  # noqa: E731
    with pytest.raises(BadHeader, match="and not text"):
        await open_stream("connect", "http://127.0.0.1:1/s", headers={"X-Count": given})


@pytest.mark.parametrize("where", ["headers", "params"])
@pytest.mark.parametrize("fault", [StopIteration(SECRET), KeyError(SECRET), BadHeader(SECRET)])
async def test_a_failing_function_ends_the_call_by_name(
    open_stream: Opener, caplog: pytest.LogCaptureFixture, where: str, fault: Exception
) -> None:
    def token() -> str:
        raise fault

    caplog.set_level(logging.DEBUG)
    named = BadHeader if where == "headers" else BadAddress
    with pytest.raises(
        named, match=f"'token': its function failed with {type(fault).__name__}"
    ) as (caught):
        await open_stream("connect", "http://127.0.0.1:1/s", **{where: {"token": token}})
    assert caught.value.__cause__ is fault
    assert SECRET not in str(caught.value) + caplog.text


@pytest.mark.parametrize("fault", [OSError(SECRET), TimeoutError(), httpx.ConnectError(SECRET)])
async def test_a_function_whose_fault_may_pass_is_asked_again(
    server: Serving,
    name: str,
    open_stream: Opener,
    caplog: pytest.LogCaptureFixture,
    fault: Exception,
) -> None:
    caplog.set_level(logging.DEBUG)
    answers: Iterator[Exception | str] = iter([fault, "fresh"])

    def token() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    await open_stream("create", server.url + name, headers={"X-Token": token}, retry=QUICK)
    assert f"header 'X-Token': its function failed with {type(fault).__name__}" in caplog.text
    assert SECRET not in caplog.text


async def test_an_async_function_that_stays_out_of_reach() -> None:
    async def token() -> str:
        raise TimeoutError

    async with AsyncStream(
        "http://127.0.0.1:1/s", headers={"X-Token": token}, retry=QUICK
    ) as stream:
        with pytest.raises(ConnectionFailed, match="failed with TimeoutError; gave up after 3"):
            await stream.head()


async def test_a_plain_function_is_called_on_the_loop_of_an_asyncio_user(
    server: Serving, name: str
) -> None:
    threads: list[threading.Thread] = []

    def token() -> str:
        threads.append(threading.current_thread())
        return "t"

    async with await AsyncStream.create(server.url + name, headers={"X-Token": token}):
        pass
    assert threads == [threading.current_thread()]


def test_a_plain_function_may_block_under_a_blocking_database(server: Serving, name: str) -> None:
    """On the shared loop it would stall all databases; so would StopIteration, in a future."""
    loop = shared_loop_thread()
    variable: ContextVar[str] = ContextVar("variable")
    answers = iter([])  # type: ignore[var-annotated] # it is empty, that is the point

    def token() -> str:
        assert loop.run(asyncio.sleep(0, "alive"), timeout=10) == "alive"
        return variable.get()

    async def create(token: Callable[[], str]) -> None:
        variable.set("copied")
        async with await AsyncStream.create(server.url + name, headers={"X-Token": token}):
            pass

    loop.run(create(token), timeout=10)
    with pytest.raises(BadHeader, match="its function failed"):
        loop.run(create(lambda: next(answers)), timeout=10)


async def test_parameters_of_the_options(
    server: Serving, name: str, open_stream: Opener
) -> None:  # CLIENT-10, CLIENT-11
    numbers = itertools.count(1)
    async with proxy(server.url) as between:
        params: dict[str, Any] = {"tenant": "a&b é", "key": lambda: f"k{next(numbers)}"}
        address = between.url(name, query="key=old&z=1")
        stream = await open_stream("create", address, params=params)
        await stream.append(1)
        await stream.aclose()
    heads = [head for head in between.heads if b" HTTP/" in head]  # a body may come by itself
    targets = [head.split(b" ")[1].partition(b"?")[2].decode() for head in heads]
    assert targets == [f"key=k{n}&tenant=a%26b+%C3%A9&z=1" for n in (1, 2)]


@pytest.mark.parametrize("reserved", ["offset", "live", "cursor"])
@pytest.mark.parametrize("address", ["http://127.0.0.1:1/s", "embedded:a.db#s"])
async def test_parameters_of_the_protocol_are_refused(
    open_stream: Opener, address: str, reserved: str
) -> None:
    with pytest.raises(BadAddress, match=f"'{reserved}' belongs to the protocol"):
        await open_stream("connect", address, params={reserved: "1"})


@pytest.mark.parametrize("value", [7, None, "\ud800"])
async def test_a_parameter_that_cannot_be_sent(open_stream: Opener, value: object) -> None:
    with pytest.raises(BadAddress, match="parameter 'x': its value"):
        await open_stream("connect", "http://127.0.0.1:1/s", params={"x": value})


async def test_an_async_client_of_the_caller_is_used_and_left_open(
    server: Serving, name: str
) -> None:
    async with httpx.AsyncClient(headers={"X-Client": "mine"}) as client:
        async with proxy(server.url) as between:
            address = between.url(name)
            async with await AsyncStream.create(address, client=client, body=[1]):
                pass
            async with await AsyncStream.connect(address, client=client) as stream:
                assert [batch.data async for batch in stream.read()] == [b"[1]"]
        assert sent(between, "x-client") == ["mine"] * 3
        assert not client.is_closed
    with pytest.raises(HandleClosed, match="the httpx client that was handed in is closed"):
        await AsyncStream.connect(address, client=client)


def test_a_client_of_the_caller_is_used_and_left_open(server: Serving, name: str) -> None:
    asked: list[str] = []
    hooks = {"request": [lambda request: asked.append(request.method)]}
    with httpx.Client(event_hooks=hooks) as client:  # type: ignore[arg-type] # any callable will do
        with Stream.create(server.url + name, client=client, body=[1]):
            pass
        with Stream.connect(server.url + name, client=client) as stream:
            assert [batch.data for batch in stream.read()] == [b"[1]"]
        assert asked == ["PUT", "HEAD", "GET"]
        assert not client.is_closed
    with pytest.raises(HandleClosed, match="the httpx client that was handed in is closed"):
        Stream.connect(server.url + name, client=client)


def told(caplog: pytest.LogCaptureFixture) -> str:
    """Return all that was logged, also by the server, which runs in this process too."""
    return "\n".join(caplog.handler.format(record) for record in caplog.records)


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
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert SECRET not in shown
    assert caught.value.url == between.url(name)
    # The libraries below log too: httpx the whole URL of every request.
    assert SECRET not in told(caplog)


@pytest.mark.parametrize("client", [None, httpx.AsyncClient], ids=["direct", "httpx"])
async def test_interruptions_are_logged_without_secrets(
    client: type[httpx.AsyncClient] | None,
    server: Serving,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with (
        AsyncExitStack() as stack,
        await AsyncStream.create(server.url + name, body=[1]) as direct,
        proxy(server.url) as between,
    ):
        address = between.url(name, credentials=f"user:{SECRET}", query=f"token={SECRET}")
        theirs = await stack.enter_async_context(client()) if client else None
        policy = RetryPolicy(initial=0.001)
        async with AsyncStream(address, reconnect=policy, client=theirs) as stream:
            async for batch in stream.read(live="long-poll"):
                if not batch.closed:
                    await between.trouble([Refuse(), Busy(503)])
                    await direct.close_stream()
    assert "trying again in" in told(caplog)
    assert ("HTTP Request: GET http://127.0.0.1" in told(caplog)) == (client is not None)
    assert SECRET not in told(caplog)


def test_a_handle_shows_no_secret() -> None:
    with Stream(f"http://user:{SECRET}@host/s?token={SECRET}", headers={"X": SECRET}) as stream:
        assert repr(stream) == "Stream('http://host/s')"
        assert stream.url == "http://host/s"


async def test_headers_of_answers_stay_out_of_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    """httpcore tells them all at DEBUG: cookies, and redirects that repeat the address."""
    caplog.set_level(logging.DEBUG)
    received = asyncio.Event()

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: /s?token=%s\r\nSet-Cookie: session=%s\r\n"
            b"Content-Length: 0\r\nConnection: close\r\n\r\n" % ((SECRET.encode(),) * 2)
        )
        writer.close()
        received.set()

    async with await asyncio.start_server(redirect, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        address = f"http://127.0.0.1:{port}/s?token={SECRET}"
        async with (
            httpx.AsyncClient() as client,
            AsyncStream(address, client=client) as stream,
        ):
            with pytest.raises(StreamError, match="302"):
                await stream.head()
    assert received.is_set()
    assert "receive_response_headers.complete" in told(caplog)
    assert SECRET not in told(caplog)
