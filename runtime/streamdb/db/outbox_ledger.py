"""What an outbox holds, in memory and on disk: transactions, and the batch that is being sent.

All changes that belong together are put before one flush, and are on the disk together or not.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from streamdb.cache.outbox_records import ProducerRecord, SentRecord, TransactionRecord
from streamdb.cache.outbox_writer import OutboxWriter
from streamdb.errors import CacheError, DatabaseClosed, UnknownTransaction
from streamdb.protocol.writing import ProducerState

_MOST_REFUSED: Final = 1000


class _Kept(NamedTuple):
    number: int
    record: TransactionRecord


class Batch(NamedTuple):
    """What is being sent, under which number."""

    txids: frozenset[str]
    producer: ProducerState
    seq: int


class OutboxLedger:
    """The content of one outbox.

    Args:
        path: the file; whoever opens it holds the lock of the cache beside it.
        stream: which stream it is for; without secrets.
    """

    def __init__(self, path: Path, stream: str) -> None:
        #: True from when it was read until it is closed.
        self.is_open = False
        self.producer = ProducerState(str(uuid.uuid4()))
        #: What was sent last, as long as it is not known to be on the stream.
        self.batch: Batch | None = None
        self._stream: Final = stream
        self._writer: Final = OutboxWriter(path)
        self._pending: Final[dict[str, _Kept]] = {}
        self._refused: Final[dict[str, _Kept]] = {}
        self._last_number = 0  # of those that were left
        self._closing: Future[None] | None = None

    def read(self) -> Future[tuple[ProducerRecord | None, dict[int, TransactionRecord]]]:
        """Open the file, for `take`. The future raises CacheError if it cannot be read."""
        return self._writer.open()

    def take(
        self, producer: ProducerRecord | None, records: dict[int, TransactionRecord]
    ) -> list[TransactionRecord]:
        """Take over what was read, and return what is to be sent, in order.

        Raises:
            CacheError: it is for another stream.
        """
        pending = [record for record in records.values() if record.refused is None]
        if producer is not None and producer.stream != self._stream and pending:
            raise CacheError(
                f"the outbox {self._writer.path} holds {len(pending)} transactions that are not on "
                f"their stream yet, {producer.stream}, and this is {self._stream}: open that one "
                "first, name another cache for this one, or move the outbox away"
            )
        if producer is not None and producer.stream == self._stream:
            self.producer = ProducerState(producer.id, producer.epoch, producer.next_seq)
        else:
            self._put_producer(self.producer, 0)
        for number, record in records.items():
            kept = self._pending if record.refused is None else self._refused
            kept[record.txid] = _Kept(number, record)
            self._last_number = number
        if sent := [record.txid for record in pending if record.sent is not None]:
            self.batch = self._batch_of(sent)
        self.is_open = True
        return pending

    def flush(self) -> Future[None]:
        """Have all that was changed up to now be on the disk. The future raises CacheError."""
        return self._writer.flush()

    def wait(self) -> None:
        """Block until it is."""
        self._writer.wait()

    def close(self) -> Future[None]:
        """Begin to write what is not written yet, and to close the file; once."""
        if self._closing is None:
            self.is_open = False
            self._closing = self._writer.close()
        return self._closing

    def end(self) -> None:
        """Wait for the thread of an outbox that is closed."""
        self._writer.end()

    # --- what is to be sent

    @property
    def txids(self) -> list[str]:
        """The ids of the transactions that are to be on the stream yet."""
        return list(self._pending)

    def __contains__(self, txid: str) -> bool:
        """Tell whether a transaction is among them."""
        return txid in self._pending

    def __getitem__(self, txid: str) -> TransactionRecord:
        """Return one of them. Raises KeyError."""
        return self._pending[txid].record

    def add(self, number: int, record: TransactionRecord) -> None:
        """Add one; its number is greater than those of all that it may stand on."""
        self._put(self._last_number + number, record)

    def rewrite(self, record: TransactionRecord) -> None:
        """Have one be another one of the same id. Raises KeyError."""
        self._put(self._pending[record.txid].number, record)

    def seal(self, sent: dict[str, SentRecord | None]) -> Batch:
        """Put down what is sent of transactions, None if that is known, as the next batch.

        What was sent before, was refused, and is to be made anew is not.
        """
        before = self.batch.txids if self.batch is not None else frozenset[str]()
        for txid in before.difference(sent).intersection(self._pending):
            self._put_sent(txid, None)
        for txid, what in sent.items():
            if what is not None:
                self._put_sent(txid, what)
        batch = self.batch = self._batch_of(sent)
        return batch

    def begin_anew(self, batch: Batch) -> Batch:
        """Have a batch be the first one of another producer."""
        self.producer = ProducerState(str(uuid.uuid4()))
        self._put_producer(self.producer, 0)
        anew = self.batch = self._batch_of(batch.txids)
        return anew

    def let_go(self, batch: Batch) -> None:
        """Forget a batch that is on the stream; its number is used up, in the same moment."""
        for txid in batch.txids:
            if (kept := self._pending.pop(txid, None)) is not None:
                self._writer.put(kept.number, None)
        if self.batch is batch:
            self.batch = None
        batch.producer.next_seq = batch.seq + 1
        self._put_producer(batch.producer, batch.seq + 1)
        self._writer.flush()

    def give_up(self, txid: str, lost: Collection[str]) -> None:
        """Forget one that is not known to be on the stream.

        What was sent with it goes under the same number without it: if the server has them all, it
        drops that. If nothing is left of them, the number may be used up, so an epoch begins.

        Args:
            txid: which.
            lost: those that fail with it, and itself.
        """
        number, _ = self._pending.pop(txid)
        batch = self.batch
        with self._writer.together():
            self._writer.put(number, None)
            if batch is not None and txid in batch.txids:
                if left := batch.txids.difference(lost):
                    self.batch = Batch(left, batch.producer, batch.seq)
                else:
                    self.batch = None
                    self.producer = ProducerState(batch.producer.id, batch.producer.epoch + 1)
                    self._put_producer(self.producer, 0)
        self._writer.flush()

    # --- what was refused

    def refuse(self, txid: str, reason: str) -> TransactionRecord:
        """Keep one for the user to see, that will never be on the stream; return it."""
        number, record = self._pending.pop(txid)
        plain_reason = reason.encode("utf-8", "backslashreplace").decode()
        refused = msgspec.structs.replace(record, sent=None, refused=plain_reason)
        self._refused[txid] = _Kept(number, refused)
        self._writer.put(number, refused)
        while len(self._refused) > _MOST_REFUSED:
            oldest = self._refused.pop(next(iter(self._refused)))
            self._writer.put(oldest.number, None)
        self._writer.flush()
        return refused

    def records(self) -> list[TransactionRecord]:
        """Return all transactions, in the order of writing. May be called on any thread."""
        kept = [*self._refused.values(), *self._pending.values()]
        return [record for _, record in sorted(kept, key=lambda one: one.number)]

    def has_refused(self, txid: str) -> bool:
        """Tell whether a transaction is among those that were refused."""
        return txid in self._refused

    def check_open(self) -> None:
        """Raise DatabaseClosed if nothing can be forgotten."""
        if not self.is_open:
            raise DatabaseClosed(f"{self._stream}: the database is not open: nothing is forgotten")

    def forget(self, txid: str | None) -> None:
        """Remove one that was refused, or all. May be called on any thread.

        Raises:
            UnknownTransaction: there is no such one.
            DatabaseClosed: the outbox is not open.
        """
        self.check_open()
        if txid is not None and txid not in self._refused:
            raise UnknownTransaction(
                f"the outbox holds no transaction {txid!r}: it lists what it holds as `pending` "
                "and `refused`, and what is on the stream is in neither"
            )
        for one in list(self._refused) if txid is None else [txid]:
            if (kept := self._refused.pop(one, None)) is not None:
                self._writer.put(kept.number, None)
        self._writer.flush()

    def _put_sent(self, txid: str, sent: SentRecord | None) -> None:
        number, record = self._pending[txid]
        self._put(number, msgspec.structs.replace(record, sent=sent))

    def _put(self, number: int, record: TransactionRecord) -> None:
        self._pending[record.txid] = _Kept(number, record)
        self._writer.put(number, record)

    def _put_producer(self, producer: ProducerState, next_seq: int) -> None:
        self._writer.put_producer(
            ProducerRecord(self._stream, producer.id, producer.epoch, next_seq)
        )

    def _batch_of(self, txids: Iterable[str]) -> Batch:
        return Batch(frozenset(txids), self.producer, self.producer.next_seq)
