"""Which rows are read from more texts than their schema accepts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from streamdb_gen.ir import Named, ObjectType, Scalar, Type, TypeDefinition, UnionType
from streamdb_gen.lowering.graph import dependencies, parts_of, types_in

# Python's types for these read other spellings as well, and write the one of the schema.
_LAX_KINDS: Final = frozenset({"date-time", "date", "time", "uuid", "decimal", "bytes"})


class Laxity:
    """Looks through the definitions of one spec."""

    def __init__(self, types: Iterable[TypeDefinition]) -> None:
        self._types = {definition.name: definition for definition in types}

        self._lax = self._find_lax()

    def of(self, row: Named) -> bool:
        """Whether a row, or something in it, is read laxly and written as the schema says."""
        return self._is_lax(row) or row.name in self._lax

    def _find_lax(self) -> frozenset[str]:
        """The definitions that are lax, or need one that is."""
        needed_by: defaultdict[str, list[str]] = defaultdict(list)
        pending: list[str] = []
        for name, definition in self._types.items():
            for other in dependencies(definition):
                needed_by[other].append(name)
            if any(map(self._is_lax, (p for t in self._uses(definition) for p in parts_of(t)))):
                pending.append(name)
        found = set(pending)
        while pending:
            new = [name for name in needed_by[pending.pop()] if name not in found]
            found.update(new)
            pending += new
        return frozenset(found)

    def _uses(self, definition: TypeDefinition) -> Iterable[Type]:
        # The members of a discriminated union need their tags, or they could not be told apart.
        return () if isinstance(definition, UnionType) else types_in(definition)

    def _is_lax(self, type_: Type) -> bool:
        if isinstance(type_, Scalar):
            return type_.kind in _LAX_KINDS
        definition = self._types.get(type_.name) if isinstance(type_, Named) else None
        # Alone, an object is read without its tag.
        return isinstance(definition, ObjectType) and definition.tag is not None
