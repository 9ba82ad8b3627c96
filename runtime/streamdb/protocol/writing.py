"""The idempotent producer, one batch at a time: what a database writes through (section 8).

A batch keeps its sequence number through every retry, so that a lost answer is found out instead
of guessed: the server stores each number once (CLIENT-31, CLIENT-32).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from streamdb.protocol import names
from streamdb.protocol.answers import header, raise_for_answer
from streamdb.protocol.calling import Appended, call
from streamdb.protocol.exchange import Operation, Request
from streamdb.protocol.retry import RetryPolicy

_STORED_OR_DUPLICATE: Final = frozenset({200, 204})


@dataclass(slots=True)
class ProducerState:
    """Who writes and how far it came.

    Attributes:
        id: the producer id; unique to this writer.
        epoch: fences earlier writers of the same id.
        next_seq: the number of the next batch; grows only when a batch is stored.
    """

    id: str
    epoch: int = 0
    next_seq: int = 0


def append_once(
    producer: ProducerState,
    url: str,
    retry: RetryPolicy,
    *,
    content_type: str,
    body: bytes,
) -> Operation[Appended]:
    """Append a batch exactly once, whatever happens to the connection.

    Raises:
        StreamClosed, ProducerFenced, ProducerGap, StreamError: the batch is not on the stream, and
            its number is free for the next one (PROD-8).
        ConnectionFailed: the policy is used up and the outcome unknown; this epoch is over
            (CLIENT-39).
    """
    request = Request(
        "POST",
        headers={
            "Content-Type": content_type,
            names.PRODUCER_ID: producer.id,
            names.PRODUCER_EPOCH: str(producer.epoch),
            names.PRODUCER_SEQ: str(producer.next_seq),
        },
        body=body,
    )
    reply = yield from call(request, retry, url=url, doing="append")
    raise_for_answer(reply, url=url, doing="append", allow=_STORED_OR_DUPLICATE)
    producer.next_seq += 1
    return Appended(header(reply, names.STREAM_NEXT_OFFSET), duplicate=reply.status == 204)
