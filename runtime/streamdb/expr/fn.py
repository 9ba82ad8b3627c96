"""Aggregates: what is asked of all rows of a group, or of a whole query.

They stand in what ``agg`` is given, alone or within expressions: ``fn.sum(m.cost) / fn.count()``.
As in SQL, nulls do not count, and of no values at all the answer is null, save that of counts, and
of what functions of one's own say: ``fold`` gives its start, ``reduce`` what the function makes of
no values, ``accumulate`` what a new reducer says. Of whole rows, as in ``fn.collect(m)``, those
that are missing after an outer join do not count.

Of a group, which has at least one row, the types are exact: what is never null gives no null. An
aggregate of all rows, without ``group_by``, is null if there are none, whatever its type says:
``fn.min(m.cost).if_null(0.0)``.

Those that look at the order see the rows by arrival, or ``by=`` what ``order_by`` takes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, Protocol, TypeAlias, TypeVar, cast, overload

from streamdb.errors import ExpressionError
from streamdb.expr.columns import Columns
from streamdb.expr.expression import Expr, is_expression
from streamdb.expr.nodes import AggregateNode, Node, OrderTerm, SlotNode
from streamdb.expr.ordering import Ordered, Ordering
from streamdb.expr.surface.operand import Anything

Row = TypeVar("Row")
Value = TypeVar("Value")
N = TypeVar("N")
State = TypeVar("State")
Comparable = TypeVar("Comparable", bound=Ordered)
Taken = TypeVar("Taken", contravariant=True)
Given = TypeVar("Given", covariant=True)

#: What the values of an aggregate are ordered by.
Term: TypeAlias = Expr[Ordered, Any] | Ordering
By: TypeAlias = Term | tuple[Term, ...]
#: Whole rows, or an expression.
Rows: TypeAlias = Columns[Any] | Expr[Any, Any]


#: The aggregates that may be asked of whole rows.
_OF_ROWS: Final = frozenset(("count", "collect", "first", "last", "fold", "reduce", "accumulate"))


class Reducer(Protocol[Taken, Given]):
    """What ``fn.accumulate`` makes for each group; the order of values does not matter to it."""

    def add(self, value: Taken, /) -> None:
        """Take in a value."""
        ...

    def remove(self, value: Taken, /) -> None:
        """Take out a value that was added before."""
        ...

    def result(self) -> Given:
        """Return what is true of the values that are in."""
        ...


def count(of: Rows | None = None, /) -> Expr[int, int]:
    """Count the rows, or those of which an expression has a value."""
    return _count("count", of)


def count_distinct(of: Expr[Any, Any], /) -> Expr[int, int]:
    """Count the different values."""
    return _count("count_distinct", of)


@overload
def sum(of: Expr[Anything, Any], /) -> Expr[Any, Any]: ...
@overload
def sum(of: Expr[int, int], /) -> Expr[int, int]: ...
@overload
def sum(of: Expr[int, Any], /) -> Expr[int, int | None]: ...
@overload
def sum(of: Expr[float, float], /) -> Expr[float, float]: ...
@overload
def sum(of: Expr[float, Any], /) -> Expr[float, float | None]: ...
@overload
def sum(of: Expr[Decimal, Decimal], /) -> Expr[Decimal, Decimal]: ...
@overload
def sum(of: Expr[Decimal, Any], /) -> Expr[Decimal, Decimal | None]: ...
@overload
def sum(of: Expr[dt.timedelta, dt.timedelta], /) -> Expr[dt.timedelta, dt.timedelta]: ...
@overload
def sum(of: Expr[dt.timedelta, Any], /) -> Expr[dt.timedelta, dt.timedelta | None]: ...
def sum(of: Expr[Any, Any], /) -> Expr[Any, Any]:
    """Add up numbers or durations: exactly, and rounded once."""
    return _aggregate("sum", of)


@overload
def avg(of: Expr[Anything, Any], /) -> Expr[Any, Any]: ...
@overload
def avg(of: Expr[float, float], /) -> Expr[float, float]: ...
@overload
def avg(of: Expr[float, Any], /) -> Expr[float, float | None]: ...
@overload
def avg(of: Expr[Decimal, Decimal], /) -> Expr[Decimal, Decimal]: ...
@overload
def avg(of: Expr[Decimal, Any], /) -> Expr[Decimal, Decimal | None]: ...
@overload
def avg(of: Expr[dt.timedelta, dt.timedelta], /) -> Expr[dt.timedelta, dt.timedelta]: ...
@overload
def avg(of: Expr[dt.timedelta, Any], /) -> Expr[dt.timedelta, dt.timedelta | None]: ...
def avg(of: Expr[Any, Any], /) -> Expr[Any, Any]:
    """Return the mean of numbers or durations."""
    return _aggregate("avg", of)


@overload
def median(of: Expr[Anything, Any], /) -> Expr[Any, Any]: ...
@overload
def median(of: Expr[float, float], /) -> Expr[float, float]: ...
@overload
def median(of: Expr[float, Any], /) -> Expr[float, float | None]: ...
@overload
def median(of: Expr[Decimal, Decimal], /) -> Expr[Decimal, Decimal]: ...
@overload
def median(of: Expr[Decimal, Any], /) -> Expr[Decimal, Decimal | None]: ...
@overload
def median(of: Expr[dt.datetime, N], /) -> Expr[dt.datetime, N]: ...
@overload
def median(of: Expr[dt.timedelta, N], /) -> Expr[dt.timedelta, N]: ...
def median(of: Expr[Any, Any], /) -> Expr[Any, Any]:
    """Return the value in the middle, of an even number of values what is between the two."""
    return _aggregate("median", of)


def min(of: Expr[Comparable, N], /) -> Expr[Comparable, N]:
    """Return the least value: of numbers, text, or dates. NaN is greater than all numbers."""
    return _aggregate("min", of)


def max(of: Expr[Comparable, N], /) -> Expr[Comparable, N]:
    """Return the greatest value."""
    return _aggregate("max", of)


def any(of: Expr[bool, N], /) -> Expr[bool, N]:
    """Tell whether a condition is true of a row, of those of which it is not unknown."""
    return _aggregate("any", of)


def all(of: Expr[bool, N], /) -> Expr[bool, N]:
    """Tell whether a condition is true of all rows of which it is not unknown."""
    return _aggregate("all", of)


@overload
def collect(of: Columns[Row], /, *, by: By = ()) -> Expr[Sequence[Row], Sequence[Row]]: ...
@overload
def collect(of: Expr[Any, N], /, *, by: By = ()) -> Expr[Sequence[N], Sequence[N]]: ...
def collect(of: Rows, /, *, by: By = ()) -> Expr[Any, Any]:
    """Return the rows, or the values of an expression with its nulls, as an immutable sequence."""
    return _aggregate("collect", of, by)


@overload
def string_agg(of: Expr[str, str], separator: str = "", /, *, by: By = ()) -> Expr[str, str]: ...
@overload
def string_agg(
    of: Expr[str, Any], separator: str = "", /, *, by: By = ()
) -> Expr[str, str | None]: ...
def string_agg(of: Expr[str, Any], separator: str = "", /, *, by: By = ()) -> Expr[Any, Any]:
    """Put texts together, with a separator between them.

    Raises:
        ExpressionError: the separator is no text.
    """
    if not isinstance(separator, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ExpressionError(f"`fn.string_agg` takes a text as separator, not {separator!r}")
    return _aggregate("string_agg", of, by, separator)


@overload
def first(of: Columns[Row], /, *, by: By = ()) -> Expr[Row, Row]: ...
@overload
def first(of: Expr[Value, N], /, *, by: By = ()) -> Expr[Value, N]: ...
def first(of: Rows, /, *, by: By = ()) -> Expr[Any, Any]:
    """Return the first row, or the value of an expression for it, which may be null."""
    return _aggregate("first", of, by)


@overload
def last(of: Columns[Row], /, *, by: By = ()) -> Expr[Row, Row]: ...
@overload
def last(of: Expr[Value, N], /, *, by: By = ()) -> Expr[Value, N]: ...
def last(of: Rows, /, *, by: By = ()) -> Expr[Any, Any]:
    """Return the last row, or the value of an expression for it, which may be null."""
    return _aggregate("last", of, by)


@overload
def fold(
    start: State, step: Callable[[State, Row], State], of: Columns[Row], /, *, by: By = ()
) -> Expr[State, State]: ...
@overload
def fold(
    start: State, step: Callable[[State, Value], State], of: Expr[Value, Any], /, *, by: By = ()
) -> Expr[State, State]: ...
def fold(
    start: Any, step: Callable[[Any, Any], Any], of: Rows, /, *, by: By = ()
) -> Expr[Any, Any]:
    """Take in one row, or value, after the other: ``step(step(start, first), second)``.

    What comes last costs one call; a change before that, and one of rows that are there, has all of
    the group taken in again.

    Args:
        start: what there is before the first.
        step: returns what there is with one more. It must not change what it is given.
        of: whole rows, or an expression, whose nulls are left out.
        by: the order; by default that of arrival.
    """
    return _aggregate("fold", of, by, start, _function("fold", step))


@overload
def reduce(
    function: Callable[[Sequence[Row]], State], of: Columns[Row], /, *, by: By = ()
) -> Expr[State, State]: ...
@overload
def reduce(
    function: Callable[[Sequence[Value]], State], of: Expr[Value, Any], /, *, by: By = ()
) -> Expr[State, State]: ...
def reduce(function: Callable[[Sequence[Any]], Any], of: Rows, /, *, by: By = ()) -> Expr[Any, Any]:
    """Return what a function makes of all rows, or of the values that are not null.

    It is called for each group that changes, with all of it: ``accumulate`` spares that.
    """
    return _aggregate("reduce", of, by, _function("reduce", function))


@overload
def accumulate(
    make: Callable[[], Reducer[Row, State]], of: Columns[Row], /
) -> Expr[State, State]: ...
@overload
def accumulate(
    make: Callable[[], Reducer[Value, State]], of: Expr[Value, Any], /
) -> Expr[State, State]: ...
def accumulate(make: Callable[[], Reducer[Any, Any]], of: Rows, /) -> Expr[Any, Any]:
    """Return what a reducer of one's own says of the rows, or of the values that are not null.

    It is told of a value once it comes, and once it goes; of nulls, and of rows that are missing
    after an outer join, never. Of no values, the answer is what a new reducer says.

    Args:
        make: makes the :class:`Reducer` of a group; its class, as a rule.
        of: whole rows, or an expression.
    """
    return _aggregate("accumulate", of, (), _function("accumulate", make))


def _count(aggregate: str, of: object) -> Expr[int, int]:
    if of is None:
        return Expr(AggregateNode(aggregate, None))
    return _aggregate(aggregate, of)


def _aggregate(aggregate: str, of: object, by: object = (), *options: object) -> Expr[Any, Any]:
    operand, of_rows = _operand(aggregate, of)
    if of_rows and aggregate not in _OF_ROWS:
        raise ExpressionError(
            f"`fn.{aggregate}` is asked of an expression of columns, as in `fn.{aggregate}"
            "(m.tokens)`, not of whole rows"
        )
    parts = cast("tuple[object, ...]", by) if isinstance(by, tuple) else (by,)
    terms = tuple(_term(aggregate, part) for part in parts)
    return Expr(AggregateNode(aggregate, operand, terms, options, of_rows))


def _operand(aggregate: str, of: object) -> tuple[Node, bool]:
    if isinstance(of, Columns):
        return SlotNode(of.__slot__, "row"), True
    if is_expression(of):
        return of.node, False
    raise ExpressionError(
        f"`fn.{aggregate}` is asked of rows or of an expression of their columns, as in "
        f"`fn.{aggregate}(m.tokens)`, not of {of!r}"
    )


def _term(aggregate: str, part: object) -> OrderTerm:
    if isinstance(part, Ordering):
        return part.term
    if is_expression(part):
        return OrderTerm(part.node)
    raise ExpressionError(
        f"`fn.{aggregate}` orders by expressions, as in `by=m.created_at` or "
        f"`by=(m.created_at.desc(), m.id)`, not by {part!r}"
    )


def _function(aggregate: str, function: object) -> object:
    if not callable(function):
        raise ExpressionError(f"`fn.{aggregate}` takes a function, and {function!r} is none")
    return function
