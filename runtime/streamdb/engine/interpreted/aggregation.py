"""Between rows and accumulators: what a group is told of its rows, and what it says itself."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, NoReturn, Protocol, TypeAlias

from streamdb.engine.aggregates import Accumulator
from streamdb.engine.aggregates.ordered import Ordered
from streamdb.engine.executor import Item
from streamdb.engine.plan import Group
from streamdb.engine.row_forms import group_shape
from streamdb.engine.row_functions import NAIVE
from streamdb.engine.same import same, same_value
from streamdb.engine.sort_keys import MakeEntryOf, entry_of
from streamdb.errors import ExpressionError
from streamdb.expr.aggregates import AGGREGATES, keeps_nulls
from streamdb.expr.nodes import AggregateNode, ConstantNode, Node
from streamdb.expr.shape import Shape

#: What accumulators raise where values do not suit.
FAULTS: Final = (TypeError, ValueError, ArithmeticError)

#: Those of a group, one for each aggregate.
Accumulators: TypeAlias = Sequence[Accumulator]
#: Returns the place of a row for an aggregate: it is given the arrival, and then the row.
PlaceOf: TypeAlias = Callable[[Any, Item], Any]


#: From the keys of a group, its accumulators and its row before, None if there is none, to its row
#: now: the one before if that is the same.
Answer: TypeAlias = Callable[[tuple[Any, ...], Accumulators, Item | None], Item]


class Telling(Protocol):
    """Tells the accumulators of any group of its rows.

    A row comes with its arrival, its place in the order of arrival: None if no aggregate looks at
    that. All raise ExpressionError where values do not suit an aggregate, and what functions of
    users raise.
    """

    def enter(self, accumulators: Accumulators, row: Item, arrival: Any, /) -> None:
        """Tell that a row is there now."""
        ...

    def leave(self, accumulators: Accumulators, row: Item, arrival: Any, /) -> None:
        """Tell that a row is gone."""
        ...

    def replace(
        self, accumulators: Accumulators, old: Item, arrived: Any, new: Item, arrival: Any, /
    ) -> bool:
        """Tell that a row is in the place of another one; return whether an answer may differ.

        Most changes of rows leave most values as they are: of those, nobody is told.
        """
        ...


class AggregateFunctions(NamedTuple):
    """Makers of what is done with accumulators; all sets of them mean the same.

    Attributes:
        answer: makes what asks them.
        telling: makes what tells them; a load needs none.
    """

    answer: Callable[[Group], Answer]
    telling: Callable[[Group], Telling]


def naive_answer(node: Group) -> Answer:
    """Return the function that asks one accumulator after the other."""
    row_of = NAIVE.values_of(node.values, group_shape(node))

    def answer(keys: tuple[Any, ...], accumulators: Accumulators, before: Item | None) -> Item:
        answers = list[Any]()
        try:
            for asked in accumulators:
                answers.append(asked.result())
        except FAULTS as error:
            hand_on(node.aggregates[len(answers)], error)
        row = (*keys, *row_of((*keys, *answers)))
        return before if same(before, row) else row

    return answer


class NaiveTelling:
    """Looks at one aggregate after the other."""

    def __init__(self, node: Group) -> None:
        shape = node.input.shape
        self._nodes: Final = node.aggregates
        self._values_of: Final = NAIVE.values_of(list(map(operand, node.aggregates)), shape)
        self._places_of: Final = [place_of(one, shape) for one in node.aggregates]
        self._keep_nulls: Final = list(map(keeps_nulls, node.aggregates))

    def enter(self, accumulators: Accumulators, row: Item, arrival: Any) -> None:
        """See ``Telling``."""
        for number, (value, place) in enumerate(self._parts(row, arrival)):
            if value is not None or self._keep_nulls[number]:
                with self._said(number):
                    accumulators[number].add(value, place)

    def leave(self, accumulators: Accumulators, row: Item, arrival: Any) -> None:
        """See ``Telling``."""
        for number, (value, place) in enumerate(self._parts(row, arrival)):
            if value is not None or self._keep_nulls[number]:
                with self._said(number):
                    accumulators[number].remove(value, place)

    def replace(
        self, accumulators: Accumulators, old: Item, arrived: Any, new: Item, arrival: Any
    ) -> bool:
        """See ``Telling``."""
        differs = False
        parts = zip(self._parts(old, arrived), self._parts(new, arrival), strict=True)
        for number, (before, after) in enumerate(parts):
            with self._said(number):
                keeps = self._keep_nulls[number]
                if _replaced(accumulators[number], before, after, keeps_nulls=keeps):
                    differs = True
        return differs

    def _parts(self, row: Item, arrival: Any) -> Iterator[tuple[Any, Any]]:
        """Return what a row is to each aggregate: a value, and its place among the others."""
        places = [None if place is None else place(arrival, row) for place in self._places_of]
        return zip(self._values_of(row), places, strict=True)

    @contextmanager
    def _said(self, number: int) -> Generator[None]:
        """Say of which aggregate it is that values do not suit."""
        try:
            yield
        except FAULTS as error:
            hand_on(self._nodes[number], error)


def _replaced(
    asked: Accumulator,
    before: tuple[Any, Any],
    after: tuple[Any, Any],
    *,
    keeps_nulls: bool,
) -> bool:
    """Tell one aggregate what differs; return whether anything does."""
    (old, old_place), (new, place) = before, after
    counted = old is not None or keeps_nulls
    counts = new is not None or keeps_nulls
    if same_value(old, new) and (
        not counts or old_place == place or _stays(asked, old_place, place)
    ):
        return False
    if counted and counts:
        asked.replace(old, old_place, new, place)
    elif counted:
        asked.remove(old, old_place)
    else:
        asked.add(new, place)
    return True


def _stays(asked: Accumulator, before: Any, now: Any) -> bool:
    """Tell whether a value that is as before stands between the same ones at its place now."""
    return isinstance(asked, Ordered) and asked.stays(before, now)


def operand(node: AggregateNode) -> Node:
    """Return what is asked of each row; something that is never null where it is the row itself."""
    return ConstantNode(1) if node.operand is None else node.operand


def place_of(node: AggregateNode, shape: Shape, make: MakeEntryOf = entry_of) -> PlaceOf | None:
    """Return the function that gives places; None if the aggregate does not look at the order."""
    if not AGGREGATES[node.aggregate].is_ordered:
        return None
    return make(node.by, shape, True) if node.by else _arrival


def _arrival(arrival: Any, row: Item) -> Any:
    return arrival


def hand_on(node: AggregateNode, error: Exception) -> NoReturn:
    """Say which aggregate values do not suit; what functions of users raise stays as it is."""
    if isinstance(error, ExpressionError) or AGGREGATES[node.aggregate].calls_users:
        raise error
    raise ExpressionError(f"`{node}` cannot be evaluated: {error}") from error


#: Go through all aggregates.
NAIVE_AGGREGATES: Final = AggregateFunctions(naive_answer, NaiveTelling)
