"""Groups of rows: what is asked of each follows its rows as they come and go.

A change costs what the aggregates cost for one value, whatever the size of the group; a group is
asked once a step, after all that came and went.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn, TypeAlias

from streamdb.engine.aggregates import Accumulator, accumulator
from streamdb.engine.aggregates.ordered import Ordered
from streamdb.engine.executor import Change, Changes, Item, Key
from streamdb.engine.interpreted.group_places import Places
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.key_order import key_order
from streamdb.engine.plan import Group
from streamdb.engine.row_forms import canonical, group_shape, key_of_values
from streamdb.engine.row_functions import NAIVE, RowFunctions
from streamdb.engine.same import same, same_value
from streamdb.errors import ExpressionError
from streamdb.expr.aggregates import AGGREGATES, keeps_nulls
from streamdb.expr.nodes import AggregateNode, ConstantNode, Node
from streamdb.expr.sources import Source

_FAULTS: Final = (TypeError, ValueError, ArithmeticError)


class _Group:
    """One group.

    Attributes:
        key: its key.
        keys: the values that its rows have in common.
        count: how many rows it has.
        accumulators: one for each aggregate.
        adds: how each of them is given a value.
    """

    __slots__ = ("accumulators", "adds", "count", "key", "keys")

    def __init__(
        self, key: Key, keys: tuple[Any, ...], accumulators: Sequence[Accumulator]
    ) -> None:
        self.key: Final = key
        self.keys: Final = keys
        self.count = 0
        self.accumulators: Final = accumulators
        self.adds: Final = tuple(asked.add for asked in accumulators)


#: What a row is to its group: for each aggregate a value, and its place among the others.
_Parts: TypeAlias = tuple[tuple[Any, ...], tuple[Any, ...]]
_NOTHING: Final[_Parts] = (), ()


class GroupOperator:
    """Keeps one row for each group.

    Args:
        node: what rows are grouped by, and what is asked of them.
        input: what the rows come from.
        functions: how expressions are evaluated.
    """

    def __init__(self, node: Group, input: Operator, functions: RowFunctions = NAIVE) -> None:
        self.rows: Final[dict[Key, Item]] = {}
        self._node: Final = node
        self._input: Final = input
        self._groups: Final[dict[Key, _Group]] = {}
        shape = node.input.shape
        self._has_one_key: Final = len(node.keys) == 1
        self._keys_of: Final = functions.values_of(node.keys, shape)
        self._values_of: Final = functions.values_of(list(map(_operand, node.aggregates)), shape)
        self._row_of: Final = functions.values_of(node.values, group_shape(node))
        self._keeps_nulls: Final = tuple(map(keeps_nulls, node.aggregates))
        self._places: Final = Places(node.aggregates, input, shape, functions)

    def load(self) -> None:
        """Put all rows into groups, and then ask each group."""
        self._input.load()
        if self._node.is_global:
            self._new_group((), ())
        rows = self._input.rows
        entering = defaultdict[tuple[Any, ...], list[_Parts]](list)
        keys_of_rows = map(self._keys_of, rows.values())
        values_of_rows = map(self._values_of, rows.values())
        parts_of_rows = zip(values_of_rows, self._places.load(rows), strict=False)
        for keys, parts in zip(keys_of_rows, parts_of_rows, strict=True):
            try:
                entering[keys].append(parts)
            except TypeError:  # no key of a dictionary
                self._group_of(keys)
                raise
        for keys, rows_parts in entering.items():
            self._fill(self._group_of(keys), rows_parts)
        for key, group in self._groups.items():
            self.rows[key] = self._asked(group)

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Put the changed rows where they belong, and ask the groups that they concern."""
        concerned = dict[Key, _Group]()
        for key, old, new in self._input.step(changes):
            before = after = None
            old_parts = new_parts = _NOTHING
            if old is not None:
                before = self._group_of(self._keys_of(old))
                old_parts = self._values_of(old), self._places.go(key, old)
            if new is not None:
                after = self._group_of(self._keys_of(new))
                new_parts = self._values_of(new), self._places.come(key, new)
            if before is not None and before is after:
                if self._replace(before, old_parts, new_parts):
                    concerned[before.key] = before
                continue
            if before is not None:
                self._leave(before, old_parts)
                concerned[before.key] = before
            if after is not None:
                self._enter(after, new_parts)
                concerned[after.key] = after
        return [change for group in concerned.values() if (change := self._settled(group))]

    def arrival(self, key: Key) -> Any:
        """Return the place of the group among all that there may be."""
        return key_order(key)

    def moved(self, key: Key) -> bool:
        """Tell that a group stays where it is."""
        return False

    # --- rows that come and go ----------------------------------------------------------------

    def _group_of(self, keys: tuple[Any, ...]) -> _Group:
        """Return the group of rows that have these values, a new one if there is none."""
        try:
            group = self._groups.get(keys[0] if self._has_one_key else keys)
            if group is None:  # or its key is not the values as they are: null or NaN
                keys = tuple(map(canonical, keys))
                key = key_of_values(keys)
                group = self._groups.get(key) or self._new_group(key, keys)
        except TypeError as error:
            by = ", ".join(map(str, self._node.keys))
            raise ExpressionError(f"rows cannot be grouped by `{by}`: {error}") from error
        return group

    def _new_group(self, key: Key, keys: tuple[Any, ...]) -> _Group:
        group = _Group(key, keys, tuple(map(accumulator, self._node.aggregates)))
        self._groups[key] = group
        return group

    def _enter(self, group: _Group, parts: _Parts) -> None:
        group.count += 1
        number = 0
        try:
            for add, value, place in zip(group.adds, *parts, strict=True):
                if value is not None or self._keeps_nulls[number]:
                    add(value, place)
                number += 1
        except _FAULTS as error:
            self._hand_on(number, error)

    def _fill(self, group: _Group, parts: Sequence[_Parts]) -> None:
        """Have many rows enter a group, each aggregate all of them at once."""
        group.count += len(parts)
        values_of_rows, places_of_rows = zip(*parts, strict=True)
        number = 0
        try:
            for asked, values, places in zip(
                group.accumulators,
                zip(*values_of_rows, strict=True),
                zip(*places_of_rows, strict=True),
                strict=True,
            ):
                if None in values and not self._keeps_nulls[number]:
                    for value, place in zip(values, places, strict=True):
                        if value is not None:
                            asked.add(value, place)
                else:
                    asked.extend(values, places)
                number += 1
        except _FAULTS as error:
            self._hand_on(number, error)

    def _leave(self, group: _Group, parts: _Parts) -> None:
        group.count -= 1
        number = 0
        try:
            for asked, value, place in zip(group.accumulators, *parts, strict=True):
                if value is not None or self._keeps_nulls[number]:
                    asked.remove(value, place)
                number += 1
        except _FAULTS as error:
            self._hand_on(number, error)

    def _replace(self, group: _Group, before: _Parts, after: _Parts) -> bool:
        """Change what differs, and tell whether anything does: most changes leave most values."""
        number, differs = 0, False
        try:
            for asked, old, old_place, new, place in zip(
                group.accumulators, *before, *after, strict=True
            ):
                counted = old is not None or self._keeps_nulls[number]
                counts = new is not None or self._keeps_nulls[number]
                is_same = same_value(old, new) and (
                    old_place == place or not counts or _stays(asked, old_place, place)
                )
                if not is_same:
                    differs = True
                    if counted and counts:
                        asked.replace(old, old_place, new, place)
                    elif counted:
                        asked.remove(old, old_place)
                    elif counts:
                        asked.add(new, place)
                number += 1
        except _FAULTS as error:
            self._hand_on(number, error)
        return differs

    # --- answers ------------------------------------------------------------------------------

    def _settled(self, group: _Group) -> Change | None:
        """Ask a group, and return how its row changed."""
        key = group.key
        old = self.rows.get(key)
        if not group.count and not self._node.is_global:
            del self._groups[key]
            return None if old is None else (key, self.rows.pop(key), None)
        new = self._asked(group)
        if same(old, new):
            return None
        self.rows[key] = new
        return (key, old, new)

    def _asked(self, group: _Group) -> Item:
        answers = list[Any]()
        try:
            for asked in group.accumulators:
                answers.append(asked.result())
        except _FAULTS as error:
            self._hand_on(len(answers), error)
        return (*group.keys, *self._row_of((*group.keys, *answers)))

    def _hand_on(self, number: int, error: Exception) -> NoReturn:
        """Say which aggregate values do not suit; what functions of users raise stays as it is."""
        node = self._node.aggregates[number]
        if isinstance(error, ExpressionError) or AGGREGATES[node.aggregate].calls_users:
            raise error
        raise ExpressionError(f"`{node}` cannot be evaluated: {error}") from error


def _stays(asked: Accumulator, before: Any, now: Any) -> bool:
    """Tell whether a value that is as before stands between the same ones at its place now."""
    return isinstance(asked, Ordered) and asked.stays(before, now)


def _operand(node: AggregateNode) -> Node:
    """Return what is asked of each row; something that is never null where it is the row itself."""
    return ConstantNode(1) if node.operand is None else node.operand
