"""What makes a cache one of another schema: what matters on the wire, and nothing else."""

import dataclasses
import os
import subprocess
import sys
from typing import Annotated, Any, Literal, NamedTuple, NewType, TypedDict

import attrs
import pytest
from msgspec import Meta, Struct, field
from pydantic import BaseModel, Field
from tests.golden import minimal
from tests.runtime.task_rows import KINDS, SCHEMA
from typing_extensions import TypeAliasType

from streamdb import AnyOf, Extensible, StateSchema, StreamDB, collection
from streamdb.cache.class_shapes import shape_of_class
from streamdb.cache.contract import digest_of


def digest(row: Any, *, strict: bool = False, **declared: Any) -> str:
    parts = {"type": "task", "primary_key": "id", **declared}
    database = type("Tasks", (StreamDB,), {"tasks": collection(row, **parts)})
    return digest_of(database("http://server/v1/stream/s").schema, strict=strict)


class Point(Struct):
    """A place."""

    id: str
    x: Annotated[int, Meta(ge=0)]
    label: str = ""


def test_what_is_said_about_it_makes_no_difference() -> None:
    class Place(Struct, frozen=True, kw_only=True):
        id: str
        x: Annotated[int, Meta(ge=0, description="to the right", title="X", examples=[1])]
        label: str = ""

    assert digest(Place) == digest(Point)


class Other(Struct):
    id: str
    x: Annotated[int, Meta(ge=1)]
    label: str = ""


class Renamed(Struct):
    id: str
    x: Annotated[int, Meta(ge=0)] = field(name="X")
    label: str = ""


class Defaulted(Struct):
    id: str
    x: Annotated[int, Meta(ge=0)]
    label: str = "none"


class More(Struct):
    id: str
    x: Annotated[int, Meta(ge=0)]
    label: str = ""
    y: int | None = None


class Closed(Struct, forbid_unknown_fields=True):
    id: str
    x: Annotated[int, Meta(ge=0)]
    label: str = ""


@pytest.mark.parametrize("row", [Other, Renamed, Defaulted, More, Closed])
def test_what_its_class_takes_does(row: Any) -> None:
    assert digest(row) != digest(Point)


@pytest.mark.parametrize(
    "declared",
    [
        {"type": "other"},
        {"primary_key": "label"},
        {"updates": "merge"},
        {"strict": True},
        {"schema": {"properties": {"x": {"maximum": 9}}}},
        {"name": "points"},
    ],
)
def test_how_it_is_declared_does(declared: dict[str, Any]) -> None:
    assert digest(Point, **declared) != digest(Point)


class Inner(Struct):
    n: int


class OtherInner(Struct):
    n: float


def rows_with(kind: Any) -> dict[str, Any]:
    """A row of each kind that holds something."""
    # Whatever they are made of, their names are the same.
    identifier = NewType("identifier", kind)

    class APair(NamedTuple):
        inner: kind
        n: int

    class ANewType(Struct):
        id: str
        inner: identifier

    class ANamedTuple(Struct):
        id: str
        inner: APair

    @attrs.define
    class AnAttrsClass:
        inner: kind

    class AnAttrsField(Struct):
        id: str
        inner: AnAttrsClass

    class AStruct(Struct):
        id: str
        inner: list[kind]

    class AnExtensible(Extensible[kind]):
        id: str

    class AChoice(Struct):
        id: str
        inner: AnyOf[kind, list[str]]

    @dataclasses.dataclass
    class ADataclass:
        id: str
        inner: kind

    class AModel(BaseModel):
        id: str
        inner: dict[str, int] if kind is Inner else dict[str, float]

    class ATypedDict(TypedDict):
        id: str
        inner: kind

    rows = (
        AStruct,
        AnExtensible,
        AChoice,
        ADataclass,
        AModel,
        ATypedDict,
        ANewType,
        ANamedTuple,
        AnAttrsField,
    )
    return {row.__name__: row for row in rows}


@pytest.mark.parametrize("kind", rows_with(Inner))
def test_so_does_what_is_further_in(kind: str) -> None:
    assert digest(rows_with(Inner)[kind]) == digest(rows_with(Inner)[kind])
    assert digest(rows_with(Inner)[kind]) != digest(rows_with(OtherInner)[kind])


def test_so_does_what_an_alias_stands_for() -> None:
    """A `type` statement makes such a one from Python 3.12 on."""
    roles, more = (TypeAliasType("Role", kind) for kind in (Literal["a"], Literal["a", "b"]))
    assert shape_of_class(roles) != shape_of_class(more)
    assert shape_of_class(list[roles]) == shape_of_class(list[TypeAliasType("R", Literal["a"])])


def test_plain_rows_are_what_their_schema_is() -> None:
    changed = {**SCHEMA, "description": "another one", "title": "T"}
    assert digest(dict, schema=changed) == digest(dict, schema=SCHEMA)
    stricter = {**SCHEMA, "required": ["id"]}
    assert digest(dict, schema=stricter) != digest(dict, schema=SCHEMA)
    named: Any = {"properties": {"id": {}, "description": {"type": "string"}}}
    unnamed: Any = {"properties": {"id": {}, "description": {}}}
    assert digest(dict, schema=named) != digest(dict, schema=unnamed)


def test_the_names_of_definitions_make_no_difference() -> None:
    def schema(name: str, inner: Any) -> dict[str, Any]:
        again = {"$ref": f"#/$defs/{name}"}
        return {
            "properties": {"id": again, "b": {"items": again}},
            "$defs": {name: {**inner, "properties": {"more": again}}},
        }

    text = {"type": "string"}
    assert digest(dict, schema=schema("A/B", text)) != digest(dict, schema=schema("A", {}))
    assert digest(dict, schema=schema("B", text)) == digest(dict, schema=schema("A", text))


def test_a_model_of_pydantic_without_a_schema() -> None:
    class Odd:
        pass

    class Model(BaseModel, arbitrary_types_allowed=True):
        id: str = Field(description="text")
        odd: Odd | None = None

    assert digest(Model) == digest(Model)


@pytest.mark.parametrize("kind", [*KINDS, "generated", "sets"])
def test_every_process_finds_the_same(kind: str) -> None:
    """No address of an object, no order of a set goes into it."""
    program = f"from {__name__} import of_kind; print(of_kind({kind!r}))"
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {of_kind(kind)}


class Labelled(Struct, frozen=True):
    labels: frozenset[str] = frozenset({"a", "b", "c", "d"})


class Sets(Struct):
    id: str
    labels: frozenset[str] = frozenset({"a", "b", "c", "d"})
    more: tuple[frozenset[str], ...] = (frozenset({"a", "b", "c", "d"}),)
    inner: Labelled = Labelled()


def of_kind(kind: str) -> str:
    if kind == "sets":
        return digest(Sets)
    if kind == "generated":
        return digest_of(minimal.SCHEMA, strict=False)
    return digest(KINDS[kind], schema=SCHEMA)


def test_the_order_of_collections_makes_no_difference() -> None:
    one, two = (
        type("Notes", (StreamDB,), {name: collection(Point, primary_key="id")})("http://s/x").schema
        for name in ("a", "b")
    )
    schemas = [
        StateSchema(name="both", collections=both)
        for both in (
            (*one.collections, *two.collections),
            (*two.collections, *one.collections),
        )
    ]
    assert digest_of(schemas[0], strict=False) == digest_of(schemas[1], strict=False)
