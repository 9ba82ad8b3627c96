"""What the templates print about collections: rows, typed columns, keys and keywords of updates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from streamdb_gen.ir import Collection, KeyKind, ObjectType, Spec
from streamdb_gen.rendering.marked import Code, code, ident
from streamdb_gen.targets.python.annotations import Annotations
from streamdb_gen.targets.python.contracts import contract_of
from streamdb_gen.targets.python.models import documentation

_KEYS: Final[dict[KeyKind, Code]] = {"string": code("str"), "integer": code("int")}


@dataclass(frozen=True, slots=True)
class MemberView:
    """One annotated name of a class: ``{name}: {annotation}`` and its documentation."""

    name: str
    annotation: Code
    documentation: str


@dataclass(frozen=True, slots=True)
class ColumnsView:
    """The class of a row's typed columns."""

    name: str
    row: str
    columns: tuple[MemberView, ...]


@dataclass(frozen=True, slots=True)
class UpdateView:
    """The TypedDict of the keywords that ``update`` takes: all fields but the primary key."""

    name: str
    row: str
    fields: tuple[MemberView, ...]


@dataclass(frozen=True, slots=True)
class CollectionView:
    """One collection with the names that belong to it.

    Attributes:
        expect: the parameter of `update`; nothing where a field is called so.
    """

    name: str
    wire_name: str
    event_type: str
    class_name: str
    row: str
    key: Code
    primary_key: str
    columns: str
    update: str
    expect: Code
    options: Code
    description: str


def columns_views(spec: Spec, annotations: Annotations) -> tuple[ColumnsView, ...]:
    """The column classes, one for each type of row."""
    return tuple(
        ColumnsView(
            name=_columns_name(row.name),
            row=row.name,
            columns=tuple(
                MemberView(field.name, annotations.of_column(field), documentation(field))
                for field in row.fields
            ),
        )
        for row in _rows(spec)
    )


def update_views(spec: Spec, annotations: Annotations) -> tuple[UpdateView, ...]:
    """The TypedDicts of updates, one for each type of row and primary key."""
    rows = {row.name: row for row in _rows(spec)}
    views = {
        collection.update_class: UpdateView(
            name=collection.update_class,
            row=collection.row.name,
            fields=tuple(_update_members(collection, rows[collection.row.name], annotations)),
        )
        for collection in spec.collections
    }
    return tuple(views.values())


def _update_members(
    collection: Collection, row: ObjectType, annotations: Annotations
) -> Iterator[MemberView]:
    for field in row.fields:
        if field.name != collection.primary_key.name:
            yield MemberView(field.name, annotations.of_update(field), documentation(field))
    if row.extras is not None:
        yield MemberView(code("extras"), annotations.of_extras(row.extras), "")


def collection_views(spec: Spec) -> tuple[CollectionView, ...]:
    """The collections in the order of the spec."""
    rows = {row.name: row for row in _rows(spec)}
    return tuple(
        _collection_view(collection, rows[collection.row.name]) for collection in spec.collections
    )


def _collection_view(collection: Collection, row: ObjectType) -> CollectionView:
    return CollectionView(
        name=collection.name,
        wire_name=collection.wire_name,
        event_type=collection.event_type,
        class_name=collection.class_name,
        row=collection.row.name,
        key=_KEYS[collection.key],
        primary_key=collection.primary_key.name,
        columns=_columns_name(collection.row.name),
        update=collection.update_class,
        expect=_expect(row),
        options=_options(collection),
        description=(collection.description or "").strip(),
    )


def _expect(row: ObjectType) -> Code:
    if any(field.name == "expect" for field in row.fields):
        return code("")
    return code(", *, expect: {} | UnsetType = UNSET", ident(row.name))


def _options(collection: Collection) -> Code:
    """The arguments of a schema that are not those of most."""
    updates = code(', updates="merge"') if collection.updates == "merge" else code("")
    if not (collection.beyond_type or collection.lax):
        return updates
    contract = contract_of(f"{collection.pointer}/schema", collection.beyond_type)
    return code("{}, contract={}", updates, contract)


def _rows(spec: Spec) -> tuple[ObjectType, ...]:
    names = {collection.row.name for collection in spec.collections}
    return tuple(
        definition
        for definition in spec.types
        if isinstance(definition, ObjectType) and definition.name in names
    )


def _columns_name(row: str) -> str:
    return f"{row}Columns"
