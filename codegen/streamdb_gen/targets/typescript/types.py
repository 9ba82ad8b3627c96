"""Types of the IR as TypeScript (spec-format, "From JSON Schema to types").

What is laid out here names no type of the language's own library, for a spec may have a type of
that name: maps are index signatures and no `Record`, arrays are written `T[]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    ChoiceType,
    Field,
    LiteralType,
    MapOf,
    Named,
    Nullable,
    ObjectType,
    Scalar,
    ScalarKind,
    Tag,
    TupleOf,
    Type,
    UnionType,
)
from streamdb_gen.rendering.documents import (
    SOFT_LINE,
    Document,
    Hang,
    IfBroken,
    Indent,
    Line,
    bracketed,
    group,
    lay_out,
    on_one_line,
)
from streamdb_gen.rendering.marked import Code, code, ident
from streamdb_gen.targets.typescript.literals import lit, property_name
from streamdb_gen.targets.typescript.width import LINE_LENGTH

_SCALARS: Final[Mapping[ScalarKind, Code]] = {
    "string": code("string"),
    "integer": code("number"),
    "number": code("number"),
    "boolean": code("boolean"),
    "null": code("null"),
    "any": code("unknown"),
    "date-time": code("string"),
    "date": code("string"),
    "time": code("string"),
    "uuid": code("string"),
    "decimal": code("string"),
    "bytes": code("string"),
}
_MEMBER_INDENT: Final = 2

Alias = LiteralType | UnionType | ChoiceType | AliasType


def type_alias(definition: Alias) -> Code:
    """A definition that is no object: ``export type Role = "user" | "system";``."""
    head = code("export type {} =", ident(definition.name))
    return lay_out((head, Hang(_aliased(definition)), code(";")), LINE_LENGTH)


def tag_member(tag: Tag) -> Code:
    """The property by which the members of a union are told apart: ``kind: "text";``."""
    return _member(property_name(tag.wire_name), lit(tag.value))


def member(field: Field) -> Code:
    """A declared property of an interface: ``note?: string;``."""
    name = property_name(field.wire_name)
    return _member(name if field.required else code("{}?", name), type_document(field.type))


def index_signature(definition: ObjectType) -> Code | None:
    """The undeclared properties of an interface, if it keeps any: ``[key: string]: unknown;``.

    TypeScript wants the declared ones to fit the signature, too, so it admits their types and, if
    one of them is optional, ``undefined``.
    """
    if definition.extras is None:
        return None
    types = [definition.extras, *(field.type for field in definition.fields)]
    absent = [] if all(field.required for field in definition.fields) else [code("undefined")]
    choices = [choice for type_ in types for choice in _alternatives(type_)]
    return _member(code("[key: string]"), _union([*choices, *absent]))


def type_document(type_: Type) -> Document:
    """A type, to be laid out behind a colon or an equals sign."""
    return _union(choices) if (choices := _choices(type_)) else _single(type_)


def _single(type_: Type) -> Document:
    match type_:
        case Scalar(kind):
            return _SCALARS[kind]
        case Named(name):
            return ident(name)
        case ArrayOf(item):
            return _array(item)
        case TupleOf(items):
            return _tuple(items)
        case MapOf(value):
            signature = (code("[key: string]: "), type_document(value))
            return bracketed(code("{{"), [signature], code("}}"), separator=code(";"), edge=Line())
        case Nullable(inner):
            return (_single(inner), code(" | null"))


def _choices(type_: Type) -> list[Document]:
    """The alternatives of a type that prettier lays out as a union, if it is one.

    It leaves names and objects on the line of the null that they go with.
    """
    match type_:
        case Nullable(Named() | MapOf()):
            return []
        case Nullable():
            return _alternatives(type_)
        case _:
            return []


def _alternatives(type_: Type) -> list[Document]:
    return [_single(type_.inner), code("null")] if isinstance(type_, Nullable) else [_single(type_)]


def _array(item: Type) -> Document:
    if choices := _choices(item):
        inside = group((Indent((SOFT_LINE, _listed(choices))), SOFT_LINE))
        return (code("("), inside, code(")[]"))
    if isinstance(item, Nullable):
        return (code("("), _single(item), code(")[]"))
    return (_single(item), code("[]"))


def _tuple(items: tuple[Type, ...]) -> Document:
    if not items:
        return code("[]")
    listed = (_tuple_item(item, alone=len(items) == 1) for item in items)
    return bracketed(code("["), listed, code("]"))


def _tuple_item(item: Type, *, alone: bool) -> Document:
    choices = _choices(item)
    if not choices:
        return _single(item)
    if alone:
        return _listed(choices)
    opening = Indent((IfBroken((code("("), SOFT_LINE)), _listed(choices)))
    return group((opening, SOFT_LINE, IfBroken(code(")"))))


def _union(choices: Iterable[Document]) -> Document:
    return group(Indent((SOFT_LINE, _listed(choices))))


def _listed(choices: Iterable[Document]) -> Document:
    """The members of a union, each once: dates and other strings are the same here."""
    written = {on_one_line(choice): choice for choice in choices}
    if (anything := _SCALARS["any"]) in written:
        return anything
    if len(written) == 1:
        return next(iter(written.values()))
    first, *others = (Indent(choice) for choice in written.values())
    return group((IfBroken(code("| ")), first, *((Line(), code("| "), other) for other in others)))


def _aliased(definition: Alias) -> Document:
    match definition:
        case LiteralType(values=values):
            return _union(map(lit, values))
        case UnionType(members=choices) | ChoiceType(members=choices):
            return _union(map(type_document, choices))
        case AliasType(type=target):
            return type_document(target)


def _member(name: Code, document: Document) -> Code:
    line = (name, code(": "), document, code(";"))
    return lay_out(line, LINE_LENGTH, indent=_MEMBER_INDENT)
