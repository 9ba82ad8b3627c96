"""What a schema is called that is referred to where it stands, anywhere in a file.

The name is the one that it has when it is compiled in its place: by the key in `$defs`, or by the
class around it and the way that leads from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Final

from streamdb_gen.json_source import Place, descend, escape_token, split_pointer
from streamdb_gen.lowering.own_words import chosen_class_name
from streamdb_gen.lowering.references import Target
from streamdb_gen.lowering.resources import Key, Resources, key_of
from streamdb_gen.naming import class_name, is_field_name
from streamdb_gen.naming import nested_class_name as nested
from streamdb_gen.reporting import Report


def target_name(
    place: Place, resources: Resources, known: Mapping[Key, Target], report: Report
) -> str:
    """The class name of a schema that no target of the spec is."""
    root = resources.file_root(place.file)
    tokens = split_pointer(place.pointer) or ()
    name = _file_name(place.file)
    if key_of(root) in resources:  # a file that is one schema
        name = chosen_class_name(root, name, report)
    pointer = ""
    at = 0
    while at < len(tokens):
        target = known.get((place.file, pointer))
        name = target.name if target is not None else name
        parent, word = name, tokens[at]
        step = _BY_NAME.get(word) if at + 1 < len(tokens) else None
        if word == "items" and at + 1 < len(tokens) and _is_list(descend(root, f"{pointer}/items")):
            step = _BY_NAME["prefixItems"]  # before 2020-12
        if step is not None:
            at += 1
            pointer += f"/{escape_token(word)}"
            name = step(name, tokens[at])
        else:
            name = nested(name, _WORDS.get(word, word))
        pointer += f"/{escape_token(tokens[at])}"
        at += 1
        here = descend(root, pointer)
        if here is not None:
            name = _own_name(here, parent, name, word, report)
    return name


def _is_list(place: Place | None) -> bool:
    return place is not None and isinstance(place.value, list)


def _file_name(file: str) -> str:
    return class_name(PurePosixPath(file.replace("\\", "/")).name.split(".")[0] or "schema")


def _own_name(schema: Place, parent: str, name: str, word: str, report: Report) -> str:
    """The name by `x-streamdb-name`, which at a property names the field, and so what is inside."""
    chosen = schema.get("x-streamdb-name")
    if chosen is None or not isinstance(chosen.value, str):
        return name
    if word != "properties":
        return chosen_class_name(schema, name, report)
    return nested(parent, chosen.value) if is_field_name(chosen.value) else name


def _position(prefix: str) -> Callable[[str, str], str]:
    def step(name: str, token: str) -> str:
        number = int(token) + 1 if token.isascii() and token.isdecimal() else token
        return nested(name, f"{prefix}{number}")

    return step


_WORDS: Final = {"items": "Item", "additionalItems": "Item", "additionalProperties": "Value"}
_BY_NAME: Final[Mapping[str, Callable[[str, str], str]]] = {
    "$defs": lambda _, key: class_name(key),
    "definitions": lambda _, key: class_name(key),
    "properties": nested,
    "patternProperties": nested,
    "dependentSchemas": nested,
    "dependencies": nested,
    "anyOf": _position("Choice"),
    "oneOf": _position("Choice"),
    "allOf": _position("Part"),
    "prefixItems": _position("Item"),
}
