"""A spec of 300 models: objects that refer to each other, with enums, bounds and unions."""

from __future__ import annotations

from typing import Any, Final

MODELS: Final = 300
_COLLECTIONS: Final = 30


def models_spec(models: int = MODELS) -> dict[str, Any]:
    """A spec with so many object definitions, the first of which are rows of collections."""
    return {
        "name": "models",
        "collections": {
            f"things{n}": {
                "type": f"thing-{n}",
                "primaryKey": "id",
                "schema": {"$ref": f"#/$defs/Model{n}"},
            }
            for n in range(_COLLECTIONS)
        },
        "$defs": {f"Model{n}": _model(n, models) for n in range(models)},
    }


def _model(number: int, models: int) -> dict[str, Any]:
    following, other = (number + 1) % models, (number * 7 + 3) % models
    return {
        "type": "object",
        "description": f"The model number {number}, of which there are {models}.",
        "required": ["id", "name", "createdAt", "state"],
        "properties": {
            "id": {"type": "string", "minLength": 1, "maxLength": 64},
            "name": {"type": "string", "description": "What it is called."},
            "createdAt": {"type": "string", "format": "date-time"},
            "state": {"enum": ["new", "open", "done", f"special-{number}"]},
            "count": {"type": "integer", "minimum": 0},
            "ratio": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 20},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "parent": {"$ref": f"#/$defs/Model{other}"},
            "others": {"type": "array", "items": {"$ref": f"#/$defs/Model{following}"}},
            "value": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
            "contact": {"type": "string", "format": "email"},
        },
    }
