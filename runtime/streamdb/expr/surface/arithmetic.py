"""Arithmetic. A result is null where an operand is, and of a division by zero.

The overloads of an operator go from the narrowest types to the widest: whole numbers, numbers,
decimals, text, durations, dates, and of each first what is never null. What is written on the left,
a plain value, is treated alike.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from streamdb.expr.surface.operand import Anything, N, Operand, V

if TYPE_CHECKING:
    from streamdb.expr.expression import Expr

    # What stands on the other side: an expression that is never null, or one that may be.
    Int: TypeAlias = Expr[int, int] | int
    MaybeInt: TypeAlias = Expr[int, Any] | int
    Float: TypeAlias = Expr[float, float] | float
    MaybeFloat: TypeAlias = Expr[float, Any] | float
    Dec: TypeAlias = Expr[Decimal, Decimal] | Expr[int, int] | Decimal | int
    MaybeDec: TypeAlias = Expr[Decimal, Any] | Expr[int, Any] | Decimal | int
    Text: TypeAlias = Expr[str, str] | str
    MaybeText: TypeAlias = Expr[str, Any] | str
    Span: TypeAlias = Expr[dt.timedelta, dt.timedelta] | dt.timedelta
    MaybeSpan: TypeAlias = Expr[dt.timedelta, Any] | dt.timedelta
    Instant: TypeAlias = Expr[dt.datetime, dt.datetime] | dt.datetime
    MaybeInstant: TypeAlias = Expr[dt.datetime, Any] | dt.datetime
    Day: TypeAlias = Expr[dt.date, dt.date] | dt.date
    MaybeDay: TypeAlias = Expr[dt.date, Any] | dt.date


class Arithmetic(Operand[V, N]):
    """Calculating with numbers, durations and dates, and putting text together."""

    __slots__ = ()

    # --- sums ---------------------------------------------------------------------------------

    @overload
    def __add__(self: Arithmetic[Anything, Any], other: object, /) -> Expr[Any, Any]: ...
    @overload
    def __add__(self: Arithmetic[int, int], other: Int, /) -> Expr[int, int]: ...
    @overload
    def __add__(self: Arithmetic[int, Any], other: MaybeInt, /) -> Expr[int, int | None]: ...
    @overload
    def __add__(self: Arithmetic[float, float], other: Float, /) -> Expr[float, float]: ...
    @overload
    def __add__(
        self: Arithmetic[float, Any], other: MaybeFloat, /
    ) -> Expr[float, float | None]: ...
    @overload
    def __add__(self: Arithmetic[Decimal, Decimal], other: Dec, /) -> Expr[Decimal, Decimal]: ...
    @overload
    def __add__(
        self: Arithmetic[Decimal, Any], other: MaybeDec, /
    ) -> Expr[Decimal, Decimal | None]: ...
    @overload
    def __add__(self: Arithmetic[str, str], other: Text, /) -> Expr[str, str]: ...
    @overload
    def __add__(self: Arithmetic[str, Any], other: MaybeText, /) -> Expr[str, str | None]: ...
    @overload
    def __add__(
        self: Arithmetic[dt.timedelta, dt.timedelta], other: Span, /
    ) -> Expr[dt.timedelta, dt.timedelta]: ...
    @overload
    def __add__(
        self: Arithmetic[dt.timedelta, Any], other: MaybeSpan, /
    ) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    @overload
    def __add__(
        self: Arithmetic[dt.datetime, dt.datetime], other: Span, /
    ) -> Expr[dt.datetime, dt.datetime]: ...
    @overload
    def __add__(
        self: Arithmetic[dt.datetime, Any], other: MaybeSpan, /
    ) -> Expr[dt.datetime, dt.datetime | None]: ...
    @overload
    def __add__(self: Arithmetic[dt.date, dt.date], other: Span, /) -> Expr[dt.date, dt.date]: ...
    @overload
    def __add__(
        self: Arithmetic[dt.date, Any], other: MaybeSpan, /
    ) -> Expr[dt.date, dt.date | None]: ...
    @overload
    def __add__(
        self: Arithmetic[dt.timedelta, dt.timedelta], other: Instant, /
    ) -> Expr[dt.datetime, dt.datetime]: ...
    @overload
    def __add__(
        self: Arithmetic[dt.timedelta, Any], other: MaybeInstant, /
    ) -> Expr[dt.datetime, dt.datetime | None]: ...
    @overload
    def __add__(
        self: Arithmetic[dt.timedelta, dt.timedelta], other: Day, /
    ) -> Expr[dt.date, dt.date]: ...
    @overload
    def __add__(
        self: Arithmetic[dt.timedelta, Any], other: MaybeDay, /
    ) -> Expr[dt.date, dt.date | None]: ...
    def __add__(self, other: object, /) -> Any:
        return self._apply("+", other)

    @overload
    def __radd__(self: Arithmetic[Anything, Any], other: object, /) -> Expr[Any, Any]: ...
    @overload
    def __radd__(self: Arithmetic[int, int], other: int, /) -> Expr[int, int]: ...
    @overload
    def __radd__(self: Arithmetic[int, Any], other: int, /) -> Expr[int, int | None]: ...
    @overload
    def __radd__(self: Arithmetic[float, float], other: float, /) -> Expr[float, float]: ...
    @overload
    def __radd__(self: Arithmetic[float, Any], other: float, /) -> Expr[float, float | None]: ...
    @overload
    def __radd__(
        self: Arithmetic[Decimal, Decimal], other: Decimal | int, /
    ) -> Expr[Decimal, Decimal]: ...
    @overload
    def __radd__(
        self: Arithmetic[Decimal, Any], other: Decimal | int, /
    ) -> Expr[Decimal, Decimal | None]: ...
    @overload
    def __radd__(self: Arithmetic[str, str], other: str, /) -> Expr[str, str]: ...
    @overload
    def __radd__(self: Arithmetic[str, Any], other: str, /) -> Expr[str, str | None]: ...
    @overload
    def __radd__(
        self: Arithmetic[dt.timedelta, dt.timedelta], other: dt.timedelta, /
    ) -> Expr[dt.timedelta, dt.timedelta]: ...
    @overload
    def __radd__(
        self: Arithmetic[dt.timedelta, Any], other: dt.timedelta, /
    ) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    @overload
    def __radd__(
        self: Arithmetic[dt.timedelta, dt.timedelta], other: dt.datetime, /
    ) -> Expr[dt.datetime, dt.datetime]: ...
    @overload
    def __radd__(
        self: Arithmetic[dt.timedelta, Any], other: dt.datetime, /
    ) -> Expr[dt.datetime, dt.datetime | None]: ...
    @overload
    def __radd__(
        self: Arithmetic[dt.timedelta, dt.timedelta], other: dt.date, /
    ) -> Expr[dt.date, dt.date]: ...
    @overload
    def __radd__(
        self: Arithmetic[dt.timedelta, Any], other: dt.date, /
    ) -> Expr[dt.date, dt.date | None]: ...
    def __radd__(self, other: object, /) -> Any:
        return self._apply_reflected("+", other)

    # --- differences --------------------------------------------------------------------------

    @overload
    def __sub__(self: Arithmetic[Anything, Any], other: object, /) -> Expr[Any, Any]: ...
    @overload
    def __sub__(self: Arithmetic[int, int], other: Int, /) -> Expr[int, int]: ...
    @overload
    def __sub__(self: Arithmetic[int, Any], other: MaybeInt, /) -> Expr[int, int | None]: ...
    @overload
    def __sub__(self: Arithmetic[float, float], other: Float, /) -> Expr[float, float]: ...
    @overload
    def __sub__(
        self: Arithmetic[float, Any], other: MaybeFloat, /
    ) -> Expr[float, float | None]: ...
    @overload
    def __sub__(self: Arithmetic[Decimal, Decimal], other: Dec, /) -> Expr[Decimal, Decimal]: ...
    @overload
    def __sub__(
        self: Arithmetic[Decimal, Any], other: MaybeDec, /
    ) -> Expr[Decimal, Decimal | None]: ...
    @overload
    def __sub__(
        self: Arithmetic[dt.timedelta, dt.timedelta], other: Span, /
    ) -> Expr[dt.timedelta, dt.timedelta]: ...
    @overload
    def __sub__(
        self: Arithmetic[dt.timedelta, Any], other: MaybeSpan, /
    ) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    @overload
    def __sub__(
        self: Arithmetic[dt.datetime, dt.datetime], other: Instant, /
    ) -> Expr[dt.timedelta, dt.timedelta]: ...
    @overload
    def __sub__(
        self: Arithmetic[dt.datetime, Any], other: MaybeInstant, /
    ) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    @overload
    def __sub__(
        self: Arithmetic[dt.datetime, dt.datetime], other: Span, /
    ) -> Expr[dt.datetime, dt.datetime]: ...
    @overload
    def __sub__(
        self: Arithmetic[dt.datetime, Any], other: MaybeSpan, /
    ) -> Expr[dt.datetime, dt.datetime | None]: ...
    @overload
    def __sub__(
        self: Arithmetic[dt.date, dt.date], other: Day, /
    ) -> Expr[dt.timedelta, dt.timedelta]: ...
    @overload
    def __sub__(
        self: Arithmetic[dt.date, Any], other: MaybeDay, /
    ) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    @overload
    def __sub__(self: Arithmetic[dt.date, dt.date], other: Span, /) -> Expr[dt.date, dt.date]: ...
    @overload
    def __sub__(
        self: Arithmetic[dt.date, Any], other: MaybeSpan, /
    ) -> Expr[dt.date, dt.date | None]: ...
    def __sub__(self, other: object, /) -> Any:
        return self._apply("-", other)

    @overload
    def __rsub__(self: Arithmetic[Anything, Any], other: object, /) -> Expr[Any, Any]: ...
    @overload
    def __rsub__(self: Arithmetic[int, int], other: int, /) -> Expr[int, int]: ...
    @overload
    def __rsub__(self: Arithmetic[int, Any], other: int, /) -> Expr[int, int | None]: ...
    @overload
    def __rsub__(self: Arithmetic[float, float], other: float, /) -> Expr[float, float]: ...
    @overload
    def __rsub__(self: Arithmetic[float, Any], other: float, /) -> Expr[float, float | None]: ...
    @overload
    def __rsub__(
        self: Arithmetic[Decimal, Decimal], other: Decimal | int, /
    ) -> Expr[Decimal, Decimal]: ...
    @overload
    def __rsub__(
        self: Arithmetic[Decimal, Any], other: Decimal | int, /
    ) -> Expr[Decimal, Decimal | None]: ...
    @overload
    def __rsub__(
        self: Arithmetic[dt.timedelta, dt.timedelta], other: dt.timedelta, /
    ) -> Expr[dt.timedelta, dt.timedelta]: ...
    @overload
    def __rsub__(
        self: Arithmetic[dt.timedelta, Any], other: dt.timedelta, /
    ) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    @overload
    def __rsub__(
        self: Arithmetic[dt.datetime, dt.datetime], other: dt.datetime, /
    ) -> Expr[dt.timedelta, dt.timedelta]: ...
    @overload
    def __rsub__(
        self: Arithmetic[dt.datetime, Any], other: dt.datetime, /
    ) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    @overload
    def __rsub__(
        self: Arithmetic[dt.date, dt.date], other: dt.date, /
    ) -> Expr[dt.timedelta, dt.timedelta]: ...
    @overload
    def __rsub__(
        self: Arithmetic[dt.date, Any], other: dt.date, /
    ) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    @overload
    def __rsub__(
        self: Arithmetic[dt.timedelta, dt.timedelta], other: dt.datetime, /
    ) -> Expr[dt.datetime, dt.datetime]: ...
    @overload
    def __rsub__(
        self: Arithmetic[dt.timedelta, Any], other: dt.datetime, /
    ) -> Expr[dt.datetime, dt.datetime | None]: ...
    @overload
    def __rsub__(
        self: Arithmetic[dt.timedelta, dt.timedelta], other: dt.date, /
    ) -> Expr[dt.date, dt.date]: ...
    @overload
    def __rsub__(
        self: Arithmetic[dt.timedelta, Any], other: dt.date, /
    ) -> Expr[dt.date, dt.date | None]: ...
    def __rsub__(self, other: object, /) -> Any:
        return self._apply_reflected("-", other)

    # --- products -----------------------------------------------------------------------------

    @overload
    def __mul__(self: Arithmetic[Anything, Any], other: object, /) -> Expr[Any, Any]: ...
    @overload
    def __mul__(self: Arithmetic[int, int], other: Int, /) -> Expr[int, int]: ...
    @overload
    def __mul__(self: Arithmetic[int, Any], other: MaybeInt, /) -> Expr[int, int | None]: ...
    @overload
    def __mul__(self: Arithmetic[float, float], other: Float, /) -> Expr[float, float]: ...
    @overload
    def __mul__(
        self: Arithmetic[float, Any], other: MaybeFloat, /
    ) -> Expr[float, float | None]: ...
    @overload
    def __mul__(self: Arithmetic[Decimal, Decimal], other: Dec, /) -> Expr[Decimal, Decimal]: ...
    @overload
    def __mul__(
        self: Arithmetic[Decimal, Any], other: MaybeDec, /
    ) -> Expr[Decimal, Decimal | None]: ...
    @overload
    def __mul__(
        self: Arithmetic[dt.timedelta, dt.timedelta], other: Float, /
    ) -> Expr[dt.timedelta, dt.timedelta]: ...
    @overload
    def __mul__(
        self: Arithmetic[dt.timedelta, Any], other: MaybeFloat, /
    ) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    @overload
    def __mul__(
        self: Arithmetic[float, float], other: Span, /
    ) -> Expr[dt.timedelta, dt.timedelta]: ...
    @overload
    def __mul__(
        self: Arithmetic[float, Any], other: MaybeSpan, /
    ) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    def __mul__(self, other: object, /) -> Any:
        return self._apply("*", other)

    @overload
    def __rmul__(self: Arithmetic[Anything, Any], other: object, /) -> Expr[Any, Any]: ...
    @overload
    def __rmul__(self: Arithmetic[int, int], other: int, /) -> Expr[int, int]: ...
    @overload
    def __rmul__(self: Arithmetic[int, Any], other: int, /) -> Expr[int, int | None]: ...
    @overload
    def __rmul__(self: Arithmetic[float, float], other: float, /) -> Expr[float, float]: ...
    @overload
    def __rmul__(self: Arithmetic[float, Any], other: float, /) -> Expr[float, float | None]: ...
    @overload
    def __rmul__(
        self: Arithmetic[Decimal, Decimal], other: Decimal | int, /
    ) -> Expr[Decimal, Decimal]: ...
    @overload
    def __rmul__(
        self: Arithmetic[Decimal, Any], other: Decimal | int, /
    ) -> Expr[Decimal, Decimal | None]: ...
    @overload
    def __rmul__(
        self: Arithmetic[dt.timedelta, dt.timedelta], other: float, /
    ) -> Expr[dt.timedelta, dt.timedelta]: ...
    @overload
    def __rmul__(
        self: Arithmetic[dt.timedelta, Any], other: float, /
    ) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    @overload
    def __rmul__(
        self: Arithmetic[float, float], other: dt.timedelta, /
    ) -> Expr[dt.timedelta, dt.timedelta]: ...
    @overload
    def __rmul__(
        self: Arithmetic[float, Any], other: dt.timedelta, /
    ) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    def __rmul__(self, other: object, /) -> Any:
        return self._apply_reflected("*", other)

    # --- quotients ----------------------------------------------------------------------------

    @overload
    def __truediv__(self: Arithmetic[Anything, Any], other: object, /) -> Expr[Any, Any]: ...
    @overload
    def __truediv__(
        self: Arithmetic[float, Any], other: MaybeFloat, /
    ) -> Expr[float, float | None]: ...
    @overload
    def __truediv__(
        self: Arithmetic[Decimal, Any], other: MaybeDec, /
    ) -> Expr[Decimal, Decimal | None]: ...
    @overload
    def __truediv__(
        self: Arithmetic[dt.timedelta, Any], other: MaybeSpan, /
    ) -> Expr[float, float | None]: ...
    @overload
    def __truediv__(
        self: Arithmetic[dt.timedelta, Any], other: MaybeFloat, /
    ) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    def __truediv__(self, other: object, /) -> Any:
        return self._apply("/", other)

    @overload
    def __rtruediv__(self: Arithmetic[Anything, Any], other: object, /) -> Expr[Any, Any]: ...
    @overload
    def __rtruediv__(
        self: Arithmetic[float, Any], other: float, /
    ) -> Expr[float, float | None]: ...
    @overload
    def __rtruediv__(
        self: Arithmetic[Decimal, Any], other: Decimal | int, /
    ) -> Expr[Decimal, Decimal | None]: ...
    @overload
    def __rtruediv__(
        self: Arithmetic[dt.timedelta, Any], other: dt.timedelta, /
    ) -> Expr[float, float | None]: ...
    def __rtruediv__(self, other: object, /) -> Any:
        return self._apply_reflected("/", other)

    @overload
    def __floordiv__(self: Arithmetic[Anything, Any], other: object, /) -> Expr[Any, Any]: ...
    @overload
    def __floordiv__(self: Arithmetic[int, Any], other: MaybeInt, /) -> Expr[int, int | None]: ...
    @overload
    def __floordiv__(
        self: Arithmetic[float, Any], other: MaybeFloat, /
    ) -> Expr[float, float | None]: ...
    @overload
    def __floordiv__(
        self: Arithmetic[Decimal, Any], other: MaybeDec, /
    ) -> Expr[Decimal, Decimal | None]: ...
    def __floordiv__(self, other: object, /) -> Any:
        return self._apply("//", other)

    @overload
    def __rfloordiv__(self: Arithmetic[Anything, Any], other: object, /) -> Expr[Any, Any]: ...
    @overload
    def __rfloordiv__(self: Arithmetic[int, Any], other: int, /) -> Expr[int, int | None]: ...
    @overload
    def __rfloordiv__(
        self: Arithmetic[float, Any], other: float, /
    ) -> Expr[float, float | None]: ...
    @overload
    def __rfloordiv__(
        self: Arithmetic[Decimal, Any], other: Decimal | int, /
    ) -> Expr[Decimal, Decimal | None]: ...
    def __rfloordiv__(self, other: object, /) -> Any:
        return self._apply_reflected("//", other)

    @overload
    def __mod__(self: Arithmetic[Anything, Any], other: object, /) -> Expr[Any, Any]: ...
    @overload
    def __mod__(self: Arithmetic[int, Any], other: MaybeInt, /) -> Expr[int, int | None]: ...
    @overload
    def __mod__(
        self: Arithmetic[float, Any], other: MaybeFloat, /
    ) -> Expr[float, float | None]: ...
    @overload
    def __mod__(
        self: Arithmetic[Decimal, Any], other: MaybeDec, /
    ) -> Expr[Decimal, Decimal | None]: ...
    def __mod__(self, other: object, /) -> Any:
        return self._apply("%", other)

    @overload
    def __rmod__(self: Arithmetic[Anything, Any], other: object, /) -> Expr[Any, Any]: ...
    @overload
    def __rmod__(self: Arithmetic[int, Any], other: int, /) -> Expr[int, int | None]: ...
    @overload
    def __rmod__(self: Arithmetic[float, Any], other: float, /) -> Expr[float, float | None]: ...
    @overload
    def __rmod__(
        self: Arithmetic[Decimal, Any], other: Decimal | int, /
    ) -> Expr[Decimal, Decimal | None]: ...
    def __rmod__(self, other: object, /) -> Any:
        return self._apply_reflected("%", other)

    # --- of one number ------------------------------------------------------------------------

    @overload
    def __neg__(self: Arithmetic[Anything, Any]) -> Expr[Any, Any]: ...
    @overload
    def __neg__(self: Arithmetic[int, int]) -> Expr[int, int]: ...
    @overload
    def __neg__(self: Arithmetic[int, Any]) -> Expr[int, int | None]: ...
    @overload
    def __neg__(self: Arithmetic[float, float]) -> Expr[float, float]: ...
    @overload
    def __neg__(self: Arithmetic[float, Any]) -> Expr[float, float | None]: ...
    @overload
    def __neg__(self: Arithmetic[Decimal, Decimal]) -> Expr[Decimal, Decimal]: ...
    @overload
    def __neg__(self: Arithmetic[Decimal, Any]) -> Expr[Decimal, Decimal | None]: ...
    @overload
    def __neg__(
        self: Arithmetic[dt.timedelta, dt.timedelta],
    ) -> Expr[dt.timedelta, dt.timedelta]: ...
    @overload
    def __neg__(self: Arithmetic[dt.timedelta, Any]) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    def __neg__(self) -> Any:
        return self._apply("negative")

    @overload
    def abs(self: Arithmetic[Anything, Any]) -> Expr[Any, Any]: ...
    @overload
    def abs(self: Arithmetic[int, int]) -> Expr[int, int]: ...
    @overload
    def abs(self: Arithmetic[int, Any]) -> Expr[int, int | None]: ...
    @overload
    def abs(self: Arithmetic[float, float]) -> Expr[float, float]: ...
    @overload
    def abs(self: Arithmetic[float, Any]) -> Expr[float, float | None]: ...
    @overload
    def abs(self: Arithmetic[Decimal, Decimal]) -> Expr[Decimal, Decimal]: ...
    @overload
    def abs(self: Arithmetic[Decimal, Any]) -> Expr[Decimal, Decimal | None]: ...
    @overload
    def abs(self: Arithmetic[dt.timedelta, dt.timedelta]) -> Expr[dt.timedelta, dt.timedelta]: ...
    @overload
    def abs(self: Arithmetic[dt.timedelta, Any]) -> Expr[dt.timedelta, dt.timedelta | None]: ...
    def abs(self) -> Any:
        """Return the number or the duration without its sign."""
        return self._apply("abs")

    @overload
    def round(self: Arithmetic[Anything, Any], digits: int = 0, /) -> Expr[Any, Any]: ...
    @overload
    def round(self: Arithmetic[int, int], digits: int = 0, /) -> Expr[int, int]: ...
    @overload
    def round(self: Arithmetic[int, Any], digits: int = 0, /) -> Expr[int, int | None]: ...
    @overload
    def round(self: Arithmetic[float, float], digits: int = 0, /) -> Expr[float, float]: ...
    @overload
    def round(self: Arithmetic[float, Any], digits: int = 0, /) -> Expr[float, float | None]: ...
    @overload
    def round(self: Arithmetic[Decimal, Decimal], digits: int = 0, /) -> Expr[Decimal, Decimal]: ...
    @overload
    def round(
        self: Arithmetic[Decimal, Any], digits: int = 0, /
    ) -> Expr[Decimal, Decimal | None]: ...
    def round(self, digits: int = 0, /) -> Any:
        """Round to so many digits behind the point, half to even; the type stays what it is."""
        return self._apply("round", digits)
