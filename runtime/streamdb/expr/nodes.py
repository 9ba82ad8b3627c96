"""The tree that an expression is: immutable, comparable, without any of the typed surface.

``str(node)`` is the expression as a user would write it, shortened, for messages.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from streamdb.expr.operators import OPERATORS


@dataclass(frozen=True, slots=True)
class ColumnNode:
    """The value of one column: the attribute of that name of the row in a slot."""

    name: str
    slot: int = 0

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class SlotNode:
    """What a slot holds: a whole row, or the value that a selection or an aggregate left there.

    Attributes:
        slot: its number.
        name: what it is called in messages.
    """

    slot: int
    name: str = "value"

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ConstantNode:
    """A value written into the expression; ``None`` is null."""

    value: object

    def __str__(self) -> str:
        return reprlib.repr(self.value)


@dataclass(frozen=True, slots=True)
class OperationNode:
    """A row of ``OPERATORS``, by its key, applied to operands."""

    operator: str
    operands: tuple[Node, ...]

    def __str__(self) -> str:
        texts = list(map(str, self.operands))
        return OPERATORS[self.operator].text(texts, list(map(_is_infix, self.operands)))


@dataclass(frozen=True, slots=True)
class AggregateNode:
    """One value for all rows of a group: a row of ``AGGREGATES``, by its key, over an operand.

    Attributes:
        aggregate: the key.
        operand: what is asked of each row; None counts the rows.
        by: what the rows are ordered by, for those that care; empty is the order of arrival.
        options: what else the aggregate is told, such as a separator or a function.
        of_rows: whether the operand is a whole row: one that is missing, on the far side of an
            outer join, does not count then.
    """

    aggregate: str
    operand: Node | None
    by: tuple[OrderTerm, ...] = ()
    options: tuple[object, ...] = ()
    of_rows: bool = False

    def __str__(self) -> str:
        return f"fn.{self.aggregate}({'' if self.operand is None else self.operand})"


Node: TypeAlias = ColumnNode | SlotNode | ConstantNode | OperationNode | AggregateNode


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """One of the things that rows are ordered by.

    Attributes:
        node: its value; text is ordered by code point, false before true, NaN after all numbers.
        descending: from the greatest to the least.
        nulls_first: where rows without a value stand; by default first, and last if descending.
    """

    node: Node
    descending: bool = False
    nulls_first: bool = True

    def __str__(self) -> str:
        suffix = ".desc()" if self.descending else ""
        if self.nulls_first is self.descending:
            suffix += ".nulls_first()" if self.nulls_first else ".nulls_last()"
        return (
            f"({self.node}){suffix}" if suffix and _is_infix(self.node) else f"{self.node}{suffix}"
        )


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes that a node is made of."""
    match node:
        case OperationNode():
            return node.operands
        case AggregateNode(_, operand, by):
            return (*(() if operand is None else (operand,)), *(term.node for term in by))
        case _:
            return ()


def rebuilt(node: Node, new: Callable[[Node], Node]) -> Node:
    """Return a node like this one, made of what ``new`` makes of the nodes that it is made of."""
    match node:
        case OperationNode(operator, operands):
            return OperationNode(operator, tuple(map(new, operands)))
        case AggregateNode(_, operand, by):
            return replace(
                node,
                operand=None if operand is None else new(operand),
                by=tuple(replace(term, node=new(term.node)) for term in by),
            )
        case _:
            return node


def moved(node: Node, by: int) -> Node:
    """Return an expression of slots whose numbers are greater by so much."""
    if isinstance(node, ColumnNode | SlotNode):
        return replace(node, slot=node.slot + by)
    return rebuilt(node, lambda child: moved(child, by))


def aggregates_in(node: Node) -> tuple[AggregateNode, ...]:
    """Return the aggregates in an expression, those that others are made of left out."""
    if isinstance(node, AggregateNode):
        return (node,)
    return tuple(found for child in children(node) for found in aggregates_in(child))


def slots_of(node: Node) -> frozenset[int]:
    """Return the numbers of the slots that an expression reads."""
    if isinstance(node, ColumnNode | SlotNode):
        return frozenset((node.slot,))
    return frozenset[int]().union(*map(slots_of, children(node)))


def _is_infix(node: Node) -> bool:
    return isinstance(node, OperationNode) and OPERATORS[node.operator].is_infix
