"""Accumulators, held to the naive functions of all values through random histories."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.engine.judging import equal

from streamdb.engine.aggregates import Accumulator, accumulators_of, extremes
from streamdb.engine.aggregates.view import View
from streamdb.expr.aggregates import AGGREGATES
from streamdb.expr.nodes import AggregateNode, SlotNode

floats = st.floats() | st.sampled_from([0.1, 1e308, -1e308, 5e-324, math.inf, -math.inf, math.nan])
integers = st.integers(-5, 5) | st.integers() | st.just(10**400)
numbers = integers | floats | st.booleans()
decimals = (
    st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.integers(-5, 5)
    | st.sampled_from([Decimal("NaN"), Decimal("Infinity")])
)
durations = st.timedeltas(-dt.timedelta(10**6), dt.timedelta(10**6))
texts = st.text("abc", max_size=2)
instants = st.datetimes(timezones=st.just(dt.UTC))
truths = st.booleans()
few = st.sampled_from([0, 1, 1.0, 2, -1, 0.5, math.nan, float("nan")])

KINDS = (numbers, few, decimals, durations, texts, instants, truths)
ADDABLE = (numbers, few, decimals, durations)


class Total:
    """A reducer as users write them."""

    def __init__(self) -> None:
        self._values: list[Any] = []

    def add(self, value: Any, /) -> None:
        self._values.append(value)

    def remove(self, value: Any, /) -> None:
        self._values.remove(value)

    def result(self) -> list[str]:
        return sorted(map(repr, self._values))


def joined(state: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    return (*state, value)


#: Each aggregate, with its options and what it is tried with.
ASKED: dict[str, tuple[tuple[Any, ...], Sequence[st.SearchStrategy[Any]]]] = {
    "count": ((), KINDS),
    "count_distinct": ((), KINDS),
    "sum": ((), ADDABLE),
    "avg": ((), ADDABLE),
    "min": ((), KINDS),
    "max": ((), KINDS),
    "median": ((), (few, floats, decimals, durations, instants)),
    "any": ((), (truths,)),
    "all": ((), (truths,)),
    "collect": ((), KINDS),
    "string_agg": ((", ",), (texts,)),
    "first": ((), KINDS),
    "last": ((), KINDS),
    "fold": (((), joined), KINDS),
    "reduce": ((tuple,), KINDS),
    "accumulate": ((Total,), (texts, instants)),
}


def test_all_are_tried() -> None:
    assert ASKED.keys() == AGGREGATES.keys()


@st.composite
def histories(draw: st.DrawFn, name: str) -> list[tuple[int, Any, bool]]:
    """Places, what is put there (None removes it), and whether somebody looks afterwards."""
    values = draw(st.sampled_from(ASKED[name][1]))
    return draw(
        st.lists(st.tuples(st.integers(0, 12), st.none() | values, st.booleans()), max_size=40)
    )


@pytest.mark.parametrize("name", ASKED)
@given(st.data())
def test_any_history(name: str, data: st.DataObject) -> None:
    options = ASKED[name][0]
    asked = accumulator(AggregateNode(name, SlotNode(0), (), options))
    history = data.draw(histories(name))
    # What comes first may come all at once, as in a load, in any order of places.
    size = data.draw(st.integers(0, 12))
    loaded = {place: value for place, value, _ in history[:size] if value is not None}
    asked.extend(list(loaded.values()), list(loaded))
    there = dict[int, Any](loaded)
    seen: list[tuple[Any, Any]] = []  # answers, and what each was
    for place, value, looks in history[size:]:
        if place in there and value is not None:
            asked.replace(there[place], place, value, place)
        elif place in there:
            asked.remove(there.pop(place), place)
        elif value is not None:
            asked.add(value, place)
        if value is not None:
            there[place] = value
        if looks:
            expected = AGGREGATES[name].function([there[at] for at in sorted(there)], *options)
            found = asked.result()
            assert same(found, expected), f"{found!r}, not {expected!r}"
            assert asked.result() is found or found == asked.result() or found != found
            seen.append((found, expected))
    for found, expected in seen:
        assert same(found, expected), "an answer that was given has changed"


def same(found: Any, expected: Any) -> bool:
    return equal(tuple(found) if isinstance(found, View) else found, expected)


def accumulator(node: AggregateNode) -> Accumulator:
    return accumulators_of(node)()


def filled(name: str, values: Iterable[Any], *options: Any) -> Accumulator:
    asked = accumulator(AggregateNode(name, SlotNode(0), (), options))
    for place, value in enumerate(values):
        asked.add(value, place)
    asked.result()
    return asked


@pytest.mark.parametrize("name", ["sum", "avg", "min", "max", "median"])
def test_a_decimal_that_is_no_number_leaves_no_trace(name: str) -> None:
    """And is told as a decimal while it is there."""
    nan = Decimal("NaN")
    asked = filled(name, [nan, Decimal("Infinity")])
    asked.remove(Decimal("Infinity"), 1)
    found = asked.result()
    assert isinstance(found, Decimal)
    assert found.is_nan()
    asked.add(Decimal("1.5"), 2)
    asked.remove(nan, 0)
    assert asked.result() == Decimal("1.5")
    asked.remove(Decimal("1.5"), 2)
    assert asked.result() is None


def test_sums_leave_no_drift() -> None:
    asked = filled("sum", [0.1] * 1000)
    asked.add(1e300, 1000)
    asked.remove(1e300, 1000)
    for place in range(999):
        asked.remove(0.1, place)
    assert asked.result() == 0.1
    asked.remove(0.1, 999)
    asked.add(3, 0)
    assert (asked.result(), type(asked.result())) == (3, int)


def test_integers_are_left_when_fractions_go() -> None:
    asked = filled("sum", [2, 0.5, 3, 0.25])
    assert asked.result() == 5.75
    asked.replace(2, 0, 3, 0)
    assert asked.result() == 6.75
    asked.replace(3, 0, 2, 0)
    asked.remove(0.5, 1)
    assert asked.result() == 5.25
    asked.remove(0.25, 3)
    assert (asked.result(), type(asked.result())) == (5, int)


@pytest.mark.parametrize(("name", "sign"), [("min", 1), ("max", -1)])
def test_an_extreme_of_many_that_were_loaded(name: str, sign: int) -> None:
    asked = accumulator(AggregateNode(name, SlotNode(0), (), ()))
    there = [sign * number for number in (5, 3, 3, 9, 7, 8, 6, 4)]
    asked.extend(there, range(8))
    for value in (9, 8, 7, 6):  # half of them, and none is the extreme
        asked.remove(sign * value, None)
        assert asked.result() == sign * 3
    asked.add(sign * 2, None)
    assert asked.result() == sign * 2
    for gone, left in ((2, 3), (3, 3), (3, 4), (4, 5), (5, None)):
        asked.remove(sign * gone, None)
        assert asked.result() == (left and sign * left)
    asked.extend([sign * 2, sign * 1], range(2))
    assert asked.result() == sign


def test_what_does_not_suit_a_least_value_that_was_loaded() -> None:
    asked = accumulator(AggregateNode("min", SlotNode(0), (), ()))
    asked.extend([2.5, 1.5], range(2))
    asked.add(math.nan, 2)
    asked.add(1, 3)
    assert (asked.result(), type(asked.result())) == (1, int)
    with pytest.raises(TypeError):
        asked.add("text", 4)


@pytest.mark.parametrize("name", ["min", "max", "median"])
def test_many_values_in_order(name: str) -> None:
    draw = random.Random(name)
    there = [draw.choice([draw.randrange(3000), math.nan]) for _ in range(5000)]
    asked = accumulator(AggregateNode(name, SlotNode(0)))
    asked.extend(there, [None] * len(there))
    for growing in (True, False):
        while len(there) < 9000 if growing else there:
            if (draw.random() < 0.9) is growing or not there:
                there.append(draw.choice([draw.randrange(-3000, 6000), math.nan]))
                asked.add(there[-1], None)
            else:
                asked.remove(there.pop(draw.randrange(len(there))), None)
            if draw.random() < 0.01 or len(there) < 20:
                assert same(asked.result(), AGGREGATES[name].function(there))
    assert asked.result() is None


ELSEWHERE = dt.timezone(dt.timedelta(hours=1))
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


SPELLED: list[list[Any]] = [
    [1, 1.0, True, 0, 2.0, 2],
    [0.0, -0.0, 1.0, -1.0],
    [Decimal("1.0"), Decimal("1"), Decimal("1.00"), Decimal("2.0"), Decimal("2")],
    [NOON, NOON.astimezone(ELSEWHERE), NOON + dt.timedelta(hours=1)],
]


@pytest.mark.parametrize(
    ("name", "values"),
    [(name, values) for name in ("min", "max", "median") for values in SPELLED]
    + [("min", [[1], [1.0], [2]]), ("max", [[1], [1.0], [2]])],
)
@pytest.mark.parametrize("longest", [2, 2000])
def test_equal_values_are_told_as_they_are_spelled(
    monkeypatch: pytest.MonkeyPatch, name: str, longest: int, values: list[Any]
) -> None:
    monkeypatch.setattr(extremes, "_LONGEST", longest)
    draw = random.Random(repr(values))
    there = [draw.choice(values) for _ in range(9)]
    asked = accumulator(AggregateNode(name, SlotNode(0)))
    asked.extend(list(there), [None] * len(there))
    for _ in range(300):
        found, expected = asked.result(), AGGREGATES[name].function(there)
        assert (type(found), repr(found)) == (type(expected), repr(expected))
        if there and draw.random() < 0.5:
            asked.remove(there.pop(draw.randrange(len(there))), None)
        else:
            there.append(draw.choice(values))
            asked.add(there[-1], None)


def test_values_whose_order_is_not_total_are_taken_out() -> None:
    values = [frozenset([n]) for n in range(9)] + [frozenset(range(n)) for n in range(9)]
    random.Random(5).shuffle(values)
    asked = filled("min", values)
    for number, value in enumerate(values[:-1]):
        asked.remove(value, number)
    assert asked.result() == values[-1]


def test_values_without_a_hash_have_an_order() -> None:
    assert filled("min", [[2], [1, 5], [1]]).result() == [1]


def test_a_fold_takes_in_what_is_appended_and_nothing_else() -> None:
    taken: list[int] = []

    def step(state: int, value: int) -> int:
        taken.append(value)
        return state + value

    asked = filled("fold", range(1000), 0, step)
    taken.clear()
    asked.add(1000, 1000)
    asked.add(1001, 1001)
    assert asked.result() == sum(range(1002))
    assert asked.result() == sum(range(1002))
    assert taken == [1000, 1001]
    asked.remove(0, 0)
    asked.result()
    assert len(taken) == 2 + 1001


def test_a_collection_is_a_view_that_stays_as_it_is() -> None:
    asked = filled("collect", "abc")
    before = asked.result()
    asked.add("d", 3)
    appended = asked.result()
    asked.remove("b", 1)
    asked.add("B", 1)
    assert [tuple(one) for one in (before, appended, asked.result())] == [
        ("a", "b", "c"),
        ("a", "b", "c", "d"),
        ("a", "B", "c", "d"),
    ]
    assert asked.result() is asked.result()


def test_a_collection_is_the_same_view_if_what_went_came_again() -> None:
    asked = filled("collect", "abc")
    before = asked.result()
    asked.remove("b", 1)
    asked.add("".join(["b"]), 1)
    assert asked.result() is before
    asked.remove("b", 1)
    asked.add("c", 1)
    assert asked.result() == ("a", "c", "c")


def test_many_values_that_come_in_any_order() -> None:
    asked = filled("collect", ())
    for place in (5, 3, 9, 1, 7, 0, 2, 4, 6, 8, 20, 15, 10, 11, 12, 13):
        asked.add(place, place)
    assert asked.result() == [*range(14), 15, 20]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("sum", [Decimal(1), 0.5]),
        ("sum", ["a"]),
        ("min", ["a", 1]),
        ("median", ["a", 1]),
        ("median", ["a", "b"]),
        ("any", [1]),
        ("count_distinct", [[1]]),
        ("string_agg", [1, 2]),
    ],
)
def test_values_that_do_not_suit(name: str, values: list[Any]) -> None:
    with pytest.raises(TypeError):
        filled(name, values, *ASKED[name][0])


def test_a_view_is_a_sequence_like_a_tuple() -> None:
    items = [1, 2, 3]
    view = View(items, 2)
    items.append(4)
    assert (len(view), list(view), view[0], view[-1], view[1:]) == (2, [1, 2], 1, 2, (2,))
    assert view == (1, 2)
    assert view == [1, 2]
    assert view == [1, 2]
    assert view == View([1, 2, 9], 2)
    assert view != (1, 2, 3)
    assert view != "12"
    assert hash(view) == hash((1, 2))
    assert {(1, 2): "x"}[view] == "x"
    assert repr(view) == "(1, 2)"
    assert 2 in view
    assert 3 not in view
    for index in (2, -3):
        with pytest.raises(IndexError, match=f"no item {index} among 2"):
            view[index]
