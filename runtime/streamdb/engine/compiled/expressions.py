"""Expressions as Python source, held to ``expr.evaluate``, which says what they mean.

An expression is written in one of three ways. Its *value* is null where the naive evaluator gives
null. Whether it *is true*, or *is false*, is what conditions ask: there, an unknown part needs no
third value, so that most comparisons are what one would write by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from keyword import iskeyword
from operator import attrgetter
from typing import Any, Final, cast

from msgspec import UNSET

from streamdb.engine.compiled.source_code import SourceCode
from streamdb.errors import ExpressionError
from streamdb.expr.nodes import (
    AggregateNode,
    ColumnNode,
    ConstantNode,
    Node,
    OperationNode,
    SlotNode,
    children,
)
from streamdb.expr.operators import OPERATORS, truth
from streamdb.expr.shape import Shape

# Of operands that are not null.
_TEMPLATES: Final[Mapping[str, str]] = {
    "==": "{} == {}",
    "!=": "{} != {}",
    "<": "{} < {}",
    "<=": "{} <= {}",
    ">": "{} > {}",
    ">=": "{} >= {}",
}
# What is true where the operator is false.
_OPPOSITES: Final[Mapping[str, str]] = {
    "==": "{} != {}",
    "!=": "{} == {}",
    "<": "not {} < {}",
    "<=": "not {} <= {}",
    ">": "not {} > {}",
    ">=": "not {} >= {}",
}
#: Python's parser refuses source that is nested much deeper than this.
DEEPEST: Final = 30


class Expressions:
    """Writes expressions of rows of one shape.

    Args:
        code: what they become a part of.
        shape: of the rows.
        slots: for each slot the source that reads it: a variable as a rule.
    """

    def __init__(self, code: SourceCode, shape: Shape, slots: Sequence[str]) -> None:
        self._code: Final = code
        self._shape: Final = shape
        self._slots: Final = slots
        self._unset: Final = code.bind(UNSET)

    def value(self, node: Node) -> str:
        """Return source whose value is that of the expression."""
        match node:
            case ConstantNode(None):
                return "None"
            case ConstantNode(value):
                return self._code.bind(value)
            case SlotNode(slot):
                return self._slots[slot]
            case ColumnNode():
                name = self._code.local()
                return f"(None if {self._is_missing(node, name)} else {name})"
            case OperationNode("case", (condition, value, other)):
                return (
                    f"({self.value(value)} if {self.is_true(condition)} else {self.value(other)})"
                )
            case OperationNode("if_null", (value, other)):
                name = self._code.local()
                return (
                    f"({self.value(other)} if ({name} := {self.value(value)}) is None else {name})"
                )
            case OperationNode(key):
                operator = OPERATORS[key]
                template = _TEMPLATES.get(key) or self._call(operator.function, len(node.operands))
                if operator.handles_null:
                    return template.format(*map(self.value, node.operands))
                checks, names = self._present(node.operands)
                if not checks:
                    return f"({template.format(*names)})"
                return f"(None if {checks} else {template.format(*names)})"
            case AggregateNode():
                raise ExpressionError(f"`{node}` is of many rows: it stands only inside of `agg`")

    def is_true(self, node: Node) -> str:
        """Return source that is true where the expression is."""
        match node:
            case OperationNode("&", (left, right)):
                return f"({self.is_true(left)} and {self.is_true(right)})"
            case OperationNode("|", (left, right)):
                return f"({self.is_true(left)} or {self.is_true(right)})"
            case OperationNode("~", (operand,)):
                return self.is_false(operand)
            case OperationNode("is_null", (operand,)):
                return self._is_null(operand)
            case OperationNode("is_not_null", (operand,)):
                return f"(not {self._is_null(operand)})"
            case OperationNode("in", (operand, ConstantNode(choices))):
                return self._is_in(operand, choices, is_in=True)
            case OperationNode(operator, operands) if operator in _TEMPLATES:
                return self._compare(_TEMPLATES[operator], operands, skips=operator == "==")
            case _:
                return f"({self._code.bind(truth)}({self.value(node)}) is True)"

    def is_false(self, node: Node) -> str:
        """Return source that is true where the expression is false, so not where it is unknown."""
        match node:
            case OperationNode("&", (left, right)):
                return f"({self.is_false(left)} or {self.is_false(right)})"
            case OperationNode("|", (left, right)):
                return f"({self.is_false(left)} and {self.is_false(right)})"
            case OperationNode("~", (operand,)):
                return self.is_true(operand)
            case OperationNode("is_null", (operand,)):
                return f"(not {self._is_null(operand)})"
            case OperationNode("is_not_null", (operand,)):
                return self._is_null(operand)
            case OperationNode("in", (operand, ConstantNode(choices))):
                return self._is_in(operand, choices, is_in=False)
            case OperationNode(operator, operands) if operator in _OPPOSITES:
                return self._compare(_OPPOSITES[operator], operands, skips=operator == "!=")
            case _:
                return f"({self._code.bind(truth)}({self.value(node)}) is False)"

    # --- parts ------------------------------------------------------------------------------

    def _read(self, node: ColumnNode) -> str:
        """Return source that reads a column of a row that is there; it may be unset."""
        slot, getter = self._slots[node.slot], self._shape.slots[node.slot].getter
        if getter is None:
            name = self._shape.slots[node.slot].name
            raise ExpressionError(f"{name} has no columns, so no {node.name!r}")
        read = getter(node.name)
        is_attribute = type(read) is attrgetter
        if is_attribute and node.name.isidentifier() and not iskeyword(node.name):
            return f"{slot}.{node.name}"
        return f"{self._code.bind(read)}({slot})"

    def _is_missing(self, node: ColumnNode, name: str) -> str:
        """Return source that reads a column into a variable and is true if it is null."""
        missing = f"({name} := {self._read(node)}) is None or {name} is {self._unset}"
        if self._shape.slots[node.slot].is_nullable:
            return f"{self._slots[node.slot]} is None or {missing}"
        return missing

    def _is_null(self, node: Node) -> str:
        if isinstance(node, ColumnNode):
            return f"({self._is_missing(node, self._code.local())})"
        return f"({self.value(node)} is None)"

    def _present(self, operands: Sequence[Node]) -> tuple[str, list[str]]:
        """Return the check whether an operand is null, and names for their values if none is."""
        checks, names = list[str](), list[str]()
        for operand in operands:
            if isinstance(operand, ConstantNode) and operand.value is not None:
                names.append(self._code.bind(operand.value))
                continue
            name = self._code.local()
            names.append(name)
            if isinstance(operand, ColumnNode):
                checks.append(self._is_missing(operand, name))
            else:
                checks.append(f"({name} := {self.value(operand)}) is None")
        return " or ".join(checks), names

    def _compare(self, template: str, operands: tuple[Node, ...], *, skips: bool) -> str:
        """Return source of a comparison that is true only of what is there.

        ``skips`` says that null differs from all constants anyway, so that it needs no check.
        """
        if skips:
            for column, constant in (operands, operands[::-1]):
                if (
                    isinstance(column, ColumnNode)
                    and isinstance(constant, ConstantNode)
                    and constant.value is not None
                    and not self._shape.slots[column.slot].is_nullable
                ):
                    sides = [self._read(column), self._code.bind(constant.value)]
                    if column is operands[1]:
                        sides.reverse()
                    return (
                        f"({template.format(*(sides if column is operands[0] else sides[::-1]))})"
                    )
        checks, names = self._present(operands)
        comparison = template.format(*names)
        return f"(not ({checks}) and {comparison})" if checks else f"({comparison})"

    def _is_in(self, node: Node, given: object, *, is_in: bool) -> str:
        choices = cast("tuple[object, ...]", given)  # `in_` sees to that
        if not choices:
            return "False" if is_in else "True"
        if not is_in and None in choices:
            return "False"  # unknown at best
        checks, names = self._present((node,))
        member = self._code.bind(_membership(tuple(c for c in choices if c is not None)))
        test = f"{'' if is_in else 'not '}{member}({names[0]})"
        return f"(not ({checks}) and {test})" if checks else f"({test})"

    def _call(self, function: Callable[..., Any], count: int) -> str:
        return f"{self._code.bind(function)}({', '.join(['{}'] * count)})"


def _membership(choices: tuple[object, ...]) -> Callable[[object], bool]:
    """Return the test whether a value is one of many."""
    try:
        looked_up = frozenset(choices)
    except TypeError:
        return choices.__contains__

    def is_one(value: object) -> bool:
        try:
            return value in looked_up
        except TypeError:  # a list is equal to none of them
            return value in choices

    return is_one


def depth(node: Node) -> int:
    """Return how deep an expression is nested."""
    return 1 + max(map(depth, children(node)), default=0)
