"""The idempotent producer for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from streamdb.errors import BufferFull, HandleClosed
from streamdb.protocol.calling import Answered
from streamdb.protocol.exchange import Operation
from streamdb.protocol.parcel import Parcel
from streamdb.protocol.results import Appended
from streamdb.streams.producing import ProducerBase, ProducerSettings

Run = Callable[[Operation[Answered]], Awaitable[Answered]]


class AsyncProducer(ProducerBase):
    """Writes values exactly once, many at a time: `append` returns at once.

    Made by :meth:`AsyncStream.producer`. What is appended is sent in batches, several under way at
    once, each under a number that the server stores once, whatever happens to connections.

    ::

        async with stream.producer("agent-7") as producer:
            for chunk in chunks:
                await producer.append(chunk)
            await producer.flush()  # raises ProducerFailed, with what was not written

    Leaving the block flushes, too, but for a cancellation, which gives up what is not stored yet.
    A value is lost only by being told so: by `flush`, `close`, `detach` or the end of the block,
    and by ``on_error`` at once; where nobody can be told otherwise, by the log.
    """

    def __init__(
        self,
        run: Run,
        content_type: Callable[[], Awaitable[str]],
        producer_id: str | None,
        url: str,
        settings: ProducerSettings,
        busy: set[ProducerBase],
    ) -> None:
        super().__init__(producer_id, url, settings, busy)
        self._run = run
        self._ask_content_type = content_type
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()

    async def append(self, value: Any) -> None:
        """Take a value to be written; waits only while the buffer is full.

        Raises:
            ProducerFailed: the producer has stopped; `flush` says what was not written.
            HandleClosed: it was detached, or is closing the stream.
        """
        if self._is_json is None:
            self._learn(await self._ask_content_type())
        if self._pipeline.room <= 0:
            await self._wait_for_room()
        if self._add(value):
            await asyncio.sleep(0)  # let a batch go that is full, and answers in

    async def _wait_for_room(self) -> None:
        self._pipeline.seal()  # nobody lingers while others wait
        self._pump()
        while self._pipeline.is_full and not self._is_detached:
            await self._changed.wait()

    def append_nowait(self, value: Any) -> None:
        """Take a value without ever waiting.

        Raises:
            BufferFull: there is no room.
            HandleClosed: it was detached, or nothing has asked for the content type yet: the first
                value goes through `append`, or the producer is entered by ``async with``.
        """
        if self._is_json is None:
            raise HandleClosed("append_nowait: enter the producer by `async with` before")
        if self._pipeline.is_full:
            raise BufferFull(f"producer {self.id}: the buffer is full; use `append`, which waits")
        self._add(value)

    def _add(self, value: Any) -> bool:
        """Take a value; return True if a batch is on its way now."""
        if self._is_detached or self._pipeline.failure is not None:
            self._check_usable()
        has_work = self._pipeline.add(self._encode(value), time.monotonic)
        self._busy.add(self)
        return has_work and self._pump()

    async def flush(self) -> Appended:
        """Wait until all that was appended is stored; return the offset behind it.

        Raises:
            ProducerFailed: some of it is not, or perhaps not, on the stream: the error holds it.
        """
        mark = self._pipeline.mark()
        self._pump()
        while not self._pipeline.is_settled(mark):
            await self._changed.wait()
        self._raise_losses()
        return self._pipeline.last()

    async def close(self, *last: Any) -> Appended:
        """Close the stream behind all that was appended, with last values if given.

        Not `aclose`: nobody can write to the stream afterwards. The second time, and while another
        call is at it, it adds nothing, and only waits.

        Raises:
            ProducerFailed: as `flush`; the stream may still be open then.
        """
        if last and self._is_json is None:
            self._learn(await self._ask_content_type())
        if not self._pipeline.is_ending:
            self._check_usable()
            self._pipeline.close([self._encode(value) for value in last])
            self._busy.add(self)
        closed = await self.flush()
        self._check_closed()
        self._is_detached = True
        return closed

    async def detach(self) -> Appended:
        """Flush and end the producer; the stream stays open for others.

        A detach that is cancelled gives up what is not stored yet, as `abandon` does.

        Raises:
            ProducerFailed: as `flush`.
        """
        self._is_detached = True
        try:
            flushed = await self.flush()
        except Exception:
            await self._end()
            raise
        except BaseException:  # nobody will wait for the rest
            await self.abandon()
            raise
        await self._end()
        return flushed

    async def restart(self) -> None:
        """Begin the next epoch, after a failure, or to fence a copy that has the same id (PROD-15).

        Raises:
            ProducerFailed: a failure that nobody has been told of yet. It is told now; restart
                again.
        """
        await self.flush()
        self._pipeline.restart()

    async def abandon(self) -> None:
        """Stop at once, as the stream's `aclose` does, and tell what that leaves unwritten."""
        self._tell(self._abandon())
        self._notify()
        await self._end()

    async def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _pump(self) -> bool:
        """Send what may be sent, and see to it that what lingers is sent in time.

        Return True if a batch is on its way now.
        """
        loop = asyncio.get_running_loop()
        has_sent = False
        while (parcel := self._pipeline.take(time.monotonic())) is not None:
            task = loop.create_task(self._send(parcel))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            has_sent = True
        due_at = self._pipeline.due_at
        if due_at is not None and self._timer is None:
            self._timer = loop.call_later(max(due_at - time.monotonic(), 0), self._lingered)
        return has_sent

    def _lingered(self) -> None:
        self._timer = None
        self._pump()

    async def _send(self, parcel: Parcel) -> None:
        outcome: Answered | Exception
        try:
            if self._is_json is None:
                self._learn(await self._ask_content_type())
            outcome = await self._run(self._operation(parcel))
        except Exception as error:  # noqa: BLE001 - whatever it is, its values are not lost silently
            outcome = error
        try:
            self._tell(self._settle(parcel, outcome))
        finally:
            self._notify()
            self._pump()

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def __aenter__(self) -> Self:
        if self._is_json is None:
            self._learn(await self._ask_content_type())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_detached:
            return
        if kind is None or issubclass(kind, Exception):
            await self.detach()
        else:  # cancelled: no wait may hold that up (CLIENT-25)
            await self.abandon()
