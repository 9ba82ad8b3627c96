"""Serving a data file over HTTP, beside other work (`serving`) or as the whole work (`serve`)."""

import asyncio
import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from streamdb.protocol.names import DEFAULT_PORT, STREAM_ROOT
from streamdb_server.http.app import App, create_app
from streamdb_server.options import Options
from streamdb_server.storage.store import Store, open_store

_LAST_WORDS: Final = 3
"""Seconds that connections get to end at a shutdown; only one that does not read needs them."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A running server: `url` is the stream root, e.g. ``http://127.0.0.1:4437/v1/stream/``."""

    url: str
    store: Store


@contextmanager
def serving(
    path: str | os.PathLike[str],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    options: Options | None = None,
) -> Generator[Serving]:
    """Serve a data file from a background thread until the block ends.

    Port 0 takes a free one. Raises `DataFileError` as `open_store` does, and `OSError` if the
    address cannot be had. Everything is stopped when the block ends: thread, sockets and waiting
    readers.

    >>> import httpx, tempfile
    >>> with tempfile.TemporaryDirectory() as folder, serving(f"{folder}/a.db") as server:
    ...     httpx.put(server.url + "jobs/42", headers={"Content-Type": "text/plain"}).status_code
    201
    """
    with open_store(path) as store, _listening(host, port) as listener:
        server = _Server(create_app(store, options=options))
        thread = threading.Thread(
            target=server.run_until_stopped, args=(listener,), name="streamdb-server", daemon=True
        )
        thread.start()
        server.ready.wait()
        if not server.started:
            raise RuntimeError("the server did not start; its log says why")
        try:
            yield Serving(_url(host, listener), store)
        finally:
            server.should_exit = True
            thread.join()


def serve(
    path: str | os.PathLike[str],
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    options: Options | None = None,
    announce: Callable[[str], None] = print,
) -> None:
    """Serve a data file until SIGINT or SIGTERM; call it from the main thread.

    ``announce`` gets the URL of the stream root once connections are accepted. Raises as `serving`
    does.
    """
    with open_store(path) as store, _listening(host, port) as listener:
        server = _Server(
            create_app(store, options=options), on_ready=lambda: announce(_url(host, listener))
        )
        before = {number: signal.signal(number, server.handle_exit) for number in _STOP_SIGNALS}
        try:
            server.run_until_stopped(listener)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a server bound to ``host``.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class _Server(uvicorn.Server):
    """uvicorn, told to release live readers first and to leave signals to us (SERVER-17)."""

    def __init__(self, app: App, on_ready: Callable[[], None] = lambda: None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                # No part of the protocol, and uvicorn's WebSocket classes log addresses with their
                # parameters, where some callers keep tokens.
                ws="none",
                http=cast("type[asyncio.Protocol]", _without_access_log),
                log_config=None,
                # Longer than clients usually keep idle connections: a POST then never meets one
                # that is just being closed.
                timeout_keep_alive=75,
                timeout_graceful_shutdown=_LAST_WORDS,
            )
        )
        self._app = app
        self._on_ready = on_ready
        self.ready = threading.Event()

    def run_until_stopped(self, listener: socket.socket) -> None:
        """Serve; `ready` is set once connections are accepted, or if it never comes to that."""
        try:
            self.run([listener])
        finally:
            self.ready.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        # uvicorn would raise a caught SIGTERM again, and the process would end by it.
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.stop()
        await super().shutdown(sockets)


def _without_access_log(*args: Any, **options: Any) -> asyncio.Protocol:
    # The access log shows addresses with their parameters too. uvicorn's own switch for it is the
    # logger of the whole process, which others switch on and off for servers of theirs.
    # Not the parser that uvicorn finds: which one is installed must not change our answers.
    protocol = H11Protocol(*args, **options)
    vars(protocol)["access_log"] = False
    return protocol


@contextmanager
def _listening(host: str, port: int) -> Generator[socket.socket]:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    with socket.create_server((host, port), family=family) as listener:
        yield listener


def _url(host: str, listener: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}{STREAM_ROOT}"
