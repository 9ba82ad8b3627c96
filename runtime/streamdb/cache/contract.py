"""What a database reads a stream by, as a digest: a cache is of use under the same one only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from streamdb.cache.class_shapes import shape_of_class
from streamdb.cache.schema_shapes import shape_of_schema
from streamdb.state.schema import CollectionSchema, StateSchema


def digest_of(schema: StateSchema, *, strict: bool, upcast: Iterable[str] = ()) -> str:
    """Return the digest of all that decides what becomes of an event.

    That is, for each collection: its type, primary key, kind of updates, and what its rows may be,
    by their class and by their JSON Schema. Descriptions, names of classes and order make no
    difference. The code of a class makes one that cannot be seen, as does that of an upcast: only
    the types that have one are known.
    """
    collections = [_collection(one) for _, one in sorted(schema.by_type.items())]
    text = msgspec.json.encode(
        {"strict": strict, "collections": collections, "upcast": ascii(sorted(upcast))},
        order="sorted",
    )
    return hashlib.sha256(text).hexdigest()


def _collection(schema: CollectionSchema[Any, Any]) -> dict[str, Any]:
    contract = schema.contract
    return {
        "names": ascii([schema.name, schema.type, schema.wire_primary_key]),
        "key": schema.key.__name__,
        "updates": schema.updates,
        "class": shape_of_class(schema.row),
        "contract": contract and shape_of_schema(contract.document, contract.pointer),
    }
