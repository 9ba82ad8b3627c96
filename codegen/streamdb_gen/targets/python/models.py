"""What the template of `models.py` prints: the definitions of a spec, written as Python."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import ClassVar

from streamdb_gen.ir import (
    AliasType,
    ChoiceType,
    Field,
    LiteralType,
    ObjectType,
    Spec,
    UnionType,
)
from streamdb_gen.rendering.literals import lit
from streamdb_gen.rendering.marked import Code, code, join
from streamdb_gen.targets.purposes import purposes
from streamdb_gen.targets.python.annotations import (
    Annotations,
    decoded_literal,
    literal,
)


@dataclass(frozen=True, slots=True)
class FieldView:
    """One line of a struct: ``{name}: {annotation}{default}`` and its documentation."""

    name: str
    annotation: Code
    default: Code
    documentation: str


@dataclass(frozen=True, slots=True)
class TagView:
    """The class variable of a union's member."""

    name: str
    value: str | int
    documentation: str


@dataclass(frozen=True, slots=True)
class StructView:
    """A class of `models.py`."""

    is_class: ClassVar = True
    name: str
    bases: Code
    documentation: str
    tag: TagView | None
    fields: tuple[FieldView, ...]


@dataclass(frozen=True, slots=True)
class AliasView:
    """A named type of `models.py` that is no class.

    ``decoded`` is what msgspec is to see where it cannot read ``value``.
    """

    is_class: ClassVar = False
    name: str
    value: Code
    decoded: Code | None
    documentation: str


def definition_views(spec: Spec, annotations: Annotations) -> tuple[StructView | AliasView, ...]:
    """Every definition, each after what it needs when the module is imported."""
    purpose_of = purposes(spec)
    defined: set[str] = set()
    views: list[StructView | AliasView] = []
    for definition in spec.types:
        if isinstance(definition, ObjectType):
            purpose = purpose_of[definition.name]
            views.append(_struct(definition, annotations, defined, purpose))
        else:
            views.append(_alias(definition, annotations, defined))
        defined.add(definition.name)
    return tuple(views)


def documentation(field: Field) -> str:
    """A field's description and the default that readers of the spec may assume."""
    default = f"Default: `{field.default}`." if field.default is not None else ""
    return "\n\n".join(part for part in (field.description or "", default) if part.strip())


def _struct(
    definition: ObjectType, annotations: Annotations, defined: Set[str], purpose: str
) -> StructView:
    tag = definition.tag
    return StructView(
        name=definition.name,
        bases=_bases(definition, annotations, defined),
        documentation=_described(definition.description, purpose),
        tag=TagView(tag.name, tag.value, (tag.description or "").strip()) if tag else None,
        fields=tuple(
            FieldView(
                name=field.name,
                annotation=annotations.of_field(field, defined),
                default=_default(field, annotations),
                documentation=documentation(field),
            )
            for field in definition.fields
        ),
    )


def _bases(definition: ObjectType, annotations: Annotations, defined: Set[str]) -> Code:
    """What stands in the brackets of a class: its base, and the options of a struct."""
    if definition.extras is not None:
        return code("Extensible[{}]", annotations.of_type(definition.extras, defined))
    parts = [code("Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True")]
    if definition.closed:
        parts.append(code("forbid_unknown_fields=True"))
    if definition.tag:
        tag_field, tag = lit(definition.tag.wire_name), lit(definition.tag.value)
        parts.append(code("tag_field={}, tag={}", tag_field, tag))
    return join(", ", parts)


def _default(field: Field, annotations: Annotations) -> Code:
    """The right side of the field: its default, and its wire name where that differs."""
    absent = annotations.absent(field.type)
    if field.name == field.wire_name:
        return code("") if field.required else code(" = {}", absent)
    if field.required:
        return code(" = field(name={})", lit(field.wire_name))
    return code(" = field(default={}, name={})", absent, lit(field.wire_name))


def _alias(
    definition: LiteralType | UnionType | ChoiceType | AliasType,
    annotations: Annotations,
    defined: Set[str],
) -> AliasView:
    return AliasView(
        name=definition.name,
        value=_alias_value(definition, annotations, defined),
        decoded=decoded_literal(definition) if isinstance(definition, LiteralType) else None,
        documentation=(definition.description or "").strip(),
    )


def _alias_value(
    definition: LiteralType | UnionType | ChoiceType | AliasType,
    annotations: Annotations,
    defined: Set[str],
) -> Code:
    match definition:
        case LiteralType(values=values):
            return literal(values)
        case UnionType() | ChoiceType():
            return annotations.of_choice(definition, defined)
        case AliasType(type=target):
            return annotations.of_type(target, defined)


def _described(description: str | None, otherwise: str) -> str:
    return description if description and description.strip() else otherwise
