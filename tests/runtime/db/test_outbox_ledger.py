"""What an outbox holds, and which of it is sent as one batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamdb.cache.outbox_records import SentRecord, TransactionRecord
from streamdb.db.outbox_ledger import OutboxLedger

SENT = SentRecord([b"{}"], [])


def opened(path: Path) -> OutboxLedger:
    ledger = OutboxLedger(path, "here")
    ledger.take(*ledger.read().result())
    return ledger


def close(ledger: OutboxLedger) -> None:
    ledger.close().result()
    ledger.end()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.cache-outbox"


@pytest.fixture
def ledger(path: Path) -> Iterator[OutboxLedger]:
    made = opened(path)
    for number, txid in enumerate("abc", 1):
        made.add(number, TransactionRecord(txid, 1.5, []))
    yield made
    close(made)


def test_what_is_sent_by_itself_again_is_a_batch_by_itself(
    path: Path, ledger: OutboxLedger
) -> None:
    """A process that goes on later sends under its number just that, for the server may have it."""
    batch = ledger.seal({"a": SENT, "b": SENT})
    assert batch.txids == {"a", "b"}
    again = ledger.seal({"b": SENT})
    assert again == (frozenset("b"), batch.producer, batch.seq)
    close(ledger)
    later = opened(path)
    assert later.batch is not None
    assert (later.batch.txids, later.batch.seq) == (again.txids, again.seq)
    assert [(one.txid, one.sent) for one in later.records()] == [
        ("a", None),
        ("b", SENT),
        ("c", None),
    ]
    close(later)


def test_what_is_on_the_stream_uses_its_number_up(path: Path, ledger: OutboxLedger) -> None:
    batch = ledger.seal({"a": SENT})
    ledger.let_go(batch)
    close(ledger)
    later = opened(path)
    assert later.batch is None
    assert later.producer.next_seq == batch.seq + 1
    assert later.txids == ["b", "c"]
    close(later)
