"""Specs in their intermediate representation, put together by hand."""

from __future__ import annotations

import json
from typing import Any

from streamdb_gen.canonical import canonical_text, digest
from streamdb_gen.ir import Collection, Field, Named, ObjectType, Scalar, Spec, TypeDefinition

TEXT = Scalar("string")
NUMBER = Scalar("number")
ID = Field("id", "id", TEXT, required=True)


def row(*fields: Field, name: str = "Row", **options: Any) -> ObjectType:
    """A row with a primary key, `id`."""
    return ObjectType(name, (ID, *fields), closed=False, **options)


def spec_of(*types: TypeDefinition, schema: Any = True) -> Spec:
    """A spec with one collection, `rows`; its row is the type of the name `Row`."""
    document = {"collections": {"rows": {"type": "row", "primaryKey": "id", "schema": schema}}}
    canonical = canonical_text(json.loads(json.dumps(document)))
    return Spec(
        name="by-hand",
        class_name="ByHand",
        package="by_hand",
        description=None,
        version=None,
        collections=(
            Collection(
                wire_name="rows",
                name="rows",
                class_name="RowsCollection",
                update_class="RowUpdate",
                event_type="row",
                row=Named("Row"),
                primary_key=ID,
                key="string",
                updates="replace",
                pointer="/collections/rows",
            ),
        ),
        actions=(),
        types=types,
        canonical=canonical,
        digest=digest(canonical),
    )
