"""What stands for users' functions: equal parts make equal ones, and they tell what they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, Final

from msgspec import Struct

from streamdb.expr.evaluate import evaluator
from streamdb.expr.nodes import Node
from streamdb.expr.shape import Shape


class Made(Struct, frozen=True):
    """What a selection or a function makes of values."""

    x: Any = None
    y: Any = None


class Function:
    """A function of the slots of rows, opaque to the engine, that evaluates expressions.

    Args:
        make: is called with their values.
        nodes: the expressions.
        shape: of the rows.
    """

    def __init__(self, make: Callable[..., Any], nodes: tuple[Node, ...], shape: Shape) -> None:
        readers = [evaluator(node, Shape(shape.slots, is_tuple=True)) for node in nodes]
        self._readers: Final = readers
        self._make: Final = make
        self.__name__ = f"{make.__name__}({', '.join(map(str, nodes))})"

    def __call__(self, *slots: Any) -> Any:
        return self._make(*(read(slots) for read in self._readers))


def first_present(*values: Any) -> Any:
    """Return the first value that is not null, or a text."""
    return next((value for value in values if value is not None), "none")


def truth_of(value: Any) -> Any:
    """Return it as it is: a filter takes everything that Python takes for true."""
    return value


def polynomial(before: int, value: Any) -> int:
    """Fold numbers so that their order matters."""
    return (before * 31 + (7 if value != value else hash(value))) % 1_000_003


def reduced(values: Sequence[Any]) -> int:
    """Make a number of all values in their order."""
    return reduce(polynomial, values, len(values))


class Tally:
    """A reducer of one's own: how many values there are, and how many different ones."""

    def __init__(self) -> None:
        self._counts: Final = Counter[Any]()

    def add(self, value: Any) -> None:
        self._counts[_hashable(value)] += 1

    def remove(self, value: Any) -> None:
        self._counts[_hashable(value)] -= 1
        assert self._counts[_hashable(value)] >= 0

    def result(self) -> int:
        return 100 * self._counts.total() + len(+self._counts)


def _hashable(value: Any) -> Any:
    return "NaN" if value != value else value


def put_together(before: str, value: str) -> str:
    """Fold texts."""
    return f"{before}{value}|"


#: By kind of value, what a fold begins with and its step.
FOLDS: Final[Mapping[str, tuple[Any, Callable[[Any, Any], Any]]]] = {
    "int": (0, polynomial),
    "number": (0, polynomial),
    "bool": (0, polynomial),
    "text": ("", put_together),
}
