"""Keys in order, with the place of each: what ordered queries keep.

Entries stand in blocks of some hundreds to thousands, each a sorted list. A change searches the
last entries of the blocks, and then one block, by bisection, and moves what stands behind it in
that block; the place of a block follows from the lengths of those before it, or of those from it
on, whichever are fewer. All of that runs in C. Blocks grow with the square root of the number of
entries, and so does the number of blocks, and the cost of a change.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from math import isqrt
from operator import itemgetter
from typing import Any, Final, TypeAlias

from streamdb.engine.executor import Key

#: What is compared, and then the key. The comparison of two entries ends before their keys, or the
#: keys are comparable themselves.
Entry: TypeAlias = tuple[Any, ...]

#: A block is cut in two when it is longer, unless the square root of all entries is large.
_LONGEST: Final = 2048
#: How many times the square root of the number of entries a block may be long.
_ROOTS: Final = 8
#: A block that is shorter than this part of the longest joins its neighbour.
_SHORT: Final = 16


class SortedRows:
    """Entries with different keys in ascending order; implements ``Positions`` of their keys.

    All methods raise what the comparison of two entries raises.

    >>> rows = SortedRows([(3, "c"), (1, "a")])
    >>> rows.insert((2, "b")), list(rows), rows.index("c"), rows.move((0, "c")), rows[0]
    (1, ['a', 'b', 'c'], 2, (2, 0), 'c')
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        #: The entry of each key; always the same mapping, not to be written.
        self.entries: Final[dict[Key, Entry]] = {}
        self.fill(entries)

    def fill(self, entries: Iterable[Entry]) -> None:
        """Put other entries in place of all."""
        found = _in_order(entries)
        self.entries.clear()
        self.entries.update((entry[-1], entry) for entry in found)
        self._longest = _longest(len(found))
        size = self._longest // 2
        self._blocks = [found[at : at + size] for at in range(0, len(found), size)]
        # No entry of a block is greater, all of the next one are: the last one that was there.
        self._lasts = [block[-1] for block in self._blocks]
        self._lengths = list(map(len, self._blocks))
        self._starts: list[int] | None = None  # of all blocks, until something changes

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Key]:
        for block in self._blocks:
            for entry in block:
                yield entry[-1]

    def __getitem__(self, index: int) -> Key:
        """Return the key at a place, counted from 0. Raises IndexError."""
        if not 0 <= index < len(self.entries):
            raise IndexError(f"there is no row {index} among {len(self.entries)}")
        if index < self._lengths[0]:
            first: Key = self._blocks[0][index][-1]
            return first
        if self._starts is None:
            self._starts = list(accumulate(self._lengths, initial=0))
        number = bisect_right(self._starts, index) - 1
        key: Key = self._blocks[number][index - self._starts[number]][-1]
        return key

    def index(self, key: Key) -> int:
        """Return the place of a key. Raises KeyError."""
        entry = self.entries[key]
        number = bisect_left(self._lasts, entry)
        return self._start(number) + bisect_left(self._blocks[number], entry)

    def place_before(self, probe: Entry) -> int:
        """Return how many entries are less than a probe, which is one or the beginning of one."""
        number = bisect_left(self._lasts, probe)
        if number == len(self._blocks):
            return len(self.entries)
        return self._start(number) + bisect_left(self._blocks[number], probe)

    def entries_between(self, first: int, end: int, *, backwards: bool = False) -> Iterator[Entry]:
        """Yield the entries from one place up to another one, or the same ones from their end.

        >>> rows = SortedRows([(1, "a"), (2, "b"), (3, "c")])
        >>> list(rows.entries_between(0, 2, backwards=True))
        [(2, 'b'), (1, 'a')]
        """
        starts = list(accumulate(self._lengths, initial=0))
        numbers = range(bisect_right(starts, first) - 1, bisect_left(starts, end))
        for number in reversed(numbers) if backwards else numbers:
            start = starts[number]
            inside = self._blocks[number][max(0, first - start) : end - start]
            yield from reversed(inside) if backwards else inside

    def insert(self, entry: Entry) -> int:
        """Put in the entry of a new key and return its place."""
        number = bisect_left(self._lasts, entry)
        if number == len(self._blocks):
            if not number:
                return self._begin(entry)
            number -= 1
            self._lasts[number] = entry
        block = self._blocks[number]
        offset = bisect_left(block, entry)
        place = self._start(number) + offset
        block.insert(offset, entry)
        self.entries[entry[-1]] = entry
        self._lengths[number] += 1
        self._starts = None
        if len(block) > self._longest:
            self._cut(number)
        return place

    def remove(self, key: Key) -> int:
        """Take out a key and return what its place was. Raises KeyError."""
        entry = self.entries[key]
        number = bisect_left(self._lasts, entry)
        block = self._blocks[number]
        offset = bisect_left(block, entry)
        place = self._start(number) + offset
        del block[offset], self.entries[key]
        self._lengths[number] -= 1
        self._starts = None
        if len(block) * _SHORT < self._longest:
            self._join(number)
        return place

    def move(self, entry: Entry) -> tuple[int, int]:
        """Put an entry in place of that of the same key.

        Returns:
            The place where the key was, and the one where it is, counted without it.

        Raises:
            TypeError: the entry does not compare with others; the one before stays.
        """
        before = self.entries[entry[-1]]
        if before == entry:
            place = self.index(entry[-1])
            return place, place
        place = self.remove(entry[-1])
        try:
            return place, self.insert(entry)
        except TypeError:
            self.insert(before)
            raise

    # --- blocks -----------------------------------------------------------------------------

    def _start(self, number: int) -> int:
        """Return the place of the first entry of a block."""
        lengths = self._lengths
        if 2 * number <= len(lengths):
            return sum(lengths[:number])
        return len(self.entries) - sum(lengths[number:])

    def _begin(self, entry: Entry) -> int:
        self._blocks.append([entry])
        self._lasts.append(entry)
        self._lengths.append(1)
        self._starts = None
        self.entries[entry[-1]] = entry
        return 0

    def _cut(self, number: int) -> None:
        """Make two blocks of one that is too long, by the number of entries that there are now."""
        self._longest = _longest(len(self.entries))
        block = self._blocks[number]
        if len(block) > self._longest:
            half = len(block) // 2
            self._blocks[number : number + 1] = [block[:half], block[half:]]
            self._note(number, number + 1)

    def _join(self, number: int) -> None:
        """Put a short block and a neighbour together; the only block may be short."""
        if len(self._blocks) == 1:
            if not self._blocks[0]:
                del self._blocks[0], self._lasts[0], self._lengths[0]
            return
        number = max(0, number - 1)
        self._blocks[number : number + 2] = [self._blocks[number] + self._blocks[number + 1]]
        self._note(number, number + 2)
        if self._lengths[number] > self._longest:
            self._cut(number)

    def _note(self, first: int, end: int) -> None:
        """Note the lasts and lengths of blocks that took the place of those in a range.

        The blocks after them are as they were, so it follows how many they are.
        """
        count = len(self._blocks) - len(self._lasts) + end - first
        new = self._blocks[first : first + count]
        self._lasts[first:end] = [block[-1] for block in new]
        self._lengths[first:end] = map(len, new)


def _longest(count: int) -> int:
    return max(_LONGEST, _ROOTS * isqrt(count))


def _in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Sort; first by the first part alone, for plain values compare several times faster."""
    found = sorted(entries, key=itemgetter(0))
    found.sort()  # finds most of it done
    return found
