"""GET with `live=long-poll` (section 13). Waits end by events; only timeouts take time."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from streamdb_server import Serving
from streamdb_server.storage.creating import Creation

Create = Callable[..., str]

TEXT = {"Content-Type": "text/plain"}
CLOSE = {"Stream-Closed": "true"}


@pytest.fixture
def poll(client: httpx.Client, path: str) -> Callable[..., httpx.Response]:
    def poll_stream(offset: str, cursor: str | None = None) -> httpx.Response:
        params = {"offset": offset, "live": "long-poll"}
        return client.get(path, params=params | ({"cursor": cursor} if cursor else {}))

    return poll_stream


def tail(client: httpx.Client, path: str) -> str:
    return client.head(path).headers["Stream-Next-Offset"]


def test_data_that_is_there_is_answered_at_once_poll_2_5(
    client: httpx.Client, create: Create, poll: Callable[..., httpx.Response]
) -> None:
    path = create(content=b"abc")
    answer = poll("-1")
    assert (answer.status_code, answer.content) == (200, b"abc")
    assert answer.headers["Stream-Up-To-Date"] == "true"
    assert answer.headers["Stream-Next-Offset"] == tail(client, path)
    assert answer.headers["Stream-Cursor"].isdecimal()
    assert "ETag" in answer.headers


@pytest.mark.parametrize("offset", ["tail", "now"])
def test_timeout_poll_3_4_11_now_2(
    client: httpx.Client, create: Create, poll: Callable[..., httpx.Response], offset: str
) -> None:
    path = create(content=b"abc")
    answer = poll(tail(client, path) if offset == "tail" else offset)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Stream-Next-Offset"] == tail(client, path)
    assert answer.headers["Stream-Up-To-Date"] == "true"
    assert answer.headers["Stream-Cursor"].isdecimal()
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Stream-Closed" not in answer.headers


class Waiting:
    """A long-poll under way in another thread, on a server that waits for ever."""

    def __init__(self, client: httpx.Client, server: Serving, pool: ThreadPoolExecutor) -> None:
        self.client, self.server, self.pool = client, server, pool

    def begin(self, path: str, offset: str) -> Future[httpx.Response]:
        params = {"offset": offset, "live": "long-poll"}
        before = len(self.server.store.hub)
        answer = self.pool.submit(self.client.get, path, params=params)
        while len(self.server.store.hub) == before:
            assert not answer.done(), answer.result().text
        return answer


@pytest.fixture
def waiting(patient: tuple[Serving, httpx.Client]) -> Iterator[Waiting]:
    server, client = patient
    with ThreadPoolExecutor(2) as pool:
        yield Waiting(client, server, pool)


@pytest.mark.parametrize("offset", ["tail", "now"])
def test_data_that_arrives_poll_3_now_2(waiting: Waiting, path: str, offset: str) -> None:
    client = waiting.client
    client.put(path, headers=TEXT, content=b"abc")
    answer = waiting.begin(path, tail(client, path) if offset == "tail" else offset)
    client.post(path, headers=TEXT, content=b"def")
    got = answer.result()
    assert (got.status_code, got.content) == (200, b"def")
    assert got.headers["Stream-Next-Offset"] == tail(client, path)
    assert "Stream-Cursor" in got.headers


def test_closed_while_waiting_poll_7_close_5(waiting: Waiting, path: str) -> None:
    client = waiting.client
    client.put(path, headers=TEXT, content=b"abc")
    answer = waiting.begin(path, "now")
    client.post(path, headers=CLOSE)
    got = answer.result()
    assert (got.status_code, got.headers["Stream-Closed"]) == (204, "true")
    assert got.headers["Stream-Up-To-Date"] == "true"


def test_final_data_comes_with_the_closing_poll_8_append_17(waiting: Waiting, path: str) -> None:
    client = waiting.client
    client.put(path, headers=TEXT)
    answer = waiting.begin(path, "now")
    client.post(path, headers=TEXT | CLOSE, content=b"end")
    got = answer.result()
    assert (got.status_code, got.content) == (200, b"end")
    assert got.headers["Stream-Closed"] == "true"


def test_deleted_while_waiting_del_5(waiting: Waiting, path: str) -> None:
    waiting.client.put(path, headers=TEXT)
    answer = waiting.begin(path, "now")
    waiting.client.delete(path)
    assert answer.result().status_code == 404


def test_re_created_while_waiting_is_another_stream_del_7(waiting: Waiting, path: str) -> None:
    waiting.client.put(path, headers=TEXT)
    answer = waiting.begin(path, "now")
    store, go_on = waiting.server.store, threading.Event()
    store.write(lambda _: go_on.wait(20))
    deleted = store.delete(path)  # both wait for the writer, and then share a commit
    store.create(path, Creation(content_type="text/plain", content=b"other"))
    go_on.set()
    assert deleted.result()
    assert answer.result().status_code == 404


def test_other_streams_do_not_wake_a_waiter_server_6(waiting: Waiting, path: str) -> None:
    client = waiting.client
    for name in (path, f"{path}/other"):
        client.put(name, headers=TEXT)
    answer = waiting.begin(path, "now")
    client.post(f"{path}/other", headers=TEXT, content=b"x")
    assert not answer.done()
    client.post(path, headers=TEXT, content=b"y")
    assert answer.result().content == b"y"


@pytest.mark.parametrize("offset", ["tail", "now"])
def test_a_closed_stream_does_not_wait_poll_6_now_4(
    waiting: Waiting, path: str, offset: str
) -> None:
    client = waiting.client
    client.put(path, headers=TEXT | CLOSE, content=b"abc")
    params = {"offset": tail(client, path) if offset == "tail" else offset, "live": "long-poll"}
    got = client.get(path, params=params)
    assert (got.status_code, got.headers["Stream-Closed"]) == (204, "true")
    assert got.headers["Stream-Up-To-Date"] == "true"
    assert got.headers["Stream-Next-Offset"] == tail(client, path)


def test_an_echoed_cursor_moves_on_cur_1_3_4(
    create: Create, poll: Callable[..., httpx.Response]
) -> None:
    create(content=b"abc")
    first = poll("-1").headers["Stream-Cursor"]
    second = poll("-1", first).headers["Stream-Cursor"]
    assert int(second) > int(first)
    third = poll("-1", second).headers["Stream-Cursor"]
    assert int(third) > int(second)
    for odd in ("", "-5", "x", "9" * 5000):
        assert int(poll("-1", odd).headers["Stream-Cursor"]) < int(second)
