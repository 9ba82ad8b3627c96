"""Every operator of the expression language, one row a piece.

A value is null (``None``) or present; a truth value is true, false or *unknown*, and unknown is
null. As in SQL, an operator that is given a null gives null, save those whose very subject is null.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

from streamdb.expr.kinds import (
    DAY,
    DURATION,
    LIST,
    MAP,
    NUMBER,
    ORDERED,
    TEXT,
    TIME,
    TRUTH,
    Kind,
)
from streamdb.expr.meaning import arithmetic, dates, lists, logic
from streamdb.expr.meaning import text as texts
from streamdb.expr.meaning.logic import truth as truth


class Operator(NamedTuple):
    """One row of the table.

    Attributes:
        template: how the operator is written, with ``{}`` for each operand.
        function: what it does. It raises ``TypeError``, ``ValueError`` or ``ArithmeticError`` where
            it makes no sense.
        handles_null: whether the function wants to see nulls; otherwise null in gives null out.
        takes: of what kinds the operands may be, as far as that is restricted.
        pairs: of what kinds both operands may be together, and the kind of what it gives then.
        gives: the kind of what it gives, if it is always the same.
        compares: whether the operands are compared, so that they must be of one kind.
        chooses: whether the first is compared with each of the values that the second one is.
        is_lazy: whether the function is given functions that evaluate the operands.
    """

    template: str
    function: Callable[..., Any]
    handles_null: bool = False
    takes: tuple[frozenset[Kind], ...] = ()
    pairs: Mapping[tuple[Kind, Kind], Kind] | None = None
    gives: Kind | None = None
    compares: bool = False
    chooses: bool = False
    is_lazy: bool = False

    @property
    def is_infix(self) -> bool:
        """Tell whether an expression of this operator needs parentheses beside another one."""
        return self.template.startswith(("{} ", "-"))

    def text(self, operands: Sequence[str], are_infix: Sequence[bool]) -> str:
        """Return how it is written, with parentheses around operands that need them."""
        is_method = self.template.startswith(("{}.", "{}["))
        first_enclosed = 1 if is_method else 0 if self.template.endswith(")") else len(operands)
        texts = [
            f"({text})" if is_infix and number < first_enclosed else text
            for number, (text, is_infix) in enumerate(zip(operands, are_infix, strict=True))
        ]
        if is_method and texts[0].startswith("~"):
            texts[0] = f"({texts[0]})"
        return self.template.format(*texts)


def _comparison(sign: str, function: Callable[..., Any]) -> Operator:
    return Operator(f"{{}} {sign} {{}}", function, gives="truth value", compares=True)


def _test(template: str, function: Callable[..., Any], *takes: frozenset[Kind]) -> Operator:
    return Operator(template, function, takes=takes, gives="truth value")


def _of_null(template: str, function: Callable[..., Any], *takes: frozenset[Kind]) -> Operator:
    return Operator(template, function, handles_null=True, takes=takes, gives="truth value")


def _of_text(template: str, function: Callable[..., Any]) -> Operator:
    return Operator(template, function, takes=(TEXT,), gives="text")


def _of_day(template: str, function: Callable[..., Any]) -> Operator:
    return Operator(template, function, takes=(DAY,), gives="number")


def _of_time(template: str, function: Callable[..., Any]) -> Operator:
    return Operator(template, function, takes=(TIME,), gives="number")


def _order(sign: str, function: Callable[..., Any]) -> Operator:
    return _comparison(sign, function)._replace(takes=(ORDERED, ORDERED))


#: What calculating with values of two kinds gives.
_NUMBERS: Final[Mapping[tuple[Kind, Kind], Kind]] = dict.fromkeys(product(NUMBER, NUMBER), "number")
_SUMS: Final[Mapping[tuple[Kind, Kind], Kind]] = {
    **_NUMBERS,
    ("text", "text"): "text",
    ("duration", "duration"): "duration",
    **{(day, "duration"): day for day in DAY},
    **{("duration", day): day for day in DAY},
}
_DIFFERENCES: Final[Mapping[tuple[Kind, Kind], Kind]] = {
    **_NUMBERS,
    ("duration", "duration"): "duration",
    **{(day, "duration"): day for day in DAY},
    **{(day, day): "duration" for day in DAY},
}
_PRODUCTS: Final[Mapping[tuple[Kind, Kind], Kind]] = {
    **_NUMBERS,
    **{(number, "duration"): "duration" for number in NUMBER},
    **{("duration", number): "duration" for number in NUMBER},
}
_QUOTIENTS: Final[Mapping[tuple[Kind, Kind], Kind]] = {
    **_NUMBERS,
    **{("duration", number): "duration" for number in NUMBER},
    ("duration", "duration"): "number",
}
_SCALABLE: Final = NUMBER | DURATION

OPERATORS: Final[Mapping[str, Operator]] = {
    "==": _comparison("==", operator.eq),
    "!=": _comparison("!=", operator.ne),
    "<": _order("<", operator.lt),
    "<=": _order("<=", operator.le),
    ">": _order(">", operator.gt),
    ">=": _order(">=", operator.ge),
    "between": _of_null("{}.between({}, {})", logic.between, ORDERED)._replace(compares=True),
    "in": _of_null("{}.in_({})", logic.in_)._replace(chooses=True),
    "not_in": _of_null("{}.not_in({})", logic.not_in)._replace(chooses=True),
    "is_null": _of_null("{}.is_null()", logic.is_null),
    "is_not_null": _of_null("{}.is_not_null()", logic.is_not_null),
    "&": _of_null("{} & {}", logic.and_, TRUTH, TRUTH),
    "|": _of_null("{} | {}", logic.or_, TRUTH, TRUTH),
    "~": _of_null("~{}", logic.not_, TRUTH),
    "case": Operator("case(({}, {}), else_={})", logic.case, is_lazy=True),
    "if_null": Operator("{}.if_null({})", logic.if_null, is_lazy=True),
    "+": Operator("{} + {}", arithmetic.plus, pairs=_SUMS),
    "-": Operator("{} - {}", arithmetic.minus, pairs=_DIFFERENCES),
    "*": Operator("{} * {}", arithmetic.times, pairs=_PRODUCTS),
    "/": Operator("{} / {}", arithmetic.divided_by, pairs=_QUOTIENTS),
    "//": Operator("{} // {}", arithmetic.floor_divided_by, pairs=_NUMBERS),
    "%": Operator("{} % {}", arithmetic.modulo, pairs=_NUMBERS),
    "negative": Operator("-{}", arithmetic.negative, takes=(_SCALABLE,)),
    "abs": Operator("{}.abs()", arithmetic.absolute, takes=(_SCALABLE,)),
    "round": Operator("{}.round({})", arithmetic.rounded, takes=(NUMBER, NUMBER)),
    "lower": _of_text("{}.lower()", texts.lower),
    "upper": _of_text("{}.upper()", texts.upper),
    "trim": _of_text("{}.trim()", texts.trim),
    "starts_with": _test("{}.starts_with({})", texts.starts_with, TEXT, TEXT),
    "ends_with": _test("{}.ends_with({})", texts.ends_with, TEXT, TEXT),
    "like": _test("{}.like({})", texts.like, TEXT, TEXT),
    "ilike": _test("{}.ilike({})", texts.ilike, TEXT, TEXT),
    "matches": _test("{}.matches({})", texts.matches, TEXT, TEXT),
    "length": Operator("{}.length()", lists.length, takes=(TEXT | LIST | MAP,), gives="number"),
    "contains": _test("{}.contains({})", lists.contains, TEXT | LIST),
    "item": Operator("{}[{}]", lists.item),
    "is_not_empty": _test("{}.exists()", lists.is_not_empty, LIST),
    "exists": _test("{}.exists({})", lists.exists, LIST),
    "for_all": _test("{}.for_all({})", lists.for_all, LIST),
    "year": _of_day("{}.year()", dates.year),
    "month": _of_day("{}.month()", dates.month),
    "day": _of_day("{}.day()", dates.day),
    "weekday": _of_day("{}.weekday()", dates.weekday),
    "hour": _of_time("{}.hour()", dates.hour),
    "minute": _of_time("{}.minute()", dates.minute),
    "second": _of_time("{}.second()", dates.second),
    "date": _of_day("{}.date()", dates.date)._replace(gives="date"),
    "total_seconds": Operator(
        "{}.total_seconds()", dates.total_seconds, takes=(DURATION,), gives="number"
    ),
}
