"""The idempotent producer, one batch at a time: what a database writes through (section 8).

A batch keeps its sequence number through every retry, so that a lost answer is found out instead
of guessed: the server stores each number once (CLIENT-31, CLIENT-32).
"""

from __future__ import annotations

from dataclasses import dataclass

from streamdb.errors import ConnectionFailed, NotReached, ProducerGap, StreamError
from streamdb.protocol import names
from streamdb.protocol.answers import header
from streamdb.protocol.calling import call, raise_for_write
from streamdb.protocol.exchange import Operation, Request
from streamdb.protocol.results import Appended
from streamdb.protocol.retry import RetryPolicy


@dataclass(slots=True)
class ProducerState:
    """Who writes and how far it came.

    Attributes:
        id: the producer id; unique to this writer.
        epoch: fences earlier writers of the same id.
        next_seq: the number of the next batch; grows only when a batch is stored.
        in_doubt: True while that number may have been used up by a batch of unknown outcome,
            because its answer was lost or its sender cancelled.
    """

    id: str
    epoch: int = 0
    next_seq: int = 0
    in_doubt: bool = False

    def begin_epoch(self) -> None:
        """Leave a sequence whose last number is in doubt (CLIENT-39, PROD-15).

        Under the old number other data would be taken for a repeat, and lost.
        """
        self.epoch += 1
        self.next_seq = 0
        self.in_doubt = False


def append_once(
    producer: ProducerState,
    url: str,
    retry: RetryPolicy,
    *,
    content_type: str,
    body: bytes,
    is_rest: bool = False,
) -> Operation[Appended]:
    """Append a batch exactly once, whatever happens to the connection.

    One batch at a time: the next may be sent when this one is answered.

    Args:
        producer: who writes.
        url: of the stream.
        retry: how it is tried again.
        content_type: of the body.
        body: the batch.
        is_rest: it is what is left of the batch that was begun last and is not answered, a part of
            which has been given up. It goes under the same number, so of the two one is stored.

    Raises:
        StreamClosed, ProducerFenced, ProducerGap, StreamError: the batch is not on the stream. Its
            number is free for the next one (PROD-8), unless an earlier try of it is astray: then
            that begins a new epoch.
        ConnectionFailed: the outcome is unknown; the next batch begins a new epoch (CLIENT-39).
        NotReached: nothing was sent.
    """
    if producer.in_doubt and not is_rest:
        producer.begin_epoch()
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
    producer.in_doubt = True  # until an answer says otherwise, also if we are cancelled
    is_astray = False
    try:
        answered = yield from call(request, retry, url=url, doing="append", in_doubt=is_rest)
        # Whatever was refused: an earlier try may come late, or was stored and refused by a proxy
        # when it was repeated.
        is_astray = answered.in_doubt
        raise_for_write(answered, url=url, doing="append")
    except StreamError as refusal:
        # After a gap, numbers of this epoch are missing for good.
        is_lost = isinstance(refusal, ConnectionFailed) and not isinstance(refusal, NotReached)
        producer.in_doubt = is_lost or is_astray or isinstance(refusal, ProducerGap)
        raise
    producer.in_doubt = False
    producer.next_seq += 1
    reply = answered.reply
    return Appended(header(reply, names.STREAM_NEXT_OFFSET), duplicate=reply.status == 204)
