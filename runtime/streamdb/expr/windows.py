"""Orders and the windows that are cut out of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeGuard

from streamdb.errors import ExpressionError
from streamdb.expr.nodes import OrderTerm
from streamdb.expr.query_tree import (
    FilterNode,
    MapNode,
    OrderNode,
    QueryNode,
    SelectNode,
    WhereNode,
)


def ordered(query: QueryNode, terms: tuple[OrderTerm, ...]) -> OrderNode:
    """Order a query anew."""
    return OrderNode(without_order(query), terms)


def without_order(query: QueryNode) -> QueryNode:
    """Return a query for those to whom its order is nothing: a window that was cut out stays."""
    return query.input if _is_whole(query) else query


def with_fewer_rows(query: QueryNode, step: Callable[[QueryNode], QueryNode]) -> QueryNode:
    """Put a where or a filter on a query: under its order, so that a window can follow."""
    if _is_whole(query):
        return replace(query, input=step(query.input))
    return step(query)


def windowed(query: QueryNode, method: str, **window: Any) -> QueryNode:
    """Cut ``limit`` or ``offset`` out of a query that is ordered.

    Raises:
        ExpressionError: it is not.
    """
    match query:
        case OrderNode():
            return replace(query, **window)
        case MapNode() | SelectNode():
            return replace(query, input=windowed(query.input, method, **window))
        case WhereNode() | FilterNode():
            order = _order_of(query)
            if order is not None:
                return OrderNode(query, order.terms, **window)
        case _:
            pass
    raise ExpressionError(
        f"`{method}` needs an order, or nobody could say which rows it leaves: write "
        f"`.order_by(lambda m: m.created_at).{method}(...)`, with `where` and `filter` before "
        "`select` and `map`"
    )


def check_count(value: object, method: str) -> None:
    """Check what limits and offsets are given.

    Raises:
        ExpressionError: it is no integer from 0.
    """
    if type(value) is not int or value < 0:
        raise ExpressionError(f"`{method}` takes an integer from 0, not {value!r}")


def _order_of(query: QueryNode) -> OrderNode | None:
    """Return the order of rows that were left out of it since."""
    while isinstance(query, WhereNode | FilterNode):
        query = query.input
    return query if isinstance(query, OrderNode) else None


def _is_whole(query: QueryNode) -> TypeGuard[OrderNode]:
    return isinstance(query, OrderNode) and query.limit is None and not query.offset
