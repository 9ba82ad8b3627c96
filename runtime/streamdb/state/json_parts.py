"""What a typed value shows of the JSON that it stands for: its members, or its elements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, TypeGuard

import msgspec

from streamdb.types.members import members_of


def members_by_name(value: object) -> Mapping[str, Any] | None:
    """Return what a value shows as a JSON object, by names on the wire; None if it is none."""
    members = members_of(value)
    if members is None and is_map(value):
        return {_wire_name(name): item for name, item in value.items()}
    return members


def unknown_names(names: Set[str], value: object, members: Mapping[str, Any]) -> list[str]:
    """Return those names that a value does not show, as far as its keys can be compared."""
    if is_map(value) and not all(isinstance(name, str) for name in value):
        return []  # a map whose keys may have been spelt otherwise
    return [name for name in names if name not in members]


def _wire_name(name: object) -> str:
    if isinstance(name, str):
        return name
    return str(next(iter(msgspec.to_builtins({name: None}, str_keys=True))))


def elements_of(value: object) -> Sequence[Any] | None:
    """What stands for the elements of an array; the tag of a struct is one of them."""
    if is_array_like(value):
        return list((members_by_name(value) or {}).values())
    return value if is_sequence(value) else None


def is_array_like(value: object) -> bool:
    """Tell whether a value is a struct that stands for an array."""
    return isinstance(value, msgspec.Struct) and value.__struct_config__.array_like


def is_set(value: object) -> TypeGuard[Set[Any]]:
    """Tell whether a value stands for an array in no order."""
    return isinstance(value, set | frozenset)


def is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    """Tell whether a value stands for an array in its order."""
    return isinstance(value, list | tuple)


def is_map(value: object) -> TypeGuard[Mapping[object, Any]]:
    """Tell whether a value is a map, whose keys may be spelt otherwise than on the wire."""
    return isinstance(value, Mapping)
