"""Rows one by one, each with its text if that holds more than the row shows."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Raw

from streamdb.state.row_kinds.native import NativeRows
from streamdb.state.unknown_fields import Stored

_TO_BE_SURE: Final = 4
_LOOK_AGAIN: Final = 64


class RowReader:
    """Reads the rows of one collection in the order of the stream.

    Where a newer program writes all rows, all have properties that their class does not declare. So
    after some such rows the next ones are taken for more of them, and only one of 64 is looked at.
    One that was mistaken keeps its text for nothing, which does no harm.

    Args:
        rows: the kind of rows.
    """

    def __init__(self, rows: NativeRows[Any]) -> None:
        self._read_known: Final = rows.read_known
        self._decode: Final = rows.decoder.decode
        self._in_a_row = 0  # that had more than their class declares

    def read(self, text: Raw) -> Any:
        """Return a row, of its twin perhaps, or :class:`Stored` with the row and its text.

        Raises if it does not fit, or is not what msgspec reads by itself.
        """
        if self._in_a_row < _TO_BE_SURE or self._in_a_row % _LOOK_AGAIN == 0:
            row = self._read_known(text)
            if row is not None:
                self._in_a_row = 0
                return row
        self._in_a_row += 1
        # A copy: the text that it was cut from goes.
        return Stored(self._decode(text), bytes(text))
