"""What the comments of `models.ts` say: descriptions, and as tags what types do not show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from streamdb_gen.ir import (
    AliasType,
    ArrayOf,
    Constraints,
    Field,
    MapOf,
    Nullable,
    Scalar,
    ScalarKind,
    Type,
)
from streamdb_gen.rendering.marked import Code, code
from streamdb_gen.targets.typescript.comments import Documentation
from streamdb_gen.targets.typescript.literals import lit

Tag = tuple[Code, str]

# What is written as a string or number of a kind that TypeScript has no type for.
_KINDS: Final[Mapping[ScalarKind, Tag]] = {
    "integer": (code("asType"), "integer"),
    "date-time": (code("format"), "date-time"),
    "date": (code("format"), "date"),
    "time": (code("format"), "time"),
    "uuid": (code("format"), "uuid"),
    "decimal": (code("format"), "decimal"),
    "bytes": (code("contentEncoding"), "base64"),
}
_BOUNDS: Final[Mapping[str, Code]] = {
    "ge": code("minimum"),
    "gt": code("exclusiveMinimum"),
    "le": code("maximum"),
    "lt": code("exclusiveMaximum"),
    "multiple_of": code("multipleOf"),
}
# The bounds of the length of a text, an array and a map.
_LENGTHS: Final[Mapping[type[Type], Mapping[str, Code]]] = {
    Scalar: {"min_length": code("minLength"), "max_length": code("maxLength")},
    ArrayOf: {"min_length": code("minItems"), "max_length": code("maxItems")},
    MapOf: {"min_length": code("minProperties"), "max_length": code("maxProperties")},
}
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = re.compile(r"[a-zA-Z0-9^$\\.*+?()\[\]{}|/-]")


def field_documentation(field: Field) -> Documentation:
    """The description of a property, its default and its constraints."""
    default = () if field.default is None else ((code("default"), field.default),)
    return Documentation(field.description or "", (*default, *_tags(field.type)))


def alias_documentation(definition: AliasType) -> Documentation:
    """The description of a named type that is no object, and its constraints."""
    return Documentation(definition.description or "", tuple(_tags(definition.type)))


def _tags(type_: Type) -> Iterator[Tag]:
    match type_:
        case Nullable(inner):
            yield from _tags(inner)
        case Scalar(kind, constraints, format_):
            if kind in _KINDS:
                yield _KINDS[kind]
            if format_ is not None:
                yield code("format"), format_
            yield from _constraints(constraints, Scalar)
        case ArrayOf(_, constraints) | MapOf(_, constraints):
            yield from _constraints(constraints, type(type_))
        case _:
            pass


def _constraints(constraints: Constraints | None, kind: type[Type]) -> Iterator[Tag]:
    for name, tag in {**_BOUNDS, **_LENGTHS[kind]}.items():
        bound: int | float | None = getattr(constraints, name, None)
        if bound is not None:
            yield tag, lit(bound)
    if constraints is not None and constraints.pattern is not None:
        yield code("pattern"), _as_javascript(constraints.pattern)


def _as_javascript(portable: str) -> str:
    r"""A portable pattern, which is in Python's form, as JavaScript writes it.

    >>> print(_as_javascript(r"^[a-z]\ \Z"))
    ^[a-z] $
    """

    def unescaped(escape: re.Match[str]) -> str:
        if escape[1] == "Z":
            return "$"
        return escape[0] if _ESCAPED.match(escape[1]) else escape[1]

    return _ESCAPE.sub(unescaped, portable)
