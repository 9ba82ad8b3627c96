"""The keywords of one schema: which are known, which are refused, and which say something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streamdb_gen.findings import shown
from streamdb_gen.json_source import Place
from streamdb_gen.meta_schema import check_schema, schema_keywords, suggestion
from streamdb_gen.reporting import Report

Keywords = Mapping[str, Place]

# Keywords that only annotate; they stand beside anything.
ANNOTATIONS: Final = frozenset(
    {
        "$comment",
        "default",
        "deprecated",
        "description",
        "examples",
        "readOnly",
        "title",
        "writeOnly",
        "x-streamdb-name",
    }
)

# Keywords of JSON Schema 2020-12 and draft-07 that are refused, and what to do instead.
UNSUPPORTED: Final[Mapping[str, str]] = {
    "$anchor": "refer to `#/$defs/NAME` instead",
    "$defs": "move the definitions to `$defs` of the spec",
    "$dynamicAnchor": "refer to `#/$defs/NAME` instead",
    "$dynamicRef": "use `$ref`",
    "$id": "leave it out: all references are to `#/$defs/NAME` of this file",
    "$recursiveAnchor": "refer to `#/$defs/NAME` instead",
    "$recursiveRef": "use `$ref`",
    "$schema": "leave it out: schemas are read as 2020-12",
    "$vocabulary": "leave it out",
    "additionalItems": "give all items one schema with `items`",
    "allOf": "write the merged object",
    "contains": "check it in the application",
    "contentEncoding": "say it in `description`",
    "contentMediaType": "say it in `description`",
    "contentSchema": "say it in `description`",
    "definitions": "move the definitions to `$defs` of the spec",
    "dependencies": "check it in the application",
    "dependentRequired": "check it in the application",
    "dependentSchemas": "check it in the application",
    "discriminator": "leave it out: a required `const` property is found without it",
    "else": "use objects that a required `const` property tells apart",
    "id": "leave it out: all references are to `#/$defs/NAME` of this file",
    "if": "use objects that a required `const` property tells apart",
    "maxContains": "check it in the application",
    "minContains": "check it in the application",
    "not": "say what is allowed instead",
    "nullable": 'write "type": ["string", "null"], or `anyOf` with {"type": "null"}',
    "patternProperties": "use `additionalProperties` with one schema for all values",
    "prefixItems": "use an object with a property for each item",
    "propertyNames": "check it in the application",
    "then": "use objects that a required `const` property tells apart",
    "unevaluatedItems": "leave it out",
    "unevaluatedProperties": "use `additionalProperties`",
    "uniqueItems": "check it in the application",
}

_BOUNDS: Final = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
)
# What each type is constrained by.
APPLICABLE: Final[Mapping[str, frozenset[str]]] = {
    "object": frozenset(
        {"properties", "required", "additionalProperties", "minProperties", "maxProperties"}
    ),
    "array": frozenset({"items", "minItems", "maxItems"}),
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "integer": _BOUNDS | {"format"},
    "number": _BOUNDS,
    "boolean": frozenset(),
    "null": frozenset(),
}


# Of the refused keywords, those that leave the rest of the schema meaning what it says.
_NOT_DEFINING: Final = UNSUPPORTED.keys() - {
    "$dynamicRef",
    "$recursiveRef",
    "allOf",
    "dependencies",
    "dependentSchemas",
    "else",
    "if",
    "not",
    "nullable",
    "then",
}


def read_keywords(schema: Place, report: Report) -> Keywords:
    """The keywords of an object schema that can be compiled, after reporting all others.

    A keyword whose value has the wrong shape is reported and then treated as absent.
    """
    broken = check_schema(schema, report)
    known = schema_keywords()
    for keyword, place in schema.members():
        if keyword in known or keyword.startswith("x-"):
            continue
        if keyword in UNSUPPORTED:
            message = f"the keyword {shown(keyword)} cannot be compiled"
            report.add("KEYWORD_UNSUPPORTED", place, message, UNSUPPORTED[keyword], at_key=True)
        else:
            message = f"JSON Schema knows no keyword {shown(keyword)}"
            hint = suggestion(keyword, known) or "keys that begin with `x-` are kept and ignored"
            report.add("KEYWORD_UNKNOWN", place, message, hint, at_key=True)
    return {key: place for key, place in schema.members() if key in known and key not in broken}


def is_understood(schema: Place, keywords: Keywords) -> bool:
    """Whether conclusions can be drawn from the keywords that were read.

    They cannot if one that says what the value is was refused, unknown or malformed: reporting what
    then seems to be missing would only repeat the fault.
    """
    return all(
        key in keywords or key.startswith("x-") or key in _NOT_DEFINING
        for key, _ in schema.members()
    )


def refuse_beside(
    main: str, keywords: Keywords, allowed: frozenset[str], report: Report, hint: str
) -> None:
    """Report keywords that constrain, where a schema is already settled by another one."""
    for keyword, place in keywords.items():
        if keyword != main and keyword not in ANNOTATIONS and keyword not in allowed:
            message = f"{shown(keyword)} beside {shown(main)} cannot be compiled"
            report.add("KEYWORD_COMBINATION", place, message, hint, at_key=True)


def refuse_inapplicable(type_name: str, keywords: Keywords, report: Report) -> None:
    """Report keywords that never have an effect on values of a type."""
    fitting = APPLICABLE[type_name] | ANNOTATIONS | {"type"}
    for keyword, place in keywords.items():
        if keyword not in fitting:
            message = f"{shown(keyword)} has no effect on values of type {shown(type_name)}"
            hint = "delete it, or correct the type"
            report.add("KEYWORD_INAPPLICABLE", place, message, hint, at_key=True)


def strings(place: Place | None) -> tuple[tuple[str, Place], ...]:
    """The strings of an array (or a single string), each with its place."""
    if place is None:
        return ()
    candidates = [place] if isinstance(place.value, str) else list(place.items())
    return tuple((item.value, item) for item in candidates if isinstance(item.value, str))
