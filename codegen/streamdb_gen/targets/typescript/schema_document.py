"""The rows and inputs of a spec as one JSON Schema document, in the words that ajv takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import quote, unquote

from streamdb_gen.ir import Action, Collection, Spec
from streamdb_gen.portable_pattern import unicode_pattern
from streamdb_gen.schema_keywords import HOLDING_A_LIST, HOLDING_A_SCHEMA, HOLDING_BY_NAME

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Json = Any  # what `json.loads` returns
Members = dict[str, Json]

# The keywords of JSON Schema 2020-12 that hold no schema. What is no keyword is left out: it means
# nothing, but ajv gives a meaning to some words (`nullable`, `dependencies`, `id`).
_VALUES: Final = frozenset(
    {
        "$comment",
        "$ref",
        "const",
        "contentEncoding",
        "contentMediaType",
        "default",
        "dependentRequired",
        "deprecated",
        "description",
        "enum",
        "examples",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "maxContains",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minContains",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "pattern",
        "readOnly",
        "required",
        "title",
        "type",
        "uniqueItems",
        "writeOnly",
    }
)
_KEYWORDS: Final = HOLDING_A_SCHEMA | HOLDING_A_LIST | HOLDING_BY_NAME | _VALUES
_CONTAINS: Final = ("contains", "minContains", "maxContains")
_PROTO: Final = "__proto__"
_DEPENDENT: Final = "dependentSchemas"
_BRANCHES: Final = ("then", "else")
_PATTERNS: Final = "patternProperties"
_UNEVALUATED: Final = "unevaluatedProperties"
# A pattern that no name matches.
_NO_PROPERTY: Final[Mapping[str, Json]] = {"(?!)": True}
# The keywords of which ajv counts what was evaluated while it checks, and not before.
_CHOOSING: Final = ("anyOf", "oneOf", "if")
_JOINING: Final = (*_CHOOSING, "allOf", "$ref")


@dataclass(frozen=True, slots=True)
class SchemaDocument:
    """The document, the names of the formats that it uses, sorted, and what else it needs."""

    value: Members
    formats: tuple[str, ...]
    #: Whether it asks for multiples.
    multiples: bool


def schema_document(spec: Spec) -> SchemaDocument:
    """Make the document: `collections`, `actions` and `$defs`, as they stand in a spec."""
    source: Members = json.loads(spec.canonical)
    is_bare = "collections" not in source
    frame = {"collections": source} if is_bare else source
    nothing = _free_name(frame.get("$defs", {}))
    rewriting = _Rewriting(
        "#/collections/" if is_bare else "#/",
        f"#/$defs/{nothing}" if f'"{_UNEVALUATED}"' in spec.canonical else None,
    )
    value: Members = {"$schema": _DIALECT}
    value["collections"] = {
        collection.wire_name: {
            "schema": rewriting.schema(frame["collections"][collection.wire_name]["schema"])
        }
        for collection in spec.collections
    }
    if spec.actions:
        value["actions"] = {
            action.wire_name: {
                "input": rewriting.schema(frame["actions"][action.wire_name]["input"])
            }
            for action in spec.actions
        }
    if "$defs" in frame:
        value["$defs"] = rewriting.named_schemas(frame["$defs"])
    rewriting.add_referenced(value, frame)
    if rewriting.starts_empty:
        value.setdefault("$defs", {})[nothing] = {"patternProperties": {**_NO_PROPERTY}}
    return SchemaDocument(value, tuple(sorted(rewriting.formats)), rewriting.multiples)


def row_reference(collection: Collection) -> str:
    """The reference to the schema of a collection's rows in the document."""
    return f"#/collections/{_reference_part(collection.wire_name)}/schema"


def input_reference(action: Action) -> str:
    """The reference to the schema of an action's input in the document."""
    return f"#/actions/{_reference_part(action.wire_name)}/input"


def _reference_part(name: str) -> str:
    return quote(name.replace("~", "~0").replace("/", "~1"), safe="~")


class _Rewriting:
    """Copies schemas; ``root`` is what the references into the document begin with.

    ``nothing`` refers to a schema that evaluates no property, if it counts which ones are.
    """

    def __init__(self, root: str, nothing: str | None) -> None:
        self._root = root
        self._nothing = nothing
        self.starts_empty = False  # whether something refers to nothing
        self._references: list[str] = []
        self.formats: set[str] = set()
        self.multiples = False

    def schema(self, schema: Json) -> Json:
        if not isinstance(schema, dict):
            return schema  # true or false
        members = cast(Members, schema).items()
        copied = {key: self._value(key, value) for key, value in members if _is_keyword(key)}
        copied = _as_ajv_checks_it(copied)
        return copied if self._nothing is None else self._as_ajv_counts(copied, self._nothing)

    def _as_ajv_counts(self, schema: Members, nothing: str) -> Members:
        """The same schema in words of which ajv counts what they evaluate."""
        if "if" in schema:
            schema["if"] = self._starting_empty({"anyOf": [schema["if"]]}, nothing)
            schema |= {branch: _counted(schema.get(branch, True)) for branch in _BRANCHES}
        if _DEPENDENT in schema:
            conditions = map(_if_present, schema.pop(_DEPENDENT).items())
            counted = [self._starting_empty(condition, nothing) for condition in conditions]
            schema["allOf"] = [*schema.get("allOf", ()), *counted]
        is_joined = any(keyword in schema for keyword in _JOINING)
        if _PATTERNS in schema and "additionalProperties" not in schema and is_joined:
            patterns = {_PATTERNS: schema.pop(_PATTERNS)}
            schema["allOf"] = [*schema.get("allOf", ()), patterns]
        return self._starting_empty(schema, nothing)

    def _starting_empty(self, schema: Members, nothing: str) -> Members:
        """The schema, with no property evaluated before its choices are.

        Otherwise ajv holds what they have evaluated of one item for evaluated in the next one.
        """
        if not any(keyword in schema for keyword in _CHOOSING):
            return schema
        self.starts_empty = True
        if "$ref" in schema:
            schema["allOf"] = [*schema.get("allOf", ()), {"$ref": schema.pop("$ref")}]
        return {"$ref": nothing, **schema}

    def named_schemas(self, schemas: Members) -> Members:
        return {name: self.schema(schema) for name, schema in schemas.items()}

    def add_referenced(self, document: Members, source: Members) -> None:
        """Add schemas that are referred to and stand below words that were left out."""
        while self._references:
            tokens = _tokens(self._references.pop())
            if not _stands_in(document, tokens):
                _put(document, tokens, self.schema(_find(source, tokens)))

    def _value(self, keyword: str, value: Json) -> Json:
        if keyword in HOLDING_A_SCHEMA:
            return self.schema(value)
        if keyword in HOLDING_A_LIST:
            return [self.schema(schema) for schema in value]
        if keyword == "patternProperties":
            value = _with_unicode_patterns(value)
        if keyword in HOLDING_BY_NAME:
            return self.named_schemas(value)
        if keyword == "pattern":
            return unicode_pattern(value)
        if keyword == "$ref":
            reference = self._root + value.removeprefix("#/")
            self._references.append(reference)
            return reference
        if keyword == "format":
            self.formats.add(value)
        if keyword == "multipleOf":
            self.multiples = True
        return value


def _is_keyword(key: str) -> bool:
    return key in _KEYWORDS or key.startswith("x-")


def _counted(branch: Json) -> Json:
    """The schema of `then` or `else`, with something to evaluate.

    Otherwise ajv takes what a failed `if` has evaluated for evaluated, or loses what one that held
    has.
    """
    if branch is False:
        return branch
    members = cast(Members, {} if branch is True else branch)
    return {
        **members,
        "patternProperties": {**members.get("patternProperties", {}), **_NO_PROPERTY},
    }


def _if_present(member: tuple[str, Json]) -> Members:
    """A member of `dependentSchemas` as a condition, of which ajv counts what was evaluated."""
    name, schema = member
    has_property = {"type": "object", "required": [name]}  # alone, `required` holds for all others
    return {"if": has_property, "then": _counted(schema), "else": _counted(True)}


def _free_name(taken: Members) -> str:
    """A name for a schema that evaluates nothing, which no other one has."""
    name = "nothing"
    while name in taken:
        name += "_"
    return name


def _as_ajv_checks_it(schema: Members) -> Members:
    """The same schema in words that ajv does not get wrong.

    It finds what an empty array should contain if `prefixItems` stands beside, and looks at no
    property of the name `__proto__`, but for patterns.
    """
    if "contains" in schema and "prefixItems" in schema:
        apart = {keyword: schema.pop(keyword) for keyword in _CONTAINS if keyword in schema}
        schema["allOf"] = [*schema.get("allOf", ()), apart]
    if _PROTO in schema.get("properties", {}):
        others = dict(schema["properties"])
        patterns = {f"^{_PROTO}$": others.pop(_PROTO)}
        schema["properties"] = others
        schema["patternProperties"] = schema.get("patternProperties", {}) | patterns
    return schema


def _with_unicode_patterns(schemas: Members) -> Members:
    """Patterns that would come out alike are kept apart, as they were."""
    patterns = [unicode_pattern(pattern) for pattern in schemas]
    if len(set(patterns)) < len(patterns):
        return schemas
    return dict(zip(patterns, schemas.values(), strict=True))


def _tokens(reference: str) -> list[str]:
    """The steps of a reference into the document: `#/$defs/a~1b` is `$defs`, `a/b`."""
    steps = unquote(reference.removeprefix("#/")).split("/")
    return [step.replace("~1", "/").replace("~0", "~") for step in steps]


def _find(value: Json, tokens: list[str]) -> Json:
    for token in tokens:
        value = value[int(token) if isinstance(value, list) else token]
    return value


def _stands_in(value: Json, tokens: list[str]) -> bool:
    try:
        _find(value, tokens)
    except KeyError:
        return False
    return True


def _put(value: Json, tokens: list[str], schema: Json) -> None:
    *steps, last = tokens
    for step in steps:
        if isinstance(value, dict):
            cast(Members, value).setdefault(step, {})
        value = _find(value, [step])
    value[last] = schema
