"""From a plan to its operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from streamdb.engine.interpreted.aggregation import NAIVE_AGGREGATES, AggregateFunctions
from streamdb.engine.interpreted.distinct import DistinctOperator
from streamdb.engine.interpreted.group import GroupOperator
from streamdb.engine.interpreted.join import JoinOperator
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.interpreted.order import OrderOperator, WindowOperator
from streamdb.engine.interpreted.pairs import Making, making_of, takes_steps
from streamdb.engine.interpreted.scan import ScanOperator
from streamdb.engine.interpreted.steps import OneRow, StepsOperator, sender
from streamdb.engine.interpreted.union import UnionOperator
from streamdb.engine.interpreted.window_inputs import (
    KeptRows,
    PassingRows,
    WindowInput,
    is_cut_from_source,
)
from streamdb.engine.plan import (
    Distinct,
    Edge,
    Group,
    Join,
    Order,
    PlanNode,
    Scan,
    Step,
    Union,
)
from streamdb.engine.row_functions import NAIVE, RowFunctions
from streamdb.engine.sort_keys import SortKeys
from streamdb.engine.window import Window
from streamdb.expr.shape import Shape


class OperatorTree:
    """Makes operators; those that are compiled are made by a subclass.

    Args:
        functions: what operators read rows by.
        aggregates: what groups tell accumulators by.
    """

    def __init__(
        self,
        functions: RowFunctions = NAIVE,
        aggregates: AggregateFunctions = NAIVE_AGGREGATES,
    ) -> None:
        self._functions: Final = functions
        self._aggregates: Final = aggregates

    def root(self, edge: Edge) -> Operator:
        """Return an operator whose rows are its own: those of a source are written by others."""
        if isinstance(edge.node, Order):
            node = edge.node
            send = self.sender(node.then) if node.then else None
            return OrderOperator(self._window(node), self.sort_keys(node), send, edge.shape)
        operator = self.operator(edge)
        if isinstance(edge.node, Scan) and not edge.steps:
            return StepsOperator(operator, edge)
        return operator

    def operator(self, edge: Edge) -> Operator:
        """Return a new operator that keeps what comes out of an edge, with all below it."""
        if isinstance(edge.node, Join) and takes_steps(edge.node):
            return self._join(edge.node, edge.steps, edge.shape)
        node = self._of_node(edge.node)
        if isinstance(edge.node, Order):
            edge = replace(edge, steps=(*edge.node.then, *edge.steps))
        return self.stepped(node, edge) if edge.steps else node

    def stepped(self, input: Operator, edge: Edge) -> Operator:
        """Return the operator of the steps of an edge."""
        return StepsOperator(input, edge)

    def sender(self, steps: Sequence[Step]) -> OneRow:
        """Return the function that sends one row through steps."""
        return sender(steps)

    def making(self, node: Join, steps: Sequence[Step], shape: Shape) -> Making:
        """Return how the rows of a join are made that are sent through steps."""
        return making_of(node, steps, shape)

    def sort_keys(self, node: Order) -> SortKeys:
        """Return what makes the entries of an order."""
        return SortKeys(node.terms, node.input.shape)

    def _of_node(self, node: PlanNode) -> Operator:
        match node:
            case Scan(source):
                return ScanOperator(source)
            case Join():
                return self._join(node, (), node.shape)
            case Union(branches):
                return UnionOperator(tuple(map(self.operator, branches)))
            case Distinct(edge):
                return DistinctOperator(self.operator(edge), edge.shape)
            case Order():
                return self._window(node)
            case Group():
                rows = self.operator(node.input)
                return GroupOperator(node, rows, self._functions, self._aggregates)

    def _join(self, node: Join, steps: Sequence[Step], shape: Shape) -> Operator:
        sides = self.operator(node.left), self.operator(node.right)
        return JoinOperator(node, *sides, self._functions, self.making(node, steps, shape))

    def _window(self, node: Order) -> Operator:
        """Return the operator of the rows of an order, without their positions."""
        if node.limit is None and not node.offset:
            return self.operator(node.input)
        window = Window(self.sort_keys(node), node.limit, node.offset)
        return WindowOperator(self._window_input(node), window)

    def _window_input(self, node: Order) -> WindowInput:
        edge = node.input
        if not isinstance(edge.node, Scan) or not is_cut_from_source(node):
            return KeptRows(self.operator(edge))
        send = self.sender(edge.steps) if edge.steps else None
        return PassingRows(edge.node.source, node, send)
