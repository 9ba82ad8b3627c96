"""The typed surface of expressions: operators on columns that build a tree of nodes.

Everything that type checkers know of an expression is said here and in ``surface``, a module a
theme, and so are all exceptions to their rules that it takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeGuard, overload

from streamdb.errors import ExpressionError
from streamdb.expr.nodes import ColumnNode, Node
from streamdb.expr.slips import Slips
from streamdb.expr.surface.arithmetic import Arithmetic
from streamdb.expr.surface.comparisons import Comparisons
from streamdb.expr.surface.dates import Dates
from streamdb.expr.surface.lists import Lists
from streamdb.expr.surface.operand import N, V
from streamdb.expr.surface.orders import Orders
from streamdb.expr.surface.texts import Texts


class Expr(
    Comparisons[V, N],
    Texts[V, N],
    Arithmetic[V, N],
    Dates[V, N],
    Lists[V, N],
    Orders[V, N],
    Slips,
):
    """An immutable expression over a row. ``V`` is the type it compares with, ``N`` the type read.

    ``V`` is never ``None``; ``N`` is ``V`` or ``V | None``. A comparison with null is unknown, and
    unknown is not true: ask ``is_null()`` instead of ``== None``.

    An operator that is known to make no sense of what it is given raises ``ExpressionError`` at
    once. Otherwise evaluating does, with the expression named, where a row's values do not suit it.

    Attributes:
        node: the tree that the expression stands for.
    """

    __slots__ = ()

    # --- logic ------------------------------------------------------------------------------

    def __and__(self: Expr[bool, Any], other: Expr[bool, Any], /) -> Condition:
        return self._join("&", other)

    def __or__(self: Expr[bool, Any], other: Expr[bool, Any], /) -> Condition:
        return self._join("|", other)

    def __invert__(self: Expr[bool, Any]) -> Condition:
        return self._apply("~")

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
            f"`{self!r}` is an expression and has no truth value here: write `&`, `|`, `~` instead "
            "of `and`, `or`, `not`, `.in_([...])` instead of `in`, `(low < x) & (x < high)` "
            "instead of `low < x < high`, with parentheses around each comparison"
        )

    if TYPE_CHECKING:

        def __slot_of__(self) -> tuple[N, Expr[V, N]]:
            """Tell checkers what is read of a selected expression, and what it is after that."""
            ...

    else:  # hidden from checkers, which would take any left side for a good one

        def __iter__(self):  # Python would ask for one item after the other, for ever
            raise ExpressionError(
                f"`{self!r}` is an expression, whose items are not known yet: ask for one by "
                "`[0]`, for all by `.for_all(...)`, for any by `.exists(...)` or `.contains(...)`"
            )

        def __contains__(self, value):
            raise ExpressionError(
                f"`{value!r} in {self!r}` is answered before there is a row: write `.contains(...)`"
            )

        def __rand__(self, other):
            raise _plain_value("&", other)

        def __ror__(self, other):
            raise _plain_value("|", other)

    # --- from nodes to expressions --------------------------------------------------------------

    def _expression(self, node: Node) -> Expr[Any, Any]:
        return Expr(node)

    def _join(self, operator: str, right: object) -> Condition:
        if not is_expression(right):
            raise _plain_value(operator, right)
        return self._apply(operator, right)

    def __repr__(self) -> str:
        return str(self.node)


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


def _plain_value(operator: str, value: object) -> ExpressionError:
    return ExpressionError(
        f"`{operator}` joins two expressions, but one side is the plain value {value!r}: "
        f"write parentheses around each comparison, `(m.a == 1) {operator} (m.b == 2)`, "
        "and leave conditions out that do not depend on the row"
    )
