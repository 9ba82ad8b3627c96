"""Generated functions of rows say what the naive evaluator says, and fail as it does."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from tests.runtime.engine.compiled.keeping import keeps

from streamdb.engine.compiled.functions import column_of, value_of, values_of
from streamdb.errors import ExpressionError
from streamdb.expr.conditions import test_of as slow_test_of
from streamdb.expr.evaluate import evaluator
from streamdb.expr.nodes import ColumnNode, ConstantNode, Node, OperationNode, SlotNode
from streamdb.expr.operators import OPERATORS
from streamdb.expr.shape import Shape, Slot, row_shape, value_slot

VALUES = st.sampled_from([None, UNSET, True, False, 0, 1, 2.5, float("nan"), "a", "b", ["a"]])
CONSTANTS = VALUES.map(lambda value: ConstantNode(None if value is UNSET else value))
CHOICES = st.lists(VALUES.filter(lambda v: v is not UNSET), max_size=12).map(
    lambda values: ConstantNode(tuple(values))
)
PAIR = Shape(
    (*row_shape().slots, Slot("far", lambda _: None, row_shape().slots[0].getter, True)),
    is_tuple=True,
)


def column_nodes(slots: int) -> st.SearchStrategy[Node]:
    return st.builds(ColumnNode, st.sampled_from(["x", "y", "class"]), st.integers(0, slots - 1))


def expressions(slots: int) -> st.SearchStrategy[Node]:
    leaves: st.SearchStrategy[Node] = column_nodes(slots) | CONSTANTS

    def grow(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        def operation(operator: str, count: int) -> st.SearchStrategy[Node]:
            return st.tuples(*[inner] * count).map(lambda o: OperationNode(operator, o))

        binary = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "&", "|"])
        unary = st.sampled_from(["is_null", "is_not_null", "~"])
        return (
            binary.flatmap(lambda name: operation(name, 2))
            | unary.flatmap(lambda name: operation(name, 1))
            | st.tuples(inner, CHOICES).map(lambda o: OperationNode("in", o))
        )

    return st.recursive(leaves, grow, max_leaves=12)


ROWS = st.fixed_dictionaries({"x": VALUES, "y": VALUES, "class": VALUES}).map(
    lambda fields: SimpleNamespace(**fields)
)


def outcome(function: Any, row: Any) -> object:
    try:
        value = function(row)
    except ExpressionError as error:
        return str(error)
    return "nan" if value != value else (type(value), value)


def agrees(fast: Any, slow: Any, row: Any) -> None:
    """A fault may be skipped where an answer is known without it, never the other way round."""
    expected = outcome(slow, row)
    assert outcome(fast, row) == expected or isinstance(expected, str)


@given(expressions(1), ROWS)
def test_values_of_rows(node: Node, row: Any) -> None:
    shape = row_shape()
    agrees(value_of(node, shape), evaluator(node, shape), row)
    agrees(values_of([node], shape), lambda row: (evaluator(node, shape)(row),), row)


@given(expressions(1), ROWS, ROWS)
def test_values_of_many_rows(node: Node, one: Any, other: Any) -> None:
    shape = row_shape()
    read = evaluator(node, shape)
    agrees(
        lambda rows: tuple(column_of(node, shape)(rows)),
        lambda rows: tuple(map(read, rows)),
        [one, other],
    )


@given(expressions(1), ROWS)
def test_conditions_of_rows(node: Node, row: Any) -> None:
    shape = row_shape()
    agrees(keeps(node, shape), slow_test_of(node, shape), row)


@given(expressions(2), ROWS, st.none() | ROWS)
def test_a_row_of_an_outer_join_may_be_missing(node: Node, near: Any, far: Any) -> None:
    agrees(value_of(node, PAIR), evaluator(node, PAIR), (near, far))
    agrees(keeps(node, PAIR), slow_test_of(node, PAIR), (near, far))


@given(VALUES.filter(lambda v: v is not UNSET))
def test_values_in_slots(value: Any) -> None:
    shape = Shape((value_slot("n"),), is_tuple=True)
    node = OperationNode("==", (SlotNode(0), ConstantNode(1)))
    agrees(value_of(node, shape), evaluator(node, shape), (value,))


def test_deep_expressions_are_left_to_the_naive_evaluator() -> None:
    node: Node = ColumnNode("x")
    for _ in range(300):
        node = OperationNode("~", (node,))
    row = SimpleNamespace(x=True)
    assert value_of(node, row_shape())(row) is True
    assert values_of([node], row_shape())(row) == (True,)
    assert column_of(node, row_shape())([row, row]) == [True, True]
    assert keeps(node, row_shape())(row)


def test_a_fault_names_the_expression() -> None:
    node = OperationNode("<", (ColumnNode("x"), ConstantNode(1)))
    with pytest.raises(ExpressionError, match=r"`x < 1` cannot be evaluated"):
        keeps(node, row_shape())(SimpleNamespace(x="text"))
    with pytest.raises(ExpressionError, match=r"`x < 1` cannot be evaluated"):
        column_of(node, row_shape())([SimpleNamespace(x=0), SimpleNamespace(x="text")])


def test_names_that_are_no_identifiers_are_data() -> None:
    name = "__import__('os').system('true')"
    node = OperationNode("==", (ColumnNode(name), ConstantNode(1)))
    shape = Shape(
        (Slot("row", lambda _: None, lambda name: lambda row: row[name]),), is_tuple=False
    )
    assert keeps(node, shape)({name: 1})


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_every_operator_can_be_generated(operator: str) -> None:
    count = OPERATORS[operator].template.count("{}")
    operands: tuple[Node, ...] = (ColumnNode("x"),) * count
    if operator == "in":
        operands = (ColumnNode("x"), ConstantNode((1, 2)))
    node = OperationNode(operator, operands)
    for value in (None, 1, True, "a"):
        row = SimpleNamespace(x=value)
        agrees(value_of(node, row_shape()), evaluator(node, row_shape()), row)
        agrees(keeps(node, row_shape()), slow_test_of(node, row_shape()), row)
