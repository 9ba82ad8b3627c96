"""Discriminated unions: which property tells the members apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamdb_gen.json_source import Place
from streamdb_gen.lowering.keywords import strings
from streamdb_gen.lowering.scalars import integral

TagValue = str | int


@dataclass(frozen=True, slots=True)
class Discriminator:
    """The tag property, and the value of it for each member in turn."""

    wire_name: str
    values: tuple[TagValue, ...]


def find_discriminator(members: Sequence[Place]) -> Discriminator | str:
    """The property that tells object schemas apart, or why there is none.

    It is required in every member, and a constant in each: all strings or all integers, all
    different. If several properties would do, it is the first one by code point, so that the
    order in the file does not matter.
    """
    constants = [_required_constants(member) for member in members]
    common = sorted(set[str].intersection(*(set(one) for one in constants)))
    if not common:
        return "no property is required and `const` in all of them"
    for name in common:
        values = tuple(one[name] for one in constants)
        if len({type(value) for value in values}) == 1 and len(set(values)) == len(values):
            return Discriminator(name, values)
    listed = ", ".join(f"`{name}`" for name in common[:3])
    return f"{listed} has one value in two of them, or values of different types"


def _required_constants(member: Place) -> Mapping[str, TagValue]:
    properties = member.get("properties")
    required = {name for name, _ in strings(member.get("required"))}
    if properties is None:
        return {}
    found = {name: _constant(place) for name, place in properties.members() if name in required}
    return {name: value for name, value in found.items() if value is not None}


def _constant(schema: Place) -> TagValue | None:
    """The one value of `const`, or of an `enum` with one."""
    const, enum = schema.get("const"), schema.get("enum")
    if const is None and enum is not None:
        listed = list(enum.items())
        const = listed[0] if len(listed) == 1 else None
    value = integral(const.value) if const is not None else None
    is_tag = isinstance(value, str | int) and not isinstance(value, bool)
    return value if is_tag and isinstance(value, str | int) else None
