"""Definitions as a graph: who refers to whom, and in which order they can be written."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    LiteralType,
    MapOf,
    Named,
    Nullable,
    ObjectType,
    Scalar,
    Type,
    TypeDefinition,
    UnionType,
)


def names_in(definition: TypeDefinition) -> Iterator[str]:
    """The definitions that another one refers to, in order; members of a union are not among them.

    A union refers to the tagged form of its members, everything else to the form without tag.
    """
    match definition:
        case ObjectType():
            for field in definition.fields:
                yield from _names_in_type(field.type)
        case AliasType():
            yield from _names_in_type(definition.type)
        case UnionType() | LiteralType():
            return


def dependencies(definition: TypeDefinition) -> Iterator[str]:
    """All definitions that another one refers to, members of a union included."""
    if isinstance(definition, UnionType):
        for member in definition.members:
            yield member.name
    else:
        yield from names_in(definition)


def with_references(definition: TypeDefinition, renames: Mapping[str, str]) -> TypeDefinition:
    """The definition, referring to other names; members of a union stay."""
    match definition:
        case ObjectType():
            fields = tuple(replace(f, type=renamed(f.type, renames)) for f in definition.fields)
            return replace(definition, fields=fields)
        case AliasType():
            return replace(definition, type=renamed(definition.type, renames))
        case UnionType() | LiteralType():
            return definition


def renamed(type_: Type, renames: Mapping[str, str]) -> Type:
    """The type, referring to other names."""
    match type_:
        case Named():
            return Named(renames.get(type_.name, type_.name))
        case ArrayOf():
            return replace(type_, item=renamed(type_.item, renames))
        case MapOf():
            return replace(type_, value=renamed(type_.value, renames))
        case Nullable():
            return replace(type_, inner=renamed(type_.inner, renames))
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
    match type_:
        case Named():
            yield type_.name
        case ArrayOf():
            yield from _names_in_type(type_.item)
        case MapOf():
            yield from _names_in_type(type_.value)
        case Nullable():
            yield from _names_in_type(type_.inner)
        case Scalar():
            return
