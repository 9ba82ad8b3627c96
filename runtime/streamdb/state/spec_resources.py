"""Where the schemas of a spec stand, and from where the references in each of them are resolved.

A schema is part of a *resource*: of the spec, of a file, or of a schema around it that has an
identifier or a draft of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from urllib.parse import unquote

from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.schema_keywords import (
    ANNOTATIONS,
    ASSERTIONS,
    DRAFT_2020_12,
    FOREIGN,
    ONLY_REFERENCE,
)
from streamdb.state.spec_folder import SpecFolder, address_of, joined
from streamdb.state.spec_places import (
    SPEC,
    Refuse,
    SchemaPlace,
    cut,
    may_be_schema,
    shown,
    steps_of,
    subschemas,
)

# What can be referred to stays, beside a `$ref` too.
_KEPT: Final = frozenset({"$ref", "definitions", "$defs"})
# No array is longer; Python refuses to read numbers of thousands of digits.
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}")
_NO_POINTER: Final = re.compile(r"~(?![01])")


@dataclass(frozen=True, slots=True)
class Resource:
    """A schema, or a file, from which `#/...` inside it is resolved.

    Attributes:
        root: where it begins.
        base: the URI that references in it are relative to.
        draft: the draft that its schemas are read by.
        anchors: the schemas in it by their anchors.
    """

    root: SchemaPlace
    base: str
    draft: str
    anchors: dict[str, SchemaPlace] = field(default_factory=dict[str, SchemaPlace])


class SpecResources:
    """The schemas of a spec and of the files that it refers to, each with its resource.

    Args:
        spec: plain JSON.
        name: the name of its file.
        folder: opens other files.
        refuse: raises for what is wrong.

    Attributes:
        whole: the spec itself.
    """

    def __init__(self, spec: Any, name: str, folder: SpecFolder, refuse: Refuse) -> None:
        self._refuse = refuse
        self._folder = folder
        self._values: dict[str, Any] = {SPEC: spec}  # by the path of the file
        self._resources: dict[SchemaPlace, Resource] = {}  # that schemas are part of
        self.whole: Final = Resource(SchemaPlace(SPEC, ""), address_of(name), DRAFT_2020_12)
        self._by_uri = {self.whole.base: self.whole}
        self._files: dict[str, Resource] = {}

    def at(self, place: SchemaPlace) -> Any:
        """Return what stands at a place. Raises LookupError if there is nothing."""
        value = self._values[place.file]
        for step in steps_of(place.pointer):
            if is_array(value) and _INDEX.fullmatch(step):
                value = value[int(step)]
            elif is_object(value):
                value = value[step]
            else:
                raise LookupError(place.pointer)
        return value

    def members(self, place: SchemaPlace, schema: dict[str, Any]) -> dict[str, Any]:
        """Return those keywords of a schema that have a meaning."""
        if "$ref" in schema and self._resources[place].draft in ONLY_REFERENCE:
            return {name: value for name, value in schema.items() if name in _KEPT}
        return schema

    def of(self, place: SchemaPlace) -> Resource:
        """Return the resource that a schema is part of."""
        return self._resources[place]

    def enter(self, place: SchemaPlace, around: Resource) -> None:
        """Take in a schema and all schemas inside it."""
        pending = [(place, around)]
        while pending:
            place, around = pending.pop()
            if place in self._resources:
                continue
            schema = self.at(place)
            own = around
            if is_object(schema):
                own = self._own_resource(schema, place, around)
                for keyword in ("$anchor", "$dynamicAnchor"):
                    anchor = schema.get(keyword)
                    if isinstance(anchor, str):
                        self._name(own, anchor, place, keyword)
                pending += [(inner, own) for inner in subschemas(schema, place)]
            self._resources[place] = own

    def _own_resource(
        self, schema: Mapping[str, Any], place: SchemaPlace, around: Resource
    ) -> Resource:
        """Return the resource that a schema is part of, which may begin with it."""
        named, identifier = schema.get("$schema"), schema.get("$id")
        own = around
        if isinstance(named, str):
            own = Resource(place, around.base, self._known_draft(named, place))
        if not isinstance(identifier, str) or (own.draft in ONLY_REFERENCE and "$ref" in schema):
            return own
        uri, _, fragment = identifier.partition("#")
        if not uri:  # `$id` of draft-07 was the anchor as well
            if fragment:
                self._name(around, fragment, place, "$id")
            return own
        base = joined(around.base, uri)
        if base is None or fragment:
            reason = f"{shown(identifier)} is no URI without a fragment"
            self._refuse(place.inner("$id"), reason, "correct or delete it")
        own = Resource(place, base, own.draft)
        if self._by_uri.setdefault(base, own) is not own:
            self._refuse_name(place, "$id", self._by_uri[base].root)
        return own

    def _name(self, resource: Resource, anchor: str, place: SchemaPlace, keyword: str) -> None:
        other = resource.anchors.setdefault(anchor, place)
        if other != place:
            self._refuse_name(place, keyword, other)

    def _refuse_name(self, place: SchemaPlace, keyword: str, other: SchemaPlace) -> NoReturn:
        where = f"{other.file}#{cut(other.pointer) or '/'}"
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
            self._refuse(place.inner("$schema"), f"the draft {shown(named)} is not known", hint)
        return draft

    def named(self, uri: str, base: str, at: SchemaPlace, reference: str) -> Resource:
        """Return the resource of a URI, which may be a file that is yet to be opened.

        ``at`` and ``reference`` are for messages.
        """
        absolute = joined(base, uri)
        if absolute is None:
            reason = f"the reference {shown(reference)} leads to no schema: it is no URI"
            self._refuse(at, reason, "refer to an entry of `$defs`: `#/$defs/NAME`")
        if absolute in self._by_uri:
            return self._by_uri[absolute]
        path = self._folder.path_to(uri, base)
        if path is None:
            self._refuse(
                at,
                f"the reference {shown(reference)} leads out of the spec's folder, and nothing is "
                "read there",
                "copy the schema to `$defs` and refer to `#/$defs/NAME`",
            )
        return self._file(path, at)

    def _file(self, path: str, at: SchemaPlace) -> Resource:
        if path not in self._files:
            opened = self._folder.open(path)
            if isinstance(opened, str):
                self._refuse(
                    at,
                    f"the file {shown(path)} cannot be referred to: {opened}",
                    "files are named relative to the one that refers to them",
                )
            self._values[path] = opened.value
            root = SchemaPlace(path, "")
            file = Resource(root, address_of(path), DRAFT_2020_12)
            # Other schemas of the file may refer to it by its name already.
            self._files[path] = self._by_uri[file.base] = file
            self.enter(root, file)
            # It may call itself something else as well (`$id`).
            self._files[path] = self._by_uri[file.base] = self._resources[root]
        return self._files[path]

    def inside(self, resource: Resource, fragment: str) -> SchemaPlace | None:
        """Return where the fragment of a reference leads in a resource; None if it cannot lead."""
        if fragment and not fragment.startswith("/"):
            return resource.anchors.get(fragment)
        try:
            fragment = unquote(fragment, errors="surrogatepass")
        except UnicodeDecodeError:
            return None
        return None if _NO_POINTER.search(fragment) else resource.root.inner(*steps_of(fragment))

    def is_schema(self, place: SchemaPlace) -> bool:
        """Tell whether a place can be read as a schema.

        It need not stand where a keyword expects one: under a word of another tool, it is read as
        a schema because it is referred to.
        """
        if place in self._resources:
            return True
        try:
            value = self.at(place)
        except LookupError:
            return False
        above = place
        while above.pointer and above not in self._resources:
            above = SchemaPlace(above.file, above.pointer.rpartition("/")[0])
        if above not in self._resources or not may_be_schema(value):
            return False
        keyword = steps_of(place.pointer.removeprefix(above.pointer))[0]
        if keyword in ASSERTIONS or keyword in ANNOTATIONS:
            return False
        self.enter(place, self._resources[above])
        return True
