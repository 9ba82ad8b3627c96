"""How the changes of a collection are iterated: by ``async for``, or by ``for``."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from streamdb.collections.base_collection import BaseCollection
from streamdb.collections.change_iteration import AsyncChanges, BlockingChanges
from streamdb.expr import Columns, Expr

Row = TypeVar("Row")
Key = TypeVar("Key", bound=str | int)
Cols = TypeVar("Cols", bound=Columns[Any])
Tx = TypeVar("Tx")


class AsyncForm(BaseCollection[Row, Key, Cols, Tx]):
    """A collection whose changes are iterated by ``async for``."""

    def changes(
        self,
        *,
        initial: bool = False,
        where: Callable[[Cols], Expr[bool, Any]] | None = None,
    ) -> AsyncChanges[Row, Key]:
        """Iterate over changes from this call on, with ``async for``.

        Each item holds one net change for each key since the last one taken, so a slow reader
        costs no memory. The iteration ends when the database closes or the stream ends, and
        raises what ended the reading otherwise.

        Args:
            initial: begin with the rows as they are now, as inserts.
            where: watch only rows of which this is true.

        Raises:
            DatabaseClosed: the database is closed already.
            StreamDBError: reading has failed already, with what made it fail.
        """
        import asyncio  # not above, as in `callers`

        self._parts.check_goes_on()
        woken = asyncio.Event()
        return AsyncChanges(self.reader(woken.set, initial=initial, where=where), woken)


class BlockingForm(BaseCollection[Row, Key, Cols, Tx]):
    """A collection whose changes are iterated by ``for``."""

    def changes(
        self,
        *,
        initial: bool = False,
        where: Callable[[Cols], Expr[bool, Any]] | None = None,
    ) -> BlockingChanges[Row, Key]:
        """Iterate over changes from this call on; see :meth:`AsyncForm.changes`."""
        self._parts.check_goes_on()
        woken = threading.Event()
        return BlockingChanges(self.reader(woken.set, initial=initial, where=where), woken)
