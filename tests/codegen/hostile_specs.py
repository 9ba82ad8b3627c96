"""Random specs full of hostile text, and the promise they are held to.

The text of a spec is data: whatever it says, the package compiles, imports, and carries it as data.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.abc
import importlib.machinery
import itertools
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st

from streamdb.types.conversion import dec_hook
from streamdb.types.extensible import record_of
from streamdb_gen import api
from streamdb_gen.ir import Field, LiteralType, ObjectType, Spec
from streamdb_gen.loading import load_spec_text

FRAGMENTS = (
    '"',
    '"""',
    "'",
    "'''",
    "\\",
    "\\\\",
    '\\"',
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\x1b[31m",
    "\x0c000>>> 1 / 0\n",
    "{{ spec }}",
    "{{",
    "}}",
    "{% raw %}",
    "{# no #}",
    "{0}",
    "%s",
    ">>> 1 / 0",
    "\n>>> 1 / 0",
    "... ",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u2028",
    "\x85",
    "\ufeff",
    "\ud800",
    "\udfff",
    "class",
    "None",
    "import os\n",
    "__import__('os')",
    "# type: ignore",
    "# fmt: off",
    "é",
    "日本",
    "\U0001f600",
    "ﬁ",
    "str",
    "Any",
    "self",
    "data",
    "field",
    "a long piece of text with spaces " * 4,
    ")",
    "]",
    ",",
    " = ",
    " | ",
    "f'",
    "\\N{BULLET}",
    "\\u0041",
)
TEXT = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=5).map("".join)
# Names and tags are seldom what lint refuses, so that most specs compile: see HOSTILE_NAMES.
WIRE_TEXT = TEXT.map(lambda text: re.sub("[\ud800-\udfff]", "", text))
FIELD_NAME = WIRE_TEXT.map(lambda text: re.sub(r'["\\\x00-\x1f]', "", text)).filter(bool)
NAME = WIRE_TEXT.filter(bool)


def described(schema: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    extras = st.fixed_dictionaries({}, optional={"description": TEXT, "default": TEXT})
    return st.builds(lambda base, extra: {**base, **extra}, schema, extras)


def objects(
    properties: st.SearchStrategy[dict[str, Any]], *required: str
) -> st.SearchStrategy[dict[str, Any]]:
    members = st.dictionaries(FIELD_NAME, properties, max_size=3)
    return members.map(
        lambda found: {
            "type": "object",
            "required": [*required, *itertools.islice((n for n in found if n not in required), 1)],
            "properties": {**found, **{name: {"type": "string"} for name in required}},
        }
    )


def unions(properties: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    def union(tag: str, values: list[str], members: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "oneOf": [
                {
                    **member,
                    "properties": {**member["properties"], tag: {"const": value}},
                    "required": [tag],
                }
                for value, member in zip(values, members, strict=False)
            ]
        }

    values = st.lists(WIRE_TEXT, min_size=2, max_size=3, unique=True)
    return st.builds(
        union, WIRE_TEXT, values, st.lists(objects(properties), min_size=3, max_size=3)
    )


LEAVES = st.one_of(
    st.just({"type": "string"}),
    st.just({"type": ["integer", "null"]}),
    st.just({}),
    st.just({"$ref": "#/$defs/Common"}),
    st.lists(
        TEXT | st.integers(-5, 5) | st.none() | st.booleans(),
        min_size=1,
        max_size=4,
        unique_by=lambda value: (type(value), value),
    ).map(lambda values: {"enum": values}),
    TEXT.map(lambda value: {"const": value}),
    st.fixed_dictionaries(
        {"type": st.just("string"), "pattern": st.sampled_from(["^a\"'$", "[}{]"])}
    ),
)
SCHEMAS = st.recursive(
    described(LEAVES),
    lambda inner: described(
        st.one_of(
            inner.map(lambda item: {"type": "array", "items": item}),
            inner.map(lambda value: {"type": "object", "additionalProperties": value}),
            objects(inner),
            unions(inner),
        )
    ),
    max_leaves=4,
)
COLLECTIONS = st.fixed_dictionaries(
    {"primaryKey": st.just("id"), "schema": described(objects(SCHEMAS, "id"))},
    optional={"description": TEXT, "type": NAME},
)
ACTIONS = st.fixed_dictionaries(
    {"input": described(objects(SCHEMAS, "id"))}, optional={"description": TEXT}
)
COMPILABLE = st.fixed_dictionaries(
    {
        "name": NAME,
        "collections": st.dictionaries(NAME, COLLECTIONS, min_size=1, max_size=2),
        "$defs": st.just({"Common": {"enum": ["common"], "description": '"""'}}),
    },
    optional={
        "description": TEXT,
        "version": NAME,
        "actions": st.dictionaries(NAME, ACTIONS, max_size=2),
    },
)


def with_property(document: dict[str, Any], name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The spec with one more property in the row of its first collection."""
    row = next(iter(document["collections"].values()))["schema"]
    row["properties"].setdefault(name, schema)
    return document


HOSTILE_NAMES = st.builds(with_property, COMPILABLE, TEXT, described(LEAVES))
SPECS = st.integers(1, 20).flatmap(lambda number: HOSTILE_NAMES if number == 7 else COMPILABLE)


def with_every_text(text: str) -> dict[str, Any]:
    """A spec in which every text is this one."""
    wire = text.encode("utf-8", "ignore").decode()
    row = {
        "type": "object",
        "description": text,
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "description": text},
            "value": {"enum": [text, f"{text} again"], "default": text},
            "constant": {"const": text},
        },
    }
    collection = {"description": text, "type": f"{wire} type", "primaryKey": "id", "schema": row}
    return {
        "name": f"n {wire}",
        "description": text,
        "version": f"1{wire}",
        "collections": {f"c {wire}": collection},
        "actions": {f"a {wire}": {"description": text, "input": row}},
    }


def carries_its_text(document: Mapping[str, Any]) -> bool:
    """Compile a spec and hold the package to it; False if lint refuses the spec."""
    loaded = load_spec_text(json.dumps(document), "hostile.json")
    if loaded.spec is None:
        assert any(finding.severity == "error" for finding in loaded.findings)
        return False
    files = api.generate(loaded.spec)
    for text in files.values():
        text.encode("utf-8")
    assert json.loads(files["schema.json"]) == json.loads(json.dumps(document))
    for name, text in files.items():
        if name.endswith(".py"):
            assert_nothing_for_doctest(text)
    with imported(files) as package:
        assert_schema(package, loaded.spec)
        for definition in loaded.spec.types:
            if isinstance(definition, LiteralType):
                assert_values(getattr(package, definition.name), definition)
            elif isinstance(definition, ObjectType):
                assert_class(getattr(package, definition.name), definition)
    assert_field_texts(files["models.py"], loaded.spec)
    return True


def assert_schema(package: ModuleType, spec: Spec) -> None:
    schema = package.SCHEMA
    assert (schema.name, schema.version) == (spec.name, spec.version)
    assert [(c.name, c.type, c.wire_primary_key) for c in schema.collections] == [
        (c.wire_name, c.event_type, c.primary_key.wire_name) for c in spec.collections
    ]
    assert_text(package.__doc__, spec.description)


def assert_values(type_: Any, definition: LiteralType) -> None:
    """Exactly the values of the spec are read, even where the type is no plain `Literal`."""
    for value in definition.values:
        read = msgspec.convert(value, type_)
        assert (type(read), read) == (type(value), value)
    texts = [value for value in definition.values if isinstance(value, str)]
    for other in ("", *(f"{text}\n" for text in texts), *(f"x{text}" for text in texts), 99, 0.5):
        if other not in definition.values:
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert(other, type_)


def assert_class(class_: type[Any], definition: ObjectType) -> None:
    struct = record_of(class_)
    assert struct is not None
    assert [f.encode_name for f in msgspec.structs.fields(struct)] == [
        field.wire_name for field in definition.fields
    ]
    if definition.tag:
        config = struct.__struct_config__
        assert (config.tag_field, config.tag) == (definition.tag.wire_name, definition.tag.value)
        assert getattr(class_, definition.tag.name) == definition.tag.value
    assert_text(class_.__doc__, definition.description)
    msgspec.json.Decoder(struct, dec_hook=dec_hook)


def assert_field_texts(models: str, spec: Spec) -> None:
    """The documentation of fields stands in the source only."""
    classes = {node.name: node for node in ast.parse(models).body if isinstance(node, ast.ClassDef)}
    for definition in spec.types:
        if isinstance(definition, ObjectType):
            texts = dict(_texts_below_fields(classes[definition.name].body))
            for field in definition.fields:
                assert_documentation(texts.get(field.name), field)


def assert_documentation(text: str | None, field: Field) -> None:
    assert_text(text, field.description)
    assert_text(text, field.default)


def assert_text(written: str | None, text: str | None) -> None:
    """The text is there, but for white space and what docstrings do to some characters."""
    if text and _essence(text):
        assert written is not None
        assert _essence(text) in _essence(written)


def assert_nothing_for_doctest(source: str) -> None:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            assert not doctest.DocTestParser().get_examples(str(node.value.value))


def _texts_below_fields(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, below in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield field.target.id, text
                case _:
                    pass


def _essence(text: str) -> str:
    visible = text.encode("utf-8", "backslashreplace").decode().replace("\\>>>", ">>>")
    return "".join(visible.split())


_numbers = itertools.count()


@contextmanager
def imported(files: Mapping[str, str]) -> Iterator[ModuleType]:
    """Import a package from memory, under a name of its own."""
    name = f"hostile_package_{next(_numbers)}"
    finder = _MemoryFinder(name, files)
    sys.meta_path.insert(0, finder)
    try:
        yield importlib.import_module(name)
    finally:
        sys.meta_path.remove(finder)
        for module in [module for module in sys.modules if module.split(".")[0] == name]:
            del sys.modules[module]


class _MemoryFinder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    def __init__(self, package: str, files: Mapping[str, str]) -> None:
        self._sources = {
            package if name == "__init__.py" else f"{package}.{name.removesuffix('.py')}": text
            for name, text in files.items()
            if name.endswith(".py")
        }
        self._package = package

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self._sources:
            return None
        is_package = fullname == self._package
        return importlib.machinery.ModuleSpec(fullname, self, is_package=is_package)

    def get_source(self, fullname: str) -> str:
        return self._sources[fullname]

    def is_package(self, fullname: str) -> bool:
        return fullname == self._package
