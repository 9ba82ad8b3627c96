"""What kinds of values there are, as far as they are known before any row is seen.

Columns tell nothing of their values here, that is for type checkers. But constants do, and what an
operator gives is often known; so some expressions are seen to make no sense as they are built.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "truth value",
    "number",
    "text",
    "date",
    "instant",
    "instant without a time zone",
    "time",
    "duration",
    "list",
    "map",
]

TRUTH: Final = frozenset[Kind](("truth value",))
NUMBER: Final = frozenset[Kind](("number", "truth value"))  # to Python, true is 1
TEXT: Final = frozenset[Kind](("text",))
#: Python compares no instant that has a time zone with one that has none.
INSTANT: Final = frozenset[Kind](("instant", "instant without a time zone"))
DAY: Final = INSTANT | frozenset[Kind](("date",))
TIME: Final = INSTANT | frozenset[Kind](("time",))
DURATION: Final = frozenset[Kind](("duration",))
LIST: Final = frozenset[Kind](("list",))
MAP: Final = frozenset[Kind](("map",))
ORDERED: Final = NUMBER | TEXT | DAY | TIME | DURATION | LIST


def kind_of(value: object) -> Kind | None:
    """Return the kind of a constant; None of null, and of what may be compared with anything."""
    match value:
        case bool():
            return "truth value"
        case int() | float() | Decimal():
            return "number"
        case str():
            return "text"
        case dt.datetime(tzinfo=zone):
            return "instant without a time zone" if zone is None else "instant"
        case dt.date():
            return "date"
        case dt.time():
            return "time"
        case dt.timedelta():
            return "duration"
        case Mapping():
            return "map"
        case bytes():
            return None
        case Sequence() | Set():
            return "list"
        case _:
            return None


def are_comparable(one: Kind | None, other: Kind | None) -> bool:
    """Tell whether values of two kinds may ever be equal, or ordered."""
    return one is None or other is None or one == other or {one, other} <= NUMBER
