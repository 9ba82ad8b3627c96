"""Groups of rows: what is asked of each follows its rows as they come and go.

A change costs what the aggregates cost for one value, whatever the size of the group; a group is
asked once a step, after all that came and went.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, NoReturn

from streamdb.engine.aggregates import Accumulator, accumulator
from streamdb.engine.executor import Change, Changes, Item, Key
from streamdb.engine.interpreted.group_places import Places
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.key_order import key_order
from streamdb.engine.naive import canonical, group_shape, key_of_values
from streamdb.engine.plan import Group
from streamdb.engine.row_functions import NAIVE, RowFunctions
from streamdb.engine.same import same
from streamdb.errors import ExpressionError
from streamdb.expr.aggregates import AGGREGATES, keeps_nulls
from streamdb.expr.nodes import AggregateNode, ConstantNode, Node
from streamdb.expr.sources import Source

_FAULTS: Final = (TypeError, ValueError, ArithmeticError)


class _Group:
    """One group.

    Attributes:
        keys: the values that its rows have in common.
        count: how many rows it has.
        accumulators: one for each aggregate.
        answers: what they said last.
        stale: the numbers of those for which something changed since.
    """

    __slots__ = ("accumulators", "answers", "count", "keys", "stale")

    def __init__(self, keys: tuple[Any, ...], accumulators: Sequence[Accumulator]) -> None:
        self.keys: Final = keys
        self.count = 0
        self.accumulators: Final = accumulators
        self.answers: Final[list[Any]] = [None] * len(accumulators)
        self.stale: Final = set(range(len(accumulators)))


class _Member(NamedTuple):
    """What one row is to its group: for each aggregate a value, and its place among the others."""

    key: Key
    group: _Group
    values: tuple[Any, ...]
    places: tuple[Any, ...]


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
        self._keys_of: Final = functions.values_of(node.keys, shape)
        self._values_of: Final = functions.values_of(list(map(_operand, node.aggregates)), shape)
        self._row_of: Final = functions.values_of(node.values, group_shape(node))
        self._keeps_nulls: Final = tuple(map(keeps_nulls, node.aggregates))
        self._places: Final = Places(node.aggregates, input, shape, functions)

    def load(self) -> None:
        """Put all rows into groups, and then ask each group."""
        self._input.load()
        if self._node.is_global:
            self._groups[()] = self._new_group(())
        for key, row in self._input.rows.items():
            self._enter(self._member(row, self._places.come(key, row)))
        for key, group in self._groups.items():
            self.rows[key] = self._asked(group)

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Put the changed rows where they belong, and ask the groups that they concern."""
        concerned = dict[Key, _Group]()
        for key, old, new in self._input.step(changes):
            before = None if old is None else self._member(old, self._places.go(key, old))
            after = None if new is None else self._member(new, self._places.come(key, new))
            if before and after and before.group is after.group:
                self._replace(before, after)
                concerned[after.key] = after.group
                continue
            if before:
                self._leave(before)
                concerned[before.key] = before.group
            if after:
                self._enter(after)
                concerned[after.key] = after.group
        return [change for key, group in concerned.items() if (change := self._settled(key, group))]

    def arrival(self, key: Key) -> Any:
        """Return the place of the group among all that there may be."""
        return key_order(key)

    def moved(self, key: Key) -> bool:
        """Tell that a group stays where it is."""
        return False

    # --- rows that come and go ----------------------------------------------------------------

    def _member(self, row: Item, places: tuple[Any, ...]) -> _Member:
        keys = tuple(map(canonical, self._keys_of(row)))
        key = key_of_values(keys)
        try:
            group = self._groups.get(key)
        except TypeError as error:
            by = ", ".join(map(str, self._node.keys))
            raise ExpressionError(f"rows cannot be grouped by `{by}`: {error}") from error
        if group is None:
            group = self._groups[key] = self._new_group(keys)
        return _Member(key, group, self._values_of(row), places)

    def _new_group(self, keys: tuple[Any, ...]) -> _Group:
        return _Group(keys, tuple(map(accumulator, self._node.aggregates)))

    def _enter(self, member: _Member) -> None:
        group, number = member.group, 0
        group.count += 1
        try:
            for number, value in enumerate(member.values):
                if value is not None or self._keeps_nulls[number]:
                    group.accumulators[number].add(value, member.places[number])
                    group.stale.add(number)
        except _FAULTS as error:
            self._hand_on(number, error)

    def _leave(self, member: _Member) -> None:
        group, number = member.group, 0
        group.count -= 1
        try:
            for number, value in enumerate(member.values):
                if value is not None or self._keeps_nulls[number]:
                    group.accumulators[number].remove(value, member.places[number])
                    group.stale.add(number)
        except _FAULTS as error:
            self._hand_on(number, error)

    def _replace(self, before: _Member, after: _Member) -> None:
        """Change what differs: most changes of a row leave most values as they are."""
        group, number = after.group, 0
        try:
            for number, (old, new) in enumerate(zip(before.values, after.values, strict=True)):
                old_place, place = before.places[number], after.places[number]
                if same((old,), (new,)) and old_place == place:
                    continue
                if old is not None or self._keeps_nulls[number]:
                    group.accumulators[number].remove(old, old_place)
                if new is not None or self._keeps_nulls[number]:
                    group.accumulators[number].add(new, place)
                group.stale.add(number)
        except _FAULTS as error:
            self._hand_on(number, error)

    # --- answers ------------------------------------------------------------------------------

    def _settled(self, key: Key, group: _Group) -> Change | None:
        """Ask a group, and return how its row changed."""
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
        number = 0
        try:
            for number in group.stale:
                group.answers[number] = group.accumulators[number].result()
        except _FAULTS as error:
            self._hand_on(number, error)
        group.stale.clear()
        return (*group.keys, *self._row_of((*group.keys, *group.answers)))

    def _hand_on(self, number: int, error: Exception) -> NoReturn:
        """Say which aggregate values do not suit; what functions of users raise stays as it is."""
        node = self._node.aggregates[number]
        if isinstance(error, ExpressionError) or AGGREGATES[node.aggregate].calls_users:
            raise error
        raise ExpressionError(f"`{node}` cannot be evaluated: {error}") from error


def _operand(node: AggregateNode) -> Node:
    """Return what is asked of each row; something that is never null where it is the row itself."""
    return ConstantNode(1) if node.operand is None else node.operand
