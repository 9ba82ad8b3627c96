"""The tree that an expression is: immutable, comparable, without any of the typed surface.

``str(node)`` is the expression as a user would write it, shortened, for messages.
"""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from typing import TypeAlias

from streamdb.expr.operators import OPERATORS


@dataclass(frozen=True, slots=True)
class ColumnNode:
    """The value of one column: the row's attribute of that name."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ConstantNode:
    """A value written into the expression; ``None`` is null."""

    value: object

    def __str__(self) -> str:
        return reprlib.repr(self.value)


@dataclass(frozen=True, slots=True)
class OperationNode:
    """A row of ``OPERATORS``, by its key, applied to operands."""

    operator: str
    operands: tuple[Node, ...]

    def __str__(self) -> str:
        return OPERATORS[self.operator].template.format(*map(_operand_text, self.operands))


Node: TypeAlias = ColumnNode | ConstantNode | OperationNode


def _operand_text(node: Node) -> str:
    if isinstance(node, OperationNode) and OPERATORS[node.operator].is_infix:
        return f"({node})"
    return str(node)
