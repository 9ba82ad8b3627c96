"""Which live queries a commit concerns, in the order in which they can be brought up to date.

A query can only be derived from one that was there before. So the order in which they were made is
topological. Which ones a set of sources leads to is worked out once. Those that ask one collection
for equality, as thousands may, are found by the values in the rows that change: one look-up for all
of them.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Set
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from streamdb.engine.executor import Change, Changes
from streamdb.engine.plan import Edge, Plan, Scan, Where, inputs
from streamdb.engine.result import Result
from streamdb.expr.nodes import ColumnNode, ConstantNode, Node, OperationNode
from streamdb.expr.sources import Source


class Equality(NamedTuple):
    """All that a query sees of its only source are rows whose column has a value.

    Attributes:
        source: what it asks; no live query.
        column: the name.
        get: reads the column of a row.
        value: hashable, not null.
    """

    source: Source
    column: str
    get: Callable[[Any], Any]
    value: Hashable


class Routes:
    """The live queries of a database, held weakly."""

    def __init__(self) -> None:
        self._results: Final[dict[int, weakref.ref[Result]]] = {}
        self._dropped: Final[deque[int]] = deque()
        self._next = 0
        self._known: Final[dict[tuple[Source, ...], list[int]]] = {}
        self._known_below: Final[dict[int, list[int]]] = {}
        self._numbers: Final[WeakKeyDictionary[Result, int]] = WeakKeyDictionary()
        self._parents: Final[set[int]] = set()
        self._equalities: Final[dict[int, Equality]] = {}
        self._by_column: Final[dict[Source, dict[str, _ByValue]]] = {}

    def __len__(self) -> int:
        return len(self._results) - len(self._dropped)

    def add(self, result: Result) -> None:
        """Take in a query that was just made."""
        number, self._next = self._next, self._next + 1
        drop = self._dropped.append
        self._results[number] = weakref.ref(result, lambda _: drop(number))
        self._forget_routes()
        self._numbers[result] = number
        self._parents.update(
            self._numbers[parent] for parent in result.parents if isinstance(parent, Result)
        )
        if (equality := equality_of(result.plan)) is not None:
            self._equalities[number] = equality
            columns = self._by_column.setdefault(equality.source, {})
            by_value = columns.setdefault(equality.column, _ByValue(equality.get))
            by_value.add(equality.value, number)

    def alive(self) -> Iterator[Result]:
        """Iterate over all queries in order."""
        for reference in list(self._results.values()):
            if (result := reference()) is not None:
                yield result

    def of(
        self, changes: Mapping[Source, Changes], anew: Set[Source]
    ) -> list[tuple[Result, Mapping[Source, Changes]]]:
        """Return the queries that a commit concerns, directly or not, in order.

        Args:
            changes: what happened to each source.
            anew: sources that were loaded anew.

        Returns:
            Each query, with what it sees of the changes to its sources: the mapping that was passed
            where that is all of them.
        """
        if self._dropped:
            self._tidy()
        touched = tuple(changes)
        if anew:
            numbers = self._search(touched, anew)
        elif (known := self._known.get(touched)) is not None:
            numbers = known
        else:
            numbers = self._known[touched] = self._search(touched, anew)
        results = self._results
        picked = self._picked(changes) if self._by_column else _NOTHING_PICKED
        if picked:
            if self._parents:
                numbers = sorted({*numbers, *picked}.union(*map(self._below, picked)))
            elif numbers or len(picked) > 1:
                numbers = sorted({*numbers, *picked})
            else:
                numbers = [*picked]
        found: list[tuple[Result, Mapping[Source, Changes]]] = []
        for number in numbers:  # a comprehension would be a call more, before Python 3.12
            if (result := results[number]()) is not None:
                found.append((result, picked.get(number, changes)))
        return found

    def _below(self, number: int) -> list[int]:
        """Return the queries that are derived from one that is found by a value."""
        if number not in self._parents:
            return []
        if (numbers := self._known_below.get(number)) is None:
            result = self._results[number]()
            touched = set[Source]() if result is None else {result}
            numbers = self._known_below[number] = self._search((), touched)
        return numbers

    def _search(self, changed: Iterable[Source], anew: Set[Source]) -> list[int]:
        """Return the queries that follow some sources, but for those that are found by a value."""
        numbers: list[int] = []
        touched, reached = frozenset(changed), set(anew)
        for number, reference in list(self._results.items()):
            result = reference()
            if result is None:
                continue
            is_touched = number not in self._equalities and not touched.isdisjoint(result.sources)
            if is_touched or not reached.isdisjoint(result.sources):
                reached.add(result)
                numbers.append(number)
        return numbers

    def _picked(self, changes: Mapping[Source, Changes]) -> dict[int, Mapping[Source, Changes]]:
        """Return the queries that are found by a value, and of the changes those that they see."""
        picked: dict[int, Mapping[Source, Changes]] = {}
        seen: dict[int, list[Change]] = {}
        for source, changed in changes.items():
            for by_value in self._by_column.get(source, _NO_COLUMNS).values():
                if len(changed) == len(changes) == 1:  # as in most commits
                    for number in by_value.concerned(changed[0]):
                        picked[number] = changes
                    continue
                for change in changed:
                    for number in by_value.concerned(change):
                        if number not in seen:
                            seen[number] = []
                            picked[number] = {source: seen[number]}
                        seen[number].append(change)
        return picked

    def _tidy(self) -> None:
        """Forget the queries that nobody holds any more."""
        while self._dropped:
            number = self._dropped.popleft()
            del self._results[number]
            self._parents.discard(number)
            self._forget_routes()
            if (equality := self._equalities.pop(number, None)) is not None:
                columns = self._by_column[equality.source]
                if not columns[equality.column].remove(equality.value, number):
                    del columns[equality.column]
                if not columns:
                    del self._by_column[equality.source]

    def _forget_routes(self) -> None:
        self._known.clear()
        self._known_below.clear()


class _ByValue:
    """The queries that ask for a value of one column."""

    def __init__(self, get: Callable[[Any], Any]) -> None:
        self._get: Final = get
        self._numbers: Final[dict[Hashable, dict[int, None]]] = {}

    def add(self, value: Hashable, number: int) -> None:
        self._numbers.setdefault(value, {})[number] = None

    def remove(self, value: Hashable, number: int) -> bool:
        """Take one out. Tell whether any are left."""
        del self._numbers[value][number]
        if not self._numbers[value]:
            del self._numbers[value]
        return bool(self._numbers)

    def concerned(self, change: Change) -> Iterable[int]:
        """Return those that see the row before it or after it."""
        old, new = change[1], change[2]
        get, numbers = self._get, self._numbers
        try:
            before = _NOBODY if old is None else numbers.get(get(old), _NOBODY)
            after = _NOBODY if new is None else numbers.get(get(new), _NOBODY)
        except TypeError:  # what has no hash may still be equal to something that has
            return {number for of_value in numbers.values() for number in of_value}
        if before is after or not after:
            return before
        return {**before, **after} if before else after


_NOBODY: Final[dict[int, None]] = {}
_NOTHING_PICKED: Final[dict[int, Mapping[Source, Changes]]] = {}
_NO_COLUMNS: Final[dict[str, _ByValue]] = {}


def equality_of(plan: Plan) -> Equality | None:
    """Return the equality that a plan asks of its only source first of all, if it does."""
    scans = [edge for edge in _edges(plan.root) if isinstance(edge.node, Scan)]
    if len(scans) != 1 or not scans[0].steps:
        return None
    node, first = scans[0].node, scans[0].steps[0]
    if not isinstance(node, Scan) or isinstance(node.source, Result):
        return None
    if not isinstance(first, Where) or first.shape.is_tuple:
        return None
    getter = first.shape.slots[0].getter
    for column, value in _equalities(first.condition):
        if getter is not None and value is not None and _has_hash(value):
            return Equality(node.source, column, getter(column), value)
    return None


def _edges(edge: Edge) -> Iterator[Edge]:
    yield edge
    for below in inputs(edge.node):
        yield from _edges(below)


def _equalities(condition: Node) -> Iterator[tuple[str, Any]]:
    """Yield the columns and values of which a condition asks that they are equal."""
    match condition:
        case OperationNode("&", operands):
            for operand in operands:
                yield from _equalities(operand)
        case OperationNode("==", (ColumnNode(column), ConstantNode(value))):
            yield column, value
        case OperationNode("==", (ConstantNode(value), ColumnNode(column))):
            yield column, value
        case _:
            return


def _has_hash(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
