"""Unions of unions that pydantic would need minutes to import.

An alias of `models.py` is for pydantic what it stands for: it builds a validator anew at each place
that names one. Aliases that name one another twice double the validators with each level.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

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
    Spec,
    TupleOf,
    Type,
    TypeDefinition,
    UnionType,
)
from streamdb_gen.problems import Problem

# pydantic imports such a package in a few seconds; twice as many take three times as long.
_MOST: Final = 1_000


def expansion_problem(spec: Spec) -> Problem | None:
    """Say which type stands for more others than pydantic can build, if there is such."""
    sizes: dict[str, int] = {}  # classes and constants count nothing
    for definition in spec.types:  # aliases and unions after what they name
        if isinstance(definition, ObjectType | LiteralType):
            continue
        size = 1 + sum(sizes.get(name, 0) for name in _named_by(definition))
        if size > _MOST:
            return Problem(
                f"{definition.name}: pydantic would build more than {_MOST} validators for this "
                "type, once for every way to each type inside it",
                "let fewer unions name one another, or take rows of msgspec (`--models msgspec`)",
            )
        sizes[definition.name] = size
    return None


def _named_by(definition: TypeDefinition) -> Iterator[str]:
    match definition:
        case AliasType(type=target):
            yield from _named_in(target)
        case UnionType(members=members) | ChoiceType(members=members):
            for member in members:
                yield from _named_in(member)
        case LiteralType() | ObjectType():
            return


def _named_in(type_: Type) -> Iterator[str]:
    match type_:
        case Named(name):
            yield name
        case ArrayOf(inner) | MapOf(inner) | Nullable(inner):
            yield from _named_in(inner)
        case TupleOf(items):
            for item in items:
                yield from _named_in(item)
        case Scalar():
            return
