"""The keywords of JSON Schema since draft-06: the same tables that the compiler has."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TYPES: Final = _words("array boolean integer null number object string")

# Where schemas stand in a schema.
HOLDING_A_SCHEMA: Final = _words("""
    additionalItems additionalProperties contains contentSchema else if items not propertyNames
    then unevaluatedItems unevaluatedProperties
""")
HOLDING_A_LIST: Final = _words("allOf anyOf items oneOf prefixItems")
HOLDING_BY_NAME: Final = _words("""
    $defs definitions dependencies dependentSchemas patternProperties properties
""")

#: Keywords that judge values.
ASSERTIONS: Final = _words("""
    $ref additionalItems additionalProperties allOf anyOf const contains dependencies
    dependentRequired dependentSchemas else enum exclusiveMaximum exclusiveMinimum format if items
    maxContains maxItems maxLength maxProperties maximum minContains minItems minLength
    minProperties minimum multipleOf not oneOf pattern patternProperties prefixItems properties
    propertyNames required then type unevaluatedItems unevaluatedProperties uniqueItems
""")
#: Keywords that only annotate or name.
ANNOTATIONS: Final = _words("""
    $anchor $comment $defs $id $schema contentEncoding contentMediaType contentSchema default
    definitions deprecated description examples readOnly title writeOnly
""")
#: Keywords that would change the meaning of a schema and that nothing honours.
REFUSED: Final = _words("""
    $dynamicAnchor $dynamicRef $recursiveAnchor $recursiveRef $vocabulary id nullable
""")
