"""Comparisons, membership, and what is asked of null."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast, overload

from streamdb.errors import ExpressionError
from streamdb.expr.ordering import Ordered
from streamdb.expr.surface.operand import N, Operand, V, null_if_unset

if TYPE_CHECKING:
    from streamdb.expr.expression import Condition, Expr

T = TypeVar("T")


class operands_have_different_types:  # noqa: N801 (checkers print the name: it is the message)
    """What a comparison of different types is to type checkers: no expression. Has no values."""


class Comparisons(Operand[V, N]):
    """Comparing values; a comparison with null is unknown."""

    __slots__ = ()

    # `override`: object promises bool, an expression gives one. `reportOverlappingOverload`: the
    # second overload is meant to catch what the first one does not take.
    @overload  # type: ignore[override]
    def __eq__(  # pyright: ignore[reportOverlappingOverload]
        self, other: Expr[V, Any] | V | None, /
    ) -> Condition: ...
    @overload
    def __eq__(self, other: object, /) -> operands_have_different_types: ...
    def __eq__(self, other: object, /) -> Any:
        return self._apply("==", other)

    @overload  # type: ignore[override]  # as above
    def __ne__(  # pyright: ignore[reportOverlappingOverload]
        self, other: Expr[V, Any] | V | None, /
    ) -> Condition: ...
    @overload
    def __ne__(self, other: object, /) -> operands_have_different_types: ...
    def __ne__(self, other: object, /) -> Any:
        return self._apply("!=", other)

    def __lt__(self: Comparisons[Ordered, Any], other: Expr[V, Any] | V, /) -> Condition:
        return self._apply("<", other)

    def __le__(self: Comparisons[Ordered, Any], other: Expr[V, Any] | V, /) -> Condition:
        return self._apply("<=", other)

    def __gt__(self: Comparisons[Ordered, Any], other: Expr[V, Any] | V, /) -> Condition:
        return self._apply(">", other)

    def __ge__(self: Comparisons[Ordered, Any], other: Expr[V, Any] | V, /) -> Condition:
        return self._apply(">=", other)

    def between(
        self: Comparisons[Ordered, Any],
        low: Expr[V, Any] | V,
        high: Expr[V, Any] | V,
        /,
    ) -> Condition:
        """Ask whether the value is from ``low`` to ``high``, both included."""
        return self._apply("between", low, high)

    def in_(self, values: Iterable[V | None], /) -> Condition:
        """Ask whether the value is one of ``values``, which are read now.

        As in SQL, it is unknown for null, and where only a null among ``values`` could match.

        Raises:
            ExpressionError: ``values`` is one text, or another thing that is no list of values.
        """
        return self._apply("in", self._choices("in_", values))

    def not_in(self, values: Iterable[V | None], /) -> Condition:
        """Ask whether the value is none of ``values``: the opposite of ``in_``.

        So it is true of nothing if there is a null among ``values``.

        Raises:
            ExpressionError: ``values`` is one text, or another thing that is no list of values.
        """
        return self._apply("not_in", self._choices("not_in", values))

    def is_null(self) -> Expr[bool, bool]:
        """Ask whether there is no value: absent or null. Never unknown."""
        return self._apply("is_null")

    def is_not_null(self) -> Expr[bool, bool]:
        """Ask whether there is a value. Never unknown."""
        return self._apply("is_not_null")

    @overload
    def if_null(self: Comparisons[T, Any], other: Expr[T, T], /) -> Expr[T, T]: ...
    @overload
    def if_null(self: Comparisons[T, Any], other: Expr[T, Any], /) -> Expr[T, T | None]: ...
    @overload
    def if_null(self: Comparisons[T, Any], other: T, /) -> Expr[T, T]: ...
    def if_null(self, other: object, /) -> Any:
        """Put another value where there is none; SQL's ``coalesce``.

        Of several: ``m.nick.if_null(m.name).if_null("?")``.
        """
        return self._apply("if_null", other)

    def _choices(self, method: str, values: object) -> tuple[object, ...]:
        if isinstance(values, str | bytes):
            raise ExpressionError(
                f"`{self!r}.{method}({values!r})`: {method} takes a list of values, as in "
                f"`.{method}([{values!r}])`"
            )
        if not isinstance(values, Iterable):
            raise ExpressionError(
                f"`{self!r}.{method}({values!r})`: {method} takes values that are known now, in a "
                "list; what is in the rows of a query is asked by `join`"
            )
        return tuple(map(null_if_unset, cast("Iterable[object]", values)))

    # Defined beside `==`, for a class that has that one alone cannot be hashed.
    def __hash__(self) -> NoReturn:
        raise ExpressionError(
            f"`{self!r}` is an expression and cannot be looked up in a set or a dict: "
            "write `.in_([...])` instead of `in`"
        )
