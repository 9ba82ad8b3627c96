"""Rows in order, or a part of them.

Only the root of a plan has positions. Below it nothing depends on the order, so an order of all
rows is nothing there, and a window is just those rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from streamdb.engine.difference import ordered_difference
from streamdb.engine.executor import Change, Changes, Item, Key, Positions
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.interpreted.steps import OneRow
from streamdb.engine.interpreted.window_inputs import WindowInput
from streamdb.engine.same import is_same_row, same_row
from streamdb.engine.sort_keys import SortKeys
from streamdb.engine.sorted_rows import SortedRows
from streamdb.engine.window import Window
from streamdb.expr.shape import Shape
from streamdb.expr.sources import Source


class WindowOperator:
    """Keeps the rows of a window as they come in."""

    def __init__(self, input: WindowInput, window: Window) -> None:
        self.rows: Final[Mapping[Key, Item]] = window.rows
        self._input: Final = input
        self._window: Final = window
        self.arrival: Final = input.arrival
        self.moved: Final = input.moved

    def load(self) -> None:
        """Find the first rows."""
        self._input.load()
        self._window.load(self._input)

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """See what comes and goes where the window begins and ends."""
        changed = self._input.step(changes)
        return self._window.step(changed, self._input) if changed else ()


class OrderOperator:
    """Keeps the rows that come out of an order at the root of a plan, and the place of each.

    Changes have indices; see ``executor``.

    Args:
        input: the rows of the order, or of its window.
        keys: what they are ordered by.
        send: what is done with each afterwards, if anything is.
        shape: of the rows that come out.
    """

    def __init__(self, input: Operator, keys: SortKeys, send: OneRow | None, shape: Shape) -> None:
        self.rows: Final[dict[Key, Item]] = {}
        self._input: Final = input
        self._keys: Final = keys
        self._send: Final = send
        self._is_tuple: Final = shape.is_tuple
        self._order: Final = SortedRows()

    @property
    def positions(self) -> Positions:
        """The keys in order; always the same object."""
        return self._order

    def load(self) -> None:
        """Send all rows through the steps, and sort what comes out."""
        self._input.load()
        rows = self._input.rows
        if self._send is None:
            self.rows.update(rows)
        else:
            sent = ((key, self._send(key, row)) for key, row in rows.items())
            self.rows.update((key, new) for key, new in sent if new is not None)
        self._sort()

    def _sort(self) -> None:
        """Find the places of all rows."""
        rows = self._input.rows
        self._keys.choose(self.rows)
        entry_of = self._keys.entry
        try:
            self._order.fill(entry_of(key, rows[key]) for key in self.rows)
        except TypeError as error:
            raise self._keys.mixture(rows.items(), error) from error

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Send the changed rows through the steps, and find where they were and are."""
        changed = self._input.step(changes)
        if not changed:
            return ()
        send = self._send
        result: list[Change] = []
        for number, (key, was, row) in enumerate(changed):
            old = self.rows.get(key)
            new = row if send is None else self._sent(key, old, was, row)
            if new is not None:
                try:
                    old_place, place = self._put(key, row, is_new=old is None)
                except TypeError:
                    return self._ordered_anew(changed, number, result)
                if is_same_row(old, new, are_tuples=self._is_tuple):
                    if old_place == place and not self._input.moved(key):
                        continue
                    new = old
                self.rows[key] = new
                result.append((key, old, new, old_place, place))
            elif old is not None:
                del self.rows[key]
                result.append((key, old, None, self._order.remove(key), None))
        return result

    def arrival(self, key: Key) -> Any:
        """Return the place of the row that this one was made of."""
        return self._input.arrival(key)

    def moved(self, key: Key) -> bool:
        """Tell it of the row that this one was made of."""
        return self._input.moved(key)

    def _put(self, key: Key, row: Item, *, is_new: bool) -> tuple[int | None, int]:
        """Put a row where it belongs, and return its places before and now."""
        if self._keys.are_text and type(key) is not str:
            self._keys.take_any(self._order)
        entry = self._keys.entry(key, row)
        return (None, self._order.insert(entry)) if is_new else self._order.move(entry)

    def _ordered_anew(self, changed: Changes, done: int, so_far: Sequence[Change]) -> Changes:
        """Order all rows again, where a changed one does not compare with others.

        That may be with rows which the same commit takes away, as where it puts text in place of
        all numbers. Raises as a load does if it is not.

        Args:
            changed: what has changed.
            done: how many of the changes were followed.
            so_far: what that has changed here.
        """
        order, before = list(self._order), dict(self.rows)
        for key, old, _, old_place, place in reversed(so_far):
            if place is not None:
                del order[place]
            if old_place is None:
                del before[key]
            else:
                order.insert(old_place, key)
                before[key] = old
        for key, was, row in changed[done:]:
            old = self.rows.pop(key, None)
            new = self._sent(key, old, was, row)
            if new is not None:
                is_same = old is not None and is_same_row(old, new, are_tuples=self._is_tuple)
                self.rows[key] = old if is_same else new
        self._sort()
        told = {key for key, *_ in changed if key in self.rows and self._input.moved(key)}
        return ordered_difference(before, order, self.rows, self._order, told=told)

    def _sent(self, key: Key, old: Item | None, was: Item | None, row: Item | None) -> Item | None:
        """Return what the steps make of a changed row, of which they made ``old`` before."""
        if self._send is None or row is None:
            return row
        if same_row(was, row):
            return old  # it stands elsewhere now: functions would make the same of it
        return self._send(key, row)
