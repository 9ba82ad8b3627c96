"""The schemas of a spec, with every reference in them made a pointer into one document.

A validator that is handed the document resolves nothing on its own: no ``$id`` and no anchor is
left in it, ``$schema`` only where the draft changes, and what is referred to in other files is part
of it. The compiler resolves by the same rules.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, NoReturn
from urllib.parse import quote, unquote

from streamdb import formats
from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.schema_circles import circle, inner_first
from streamdb.state.schema_document import without_surrogates
from streamdb.state.schema_keywords import (
    ANNOTATIONS,
    ASSERTIONS,
    DRAFT_2020_12,
    FOREIGN,
    HOLDING_A_LIST,
    HOLDING_A_SCHEMA,
    HOLDING_BY_NAME,
    ONLY_REFERENCE,
    REFUSED,
    TYPES,
    is_foreign,
)
from streamdb.state.spec_folder import SpecFolder, address_of, joined
from streamdb.types.faults import pointer_to

# What can be referred to stays, beside a `$ref` too.
_KEPT: Final = frozenset({"$ref", "definitions", "$defs"})
# By these a schema judges the same value by another one, not a part of it.
_IN_PLACE: Final = frozenset({
    "allOf", "anyOf", "dependencies", "dependentSchemas", "else", "if", "not", "oneOf", "then"
})  # fmt: skip
_UNEVALUATED: Final = frozenset({"unevaluatedItems", "unevaluatedProperties"})
# jsonschema-rs needs half a second for so many; people's schemas have some hundreds at most.
_MOST_LOOKED_AT: Final = 20_000
# What says where references lead, which is settled in the document.
_NAMING: Final = frozenset({"$schema", "$id", "$anchor"})

_NEAR: Final = 0.82  # of 1, which is equality: a letter or two are other ones
_STREAMDB_TYPES: Final[Mapping[str, str]] = {"Decimal": formats.DECIMAL, "bytes": formats.BASE64}

_SPEC: Final = ""  # the spec itself among the paths of files
_HOLDER: Final = "x-streamdb-files"  # in the document; another name if the spec has this one
# No array is longer; Python refuses to read numbers of thousands of digits.
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}")
_NO_POINTER: Final = re.compile(r"~(?![01])")


class SchemaPlace(NamedTuple):
    """Where a schema stands: the path of the file, empty for the spec, and the pointer in it."""

    file: str
    pointer: str

    def inner(self, *steps: str | int) -> SchemaPlace:
        """Return a place inside this one."""
        return SchemaPlace(self.file, self.pointer + pointer_to(steps))


#: Called with a place, what is wrong there, and what to do.
Refuse = Callable[[SchemaPlace, str, str | None], NoReturn]


@dataclass(frozen=True, slots=True)
class _Resource:
    """A schema, or a file, from which `#/...` inside it is resolved."""

    root: SchemaPlace
    base: str
    draft: str
    anchors: dict[str, SchemaPlace] = field(default_factory=dict[str, SchemaPlace])


class SpecSchemas:
    """The schemas of a spec.

    Args:
        spec: plain JSON.
        name: the name of its file.
        schemas: pointers to the schemas that stand in no other one.
        folder: opens other files.
        refuse: raises for what is wrong.
    """

    def __init__(
        self, spec: Any, name: str, schemas: Iterable[str], folder: SpecFolder, refuse: Refuse
    ) -> None:
        self._refuse = refuse
        self._folder = folder
        self._values: dict[str, Any] = {_SPEC: spec}  # by the path of the file
        self._resources: dict[SchemaPlace, _Resource] = {}  # that schemas are part of
        self._targets: dict[SchemaPlace, SchemaPlace] = {}  # of schemas with a reference
        self._used: set[SchemaPlace] = set()
        self._from_other_drafts: set[SchemaPlace] = set()  # that schemas of others refer to
        self._apart: dict[SchemaPlace, str] = {}  # schemas of other files, by key in the document
        whole = _Resource(SchemaPlace(_SPEC, ""), address_of(name), DRAFT_2020_12)
        self._by_uri = {whole.base: whole}
        self._files: dict[str, _Resource] = {}
        places = [SchemaPlace(_SPEC, pointer) for pointer in schemas]
        for place in places:
            self._enter(place, whole)
        self._use(places)
        self._refuse_circles(places)
        self._refuse_endless_looks(places)
        self._holder = _HOLDER
        while self._holder in spec:
            self._holder += "-"

    # --- what is asked of them ------------------------------------------------------------------

    def document(self) -> dict[str, Any]:
        """Return the spec as one document; what is in other files is beside its own members."""
        whole: dict[str, Any] = self._written(SchemaPlace(_SPEC, ""))
        if self._apart:
            whole[self._holder] = {key: self._written(place) for place, key in self._apart.items()}
        return whole

    def place_of(self, pointer: str) -> SchemaPlace:
        """Return where something in the document comes from."""
        steps = _steps(pointer)
        if steps[:1] == [self._holder]:
            place = next((p for p, key in self._apart.items() if key == steps[1]), None)
            if place is not None:
                return place.inner(*steps[2:])
        return SchemaPlace(_SPEC, pointer)

    def property_types(self, pointer: str, name: str) -> frozenset[str]:
        """Return the types that a required property of a schema may be of; none if it is not one.

        They are looked for through references and `allOf`.
        """
        types, is_required = TYPES, False
        for place, schema in self._parts(SchemaPlace(_SPEC, pointer)):
            properties = schema.get("properties")
            is_required = is_required or name in _items(schema.get("required"))
            if is_object(properties) and name in properties:
                types &= self._types(place.inner("properties", name))
        return types if is_required else frozenset()

    def _types(self, place: SchemaPlace) -> frozenset[str]:
        types = TYPES
        for _, schema in self._parts(place):
            named = schema.get("type")
            names = [named] if isinstance(named, str) else _items(named)
            names = [name for name in names if isinstance(name, str)]
            if names:
                types &= {"integer", *names} if "number" in names else {*names}
            if "enum" in schema:
                types &= set(map(_type_of, _items(schema["enum"])))
            if "const" in schema:
                types &= {_type_of(schema["const"])}
        return types

    def _parts(self, place: SchemaPlace) -> Iterator[tuple[SchemaPlace, dict[str, Any]]]:
        """Yield the schemas that all hold where one does, with their places."""
        pending, seen = [place], set[SchemaPlace]()
        while pending:
            place = pending.pop()
            schema = self._at(place)
            if place in seen or not is_object(schema):
                continue
            seen.add(place)
            if place in self._targets:
                pending.append(self._targets[place])
            members = self._members(place, schema)
            yield place, members
            pending += [
                place.inner("allOf", index) for index, _ in enumerate(_items(members.get("allOf")))
            ]

    # --- where schemas are, and in which resource -----------------------------------------------

    def _enter(self, place: SchemaPlace, around: _Resource) -> None:
        """Take in a schema and all schemas inside it."""
        pending = [(place, around)]
        while pending:
            place, around = pending.pop()
            if place in self._resources:
                continue
            schema = self._at(place)
            own = around
            if is_object(schema):
                own = self._own_resource(schema, place, around)
                for keyword in ("$anchor", "$dynamicAnchor"):
                    anchor = schema.get(keyword)
                    if isinstance(anchor, str):
                        self._name(own, anchor, place, keyword)
                pending += [(inner, own) for inner in _subschemas(schema, place)]
            self._resources[place] = own

    def _own_resource(
        self, schema: Mapping[str, Any], place: SchemaPlace, around: _Resource
    ) -> _Resource:
        """Return the resource that a schema is part of, which may begin with it."""
        named, identifier = schema.get("$schema"), schema.get("$id")
        own = around
        if isinstance(named, str):
            own = _Resource(place, around.base, self._known_draft(named, place))
        if not isinstance(identifier, str) or (own.draft in ONLY_REFERENCE and "$ref" in schema):
            return own
        uri, _, fragment = identifier.partition("#")
        if not uri:  # `$id` of draft-07 was the anchor as well
            if fragment:
                self._name(around, fragment, place, "$id")
            return own
        base = joined(around.base, uri)
        if base is None or fragment:
            reason = f"{_short(identifier)} is no URI without a fragment"
            self._refuse(place.inner("$id"), reason, "correct or delete it")
        own = _Resource(place, base, own.draft)
        if self._by_uri.setdefault(base, own) is not own:
            self._refuse_name(place, "$id", self._by_uri[base].root)
        return own

    def _name(self, resource: _Resource, anchor: str, place: SchemaPlace, keyword: str) -> None:
        other = resource.anchors.setdefault(anchor, place)
        if other != place:
            self._refuse_name(place, keyword, other)

    def _refuse_name(self, place: SchemaPlace, keyword: str, other: SchemaPlace) -> NoReturn:
        where = f"{other.file}#{_cut(other.pointer) or '/'}"
        self._refuse(
            place.inner(keyword),
            f"this identifies the schema at {where} already",
            "give one of the two another identifier, or delete it",
        )

    def _known_draft(self, named: str, place: SchemaPlace) -> str:
        address = named.rstrip("#").partition("://")[2]
        known = (draft for draft in FOREIGN if draft.partition("://")[2] == address)
        draft = next(known, None)
        if draft is None:
            hint = "known are 2020-12, 2019-09, draft-07 and draft-06"
            self._refuse(place.inner("$schema"), f"the draft {_short(named)} is not known", hint)
        return draft

    # --- what is used, and where references lead ------------------------------------------------

    def _use(self, pending: list[SchemaPlace]) -> None:
        """Check schemas and all that they consist of and refer to.

        What only stands in a file that something else is referred to in may say what it likes.
        """
        while pending:
            place = pending.pop()
            schema = self._at(place)
            if place in self._used:
                continue
            self._used.add(place)
            if not is_object(schema):
                continue
            self._check_keywords(schema, place)
            if "$ref" in schema:
                target = self._resolved(schema["$ref"], place)
                self._targets[place] = target
                if self._resources[target].draft != self._resources[place].draft:
                    self._from_other_drafts.add(target)
                if target.file != _SPEC:
                    self._apart.setdefault(target, f"{target.file}#{target.pointer}")
                pending.append(target)
            pending += _subschemas(self._members(place, schema), place)

    def _check_keywords(self, schema: dict[str, Any], place: SchemaPlace) -> None:
        draft = self._resources[place].draft
        members = self._members(place, schema)
        for keyword in schema:
            if keyword in REFUSED:
                self._refuse(place.inner(keyword), "the keyword is not supported", None)
            if keyword in members and is_foreign(keyword, members[keyword], draft):
                version = draft.partition("org/")[2].removesuffix("/schema")
                reason = f"JSON Schema {version} knows no `{keyword}` as it stands here"
                hint = "`streamdb-gen lint` tells what to write instead"
                self._refuse(place.inner(keyword), reason, hint)
            if keyword in ASSERTIONS or keyword in ANNOTATIONS or keyword.startswith("x-"):
                continue
            near = difflib.get_close_matches(keyword[:80], ASSERTIONS, n=1, cutoff=_NEAR)
            if near:
                reason = f"JSON Schema knows no such keyword: did you mean `{near[0]}`?"
                self._refuse(place.inner(keyword), reason, None)

        named = schema.get("type", [])
        for name in [named] if isinstance(named, str) else _items(named):
            if not isinstance(name, str) or name not in TYPES:
                known = f"known are {', '.join(sorted(TYPES))}"
                self._refuse(place.inner("type"), f"{_short(str(name))} is no type", known)

    def _resolved(self, reference: Any, schema: SchemaPlace) -> SchemaPlace:
        """Return where the reference of a schema leads."""
        at = schema.inner("$ref")
        if not isinstance(reference, str):
            self._refuse(at, "a reference is text", "refer to an entry of `$defs`: `#/$defs/NAME`")
        around = self._resources[schema]
        uri, _, fragment = reference.partition("#")
        resource = self._resource(uri, around.base, at, reference) if uri else around
        target = self._in_resource(resource, fragment)
        if target is None or not self._is_schema(target):
            self._refuse(
                at,
                f"the reference {_short(reference)} leads to no schema",
                "refer to an entry of `$defs`: `#/$defs/NAME`",
            )
        return target

    def _refuse_circles(self, places: Iterable[SchemaPlace]) -> None:
        """Refuse schemas that lead back to themselves with the same value: no check would end."""
        found = circle([*places, *self._used], self._applied_in_place)
        if found is None:
            return
        # Nothing contains what it stands in, so some step of a circle is a reference.
        place = next(place for place in reversed(found) if place in self._targets)
        reference = self._at(place)["$ref"]
        self._refuse(
            place.inner("$ref"),
            f"the reference {_short(reference)} leads back here with the same value, so that a "
            "check would never end",
            "take it out, or refer from a property or an item, where the value is another one",
        )

    def _refuse_endless_looks(self, places: Iterable[SchemaPlace]) -> None:
        """Refuse `unevaluated...` that would look at more schemas than a validator can follow."""
        looked_at: dict[SchemaPlace, int] = {}
        for place in inner_first([*places, *self._used], self._applied_in_place):
            schema = self._at(place)
            members = self._members(place, schema) if is_object(schema) else {}
            keywords = sorted(members.keys() & _UNEVALUATED)
            # Each of the keywords follows all ways once more.
            inner = sum(looked_at[one] for one in self._applied_in_place(place))
            count = 1 + inner * (1 + len(keywords))
            if keywords and count > _MOST_LOOKED_AT:
                self._refuse(
                    place.inner(keywords[0]),
                    f"`{keywords[0]}` looks at more than {_MOST_LOOKED_AT} schemas here, once for "
                    "every way to each",
                    "let `allOf`, `anyOf`, `if` and the like lead to each schema by one way only",
                )
            looked_at[place] = min(count, _MOST_LOOKED_AT)

    def _applied_in_place(self, place: SchemaPlace) -> Iterator[SchemaPlace]:
        if place in self._targets:
            yield self._targets[place]
        schema = self._at(place)
        if is_object(schema):
            members = self._members(place, schema)
            inside = {name: members[name] for name in members.keys() & _IN_PLACE}
            yield from _subschemas(inside, place)

    def _resource(self, uri: str, base: str, at: SchemaPlace, reference: str) -> _Resource:
        absolute = joined(base, uri)
        if absolute is None:
            reason = f"the reference {_short(reference)} leads to no schema: it is no URI"
            self._refuse(at, reason, "refer to an entry of `$defs`: `#/$defs/NAME`")
        if absolute in self._by_uri:
            return self._by_uri[absolute]
        path = self._folder.path_to(uri, base)
        if path is None:
            self._refuse(
                at,
                f"the reference {_short(reference)} leads out of the spec's folder, and nothing is "
                "read there",
                "copy the schema to `$defs` and refer to `#/$defs/NAME`",
            )
        return self._file(path, at)

    def _file(self, path: str, at: SchemaPlace) -> _Resource:
        if path not in self._files:
            opened = self._folder.open(path)
            if isinstance(opened, str):
                self._refuse(
                    at,
                    f"the file {_short(path)} cannot be referred to: {opened}",
                    "files are named relative to the one that refers to them",
                )
            self._values[path] = opened.value
            root = SchemaPlace(path, "")
            file = _Resource(root, address_of(path), DRAFT_2020_12)
            # Other schemas of the file may refer to it by its name already.
            self._files[path] = self._by_uri[file.base] = file
            self._enter(root, file)
            # It may call itself something else as well (`$id`).
            self._files[path] = self._by_uri[file.base] = self._resources[root]
        return self._files[path]

    def _in_resource(self, resource: _Resource, fragment: str) -> SchemaPlace | None:
        if fragment and not fragment.startswith("/"):
            return resource.anchors.get(fragment)
        try:
            fragment = unquote(fragment, errors="surrogatepass")
        except UnicodeDecodeError:
            return None
        return None if _NO_POINTER.search(fragment) else resource.root.inner(*_steps(fragment))

    def _is_schema(self, place: SchemaPlace) -> bool:
        """Tell whether a place can be read as a schema.

        It need not stand where a keyword expects one: under a word of another tool, it is read as
        a schema because it is referred to.
        """
        if place in self._resources:
            return True
        try:
            value = self._at(place)
        except LookupError:
            return False
        above = place
        while above.pointer and above not in self._resources:
            above = SchemaPlace(above.file, above.pointer.rpartition("/")[0])
        if above not in self._resources or not _may_be_one(value):
            return False
        keyword = _steps(place.pointer.removeprefix(above.pointer))[0]
        if keyword in ASSERTIONS or keyword in ANNOTATIONS:
            return False
        self._enter(place, self._resources[above])
        return True

    def _at(self, place: SchemaPlace) -> Any:
        """Return what stands at a place. Raises LookupError if there is nothing."""
        value = self._values[place.file]
        for step in _steps(place.pointer):
            if is_array(value) and _INDEX.fullmatch(step):
                value = value[int(step)]
            elif is_object(value):
                value = value[step]
            else:
                raise LookupError(place.pointer)
        return value

    def _members(self, place: SchemaPlace, schema: dict[str, Any]) -> dict[str, Any]:
        """Return those keywords of a schema that have a meaning."""
        if "$ref" in schema and self._resources[place].draft in ONLY_REFERENCE:
            return {name: value for name, value in schema.items() if name in _KEPT}
        return schema

    # --- the document ---------------------------------------------------------------------------

    def _written(self, place: SchemaPlace, around: str = DRAFT_2020_12) -> Any:
        """Return what stands at a place, as the document has it; ``around`` is the draft there."""
        value = self._at(place)
        if is_array(value):
            return [self._written(place.inner(index), around) for index in range(len(value))]
        if not is_object(value):
            return value
        if place not in self._used:
            return {name: self._written(place.inner(name), around) for name in value}
        draft = self._resources[place].draft
        written: dict[str, Any] = {
            name: self._written(place.inner(name), draft)
            for name in self._members(place, value)
            if name not in _NAMING
        }
        if draft != around or place in self._from_other_drafts:
            written["$schema"] = draft
        if place in self._targets:
            written["$ref"] = self._reference_to(self._targets[place])
        pattern = _STREAMDB_TYPES.get(str(value.get("x-streamdb-type")))
        if pattern is not None:
            written["allOf"] = [*_items(written.get("allOf")), {"pattern": pattern}]
        return written

    def _reference_to(self, target: SchemaPlace) -> str:
        pointer = target.pointer
        if target.file != _SPEC:
            pointer = pointer_to([self._holder, self._apart[target]])
        return "#" + quote(without_surrogates(pointer), safe="/~")


def _subschemas(schema: Mapping[str, Any], place: SchemaPlace) -> Iterator[SchemaPlace]:
    """Yield the places of the schemas directly inside a schema."""
    for keyword, value in schema.items():
        if keyword in HOLDING_A_SCHEMA and _may_be_one(value):
            yield place.inner(keyword)
        elif keyword in HOLDING_A_LIST and is_array(value):
            for index, item in enumerate(value):
                if _may_be_one(item):
                    yield place.inner(keyword, index)
        elif keyword in HOLDING_BY_NAME and is_object(value):
            for name, item in value.items():
                if _may_be_one(item):
                    yield place.inner(keyword, name)


def _may_be_one(schema: Any) -> bool:
    return isinstance(schema, dict | bool)


def _items(value: Any) -> list[Any]:
    """Return the items of an array; what stands in its place is the validator's to refuse."""
    return value if is_array(value) else []


def _short(text: str) -> str:
    """Quote what a spec says, in short.

    >>> _short("#/$defs/A")
    "'#/$defs/A'"
    """
    return repr(_cut(text))


def _cut(text: str) -> str:
    return text if len(text) <= 100 else text[:100] + "…"


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
