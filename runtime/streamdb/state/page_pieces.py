"""Cuts the array of a page into pieces that are decoded one after the other.

So memory and time between two pieces do not grow with the page: servers may answer a whole stream
in one. Small pieces are also decoded faster, for what is made of one is still in the processor's
caches when it is stored and dropped.
"""

from __future__ import annotations

import re
from typing import Final

from streamdb.protocol.brackets import elements_from

#: About how long the pieces are.
#: About how long a piece is.
PIECE_BYTES: Final = 64 * 1024
_BETWEEN_OBJECTS: Final = re.compile(rb"\}\s*,\s*\{")


class PagePieces:
    """The pieces of one array.

    A piece is cut where one object seems to end and another one to begin. If that place is in a
    text, or further inside, the piece is no JSON, whatever it holds: brackets do not close in it.
    So what is JSON was cut rightly, and for the rest there is :meth:`cut_by_brackets`.

    >>> pieces = PagePieces(b'[{"a":"},{"},{"b":1},{"c":2}]', size=4)
    >>> pieces.cut(), pieces.cut_by_brackets()
    (b'[{"a":"}]', [b'{"a":"},{"}'])
    >>> pieces.cut(), pieces.cut(), pieces.cut()
    (b'[{"b":1}]', b'[{"c":2}]', None)
    """

    def __init__(self, array: bytes, *, size: int | None = None) -> None:
        self._array: Final = array
        self._size: Final = PIECE_BYTES if size is None else size
        self._begin = self._next = 1

    def cut(self) -> bytes | None:
        """Return the next piece as an array of its own; None after the last one."""
        array, begin = self._array, self._next
        if begin >= len(array):
            return None
        self._begin = begin
        between = _BETWEEN_OBJECTS.search(array, begin + self._size)
        if between is None:
            self._next = len(array)
            return array if begin == 1 else b"[" + array[begin:]
        self._next = between.end() - 1
        return b"".join((b"[", memoryview(array)[begin : between.start() + 1], b"]"))

    def cut_by_brackets(self) -> list[bytes] | None:
        """Cut the last piece again, by strings and brackets, which takes longer.

        Returns:
            The elements, of which it may have more or less now; None if brackets do not close.
        """
        found = elements_from(self._array, self._begin, self._size)
        if found is None:
            return None
        elements, self._next = found
        return elements
