"""What is usually meant by a value of the wrong kind: hints for findings of SPEC_TYPE."""

from __future__ import annotations

import json
from typing import Final

from streamdb_gen.json_source import Place, split_pointer

_TYPES: Final = ("object", "array", "string", "integer", "number", "boolean", "null")
_LONGEST: Final = 80


def schema_hint(place: Place) -> str | None:
    """Say how a schema is written that was given as text."""
    value = place.value
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    keyword = "type" if value in _TYPES else "$ref" if "#" in value or "/" in value else None
    return f"write {json.dumps({keyword: value})}" if keyword else None


def kind_hint(place: Place) -> str | None:
    """Say how a member is written that is of another kind than it must be."""
    steps, value = list(split_pointer(place.pointer) or ()), place.value
    if place.pointer == "/collections" and isinstance(value, list):
        return 'give each collection its name: {"messages": {"primaryKey": "id", ...}}'
    if steps[-1:] != ["required"]:
        return None
    if isinstance(value, str) and len(value) <= _LONGEST:
        return f"write {json.dumps([value])}"
    if value is True and steps[-3:-2] == ["properties"] and len(steps[-2]) <= _LONGEST:
        return f'write "required": {json.dumps([steps[-2]])} in the schema around the property'
    return None
