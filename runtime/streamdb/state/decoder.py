"""From a page of JSON to typed changes, in few calls where the page allows it.

A page is decoded in pieces of some hundred events. A piece whose events all fit the tagged union of
the collections takes one call. In another one (a control message, an undeclared type, an invalid
event, a missing primary key) each event is decoded alone, and the odd ones are judged alone
(INVALID-5); if need be they are parted from the others by brackets (INVALID-9). So an odd event
costs its piece some time, and nothing behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from streamdb.errors import StreamParseError
from streamdb.protocol.answers import preview
from streamdb.state.items import Item, Judged, Undeclared
from streamdb.state.judging import Judge, Upcasts
from streamdb.state.page_pieces import PIECE_BYTES, PagePieces
from streamdb.state.parsing import parse
from streamdb.state.schema import StateSchema
from streamdb.state.typed_events import Event, TypedEvents
from streamdb.types.faults import UNREADABLE

Events = Sequence[Event | Judged]


class Piece(NamedTuple):
    """Some events that follow each other, and about how much of the text they took."""

    events: Events
    bytes: int


class Page(NamedTuple):
    """The events of one page in stream order, and the txids that they carry (TXID-1, TXID-5)."""

    items: Sequence[Item]
    txids: Sequence[str]


class PageDecoder:
    """Decodes pages of one stream; what it learns of one speeds up the next.

    Args:
        schema: what the stream holds.
        strict: hold every row to the contract of its collection; one that breaks it is invalid.
        upcasts: by event type, what makes values of today of those that are refused.
    """

    def __init__(
        self, schema: StateSchema, *, strict: bool = False, upcasts: Upcasts | None = None
    ) -> None:
        self._typed: Final = TypedEvents(schema, strict=strict)
        #: Says what an event of a page is, where its class does not say it all.
        self.judge: Final = Judge(schema, strict=strict, upcasts=upcasts or {})

    def short(self, part: bytes, *, url: str, offset: str) -> Events:
        """Decode a short JSON text as :meth:`pieces` does, at once.

        Raises:
            StreamParseError: the text is not JSON at all.
        """
        if not part.startswith(b"["):
            found = self.pieces(part, url=url, offset=offset)
        elif (events := self._typed.decode(part)) is not None:
            return events
        else:
            found = self._pieces_of_array(part, part.strip(), url, offset)
        return [event for piece in found for event in piece.events]

    def pieces(self, part: bytes, *, url: str, offset: str) -> Iterator[Piece]:
        """Decode one JSON text, an array of events or a bare event, piece by piece.

        Raises:
            StreamParseError: the text is not JSON at all; pieces may have been yielded before.
        """
        text = part.strip()
        if not text.startswith(b"["):  # SSE-8: a bare value is one message
            if not text.startswith(b"{") and not _is_json(text):
                raise _not_json(part, url, offset)
            yield Piece(self._one_by_one([text], text), len(text))
            return
        if len(text) <= PIECE_BYTES and (events := self._typed.decode(text)) is not None:
            yield Piece(events, len(text))  # as most pages of live reads are
            return
        yield from self._pieces_of_array(part, text, url, offset)

    def _pieces_of_array(self, part: bytes, text: bytes, url: str, offset: str) -> Iterator[Piece]:
        array = PagePieces(text)
        while (piece := array.cut()) is not None:
            found: Events | None = self._typed.decode(piece)
            if found is None:
                elements: Sequence[Raw | bytes] | None = _elements(piece)
                if elements is None:
                    elements = array.cut_by_brackets()
                    if elements is None:
                        raise _not_json(part, url, offset)
                    piece = b",".join(elements)
                found = self._one_by_one(elements, piece)
            yield Piece(found, len(piece))

    def decode(self, part: bytes, *, url: str, offset: str) -> Page:
        """Decode a whole text as :meth:`pieces` does, and judge every event.

        Raises:
            StreamParseError: the text is not JSON at all.
        """
        items: list[Item] = []
        txids: list[str] = []
        for piece in self.pieces(part, url=url, offset=offset):
            for event in piece.events:
                judged = self.judge.of_either(event)
                items.append(judged.item)
                if judged.txid is not None:
                    txids.append(judged.txid)
        return Page(items, txids)

    def _one_by_one(self, texts: Sequence[Raw | bytes], within: bytes) -> Events:
        typed, judge = self._typed.decode_each(texts, within), self.judge.of_text
        events = [event or judge(text) for event, text in zip(typed, texts, strict=True)]
        self._typed.learn(
            event.item.type
            for event in events
            if isinstance(event, Judged) and isinstance(event.item, Undeclared)
        )
        return events


_raw_page_decoder: Final = msgspec.json.Decoder(list[Raw])


def _elements(array: bytes) -> Sequence[Raw] | None:
    """Part an array of JSON into its elements; None if it is no JSON."""
    try:
        return _raw_page_decoder.decode(array)
    except UNREADABLE:
        return None


def _not_json(part: bytes, url: str, offset: str) -> StreamParseError:
    return StreamParseError(f"read: not JSON: {preview(part)}", url=url, offset=offset)


def _is_json(text: bytes) -> bool:
    try:
        parse(text)
    except UNREADABLE:
        return False
    return True
