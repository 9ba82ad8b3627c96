"""The kinds of classes that rows may be of, and what is done with rows of each."""

from __future__ import annotations

import dataclasses
from typing import Any, get_origin, is_typeddict

from streamdb.errors import SchemaError
from streamdb.state.contract import Contract
from streamdb.state.row_kinds.base import RowField, RowKind
from streamdb.state.row_kinds.native import DataclassRows, StructRows, TypedDictRows
from streamdb.state.row_kinds.plain import PlainRows
from streamdb.types.extensible import record_of
from streamdb.types.members import is_pydantic_model

__all__ = ["RowField", "RowKind", "row_kind"]


def row_kind(row: Any, contract: Contract | None) -> RowKind[Any]:
    """Return what is done with rows of a class.

    Args:
        row: a msgspec struct, a class based on ``Extensible``, a pydantic model, a dataclass, a
            ``TypedDict``, or ``dict`` for plain JSON.
        contract: the JSON Schema of the row; plain JSON has nothing else to be judged by.

    Raises:
        SchemaError: it is none of these.
    """
    if record_of(row) is not None:
        return StructRows[Any](row)
    if row is dict or get_origin(row) is dict:
        if contract is None:
            raise SchemaError("rows that are plain dicts need a contract: Contract.of(schema)")
        return PlainRows(contract)
    if is_typeddict(row):
        return TypedDictRows[Any](row)
    if is_pydantic_model(row):
        from streamdb.state.row_kinds.pydantic_models import PydanticRows

        return PydanticRows[Any](row)
    if isinstance(row, type) and dataclasses.is_dataclass(row):
        return DataclassRows[Any](row)
    raise SchemaError(
        f"{row!r} is no class of rows: use a msgspec struct, Extensible, a pydantic model, "
        "a dataclass, a TypedDict, or dict with a contract"
    )
