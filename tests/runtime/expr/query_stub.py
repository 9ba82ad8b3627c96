"""Writes what type checkers are told of queries: ``python -m tests.runtime.expr.query_stub``.

At run time there is one class for queries of any number of slots. For checkers there is one for
each number, whose methods differ in how many rows and columns their functions take.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from streamdb.expr import queries
from streamdb.expr.shape import MOST_SLOTS

STUB: Final = Path(queries.__file__).with_suffix(".pyi")
MOST_KEYS: Final = 3
MOST_ARGUMENTS: Final = 8

_HEAD: Final = '''\
# Written by `python -m tests.runtime.expr.query_stub`, do not edit.
"""What type checkers are told of queries; at run time they are one class, see `query.py`.

A query has slots. Of each, `R` is what functions of rows are given, and `C` what functions of
columns are. A selected value of type `Expr[V, N]` is read as an `N`.
"""

from collections.abc import Callable
from typing import Any, Generic, Literal, ParamSpec, Protocol, Self, TypeAlias, TypeVar, overload

from streamdb.expr.expression import Expr
from streamdb.expr.opaque import Opaque
from streamdb.expr.ordering import Ordered, Ordering
from streamdb.expr.query import QueryRunner
from streamdb.expr.query_tree import QueryNode
from streamdb.expr.sources import Source
'''

_SHARED: Final = '''
Condition: TypeAlias = Expr[bool, Any]
OrderTerm: TypeAlias = Expr[Ordered, Any] | Ordering
OrderTerms: TypeAlias = OrderTerm | tuple[OrderTerm, ...]

class Selectable(Protocol[A, S]):
    """A column or an expression, or all columns of a slot for its row: `A` is what is read."""

    def __slot_of__(self) -> tuple[A, S]: ...

class Liveable(Protocol[A, S]):
    """A query, a collection or a live query: `A` is what users see of a row, `S` its columns."""

    def __live_of__(self) -> tuple[A, S]: ...
'''


@dataclass(frozen=True)
class Slots:
    """The slots from one number to another, as lists of type variables."""

    first: int
    last: int

    def names(self, *letters: str) -> str:
        """Return the type variables of those letters: ``R1, R2, C1, C2``."""
        return ", ".join(f"{letter}{n}" for letter in letters for n in self)

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.last + 1))

    def __len__(self) -> int:
        return self.last - self.first + 1


def stub() -> str:
    """Return the text of the stub, formatted."""
    parts = [_HEAD, _type_variables(), _SHARED, _any_query(), _queryable(), _query_of_one()]
    parts += [_query(Slots(1, count)) for count in range(2, MOST_SLOTS + 1)]
    parts += [_grouped(count) for count in range(1, MOST_KEYS + 1)]
    parts += ["def query_of(source: Source, runner: QueryRunner | None) -> Query1[Any, Any]: ...\n"]
    return _formatted("\n".join(parts))


def _type_variables() -> str:
    plain = [
        *(f"{letter}{n}" for letter in "RCVNS" for n in range(1, MOST_SLOTS + 1)),
        *(f"A{n}" for n in range(1, MOST_ARGUMENTS + 1)),
        "Made",
    ]
    covariant = ["T", "A", "S"]
    lines = [f'{name} = TypeVar("{name}")' for name in plain]
    lines += [f'{name} = TypeVar("{name}", covariant=True)' for name in covariant]
    return "\n".join([*lines, 'P = ParamSpec("P")', ""])


def _any_query() -> str:
    return _class(
        "class Query(Generic[T]):",
        [
            "@property",
            "def node(self) -> QueryNode: ...",
            "@property",
            "def runner(self) -> QueryRunner | None: ...",
            "def __live_of__(self) -> tuple[T, Any]: ...",
            "def distinct(self) -> Self: ...",
            "def limit(self, count: int) -> Self: ...",
            "def offset(self, count: int) -> Self: ...",
            *_answers("T"),
        ],
        "What queries of any number of slots have in common; `T` is what users see of a row.",
    )


def _answers(row: str) -> list[str]:
    return [
        f"def fetch(self) -> list[{row}]: ...",
        f"def first(self) -> {row} | None: ...",
        f"def one(self) -> {row}: ...",
        "def explain(self) -> str: ...",
    ]


def _queryable() -> str:
    slots = Slots(1, 1)
    return _class(
        "class Queryable(Generic[R1, C1]):",
        [
            "def as_query(self) -> Query1[R1, C1]: ...",
            "def __live_of__(self) -> tuple[R1, C1]: ...",
            *_methods(slots, "Query1[R1, C1]"),
            *_answers("R1"),
        ],
        "What a query of one slot can begin at: a collection, a live query, or such a query.",
    )


def _query_of_one() -> str:
    return _class(
        "class Query1(Query[R1], Queryable[R1, C1]):",
        [
            "def __live_of__(self) -> tuple[R1, C1]: ...",
            "def having(self, condition: Callable[[C1], Condition]) -> Self: ...",
        ],
    )


def _query(slots: Slots) -> str:
    columns, row = slots.names("C"), f"tuple[{slots.names('R')}]"
    return _class(
        f"class Query{len(slots)}(Query[{row}], Generic[{slots.names('R', 'C')}]):",
        [
            f"def __live_of__(self) -> tuple[{row}, Opaque[{row}]]: ...",
            *_methods(slots, "Self"),
            f"def having(self, condition: Callable[[{columns}], Condition]) -> Self: ...",
        ],
    )


def _methods(slots: Slots, itself: str) -> Iterator[str]:
    rows, columns = slots.names("R"), slots.names("C")
    others = (
        f"Query{len(slots)}[{slots.names('R', 'C')}]" if len(slots) > 1 else "Queryable[R1, C1]"
    )
    yield f"def where(self, condition: Callable[[{columns}], Condition]) -> {itself}: ..."
    yield f"def filter(self, function: Callable[[{rows}], bool]) -> {itself}: ..."
    yield f"def map(self, function: Callable[[{rows}], Made]) -> Query1[Made, Opaque[Made]]: ..."
    yield f"def order_by(self, terms: Callable[[{columns}], OrderTerms]) -> {itself}: ..."
    yield f"def union(self, *others: {others}) -> {itself}: ..."
    yield from _overloads(_selects(columns))
    yield from _overloads(_joins(slots))
    yield from _overloads(_groups(columns))
    yield from _overloads(_global_aggregates(columns))


def _selects(columns: str) -> Iterator[str]:
    for count in range(1, MOST_SLOTS + 1):
        values = _tuple(f"Selectable[A{n}, S{n}]" for n in range(1, count + 1))
        result = f"Query{count}[{Slots(1, count).names('A', 'S')}]"
        yield f"def select(self, columns: Callable[[{columns}], {values}], /) -> {result}: ..."
    for count in range(1, MOST_ARGUMENTS + 1):
        values = _tuple(f"Selectable[A{n}, Any]" for n in range(1, count + 1))
        make = f"Callable[[{Slots(1, count).names('A')}], Made]"
        yield (
            f"def select(self, make: {make}, columns: Callable[[{columns}], {values}], /)"
            " -> Query1[Made, Opaque[Made]]: ..."
        )


def _joins(slots: Slots) -> Iterator[str]:
    """Yield a join with every number of further slots, of every kind."""
    for last in range(slots.last + 1, MOST_SLOTS + 1):
        further, together = Slots(slots.last + 1, last), Slots(1, last)
        other = "Queryable" if len(further) == 1 else f"Query{len(further)}"
        on = f"Callable[[{together.names('C')}], Condition]"
        for how in ("inner", "left", "right", "full"):
            default = " = ..." if how == "inner" else ""
            rows = [
                f"R{n} | None" if how in _kinds_that_miss(n in further) else f"R{n}"
                for n in together
            ]
            yield (
                f"def join(self, other: {other}[{further.names('R', 'C')}], on: {on}, "
                f'how: Literal["{how}"]{default}) -> '
                f"Query{len(together)}[{', '.join(rows)}, {together.names('C')}]: ..."
            )


def _kinds_that_miss(is_further: bool) -> tuple[str, str]:
    """Return the kinds of join in which a row of that side may miss."""
    return ("left", "full") if is_further else ("right", "full")


def _groups(columns: str) -> Iterator[str]:
    for count in range(1, MOST_KEYS + 1):
        keys = _tuple(f"Expr[V{n}, N{n}]" for n in range(1, count + 1))
        result = f"Grouped{count}[[{columns}], {Slots(1, count).names('V', 'N')}]"
        yield f"def group_by(self, keys: Callable[[{columns}], {keys}]) -> {result}: ..."


def _global_aggregates(columns: str) -> Iterator[str]:
    for count in range(1, MOST_SLOTS + 1):
        yield _aggregates(f"[{columns}]", 0, count)


def _grouped(keys: int) -> str:
    variables = Slots(1, keys).names("V", "N")
    return _class(
        f"class Grouped{keys}(Generic[P, {variables}]):",
        _overloads(_aggregates("P", keys, count) for count in range(1, MOST_SLOTS - keys + 1)),
    )


def _aggregates(parameters: str, keys: int, count: int) -> str:
    slots = Slots(1, keys + count)
    values = _tuple(f"Expr[V{n}, N{n}]" for n in range(keys + 1, keys + count + 1))
    expressions = ", ".join(f"Expr[V{n}, N{n}]" for n in slots)
    return (
        f"def agg(self, values: Callable[{parameters}, {values}]) -> "
        f"Query{len(slots)}[{slots.names('N')}, {expressions}]: ..."
    )


def _tuple(types: Iterable[str]) -> str:
    types = list(types)
    return types[0] if len(types) == 1 else f"tuple[{', '.join(types)}]"


def _overloads(signatures: Iterable[str]) -> list[str]:
    signatures = list(signatures)
    if len(signatures) == 1:
        return signatures
    return [line for signature in signatures for line in ("@overload", signature)]


def _class(head: str, members: Iterable[str], doc: str = "") -> str:
    real = getattr(queries, head.removeprefix("class ").partition("(")[0])
    lines = [f'"""{doc}"""\n'] if doc else []
    return "\n".join([head, *(f"    {line}" for line in [*lines, *_told(members, real)]), ""])


def _told(members: Iterable[str], real: type[Any]) -> Iterator[str]:
    """Give the first form of each method the first line of its docstring, for editors."""
    told = set[str]()
    for member in members:
        name = member.removeprefix("def ").partition("(")[0]
        line = (inspect.getdoc(getattr(real, name, None)) or "").partition("\n")[0]
        if member.startswith("def ") and line and name not in told:
            told.add(name)
            yield f'{member.removesuffix(" ...")} """{line}"""'
        else:
            yield member


def _formatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(STUB), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
