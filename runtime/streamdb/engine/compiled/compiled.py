"""The executor whose operators read rows by generated functions."""

from __future__ import annotations

from collections.abc import Sequence

from streamdb.engine.compiled.aggregation import GENERATED_AGGREGATES
from streamdb.engine.compiled.entries import compiled_entry_of
from streamdb.engine.compiled.functions import GENERATED
from streamdb.engine.compiled.pairs import compiled_making_of
from streamdb.engine.compiled.steps import CompiledSteps, sender_of
from streamdb.engine.interpreted import Interpreted
from streamdb.engine.interpreted.operators import Operator
from streamdb.engine.interpreted.pairs import Making
from streamdb.engine.interpreted.steps import OneRow
from streamdb.engine.interpreted.tree import OperatorTree
from streamdb.engine.plan import Edge, Join, Order, Step
from streamdb.engine.sort_keys import SortKeys
from streamdb.expr.shape import Shape


class Compiled(Interpreted):
    """Keeps the rows of a plan as ``Interpreted`` does, by code that is written for the plan.

    Raises:
        ExpressionError: (any method) the values of a row do not suit an operator.
    """

    def _tree(self) -> OperatorTree:
        return _CompiledTree(GENERATED, GENERATED_AGGREGATES)


class _CompiledTree(OperatorTree):
    def stepped(self, input: Operator, edge: Edge) -> Operator:
        return CompiledSteps(input, edge)

    def sender(self, steps: Sequence[Step]) -> OneRow:
        return sender_of(steps, steps[0].shape)

    def making(self, node: Join, steps: Sequence[Step], shape: Shape) -> Making:
        return compiled_making_of(node, steps, shape)

    def sort_keys(self, node: Order) -> SortKeys:
        return SortKeys(node.terms, node.input.shape, compiled_entry_of)
