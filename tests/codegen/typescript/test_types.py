"""The types of `models.ts`, from the table of spec-format; they compile whatever a spec holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.codegen.typescript.specs import ID, NUMBER, TEXT, row, spec_of
from tests.interop.node import Node
from tests.interop.tsc import compile_strictly

from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    ChoiceType,
    Constraints,
    Field,
    LiteralType,
    MapOf,
    Named,
    Nullable,
    ObjectType,
    Scalar,
    Tag,
    TupleOf,
    Type,
    TypeDefinition,
    UnionType,
)
from streamdb_gen.targets.typescript.package import render_modules

ANY = Scalar("any")


def models(*types: TypeDefinition) -> str:
    """`models.ts` without its comments."""
    lines = render_modules(spec_of(*types))["models.ts"].splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith(("/*", "*")))


def optional(name: str, type_: Type) -> Field:
    return Field(name, name, type_, required=False)


def required(name: str, type_: Type) -> Field:
    return Field(name, name, type_, required=True)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        *((Scalar(kind), "string") for kind in ("string", "date-time", "date", "time", "uuid")),
        *((Scalar(kind), "string") for kind in ("decimal", "bytes")),
        (Scalar("string", format="email"), "string"),
        (Scalar("integer"), "number"),
        (Scalar("number"), "number"),
        (Scalar("boolean"), "boolean"),
        (Scalar("null"), "null"),
        (ANY, "unknown"),
        (Named("Other"), "Other"),
        (Nullable(TEXT), "string | null"),
        (ArrayOf(TEXT), "string[]"),
        (ArrayOf(ArrayOf(Named("Other"))), "Other[][]"),
        (ArrayOf(Nullable(TEXT)), "(string | null)[]"),
        (ArrayOf(Nullable(Named("Other"))), "(Other | null)[]"),
        (Nullable(ArrayOf(TEXT)), "string[] | null"),
        (TupleOf((TEXT, Nullable(NUMBER))), "[string, number | null]"),
        (TupleOf(()), "[]"),
        (ArrayOf(TupleOf((TEXT,))), "[string][]"),
        (MapOf(TEXT), "{ [key: string]: string }"),
        (Nullable(MapOf(MapOf(TEXT))), "{ [key: string]: { [key: string]: string } } | null"),
    ],
)
def test_types_of_properties(type_: Type, expected: str) -> None:
    written = models(row(required("value", type_), optional("other", type_)))
    assert f"  value: {expected};\n  other?: {expected};\n" in written


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (LiteralType("Kind", ("a", -1, True, None)), 'export type Kind = "a" | -1 | true | null;'),
        (AliasType("Names", ArrayOf(TEXT)), "export type Names = string[];"),
        (
            UnionType("Part", (Named("A"), Named("B"))),
            "export type Part = A | B;",
        ),
        (
            ChoiceType("Value", (TEXT, NUMBER, ArrayOf(Named("Value")))),
            "export type Value = string | number | Value[];",
        ),
        # The same in TypeScript.
        (
            ChoiceType("When", (Scalar("date-time"), TEXT, NUMBER)),
            "export type When = string | number;",
        ),
        (ChoiceType("When", (Scalar("date-time"), TEXT)), "export type When = string;"),
    ],
)
def test_named_types(definition: TypeDefinition, expected: str) -> None:
    assert expected in models(row(), definition)


def test_a_tag_is_a_property_with_one_value() -> None:
    tagged = ObjectType("Part", (ID,), closed=False, tag=Tag("kind", "kind", "text"))
    assert 'interface Part {\n  kind: "text";\n  id: string;\n}' in models(row(), tagged)


def test_wire_names_are_kept() -> None:
    field = Field("sentAt", "sent_at", TEXT, required=True)
    quoted = Field("sent by", "sent_by", TEXT, required=False)
    assert 'sentAt: string;\n  "sent by"?: string;' in models(row(field, quoted))


@pytest.mark.parametrize(
    ("fields", "extras", "expected"),
    [
        ([], TEXT, "string"),
        ([required("x", NUMBER)], TEXT, "string | number"),
        ([optional("x", TEXT)], TEXT, "string | undefined"),
        ([optional("x", Nullable(Named("Row")))], TEXT, "string | Row | null | undefined"),
        ([required("x", ANY)], TEXT, "unknown"),
        ([optional("x", NUMBER)], ANY, "unknown"),
    ],
)
def test_undeclared_properties(fields: list[Field], extras: Type, expected: str) -> None:
    assert f"\n  [key: string]: {expected};\n}}" in models(row(*fields, extras=extras))


def test_comments_say_what_types_do_not_show() -> None:
    text = Scalar("string", Constraints(min_length=1, pattern=r"^[0-9]{2}\ \Z"), format="email")
    described = Field("x", "x", Nullable(text), True, "What it is.", default='"a b"')
    labels = ArrayOf(TEXT, Constraints(max_length=3))
    count = Scalar("integer", Constraints(ge=0, lt=10, multiple_of=2))
    encoded = required("encoded", Scalar("bytes"))
    spec = spec_of(row(described, required("labels", labels), required("count", count), encoded))
    assert """\
  /**
   * What it is.
   *
   * @default "a b"
   * @format email
   * @minLength 1
   * @pattern ^[0-9]{2} $
   */
  x: string | null;
  /** @maxItems 3 */
  labels: string[];
  /**
   * @asType integer
   * @minimum 0
   * @exclusiveMaximum 10
   * @multipleOf 2
   */
  count: number;
  /** @contentEncoding base64 */
  encoded: string;
""" in render_modules(spec)["models.ts"]


EVERY_TYPE: list[Type] = [
    TEXT,
    NUMBER,
    ANY,
    Scalar("null"),
    Named("Record"),
    Named("Value"),
    Nullable(Named("Kind")),
    ArrayOf(Nullable(TEXT)),
    TupleOf((TEXT, ArrayOf(NUMBER))),
    TupleOf(()),
    MapOf(Nullable(NUMBER)),
]


@pytest.mark.parametrize("exact", [True, False])
def test_all_of_it_compiles_at_the_strictest(node: Node, tmp_path: Path, exact: bool) -> None:
    """With names of TypeScript's own types, and undeclared properties beside all that there is."""
    names = ["constructor", "__proto__", "new", "readonly", "get", "a-b", "1", "", "日本"]
    names += [f"field{number}" for number in range(len(EVERY_TYPE) - len(names))]
    fields = [required(name, type_) for name, type_ in zip(names, EVERY_TYPE, strict=True)]
    optionals = [optional(field.wire_name, field.type) for field in fields]
    with_extras: list[TypeDefinition] = [
        row(*fields[:count], *optionals[count:], name=f"Extras{number}Of{count}", extras=extras)
        for number, extras in enumerate(EVERY_TYPE)
        for count in (0, len(fields))
    ]
    single: list[TypeDefinition] = [
        row(field, name=f"Single{number}{kind}", extras=TEXT)
        for kind, group in (("Required", fields), ("Optional", optionals))
        for number, field in enumerate(group)
    ]
    own_names: list[TypeDefinition] = [
        row(name=name) for name in ("Record", "Array", "String", "Partial", "StateSchema")
    ]
    recursive: list[TypeDefinition] = [
        ChoiceType("Value", (TEXT, ArrayOf(Named("Value")), MapOf(Named("Value")))),
        AliasType("Nested", ArrayOf(Named("Nested"))),
        AliasType("Tree", MapOf(Nullable(Named("Tree")))),
        LiteralType("Kind", ("a", 1, False)),
    ]
    spec = spec_of(row(*fields), *with_extras, *single, *own_names, *recursive)
    write(tmp_path, render_modules(spec))
    assert compile_strictly(node, tmp_path, exactOptionalPropertyTypes=exact) == []


MISTAKES = """\
import { createStreamDB } from "@durable-streams/state/db";
import { stateSchema, type Row } from "./index.js";

export const good: Row = { id: "1", count: 1 };
stateSchema.rows.insert({ value: good });
stateSchema.rows.insert({ value: { id: "1" } });  // E
stateSchema.rows.insert({ value: { id: "1", count: "1" } });  // E
stateSchema.rows.insert({ value: { id: "1", count: 1, note: undefined } });  // E
stateSchema.rows.upsert({ value: { id: "1", count: 1, note: "n" } }).value?.note?.toUpperCase();
stateSchema.rows.delete({ key: "1", oldValue: { id: 1, count: 1 } });  // E
stateSchema.others;  // E

const db = createStreamDB({ streamOptions: { url: "http://localhost/s" }, state: stateSchema });
const row: Row | undefined = db.collections.rows.get("1");
row?.count.toFixed();
db.collections.rows.get("1")?.cuont;  // E
db.collections.rows.insert({ id: "1" });  // E
db.collections.rows.update("1", (draft) => {
  draft.count += 1;
  draft.note = 1;  // E
});
"""


def test_the_types_reach_the_helpers_of_events(node: Node, tmp_path: Path) -> None:
    spec = spec_of(row(required("count", NUMBER), optional("note", TEXT)))
    write(tmp_path, {**render_modules(spec), "usage.ts": MISTAKES})
    marked = [n for n, line in enumerate(MISTAKES.splitlines(), start=1) if line.endswith("// E")]
    errors = compile_strictly(node, tmp_path)
    found = [int(error.split("(")[1].split(",")[0]) for error in errors if not error[0].isspace()]
    assert found == marked, errors


def write(folder: Path, files: dict[str, Any]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
