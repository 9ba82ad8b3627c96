"""What is asked of groups: the aggregates in it, and what is computed of them."""

from __future__ import annotations

from streamdb.errors import ExpressionError
from streamdb.expr.checking import kinds_of
from streamdb.expr.nodes import (
    AggregateNode,
    ConstantNode,
    Node,
    OperationNode,
    SlotNode,
    aggregates_in,
    children,
    rebuilt,
)
from streamdb.expr.query_tree import GroupNode, QueryNode
from streamdb.expr.shape import MOST_SLOTS, Shape, value_slot


def grouped(query: QueryNode, keys: tuple[Node, ...], answers: tuple[Node, ...]) -> GroupNode:
    """Return the query of one row for each group; without keys, of one row for all.

    Raises:
        ExpressionError: a column is neither grouped by nor in an aggregate, an aggregate is in
            another one, or there are too many slots.
    """
    if len(keys) + len(answers) > MOST_SLOTS:
        raise ExpressionError(
            f"{len(keys)} keys and {len(answers)} values are {len(keys) + len(answers)} slots, and "
            f"a query has {MOST_SLOTS} at most: ask for less at once, or collect the rows of a "
            "group by `fn.collect` and `map` them"
        )
    asked = _Asked(keys)
    values = tuple(map(asked.placed, answers))
    slots = (value_slot(str(node), kinds_of(node, query.shape.kinds)) for node in keys + answers)
    shape = Shape(tuple(slots), is_tuple=True)
    return GroupNode(query, keys, tuple(asked.aggregates), values, not keys, shape)


class _Asked:
    """Finds what is asked of a group: keys and aggregates, in the slots that hold them."""

    def __init__(self, keys: tuple[Node, ...]) -> None:
        self._keys = keys
        self.aggregates: list[AggregateNode] = []

    def placed(self, node: Node) -> Node:
        """Return an expression with slots in place of the keys and aggregates."""
        for number, key in enumerate(self._keys):
            if _is_same(node, key):
                return SlotNode(number, str(key))
        match node:
            case AggregateNode():
                return SlotNode(len(self._keys) + self._number(node), str(node))
            case OperationNode():
                return rebuilt(node, self.placed)
            case ConstantNode():
                return node
            case _:
                raise ExpressionError(
                    f"`{node}` differs between the rows of a group: put it into `group_by`, or say "
                    f"which one by an aggregate, as in `fn.min(m.{node})` or `fn.collect(m.{node})`"
                )

    def _number(self, aggregate: AggregateNode) -> int:
        for child in children(aggregate):
            for inner in aggregates_in(child):
                raise ExpressionError(
                    f"`{aggregate}` has `{inner}` in it, and an aggregate is of rows: put a second "
                    "`agg` behind the first one"
                )
        for number, known in enumerate(self.aggregates):
            if _is_same(aggregate, known):
                return number
        self.aggregates.append(aggregate)
        return len(self.aggregates) - 1


def _is_same(one: Node, other: Node) -> bool:
    """Tell whether two expressions say the same; 1 and True are equal, and differ all the same."""
    return one == other and repr(one) == repr(other)
