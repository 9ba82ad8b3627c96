"""One mistake is told alike in rows of every kind: the error, the place and the words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict

import pytest
from msgspec import UNSET, Meta, Struct
from pydantic import BaseModel, Field

from streamdb import Extensible, InvalidRow, StreamDB, collection
from streamdb.pydantic_rows import PydanticRow
from streamdb.state.schema import CollectionSchema

Size = Annotated[int, Meta(ge=0, le=9)]
Word = Annotated[str, Meta(pattern="^[a-z]+$")]
Counts = dict[Word, int]
PydanticSize = Annotated[int, Field(ge=0, le=9)]
PydanticCounts = dict[Annotated[str, Field(pattern="^[a-z]+$")], int]
Kind = Literal["a", "b"]


class StructPart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: Kind
    n: int


class StructRow(Struct, frozen=True, kw_only=True):
    id: str
    size: Size
    labels: list[str]
    part: StructPart
    counts: Counts
    nested: dict[str, list[dict[str, int]]]


class ExtensibleRow(Extensible[Any]):
    id: str
    size: Size
    labels: list[str]
    part: StructPart
    counts: Counts
    nested: dict[str, list[dict[str, int]]]


@dataclass(frozen=True)
class DataclassRow:
    id: str
    size: Size
    labels: list[str]
    part: StructPart
    counts: Counts
    nested: dict[str, list[dict[str, int]]]


class TypedDictRow(TypedDict):
    id: str
    size: Size
    labels: list[str]
    part: StructPart
    counts: Counts
    nested: dict[str, list[dict[str, int]]]


class PydanticPart(BaseModel, extra="forbid"):
    kind: Kind
    n: int


class PlainPydanticRow(BaseModel, frozen=True):
    id: str
    size: PydanticSize
    labels: list[str]
    part: PydanticPart
    counts: PydanticCounts
    nested: dict[str, list[dict[str, int]]]


class GeneratedPydanticRow(PydanticRow, frozen=True):
    id: str
    size: PydanticSize
    labels: list[str]
    part: PydanticPart
    counts: PydanticCounts
    nested: dict[str, list[dict[str, int]]]


SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id", "size", "labels", "part", "counts", "nested"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "size": {"type": "integer", "minimum": 0, "maximum": 9},
        "labels": {"type": "array", "items": {"type": "string"}},
        "part": {
            "type": "object",
            "required": ["kind", "n"],
            "additionalProperties": False,
            "properties": {"kind": {"enum": ["a", "b"]}, "n": {"type": "integer"}},
        },
        "counts": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z]+$"},
            "additionalProperties": {"type": "integer"},
        },
        "nested": {
            "additionalProperties": {"items": {"additionalProperties": {"type": "integer"}}},
        },
    },
}
ROW: dict[str, Any] = {
    "id": "r",
    "size": 1,
    "labels": ["x"],
    "part": {"kind": "a", "n": 1},
    "counts": {"a": 1},
    "nested": {},
}
CLASSES: list[Any] = [
    StructRow,
    ExtensibleRow,
    DataclassRow,
    TypedDictRow,
    PlainPydanticRow,
    GeneratedPydanticRow,
]
kinds = pytest.mark.parametrize("kind", [*CLASSES, dict])

# Changes of a row, the place of the fault, what every class says of it, and what the schema says.
MISTAKES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "type": ({"size": "big"}, "/size", "expected `int`, got `str`", 'of the type "integer"'),
    "null": ({"size": None}, "/size", "expected `int`, got `null`", 'of the type "integer"'),
    "above": ({"size": 10}, "/size", "expected `int` <= 9", "must be at most 9"),
    "below": ({"size": -1}, "/size", "expected `int` >= 0", "must be at least 0"),
    "no list": ({"labels": 7}, "/labels", "expected `array`, got `int`", 'of the type "array"'),
    "item": ({"labels": ["a", 5]}, "/labels/1", "expected `str`, got `int`", 'type "string"'),
    "no object": ({"part": [1]}, "/part", "expected `object`, got `array`", 'type "object"'),
    "value of a name": (
        {"counts": {"a": 1, "b": 2, "c": "x", "d": 4}},
        "/counts/c",
        "expected `int`, got `str`",
        'of the type "integer"',
    ),
    "values of names": (
        {"nested": {"p": [], "q/r": [{"s": 1}, {"t": 2, "u": "x"}], "v": []}},
        "/nested/q~1r/1/u",
        "expected `int`, got `str`",
        'of the type "integer"',
    ),
    "name": (
        {"counts": {"a": 1, "B": 2}},
        "/counts",
        "expected `str` matching regex '^[a-z]+$' as a key",
        "has a property whose name must match",
    ),
    "missing inside": ({"part": {"kind": "a"}}, "/part", "lacks the property `n`", 'property "n"'),
    "unknown inside": (
        {"part": {"kind": "a", "n": 1, "m": 2}},
        "/part/m",
        "is no property that is allowed here",
        "is no property that is allowed here",
    ),
    "constant inside": (
        {"part": {"kind": "z", "n": 1}},
        "/part/kind",
        'invalid enum value \'z\'; allowed: "a", "b"',
        'must be one of ["a", "b"]',
    ),
    "required": ({"size": UNSET}, "", "lacks the property `size`", 'lacks the property "size"'),
}


def of(kind: Any) -> CollectionSchema[Any, Any]:
    schema = {"schema": SCHEMA} if kind is dict else {}
    return collection(kind, name="rows", primary_key="id", **schema).schema


@kinds
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_alike_in_every_kind_of_row(kind: Any, mistake: str) -> None:
    changes, pointer, in_classes, in_schemas = MISTAKES[mistake]
    schema = of(kind)
    row = schema.decode(json.dumps(ROW).encode())
    with pytest.raises(InvalidRow) as caught:
        schema.encode(schema.replace(row, changes))
    at = f" at {pointer}" if pointer else ""
    assert caught.value.pointer == pointer
    assert str(caught.value).startswith(f"collection 'rows': {kind.__name__}{at}: ")
    reason = str(caught.value).removeprefix(f"collection 'rows': {kind.__name__}{at}: ")
    if kind is dict:
        assert in_schemas in reason
    else:
        assert reason == in_classes


@kinds
def test_an_unknown_field_is_an_error_in_the_call_in_every_kind_of_row(kind: Any) -> None:
    schema = of(kind)
    row = schema.decode(json.dumps(ROW).encode())
    with pytest.raises(TypeError, match=r"no field 'sise'\. Did you mean 'size'\? Its fields: id,"):
        schema.replace(row, {"sise": 3})


@kinds
def test_an_update_keeps_the_key_in_every_kind_of_row(kind: Any, tmp_path: Any) -> None:
    schema = {"schema": SCHEMA} if kind is dict else {}
    rows = collection(kind, primary_key="id", **schema)
    database: Any = type("Rows", (StreamDB,), {"rows": rows})
    with database(f"embedded:{tmp_path}/s.db#s", create=True) as db:
        db.rows.insert(rows.schema.decode(json.dumps(ROW).encode())).synced()
        with pytest.raises(InvalidRow, match="collection 'rows': an update must keep id='r'") as e:
            db.rows.update("r", id="other")
        assert e.value.pointer == "/id"
        with pytest.raises(InvalidRow, match="lacks the property"):
            db.rows.update("r", size=UNSET)
