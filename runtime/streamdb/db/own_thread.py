"""Blocking code of the application, off the event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


def in_own_thread(call: Callable[[], object]) -> asyncio.Future[object]:
    """Run a function in a thread of its own, in the caller's context; called on an event loop.

    A pool would have a size, and such code may wait for each other, or for a person. The program
    does not wait for it at its end.
    """
    import asyncio  # not above, as in `collections.callers`
    from concurrent.futures import Future

    done: Future[object] = Future()

    def run() -> None:
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - who waits gets it
            done.set_exception(error)
        else:
            done.set_result(result)

    context = copy_context()
    waiting = asyncio.wrap_future(done)
    threading.Thread(target=context.run, args=(run,), name="streamdb-persist", daemon=True).start()
    return waiting
