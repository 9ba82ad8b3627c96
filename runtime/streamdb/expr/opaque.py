"""Rows that functions of users make: nothing is known of what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, TypeVar

from streamdb.errors import ExpressionError, UnknownColumn
from streamdb.expr.columns import Columns
from streamdb.expr.shape import Shape, Slot

Row = TypeVar("Row")


class Opaque(Columns[Row]):
    """What functions of columns are given for rows that ``map`` or ``select(Class, ...)`` made.

    It has no columns, for nobody knows what is in such a row before it is made. A condition goes
    before the ``map``, or the rows themselves are asked, by ``filter``. The row as a whole may
    stand in ``select``, and in aggregates that take rows.
    """

    __slots__ = ()
    __made__ = (
        "rows that a function makes, and those have no columns: put `where`, `join`, `order_by` "
        "and the like before `map` or `select(Class, ...)`, or ask the rows themselves by `filter`"
    )

    if not TYPE_CHECKING:  # checkers would take every name for a column

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("__"):
                raise AttributeError(name)  # asked for by the language, not by a user
            raise UnknownColumn(f"{name!r} is asked of {self.__made__}")

        def __eq__(self, other):
            raise ExpressionError(f"a comparison is asked of {self.__made__}")

        __hash__ = object.__hash__


class OpaqueTuple(Opaque[Row]):
    """The same for the rows of a live query of several slots, each of which is a tuple."""

    __slots__ = ()
    __made__ = (
        "rows of a live query that has several slots: they are tuples, whose columns nobody knows. "
        "Ask the query that it was made of, and make that one live, too; or ask the tuples by "
        "`filter`"
    )


def opaque_shape(name: str) -> Shape:
    """Return the shape of rows that a function of that name makes."""
    return Shape((Slot(name, Opaque),), is_tuple=False)
