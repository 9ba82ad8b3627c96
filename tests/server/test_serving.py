"""`serving`: a server in the background that leaves nothing behind."""

import asyncio
import gc
import socket
import threading
from pathlib import Path

import httpx
import pytest

from streamdb_server import Options, serving


def sockets() -> int:
    gc.collect()
    return sum(isinstance(item, socket.socket) and item.fileno() != -1 for item in gc.get_objects())


def test_nothing_is_left_behind_server_17(tmp_path: Path) -> None:
    threads, before = set(threading.enumerate()), sockets()
    answers: list[int] = []
    options = Options(long_poll_timeout=3600, sse_lifetime=3600)
    with serving(tmp_path / "streams.db", options=options) as server:
        httpx.put(server.url + "s", headers={"Content-Type": "text/plain"})

        def read(mode: str) -> None:
            params = {"offset": "now", "live": mode}
            answers.append(httpx.get(server.url + "s", params=params, timeout=60).status_code)

        readers = [threading.Thread(target=read, args=(mode,)) for mode in ("long-poll", "sse")]
        for reader in readers:
            reader.start()
        while len(server.store.hub) < 2:
            assert all(reader.is_alive() for reader in readers)
    for reader in readers:
        reader.join()
    assert sorted(answers) == [200, 204]  # both ended in order
    assert set(threading.enumerate()) == threads
    assert sockets() == before


def test_the_port_is_free_again(tmp_path: Path) -> None:
    with serving(tmp_path / "streams.db") as server:
        port = httpx.URL(server.url).port
        assert port
        with (
            pytest.raises(OSError, match="in use"),
            serving(tmp_path / "other.db", port=port),
        ):
            pass
    with serving(tmp_path / "streams.db", port=port) as server:
        assert httpx.get(server.url + "s").status_code == 404


async def test_it_runs_beside_an_event_loop(tmp_path: Path) -> None:
    with serving(tmp_path / "streams.db") as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            text = {"Content-Type": "text/plain"}
            await client.put("s", headers=text)
            await asyncio.gather(*(client.post("s", headers=text, content=b"x") for _ in range(20)))
            assert (await client.get("s")).content == b"x" * 20


def test_ipv6(tmp_path: Path) -> None:
    with serving(tmp_path / "streams.db", host="::1") as server:
        assert server.url.startswith("http://[::1]:")
        assert httpx.get(server.url + "s").status_code == 404
