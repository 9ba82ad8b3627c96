"""Definitions as a graph: who refers to whom, and in which order they can be written."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from streamdb_gen.ir import (
    ANYTHING,
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


def dependencies(definition: TypeDefinition) -> Iterator[str]:
    """The definitions that another one refers to, in order."""
    for type_ in types_in(definition):
        yield from _names_in_type(type_)


def types_in(definition: TypeDefinition) -> Iterator[Type]:
    """The types that a definition is made of."""
    match definition:
        case ObjectType():
            for field in definition.fields:
                yield field.type
            if definition.extras is not None:
                yield definition.extras
        case AliasType():
            yield definition.type
        case UnionType() | ChoiceType():
            yield from definition.members
        case LiteralType():
            return


def parts_of(type_: Type) -> Iterator[Type]:
    """A type and all types inside it."""
    yield type_
    match type_:
        case ArrayOf():
            yield from parts_of(type_.item)
        case TupleOf():
            for item in type_.items:
                yield from parts_of(item)
        case MapOf():
            yield from parts_of(type_.value)
        case Nullable():
            yield from parts_of(type_.inner)
        case Named() | Scalar():
            return


def with_replaced(definition: TypeDefinition, types: Mapping[str, Type]) -> TypeDefinition:
    """An alias or union, with other types in place of these names."""
    match definition:
        case AliasType():
            return replace(definition, type=_replaced(definition.type, types))
        case ChoiceType() | UnionType():
            members = tuple(_replaced(member, types) for member in definition.members)
            return ChoiceType(definition.name, members, definition.description, definition.pointer)
        case ObjectType() | LiteralType():
            return definition


def _replaced(type_: Type, types: Mapping[str, Type]) -> Type:
    match type_:
        case Named():
            return types.get(type_.name, type_)
        case ArrayOf():
            return replace(type_, item=_replaced(type_.item, types))
        case TupleOf():
            return TupleOf(tuple(_replaced(item, types) for item in type_.items))
        case MapOf():
            return replace(type_, value=_replaced(type_.value, types))
        case Nullable():
            inner = _replaced(type_.inner, types)
            return inner if inner == ANYTHING else Nullable(inner)
        case Scalar():
            return type_


def reachable(
    types: Mapping[str, TypeDefinition], roots: Iterable[str]
) -> dict[str, TypeDefinition]:
    """What the roots need, themselves included, each after what it needs where possible."""
    done: dict[str, TypeDefinition] = {}
    started: set[str] = set()
    for root in roots:
        # A stack of half-visited definitions: depth of references must not cost frames.
        pending = _visit(root, types, started)
        while pending:
            name, needs = pending[-1]
            following = next(needs, None)
            if following is None:
                done[name] = types[name]
                pending.pop()
            else:
                pending.extend(_visit(following, types, started))
    return done


def import_order(
    types: Mapping[str, TypeDefinition],
) -> tuple[tuple[TypeDefinition, ...], frozenset[str]]:
    """The definitions so that aliases and unions follow what they name; and those in a circle.

    Classes may refer forward, for their annotations are read later; an alias is evaluated when the
    module is imported. Otherwise the order given is kept.
    """
    rank = {name: index for index, name in enumerate(types)}
    needs = {name: set(_needed_at_import(t)) & types.keys() for name, t in types.items()}
    needed_by: dict[str, list[str]] = {name: [] for name in types}
    for name, needed in needs.items():
        for other in needed:
            needed_by[other].append(name)
    ready = [(rank[name], name) for name, needed in needs.items() if not needed]
    heapq.heapify(ready)
    ordered: list[TypeDefinition] = []
    while ready:
        _, name = heapq.heappop(ready)
        ordered.append(types[name])
        for other in needed_by[name]:
            needs[other].discard(name)
            if not needs[other]:
                heapq.heappush(ready, (rank[other], other))
    return tuple(ordered), frozenset(name for name, needed in needs.items() if needed)


def _visit(
    name: str, types: Mapping[str, TypeDefinition], started: set[str]
) -> list[tuple[str, Iterator[str]]]:
    if name in started or name not in types:
        return []
    started.add(name)
    return [(name, dependencies(types[name]))]


def _needed_at_import(definition: TypeDefinition) -> Iterator[str]:
    if not isinstance(definition, ObjectType):
        yield from dependencies(definition)


def _names_in_type(type_: Type) -> Iterator[str]:
    for part in parts_of(type_):
        if isinstance(part, Named):
            yield part.name
