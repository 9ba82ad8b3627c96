"""A server of streams that are made up as they are read, and that forget what is appended.

So a stream of any length needs no disk, and only the client's memory is measured: the server is a
process of its own. `/pages/BYTES` is a JSON stream of so many bytes; anything else takes appends.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

_MESSAGE: Final = {"text": "x" * 1000}
PAGE: Final = json.dumps([_MESSAGE] * 256).encode()
_END_OF_HEAD: Final = b"\r\n\r\n"


@contextmanager
def endless_server() -> Generator[str]:
    """Run the server in a process of its own; give its address."""
    command = [sys.executable, "-m", "benchmarks.memory.endless"]
    folder = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def main() -> None:
    """Serve until killed."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve())


async def _serve() -> None:
    listener = await asyncio.start_server(_talk, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", flush=True)
    await listener.serve_forever()


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(_END_OF_HEAD)).decode()
            length = re.search(r"\r\ncontent-length: *([0-9]+)", head, re.IGNORECASE)
            if length:
                await reader.readexactly(int(length[1]))
            method, target, _ = head.split(" ", 2)
            if method == "GET":
                await _read(writer, target)
            else:
                _acknowledge(writer, head)
            await writer.drain()
    writer.close()


def _acknowledge(writer: asyncio.StreamWriter, head: str) -> None:
    echoed = re.findall(r"\r\n(producer-(?:epoch|seq): [0-9]+)", head, re.IGNORECASE)
    _answer(writer, ["Stream-Next-Offset: 1", "Content-Type: application/json", *echoed])


async def _read(writer: asyncio.StreamWriter, target: str) -> None:
    parts = urlsplit(target)
    params = parse_qs(parts.query)
    last = max(int(parts.path.rpartition("/")[2]) // len(PAGE), 1)
    asked = params["offset"][0]
    number = 0 if asked == "-1" else int(asked)
    if params.get("live") == ["sse"]:
        _answer(writer, ["Content-Type: text/event-stream", "Connection: close"], length=None)
        for reached in range(number + 1, last + 1):
            control = {"streamNextOffset": f"{reached:016}", "streamClosed": reached == last}
            writer.write(b"event: data\ndata: %s\n\n" % PAGE)
            writer.write(b"event: control\ndata: %s\n\n" % json.dumps(control).encode())
            await writer.drain()
        writer.close()
        return
    # A reader that follows by SSE is caught up with the first page.
    is_up_to_date = number + 1 == last or "/follow/" in parts.path
    headers = [
        "Content-Type: application/json",
        f"Stream-Next-Offset: {number + 1:016}",
        f'ETag: "{number}"',
        *(["Stream-Up-To-Date: true"] if is_up_to_date else []),
        *(["Stream-Closed: true"] if number + 1 == last else []),
    ]
    _answer(writer, headers, length=len(PAGE))
    writer.write(PAGE)


def _answer(writer: asyncio.StreamWriter, headers: list[str], length: int | None = 0) -> None:
    lines = ["HTTP/1.1 200 OK", *headers]
    lines += [f"Content-Length: {length}"] if length is not None else []
    writer.write("\r\n".join(lines).encode() + _END_OF_HEAD)


if __name__ == "__main__":
    main()
