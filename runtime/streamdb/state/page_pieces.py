"""Cuts the array of a page into pieces that are decoded one after the other.

So memory and time between two pieces do not grow with the page: servers may answer a whole stream
in one. Small pieces are also decoded faster, for what is made of one is still in the processor's
caches when it is stored and dropped.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from streamdb.protocol.brackets import elements_from

#: About how long a piece is.
PIECE_BYTES: Final = 64 * 1024
# In how many sizes behind that an object like the first one of a piece is looked for.
_REACH: Final = 4
_SHORT: Final = 1024
_BETWEEN_OBJECTS: Final = re.compile(rb"\}\s*,\s*\{")
# Its first name, and the second one if a short text stands between.
_BEGIN: Final = re.compile(
    rb'\s*\{\s*("[^"\\]{1,40}")\s*:(?:\s*"[^"\\]{0,200}"\s*,\s*("[^"\\]{1,40}")\s*:)?'
)
_OBJECT_IN_LAST: Final = re.compile(rb"\}\s*\}\s*\]\Z")
_NO_JSON: Final = b"["


class PagePieces:
    """The pieces of one array.

    A piece is cut where one object seems to end and another one to begin, if possible one with the
    same first names as the piece itself, for objects further inside seldom have those. If that
    place is in a text, or further inside, the piece is no JSON, whatever it holds: brackets do not
    close in it. So what is JSON was cut rightly, and for the rest there is :meth:`cut_by_brackets`.

    >>> pieces = PagePieces(b'[{"a":[{"b":1},{"b":2}]},{"a":[{"a":1},{"a":2}]},{"a":3}]', size=8)
    >>> pieces.cut()
    b'[{"a":[{"b":1},{"b":2}]}]'
    >>> pieces.cut(), pieces.cut_by_brackets()
    (b'[{"a":[{"a":1}]', [b'{"a":[{"a":1},{"a":2}]}'])
    >>> pieces.cut(), pieces.cut()
    (b'[{"a":3}]', None)
    """

    def __init__(self, array: bytes, *, size: int | None = None) -> None:
        self._array: Final = array
        self._size: Final = PIECE_BYTES if size is None else size
        self._begin = self._next = 1
        self._failed_until = 1

    def cut(self) -> bytes | None:
        """Return the next piece as an array of its own; None after the last one."""
        array, begin = self._array, self._next
        if begin >= len(array):
            return None
        self._begin = begin
        if begin + self._size < self._failed_until:
            # It would end where a long one did that failed; to try it once more, again and again,
            # takes a time that grows with the square of that length.
            return _NO_JSON
        # Most pages of live reads are short.
        between = None if begin + self._size >= len(array) else self._between(begin)
        if between is None:
            self._next = len(array)
            return array if begin == 1 else b"[" + array[begin:]
        end, self._next = between
        return b"".join((b"[", memoryview(array)[begin:end], b"]"))

    def cut_by_brackets(self) -> list[bytes] | None:
        """Cut the last piece again, by strings and brackets, which takes longer.

        Returns:
            The elements, of which it may have more or less now; None if brackets do not close.
        """
        self._failed_until = max(self._failed_until, self._next)
        found = elements_from(self._array, self._begin, self._size)
        if found is None:
            return None
        elements, self._next = found
        return elements

    def _between(self, begin: int) -> tuple[int, int] | None:
        """Return where an object seems to end, and the next one to begin; None to take the rest."""
        enough = begin + self._size
        reach = enough + _REACH * self._size
        found = self._alike(begin, enough, reach)
        if found is None or found[0] > enough + self._size:
            # The piece may begin with an odd one, a control message for instance.
            second = self._second(begin)
            if second is not None:
                found = self._alike(second, enough, found[0] if found else reach) or found
        if found is not None:
            return found
        if _BEGIN.match(self._array, begin) is not None and reach >= len(self._array):
            return None
        any_two = _BETWEEN_OBJECTS.search(self._array, enough)
        return None if any_two is None else (any_two.start() + 1, any_two.end() - 1)

    def _alike(self, like: int, begin: int, end: int) -> tuple[int, int] | None:
        """Find an object like the one that begins there, behind another one."""
        names = _BEGIN.match(self._array, like)
        if names is None:
            return None
        is_in_object = _OBJECT_IN_LAST.search(self._array[-100:]) is not None
        alike = _between_alike(names[1], names[2], end_in_object=is_in_object)
        found = alike.search(self._array, begin, end)
        return None if found is None else (found.start("comma"), found.end("comma"))

    def _second(self, begin: int) -> int | None:
        """Return where the second object of the piece begins, if the first one is short."""
        found = elements_from(self._array[begin : begin + _SHORT], 0, 0)
        return None if found is None else begin + found[1]


@lru_cache(maxsize=64)
def _between_alike(first: bytes, second: bytes | None, *, end_in_object: bool) -> re.Pattern[bytes]:
    """What is found between two objects that begin with these names.

    ``end_in_object``: the last thing in each is an object, as the headers of an event are.
    """
    end = rb"\}\s*\}" if end_in_object else rb"\}"
    begin = rb"\{\s*" + re.escape(first) + rb"\s*:"
    if second is not None:
        begin += rb'\s*"[^"\\]*"\s*,\s*' + re.escape(second) + rb"\s*:"
    return re.compile(end + rb"(?P<comma>\s*,\s*)" + begin)
