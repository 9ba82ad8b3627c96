"""Which schemas a spec uses, and where the references in them lead: into the spec or other files.

The compiler resolves by the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Any, Final

from streamdb.protocol.json_text import is_object
from streamdb.state.schema_keywords import DRAFT_2020_12
from streamdb.state.spec_folder import SpecFolder
from streamdb.state.spec_keyword_checks import check_keywords
from streamdb.state.spec_places import Refuse, SchemaPlace, shown, subschemas
from streamdb.state.spec_resources import Resource, SpecResources


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
        self._resources: Final = SpecResources(spec, name, folder, refuse)
        self._used: dict[SchemaPlace, None] = {}
        self._from_other_drafts: set[SchemaPlace] = set()  # that schemas of others refer to
        self.targets: dict[SchemaPlace, SchemaPlace] = {}
        """Where schemas with a reference refer to."""
        self._roots: Final = tuple(schemas)
        for place in self._roots:
            self._resources.enter(place, self._resources.whole)
        self._use(list(self._roots))

    @property
    def used(self) -> Set[SchemaPlace]:
        """The schemas that a validator reads."""
        return self._used.keys()

    def draft(self, place: SchemaPlace) -> str:
        """Return the draft that a schema is read by."""
        return self._resources.of(place).draft

    def is_referred_to_from_other_drafts(self, place: SchemaPlace) -> bool:
        """Return whether a schema of another draft refers to this one."""
        return place in self._from_other_drafts

    def at(self, place: SchemaPlace) -> Any:
        """Return what stands at a place. Raises LookupError if there is nothing."""
        return self._resources.at(place)

    def members(self, place: SchemaPlace, schema: dict[str, Any]) -> dict[str, Any]:
        """Return those keywords of a schema that have a meaning."""
        return self._resources.members(place, schema)

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
            members = self.members(place, schema)
            draft = self.draft(place)
            check_keywords(schema, place, members=members, draft=draft, refuse=self._refuse)
            if "$ref" in schema:
                target = self._resolved(schema["$ref"], place)
                self.targets[place] = target
                if self.draft(target) != draft:
                    self._from_other_drafts.add(target)
                pending.append(target)
            pending += subschemas(members, place)

    def _resolved(self, reference: Any, schema: SchemaPlace) -> SchemaPlace:
        """Return where the reference of a schema leads."""
        at = schema.inner("$ref")
        if not isinstance(reference, str):
            self._refuse(at, "a reference is text", "refer to an entry of `$defs`: `#/$defs/NAME`")
        around = self._resources.of(schema)
        uri, _, fragment = reference.partition("#")
        resource = self._resources.named(uri, around.base, at, reference) if uri else around
        target = self._resources.inside(resource, fragment)
        if target is None or not self._resources.is_schema(target):
            self._refuse(
                at,
                f"the reference {shown(reference)} leads to no schema",
                self._pasted(schema, resource, fragment)
                or "refer to an entry of `$defs`: `#/$defs/NAME`",
            )
        return target

    def _pasted(self, schema: SchemaPlace, resource: Resource, fragment: str) -> str | None:
        """Return a hint if a schema around a reference, pasted perhaps, holds what it means."""
        if resource is not self._resources.whole or not fragment.startswith("/"):
            return None
        for root in self._roots:
            is_around = f"{schema.pointer}/".startswith(f"{root.pointer}/")
            if schema.file != root.file or not is_around:
                continue
            inside = self._resources.inside(Resource(root, "", resource.draft), fragment)
            if inside and self._resources.is_schema(inside):
                return (
                    f"`#` is the spec: if it is to be the schema at {root.pointer}, which was "
                    f'pasted perhaps, add `"$schema": "{DRAFT_2020_12}"` to that schema'
                )
        return None
