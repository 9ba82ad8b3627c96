"""What datamodel-code-generator wrote, read as data; anything that is not expected is refused.

Its text goes nowhere but through here. It may hold imports of the names below, aliases, classes of
annotated fields, and the calls that complete classes; what they say is taken, not the text.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from streamdb_gen.ir import LiteralValue
from streamdb_gen.rendering.marked import Code, code, ident
from streamdb_gen.targets.python.pydantic_rows.blueprint import FORMATS, RUNTIME, Blueprint
from streamdb_gen.targets.python.pydantic_rows.expressions import (
    Annotated,
    Bound,
    Expression,
    Generic,
    Reference,
    Spelled,
    Union,
    Values,
)

#: What every class is based on.
BASE_CLASS: Final = f"{RUNTIME}.PydanticRow"

# Names by where they come from, and how we write them.
_TYPES: Final[Mapping[str, Code]] = {
    **{name: ident(name) for name in ("str", "int", "bool")},
    "float": code("Number"),  # which rounds no integer
    "typing.Any": code("Any"),
    # Pydantic reads more texts than the formats allow: `2026-01-02 03:04Z`, a number as text.
    "datetime.date": code("Exactly[dt.date]"),
    "uuid.UUID": code("Exactly[uuid.UUID]"),
    "pydantic.AwareDatetime": code("Exactly[pydantic.AwareDatetime]"),
    f"{RUNTIME}.AwareTime": code("Exactly[AwareTime]"),
    f"{RUNTIME}.Base64Bytes": code("Base64Bytes"),
    f"{RUNTIME}.DecimalText": code("DecimalText"),
}
_GENERICS: Final[Mapping[str, Code]] = {
    "tuple": code("tuple"),
    "collections.abc.Mapping": code("Mapping"),
    "collections.abc.Sequence": code("Sequence"),
}
_BUILT_IN: Final = frozenset(name for name in (*_TYPES, *_GENERICS) if "." not in name)
_IMPORTS: Final = frozenset(
    {
        *(name for name in (*_TYPES, *_GENERICS) if "." in name),
        "typing.Annotated",
        "typing.Literal",
        "typing.Optional",
        "typing.Union",
        "typing_extensions.TypeAliasType",
        "pydantic.ConfigDict",
        "pydantic.Field",
        BASE_CLASS,
    }
)
_BOUNDS: Final = frozenset({"ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length"})
_SETTINGS: Final[Mapping[str, object]] = {
    "frozen": True,
    "extra": "forbid",
    "arbitrary_types_allowed": True,  # the tool's guess at types of ours; they need it not
}


class UnexpectedOutputError(Exception):
    """The tool wrote something that it was not asked for."""


@dataclass(frozen=True, slots=True)
class ReadClass:
    """A class: the types of its fields by placeholder, and whether it refuses other properties."""

    fields: Mapping[str, Expression]
    closed: bool


def read_output(
    output: str, blueprint: Blueprint
) -> tuple[Mapping[str, ReadClass], Mapping[str, Expression]]:
    """Read the classes and the aliases of a module, by their Python names.

    Raises:
        UnexpectedOutputError: it holds anything else.
    """
    return _Reader(blueprint).read(output)


class _Reader:
    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint: Final = blueprint
        self._imports: Final[dict[str, str]] = {}
        self._aliases: Final[dict[str, ast.expr]] = {}
        self._classes: Final[dict[str, ast.ClassDef]] = {}

    def read(self, output: str) -> tuple[Mapping[str, ReadClass], Mapping[str, Expression]]:
        try:
            module = ast.parse(output)
        except SyntaxError as error:
            raise UnexpectedOutputError(f"it is no Python: {error}") from error
        for statement in module.body:
            self._statement(statement)
        names = self._blueprint.names
        if {*self._aliases, *self._classes} != {*names, *self._blueprint.parts}:
            raise UnexpectedOutputError("it holds other definitions than were asked for")
        return (
            {names[name]: self._class(node) for name, node in self._classes.items()},
            {names[n]: self._type(node) for n, node in self._aliases.items() if n in names},
        )

    def _statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.ImportFrom(module=str(module), names=imported, level=0):
                for item in imported:
                    origin = f"{module}.{item.name}"
                    if origin not in _IMPORTS and module != FORMATS:
                        raise _unexpected(statement)
                    self._imports[item.asname or item.name] = origin
            case ast.Assign(
                targets=[ast.Name(name)],
                value=ast.Call(ast.Name(callee), [ast.Constant(value), type_], []),
            ) if self._origin(callee) == "typing_extensions.TypeAliasType" and value == name:
                self._aliases[name] = type_
            case ast.ClassDef(
                name=name, bases=[ast.Name(base)], keywords=[], decorator_list=[]
            ) if self._origin(base) == BASE_CLASS and name in self._blueprint.names:
                self._classes[name] = statement
            case ast.Expr(ast.Call(ast.Attribute(ast.Name(name), "model_rebuild"), [], [])) if (
                name in self._classes
            ):
                pass  # `rows` finds out by itself which classes have to be completed
            case _:
                raise _unexpected(statement)

    def _class(self, node: ast.ClassDef) -> ReadClass:
        fields: dict[str, Expression] = {}
        settings: dict[str, object] = {}
        for statement in node.body:
            match statement:
                case ast.Pass():
                    pass
                case ast.Assign(
                    targets=[ast.Name("model_config")],
                    value=ast.Call(ast.Name(callee), [], keywords),
                ) if self._origin(callee) == "pydantic.ConfigDict":
                    settings |= {k.arg: _constant(k.value) for k in keywords if k.arg}
                case ast.AnnAssign(target=ast.Name(name), annotation=type_, value=None):
                    fields[name] = self._type(type_)
                case ast.AnnAssign(
                    target=ast.Name(name), annotation=type_, value=ast.expr() as tag
                ):
                    fields[name] = self._type(type_)
                    if fields[name] != Values((self._value(tag),)):
                        raise _unexpected(statement)
                case _:
                    raise _unexpected(statement)
        as_asked = fields.keys() == self._blueprint.properties(node.name)
        if not as_asked or not settings.items() <= _SETTINGS.items():
            raise _unexpected(node)
        return ReadClass(fields, closed="extra" in settings)

    def _type(self, node: ast.expr) -> Expression:
        match node:
            case ast.Constant(None):
                return Spelled(code("None"))
            case ast.Constant(str(text)):  # a forward reference
                return self._type(ast.parse(text, mode="eval").body)
            case ast.Name(name):
                return self._named(name, node)
            case ast.BinOp(left, ast.BitOr(), right):
                return self._union([left, right])
            case ast.Subscript(ast.Name(name), ast.Tuple(arguments)):
                return self._generic(self._origin(name), arguments, node)
            case ast.Subscript(ast.Name(name), argument):
                return self._generic(self._origin(name), [argument], node)
            case _:
                raise _unexpected(node)

    def _named(self, name: str, node: ast.expr) -> Expression:
        if name in self._blueprint.names:
            return Reference(self._blueprint.names[name])
        if name in self._blueprint.parts:
            return self._type(self._aliases[name])
        origin = self._origin(name)
        if origin in _TYPES:
            return Spelled(_TYPES[origin])
        module, _, alias = origin.rpartition(".")
        if module == FORMATS:
            return Spelled(code("formats.{}", ident(alias)))
        raise _unexpected(node)

    def _generic(self, origin: str, arguments: list[ast.expr], node: ast.expr) -> Expression:
        match origin, arguments:
            case "typing.Literal", _:
                return Values(tuple(map(self._value, arguments)))
            case "typing.Union", _:
                return self._union(arguments)
            case "typing.Optional", [argument]:
                return self._union([argument, ast.Constant(None)])
            case "typing.Annotated", [base, ast.Call(ast.Name(callee), [], _) as call] if (
                self._origin(callee) == "pydantic.Field"
            ):
                return Annotated(self._type(base), self._bounds(call))
            case _ if origin in _GENERICS:
                return Generic(_GENERICS[origin], tuple(map(self._type, arguments)))
            case _:
                raise _unexpected(node)

    def _union(self, members: list[ast.expr]) -> Expression:
        read = map(self._type, members)
        return Union(tuple(m for r in read for m in (r.members if isinstance(r, Union) else (r,))))

    def _value(self, node: ast.expr) -> LiteralValue:
        match _constant(node):
            case str(placeholder):
                return self._text(placeholder, node)
            case None | bool() | int() as value:
                return value
            case _:
                raise _unexpected(node)

    def _bounds(self, call: ast.Call) -> Mapping[str, Bound]:
        bounds: dict[str, Bound] = {}
        for keyword in call.keywords:
            match keyword.arg, _constant(keyword.value):
                case "pattern" | "discriminator" as name, str(placeholder):
                    bounds[name] = self._text(placeholder, call)
                case str(name), int() | float() as bound if name in _BOUNDS:
                    bounds[name] = bound
                case _:
                    raise _unexpected(call)
        return bounds

    def _text(self, placeholder: str, node: ast.expr) -> str:
        if placeholder not in self._blueprint.texts:
            raise _unexpected(node)
        return self._blueprint.texts[placeholder]

    def _origin(self, name: str) -> str:
        """Where a name comes from; built-in ones have no module."""
        return self._imports.get(name, name if name in _BUILT_IN else "")


def _constant(node: ast.expr) -> object:
    """A constant, or a number with a sign."""
    match node:
        case ast.Constant(value):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)):
            return -value
        case _:
            raise _unexpected(node)


def _unexpected(node: ast.stmt | ast.expr) -> UnexpectedOutputError:
    return UnexpectedOutputError(f"line {node.lineno}: {ast.unparse(node)}")
