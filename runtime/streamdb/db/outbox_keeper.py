"""Keeps what is written on disk until it is on the stream, and sends it exactly once.

What is sent is on disk before, byte for byte, with the number of its batch: so a process that
goes on after another one has died sends the same again, and the server drops what it has. It first
reads what the stream holds, so that what came back is known to be there, whatever the server has
forgotten meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from streamdb.cache.outbox_file import outbox_path
from streamdb.cache.outbox_records import ProducerRecord, TransactionRecord
from streamdb.cache.outbox_writer import OutboxWriter
from streamdb.collections.overlay import Pending
from streamdb.db.kept_writes import (
    bare_draft_of,
    draft_of,
    find_bases,
    pending_of,
    record_of,
    sent_record,
)
from streamdb.db.local_writes import Place
from streamdb.db.mutations import Draft
from streamdb.db.read_place import is_before
from streamdb.db.state import CameBack, DatabaseState
from streamdb.errors import (
    CacheError,
    ConnectionFailed,
    DatabaseClosed,
    InvalidRow,
    ProducerFenced,
    ProducerGap,
    RateLimited,
    StreamDBError,
    StreamError,
)
from streamdb.protocol import json_text
from streamdb.protocol.retry import RetryPolicy
from streamdb.protocol.writing import ProducerState
from streamdb.streams.async_stream import AsyncStream

log: Final = logging.getLogger("streamdb.db")

_MOST_REFUSED: Final = 1000
# What passes by itself, or is for others to mend: the batch waits, and is sent again.
_PATIENCE: Final = RetryPolicy(initial=0.5, multiplier=2.0, maximum=30.0)


class _Kept(NamedTuple):
    number: int
    record: TransactionRecord


class _Batch(NamedTuple):
    """What is being sent, under which number."""

    txids: frozenset[str]
    producer: ProducerState
    seq: int


class OutboxKeeper:
    """The outbox of one database. Its methods are called on the database's loop, or say so.

    Args:
        cache: the file of the cache, beside which it is; whoever opens it holds its lock.
        state: what the writes lie over.
        stream: which stream they are for; without secrets.
    """

    def __init__(self, cache: Path, state: DatabaseState, *, stream: str) -> None:
        #: Has transactions show that are left.
        self.show: Callable[[Iterable[tuple[Draft, Iterable[tuple[Place, Pending]]]]], None]
        #: Takes over what is to be sent: first what was sent before, as one batch; then the rest.
        self.resume: Callable[[list[Draft], list[Draft]], None]
        #: Tells the user of what was refused.
        self.report: Callable[[TransactionRecord], None]
        #: True from when it was read until it is closed.
        self.is_open = False
        self._state: Final = state
        self._stream: Final = stream
        self._writer: Final = OutboxWriter(outbox_path(cache))
        self._producer = ProducerState(str(uuid.uuid4()))
        self._kept: Final[dict[str, _Kept]] = {}
        self._refused: Final[dict[str, _Kept]] = {}
        self._last_number = 0  # of those that were left
        self._batch: _Batch | None = None
        self._closing: Future[None] | None = None

    # --- from start to close

    async def open(self) -> None:
        """Read what earlier processes have left, and have it show.

        Raises:
            CacheError: it cannot be read, or is of another stream.
        """
        producer, records = await asyncio.wrap_future(self._writer.open())
        pending = [record.txid for record in records.values() if record.refused is None]
        if producer is not None and producer.stream != self._stream and pending:
            raise CacheError(
                f"the outbox {self._writer.path} holds {len(pending)} transactions that are not on "
                f"their stream yet, {producer.stream}, and this is {self._stream}: open that one "
                "first, name another cache for this one, or move the outbox away"
            )
        if producer is not None and producer.stream == self._stream:
            self._producer = ProducerState(producer.id, producer.epoch, producer.next_seq)
        else:
            self._put_producer(self._producer, 0)
        self.is_open = True
        for number, record in records.items():
            kept = self._kept if record.refused is None else self._refused
            kept[record.txid] = _Kept(number, record)
            self._last_number = number
        self._restore()

    def close(self) -> Future[None]:
        """Begin to write what is not written yet, and to close the file; once."""
        if self._closing is None:
            self.is_open = False
            self._closing = self._writer.close()
        return self._closing

    def wait(self) -> None:
        """Block, on any thread but the loop's, until all is on the disk, and closed if it is to be.

        What a cache keeps of an own write must not be on the disk before the outbox has let go of
        it: after a restart it would not be seen to come back.
        """
        self._writer.wait()

    def end(self) -> None:
        """Wait for the thread of an outbox that is closed."""
        self._writer.end()

    def _restore(self) -> None:
        sent: list[Draft] = []
        queued: list[Draft] = []
        shown: list[tuple[Draft, list[tuple[Place, Pending]]]] = []
        for _, record in list(self._kept.values()):
            try:
                draft = draft_of(self._state.schema, record)
                changes = pending_of(draft, record)
            except InvalidRow as error:
                if record.sent is None:
                    self._refuse(record.txid, f"it does not fit the schema: {error}")
                    continue
                draft, changes = bare_draft_of(record), []
            shown.append((draft, changes))
            (queued if record.sent is None else sent).append(draft)
        if sent:
            self._batch = self._batch_of(draft.outcome.txid for draft in sent)
        if shown:
            self.show(shown)
        self.resume(sent, queued)

    # --- what the database tells

    def keep(self, draft: Draft) -> None:
        """Keep a transaction that was just written; its `stored` is done once it is on the disk."""
        draft.outcome.keep()
        # By what may stand on what: an action is sent when it wants, before all that waits for it.
        self._put(_Kept(self._last_number + draft.number, record_of(draft)))
        flushed = self._writer.flush()
        flushed.add_done_callback(lambda done: draft.outcome.note_stored(done.exception()))

    def came_back(self, came: CameBack) -> None:
        """Let go of what a commit has shown to be on the stream."""
        batch = self._batch
        if batch is not None and not batch.txids.isdisjoint({*came.whole, *came.events.values()}):
            self._let_go(batch)  # a batch is on the stream as a whole

    def failed(self, draft: Draft) -> None:
        """Keep what was refused where the user can see it."""
        if self.is_open and draft.outcome.txid in self._kept:
            self._refuse(draft.outcome.txid, str(draft.outcome.error))

    # --- sending

    async def deliver(
        self, stream: AsyncStream, batch: Sequence[tuple[Draft, list[bytes]]]
    ) -> None:
        """Write transactions in one request, for as long as it takes.

        Raises:
            StreamError: they are not on the stream, and will never be.
        """
        if batch[0][0].outcome.txid not in self._kept:
            return  # an earlier process has sent it, and it has come back
        sending = self._seal(batch)
        body = json_text.frame([event for _, events in batch for event in events])
        failures = _PATIENCE.begin()
        is_renewed = False
        while self._batch is sending:
            try:
                await self._append(stream, sending, body)
            except StreamDBError as error:
                self._producer.in_doubt = False  # it is this batch again, under this number
                if self._batch is not sending:
                    break  # it has come back
                if isinstance(error, (ProducerFenced, ProducerGap)) and not is_renewed:
                    is_renewed = True
                    sending = self._begin_anew(sending, error)
                    continue
                if not _passes(error):
                    raise
                wait = failures.next_delay() or 0.0
                log.warning("%s: it is sent again in %.1f s: %s", self._stream, wait, error)
                await asyncio.sleep(wait)
            else:
                self._let_go(sending)
        sending.producer.next_seq = sending.seq + 1

    async def _append(self, stream: AsyncStream, sending: _Batch, body: bytes) -> None:
        """Try once. A refusal is raised when it is sure that no earlier try was stored."""
        await asyncio.wrap_future(self._writer.flush())
        try:
            await stream.append_once(self._producer, body)
        except StreamError as error:
            if _passes(error):
                raise
            # Servers refuse what they have stored if the stream was closed since, or if they have
            # forgotten the producer. So what is on the stream decides, read up to its end of now.
            await self._read_up_to((await stream.head()).offset)
            if self._batch is sending:
                raise

    async def _read_up_to(self, offset: str) -> None:
        """Wait until all before an offset was read; if reading ends before, this is cancelled."""
        loop, moved = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(moved.set)

        stop = self._state.signal.watch(wake)
        try:
            while is_before(self._state.offset, offset):
                moved.clear()
                await moved.wait()
        finally:
            stop()

    def _begin_anew(self, sending: _Batch, error: StreamDBError) -> _Batch:
        """Send by another producer: the server has forgotten this one, or another one has its id.

        As a copy of the file would have; so the id is given up, not fought for.
        """
        log.warning("%s: the outbox goes on as another producer: %s", self._stream, error)
        self._producer = ProducerState(str(uuid.uuid4()))
        self._put_producer(self._producer, 0)
        self._batch = _Batch(sending.txids, self._producer, 0)
        return self._batch

    def _seal(self, batch: Sequence[tuple[Draft, list[bytes]]]) -> _Batch:
        """Put on disk what is sent. What was sent before, was refused, and is made anew is not."""
        txids = [draft.outcome.txid for draft, _ in batch]
        before = self._batch.txids if self._batch is not None else frozenset[str]()
        for txid in before.difference(txids).intersection(self._kept):
            number, record = self._kept[txid]
            self._put(_Kept(number, msgspec.structs.replace(record, sent=None)))
        for draft, events in batch:
            number, record = self._kept[draft.outcome.txid]
            if draft.as_sent is not None:
                find_bases(self._state, draft, record)
            else:
                sent = sent_record(self._state, draft, events)
                self._put(_Kept(number, msgspec.structs.replace(record, sent=sent)))
        sending = self._batch = self._batch_of(txids)
        return sending

    # --- what is on the disk

    @property
    def txids(self) -> list[str]:
        """The ids of the transactions that are to be on the stream yet, in order."""
        return list(self._kept)

    def records(self) -> list[TransactionRecord]:
        """Return all transactions, in the order of writing. May be called on any thread."""
        kept = [*self._refused.values(), *self._kept.values()]
        return [record for _, record in sorted(kept, key=lambda one: one.number)]

    def forget(self, txid: str | None) -> None:
        """Remove one that was refused, or all. May be called on any thread."""
        if not self.is_open:
            raise DatabaseClosed(f"{self._stream}: the database is not open: nothing is forgotten")
        if txid is not None and txid not in self._refused:
            raise KeyError(txid)
        for one in list(self._refused) if txid is None else [txid]:
            if (kept := self._refused.pop(one, None)) is not None:
                self._writer.put(kept.number, None)
        self._writer.flush()

    def _refuse(self, txid: str, reason: str) -> None:
        number, record = self._kept.pop(txid)
        plain_reason = reason.encode("utf-8", "backslashreplace").decode()
        refused = msgspec.structs.replace(record, sent=None, refused=plain_reason)
        self._refused[txid] = _Kept(number, refused)
        self._writer.put(number, refused)
        while len(self._refused) > _MOST_REFUSED:
            oldest = self._refused.pop(next(iter(self._refused)))
            self._writer.put(oldest.number, None)
        self._writer.flush()
        self.report(refused)

    def _let_go(self, batch: _Batch) -> None:
        """Forget a batch that is on the stream; its number is used up, in the same moment."""
        for txid in batch.txids:
            if (kept := self._kept.pop(txid, None)) is not None:
                self._writer.put(kept.number, None)
        if self._batch is batch:
            self._batch = None
        batch.producer.next_seq = batch.seq + 1
        self._put_producer(batch.producer, batch.seq + 1)
        self._writer.flush()

    def _put(self, kept: _Kept) -> None:
        self._kept[kept.record.txid] = kept
        self._writer.put(*kept)

    def _put_producer(self, producer: ProducerState, next_seq: int) -> None:
        self._writer.put_producer(
            ProducerRecord(self._stream, producer.id, producer.epoch, next_seq)
        )

    def _batch_of(self, txids: Iterable[str]) -> _Batch:
        return _Batch(frozenset(txids), self._producer, self._producer.next_seq)


def _passes(error: StreamDBError) -> bool:
    """Tell whether an error says nothing of the batch itself: it may be stored later, or is now.

    Of wrong credentials it is 401 that may pass: others can be given. 403 refuses the write.
    """
    if not isinstance(error, StreamError) or isinstance(error, (ConnectionFailed, RateLimited)):
        return True
    return error.status is not None and (error.status == 401 or error.status >= 500)
