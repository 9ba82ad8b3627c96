"""What Python programmers write of values and not of expressions, told with what to write instead.

Type checkers see none of this: to them there are no such methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from streamdb.errors import ExpressionError, UnknownColumn
from streamdb.near_miss import near_miss

#: From a name that Python or another library has to how it is written here.
_WRITTEN_HERE: Final[Mapping[str, str]] = {
    "startswith": ".starts_with(...)",
    "endswith": ".ends_with(...)",
    "strip": ".trim()",
    "casefold": ".lower()",
    "find": ".contains(...)",
    "index": ".contains(...)",
    "count": ".contains(...)",
    "match": ".matches(...)",
    "search": ".matches(...)",
    "fullmatch": ".matches(...)",
    "join": "fn.string_agg(...)",
    "get": "[...]",
    "isin": ".in_([...])",
    "any": ".exists(...)",
    "all": ".for_all(...)",
    "isnull": ".is_null()",
    "notnull": ".is_not_null()",
    "coalesce": ".if_null(...)",
    "len": ".length()",
    "size": ".length()",
    "cast": ".as_type(...)",
    "isoweekday": ".weekday() + 1",
    "real": ".as_type(float)",
}
_OF_ROWS: Final = "what Python computes of values is the matter of `filter` and `map`"


class Slips:
    """Refuses what has no meaning before there is a row."""

    __slots__ = ()

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            if name.startswith("_") or name == "node":
                raise AttributeError(name)  # asked for by the language, not by a user
            raise UnknownColumn(
                f"`{self!r}` is an expression and has no {name!r}: " + self._instead(name)
            )

        def __len__(self):
            raise ExpressionError(
                f"`len({self!r})` is asked before there is a row: write `.length()`"
            )

        def __format__(self, spec):
            raise ExpressionError(
                f"`{self!r}` is put into a text before there is a row: write `.concat(...)`, or "
                "do it in `map`; the expression itself is printed by `repr(...)`"
            )

        def __abs__(self):
            raise _too_early(self, "abs", "write `.abs()`")

        def __round__(self, digits=0):
            raise _too_early(self, "round", "write `.round(...)`")

        def __int__(self):
            raise _too_early(self, "int", _OF_ROWS)

        def __index__(self):
            raise _too_early(self, "int", _OF_ROWS)

        def __float__(self):
            raise _too_early(self, "float", _OF_ROWS)

        def _instead(self, name):
            if name in _WRITTEN_HERE:
                return f"write `{_WRITTEN_HERE[name]}`"
            near = near_miss(name, [known for known in dir(self) if not known.startswith("_")])
            hint = f"did you mean `.{near}`? " if near else ""
            return f"{hint}A property of an object is `[{name!r}]`; {_OF_ROWS}"


def _too_early(expression: object, function: str, instead: str) -> ExpressionError:
    return ExpressionError(
        f"`{function}({expression!r})` is asked before there is a row: {instead}"
    )
