"""The columns of a row type, declared by annotations alone."""

from __future__ import annotations

from difflib import get_close_matches
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from streamdb.errors import UnknownColumn
from streamdb.expr.expression import Column, column

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = TypeVar("Row")


class Columns(Generic[Row]):
    """Base of the columns of ``Row``: each annotation of a subclass declares a column of that name.

    Annotations are not evaluated: only their names matter, their types are for type checkers. A
    column may have any name, so this class has no attribute that could stand in the way.

    >>> from streamdb.expr import Column, NullableColumn
    >>> class MessageColumns(Columns["Message"]):
    ...     role: "Column[str]"
    ...     note: "NullableColumn[str]"
    >>> MessageColumns().role == "assistant"
    role == 'assistant'
    """

    __slots__ = ()
    __columns__: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        """Create the columns. A subclass of a subclass has those of both."""
        super().__init_subclass__()
        own = get_annotations(cls)
        for name in own:
            setattr(cls, name, column(name))
        cls.__columns__ = tuple(dict.fromkeys((*cls.__columns__, *own)))

    if not TYPE_CHECKING:  # checkers would take every name for a column

        def __getattr__(self, name):
            raise UnknownColumn(_unknown(name, type(self)))


class UntypedColumns(Columns[Row]):
    """Columns that type checkers know nothing of: every name is one, of any type.

    Those of a row class are made by :func:`columns_of`. This class itself has a column of every
    name, for rows whose properties are not listed anywhere.

    >>> UntypedColumns().role == "assistant"
    role == 'assistant'
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Column[Any]:
            """Return the column of that name."""
            ...

    else:

        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)  # asked for by the language, not by a user
            return column(name)


def columns_of(row: type[Row], names: Iterable[str]) -> type[UntypedColumns[Row]]:
    """Make the columns of a row class from the names of its fields.

    >>> columns_of(int, ["real"])().imaginary
    Traceback (most recent call last):
    ...
    streamdb.errors.UnknownColumn: intColumns has no column 'imaginary'. Its columns: real
    """
    namespace = {
        "__annotations__": dict.fromkeys(names, Column[Any]),
        "__slots__": (),
        "__getattr__": vars(Columns)["__getattr__"],
    }
    return type(f"{row.__name__}Columns", (UntypedColumns,), namespace)


def _unknown(name: str, columns: type[Columns[Row]]) -> str:
    names = columns.__columns__
    close = get_close_matches(name, names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{columns.__name__} has no column {name!r}.{hint} Its columns: {', '.join(names)}"
