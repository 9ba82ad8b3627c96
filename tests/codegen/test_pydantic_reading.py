"""datamodel-code-generator sees no word of a spec, and what it writes is read with suspicion."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from streamdb_gen import api
from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    Constraints,
    Field,
    LiteralType,
    Named,
    Nullable,
    ObjectType,
    Scalar,
    Tag,
    TypeDefinition,
    UnionType,
)
from streamdb_gen.targets.python.pydantic_rows.blueprint import blueprint
from streamdb_gen.targets.python.pydantic_rows.reading import (
    BASE_CLASS,
    UnexpectedOutputError,
    read_output,
)
from streamdb_gen.targets.python.pydantic_rows.tool import VERSION, run_tool

PROJECT = Path(__file__).parent.parent.parent
KEYWORDS = {
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "anyOf",
    "const",
    "customTypePath",
    "discriminator",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "oneOf",
    "pattern",
    "prefixItems",
    "properties",
    "propertyName",
    "required",
    "type",
}
PLACEHOLDER = re.compile(r"(Type|Part|field|text)\d+|extras|#/\$defs/(Type|Part)\d+")
FIXED = {
    "array",
    "boolean",
    "date",
    "date-time",
    "integer",
    "null",
    "number",
    "object",
    "string",
    "uuid",
    "https://json-schema.org/draft/2020-12/schema",
    "streamdb.pydantic_rows.AwareTime",
    "streamdb.pydantic_rows.Base64Bytes",
    "streamdb.pydantic_rows.DecimalText",
}


def texts_in(value: object) -> set[str]:
    match value:
        case str():
            return {value}
        case list():
            return {text for item in value for text in texts_in(item)}
        case dict():
            return set(value) | {text for item in value.values() for text in texts_in(item)}
        case _:
            return set()


@pytest.mark.parametrize("name", ["everything", "hostile"])
def test_no_word_of_a_spec_reaches_the_tool(name: str) -> None:
    loaded = api.lint(PROJECT / "tests" / "golden" / f"{name}.json")
    assert isinstance(loaded, api.LoadedSpec)
    assert loaded.spec is not None
    document = blueprint(loaded.spec.types).document
    unknown = texts_in(document) - KEYWORDS - FIXED
    assert {text for text in unknown if not PLACEHOLDER.fullmatch(text)} == set()


TYPES: tuple[TypeDefinition, ...] = (
    LiteralType("Role", ("user", 1, None)),
    AliasType("Names", ArrayOf(Scalar("string", Constraints(pattern="^a")))),
    ObjectType(
        "Text", (Field("at", "at", Scalar("date"), True),), False, tag=Tag("k", "k", "text")
    ),
    ObjectType(
        "Node",
        (Field("next", "next", Nullable(Named("Any_")), True),),
        True,
        tag=Tag("k", "k", "node"),
    ),
    UnionType("Any_", (Named("Text"), Named("Node"))),
)


def test_what_the_tool_writes_can_be_read() -> None:
    plan = blueprint(TYPES)
    classes, aliases = read_output(run_tool(plan.document, BASE_CLASS), plan)
    assert (set(classes), set(aliases)) == ({"Text", "Node"}, {"Role", "Names", "Any_"})
    assert (classes["Node"].closed, classes["Text"].closed) == (True, False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from uuid import UUID", "import os"),
        ("from uuid import UUID", "from os import system"),
        ("from uuid import UUID", "from .uuid import UUID"),
        ("from uuid import UUID", "print('hi')"),
        ("from uuid import UUID", "Role = 1"),
        ("from uuid import UUID", "def f(): ..."),
        ("from uuid import UUID", "if True:\n    import os"),
        ("from uuid import UUID", "(("),
        ("class Type1(PydanticRow):", "class Type1(object):"),
        ("class Type1(PydanticRow):", "class Type1(PydanticRow, metaclass=M):"),
        ("class Type1(PydanticRow):", "@decorated\nclass Type1(PydanticRow):"),
        ("class Type1(PydanticRow):", "class Type7(PydanticRow):"),
        ('extra="forbid"', 'extra="allow"'),
        ('extra="forbid"', 'extra="forbid", title="x"'),
        ("    field0: UUID", "    field0: UUID = f()"),
        ("    field0: UUID", "    field0: f()"),
        ("    field0: UUID", "    field0: UUID[int]"),
        ("    field0: UUID", "    field0: Unknown"),
        ("    field0: UUID", '    field0: Literal["not a placeholder"]'),
        ("    field0: UUID", "    field0: Literal[0.5]"),
        ("    field0: UUID", "    field0: Literal[f()]"),
        ("    field0: UUID", "    field0: Annotated[UUID, f()]"),
        ("    field0: UUID", "    field0: Annotated[UUID, Field(default_factory=list)]"),
        ("    field0: UUID", "    field0: Annotated[UUID, Field(pattern='x')]"),
        ("    field0: UUID", "    field0: Annotated[UUID, Field(ge='1')]"),
        ("    field0: UUID", "    field1: UUID"),
        ("    field0: UUID", "    field0: UUID\n    field1: UUID"),
        ("    field0: UUID", "    field0: UUID\n    def f(self): ..."),
        ("    field0: UUID", "    'text'\n    field0: UUID"),
        ('TypeAliasType("Type0"', 'TypeAliasType("Type2"'),
        ('TypeAliasType("Type0"', 'NewType("Type0"'),
        ("Type1.model_rebuild()", "Type1.model_rebuild(force=True)"),
        ("Type1.model_rebuild()", "Type1.other()"),
        ("Type1.model_rebuild()", "Type3.model_rebuild()"),
    ],
)
def test_anything_else_is_refused(old: str, new: str) -> None:
    output = """\
from typing import Annotated, Literal
from uuid import UUID
from pydantic import ConfigDict, Field
from streamdb.pydantic_rows import PydanticRow
from typing_extensions import TypeAliasType
Type0 = TypeAliasType("Type0", Literal["text0"])
class Type1(PydanticRow):
    model_config = ConfigDict(extra="forbid", frozen=True)
    field0: UUID
Type1.model_rebuild()
"""
    plan = blueprint(
        [
            LiteralType("Role", ("user",)),
            ObjectType("Row", (Field("id", "id", Scalar("uuid"), required=True),), closed=True),
        ]
    )
    assert read_output(output, plan)
    assert old in output
    with pytest.raises(UnexpectedOutputError):
        read_output(output.replace(old, new), plan)


def test_the_extra_names_the_version_that_is_asked_for() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert f"datamodel-code-generator=={VERSION}" in project["optional-dependencies"]["gen"]
