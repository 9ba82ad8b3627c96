"""From what is asked to how it is run."""

from __future__ import annotations

from dataclasses import replace

from streamdb.engine.plan import (
    Distinct,
    Edge,
    Filter,
    Group,
    Join,
    Map,
    Order,
    Plan,
    Scan,
    Select,
    Step,
    Union,
    Where,
)
from streamdb.expr.query_tree import (
    DistinctNode,
    FilterNode,
    GroupNode,
    JoinNode,
    MapNode,
    OrderNode,
    QueryNode,
    SelectNode,
    SourceNode,
    UnionNode,
    WhereNode,
)


def plan_of(query: QueryNode) -> Plan:
    """Return the plan of a query."""
    root = _edge(query)
    return Plan(root, root.shape)


def _edge(query: QueryNode) -> Edge:
    """Plan a query; steps on top of an order go into it, for they keep its positions."""
    match query:
        case WhereNode() | FilterNode() | MapNode() | SelectNode():
            before = _edge(query.input)
            step = _step(query)
            if isinstance(before.node, Order):
                order = replace(before.node, then=(*before.node.then, step))
                return Edge(order, (), query.shape)
            return Edge(before.node, (*before.steps, step), query.shape)
        case SourceNode(source):
            return Edge(Scan(source), (), query.shape)
        case JoinNode(left, right):
            join = Join(
                _edge(left), _edge(right), query.pairs, query.residual, query.how, query.shape
            )
            return Edge(join, (), query.shape)
        case UnionNode(branches):
            return Edge(Union(tuple(map(_edge, branches))), (), query.shape)
        case GroupNode():
            group = Group(
                _edge(query.input), query.keys, query.aggregates, query.values, query.is_global
            )
            return Edge(group, (), query.shape)
        case DistinctNode():
            return Edge(Distinct(_edge(query.input)), (), query.shape)
        case OrderNode():
            order = Order(_edge(query.input), query.terms, query.limit, query.offset, ())
            return Edge(order, (), query.shape)


def _step(query: WhereNode | FilterNode | MapNode | SelectNode) -> Step:
    shape = query.input.shape
    match query:
        case WhereNode():
            return Where(query.condition, shape)
        case FilterNode():
            return Filter(query.function, shape)
        case MapNode():
            return Map(query.function, shape)
        case SelectNode():
            return Select(query.values, query.make, shape)
