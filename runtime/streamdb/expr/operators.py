"""Every operator of the expression language, one row a piece, and three-valued logic.

A value is null (``None``) or present; a truth value is true, false or *unknown*, and unknown is
null. As in SQL, an operator that is given a null gives null, save those whose very subject is null.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Operator(NamedTuple):
    """One row of the table.

    Attributes:
        template: how the operator is written, with ``{}`` for each operand.
        function: what it does. It raises ``TypeError`` where it makes no sense.
        handles_null: whether the function wants to see nulls; otherwise null in gives null out.
    """

    template: str
    function: Callable[..., Any]
    handles_null: bool = False

    @property
    def is_infix(self) -> bool:
        """Tell whether an expression of this operator needs parentheses inside another one."""
        return self.template.startswith("{} ")


def _is_null(value: object) -> bool:
    return value is None


def _is_not_null(value: object) -> bool:
    return value is not None


def _in(value: object, choices: tuple[object, ...]) -> bool | None:
    """``value == a | value == b | ...``: false of no choice at all, even for null."""
    if not choices:
        return False
    if value is None:
        return None
    if value in choices:
        return True
    return None if None in choices else False


def _and(left: object, right: object) -> bool | None:
    known = truth(left), truth(right)
    if False in known:
        return False
    return None if None in known else True


def _or(left: object, right: object) -> bool | None:
    known = truth(left), truth(right)
    if True in known:
        return True
    return None if None in known else False


def _not(value: object) -> bool | None:
    known = truth(value)
    return None if known is None else not known


def truth(value: object) -> bool | None:
    """Return a truth value as it is.

    Raises:
        TypeError: it is none. Taking "" or 0 for false would hide a forgotten comparison.
    """
    if value is None or value is True or value is False:
        return value
    raise TypeError(f"{value!r} is neither true nor false: compare it with something")


OPERATORS: Final[Mapping[str, Operator]] = {
    "==": Operator("{} == {}", operator.eq),
    "!=": Operator("{} != {}", operator.ne),
    "<": Operator("{} < {}", operator.lt),
    "<=": Operator("{} <= {}", operator.le),
    ">": Operator("{} > {}", operator.gt),
    ">=": Operator("{} >= {}", operator.ge),
    "is_null": Operator("{}.is_null()", _is_null, handles_null=True),
    "is_not_null": Operator("{}.is_not_null()", _is_not_null, handles_null=True),
    "in": Operator("{}.in_({})", _in, handles_null=True),
    "&": Operator("{} & {}", _and, handles_null=True),
    "|": Operator("{} | {}", _or, handles_null=True),
    "~": Operator("~{}", _not, handles_null=True),
}
