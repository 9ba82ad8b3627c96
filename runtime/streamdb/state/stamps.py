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
_BETWEEN: Final = "\n"


class Block(NamedTuple):
    """The stamps of some events.

    Attributes:
        ordinals: of the events, in order.
        prefix: what all stamps begin with.
        rests: how each of them goes on, line by line; an empty line is an event without a stamp.
    """

    ordinals: range | array[int]
    prefix: str
    rests: str


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
        if block.rests.strip(_BETWEEN):
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
    return found if isinstance(found, str) and _can_be_offset(found) else ""


def _can_be_offset(text: str) -> bool:
    return text.isascii() and _BETWEEN not in text  # it travels in headers of HTTP


def _block(ordinals: range | array[int], stamps: Sequence[str]) -> Block:
    """Put stamps together.

    Raises:
        TypeError: they are not all texts.
        ValueError: one cannot be an offset.
    """
    ends = min(stamps), max(stamps)
    prefix = commonprefix(ends)[:-1]  # noqa: RUF071 - no paths. A rest of each must remain.
    begin = len(prefix)
    rests = _BETWEEN.join([stamp[begin:] for stamp in stamps])
    if not _can_be_offset(prefix) or rests.count(_BETWEEN) >= len(stamps) or not rests.isascii():
        raise ValueError("a stamp that no header holds")
    return Block(ordinals, prefix, rests)


def _stamps_of(block: Block) -> list[str | None]:
    prefix = block.prefix
    return [prefix + rest if rest else None for rest in block.rests.split(_BETWEEN)]
