"""What ends the calls of a callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self


class Subscription:
    """A registered callback; ``close`` it, or use it as a context manager."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop

    def close(self) -> None:
        """Stop being called. Does nothing the second time."""
        self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
