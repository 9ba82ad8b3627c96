"""Blocking code of the application, off the event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio


class RaisedThere(Exception):
    """What a function raised in a thread of its own.

    It is wrapped, for not everything passes through an event loop: SystemExit ends the loop, with
    all databases on it, and StopIteration is lost.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error: Final = error


def in_own_thread(call: Callable[[], object]) -> asyncio.Future[object]:
    """Run a function in a thread of its own, in the caller's context; called on an event loop.

    A pool would have a size, and such code may wait for each other, or for a person. The program
    does not wait for it at its end. The future raises RaisedThere, whatever the function raises.
    """
    import asyncio  # not above, as in `collections.callers`
    from concurrent.futures import Future

    done: Future[object] = Future()
    done.set_running_or_notify_cancel()  # who waits may be cancelled: the thread goes on, and ends

    def run() -> None:
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - who waits gets it
            done.set_exception(RaisedThere(error))
        else:
            done.set_result(result)

    context = copy_context()
    waiting = asyncio.wrap_future(done)
    threading.Thread(target=context.run, args=(run,), name="streamdb-persist", daemon=True).start()
    return waiting
