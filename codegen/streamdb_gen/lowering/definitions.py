"""The definitions a package will contain, collected while schemas are compiled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Final

from streamdb_gen.findings import shown
from streamdb_gen.fixes import insert_member
from streamdb_gen.ir import ANYTHING, AliasType, Named, ObjectType, Type, TypeDefinition
from streamdb_gen.json_source import Place
from streamdb_gen.lowering.graph import import_order, reachable, with_replaced
from streamdb_gen.lowering.inhabitants import endless_circles
from streamdb_gen.lowering.resources import Key, key_of
from streamdb_gen.reporting import Report

# Stands for the type of a schema in which something was found; nothing is concluded from it.
BROKEN: Final = Named("")

_SHOWN_STEPS: Final = 6  # of a circle, in a message


@dataclass(frozen=True, slots=True)
class Claim:
    """What asks for a Python name: the part of the spec with that wire name, in words ``what``."""

    name: str
    wire_name: str
    place: Place
    what: str

    @property
    def is_own(self) -> bool:
        """Whether the Python name is the wire name itself."""
        return self.name == self.wire_name


class Names:
    """Names of one scope, each of which may be given once."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._holders: dict[str, tuple[Place, str]] = {}
        self._owned: set[str] = set()  # names whose holder is called so in the spec already
        self._given: set[str] = set()  # in hints, one for each that needs another name
        #: Names that were asked for twice.
        self.contested: set[str] = set()

    def claim_all(self, claims: Iterable[Claim]) -> frozenset[str]:
        """Take names for all; what is called so in the spec already comes first.

        The others that ask for such a name can be given another one by `lint --fix`. Returns the
        wire names of those that have their names.
        """
        taken: set[str] = set()
        ordered = sorted(claims, key=lambda claim: not claim.is_own)
        names = {claim.name for claim in ordered} | self._holders.keys()
        for claim in ordered:
            other = _free_name(claim.name, names)
            if self.claim(claim.name, claim.place, claim.what, other):
                taken.add(claim.wire_name)
                self._owned |= {claim.name} if claim.is_own else set()
            else:
                names.add(other)
        return frozenset(taken)

    def claim(self, name: str, place: Place, what: str, other: str) -> bool:
        """Take a name; if it is taken already, report that and return False.

        ``other`` is what `x-streamdb-name` at this place could say instead.
        """
        holder, its_what = self._holders.setdefault(name, (place, what))
        if (key_of(holder), its_what) == (key_of(place), what):
            return True
        self.contested.add(name)
        file = "" if holder.file == place.file else f" of the file {shown(holder.file)}"
        message = f"{what} and {its_what}{file} are both called {shown(name)} in Python"
        stem = other.removesuffix("2")
        if other in self._given:
            other = next(f"{stem}{n}" for n in count(3) if f"{stem}{n}" not in self._given)
        self._given.add(other)
        name_it = f'"x-streamdb-name": "{other}"'
        hint = f"give one of them another name; here: {name_it}"
        # Which one to rename is for the user to say, unless one has the better right to the name;
        # and one that the user chose is not for us to change.
        decided = name in self._owned and place.get("x-streamdb-name") is None
        fixer = partial(insert_member, name_it) if decided else None
        self._report.add("NAME_COLLISION", place, message, hint, at_key=True, fixer=fixer)
        return False


@dataclass(frozen=True, slots=True)
class Settled:
    """The definitions in the order to be written.

    Where those of ``circular`` refer to one another, they accept anything.
    """

    types: tuple[TypeDefinition, ...]
    circular: frozenset[str]


def _free_name(name: str, taken: set[str]) -> str:
    """The name with the first number that makes it another one than these."""
    return next(f"{name}_{n}" for n in count(2) if f"{name}_{n}" not in taken)


class Definitions:
    """All named types."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._names = Names(report)
        self._types: dict[str, TypeDefinition] = {}
        self._places: dict[str, Place] = {}
        self._nameless: dict[Key, TypeDefinition] = {}
        self._public: list[str] = []

    def claim(self, name: str, place: Place, what: str, other: str) -> bool:
        """Take a class name; report a second use of it."""
        return self._names.claim(name, place, what, other)

    def add(self, definition: TypeDefinition, place: Place, other: str) -> None:
        """Add a definition under its name; report a second one of the same name."""
        if self.claim(definition.name, place, f"the type at {shown(place.pointer)}", other):
            self._types[definition.name] = definition
            self._places[definition.name] = place
        else:
            self._nameless[key_of(place)] = definition

    def claim_companion(self, name: str, owner: str, what: str) -> None:
        """Take the name of a class that is rendered because of another one."""
        place = self._places.get(owner)
        if place is not None:  # otherwise its own name was taken already
            self.claim(name, place, what, f"{owner}2")

    def keep(self, name: str) -> None:
        """Keep a definition though nothing may refer to it."""
        self._public.append(name)

    def get(self, name: str) -> TypeDefinition | None:
        """The definition of that name."""
        return self._types.get(name)

    def nameless(self, place: Place) -> ObjectType | None:
        """The object at a place whose name another definition has, which is reported."""
        definition = self._nameless.get(key_of(place))
        return definition if isinstance(definition, ObjectType) else None

    def is_contested(self, type_: Type) -> bool:
        """Whether several definitions ask for the name of a type, so that any may be meant."""
        return isinstance(type_, Named) and type_.name in self._names.contested

    def place(self, name: str) -> Place:
        """The schema that became the definition of that name."""
        return self._places[name]

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

    def settle(self, used: Iterable[Named]) -> Settled:
        """Drop what nothing uses, and put the rest in order; ``used`` are rows and inputs.

        Arrays and unions that contain themselves with no object in between have no name that they
        could use inside themselves: there, they accept anything.
        """
        self._report_endless()
        needed = reachable(self._types, [*(named.name for named in used), *self._public])
        types, circular = import_order(needed)
        if circular:
            anything = dict.fromkeys(circular, ANYTHING)
            broken = {n: with_replaced(t, anything) for n, t in needed.items() if n in circular}
            types, _ = import_order({**needed, **broken})
        return Settled(types, circular)

    def _report_endless(self) -> None:
        for circle in endless_circles(self._types):
            if self._names.contested.intersection(circle):
                continue  # it may be one of two definitions that is meant
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
