"""The keywords of JSON Schema since draft-06: the same tables that the compiler has."""

from __future__ import annotations

from collections.abc import Mapping
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

#: The draft of specs.
DRAFT_2020_12: Final = "https://json-schema.org/draft/2020-12/schema"
DRAFT_2019_09: Final = "https://json-schema.org/draft/2019-09/schema"
_DRAFT_07: Final = "http://json-schema.org/draft-07/schema"
_DRAFT_06: Final = "http://json-schema.org/draft-06/schema"

_SINCE_2019_09: Final = _words("""
    $anchor dependentRequired dependentSchemas maxContains minContains prefixItems unevaluatedItems
    unevaluatedProperties
""")
#: For each draft that is read, the keywords of others that it has not. Some validators honour them
#: all the same, some do not.
FOREIGN: Final[Mapping[str, frozenset[str]]] = {
    DRAFT_2020_12: _words("additionalItems dependencies"),
    DRAFT_2019_09: _words("dependencies prefixItems"),
    _DRAFT_07: _SINCE_2019_09,
    _DRAFT_06: _SINCE_2019_09 | _words("else if then"),
}
#: The drafts in which nothing beside a `$ref` has a meaning, and `"$id": "#NAME"` is an anchor.
ONLY_REFERENCE: Final = frozenset({_DRAFT_07, _DRAFT_06})


def is_foreign(keyword: str, value: object, draft: str) -> bool:
    """Tell whether a keyword, as it stands, has no meaning in a draft and one in others."""
    if keyword == "items":
        return isinstance(value, list) and draft == DRAFT_2020_12
    if keyword == "$id":
        is_anchor = isinstance(value, str) and value.startswith("#") and value != "#"
        return is_anchor and draft not in ONLY_REFERENCE
    return keyword in FOREIGN[draft]
