"""The ``with`` blocks of an object that many tasks and threads have entered, and not left yet."""

from __future__ import annotations

import inspect
from contextlib import AbstractContextManager
from types import FrameType
from typing import Final, Generic, NamedTuple, TypeVar

from streamdb.collections.callers import this_task_or_thread
from streamdb.errors import StreamDBError

T = TypeVar("T")


class _Entered(NamedTuple, Generic[T]):
    """A block that was entered and not left yet: where, and by which task or thread."""

    frame: FrameType | None
    by: object
    block: AbstractContextManager[T]


class EnteredBlocks(Generic[T]):
    """Finds the block that is being left.

    Args:
        what: the block, to begin a message with.
    """

    def __init__(self, what: str) -> None:
        self._what: Final = what
        self._entered: Final[list[_Entered[T]]] = []

    def enter(self, block: AbstractContextManager[T]) -> T:
        """Enter a block; called by the ``__enter__`` of the object."""
        value = block.__enter__()
        self._entered.append(_Entered(_with_block(), this_task_or_thread(), block))
        return value

    def left(self) -> AbstractContextManager[T]:
        """Return the block that is being left; called by the ``__exit__`` of the object.

        Whatever task leaves it, for another one may close an unfinished generator, it is the same
        call that has entered it. But an exit stack leaves in other calls.
        """
        frame, by, entered = _with_block(), this_task_or_thread(), list(self._entered)
        for found in (
            *(each for each in entered if frame is not None and each.frame is frame),
            *(each for each in entered if each.by is by),
        ):
            self._entered.remove(found)
            return found.block
        raise StreamDBError(
            f"{self._what}: it is left by another task or thread than has entered it"
        )


def _with_block() -> FrameType | None:
    """Return the call of a function that the ``with`` stands in, three calls up."""
    frame = inspect.currentframe()
    for _ in range(3):
        frame = None if frame is None else frame.f_back
    return frame
