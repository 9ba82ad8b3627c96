"""Columns are declared by annotations alone and may have any name."""

from __future__ import annotations

import pytest
from msgspec import Struct

from streamdb.errors import StreamDBError
from streamdb.expr import (
    Column,
    Columns,
    ExpressionError,
    NullableColumn,
    UnknownColumn,
    columns_of,
    predicate,
)


class Message(Struct):
    id: str
    role: str


class MessageColumns(Columns[Message]):
    id: Column[str]
    role: Column[str]
    note: NullableColumn[NoSuchType]  # type: ignore[name-defined]  # noqa: F821 (never evaluated)


def test_a_column_stands_for_the_attribute_of_its_name() -> None:
    assert str(MessageColumns().role) == "role"
    assert str(MessageColumns.role) == "role"
    assert isinstance(MessageColumns().role, Column)
    assert isinstance(MessageColumns().note, NullableColumn)


def test_a_subclass_has_the_columns_of_its_base_too() -> None:
    class Longer(MessageColumns):
        length: Column[int]

    assert str(Longer().length) == "length"
    with pytest.raises(UnknownColumn, match="Its columns: id, role, note, length"):
        Longer().size  # type: ignore[attr-defined]  # noqa: B018 (the mistake under test)


def test_annotations_without_the_future_import_work_too() -> None:
    columns = type("Plain", (Columns,), {"__annotations__": {"id": Column[str]}})
    assert str(columns().id) == "id"


def test_columns_have_no_public_name_of_their_own() -> None:
    assert [name for name in dir(Columns) if not name.startswith("_")] == []


@pytest.mark.parametrize("name", ["columns", "mro", "node", "self", "is_null", "as_type", "_x"])
def test_a_column_may_have_any_name(name: str) -> None:
    columns = type("Odd", (Columns,), {"__annotations__": {name: "Column[int]"}})

    class Row:
        pass

    row = Row()
    setattr(row, name, 1)
    assert predicate(columns, lambda c: getattr(c, name) == 1)(row)


def test_an_unknown_column_is_an_error_that_lists_the_columns() -> None:
    with pytest.raises(UnknownColumn) as error:
        predicate(MessageColumns, lambda m: m.rol == "user")  # type: ignore[attr-defined]
    assert str(error.value) == (
        "MessageColumns has no column 'rol'. Did you mean 'role'? Its columns: id, role, note"
    )


def test_an_unknown_column_without_likeness_gets_no_proposal() -> None:
    with pytest.raises(UnknownColumn, match=r"no column 'x'\. Its columns: id, role, note"):
        predicate(MessageColumns, lambda m: m.x == "user")  # type: ignore[attr-defined]


def test_the_error_can_be_caught_by_every_name_that_fits() -> None:
    for kind in (ExpressionError, StreamDBError, TypeError, AttributeError):
        with pytest.raises(kind):
            getattr(MessageColumns(), "rol")  # noqa: B009 (checkers know better)
    assert not hasattr(MessageColumns(), "rol")


def test_columns_of_rows_that_may_have_other_properties() -> None:
    columns = columns_of("messages", ["id", "created-at"], is_open=True)()
    assert (str(columns.id), str(columns["created-at"]), str(columns["more"])) == (
        "id",
        "created-at",
        "more",
    )
    with pytest.raises(
        UnknownColumn, match=r"messagesColumns has no column .* by `\['created_at'\]`"
    ):
        _ = columns.created_at


def test_columns_of_rows_that_have_no_other_properties() -> None:
    columns = columns_of("messages", ["id", "role"])()
    assert str(columns["role"]) == "role"
    with pytest.raises(UnknownColumn, match="Did you mean 'role'") as caught:
        _ = columns["rol"]
    assert "[" not in str(caught.value)
