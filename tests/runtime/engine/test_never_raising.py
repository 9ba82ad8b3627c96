"""What is told to raise for no row does not: the naive evaluator has an answer for each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Struct

from streamdb.engine.never_raising import never_raises
from streamdb.expr import Expr
from streamdb.expr.conditions import test_of as evaluated
from streamdb.expr.shape import Shape, Slot, row_shape
from streamdb.state.value_kinds import kinds_of_type

TYPES: dict[str, Any] = {
    "text": str | None,
    "number": int | float | None,
    "done": bool | None,
    "at": dt.datetime | None,
    "day": dt.date | None,
    "took": dt.timedelta | None,
    "any": Any,
}
SLOT = row_shape().slots[0]
SHAPE = Shape(
    (Slot("row", SLOT.columns, SLOT.getter, kinds=lambda name: kinds_of_type(TYPES[name or ""])),),
    is_tuple=False,
)
MOMENT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Row(Struct):
    text: str | None
    number: float | None
    done: bool | None
    at: dt.datetime | None
    day: dt.date | None
    took: dt.timedelta | None
    any: Any


ROWS = [
    Row(None, None, None, None, None, None, None),
    Row("a", 1, True, MOMENT, MOMENT.date(), dt.timedelta(1), [1]),
    Row("", float("nan"), False, MOMENT, MOMENT.date(), dt.timedelta(-1), "x"),
    Row("\ud800", 10**400, True, MOMENT, MOMENT.date(), dt.timedelta(0), 1j),
]
Condition = Callable[[Any], Expr[Any, Any]]


@pytest.mark.parametrize(
    "condition",
    [
        lambda r: r.any == 1,
        lambda r: r.any.in_([1, "x", None]),
        lambda r: r.any.is_null(),
        lambda r: r.done,
        lambda r: ~r.done & (r.text == "a"),
        lambda r: r.text > "a",
        lambda r: r.text.lower().starts_with("a"),
        lambda r: r.text.trim() == "a",
        lambda r: r.number.between(1, 2.5),
        lambda r: r.number.between(1, None),
        lambda r: r.day <= dt.date(2026, 1, 1),
        lambda r: r.took < dt.timedelta(1),
        lambda r: (r.text > "a") | (r.done == True),  # noqa: E712
    ],
)
def test_conditions_that_have_an_answer_for_every_row(condition: Condition) -> None:
    node = condition(*SHAPE.columns()).node
    assert never_raises(node, SHAPE)
    for row in ROWS:
        evaluated(node, SHAPE)(row)


@pytest.mark.parametrize(
    "condition",
    [
        lambda r: r.any > 1,
        lambda r: r.any,
        lambda r: ~r.any,
        lambda r: r.any.lower() == "x",
        lambda r: r.number / 3 > 1,
        lambda r: r.text.like(r.text),
        lambda r: r.text.matches(r.text),
        lambda r: r.at > MOMENT,  # with a time zone or without: no type says which
    ],
)
def test_conditions_that_may_raise_for_some_row(condition: Condition) -> None:
    assert not never_raises(condition(*SHAPE.columns()).node, SHAPE)
