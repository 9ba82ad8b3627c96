"""What a selection makes of rows: values side by side, or an object of each."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from streamdb.errors import ExpressionError
from streamdb.expr.missing import check_made
from streamdb.expr.nodes import Node
from streamdb.expr.opaque import opaque_shape
from streamdb.expr.query_tree import QueryNode, SelectNode
from streamdb.expr.shape import MOST_SLOTS, Shape, Slot
from streamdb.plain_functions import refuse_async


def selected(query: QueryNode, values: tuple[tuple[Node, Slot], ...]) -> SelectNode:
    """Return the query of values, each of them a slot.

    Raises:
        ExpressionError: there are too many.
    """
    if len(values) > MOST_SLOTS:
        raise ExpressionError(
            f"`select` was given {len(values)} values, and a query has {MOST_SLOTS} slots at most: "
            "make an object of them, `select(Class, lambda m: (m.a, m.b))`"
        )
    nodes = tuple(node for node, _ in values)
    return SelectNode(query, nodes, None, Shape(tuple(slot for _, slot in values), is_tuple=True))


def constructed(
    query: QueryNode, make: Callable[..., Any], values: tuple[tuple[Node, Slot], ...]
) -> SelectNode:
    """Return the query of what ``make`` makes of values.

    Raises:
        ExpressionError: it does not take so many, or not that one of them may be missing.
        TypeError: it is no function, or ``async def``.
    """
    refuse_async(make, "select", "let it make the row at once")
    name = name_of(make)
    nodes = tuple(node for node, _ in values)
    try:
        signature = inspect.signature(make)
    except (TypeError, ValueError):  # of some that are written in C nobody knows it
        signature = None
    if signature is not None:
        try:
            signature.bind(*nodes)
        except TypeError as error:
            raise ExpressionError(
                f"`select` calls `{name}` with {len(nodes)} values by position, and it takes "
                f"`{signature}` ({error}): give it a function that does, or use `map`"
            ) from None
        check_made(make, signature, nodes, query.shape)
    return SelectNode(query, nodes, make, opaque_shape(name))


def name_of(function: Callable[..., Any]) -> str:
    """Return what messages call the rows that a function makes."""
    name = getattr(function, "__name__", "")
    return name if name.isidentifier() else "row"
