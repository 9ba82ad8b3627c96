"""The promise to hostile text, for TypeScript: it parses, and carries all text as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.codegen.typescript.peer import Definition, Documented, TypeScript

from streamdb_gen import api
from streamdb_gen.ir import Field, LiteralType, ObjectType, Spec
from streamdb_gen.loading import load_spec_text
from streamdb_gen.rendering.characters import escape_hidden
from streamdb_gen.rendering.prose import normalise
from streamdb_gen.targets.typescript.literals import escape_character

# What comments say besides descriptions and defaults.
OWN_TAGS = {"asType", "format", "maxLength", "minLength", "pattern"}


def carries_its_text(document: Mapping[str, Any], typescript: TypeScript) -> bool:
    """Compile a spec and hold the package to it; False if lint refuses the spec."""
    loaded = load_spec_text(json.dumps(document), "hostile.json")
    if loaded.spec is None:
        return False
    files = api.generate(loaded.spec, "typescript")
    for text in files.values():
        text.encode("utf-8")
        assert "</script" not in text.lower()
    assert typescript.errors(files) == []
    assert_exports(typescript.exports(files["index.ts"]), loaded.spec, document)
    types = {found["name"]: found for found in typescript.types(files["models.ts"])}
    assert list(types) == [definition.name for definition in loaded.spec.types]
    for definition in loaded.spec.types:
        found = types[definition.name]
        assert_text(found, definition.description)
        if isinstance(definition, LiteralType):
            assert found["literals"] == joined([*definition.values])
        elif isinstance(definition, ObjectType):
            assert_members(found, definition)
    return True


def assert_exports(exports: Mapping[str, Any], spec: Spec, document: Mapping[str, Any]) -> None:
    assert sorted(map(tuple, map(dict.values, exports["collections"]))) == sorted(
        (c.wire_name, c.event_type, c.primary_key.wire_name) for c in spec.collections
    )
    assert sorted(exports["inputs"]) == sorted(action.wire_name for action in spec.actions)
    for part, key in (("collections", "schema"), ("actions", "input")):
        written = exports["jsonSchema"].get(part, {})
        stated = {name: {key: each[key]} for name, each in document.get(part, {}).items()}
        assert written == joined(stated)


def assert_members(found: Definition, definition: ObjectType) -> None:
    tags = [definition.tag] if definition.tag else []
    expected = [(joined(tag.wire_name), False) for tag in tags]
    expected += [(joined(field.wire_name), not field.required) for field in definition.fields]
    members = found["members"]
    assert [(member["name"], member["optional"]) for member in members] == expected
    for tag, member in zip(tags, members, strict=False):
        assert member["literals"] == [joined(tag.value)]
        assert_text(member, tag.description)
    for field, member in zip(definition.fields, members[len(tags) :], strict=True):
        assert_documentation(member, field)


def assert_documentation(member: Documented, field: Field) -> None:
    assert_text(member, field.description)
    tags = [(name, text) for name, text in member["tags"] if name not in OWN_TAGS]
    expected = [] if field.default is None else [("default", field.default)]
    assert [(name, words(text)) for name, text in tags] == [
        (name, words(text)) for name, text in expected
    ]


def assert_text(found: Documented, text: str | None) -> None:
    assert words(visible(text or "")) in words(found["text"])


def words(text: str) -> str:
    """Without white space, our escapes of `@` and `/`, and stars, some of which are margins."""
    return "".join(text.split()).replace("\\@", "@").replace("\\/", "/").replace("*", "")


def visible(text: str) -> str:
    """A description as comments have it."""
    return escape_hidden(normalise(text), keep="\n", escape=escape_character)


def joined(value: Any) -> Any:
    """The value as JSON gives it back: pairs of surrogates are one character."""
    return json.loads(json.dumps(value))
