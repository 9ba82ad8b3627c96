"""What an outbox holds on disk: transactions, and the producer that takes them to the stream."""

from __future__ import annotations

from typing import Final

import msgspec


class WriteRecord(msgspec.Struct, frozen=True, array_like=True):
    """One write of a row.

    Attributes:
        type: the event type; bytes, as is the key, for text may hold half a surrogate pair.
        kind: what is done, see `db.local_writes`.
        key: the text of the key.
        row: the row as it was to be when it was written, in JSON; None if it is removed.
        fields: the names of those that an update changes; None if it is the whole row.
        expect: the row that it has to be made of, in JSON; None if any will do.
    """

    type: bytes
    kind: str
    key: bytes
    row: bytes | None = None
    fields: list[str] | None = None
    expect: bytes | None = None


class SentRow(msgspec.Struct, frozen=True, array_like=True):
    """What was sent of a write, in JSON.

    Attributes:
        row: the row; None if it is removed.
        base: the row that it was made of; None if there was none.
    """

    row: bytes | None
    base: bytes | None


class SentRecord(msgspec.Struct, frozen=True, array_like=True):
    """What goes to the stream, byte for byte, however often.

    Attributes:
        events: the events.
        rows: what they make of each row, in the order of the writes.
    """

    events: list[bytes]
    rows: list[SentRow]


class TransactionRecord(msgspec.Struct, frozen=True, array_like=True):
    """One transaction.

    Attributes:
        txid: its id.
        at: when it was written, seconds since 1970.
        writes: what it writes, in order.
        sent: what is sent of it; None before its request is made.
        refused: why it will never be on the stream; None as long as it may be.
        behind: the txid of one that has to be on the stream before it, or neither is.
    """

    txid: str
    at: float
    writes: list[WriteRecord]
    sent: SentRecord | None = None
    refused: str | None = None
    behind: str | None = None


class ProducerRecord(msgspec.Struct, frozen=True, array_like=True):
    """Who sends.

    Attributes:
        stream: to which stream; holds no secret.
        id: the producer id.
        epoch: its epoch.
        next_seq: the number of the next batch. Transactions that have been sent and are in the
            outbox make up that batch.
    """

    stream: str
    id: str
    epoch: int
    next_seq: int


_encoder: Final = msgspec.msgpack.Encoder()
_transaction_decoder: Final = msgspec.msgpack.Decoder(TransactionRecord)
_producer_decoder: Final = msgspec.msgpack.Decoder(ProducerRecord)


def written(record: TransactionRecord | ProducerRecord) -> bytes:
    """Write a record as bytes.

    >>> read_producer(written(ProducerRecord("here", "p1", 0, 7))).next_seq
    7
    """
    return _encoder.encode(record)


def read_transaction(content: bytes) -> TransactionRecord:
    """Read what :func:`written` wrote of a transaction."""
    return _transaction_decoder.decode(content)


def read_producer(content: bytes) -> ProducerRecord:
    """Likewise, of a producer."""
    return _producer_decoder.decode(content)
