"""Keeps what is written on disk until it is on the stream, and sends it exactly once.

What is sent is on disk before, byte for byte, with the number of its batch: so a process that
goes on after another one has died sends the same again, and the server drops what it has. It first
reads what the stream holds, so that what came back is known to be there, whatever the server has
forgotten meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from streamdb.cache.outbox_file import outbox_path
from streamdb.cache.outbox_records import SentRecord, TransactionRecord
from streamdb.collections.overlay import Pending
from streamdb.db.breaking_off import BreakingOff
from streamdb.db.conditions import reached
from streamdb.db.drafts import Draft
from streamdb.db.kept_writes import (
    bare_draft_of,
    draft_of,
    find_bases,
    pending_of,
    record_of,
    sent_record,
)
from streamdb.db.local_writes import Place
from streamdb.db.outbox_ledger import Batch, OutboxLedger
from streamdb.db.read_place import is_before
from streamdb.db.state import CameBack, DatabaseState
from streamdb.errors import (
    ConnectionFailed,
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

# What passes by itself, or is for others to mend: the batch waits, and is sent again.
_PATIENCE: Final = RetryPolicy(initial=0.5, multiplier=2.0, maximum=30.0)


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
        #: Runs a function on the loop.
        self.on_loop: Callable[[Callable[[], None]], None]
        #: Has a transaction and those that stand on it fail when the block ends, which gets their
        #: ids; told whether it was sent.
        self.giving_up: Callable[[str, bool], AbstractContextManager[Collection[str]]]
        self.ledger: Final = OutboxLedger(outbox_path(cache), stream)
        self._sending: Final = BreakingOff()
        self._state: Final = state
        self._stream: Final = stream
        self._coming: Final[dict[str, tuple[Draft, float]]] = {}  # and since when

    # --- from start to close

    async def open(self) -> None:
        """Read what earlier processes have left, and have it show.

        Raises:
            CacheError: it cannot be read, or is for another stream.
        """
        read = await asyncio.wrap_future(self.ledger.read())
        self._restore(self.ledger.take(*read))

    def close(self) -> Future[None]:
        """Begin to write what is not written yet, and to close the file; once."""
        return self.ledger.close()

    def wait(self) -> None:
        """Block, on any thread but the loop's, until all is on the disk, and closed if it is to be.

        What a cache keeps of an own write must not be on the disk before the outbox has let go of
        it: after a restart it would not be seen to come back.
        """
        self.ledger.wait()

    def end(self) -> None:
        """Wait for the thread of an outbox that is closed."""
        self.ledger.end()

    def _restore(self, records: Iterable[TransactionRecord]) -> None:
        sent: list[Draft] = []
        queued: list[Draft] = []
        shown: list[tuple[Draft, list[tuple[Place, Pending]]]] = []
        for record in records:
            if record.sent is None and record.behind and self.ledger.has_refused(record.behind):
                # The process may have ended before it was, too; or that one fits no more.
                reason = "an earlier one of the same writer was refused"
                self.report(self.ledger.refuse(record.txid, reason))
                continue
            try:
                draft = draft_of(self._state.schema, record)
                changes = pending_of(draft, record)
            except InvalidRow as error:
                if record.sent is None:
                    reason = f"it does not fit the schema: {error}"
                    self.report(self.ledger.refuse(record.txid, reason))
                    continue
                draft, changes = bare_draft_of(record), []
            shown.append((draft, changes))
            (queued if record.sent is None else sent).append(draft)
        if shown:
            self.show(shown)
        self.resume(sent, queued)

    # --- what the database tells

    def expect(self, draft: Draft) -> None:
        """Take a transaction for pending that is about to be kept. Called on any thread."""
        txid = draft.outcome.txid
        draft.outcome.keep()
        self._coming[txid] = draft, time.time()
        draft.outcome.when_settled(lambda _: self._coming.pop(txid, None))

    def keep(self, draft: Draft) -> None:
        """Keep a transaction that was just written; its `stored` is done once it is on the disk."""
        draft.outcome.keep()
        txid = draft.outcome.txid
        _, written_at = self._coming.get(txid, (draft, time.time()))
        # By what may stand on what: an action is sent when it wants, before all that waits for it.
        self.ledger.add(draft.number, record_of(draft, written_at))
        self._coming.pop(txid, None)
        flushed = self.ledger.flush()
        flushed.add_done_callback(lambda done: draft.outcome.note_stored(done.exception()))

    def renamed(self, draft: Draft) -> None:
        """Keep a transaction as it is now: a row that it writes is of another key."""
        ledger, txid = self.ledger, draft.outcome.txid
        if ledger.is_open and txid in ledger and ledger[txid].sent is None:
            ledger.rewrite(record_of(draft, ledger[txid].at))
            ledger.flush()

    def records(self) -> list[TransactionRecord]:
        """Return all transactions, in the order of writing. May be called on any thread."""
        coming = list(self._coming.values())  # before the others: they move there
        kept = self.ledger.records()
        txids = {record.txid for record in kept}
        return kept + [
            record_of(draft, written_at)
            for draft, written_at in coming
            if draft.outcome.txid not in txids
        ]

    def forget(self, txid: str | None) -> None:
        """Forget what was refused, or give one up that is pending. Called on any thread.

        Raises:
            UnknownTransaction: there is no such one.
            DatabaseClosed: the outbox is not open.
        """
        self.ledger.check_open()
        if txid is not None and self.holds(txid):
            self.on_loop(lambda: self._give_up(txid))
        else:
            self.ledger.forget(txid)

    def holds(self, txid: str) -> bool:
        """Tell whether one is pending here, which `forget` gives up. Called on any thread."""
        return txid in self.ledger or txid in self._coming

    def _give_up(self, txid: str) -> None:
        if not (self.ledger.is_open and txid in self.ledger):
            return  # it is on the stream by now, or refused
        batch = self.ledger.batch
        is_sent = batch is not None and txid in batch.txids
        with self.giving_up(txid, is_sent) as lost:
            self.ledger.give_up(txid, lost)
        if is_sent:
            self._sending.break_off()

    def came_back(self, came: CameBack) -> None:
        """Let go of what a commit has shown to be on the stream."""
        batch = self.ledger.batch
        if batch is not None and not batch.txids.isdisjoint({*came.whole, *came.events.values()}):
            self.ledger.let_go(batch)  # a batch is on the stream as a whole

    def failed(self, draft: Draft) -> None:
        """Keep what was refused where the user can see it."""
        txid = draft.outcome.txid
        if self.ledger.is_open and txid in self.ledger:
            self.report(self.ledger.refuse(txid, str(draft.outcome.error)))

    # --- sending

    async def deliver(
        self, stream: AsyncStream, sending: Sequence[tuple[Draft, list[bytes]]]
    ) -> None:
        """Write transactions in one request, for as long as it takes.

        Raises:
            StreamError: they are not on the stream, and will never be.
        """
        ledger = self.ledger
        if sending[0][0].outcome.txid not in ledger:
            return  # an earlier process has sent it, and it has come back
        self._seal(sending)
        failures = _PATIENCE.begin()
        is_renewed = False
        while (batch := ledger.batch) is not None:
            try:
                is_answered = await self._sending.do(self._append(stream, batch, sending))
            except StreamDBError as error:
                if ledger.batch is not batch:
                    continue  # it has come back, or a part of it was given up
                if isinstance(error, (ProducerFenced, ProducerGap)) and not is_renewed:
                    # The server has forgotten the producer, or another one has its id, as a copy of
                    # the file would. So the id is given up, not fought for.
                    log.warning(
                        "%s: the outbox goes on as another producer: %s", self._stream, error
                    )
                    is_renewed = True
                    ledger.begin_anew(batch)
                    continue
                if not _passes(error):
                    raise
                stream.trouble = str(error)
                wait = failures.next_delay() or 0.0
                log.warning("%s: it is sent again in %.1f s: %s", self._stream, wait, error)
                await self._sending.do(asyncio.sleep(wait))
            else:
                rest = self.ledger.batch  # of which a part may have been given up at the last
                if is_answered and rest is not None:
                    ledger.let_go(rest)

    async def _append(
        self, stream: AsyncStream, batch: Batch, sending: Sequence[tuple[Draft, list[bytes]]]
    ) -> None:
        """Try once. A refusal is raised when it is sure that no earlier try was stored."""
        body = json_text.frame(
            [
                event
                for draft, events in sending
                if draft.outcome.txid in batch.txids
                for event in events
            ]
        )
        await asyncio.wrap_future(self.ledger.flush())
        try:
            # Whatever has come back meanwhile: this goes under this number, and no other.
            producer = batch.producer
            numbered = ProducerState(producer.id, producer.epoch, batch.seq)
            await stream.append_once(numbered, body)
        except StreamError as error:
            if _passes(error):
                raise
            # Servers refuse what they have stored if the stream was closed since, or if they have
            # forgotten the producer. So what is on the stream decides, read up to its end of now.
            await self._read_up_to((await stream.head()).offset)
            if self.ledger.batch is batch:
                raise

    async def _read_up_to(self, offset: str) -> None:
        """Wait until all before an offset was read; if reading ends before, this is cancelled."""
        await reached(self._state.signal, lambda: not is_before(self._state.offset, offset))

    def _seal(self, sending: Sequence[tuple[Draft, list[bytes]]]) -> Batch:
        sent: dict[str, SentRecord | None] = {}
        for draft, events in sending:
            txid = draft.outcome.txid
            if draft.as_sent is None:
                sent[txid] = sent_record(self._state, draft, events)
            else:
                sent[txid] = None
                find_bases(self._state, draft, self.ledger[txid])
        return self.ledger.seal(sent)


def _passes(error: StreamDBError) -> bool:
    """Tell whether an error says nothing of the batch itself: it may be stored later, or is now.

    Of wrong credentials it is 401 that may pass: others can be given. 403 refuses the write.
    """
    if not isinstance(error, StreamError) or isinstance(error, (ConnectionFailed, RateLimited)):
        return True
    return error.status is not None and (error.status == 401 or error.status >= 500)
