"""What a plan does, for people: one line a node, the index that it uses, and what a change costs.

It holds for the executors that keep rows up to date: the naive one computes all anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from streamdb.engine.indexes.first_rows import ordering_column
from streamdb.engine.indexes.found_rows import getter_of
from streamdb.engine.indexes.lookups import AnyOf, lookups_of
from streamdb.engine.interpreted.join_indexes import keyed_side
from streamdb.engine.interpreted.window_inputs import is_cut_from_source
from streamdb.engine.plan import (
    Distinct,
    Edge,
    Filter,
    Group,
    Join,
    Map,
    Order,
    Plan,
    PlanNode,
    Scan,
    Select,
    Step,
    Union,
    Where,
    inputs,
)
from streamdb.engine.pushing import pushed_down
from streamdb.expr.aggregates import AGGREGATES
from streamdb.expr.nodes import Node, OperationNode
from streamdb.expr.sources import Source


def explain(plan: Plan) -> str:
    """Return a line for each node and each step of a plan; what it reads stands below, indented.

    A line says what is done, then what is kept for it, and what one changed row costs there.

    >>> from streamdb.engine.planning import plan_of
    >>> from streamdb.expr import UntypedColumns
    >>> from streamdb.expr.nodes import OrderTerm
    >>> from streamdb.expr.query_tree import OrderNode, UnionNode, WhereNode
    >>> from streamdb.expr.shape import Shape
    >>> nothing = UnionNode((), Shape((), is_tuple=True))
    >>> is_long = (UntypedColumns().tokens > 100).node
    >>> print(explain(plan_of(WhereNode(nothing, is_long))))
    where tokens > 100 | keeps the rows that pass | one test
      union of 0 branches | keeps all rows | nothing more than in the branch
    """
    return "\n".join(f"{'  ' * depth}{line}" for depth, line in _edge(pushed_down(plan).root, 0))


def _edge(edge: Edge, depth: int, above: PlanNode | None = None) -> Iterator[tuple[int, str]]:
    """Yield the lines of an edge into the node above."""
    window = above if isinstance(above, Order) and is_cut_from_source(above) else None
    own = edge.node.then if isinstance(edge.node, Order) else ()
    for step in reversed((*own, *edge.steps)):
        what, keeps, cost = _step(step)
        if window is not None:
            keeps, cost = "keeps nothing", "two tests"
        yield depth, f"{what} | {keeps} | {cost}"
        depth += 1
    if isinstance(edge.node, Scan):
        yield depth, " | ".join(_scan(edge.node.source, edge.steps, window))
    else:
        yield depth, " | ".join(_node(edge.node))
    for inner in inputs(edge.node):
        yield from _edge(inner, depth + 1, edge.node)


def _scan(source: Source, steps: Sequence[Step], window: Order | None) -> Iterable[str]:
    indexed: list[str] = []
    reads = "reads the rows where they are"
    if steps and getter_of(steps[0].shape) is None:
        return source.name, reads, "nothing"
    for lookup in lookups_of(steps):
        if isinstance(lookup, AnyOf) and lookup.column.name == source.key_column:
            return source.name, f"{reads}, at first by key", "nothing"
        indexed.append(lookup.column.name)
    if window is not None and (column := ordering_column(window)) is not None:
        indexed.append(column.name)
    if indexed:
        reads += f", at first by an index of {' or '.join(dict.fromkeys(indexed))} if that pays"
    return source.name, reads, "nothing"


def _step(step: Step) -> tuple[str, str, str]:
    match step:
        case Where(condition):
            return f"where {condition}", "keeps the rows that pass", "one test"
        case Filter(function):
            return f"filter by {_name(function)}", "keeps the rows that pass", "one call"
        case Map(function):
            return f"map by {_name(function)}", "keeps what comes out", "one call"
        case Select(values, make):
            maker = "" if make is None else f" as {_name(make)}"
            cost = f"{len(values)} value{'s' * (len(values) != 1)}"
            return f"select {_listed(values)}{maker}", "keeps what comes out", cost


def _node(node: Join | Union | Group | Distinct | Order) -> Iterable[str]:
    match node:
        case Join():
            return _join(node)
        case Union(branches):
            cost = "nothing more than in the branch"
            return f"union of {len(branches)} branches", "keeps all rows", cost
        case Group():
            return _group(node)
        case Distinct():
            return "distinct", "counts equal rows", "one look-up"
        case Order():
            return _order(node)


def _join(node: Join) -> Iterable[str]:
    conditions: list[Node] = [OperationNode("==", pair) for pair in node.pairs]
    if node.residual is not None:
        conditions.append(node.residual)
    on = f"on {' and '.join(map(str, conditions))}" if conditions else "of all"
    name = f"{node.how} join {on}"
    if not node.pairs:
        return name, "keeps all pairs", "all rows of the other side"
    values = [_listed(pair[side] for pair in node.pairs) for side in (0, 1)]
    cost = "the rows of the other side with equal values"
    keyed = keyed_side(node)
    if keyed is None:
        return name, f"indexes the left by {values[0]}, the right by {values[1]}", cost
    indexed = ("right", "left")[keyed.side]
    index = f"finds {keyed.source.name} by key, indexes the {indexed} by {values[1 - keyed.side]}"
    return name, index, cost


def _group(node: Group) -> Iterable[str]:
    asked, cost = _listed(node.aggregates) or "nothing", "a step for each aggregate"
    if any(AGGREGATES[aggregate.aggregate].is_ordered for aggregate in node.aggregates):
        cost += ", the rows of its group where they change other than at the end"
    if node.is_global:
        return f"all rows as one group, of it {asked}", "keeps the answer", cost
    name = f"group by {_listed(node.keys)}, of each {asked}"
    return name, "keeps the groups by their values", cost


def _order(node: Order) -> Iterable[str]:
    name = f"order by {_listed(node.terms) or 'key'}"
    if node.limit is None:
        name += f", rows from {node.offset + 1}" if node.offset else ""
        return name, "keeps all rows in order", "a search, O(log n)"
    name += f", rows {node.offset + 1} to {node.offset + node.limit}"
    kept = "keeps the first rows in order, about twice as many"
    return name, kept, "one comparison, or inside of these a search"


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", None) or type(function).__name__


def _listed(parts: Iterable[object]) -> str:
    return ", ".join(map(str, parts))
