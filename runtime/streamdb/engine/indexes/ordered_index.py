"""Keys of rows in the order of a value: what finds those of a range, and the first ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Final

from msgspec import UNSET

from streamdb.engine.executor import Changes, Item, Key
from streamdb.engine.key_order import key_order
from streamdb.engine.row_functions import ValueOf
from streamdb.engine.sort_keys import AFTER_ALL, EntryOf, SortKeys, marks_of
from streamdb.engine.sorted_rows import Entry, SortedRows
from streamdb.expr.nodes import ColumnNode, OrderTerm
from streamdb.expr.shape import row_shape


class OrderedIndex:
    """Keeps the keys by value, from the least to the greatest; NaN and null come last.

    All methods raise what the comparison of two values raises, and TypeError for values that are
    in no order.

    Args:
        column: which one.
        read: returns its value of a row.
    """

    def __init__(self, column: ColumnNode, read: ValueOf) -> None:
        term = OrderTerm(column, nulls_first=False)
        self._null, self._nan = marks_of(term)
        self._read: Final = read
        self._holds_nan = False
        self._entries: Final = SortKeys([term], row_shape(), self._entry_of)
        self._order: Final = SortedRows()

    def __len__(self) -> int:
        return len(self._order)

    def load(self, rows: Mapping[Key, Item]) -> None:
        """Take in all rows, once."""
        self._entries.choose(rows)
        entry_of = self._entries.entry
        self._order.fill(entry_of(key, row) for key, row in rows.items())

    def follow(self, changes: Changes) -> None:
        """Take in what has happened to rows."""
        entries, order = self._entries, self._order
        for key, _, new, *_ in changes:
            if new is None:
                if key in order.entries:
                    order.remove(key)
                continue
            if entries.are_text and type(key) is not str:
                entries.take_any(order)
            entry = entries.entry(key, new)
            if key in order.entries:
                order.move(entry)
            else:
                order.insert(entry)

    def count_between(self, low: Any | None, high: Any | None) -> int:
        """Return how many rows have a value in a range; for its ends see ``keys_between``."""
        first, end = self._range(low, high)
        return end - first

    def keys_between(self, low: Any | None, high: Any | None) -> Iterator[Key]:
        """Yield the keys of the rows whose value is in a range; NaN and null are in none.

        Args:
            low: the least value, or None if there is none.
            high: the greatest value, or None if there is none.
        """
        first, end = self._range(low, high)
        return (entry[-1] for entry in self._order.entries_between(first, end))

    def groups(self, *, descending: bool, nulls_first: bool) -> Iterator[Iterable[Key]]:
        """Yield all keys in the order of a term, those of equal values together."""
        order = self._order
        nulls = order.place_before((self._null,))
        parts = [
            order.entries_between(0, nulls, backwards=descending),
            order.entries_between(nulls, len(order)),
        ]
        entries = chain.from_iterable(reversed(parts) if nulls_first else parts)
        for _, group in groupby(entries, key=_first_part):
            yield (entry[-1] for entry in group)

    def _entry_of(self, terms: object, shape: object, keys_are_text: bool) -> EntryOf:
        """Return what `sort_keys.entry_of` does, for a column alone and in less time."""
        read, null, nan = self._read, self._null, self._nan

        def entry(key: Key, row: Item) -> Entry:
            value = read(row)
            if value is None or value is UNSET:
                value = null
            elif value != value:
                self._keep_nan(value)
                value = nan
            elif value.__class__ in _SETS:
                raise TypeError(f"sets have no order: {value!r}")
            return (value, key) if keys_are_text else (value, key_order(key), key)

        return entry

    def _keep_nan(self, value: Any) -> None:
        if isinstance(value, Decimal):
            raise TypeError(f"a comparison with {value!r} raises")
        self._holds_nan = True

    def _range(self, low: Any | None, high: Any | None) -> tuple[int, int]:
        if self._holds_nan:  # its mark compares with everything
            for end in (low, high):
                _ = end is None or end < _NAN
        first = 0 if low is None else self._order.place_before((low,))
        after: Entry = (self._nan,) if high is None else (high, AFTER_ALL)
        return first, max(first, self._order.place_before(after))


_NAN: Final = float("nan")
#: Whose `<` says that one is part of the other, of which there is no order.
_SETS: Final = frozenset[type[Any]]((set, frozenset))

_first_part: Final[Callable[[Entry], Any]] = itemgetter(0)
