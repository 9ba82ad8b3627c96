"""The types that datamodel-code-generator writes, as a small tree, and their annotations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from streamdb_gen.ir import LiteralValue
from streamdb_gen.rendering.literals import lit
from streamdb_gen.rendering.marked import Code, code, ident, join


@dataclass(frozen=True, slots=True)
class Spelled:
    """A type whose name is fixed: ``str``, ``dt.date``, ``None``."""

    code: Code


@dataclass(frozen=True, slots=True)
class Reference:
    """A definition of the spec."""

    name: str


@dataclass(frozen=True, slots=True)
class Values:
    """``Literal[...]``."""

    values: tuple[LiteralValue, ...]


@dataclass(frozen=True, slots=True)
class Union:
    """``A | B``."""

    members: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Generic:
    """``Sequence[A]``."""

    origin: Code
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Annotated:
    """``Annotated[A, pydantic.Field(...)]``."""

    base: Expression
    keywords: Mapping[str, Bound]


Bound = str | int | float
Expression = Spelled | Reference | Values | Union | Generic | Annotated


def annotation(expression: Expression, defined: Set[str]) -> Code:
    """Write a type; names outside ``defined`` are forward references.

    >>> node = Generic(code("Sequence"), (Reference("Node"),))
    >>> annotation(node, {"Node"}), annotation(node, set())
    ('Sequence[Node]', 'Sequence["Node"]')
    >>> annotation(Union((Reference("Node"), Spelled(code("None")))), set())
    '"Node | None"'
    """
    match expression:
        case Spelled(spelling):
            return spelling
        case Reference(name):
            return ident(name) if name in defined else lit(name)
        case Values(values):
            literal = code("Literal[{}]", join(", ", map(lit, values)))
            # To Python, and so to pydantic, 1 and True are one value.
            return code("Exactly[{}]", literal) if any(map(_is_number, values)) else literal
        case Union(members):
            return _union(members, defined)
        case Generic(origin, arguments):
            written = join(", ", (annotation(argument, defined) for argument in arguments))
            return code("{}[{}]", origin, written)
        case Annotated(base, keywords):
            return code("Annotated[{}, {}]", annotation(base, defined), field_call(keywords))


def field_call(keywords: Mapping[str, Bound]) -> Code:
    """``pydantic.Field(...)`` with some keywords."""
    written = (code("{}={}", ident(name), lit(value)) for name, value in keywords.items())
    return code("pydantic.Field({})", join(", ", written))


def references(expression: Expression) -> Iterator[str]:
    """The definitions that a type names."""
    match expression:
        case Reference(name):
            yield name
        case Union(parts) | Generic(_, parts):
            for part in parts:
                yield from references(part)
        case Annotated(base):
            yield from references(base)
        case Spelled() | Values():
            return


def _is_number(value: LiteralValue) -> bool:
    return isinstance(value, int)


def _union(members: tuple[Expression, ...], defined: Set[str]) -> Code:
    """Text has no ``|``: with a forward reference among them, the members are quoted as a whole."""
    names = {name for member in members for name in references(member)}
    quoted = any(isinstance(m, Reference) and m.name not in defined for m in members)
    written = join(" | ", (annotation(m, names if quoted else defined) for m in members))
    return lit(written) if quoted else written
