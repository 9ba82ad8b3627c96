"""The offsets that a server stamps on the events it sends (REF-24), by the ordinals of the events.

Few servers stamp, and few programs ask. Stamps of events that follow each other begin alike, so
that beginning is kept once, and some bytes an event remain.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from os.path import commonprefix
from typing import Any, Final, NamedTuple

_TOLERATED_OLD: Final = 1000
_LONGEST: Final = 256  # for one of them makes all of its block as long
_PADDING: Final = "\n"


class Block(NamedTuple):
    """The stamps of some events.

    Attributes:
        ordinals: of the events, in order.
        prefix: what all stamps begin with.
        columns: how they go on: the next character of each stamp, then the one behind that of each,
            and so on, padded with line feeds; these alone stand for no stamp.
    """

    ordinals: range | array[int]
    prefix: str
    columns: str


class Stamps:
    """The stamps of the events of one stream, as far as there are any.

    >>> stamps = Stamps()
    >>> stamps.add(range(1, 4), ["0_16", "0_17", None])
    >>> stamps.of(2), stamps.of(3), stamps.of(4)
    ('0_17', None, None)
    """

    def __init__(self) -> None:
        #: What is known, in the order of the events.
        self.blocks: list[Block] = []
        self._count = 0

    def add(self, ordinals: range | array[int], found: Sequence[Any]) -> None:
        """Note what stands for an offset in the headers of further events, whatever it is."""
        try:
            block = _block(ordinals, found)
        except (TypeError, ValueError):
            block = _block(ordinals, list(map(_stamp, found)))
        if block.columns:
            self.extend([block])

    def extend(self, blocks: Sequence[Block]) -> None:
        """Take the stamps of further events."""
        self.blocks += blocks
        self._count += sum(len(block.ordinals) for block in blocks)

    def of(self, ordinal: int) -> str | None:
        """Return the stamp of an event, None if it has none."""
        place = bisect_right(self.blocks, ordinal, key=lambda block: block.ordinals[0]) - 1
        if place < 0:
            return None
        block = self.blocks[place]
        line = bisect_left(block.ordinals, ordinal)
        is_there = line < len(block.ordinals) and block.ordinals[line] == ordinal
        return _stamps_of(block)[line] if is_there else None

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self.blocks)

    def has_many_beside(self, rows: int) -> bool:
        """Tell whether most are of no use, if only those of so many rows are."""
        return self._count > 2 * rows + _TOLERATED_OLD

    def only(self, ordinals: Sequence[int]) -> Stamps:
        """Return those of some events, given in order."""
        kept = Stamps()
        for block in self.blocks:
            begin = bisect_left(ordinals, block.ordinals[0])
            end = bisect_right(ordinals, block.ordinals[-1])
            if begin < end:
                by_ordinal = dict(zip(block.ordinals, _stamps_of(block), strict=True))
                within = array("q", ordinals[begin:end])
                kept.add(within, list(map(by_ordinal.get, within)))
        return kept


def _stamp(found: Any) -> str:
    is_text = isinstance(found, str) and len(found) <= _LONGEST
    return found if is_text and found.isascii() and _PADDING not in found else ""


def _block(ordinals: range | array[int], stamps: Sequence[str]) -> Block:
    """Put stamps together.

    Raises:
        TypeError: they are not all texts.
        ValueError: one cannot be an offset.
    """
    # By few functions in C: all that is loaded from some servers goes through here.
    count, width = len(stamps), len(stamps[0])
    text = "".join(stamps)
    if not text.isascii() or _PADDING in text:
        raise ValueError("a stamp that no header of HTTP holds")
    lines = _PADDING.join(stamps)
    ends = lines[width :: width + 1]
    if len(lines) != (width + 1) * count - 1 or ends != _PADDING * (count - 1):
        width = max(map(len, stamps))
        lines = _PADDING.join([stamp.ljust(width, _PADDING) for stamp in stamps])
    if width > _LONGEST:
        raise ValueError("a stamp that is too long")
    ordered = sorted(stamps)  # faster than to look for the least and the greatest
    prefix = commonprefix((ordered[0], ordered[-1]))[:-1]  # noqa: RUF071 - they are no paths
    columns = [lines[column :: width + 1] for column in range(len(prefix), width)]
    return Block(ordinals, prefix, "".join(columns))


def _stamps_of(block: Block) -> list[str | None]:
    prefix, columns, count = block.prefix, block.columns, len(block.ordinals)
    rests = [columns[place::count].rstrip(_PADDING) for place in range(count)]
    return [prefix + rest if rest else None for rest in rests]
