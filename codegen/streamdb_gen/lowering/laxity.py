"""Which rows are read from more texts than their schema accepts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from streamdb_gen.ir import Named, ObjectType, Scalar, Type, TypeDefinition, UnionType
from streamdb_gen.lowering.graph import parts_of, reachable, types_in

# Python's types for these read other spellings as well, and write the one of the schema.
_LAX_KINDS: Final = frozenset({"date-time", "date", "time", "uuid", "decimal", "bytes"})


class Laxity:
    """Looks through the definitions of one spec."""

    def __init__(self, types: Iterable[TypeDefinition]) -> None:
        self._types = {definition.name: definition for definition in types}

    def of(self, row: Named) -> bool:
        """Whether a row, or something in it, is read laxly and written as the schema says."""
        needed = reachable(self._types, [row.name])
        used = [row, *(type_ for one in needed.values() for type_ in self._uses(one))]
        return any(self._is_lax(part) for type_ in used for part in parts_of(type_))

    def _uses(self, definition: TypeDefinition) -> Iterable[Type]:
        # The members of a discriminated union need their tags, or they could not be told apart.
        return () if isinstance(definition, UnionType) else types_in(definition)

    def _is_lax(self, type_: Type) -> bool:
        if isinstance(type_, Scalar):
            return type_.kind in _LAX_KINDS
        definition = self._types.get(type_.name) if isinstance(type_, Named) else None
        # Alone, an object is read without its tag.
        return isinstance(definition, ObjectType) and definition.tag is not None
