"""What the rows of a query are made of: one to five slots, each a row or a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Final, TypeAlias

from streamdb.expr.columns import UntypedColumns
from streamdb.expr.expression import Expr
from streamdb.expr.kinds import Kind
from streamdb.expr.nodes import ColumnNode, SlotNode

#: How many slots a query may have: as many as there are typed classes for.
MOST_SLOTS: Final = 5

#: Makes the function that reads a column of a row, by the column's name.
Getter: TypeAlias = Callable[[str], Callable[[Any], Any]]


def _unknown(column: str | None) -> None:
    """Know nothing of the values of a slot."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One of the things that a row of a query is made of.

    Attributes:
        name: what messages call it.
        columns: makes what functions of expressions are given for it, by its number.
        getter: how columns of its rows are read; None if it holds a value, or an opaque object.
        kinds: tells of what kinds the values of a column are, by its name, or those of the slot
            itself, by None; None if it does not know.
        is_nullable: whether it may be missing: the far side of an outer join.
    """

    name: str
    columns: Callable[[int], Any]
    getter: Getter | None = None
    is_nullable: bool = False
    kinds: Callable[[str | None], frozenset[Kind] | None] = _unknown

    @property
    def is_value(self) -> bool:
        """Whether it holds a value, of which expressions are made, and no row."""
        return self.getter is None and not isinstance(self.columns, type)

    def nullable(self) -> Slot:
        """Return the slot as it is on the far side of an outer join."""
        return replace(self, is_nullable=True)


def value_slot(name: str, kinds: frozenset[Kind] | None = None) -> Slot:
    """Return the slot of a value, of such kinds: expressions are given the value itself."""

    def columns(number: int) -> Expr[Any, Any]:
        return Expr(SlotNode(number, name))

    return Slot(name, columns, kinds=lambda _: kinds)


@dataclass(frozen=True, slots=True)
class Shape:
    """How the rows of a query are kept.

    Attributes:
        slots: what they are made of.
        is_tuple: whether a row is the tuple of its slots, even of a single one. Otherwise there is
            one slot, and the row is what it holds.
    """

    slots: tuple[Slot, ...]
    is_tuple: bool

    def columns(self, first_slot: int = 0) -> tuple[Any, ...]:
        """Return what a function of expressions is called with."""
        return tuple(slot.columns(number) for number, slot in enumerate(self.slots, first_slot))

    def kinds(self, column: ColumnNode | SlotNode) -> frozenset[Kind] | None:
        """Return of what kinds the values of a column or of a slot are, if that is known."""
        return self.slots[column.slot].kinds(
            column.name if isinstance(column, ColumnNode) else None
        )

    def names(self) -> str:
        """Return what messages call the slots."""
        return ", ".join(slot.name for slot in self.slots)

    def joined(self, other: Shape) -> Shape:
        """Return the shape of pairs."""
        return Shape((*self.slots, *other.slots), is_tuple=True)


def row_shape(getter: Getter = attrgetter, name: str = "row") -> Shape:
    """Return the shape of plain rows, whatever columns they have."""
    return Shape((Slot(name, UntypedColumns[Any], getter),), is_tuple=False)
