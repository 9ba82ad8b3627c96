"""Unions: which rows can stand together."""

from __future__ import annotations

from dataclasses import replace

from streamdb.errors import ExpressionError
from streamdb.expr.nodes import SlotNode
from streamdb.expr.query_tree import QueryNode, SelectNode, UnionNode
from streamdb.expr.shape import Shape, Slot


def union(branches: tuple[QueryNode, ...]) -> UnionNode:
    """Return the query of the rows of all branches.

    Raises:
        ExpressionError: their rows are not alike, or there is one branch only.
    """
    if len(branches) == 1:
        raise ExpressionError("`union` takes the other queries: `a.union(b)`, `a.union(b, c)`")
    if any(branch.shape.is_tuple for branch in branches):
        branches = tuple(map(_as_tuples, branches))
    first = branches[0].shape
    for other in (branch.shape for branch in branches[1:]):
        if [*map(_kind, first.slots)] != [*map(_kind, other.slots)]:
            raise ExpressionError(
                f"`union` takes rows of one kind, and ({_described(first)}) and "
                f"({_described(other)}) differ: `select` the same columns of both, or `map` both "
                "to rows of one class"
            )
    slots = tuple(
        replace(
            slot, is_nullable=any(branch.shape.slots[number].is_nullable for branch in branches)
        )
        for number, slot in enumerate(first.slots)
    )
    return UnionNode(branches, Shape(slots, first.is_tuple))


def _as_tuples(query: QueryNode) -> QueryNode:
    """Return a query of the same rows, kept as tuples of slots."""
    if query.shape.is_tuple:
        return query
    (slot,) = query.shape.slots
    return SelectNode(query, (SlotNode(0, slot.name),), None, replace(query.shape, is_tuple=True))


def _kind(slot: Slot) -> object:
    return "a value" if slot.is_value else slot.columns


def _described(shape: Shape) -> str:
    return ", ".join(
        f"{slot.name}: {'a value' if slot.is_value else _named(slot.columns)}"
        for slot in shape.slots
    )


def _named(columns: object) -> str:
    return getattr(columns, "__name__", type(columns).__name__)
