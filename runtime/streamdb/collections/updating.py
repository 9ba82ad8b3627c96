"""What ``update`` is given: what makes the new row, and which row is to be there until then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from msgspec import UNSET, UnsetType

from streamdb.collections.in_place import how_to_copy
from streamdb.plain_functions import refuse_async
from streamdb.state.schema import CollectionSchema

Row = TypeVar("Row")


class NewFields:
    """Makes a row of another one by other values in some fields; runs none of the user's functions.

    Args:
        schema: of the collection.
        fields: the values.
    """

    __slots__ = ("_fields", "_schema")

    def __init__(self, schema: CollectionSchema[Any, Any], fields: Mapping[str, Any]) -> None:
        self._schema: Final = schema
        self._fields: Final = fields

    def __call__(self, row: Any) -> Any:
        """Return the new row. Raises InvalidRow, TypeError."""
        return self._schema.replace(row, self._fields)


def change_of(
    schema: CollectionSchema[Row, Any],
    change: Callable[[Row], Row] | None,
    fields: Mapping[str, Any],
) -> Callable[[Row], Row]:
    """Return what makes the new row of the one that is there.

    It raises TypeError if the function sets fields of a row that lets nobody do so.

    Raises:
        TypeError: neither or both of function and fields are given, or it is no plain function.
    """
    if (change is None) == (not fields):
        raise TypeError("update takes either fields or one function from row to row")
    if change is None:
        return NewFields(schema, fields)
    if not callable(change):
        raise TypeError(
            f"update takes fields by their names, or a function, not {type(change).__name__}: "
            "update(key, name=value)"
        )
    refuse_async(change, "update", "await first, and update with what came of it")

    def changed(row: Row) -> Row:
        try:
            return change(schema.rows.lent(row))
        except Exception as error:
            if (copying := how_to_copy(error)) is None:
                raise
            raise TypeError(
                f"update: the fields of a row of collection {schema.name!r} cannot be "
                f"set: have the function return a changed copy, {copying}"
            ) from error

    return changed


def expected_of(schema: CollectionSchema[Row, Any], expect: Row | UnsetType) -> Row | None:
    """Return the row that is to be there, None if it may be any. Raises TypeError if it is none."""
    if expect is UNSET:
        return None
    if not schema.rows.holds(expect):
        instead = ", for there is a row where one is updated; `insert` says that there is none"
        raise TypeError(
            f"update: expect= takes a row of collection {schema.name!r}, not "
            + (f"None{instead}" if expect is None else type(expect).__name__)
        )
    return expect
