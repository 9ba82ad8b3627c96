"""What the template of `index.ts` prints about collections and actions."""

from __future__ import annotations

from dataclasses import dataclass

from streamdb_gen.ir import Action, Collection, Spec
from streamdb_gen.rendering.documents import (
    Document,
    Hang,
    bracketed,
    lay_out,
)
from streamdb_gen.rendering.marked import Code, code, ident
from streamdb_gen.targets.typescript.comments import Documentation
from streamdb_gen.targets.typescript.literals import (
    key_name,
    lit,
    property_document,
    property_name,
)
from streamdb_gen.targets.typescript.schema_document import input_reference, row_reference
from streamdb_gen.targets.typescript.width import LINE_LENGTH


@dataclass(frozen=True, slots=True)
class CheckedView:
    """A collection or an action: a member of an object whose values are checked by a schema.

    ``member`` is its name in the type of the object, ``key`` the one in the object itself.
    """

    member: Code
    key: Code
    type: str
    properties: tuple[Code, ...]
    documentation: Documentation


def database_documentation(spec: Spec) -> Documentation:
    """What the state schema is for."""
    description = _described(spec.description, f"The database `{spec.name}`.")
    use = (
        "Pass it to `createStreamDB` as `state`. Each collection makes the events that change it: "
        "`insert`, `update`, `upsert` and `delete`."
    )
    return Documentation(f"{description}\n\n{use}")


def collection_views(spec: Spec) -> tuple[CheckedView, ...]:
    """The collections in the order of the spec, with the properties that define them."""
    return tuple(map(_collection_view, spec.collections))


def input_views(spec: Spec) -> tuple[CheckedView, ...]:
    """The actions in the order of the spec, with what checks their input."""
    return tuple(map(_input_view, spec.actions))


def _collection_view(collection: Collection) -> CheckedView:
    key = collection.primary_key.wire_name
    described = _described(collection.description, f"The collection `{collection.wire_name}`.")
    if collection.key == "integer":
        described += f"\n\nIn its rows `createStreamDB` has `{key}` as text, as it is on the wire."
    row = collection.row.name
    return CheckedView(
        member=property_name(collection.wire_name),
        key=key_name(collection.wire_name),
        type=row,
        properties=(
            _schema_property(code("schema"), row, row_reference(collection), 4),
            _property(property_document(code("type"), collection.event_type), 4),
            _property(property_document(code("primaryKey"), key), 4),
        ),
        documentation=Documentation(described),
    )


def _input_view(action: Action) -> CheckedView:
    described = _described(action.description, f"The action `{action.wire_name}`.")
    key, type_ = key_name(action.wire_name), action.input.name
    return CheckedView(
        member=property_name(action.wire_name),
        key=key,
        type=type_,
        properties=(_schema_property(key, type_, input_reference(action), 2),),
        documentation=Documentation(described),
    )


def _described(description: str | None, otherwise: str) -> str:
    return (description or "").strip() or otherwise


def _schema_property(name: Code, type_: str, reference: str, indent: int) -> Code:
    call = code("standardSchema<models.{}>(", ident(type_))
    return _property((name, code(":"), Hang(bracketed(call, [lit(reference)], code(")")))), indent)


def _property(document: Document, indent: int) -> Code:
    return lay_out((document, code(",")), LINE_LENGTH, indent=indent)
