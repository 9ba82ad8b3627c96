"""Specs made by hand and their packages with pydantic rows, imported from memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from tests.codegen.hostile_specs import imported

from streamdb_gen.ir import (
    Collection,
    Field,
    Named,
    ObjectType,
    Scalar,
    Spec,
    Type,
    TypeDefinition,
)
from streamdb_gen.targets.python.package import render_modules

ID = Field("id", "id", Scalar("string"), required=True)


def field(wire_name: str, type_: Type, name: str = "", *, required: bool = True) -> Field:
    return Field(wire_name, name or wire_name, type_, required)


def row(*fields: Field, name: str = "Row", closed: bool = False) -> ObjectType:
    return ObjectType(name, fields, closed)


def spec_of(*types: TypeDefinition, lax: bool = False) -> Spec:
    """A spec whose collection `rows` holds the last of the types."""
    (*_, last) = types
    assert isinstance(last, ObjectType)
    collection = Collection(
        wire_name="rows",
        name="rows",
        class_name="RowsCollection",
        update_class=f"{last.name}Update",
        event_type="row",
        row=Named(last.name),
        primary_key=last.fields[0],
        key="string",
        updates="replace",
        lax=lax,
    )
    return Spec(
        name="by-hand",
        class_name="ByHand",
        package="by_hand",
        description=None,
        version=None,
        collections=(collection,),
        actions=(),
        types=types,
        canonical="{}",
        digest="sha256:" + "0" * 64,
    )


@contextmanager
def models_of(spec: Spec) -> Iterator[ModuleType]:
    """Import `models.py` of the package with pydantic rows, alone."""
    text = render_modules(spec, "pydantic")["models.py"]
    with imported({"__init__.py": "from . import models", "models.py": text}) as package:
        yield package.models
