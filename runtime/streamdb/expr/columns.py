"""The columns of a row type, declared by annotations alone."""

from __future__ import annotations

from inspect import get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from streamdb.errors import ExpressionError, UnknownColumn
from streamdb.expr.expression import Column, column
from streamdb.near_miss import no_such

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

    __slots__ = ("__slot__",)
    __columns__: ClassVar[tuple[str, ...]] = ()
    #: Whether rows may have properties beside these, of which `[...]` makes columns.
    __is_open__: ClassVar[bool] = False

    def __init__(self, slot: int = 0) -> None:
        self.__slot__ = slot  # of the query's rows; named so that no column is called alike

    def __init_subclass__(cls) -> None:
        """Create the columns. A subclass of a subclass has those of both."""
        super().__init_subclass__()
        own = get_annotations(cls)
        for name in own:
            setattr(cls, name, _OwnColumn(name))
        cls.__columns__ = tuple(dict.fromkeys((*cls.__columns__, *own)))

    if TYPE_CHECKING:

        def __slot_of__(self) -> tuple[Row, Self]:
            """Tell checkers what is read of a slot that is selected, and what it is after that."""
            ...

    else:  # checkers would take every name for a column

        def __getattr__(self, name):
            raise UnknownColumn(_unknown(name, type(self)))

        # Rows have no identity before there are any, and none of them misses yet.

        def __eq__(self, other):
            raise ExpressionError(
                f"whole rows of {type(self).__name__} are compared: compare columns of theirs, or "
                "the rows themselves, in `filter`"
            )

        __hash__ = object.__hash__

        def __bool__(self):
            raise ExpressionError(
                f"{type(self).__name__} stands for rows and is neither true nor false: ask whether "
                "a row is there by its key, `u.id.is_not_null()`, or write `u.name if u else ...` "
                "in `map`, which is given rows"
            )


class UntypedColumns(Columns[Row]):
    """Columns that type checkers know nothing of: every name is one, of any type.

    Those of known rows are made by :func:`columns_of`. This class itself has a column of every
    name, for rows whose properties are not listed anywhere.

    >>> UntypedColumns().role == "assistant"
    role == 'assistant'
    >>> UntypedColumns()["created at"].is_null()
    created at.is_null()
    """

    __slots__ = ()
    __is_open__ = True  # not annotated: that would make it a column

    def __getitem__(self, name: str) -> Column[Any]:
        """Return the column of a name, whatever characters it has.

        Rows of a schema may have properties that it does not declare, unless it forbids that: this
        is the way to those.

        Raises:
            UnknownColumn: the row can have no such property.
        """
        if not self.__is_open__ and name not in self.__columns__:
            raise UnknownColumn(_unknown(name, type(self)))
        return column(name, self.__slot__)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Column[Any]:
            """Return the column of that name."""
            ...

    else:

        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)  # asked for by the language, not by a user
            return column(name, self.__slot__)


class _OwnColumn:
    """Makes the column of one name, for the slot that its columns stand for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, columns: Columns[Any] | None, _: type[Columns[Any]]) -> Column[Any]:
        return column(self._name, 0 if columns is None else columns.__slot__)


def columns_of(
    row: str, names: Iterable[str], *, is_open: bool = False
) -> type[UntypedColumns[Any]]:
    """Make the columns of a row from the names of its fields.

    Args:
        row: what the row is called, for messages.
        names: the columns. Another attribute is an error, for it is misspelt as a rule.
        is_open: whether rows may have other properties: those are columns by ``[...]`` then.

    >>> columns = columns_of("Number", ["real"], is_open=True)()
    >>> columns["imaginary"] == 0
    imaginary == 0
    >>> columns.imaginary  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    streamdb.errors.UnknownColumn: NumberColumns has no column 'imaginary'. Its columns: real...
    """
    namespace = {
        "__annotations__": dict.fromkeys(names, Column[Any]),
        "__slots__": (),
        "__getattr__": vars(Columns)["__getattr__"],
        "__is_open__": is_open,
    }
    return type(f"{row}Columns", (UntypedColumns,), namespace)


def _unknown(name: str, columns: type[Columns[Row]]) -> str:
    what = f"{columns.__name__} has no column"
    text = no_such(what, name, columns.__columns__, listed_as="Its columns")
    if columns.__is_open__:
        text += f". A property that the schema does not declare is a column by `[{name!r}]`"
    return text
