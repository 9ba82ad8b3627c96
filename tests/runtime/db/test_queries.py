"""Queries of every kind over a real stream, held to what Python itself says of the rows.

The oracle is not asked here: it shares the meaning of expressions with the executors.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from msgspec import Struct
from tests.runtime.chat_schema import Chat, Message, message

from streamdb import Change, LocalCollection, case, fn


class Author(Struct, frozen=True):
    role: str
    name: str | None


Asked = Callable[[Any, Any], Any]
Said = Callable[[Sequence[Message], Sequence[Author]], Iterable[Any]]

ON: Any = lambda m, a: m.role == a.role  # noqa: E731 - what a user would write in place


def pairs(how: str) -> Said:
    def said(rows: Sequence[Message], authors: Sequence[Author]) -> list[Any]:
        found: list[Any] = [(m, a) for m in rows for a in authors if m.role == a.role]
        left, right = ({pair[side] for pair in found} for side in (0, 1))
        if how in ("left", "full"):
            found += [(m, None) for m in rows if m not in left]
        if how in ("right", "full"):
            found += [(None, a) for a in authors if a not in right]
        return found

    return said


def by_role(rows: Iterable[Message]) -> dict[str, list[Message]]:
    groups: dict[str, list[Message]] = defaultdict(list)
    for row in rows:
        groups[row.role].append(row)
    return groups


def kept(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def longest(rows: Sequence[Message]) -> list[Message]:
    return sorted(rows, key=lambda m: (-len(m.content), m.id))


QUERIES: dict[str, tuple[Asked, Said]] = {
    "where": (
        lambda m, a: m.where(lambda m: (m.content > "b") & ~(m.note == "x")),
        lambda m, a: [m for m in m if m.content > "b" and m.note not in (None, "x")],
    ),
    "filter and map": (
        lambda m, a: m.filter(lambda m: "a" in m.content).map(lambda m: m.content * 2),
        lambda m, a: [m.content * 2 for m in m if "a" in m.content],
    ),
    "select": (
        lambda m, a: m.select(
            lambda m: (m.content.upper(), m.note.if_null("-"), case((m.role == "user", 1), else_=2))
        ),
        lambda m, a: [(m.content.upper(), m.note or "-", 1 if m.role == "user" else 2) for m in m],
    ),
    **{
        f"{how} join": (lambda m, a, how=how: m.join(a, on=ON, how=how), pairs(how))
        for how in ("inner", "left", "right", "full")
    },
    "two equalities with itself": (
        lambda m, a: m.join(
            m, on=lambda m, n: (m.role == n.role) & (m.note == n.content), how="left"
        ).map(lambda m, n: (m.id, n and n.id)),
        lambda m, a: [
            (one.id, other and other.id)
            for one in m
            for other in ([o for o in m if (o.role, o.content) == (one.role, one.note)] or [None])
        ],
    ),
    "five sources": (
        lambda m, a: (
            m.join(a, on=ON)
            .join(m, on=lambda m, a, n: m.note == n.content)
            .join(a, on=lambda m, a, n, b: n.role == b.role)
            .join(m, on=lambda m, a, n, b, o: n.note == o.content, how="left")
            .map(lambda m, a, n, b, o: (m.id, a.name, n.id, b.name, o and o.id))
        ),
        lambda m, a: [
            (m1.id, a1.name, m2.id, a2.name, m3 and m3.id)
            for m1 in m
            for a1 in a
            for m2 in m
            for a2 in a
            for m3 in ([o for o in m if o.content == m2.note] or [None])
            if (m1.role, m1.note, m2.role) == (a1.role, m2.content, a2.role)
        ],
    ),
    "union": (
        lambda m, a: m.where(lambda m: m.note == "x").union(m.where(lambda m: m.content < "b")),
        lambda m, a: [m for m in m if m.note == "x"] + [m for m in m if m.content < "b"],
    ),
    "groups": (
        lambda m, a: (
            m.group_by(lambda m: m.role)
            .agg(lambda m: (fn.count(m.note), fn.max(m.content), fn.string_agg(m.id, ",", by=m.id)))
            .having(lambda role, notes, last, ids: notes > 0)
        ),
        lambda m, a: [
            (
                role,
                len(kept(m.note for m in rows)),
                max(m.content for m in rows),
                ",".join(sorted(m.id for m in rows)),
            )
            for role, rows in by_role(m).items()
            if kept(m.note for m in rows)
        ],
    ),
    "one group of all": (
        lambda m, a: m.agg(lambda m: (fn.count(), fn.sum(m.content.length()), fn.min(m.note))),
        lambda m, a: [
            (
                len(m),
                sum(len(m.content) for m in m) if m else None,
                min(kept(m.note for m in m), default=None),
            )
        ],
    ),
    "distinct": (
        lambda m, a: m.select(lambda m: (m.role, m.note)).distinct(),
        lambda m, a: {(m.role, m.note) for m in m},
    ),
    "order": (
        lambda m, a: m.order_by(lambda m: (m.note.desc().nulls_first(), m.content, m.id.desc())),
        lambda m, a: sorted(
            sorted(sorted(m, key=lambda m: m.id, reverse=True), key=lambda m: m.content),
            key=lambda m: (m.note is None, m.note or ""),
            reverse=True,
        ),
    ),
    "window": (
        lambda m, a: m.order_by(lambda m: (m.content.length().desc(), m.id)).limit(3).offset(1),
        lambda m, a: longest(m)[1:4],
    ),
    "subqueries": (
        lambda m, a: a.join(
            m.order_by(lambda m: (m.content.length().desc(), m.id))
            .limit(4)
            .group_by(lambda m: m.role)
            .agg(lambda m: fn.collect(m.id, by=m.id)),
            on=lambda a, role, ids: a.role == role,
            how="left",
        ).map(lambda a, role, ids: (a.name, ids and list(ids))),
        lambda m, a: [
            (author.name, sorted(m.id for m in by_role(longest(m)[:4])[author.role]) or None)
            for author in a
        ],
    ),
}
ORDERED = ("order", "window")


@pytest.mark.parametrize("name", QUERIES)
def test_live_and_fetched_rows_are_what_python_says(embedded_url: str, name: str) -> None:
    ask, say = QUERIES[name]
    draw = random.Random(name)
    with Chat(embedded_url, create=True) as db:
        authors = LocalCollection(Author, key="role")
        query = ask(db.messages, authors)
        live = db.live(query)
        changes, told = live.changes(initial=True), dict[Any, Any]()
        for number in range(40):
            step(draw, db, authors)
            said = list(say(list(db.messages), list(authors)))
            for rows in (live, query.fetch()):
                assert in_order(rows, name) == in_order(said, name), f"commit {number}"
            there = dict(live.items())
            if number % 3 == 2 and told != there:
                replay(told, next(changes))
                assert told == there, f"commit {number}"


def step(draw: random.Random, db: Chat, authors: Any) -> None:
    """Commit something."""
    with db.transaction() as tx:
        for _ in range(draw.randrange(1, 5)):
            key = str(draw.randrange(9))
            if key in db.messages and draw.random() < 0.3:
                db.messages.upsert(message(key))
                db.messages.delete(key)
            else:
                content, note = (draw.choice(["a", "ab", "b", "ba", "c"]) for _ in range(2))
                role = draw.choice(["user", "assistant"])
                db.messages.upsert(
                    message(key, content, role=role, note=draw.choice([None, "x", note]))
                )
    if draw.random() < 0.3:
        tx.synced(20)
    if draw.random() < 0.3:
        authors.upsert(
            Author(draw.choice(["user", "assistant", "system"]), draw.choice([None, "Ada", "Bob"]))
        )


def in_order(rows: Iterable[Any], name: str) -> list[str]:
    """Return the rows in a form that compares: sorted, if the query has no order."""
    texts = [repr(row) for row in rows]
    return texts if name in ORDERED else sorted(texts)


def replay(told: dict[Any, Any], changes: Iterable[Change[Any, Any]]) -> None:
    """Follow changes."""
    for change in changes:
        assert told.pop(change.key, None) == change.old
        if change.new is not None:
            told[change.key] = change.new
