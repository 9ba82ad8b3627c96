"""Finds the stream of a database, and reads it into the state."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from streamdb.db.observers import Observers
from streamdb.db.options import DatabaseOptions
from streamdb.db.state import DatabaseState
from streamdb.db.status import StatusBoard
from streamdb.errors import (
    BadRequest,
    NotAStateStream,
    StreamExists,
    StreamGone,
    StreamNotFound,
    StreamParseError,
)
from streamdb.protocol import names
from streamdb.protocol.exchange import Batch, Interrupted
from streamdb.protocol.results import StreamInfo
from streamdb.streams.async_stream import AsyncStream

if TYPE_CHECKING:
    from streamdb.db.caching import Cache


class Reader:
    """Reads one stream from its beginning to its end, through every interruption."""

    def __init__(
        self,
        stream: AsyncStream,
        state: DatabaseState,
        status: StatusBoard,
        observers: Observers,
        options: DatabaseOptions,
        cache: Cache | None,
    ) -> None:
        self._stream: Final = stream
        self._state: Final = state
        self._status: Final = status
        self._observers: Final = observers
        self._create: Final = options.get("create", False)
        self._start_offset: Final = options.get("start_offset", names.BEGINNING)
        self._is_to_raise: Final = options.get("on_invalid") == "raise"
        self._live: Final = options.get("live", "auto")
        self._cache: Final = cache
        self._tail = names.BEGINNING

    async def find(self) -> None:
        """Make sure that there is a stream of state events, and open the cache.

        Raises:
            StreamError: there is none, or it cannot be reached.
            CacheError: the cache cannot be used.
        """
        stream = self._stream
        if self._cache is not None:
            await self._cache.open()
        try:
            info = await stream.head()
        except StreamNotFound as missing:
            if not self._create:
                raise StreamNotFound(
                    "there is no such stream: check the address (of `streamdb serve` it is "
                    "http://HOST:PORT/v1/stream/NAME), or pass create=True",
                    url=stream.url,
                    status=missing.status,
                ) from None
            info = await self._create_stream()
        if names.media_type(info.content_type) != names.JSON_MEDIA_TYPE:
            raise NotAStateStream(
                f"the stream holds {info.content_type}, not {names.JSON_MEDIA_TYPE}: "
                "it cannot carry state events",
                url=stream.url,
            )
        self._tail = info.offset

    async def _create_stream(self) -> StreamInfo:
        try:
            return await self._stream.put(content_type=names.JSON_MEDIA_TYPE)
        except StreamExists:
            return await self._stream.head()  # somebody was quicker; `find` looks what it is

    async def read(self) -> None:
        """Read to the stream's end.

        Raises:
            StreamDBError: what ends the reading before.
        """
        offset = await self._read_first()
        while offset is not None:
            offset = await self._read_from(offset, is_restart=True)

    async def _read_first(self) -> str | None:
        """Read on from where the cache ends, if there is a good one, or from the start."""
        cache = self._cache
        if cache is None:
            is_now = self._start_offset == names.NOW
            start = self._tail if is_now else self._start_offset
            self._state.begin_at(start)
            return await self._read_from(start, is_restart=False)
        offset = await cache.resume(self._stream, self._tail)
        if self._is_to_raise:  # what was reported by another policy when it was read
            self._state.invalid_events.report_kept()
        try:
            return await self._read_from(offset, is_restart=False)
        except (BadRequest, StreamGone, StreamParseError) as error:
            if not cache.is_in_doubt:
                raise
            await cache.start_over(error)
        return await self._read_from(names.BEGINNING, is_restart=False)

    async def _read_from(self, offset: str, *, is_restart: bool) -> str | None:
        """Read on from an offset. Return where to start over, or None at the stream's end."""
        self._status.set("catching_up")
        reading = self._stream.deliveries(offset=offset, live=self._live, resumed=is_restart)
        try:
            async with aclosing(reading) as deliveries:
                async for delivered in deliveries:
                    if isinstance(delivered, Interrupted):
                        self._status.set("reconnecting")
                        continue
                    is_restart = False
                    await self._take(delivered)
                    if self._state.restart_from is not None:
                        return self._state.restart_from
                    self._status.set("catching_up" if self._state.is_loading else "live")
                    if not self._state.is_loading:
                        self._observers.loaded()
        except (BadRequest, StreamGone) as error:
            if is_restart:
                raise type(error)(
                    f"a reset asks to read again from {offset}, which the server refuses: {error}",
                    url=self._stream.url,
                    status=error.status,
                    offset=offset,
                ) from error
            raise
        return None

    async def _take(self, batch: Batch) -> None:
        """Take a batch in, and have it kept; before it and at each step, others have their turn."""
        if self._cache is not None and not self._state.is_loading:
            await self._cache.written()
        self._observers.before(batch)
        await asyncio.sleep(0)
        for progress in self._state.steps(batch):
            self._observers.meanwhile(progress)
            await asyncio.sleep(0)
        if self._cache is not None:
            self._cache.took(batch, self._state.restart_from)
        for _ in self._observers.after(batch, self._state.last_events):
            await asyncio.sleep(0)
