"""What definitions are read from: which unions msgspec reads by itself, and which accept null.

msgspec tells the members of a union apart by their kind of JSON, or several objects by a tag, so
there may be one member of each kind. Any other union is read by :class:`streamdb.AnyOf`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    ChoiceType,
    LiteralType,
    LiteralValue,
    MapOf,
    Named,
    Nullable,
    ObjectType,
    Scalar,
    TupleOf,
    Type,
    TypeDefinition,
    UnionType,
)

Kind = Literal["null", "text", "number", "boolean", "array", "object", "anything", "ours"]
"""A kind of JSON; ``ours`` is in the kinds of what msgspec cannot read in a union."""
_Kinds = frozenset[Kind]

_PLAIN_NUMBERS: Final = (Scalar("integer"), Scalar("number"))
_MOST_OPERANDS: Final = 100  # of `A | B`, which Python nests when it reads it
_TEXT: Final[_Kinds] = frozenset({"text"})


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of JSON that the definitions of one spec are read from.

    They are given as in :attr:`Spec.types`: aliases and unions after what they name.
    """

    _by_name: dict[str, _Kinds]

    @classmethod
    def of_types(cls, types: Iterable[TypeDefinition]) -> Kinds:
        """Look at each definition once."""
        definitions = tuple(types)
        kinds = cls({d.name: _of_object(d) for d in definitions if isinstance(d, ObjectType)})
        for definition in definitions:
            if not isinstance(definition, ObjectType):
                kinds._by_name[definition.name] = kinds._of_definition(definition)
        return kinds

    def of(self, type_: Type) -> _Kinds:
        """The kinds of one type."""
        match type_:
            case Named(name):
                return self._by_name[name]
            case Nullable(inner):
                return self.of(inner) | {"null"}
            case ArrayOf() | TupleOf():
                return frozenset({"array"})
            case MapOf():
                return frozenset({"object"})
            case Scalar(kind):
                return _SCALARS.get(kind, _TEXT)

    def is_native(self, choice: ChoiceType | UnionType) -> bool:
        """Whether msgspec can read the union, written by its members."""
        if len(choice.members) > _MOST_OPERANDS:
            return False
        if isinstance(choice, UnionType):
            return True
        numbers = [member for member in choice.members if member in _PLAIN_NUMBERS]
        others = [member for member in choice.members if member not in numbers[1:]]
        kinds = [kind for member in others for kind in self.of(member) if kind != "null"]
        return "ours" not in kinds and len(kinds) == len(set(kinds))

    def _of_definition(self, definition: TypeDefinition) -> _Kinds:
        match definition:
            case AliasType(type=target):
                return self.of(target)
            case ChoiceType(members=members) | UnionType(members=members):
                kinds = frozenset[Kind]().union(*map(self.of, members))
                is_native = "anything" in kinds or self.is_native(definition)
                return kinds if is_native else kinds | {"ours"}
            case LiteralType(values=values):
                return frozenset(map(_of_value, values))
            case ObjectType():
                return _of_object(definition)


def _of_object(definition: ObjectType) -> _Kinds:
    return frozenset({"object"} if definition.extras is None else {"object", "ours"})


def _of_value(value: LiteralValue) -> Kind:
    if value is None:
        return "null"
    if isinstance(value, str):
        return "text"
    return "boolean" if isinstance(value, bool) else "number"


_SCALARS: Final[dict[str, _Kinds]] = {
    "any": frozenset({"anything", "null"}),
    "boolean": frozenset({"boolean"}),
    "decimal": frozenset({"text", "number"}),
    "integer": frozenset({"number"}),
    "null": frozenset({"null"}),
    "number": frozenset({"number"}),
}
