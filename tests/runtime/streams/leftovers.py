"""What a client may leave behind: tasks, threads and sockets."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_OF_CLIENTS = ("streamdb-producer", "streamdb-callbacks", "streamdb-cache")


@asynccontextmanager
async def nothing_left() -> AsyncGenerator[None]:
    """Raise if what happens inside leaves a task, a thread or a socket open."""
    tasks, threads, sockets = asyncio.all_tasks(), _threads(), _sockets()
    yield
    assert _threads() <= threads
    # httpx leaves generators for the loop to close, and servers, which are in this process, may
    # notice later that a client has left, on a busy machine much later.
    for _ in range(6000):
        if asyncio.all_tasks() <= tasks and _sockets() <= sockets:
            break
        await asyncio.sleep(0.01)
    assert not asyncio.all_tasks() - tasks
    left = _sockets() - sockets
    assert not left, [_connection(one) for one in left]


def _threads() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name.startswith(_OF_CLIENTS)}


def _sockets() -> set[Path]:
    found: set[Path] = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # it was the one of this very listing
            what = descriptor.readlink()
            if what.name.startswith("socket:"):
                found.add(what)
    return found


def _connection(socket: Path) -> str:
    """Say what a socket is: its addresses and its state, as the kernel lists them."""
    number = socket.name.removeprefix("socket:[").removesuffix("]")
    for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_, inode = line.split()[:10]
        if inode == number:
            ports = [int(address.split(":")[1], 16) for address in (local, remote)]
            return f"{socket.name} from port {ports[0]} to {ports[1]}, state {state}"
    return socket.name
