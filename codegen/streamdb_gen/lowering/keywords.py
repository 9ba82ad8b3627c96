"""The keywords of a schema: which are known, what they apply to, where schemas stand in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from streamdb_gen.findings import shown
from streamdb_gen.json_equality import identity, integral
from streamdb_gen.json_source import Place
from streamdb_gen.lowering.dialects import Dialect
from streamdb_gen.lowering.foreign_keywords import is_foreign, report_foreign
from streamdb_gen.meta_schema import check_schema, kind_of, near_miss
from streamdb_gen.reporting import Report
from streamdb_gen.schema_keywords import HOLDING_A_LIST, HOLDING_A_SCHEMA, HOLDING_BY_NAME
from streamdb_gen.wrong_kinds import schema_hint

Keywords = Mapping[str, Place]

TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})

# Keywords that only annotate or name; they stand beside anything.
ANNOTATIONS: Final = frozenset(
    {
        "$anchor",
        "$comment",
        "$defs",
        "$id",
        "$schema",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "default",
        "definitions",
        "deprecated",
        "description",
        "examples",
        "readOnly",
        "title",
        "writeOnly",
        "x-streamdb-name",
        "x-streamdb-type",
    }
)

_BOUNDS: Final = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
)
# What each type is constrained by.
APPLICABLE: Final[Mapping[str, frozenset[str]]] = {
    "object": frozenset(
        {
            "additionalProperties",
            "dependencies",
            "dependentRequired",
            "dependentSchemas",
            "maxProperties",
            "minProperties",
            "patternProperties",
            "properties",
            "propertyNames",
            "required",
            "unevaluatedProperties",
        }
    ),
    "array": frozenset(
        {
            "additionalItems",
            "contains",
            "items",
            "maxContains",
            "maxItems",
            "minContains",
            "minItems",
            "prefixItems",
            "unevaluatedItems",
            "uniqueItems",
        }
    ),
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "integer": _BOUNDS | {"format"},
    "number": _BOUNDS | {"format"},
    "boolean": frozenset(),
    "null": frozenset(),
}
# Keywords that judge values of every type.
UNIVERSAL: Final = frozenset(
    {"$ref", "allOf", "anyOf", "const", "else", "enum", "if", "not", "oneOf", "then", "type"}
)
ASSERTIONS: Final = UNIVERSAL.union(*APPLICABLE.values())
_KNOWN: Final = ASSERTIONS | ANNOTATIONS

# Keywords that would change the meaning of a schema and that no type and no validator honours
# here, and what to do instead.
REFUSED: Final[Mapping[str, str]] = {
    "$dynamicAnchor": "refer to `#/$defs/NAME` instead",
    "$dynamicRef": "use `$ref`",
    "$recursiveAnchor": "refer to `#/$defs/NAME` instead",
    "$recursiveRef": "use `$ref`",
    "$vocabulary": "leave it out",
    "id": "a draft-04 schema has to be converted; `$id` is the keyword since draft-06",
    "nullable": 'write "type": ["string", "null"], or `anyOf` with {"type": "null"}',
}

# Where schemas stand inside a schema, in any version of JSON Schema that is read.
SCHEMA: Final = HOLDING_A_SCHEMA | {"additionalItems"}
SCHEMAS: Final = HOLDING_A_LIST | {"items"}
SCHEMAS_BY_NAME: Final = HOLDING_BY_NAME | {"dependencies"}


def subschemas(schema: Place) -> Iterator[Place]:
    """The schemas directly inside a schema; a misplaced value is passed over."""
    for keyword, place in schema.members():
        if keyword in SCHEMA and isinstance(place.value, dict | bool):
            yield place
        elif keyword in SCHEMAS:
            yield from (item for item in place.items() if isinstance(item.value, dict | bool))
        elif keyword in SCHEMAS_BY_NAME:
            for _, inner in place.members():
                if isinstance(inner.value, dict | bool):
                    yield inner


def report_no_schema(place: Place, report: Report) -> None:
    """Say that something is no schema and stands where one does."""
    report.add(
        "SPEC_TYPE",
        place,
        f"expected a schema (an object, or true), found {kind_of(place)}",
        schema_hint(place),
    )


def _misplaced(keyword: str, place: Place) -> Iterator[Place]:
    """What a keyword holds in the place of schemas, and is none."""
    inside: Iterable[Place] = ()
    if keyword in SCHEMAS and isinstance(place.value, list):
        inside = place.items()
    elif keyword in SCHEMA:
        inside = [place]
    elif keyword in SCHEMAS_BY_NAME:
        inside = (inner for _, inner in place.members())
    is_list_fine = keyword == "dependencies"  # the names of required properties
    for inner in inside:
        is_fine = isinstance(inner.value, dict | bool)
        if not is_fine and not (is_list_fine and isinstance(inner.value, list)):
            yield inner


def read_keywords(schema: Place, dialect: Dialect, report: Report) -> Keywords:
    """The keywords of an object schema, after reporting those that are refused or not known.

    A keyword whose value has the wrong shape, or of another dialect, is reported and then treated
    as absent.
    """
    broken = check_schema(schema, report)
    ignores_siblings = dialect.only_reference and schema.get("$ref") is not None
    found: dict[str, Place] = {}
    for keyword, place in schema.members():
        if keyword in _KNOWN:
            is_ignored = ignores_siblings and keyword in ASSERTIONS and keyword != "$ref"
            if keyword in broken or is_ignored:
                continue
            if is_foreign(keyword, place, dialect):
                report_foreign(keyword, place, dialect, report)
            else:
                found[keyword] = place
                for misplaced in _misplaced(keyword, place):
                    report_no_schema(misplaced, report)
        elif keyword in REFUSED:
            message = f"the keyword {shown(keyword)} cannot be compiled"
            report.add("KEYWORD_UNSUPPORTED", place, message, REFUSED[keyword], at_key=True)
        elif not keyword.startswith("x-"):
            _report_unknown(keyword, place, report)
    _report_repeated(found, report)
    return found


def _report_repeated(keywords: Keywords, report: Report) -> None:
    names = set[str]()
    for name, place in strings(keywords.get("required")):
        if name in names:
            message = f"{shown(name)} is listed twice"
            report.add("REQUIRED_DUPLICATE", place, message, "delete one of them")
        names.add(name)
    values = set[str]()
    for place in keywords["enum"].items() if "enum" in keywords else ():
        value = identity(integral(place.value))
        if value in values:
            message = "the value was listed before"
            report.add("ENUM_VALUE_DUPLICATE", place, message, "delete one of them")
        values.add(value)


def _report_unknown(keyword: str, place: Place, report: Report) -> None:
    message = f"JSON Schema knows no keyword {shown(keyword)}"
    near = near_miss(keyword, ASSERTIONS)
    if near is not None:
        report.add("KEYWORD_UNKNOWN", place, message, near, at_key=True)
    else:
        hint = "it is kept and ignored; begin it with `x-` if it is for another tool"
        report.add("KEYWORD_IGNORED", place, message, hint, at_key=True)


def is_understood(schema: Place, keywords: Keywords) -> bool:
    """Whether conclusions can be drawn from the keywords that were read.

    They cannot if one that says what the value is was refused or malformed: reporting what then
    seems to be missing would only repeat the fault.
    """
    return all(
        key in keywords or (key not in _KNOWN and key not in REFUSED) for key, _ in schema.members()
    )


def constraining(keywords: Keywords) -> list[str]:
    """The keywords that constrain, in their order."""
    return [keyword for keyword in keywords if keyword in ASSERTIONS]


def declared_types(type_: Place | None) -> frozenset[str]:
    """The types that a `type` allows: all if there is none, and integers where numbers are."""
    names = {name for name, _ in strings(type_)} & TYPES
    if not names:
        return TYPES
    return frozenset(names | {"integer"} if "number" in names else names)


def strings(place: Place | None) -> tuple[tuple[str, Place], ...]:
    """The strings of an array (or a single string), each with its place."""
    if place is None:
        return ()
    candidates = [place] if isinstance(place.value, str) else list(place.items())
    return tuple((item.value, item) for item in candidates if isinstance(item.value, str))
