"""Joins, held to the naive evaluator; which index they use, and what a change costs."""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from typing import Any, Final, get_args

import pytest
from tests.runtime.engine.asking import distinct, filter_, join, map_, select, where
from tests.runtime.engine.judging import Judged, MakeExecutor
from tests.runtime.engine.tables import TableSource, commit
from tests.runtime.engine.things import Thing

from streamdb.engine.planning import plan_of
from streamdb.errors import ExpressionError
from streamdb.expr.query_tree import JoinKind, QueryNode

KINDS: Final[tuple[JoinKind, ...]] = get_args(JoinKind)
every_kind = pytest.mark.parametrize("how", KINDS)
keyed_or_not = pytest.mark.parametrize("key_column", ["id", None])


def loaded(make: MakeExecutor, query: QueryNode) -> Judged:
    judged = Judged(plan_of(query), make)
    judged.load()
    return judged


def orders_and_users(key_column: str | None) -> tuple[TableSource, TableSource]:
    users = TableSource("users", {key: Thing(key) for key in "uvw"}, key_column)
    orders = {1: Thing(1, "u"), 2: Thing(2, "u"), 3: Thing(3, "x"), 4: Thing(4, None)}
    return TableSource("orders", orders, key_column), users


@every_kind
@keyed_or_not
@pytest.mark.parametrize("is_turned", [False, True])
def test_many_rows_of_few_values_are_loaded(
    make: MakeExecutor, how: JoinKind, key_column: str | None, is_turned: bool
) -> None:
    values = ["u", "u", "v", "x", "u", "x", None, None, nan, nan, "v", "u", True, True]
    orders = TableSource("orders", {n: Thing(n, a) for n, a in enumerate(values)}, key_column)
    users = TableSource("users", {key: Thing(key) for key in ("u", "v", "w", 1)}, key_column)
    if is_turned:
        query = join(users.node, orders.node, lambda u, o: [(u.id, o.a)], how)
    else:
        query = join(orders.node, users.node, lambda o, u: [(o.a, u.id)], how)
    judged = loaded(make, query)
    pairs = [pair for pair in judged.executor.rows if None not in pair]
    assert len(pairs) == 8
    judged.step(commit({users: [("u", None), ("x", Thing("x"))], orders: [(0, Thing(0, "x"))]}))


@every_kind
@keyed_or_not
@pytest.mark.parametrize("is_turned", [False, True])
def test_pairs_form_change_and_part(
    make: MakeExecutor, how: JoinKind, key_column: str | None, is_turned: bool
) -> None:
    """On either side; the other one has perhaps no index but its keys."""
    orders, users = orders_and_users(key_column)
    if is_turned:
        query = join(users.node, orders.node, lambda u, o: [(u.id, o.a)], how)
    else:
        query = join(orders.node, users.node, lambda o, u: [(o.a, u.id)], how)
    judged = loaded(make, query)
    for writes in (
        {users: [("x", Thing("x"))]},  # a partner comes for an order that had none
        {users: [("u", Thing("u", "renamed"))]},
        {orders: [(1, Thing(1, "v"))]},  # from one to another
        {orders: [(4, Thing(4, "w")), (3, Thing(3, None))]},
        {users: [("v", None)], orders: [(1, Thing(1, "u"))]},  # both sides at once
        {users: [("u", None)]},
        {users: [("u", Thing("u"))], orders: [(1, None), (2, None), (5, Thing(5, "u"))]},
        {orders: [(5, None), (5, Thing(5, "u"))]},
        {users: [("u", None), ("u", Thing("u"))]},
        {users: [(key, None) for key in "uvwx"]},
        {orders: [(key, None) for key in range(6)]},
    ):
        judged.step(commit(writes))
    assert not judged.executor.rows


@keyed_or_not
def test_a_partner_that_comes_takes_the_place_of_none(
    make: MakeExecutor, key_column: str | None
) -> None:
    orders, users = orders_and_users(key_column)
    judged = loaded(make, join(orders.node, users.node, lambda o, u: [(o.a, u.id)], "left"))
    came = Thing("x")
    assert judged.step(commit({users: [("x", came)]})) == [
        ((3, "x"), None, (Thing(3, "x"), came)),
        ((3, None), (Thing(3, "x"), None), None),
    ]


@every_kind
def test_a_source_is_joined_with_itself(make: MakeExecutor, how: JoinKind) -> None:
    things = TableSource("things", {n: Thing(n, n // 2, n) for n in range(6)}, "id")
    judged = loaded(
        make, join(things.node, things.node, lambda one, other: [(one.a, other.id)], how)
    )
    for writes in (
        [(0, Thing(0, 0, "still its own partner"))],
        [(1, Thing(1, 5)), (5, Thing(5, 1))],
        [(0, None), (2, Thing(2, 2))],
        [(n, None) for n in range(6)],
    ):
        judged.step(commit({things: writes}))
    assert not judged.executor.rows


@every_kind
@keyed_or_not
def test_several_values_and_a_residual(
    make: MakeExecutor, how: JoinKind, key_column: str | None
) -> None:
    lefts = TableSource("lefts", {n: Thing(n, n % 3, n % 2) for n in range(8)})
    rights = TableSource("rights", {n: Thing(n, n % 2, n) for n in range(4)}, key_column)
    judged = loaded(
        make,
        join(
            lefts.node,
            rights.node,
            lambda one, other: [(one.b, other.a), (one.a, other.id)],
            how,
            lambda one, other: (one.id > other.b) | (other.b == 2),
        ),
    )
    for writes in (
        {rights: [(0, Thing(0, 1, 0)), (1, Thing(1, 1, 9))]},
        {lefts: [(n, Thing(n, 0, n % 2)) for n in range(4)]},
        {rights: [(2, None), (0, Thing(0, 0, 2))], lefts: [(0, None), (7, Thing(7, 1, 1))]},
        {rights: [(1, Thing(1, 1, 0))]},
    ):
        judged.step(commit(writes))


@every_kind
@keyed_or_not
def test_null_and_nan_equal_nothing(
    make: MakeExecutor, how: JoinKind, key_column: str | None
) -> None:
    values = {1: None, 2: nan, 3: nan, 4: 1, 5: 1.0, 6: True}
    lefts = TableSource("lefts", {n: Thing(n, value) for n, value in values.items()})
    rights = TableSource("rights", {v: Thing(v) for v in (nan, 1.0)}, key_column)
    judged = loaded(
        make, join(lefts.node, rights.node, lambda one, other: [(one.a, other.id)], how)
    )
    pairs = {key for key in judged.executor.rows if None not in key}
    assert pairs == {(4, 1), (5, 1), (6, 1)}
    judged.step(commit({lefts: [(2, Thing(2, 1)), (4, Thing(4, nan))]}))
    judged.step(commit({rights: [(nan, None)]}))


STEPS: Final[dict[str, Callable[[QueryNode], QueryNode]]] = {
    "none": lambda pairs: pairs,
    "select": lambda pairs: select(pairs, lambda o, u: (o.b, u.a)),
    "map": lambda pairs: map_(pairs, lambda o, u: f"{o and o.b} {u and u.a}"),
    "filter": lambda pairs: filter_(pairs, lambda o, u: (o or u).b != "hidden"),
    "where and select": lambda pairs: select(
        where(pairs, lambda o, u: o.b.is_null() | (u.a == "renamed")), lambda o, u: (o.id, u.a)
    ),
}
RESIDUALS: Final[dict[str, Callable[..., Any] | None]] = {
    "no residual": None,
    "residual": lambda o, u: (o.b != u.a) | u.a.is_null(),
}


@every_kind
@keyed_or_not
@pytest.mark.parametrize("residual", RESIDUALS.values(), ids=RESIDUALS)
@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_rows_that_keep_what_they_are_joined_by(
    make: MakeExecutor,
    how: JoinKind,
    key_column: str | None,
    residual: Callable[..., Any] | None,
    steps: Callable[[QueryNode], QueryNode],
) -> None:
    """Or do not, beside others that do: whatever stands behind the join."""
    orders, users = orders_and_users(key_column)
    query = join(orders.node, users.node, lambda o, u: [(o.a, u.id)], how, residual)
    judged = loaded(make, steps(query))
    for writes in (
        {orders: [(1, Thing(1, "u", "changed")), (3, Thing(3, "x", "alone"))]},
        {orders: [(4, Thing(4, None, "of null"))]},
        {orders: [(1, Thing(1, "u", "changed"))]},  # by an equal one
        {users: [("u", Thing("u", "changed"))]},
        {users: [("u", Thing("u", "changed"))]},
        {users: [("v", Thing("v", "renamed", "hidden")), ("u", Thing("u", None, "hidden"))]},
        {orders: [(2, Thing(2, "v", "moved")), (1, Thing(1, "u", "kept"))]},
        {users: [("u", Thing("u", "both"))], orders: [(1, Thing(1, "u", "both"))]},
        {users: [("u", Thing("u"))], orders: [(1, Thing(1, "u", "hidden")), (2, None)]},
        {users: [("v", None), ("x", Thing("x", "alone"))], orders: [(1, Thing(1, "v"))]},
        {orders: [(1, Thing(1, "w")), (3, Thing(3, None))]},
        {orders: [(1, None), (1, Thing(1, "w"))], users: [("w", None), ("w", Thing("w"))]},
        {orders: [(3, Thing(3, "w", "renamed"))], users: [("w", Thing("w", "renamed"))]},
        {users: [("u", None), ("v", None), ("w", None), ("x", None)]},
        {users: [("w", Thing("w", "back"))]},
    ):
        judged.step(commit(writes))


@every_kind
def test_a_function_behind_a_join_sees_a_pair_once(make: MakeExecutor, how: JoinKind) -> None:
    """Also if both of its rows change at once; and not at all if they only move."""
    seen = list[object]()

    def note(order: Thing | None, user: Thing | None) -> str:
        seen.append((order and order.id, user and user.id))
        return "a row"

    orders, users = orders_and_users("id")
    pairs = join(orders.node, users.node, lambda o, u: [(o.a, u.id)], how)
    executor = make(plan_of(map_(pairs, note)))
    executor.load()
    seen.clear()
    executor.step(commit({orders: [(1, Thing(1, "u"))], users: [("u", Thing("u", "renamed"))]}))
    assert sorted(seen, key=str) == [(1, "u"), (2, "u")]
    seen.clear()
    one, user = orders.table.rows[1], users.table.rows["u"]
    alone = users.table.rows["v"]
    moved = [("u", None), ("u", user), ("v", None), ("v", alone)]
    executor.step(commit({orders: [(1, None), (1, one)], users: moved}))
    assert not seen


@keyed_or_not
def test_a_row_of_which_nothing_is_selected_anew_is_not_told(
    make: MakeExecutor, key_column: str | None
) -> None:
    orders, users = orders_and_users(key_column)
    pairs = join(orders.node, users.node, lambda o, u: [(o.a, u.id)], "left")
    judged = loaded(make, select(pairs, lambda o, u: (o.id, u.a)))
    assert not judged.step(commit({users: [("u", Thing("u", None, "not selected"))]}))
    assert not judged.step(commit({orders: [(3, Thing(3, "x", "not selected"))]}))


def test_slots_of_several_values_and_nulls_of_a_missing_side(make: MakeExecutor) -> None:
    orders, users = orders_and_users("id")
    lines = select(orders.node, lambda o: (o.id, o.a))
    query = join(lines, users.node, lambda number, name, u: [(name, u.id)], "full")
    judged = loaded(make, where(query, lambda number, name, u: u.a.is_null()))
    assert (None, "v") in judged.executor.rows
    judged.step(commit({users: [("v", Thing("v", "not null"))]}))
    assert (None, "v") not in judged.executor.rows


@every_kind
def test_the_keys_of_a_filtered_source_are_an_index_of_it(
    make: MakeExecutor, how: JoinKind
) -> None:
    orders, users = orders_and_users("id")
    active = where(users.node, lambda u: u.a.is_null())
    judged = loaded(make, join(orders.node, active, lambda o, u: [(o.a, u.id)], how))
    for user in (Thing("u", "inactive"), Thing("u")):
        judged.step(commit({users: [("u", user)]}))


class Counted:
    """A value that counts how often one like it was read."""

    read = 0

    def __init__(self, value: object) -> None:
        self._value: Final = value

    @property
    def id(self) -> object:
        Counted.read += 1
        return self._value

    @property
    def a(self) -> object:
        return self.id


@keyed_or_not
def test_a_change_costs_its_partners(make: MakeExecutor, key_column: str | None) -> None:
    """Not what there is else: 1,000 orders of 100 users."""
    users = TableSource("users", {n: Counted(n) for n in range(100)}, key_column)
    orders = TableSource("orders", {n: Counted(n % 100) for n in range(1000)})
    query = join(orders.node, users.node, lambda o, u: [(o.a, u.id)], "full")
    executor = make(plan_of(query))
    executor.load()
    Counted.read = 0
    assert len(executor.step(commit({users: [(7, Counted(7))]}))) == 10
    assert len(executor.step(commit({orders: [(7, Counted(8))]}))) == 2
    assert Counted.read <= 40


def test_keys_are_made_by_the_source(make: MakeExecutor) -> None:
    class Texts(TableSource):
        def key_of(self, value: Any) -> Any:
            is_whole = isinstance(value, int | float) and value == int(value)
            return str(int(value)) if is_whole else None

    users = Texts("users", {"1": Thing(1), "2": Thing(2)}, "id")
    lefts = TableSource("lefts", {n: Thing(n, v) for n, v in enumerate([1, 1.0, "1", 1.5, 3])})
    judged = loaded(make, join(lefts.node, users.node, lambda one, u: [(one.a, u.id)], "left"))
    assert [pair for pair in judged.executor.rows if pair[1]] == [(0, "1"), (1, "1")]
    judged.step(commit({users: [("1", None), ("3", Thing(3))]}))
    assert [pair for pair in judged.executor.rows if pair[1]] == [(4, "3")]
    judged.step(commit({lefts: [(2, None), (3, Thing(3, "3"))]}))


def test_a_row_that_moved_moves_its_pairs(make: MakeExecutor) -> None:
    orders, users = orders_and_users("id")
    query = join(
        map_(orders.node, lambda order: order.a or ""), users.node, lambda o, u: [(o, u.id)]
    )
    judged = loaded(make, select(query, lambda name, u: (u.id,)))
    assert judged.step(commit({orders: [(1, None), (1, Thing(1, "u"))]})) == [
        ((1, "u"), ("u",), ("u",))
    ]


@pytest.mark.parametrize("residual", RESIDUALS.values(), ids=RESIDUALS)
def test_a_row_that_stands_alone_and_moved_is_told(
    make: MakeExecutor, residual: Callable[..., Any] | None
) -> None:
    orders, users = orders_and_users("id")
    query = join(orders.node, users.node, lambda o, u: [(o.a, u.id)], "left", residual)
    judged = loaded(make, select(query, lambda o, u: (o.id, u.id)))
    row = orders.table.rows[3]
    assert judged.step(commit({orders: [(3, None), (3, row)]})) == [
        ((3, None), (3, None), (3, None))
    ]


@pytest.mark.parametrize("how", ["inner", "left", "right", "full"])
def test_a_row_that_is_made_anew_and_equal_changes_no_pair(
    make: MakeExecutor, how: JoinKind
) -> None:
    orders = TableSource("orders", {n: Thing(n, name) for n, name in enumerate(["ad", "bo"])})
    users = TableSource("users", {name: Thing(name) for name in ("ada", "cyd")}, "id")
    names = map_(orders.node, lambda order: order.a + "a")  # another object for each call
    judged = loaded(make, join(names, users.node, lambda name, u: [(name, u.id)], how))
    assert judged.step(commit({orders: [(n, Thing(n, orders.rows[n].a, 1)) for n in (0, 1)]})) == []
    told = judged.step(commit({orders: [(0, None), (0, Thing(0, "ad"))]}))  # which has moved
    assert [(key, old is new) for key, old, new in told] == [((0, "ada"), True)]


def test_a_single_null_in_a_key_is_no_missing_row(make: MakeExecutor) -> None:
    """Distinct rows of one null have a key, which is another than that of no row."""
    things = TableSource("things", {1: Thing(1), 2: Thing(2, "x")})
    values = distinct(select(things.node, lambda t: (t.a,)))
    cross = join(things.node, values, lambda thing, value: [], "full")
    judged = loaded(make, cross)
    assert judged.executor.rows.keys() == {(n, v) for n in (1, 2) for v in ("x", (None,))}
    judged.step(commit({things: [(1, Thing(1, "y"))]}))
    judged.step(commit({things: [(1, None), (2, None)]}))


def test_values_that_have_no_hash_are_refused(make: MakeExecutor) -> None:
    lefts, rights = TableSource("lefts", {1: Thing(1, [])}), TableSource("rights", {1: Thing(1)})
    query = join(lefts.node, rights.node, lambda one, other: [(one.a, other.a)])
    with pytest.raises(ExpressionError, match="joined by the values of `a`: unhashable"):
        make(plan_of(query)).load()
