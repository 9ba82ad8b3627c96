"""Queries as trees, written shortly, for tests of the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamdb.expr import Expr
from streamdb.expr.joining import joined_shape
from streamdb.expr.nodes import ColumnNode, Node, OrderTerm
from streamdb.expr.query_tree import (
    DistinctNode,
    FilterNode,
    JoinKind,
    JoinNode,
    MapNode,
    OrderNode,
    QueryNode,
    SelectNode,
    UnionNode,
    WhereNode,
)
from streamdb.expr.shape import Shape, value_slot


def where(query: QueryNode, function: Callable[..., Expr[Any, Any]]) -> QueryNode:
    return WhereNode(query, function(*query.shape.columns()).node)


def filter_(query: QueryNode, function: Callable[..., Any]) -> QueryNode:
    return FilterNode(query, function)


def map_(query: QueryNode, function: Callable[..., Any]) -> QueryNode:
    return MapNode(query, function, Shape((value_slot("value"),), is_tuple=False))


def select(query: QueryNode, function: Callable[..., tuple[Expr[Any, Any], ...]]) -> QueryNode:
    values = tuple(value.node for value in function(*query.shape.columns()))
    return SelectNode(query, values, None, tuple_shape(values))


def tuple_shape(values: tuple[Node, ...]) -> Shape:
    """Return the shape of rows of values."""
    return Shape(tuple(value_slot(str(value)) for value in values), is_tuple=True)


def join(
    left: QueryNode,
    right: QueryNode,
    on: Callable[..., list[tuple[Expr[Any, Any], Expr[Any, Any]]]],
    how: JoinKind = "inner",
    residual: Callable[..., Expr[Any, Any]] | None = None,
) -> JoinNode:
    """Join by pairs of expressions, each given the columns of both sides."""
    pairs = on(*left.shape.columns(), *right.shape.columns())
    shape = joined_shape(left.shape, right.shape, how)
    fits = None if residual is None else residual(*shape.columns()).node
    return JoinNode(
        left, right, tuple((one.node, other.node) for one, other in pairs), fits, how, shape
    )


def union(*branches: QueryNode) -> QueryNode:
    return UnionNode(branches, branches[0].shape)


def distinct(query: QueryNode) -> QueryNode:
    return DistinctNode(query)


def order(
    query: QueryNode, *columns: str | OrderTerm, limit: int | None = None, offset: int = 0
) -> QueryNode:
    """Order by columns of the first slot, or by other terms."""
    terms = (OrderTerm(ColumnNode(c)) if isinstance(c, str) else c for c in columns)
    return OrderNode(query, tuple(terms), limit, offset)
