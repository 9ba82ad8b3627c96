"""The messages of a stream as they stand on it, for observers: no rows, and nothing left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, get_args

import msgspec
from msgspec import UNSET

from streamdb.protocol.json_text import is_object
from streamdb.state.items import Control, Operation
from streamdb.state.page_pieces import PagePieces
from streamdb.state.parsing import parse
from streamdb.types.faults import UNREADABLE
from streamdb.types.preview import printable, shortened

_OPERATIONS: Final = frozenset(get_args(Operation))
_CONTROLS: Final = frozenset(get_args(Control))
_FIELDS: Final = frozenset({"type", "key", "value", "old_value", "headers"})
_decoder: Final = msgspec.json.Decoder[Any]()


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """A change or a control message, whole (HDR-1).

    Attributes:
        operation: what a change does; None for a control message.
        control: ``snapshot-start``, ``snapshot-end`` or ``reset``; None for a change.
        type: the type of a change, declared or not; None for a control message.
        key: its key, as text; None for a control message.
        value: the value as plain JSON, not validated; UNSET if there is none, which differs from
            null.
        old_value: likewise.
        headers: all headers, those that nobody knows, too.
        fields: what else stands at the top level.
        offset: where reading goes on behind the batch that held it. A server may stamp more
            exactly, in ``headers["offset"]``.

    >>> event = StreamEvent.of(
    ...     {"type": "message", "key": "m1", "value": {"id": "m1"}, "traceId": 7,
    ...      "headers": {"operation": "insert", "txid": "t1", "from": "web"}},
    ...     offset="0_17",
    ... )
    >>> event
    <StreamEvent insert message 'm1' before '0_17'>
    >>> event.value, event.txid, event.headers["from"], event.fields
    ({'id': 'm1'}, 't1', 'web', {'traceId': 7})
    """

    operation: Operation | None
    control: Control | None
    type: str | None
    key: str | None
    value: Any
    old_value: Any
    headers: Mapping[str, Any]
    fields: Mapping[str, Any]
    offset: str

    @classmethod
    def of(cls, message: Any, *, offset: str = "") -> StreamEvent | None:
        """Take a parsed message; None if it has not the shape of one (INVALID-1).

        The shape is that of the protocol: whether a value fits its collection is not looked at.
        """
        headers = message.get("headers") if is_object(message) else None
        if not is_object(headers) or not (_is_control(headers) or _is_change(message, headers)):
            return None
        is_control = "control" in headers
        return cls(
            operation=headers.get("operation"),
            control=headers.get("control"),
            type=None if is_control else message["type"],
            key=None if is_control else message["key"],
            value=message.get("value", UNSET),
            old_value=message.get("old_value", UNSET),
            headers=headers,
            fields={name: part for name, part in message.items() if name not in _FIELDS},
            offset=offset,
        )

    @property
    def txid(self) -> str | None:
        """The transaction that it belongs to, if it says so."""
        return self.headers.get("txid")

    @property
    def timestamp(self) -> str | None:
        """When it happened: RFC 3339 text as it stands there; None if it is no text."""
        timestamp = self.headers.get("timestamp")
        return timestamp if isinstance(timestamp, str) else None

    def __repr__(self) -> str:
        # Streams are data: no content, no control characters, and not without end.
        what = self.control or f"{self.operation} {printable(self.type or '')}"
        key = "" if self.key is None else f" {shortened(self.key)!r}"
        return f"<StreamEvent {what}{key} before {shortened(self.offset)!r}>"


def events_by_piece(part: bytes, *, offset: str) -> Iterator[list[StreamEvent]]:
    """Read one JSON text of a batch, an array of messages or a bare one, piece by piece.

    What is no message is left out: it is reported as invalid, and not observed.
    """
    text = part.strip()
    if not text.startswith(b"["):
        yield _events(_readable([text]), offset)
        return
    array = PagePieces(text)
    while (piece := array.cut()) is not None:
        try:
            messages: Sequence[Any] = _decoder.decode(piece)
        except UNREADABLE:
            messages = _readable(array.cut_by_brackets() or ())
        yield _events(messages, offset)


def _events(messages: Sequence[Any], offset: str) -> list[StreamEvent]:
    events = (StreamEvent.of(message, offset=offset) for message in messages)
    return [event for event in events if event is not None]


def _readable(texts: Sequence[bytes]) -> list[Any]:
    messages: list[Any] = []
    for text in texts:
        with suppress(*UNREADABLE):
            messages.append(parse(text))
    return messages


def _is_control(headers: Mapping[str, Any]) -> bool:
    return (
        "operation" not in headers
        and _is_one_of(headers.get("control"), _CONTROLS)
        and _is_text(headers.get("offset", "none"))
    )


def _is_change(message: Mapping[str, Any], headers: Mapping[str, Any]) -> bool:
    operation = headers.get("operation")
    return (
        "control" not in headers
        and _is_one_of(operation, _OPERATIONS)
        and _is_text(message.get("type"))
        and _is_text(message.get("key"))
        and _is_text(headers.get("txid", "none"))
        and (operation == "delete" or "value" in message)
    )


def _is_one_of(value: Any, names: frozenset[str]) -> bool:
    return isinstance(value, str) and value in names


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""
