"""What the template of `models.ts` prints: the definitions of a spec, written as TypeScript."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from streamdb_gen.ir import AliasType, ObjectType, Spec, TypeDefinition
from streamdb_gen.rendering.marked import Code
from streamdb_gen.targets.purposes import purposes
from streamdb_gen.targets.typescript.comments import Documentation
from streamdb_gen.targets.typescript.documentation import alias_documentation, field_documentation
from streamdb_gen.targets.typescript.types import (
    index_signature,
    member,
    tag_member,
    type_alias,
)


@dataclass(frozen=True, slots=True)
class MemberView:
    """One line of an interface, and its comment."""

    line: Code
    documentation: Documentation


@dataclass(frozen=True, slots=True)
class InterfaceView:
    """An interface of `models.ts`."""

    is_interface: ClassVar = True
    name: str
    documentation: Documentation
    members: tuple[MemberView, ...]


@dataclass(frozen=True, slots=True)
class AliasView:
    """A named type of `models.ts` that is no interface."""

    is_interface: ClassVar = False
    statement: Code
    documentation: Documentation


def definition_views(spec: Spec) -> tuple[InterfaceView | AliasView, ...]:
    """Every definition, in the order of the spec."""
    meant = purposes(spec)
    return tuple(_view(definition, meant) for definition in spec.types)


def _view(definition: TypeDefinition, meant: Mapping[str, str]) -> InterfaceView | AliasView:
    description = (definition.description or "").strip()
    match definition:
        case ObjectType(name):
            return InterfaceView(
                name, Documentation(description or meant[name]), _members(definition)
            )
        case AliasType():
            return AliasView(type_alias(definition), alias_documentation(definition))
        case _:
            return AliasView(type_alias(definition), Documentation(description))


def _members(definition: ObjectType) -> tuple[MemberView, ...]:
    views = [MemberView(member(field), field_documentation(field)) for field in definition.fields]
    if definition.tag is not None:
        described = Documentation(definition.tag.description or "")
        views.insert(0, MemberView(tag_member(definition.tag), described))
    if (signature := index_signature(definition)) is not None:
        views.append(MemberView(signature, Documentation("")))
    return tuple(views)
