"""From a plan to its operators."""

from __future__ import annotations

from streamdb.engine.interpreted.distinct import DistinctOperator
from streamdb.engine.interpreted.join import JoinOperator
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.interpreted.scan import ScanOperator
from streamdb.engine.interpreted.steps import StepsOperator
from streamdb.engine.interpreted.union import UnionOperator
from streamdb.engine.plan import Distinct, Edge, Group, Join, Order, PlanNode, Scan, Union


def operator_of(edge: Edge) -> Operator:
    """Return a new operator that keeps what comes out of an edge, with all operators below it."""
    node = _node_operator(edge.node)
    return StepsOperator(node, edge) if edge.steps else node


def _node_operator(node: PlanNode) -> Operator:
    match node:
        case Scan(source):
            return ScanOperator(source)
        case Join(left, right):
            return JoinOperator(node, operator_of(left), operator_of(right))
        case Union(branches):
            return UnionOperator(tuple(map(operator_of, branches)))
        case Distinct(edge):
            return DistinctOperator(operator_of(edge), edge.shape)
        case Group() | Order():
            raise NotImplementedError("operators of groups and orders have not landed yet")
