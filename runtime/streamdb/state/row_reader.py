"""Rows of one collection, each with its text if that holds more than the row shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Raw

from streamdb.state.row_kinds.native import NativeRows
from streamdb.state.unknown_fields import Stored

_ENOUGH: Final = 16


class RowReader:
    """Reads the rows of a collection, some hundred at a time.

    Where a newer program writes all rows, all have properties that their class does not declare. So
    after some hundred of them the next ones are taken for more of them if the first one is. A row
    that was mistaken keeps its text for nothing, which does no harm.

    Args:
        rows: the kind of rows.
    """

    def __init__(self, rows: NativeRows[Any]) -> None:
        self._read_known: Final = rows.read_known
        self._decode: Final = rows.decoder.decode
        self._expects_more = False

    def read(self, texts: Sequence[Raw]) -> Sequence[Any]:
        """Return rows, of their twin perhaps, and :class:`Stored` ones with their texts.

        Raises if one does not fit, or is not what msgspec reads by itself.
        """
        if self._expects_more and self._read_known(texts[0]) is None:
            return list(map(Stored, map(self._decode, texts), map(bytes, texts)))
        rows: list[Any] = []
        for text in texts:
            row = self._read_known(text)
            # A copy of the text: what it was cut from goes.
            rows.append(Stored(self._decode(text), bytes(text)) if row is None else row)
        self._expects_more = len(rows) >= _ENOUGH and all(type(row) is Stored for row in rows)
        return rows
