"""The batches of one SSE connection: data events, confirmed by the control event behind them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import Annotated, Final, NamedTuple

import msgspec

from streamdb.protocol import names
from streamdb.protocol.answers import header, preview
from streamdb.protocol.exchange import Batch, Deliver, NoReply, Operation, Reply, receive
from streamdb.protocol.read_position import Position
from streamdb.protocol.soundness import Damage, damage_of
from streamdb.protocol.sse import EventParser, ServerSentEvent


class Ended(NamedTuple):
    """How the following of one SSE connection ended, and how far it came."""

    position: Position
    is_finished: bool = False
    has_delivered: bool = False
    damage: Damage | None = None


def deliver_events(reply: Reply, position: Position) -> Operation[Ended]:
    """Deliver what one SSE connection brings, until it ends or brings what cannot be right."""
    parser = EventParser()
    is_base64 = (header(reply, names.SSE_DATA_ENCODING) or "").lower() == "base64"
    gathered = _Gathered(position.content_type, is_base64=is_base64)
    has_delivered = False
    while True:
        chunk = yield from receive()
        if isinstance(chunk, NoReply) or not chunk:
            return Ended(position, has_delivered=has_delivered)
        for event in parser.feed(chunk):
            if event.name != names.CONTROL_EVENT.encode():
                gathered.take(event)
                continue
            control = _control_of(event.data)
            if isinstance(control, Damage):
                return Ended(position, damage=control)
            batch = Batch(
                parts=tuple(gathered.parts),
                offset=control.offset,
                cursor=control.cursor or position.cursor,  # CLIENT-4
                up_to_date=control.up_to_date or control.closed,  # SSE-13
                closed=control.closed,
                content_type=position.content_type,
            )
            damage = gathered.damage_of(batch, position.offset)
            if damage is not None:
                return Ended(position, damage=damage)
            gathered = _Gathered(position.content_type, is_base64=is_base64)
            yield Deliver(batch)
            has_delivered = True
            position = replace(position, offset=batch.offset, cursor=batch.cursor)
            if batch.closed:
                return Ended(position, is_finished=True)


class _Gathered:
    """Data that no control event has confirmed yet (CLIENT-17)."""

    def __init__(self, content_type: str, *, is_base64: bool) -> None:
        self.parts: list[bytes] = []
        self._is_json: Final = content_type == names.JSON_MEDIA_TYPE
        self._is_base64: Final = is_base64
        self._damage: Damage | None = None
        self._has_strange = False

    def take(self, event: ServerSentEvent) -> None:
        """Take an event that is no control event."""
        if event.name != names.DATA_EVENT.encode():
            # CLIENT-14 has us ignore it. A name that nobody gives was another one's before.
            self._has_strange = True
            if not event.name.isascii() or not event.name.decode().isprintable():
                self._damage = Damage(f"an event is called {preview(event.name)}", event.name)
            return
        data = event.data
        if self._is_base64:
            try:
                data = _decode_base64(data)
            except binascii.Error as error:
                self._damage = Damage(f"bad base64 in a data event: {error}", data)
        if data or self._is_json:  # no JSON is empty
            self.parts.append(data)
        else:
            self._has_strange = True

    def damage_of(self, confirmed: Batch, asked: str) -> Damage | None:
        """Find out whether this can be what a control event confirms."""
        if confirmed.offset != asked:
            if self._damage is not None:
                return self._damage
            if self._has_strange and not self.parts:
                return Damage("the data that a control event confirms has not come", b"")
        return damage_of(confirmed, asked)


class _Control(msgspec.Struct, frozen=True):
    offset: Annotated[str, msgspec.Meta(min_length=1)] = msgspec.field(
        name=names.CONTROL_NEXT_OFFSET
    )
    cursor: str | None = msgspec.field(name=names.CONTROL_CURSOR, default=None)
    up_to_date: bool = msgspec.field(name=names.CONTROL_UP_TO_DATE, default=False)
    closed: bool = msgspec.field(name=names.CONTROL_CLOSED, default=False)


_control_decoder: Final = msgspec.json.Decoder(_Control)


def _control_of(data: bytes) -> _Control | Damage:
    # CLIENT-16: it carries the offset, so it cannot be skipped.
    try:
        return _control_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = f"a control event is not what it must be: {error}: {preview(data)}"
        return Damage(reason, data, is_of_control=True)


def _decode_base64(data: bytes) -> bytes:
    # SSE-6, SSE-7: each event on its own, its lines joined.
    return base64.b64decode(data.replace(b"\n", b""), validate=True)
