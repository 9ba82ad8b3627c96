"""Which unions msgspec can read by itself.

It tells the members apart by their kind of JSON, or several objects by a tag, so there may be one
member of each kind. Any other union is read by :class:`streamdb.AnyOf`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    ChoiceType,
    LiteralType,
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

_Kind = Literal["text", "number", "boolean", "array", "object", "ours"]
_Types = Mapping[str, TypeDefinition]


def is_native(choice: ChoiceType, types: _Types) -> bool:
    """Whether msgspec can read the union of a choice's members."""
    numbers = [member for member in choice.members if member in _PLAIN_NUMBERS]
    others = [member for member in choice.members if member not in numbers[1:]]
    kinds = [kind for member in others for kind in set(_kinds(member, types))]
    return "ours" not in kinds and len(kinds) == len(set(kinds))


def is_anything(choice: ChoiceType, types: _Types) -> bool:
    """Whether one of the members accepts anything, and so does the union."""
    return any(_accepts_anything(member, types) for member in choice.members)


_PLAIN_NUMBERS = (Scalar("integer"), Scalar("number"))


def _accepts_anything(type_: Type, types: _Types) -> bool:
    match type_:
        case Scalar(kind="any"):
            return True
        case Named(name):
            match types[name]:
                case AliasType(type=target):
                    return _accepts_anything(target, types)
                case ChoiceType() as choice:
                    return is_anything(choice, types)
                case _:
                    return False
        case _:
            return False


def _kinds(type_: Type, types: _Types) -> Iterator[_Kind]:
    """The kinds of JSON that a type is read from; ``ours`` where msgspec does not know it."""
    match type_:
        case Scalar(kind="integer" | "number"):
            yield "number"
        case Scalar(kind="boolean"):
            yield "boolean"
        case Scalar(kind="decimal"):
            yield "number"
            yield "text"
        case Scalar(kind="null" | "any"):
            return
        case Scalar():
            yield "text"
        case ArrayOf() | TupleOf():
            yield "array"
        case MapOf():
            yield "object"
        case Nullable(inner):
            yield from _kinds(inner, types)
        case Named(name):
            yield from _kinds_of_definition(types[name], types)


def _kinds_of_definition(definition: TypeDefinition, types: _Types) -> Iterator[_Kind]:
    match definition:
        case ObjectType(extras=extras):
            yield "object" if extras is None else "ours"
        case UnionType():
            yield "object"
        case ChoiceType(members=members):
            if not is_native(definition, types):
                yield "ours"
            for member in members:
                yield from _kinds(member, types)
        case AliasType(type=target):
            yield from _kinds(target, types)
        case LiteralType(values=values):
            for value in values:
                if isinstance(value, str):
                    yield "text"
                elif value is not None:
                    yield "boolean" if isinstance(value, bool) else "number"
