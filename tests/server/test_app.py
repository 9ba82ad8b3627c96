"""The ASGI application as such: every answer's headers, limits, access, leaving and stopping."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from streamdb_server import App, Options, Store, create_app, open_store, serving
from streamdb_server.live import Waiter
from streamdb_server.storage.appending import Append
from streamdb_server.storage.creating import Creation
from streamdb_server.storage.records import StreamRecord

Create = Callable[..., str]

TEXT = {"Content-Type": "text/plain"}


@pytest.mark.parametrize(
    ("method", "query", "status"),
    [
        ("PUT", "", 200),
        ("POST", "", 400),
        ("GET", "", 200),
        ("GET", "?offset=now&live=long-poll", 204),
        ("GET", "?offset=0", 400),
        ("HEAD", "", 200),
        ("PATCH", "", 405),
        ("OPTIONS", "", 204),
        ("DELETE", "", 204),
    ],
)
def test_every_answer_is_protected_sec_6_7_9(
    client: httpx.Client, create: Create, method: str, query: str, status: int
) -> None:
    answer = client.request(method, create() + query, headers=TEXT | {"Origin": "http://a.test"})
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Stream-Next-Offset", "stream-sse-data-encoding", "Stream-TTL", "Location"} <= {
        *exposed
    }


def test_sse_is_protected_too_sec_6(client: httpx.Client, create: Create) -> None:
    path = create(Stream_Closed="true")
    answer = client.get(path, params={"offset": "-1", "live": "sse"})
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_preflight_allows_the_protocol_sec_9(client: httpx.Client, path: str) -> None:
    answer = client.options(path)
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Content-Type", "Authorization", "Producer-Id", "Stream-Closed"} <= {*allowed}


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "PROPFIND"])
def test_other_methods_server_1(client: httpx.Client, path: str, method: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/stream/__ds/subscriptions/a",  # SERVER-13
        "/v1/stream/__ds",
        "/v1/stream/",
        "/v1/stream",
        "/",
        "/v1/streams/a",
        "/%5f%5fds",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_paths_that_are_no_streams_ext_2(client: httpx.Client, method: str, path: str) -> None:
    assert client.request(method, client.base_url.join(path)).status_code == 404


@pytest.mark.parametrize("path", ["a/%2e%2e/b", "a/%2e/b", "%2e%2e/__ds/x"])
def test_no_traversal_sec_2(client: httpx.Client, path: str) -> None:
    assert client.put(path, headers=TEXT).status_code == 400


@pytest.mark.parametrize("name", ["ü/€", "a b", "a%25b", "semi;colon", "q%3Fx", "x" * 2000])
def test_any_other_path_is_a_stream_model_1(client: httpx.Client, name: str) -> None:
    assert client.put(name, headers=TEXT, content=name.encode()).status_code == 201
    assert client.get(name).content == name.encode()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[httpx.Client]:
    options = Options(max_body_bytes=10, token="sécret")
    with (
        serving(tmp_path / "streams.db", options=options) as server,
        httpx.Client(
            base_url=server.url, headers={"Authorization": "Bearer sécret".encode()}
        ) as client,
    ):
        yield client


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_too_large_append_14_server_16(small: httpx.Client, chunked: bool) -> None:
    def body(size: int) -> bytes | Iterator[bytes]:
        return iter([b"x"] * size) if chunked else b"x" * size

    assert small.put("s", headers=TEXT, content=body(11)).status_code == 413
    assert small.put("s", headers=TEXT, content=body(10)).status_code == 201
    assert small.post("s", headers=TEXT, content=body(11)).status_code == 413
    assert small.get("s").content == b"x" * 10


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer secret", "Basic sécret", "sécret"])
def test_without_the_token_nothing_happens_sec_1(small: httpx.Client, value: str) -> None:
    small.put("s", headers=TEXT)
    for method in ("GET", "PUT", "POST", "HEAD", "DELETE"):
        answer = small.request(method, "s", headers=TEXT | {"Authorization": value.encode()})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "sécret" not in answer.text
    assert small.head("s").status_code == 200


def test_with_a_token_answers_are_private_cache_1(small: httpx.Client) -> None:
    small.put("s", headers=TEXT, content=b"x")
    assert small.get("s").headers["Cache-Control"].startswith("private")
    assert "sécret" not in repr(Options(token="sécret"))
    without = small.build_request("OPTIONS", "s")
    del without.headers["Authorization"]
    assert small.send(without).status_code == 204


# Below, the application is driven without a server, as the in-process transport does.


class Call:
    """One request under way."""

    def __init__(self, app: App, path: str, query: str) -> None:
        self.scope = {
            "type": "http",
            "method": "GET",
            "path": f"/v1/stream/{path}",
            "query_string": query.encode(),
            "headers": [],
            "scheme": "http",
            "root_path": "",
        }
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.incoming.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        self.sent: asyncio.Queue[Any] = asyncio.Queue()
        self.task = asyncio.create_task(app(self.scope, self.incoming.get, self.sent.put))

    def leave(self) -> None:
        self.incoming.put_nowait({"type": "http.disconnect"})


@asynccontextmanager
async def no_tasks_left() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    assert asyncio.all_tasks() == before


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "streams.db") as store:
        store.create("s", Creation(content_type="text/plain")).result()
        yield store
        assert len(store.hub) == 0


@pytest.fixture
def app(store: Store) -> App:
    return create_app(store, options=Options(long_poll_timeout=3600, sse_lifetime=3600))


async def waiting(store: Store, count: int) -> None:
    while len(store.hub) != count:  # noqa: ASYNC110 - the hub tells nobody who waits
        await asyncio.sleep(0)


@pytest.mark.parametrize("mode", ["long-poll", "sse"])
async def test_a_reader_that_leaves_is_freed_poll_13_sse_20(
    store: Store, app: App, mode: str
) -> None:
    async with no_tasks_left():
        call = Call(app, "s", f"offset=now&live={mode}")
        await waiting(store, 1)
        call.leave()
        await call.task
        assert len(store.hub) == 0


@pytest.mark.parametrize("mode", ["long-poll", "sse"])
async def test_a_cancelled_request_leaves_nothing(store: Store, app: App, mode: str) -> None:
    async with no_tasks_left():
        call = Call(app, "s", f"offset=now&live={mode}")
        await waiting(store, 1)
        call.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call.task
        assert len(store.hub) == 0


@pytest.mark.parametrize("mode", ["long-poll", "sse"])
async def test_no_change_is_missed_between_look_and_wait_server_5(
    store: Store, app: App, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    register = store.watch

    def append_then_register(stream: StreamRecord) -> AbstractContextManager[Waiter]:
        store.append("s", Append(content=b"x", content_type="text/plain", close=True)).result()
        return register(stream)

    monkeypatch.setattr(store, "watch", append_then_register)
    call = Call(app, "s", f"offset=now&live={mode}")
    await call.task  # would wait for an hour
    messages = [call.sent.get_nowait() for _ in range(call.sent.qsize())]
    assert messages[0]["status"] == 200
    assert any(b"x" in message.get("body", b"") for message in messages)


async def test_stopping_releases_readers_server_17(store: Store, app: App) -> None:
    async with no_tasks_left():
        poll, sse = (
            Call(app, "s", "offset=now&live=long-poll"),
            Call(app, "s", "offset=-1&live=sse"),
        )
        await waiting(store, 2)
        app.stop()
        await asyncio.gather(poll.task, sse.task)
        assert (await poll.sent.get())["status"] == 204
        late = Call(app, "s", "offset=now&live=long-poll")
        await late.task
        assert (await late.sent.get())["status"] == 204


async def test_stopping_one_app_leaves_another_on_the_store(store: Store, app: App) -> None:
    other = create_app(store)
    call = Call(app, "s", "offset=now&live=long-poll")
    await waiting(store, 1)
    other.stop()
    await asyncio.to_thread(store.read, "s", 0)
    assert not call.task.done()
    store.append("s", Append(content=b"x", content_type="text/plain")).result()
    await call.task
    assert (await call.sent.get())["status"] == 200


async def test_a_commit_finishes_without_its_caller(store: Store, app: App) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def block(_: object) -> None:
        entered.set()
        assert go_on.wait(20)

    store.write(block)
    await asyncio.to_thread(entered.wait)
    call = Call(app, "s", "")
    call.task.cancel()
    scope = call.scope | {"method": "POST", "headers": [(b"content-type", b"text/plain")]}
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    incoming.put_nowait({"type": "http.request", "body": b"abc", "more_body": False})
    post = asyncio.create_task(app(scope, incoming.get, call.sent.put))
    while not incoming.empty():  # noqa: ASYNC110 - a queue tells nobody when it is empty
        await asyncio.sleep(0)
    for _ in range(10):  # from the body to the queue of the writer there is no wait
        await asyncio.sleep(0)
    post.cancel()
    await asyncio.gather(post, call.task, return_exceptions=True)
    go_on.set()
    store.write(lambda _: None).result()
    page = store.read("s", 0)
    assert page is not None
    assert page.contents == (b"abc",)


def test_readers_on_several_loops_share_a_store(store: Store, app: App) -> None:
    statuses: list[int] = []

    async def poll() -> None:
        call = Call(app, "s", "offset=now&live=long-poll")
        await call.task
        statuses.append((await call.sent.get())["status"])

    threads = [threading.Thread(target=lambda: asyncio.run(poll())) for _ in range(3)]
    for thread in threads:
        thread.start()
    while len(store.hub) < 3:
        pass
    store.append("s", Append(content=b"x", content_type="text/plain")).result()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 3


async def test_a_closed_store_is_told_as_unavailable(tmp_path: Path) -> None:
    store = open_store(tmp_path / "other.db")
    store.create("s", Creation(content_type="text/plain")).result()
    app = create_app(store)
    sse = Call(app, "s", "offset=now&live=sse")
    await waiting(store, 1)
    await asyncio.to_thread(store.close)
    await sse.task  # ends in order
    messages = [sse.sent.get_nowait() for _ in range(sse.sent.qsize())]
    assert messages[-1]["more_body"] is False
    call = Call(app, "s", "")
    await call.task
    assert (await call.sent.get())["status"] == 503


async def test_a_fault_is_logged_and_answered_500(
    store: Store, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    store.write(lambda tx: tx.db.execute("ALTER TABLE appends RENAME TO gone")).result()
    call = Call(app, "s", "secret=1")
    await call.task
    assert (await call.sent.get())["status"] == 500
    assert b"Traceback" not in (await call.sent.get())["body"]
    assert "A GET request failed" in caplog.text


async def test_a_connection_lost_while_sending_is_no_fault(
    store: Store, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: object) -> None:
        raise ConnectionResetError

    call = Call(app, "s", "")
    await app(call.scope, call.incoming.get, broken)
    await call.task
    assert caplog.text == ""


async def test_lifespan_and_websocket_are_answered(app: App) -> None:
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    sent: asyncio.Queue[Any] = asyncio.Queue()
    for kind in ("startup", "shutdown"):
        incoming.put_nowait({"type": f"lifespan.{kind}"})
    await app({"type": "lifespan"}, incoming.get, sent.put)
    assert [sent.get_nowait()["type"] for _ in range(2)] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    await app({"type": "websocket"}, incoming.get, sent.put)
    assert sent.get_nowait()["type"] == "websocket.close"
