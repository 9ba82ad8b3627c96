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
    "truth value", "number", "text", "date or time", "duration", "list", "map"
]

TRUTH: Final = frozenset[Kind](("truth value",))
NUMBER: Final = frozenset[Kind](("number", "truth value"))  # to Python, true is 1
TEXT: Final = frozenset[Kind](("text",))
MOMENT: Final = frozenset[Kind](("date or time",))
DURATION: Final = frozenset[Kind](("duration",))
LIST: Final = frozenset[Kind](("list",))
MAP: Final = frozenset[Kind](("map",))


def kind_of(value: object) -> Kind | None:
    """Return the kind of a constant; None of null, and of what may be compared with anything."""
    match value:
        case bool():
            return "truth value"
        case int() | float() | Decimal():
            return "number"
        case str():
            return "text"
        case dt.date() | dt.time():
            return "date or time"
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
