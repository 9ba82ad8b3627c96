"""The values of one request of an idempotent producer, and what is told if they are lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from streamdb.errors import StreamError
from streamdb.protocol import names
from streamdb.protocol.exchange import Request


@dataclass(slots=True, eq=False)
class Parcel:
    """Values that travel in one request.

    Attributes:
        items: the values, as they stand on the wire.
        closes: True if the request also closes the stream.
        epoch: as sent.
        seq: as sent; kept through every repetition.
        is_under_way: True from the moment it is taken until its answer is told.
        was_first: True if, when it was last taken, all before it were stored.
        in_doubt: True if the server may have stored it although no answer said so.
        belied_gaps: answers that told of a gap that there cannot be.
        error: what ended its repetitions.
        size: bytes of its values.
        weight: values, and the closing as one more.
    """

    items: Sequence[bytes]
    closes: bool = False
    epoch: int = 0
    seq: int = 0
    is_under_way: bool = False
    was_first: bool = False
    in_doubt: bool = False
    belied_gaps: int = 0
    error: StreamError | None = None
    size: int = field(init=False)
    weight: int = field(init=False)

    def __post_init__(self) -> None:
        """Count."""
        self.size = sum(map(len, self.items))
        self.weight = len(self.items) + self.closes

    def doubt(self) -> None:
        """Note that a try may have been stored although no answer says so."""
        self.in_doubt = True

    def request(self, producer_id: str, content_type: str) -> Request:
        """Build the request, the same for every repetition."""
        headers = {
            names.PRODUCER_ID: producer_id,
            names.PRODUCER_EPOCH: str(self.epoch),
            names.PRODUCER_SEQ: str(self.seq),
        }
        if self.closes:
            headers[names.STREAM_CLOSED] = names.TRUE
        if not self.items:
            return Request("POST", headers=headers)  # CLOSE-3
        headers["Content-Type"] = content_type
        is_json = names.media_type(content_type) == names.JSON_MEDIA_TYPE
        body = b"[%s]" % b",".join(self.items) if is_json else b"".join(self.items)
        return Request("POST", headers=headers, body=body)


@dataclass(frozen=True, slots=True)
class Loss:
    """Values that are not on the stream, or perhaps not, and why.

    Attributes:
        error: what the server or the connection said.
        unwritten: values that are certainly not on the stream, in order.
        unknown: values whose answer was lost: each request of them is on the stream whole or not.
    """

    error: StreamError
    unwritten: tuple[bytes, ...] = ()
    unknown: tuple[bytes, ...] = ()
