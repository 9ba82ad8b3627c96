"""Aggregates that follow their group: a value comes or goes, and the answer is there.

One module a family: ``counting``, ``sums``, ``extremes``, ``ordered`` for those that look at the
order, and ``users``. What an answer must be is said by ``expr.aggregates``, a function of all
values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol

from streamdb.engine.aggregates.counting import All, AnyOf, Count, CountDistinct
from streamdb.engine.aggregates.extremes import Greatest, Least, Median
from streamdb.engine.aggregates.ordered import Collect, First, Fold, Last, Reduce, StringAgg
from streamdb.engine.aggregates.sums import Average, Sum
from streamdb.engine.aggregates.users import Accumulate
from streamdb.expr.nodes import AggregateNode


class Accumulator(Protocol):
    """One aggregate of one group.

    A value comes with its place, something that compares and that no other value of the group has;
    those that do not look at the order take anything. Methods raise ``TypeError``, ``ValueError``
    or ``ArithmeticError`` where values do not suit, and what was asked is of no use then.
    """

    def add(self, value: Any, place: Any, /) -> None:
        """Take in a value."""
        ...

    def extend(self, values: Sequence[Any], places: Sequence[Any], /) -> None:
        """Take in many values, each with its place, as a load does."""
        ...

    def remove(self, value: Any, place: Any, /) -> None:
        """Take out a value that was added with that place."""
        ...

    def replace(self, old: Any, old_place: Any, new: Any, place: Any, /) -> None:
        """Take out a value and take in another one, as by ``remove`` and ``add``."""
        ...

    def result(self) -> Any:
        """Return the answer; the same object as before, where it is none of a plain type."""
        ...


_CLASSES: Final[Mapping[str, Callable[..., Accumulator]]] = {
    "count": Count,
    "count_distinct": CountDistinct,
    "sum": Sum,
    "avg": Average,
    "min": Least,
    "max": Greatest,
    "median": Median,
    "any": AnyOf,
    "all": All,
    "collect": Collect,
    "string_agg": StringAgg,
    "first": First,
    "last": Last,
    "fold": Fold,
    "reduce": Reduce,
    "accumulate": Accumulate,
}


def accumulators_of(node: AggregateNode) -> Callable[[], Accumulator]:
    """Return what makes the accumulator of an aggregate for a group that has no values yet."""
    options: tuple[Any, ...] = node.options  # of whatever types the class takes
    return partial(_CLASSES[node.aggregate], *options)
