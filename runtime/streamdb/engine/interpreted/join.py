"""Pairs of rows whose values are equal, and rows that are in no pair.

A step looks at the changed rows of both sides: in which pairs they were, by the indexes as they
were, and in which they are now. So it costs what the changed rows have of partners, and it does
not matter whether one side changed or both, as where one source is on both sides. A row that is
joined by the same value as before, as most that are updated, is in the pairs that it was in.

What is kept is what the steps behind the join make of each pair, and nothing of the pair itself.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from itertools import repeat
from operator import is_
from typing import Any, Final, cast

from streamdb.engine.executor import Change, Changes, Item, Key
from streamdb.engine.interpreted.join_indexes import KeyIndex, keyed_side, partners_of
from streamdb.engine.interpreted.join_side import Pair, Side
from streamdb.engine.interpreted.lone_rows import LoneByCount, LoneByValue, LoneRows
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.interpreted.pairs import Making
from streamdb.engine.plan import Join
from streamdb.engine.row_functions import RowFunctions
from streamdb.engine.same import same
from streamdb.expr.sources import Source


class JoinOperator:
    """Keeps the rows by the pairs of both keys.

    Where a pair of values compares with the key of the other side, and that is a source, filtered
    perhaps, the source itself is the index of that side.
    """

    def __init__(
        self, node: Join, left: Operator, right: Operator, functions: RowFunctions, making: Making
    ) -> None:
        self.rows: Final[dict[Any, Item]] = {}
        ours, theirs = ([pair[number] for pair in node.pairs] for number in (0, 1))
        self._left: Final = Side(
            0,
            left,
            node.left,
            ours,
            functions,
            making.follow[0],
            keeps_lone=node.how in ("left", "full"),
        )
        self._right: Final = Side(
            1,
            right,
            node.right,
            theirs,
            functions,
            making.follow[1],
            keeps_lone=node.how in ("right", "full"),
        )
        both = (self._left, self._right)
        self._both_ways: Final = (both, both[::-1])
        self._lone: Final[list[tuple[Side, Side, LoneRows]]] = [
            (
                side,
                other,
                LoneByValue(side, other) if node.residual is None else LoneByCount(side),
            )
            for side, other in self._both_ways
            if side.keeps_lone
        ]
        self._load_pairs: Final = making.load
        self._send: Final = making.send
        self._may_drop: Final = making.may_drop
        self._is_same: Final[Callable[[Any, Any], bool]] = same if making.shape.is_tuple else is_
        if keyed := keyed_side(node):
            side = both[keyed.side]
            side.index = KeyIndex(side.input, side.value_of, keyed.source, keyed.number)

    def load(self) -> None:
        """Pair all rows."""
        left, right = self._left, self._right
        values, theirs = left.load(), right.load()
        rows, others = left.input.rows, right.input.rows
        moves = zip(rows, repeat(None, len(rows)), values, rows.values(), strict=True)
        by_value = (
            self._load_pairs(moves, partners_of(right.index, values), others, self.rows),
            (
                key
                for key, value in zip(others, theirs, strict=True)
                if value is None or not left.index.partners(value)
            ),
        )
        alone = [
            (side, other, lone.load(by_value[side.number], self.rows))
            for side, other, lone in self._lone
        ]
        for side, other, keys in alone:
            for key in keys:
                pair = side.pair(key, None)
                row = self._lone_row(side, other, pair)
                if row is not None:
                    self.rows[pair] = row

    def step(self, changes: Mapping[Source, Changes]) -> Changes:
        """Pair the changed rows anew."""
        left, right = self._left, self._right
        left.step(changes)
        right.step(changes)
        shifted = self._may_drop or left.shifts or right.shifts
        before = self._shift() if shifted else dict[Pair, None]()
        result = list[Change]()
        alone = self._pair(before, result)
        come = [pair for pair, old, _ in result if old is None] if self._lone else ()
        if before:
            result += [(pair, self.rows.pop(pair), None) for pair in before]
        if left.still or right.still:
            self._follow_still(result)
        for side, other, lone in self._lone:
            if told := lone.step(alone[side.number], before, come):
                self._follow_lone(side, other, told, result)
        return result

    def arrival(self, key: Key) -> Any:
        """Return the places of both rows; that of a missing one comes before all others."""
        return tuple(
            (-1,) if one is None else (0, side.input.arrival(one))
            for (side, _), one in zip(self._both_ways, cast("Pair", key), strict=True)
        )

    def moved(self, key: Key) -> bool:
        """Tell whether one of both rows was."""
        left, right = cast("Pair", key)
        return (left is not None and self._left.input.moved(left)) or (
            right is not None and self._right.input.moved(right)
        )

    def _shift(self) -> dict[Pair, None]:
        """Bring both indexes up to date, and return the pairs that may be none any more."""
        before: dict[Pair, None] = {}
        for mine, other in self._both_ways:
            if mine.moves:
                self._find_pairs(mine, other, before)
        for side, _ in self._both_ways:
            if side.shifts:
                side.follow()
        return before

    def _pair(self, before: dict[Pair, None], result: list[Change]) -> Sequence[Sequence[Key]]:
        """Make the pairs that changed rows are in; those that are there go out of ``before``.

        Returns:
            Of each side the changed rows that are in no pair.
        """
        alone: list[Sequence[Key]] = [(), ()]
        done: Container[Key] = ()
        for mine, other in self._both_ways:
            if mine.moves:
                alone[mine.number] = mine.follow_pairs(
                    mine.moves,
                    other.index.partners,
                    other.input.rows,
                    done,
                    self.rows,
                    before,
                    self.moved,
                    result,
                )
                if self._right.moves:  # of pairs of rows that are in both
                    done = {key for key, *_ in mine.moves}
        return alone

    def _find_pairs(self, mine: Side, other: Side, found: dict[Pair, None]) -> None:
        """Note the pairs that rows were in which may be in others now; the indexes are as before.

        Of a row that is joined by the same value, they are the same, unless pairs are dropped.
        """
        rows, candidates, pair_of = self.rows, other.index.candidates, mine.pair
        for key, old, _, _ in mine.moves if self._may_drop else mine.shifts:
            if old is not None:
                for partner in candidates(old):
                    pair = pair_of(key, partner)
                    if pair in rows:
                        found[pair] = None

    def _follow_still(self, result: list[Change]) -> None:
        """Note those that are there, of rows that are as they were and have moved."""
        rows, told = self.rows, {pair for pair, *_ in result}
        for side, other in self._both_ways:
            for key, value in side.still.items():
                for partner in () if value is None else other.index.partners(value):
                    pair = side.pair(key, partner)
                    if pair in rows and pair not in told:
                        told.add(pair)
                        result.append((pair, rows[pair], rows[pair]))

    def _follow_lone(
        self, side: Side, other: Side, alone: Mapping[Key, bool], result: list[Change]
    ) -> None:
        """Bring rows that stand alone up to date, as told by whether they do."""
        rows, changed = self.rows, {key for key, *_ in side.moves}
        for key, is_alone in alone.items():
            pair = side.pair(key, None)
            old = rows.get(pair)
            if is_alone and old is not None and key not in changed:
                new = old
            else:
                new = self._lone_row(side, other, pair) if is_alone else None
            if new is None:
                if old is not None:
                    del rows[pair]
                    result.append((pair, old, None))
            elif old is None or not self._is_same(old, new):
                rows[pair] = new
                result.append((pair, old, new))
            elif self.moved(pair):
                result.append((pair, old, old))

    def _lone_row(self, side: Side, other: Side, pair: Pair) -> Item | None:
        """Return what becomes of a row without a partner."""
        item = side.item(side.input.rows[pair[side.number]], other, None)
        return self._send(pair, item)
