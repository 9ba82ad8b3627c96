"""Local collections: typed rows of the program's own, read and watched like those of a database."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from msgspec import Struct
from tests.runtime.task_rows import KINDS, field, task

from streamdb import (
    AsyncLocalCollection,
    DuplicateKey,
    ExpressionError,
    InvalidRow,
    LocalCollection,
    MissingKey,
    SchemaError,
    StreamDBError,
)


class Mark(Struct, frozen=True):
    id: int
    text: str = ""


def marks_of(*rows: Mark) -> LocalCollection[Mark, int, Any]:
    marks = LocalCollection(Mark, key="id", name="marks")
    for row in rows:
        marks.insert(row)
    return marks


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind is not dict])
def test_rows_of_every_kind(kind: Any) -> None:
    tasks: Any = LocalCollection(kind, key="id")
    tasks.insert(task(kind))
    tasks.upsert(task(kind, "t2", count=2))
    tasks.update("t1", title="read")
    assert [field(row, "title") for row in tasks] == ["read", "write"]
    assert tasks.where(lambda t: t.count == 2).select(lambda t: t.id).fetch() == ["t2"]
    with pytest.raises(InvalidRow):
        tasks.insert(Mark(1))
    tasks.delete("t1")
    assert tasks.keys() == ["t2"]


def test_reading_and_writing() -> None:
    marks = marks_of(Mark(2, "b"), Mark(1, "a"))
    assert (marks.keys(), marks[1], marks.get(3), 2 in marks, "2" in marks, len(marks)) == (
        *([2, 1], Mark(1, "a"), None, True, False, 2),
    )
    marks.update(2, lambda mark: Mark(2, mark.text * 2))
    assert marks.first() == Mark(2, "bb")
    assert (marks.meta(2).seq, marks.meta(1).seq) == (3, 2)
    with pytest.raises(DuplicateKey, match="'marks' holds a row of key"):
        marks.insert(Mark(1))
    for write in (lambda: marks.delete(3), lambda: marks.update(3, text="")):
        with pytest.raises(MissingKey, match="'marks' holds no row of key 3"):
            write()
    with pytest.raises(InvalidRow, match="must keep id=2"):
        marks.update(2, id=3)
    with pytest.raises(InvalidRow):
        marks.insert(Mark(4, text=5))  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(SchemaError, match="no field 'nr'"):
        LocalCollection(Mark, key="nr")
    assert repr(marks) == "<LocalCollection 'marks' with 2 rows>"


def test_a_batch_shows_at_once_or_not_at_all() -> None:
    marks = marks_of(Mark(1, "a"), Mark(2, "b"))
    told: list[Any] = []
    marks.subscribe(told.append)
    with marks.batch():
        marks.delete(1)
        marks.insert(Mark(3, "c"))
        marks.update(3, text="d")  # what the batch has written
        marks.insert(Mark(1, "e"))
        assert marks.keys() == [1, 2]
        assert told == []
        with pytest.raises(StreamDBError, match="do not nest"), marks.batch():
            pass
    assert marks.items() == [(2, Mark(2, "b")), (3, Mark(3, "d")), (1, Mark(1, "e"))]
    assert [[(c.kind, c.key) for c in commit] for commit in told] == [
        [("update", 1), ("insert", 3)],
    ]

    def fail() -> None:
        with marks.batch():
            marks.delete(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert 1 in marks
    with marks.batch():
        pass
    assert len(told) == 1


def test_what_is_removed_and_inserted_arrives_anew() -> None:
    """Even the very same row, of which nobody else hears."""
    row = Mark(1, "a")
    marks = marks_of(row, Mark(2, "b"))
    told: list[Any] = []
    marks.subscribe(told.append)
    with marks.batch():
        marks.delete(1)
        marks.insert(row)
    assert (marks.keys(), told) == ([2, 1], [])


def test_changes_and_conditions() -> None:
    marks = marks_of(Mark(1, "a"))
    changes = marks.changes(initial=True, where=lambda m: m.text != "")
    marks.update(1, text="")
    marks.insert(Mark(2, "b"))
    assert [(c.kind, c.key) for c in next(changes)] == [("insert", 2)]
    marks.delete(2)
    assert [(c.kind, c.key) for c in next(changes)] == [("delete", 2)]
    with pytest.raises(ExpressionError):
        marks.where(lambda m: m.nothing == 1)


def test_callbacks_write_and_are_told_in_order() -> None:
    marks = marks_of()
    told: list[tuple[str, list[int]]] = []

    def follow(changes: Any) -> None:
        keys = [c.key for c in changes]
        told.append(("first", keys))
        if max(keys) < 3:
            marks.insert(Mark(max(keys) + 1))
            assert max(keys) + 1 in marks  # it shows at once, and is told after this

    marks.subscribe(follow)
    marks.subscribe(lambda changes: told.append(("second", [c.key for c in changes])))
    marks.insert(Mark(1))
    assert told == [(who, [key]) for key in (1, 2, 3) for who in ("first", "second")]


def test_who_subscribes_is_told_at_once_of_what_is_there() -> None:
    marks = marks_of(Mark(1, "a"), Mark(2))
    told: list[list[Any]] = []

    def note(changes: Any) -> None:
        told.append([(c.kind, c.key) for c in changes])
        marks.upsert(Mark(3))  # no lock is held

    with marks.subscribe(note, initial=True, where=lambda m: m.text != ""):
        assert told == [[("insert", 1)]]
        marks.delete(1)
    assert told == [[("insert", 1)], [("delete", 1)]]


def test_threads_lose_no_write() -> None:
    marks = marks_of(Mark(1, ""))
    told: list[Any] = []
    marks.subscribe(told.extend)

    def work() -> None:
        for _ in range(100):
            marks.update(1, lambda mark: Mark(1, mark.text + "x"))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(marks[1].text) == 300
    marks.delete(1)  # whoever delivered last is done
    assert [len(c.new.text) for c in told if c.new] == list(range(1, 301))


async def test_the_async_form() -> None:
    marks = AsyncLocalCollection(Mark, key="id")
    changes = marks.changes()
    waiting = asyncio.create_task(anext(changes))
    await asyncio.sleep(0)
    marks.insert(Mark(1))
    assert [c.key for c in await waiting] == [1]

    async def others() -> None:
        marks.insert(Mark(3))

    with marks.batch():
        marks.insert(Mark(2))
        await asyncio.create_task(others())  # no part of the batch
        assert marks.keys() == [1, 3]
    assert marks.keys() == [1, 3, 2]
