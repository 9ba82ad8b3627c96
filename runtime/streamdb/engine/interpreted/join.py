"""Pairs of rows whose values are equal, and rows that are in no pair.

A step looks at the changed rows of both sides: in which pairs they were, by the indexes as they
were, and in which they are now. So it costs what the changed rows have of partners, and it does
not matter whether one side changed or both, as where one source is on both sides. Whether a row of
an outer join stands alone follows from the number of its pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from streamdb.engine.plan import Edge, Join
from streamdb.engine.row_functions import RowFunctions
from streamdb.expr.nodes import Node
from streamdb.expr.sources import Source

_Pair: TypeAlias = tuple[Key, Key]


class _Side:
    """One side: its rows, the index that finds them, and how many pairs each is in.

    Attributes:
        number: 0 is left, 1 is right.
        keeps_lone: whether rows that are in no pair are rows of the join.
        moves: of each row that the current step changes its key, what it was and is joined by, and
            the row as it is. What it is joined by is None if it equals nothing, or is not there.
    """

    def __init__(
        self,
        number: int,
        input: Operator,
        edge: Edge,
        nodes: Sequence[Node],
        functions: RowFunctions,
        *,
        keeps_lone: bool,
    ) -> None:
        self.number: Final = number
        self.input: Final = input
        self.is_tuple: Final = edge.shape.is_tuple
        self.missing: Final = (None,) * len(edge.shape.slots)
        self.keeps_lone: Final = keeps_lone
        self.value_of: Final = joined_by(functions, nodes, edge.shape)
        self.index: Index = HashIndex(nodes)
        self.pair_counts: Final[dict[Key, int]] = {}
        self.moves: Sequence[tuple[Key, Any, Any, Item]] = ()

    def load(self) -> Sequence[Any]:
        """Load the input, and return what each of its rows is joined by."""
        self.input.load()
        rows = self.input.rows
        values = list(map(self.value_of, rows.values()))
        self.index.load(rows, values)
        return values

    def step(self, changes: Mapping[Source, Changes]) -> None:
        """Step the input, and note what moves; the index stays as it is."""
        value_of, changed = self.value_of, self.input.step(changes)
        self.moves = changed and [
            (
                key,
                None if old is None else value_of(old),
                None if new is None else value_of(new),
                new,
            )
            for key, old, new in changed
        ]

    def follow(self) -> None:
        """Bring the index up to date."""
        move = self.index.move
        for key, old, new, _ in self.moves:
            move(key, old, new)

    def count(self, pairs: Iterable[_Pair], more: int) -> None:
        """Note that rows are in so many more of these pairs each."""
        number, counts = self.number, self.pair_counts
        for pair in pairs:
            key = pair[number]
            count = counts.pop(key, 0) + more
            if count:
                counts[key] = count


class JoinOperator:
    """Keeps the rows by the pairs of both keys.

    Where a pair of values compares with the key of the other side, and that is a source, filtered
    perhaps, the source itself is the index of that side.
    """

    def __init__(
        self, node: Join, left: Operator, right: Operator, functions: RowFunctions
    ) -> None:
        self.rows: Final[dict[Any, Item]] = {}
        ours, theirs = ([pair[number] for pair in node.pairs] for number in (0, 1))
        keeps_left, keeps_right = node.how in ("left", "full"), node.how in ("right", "full")
        self._left: Final = _Side(0, left, node.left, ours, functions, keeps_lone=keeps_left)
        self._right: Final = _Side(1, right, node.right, theirs, functions, keeps_lone=keeps_right)
        self._sides: Final = (self._left, self._right)
        self._fits: Final = (
            None if node.residual is None else functions.is_true_of(node.residual, node.shape)
        )
        if keyed := keyed_side(node):
            side = self._sides[keyed.side]
            side.index = KeyIndex(side.input, side.value_of, keyed.source, keyed.number)

    def load(self) -> None:
        """Pair all rows."""
        left, right = self._sides
        values, rows = left.load(), left.input.rows
        right.load()
        self._pair(left, right, zip(rows, values, rows.values(), strict=True), self.rows)
        for side in self._sides:
            if side.keeps_lone:
                side.count(self.rows, 1)
        for side in self._sides:
            if side.keeps_lone:
                for key, row in side.input.rows.items():
                    if key not in side.pair_counts:
                        self.rows[_lone_pair(side, key)] = self._lone_row(side, row)

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Pair the changed rows anew."""
        left, right = self._sides
        left.step(changes)
        right.step(changes)
        moving = [(s, other) for s, other in ((left, right), (right, left)) if s.moves]
        before: dict[_Pair, None] = {}
        for mine, other in moving:
            self._find_pairs(mine, other, before)
        for mine, _ in moving:
            mine.follow()
        now: dict[_Pair, Item] = {}
        for mine, other in moving:
            self._pair(mine, other, [(key, new, row) for key, _, new, row in mine.moves], now)
        rows = self.rows
        gone = [pair for pair in before if pair not in now] if before else []
        result: list[Change] = [(pair, rows.pop(pair), None) for pair in gone]
        result += [(pair, rows.get(pair), row) for pair, row in now.items()]
        rows.update(now)
        for side in self._sides:
            if side.keeps_lone:
                come = [pair for pair in now if pair not in before]
                self._follow_lone(side, gone, come, result)
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

    def _find_pairs(self, mine: _Side, other: _Side, found: dict[_Pair, None]) -> None:
        """Note the pairs that rows of a side were in that move; the indexes are as before."""
        rows, candidates, is_left = self.rows, other.index.candidates, mine is self._left
        for key, old, _, _ in mine.moves:
            if old is not None:
                for partner in candidates(old):
                    pair = (key, partner) if is_left else (partner, key)
                    if pair in rows:
                        found[pair] = None

    def _pair(
        self,
        mine: _Side,
        other: _Side,
        rows: Iterable[tuple[Key, Any, Item]],
        pairs: dict[_Pair, Item],
    ) -> None:
        """Note the pairs that rows of a side are in now, each given with what it is joined by."""
        fits, partners, other_rows = self._fits, other.index.partners, other.input.rows
        is_left = mine is self._left
        for key, value, row in rows:
            if value is not None:
                own = row if mine.is_tuple else (row,)
                for partner in partners(value):
                    found = other_rows[partner]
                    theirs = found if other.is_tuple else (found,)
                    item = (*own, *theirs) if is_left else (*theirs, *own)
                    if fits is None or fits(item):
                        pairs[(key, partner) if is_left else (partner, key)] = item

    def _follow_lone(
        self, side: _Side, gone: Sequence[_Pair], come: Sequence[_Pair], result: list[Change]
    ) -> None:
        """See which rows stand alone now, of those that changed or are in other pairs."""
        side.count(gone, -1)
        side.count(come, 1)
        changed = {key for key, *_ in side.moves}
        for key in changed.union(pair[side.number] for pair in (*gone, *come)):
            row = None if key in side.pair_counts else side.input.rows.get(key)
            pair = _lone_pair(side, key)
            old = self.rows.get(pair)
            if row is not None and (old is None or key in changed):
                new = self.rows[pair] = self._lone_row(side, row)
                result.append((pair, old, new))
            elif row is None and old is not None:
                del self.rows[pair]
                result.append((pair, old, None))

    def _lone_row(self, side: _Side, row: Item) -> Item:
        own = row if side.is_tuple else (row,)
        if side is self._left:
            return (*own, *self._right.missing)
        return (*self._left.missing, *own)


def _lone_pair(side: _Side, key: Key) -> _Pair:
    return (None, key) if side.number else (key, None)
