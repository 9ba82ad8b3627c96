"""Keeps the cache of a database in step with it, and begins from it.

What is read goes into the cache as it was read, and is folded again when the cache is opened: so
the state is what reading the stream would have made. Now and then, when that has become much, the
rows are written anew as they are.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from streamdb.cache.evidence import LastData, is_confirmed, is_data
from streamdb.cache.file import Head
from streamdb.cache.private_file import Damaged
from streamdb.cache.saved import Read
from streamdb.cache.store import CacheStore
from streamdb.cache.writer import CacheWriter
from streamdb.db.read_place import is_before
from streamdb.db.state import DatabaseState
from streamdb.protocol import names
from streamdb.protocol.exchange import Batch
from streamdb.streams.async_stream import AsyncStream

if TYPE_CHECKING:
    from streamdb.db.outbox_keeper import OutboxKeeper

T = TypeVar("T")

# So much of what was read may wait for the disk.
_MOST_WAITING: Final = 64 * 1024 * 1024
# Seconds that the next commit waits for the file to have the last one.
_LONGEST_WAIT: Final = 0.05


class AnotherStream(Exception):
    """What a cache was made of is not on the stream."""


class Cache:
    """The cache of one database. Its methods are called on the database's loop.

    Args:
        path: the file.
        state: what is kept.
        stream: which stream it is of; without secrets.
        strict: as the option of databases.
        upcast: the types that have one.
        outbox: what is opened and closed with it, under its lock.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        state: DatabaseState,
        *,
        stream: str,
        strict: bool,
        upcast: Iterable[str],
        outbox: OutboxKeeper | None = None,
    ) -> None:
        #: Called when the stream is not the one that the cache was made of.
        self.on_another_stream: Callable[[Exception], None] = lambda _: None
        self._outbox: Final = outbox
        self._state: Final = state
        self._store: Final = CacheStore(
            Path(os.path.realpath(path)),
            state.schema,
            stream,
            strict=strict,
            upcast=upcast,
            has_outbox=outbox is not None,
        )
        self._writer: Final = CacheWriter(self._store, outbox.wait if outbox else None)
        #: True while no answer has shown that the offset that was taken over is one of the stream.
        self.is_in_doubt = False
        self._head: Head | None = None
        self._position = names.BEGINNING
        self._last: LastData | None = None
        # What was read and is not on its way to the file; all that is to be written anew instead.
        self._reads: list[Read] = []
        self._bytes = 0
        self._is_stale = True
        self._closing: Future[None] | None = None

    async def open(self) -> None:
        """Open the file.

        Raises:
            CacheError: it cannot be used.
        """
        self._head = await self._in_thread(self._store.open)
        if self._outbox is not None:
            await self._outbox.open()

    async def resume(self, stream: AsyncStream, tail: str) -> str:
        """Take over what the file holds, if it is of this stream, which ends at ``tail``.

        Returns:
            The offset to read on from.

        Raises:
            StreamError: the stream does not answer.
        """
        head = self._head
        if head is None:
            return names.BEGINNING
        try:
            if is_before(tail, head.offset):
                raise AnotherStream("it ends before")
            if not await is_confirmed(head.evidence, stream):
                raise AnotherStream("it holds other data")
            state = self._state
            await self._in_thread(lambda: self._store.load(state.resume, state.replay))
        except (AnotherStream, Damaged) as error:
            await self.start_over(error)
            return names.BEGINNING
        self._position = head.offset
        self._is_stale = False
        self.is_in_doubt = True
        return head.offset

    async def start_over(self, error: Exception) -> None:
        """Leave what was taken over, which is of no use, and begin with an empty file."""
        is_damage = isinstance(error, Damaged)
        reason = f"it is damaged: {error}" if is_damage else f"the stream is another one: {error}"
        await self._in_thread(lambda: self._store.start_over(reason))
        self._state.start_over()
        self._head = None
        self._position = names.BEGINNING
        self.is_in_doubt = False
        self._rewrite_later()
        if not is_damage:
            self.on_another_stream(error)

    def took(self, batch: Batch, restart_from: str | None) -> None:
        """Note a batch that the state has taken in, or where reading starts over."""
        self.is_in_doubt = False
        if restart_from is not None:
            self._position = restart_from
            self._rewrite_later()
            return
        read = Read(self._position, batch)
        self._position = batch.offset
        if self._writer.has_failed:
            self._forget()
            return
        if any(map(is_data, batch.parts)):
            self._last = LastData(read.start, batch.parts)
            if not self._is_stale:
                self._reads.append(read)
                self._bytes += sum(map(len, batch.parts))
        if not self._state.is_loading:
            self._save()
        elif self._bytes > self._store.room:
            self._rewrite_later()

    async def written(self) -> None:
        """Wait until what was taken in is in the file, but for no longer than a moment.

        So a kill loses the last commit at most, unless the disk is slow or rows are written anew.
        """
        writing = self._writer.writing
        if writing is not None and not writing.done():
            await asyncio.wait({asyncio.wrap_future(writing)}, timeout=_LONGEST_WAIT)

    def close(self) -> Future[None]:
        """Begin to write what is not written yet, and to close the file.

        Begun once, it is carried out, on the cache's thread, whatever becomes of the loop.
        """
        if self._closing is None:
            try:
                if self._is_stale and self._is_worth_saving and not self._writer.has_failed:
                    self._rewrite()
            finally:
                if self._outbox is not None:
                    self._outbox.close()
                self._closing = self._writer.close()
        return self._closing

    async def aclose(self) -> None:
        """Wait until all is written, and the file closed."""
        # A future that is wrapped is cancelled with the one around it.
        await asyncio.shield(asyncio.wrap_future(self.close()))
        self._end()

    def finish(self) -> None:
        """Likewise, and block until then: for a loop that is ending."""
        self.close().result()
        self._end()

    def _end(self) -> None:
        if self._outbox is not None:
            self._outbox.end()
        self._writer.end()

    @property
    def _is_worth_saving(self) -> bool:
        # Without any data there is nothing to know the stream by, and nothing to read again either.
        has_data = self._last is not None or self._head is not None
        return has_data and not self._state.is_loading

    def _save(self) -> None:
        """Have written what is new since the last time."""
        writer = self._writer
        if not self._is_worth_saving:
            return
        if writer.waiting_bytes + self._bytes > _MOST_WAITING:
            self._rewrite_later()
        if self._is_stale or self._bytes > self._store.room - writer.waiting_bytes:
            if not writer.is_rewriting:
                self._rewrite()
                return
            if self._is_stale:
                return  # when that is done
        if self._reads:
            writer.add(self._reads, self._bytes)
            self._reads, self._bytes = [], 0

    def _rewrite(self) -> None:
        self._writer.rewrite(self._state.saved(), self._last)
        self._reads, self._bytes = [], 0
        self._is_stale = False

    def _rewrite_later(self) -> None:
        self._reads, self._bytes = [], 0
        self._is_stale = True

    def _forget(self) -> None:
        """Keep nothing for a file that is not written any more."""
        self._reads, self._bytes = [], 0
        self._last = None

    async def _in_thread(self, function: Callable[[], T]) -> T:
        return await asyncio.wrap_future(self._writer.call(function))
