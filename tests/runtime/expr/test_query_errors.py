"""Queries that make no sense are refused as they are built, with what to write instead."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct
from tests.runtime.expr.query_sources import User, messages, users

from streamdb import ExpressionError, LocalCollection, UnknownColumn, fn

# What type checkers refuse has to be said at run time, too: to those who use none.
MESSAGES: Any = messages()
USERS: Any = users()
PAIRS: Any = MESSAGES.join(USERS, on=lambda m, u: m.user_id == u.id)
LEFT: Any = MESSAGES.join(USERS, on=lambda m, u: m.user_id == u.id, how="left")
GROUPS: Any = MESSAGES.group_by(lambda m: m.user_id)
ORDERED: Any = MESSAGES.order_by(lambda m: m.id)
NOON = dt.datetime(2026, 1, 30, 12, tzinfo=dt.UTC)


class Event(Struct):
    id: str
    at: Annotated[dt.datetime, Meta(tz=True)]
    seen: dt.datetime
    day: dt.date
    place: dict[str, int]
    tags: list[str]


class KeywordOnly(Struct, kw_only=True):
    text: str


class Line(Struct):
    text: str
    name: str


class Noted(Struct):
    text: str
    name: str | None


@dataclass
class Whole:
    text: str
    user: User


def made_by(text: str, name: str) -> str:
    return text + name


async def later(*_: object) -> bool:
    return True


def refused(build: Callable[[], object], says: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=re.escape(says).replace(r"\.\.\.", ".*")):
        build()


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (
            lambda: MESSAGES.where(lambda m: m.usr_id == "x"),
            "no column 'usr_id'. Did you mean 'user",
        ),
        (lambda: PAIRS.where(lambda m, u: u.tokens > 1), "UserColumns has no column 'tokens'"),
        (lambda: MESSAGES.order_by(lambda m: m.create), "MessageColumns has no column 'create'"),
        (lambda: MESSAGES.select(lambda m: (m.id, m.nmae)), "MessageColumns has no column 'nmae'"),
        (lambda: GROUPS.agg(lambda m: m.tokns), "Did you mean 'tokens'?"),
        (
            lambda: MESSAGES.map(str).where(lambda text: text.id == "x"),
            "'id' is asked of rows that a function makes...put `where`...before `map`",
        ),
        (
            lambda: MESSAGES.select(str, lambda m: m.id).order_by(lambda text: text.id),
            "those have no columns...or ask the rows themselves by `filter`",
        ),
        (
            lambda: MESSAGES.where(lambda m: m.content.startswith("a")),
            "`content` is an expression and has no 'startswith': write `.starts_with(...)`",
        ),
        (lambda: MESSAGES.where(lambda m: m.content.strip() == ""), "write `.trim()`"),
        (lambda: MESSAGES.where(lambda m: m.content.lenght() > 3), "did you mean `.length`?"),
        (
            lambda: MESSAGES.select(lambda m: m.content.text),
            "A property of an object is `['text']`; what Python computes",
        ),
    ],
)
def test_unknown_columns(build: Callable[[], object], says: str) -> None:
    refused(build, says, UnknownColumn)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: MESSAGES.where(True), "`where` takes a function of the columns...not bool"),
        (lambda: MESSAGES.where(None), "not NoneType: write `lambda m: ...`"),
        (lambda: MESSAGES.where(lambda m: True), "plain value True, not an expression of columns"),
        (lambda: MESSAGES.where(lambda m: m.user_id is None), "`.is_null()` instead of `is None`"),
        (lambda: MESSAGES.where(lambda m: None), "returned None (NoneType), not an expression"),
        (
            lambda: MESSAGES.where(lambda m: (m.tokens > 1, m.tokens < 3)),
            "(tuple), not an expression",
        ),
        (
            lambda: MESSAGES.where(lambda m: m.tokens > 1 and m.tokens < 3),
            "write `&`, `|`, `~` instead of `and`, `or`, `not`",
        ),
        (lambda: MESSAGES.where(lambda m: m.tokens > 1 or m.id == "x"), "instead of `and`, `or`"),
        (lambda: MESSAGES.where(lambda m: not m.tokens > 1), "`|`, `~` instead of"),
        (lambda: MESSAGES.where(lambda m: 1 < m.tokens < 3), "`(low < x) & (x < high)`"),
        (lambda: MESSAGES.where(lambda m: m.id in ("x", "y")), "`.in_([...])` instead of `in`"),
        (lambda: MESSAGES.where(lambda m: m.id in {"x"}), "`.in_([...])` instead of `in`"),
        (lambda: MESSAGES.where(lambda m: "x" in m.content), "write `.contains(...)`"),
        (lambda: MESSAGES.where(lambda m: len(m.content) > 3), "write `.length()`"),
        (lambda: MESSAGES.where(lambda m: abs(m.tokens) > 3), "write `.abs()`"),
        (lambda: MESSAGES.where(lambda m: round(m.tokens, 2) > 3), "write `.round(...)`"),
        (lambda: MESSAGES.where(lambda m: int(m.tokens) > 3), "`int(tokens)` is asked before"),
        (lambda: MESSAGES.where(lambda m: math.sqrt(m.tokens) > 3), "`float(tokens)` is asked"),
        (lambda: MESSAGES.where(lambda m: range(m.tokens)), "the matter of `filter` and `map`"),
        (lambda: MESSAGES.where(lambda m: sorted(m.content)), "`content` is an expression, whose"),
        (
            lambda: MESSAGES.where(lambda m: f"{m.user_id}!" == "x"),
            "`user_id` is put into a text before there is a row: write `.concat(...)`",
        ),
        (
            lambda: MESSAGES.where(lambda m: m.user_id.is_null),
            "returned the method `is_null` and did not call it: write `user_id.is_null()`",
        ),
        (
            lambda: PAIRS.where(lambda m, u: m.id == "x" if u else m.id == "y"),
            "UserColumns stands for rows and is neither true nor false...in `map`",
        ),
        (lambda: PAIRS.where(lambda m, u: m == u), "whole rows of MessageColumns are compared"),
        (
            lambda: MESSAGES.map(str).where(lambda text: text == "x"),
            "a comparison is asked of rows that a function makes...by `filter`",
        ),
        (
            lambda: MESSAGES.map(str).join(USERS, on=lambda text, u: text == u.id),
            "put `where`, `join`, `order_by` and the like before `map`",
        ),
        (
            lambda: MESSAGES.where(later),
            "`where` takes a plain function of columns, no `async def`",
        ),
        (
            lambda: GROUPS.agg(lambda m: fn.count()).having(lambda user, n: True),
            "`having` returned",
        ),
    ],
)
def test_conditions(build: Callable[[], object], says: str) -> None:
    refused(build, says, ExpressionError)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (
            lambda: MESSAGES.where(lambda m: m.content == 3),
            "`content == 3` compares values that are never alike: `content` is a text, and `3` a "
            "number",
        ),
        (
            lambda: MESSAGES.where(lambda m: m.tokens < m.content),
            "never alike: `tokens` is a number",
        ),
        (lambda: MESSAGES.where(lambda m: (m.tokens > 1) & (m.user_id != 3)), "`user_id != 3`"),
        (lambda: MESSAGES.where(lambda m: ~(m.tokens == "3")), "`tokens == '3'` compares"),
        (lambda: MESSAGES.where(lambda m: m.tokens.between("1", "2")), "never alike"),
        (lambda: MESSAGES.where(lambda m: m.content.in_(["a", 3])), "and `3` a number"),
        (lambda: MESSAGES.where(lambda m: m.tokens.not_in(["a"])), "and `'a'` a text"),
        (lambda: MESSAGES.where(lambda m: m.content), "`content` is no condition but a text"),
        (lambda: MESSAGES.where(lambda m: m.content.lower()), "no condition but a text"),
        (lambda: MESSAGES.where(lambda m: m.content & (m.tokens > 1)), "only on a truth value"),
        (
            lambda: MESSAGES.where(lambda m: m.tokens.lower() == "x"),
            "`tokens` is a number...only on a text",
        ),
        (lambda: MESSAGES.order_by(lambda m: m.tokens.lower()), "`tokens` is a number"),
        (lambda: MESSAGES.order_by(lambda m: -m.content), "`content` is a text"),
        (lambda: MESSAGES.select(lambda m: (m.id, m.content / 2)), "`content` is a text"),
        (lambda: MESSAGES.group_by(lambda m: m.tokens.upper()), "`tokens` is a number"),
        (
            lambda: GROUPS.agg(lambda m: fn.sum(m.content)),
            "`fn.sum(content)` makes no sense: `content`",
        ),
        (
            lambda: GROUPS.agg(lambda m: fn.string_agg(m.tokens)),
            "`tokens` is a number...only on a text",
        ),
        (lambda: GROUPS.agg(lambda m: fn.any(m.tokens)), "only on a truth value"),
        (
            lambda: MESSAGES.agg(lambda m: fn.count() == "3"),
            "`fn.count()` is a number, and `'3'` a text",
        ),
        (
            lambda: GROUPS.agg(lambda m: fn.max(m.content)).having(lambda user, last: last > 3),
            "`fn.max(content)` is a text, and `3` a number",
        ),
        (lambda: GROUPS.agg(lambda m: m.tokens.upper()), "`tokens` is a number"),
        (
            lambda: GROUPS.agg(lambda m: fn.count()).having(lambda user, n: user == 3),
            "`user_id` is a text",
        ),
        (
            lambda: MESSAGES.select(lambda m: m.tokens).where(lambda n: n == "3"),
            "`tokens` is a number",
        ),
        (
            lambda: MESSAGES.select(lambda m: m.tokens > 1).where(lambda many: many == "3"),
            "`tokens > 1` is a truth value, and `'3'` a text",
        ),
        (
            lambda: MESSAGES.join(USERS, on=lambda m, u: m.tokens == u.id),
            "`tokens == id` compares values that are never alike",
        ),
        (
            lambda: PAIRS.where(lambda m, u: u.name == 3),
            "`name == 3` compares values that are never alike",
        ),
        (
            lambda: MESSAGES.select(lambda m: (m, m.id)).where(lambda m, key: m.content == 3),
            "`content == 3` compares values that are never alike",
        ),
    ],
)
def test_what_columns_hold(build: Callable[[], object], says: str) -> None:
    refused(build, says, ExpressionError)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (
            lambda e: e.where(lambda e: e.at > dt.datetime(2026, 1, 1)),
            "`at` is an instant...an instant without a time zone: write `dt.datetime.now(dt.UTC)`",
        ),
        (
            lambda e: e.where(lambda e: e.at.between(NOON, dt.datetime(2026, 1, 1))),
            "for an instant in UTC",
        ),
        (
            lambda e: e.where(lambda e: e.at > "2026-01-01T00:00:00Z"),
            "write `dt.datetime.fromisoformat(...)`",
        ),
        (lambda e: e.where(lambda e: e.day == "2026-01-01"), "write `dt.date.fromisoformat(...)`"),
        (
            lambda e: e.where(lambda e: e.at >= dt.date(2026, 1, 1)),
            "`at` is an instant, and...a date: write `.date()` of the instant",
        ),
        (lambda e: e.where(lambda e: e.day < NOON), "write `.date()` of the instant"),
        (lambda e: e.where(lambda e: e.day == e.at), "write `.date()` of the instant"),
        (lambda e: e.where(lambda e: e.day.in_([NOON])), "write `.date()` of the instant"),
        (
            lambda e: e.select(lambda e: e.at + 3),
            "`at` is an instant, and `3` a number: write `dt.timedelta(...)` for a duration",
        ),
        (lambda e: e.select(lambda e: e.at - e.day), "write `.date()` of the instant"),
        (lambda e: e.select(lambda e: e.id + 3), "`id` is a text, and `3` a number"),
        (lambda e: e.select(lambda e: e.at + e.seen), "`at` is an instant, and `seen` an instant"),
        (lambda e: e.where(lambda e: e.at - NOON > 3), "`at - ...` is a duration, and `3` a num"),
        (lambda e: e.where(lambda e: e.id + "x" == 3), "`id + 'x'` is a text, and `3` a number"),
        (lambda e: e.select(lambda e: e.day.hour()), "`day` is a date, and there is no such"),
        (lambda e: e.order_by(lambda e: e.place), "`place` is a map, and these have no order"),
        (lambda e: e.order_by(lambda e: e.place.desc()), "as in `place['name']`"),
        (lambda e: e.where(lambda e: e.place < e.place), "`place` is a map, and there is no such"),
        (lambda e: e.agg(lambda e: fn.max(e.place)), "`place` is a map, and there is no such"),
        (lambda e: e.agg(lambda e: fn.collect(e, by=e.place)), "`place` is a map, and these have"),
        (lambda e: e.agg(lambda e: fn.sum(e)), "as in `fn.sum(m.tokens)`, not of whole rows"),
        (lambda e: e.agg(lambda e: fn.count_distinct(e)), "not of whole rows"),
        (
            lambda e: e.where(lambda e: e.id.in_(MESSAGES.select(lambda m: m.id))),
            "in_ takes values that are known now, in a list...is asked by `join`",
        ),
        (
            lambda e: e.where(lambda e: e.tags.exists("x")),
            "write `.exists(lambda item: item == 'x')`, or `.contains(...)`",
        ),
        (
            lambda e: e.map(str).order_by(lambda text: text),
            "those have no columns: put `where`, `join`, `order_by` and the like before `map`",
        ),
        (lambda e: e.order_by(lambda e: e), "a whole row...name a column, as in `lambda m: m.id`"),
        (lambda e: e.where(lambda e: e), "returned a whole row, not an expression"),
        (
            lambda e: e.join(GROUPS, on=lambda e, m: e.id == m.id),
            "not Grouped: write `.agg(...)` behind `group_by`",
        ),
    ],
)
def test_what_goes_together(build: Callable[[Any], object], says: str) -> None:
    refused(lambda: build(LocalCollection(Event, key="id")), says, ExpressionError)


def test_instants_and_dates_that_go_together() -> None:
    events: Any = LocalCollection(Event, key="id")
    events.insert(Event("a", NOON, NOON, NOON.date(), {"x": 1}, ["t"]))
    day, hour = NOON.date(), dt.timedelta(hours=1)
    alike: Any = events.where(
        lambda e: (
            (e.at == e.seen)
            & (e.at.date() == e.day)
            & (e.day < dt.date(2027, 1, 1))
            & (e.at - hour < NOON)
            & (hour + e.at > NOON)
            & (e.at - NOON < hour * 2)
            & (e.day - day < hour)
            & ((e.at - NOON) / hour < 1)
            & (e.tags < ["u"])
        )
    )
    assert len(alike.fetch()) == 1
    events.order_by(lambda e: (e.at, e.day, e.tags, e.place["x"]))
    local = dt.datetime(2026, 1, 1)
    events.where(lambda e: e.seen > local)  # which may have no time zone


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: GROUPS.fetch(), "write `.group_by(...).agg(lambda m: fn.count()).fetch(...)`"),
        (lambda: GROUPS.where(lambda m: m.id == "x"), "groups have no 'where' before they are"),
        (lambda: ORDERED.subscribe(print), "holds no rows; write `query.fetch()`"),
        (lambda: ORDERED.changes(), "or `db.live(query)` for what is kept up to date"),
        (lambda: ORDERED.wher(lambda m: m.id == "x"), "has no 'wher': did you mean `.where`?"),
        (lambda: ORDERED.payload, "it has agg, as_query, distinct, explain, fetch, filter,"),
    ],
)
def test_what_queries_have_not(ask: Callable[[], object], says: str) -> None:
    refused(ask, says, AttributeError)


@pytest.mark.parametrize("read", [lambda: list(ORDERED), lambda: ORDERED[0]])
def test_queries_hold_no_rows(read: Callable[[], object]) -> None:
    refused(read, "holds no rows; write `query.fetch()`", TypeError)


def test_what_may_be_compared() -> None:
    MESSAGES.where(lambda m: (m.tokens == 1.5) | (m.tokens == True) | (m.user_id == None))  # noqa: E711, E712
    MESSAGES.where(lambda m: m.content.in_(["a", None]) & m.tokens.in_([]))
    PAIRS.where(lambda m, u: u.name == m.content)
    PAIRS.map(lambda m, u: u.name).select(lambda name: name)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (
            lambda: MESSAGES.where(lambda m, u: m.id == u.id),
            "`where` calls its function with the columns of its slots: 1 argument (messages), and "
            "it takes `(m, u)`: write `lambda m: ...`",
        ),
        (
            lambda: PAIRS.where(lambda m: m.id == "x"),
            "2 arguments (messages, users), and it takes `(m)`: write `lambda m, u: ...`",
        ),
        (lambda: PAIRS.map(lambda m: m.id), "`map` calls its function with the rows of its slots"),
        (lambda: PAIRS.filter(lambda: True), "(messages, users), and it takes `()`"),
        (lambda: PAIRS.order_by(lambda m: m.id), "(messages, users)"),
        (lambda: PAIRS.select(lambda m: m.id), "(messages, users)"),
        (lambda: PAIRS.group_by(lambda m: m.id), "(messages, users)"),
        (
            lambda: GROUPS.agg(lambda m: (fn.count(), fn.sum(m.tokens))).having(lambda n: n > 1),
            "3 arguments (user_id, fn.count(), fn.sum(tokens)), and it takes `(n)`: "
            "write `lambda a, b, c: ...`",
        ),
        (
            lambda: MESSAGES.join(MESSAGES, on=lambda m: m.id == m.id),
            "2 arguments (messages, messages), and it takes `(m)`: write `lambda a, b: ...`",
        ),
        (lambda: MESSAGES.map("id"), "map takes a function, not str"),
        (lambda: MESSAGES.order_by("id"), "`order_by` takes a function of the columns"),
    ],
)
def test_parameters(build: Callable[[], object], says: str) -> None:
    refused(build, says, TypeError)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (
            lambda: MESSAGES.filter(later),
            "filter calls a plain function, and `later` is `async def`",
        ),
        (lambda: MESSAGES.map(later), "map calls a plain function...await in what reads the rows"),
        (lambda: MESSAGES.select(later, lambda m: m.id), "select calls a plain function"),
    ],
)
def test_functions_of_rows_are_plain(build: Callable[[], object], says: str) -> None:
    refused(build, says, TypeError)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: MESSAGES.select(), "`select` takes a function of columns"),
        (lambda: MESSAGES.select(lambda m: ()), "returned an empty tuple: return a column"),
        (lambda: MESSAGES.select(lambda m: (m.id, 3)), "returned 3 (int)...the matter of `map`"),
        (lambda: MESSAGES.select(lambda m: [m.id]), "(list), where an expression...in a tuple"),
        (
            lambda: MESSAGES.select(lambda m: (m.id, m.id, m.id, m.id, m.id, m.id)),
            "given 6 values, and a query has 5 slots at most: make an object of them",
        ),
        (
            lambda: LEFT.select(Line, lambda m, u: (m.id, u.name)),
            "`name` is of a side of the join that may be missing, and `Line` does not take None "
            "for `name`: write `.if_null(...)`, declare `name` as `... | None`, or join with",
        ),
        (lambda: LEFT.select(Line, lambda m, u: (m.id, u.name.upper())), "`name.upper()` is of"),
        (lambda: LEFT.select(Whole, lambda m, u: (m.id, u)), "does not take None for `user`"),
        (lambda: LEFT.select(made_by, lambda m, u: (m.id, u.name)), "`made_by` does not take"),
        (
            lambda: LEFT.select(lambda m, u: (m.id, u.name)).select(Line, lambda key, n: (key, n)),
            "may be missing, and `Line`",
        ),
        (
            lambda: MESSAGES.select(KeywordOnly, lambda m: m.id),
            "`select` calls `KeywordOnly` with 1 values by position, and it takes `(*, text: str)`",
        ),
        (lambda: MESSAGES.select(len, lambda m: (m.id, m.id)), "`len` with 2 values by position"),
        (
            lambda: MESSAGES.select(lambda m: (m.id, fn.count())),
            "`fn.count()` is of many rows, and `select`",
        ),
    ],
)
def test_selections(build: Callable[[], object], says: str) -> None:
    refused(build, says, ExpressionError)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (
            lambda: MESSAGES.join(USERS, on=lambda m, u: m.user_id != u.id),
            "needs an equality between messages and users, and `user_id != id` has no equality",
        ),
        (
            lambda: MESSAGES.join(USERS, on=lambda m, u: m.user_id == m.id),
            "`user_id == id` reads messages alone: write `on=lambda a, b: a.b_id == b.id`",
        ),
        (lambda: MESSAGES.join(USERS, on=lambda m, u: u.name == "Ada"), "reads users alone"),
        (
            lambda: MESSAGES.join(USERS, on=lambda m, u: (m.id == "x") | (m.user_id == u.id)),
            "has no equality between them",
        ),
        (
            lambda: MESSAGES.join(USERS, on=lambda m, u: True),
            "`join` returned the plain value True",
        ),
        (lambda: MESSAGES.join(USERS, on=None), "`join` takes a function of the columns"),
        (
            lambda: MESSAGES.join([], on=lambda m, u: m.id == u.id),
            "takes collections and queries, not",
        ),
        (
            lambda: MESSAGES.join(USERS, on=lambda m, u: m.user_id == u.id, how="outer"),
            "no join of the kind 'outer': how= is one of ('inner', 'left', 'right', 'full')",
        ),
        (
            lambda: PAIRS.join(PAIRS, on=lambda m, u, n, v: m.id == n.id).join(
                PAIRS, on=lambda a, b, c, d, e, f: a.id == e.id
            ),
            "this join has 6 slots (messages, users, messages, users, messages, users)...5 at most",
        ),
    ],
)
def test_joins(build: Callable[[], object], says: str) -> None:
    refused(build, says, ExpressionError)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: MESSAGES.union(), "`union` takes the other queries"),
        (lambda: MESSAGES.union(3), "`union` takes collections and queries, not int"),
        (
            lambda: MESSAGES.union(USERS),
            "(messages: MessageColumns) and (users: UserColumns) differ: `select` the same columns",
        ),
        (lambda: MESSAGES.union(PAIRS), "differ"),
        (lambda: MESSAGES.union(MESSAGES.map(str)), "(messages: MessageColumns) and (str: Opaque)"),
        (
            lambda: MESSAGES.select(lambda m: m.id).union(MESSAGES.select(lambda m: (m.id, m.id))),
            "(id: a value) and (id: a value, id: a value) differ",
        ),
    ],
)
def test_unions(build: Callable[[], object], says: str) -> None:
    refused(build, says, ExpressionError)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (
            lambda: MESSAGES.where(lambda m: fn.count() > 1),
            "`fn.count()` is of many rows, and `where` is asked of one: group them first, "
            "`.group_by(...).agg(lambda m: fn.count())`, and then `.having(...)`",
        ),
        (lambda: MESSAGES.order_by(lambda m: fn.sum(m.tokens)), "`fn.sum(tokens)` is of many rows"),
        (
            lambda: MESSAGES.group_by(lambda m: fn.count()),
            "`fn.count()` is of many rows, and `group_by`",
        ),
        (
            lambda: PAIRS.join(USERS, on=lambda m, u, v: v.id == fn.count()),
            "`fn.count()` is of many rows",
        ),
        (
            lambda: GROUPS.agg(lambda m: (fn.count(), m.content)),
            "`content` differs between the rows of a group: put it into `group_by`, or say which "
            "one by an aggregate, as in `fn.min(m.content)`",
        ),
        (
            lambda: GROUPS.agg(lambda m: m.tokens < fn.sum(m.tokens)),
            "`tokens` differs between the rows",
        ),
        (lambda: MESSAGES.agg(lambda m: m.tokens), "`tokens` differs between the rows"),
        (lambda: GROUPS.agg(lambda m: m), "`agg` takes values...the whole row of messages"),
        (lambda: MESSAGES.group_by(lambda m: m), "`group_by` takes values"),
        (lambda: MESSAGES.group_by(lambda m: ()), "`group_by` returned an empty tuple"),
        (lambda: GROUPS.agg(lambda m: ()), "`agg` returned an empty tuple"),
        (
            lambda: GROUPS.agg(lambda m: fn.max(fn.count())),
            "`fn.max(fn.count())` has `fn.count()` in it",
        ),
        (
            lambda: GROUPS.agg(
                lambda m: (fn.count(), fn.count(), fn.count(), fn.count(), fn.count())
            ),
            "1 keys and 5 values are 6 slots, and a query has 5 at most",
        ),
        (
            lambda: MESSAGES.having(lambda m: m.tokens > 1),
            "`having` is asked of groups, right after `agg`, and there are none: write `where`",
        ),
        (
            lambda: (
                GROUPS.agg(lambda m: fn.count()).select(lambda user, n: n).having(lambda n: n > 1)
            ),
            "there are none: write `where`",
        ),
        (lambda: MESSAGES.distinct(), "`distinct` of whole rows (messages)...`select` the columns"),
        (lambda: PAIRS.distinct(), "`distinct` of whole rows (messages, users)"),
    ],
)
def test_groups(build: Callable[[], object], says: str) -> None:
    refused(build, says, ExpressionError)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: MESSAGES.limit(3), "`limit` needs an order...write `.order_by("),
        (lambda: MESSAGES.offset(3), "`offset` needs an order"),
        (lambda: GROUPS.agg(lambda m: fn.count()).limit(3), "`limit` needs an order"),
        (
            lambda: ORDERED.join(USERS, on=lambda m, u: m.user_id == u.id).limit(3),
            "`limit` needs an order",
        ),
        (
            lambda: ORDERED.map(str).filter(bool).limit(3),
            "with `where` and `filter` before `select` and `map`",
        ),
        (lambda: ORDERED.limit(-1), "`limit` takes an integer from 0, not -1"),
        (lambda: ORDERED.limit("3"), "`limit` takes an integer from 0, not '3'"),
        (lambda: ORDERED.limit(True), "`limit` takes an integer from 0, not True"),
        (lambda: ORDERED.limit(None), "`limit` takes an integer from 0, not None"),
        (lambda: ORDERED.offset(-2), "`offset` takes an integer from 0, not -2"),
        (lambda: ORDERED.offset(1.5), "`offset` takes an integer from 0, not 1.5"),
        (lambda: MESSAGES.order_by(lambda m: ()), "`order_by` returned an empty tuple"),
        (lambda: MESSAGES.order_by(lambda m: (m.id, "x")), "returned 'x' (str)"),
        (lambda: MESSAGES.order_by(lambda m: m), "expression of columns has to stand"),
    ],
)
def test_orders(build: Callable[[], object], says: str) -> None:
    refused(build, says, ExpressionError)


def test_columns_belong_to_the_query_whose_function_is_given_them() -> None:
    def correlated(m: Any) -> Any:
        return m.id.in_(USERS.where(lambda u: u.id == m.user_id).fetch())

    refused(
        lambda: MESSAGES.where(correlated),
        "`id == user_id` reads columns of another query than this one, of users: `join` the two",
        ExpressionError,
    )
    refused(
        lambda: MESSAGES.where(lambda m: USERS.select(lambda u: m) and m),
        "`a row` reads columns of another query",
        ExpressionError,
    )
    kept: list[Any] = []

    def keep(m: Any, u: Any) -> Any:
        kept.append(u)
        return m.id == "x"

    PAIRS.where(keep)
    refused(
        lambda: MESSAGES.where(lambda m: kept[0].id == m.id), "of another query", ExpressionError
    )


def test_a_query_inside_a_function_of_columns_is_another_one() -> None:
    def of_users(m: Any) -> Any:
        some = USERS.join(USERS, on=lambda u, v: u.boss == v.id).select(lambda u, v: (u.id, v))
        return m.user_id.in_([key for key, _ in some.order_by(lambda key, v: (v.id, key)).fetch()])

    assert [m.id for m in MESSAGES.where(of_users).fetch()] == ["m2"]


def test_what_takes_none_may_be_given_what_is_missing() -> None:
    for make in (Noted, lambda text, name: text, str.join):
        LEFT.select(make, lambda m, u: (m.id, u.name))
    LEFT.select(Line, lambda m, u: (m.id, u.name.if_null("?")))
    LEFT.select(Line, lambda m, u: (m.id, m.content))
    PAIRS.select(Line, lambda m, u: (m.id, u.name))
