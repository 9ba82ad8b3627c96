"""From a plan to its operators."""

from __future__ import annotations

from typing import Final

from streamdb.engine.interpreted.distinct import DistinctOperator
from streamdb.engine.interpreted.join import JoinOperator
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.interpreted.scan import ScanOperator
from streamdb.engine.interpreted.steps import StepsOperator
from streamdb.engine.interpreted.union import UnionOperator
from streamdb.engine.plan import Distinct, Edge, Group, Join, Order, PlanNode, Scan, Union
from streamdb.engine.row_functions import NAIVE, RowFunctions


class OperatorTree:
    """Makes operators; those that are compiled are made by a subclass.

    Args:
        functions: what operators read rows by.
    """

    def __init__(self, functions: RowFunctions = NAIVE) -> None:
        self._functions: Final = functions

    def root(self, edge: Edge) -> Operator:
        """Return an operator whose rows are its own: those of a source are written by others."""
        operator = self.operator(edge)
        if isinstance(edge.node, Scan) and not edge.steps:
            return StepsOperator(operator, edge)
        return operator

    def operator(self, edge: Edge) -> Operator:
        """Return a new operator that keeps what comes out of an edge, with all below it."""
        node = self._of_node(edge.node)
        return self.stepped(node, edge) if edge.steps else node

    def stepped(self, input: Operator, edge: Edge) -> Operator:
        """Return the operator of the steps of an edge."""
        return StepsOperator(input, edge)

    def _of_node(self, node: PlanNode) -> Operator:
        match node:
            case Scan(source):
                return ScanOperator(source)
            case Join(left, right):
                sides = self.operator(left), self.operator(right)
                return JoinOperator(node, *sides, self._functions)
            case Union(branches):
                return UnionOperator(tuple(map(self.operator, branches)))
            case Distinct(edge):
                return DistinctOperator(self.operator(edge), edge.shape)
            case Group() | Order():
                raise NotImplementedError("operators of groups and orders have not landed yet")
