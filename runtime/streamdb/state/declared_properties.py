"""The properties that the JSON Schema of an object declares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from streamdb.protocol.json_text import is_array, is_object
from streamdb.types.faults import steps_of

# By these a schema judges the same value by other ones, not a part of it.
_ONE: Final = ("if", "then", "else", "not")
_LISTS: Final = ("allOf", "anyOf", "oneOf")
_BY_NAME: Final = ("dependentSchemas", "dependencies")


@dataclass(frozen=True, slots=True)
class DeclaredProperties:
    """What a schema says of the properties of an object.

    Attributes:
        names: those that are declared anywhere in it, in their order.
        is_closed: whether an object may have no others.
    """

    names: tuple[str, ...]
    is_closed: bool


def declared_properties(document: Any, pointer: str) -> DeclaredProperties:
    """Find the properties that a schema of a document declares, through all references in it.

    Where a reference is no pointer into the document, nothing is known of them.

    >>> declared_properties({"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"n": {}}}}}, "")
    DeclaredProperties(names=('n',), is_closed=False)
    >>> declared_properties({"properties": {"n": {}}, "additionalProperties": False}, "")
    DeclaredProperties(names=('n',), is_closed=True)
    """
    names: dict[str, None] = {}
    is_closed = False
    try:
        schemas = list(_in_place(document, pointer))
    except LookupError:
        return DeclaredProperties((), is_closed=False)
    for schema, always_holds in schemas:
        own = schema.get("properties")
        names.update(dict.fromkeys(own if is_object(own) else ()))
        closing = (schema.get("additionalProperties"), schema.get("unevaluatedProperties"))
        is_closed |= always_holds and False in closing and "patternProperties" not in schema
    return DeclaredProperties(tuple(names), is_closed)


def _in_place(document: Any, pointer: str) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield the schemas that judge the same value, and whether each must accept it."""
    seen: set[tuple[int, bool]] = set()
    pending = [(_at(document, pointer), True)]
    while pending:
        schema, always_holds = pending.pop(0)
        if not is_object(schema) or (id(schema), always_holds) in seen:
            continue
        seen.add((id(schema), always_holds))
        yield schema, always_holds
        if "$ref" in schema:
            pending.append((_referred(document, schema["$ref"]), always_holds))
        for word in _LISTS:
            inner = schema.get(word)
            items = inner if is_array(inner) else []
            pending += [(item, always_holds and word == "allOf") for item in items]
        pending += [(schema.get(word), False) for word in _ONE]
        for word in _BY_NAME:
            inner = schema.get(word)
            pending += [(item, False) for item in (inner.values() if is_object(inner) else ())]


def _referred(document: Any, reference: Any) -> Any:
    from urllib.parse import unquote  # not above: it is slow to import

    is_pointer = isinstance(reference, str) and (reference == "#" or reference.startswith("#/"))
    target = _at(document, unquote(reference[1:])) if is_pointer else None
    if target is None:
        raise LookupError(reference)
    return target


def _at(document: Any, pointer: str) -> Any:
    for step in steps_of(pointer):
        if is_object(document):
            document = document.get(step)
        elif is_array(document) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document
