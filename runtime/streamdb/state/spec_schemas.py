"""The schemas of a spec file, with every reference in them made a pointer into the file.

A validator that is handed the result resolves nothing on its own: no ``$id`` and no anchor is left
in it, and ``$schema`` only where the draft changes. The compiler resolves by the same rules, and
other files as well.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from urllib.parse import quote, unquote, urljoin

from streamdb import formats
from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.schema_document import without_surrogates
from streamdb.state.schema_keywords import (
    ANNOTATIONS,
    ASSERTIONS,
    HOLDING_A_LIST,
    HOLDING_A_SCHEMA,
    HOLDING_BY_NAME,
    REFUSED,
    TYPES,
)
from streamdb.types.faults import pointer_to

_DRAFT_2020_12: Final = "https://json-schema.org/draft/2020-12/schema"  # that of specs
# The drafts in which nothing beside a `$ref` has a meaning.
_ONLY_REFERENCE: Final = (
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema",
)
_DRAFTS: Final = (
    _DRAFT_2020_12,
    "https://json-schema.org/draft/2019-09/schema",
    *_ONLY_REFERENCE,
)
# What can be referred to stays, beside a `$ref` too.
_KEPT: Final = ("$ref", "definitions", "$defs")

_NEAR: Final = 0.82  # of 1, which is equality: a letter or two are other ones
_STREAMDB_TYPES: Final[Mapping[str, str]] = {"Decimal": formats.DECIMAL, "bytes": formats.BASE64}

#: Called with the pointer of a fault and what it is.
Refuse = Callable[[str, str], NoReturn]


@dataclass(frozen=True, slots=True)
class _Resource:
    """A schema, or the file, from which `#/...` inside it is resolved."""

    root: str
    base: str
    draft: str
    anchors: dict[str, str] = field(default_factory=dict[str, str])


class SpecSchemas:
    """The schemas of a spec, which is changed in place.

    Args:
        spec: plain JSON.
        name: the name of its file.
        schemas: pointers to the schemas that stand in no other one.
        refuse: raises for what is wrong.
    """

    def __init__(self, spec: Any, name: str, schemas: Iterable[str], refuse: Refuse) -> None:
        self._spec = spec
        self._refuse = refuse
        self._resources: dict[str, _Resource] = {}  # that schemas are part of
        self._targets: dict[str, str] = {}  # of schemas with a reference
        self._unresolved: list[str] = []
        whole = _Resource("", f"file:///{quote(without_surrogates(name))}", _DRAFT_2020_12)
        self._by_uri = {whole.base: whole}
        for pointer in schemas:
            self._enter(pointer, whole)
        while self._unresolved:
            self._resolve(self._unresolved.pop())

    def property_types(self, pointer: str, name: str) -> frozenset[str]:
        """Return the types that a required property of a schema may be of; none if it is not one.

        They are looked for through references and `allOf`.
        """
        types, is_required = TYPES, False
        for place, schema in self._parts(pointer):
            properties = schema.get("properties")
            is_required = is_required or name in _items(schema.get("required"))
            if is_object(properties) and name in properties:
                types &= self._types(f"{place}/properties{pointer_to([name])}")
        return types if is_required else frozenset()

    def _types(self, pointer: str) -> frozenset[str]:
        types = TYPES
        for _, schema in self._parts(pointer):
            named = schema.get("type")
            names = [named] if isinstance(named, str) else _items(named)
            if names:
                types &= {"integer", *names} if "number" in names else {*names}
            if "enum" in schema:
                types &= set(map(_type_of, _items(schema["enum"])))
        return types

    def _parts(self, pointer: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the schemas that all hold where one does, with their pointers."""
        pending, seen = [pointer], set[str]()
        while pending:
            place = pending.pop()
            schema = self._at(place)
            if place in seen or not is_object(schema):
                continue
            seen.add(place)
            if place in self._targets:
                pending.append(self._targets[place])
            yield place, schema
            pending += [
                f"{place}/allOf/{index}" for index, _ in enumerate(_items(schema.get("allOf")))
            ]

    def _enter(self, pointer: str, around: _Resource) -> None:
        """Take in a schema and all schemas inside it."""
        pending = [(pointer, around)]
        while pending:
            place, around = pending.pop()
            schema = self._at(place)
            if not is_object(schema):
                self._resources[place] = around
                continue
            self._check_keywords(schema, place)
            own = self._resources[place] = self._own_resource(schema, place, around)
            anchor = schema.pop("$anchor", None)
            if isinstance(anchor, str):
                own.anchors.setdefault(anchor, place)
            if "$ref" in schema:
                self._unresolved.append(place)
                if own.draft in _ONLY_REFERENCE:
                    for name in schema.keys() - _KEPT:
                        del schema[name]
            pending += [(place + steps, own) for steps in _subschemas(schema)]
            pattern = _STREAMDB_TYPES.get(str(schema.get("x-streamdb-type")))
            if pattern is not None:
                schema["allOf"] = [*_items(schema.get("allOf")), {"pattern": pattern}]

    def _own_resource(self, schema: dict[str, Any], pointer: str, around: _Resource) -> _Resource:
        """Return the resource that a schema is part of, which may begin with it."""
        named, identifier = schema.pop("$schema", None), schema.pop("$id", None)
        own = around
        if isinstance(named, str):
            own = _Resource(pointer, around.base, self._known_draft(named, pointer))
            if own.draft != around.draft:
                schema["$schema"] = own.draft
        if not isinstance(identifier, str) or (own.draft in _ONLY_REFERENCE and "$ref" in schema):
            return own
        uri, _, fragment = identifier.partition("#")
        if not uri:  # `$id` of draft-07 was the anchor as well
            around.anchors.setdefault(fragment, pointer)
            return own
        own = _Resource(pointer, _joined(around.base, uri), own.draft)
        self._by_uri.setdefault(own.base, own)
        return own

    def _known_draft(self, named: str, pointer: str) -> str:
        address = named.rstrip("#").partition("://")[2]
        known = (draft for draft in _DRAFTS if draft.partition("://")[2] == address)
        draft = next(known, None)
        if draft is None:
            self._refuse(f"{pointer}/$schema", f"the draft {named!r} is not known")
        return draft

    def _check_keywords(self, schema: Mapping[str, Any], pointer: str) -> None:
        for keyword in schema:
            if keyword in REFUSED:
                self._refuse(pointer + pointer_to([keyword]), "the keyword is not supported")
            if keyword in ASSERTIONS or keyword in ANNOTATIONS or keyword.startswith("x-"):
                continue
            near = difflib.get_close_matches(keyword[:80], ASSERTIONS, n=1, cutoff=_NEAR)
            if near:
                reason = f"JSON Schema knows no such keyword: did you mean `{near[0]}`?"
                self._refuse(pointer + pointer_to([keyword]), reason)

    def _resolve(self, pointer: str) -> None:
        """Make the reference of a schema a pointer."""
        schema, resource = self._at(pointer), self._resources[pointer]
        target = self._target(schema["$ref"], resource)
        if target is None:
            self._refuse(
                f"{pointer}/$ref",
                f"the reference {schema['$ref']!r} leads to no schema in this file: compile the "
                "spec with streamdb-gen; the schema.json of the package that it writes can be read "
                "here",
            )
        self._targets[pointer] = target
        schema["$ref"] = "#" + quote(without_surrogates(target), safe="/~")
        referred, draft = self._at(target), self._resources[target].draft
        if is_object(referred) and draft != resource.draft:
            referred["$schema"] = draft

    def _target(self, reference: Any, around: _Resource) -> str | None:
        """Return the pointer of the schema that is referred to, None if there is none."""
        if not isinstance(reference, str):
            return None
        uri, _, fragment = reference.partition("#")
        resource = self._by_uri.get(_joined(around.base, uri)) if uri else around
        if resource is None:
            return None
        fragment = unquote(fragment, errors="surrogatepass")
        if fragment and not fragment.startswith("/"):
            return resource.anchors.get(fragment)
        pointer = resource.root + pointer_to(_steps(fragment))
        return pointer if self._is_schema(pointer) else None

    def _is_schema(self, pointer: str) -> bool:
        """Tell whether a place can be read as a schema; it need only be somewhere in one."""
        if pointer in self._resources:
            return True
        try:
            value = self._at(pointer)
        except LookupError:
            return False
        above = pointer
        while above and above not in self._resources:
            above = above.rpartition("/")[0]
        if above not in self._resources or not _may_be_one(value):
            return False
        self._enter(pointer, self._resources[above])
        return True

    def _at(self, pointer: str) -> Any:
        """Return what a JSON Pointer points to. Raises LookupError if there is nothing."""
        place = self._spec
        for step in _steps(pointer):
            if is_array(place) and step.isdecimal():
                place = place[int(step)]
            elif is_object(place):
                place = place[step]
            else:
                raise LookupError(pointer)
        return place


def _subschemas(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the pointers of the schemas directly inside a schema."""
    for keyword, value in schema.items():
        at = pointer_to([keyword])
        if keyword in HOLDING_A_SCHEMA and _may_be_one(value):
            yield at
        elif keyword in HOLDING_A_LIST and is_array(value):
            yield from (f"{at}/{index}" for index, item in enumerate(value) if _may_be_one(item))
        elif keyword in HOLDING_BY_NAME and is_object(value):
            yield from (
                at + pointer_to([name]) for name, item in value.items() if _may_be_one(item)
            )


def _may_be_one(schema: Any) -> bool:
    return isinstance(schema, dict | bool)


def _items(value: Any) -> list[Any]:
    """Return the items of an array; what stands in its place is the validator's to refuse."""
    return value if is_array(value) else []


def _joined(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference)
    except ValueError:  # no address at all
        return reference


def _steps(pointer: str) -> list[str]:
    """Take a JSON Pointer apart.

    >>> _steps("/a~1b/0")
    ['a/b', '0']
    """
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _type_of(value: Any) -> str:
    if isinstance(value, str):
        return "string"
    is_whole = isinstance(value, float) and value.is_integer()
    return "integer" if type(value) is int or is_whole else "other"
