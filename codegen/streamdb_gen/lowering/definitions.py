"""The definitions a package will contain, collected while schemas are compiled.

The rule for twins: an object that is a member of a union and is used alone as well becomes two
classes. The member keeps the name; the one without tag is called the same with `Untagged` appended,
whatever else the spec holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from streamdb_gen.findings import shown
from streamdb_gen.ir import AliasType, Named, ObjectType, Tag, Type, TypeDefinition
from streamdb_gen.json_source import Place
from streamdb_gen.lowering.graph import import_order, names_in, reachable, with_references
from streamdb_gen.lowering.inhabitants import endless_circles
from streamdb_gen.lowering.wire_text import check_field_name
from streamdb_gen.reporting import Report

# Stands for the type of a schema in which something was found; nothing is concluded from it.
BROKEN: Final = Named("")

TWIN_SUFFIX: Final = "Untagged"
_SHOWN_STEPS: Final = 6  # of a circle, in a message


class Names:
    """Names of one scope, each of which may be given once."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._holders: dict[str, tuple[str, str]] = {}

    def claim(self, name: str, place: Place, what: str, other: str) -> bool:
        """Take a name; if it is taken already, report that and return False.

        ``other`` is what `x-streamdb-name` at this place could say instead.
        """
        holder = self._holders.setdefault(name, (place.pointer, what))
        if holder == (place.pointer, what):
            return True
        message = f"{what} and {holder[1]} are both called {shown(name)} in Python"
        hint = f'give one of them another name; here: "x-streamdb-name": "{other}"'
        self._report.add("NAME_COLLISION", place, message, hint, at_key=True)
        return False


@dataclass(frozen=True, slots=True)
class Settled:
    """The definitions in the order to be written, and how objects used alone are called."""

    types: tuple[TypeDefinition, ...]
    renames: Mapping[str, str]

    def alone(self, named: Named) -> Named:
        """What a row or an input is called."""
        return Named(self.renames.get(named.name, named.name))


class Definitions:
    """All named types; objects hold every property as a field until :meth:`settle`."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._names = Names(report)
        self._types: dict[str, TypeDefinition] = {}
        self._places: dict[str, Place] = {}
        self._tags: dict[str, Tag] = {}
        self._public: list[str] = []

    def claim(self, name: str, place: Place, what: str, other: str) -> bool:
        """Take a class name; report a second use of it."""
        return self._names.claim(name, place, what, other)

    def add(self, definition: TypeDefinition, place: Place, other: str) -> None:
        """Add a definition under its name; report a second one of the same name."""
        if self.claim(definition.name, place, f"the type at {shown(place.pointer)}", other):
            self._types[definition.name] = definition
            self._places[definition.name] = place

    def claim_companion(self, name: str, owner: str, what: str) -> None:
        """Take the name of a class that is rendered because of another one."""
        original = self._original(owner)
        place = self._places.get(original)
        if place is not None:  # otherwise its own name was taken already
            self.claim(name, place, what, f"{original}2")

    def keep(self, name: str) -> None:
        """Keep a definition though nothing may refer to it."""
        self._public.append(name)

    def get(self, name: str) -> TypeDefinition | None:
        """The definition of that name."""
        return self._types.get(name)

    def plain(self, type_: Type) -> Type:
        """The type, with the name of an alias replaced by what it stands for."""
        seen: set[str] = set()
        while isinstance(type_, Named) and type_.name not in seen:
            seen.add(type_.name)
            definition = self._types.get(type_.name)
            if not isinstance(definition, AliasType):
                break
            type_ = definition.type
        return type_

    def object_of(self, type_: Type) -> ObjectType | None:
        """The object that a type names, directly or by aliases."""
        plain = self.plain(type_)
        definition = self._types.get(plain.name) if isinstance(plain, Named) else None
        return definition if isinstance(definition, ObjectType) else None

    def replace(self, definition: TypeDefinition) -> None:
        """Change a definition that was added before."""
        self._types[definition.name] = definition

    def use_as_member(self, name: str, tag: Tag, union: Place) -> None:
        """Note that an object is a member of a union, told apart by a tag."""
        known = self._tags.setdefault(name, tag)
        if known.wire_name != tag.wire_name:
            message = (
                f"{shown(name)} is told apart by {shown(known.wire_name)} in another union "
                f"and by {shown(tag.wire_name)} in this one"
            )
            self._report.add("UNION_TAG_CONFLICT", union, message, "use two definitions")

    def settle(self, used_alone: Iterable[Named]) -> Settled:
        """Split objects that are used both ways, drop what nothing uses, and put the rest in order.

        ``used_alone`` names the types of rows and inputs.
        """
        roots = [named.name for named in used_alone]
        alone = {*roots, *(n for definition in self._types.values() for n in names_in(definition))}
        renames = {name: name + TWIN_SUFFIX for name in self._tags if name in alone}
        for name, twin in renames.items():
            self.claim_companion(twin, name, f"{shown(name)} without its tag")
        split = {definition.name: definition for definition in self._split(renames)}
        self._report_endless()
        needed = reachable(split, [*(renames.get(n, n) for n in roots), *self._public])
        types, circular = import_order(needed)
        for name in circular:
            message = f"{shown(name)} contains itself with no object in between"
            hint = "put the recursion into a property of an object"
            place = self._places[name]
            self._report.add("RECURSION_WITHOUT_OBJECT", place, message, hint, at_key=True)
        for definition in types:
            self._check_field_names(definition)
        return Settled(types, renames)

    def _report_endless(self) -> None:
        for circle in endless_circles(self._types):
            steps = [*map(shown, circle), shown(circle[0])]
            if len(steps) > _SHOWN_STEPS:
                steps = [*steps[: _SHOWN_STEPS - 2], "…", steps[-1]]
            first, *others = steps
            message = (
                f"no value is ever finished: {first} requires {', which requires '.join(others)}"
            )
            hint = "take one of the properties out of `required`, or let it be null"
            place = self._places[circle[0]]
            self._report.add("RECURSION_ENDLESS", place, message, hint, at_key=True)

    def _check_field_names(self, definition: TypeDefinition) -> None:
        properties = self._places[self._original(definition.name)].get("properties")
        if isinstance(definition, ObjectType) and properties is not None:
            for field in definition.fields:
                place = properties.get(field.wire_name)
                if place is not None:
                    check_field_name(field.wire_name, place, self._report)

    def _original(self, name: str) -> str:
        """What a definition is called in the spec, where a twin has no place of its own."""
        return name if name in self._places else name.removesuffix(TWIN_SUFFIX)

    def _split(self, renames: Mapping[str, str]) -> Iterator[TypeDefinition]:
        for name, original in self._types.items():
            definition = with_references(original, renames)
            tag = self._tags.get(name)
            if not isinstance(definition, ObjectType) or tag is None:
                yield definition
                continue
            if name in renames:
                yield replace(definition, name=renames[name])
            fields = tuple(f for f in definition.fields if f.wire_name != tag.wire_name)
            yield replace(definition, fields=fields, tag=tag)
