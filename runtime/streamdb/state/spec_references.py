"""The schemas of a spec, and where the references in them lead: into the spec or other files.

The compiler resolves by the same rules.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, NoReturn
from urllib.parse import unquote

from streamdb.protocol.json_text import is_array, is_object
from streamdb.state.schema_keywords import (
    ANNOTATIONS,
    ASSERTIONS,
    DRAFT_2020_12,
    FOREIGN,
    ONLY_REFERENCE,
    REFUSED,
    TYPES,
    is_foreign,
)
from streamdb.state.schema_values import ambiguous, malformed
from streamdb.state.spec_folder import SpecFolder, address_of, joined
from streamdb.state.spec_places import (
    SPEC,
    Refuse,
    SchemaPlace,
    cut,
    items_of,
    may_be_schema,
    shown,
    steps_of,
    subschemas,
)

# What can be referred to stays, beside a `$ref` too.
_KEPT: Final = frozenset({"$ref", "definitions", "$defs"})
_NEAR: Final = 0.82  # of 1, which is equality: a letter or two are other ones
# No array is longer; Python refuses to read numbers of thousands of digits.
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}")
_NO_POINTER: Final = re.compile(r"~(?![01])")


@dataclass(frozen=True, slots=True)
class _Resource:
    """A schema, or a file, from which `#/...` inside it is resolved."""

    root: SchemaPlace
    base: str
    draft: str
    anchors: dict[str, SchemaPlace] = field(default_factory=dict[str, SchemaPlace])


class SpecReferences:
    """The schemas that a spec uses, with those in other files that it refers to.

    Args:
        spec: plain JSON.
        name: the name of its file.
        schemas: those that stand in no other one.
        folder: opens other files.
        refuse: raises for what is wrong.
    """

    def __init__(
        self,
        spec: Any,
        name: str,
        schemas: Iterable[SchemaPlace],
        folder: SpecFolder,
        refuse: Refuse,
    ) -> None:
        self._refuse = refuse
        self._folder = folder
        self._values: dict[str, Any] = {SPEC: spec}  # by the path of the file
        self._resources: dict[SchemaPlace, _Resource] = {}  # that schemas are part of
        self._used: dict[SchemaPlace, None] = {}
        self._from_other_drafts: set[SchemaPlace] = set()  # that schemas of others refer to
        self.targets: dict[SchemaPlace, SchemaPlace] = {}
        """Where schemas with a reference refer to."""
        whole = _Resource(SchemaPlace(SPEC, ""), address_of(name), DRAFT_2020_12)
        self._whole: Final = whole
        self._by_uri = {whole.base: whole}
        self._files: dict[str, _Resource] = {}
        self._roots: Final = tuple(schemas)
        for place in self._roots:
            self._enter(place, whole)
        self._use(list(self._roots))

    # --- what is asked of them ------------------------------------------------------------------

    @property
    def used(self) -> Set[SchemaPlace]:
        """The schemas that a validator reads."""
        return self._used.keys()

    def draft(self, place: SchemaPlace) -> str:
        """Return the draft that a schema is read by."""
        return self._resources[place].draft

    def is_referred_to_from_other_drafts(self, place: SchemaPlace) -> bool:
        """Return whether a schema of another draft refers to this one."""
        return place in self._from_other_drafts

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

    # --- where schemas are, and in which resource -----------------------------------------------

    def _enter(self, place: SchemaPlace, around: _Resource) -> None:
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
            reason = f"{shown(identifier)} is no URI without a fragment"
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

    # --- what is used, and where references lead ------------------------------------------------

    def _use(self, pending: list[SchemaPlace]) -> None:
        """Check schemas and all that they consist of and refer to.

        What only stands in a file that something else is referred to in may say what it likes.
        """
        while pending:
            place = pending.pop()
            schema = self.at(place)
            if place in self._used:
                continue
            self._used[place] = None
            if not is_object(schema):
                continue
            self._check_keywords(schema, place)
            if "$ref" in schema:
                target = self._resolved(schema["$ref"], place)
                self.targets[place] = target
                if self._resources[target].draft != self._resources[place].draft:
                    self._from_other_drafts.add(target)
                pending.append(target)
            pending += subschemas(self.members(place, schema), place)

    def _check_keywords(self, schema: dict[str, Any], place: SchemaPlace) -> None:
        draft = self._resources[place].draft
        members = self.members(place, schema)
        for keyword in schema:
            if keyword in REFUSED:
                self._refuse(place.inner(keyword), "the keyword is not supported", None)
            has_meaning = keyword in members or keyword not in ASSERTIONS
            if has_meaning and is_foreign(keyword, schema[keyword], draft):
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
        for name in [named] if isinstance(named, str) else items_of(named):
            if not isinstance(name, str) or name not in TYPES:
                known = f"known are {', '.join(sorted(TYPES))}"
                self._refuse(place.inner("type"), f"{shown(str(name))} is no type", known)
        for way, fault, hint in chain(malformed(schema), ambiguous(members)):
            self._refuse(place.inner(*way), fault, hint)

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
                f"the reference {shown(reference)} leads to no schema",
                self._pasted(schema, resource, fragment)
                or "refer to an entry of `$defs`: `#/$defs/NAME`",
            )
        return target

    def _pasted(self, schema: SchemaPlace, resource: _Resource, fragment: str) -> str | None:
        """Return a hint if a schema around a reference, pasted perhaps, holds what it means."""
        if resource is not self._whole or not fragment.startswith("/"):
            return None
        for root in self._roots:
            is_around = f"{schema.pointer}/".startswith(f"{root.pointer}/")
            inside = self._in_resource(_Resource(root, "", resource.draft), fragment)
            if schema.file == root.file and is_around and inside and self._is_schema(inside):
                return (
                    f"`#` is the spec: if it is to be the schema at {root.pointer}, which was "
                    f'pasted perhaps, add `"$schema": "{DRAFT_2020_12}"` to that schema'
                )
        return None

    def _resource(self, uri: str, base: str, at: SchemaPlace, reference: str) -> _Resource:
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

    def _file(self, path: str, at: SchemaPlace) -> _Resource:
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
        return None if _NO_POINTER.search(fragment) else resource.root.inner(*steps_of(fragment))

    def _is_schema(self, place: SchemaPlace) -> bool:
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
        self._enter(place, self._resources[above])
        return True
