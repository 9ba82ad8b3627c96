"""Strategies of schemas: what a spec's author may write, from the pieces that the IR knows.

Not every schema that comes out makes sense; the compiler refuses those by a finding.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from hypothesis import strategies as st
from tests.agreement.cases import DRAFT_2020_12, Case, Json, wrapped

from streamdb import formats

Schemas: TypeAlias = st.SearchStrategy[Json]

NAMES: Final = ("a", "b", "kind", "type", "class", "é", "e\u0301x", "\U0001f600", "a b", "_id")
TEXTS: Final = ("", "a", "b", "ab", "é", "e\u0301", "\U0001f600", "2024-02-29", "1", "true")
PATTERNS_OF_TEXT: Final = ("^a", "b$", "^[a-z]+$", "^.{2}$", "[0-9]", "^(a|b)*$", "^[^a]*$")
DEFINITIONS: Final = ("A", "B", "C")

small: Final = st.integers(0, 3)
whole: Final = st.integers(-3, 7)
numbers: Final = whole | st.sampled_from((-1.5, 0.0, 0.1, 0.5, 2.5, 1e300))
constants: Final = (
    st.sampled_from(TEXTS)
    | whole
    | st.booleans()
    | st.none()
    | st.sampled_from((0.5, 2.5, 1.0, [], [1], ["a", None], {}, {"a": 1}, {"kind": "a"}))
)


def _with(type_: str, **keywords: Schemas) -> Schemas:
    """A schema of one type with some of the keywords."""
    return st.fixed_dictionaries({"type": st.just(type_)}, optional=keywords)


texts: Final = _with(
    "string",
    minLength=small,
    maxLength=small,
    pattern=st.sampled_from(PATTERNS_OF_TEXT),
) | st.builds(
    lambda name: {"type": "string", "format": name}, st.sampled_from(sorted(formats.PATTERNS))
)

integers: Final = _with(
    "integer",
    minimum=numbers,
    maximum=numbers,
    exclusiveMinimum=whole,
    exclusiveMaximum=whole,
    multipleOf=st.integers(1, 4),
)
fractions: Final = _with(
    "number",
    minimum=numbers,
    maximum=numbers,
    exclusiveMinimum=numbers,
    exclusiveMaximum=numbers,
    multipleOf=st.sampled_from((0.5, 1, 2)),
)
enumerations: Final = st.lists(
    constants, min_size=1, max_size=4, unique_by=lambda value: (type(value), repr(value))
).map(lambda values: {"enum": values}) | constants.map(lambda value: {"const": value})
references: Final = st.sampled_from(DEFINITIONS).map(lambda name: {"$ref": f"#/$defs/{name}"})
several_types: Final = st.lists(
    st.sampled_from(("string", "integer", "number", "boolean", "null", "array", "object")),
    min_size=2,
    max_size=3,
    unique=True,
).map(lambda types: {"type": types})

plain: Final = st.one_of(
    texts,
    integers,
    fractions,
    enumerations,
    several_types,
    st.sampled_from(({"type": "boolean"}, {"type": "null"}, {}, True)),
)
leaves: Final = plain | references


def arrays(inner: Schemas) -> Schemas:
    return _with(
        "array",
        items=inner | st.just(False),
        minItems=small,
        maxItems=small,
        uniqueItems=st.booleans(),
        prefixItems=st.lists(inner, min_size=1, max_size=2),
        contains=inner,
        maxContains=st.integers(1, 2),
    )


def objects(inner: Schemas) -> Schemas:
    def declared(properties: dict[str, Json], more: dict[str, Json], count: int) -> Json:
        required = list(properties)[:count]
        return {"type": "object", "properties": properties, "required": required, **more}

    more = st.fixed_dictionaries(
        {},
        optional={
            "additionalProperties": inner | st.booleans(),
            "patternProperties": st.dictionaries(st.sampled_from(("^a", "b$")), inner, max_size=1),
            "propertyNames": texts,
            "minProperties": small,
            "maxProperties": small,
            "dependentRequired": st.just({"a": ["b"]}),
            "unevaluatedProperties": st.booleans(),
        },
    )
    properties = st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    return st.builds(declared, properties, more | st.just({}), small)


def maps(inner: Schemas) -> Schemas:
    return _with("object", additionalProperties=inner, minProperties=small, maxProperties=small)


def unions(inner: Schemas) -> Schemas:
    members = st.lists(inner, min_size=1, max_size=3)
    return st.builds(
        lambda keyword, listed: {keyword: listed}, st.sampled_from(("anyOf", "oneOf")), members
    )


def tagged_unions(inner: Schemas) -> Schemas:
    """Objects that are told apart by a constant, or are nearly."""

    def union(tag: str, members: list[tuple[Json, Json]]) -> Json:
        return {
            "oneOf": [
                {
                    **member,
                    "properties": {**member["properties"], tag: {"const": value}},
                    "required": [*dict.fromkeys([*member["required"], tag])],
                }
                for value, member in members
            ]
        }

    values = st.sampled_from(("a", "b", "c", 1, 2, True, None))
    members = st.lists(
        st.tuples(values, objects(inner)), min_size=2, max_size=3, unique_by=lambda m: repr(m[0])
    )
    return st.builds(union, st.sampled_from(("kind", "type")), members)


def composed(inner: Schemas) -> Schemas:
    """Schemas joined, narrowed and negated."""
    both = st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"allOf": parts})
    negated = st.builds(
        lambda base, no: {**base, "not": no} if isinstance(base, dict) else base, inner, inner
    )
    conditional = st.fixed_dictionaries(
        {"if": inner}, optional={"then": inner, "else": inner, "type": st.just("object")}
    )
    nullable = inner.map(lambda schema: {"anyOf": [schema, {"type": "null"}]})
    narrowed = st.builds(lambda ref, more: {**more, **ref}, references, texts | integers)
    return st.one_of(both, negated, conditional, nullable, narrowed)


schemas: Final = st.recursive(
    leaves,
    lambda inner: st.one_of(
        arrays(inner),
        objects(inner),
        objects(inner),
        maps(inner),
        unions(inner),
        tagged_unions(inner),
        composed(inner),
    ),
    max_leaves=6,
)

# A definition refers to others from inside a value only: it is never just another one.
defined: Final = plain | objects(schemas) | arrays(schemas) | maps(schemas) | unions(plain)


@st.composite
def random_schemas(draw: st.DrawFn) -> Case:
    """A random schema as the property of a row, without instances."""
    schema: Any = draw(schemas)
    if not isinstance(schema, dict):
        schema = {"allOf": [schema]}
    definitions = draw(st.fixed_dictionaries(dict.fromkeys(DEFINITIONS, defined)))
    return wrapped("random/schema", {**schema, "$defs": definitions}, DRAFT_2020_12)
