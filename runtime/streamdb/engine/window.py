"""A part of an ordered result, kept without ordering the rest.

A buffer holds the first rows of the order, about twice as many as the window reaches; of all others
it is only known that they come after the *bound*. So a change among those costs one comparison.
When the buffer runs dry it is filled again, which costs what a first load does: a look at all rows,
or at a few where an index has them in order. It takes at least half a buffer of removals to get
there, and if they do not pay for the look, the buffer grows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import nsmallest
from itertools import islice
from sys import maxsize
from typing import Final, Protocol, cast

from streamdb.engine.executor import Change, Changes, Item, Key
from streamdb.engine.sort_keys import SortKeys
from streamdb.engine.sorted_rows import Entry, SortedRows

_NOWHERE: Final = maxsize  # the place of what is not in the buffer: after everything
#: How many rows a buffer holds beyond twice the window.
_SPARE: Final = 64
#: How many times larger a buffer becomes that runs dry again too soon.
_GROWTH: Final = 4


class AllRows(Protocol):
    """What a window is cut from."""

    def __len__(self) -> int:
        """Return how many there are, or more."""
        ...

    def get(self, key: Key, /) -> Item | None:
        """Return one, or None if there is none."""
        ...

    def items(self) -> Iterable[tuple[Key, Item]]:
        """Return all, with their keys."""
        ...

    def first(self, count: int, /) -> Collection[tuple[Key, Item]]:
        """Return so many of the first ones of the order, or all that there are; others perhaps."""
        ...


class Window:
    """The rows of an order from ``offset`` on, at most ``limit`` of them.

    Attributes:
        rows: those rows by key, in no order.

    Raises:
        ExpressionError: (any method) rows cannot be evaluated, or do not compare.
    """

    def __init__(self, keys: SortKeys, limit: int | None, offset: int) -> None:
        self.rows: Final[dict[Key, Item]] = {}
        self._keys: Final = keys
        self._first: Final = offset
        self._end: Final = _NOWHERE if limit is None else offset + limit
        self._least_size: Final = _NOWHERE if limit is None else 2 * self._end + _SPARE
        self._size = self._least_size
        self._buffer: Final = SortedRows()
        #: The last entry that was in the buffer when it last held its size; None if it holds all.
        self._bound: Entry | None = None
        self._changes_since_fill = 0
        #: How many rows the last filling looked at.
        self._looked_at = 0

    def load(self, rows: AllRows) -> None:
        """Take in all rows for the first time."""
        try:
            self._fill(rows)
        except TypeError as error:
            raise self._keys.mixture(rows.items(), error) from error
        self.rows.update(self._inside(rows))

    def step(self, changes: Changes, rows: AllRows) -> Changes:
        """Follow the changes of all rows and return those of the rows in the window.

        Args:
            changes: plain ones, net.
            rows: all rows after them.
        """
        before: dict[Key, Item | None] = {}
        try:
            if len(changes) > self._size and 2 * len(changes) > len(rows):
                self._find_anew(rows, before)
            else:
                try:
                    self._follow_all(changes, rows, before)
                except TypeError:  # for values of rows that this commit takes away, perhaps
                    self._find_anew(rows, before)
        except TypeError as error:
            raise self._keys.mixture(rows.items(), error) from error
        return self._net(before, changes) if before else ()

    def _follow_all(self, changes: Changes, rows: AllRows, before: dict[Key, Item | None]) -> None:
        """Follow one change after the other; for ``before`` see ``_follow``."""
        keys, held = self._keys, self._buffer.entries
        for key, _, new in changes:
            if keys.are_text and type(key) is not str:
                self._take_any_key()
            entry = None if new is None else keys.entry(key, new)
            if self._bound is not None and entry is not None and self._bound < entry:
                entry = None
            if entry is not None or key in held:
                self._follow(key, new, entry, rows, before)
        self._changes_since_fill += len(changes)
        if self._bound is not None and len(held) < self._end:
            # The buffer has run dry; it becomes larger if few changes have paid for the last look.
            is_soon = 2 * self._changes_since_fill < self._looked_at
            self._size = self._size * _GROWTH if is_soon else self._least_size
            self._find_anew(rows, before)

    def _follow(
        self,
        key: Key,
        new: Item | None,
        entry: Entry | None,
        rows: AllRows,
        before: dict[Key, Item | None],
    ) -> None:
        """Follow a change that concerns the buffer.

        Args:
            key: of the row.
            new: the row after the change.
            entry: None if it does not belong into the buffer.
            rows: all rows after the commit.
            before: takes what was in the window, of each key that this changes.
        """
        buffer = self._buffer
        old_place = place = _NOWHERE
        if key not in buffer.entries:
            place = buffer.insert(cast("Entry", entry))
        elif entry is None:
            old_place = buffer.remove(key)
        else:
            old_place, place = buffer.move(entry)

        inside = self.rows
        first, end = self._first, self._end
        if first <= place < end:
            before.setdefault(key, inside.get(key))
            inside[key] = new
        elif first <= old_place < end:
            before.setdefault(key, inside.pop(key))
        # Other rows only move by one place, so at each side at most one comes or goes.
        if old_place < end <= place:
            self._come(end - 1, rows, before)
        if place < first <= old_place:
            self._come(first, rows, before)
        if old_place < first <= place:
            self._go(first - 1, before)
        if place < end <= old_place:
            self._go(end, before)
        if len(buffer) > 2 * self._size:
            self._trim()

    def _come(self, place: int, rows: AllRows, before: dict[Key, Item | None]) -> None:
        """Note that the row at a place has come into the window, if there is one."""
        if place < len(self._buffer):
            key = self._buffer[place]
            before.setdefault(key, self.rows.get(key))
            # It may be gone, too, by a change of the same commit that is still to be followed.
            self.rows[key] = rows.get(key)

    def _go(self, place: int, before: dict[Key, Item | None]) -> None:
        """Note that the row at a place has left the window, if there is one."""
        if place < len(self._buffer):
            key = self._buffer[place]
            before.setdefault(key, self.rows.pop(key, None))

    def _net(self, before: Mapping[Key, Item | None], changes: Changes) -> Changes:
        """Compare what was in the window with what is there."""
        changed = {change[0] for change in changes}
        result: list[Change] = []
        for key, old in before.items():
            new = self.rows.get(key)
            # A row may have changed and yet be the same: it moved in the order of arrival.
            if old is not new or (new is not None and key in changed):
                result.append((key, old, new))
        return result

    # --- the buffer -------------------------------------------------------------------------

    def _inside(self, rows: AllRows) -> dict[Key, Item]:
        keys = islice(self._buffer, self._first, self._end)
        return {key: rows.get(key) for key in keys}

    def _fill(self, rows: AllRows) -> None:
        pairs = rows.first(self._size + 1)
        self._keys.choose(key for key, _ in pairs)
        entry_of = self._keys.entry
        entries: Iterable[Entry] = (entry_of(key, row) for key, row in pairs)
        is_whole = len(pairs) <= self._size
        found: Sequence[Entry] = list(entries) if is_whole else nsmallest(self._size, entries)
        self._buffer.fill(found)
        self._bound = None if is_whole else found[-1]
        self._looked_at = len(pairs)
        self._changes_since_fill = 0

    def _find_anew(self, rows: AllRows, before: dict[Key, Item | None]) -> None:
        """Fill the buffer anew, and see what is in the window now."""
        self._fill(rows)
        inside = self._inside(rows)
        for key in (*self.rows, *inside):
            before.setdefault(key, self.rows.get(key))
        self.rows.clear()
        self.rows.update(inside)

    def _trim(self) -> None:
        """Forget the last rows of a buffer that has become too large."""
        entries = [self._buffer.entries[key] for key in islice(self._buffer, self._size)]
        self._buffer.fill(entries)
        self._bound = entries[-1]

    def _take_any_key(self) -> None:
        self._keys.take_any(self._buffer)
        if self._bound is not None:
            self._bound = self._keys.renewed(self._bound)
