"""Run the adapter, and tell on standard error what it leaves behind: tasks, threads, sockets.

Its arguments are those of the adapter, with the adapter's path first.
"""

import asyncio
import gc
import runpy
import socket
import sys
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

_run = asyncio.run


def run_and_count(main: Coroutine[Any, Any, None]) -> None:
    """`asyncio.run` cancels what is left without a word."""

    async def counted() -> None:
        await main
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            print("tasks left:", left, file=sys.stderr)

    _run(counted())


asyncio.run = run_and_count  # type: ignore[assignment] # it counts what is left
del sys.argv[0]
sys.path.insert(0, str(Path(sys.argv[0]).parent))
runpy.run_path(sys.argv[0], run_name="__main__")
threads = [one for one in threading.enumerate() if one is not threading.main_thread()]
if threads:
    print("threads left:", threads, file=sys.stderr)
sockets = [one for one in gc.get_objects() if isinstance(one, socket.socket) and one.fileno() >= 0]
if sockets:
    print("sockets left:", sockets, file=sys.stderr)
