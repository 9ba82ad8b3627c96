"""Pydantic rows give the verdict of the schema, construct by construct of the IR."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema
import msgspec
import pydantic
import pytest
from tests.codegen.hostile_specs import imported
from tests.codegen.pydantic_packages import ID, field, models_of, row, spec_of

from streamdb.state.row_kinds import row_kind
from streamdb.types.faults import UNREADABLE
from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    ChoiceType,
    Constraints,
    LiteralType,
    MapOf,
    Named,
    Nullable,
    ObjectType,
    Scalar,
    Spec,
    Tag,
    TupleOf,
    Type,
    TypeDefinition,
    UnionType,
)
from streamdb_gen.targets.python.package import render_modules
from streamdb_gen.targets.python.pydantic_rows.spec import TAKEN, for_pydantic, name_problem

STRING = Scalar("string")
INTEGER = Scalar("integer")
NUMBER = Scalar("number")


@dataclass(frozen=True, kw_only=True)
class Construct:
    """A type of the property `value`, the same as a schema, and values.

    Without a schema, the lists stand for themselves: formats are no matter of ours. Those of the
    bad values that are ``lenient`` are taken by msgspec, unless it reads strictly.
    """

    name: str
    type: Type
    schema: Mapping[str, Any] | bool | None
    good: Sequence[Any]
    bad: Sequence[Any]
    lenient: Sequence[Any] = ()
    types: tuple[TypeDefinition, ...] = ()
    in_msgspec: bool = True


def tagged(name: str, value: str | int, *fields: Any) -> ObjectType:
    return ObjectType(name, fields, closed=False, tag=Tag("kind", "kind", value))


def tagged_schema(value: str | int, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["kind", *properties],
        "properties": {"kind": {"const": value}, **properties},
    }


OPEN = row(field("n", INTEGER), name="Inner")
OPEN_SCHEMA = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
CONSTRUCTS = [
    Construct(
        name="string",
        type=STRING,
        schema={"type": "string"},
        good=["", "5", "e\u0301", "\N{GRINNING FACE}"],
        bad=[5, True, None, [], {}],
    ),
    Construct(
        name="lengths are in code points",
        type=Scalar("string", Constraints(min_length=2, max_length=2)),
        schema={"type": "string", "minLength": 2, "maxLength": 2},
        good=["ab", "\N{GRINNING FACE}" * 2, "e\u0301"],
        bad=["a", "abc", "\N{GRINNING FACE}"],
    ),
    Construct(
        name="patterns are searched",
        type=Scalar("string", Constraints(pattern="b(?!c)")),
        schema={"type": "string", "pattern": "b(?!c)"},
        good=["abab", "b", "b\n"],
        bad=["abc", ""],
    ),
    Construct(
        name="integer",
        type=INTEGER,
        schema={"type": "integer"},
        good=[0, -1, 1.0, 1e3, 10**30, -(10**30), 2**63],
        bad=[1.5, "1", True, None],
    ),
    Construct(
        name="bounds of integers",
        type=Scalar("integer", Constraints(ge=-2, lt=10, multiple_of=2)),
        schema={"type": "integer", "minimum": -2, "exclusiveMaximum": 10, "multipleOf": 2},
        good=[-2, 0, 8, 8.0],
        bad=[-4, 10, 1, 10**30],
    ),
    Construct(
        name="number",
        type=NUMBER,
        schema={"type": "number"},
        good=[0, 1.5, -0.0, 2**60],
        bad=["1", True, None],
    ),
    Construct(
        name="bounds of numbers",
        type=Scalar("number", Constraints(gt=0.5, le=2)),
        schema={"type": "number", "exclusiveMinimum": 0.5, "maximum": 2},
        good=[0.75, 2, 2.0],
        bad=[0.5, 2.5, 3],
    ),
    Construct(
        name="boolean",
        type=Scalar("boolean"),
        schema={"type": "boolean"},
        good=[True, False],
        bad=[0, 1, "true", None],
    ),
    Construct(
        name="null",
        type=Scalar("null"),
        schema={"type": "null"},
        good=[None],
        bad=[0, "", False, {}],
    ),
    Construct(
        name="anything",
        type=Scalar("any"),
        schema=True,
        good=[None, 1, 1.5, "x", [1, {"a": None}], {}],
        bad=[],
    ),
    Construct(
        name="literals",
        type=Named("Lit"),
        schema={"enum": ["a", 1, None]},
        good=["a", 1, 1.0, None],
        bad=["b", 2, "1", False, 0, {}, True],
        types=(LiteralType("Lit", ("a", 1, None)),),
    ),
    Construct(
        name="literals of truth",
        type=Named("Lit"),
        schema={"const": True},
        good=[True],
        bad=[False, "true", None, 1],
        types=(LiteralType("Lit", (True,)),),
    ),
    Construct(
        name="nullable",
        type=Nullable(Scalar("string", Constraints(min_length=1))),
        schema={"type": ["string", "null"], "minLength": 1},
        good=["a", None],
        bad=["", 1],
    ),
    Construct(
        name="array",
        type=ArrayOf(Scalar("integer", Constraints(ge=1)), Constraints(min_length=1, max_length=2)),
        schema={
            "type": "array",
            "items": {"type": "integer", "minimum": 1},
            "minItems": 1,
            "maxItems": 2,
        },
        good=[[1], [1, 2], [1.0]],
        bad=[[], [0], [1, 2, 3], ["1"], {}, "1", None],
    ),
    Construct(
        name="tuple",
        type=TupleOf((Scalar("string", Constraints(min_length=1)), Nullable(INTEGER))),
        schema={
            "type": "array",
            "prefixItems": [{"type": "string", "minLength": 1}, {"type": ["integer", "null"]}],
            "items": False,
            "minItems": 2,
        },
        good=[["a", 1], ["a", None], ["a", 1.0]],
        bad=[[], ["a"], ["", 1], ["a", "1"], ["a", 1, 2], {}, "a1"],
    ),
    Construct(
        name="map",
        type=MapOf(Nullable(INTEGER), Constraints(min_length=1, max_length=2)),
        schema={
            "type": "object",
            "additionalProperties": {"type": ["integer", "null"]},
            "minProperties": 1,
            "maxProperties": 2,
        },
        good=[{"a": 1}, {"": None, "b": 2.0}],
        bad=[{}, {"a": "1"}, {"a": 1, "b": 2, "c": 3}, [], None],
    ),
    Construct(
        name="open object",
        type=Named("Inner"),
        schema=OPEN_SCHEMA,
        good=[{"n": 1}, {"n": 1, "more": None}],
        bad=[{}, {"n": None}, {"n": "1"}, [], None],
        types=(OPEN,),
    ),
    Construct(
        name="closed object",
        type=Named("Inner"),
        schema={**OPEN_SCHEMA, "additionalProperties": False},
        good=[{"n": 1}],
        bad=[{}, {"n": 1, "more": None}],
        types=(row(field("n", INTEGER), name="Inner", closed=True),),
    ),
    Construct(
        name="object with extras",
        type=Named("Inner"),
        schema={**OPEN_SCHEMA, "additionalProperties": {"type": "string", "minLength": 1}},
        good=[{"n": 1}, {"n": 1, "more": "x"}],
        bad=[{"more": "x"}, {"n": 1, "more": ""}, {"n": 1, "more": 1}],
        types=(
            ObjectType(
                "Inner",
                (field("n", INTEGER),),
                closed=False,
                extras=Scalar("string", Constraints(min_length=1)),
            ),
        ),
    ),
    Construct(
        name="object of nothing but extras",
        type=Named("Inner2"),
        schema={"type": "object", "additionalProperties": OPEN_SCHEMA},
        good=[{}, {"a": {"n": 1}}],
        bad=[{"a": {}}, {"a": 1}, []],
        types=(OPEN, ObjectType("Inner2", (), closed=False, extras=Named("Inner"))),
    ),
    Construct(
        name="tagged union",
        type=Named("Either"),
        schema={"oneOf": [tagged_schema("a", x={"type": "integer"}), tagged_schema("b")]},
        good=[{"kind": "a", "x": 1}, {"kind": "b"}, {"kind": "b", "x": "more"}],
        bad=[{"kind": "a"}, {"kind": "a", "x": "1"}, {"kind": "c"}, {"x": 1}, {}, "a", None],
        types=(
            tagged("A", "a", field("x", INTEGER)),
            tagged("B", "b"),
            UnionType("Either", (Named("A"), Named("B"))),
        ),
    ),
    Construct(
        name="union tagged by numbers",
        type=Named("Either"),
        schema={"oneOf": [tagged_schema(1), tagged_schema(2)]},
        good=[{"kind": 1}, {"kind": 2}, {"kind": 2.0}],
        bad=[{"kind": "1"}, {"kind": 3}, {}],
        types=(
            tagged("A", 1),
            tagged("B", 2),
            UnionType("Either", (Named("A"), Named("B"))),
        ),
    ),
    Construct(
        name="a member of a union alone",
        type=Named("A"),
        schema=tagged_schema("a"),
        good=[{"kind": "a"}],
        bad=[{"kind": "b"}, {"kind": None}, {}],
        lenient=[{}],
        types=(tagged("A", "a"),),
    ),
    Construct(
        name="union of anything",
        type=Named("Choice"),
        schema={
            "anyOf": [
                {"type": "integer", "minimum": 1},
                OPEN_SCHEMA,
                {"type": "object", "required": ["s"], "properties": {"s": {"type": "string"}}},
                {"type": "array", "items": {"type": "string"}},
            ]
        },
        good=[1, 2.0, {"n": 1}, {"s": "x"}, {"n": "1", "s": "x"}, [], ["a"]],
        bad=[0, "1", {}, {"n": "1"}, {"s": 1}, [1], None, True],
        types=(
            OPEN,
            row(field("s", STRING), name="Other"),
            ChoiceType(
                "Choice",
                (
                    Scalar("integer", Constraints(ge=1)),
                    Named("Inner"),
                    Named("Other"),
                    ArrayOf(STRING),
                ),
            ),
        ),
    ),
    Construct(
        name="recursion",
        type=Named("Tree"),
        schema={"$ref": "#/$defs/Tree"},
        good=[{"children": []}, {"children": [{"children": []}]}],
        bad=[{}, {"children": [{}]}, {"children": [{"children": [1]}]}],
        types=(
            AliasType("Trees", ArrayOf(Named("Tree"))),
            row(field("children", Named("Trees")), name="Tree"),
        ),
    ),
    Construct(
        name="date-time",
        type=Scalar("date-time"),
        schema=None,
        good=[
            "2026-01-02T03:04:05Z",
            "2026-01-02t03:04:05.123456789z",
            "2026-01-02T03:04:05-23:59",
            "0001-01-01T00:00:00Z",
        ],
        bad=[
            "2026-01-02T03:04:05",
            "2026-02-30T00:00:00Z",
            "2026-01-02",
            1767312000,
            None,
            "2026-01-02 03:04Z",
            "1767312000",
        ],
    ),
    Construct(
        name="date",
        type=Scalar("date"),
        schema=None,
        good=["2026-01-02", "2024-02-29"],
        bad=["2026-02-29", "2026-1-2", "2026-01-02T00:00:00Z", 20000, None],
    ),
    Construct(
        name="uuid",
        type=Scalar("uuid"),
        schema=None,
        good=["12345678-1234-5678-1234-56781234567a", "12345678-1234-5678-1234-56781234567A"],
        bad=["12345678", "", 1, None, "1234567812345678123456781234567a"],
        lenient=["1234567812345678123456781234567a"],
    ),
    Construct(
        name="time",
        type=Scalar("time"),
        schema=None,
        good=["03:04:05Z", "03:04:05.5+01:00"],
        bad=["03:04:05", "24:00:00Z", 3600, None, "03:04Z"],
    ),
    Construct(
        name="decimal",
        type=Scalar("decimal"),
        schema=None,
        good=["1.50", "-0.1", "12345678901234567890.123456789"],
        bad=["", "one", "NaN", "1_0", "1e5", 1.5, 1, None],
        in_msgspec=False,  # which also reads numbers
    ),
    Construct(
        name="bytes",
        type=Scalar("bytes"),
        schema=None,
        good=["", "aGk=", "+/+/"],
        bad=["aGk", "a", "-_-_", " aGk=", 1, None],
    ),
]


def names(constructs: Sequence[Construct]) -> list[str]:
    return [construct.name for construct in constructs]


def spec_with(construct: Construct, *, required: bool = True) -> Spec:
    value = field("value", construct.type, required=required)
    return spec_of(*construct.types, row(ID, value))


JUDGED = [construct for construct in CONSTRUCTS if construct.schema is not None]


@pytest.mark.parametrize("construct", JUDGED, ids=names(JUDGED))
def test_the_lists_are_what_the_schema_says(construct: Construct) -> None:
    document = {
        "properties": {"value": construct.schema},
        "$defs": {
            "Tree": {
                "type": "object",
                "required": ["children"],
                "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
            }
        },
    }
    judge = jsonschema.Draft202012Validator(document)
    assert all(judge.is_valid({"value": value}) for value in construct.good)
    assert not any(judge.is_valid({"value": v}) for v in construct.bad)


@pytest.mark.parametrize("construct", CONSTRUCTS, ids=names(CONSTRUCTS))
def test_the_verdict_of_pydantic(construct: Construct) -> None:
    spec = spec_with(construct)
    with models_of(spec) as models:
        verdicts = {json.dumps(v): reads(models.Row, v) for v in (*construct.good, *construct.bad)}
        assert [text for text, verdict in verdicts.items() if verdict] == [
            json.dumps(value) for value in construct.good
        ]
    (collection,) = for_pydantic(spec).collections
    assert not collection.lax


IN_MSGSPEC = [construct for construct in CONSTRUCTS if construct.in_msgspec]


@pytest.mark.parametrize("construct", IN_MSGSPEC, ids=names(IN_MSGSPEC))
def test_msgspec_gives_the_same_verdict(construct: Construct) -> None:
    files = render_modules(spec_with(construct))
    with imported(files) as package:
        rows = package.SCHEMA.by_name["rows"].rows
        for value in construct.good:
            rows.read(json.dumps({"id": "1", "value": value}).encode())
        for value in construct.bad:
            if value in construct.lenient:
                continue
            with pytest.raises(msgspec.ValidationError):
                rows.read(json.dumps({"id": "1", "value": value}).encode())


@pytest.mark.parametrize("construct", JUDGED, ids=names(JUDGED))
def test_what_is_read_is_written_back(construct: Construct) -> None:
    with models_of(spec_with(construct)) as models:
        rows = row_kind(models.Row, None)
        for value in construct.good:
            read = rows.read(json.dumps({"id": "1", "value": value}).encode())
            assert _is_part(json.loads(rows.write(read))["value"], value)


@pytest.mark.parametrize("construct", CONSTRUCTS, ids=names(CONSTRUCTS))
def test_a_property_may_be_absent(construct: Construct) -> None:
    """Absent is neither null nor written, and null is only what the schema makes it."""
    with models_of(spec_with(construct, required=False)) as models:
        absent = models.Row.model_validate_json('{"id": "1"}')
        assert absent == models.Row(id="1", value=absent.value)
        assert absent.model_dump_json() == '{"id":"1"}'
        assert reads(models.Row, None) == (None in construct.good)
        if None in construct.good:
            null = models.Row.model_validate_json('{"id": "1", "value": null}')
            assert null.model_dump_json() == '{"id":"1","value":null}'


def test_rows_are_built_by_python_names_and_checked() -> None:
    spec = spec_of(
        LiteralType("Kind", ("x",)),
        tagged("Inner", "i", field("at", Scalar("date-time"))),
        row(ID, field("aKind", Named("Kind"), "a_kind"), field("in", Named("Inner"), "in_")),
    )
    with models_of(spec) as models:
        now = dt.datetime.now(dt.UTC)
        built = models.Row(id="1", a_kind="x", in_=models.Inner(at=now))
        assert built.in_.kind == "i"
        assert set(json.loads(built.model_dump_json())) == {"id", "aKind", "in"}
        for wrong in ({"a_kind": "y"}, {"in_": now}, {"id": 1}, {"a_kind": None}):
            with pytest.raises(pydantic.ValidationError):
                models.Row(**{"id": "1", "a_kind": "x", "in_": built.in_, **wrong})
        with pytest.raises(pydantic.ValidationError):
            built.id = "2"


def test_a_tag_may_have_another_name_in_python() -> None:
    """Pydantic's discriminators are called by one Python name; with two, unions have none."""
    members = (
        ObjectType("A", (), closed=False, tag=Tag("@type", "type", "a")),
        ObjectType("B", (), closed=False, tag=Tag("@type", "type_of_b", "b")),
        UnionType("Either", (Named("A"), Named("B"))),
        ObjectType("C", (), closed=False, tag=Tag("@type", "type", "c")),
        UnionType("Other", (Named("A"), Named("C"))),
    )
    value, other = field("value", Named("Either")), field("other", Named("Other"), required=False)
    with models_of(spec_of(*members, row(ID, value, other))) as models:
        text = '{"id":"1","value":{"@type":"b"},"other":{"@type":"c"}}'
        read = models.Row.model_validate_json(text)
        assert (type(read.value), type(read.other)) == (models.B, models.C)
        assert read == models.Row(id="1", value=models.B(), other=models.C())
        assert read.model_dump_json() == text
        assert not reads(models.Row, {"@type": "c"})


def test_definitions_that_refer_forward_are_complete_at_import() -> None:
    spec = spec_of(
        AliasType("Rows", ArrayOf(Named("Row"))),
        row(field("rows", Named("Rows")), name="Outer"),
        row(ID, field("more", Nullable(Named("Row"))), field("outer", Named("Outer"))),
    )
    with models_of(spec) as models:
        assert models.Outer.__pydantic_complete__
        assert models.Row.__pydantic_complete__


def test_a_choice_may_hold_itself_in_an_object() -> None:
    choice = ChoiceType(
        "Tree", (MapOf(Named("Node"), Constraints(max_length=1)), Named("Node"), STRING)
    )
    spec = spec_of(
        choice,
        row(field("tree", Named("Tree")), name="Node"),
        row(ID, field("value", Named("Tree"))),
    )
    with models_of(spec) as models:
        assert reads(models.Row, {"tree": {"a": {"tree": ""}}})
        assert not reads(models.Row, {"tree": {"a": {"tree": ""}, "b": {"tree": ""}}})


def test_constants_may_be_negative() -> None:
    spec = spec_of(tagged("Inner", -1), row(ID, field("value", Named("Inner"))))
    with models_of(spec) as models:
        assert (reads(models.Row, {"kind": -1}), reads(models.Row, {"kind": 1})) == (True, False)


def test_text_of_a_format_is_checked() -> None:
    mail = Scalar("string", Constraints(max_length=9), format="email")
    key = Scalar("string", format="date")
    spec = spec_of(row(field("day", key), field("mail", Nullable(mail)), field("formats", key)))
    with models_of(spec) as models:
        good = {"day": "2026-01-02", "mail": "m@b.org", "formats": "2026-01-02"}
        read = models.Row.model_validate_json(json.dumps(good))
        assert read.model_dump() == good
        for wrong in ({"day": "2026-01-32"}, {"mail": "m"}, {"mail": "m@example.org"}):
            with pytest.raises(pydantic.ValidationError):
                models.Row.model_validate_json(json.dumps({**good, **wrong}))


def test_names_that_pydantic_has_taken_get_an_underscore_everywhere() -> None:
    taken = {name for name in dir(pydantic.BaseModel) if not name.startswith("_")}
    assert taken <= TAKEN
    fields = [field(name, STRING) for name in sorted(TAKEN)]
    spec = spec_of(row(*fields, field("list", ArrayOf(STRING), required=False)))
    files = render_modules(spec, "pydantic")
    assert "    schema_: Column[str]" in files["columns.py"]
    assert "    schema_: str" in files["models.py"].partition("class RowUpdate")[2]
    assert 'primary_key="construct_"' in files["events.py"]
    with models_of(spec) as models:
        wire = dict.fromkeys(sorted(TAKEN), "x")
        assert models.Row.model_validate_json(json.dumps(wire)).model_dump() == wire


def test_two_fields_of_one_name_are_a_problem() -> None:
    spec = spec_of(row(ID, field("schema", STRING), field("x", STRING, "schema_")))
    problem = name_problem(spec)
    assert problem is not None
    assert problem.message.startswith("Row: `schema` and `x` would both be called schema_")
    assert name_problem(spec_of(row(ID, field("schema", STRING)))) is None


def reads(model: type[pydantic.BaseModel], value: Any) -> bool:
    """Whether the runtime reads a row with the value."""
    try:
        row_kind(model, None).read(json.dumps({"id": "1", "value": value}).encode())
    except UNREADABLE:
        return False
    return True


def _is_part(part: Any, whole: Any) -> bool:
    """Whether a value is another, but for properties of objects that a row does not declare."""
    match part, whole:
        case dict(), dict():
            return all(name in whole and _is_part(part[name], whole[name]) for name in part)
        case list(), list():
            return len(part) == len(whole) and all(map(_is_part, part, whole))
        case _:
            return part == whole and isinstance(part, bool) == isinstance(whole, bool)
