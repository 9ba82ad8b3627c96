"""One thing at a time that may be broken off from outside, and who waits for it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class BreakingOff:
    """What is being done of one kind. Its methods are called on one event loop."""

    def __init__(self) -> None:
        self._under_way: asyncio.Task[object] | None = None

    async def do(self, doing: Coroutine[Any, Any, object]) -> bool:
        """Do something until it is broken off; tell whether it was done.

        Raises:
            Exception: whatever it raises.
            CancelledError: who waits was cancelled, or it has cancelled itself.
        """
        task = self._under_way = asyncio.create_task(doing)
        try:
            await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if not task.cancelled() or (current is not None and current.cancelling()):
                raise
            return False
        finally:
            self._under_way = None
        return True

    def break_off(self) -> None:
        """Break off what is under way, if anything is."""
        if self._under_way is not None:
            self._under_way.cancel()
