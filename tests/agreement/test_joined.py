"""Schemas whose parts have to be read together: each keyword sees its own schema, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from tests.agreement.agreement import Tally, read_excuses
from tests.agreement.cases import DRAFT_2020_12, Json, wrapped, wrapped_instance
from tests.agreement.joined_schemas import joined_case, sides_for
from tests.agreement.sides import Side

RANDOM = 120
SEED = 5

ROW: Any = {"type": "object", "properties": {"a": {"type": "integer"}}}
B: Any = {"properties": {"b": {}}}
CLOSED: Any = {"unevaluatedProperties": False}
Q: Any = {"type": "object", "properties": {"x": {"type": "integer"}}}
Y: Any = {"type": "object", "properties": {"y": {"type": "integer"}}}
TRUE, ONE = {"enum": [True, "x"]}, {"enum": [1, "x"]}


def of_objects(**keywords: Any) -> Any:
    return {"type": "object", **keywords}


def of_arrays(**keywords: Any) -> Any:
    return {"type": "array", **keywords}


# Each schema with values that it accepts, and values that it refuses.
TOGETHER: list[tuple[Any, list[Json], list[Json]]] = [
    # `items` and `prefixItems` of different schemas
    (of_arrays(minItems=1, allOf=[{"prefixItems": [{}]}, {"items": False}]), [], [["x"], []]),
    (
        of_arrays(allOf=[{"prefixItems": [{"type": "string"}]}, {"items": {"type": "integer"}}]),
        [[]],
        [["x"], [1], ["x", 1]],
    ),
    ({"$ref": "#/$defs/Pair", "items": {"type": "string"}}, [["x"]], [[1, "x"], ["x", 1]]),
    # `properties`, `patternProperties` and `additionalProperties` of different schemas
    (
        of_objects(allOf=[{"properties": {"a": {}}}, {"additionalProperties": False}]),
        [{}],
        [{"a": 1}],
    ),
    (
        of_objects(allOf=[{"patternProperties": {"^a": {}}}, {"additionalProperties": False}]),
        [{}],
        [{"a": 1}],
    ),
    (
        {"allOf": [ROW, {"additionalProperties": {"type": "string"}}]},
        [{}, {"b": "x"}],
        [{"a": 1}, {"a": "x"}, {"b": 1}],
    ),
    (
        {"type": ["object", "string"], "allOf": [B, {"additionalProperties": False}]},
        [{}, "x"],
        [{"b": 1}, 1],
    ),
    # What is required and nowhere declared
    (of_objects(properties={}, required=["b"], additionalProperties=False), [], [{}, {"b": 1}]),
    (
        of_objects(properties={}, required=["b"], additionalProperties={"type": "integer"}),
        [{"b": 1}, {"b": 1, "c": 2}],
        [{}, {"b": "x"}, {"b": 1, "c": "x"}],
    ),
    # `contains` and its numbers, conditions and their consequences
    (of_arrays(allOf=[{"contains": {"type": "null"}}, {"minContains": 2}]), [[None]], [[]]),
    (of_arrays(contains={"type": "null"}, minContains=2), [[None, None, 1]], [[None, 1]]),
    (of_arrays(contains={"type": "null"}, maxContains=1), [[None, 1]], [[None, None], []]),
    ({"allOf": [{"if": {"type": "string"}}, {"then": False}]}, ["x", 1], []),
    # 1 and 1.0 are one number, 1 and true are not
    ({"allOf": [{"properties": {"a": TRUE}}, {"properties": {"a": ONE}}]}, ["x"], [{"a": 1}]),
    (
        of_objects(allOf=[{"properties": {"a": TRUE}}, {"properties": {"a": ONE}}]),
        [{}, {"a": "x"}],
        [{"a": 1}, {"a": True}],
    ),
    ({"allOf": [{"enum": [1, "x"]}, {"enum": [True, "x"]}]}, ["x"], [1, True]),
    ({"allOf": [{"items": {"const": 0}}, {"items": {"const": False}}]}, [[]], [[0], [False]]),
    ({"allOf": [{"const": 1}, {"const": 1.0}]}, [1, 1.0], [True]),
    (of_arrays(uniqueItems=True), [[1, True, "1"], [0, False]], [[1, 1.0], [0.0, 0]]),
    # All bounds hold
    (
        {"allOf": [{"type": "integer", "minimum": 1}, {"minimum": 3, "maximum": 5}]},
        [3, 5],
        [1, 2, 6],
    ),
    (
        {"type": "number", "allOf": [{"exclusiveMinimum": 1}, {"minimum": 1, "maximum": 2}]},
        [1.5, 2],
        [1, 2.5],
    ),
    ({"type": "string", "maxLength": 3, "allOf": [{"maxLength": 1}]}, ["x"], ["xy"]),
    (of_arrays(minItems=1, allOf=[{"minItems": 2}]), [[1, 2]], [[1]]),
    ({"allOf": [{"multipleOf": 2}, {"type": "integer", "multipleOf": 3}]}, [6, 0], [2, 3]),
    ({"allOf": [{"const": "a"}, {"enum": ["a", "b"]}]}, ["a"], ["b"]),
    ({"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}, ["b"], ["a", "c"]),
    # Multiples are those of decimals
    (
        {"type": "number", "multipleOf": 0.01},
        [19.99, 0.07, 1.15, -4.35, 0, 3, 123456789.12, 1e20],
        [0.005, 1e-7, 19.991, 0.0100001],
    ),
    ({"multipleOf": 0.1}, [0.3, 0.7, 1.1, "x"], [0.25]),
    ({"multipleOf": 1e-7}, [3e-7, 1], [1.5e-7]),
    ({"type": "integer", "multipleOf": 1.5}, [3, -6, 0], [2, 5]),
    # `unevaluatedProperties` sees what its own schema applies, and nothing beside it
    ({"allOf": [{**ROW, **CLOSED}, B]}, [{}, {"a": 1}], [{"b": 1}, {"a": 1, "b": 1}]),
    ({"allOf": [ROW, B], **CLOSED}, [{"a": 1, "b": 1}], [{"c": 1}]),
    ({"allOf": [{"allOf": [ROW], **CLOSED}, B]}, [{"a": 1}], [{"b": 1}]),
    ({**ROW, "additionalProperties": True, **CLOSED}, [{"a": 1, "x": 1}], [{"a": "x"}]),
    (of_objects(additionalProperties=True, **CLOSED), [{"x": 1}], []),
    ({"allOf": [{**ROW, "additionalProperties": True}], **CLOSED}, [{"x": 1}], [{"a": "x"}]),
    ({**ROW, "$ref": "#/$defs/Open", **CLOSED}, [{"x": 1}], [{"a": "x"}]),
    ({**ROW, "$ref": "#/$defs/B", **CLOSED}, [{"a": 1, "b": 1}], [{"x": 1}]),
    ({**ROW, "anyOf": [{"additionalProperties": True}, {}], **CLOSED}, [{"x": 1}], [{"a": "x"}]),
    (
        {**ROW, "additionalProperties": True, "unevaluatedProperties": {"type": "string"}},
        [{"x": 1}],
        [{"a": "x"}],
    ),
    ({"if": {**B, "required": ["b"]}, "else": ROW, **CLOSED}, [{"b": 1}, {"a": 1}], [{"c": 1}]),
    ({"if": {**B, "required": ["b"]}, **CLOSED}, [{"b": 1}, {}], [{"b": 1, "a": 1}, {"a": 1}]),
    ({**ROW, "anyOf": [B, {"required": ["a"]}], **CLOSED}, [{"b": 1}, {"a": 1}], [{"c": 1}]),
    (
        {**ROW, "dependentSchemas": {"a": B}, **CLOSED},
        [{"a": 1, "b": 1}, {}],
        [{"b": 1}, {"a": 1, "c": 1}],
    ),
    # What depends on a property concerns no value that has none
    (
        {"dependentSchemas": {"a": {"type": "object", **B}}, **CLOSED},
        [{}, 1, "a", ["a"]],
        [{"b": 1}],
    ),
    (
        {**ROW, "if": {"required": ["a"]}, "then": B, **CLOSED},
        [{"a": 1, "b": 1}],
        [{"b": 1}, {"a": 1, "c": 1}],
    ),
    (
        of_objects(
            properties={"a": {}, "c": {}},
            dependentSchemas={"a": {"properties": {"b": {"type": "integer"}}}},
            **CLOSED,
        ),
        [{}, {"c": 1}, {"a": 1}, {"a": 1, "b": 1}],
        [{"b": 1}, {"a": 1, "b": "x"}, {"a": 1, "d": 1}],
    ),
    # `unevaluatedItems` likewise
    (
        of_arrays(allOf=[{"prefixItems": [{}], "unevaluatedItems": False}, {"items": {}}]),
        [[1]],
        [[1, 2]],
    ),
    (of_arrays(allOf=[{"prefixItems": [{}]}], unevaluatedItems=False), [[1]], [[1, 2]]),
    ({"$ref": "#/$defs/Pair", "unevaluatedItems": False}, [[1, 2]], [[1, 2, 3]]),
    # Names and numbers of properties that are not declared count
    (
        of_objects(properties={"a": {}}, minProperties=2),
        [{"a": 1, "x": 1}, {"x": 1, "y": 1}],
        [{"x": 1}],
    ),
    (of_objects(properties={"a": {}}, maxProperties=1), [{"x": 1}], [{"a": 1, "x": 1}]),
    (of_objects(properties={"a": {}}, propertyNames={"maxLength": 1}), [{"x": 1}], [{"xy": 1}]),
    (
        of_objects(properties={"a": {}}, dependentRequired={"a": ["b"], "x": ["y"]}),
        [{"a": 1, "b": 1}, {"b": 1}, {"x": 1, "y": 1}],
        [{"a": 1}, {"x": 1}],
    ),
    # What stands beside a reference asks for properties that the definition does not declare
    ({"$ref": "#/$defs/Q", "minProperties": 1}, [{"y": 1}], [{}, {"x": "x"}]),
    (
        {"$ref": "#/$defs/Q", "if": {"required": ["z"]}, "else": {"required": ["x"]}},
        [{"z": 1}, {"x": 1}],
        [{}],
    ),
    (
        {"$ref": "#/$defs/Q", "dependentSchemas": {"x": {"required": ["z"]}}},
        [{"x": 1, "z": 2}, {}],
        [{"x": 1}],
    ),
    ({"$ref": "#/$defs/Q", "not": {"maxProperties": 0}}, [{"z": 1}], [{}]),
    ({"allOf": [{"$ref": "#/$defs/Q"}, {"const": {"z": 1}}]}, [{"z": 1}], [{}, {"z": 2}]),
    # Properties that are objects are declared in several places
    (
        {"allOf": [{"$ref": "#/$defs/Outer"}, {"properties": {"q": {**Y, "required": ["y"]}}}]},
        [{"q": {"y": 1}}, {"q": {"x": 1, "y": 1}}, {}],
        [{"q": {"x": 1}}, {"q": {"x": "x", "y": 1}}, {"q": {"y": "x"}}],
    ),
    (
        {"allOf": [{"$ref": "#/$defs/Outer"}, {"properties": {"q": {"required": ["z"]}}}]},
        [{"q": {"z": 1}}],
        [{"q": {}}],
    ),
    (
        {"allOf": [{"$ref": "#/$defs/Circle"}, {"properties": {"next": {"required": ["y"]}}}]},
        [{"next": {"y": 1, "next": {}}}],
        [{"next": {}}],
    ),
    # What stands around objects asks for properties that they do not declare
    (
        {"anyOf": [{"$ref": "#/$defs/Q"}, {"type": "string"}], "required": ["z"]},
        [{"z": 1}, "x"],
        [{"x": 1}],
    ),
    (
        {"oneOf": [Q, Y]},
        [{"x": "x"}, {"y": "x"}, {"x": 1, "y": "x"}],
        [{}, {"x": 1}, {"x": 1, "y": 1}, {"x": "x", "y": "x"}],
    ),
    ({"oneOf": [{"$ref": "#/$defs/Q"}, Y]}, [{"x": "x"}, {"y": "x"}], [{}]),
    (of_arrays(items=Q, contains={"required": ["z"]}), [[{"z": 1}, {}]], [[{"x": 1}], []]),
    (
        of_arrays(items={"$ref": "#/$defs/Q"}, contains={"required": ["z"]}),
        [[{"z": 1}]],
        [[{}]],
    ),
    (of_arrays(items=Q, uniqueItems=True), [[{"z": 1}, {"z": 2}]], [[{}, {}]]),
    (
        of_arrays(items=of_objects(properties={"q": {"$ref": "#/$defs/Q"}}), uniqueItems=True),
        [[{"q": {"z": 1}}, {"q": {"z": 2}}]],
        [[{"q": {}}, {"q": {}}]],
    ),
    (of_arrays(items=Q, enum=[[{"z": 1}], []]), [[{"z": 1}], []], [[{}]]),
    (
        of_objects(
            properties={"a": {"$ref": "#/$defs/Q"}},
            **{"if": {"properties": {"a": {"required": ["z"]}}, "required": ["a"]}},
            **{"else": {"required": ["b"]}},
        ),
        [{"a": {"z": 1}}, {"a": {}, "b": 1}],
        [{"a": {}}, {}],
    ),
    (
        of_objects(properties={"a": Q}, **{"not": {"properties": {"a": {"const": {}}}}}),
        [{"a": {"z": 1}}],
        [{"a": {}}, {}],
    ),
    # A property that any schema declares which holds for the object is kept
    ({"anyOf": [Q, Y]}, [{"x": 1, "y": 2}, {"x": 1, "y": "y"}], [{"x": "x", "y": "y"}, 1]),
    ({"anyOf": [{**Q, "required": ["x"]}, {**Y, "required": ["y"]}]}, [{"x": 1, "y": 2}], [{}]),
    (
        {"anyOf": [Q, of_objects(patternProperties={"^y": {"type": "integer"}})]},
        [{"x": 1, "y": 2}],
        [{"x": "x", "y": "y"}],
    ),
    (
        {"anyOf": [of_arrays(items=Q), of_arrays(items=Y)]},
        [[{"x": 1, "y": 2}]],
        [[{"x": "x"}, {"y": "y"}]],
    ),
    (
        {"anyOf": [Q, {"type": "null"}], "properties": {"y": {"type": "integer"}}},
        [{"x": 1, "y": 2}, None],
        [{"y": "y"}],
    ),
    (
        {"allOf": [{"anyOf": [Q, {"type": "null"}]}, {"anyOf": [Y, {"type": "null"}]}]},
        [{"x": 1, "y": 2}, None],
        [{"x": 1, "y": "y"}],
    ),
    (
        of_objects(properties={"p": Q}, patternProperties={"^p": Y}),
        [{"p": {"x": 1, "y": 2}}],
        [{"p": {"x": 1, "y": "y"}}],
    ),
    (
        of_objects(additionalProperties=Q, allOf=[{"properties": {"p": Y}}]),
        [{"p": {"x": 1, "y": 2}}],
        [{"p": {"x": "x"}}],
    ),
    (of_arrays(items=Q, allOf=[{"items": Y}]), [[{"x": 1, "y": 2}]], [[{"y": "y"}]]),
    (
        {"$ref": "#/$defs/Listed", "anyOf": [{"items": Y}, {"maxItems": 0}]},
        [[{"x": 1, "y": 2}]],
        [[{"x": 1, "y": "y"}]],
    ),
    (
        {
            "type": ["object", "string"],
            "allOf": [{"properties": {"p": Q}}, {"properties": {"q": Y}}],
        },
        [{"p": {"x": 1}, "q": {"y": 2}}, "x"],
        [{"p": {"x": "x"}}, {"q": {"y": "y"}}],
    ),
    (
        of_objects(
            properties={"m": of_objects(additionalProperties=Q)},
            allOf=[{"properties": {"m": of_objects(properties={"p": Y})}}],
        ),
        [{"m": {"p": {"x": 1, "y": 2}, "q": {"x": 1}}}],
        [{"m": {"p": {"y": "y"}}}, {"m": {"q": {"x": "x"}}}],
    ),
    # The class of a schema is needed whole by the schema itself, where it contains itself
    (
        {"$ref": "#/$defs/Tree"},
        [{"next": {"next": {"x": 1}}}, {"next": {"z": 1}, "x": 1}],
        [{"next": {"z": 1}}, {"next": {"z": 1, "next": {"z": 1}}, "x": 1}],
    ),
    # So is one that is joined of schemas without properties
    (
        of_objects(
            properties={"p": of_objects(allOf=[{"required": ["x"]}])},
            required=["p"],
            **{"not": {"properties": {"p": {"not": {"required": ["z"]}}}}},
        ),
        [{"p": {"x": 1, "z": 1}}],
        [{"p": {"x": 1}}, {"p": {"z": 1}}],
    ),
    (
        of_arrays(items={"allOf": [of_objects(required=["x"])]}, uniqueItems=True),
        [[{"x": 1, "z": 1}, {"x": 1}]],
        [[{"x": 1}, {"x": 1}]],
    ),
    # A `not` in another condition asks for what is missing
    (
        of_objects(
            properties={"p": Q},
            required=["p"],
            **{"if": {"properties": {"p": {"not": {"required": ["z"]}}}}},
            then={"required": ["q"]},
        ),
        [{"p": {"z": 1}}, {"p": {}, "q": 1}],
        [{"p": {"x": 1}}],
    ),
    (
        {"$ref": "#/$defs/Mixed", "not": {"not": {"required": ["z"]}}},
        [{"x": 1, "z": 1}, "x"],
        [{"x": 1}],
    ),
    (
        of_objects(
            properties={"p": of_objects(properties={"q": Q})},
            allOf=[{"properties": {"p": {"not": {"properties": {"q": {"required": ["z"]}}}}}}],
        ),
        [{"p": {"q": {"x": 1}}}],
        [{"p": {"q": {"x": 1, "z": 1}}}],
    ),
    # Items that `items` excludes cannot make up the number
    (
        of_arrays(
            prefixItems=[{"type": "integer"}, {"type": ["string", "null"]}],
            items=False,
            minItems=3,
        ),
        [],
        [[1, "a"], [1, "a", 1], []],
    ),
    # A choice is of the type that stands beside it
    ({"type": "array", "anyOf": [True]}, [[1]], [1]),
    ({"type": "null", "anyOf": [{}, {"type": "null"}]}, [None], [1]),
    ({"allOf": [{"$ref": "#/$defs/Either"}, {"type": "string"}]}, ["x"], [1]),
    (
        {"type": "string", "allOf": [{"anyOf": [{"enum": ["x", 1]}, {"enum": ["y", 2]}]}]},
        ["x"],
        [1],
    ),
]
DEFINITIONS: Any = {
    "B": B,
    "Either": {"anyOf": [{"enum": ["x", 1]}, {"enum": ["y", 2]}]},
    "Circle": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Circle"}}},
    "Outer": {"type": "object", "properties": {"q": Q}},
    "Q": Q,
    "Open": {"additionalProperties": True},
    "Listed": of_arrays(items=Q),
    "Mixed": {"type": ["object", "string"], "properties": {"x": {"type": "integer"}}},
    "Tree": of_objects(
        properties={"x": {"type": "integer"}, "next": {"$ref": "#/$defs/Tree"}},
        **{"if": {"properties": {"next": {"required": ["z"]}}, "required": ["next"]}},
        then={"required": ["x"]},
    ),
    "Pair": {"type": "array", "prefixItems": [{}, {}]},
}


@pytest.mark.parametrize(
    ("schema", "valid", "invalid"), TOGETHER, ids=lambda value: str(value)[:80]
)
def test_all_sides_say_the_expected(
    schema: Json, valid: list[Json], invalid: list[Json], sides: tuple[Side, ...]
) -> None:
    case = wrapped("joined/one", {**schema, "$defs": DEFINITIONS}, DRAFT_2020_12).with_instances(
        *(wrapped_instance(str(value), value, expected=True) for value in valid),
        *(wrapped_instance(str(value), value, expected=False) for value in invalid),
    )
    tally = Tally(())
    tally.take(case, sides)
    assert not tally.refused
    assert not tally.disagreements, "\n".join(map(str, tally.disagreements))
    assert not tally.losses.found, "\n".join(map(str, tally.losses.found))


def test_all_sides_agree_on_random_ones(sides: tuple[Side, ...]) -> None:
    tally = Tally(read_excuses())
    for number in range(RANDOM):
        case = joined_case(number, SEED)
        tally.take(case, sides_for(case, sides))
    assert not tally.disagreements, "\n".join(map(str, tally.disagreements))
