"""The idempotent producer for blocking code."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from streamdb.errors import BufferFull, ProducerFailed
from streamdb.protocol.calling import Answered
from streamdb.protocol.exchange import Operation
from streamdb.protocol.parcel import Parcel
from streamdb.protocol.results import Appended
from streamdb.streams.producing import ProducerBase, ProducerSettings

Run = Callable[[Operation[Answered]], Answered]


class Producer(ProducerBase):
    """Writes values exactly once, many at a time; see :class:`AsyncProducer`.

    Made by :meth:`Stream.producer`. It may be used from several threads. Requests are sent by
    threads of its own, no more than ``max_in_flight``, which end with `detach` and `close`.

    ::

        with stream.producer("agent-7") as producer:
            for chunk in chunks:
                producer.append(chunk)
    """

    def __init__(
        self,
        run: Run,
        content_type: Callable[[], str],
        producer_id: str | None,
        url: str,
        settings: ProducerSettings,
        busy: set[ProducerBase],
    ) -> None:
        super().__init__(producer_id, url, settings, busy)
        self._run = run
        self._ask_content_type = content_type
        self._lock = threading.RLock()
        self._work = threading.Condition(self._lock)  # for the threads that send
        self._changed = threading.Condition(self._lock)  # for those that wait
        self._threads: list[threading.Thread] = []
        self._idle_threads = 0
        self._telling: set[int] = set()  # threads in the handler `on_error`

    def append(self, value: Any) -> None:
        """Take a value to be written; waits only while the buffer is full.

        Raises:
            ProducerFailed: the producer has stopped; `flush` says what was not written.
            HandleClosed: it was detached, or is closing the stream.
        """
        item = self._encode(value) if self._is_json is not None else self._encode_first(value)
        with self._lock:
            if self._pipeline.room <= 0:
                self._wait_for_room()
            self._add(item)

    def _wait_for_room(self) -> None:
        self._pipeline.seal()  # nobody lingers while others wait
        self._pump()
        while self._pipeline.is_full and not self._is_detached:
            self._changed.wait()

    def append_nowait(self, value: Any) -> None:
        """Take a value without waiting for room.

        Raises:
            BufferFull: there is none.
        """
        item = self._encode(value) if self._is_json is not None else self._encode_first(value)
        with self._lock:
            if self._pipeline.is_full:
                raise BufferFull(
                    f"producer {self.id}: the buffer is full; use `append`, which waits"
                )
            self._add(item)

    def _encode_first(self, value: Any) -> bytes:
        self._learn(self._ask_content_type())
        return self._encode(value)

    def _add(self, item: bytes) -> None:
        if self._is_detached or self._pipeline.failure is not None:
            self._check_usable()
        if self._pipeline.add(item, time.monotonic):  # the first of a batch, or the last
            self._busy.add(self)
            self._pump()

    def flush(self, timeout: float | None = None) -> Appended:
        """Wait until all that was appended is stored; return the offset behind it.

        Raises:
            ProducerFailed: some of it is not, or perhaps not, on the stream: the error holds it.
            TimeoutError: it took longer than ``timeout`` seconds; nothing is given up.
        """
        with self._lock:
            mark = self._pipeline.mark()
            self._pump()
            if not self._changed.wait_for(lambda: self._is_settled_and_told(mark), timeout):
                raise TimeoutError(f"producer {self.id}: not all was stored within {timeout} s")
            self._raise_losses()
            return self._pipeline.last()

    def _is_settled_and_told(self, mark: int) -> bool:
        # Who flushes in the handler does not wait for it.
        is_told = not self._telling - {threading.get_ident()}
        return is_told and self._pipeline.is_settled(mark)

    def close(self, *last: Any) -> Appended:
        """Close the stream behind all that was appended, with last values if given.

        The second time, and while another thread is at it, it adds nothing, and only waits.

        Raises:
            ProducerFailed: as `flush`; the stream may still be open then.
        """
        if last and self._is_json is None:
            self._learn(self._ask_content_type())
        with self._lock:
            if not self._pipeline.is_ending:
                self._check_usable()
                self._pipeline.close([self._encode(value) for value in last])
                self._busy.add(self)
        closed = self.flush()
        self._check_closed()
        self._is_detached = True
        self._end()
        return closed

    def detach(self) -> Appended:
        """Flush and end the producer; the stream stays open for others.

        A detach that is interrupted gives up what is not stored yet, and waits for nothing.

        Raises:
            ProducerFailed: as `flush`.
        """
        try:
            self._is_detached = True
            flushed = self.flush()
        except Exception:
            self._end()
            raise
        except BaseException:
            self.abandon(wait=False)
            raise
        self._end()
        return flushed

    def restart(self) -> None:
        """Begin the next epoch, after a failure, or to fence a copy that has the same id (PROD-15).

        Raises:
            ProducerFailed: a failure that nobody has been told of yet. It is told now; restart
                again.
        """
        with self._lock:
            self.flush()
            self._pipeline.restart()

    def abandon(self, *, wait: bool = True) -> None:
        """Stop, as the stream's `close` does, and tell what that leaves unwritten.

        Requests under way are waited for, but not repeated; the stream's `close` ends them.

        Args:
            wait: False leaves them to end by themselves.
        """
        with self._lock:
            failures = self._abandon()
            self._note_telling(failures)
            self._changed.notify_all()
        self._tell(failures)
        self._end(wait=wait)

    def _end(self, *, wait: bool = True) -> None:
        with self._lock:
            threads, self._threads = self._threads, []
            self._work.notify_all()
        for thread in threads if wait else ():
            if thread is not threading.current_thread():  # that of a handler
                thread.join()

    def _note_telling(self, failures: list[ProducerFailed]) -> None:
        if failures:
            self._telling.add(threading.get_ident())

    def _tell(self, failures: Iterable[ProducerFailed]) -> None:
        if not failures:
            return
        try:
            super()._tell(failures)
        finally:
            with self._lock:
                self._telling.discard(threading.get_ident())
                self._changed.notify_all()

    def _pump(self) -> None:
        """Wake a thread that sends, or start one."""
        if self._idle_threads:
            self._work.notify()
        elif len(self._threads) < self._pipeline.options.max_in_flight:
            thread = threading.Thread(target=self._send_on, name="streamdb-producer", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _send_on(self) -> None:
        while (parcel := self._next()) is not None:
            outcome = self._send(parcel)
            with self._lock:
                failures = self._settle(parcel, outcome)
                self._note_telling(failures)
                self._changed.notify_all()
                self._work.notify_all()
            self._tell(failures)

    def _next(self) -> Parcel | None:
        """Wait for something to send; None at the end."""
        with self._lock:
            while True:
                parcel = self._pipeline.take(time.monotonic())
                if parcel is not None:
                    if self._pipeline.has_more:
                        self._pump()  # perhaps another thread may send, too
                    return parcel
                if threading.current_thread() not in self._threads:
                    return None
                due_at = self._pipeline.due_at
                self._idle_threads += 1
                try:
                    self._work.wait(None if due_at is None else max(due_at - time.monotonic(), 0))
                finally:
                    self._idle_threads -= 1

    def _send(self, parcel: Parcel) -> Answered | Exception:
        try:
            if self._is_json is None:
                self._learn(self._ask_content_type())
            return self._run(self._operation(parcel))
        except Exception as error:  # noqa: BLE001 - whatever it is, its values are not lost silently
            return error

    def __enter__(self) -> Self:
        if self._is_json is None:
            self._learn(self._ask_content_type())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_detached:
            return
        if kind is None or issubclass(kind, Exception):
            self.detach()
        else:  # interrupted: give up what is not stored yet, and tell it
            self.abandon(wait=False)
