"""What a collection is, as far as the class of its rows says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

from streamdb.errors import SchemaError
from streamdb.expr import Columns, UntypedColumns, columns_of
from streamdb.state.contract import Contract
from streamdb.state.row_kinds import row_kind
from streamdb.state.schema import Updates


def completed_declaration(
    name: str,
    *,
    row: type[Any],
    primary_key: str,
    type: str | None = None,
    key: type[Any] | None = None,
    columns: type[Columns[Any]] | None = None,
    updates: Updates = "replace",
    schema: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the arguments of a ``CollectionSchema``, with what follows from the row's class.

    Raises:
        SchemaError: the class is no class of rows, or the key is neither text nor an integer.
    """
    contract = None if schema is None else Contract.of(schema)
    fields = row_kind(row, contract).fields
    if columns is None:
        columns = _untyped_columns(row, fields, contract)
    if key is None:
        declared = fields.get(primary_key)
        key = str if declared is None else _key_class(name, declared.type)
    return {
        "row": row,
        "primary_key": primary_key,
        "type": name if type is None else type,
        "key": key,
        "columns": columns,
        "updates": updates,
        "contract": contract,
    }


def _untyped_columns(
    row: type[Any], fields: Mapping[str, Any], contract: Contract | None
) -> type[UntypedColumns[Any]]:
    if fields:
        return columns_of(row.__name__, fields)
    properties = None if contract is None else contract.properties
    if properties is None or not properties.names:
        return UntypedColumns
    return columns_of(row.__name__, properties.names, is_open=not properties.is_closed)


def _key_class(name: str, kind: Any) -> type[str] | type[int]:
    """Return the class of a key that its field declares."""
    while (inner := getattr(kind, "__supertype__", None)) is not None:  # of a NewType
        kind = inner
    if get_origin(kind) is Annotated:
        return _key_class(name, get_args(kind)[0])
    if get_origin(kind) is Literal:
        classes = {value.__class__ for value in get_args(kind)}
        kind = classes.pop() if len(classes) == 1 else None
    if kind is str or kind is int:
        return kind
    raise SchemaError(f"collection {name!r}: keys are text or integers, not {kind}")
