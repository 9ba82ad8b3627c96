"""Parts of dates, instants and times. Instants are taken in UTC."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, overload

from streamdb.expr.surface.operand import N, Operand, V

if TYPE_CHECKING:
    from streamdb.expr.expression import Expr


class Dates(Operand[V, N]):
    """What may be asked of dates, times and durations; their differences are by ``-``."""

    __slots__ = ()

    @overload
    def year(self: Dates[dt.date, dt.date]) -> Expr[int, int]: ...
    @overload
    def year(self: Dates[dt.date, Any]) -> Expr[int, int | None]: ...
    def year(self) -> Any:
        """Return the year."""
        return self._apply("year")

    @overload
    def month(self: Dates[dt.date, dt.date]) -> Expr[int, int]: ...
    @overload
    def month(self: Dates[dt.date, Any]) -> Expr[int, int | None]: ...
    def month(self) -> Any:
        """Return the month, from 1 to 12."""
        return self._apply("month")

    @overload
    def day(self: Dates[dt.date, dt.date]) -> Expr[int, int]: ...
    @overload
    def day(self: Dates[dt.date, Any]) -> Expr[int, int | None]: ...
    def day(self) -> Any:
        """Return the day of the month, from 1 to 31."""
        return self._apply("day")

    @overload
    def weekday(self: Dates[dt.date, dt.date]) -> Expr[int, int]: ...
    @overload
    def weekday(self: Dates[dt.date, Any]) -> Expr[int, int | None]: ...
    def weekday(self) -> Any:
        """Return the day of the week, from 0 for Monday to 6."""
        return self._apply("weekday")

    @overload
    def date(self: Dates[dt.date, dt.date]) -> Expr[dt.date, dt.date]: ...
    @overload
    def date(self: Dates[dt.date, Any]) -> Expr[dt.date, dt.date | None]: ...
    def date(self) -> Any:
        """Return the day of an instant."""
        return self._apply("date")

    @overload
    def hour(self: Dates[dt.datetime | dt.time, dt.datetime | dt.time]) -> Expr[int, int]: ...
    @overload
    def hour(self: Dates[dt.datetime | dt.time, Any]) -> Expr[int, int | None]: ...
    def hour(self) -> Any:
        """Return the hour, from 0 to 23."""
        return self._apply("hour")

    @overload
    def minute(self: Dates[dt.datetime | dt.time, dt.datetime | dt.time]) -> Expr[int, int]: ...
    @overload
    def minute(self: Dates[dt.datetime | dt.time, Any]) -> Expr[int, int | None]: ...
    def minute(self) -> Any:
        """Return the minute, from 0 to 59."""
        return self._apply("minute")

    @overload
    def second(self: Dates[dt.datetime | dt.time, dt.datetime | dt.time]) -> Expr[int, int]: ...
    @overload
    def second(self: Dates[dt.datetime | dt.time, Any]) -> Expr[int, int | None]: ...
    def second(self) -> Any:
        """Return the whole second, from 0 to 59."""
        return self._apply("second")

    @overload
    def total_seconds(self: Dates[dt.timedelta, dt.timedelta]) -> Expr[float, float]: ...
    @overload
    def total_seconds(self: Dates[dt.timedelta, Any]) -> Expr[float, float | None]: ...
    def total_seconds(self) -> Any:
        """Return a duration in seconds."""
        return self._apply("total_seconds")
