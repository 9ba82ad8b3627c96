"""Writers: many new rows of one collection, a few requests, and no gap between rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Final, Generic, Protocol, Self, TypeVar

from streamdb.collections.transaction import AsyncTransaction, CheckMayWait, Outcome, Transaction
from streamdb.errors import BufferFull, HandleClosed, TransactionFailed, WriterFailed
from streamdb.query_functions import check_caller

Row = TypeVar("Row")
RowIn = TypeVar("RowIn", contravariant=True)


class Batches(Protocol[RowIn]):
    """Where a writer puts its rows; handed in by the database above it."""

    changed: Callable[[], object]

    @property
    def name(self) -> str:
        """The name of the collection."""
        ...

    @property
    def pending(self) -> int:
        """How many rows are not on the stream yet."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether these are as many as there may be."""
        ...

    @property
    def failure(self) -> WriterFailed | None:
        """What became of rows that are not on the stream and never will be."""
        ...

    def add(self, row: RowIn) -> bool:
        """Have a row show; return whether something was sent for it."""
        ...

    def release(self) -> Sequence[Outcome]:
        """Send what waits; return the outcomes that are not known yet."""
        ...


class BaseRowWriter(Generic[Row]):
    """What both forms of a writer share."""

    def __init__(self, batches: Batches[Row]) -> None:
        self._batches: Final = batches
        self._is_closed = False
        self._is_settled = False  # closed, and waited for
        self._is_told = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._batches.name!r}, {self.pending} rows pending>"

    @property
    def pending(self) -> int:
        """How many rows show here and are not on the stream yet."""
        return self._batches.pending

    def write_nowait(self, row: Row) -> None:
        """Write a row without ever waiting; see :meth:`write`.

        Raises:
            BufferFull: ``max_pending`` rows are on their way.
        """
        if self._batches.is_full:
            self._check_usable()
            self._batches.release()
            raise BufferFull(
                f"writer of {self._batches.name!r}: {self.pending} rows are not on the stream yet; "
                "use `write`, which waits"
            )
        self._add(row)

    def _add(self, row: Row) -> bool:
        """Have a row show; return whether something was sent for it."""
        if self._is_closed:
            self._check_usable()
        try:
            return self._batches.add(row)
        except WriterFailed:
            self._is_told = True
            raise

    def _check_usable(self) -> None:
        """Raise what `_add` would raise before it looks at a row, perhaps."""
        check_caller("a write")  # for such a function nothing would come that it waits for
        if self._is_closed:
            raise HandleClosed(f"writer of {self._batches.name!r}: it was closed; make another one")
        self._raise_failure()

    def _raise_failure(self) -> None:
        if (failure := self._batches.failure) is not None:
            self._is_told = True
            raise failure

    def _end(self) -> None:
        self._is_settled = True
        if not self._is_told:
            self._raise_failure()

    @contextmanager
    def _leaving(self, error: BaseException | None) -> Generator[bool]:
        """Tell whether a block that is left waits; what then fails is noted on what it raised.

        Interrupts and cancellations are not held up: what waits is sent, and nobody waits for it.
        """
        waits = error is None or isinstance(error, Exception)
        if not waits:
            self._is_closed = True
            self._batches.release()
        try:
            yield waits
        except WriterFailed as failure:
            if error is None:
                raise
            error.add_note(str(failure))


class AsyncRowWriter(BaseRowWriter[Row]):
    """Writes many new rows; made by :meth:`AsyncCollection.writer`.

    ::

        async with db.chunks.writer() as chunks:
            async for token in answer:
                await chunks.write(Chunk(...))
        # all of them are on the stream, or WriterFailed was raised

    Leaving the block waits for all rows, and so it does if the block raised; what then failed of
    the rows is noted on the block's exception. A cancellation is not held up: what was written goes
    on, and closing the database waits for it.
    """

    def __init__(self, batches: Batches[Row]) -> None:
        import asyncio  # not above, as in `callers`

        super().__init__(batches)
        self._changed = asyncio.Event()
        batches.changed = self._changed.set
        self._has_sent = False

    async def write(self, row: Row) -> None:
        """Write a new row, which shows at once; waits only while ``max_pending`` are on their way.

        If it raises, or is cancelled, this row is not written.

        Raises:
            InvalidRow: the row does not fit its type. The writer goes on.
            DuplicateKey: there is a row of that key. The writer goes on.
            WriterFailed: earlier rows could not be written; it has them. The writer has stopped.
            HandleClosed: the writer is closed.
            DatabaseClosed: the database is.
        """
        if self._has_sent:
            import asyncio

            self._has_sent = False
            await asyncio.sleep(0)  # let the batch go that is full, and answers in
        while self._batches.is_full:
            self._check_usable()
            self._changed.clear()
            self._batches.release()  # nobody lingers while others wait
            await self._changed.wait()
        self._has_sent = self._add(row)

    async def flush(self) -> None:
        """Send at once what waits, and wait until all rows are on the stream.

        Raises:
            WriterFailed: some are not, or perhaps not; it has them.
        """
        await self._settled()
        self._raise_failure()

    async def aclose(self) -> None:
        """Flush, and take no more rows. Called again, it does nothing, or goes on waiting.

        Raises:
            WriterFailed: some rows are not on the stream, and no call has told so yet.
        """
        self._is_closed = True
        if not self._is_settled:
            await self._settled()
            self._end()

    async def _settled(self) -> None:
        for outcome in self._batches.release():
            with suppress(TransactionFailed):
                await AsyncTransaction(outcome)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        with self._leaving(error) as waits:
            if waits:
                await self.aclose()

    if not TYPE_CHECKING:  # checkers know that there are no such methods

        def __enter__(self):
            raise TypeError("a writer of an async database: use `async with`")

        def __exit__(self, *_):
            """Never called."""


class RowWriter(BaseRowWriter[Row]):
    """Writes many new rows; made by :meth:`Collection.writer`. See :class:`AsyncRowWriter`.

    Several threads may use it at once.

    ::

        with db.chunks.writer() as chunks:
            for token in answer:
                chunks.write(Chunk(...))
    """

    def __init__(self, batches: Batches[Row], check_may_wait: CheckMayWait) -> None:
        super().__init__(batches)
        self._check_may_wait: Final = check_may_wait
        self._changed: Final = threading.Condition()
        batches.changed = self._notify

    def write(self, row: Row) -> None:
        """Write a new row, which shows at once; waits only while ``max_pending`` are on their way.

        Raises like :meth:`AsyncRowWriter.write`, and WouldDeadlock on streamdb's own thread; if it
        does, this row is not written.
        """
        if self._batches.is_full:
            self._wait_for_room()
        self._add(row)

    def _wait_for_room(self) -> None:
        self._check_usable()
        self._check_may_wait("write of a writer that is full")
        self._batches.release()  # nobody lingers while others wait
        with self._changed:
            while self._batches.is_full:
                self._changed.wait()

    def flush(self, timeout: float | None = None) -> None:
        """Send at once what waits, and wait until all rows are on the stream.

        Raises:
            WriterFailed: some are not, or perhaps not; it has them.
            WaitTimeout: it takes longer than so many seconds. Nothing is given up.
        """
        self._settled(timeout)
        self._raise_failure()

    def close(self, timeout: float | None = None) -> None:
        """Flush, and take no more rows. Called again, it does nothing, or goes on waiting.

        Raises like :meth:`AsyncRowWriter.aclose`, and WaitTimeout: nothing is given up then.
        """
        self._is_closed = True
        if not self._is_settled:
            self._settled(timeout)
            self._end()

    def _settled(self, timeout: float | None) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        for outcome in self._batches.release():
            left = None if end is None else max(0.0, end - time.monotonic())
            with suppress(TransactionFailed):
                Transaction(outcome, self._check_may_wait).result(left)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        with self._leaving(error) as waits:
            if waits:
                self.close()

    if not TYPE_CHECKING:  # checkers know that there are no such methods

        async def __aenter__(self):
            raise TypeError("a writer of a blocking database: use `with`")

        async def __aexit__(self, *_):
            """Never called."""
