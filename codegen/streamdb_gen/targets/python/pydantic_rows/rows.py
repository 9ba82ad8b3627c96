"""What the template of pydantic's `models.py` prints."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from typing import ClassVar, Final

from streamdb_gen.ir import Field, LiteralType, ObjectType, Spec, Tag
from streamdb_gen.rendering.literals import lit
from streamdb_gen.rendering.marked import Code, code, join
from streamdb_gen.targets.purposes import purposes
from streamdb_gen.targets.python.annotations import Annotations
from streamdb_gen.targets.python.models import FieldView, documentation
from streamdb_gen.targets.python.pydantic_rows.blueprint import (
    EXTRAS,
    blueprint,
    field_placeholder,
)
from streamdb_gen.targets.python.pydantic_rows.expressions import (
    Annotated,
    Expression,
    Generic,
    Values,
    annotation,
    field_call,
    references,
)
from streamdb_gen.targets.python.pydantic_rows.reading import BASE_CLASS, ReadClass, read_output
from streamdb_gen.targets.python.pydantic_rows.tool import run_tool

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ClassView:
    """A class of `models.py`."""

    is_class: ClassVar = True
    name: str
    base: Code
    options: Code
    documentation: str
    fields: tuple[FieldView, ...]
    extras: Code | None


@dataclass(frozen=True, slots=True)
class AliasView:
    """A named type of `models.py` that is no class.

    ``decoded`` is what pydantic is to see where it cannot build a validator for ``value``.
    """

    is_class: ClassVar = False
    name: str
    value: Code
    decoded: Code | None
    documentation: str


@dataclass(frozen=True, slots=True)
class ModelsView:
    """All definitions, and the classes that refer forward and are completed at the end."""

    definitions: tuple[ClassView | AliasView, ...]
    incomplete: tuple[str, ...]


def models_view(spec: Spec, annotations: Annotations) -> ModelsView:
    """The definitions in their order.

    Raises:
        UnexpectedOutputError: datamodel-code-generator wrote what it was not asked for.
    """
    plan = blueprint(spec.types)
    classes, aliases = read_output(run_tool(plan.document, BASE_CLASS), plan)
    purpose_of = purposes(spec)
    views: list[ClassView | AliasView] = []
    incomplete: list[str] = []
    defined: set[str] = set()
    complete: set[str] = set()
    for definition in spec.types:
        name = definition.name
        text = (definition.description or "").strip()
        if isinstance(definition, ObjectType):
            needed = [*classes[name].fields.values()]
            purpose = text or purpose_of[name]
            views.append(_class(definition, classes[name], annotations, purpose, defined))
        else:
            needed = [aliases[name]]
            decoded = _decoded(definition) if isinstance(definition, LiteralType) else None
            value = annotation(aliases[name], defined)
            views.append(AliasView(name, value, decoded, text))
        if complete.issuperset(n for expression in needed for n in references(expression)):
            complete.add(name)
        elif isinstance(definition, ObjectType):
            incomplete.append(name)
        defined.add(name)
    return ModelsView(tuple(views), tuple(incomplete))


def _class(
    definition: ObjectType,
    read: ReadClass,
    annotations: Annotations,
    text: str,
    defined: Set[str],
) -> ClassView:
    extras = read.fields.get(EXTRAS)
    options = [code("frozen=True"), *([code('extra="forbid"')] if read.closed else [])]
    return ClassView(
        name=definition.name,
        base=code("PydanticRow" if extras is None else "ExtensiblePydanticRow"),
        options=join(", ", options),
        documentation=text,
        fields=(
            *([_tag(definition.tag)] if definition.tag else []),
            *(
                _field(field, read.fields[field_placeholder(number)], annotations, defined)
                for number, field in enumerate(definition.fields)
            ),
        ),
        extras=None if extras is None else annotation(extras, defined),
    )


def _tag(tag: Tag) -> FieldView:
    """The constant is the default: it is written without being asked for."""
    written = annotation(_aliased(Values((tag.value,)), tag), frozenset())
    default = code(" = {}", lit(tag.value))
    return FieldView(tag.name, written, default, (tag.description or "").strip())


def _field(
    field: Field, type_: Expression, annotations: Annotations, defined: Set[str]
) -> FieldView:
    """A line of a class: the tool gives the type, we say what absence looks like."""
    default = code("")
    if not field.required:
        nullable = annotations.admits_null(field.type)
        type_ = Generic(code("Omissible" if nullable else "Maybe"), (type_,))
        default = code(" = {}", annotations.absent(field.type))
    written = annotation(_aliased(type_, field), defined)
    return FieldView(field.name, written, default, documentation(field))


def _aliased(type_: Expression, field: Field | Tag) -> Expression:
    """The type, and the name on the wire where that is another."""
    if field.name == field.wire_name:
        return type_
    if isinstance(type_, Annotated):
        return Annotated(type_.base, {**type_.keywords, "alias": field.wire_name})
    return Annotated(type_, {"alias": field.wire_name})


def _decoded(definition: LiteralType) -> Code | None:
    """What pydantic reads such values by, if it cannot by ``Literal``: halves of surrogate pairs.

    Its strings are UTF-8, which has no form for them. A pattern can name them by escapes.
    """
    texts = [value for value in definition.values if isinstance(value, str)]
    if not any(map(_SURROGATE.search, texts)):
        return None
    choices = _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", "|".join(map(re.escape, texts)))
    matching = code("Annotated[str, {}]", field_call({"pattern": rf"^(?:{choices})\Z"}))
    others = [lit(value) for value in definition.values if not isinstance(value, str)]
    return code("Exactly[Literal[{}]] | {}", join(", ", others), matching) if others else matching
