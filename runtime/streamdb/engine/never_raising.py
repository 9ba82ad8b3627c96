"""Which conditions raise for no row, so that they can be asked of more rows, or of fewer."""

from __future__ import annotations

from typing import Final

from streamdb.expr.checking import kinds_of
from streamdb.expr.kinds import TEXT, Kind
from streamdb.expr.nodes import AggregateNode, ConstantNode, Node, OperationNode
from streamdb.expr.shape import Shape

_EQUALITIES: Final = frozenset(("==", "!=", "in", "not_in"))
_NULL_TESTS: Final = frozenset(("is_null", "is_not_null"))
_LOGIC: Final = frozenset(("&", "|", "~"))
_ORDERINGS: Final = frozenset(("<", "<=", ">", ">=", "between"))
_OF_TEXT: Final = frozenset(("lower", "upper", "trim", "starts_with", "ends_with"))
_TRUTH: Final = frozenset[Kind](("truth value",))
#: Whose values all compare with one another.
_ORDERED_KINDS: Final[tuple[frozenset[Kind] | None, ...]] = (
    frozenset(("number",)),
    TEXT,
    frozenset(("instant",)),
    frozenset(("date",)),
    frozenset(("duration",)),
)


def never_raises(condition: Node, shape: Shape) -> bool:
    """Tell of a condition whether it can be evaluated for every row of a shape.

    >>> from streamdb.expr import UntypedColumns
    >>> from streamdb.expr.shape import row_shape
    >>> m = UntypedColumns()
    >>> [never_raises(one.node, row_shape()) for one in (m.role == "user", m.tokens > 1)]
    [True, False]
    """
    return kinds_of(condition, shape.kinds) == _TRUTH and has_value(condition, shape)


def has_value(node: Node, shape: Shape) -> bool:
    """Tell whether an expression has a value, or null, for every row."""
    if isinstance(node, AggregateNode):
        return False
    if not isinstance(node, OperationNode):
        return True
    operator, operands = node.operator, node.operands
    if not all(has_value(operand, shape) for operand in operands):
        return False
    kinds = [
        kinds_of(operand, shape.kinds)
        for operand in operands
        if not (isinstance(operand, ConstantNode) and operand.value is None)
    ]
    if operator in _LOGIC:
        return all(one == _TRUTH for one in kinds)
    if operator in _OF_TEXT:
        return all(one == TEXT for one in kinds)
    if operator in _ORDERINGS:
        return not kinds or (kinds[0] in _ORDERED_KINDS and all(one == kinds[0] for one in kinds))
    return operator in _EQUALITIES | _NULL_TESTS
