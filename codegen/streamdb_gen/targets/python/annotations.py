"""Types of the IR as Python annotations (spec-format, "From JSON Schema to types")."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Final

from streamdb_gen.formats import ALIASES
from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    ChoiceType,
    Constraints,
    Field,
    LiteralType,
    LiteralValue,
    MapOf,
    Named,
    Nullable,
    Scalar,
    TupleOf,
    Type,
    TypeDefinition,
    UnionType,
)
from streamdb_gen.rendering.literals import lit
from streamdb_gen.rendering.marked import Code, code, ident, join
from streamdb_gen.targets.python.native_unions import Kinds

_SCALARS: Final[Mapping[str, Code]] = {
    "string": code("str"),
    "integer": code("int"),
    "number": code("float"),
    "boolean": code("bool"),
    "null": code("None"),
    "any": code("Any"),
    "date-time": code("dt.datetime"),
    "date": code("dt.date"),
    "time": code("dt.time"),
    "uuid": code("uuid.UUID"),
    "decimal": code("decimal.Decimal"),
    "bytes": code("bytes"),
}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# In the order in which `Meta` gets them.
_CONSTRAINTS: Final = (
    "ge",
    "gt",
    "le",
    "lt",
    "multiple_of",
    "min_length",
    "max_length",
    "pattern",
)


class Annotations:
    """Writes the annotations of one spec."""

    def __init__(self, types: tuple[TypeDefinition, ...]) -> None:
        self._types: Final = {definition.name: definition for definition in types}
        self._kinds: Final = Kinds.of_types(types)

    def of_field(self, field: Field, defined: Set[str]) -> Code:
        """The annotation of a struct's field; names outside ``defined`` are forward references."""
        if field.required:
            return self.of_type(field.type, defined)
        if self.admits_null(field.type):
            return _or_unset(field.type, lambda type_: self.of_type(type_, defined))
        return code("Maybe[{}]", self.of_type(field.type, defined))

    def of_update(self, field: Field) -> Code:
        """The annotation of the same field in the keywords of ``update``, for checkers only."""
        if field.required:
            return self._plain(field.type)
        if self.admits_null(field.type):
            return _or_unset(field.type, self._plain)
        return _either(self._plain(field.type), code("None"))

    def of_extras(self, type_: Type) -> Code:
        """The annotation of further properties, likewise."""
        return code("Mapping[str, {}]", self._plain(type_))

    def of_column(self, field: Field) -> Code:
        """The annotation of the field's column: its values without null."""
        nullable = not field.required or self.admits_null(field.type)
        value = self._plain_without_null(field.type)
        return code("NullableColumn[{}]" if nullable else "Column[{}]", value)

    def of_type(self, type_: Type, defined: Set[str]) -> Code:
        """The annotation of a type with its constraints."""
        match type_:
            case Scalar(kind="date-time" | "time" as kind):
                return code("Annotated[{}, Meta(tz=True)]", _SCALARS[kind])
            case Scalar(kind="number", constraints=constraints):
                return _number(constraints)
            case Scalar(kind, constraints, format_):
                base = _SCALARS[kind]
                if format_ is not None:
                    base = code("formats.{}", ident(ALIASES[format_]))
                return _constrained(base, constraints)
            case Named(name):
                return ident(name) if name in defined else code('"{}"', ident(name))
            case ArrayOf(item, constraints):
                return _constrained(code("Sequence[{}]", self.of_type(item, defined)), constraints)
            case TupleOf(items):
                return _tuple(self.of_type(item, defined) for item in items)
            case MapOf(value, constraints):
                values = self.of_type(value, defined)
                return _constrained(code("Mapping[str, {}]", values), constraints)
            case Nullable(inner):
                return _either(self.of_type(inner, defined), code("None"))

    def of_choice(self, definition: ChoiceType | UnionType, defined: Set[str]) -> Code:
        """The right side of a union's alias."""
        if "anything" in self._kinds.of(Named(definition.name)):
            return _SCALARS["any"]
        members = [self.of_type(member, defined) for member in definition.members]
        if self._kinds.is_native(definition):
            return join(" | ", members)
        return code("AnyOf[{}]", join(", ", members))

    def admits_null(self, type_: Type) -> bool:
        """Whether null is among the type's values."""
        return "null" in self._kinds.of(type_)

    def absent(self, type_: Type) -> Code:
        """What an optional field of the type holds if it is absent."""
        return code("UNSET" if self.admits_null(type_) else "None")

    def _plain(self, type_: Type) -> Code:
        """The type as checkers see it, without constraints."""
        match type_:
            case Scalar(kind):
                return _SCALARS[kind]
            case Named(name):
                return ident(name)
            case ArrayOf(item):
                return code("Sequence[{}]", self._plain(item))
            case TupleOf(items):
                return _tuple(map(self._plain, items))
            case MapOf(value):
                return code("Mapping[str, {}]", self._plain(value))
            case Nullable(inner):
                return _either(self._plain(inner), code("None"))

    def _plain_without_null(self, type_: Type) -> Code:
        match type_:
            case Nullable(inner):
                return self._plain(inner)
            case Named(name) if self.admits_null(type_):
                definition = self._types[name]
                if isinstance(definition, AliasType):
                    return self._plain_without_null(definition.type)
                if isinstance(definition, LiteralType) and definition.values != (None,):
                    return literal(value for value in definition.values if value is not None)
                return self._plain(type_)
            case _:
                return self._plain(type_)


def literal(values: Iterable[LiteralValue]) -> Code:
    """``Literal[...]`` of the values, in their order."""
    return code("Literal[{}]", join(", ", (lit(value) for value in values)))


def decoded_literal(definition: LiteralType) -> Code | None:
    """What msgspec decodes such values by, if it cannot by ``Literal``: halves of surrogate pairs.

    It keeps the values of a ``Literal`` in UTF-8, which has no form for them. A pattern is matched
    against the text itself.
    """
    texts = [value for value in definition.values if isinstance(value, str)]
    if not any(map(_SURROGATE.search, texts)):
        return None
    pattern = rf"^(?:{'|'.join(map(re.escape, texts))})\Z"
    matching = code("Annotated[str, Meta(pattern={})]", lit(pattern))
    others = [value for value in definition.values if not isinstance(value, str)]
    return code("{} | {}", literal(others), matching) if others else matching


def _tuple(items: Iterable[Code]) -> Code:
    return code("tuple[{}]", join(", ", items))


def _constrained(base: Code, constraints: Constraints | None) -> Code:
    if constraints is None:
        return base
    bounds = [
        code("{}={}", ident(name), lit(bound))
        for name in _CONSTRAINTS
        if (bound := getattr(constraints, name)) is not None
    ]
    return code("Annotated[{}, Meta({})]", base, join(", ", bounds)) if bounds else base


def _number(constraints: Constraints | None) -> Code:
    """A number that rounds no integer: one within bounds is a float, for these are within 2^53."""
    if constraints is None:
        return code("Number")
    low = constraints.gt if constraints.ge is None else constraints.ge
    high = constraints.lt if constraints.le is None else constraints.le
    as_float = _constrained(_SCALARS["number"], constraints)
    if low is not None and high is not None:
        return as_float
    # msgspec knows no bounds of both kinds of numbers together.
    ge = None if low is None else math.ceil(low) if low == constraints.ge else math.floor(low) + 1
    le = (
        None
        if high is None
        else math.floor(high)
        if high == constraints.le
        else math.ceil(high) - 1
    )
    return code("{} | {}", _constrained(_SCALARS["integer"], Constraints(ge=ge, le=le)), as_float)


def _or_unset(type_: Type, write: Callable[[Type], Code]) -> Code:
    """A type that admits null, or absent; null is named last, as linters want it."""
    match type_:
        case Nullable(inner):
            return _either(write(inner), code("UnsetType | None"))
        case Scalar(kind="null"):
            return code("UnsetType | None")
        case _:
            return _either(write(type_), code("UnsetType"))


def _either(left: Code, right: Code) -> Code:
    """``left | right``; a forward reference is quoted as a whole, for text has no ``|``."""
    if left.startswith('"'):
        return Code(f'{left[:-1]} | {right}"')
    return code("{} | {}", left, right)
