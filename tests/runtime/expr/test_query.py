"""What a built query asks, by what the oracle answers."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct
from tests.runtime.expr.query_sources import (
    MESSAGES,
    USERS,
    Memory,
    MessageColumns,
    UserColumns,
    messages,
    users,
)

from streamdb import Expr, NotConnected, NotOneRow, fn
from streamdb.expr.queries import Query1, query_of
from streamdb.expr.query_tree import OrderNode, SourceNode, WhereNode

ADA, BOB, CYD = USERS
M1, M2, M3, M4, M5 = MESSAGES


class Line(Struct, frozen=True):
    text: str
    tokens: int = 0


# --- one row at a time


def test_a_query_is_immutable_and_can_be_built_upon() -> None:
    many = messages().where(lambda m: m.tokens > 1)
    ada = many.where(lambda m: m.user_id == "ada")
    assert ada.fetch() == [M1, M3]
    assert many.fetch() == [M1, M3, M4, M5]
    with pytest.raises(AttributeError):
        many.node = ada.node  # type: ignore[misc]  # which is what is tested


def test_filter_and_map_take_rows() -> None:
    query = messages().filter(lambda m: m.content.startswith("t")).map(lambda m: m.content.upper())
    assert query.filter(lambda text: text != "TWO").fetch() == ["THREE"]


def test_selected_values_are_slots() -> None:
    pairs = messages().select(lambda m: (m.id, m.tokens))
    assert pairs.where(lambda key, tokens: tokens > 3).fetch() == [("m4", 5), ("m5", 4)]
    assert pairs.map(lambda key, tokens: f"{key}:{tokens}").first() == "m1:3"


def test_one_selected_value_is_the_row() -> None:
    query = messages().select(lambda m: m.tokens)
    assert query.where(lambda tokens: tokens > 3).fetch() == [5, 4]


def test_a_whole_row_can_be_selected_and_keeps_its_columns() -> None:
    query = messages().select(lambda m: (m.tokens, m)).where(lambda tokens, m: m.user_id == "bob")
    assert query.fetch() == [(1, M2)]


def test_rows_that_a_function_made_can_be_selected_as_a_whole() -> None:
    lines = messages().where(lambda m: m.id == "m1").select(Line, lambda m: (m.content, m.tokens))
    assert lines.select(lambda line: line).fetch() == [Line("one", 3)]


def test_objects_are_made_by_position() -> None:
    query = messages().where(lambda m: m.tokens == 1)
    assert query.select(Line, lambda m: (m.content, m.tokens)).fetch() == [Line("two", 1)]
    assert query.select(str.upper, lambda m: m.content).fetch() == ["TWO"]
    assert query.select(Line, lambda m: m.content).map(lambda line: line.text).fetch() == ["two"]


# --- several queries


def test_joins_of_every_kind() -> None:
    def meet(m: MessageColumns, u: UserColumns) -> Expr[bool, Any]:
        return m.user_id == u.id

    met = [(M1, ADA), (M2, BOB), (M3, ADA)]
    lone_messages: list[tuple[Any, Any]] = [(M4, None), (M5, None)]
    lone_users: list[tuple[Any, Any]] = [(None, CYD)]
    assert messages().join(users(), on=meet).fetch() == met
    assert messages().join(users(), on=meet, how="left").fetch() == met + lone_messages
    assert messages().join(users(), on=meet, how="right").fetch() == met + lone_users
    full = messages().join(users(), on=meet, how="full")
    assert full.fetch() == met + lone_messages + lone_users
    assert full.where(lambda m, u: u.name.is_null() & (m.tokens > 4)).fetch() == [(M4, None)]


def test_the_sides_of_an_equality_may_stand_either_way() -> None:
    one = messages().join(users(), on=lambda m, u: m.user_id == u.id)
    other = messages().join(users(), on=lambda m, u: u.id == m.user_id)
    assert one.fetch() == other.fetch() != []


def test_further_conditions_of_an_outer_join_leave_its_rows() -> None:
    query = messages().join(
        users(),
        on=lambda m, u: (m.tokens > 2) & (m.user_id == u.id) & (u.name == "Ada"),
        how="left",
    )
    assert [(m.id, u and u.id) for m, u in query.fetch()] == [
        ("m1", "ada"),
        ("m2", None),
        ("m3", None),
        ("m4", None),
        ("m5", None),
    ]


def test_several_equalities_and_computed_sides() -> None:
    pairs = messages().join(
        messages(),
        on=lambda a, b: (a.user_id == b.user_id) & ((a.tokens > 2) == (b.tokens == 2)),
    )
    assert {(a.id, b.id) for a, b in pairs.fetch()} == {("m1", "m3"), ("m3", "m1"), ("m2", "m2")}


def test_self_joins_and_five_slots() -> None:
    bosses = users().join(users(), on=lambda u, boss: u.boss == boss.id, how="left")
    assert bosses.fetch() == [(BOB, ADA), (CYD, BOB), (ADA, None)]
    two = (
        messages().where(lambda m: m.tokens < 3).join(bosses, on=lambda m, u, b: m.user_id == u.id)
    )
    assert two.fetch() == [(M2, BOB, ADA), (M3, ADA, None)]
    five = two.join(bosses, on=lambda m, u, b, v, w: u.boss == v.id)
    assert five.fetch() == [(M2, BOB, ADA, ADA, None)]


def test_a_query_stands_where_a_source_stands() -> None:
    totals = messages().group_by(lambda m: m.user_id).agg(lambda m: fn.sum(m.tokens))
    query = users().join(totals, on=lambda u, key, tokens: u.id == key)
    assert query.map(lambda u, key, tokens: (u.name, tokens)).fetch() == [("Ada", 5), ("Bob", 1)]


def test_union_keeps_equal_rows() -> None:
    few, many = (messages().where(lambda m: m.tokens < 2), messages().where(lambda m: m.tokens > 4))
    assert few.union(many, few).fetch() == [M2, M4, M2]
    values = users().select(lambda u: u.id).union(messages().select(lambda m: m.content))
    assert values.where(lambda text: text < "b").fetch() == ["ada"]


def test_union_of_rows_that_were_kept_in_different_ways() -> None:
    pairs = messages().join(users(), on=lambda m, u: (m.user_id == u.id) & (m.tokens > 2))
    query = pairs.select(lambda m, u: m).union(messages(M2))
    assert query.where(lambda m: m.tokens > 0).fetch() == [M1, M2]
    assert messages(M2).union(messages().select(lambda m: m)).fetch() == [M2, *MESSAGES]


def test_what_may_miss_is_known() -> None:
    def missing(query: Any) -> list[bool]:
        return [slot.is_nullable for slot in query.shape.slots]

    def pairs(how: Any) -> Any:
        return messages().join(users(), on=lambda m, u: m.user_id == u.id, how=how)

    assert missing(pairs("inner")) == [False, False]
    assert missing(pairs("left")) == [False, True]
    assert missing(pairs("right")) == [True, False]
    assert missing(pairs("full")) == [True, True]
    assert missing(pairs("left").union(pairs("right"))) == [True, True]
    assert missing(pairs("left").select(lambda m, u: (u, m.id))) == [True, False]


def test_an_equality_of_both_sides_with_one_is_a_further_condition() -> None:
    query = messages().join(
        users(),
        on=lambda m, u: (m.user_id == u.id) & ((m.user_id == u.id) == (u.name == "Bob")),
    )
    assert query.fetch() == [(M2, BOB)]


# --- groups


def test_groups_have_keys_and_values_as_slots() -> None:
    query = messages().group_by(lambda m: m.user_id).agg(lambda m: (fn.sum(m.tokens), fn.count()))
    assert query.fetch() == [("ada", 5, 2), ("bob", 1, 1), (None, 5, 1), ("eve", 4, 1)]
    assert query.having(lambda user, tokens, n: n > 1).fetch() == [("ada", 5, 2)]


def test_an_aggregate_is_computed_once_and_may_stand_in_expressions() -> None:
    query = (
        messages()
        .group_by(lambda m: (m.user_id, m.tokens > 1))
        .agg(lambda m: (fn.sum(m.tokens) > 4, fn.sum(m.tokens), m.user_id))
    )
    assert query.where(lambda u, many, big, tokens, again: again == "ada").fetch() == [
        ("ada", True, True, 5, "ada")
    ]
    assert len(query.node.aggregates) == 1  # type: ignore[union-attr, unused-ignore]


def test_a_global_aggregate_has_one_row() -> None:
    nothing = messages().where(lambda m: m.tokens > 9)
    assert messages().agg(lambda m: (fn.count(), fn.sum(m.tokens))).fetch() == [(5, 15)]
    of_nothing: tuple[Any, Any] = nothing.agg(lambda m: (fn.count(), fn.sum(m.tokens))).one()
    assert of_nothing == (0, None)
    assert nothing.agg(lambda m: fn.count()).one() == 0


def test_a_value_is_a_key_only_if_it_says_the_same_of_the_same_type() -> None:
    query = messages().group_by(lambda m: m.tokens == 1)
    assert query.agg(lambda m: m.tokens == 1).select(
        lambda key, value: value
    ).distinct().fetch() == [
        False,
        True,
    ]
    with pytest.raises(TypeError, match="`tokens` differs"):
        query.agg(lambda m: m.tokens == True)  # noqa: E712 (which equals 1)


def test_an_aggregate_inside_a_function_of_columns_is_of_its_own_query() -> None:
    def at_most_users(m: MessageColumns) -> Expr[bool, Any]:
        names = users().agg(lambda u: fn.count_distinct(u.name)).one()
        return m.tokens <= names

    assert messages().where(at_most_users).fetch() == [M1, M2, M3]


def test_distinct() -> None:
    assert messages().select(lambda m: m.user_id).distinct().fetch() == ["ada", "bob", None, "eve"]
    pairs = messages().select(lambda m: (m.user_id, m.tokens > 1)).distinct()
    assert len(pairs.fetch()) == 4
    assert messages().map(lambda m: m.tokens > 1).distinct().fetch() == [True, False]


# --- order


def test_order_by_one_or_several_terms() -> None:
    assert messages().order_by(lambda m: m.tokens).fetch() == [M2, M3, M1, M5, M4]
    query = messages().order_by(lambda m: (m.user_id, m.tokens.desc()))
    assert query.fetch() == [M4, M1, M3, M2, M5]


def test_limit_and_offset_are_one_window() -> None:
    query = messages().order_by(lambda m: m.tokens)
    assert query.limit(2).offset(1).fetch() == [M3, M1]
    assert query.offset(1).limit(2).fetch() == [M3, M1]
    assert query.limit(2).limit(3).fetch() == [M2, M3, M1]
    assert query.offset(4).fetch() == [M4]
    assert query.limit(0).fetch() == []


def test_a_window_is_cut_after_conditions_and_before_what_is_made_of_rows() -> None:
    ordered = messages().order_by(lambda m: m.tokens)
    assert ordered.where(lambda m: m.tokens > 1).limit(2).fetch() == [M3, M1]
    assert ordered.filter(lambda m: m.tokens > 1).limit(2).fetch() == [M3, M1]
    assert ordered.map(lambda m: m.id).limit(2).fetch() == ["m2", "m3"]
    assert ordered.select(lambda m: m.id).offset(3).fetch() == ["m5", "m4"]


def test_a_condition_after_a_window_is_asked_of_its_rows() -> None:
    three = messages().order_by(lambda m: m.tokens).limit(3)
    some = three.where(lambda m: m.user_id == "ada")
    assert some.fetch() == [M3, M1]
    assert some.limit(1).fetch() == [M3]
    assert three.order_by(lambda m: m.id).fetch() == [M1, M2, M3]


def test_a_new_order_takes_the_place_of_the_old_one() -> None:
    query = messages().order_by(lambda m: m.tokens).order_by(lambda m: m.id)
    assert query.fetch() == MESSAGES


def test_an_offset_alone_is_a_window() -> None:
    two = messages().order_by(lambda m: m.tokens).offset(3)
    assert two.order_by(lambda m: m.id).fetch() == [M4, M5]
    assert two.where(lambda m: m.tokens < 5).limit(1).fetch() == [M5]


def test_an_order_that_nobody_sees_is_dropped() -> None:
    ordered = messages().order_by(lambda m: m.tokens)
    by_user = users().order_by(lambda u: u.id)
    joined: Any = ordered.join(by_user, on=lambda m, u: m.user_id == u.id).node
    assert [type(side) for side in (joined.left, joined.right)] == [SourceNode, SourceNode]
    united: Any = ordered.union(ordered.limit(1)).node
    assert [type(branch) for branch in united.branches] == [SourceNode, OrderNode]
    grouped: Any = ordered.group_by(lambda m: m.user_id).agg(lambda m: fn.count()).node
    assert isinstance(grouped.input, SourceNode)
    again: Any = ordered.where(lambda m: m.tokens > 1).order_by(lambda m: m.id).node
    assert isinstance(again.input, WhereNode)
    assert isinstance(again.input.input, SourceNode)


# --- answers


def test_first_and_one() -> None:
    query = messages().order_by(lambda m: m.tokens)
    assert query.first() == M2
    assert query.where(lambda m: m.tokens > 9).first() is None
    assert query.where(lambda m: m.tokens == 5).one() == M4
    with pytest.raises(NotOneRow, match="found 5 rows"):
        query.one()
    with pytest.raises(LookupError, match="found 0 rows"):
        query.where(lambda m: m.tokens > 9).one()


def test_explain_is_the_runners() -> None:
    query = messages().join(users(), on=lambda m, u: m.user_id == u.id)
    assert query.explain() == "naive, 2 slots"
    assert repr(query) == "<Query of messages, users>"


def test_without_a_database_there_is_nothing_that_runs_it() -> None:
    lone: Query1[Any, MessageColumns] = query_of(Memory("messages", MessageColumns, M1), None)
    with pytest.raises(NotConnected, match="begins at a collection that belongs to no database"):
        lone.fetch()
    assert lone.join(users(), on=lambda m, u: m.user_id == u.id).fetch() == [(M1, ADA)]
    assert lone.union(messages(M2)).fetch() == [M1, M2]


def test_the_classes_of_queries_can_be_written_in_annotations_that_are_evaluated() -> None:
    assert repr(Query1[int, str]).endswith("Query[int, str]")


def test_groups_are_filtered_by_functions() -> None:
    """A functional ``having`` (Q7)."""
    groups = messages().group_by(lambda m: m.user_id).agg(lambda m: fn.collect(m.content))
    found = groups.filter(lambda user, contents: len(contents) > 1).map(lambda user, _: user)
    assert found.fetch() == ["ada"]
