"""Classes whose properties and tags have names beyond ASCII lose none of them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, NotRequired, TypedDict

import msgspec
import pytest
from msgspec import Struct

from streamdb import AnyOf, CollectionSchema, UntypedColumns
from streamdb.state.decoder import PageDecoder
from streamdb.state.items import Put
from streamdb.state.schema import StateSchema
from streamdb.state.typed_events import TypedEvents


def name(*parts: str) -> str:
    """A text of its own, of which nobody has asked for the UTF-8 yet."""
    return "".join(parts)


def typed_dict(key: str) -> Any:
    return TypedDict("Row", {"id": str, key: NotRequired[int]})  # type: ignore[misc]  # a new name


def made_dataclass(key: str) -> Any:
    return dataclasses.make_dataclass("Row", [("id", str), (key, int, 0)])


def schema_of(row: Any) -> CollectionSchema[Any, Any]:
    return CollectionSchema(
        name="rows", type="row", primary_key="id", row=row, key=str, columns=UntypedColumns
    )


@pytest.mark.parametrize("make", [typed_dict, made_dataclass])
def test_a_row(make: Any) -> None:
    schema = schema_of(make(name("größ", "e")))
    value = {"id": "a", "größe": 3}
    event = {"type": "row", "key": "a", "value": value, "headers": {"operation": "insert"}}
    decoder = PageDecoder(StateSchema(name="s", collections=(schema,)))
    (item,) = decoder.decode(json.dumps([event]).encode(), url="u", offset="o").items
    assert isinstance(item, Put)
    assert json.loads(schema.encode(item.row)) == value


@pytest.mark.parametrize("make", [typed_dict, made_dataclass])
def test_what_is_inside_a_row(make: Any) -> None:
    inner = make(name("län", "ge"))

    class Holder(Struct):
        id: str
        rows: list[inner]  # type: ignore[valid-type]
        one: AnyOf[inner, int]  # type: ignore[valid-type]

    value = {"id": "a", "rows": [{"id": "b", "länge": 1}], "one": {"id": "c", "länge": 2}}
    Holder.__annotations__.update(rows=list[inner], one=AnyOf[inner, int])
    schema = schema_of(Holder)
    assert json.loads(schema.encode(schema.decode(json.dumps(value).encode()))) == value


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("members", [1, 2])
def test_the_tags_of_rows(closed: bool, members: int) -> None:
    field, tag = name("größ", "e"), name("läng", "e")
    kinds: list[Any] = [
        msgspec.defstruct(
            "Row",
            [("id", str)],
            tag_field=field,
            tag=each,
            forbid_unknown_fields=closed,
            frozen=True,
        )
        for each in (tag, name("breit", "e"))[:members]
    ]
    holder = msgspec.defstruct("Holder", [("id", str), ("row", kinds[0] | kinds[-1])], frozen=True)
    schema = schema_of(holder)
    value = {"id": "a", "row": {"größe": "länge", "id": "b"}}
    assert json.loads(schema.encode(schema.decode(json.dumps(value).encode()))) == value


def test_event_types() -> None:
    row = msgspec.defstruct("Row", [("id", str)], frozen=True)
    schema = CollectionSchema(
        name="rows",
        type=name("größ", "e"),
        primary_key="id",
        row=row,
        key=str,
        columns=UntypedColumns,
    )
    event = {"type": "größe", "key": "a", "value": {"id": "a"}, "headers": {"operation": "insert"}}
    events = TypedEvents(StateSchema(name="s", collections=(schema,)), strict=False)
    assert events.decode(json.dumps([event]).encode()) is not None, "not in one call"
