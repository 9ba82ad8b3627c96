"""What all sources of the tests come to: a collection of a spec, and instances to be judged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

Json: TypeAlias = Any
"""A JSON value as the standard library reads it."""

DRAFT_2020_12: Final = "https://json-schema.org/draft/2020-12/schema"
DRAFT_2019_09: Final = "https://json-schema.org/draft/2019-09/schema"
DRAFT_7: Final = "http://json-schema.org/draft-07/schema#"

_ROW_ID: Final = "row"
_VALUE: Final = "value"


@dataclass(frozen=True)
class Instance:
    """A row, as JSON text; ``expected`` is the verdict that its source states, if it does."""

    name: str
    text: str
    expected: bool | None = None


@dataclass(frozen=True)
class Original:
    """The schema as its author wrote it, for validators that have nothing to do with the compiler.

    ``documents`` maps addresses to documents; the schema is at ``reference``. ``part`` names the
    property of the row that the schema is about; None is the row.
    """

    reference: str
    documents: Mapping[str, Json] = field(repr=False)
    part: str | None = None

    def subject(self, row: Json) -> Json:
        """What of a row is to be judged."""
        return row if self.part is None else row[self.part]


@dataclass(frozen=True)
class Case:
    """A collection of a spec, which is a file or a document."""

    name: str
    spec: Path | Mapping[str, Json] = field(repr=False)
    collection: str
    original: Original
    instances: tuple[Instance, ...] = ()

    def renamed(self, name: str) -> Case:
        return replace(self, name=name)

    def with_instances(self, *more: Instance) -> Case:
        return replace(self, instances=(*self.instances, *more))


def wrapped(name: str, schema: Json, draft: str) -> Case:
    """Any schema at all as a case: the property `value` of a row.

    ``draft`` is said by the schema itself, for it is a resource of its own.
    """
    own = {"$schema": draft, **schema} if isinstance(schema, dict) else schema
    row = {
        "type": "object",
        "required": ["id", _VALUE],
        "properties": {"id": {"type": "string"}, _VALUE: own},
    }
    collections = {"rows": {"primaryKey": "id", "schema": row}}
    address = "https://agreement.test/schema"
    document = own if isinstance(own, dict) else {"$schema": draft, "allOf": [own]}
    return Case(
        name,
        spec={"name": "wrapped", "collections": collections},
        collection="rows",
        original=Original(address, {address: document}, part=_VALUE),
    )


def wrapped_instance(name: str, value: Json, expected: bool | None = None) -> Instance:
    """A row for a wrapped schema."""
    return Instance(name, json.dumps({"id": _ROW_ID, _VALUE: value}), expected)
