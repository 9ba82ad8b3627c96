"""What to write instead of a row that is no object."""

from __future__ import annotations

import json
from typing import Final

from streamdb_gen.ir import ChoiceType, TypeDefinition, UnionType
from streamdb_gen.json_source import JsonValue, Place

_LONGEST: Final = 600  # of a schema that is quoted in a hint
_AN_OBJECT: Final = 'use "type": "object" with `properties`'


def shape_hint(schema: Place, primary_key: Place | None, meaning: TypeDefinition | None) -> str:
    """Say how a row is written whose schema stands for something else.

    Args:
        schema: the schema.
        primary_key: the name of its key.
        meaning: the definition that it leads to; None if it is none.
    """
    if not isinstance(meaning, UnionType | ChoiceType):
        return _AN_OBJECT
    key = primary_key.value if primary_key is not None else None
    key = key if isinstance(key, str) and key else "id"
    name = "value" if key != "value" else "content"
    union = _text(schema.value)
    keys = f'"required": [{_text(key)}, "{name}"]'
    properties = f'"properties": {{{_text(key)}: {{"type": "string"}}, "{name}": {union}}}'
    return (
        "give each kind of row a collection of its own, or put the union into a property: "
        f'"schema": {{"type": "object", {keys}, {properties}}}'
    )


def _text(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else "{...}"
