"""Pairs of rows whose values are equal, and rows that are in no pair.

A step looks at the changed rows of both sides: in which pairs they were, by the indexes as they
were, and in which they are now. So it costs what the changed rows have of partners, and it does
not matter whether one side changed or both, as where one source is on both sides. Whether a row of
an outer join stands alone follows from the number of its pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final, TypeAlias, cast

from streamdb.engine.executor import Change, Changes, Item, Key
from streamdb.engine.interpreted.join_indexes import (
    HashIndex,
    Index,
    KeyIndex,
    joined_by,
    keyed_side,
)
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.naive import slots
from streamdb.engine.plan import Edge, Join
from streamdb.engine.row_functions import RowFunctions
from streamdb.expr.nodes import Node
from streamdb.expr.sources import Source

_Pair: TypeAlias = tuple[Key, Key]


class _Side:
    """One side: its rows, the index that finds them, and how many pairs each is in.

    Attributes:
        keeps_lone: whether rows that are in no pair are rows of the join.
        changes: what the current step does to the rows.
    """

    def __init__(
        self,
        input: Operator,
        edge: Edge,
        nodes: tuple[Node, ...],
        functions: RowFunctions,
        *,
        keeps_lone: bool,
    ) -> None:
        self.input: Final = input
        self.keeps_lone: Final = keeps_lone
        self.missing: Final = (None,) * len(edge.shape.slots)
        self.values_of: Final = joined_by(functions.values_of(nodes, edge.shape))
        self.index: Index = HashIndex(self.values_of, nodes)
        self.changes: Changes = ()
        self._shape: Final = edge.shape
        self._pair_counts: Final[dict[Key, int]] = {}

    def slots(self, row: Item) -> tuple[Any, ...]:
        return slots(row, self._shape)

    def load(self) -> None:
        self.input.load()
        for key, row in self.input.rows.items():
            self.index.add(key, row)

    def follow(self) -> None:
        """Bring the index up to date."""
        for key, old, new in self.changes:
            if old is not None:
                self.index.remove(key, old)
            if new is not None:
                self.index.add(key, new)

    def count(self, key: Key, more: int) -> None:
        """Note that a row is in so many more pairs."""
        if self.keeps_lone:
            count = self._pair_counts.pop(key, 0) + more
            if count:
                self._pair_counts[key] = count

    def lone(self, key: Key) -> Item | None:
        """Return the row if it is there and in no pair."""
        return None if key in self._pair_counts else self.input.rows.get(key)


class JoinOperator:
    """Keeps the rows by the pairs of both keys.

    Where a pair of values compares with the key of the other side, and that is a source, filtered
    perhaps, the source itself is the index of that side.
    """

    def __init__(
        self, node: Join, left: Operator, right: Operator, functions: RowFunctions
    ) -> None:
        self.rows: Final[dict[Key, Item]] = {}
        self._sides: Final = (
            _Side(
                left,
                node.left,
                tuple(pair[0] for pair in node.pairs),
                functions,
                keeps_lone=node.how in ("left", "full"),
            ),
            _Side(
                right,
                node.right,
                tuple(pair[1] for pair in node.pairs),
                functions,
                keeps_lone=node.how in ("right", "full"),
            ),
        )
        self._fits: Final = (
            None if node.residual is None else functions.is_true_of(node.residual, node.shape)
        )
        if keyed := keyed_side(node):
            side = self._sides[keyed.side]
            side.index = KeyIndex(side.input, side.values_of, keyed.source, keyed.number)

    def load(self) -> None:
        """Pair all rows."""
        for side in self._sides:
            side.load()
        for pair, row in self._pairs(0, self._sides[0].input.rows.items()):
            self.rows[pair] = row
            self._count(pair, 1)
        for number, side in enumerate(self._sides):
            for key in side.input.rows if side.keeps_lone else ():
                row = side.lone(key)
                if row is not None:
                    self.rows[_lone_pair(number, key)] = self._lone_row(number, row)

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Pair the changed rows anew."""
        for side in self._sides:
            side.changes = side.input.step(changes)
        before = dict.fromkeys(chain(self._pairs_before(0), self._pairs_before(1)))
        for side in self._sides:
            side.follow()
        now = dict(chain(self._pairs(0, self._came(0)), self._pairs(1, self._came(1))))
        result = list[Change]()
        for pair in before:
            if pair not in now:
                self._put(result, pair, None)
                self._count(pair, -1)
        for pair, row in now.items():
            if pair not in before:
                self._count(pair, 1)
            self._put(result, pair, row)
        for number in (0, 1):
            self._follow_lone(number, result, chain(before, now))
        return result

    def arrival(self, key: Key) -> Any:
        """Return the places of both rows; that of a missing one comes before all others."""
        return tuple(
            (-1,) if one is None else (0, side.input.arrival(one))
            for side, one in zip(self._sides, cast("_Pair", key), strict=True)
        )

    def moved(self, key: Key) -> bool:
        """Tell whether one of both rows was."""
        both = zip(self._sides, cast("_Pair", key), strict=True)
        return any(one is not None and side.input.moved(one) for side, one in both)

    def _pairs_before(self, number: int) -> Iterator[_Pair]:
        """Return the pairs that the changed rows of a side were in; the indexes are as before."""
        mine, other = self._sides[number], self._sides[1 - number]
        for key, old, _ in mine.changes:
            if old is not None:
                for partner in other.index.candidates(mine.values_of(old)):
                    pair = _pair(number, key, partner)
                    if pair in self.rows:
                        yield pair

    def _came(self, number: int) -> Iterator[tuple[Key, Item]]:
        return ((key, new) for key, _, new in self._sides[number].changes if new is not None)

    def _pairs(self, number: int, rows: Iterable[tuple[Key, Item]]) -> Iterator[tuple[_Pair, Item]]:
        """Return the pairs that rows of a side are in now."""
        mine, other = self._sides[number], self._sides[1 - number]
        for key, row in rows:
            own = mine.slots(row)
            for partner in other.index.partners(mine.values_of(row)):
                joined = _pair(number, own, other.slots(other.input.rows[partner]))
                item = (*joined[0], *joined[1])
                if self._fits is None or self._fits(item):
                    yield _pair(number, key, partner), item

    def _follow_lone(self, number: int, result: list[Change], touched: Iterable[_Pair]) -> None:
        """See which rows stand alone now, of those that changed or are in other pairs."""
        side = self._sides[number]
        if not side.keeps_lone:
            return
        changed = {change[0] for change in side.changes}
        for key in dict.fromkeys(chain(changed, (pair[number] for pair in touched))):
            row = side.lone(key)
            pair = _lone_pair(number, key)
            if key in changed or (row is None) is (pair in self.rows):
                self._put(result, pair, None if row is None else self._lone_row(number, row))

    def _put(self, result: list[Change], pair: _Pair, new: Item | None) -> None:
        """Write a row, None to remove it, and note what that changes."""
        old = self.rows.pop(pair, None) if new is None else self.rows.get(pair)
        if new is not None:
            self.rows[pair] = new
        if old is not new:
            result.append((pair, old, new))

    def _count(self, pair: _Pair, more: int) -> None:
        for side, key in zip(self._sides, pair, strict=True):
            side.count(key, more)

    def _lone_row(self, number: int, row: Item) -> Item:
        joined = _pair(number, self._sides[number].slots(row), self._sides[1 - number].missing)
        return (*joined[0], *joined[1])


def _pair(number: int, mine: Any, other: Any) -> tuple[Any, Any]:
    """Put what belongs to a side and to the other one in order."""
    return (other, mine) if number else (mine, other)


def _lone_pair(number: int, key: Key) -> _Pair:
    return _pair(number, key, None)
