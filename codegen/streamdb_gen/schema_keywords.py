"""Where schemas stand inside a schema of JSON Schema 2020-12, by keyword."""

from __future__ import annotations

from typing import Final

HOLDING_A_SCHEMA: Final = frozenset(
    {
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
HOLDING_A_LIST: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
HOLDING_BY_NAME: Final = frozenset(
    {"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"}
)
