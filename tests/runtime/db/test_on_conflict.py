"""The application says what becomes of a row that two have written."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from msgspec import structs
from tests.runtime.chat_schema import AsyncChat, Chat, Message, message, messages
from tests.runtime.db.held import held_writes, unread

from streamdb import AsyncStream, AsyncTransaction, Stream


async def overlapping(db: AsyncChat, theirs: Any, write: Any) -> AsyncTransaction:
    """Write a row that somebody else writes at the same time, and wait until all is settled."""
    async with AsyncStream(db.url) as stream:
        with unread(db):
            await stream.append(theirs)
            transaction: AsyncTransaction = write()
            await transaction
        await transaction.synced()
    await db.messages.upsert(message("last")).synced()  # which is behind what was answered
    return transaction


async def test_it_is_asked_for_base_theirs_and_ours(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        asked: list[Any] = []

        def ours(*rows: Any) -> Any:
            asked.append(rows)
            return "ours"

        db.messages.on_conflict(ours)
        await db.messages.insert(message(1, "old")).synced()
        transaction = await overlapping(
            db,
            messages.update(message(1, "theirs")),
            lambda: db.messages.update("1", note="mine"),
        )
        assert transaction.conflict
        assert asked == [(message(1, "old"), message(1, "theirs"), message(1, "old", note="mine"))]
        assert db.messages["1"] == message(1, "old", note="mine")
        await db.messages.update("1", note="alone").synced()
        assert len(asked) == 1


def merged(base: Message | None, theirs: Message | None, ours: Message | None) -> Message:
    assert base is not None
    assert theirs is not None
    assert ours is not None
    note = ours.note if ours.note != base.note else theirs.note
    content = ours.content if ours.content != base.content else theirs.content
    return structs.replace(ours, note=note, content=content)


async def test_a_row_that_it_returns_is_written_behind(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db, AsyncChat(embedded_url) as other:
        db.messages.on_conflict(merged)
        await db.messages.insert(message(1, "old")).synced()
        await overlapping(
            db,
            messages.update(message(1, "theirs")),
            lambda: db.messages.update("1", note="mine"),
        )
        assert db.messages["1"] == message(1, "theirs", note="mine")
        await other.until(lambda: "last" in other.messages or None)
        assert other.messages["1"] == message(1, "theirs", note="mine")


def test_the_blocking_form_asks_where_callbacks_are(url: str) -> None:
    with Chat(url, create=True) as db, Stream(url) as stream:
        db.messages.on_conflict(merged)
        db.messages.insert(message(1, "old")).synced(10)
        with unread(db):
            stream.append(messages.update(message(1, "theirs")))
            transaction = db.messages.update("1", note="mine")
            transaction.result(10)
        transaction.synced(10)
        db.until(lambda: db.messages["1"] == message(1, "theirs", note="mine"), timeout=10)
        assert transaction.conflict


async def test_theirs_puts_back_what_they_wrote(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        db.messages.on_conflict(lambda *_: "theirs")
        await db.messages.insert(message(1, "old")).synced()
        await overlapping(
            db,
            messages.update(message(1, "theirs", note="x")),
            lambda: db.messages.update("1", content="mine"),
        )
        assert db.messages["1"] == message(1, "theirs", note="x")
        await overlapping(db, messages.delete("1"), lambda: db.messages.update("1", content="mine"))
        assert "1" not in db.messages, "they had removed it"
        await db.messages.insert(message(2, "old")).synced()
        await overlapping(
            db, messages.update(message(2, "theirs")), lambda: db.messages.delete("2")
        )
        assert db.messages["2"] == message(2, "theirs"), "it is made anew"


async def test_a_write_that_meets_what_came_before_it_was_sent_is_asked_for(url: str) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        asked: list[Any] = []
        db.messages.on_conflict(lambda *rows: asked.append(rows) or "ours")  # type: ignore[func-returns-value]
        with held_writes(db):
            insert = db.messages.insert(message(1, "mine"))
            await stream.append(messages.insert(message(1, "theirs"), txid="t"))
            await db.await_txid("t")
        await insert.synced()
        assert asked == [(None, message(1, "theirs"), message(1, "mine"))]


async def test_later_writes_are_not_overwritten(embedded_url: str) -> None:
    """Only the fields that it changes are written, over the row as it shows by then."""
    async with AsyncChat(embedded_url, create=True) as db:
        db.messages.on_conflict(merged)
        await db.messages.insert(message(1, "old")).synced()

        def write_twice() -> AsyncTransaction:
            first = db.messages.update("1", note="mine")
            db.messages.update("1", note="later")
            return first

        await overlapping(db, messages.update(message(1, "theirs")), write_twice)
        assert db.messages["1"] == message(1, "theirs", note="later")


def both(base: Message | None, theirs: Message | None, ours: Message | None) -> Message:
    """Put the words of both together, as a union of labels would."""
    assert theirs is not None
    assert ours is not None
    words = sorted({*theirs.content.split(), *ours.content.split()})
    return structs.replace(ours, content=" ".join(words))


def add(word: str) -> Callable[[Message], Message]:
    return lambda row: structs.replace(row, content=f"{row.content} {word}")


async def test_a_later_write_of_the_same_field_is_part_of_the_answer(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        db.messages.on_conflict(both)
        await db.messages.insert(message(1, "")).synced()

        def write_twice() -> AsyncTransaction:
            first = db.messages.update("1", add("mine-1"))
            db.messages.update("1", add("mine-2"))
            return first

        await overlapping(db, messages.update(message(1, "theirs")), write_twice)
        assert db.messages["1"].content == "mine-1 mine-2 theirs"


def test_a_write_between_the_question_and_the_answer_is_not_lost(url: str) -> None:
    with Chat(url, create=True) as db, Stream(url) as stream, ThreadPoolExecutor(1) as elsewhere:
        given: list[str] = []

        def answer(base: Any, theirs: Any, ours: Any) -> Message:
            given.append(ours.content)
            if len(given) == 1:
                elsewhere.submit(db.messages.update, "1", add("mine-2")).result(10).synced(10)
            return both(base, theirs, ours)

        db.messages.on_conflict(answer)
        db.messages.insert(message(1, "old")).synced(10)
        with unread(db):
            stream.append(messages.update(message(1, "theirs")))
            db.messages.update("1", content="mine-1").result(10)
        db.until(lambda: db.messages["1"].content == "mine-1 mine-2 theirs", timeout=10)
        assert given == ["mine-1", "mine-1 mine-2"]


async def test_a_word_is_about_the_fields_of_the_conflict(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        given: list[Message] = []

        def answer(base: Any, theirs: Any, ours: Message) -> Any:
            given.append(ours)
            if len(given) == 1:
                db.messages.update("1", content="later", note="later")
            return "theirs"

        db.messages.on_conflict(answer)
        await db.messages.insert(message(1, "old")).synced()
        await overlapping(
            db,
            messages.update(message(1, "old", note="theirs")),
            lambda: db.messages.update("1", note="mine"),
        )
        assert [row.note for row in given] == ["mine", "later"]
        assert db.messages["1"] == message(1, "later", note="theirs")


@pytest.mark.parametrize(
    ("theirs", "later", "asked"),
    [
        (messages.delete("1"), "update", 2),
        (messages.delete("1"), "delete", 1),
        (messages.update(message(1, "theirs")), "delete", 1),
    ],
)
async def test_a_removal_is_asked_for_again_and_a_later_one_stands(
    theirs: Any, later: str, asked: int, embedded_url: str
) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        given: list[Message] = []

        def answer(_base: Any, _theirs: Any, ours: Message) -> Any:
            given.append(ours)
            if len(given) > 1:
                return "ours"
            if later == "delete":
                db.messages.delete("1")
            else:
                db.messages.update("1", content="later")
            return "theirs"

        db.messages.on_conflict(answer)
        await db.messages.insert(message(1, "old")).synced()
        await overlapping(db, theirs, lambda: db.messages.update("1", content="mine"))
        assert len(given) == asked
        assert (later == "delete") is ("1" not in db.messages)


async def test_what_was_removed_and_made_anew_is_asked_for_again(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        given: list[Message | None] = []

        def answer(_base: Any, _theirs: Any, ours: Message | None) -> Any:
            given.append(ours)
            if ours is not None:
                return "ours"
            db.messages.insert(message(1, "later"))
            return "theirs"

        db.messages.on_conflict(answer)
        await db.messages.insert(message(1, "old")).synced()
        await overlapping(
            db, messages.update(message(1, "theirs")), lambda: db.messages.delete("1")
        )
        assert given == [None, message(1, "later")]
        assert db.messages["1"] == message(1, "later")


async def test_a_function_that_writes_the_row_itself_is_not_asked_for_ever(
    embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        given: list[str] = []

        def answer(base: Any, theirs: Any, ours: Message) -> Message:
            given.append(ours.content)
            db.messages.update("1", add("again"))
            return both(base, theirs, ours)

        db.messages.on_conflict(answer)
        await db.messages.insert(message(1, "old")).synced()
        await overlapping(
            db,
            messages.update(message(1, "theirs")),
            lambda: db.messages.update("1", content="mine"),
        )
        assert db.messages["1"].content == " ".join(["mine", *["again"] * len(given)])
        assert caplog.text.count("was written again each time") == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "returned NoneType: it returns the row as it is to be, 'ours' or 'theirs'"),
        ("mine", "returned str: it returns the row as it is to be"),
        (message(2), "a row of another key than '1'"),
        (ZeroDivisionError(), "ZeroDivisionError"),
    ],
)
async def test_an_answer_that_makes_no_sense_is_logged_and_ours_stands(
    answer: Any, told: str, embedded_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with AsyncChat(embedded_url, create=True) as db:

        def resolve(*_: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        db.messages.on_conflict(resolve)
        await db.messages.insert(message(1, "old")).synced()
        await overlapping(
            db,
            messages.update(message(1, "theirs")),
            lambda: db.messages.update("1", note="mine"),
        )
        assert told in caplog.text
        assert f"{db.url}: the function for conflicts of collection 'messages'" in caplog.text
        assert db.messages["1"] == message(1, "old", note="mine")


async def test_what_it_is_given_is_checked(embedded_url: str) -> None:
    async def resolve(*_: Any) -> Any: ...

    db = AsyncChat(embedded_url, create=True)
    with pytest.raises(TypeError, match="decides at once"):
        db.messages.on_conflict(resolve)
    two: Any = lambda base, theirs: "ours"  # noqa: E731
    with pytest.raises(
        TypeError, match=r"on_conflict calls its function with \(base, theirs, ours"
    ):
        db.messages.on_conflict(two)
    with pytest.raises(
        TypeError, match=r"on_conflict calls its function with \(base, theirs, ours"
    ):
        AsyncChat(embedded_url, on_conflict=two)
    await db.aclose()


async def test_it_can_be_taken_off(embedded_url: str) -> None:
    asked: list[Any] = []
    async with AsyncChat(embedded_url, create=True) as db:
        db.messages.on_conflict(lambda *rows: asked.append(rows) or "theirs")
        db.messages.on_conflict(None)
        db.messages.on_conflict(None)
        await db.messages.insert(message(1, "old")).synced()
        await overlapping(
            db,
            messages.update(message(1, "theirs")),
            lambda: db.messages.update("1", content="mine"),
        )
        assert (asked, db.messages["1"].content) == ([], "mine")


async def test_it_runs_when_the_commit_is_over_and_all_is_told(embedded_url: str) -> None:
    """It may write, read and wait for nothing: no commit is under way, and nobody is behind."""
    async with AsyncChat(embedded_url, create=True) as db:
        seen: list[str] = []

        def resolve(base: Any, theirs: Any, ours: Any) -> Any:
            with ThreadPoolExecutor(1) as elsewhere:  # where the lock must be free
                assert elsewhere.submit(db.messages.get, "1").result(10) == ours
            seen.append("asked")
            return "theirs"

        db.messages.on_conflict(resolve)
        await db.messages.insert(message(1, "old")).synced()
        db.messages.subscribe(
            lambda changes: seen.extend(c.new.content for c in changes if c.new and c.key == "1")
        )
        await overlapping(
            db,
            messages.update(message(1, "theirs")),
            lambda: db.messages.update("1", content="mine"),
        )
        assert seen == ["mine", "asked", "theirs"]


@pytest.mark.parametrize("default", ["theirs", lambda _base, theirs, _ours: theirs])
async def test_a_database_may_have_an_answer_for_all_collections(
    default: Any, embedded_url: str
) -> None:
    async with AsyncChat(embedded_url, create=True, on_conflict=default) as db:
        for content in ("theirs", "overwritten"):
            await db.messages.upsert(message(1, "old")).synced()
            await overlapping(
                db,
                messages.update(message(1, content)),
                lambda: db.messages.update("1", content="mine"),
            )
            expected = "theirs" if content == "theirs" else "mine"
            assert db.messages["1"].content == expected
            db.messages.on_conflict(lambda *_: "ours")  # which goes before it


def test_other_answers_of_a_database_are_refused(embedded_url: str) -> None:
    with pytest.raises(ValueError, match="must be one of ours, theirs"):
        Chat(embedded_url, on_conflict="mine")  # type: ignore[arg-type]  # the fault

    async def later(*_: Any) -> Any:
        """Answer too late."""

    with pytest.raises(TypeError, match="on_conflict"):
        Chat(embedded_url, on_conflict=later)
