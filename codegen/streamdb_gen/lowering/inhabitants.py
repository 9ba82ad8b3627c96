"""Which definitions have values at all: those that do not require themselves without end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    ChoiceType,
    Constraints,
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


def endless_circles(types: Mapping[str, TypeDefinition]) -> Iterator[tuple[str, ...]]:
    """The circles of definitions of which each requires a value of the next, and so on for ever."""
    empty = _without_values(types)
    visited: set[str] = set()
    for start in empty:
        path: dict[str, None] = {}
        name = start
        while name not in visited:
            visited.add(name)
            path[name] = None
            name = next(other for other in _required(types[name]) if other in empty)
        if name in path:
            steps = list(path)
            yield tuple(steps[steps.index(name) :])


def _without_values(types: Mapping[str, TypeDefinition]) -> dict[str, None]:
    """What is left after taking away all definitions of which a value can be made."""
    empty = dict.fromkeys(types)
    waiting: dict[str, list[str]] = {}  # by what they wait for
    ready = list(types)
    while ready:
        name = ready.pop()
        if name not in empty:
            continue
        awaited = _awaited(types[name], empty)
        if not awaited:
            del empty[name]
            ready += waiting.pop(name, ())
        for other in awaited:
            waiting.setdefault(other, []).append(name)
    return empty


def _awaited(definition: TypeDefinition, empty: Mapping[str, None]) -> list[str]:
    """The definitions of which one must have a value before it is worth looking again."""
    required = list(_required(definition))
    missing = [name for name in required if name in empty]
    if isinstance(definition, UnionType | ChoiceType):
        return missing if len(missing) == len(required) else []
    return missing[:1]


def _required(definition: TypeDefinition) -> Iterator[str]:
    """The definitions that a value needs values of: one of them for a union, else all of them."""
    match definition:
        case ObjectType(fields=fields):
            for field in fields:
                if field.required:
                    yield from _required_by_type(field.type)
        case AliasType(type=target):
            yield from _required_by_type(target)
        case UnionType(members=members):
            for member in members:
                yield member.name
        case ChoiceType(members=members):
            needs = [next(_required_by_type(member), None) for member in members]
            if None not in needs:  # otherwise one of them can be finished at once
                yield from (name for name in needs if name is not None)
        case LiteralType():
            return


def _required_by_type(type_: Type) -> Iterator[str]:
    match type_:
        case Named(name):
            yield name
        case ArrayOf(inner, constraints) | MapOf(inner, constraints) if _is_never_empty(
            constraints
        ):
            yield from _required_by_type(inner)
        case TupleOf(items):
            for item in items:
                yield from _required_by_type(item)
        case ArrayOf() | MapOf() | Nullable() | Scalar():
            return


def _is_never_empty(constraints: Constraints | None) -> bool:
    return constraints is not None and bool(constraints.min_length)
