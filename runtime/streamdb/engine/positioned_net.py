"""What several commits of an ordered result amount to, for one who knows the list before them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from streamdb.engine.executor import Change, Changes, Item, Key
from streamdb.engine.same import same_row
from streamdb.engine.sorted_rows import SortedRows

#: How many places of the list are looked at together.
_BLOCK: Final = 1024


def net_changes(changes: Iterable[Change], length: int) -> Changes:
    """Return at most one change for each key, with indices that apply one after the other.

    Of the list only the rows that changed matter: all others stay in order. So a row is in a
    *gap*, whose number is that of the others before it, and its index is that number and how many
    changed rows are before it, where they were at first or where they belong in the end. Rows are
    put where they belong from the first to the last, in each gap before those that still wait.

    Args:
        changes: of one commit after the other, as they apply to the list.
        length: of the list before the first of them.

    >>> net_changes([("a", 1, None, 0, None), ("b", 2, 3, 0, 0), ("c", None, 4, None, 0)], 2)
    [('a', 1, None, 0, None), ('c', None, 4, None, 0), ('b', 2, 3, 1, 1)]
    """
    rows = _replayed(changes, length)
    were = sorted((row.old_index, row) for row in rows if row.old_index is not None)
    are = sorted((row.new_index, row) for row in rows if row.new_index is not None)
    places = sorted(
        [(index - number, False, number, row) for number, (index, row) in enumerate(are)]
        + [(index - number, True, number, row) for number, (index, row) in enumerate(were)]
    )
    for place, (gap, is_old, _, row) in enumerate(places):
        if is_old:
            row.old_gap, row.old_place = gap, place
        else:
            row.new_gap, row.new_place = gap, place
    taken = SortedRows((place,) for place, (_, is_old, _, _) in enumerate(places) if is_old)
    result = list[Change]()
    gone = [row for _, row in were if row.new_index is None]
    for row in (*gone, *(row for _, row in are)):
        old_index = new_index = None
        if row.old_index is not None:
            old_index = row.old_gap + taken.remove(row.old_place)
        if row.new_index is not None:
            new_index = row.new_gap + taken.insert((row.new_place,))
        is_same = same_row(row.old, row.new)
        if old_index != new_index or not is_same:
            # One object, if it is the same row: that is how a pure move is known.
            new = row.old if is_same else row.new
            result.append((row.key, row.old, new, old_index, new_index))
    return result


@dataclass(slots=True, eq=False)
class _Row:
    """A row that changed, as it was before the first commit, and as it is after the last.

    Attributes:
        old_index: where it was in the list; None if it was not there.
        new_index: where it is; None if it is not there.
        old_gap: how many rows that did not change were before it; ``new_gap``: are before it.
        old_place: its place among all where a changed row was or is; so for ``new_place``.
    """

    key: Key
    old: Item | None
    new: Item | None = None
    old_index: int | None = None
    new_index: int | None = None
    old_gap: int = 0
    new_gap: int = 0
    old_place: int = 0
    new_place: int = 0


def _replayed(changes: Iterable[Change], length: int) -> list[_Row]:
    """Return the rows that changed."""
    listed = _List(length)
    rows: dict[Key, _Row] = {}
    for key, old, new, old_index, new_index in changes:
        row = rows.get(key)
        was = None if old_index is None else listed.pop(old_index)
        if row is None:
            row = rows[key] = _Row(key, old)
            row.old_index = was if isinstance(was, int) else None
        row.new = new
        if new_index is not None:
            listed.insert(new_index, row)
    for index, row in listed.rows():
        row.new_index = index
    return list(rows.values())


class _List:
    """A list of rows that changed, and of the indices at which all others were at first.

    It is made of blocks; one that nothing touches stays a range.
    """

    def __init__(self, length: int) -> None:
        self._blocks: list[range | list[int | _Row]] = [
            range(start, min(start + _BLOCK, length)) for start in range(0, length, _BLOCK)
        ] or [[]]
        self._lengths = list(map(len, self._blocks))

    def pop(self, index: int) -> int | _Row:
        number, start = self._block_of(index)
        self._lengths[number] -= 1
        return self._touched(number).pop(index - start)

    def insert(self, index: int, row: _Row) -> None:
        number, start = self._block_of(index)
        block = self._touched(number)
        block.insert(index - start, row)
        self._lengths[number] += 1
        if len(block) > 2 * _BLOCK:
            self._blocks[number : number + 1] = [block[:_BLOCK], block[_BLOCK:]]
            self._lengths[number : number + 1] = [_BLOCK, len(block) - _BLOCK]

    def rows(self) -> Iterator[tuple[int, _Row]]:
        """Return the rows that changed, with their indices."""
        start = 0
        for block, length in zip(self._blocks, self._lengths, strict=True):
            if isinstance(block, list):
                for index, item in enumerate(block, start):
                    if isinstance(item, _Row):
                        yield index, item
            start += length

    def _block_of(self, index: int) -> tuple[int, int]:
        """Return the number and the start of the block of an index; the last one's, of the end."""
        ends = list(accumulate(self._lengths))
        number = min(bisect_right(ends, index), len(ends) - 1)
        return number, ends[number] - self._lengths[number]

    def _touched(self, number: int) -> list[int | _Row]:
        block = self._blocks[number]
        if isinstance(block, range):
            block = self._blocks[number] = list(block)
        return block
