"""Whether a keyword can refuse anything, as it stands in its schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streamdb_gen.json_source import JsonValue
from streamdb_gen.lowering.keywords import Keywords

# Keywords that say something together with another one only.
_COMPANIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "if": ("then", "else"),
    "then": ("if",),
    "else": ("if",),
    "minContains": ("contains",),
    "maxContains": ("contains",),
}
_ANY_SCHEMA: Final = (True, dict[str, JsonValue]())
# Values by which a keyword accepts everything.
_HARMLESS: Final[Mapping[str, tuple[JsonValue, ...]]] = {
    "additionalItems": _ANY_SCHEMA,
    "additionalProperties": _ANY_SCHEMA,
    "dependencies": ({},),
    "dependentRequired": ({},),
    "dependentSchemas": ({},),
    "else": _ANY_SCHEMA,
    "items": _ANY_SCHEMA,
    "minItems": (0,),
    "minLength": (0,),
    "minProperties": (0,),
    "not": (False,),
    "patternProperties": ({},),
    "prefixItems": ([],),
    "properties": ({},),
    "propertyNames": _ANY_SCHEMA,
    "required": ([],),
    "then": _ANY_SCHEMA,
    "unevaluatedItems": _ANY_SCHEMA,
    "unevaluatedProperties": _ANY_SCHEMA,
    "uniqueItems": (False,),
}


def asserts(keyword: str, keywords: Keywords) -> bool:
    """Whether a keyword can refuse anything, as it stands."""
    companion = _COMPANIONS.get(keyword)
    if companion is not None and not any(word in keywords for word in companion):
        return False
    value = keywords[keyword].value
    harmless = _HARMLESS.get(keyword, ())
    return not any(type(value) is type(one) and value == one for one in harmless)
