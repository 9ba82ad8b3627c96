"""Which fields an update changes: all that are other JSON, and no others."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from streamdb import CollectionSchema, Extensible, UntypedColumns
from streamdb.db.local_writes import changed_fields


class Row(Struct, frozen=True, kw_only=True):
    id: str = "a"
    number: float = 0.0
    at: dt.datetime = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    things: list[Any] = []
    note: str | UnsetType | None = UNSET


class Special(Row, frozen=True, kw_only=True):
    more: int = 0


class Open(Extensible[int]):
    id: str


def schema_of(row: Any) -> CollectionSchema[Any, Any]:
    return CollectionSchema(
        name="rows", type="row", primary_key="id", row=row, key=str, columns=UntypedColumns
    )


@pytest.mark.parametrize(
    ("before", "changes"),
    [
        ({}, {"number": -0.0}),
        ({"things": [1]}, {"things": [True]}),
        ({"things": [{"n": 1}]}, {"things": [{"n": 1.0}]}),
        ({}, {"note": None}),
        ({"note": None}, {"note": UNSET}),
        ({}, {"number": 1.0, "note": "x"}),
    ],
)
def test_what_is_equal_in_python_may_be_other_json(
    before: dict[str, Any], changes: dict[str, Any]
) -> None:
    row = Row(**before)
    assert repr(changed_fields(schema_of(Row), row, replace(row, **changes))) == repr(changes)


def test_what_is_the_same_json_is_no_change() -> None:
    elsewhere = dt.timezone(dt.timedelta(hours=2))
    before = Row(things=[1], note="x")
    after = Row(things=[1], note="".join(["x"]), at=dt.datetime(2026, 1, 2, 2, tzinfo=elsewhere))
    assert changed_fields(schema_of(Row), before, after) == {}


def test_rows_that_hold_more_than_their_fields_are_written_whole() -> None:
    assert changed_fields(schema_of(Row), Special(), Special(more=1)) is None
    before, after = Open(id="a", extras={"n": 1}), Open(id="a", extras={"n": 2})
    assert changed_fields(schema_of(Open), before, after) is None
