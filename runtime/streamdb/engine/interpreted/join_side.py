"""One side of a join."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

from streamdb.engine.executor import Change, Changes, Item, Key
from streamdb.engine.indexes.hash_index import HashIndex
from streamdb.engine.interpreted.join_indexes import Index, column_joined_by, joined_by
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.plan import Edge
from streamdb.engine.row_functions import RowFunctions
from streamdb.expr.nodes import Node
from streamdb.expr.sources import Source

#: The keys of both sides, that of the left one first.
Pair: TypeAlias = tuple[Key, Key]
#: A key, what its row was joined by, what it is joined by, and the row as it is. What it is joined
#: by is None if it equals nothing, or is not there.
Move: TypeAlias = tuple[Key, Any, Any, Item]


class LoadPairs(Protocol):
    """Makes the rows of a join from the rows of one side and their partners."""

    def __call__(
        self,
        moves: Iterable[Move],
        partners: Callable[[Any], Iterable[Key]],
        others: Mapping[Key, Item],
        rows: dict[Pair, Item],
        /,
    ) -> list[Key]:
        """Put what becomes of each pair into an empty dictionary, if anything is left of it.

        Args:
            moves: the rows.
            partners: finds rows of the other side by what they are joined by.
            others: the rows of the other side.
            rows: where to put it.

        Returns:
            The keys of those that have no partner.
        """
        ...


class FollowPairs(Protocol):
    """Brings rows of a join up to date, of which those of one side have changed."""

    def __call__(
        self,
        moves: Iterable[Move],
        partners: Callable[[Any], Iterable[Key]],
        others: Mapping[Key, Item],
        done: Container[Key],
        rows: dict[Pair, Item],
        before: dict[Pair, None],
        has_moved: Callable[[Pair], bool],
        changes: list[Change],
        /,
    ) -> list[Key]:
        """Make what becomes of each pair, and note what has changed.

        Args:
            moves: the rows that have changed.
            partners: finds rows of the other side by what they are joined by.
            others: the rows of the other side.
            done: those of them whose pairs are up to date.
            rows: of the join, so far.
            before: pairs that may have gone; those that are there are taken out.
            has_moved: tells whether a pair has moved in the order of arrival.
            changes: where to note them.

        Returns:
            The keys of those that have no partner, be it that there is no row.
        """
        ...


class Side:
    """One side: its rows, the index that finds them, and what the current step does to them.

    Attributes:
        number: 0 is left, 1 is right.
        keeps_lone: whether rows that are in no pair are rows of the join.
        moves: the rows that the current step changes.
        shifts: those of them that are joined by another value than before.
        still: of the rows that are as they were and have moved in the order of arrival: what they
            are joined by.
    """

    def __init__(
        self,
        number: int,
        input: Operator,
        edge: Edge,
        nodes: Sequence[Node],
        functions: RowFunctions,
        follow_pairs: FollowPairs,
        *,
        keeps_lone: bool,
    ) -> None:
        self.number: Final = number
        self.input: Final = input
        self.is_tuple: Final = edge.shape.is_tuple
        self.missing: Final = (None,) * len(edge.shape.slots)
        self.keeps_lone: Final = keeps_lone
        self.follow_pairs: Final = follow_pairs
        self.value_of: Final = joined_by(functions, nodes, edge.shape)
        self._column_of: Final = column_joined_by(functions, nodes, edge.shape)
        self.index: Index = HashIndex(nodes)
        self.moves: Sequence[Move] = ()
        self.shifts: Sequence[Move] = ()
        self.still: dict[Key, Any] = {}

    def load(self) -> Sequence[Any]:
        """Load the input, and return what each of its rows is joined by."""
        self.input.load()
        rows = self.input.rows
        values = self._column_of(list(rows.values()))
        self.index.load(rows, values)
        return values

    def step(self, changes: Mapping[Source, Changes]) -> None:
        """Step the input, and note what moves; the index stays as it is."""
        changed = self.input.step(changes)
        self.moves = self.shifts = ()
        self.still = {}
        if not changed:
            return
        value_of = self.value_of
        self.moves = moves = list[Move]()
        self.shifts = shifts = list[Move]()
        for key, row, new_row in changed:
            if row is new_row:  # it has moved; what is made anew is another one, be it equal
                self.still[key] = value_of(new_row)
                continue
            old = None if row is None else value_of(row)
            new = None if new_row is None else value_of(new_row)
            move = (key, old, new, new_row)
            moves.append(move)
            if old is not new and old != new:
                shifts.append(move)

    def follow(self) -> None:
        """Bring the index up to date."""
        move = self.index.move
        for key, old, new, _ in self.shifts:
            move(key, old, new)

    def pair(self, key: Key, partner: Key) -> Pair:
        """Return the key of a row of this side and of one of the other side."""
        return (partner, key) if self.number else (key, partner)

    def item(self, row: Item, other: Side, partner: Item) -> Item:
        """Return the row of a join that has the slots of both; a partner of None is missing."""
        own = row if self.is_tuple else (row,)
        theirs = other.missing if partner is None else partner if other.is_tuple else (partner,)
        return (*theirs, *own) if self.number else (*own, *theirs)
