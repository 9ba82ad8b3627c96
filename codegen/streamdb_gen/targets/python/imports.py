"""The import lines of a generated module: exactly the names that its body uses."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from streamdb_gen.rendering.marked import Code, code, ident, join

# Every name that generated modules may take from elsewhere; the spec's own names avoid them.
_PLAIN_IMPORTS: Final = {
    "dt": code("import datetime as dt"),
    "decimal": code("import decimal"),
    "uuid": code("import uuid"),
}
_SECTIONS: Final[tuple[Mapping[Code, tuple[str, ...]], ...]] = (
    {
        code("collections.abc"): ("Callable", "Mapping", "Sequence"),
        code("typing"): (
            "TYPE_CHECKING",
            "Annotated",
            "Any",
            "ClassVar",
            "Final",
            "Literal",
            "TypeAlias",
            "TypedDict",
            "Unpack",
            "overload",
        ),
    },
    {
        code("msgspec"): ("UNSET", "Meta", "Struct", "UnsetType", "field"),
        code("streamdb"): (
            "ActionInput",
            "ActionStub",
            "ActionsBase",
            "AnyOf",
            "AsyncActionStub",
            "AsyncActionsBase",
            "AsyncCollection",
            "AsyncStreamDB",
            "AsyncTransaction",
            "Collection",
            "CollectionSchema",
            "Column",
            "Columns",
            "Contract",
            "DatabaseOptions",
            "EventConstructors",
            "Extensible",
            "Maybe",
            "NullableColumn",
            "Number",
            "StateSchema",
            "StreamDB",
            "Transaction",
            "formats",
            "require_abi",
        ),
    },
)
STANDARD_LIBRARY, THIRD_PARTIES = _SECTIONS
# What the rows take from third parties when they are pydantic models.
PYDANTIC: Final[Mapping[Code, tuple[str, ...]]] = {
    code("pydantic"): (),
    code("msgspec"): ("UNSET", "UnsetType"),
    code("streamdb"): ("formats",),
    code("streamdb.pydantic_rows"): (
        "AwareTime",
        "Base64Bytes",
        "DecimalText",
        "Exactly",
        "ExtensiblePydanticRow",
        "Maybe",
        "Number",
        "Omissible",
        "PydanticRow",
    ),
}
IMPORTED_NAMES: Final = frozenset(
    name for section in (*_SECTIONS, PYDANTIC) for names in section.values() for name in names
) | frozenset(_PLAIN_IMPORTS)


def import_lines(
    body: str,
    siblings: Mapping[Code, Iterable[str]],
    third_parties: Mapping[Code, tuple[str, ...]] = THIRD_PARTIES,
) -> Code:
    """Return the import block that ``body`` needs.

    ``siblings`` maps modules of the package (``.models``) to the names that they define. A third
    party without names is imported whole.
    """
    read, quoted = _used_names(ast.parse(body))
    # A quoted alias names, of the package's own, what follows or what checkers import alone.
    used = read | quoted
    plain = [line for name, line in _PLAIN_IMPORTS.items() if name in used]
    whole = [code("import {}", m) for m, names in third_parties.items() if not names and m in used]
    blocks = [
        [*plain, *_from_imports(STANDARD_LIBRARY, used)],
        [*whole, *_from_imports(third_parties, used)],
        _from_imports(siblings, read),
    ]
    return join("\n\n", (join("\n", block) for block in blocks if block))


def all_imports(siblings: Mapping[Code, Iterable[str]]) -> Code:
    """Return the imports of everything that the modules of the package define."""
    return join("\n", (from_import(module, names) for module, names in siblings.items() if names))


def from_import(module: Code, names: Iterable[str]) -> Code:
    """``from module import a, b``, the names in the order of ``ruff``'s import rules."""
    in_order = sorted(names, key=_import_order)
    return code("from {} import {}", module, join(", ", map(ident, in_order)))


def export_order(name: str) -> tuple[int, list[tuple[int, int]]]:
    """The order of ``__all__``: constants, classes, the rest; each ``a2`` before ``a10``."""
    return _kind(name), _natural(name)


def _import_order(name: str) -> tuple[int, list[tuple[int, int]], list[tuple[int, int]]]:
    return _kind(name), _natural(name.lower()), _natural(name)


def _kind(name: str) -> int:
    if len(name) > 1 and name.isupper():
        return 0
    return 1 if name[0].isupper() else 2


def _from_imports(section: Mapping[Code, Iterable[str]], used: set[str]) -> list[Code]:
    chosen: defaultdict[Code, list[str]] = defaultdict(list)
    for module, names in section.items():
        chosen[module] += [name for name in names if name in used]
    return [from_import(module, names) for module, names in chosen.items() if names]


# These and no others: Unicode knows many more, and not all of them are numbers to Python.
_DIGITS: Final = "0123456789"
_NUMBER_OR_CHARACTER: Final = re.compile(rf"[{_DIGITS}]+|[^{_DIGITS}]")


def _natural(text: str) -> list[tuple[int, int]]:
    return [
        (ord("0"), int(part)) if part[0] in _DIGITS else (ord(part), 0)
        for part in _NUMBER_OR_CHARACTER.findall(text)
    ]


def _used_names(tree: ast.AST) -> tuple[set[str], set[str]]:
    """Names that code reads, those in quoted annotations included; and those in quoted aliases."""
    read: set[str] = set()
    quoted: set[str] = set()
    for node in _named(tree):
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                read.add(node.id)
        else:
            read |= _names_in(_forward_references(node.annotation))
            if node.value is not None and _is_type_alias(node.annotation):
                quoted |= _names_in(_forward_references(node.value))
    return read, quoted


def _named(tree: ast.AST) -> Iterator[ast.Name | ast.AnnAssign]:
    """The names in code and the statements with annotations.

    Of large specs this looks at 100,000 nodes; `ast.walk` takes twice as long for them.
    """
    pending: list[object] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name):
            yield node
        elif isinstance(node, list):
            pending += node
        elif isinstance(node, ast.AST):
            if isinstance(node, ast.AnnAssign):
                yield node
            pending += [getattr(node, field) for field in node._fields]


def _is_type_alias(annotation: ast.expr) -> bool:
    return isinstance(annotation, ast.Name) and annotation.id == "TypeAlias"


def _names_in(references: Iterable[str]) -> set[str]:
    found = (_used_names(ast.parse(reference)) for reference in references)
    return {name for read, _ in found for name in read}


def _forward_references(annotation: ast.expr) -> Iterator[str]:
    """Quoted parts of an annotation; the text in ``Literal[...]`` and ``Meta(...)`` is data."""
    match annotation:
        case ast.Constant(value=str(reference)):
            yield reference
        case ast.Subscript(value=ast.Name(id="Literal")) | ast.Call():
            return
        case _:
            for child in ast.iter_child_nodes(annotation):
                if isinstance(child, ast.expr):
                    yield from _forward_references(child)
