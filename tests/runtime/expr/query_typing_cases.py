"""Good and bad queries for type checkers; test_query_typing.py runs them. Never imported.

The columns are written as generated packages write them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_type

from msgspec import Struct

from streamdb import (
    AsyncCollection,
    Collection,
    Column,
    Columns,
    Expr,
    LiveQuery,
    NullableColumn,
    Opaque,
    Query,
    Query1,
    Query2,
    Query3,
    Query4,
    Query5,
    Queryable,
    StreamDB,
    UntypedColumns,
    fn,
)

Role = Literal["user", "assistant", "system"]


class Message(Struct):
    id: str
    role: Role
    user_id: str
    note: str | None
    tokens: int


class MessageColumns(Columns[Message]):
    id: Column[str]
    role: Column[Role]
    user_id: Column[str]
    note: NullableColumn[str]
    tokens: Column[int]
    extra: Column[Mapping[str, Any]]


class User(Struct):
    id: str
    name: str
    boss: str | None


class UserColumns(Columns[User]):
    id: Column[str]
    name: Column[str]
    boss: NullableColumn[str]


@dataclass
class Line:
    text: str
    tokens: int = 0


@dataclass
class Noted:
    message: Message
    note: str | None


class KeywordOnly(Struct, kw_only=True):
    text: str


Messages = Collection[Message, str, MessageColumns]
Users = AsyncCollection[User, str, UserColumns]
Left = Query2[Message, User | None, MessageColumns, UserColumns]
Text = Expr[str, str]
OptionalText = Expr[str, str | None]
Whole = Expr[int, int]


def one_row_at_a_time(messages: Messages, users: Users) -> None:
    assert_type(messages.as_query(), Query1[Message, MessageColumns])
    long = messages.where(lambda m: m.tokens > 100)
    assert_type(long, Query1[Message, MessageColumns])
    assert_type(long.filter(lambda m: m.note is None), Query1[Message, MessageColumns])
    assert_type(users.map(lambda u: u.name.upper()), Query1[str, Opaque[str]])
    assert_type(long.fetch(), list[Message])
    assert_type(long.first(), Message | None)
    assert_type(long.one(), Message)
    assert_type(long.explain(), str)
    assert_type(messages.fetch(), list[Message])
    assert_type(
        long.order_by(lambda m: m.tokens).limit(3).offset(1), Query1[Message, MessageColumns]
    )
    long.order_by(lambda m: (m.role, m.note, m.tokens))
    long.where(lambda n: 1 < n.tokens)  # noqa: SIM300
    ordered: Query[Message] = long.order_by(lambda m: m.role)
    assert_type(ordered.limit(5).fetch(), list[Message])
    takes_any_query(messages.join(users, on=lambda m, u: m.user_id == u.id))


def takes_any_query(query: Query[object]) -> None:
    assert_type(query.limit(5).fetch(), list[object])


def selected(messages: Messages, plain: Queryable[dict[str, Any], UntypedColumns[Any]]) -> None:
    assert_type(messages.select(lambda m: m.role), Query1[Role, Expr[Role, Role]])
    assert_type(messages.select(lambda m: m.note), Query1[str | None, OptionalText])
    pairs = messages.select(lambda m: (m.id, m.note))
    assert_type(pairs, Query2[str, str | None, Text, OptionalText])
    assert_type(pairs.fetch(), list[tuple[str, str | None]])
    assert_type(pairs.distinct(), Query2[str, str | None, Text, OptionalText])
    assert_type(
        pairs.where(lambda key, note: key == note).map(lambda key, note: note or key).fetch(),
        list[str],
    )
    assert_type(
        messages.select(lambda m: (m.id, m.id, m.tokens, m.tokens, m.tokens > 1)),
        Query5[str, str, int, int, bool | None, Text, Text, Whole, Whole, Expr[bool, bool | None]],
    )
    whole = messages.select(lambda m: (m, m.tokens))
    assert_type(whole, Query2[Message, int, MessageColumns, Whole])
    whole.where(lambda m, tokens: (m.role == "user") & (tokens > 1))
    line = messages.select(Line, lambda m: (m.id, m.tokens))
    assert_type(line, Query1[Line, Opaque[Line]])
    assert_type(messages.select(Line, lambda m: m.id), Query1[Line, Opaque[Line]])
    assert_type(messages.select(Noted, lambda m: (m, m.note)), Query1[Noted, Opaque[Noted]])
    assert_type(messages.select(str.upper, lambda m: m.id), Query1[str, Opaque[str]])
    assert_type(line.select(lambda line: line), Query1[Line, Opaque[Line]])
    assert_type(line.filter(lambda line: line.tokens > 1).fetch(), list[Line])
    plain.where(lambda row: row.anything == 3).order_by(lambda row: row["created at"])
    plain.select(Line, lambda row: (row.anything, row.what))


def joined(messages: Messages, users: Users) -> None:
    inner = messages.join(users, on=lambda m, u: m.user_id == u.id)
    assert_type(inner, Query2[Message, User, MessageColumns, UserColumns])
    left = messages.join(users, on=lambda m, u: m.user_id == u.id, how="left")
    assert_type(left, Left)
    assert_type(left.fetch(), list[tuple[Message, User | None]])
    right = messages.join(users, on=lambda m, u: m.user_id == u.id, how="right")
    assert_type(right, Query2[Message | None, User, MessageColumns, UserColumns])
    full = messages.join(users, on=lambda m, u: m.user_id == u.id, how="full")
    assert_type(full, Query2[Message | None, User | None, MessageColumns, UserColumns])
    assert_type(left.where(lambda m, u: u.name.is_null() & (m.role == "user")), Left)
    assert_type(left.filter(lambda m, u: u is not None), Left)
    lines = left.map(lambda m, u: Line(u.name if u else "?", m.tokens))
    assert_type(lines, Query1[Line, Opaque[Line]])
    chain = left.join(users, on=lambda m, u, boss: u.boss == boss.id, how="left")
    assert_type(
        chain,
        Query3[Message, User | None, User | None, MessageColumns, UserColumns, UserColumns],
    )
    other_way = users.join(left, on=lambda boss, m, u: u.boss == boss.id, how="left")
    assert_type(
        other_way,
        Query3[User, Message | None, User | None, UserColumns, MessageColumns, UserColumns],
    )
    four = left.join(inner, on=lambda m, u, n, v: (m.id == n.id) & (v.name == "Ada"), how="right")
    assert_type(
        four,
        Query4[
            Message | None, User | None, Message, User,
            MessageColumns, UserColumns, MessageColumns, UserColumns,
        ],
    )  # fmt: skip
    five = left.join(chain, on=lambda a, b, c, d, e: a.id == c.id)
    assert_type(
        five.map(lambda a, b, c, d, e: (a.id, c.id, e)).fetch(), list[tuple[str, str, User | None]]
    )


def grouped(messages: Messages, users: Users) -> None:
    by_role = messages.group_by(lambda m: m.role).agg(
        lambda m: (fn.count(), fn.max(m.note), fn.collect(m))
    )
    assert_type(
        by_role,
        Query4[
            Role, int, str | None, Sequence[Message],
            Expr[Role, Role], Whole, OptionalText, Expr[Sequence[Message], Sequence[Message]],
        ],
    )  # fmt: skip
    loud = by_role.having(lambda role, n, note, rows: (role == "user") & (n > 1))
    assert_type(loud.fetch(), list[tuple[Role, int, str | None, Sequence[Message]]])
    assert_type(loud.map(lambda role, n, note, rows: rows[0].tokens).fetch(), list[int])
    loud.order_by(lambda role, n, note, rows: (n.desc(), note.desc().nulls_first())).limit(3)
    one = messages.group_by(lambda m: m.note).agg(lambda m: fn.count())
    assert_type(one, Query2[str | None, int, OptionalText, Whole])
    pairs = messages.join(users, on=lambda m, u: m.user_id == u.id)
    two = pairs.group_by(lambda m, u: (m.role, u.boss)).agg(
        lambda m, u: (fn.count(), fn.count() > 3)
    )
    assert_type(
        two,
        Query4[
            Role, str | None, int, bool | None,
            Expr[Role, Role], OptionalText, Whole, Expr[bool, bool | None],
        ],
    )  # fmt: skip
    three = messages.group_by(lambda m: (m.role, m.id, m.note)).agg(
        lambda m: (fn.sum(m.tokens), fn.avg(m.tokens) / fn.count())
    )
    assert_type(three.map(lambda role, key, note, n, mean: mean).fetch(), list[float | None])
    assert_type(messages.agg(lambda m: fn.count()).one(), int)
    assert_type(
        pairs.agg(lambda m, u: (fn.count(), fn.first(u.boss), fn.collect(u.boss, by=m.id))).one(),
        tuple[int, str | None, Sequence[str | None]],
    )


class Chunk(Struct):
    id: str
    message_id: str
    text: str
    at: dt.datetime


class ChunkColumns(Columns[Chunk]):
    id: Column[str]
    message_id: Column[str]
    text: Column[str]
    at: Column[dt.datetime]


class Growing(Struct):
    id: str
    text: str
    started: dt.datetime
    pieces: int


def materialize(key: str, chunks: Sequence[Chunk], started: dt.datetime, n: int) -> Growing:
    return Growing(key, "".join(chunk.text for chunk in chunks), started, n)


def needs_approval(growing: Growing) -> bool:
    return growing.text.endswith("?")


def derived(db: StreamDB, chunks: Collection[Chunk, str, ChunkColumns]) -> None:
    stats = (
        chunks.group_by(lambda c: c.message_id)
        .agg(lambda c: (fn.collect(c, by=c.at), fn.min(c.at), fn.count()))
        .having(lambda key, chunks, started, n: n > 0)
        .order_by(lambda key, chunks, started, n: started)
    )
    assert_type(stats.map(materialize), Query1[Growing, Opaque[Growing]])
    growing = db.live(stats.map(materialize))
    assert_type(growing, LiveQuery[Growing, Opaque[Growing]])
    approvals = db.live(growing.filter(needs_approval))
    assert_type(approvals.fetch(), list[Growing])
    pairs = db.live(stats.select(lambda key, chunks, started, n: (key, n)))
    assert_type(pairs, LiveQuery[tuple[str, int], Opaque[tuple[str, int]]])
    again = db.live(chunks.where(lambda c: c.text != "")).where(lambda c: c.message_id == "m")
    assert_type(again, Query1[Chunk, ChunkColumns])
    takes_any_query(stats)


def united(messages: Messages, users: Users) -> None:
    loud = messages.where(lambda m: m.role == "user")
    assert_type(loud.union(messages, loud), Query1[Message, MessageColumns])
    assert_type(messages.union(loud), Query1[Message, MessageColumns])
    names = users.select(lambda u: (u.id, u.name))
    assert_type(
        names.union(messages.select(lambda m: (m.id, m.user_id))), Query2[str, str, Text, Text]
    )
    lines = messages.map(lambda m: Line(m.id))
    assert_type(lines.union(users.map(lambda u: Line(u.name))), Query1[Line, Opaque[Line]])


def passed_on(messages: Queryable[Message, MessageColumns]) -> Query1[Message, MessageColumns]:
    is_long: Callable[[MessageColumns], Expr[bool, Any]] = lambda m: m.tokens > 3  # noqa: E731
    return messages.where(is_long)


async def later(m: Message) -> bool:
    return True


def bad(messages: Messages, users: Users, chunks: Collection[Chunk, str, ChunkColumns]) -> None:
    left = messages.join(users, on=lambda m, u: m.user_id == u.id, how="left")
    messages.where(lambda m: m.role == "assistent")  # E: misspelt literal
    left.where(lambda m, u: m.role == "assistent")  # E: misspelt literal
    messages.where(lambda m: m.rol == "user")  # E: no such column
    left.where(lambda m, u: u.role == "user")  # E: column of the other slot
    left.where(lambda m: m.role == "user")  # E: one parameter for two slots
    messages.where(lambda m, u: m.id == u.id)  # E: two parameters for one slot
    messages.where(True)  # E: no function
    messages.where(None)  # E: no function
    messages.where(lambda m: True)  # E: no expression
    messages.where(lambda m: m.role is None)  # E: no expression
    messages.where(lambda m: m.tokens)  # E: no condition
    messages.filter(lambda m: m.tokens)  # E: no truth value
    messages.filter(lambda m: m.rol == "user")  # E: no such field
    messages.filter(later)  # E: nobody awaits it
    messages.select(Line, lambda m: (m.tokens, m.id))  # E: wrong order of arguments
    messages.select(Line, lambda m: (m.note, m.tokens))  # E: may be null
    messages.select(Line, lambda m: (m.id, m.tokens, m.id))  # E: too many arguments
    messages.select(Line, lambda m: (m.id, m.tkens))  # E: no such column
    messages.select(Noted, lambda m: (m.id, m.note))  # E: text is no message
    messages.select(KeywordOnly, lambda m: m.id)  # E: takes no arguments by position
    left.select(Line, lambda m, u: (m.tokens, u.name))  # E: wrong order of arguments
    messages.select(lambda m: ())  # E: nothing
    messages.select(lambda m: m.nothing)  # E: no such column
    messages.select(lambda m: (m.id, m.nothing))  # E: no such column
    messages.select(lambda m: (m.id, 3))  # E: no expression
    messages.select(lambda m: [m.id, m.note])  # E: a list
    messages.select(lambda m: (m.id, m.id, m.id, m.id, m.id, m.id))  # E: six slots
    left.map(lambda m, u: u.name)  # E: forgotten None after an outer join
    left.map(lambda m, u: Line(u.name, m.tokens))  # E: forgotten None after an outer join
    left.filter(lambda m, u: u.name == "Ada")  # E: forgotten None after an outer join
    left.map(lambda m: m.id)  # E: one parameter for two slots
    messages.join(users, on=lambda m, u: m.user_id == u.nme)  # E: no such column
    messages.join(users, on=lambda m, u: m.tokens == u.id)  # E: different types
    messages.join(users, on=lambda m: m.user_id == m.id)  # E: one parameter for two slots
    messages.join(users, on=lambda m, u: m.user_id == u.id, how="outer")  # E: no such join
    messages.join(users)  # E: no condition
    left.join(left, on=lambda a, b, c: a.id == c.id)  # E: three parameters for four slots
    messages.map(lambda m: Line(m.id)).where(lambda line: line.text == "x")  # E: opaque
    messages.map(lambda m: Line(m.id)).order_by(lambda line: line.text)  # E: opaque
    messages.select(Line, lambda m: m.id).where(lambda line: line.text == "x")  # E: opaque
    messages.map(lambda m: Line(m.id)).filter(lambda line: line.txt == "x")  # E: no such field
    messages.limit(3)  # E: no order
    messages.distinct()  # E: whole rows
    messages.order_by(lambda m: m.extra)  # E: maps have no order
    messages.order_by(lambda m: (m.id, m.extra))  # E: maps have no order
    messages.order_by(lambda m: (m.id, m.created))  # E: no such column
    messages.order_by("id")  # E: no function
    messages.order_by(lambda m: m.id).limit("3")  # E: no number
    messages.as_query().union(users)  # E: other rows
    left.union(messages)  # E: other slots
    messages.group_by(lambda m: m.rol)  # E: no such column
    messages.group_by(lambda m: m)  # E: a whole row
    messages.group_by(lambda m: m.role).agg(lambda m: (fn.count(), m.nothing))  # E: no such column
    messages.group_by(lambda m: m.role).agg(lambda m: ())  # E: nothing
    messages.group_by(lambda m: m.role).where(lambda m: m.tokens > 1)  # E: agg comes first
    by_role = messages.group_by(lambda m: m.role).agg(lambda m: fn.count())
    by_role.having(lambda role, n: role == "usr")  # E: misspelt literal
    by_role.having(lambda role, n: n == "3")  # E: different types
    by_role.having(lambda n: n > 3)  # E: one parameter for two slots
    by_role.map(lambda role, n: n.nothing)  # E: no such attribute
    stats = chunks.group_by(lambda c: c.message_id).agg(
        lambda c: (fn.collect(c), fn.min(c.at), fn.count())
    )
    stats.map(lambda key, chunks, started, n: materialize(key, chunks, n, started))  # E: order
    messages.as_query().map(materialize)  # E: four parameters for one slot
    by_role.map(materialize)  # E: four parameters for two slots
    stats.where(lambda key, chunks, started, n: started > 3)  # E: different types
    stats.order_by(lambda key, chunks, started, n: started.descending())  # E: no such method
    chunks.group_by(lambda c: c.message_id).agg(lambda c: fn.sum(c.text))  # E: text has no sum
    chunks.agg(lambda c: (fn.min(c.at), fn.min(c.when)))  # E: no such column
