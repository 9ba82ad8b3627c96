"""Parts of dates, instants and times, and durations as numbers.

An instant that knows its offset is taken in UTC, so that equal instants have equal parts, whatever
offset each was written with. Others are taken as they are.
"""

from __future__ import annotations

import datetime as dt
import reprlib
from collections.abc import Callable
from operator import attrgetter
from typing import Any


def year(value: Any) -> int:
    """Return the year."""
    return _day(value).year


def month(value: Any) -> int:
    """Return the month, from 1."""
    return _day(value).month


def day(value: Any) -> int:
    """Return the day of the month, from 1."""
    return _day(value).day


def weekday(value: Any) -> int:
    """Return the day of the week: Monday is 0."""
    return _day(value).weekday()


def date(value: Any) -> dt.date:
    """Return the day of an instant."""
    return _day(value)


def _time_part(name: str) -> Callable[[Any], int]:
    read = attrgetter(name)

    def part(value: Any) -> int:
        if isinstance(value, dt.datetime | dt.time):
            found: int = read(_in_utc(value))
            return found
        raise TypeError(f"{reprlib.repr(value)} is no instant and no time")

    return part


hour = _time_part("hour")
minute = _time_part("minute")
second = _time_part("second")


def total_seconds(value: Any) -> float:
    """Return the length of a duration, in seconds."""
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    raise TypeError(f"{reprlib.repr(value)} is no duration")


def _day(value: object) -> dt.date:
    if isinstance(value, dt.datetime):
        in_utc: dt.datetime = _in_utc(value)
        return in_utc.date()
    if isinstance(value, dt.date):
        return value
    raise TypeError(f"{reprlib.repr(value)} is no date")


def _in_utc(value: Any) -> Any:
    is_known = isinstance(value, dt.datetime) and value.tzinfo is not None
    return value.astimezone(dt.UTC) if is_known else value
