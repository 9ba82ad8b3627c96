"""Rows, and other texts, as JSON: many at once, for that is many times as fast as one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from types import GenericAlias
from typing import Any, Final, cast

import msgspec

from streamdb.protocol import json_text
from streamdb.protocol.brackets import array_elements
from streamdb.state.parsing import parse
from streamdb.state.row_kinds import RowKind
from streamdb.types.conversion import dec_hook
from streamdb.types.faults import UNREADABLE


class RowsChange(Exception):
    """Rows read back as others: their class writes less than it holds, or reads it otherwise."""


class RowTexts:
    """Writes and reads rows of one kind."""

    def __init__(self, kind: RowKind[Any]) -> None:
        self._kind: Final = kind
        self._decoder: Final[msgspec.json.Decoder[list[Any]]] = msgspec.json.Decoder(
            cast("Any", GenericAlias(list, (kind.in_page,))), dec_hook=dec_hook
        )
        self._is_ready: Final = kind.in_page is not msgspec.Raw

    def pack(self, rows: Sequence[Any]) -> bytes:
        """Write rows as one array.

        Raises:
            RowsChange: they would not come back as they are.
        """
        ways: tuple[Callable[[Sequence[Any]], bytes], ...] = (_encoder.encode, self._one_by_one)
        for write in ways:
            try:
                text = write(rows)
                if self.unpack(text) == rows:
                    return text
            except Exception:  # noqa: BLE001, S112 - whatever a row's class raises
                continue
        raise RowsChange(
            f"rows of {self._kind.row.__name__} are not the same when they are read again"
        )

    def unpack(self, text: bytes) -> list[Any]:
        """Read rows that :meth:`pack` wrote."""
        if self._is_ready:
            try:
                return self._decoder.decode(text)
            except Exception:  # noqa: BLE001, S110 - a `__post_init__` may raise anything
                pass
        read = parse if self._kind.is_its_contract else self._kind.read
        return [read(row) for row in _elements(text)]

    def _one_by_one(self, rows: Sequence[Any]) -> bytes:
        return json_text.frame(map(self._kind.write, rows))


def _elements(text: bytes) -> Sequence[bytes | msgspec.Raw]:
    try:
        return _raw_decoder.decode(text)
    except UNREADABLE:  # half a surrogate pair, which JSON may hold
        return array_elements(text) or []


def pack_texts(texts: Sequence[str]) -> bytes:
    r"""Write texts, half surrogate pairs included.

    >>> unpack_texts(pack_texts(["a", "\ud83d"])) == ["a", "\ud83d"]
    True
    """
    try:
        return msgspec.json.encode(texts)
    except UnicodeEncodeError:
        return json.dumps(texts).encode()


def unpack_texts(text: bytes) -> list[str]:
    """Read what :func:`pack_texts` wrote."""
    try:
        return _texts_decoder.decode(text)
    except UNREADABLE:
        return msgspec.convert(json.loads(text), list[str])


def _taken_apart(value: object) -> object:
    if isinstance(value, json_text.HasPlain):
        return value.__to_plain__()
    raise TypeError(f"{type(value).__name__} has no JSON form")


_encoder: Final = msgspec.json.Encoder(enc_hook=_taken_apart)
_raw_decoder: Final = msgspec.json.Decoder(list[msgspec.Raw])
_texts_decoder: Final = msgspec.json.Decoder(list[str])
