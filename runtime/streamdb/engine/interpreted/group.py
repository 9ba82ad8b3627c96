"""Groups of rows: what is asked of each follows its rows as they come and go.

A change costs what the aggregates cost for one value, whatever the size of the group; a group is
asked once a step, after all that came and went.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from typing import Any, Final

from streamdb.engine.aggregates import Accumulator, accumulators_of
from streamdb.engine.executor import Change, Changes, Item, Key
from streamdb.engine.interpreted.aggregation import (
    FAULTS,
    AggregateFunctions,
    Telling,
    hand_on,
    operand,
)
from streamdb.engine.interpreted.group_loading import rows_by_key
from streamdb.engine.interpreted.group_places import Places
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.key_order import key_order
from streamdb.engine.plan import Group
from streamdb.engine.row_forms import canonical, key_of_values
from streamdb.engine.row_functions import RowFunctions
from streamdb.errors import ExpressionError
from streamdb.expr.aggregates import keeps_nulls
from streamdb.expr.sources import Source


class _Group:
    """One group.

    Attributes:
        key: its key.
        keys: the values that its rows have in common.
        count: how many rows it has.
        accumulators: one for each aggregate.
        row: what it gives, None if it has not been asked.
    """

    __slots__ = ("accumulators", "count", "key", "keys", "row")

    def __init__(
        self, key: Key, keys: tuple[Any, ...], accumulators: Sequence[Accumulator]
    ) -> None:
        self.key: Final = key
        self.keys: Final = keys
        self.count = 0
        self.accumulators: Final = accumulators
        self.row: Item | None = None


class GroupOperator:
    """Keeps one row for each group.

    Args:
        node: what rows are grouped by, and what is asked of them.
        input: what the rows come from.
        functions: how expressions are evaluated.
        aggregates: how accumulators are told of rows, and asked.
    """

    def __init__(
        self,
        node: Group,
        input: Operator,
        functions: RowFunctions,
        aggregates: AggregateFunctions,
    ) -> None:
        self.rows: Final[dict[Key, Item]] = {}
        self._node: Final = node
        self._input: Final = input
        self._groups: Final[dict[Key, _Group]] = {}
        shape = node.input.shape
        self._has_one_key: Final = len(node.keys) == 1
        # The only key of a row, or the tuple of all: that of its group, but for null and NaN.
        self._key_of: Final[Callable[[Item], Any]] = (
            functions.value_of(node.keys[0], shape)
            if self._has_one_key
            else functions.values_of(node.keys, shape)
        )
        self._only_keys_of: Final = (
            functions.column_of(node.keys[0], shape) if self._has_one_key else None
        )
        self._columns: Final = [functions.column_of(operand(one), shape) for one in node.aggregates]
        self._makers: Final = tuple(map(accumulators_of, node.aggregates))
        self._keeps_nulls: Final = tuple(map(keeps_nulls, node.aggregates))
        self._places: Final = Places(node.aggregates, input, shape, functions)
        self._answer: Final = aggregates.answer(node)
        self._make_telling: Final = aggregates.telling
        self._telling: Telling | None = None

    def load(self) -> None:
        """Put all rows into groups, and then ask each group."""
        self._input.load()
        self._fill_all()
        for key, group in self._groups.items():
            row = group.row = self._answer(group.keys, group.accumulators, None)
            self.rows[key] = row

    def _fill_all(self) -> None:
        """Put all rows into groups, of which there are none yet."""
        if self._node.is_global:
            self._new_group((), ())
        rows = list(self._input.rows.values())
        keys = (
            list(map(self._key_of, rows))
            if self._only_keys_of is None
            else self._only_keys_of(rows)
        )
        arrivals = self._places.load(self._input.rows.keys())
        try:
            grouped = rows_by_key(keys, rows, arrivals)
        except TypeError:  # no key of a dictionary
            for key in keys:
                self._group_of(key)
            raise
        for key, entering in grouped:
            self._fill(self._group_of(key), *entering)

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Put the changed rows where they belong, and ask the groups that they concern."""
        changed = self._input.step(changes)
        try:
            concerned = self._follow(changed)
        except Exception:  # noqa: BLE001 - what is of no use in the end is raised again
            concerned = self._filled_anew()
        told: list[Change] = []
        for group in concerned.values():
            change = self._settled(group)
            if change is not None:
                told.append(change)
        return told

    def _follow(self, changed: Changes) -> Mapping[Key, _Group]:
        """Tell the groups of the changed rows, and return those that they concern."""
        if self._telling is None:
            self._telling = self._make_telling(self._node)
        telling, key_of, places = self._telling, self._key_of, self._places
        are_placed = places.matter
        concerned: dict[Key, _Group] = {}
        for key, old, new in changed:
            before = after = left = arrived = arrival = None
            if old is not None:
                left = key_of(old)
                before = self._group_of(left)
                if are_placed:
                    arrived = places.go(key)
            if new is not None:
                entered = key_of(new)
                stays = before is not None and entered == left
                after = before if stays else self._group_of(entered)
                if are_placed:
                    arrival = places.come(key)
            if before is not None and before is after:
                if telling.replace(before.accumulators, old, arrived, new, arrival):
                    concerned[before.key] = before
                continue
            if before is not None:
                before.count -= 1
                telling.leave(before.accumulators, old, arrived)
                concerned[before.key] = before
            if after is not None:
                after.count += 1
                telling.enter(after.accumulators, new, arrival)
                concerned[after.key] = after
        return concerned

    def _filled_anew(self) -> Mapping[Key, _Group]:
        """Put all rows into groups again, where values of changed rows did not suit.

        That may be for those of rows which the same commit takes away, as where it puts text in
        place of all numbers. Raises as a load does if it is not.
        """
        before = dict(self._groups)
        self._groups.clear()
        self._fill_all()
        for key, group in before.items():
            if (now := self._groups.get(key)) is None:  # it is empty, and goes
                group.count = 0
                self._groups[key] = group
            else:
                now.row = group.row
        return dict(self._groups)

    def arrival(self, key: Key) -> Any:
        """Return the place of the group among all that there may be."""
        return key_order(key)

    def moved(self, key: Key) -> bool:
        """Tell that a group stays where it is."""
        return False

    # --- rows that come and go ----------------------------------------------------------------

    def _group_of(self, key: Any) -> _Group:
        """Return the group of rows that have this key, a new one if there is none."""
        try:
            group = self._groups.get(key)
            if group is None:  # or its key is not the values as they are: null or NaN
                keys = tuple(map(canonical, (key,) if self._has_one_key else key))
                key = key_of_values(keys)
                group = self._groups.get(key) or self._new_group(key, keys)
        except TypeError as error:
            by = ", ".join(map(str, self._node.keys))
            raise ExpressionError(f"rows cannot be grouped by `{by}`: {error}") from error
        return group

    def _new_group(self, key: Key, keys: tuple[Any, ...]) -> _Group:
        group = _Group(key, keys, [make() for make in self._makers])
        self._groups[key] = group
        return group

    def _fill(self, group: _Group, rows: Sequence[Item], arrivals: Sequence[Any]) -> None:
        """Have many rows enter a group, each aggregate all of them at once."""
        group.count += len(rows)
        columns = [column(rows) for column in self._columns]
        number = 0
        try:
            for asked, values in zip(group.accumulators, columns, strict=True):
                places = self._places.of_rows(number, rows, arrivals)
                if None in values and not self._keeps_nulls[number]:
                    kept = [value is not None for value in values]
                    values, places = list(compress(values, kept)), list(compress(places, kept))
                asked.extend(values, places)
                number += 1
        except FAULTS as error:
            hand_on(self._node.aggregates[number], error)

    # --- answers ------------------------------------------------------------------------------

    def _settled(self, group: _Group) -> Change | None:
        """Ask a group, and return how its row changed."""
        key, old = group.key, group.row
        if not group.count and not self._node.is_global:
            del self._groups[key]
            return None if old is None else (key, self.rows.pop(key), None)
        new = self._answer(group.keys, group.accumulators, old)
        if new is old:
            return None
        self.rows[key] = group.row = new
        return (key, old, new)
