"""Where `$ref` leads: files, embedded resources (`$id`, own `$schema`), anchors and pointers.

JSON Schema 2020-12, core, sections 8 and 9. Nothing is ever fetched: what is neither in the spec
nor in a file below its folder cannot be referred to.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote, urljoin

from streamdb_gen.findings import shown
from streamdb_gen.json_source import Place, descend, split_pointer
from streamdb_gen.lowering.dialects import DIALECTS, Dialect
from streamdb_gen.lowering.keywords import ANNOTATIONS, ASSERTIONS, subschemas
from streamdb_gen.meta_schema import nearest
from streamdb_gen.reporting import Report

Key = tuple[str, str]  # file and pointer of a schema
#: Opens a file by its path relative to the spec's folder; a text says why it cannot be read.
OpenFile = Callable[[str], Place | str]

_FILES: Final = "file:///"
# Looking for a near name means comparing with all targets; the first hints show what is wrong.
_MAX_SUGGESTIONS: Final = 20
_ELSEWHERE: Final = "refer to an entry of `$defs`: `#/$defs/NAME`"


def key_of(place: Place) -> Key:
    """What identifies a schema."""
    return place.file, place.pointer


@dataclass(eq=False, slots=True)
class Resource:
    """A schema, or a file, from which `#/...` inside it is resolved."""

    root: Place
    base: str
    dialect: Dialect
    anchors: dict[str, Place] = field(default_factory=dict[str, Place])


class Resources:
    """All schemas of one spec by their place, each with the resource that it is part of."""

    def __init__(
        self, spec: Place, name: str, schemas: Iterable[Place], open_file: OpenFile, report: Report
    ) -> None:
        self._open_file = open_file
        self._report = report
        self._resources: dict[Key, Resource] = {}
        self._by_uri: dict[str, Resource] = {}
        self._files: dict[str, Resource | str] = {}  # by path; or why one cannot be read
        self._roots: dict[str, Place] = {spec.file: spec}
        self._suggestions_left = _MAX_SUGGESTIONS
        self._targets: dict[Key, Place | None] = {}  # by the schema that refers
        self._spec = Resource(spec, _FILES + quote(name, errors="surrogatepass"), DIALECTS[0])
        self._by_uri[self._spec.base] = self._files[name] = self._spec
        #: The schemas of the spec that stand in no other one.
        self.roots: Final = tuple(schemas)
        for schema in self.roots:
            self._enter(schema, self._spec)

    def __contains__(self, key: Key) -> bool:
        return key in self._resources

    def of(self, schema: Place) -> Resource:
        """The resource that a schema is part of."""
        resource = self._resources.get(key_of(schema))
        if resource is None:
            raise LookupError(f"no schema at {schema.pointer}")
        return resource

    def file_root(self, file: str) -> Place:
        """The whole file that a schema stands in."""
        return self._roots[file]

    def ignores_siblings(self, schema: Place) -> bool:
        """Whether a schema is a reference beside which nothing has a meaning."""
        return schema.get("$ref") is not None and self.of(schema).dialect.only_reference

    def resolve(self, schema: Place) -> Place | None:
        """The schema that the `$ref` of another one leads to.

        None if it has none, or one that leads nowhere, which is reported.
        """
        reference = schema.get("$ref")
        if reference is None or not isinstance(reference.value, str):
            return None
        key = key_of(schema)
        if key not in self._targets:
            self._targets[key] = self._target(reference.value, reference, self.of(schema))
        return self._targets[key]

    def targets(self) -> Iterator[Place]:
        """All that references lead to, as far as they were resolved."""
        return (target for target in self._targets.values() if target is not None)

    def _target(self, text: str, reference: Place, around: Resource) -> Place | None:
        resource, fragment = self._resource(text, reference, around)
        if resource is None:
            return None
        found = self._in_resource(resource, fragment)
        reason = _ELSEWHERE if found is None else self._why_no_schema(found)
        if reason is None:
            return found
        message = f"{shown(text)} is no schema that can be referred to"
        hint = self._pasted(reference, resource, fragment)
        if hint is None and found is None:
            hint = self._nearest(text, resource)
        self._report.add("REFERENCE_UNKNOWN", reference, message, hint or reason)
        return None

    def _pasted(self, reference: Place, resource: Resource, fragment: str) -> str | None:
        """A hint if a schema around the reference, pasted perhaps, holds what it means."""
        if resource is not self._spec or not fragment.startswith("/"):
            return None
        for root in self.roots:
            is_around = reference.file == root.file and reference.pointer.startswith(
                f"{root.pointer}/"
            )
            if is_around and self._in_resource(Resource(root, "", resource.dialect), fragment):
                return (
                    f"`#` is the spec: if it is to be the schema at {root.pointer}, which was "
                    f'pasted perhaps, add `"$schema": "{DIALECTS[0].uri}"` to that schema'
                )
        return None

    def _enter(self, schema: Place, resource: Resource) -> None:
        """Take in a schema and all schemas inside it."""
        pending = [(schema, resource)]
        while pending:
            place, around = pending.pop()
            own = self._own_resource(place, around)
            self._resources[key_of(place)] = own
            for keyword in ("$anchor", "$dynamicAnchor"):
                anchor = place.get(keyword)
                if anchor is not None and isinstance(anchor.value, str):
                    self._name(own, anchor.value, anchor, place)
            pending += reversed([(inner, own) for inner in subschemas(place)])

    def _own_resource(self, place: Place, around: Resource) -> Resource:
        identifier, schema = place.get("$id"), place.get("$schema")
        dialect = around.dialect
        if schema is not None and isinstance(schema.value, str):
            dialect = self._dialect(schema)
        unnamed = around if schema is None else Resource(place, around.base, dialect)
        if identifier is None or not isinstance(identifier.value, str):
            return unnamed
        if dialect.only_reference and place.get("$ref") is not None:
            return unnamed
        uri, _, fragment = identifier.value.partition("#")
        if not uri:  # `$id` of draft-07 was the anchor as well
            if fragment:
                self._name(around, fragment, identifier, place)
            return unnamed
        base = _joined(around.base, uri)
        if base is None or fragment:
            message = f"{shown(identifier.value)} is no URI" + (" without fragment" * bool(base))
            self._report.add("SPEC_VALUE", identifier, message, "correct or delete it")
            return unnamed
        own = Resource(place, base, dialect)
        other = self._by_uri.setdefault(base, own)
        if key_of(other.root) != key_of(place):
            self._report_duplicate(identifier, other.root)
        return own

    def _name(self, resource: Resource, anchor: str, identifier: Place, schema: Place) -> None:
        other = resource.anchors.setdefault(anchor, schema)
        if key_of(other) != key_of(schema):
            self._report_duplicate(identifier, other)

    def _report_duplicate(self, identifier: Place, other: Place) -> None:
        where = shown(other.pointer) if other.pointer else "the beginning"
        file = "" if other.file == identifier.file else f" of the file {shown(other.file)}"
        text = shown(str(identifier.value))
        message = f"{text} identifies the schema at {where}{file} already"
        hint = "give one of the two another identifier, or delete it: references lead to one schema"
        self._report.add("IDENTIFIER_DUPLICATE", identifier, message, hint)

    def _dialect(self, schema: Place) -> Dialect:
        for dialect in DIALECTS:
            if str(schema.value).rstrip("#") in dialect.uris:
                return dialect
        message = f"schemas of {shown(str(schema.value))} cannot be read"
        hint = f"known are {', '.join(dialect.name for dialect in DIALECTS)}"
        self._report.add("DIALECT_UNKNOWN", schema, message, hint)
        return DIALECTS[0]

    def _resource(
        self, text: str, reference: Place, around: Resource
    ) -> tuple[Resource | None, str]:
        """The resource that a reference is to, and the fragment in it."""
        address, _, fragment = text.partition("#")
        if not address:
            return around, fragment
        joined = _joined(around.base, address)
        if joined is None:
            message = f"{shown(text)} is no reference that a URI could be made of"
            hint = "refer to an entry of `$defs`: `#/$defs/NAME`"
            self._report.add("REFERENCE_UNKNOWN", reference, message, hint)
            return None, ""
        if joined in self._by_uri:
            return self._by_uri[joined], fragment
        path = _relative_path(address, around.base)
        if path is None:
            message = f"{shown(text)} leads out of the spec's folder, where nothing is read"
            if not joined.startswith(_FILES):
                message = "a remote reference cannot be compiled"
            hint = "copy the schema to `$defs` and refer to `#/$defs/NAME`"
            self._report.add("REFERENCE_OUTSIDE", reference, message, hint)
            return None, fragment
        file = self._file(path)
        if isinstance(file, Resource):
            return file, fragment
        hint = "files are named relative to the one that refers to them"
        message = f"{shown(path)} cannot be referred to: {file}"
        self._report.add("REFERENCE_FILE", reference, message, hint)
        return None, fragment

    def _file(self, path: str) -> Resource | str:
        if path not in self._files:
            root = self._open_file(path)
            if isinstance(root, str):
                self._files[path] = root
            else:
                file = Resource(root, _FILES + quote(path), DIALECTS[0])
                self._roots[root.file] = root
                # Other schemas of the file may refer to it by its name already.
                self._files[path] = self._by_uri[file.base] = file
                self._enter(root, file)
                # It may call itself something else as well (`$id`).
                self._files[path] = self._by_uri[file.base] = self.of(root)
        return self._files[path]

    def _in_resource(self, resource: Resource, fragment: str) -> Place | None:
        if fragment and not fragment.startswith("/"):
            # Anchors need no escapes, and validators differ in whether they undo any.
            return resource.anchors.get(fragment)
        try:
            return descend(resource.root, unquote(fragment, errors="surrogatepass"))
        except UnicodeDecodeError:
            return None

    def _why_no_schema(self, place: Place) -> str | None:
        """Why a place is no schema; None if it is one.

        It need not stand where a keyword expects one: under a word of another tool, it is read as
        a schema because it is referred to.
        """
        if key_of(place) in self._resources:
            return None
        above = self._schema_above(place)
        if not isinstance(place.value, dict | bool) or above is None:
            return _ELSEWHERE
        pointer, around = above
        (keyword, *_) = split_pointer(place.pointer.removeprefix(pointer)) or ("",)
        if keyword in ASSERTIONS or keyword in ANNOTATIONS:
            return f"what stands in {shown(keyword)} there is not read as a schema; {_ELSEWHERE}"
        self._enter(place, around)
        return None

    def _schema_above(self, place: Place) -> tuple[str, Resource] | None:
        """The pointer of the innermost schema around a place, and its resource."""
        pointer = place.pointer
        while pointer:
            pointer = pointer.rpartition("/")[0]
            found = self._resources.get((place.file, pointer))
            if found is not None:
                return pointer, found
        return None

    def _nearest(self, text: str, resource: Resource) -> str | None:
        """A hint with the reference that is most like this one, in the same file or resource."""
        if not self._suggestions_left:
            return None
        self._suggestions_left -= 1
        root = resource.root
        known = [
            f"#{pointer.removeprefix(root.pointer)}"
            for file, pointer in self._resources
            if file == root.file and f"{pointer}/".startswith(f"{root.pointer}/")
        ]
        before, _, fragment = text.partition("#")
        close = nearest(f"#{fragment}", known)
        return f"did you mean {shown(before + close)}?" if close is not None else None


def _joined(base: str, reference: str) -> str | None:
    """A reference made absolute; None if it is none, such as one to half an IPv6 address."""
    try:
        return urljoin(base, reference)
    except ValueError:
        return None


def _relative_path(reference: str, base: str) -> str | None:
    """The path below the spec's folder that a reference of a file is to; None if there is none."""
    is_relative = base.startswith(_FILES) and not reference.startswith("/")
    absolute = _joined(_FILES, reference) if is_relative else None
    if absolute is None or not absolute.startswith("file:"):
        return None
    folder = posixpath.dirname(unquote(base.removeprefix(_FILES)))
    path = posixpath.normpath(posixpath.join(folder, unquote(reference)))
    is_below = path != ".." and not path.startswith(("../", "/"))
    return path if is_below and reference.partition(":")[0] != "file" else None
