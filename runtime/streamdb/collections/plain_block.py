"""A block that is opened by ``with`` in both forms of a database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Final, TypeVar

T = TypeVar("T")


class PlainBlock(AbstractContextManager[T]):
    """A context manager that says what to write instead of ``async with``.

    Args:
        block: what it opens.
        instead: what to write.
    """

    def __init__(self, block: AbstractContextManager[T], instead: str) -> None:
        self._block: Final = block
        self._instead: Final = instead

    def __enter__(self) -> T:
        return self._block.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return self._block.__exit__(kind, error, traceback)

    if not TYPE_CHECKING:  # checkers know that there are no such methods

        async def __aenter__(self):
            raise TypeError(f"nothing is awaited here: use {self._instead}")

        async def __aexit__(self, *_):
            """Never called."""
