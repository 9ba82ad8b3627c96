"""Real trouble for clients: a proxy that damages connections, and a server that can be killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True)
class Refuse:
    """Close the connection at once."""


@dataclass(frozen=True)
class CutRequest:
    """Close the connection after so many bytes from the client."""

    after: int


@dataclass(frozen=True)
class CutAnswer:
    """Close the connection after so many bytes from the server, in the midst of whatever it is."""

    after: int


@dataclass(frozen=True)
class LoseAnswer:
    """Let the server do what it is asked, and close the connection instead of answering."""


@dataclass(frozen=True)
class Busy:
    """Answer with a status of one's own, and ask nobody."""

    status: int


@dataclass(frozen=True)
class Slow:
    """Hold every piece from the server back for so long."""

    seconds: float


Fault = Refuse | CutRequest | CutAnswer | LoseAnswer | Busy | Slow


class Proxy:
    """Forwards connections; each of the first ones meets its fault, all later ones fare well.

    ``heads`` are the requests' first bytes as they came.
    """

    def __init__(self, target: str, faults: Iterable[Fault] = ()) -> None:
        self._target = urlsplit(target)
        self._faults = iter(faults)
        self._tasks: set[asyncio.Task[None]] = set()
        self.heads: list[bytes] = []
        self.port = 0

    def url(self, name: str, *, credentials: str = "", query: str = "") -> str:
        """Return the URL of a stream behind this proxy."""
        host = f"{credentials}@127.0.0.1:{self.port}" if credentials else f"127.0.0.1:{self.port}"
        return urlunsplit(("http", host, self._target.path + name, query, ""))

    async def serve(
        self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        fault = next(self._faults, None)
        with suppress(OSError, asyncio.CancelledError):
            await self._carry(fault, from_client, to_client)
        to_client.close()

    async def trouble(self, faults: Iterable[Fault] = ()) -> None:
        """Break all connections; the next ones meet these faults."""
        self._faults = iter(faults)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks)

    async def _carry(
        self,
        fault: Fault | None,
        from_client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
    ) -> None:
        if isinstance(fault, Refuse):
            return
        if isinstance(fault, Busy):
            with suppress(asyncio.IncompleteReadError):
                await from_client.readuntil(b"\r\n\r\n")
                to_client.write(
                    b"HTTP/1.1 %d Trouble\r\nRetry-After: 0\r\nContent-Length: 4\r\n"
                    b"Connection: close\r\n\r\nbusy" % fault.status
                )
                await to_client.drain()
            return
        from_server, to_server = await asyncio.open_connection(
            self._target.hostname, self._target.port
        )
        try:
            async with asyncio.TaskGroup() as both:
                upstream = both.create_task(self._up(fault, from_client, to_server))
                downstream = both.create_task(self._down(fault, from_server, to_client))
                await asyncio.wait({upstream, downstream}, return_when="FIRST_COMPLETED")
                upstream.cancel()
                downstream.cancel()
        except* OSError:
            pass
        finally:
            to_server.close()

    async def _up(
        self, fault: Fault | None, client: asyncio.StreamReader, server: asyncio.StreamWriter
    ) -> None:
        left = fault.after if isinstance(fault, CutRequest) else sys.maxsize
        while left > 0 and (piece := await client.read(65536)):
            self.heads.append(piece.partition(b"\r\n\r\n")[0])
            server.write(piece[:left])
            await server.drain()
            left -= len(piece)

    async def _down(
        self, fault: Fault | None, server: asyncio.StreamReader, client: asyncio.StreamWriter
    ) -> None:
        left = fault.after if isinstance(fault, CutAnswer) else sys.maxsize
        while left > 0 and (piece := await server.read(65536)):
            if isinstance(fault, LoseAnswer):
                return
            if isinstance(fault, Slow):
                await asyncio.sleep(fault.seconds)
            client.write(piece[:left])
            await client.drain()
            left -= len(piece)


@asynccontextmanager
async def proxy(target: str, faults: Iterable[Fault] = ()) -> AsyncGenerator[Proxy]:
    """Run a proxy in front of a server's stream root on the running loop."""
    made = Proxy(target, faults)
    listener = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listener.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listener.close()
        await made.trouble()


class ServerProcess:
    """`streamdb serve` in a process of its own, which can be killed and started again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._process: subprocess.Popen[str] | None = None
        self.url = self._start(port=0)

    def kill(self) -> None:
        """End it with SIGKILL, and wait until it is dead."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            self._process = None

    def restart(self) -> None:
        """Start it again on the same file and port; returns once it takes connections."""
        port = urlsplit(self.url).port
        assert port is not None
        assert self._start(port) == self.url

    def _start(self, port: int) -> str:
        command = ["-m", "streamdb.cli", "serve", "--db", str(self._file), "--port", str(port)]
        self._process = subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        announced = self._process.stdout.readline()
        assert " at http" in announced, announced
        return announced.rpartition(" at ")[2].strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
