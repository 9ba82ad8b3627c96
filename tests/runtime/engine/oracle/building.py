"""Two ways to put a node on a query: as users do, through the builder, and by hand.

By hand goes more than the builder allows, such as joins without an equality, and where on top of an
order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final, Protocol

from tests.runtime.engine.oracle.functions import Function, Made

from streamdb.expr import Expr, UntypedColumns
from streamdb.expr.joining import joined_shape
from streamdb.expr.nodes import (
    AggregateNode,
    Node,
    OperationNode,
    OrderTerm,
    SlotNode,
    moved,
    rebuilt,
    slots_of,
)
from streamdb.expr.ordering import Ordering
from streamdb.expr.query import Query
from streamdb.expr.query_tree import (
    DistinctNode,
    FilterNode,
    GroupNode,
    JoinKind,
    JoinNode,
    MapNode,
    OrderNode,
    QueryNode,
    SelectNode,
    UnionNode,
    WhereNode,
)
from streamdb.expr.shape import Shape, Slot, value_slot

Pairs = Sequence[tuple[Node, Node]]


class Building(Protocol):
    """Puts nodes on queries."""

    def where(self, query: QueryNode, condition: Node) -> QueryNode: ...
    def filter(self, query: QueryNode, function: Function) -> QueryNode: ...
    def select(self, query: QueryNode, values: Sequence[Node]) -> QueryNode: ...
    def join(
        self, left: QueryNode, right: QueryNode, pairs: Pairs, residual: Node | None, how: JoinKind
    ) -> QueryNode: ...
    def union(self, branches: Sequence[QueryNode]) -> QueryNode: ...
    def group(
        self,
        query: QueryNode,
        keys: Sequence[Node],
        asked: Sequence[AggregateNode],
        values: Sequence[Node],
    ) -> QueryNode: ...
    def distinct(self, query: QueryNode) -> QueryNode: ...
    def order(
        self, query: QueryNode, terms: Sequence[OrderTerm], limit: int | None, offset: int
    ) -> QueryNode: ...


class ByHand:
    """Makes the nodes."""

    def where(self, query: QueryNode, condition: Node) -> QueryNode:
        return WhereNode(query, condition)

    def filter(self, query: QueryNode, function: Function) -> QueryNode:
        return FilterNode(query, function)

    def map(self, query: QueryNode, function: Function) -> QueryNode:
        """Map to a value that expressions can be made of, as the builder does not."""
        return MapNode(query, function, Shape((value_slot("value"),), is_tuple=False))

    def map_to_rows(self, query: QueryNode, function: Function) -> QueryNode:
        """Map to rows that have columns, as those of a live query may have."""
        return MapNode(query, function, _MADE)

    def select(self, query: QueryNode, values: Sequence[Node]) -> QueryNode:
        slots = tuple(selected_slot(query, value) for value in values)
        return SelectNode(query, tuple(values), None, Shape(slots, is_tuple=True))

    def select_rows(self, query: QueryNode, values: Sequence[Node]) -> QueryNode:
        """Select rows that have columns."""
        return SelectNode(query, tuple(values), Made, _MADE)

    def join(
        self, left: QueryNode, right: QueryNode, pairs: Pairs, residual: Node | None, how: JoinKind
    ) -> QueryNode:
        shape = joined_shape(left.shape, right.shape, how)
        return JoinNode(left, right, tuple(pairs), residual, how, shape)

    def union(self, branches: Sequence[QueryNode]) -> QueryNode:
        return UnionNode(tuple(branches), branches[0].shape)

    def group(
        self,
        query: QueryNode,
        keys: Sequence[Node],
        asked: Sequence[AggregateNode],
        values: Sequence[Node],
    ) -> QueryNode:
        slots = tuple(value_slot(str(node)) for node in (*keys, *values))
        return GroupNode(
            query, tuple(keys), tuple(asked), tuple(values), not keys, Shape(slots, is_tuple=True)
        )

    def distinct(self, query: QueryNode) -> QueryNode:
        return DistinctNode(query)

    def order(
        self, query: QueryNode, terms: Sequence[OrderTerm], limit: int | None, offset: int
    ) -> QueryNode:
        return OrderNode(query, tuple(terms), limit, offset)


class ByBuilder(ByHand):
    """Asks the public builder, where it allows what is asked."""

    def where(self, query: QueryNode, condition: Node) -> QueryNode:
        return _query(query).where(_giving(condition)).node

    def filter(self, query: QueryNode, function: Function) -> QueryNode:
        return _query(query).filter(function).node

    def select(self, query: QueryNode, values: Sequence[Node]) -> QueryNode:
        def chosen(*columns: Any) -> tuple[Any, ...]:
            return tuple(
                columns[value.slot]
                if isinstance(value, SlotNode) and not query.shape.slots[value.slot].is_value
                else Expr(value)
                for value in values
            )

        return _query(query).select(chosen).node

    def join(
        self, left: QueryNode, right: QueryNode, pairs: Pairs, residual: Node | None, how: JoinKind
    ) -> QueryNode:
        if not any(slots_of(one) and slots_of(other) for one, other in pairs):
            return super().join(left, right, pairs, residual, how)
        border = len(left.shape.slots)
        condition, *others = (
            *(OperationNode("==", (one, moved(other, border))) for one, other in pairs),
            *(() if residual is None else (residual,)),
        )
        for other in others:
            condition = OperationNode("&", (condition, other))
        return _query(left).join(_query(right), _giving(condition), how).node

    def union(self, branches: Sequence[QueryNode]) -> QueryNode:
        first, *others = map(_query, branches)
        return first.union(*others).node

    def group(
        self,
        query: QueryNode,
        keys: Sequence[Node],
        asked: Sequence[AggregateNode],
        values: Sequence[Node],
    ) -> QueryNode:
        if not values:
            return super().group(query, keys, asked, values)
        inside = (*keys, *asked)

        def placed(node: Node) -> Node:
            return inside[node.slot] if isinstance(node, SlotNode) else rebuilt(node, placed)

        answers = _giving(*map(placed, values))
        if not keys:
            return _query(query).agg(answers).node
        return _query(query).group_by(_giving(*keys)).agg(answers).node

    def distinct(self, query: QueryNode) -> QueryNode:
        if any(slot.getter is not None for slot in query.shape.slots):
            return super().distinct(query)
        return _query(query).distinct().node

    def order(
        self, query: QueryNode, terms: Sequence[OrderTerm], limit: int | None, offset: int
    ) -> QueryNode:
        if not terms:
            return super().order(query, terms, limit, offset)
        ordered = _query(query).order_by(lambda *columns: tuple(map(Ordering, terms)))
        if limit is not None:
            ordered = ordered.limit(limit)
        return ordered.offset(offset).node if offset else ordered.node


def selected_slot(query: QueryNode, value: Node) -> Slot:
    """Return the slot that a selected value makes: a whole row stays one."""
    if isinstance(value, SlotNode) and not query.shape.slots[value.slot].is_value:
        return query.shape.slots[value.slot]
    return value_slot(str(value))


def _query(node: QueryNode) -> Query:
    return Query(node, None)


def _giving(*nodes: Node) -> Callable[..., Any]:
    """Return the function of columns that returns expressions."""
    found = tuple(map(Expr, nodes))
    return lambda *columns: found if len(found) > 1 else found[0]


_MADE: Final = Shape((Slot("Made", UntypedColumns[Any], attrgetter),), is_tuple=False)
