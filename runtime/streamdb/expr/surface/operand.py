"""What all themes of ``Expr`` stand on: the node, and the way to another one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeGuard, TypeVar

from msgspec import UNSET

from streamdb.expr.checking import check_operation
from streamdb.expr.nodes import ConstantNode, Node, OperationNode

if TYPE_CHECKING:
    from streamdb.expr.expression import Expr

# Covariant, so that a column of literals compares with text, and an integer with a number, when
# it stands on the right. That is sound: comparing takes no value in that it could give out.
V = TypeVar("V", covariant=True)
N = TypeVar("N", covariant=True)


class Anything:
    """The type that no column has: an overload of it is for columns of type ``Any`` alone."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Operand(ABC, Generic[V, N]):
    """What an operator may be applied to.

    Attributes:
        node: the tree that the expression stands for.
    """

    node: Node

    @abstractmethod
    def _expression(self, node: Node) -> Expr[Any, Any]:
        """Return the expression that a node stands for."""

    def _apply(self, operator: str, *operands: object) -> Expr[Any, Any]:
        """Return the expression of an operator applied to this one and others."""
        return self._expression(operation(operator, self, *operands))

    def _apply_reflected(self, operator: str, left: object) -> Expr[Any, Any]:
        """Return the expression of an operator applied to a plain value and this one."""
        return self._expression(operation(operator, left, self))


def is_operand(value: object) -> TypeGuard[Operand[Any, Any]]:
    """Tell whether ``value`` is an expression, of whatever types: those are gone at run time."""
    return isinstance(value, Operand)


def operation(operator: str, *operands: object) -> OperationNode:
    """Return the node of an operator applied to expressions and plain values.

    Raises:
        ExpressionError: the operands are known to be of kinds that it does not take.
    """
    node = OperationNode(operator, tuple(map(node_of, operands)))
    check_operation(node, lambda _: None)
    return node


def node_of(operand: object) -> Node:
    """Return the node of an expression, or of a plain value."""
    if is_operand(operand):
        return operand.node
    return ConstantNode(null_if_unset(operand))


def null_if_unset(value: object) -> object:
    """Return None for a value that is absent."""
    return None if value is UNSET else value
