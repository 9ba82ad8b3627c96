"""What is told of a plan: every kind of node, its index, and its costs."""

from __future__ import annotations

from typing import Any

import pytest
from tests.runtime.engine.tables import TableSource

from streamdb.engine.explain import explain
from streamdb.engine.planning import plan_of
from streamdb.expr import Expr
from streamdb.expr.nodes import AggregateNode, ColumnNode, Node
from streamdb.expr.query import Query
from streamdb.expr.query_tree import JoinNode

messages = Query(TableSource("messages", key_column="id").node, None)
users = Query(TableSource("users", key_column="id").node, None)
TABLES = [
    "  messages | reads the rows where they are | nothing",
    "  users | reads the rows where they are | nothing",
]


def told(query: Query) -> list[str]:
    return explain(plan_of(query.node)).splitlines()


def is_polite(message: object) -> bool:
    return bool(message)


class Line:
    def __init__(self, text: str, author: str | None) -> None: ...


def aggregated(name: str, operand: Node | None = None) -> Expr[Any, Any]:
    return Expr(AggregateNode(name, operand))


def test_every_node_and_step_has_a_line_and_stands_above_what_it_reads() -> None:
    active = users.where(lambda u: u.is_active)
    joined = messages.join(active, on=lambda m, u: m.user_id == u.id, how="left")
    last = joined.order_by(lambda m, u: (m.created_at.desc(), m.id)).limit(50)
    assert told(last.select(Line, lambda m, u: (m.content, u.name))) == [
        "select content, name as Line | keeps what comes out | 2 values",
        "  order by created_at.desc(), id, rows 1 to 50 | keeps the first rows in order, about "
        "twice as many | one comparison, or inside of these a search",
        "    left join on user_id == id | finds users by key, indexes the left by user_id "
        "| the rows of the other side with equal values",
        "      messages | reads the rows where they are | nothing",
        "      where is_active | keeps the rows that pass | one test",
        "        users | reads the rows where they are | nothing",
    ]


@pytest.mark.parametrize(
    ("query", "line"),
    [
        (messages.filter(is_polite), "filter by is_polite | keeps the rows that pass | one call"),
        (messages.map(print), "map by print | keeps what comes out | one call"),
        (messages.select(lambda m: m.role), "select role | keeps what comes out | 1 value"),
        (
            messages.select(lambda m: m.role).distinct(),
            "distinct | counts equal rows | one look-up",
        ),
        (
            messages.union(messages),
            "union of 2 branches | keeps all rows | nothing more than in the branch",
        ),
        (
            messages.order_by(lambda m: m.role),
            "order by role | keeps all rows in order | a search, O(log n)",
        ),
        (
            messages.order_by(lambda m: m.role).offset(2),
            "order by role, rows from 3 | keeps all rows in order | a search, O(log n)",
        ),
        (
            messages.order_by(lambda m: m.role).offset(2).limit(3),
            "order by role, rows 3 to 5 | keeps the first rows in order, about twice as many "
            "| one comparison, or inside of these a search",
        ),
        (
            messages.group_by(lambda m: (m.role, m.kind)).agg(
                lambda m: (aggregated("count"), aggregated("max", ColumnNode("tokens")))
            ),
            "group by role, kind, of each fn.count(), fn.max(tokens) | keeps the groups by their "
            "values | a step for each aggregate",
        ),
        (
            messages.agg(lambda m: aggregated("count")),
            "all rows as one group, of it fn.count() | keeps the answer "
            "| a step for each aggregate",
        ),
        (
            messages.agg(lambda m: aggregated("last", ColumnNode("tokens"))),
            "all rows as one group, of it fn.last(tokens) | keeps the answer | a step for each "
            "aggregate, the rows of its group where they change other than at the end",
        ),
    ],
)
def test_nodes(query: Query, line: str) -> None:
    assert told(query)[0] == line


def test_what_a_load_finds_by_key_and_by_indexes() -> None:
    def last(query: Query) -> list[str]:
        return told(query.order_by(lambda m: (m.created_at.desc(), m.id)).limit(50))[1:]

    of_user = messages.where(lambda m: (m.user_id == "u1") & (m.tokens > 5))
    assert told(of_user.where(lambda m: m.created_at < 3)) == [
        "where created_at < 3 | keeps the rows that pass | one test",
        "  where (user_id == 'u1') & (tokens > 5) | keeps the rows that pass | one test",
        "    messages | reads the rows where they are, at first by an index of tokens if that pays "
        "| nothing",
    ]
    assert told(messages.where(lambda m: m.id.in_(["a", "b"])))[1] == (
        "  messages | reads the rows where they are, at first by key | nothing"
    )
    assert last(messages.where(lambda m: m.role == "user")) == [
        "  where role == 'user' | keeps nothing | two tests",
        "    messages | reads the rows where they are, at first by an index of role or created_at "
        "if that pays | nothing",
    ]
    assert last(messages.filter(is_polite))[-1].endswith("reads the rows where they are | nothing")


@pytest.mark.parametrize(
    ("joined", "line"),
    [
        (
            messages.join(users, on=lambda m, u: (m.a == u.b) & (m.c == u.d + 1)),
            "inner join on a == b and c == (d + 1) | indexes the left by a, c, "
            "the right by b, d + 1 | the rows of the other side with equal values",
        ),
        (
            messages.join(users, on=lambda m, u: (m.id == u.a) & (m.b < u.b), how="full"),
            "full join on id == a and b < b | finds messages by key, indexes the right by a "
            "| the rows of the other side with equal values",
        ),
    ],
)
def test_joins_tell_their_indexes(joined: Query, line: str) -> None:
    assert told(joined) == [line, *TABLES]


def test_a_join_without_an_equality() -> None:
    shape = messages.shape.joined(users.shape)
    cross = Query(JoinNode(messages.node, users.node, (), None, "inner", shape), None)
    assert told(cross)[0] == "inner join of all | keeps all pairs | all rows of the other side"
