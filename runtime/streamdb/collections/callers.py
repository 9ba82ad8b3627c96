"""Who is calling: what belongs to a block of code belongs to its task, or to its thread."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Generic, TypeVar

T = TypeVar("T")

#: The txids of the actions of whose durable parts the caller is one, the outermost first.
PERSISTING: Final[ContextVar[tuple[str, ...]]] = ContextVar("streamdb_persisting", default=())


def this_task_or_thread() -> object:
    """Return what runs the caller. A task that was started inside a block is another one."""
    import asyncio  # not above: programs that only build events do without

    try:
        return asyncio.current_task() or threading.current_thread()
    except RuntimeError:
        return threading.current_thread()


class OpenBlock(Generic[T]):
    """What a block of code has opened, which only the task or thread that it runs in sees.

    >>> transaction = OpenBlock[str]("transaction")
    >>> with transaction.holding("t1"):
    ...     transaction.current
    't1'
    >>> transaction.current is None
    True
    """

    def __init__(self, name: str) -> None:
        self._held: Final[ContextVar[_Held[T] | None]] = ContextVar(name, default=None)

    @property
    def current(self) -> T | None:
        """What the block that the caller is in has opened, if there is one."""
        held = self._held.get()
        # A task that is started inside the block inherits the variable, but not what it holds.
        return held.value if held is not None and held.owner is this_task_or_thread() else None

    @contextmanager
    def holding(self, value: T) -> Generator[None]:
        """Hold a value for the block."""
        held = _Held(value)
        self._held.set(held)
        try:
            yield
        finally:
            # An unfinished generator may be closed by another task, where the variable is another.
            held.value = None


class _Held(Generic[T]):
    def __init__(self, value: T) -> None:
        self.value: T | None = value
        self.owner: Final = this_task_or_thread()
