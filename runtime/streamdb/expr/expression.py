"""The typed surface of expressions: operators on columns that build a tree of nodes.

Everything that type checkers know of a comparison is said here, and so are all exceptions to their
rules that it takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    NoReturn,
    Protocol,
    TypeAlias,
    TypeGuard,
    TypeVar,
    overload,
)

from msgspec import UNSET

from streamdb.errors import ExpressionError
from streamdb.expr.nodes import ColumnNode, ConstantNode, Node, OperationNode

if TYPE_CHECKING:
    from collections.abc import Iterable

# Covariant, so that a column of literals compares with text, and an integer with a number, when
# it stands on the right. That is sound: comparing takes no value in that it could give out.
V = TypeVar("V", covariant=True)
N = TypeVar("N", covariant=True)


class Ordered(Protocol):
    """A type whose values have an order."""

    def __lt__(self, other: Any, /) -> bool: ...


class operands_have_different_types:  # noqa: N801 (checkers print the name: it is the message)
    """What a comparison of different types is to type checkers: no expression. Has no values."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Expr(Generic[V, N]):
    """An immutable expression over a row. ``V`` is the type it compares with, ``N`` the type read.

    ``V`` is never ``None``; ``N`` is ``V`` or ``V | None``. A comparison with null is unknown, and
    unknown is not true: ask ``is_null()`` instead of ``== None``.

    Attributes:
        node: the tree that the expression stands for.
    """

    node: Node

    # --- comparisons ------------------------------------------------------------------------

    # `override`: object promises bool, an expression gives one. `reportOverlappingOverload`: the
    # second overload is meant to catch what the first one does not take.
    @overload  # type: ignore[override]
    def __eq__(  # pyright: ignore[reportOverlappingOverload]
        self, other: Expr[V, Any] | V | None, /
    ) -> Condition: ...
    @overload
    def __eq__(self, other: object, /) -> operands_have_different_types: ...
    def __eq__(self, other: object, /) -> Any:
        return _operation("==", self, other)

    @overload  # type: ignore[override]  # as above
    def __ne__(  # pyright: ignore[reportOverlappingOverload]
        self, other: Expr[V, Any] | V | None, /
    ) -> Condition: ...
    @overload
    def __ne__(self, other: object, /) -> operands_have_different_types: ...
    def __ne__(self, other: object, /) -> Any:
        return _operation("!=", self, other)

    def __lt__(self: Expr[Ordered, Any], other: Expr[V, Any] | V, /) -> Condition:
        return _operation("<", self, other)

    def __le__(self: Expr[Ordered, Any], other: Expr[V, Any] | V, /) -> Condition:
        return _operation("<=", self, other)

    def __gt__(self: Expr[Ordered, Any], other: Expr[V, Any] | V, /) -> Condition:
        return _operation(">", self, other)

    def __ge__(self: Expr[Ordered, Any], other: Expr[V, Any] | V, /) -> Condition:
        return _operation(">=", self, other)

    def is_null(self) -> Expr[bool, bool]:
        """Ask whether there is no value: absent or null. Never unknown."""
        return _operation("is_null", self)

    def is_not_null(self) -> Expr[bool, bool]:
        """Ask whether there is a value. Never unknown."""
        return _operation("is_not_null", self)

    def in_(self, values: Iterable[V | None], /) -> Condition:
        """Ask whether the value is one of ``values``, which are read now.

        As in SQL, it is unknown for null, and where only a null among ``values`` could match.

        Raises:
            ExpressionError: ``values`` is one text, not a list of values.
        """
        if isinstance(values, str | bytes):
            raise ExpressionError(
                f"`{self}.in_({values!r})`: in_ takes a list of values, as in `.in_([{values!r}])`"
            )
        return _operation("in", self, tuple(map(_null_if_unset, values)))

    # --- logic ------------------------------------------------------------------------------

    def __and__(self: Expr[bool, Any], other: Expr[bool, Any], /) -> Condition:
        return _join("&", self, other)

    def __or__(self: Expr[bool, Any], other: Expr[bool, Any], /) -> Condition:
        return _join("|", self, other)

    def __invert__(self: Expr[bool, Any]) -> Condition:
        return _operation("~", self)

    # --- types ------------------------------------------------------------------------------

    @overload
    def as_type(self: Expr[str, str], type_: type[str], /) -> Expr[str, str]: ...
    @overload
    def as_type(self: Expr[str, Any], type_: type[str], /) -> Expr[str, str | None]: ...
    @overload
    def as_type(self: Expr[int, int], type_: type[int], /) -> Expr[int, int]: ...
    @overload
    def as_type(self: Expr[int, Any], type_: type[int], /) -> Expr[int, int | None]: ...
    @overload
    def as_type(self: Expr[float, float], type_: type[float], /) -> Expr[float, float]: ...
    @overload
    def as_type(self: Expr[float, Any], type_: type[float], /) -> Expr[float, float | None]: ...
    def as_type(self, type_: type[Any], /) -> Expr[Any, Any]:
        """Compare as a wider type: a column of literals as plain text, integers as numbers.

        Only type checkers see a difference; the value stays what it is.
        """
        return Expr(self.node)

    # --- what an expression is not ------------------------------------------------------------

    def __bool__(self) -> NoReturn:
        raise ExpressionError(
            f"`{self}` is an expression and has no truth value here: write `&`, `|`, `~` instead "
            "of `and`, `or`, `not`, `.in_([...])` instead of `in`, `(low < x) & (x < high)` "
            "instead of `low < x < high`, with parentheses around each comparison"
        )

    def __hash__(self) -> NoReturn:
        raise ExpressionError(
            f"`{self}` is an expression and cannot be looked up in a set or a dict: "
            "write `.in_([...])` instead of `in`"
        )

    def __repr__(self) -> str:
        return str(self.node)

    if TYPE_CHECKING:

        def __slot_of__(self) -> tuple[N, Expr[V, N]]:
            """Tell checkers what is read of a selected expression, and what it is after that."""
            ...

    else:  # hidden from checkers, which would take any left side for a good one

        def __rand__(self, other):
            raise _plain_value("&", other)

        def __ror__(self, other):
            raise _plain_value("|", other)


Condition: TypeAlias = Expr[bool, bool | None]
"""An expression that is true, false or unknown."""


class Column(Expr[V, V]):
    """A column that always has a value, of type ``V``."""

    __slots__ = ()


if TYPE_CHECKING:

    class NullableColumn(Expr[V, V | None]):
        """A column whose value may be absent or null; ``V`` is the type of the others."""

else:
    # The difference is one of types. Annotations are never evaluated, so it is not known here.
    NullableColumn = Column


def column(name: str, slot: int = 0) -> Column[Any]:
    """Return the column that reads the attribute ``name`` of the row in a slot."""
    return Column(ColumnNode(name, slot))


def is_expression(value: object) -> TypeGuard[Expr[Any, Any]]:
    """Tell whether ``value`` is an expression, of whatever types: those are gone at run time."""
    return isinstance(value, Expr)


def _operation(operator: str, *operands: object) -> Expr[Any, Any]:
    return Expr(OperationNode(operator, tuple(map(_node, operands))))


def _node(operand: object) -> Node:
    if is_expression(operand):
        return operand.node
    return ConstantNode(_null_if_unset(operand))


def _null_if_unset(value: object) -> object:
    return None if value is UNSET else value


def _join(operator: str, left: object, right: object) -> Condition:
    if not is_expression(right):
        raise _plain_value(operator, right)
    return _operation(operator, left, right)


def _plain_value(operator: str, value: object) -> ExpressionError:
    return ExpressionError(
        f"`{operator}` joins two expressions, but one side is the plain value {value!r}: "
        f"write parentheses around each comparison, `(m.a == 1) {operator} (m.b == 2)`, "
        "and leave conditions out that do not depend on the row"
    )
