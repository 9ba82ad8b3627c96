"""How the processes of the demo talk to the one that started them: JSON lines on the pipes.

The end of input means that the demo is over, or that its process is gone: then everybody leaves.
"""

import asyncio
import datetime as dt
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any


def report(**message: Any) -> None:
    """Tell the demo something."""
    print(json.dumps(message), flush=True)


@asynccontextmanager
async def orders() -> AsyncGenerator[asyncio.StreamReader]:
    """Open standard input: lines from the demo."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    try:
        yield reader
    finally:
        transport.close()


def utc_now() -> dt.datetime:
    """Return this instant."""
    return dt.datetime.now(dt.UTC)
