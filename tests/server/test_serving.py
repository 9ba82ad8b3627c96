"""`serving`: a server in the background that leaves nothing behind."""

import asyncio
import gc
import logging
import socket
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

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


def test_no_log_shows_parameters_or_tokens(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    # As a program has it that runs another uvicorn beside.
    monkeypatch.setattr(logging.getLogger("uvicorn.access"), "propagate", True)
    secret = "sesame-opens"
    upgrade = (
        "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    with serving(tmp_path / "streams.db", options=Options(token=secret)) as server:
        url = httpx.URL(server.url)
        for extra in ("", upgrade, "Bad: \x00\r\n"):
            with socket.create_connection((url.host, url.port or 0), timeout=10) as connection:
                connection.sendall(
                    f"GET /v1/stream/s?token={secret} HTTP/1.1\r\nHost: s\r\n"
                    f"Authorization: Bearer {secret}\r\n{extra}\r\n".encode()
                )
                assert connection.recv(1000).startswith(b"HTTP/1.1 4")
    assert "uvicorn" in {record.name.partition(".")[0] for record in caplog.records}
    assert secret not in caplog.text
    assert logging.getLogger("uvicorn.access").propagate  # theirs is left alone


def test_websockets_are_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a library for them is installed, uvicorn logs their addresses with all parameters."""
    made: list[uvicorn.Config] = []

    class Noted(uvicorn.Config):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            made.append(self)

    monkeypatch.setattr(uvicorn, "Config", Noted)
    with serving(tmp_path / "streams.db"):
        assert [config.ws for config in made] == ["none"]
