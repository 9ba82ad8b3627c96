"""Which rows of one side of an outer join stand alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, Protocol

from streamdb.engine.executor import Key
from streamdb.engine.interpreted.join_side import Pair, Side


class LoneRows(Protocol):
    """Tells which rows of one side are in no pair."""

    def load(self, alone: Iterable[Key], pairs: Iterable[Pair]) -> Iterable[Key]:
        """Return the keys of those that are alone at first.

        Args:
            alone: those of which no row of the other side has the value.
            pairs: all that there are.
        """
        ...

    def step(
        self, alone: Iterable[Key], gone: Collection[Pair], come: Collection[Pair]
    ) -> Mapping[Key, bool]:
        """Tell of all rows that the step may concern whether each is there and alone.

        Args:
            alone: those of the changed rows of which no row of the other side has the value.
            gone: the pairs that there are no more.
            come: those that there were not.
        """
        ...


class LoneByValue:
    """Looks whether any row of the other side has the same value: then they are a pair.

    Keeps nothing. That is all if there is no condition beside the equal values.
    """

    def __init__(self, side: Side, other: Side) -> None:
        self._side: Final = side
        self._other: Final = other

    def load(self, alone: Iterable[Key], pairs: Iterable[Pair]) -> Iterable[Key]:
        """Return those of whose value there is no other."""
        return alone

    def step(
        self, alone: Iterable[Key], gone: Collection[Pair], come: Collection[Pair]
    ) -> Mapping[Key, bool]:
        """Look at the rows that changed, and at those of values that came or went elsewhere."""
        side, partners = self._side, self._other.index.partners
        told = {key: False for key, *_ in side.shifts}
        rows = side.input.rows
        for key in alone:
            told[key] = key in rows
        for key, value in side.still.items():
            told[key] = value is None or not partners(value)
        for _, old, new, _ in self._other.shifts:
            for value in (old, new):
                if value is not None:
                    told.update(dict.fromkeys(side.index.partners(value), not partners(value)))
        return told


class LoneByCount:
    """Counts the pairs of each row."""

    def __init__(self, side: Side) -> None:
        self._side: Final = side
        self._counts: Final[dict[Key, int]] = {}

    def load(self, alone: Iterable[Key], pairs: Iterable[Pair]) -> Iterable[Key]:
        """Count all pairs."""
        self._count(pairs, 1)
        return [key for key in self._side.input.rows if key not in self._counts]

    def step(
        self, alone: Iterable[Key], gone: Collection[Pair], come: Collection[Pair]
    ) -> Mapping[Key, bool]:
        """Count the pairs that came and went."""
        self._count(gone, -1)
        self._count(come, 1)
        side = self._side
        keys = {key for key, *_ in side.moves}
        keys.update(side.still, (pair[side.number] for pair in (*gone, *come)))
        rows, counts = side.input.rows, self._counts
        return {key: key in rows and key not in counts for key in keys}

    def _count(self, pairs: Iterable[Pair], more: int) -> None:
        """Note that rows are in so many more of these pairs each."""
        number, counts = self._side.number, self._counts
        for pair in pairs:
            key = pair[number]
            count = counts.pop(key, 0) + more
            if count:
                counts[key] = count
