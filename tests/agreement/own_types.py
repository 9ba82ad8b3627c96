"""Dataclasses and typed dicts as a user would write them for a schema, as sides.

They are made from the meaning of the spec, as far as it can be said so: no further properties of
one type, and for dataclasses no names that Python does not take.
"""

from __future__ import annotations

import itertools
import json
import keyword
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, Final, Literal

from tests.agreement.cases import Case
from tests.agreement.compiled import collection_of
from tests.agreement.sides import Side, Verdict, rewritten, verdicts

from streamdb import CollectionSchema, Contract, UntypedColumns
from streamdb_gen import ir
from streamdb_gen.rendering.literals import lit
from streamdb_gen.rendering.marked import Code, code, join
from streamdb_gen.targets.python.annotations import Annotations, decoded_literal, literal

Kind = Literal["dataclass", "TypedDict"]

_NUMBERS: Final = itertools.count()
_HEADER: Final = """
import datetime as dt
import decimal
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from msgspec import UNSET, Meta, UnsetType
from streamdb import AnyOf, Maybe, Number, formats
"""
_KEYS: Final[dict[str, type[str] | type[int]]] = {"string": str, "integer": int}


class OwnTypes(Side):
    """Rows of one kind of class, reading strictly."""

    def __init__(self, kind: Kind) -> None:
        self.name = kind
        self._kind: Final[Kind] = kind
        self._loaded: tuple[str, ModuleType] | None = None

    def can_say(self, spec: ir.Spec) -> bool:
        """Whether the types of a spec can be written so."""
        for definition in spec.types:
            if isinstance(definition, ir.LiteralType) and decoded_literal(definition) is not None:
                return False
            if isinstance(definition, ir.ObjectType):
                names = [field.wire_name for field in (definition.tag, *definition.fields) if field]
                if definition.extras is not None:
                    return False
                if self._kind == "dataclass" and not all(map(_is_name, names)):
                    return False
        return True

    def judge(self, case: Case, spec: ir.Spec, texts: Sequence[str]) -> list[Verdict]:
        return verdicts(self._schema(case, spec), texts)

    def rewrite(self, case: Case, spec: ir.Spec, texts: Sequence[str]) -> list[str]:
        return rewritten(self._schema(case, spec), texts)

    def _schema(self, case: Case, spec: ir.Spec) -> CollectionSchema[Any, Any]:
        collection = collection_of(spec, case)
        return CollectionSchema[Any, Any](
            name=collection.name,
            type=collection.event_type,
            primary_key=collection.primary_key.wire_name,
            row=getattr(self._module(spec), collection.row.name),
            key=_KEYS[collection.key],
            columns=UntypedColumns,
            contract=Contract.of(
                json.loads(spec.canonical), pointer=f"{collection.pointer}/schema"
            ),
        )

    def _module(self, spec: ir.Spec) -> ModuleType:
        if self._loaded is not None and self._loaded[0] == spec.digest:
            return self._loaded[1]
        module = ModuleType(f"agreement_own_types_{next(_NUMBERS)}")
        sys.modules[module.__name__] = module  # where forward references are looked up
        exec("\n".join([_HEADER, *_definitions(spec, self._kind)]), vars(module))
        self._loaded = (spec.digest, module)
        return module


class _OwnAnnotations(Annotations):
    def of_choice(
        self, definition: ir.ChoiceType | ir.UnionType, defined: Any
    ) -> Code:  # msgspec tells no dataclasses apart by their tags
        if any(member == ir.Scalar("any") for member in definition.members):
            return code("Any")
        members = (self.of_type(member, defined) for member in definition.members)
        return code("AnyOf[{}]", join(", ", members))


def _definitions(spec: ir.Spec, kind: Kind) -> Iterator[str]:
    annotations = _OwnAnnotations(spec.types)
    defined: set[str] = set()
    for definition in spec.types:
        name = definition.name
        match definition:
            case ir.ObjectType() if kind == "dataclass":
                yield from _dataclass(definition, annotations, defined)
            case ir.ObjectType():
                yield from _typed_dict(definition, annotations, defined)
            case ir.LiteralType(values=values):
                yield f"{name} = {literal(values)}"
            case ir.ChoiceType() | ir.UnionType():
                yield f"{name} = {annotations.of_choice(definition, defined)}"
            case ir.AliasType(type=type_):
                yield f"{name} = {annotations.of_type(type_, defined)}"
        defined.add(name)


def _dataclass(
    definition: ir.ObjectType, annotations: Annotations, defined: set[str]
) -> Iterator[str]:
    yield "@dataclass(frozen=True, kw_only=True)"
    yield f"class {definition.name}:"
    yield "    pass"
    if definition.tag:
        yield f"    {definition.tag.wire_name}: {literal((definition.tag.value,))}"
    for field in definition.fields:
        default = "" if field.required else f" = {annotations.absent(field.type)}"
        yield f"    {field.wire_name}: {annotations.of_field(field, defined)}{default}"


def _typed_dict(
    definition: ir.ObjectType, annotations: Annotations, defined: set[str]
) -> Iterator[str]:
    yield f'{definition.name} = TypedDict("{definition.name}", {{'
    if definition.tag:
        yield f"    {lit(definition.tag.wire_name)}: {literal((definition.tag.value,))},"
    for field in definition.fields:
        type_ = annotations.of_type(field.type, defined)
        written = type_ if field.required else f"NotRequired[{type_}]"
        yield f"    {lit(field.wire_name)}: {written},"
    yield "})"


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text) and not text.startswith("__")
