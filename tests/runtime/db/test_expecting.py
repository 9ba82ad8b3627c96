"""`update(..., expect=row)`: what another program has written since is not overwritten unseen."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from tests.runtime.chat_schema import AsyncChat, Chat, message, messages, sensor
from tests.runtime.db.held import held_writes, overtake, unread
from tests.type_checkers import CHECKERS, Checker, check_marked

from streamdb import (
    AsyncStream,
    AsyncStreamDB,
    LocalCollection,
    RowChanged,
    Stream,
    TransactionFailed,
    collection,
)


async def test_a_row_that_is_the_expected_one_is_written(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1, "old")).synced()
        transaction = db.messages.update("1", content="new", expect=message(1, "old"))
        await transaction.synced()
        assert not transaction.conflict
        by_function = db.messages.update(
            "1", lambda row: message(1, row.content + "er"), expect=db.messages["1"]
        )
        await by_function.synced()
        assert db.messages["1"].content == "newer"


async def test_another_row_is_told_at_once(url: str) -> None:
    async with AsyncChat(url, create=True) as db:
        await db.messages.insert(message(1, "new")).synced()
        with pytest.raises(RowChanged, match="'1' of collection 'messages' is another") as told:
            db.messages.update("1", content="mine", expect=message(1, "old"))
        assert told.value.row is db.messages["1"]
        assert isinstance(told.value, TransactionFailed)
        with suppress(RowChanged), db.transaction() as transaction:
            db.messages.insert(message(2))
            db.messages.update("1", content="mine", expect=message(1, "old"))
        assert transaction.status == "failed"
        assert db.messages.keys() == ["1"]
        with pytest.raises(TypeError, match="expect= takes a row of collection 'messages', not"):
            db.messages.update("1", content="mine", expect=sensor(1))  # type: ignore[arg-type]  # the fault


@pytest.mark.parametrize("is_removed", [False, True])
async def test_what_others_write_before_it_is_sent_fails_it(url: str, is_removed: bool) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        with held_writes(db):
            transaction = db.messages.update("1", content="mine", expect=db.messages["1"])
            unaware = db.messages.update("1", note="later")
            theirs = messages.delete("1", txid="t") if is_removed else None
            await stream.append(theirs or messages.update(message(1, "old", note="x"), txid="t"))
            await db.await_txid("t")
        with pytest.raises(RowChanged) as told:
            await transaction
        assert transaction.error is told.value
        assert told.value.row == (None if is_removed else message(1, "old", note="x"))
        with pytest.raises(TransactionFailed):
            await unaware
        assert db.messages.get("1") == told.value.row
    async with AsyncChat(url) as again:
        assert again.messages.get("1") == told.value.row


def test_the_blocking_form_fails_it_too(url: str) -> None:
    with Chat(url, create=True) as db, Stream(url) as stream:
        db.messages.insert(message(1, "old")).synced(10)
        with held_writes(db):
            transaction = db.messages.update("1", content="mine", expect=db.messages["1"])
            stream.append(messages.update(message(1, "theirs"), txid="t"))
            db.await_txid("t")
        with pytest.raises(RowChanged):
            transaction.result(10)
        assert db.messages["1"] == message(1, "theirs")


async def test_the_same_row_written_again_is_still_the_expected_one(url: str) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        with held_writes(db):
            transaction = db.messages.update("1", content="mine", expect=db.messages["1"])
            await stream.append(messages.update(message(1, "old"), txid="t"))
            await db.await_txid("t")
        await transaction.synced()
        assert db.messages["1"] == message(1, "mine")


async def test_what_comes_between_sending_and_the_stream_is_told_afterwards(url: str) -> None:
    """A log cannot compare: the write is on it, and `conflict` says what it has undone."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        with unread(db):
            await stream.append(messages.update(message(1, "theirs")))
            transaction = db.messages.update("1", content="mine", expect=db.messages["1"])
            await transaction
        await transaction.synced()
        assert transaction.conflict


async def test_own_writes_below_are_part_of_what_is_expected(url: str) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        with held_writes(db):
            db.messages.update("1", note="mine")
            second = db.messages.update("1", content="x", expect=message(1, "old", note="mine"))
        await second.synced()
        with held_writes(db):
            first = db.messages.update("1", note="again")
            second = db.messages.update("1", content="y", expect=db.messages["1"])
            await stream.append(messages.update(message(1, "theirs"), txid="t"))
            await db.await_txid("t")
        await first.synced()
        with pytest.raises(RowChanged):
            await second
        assert db.messages["1"] == message(1, "theirs", note="again")


async def test_in_a_transaction_the_first_write_of_the_row_counts(url: str) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        with held_writes(db):
            with db.transaction() as transaction:
                db.messages.update("1", note="mine")
                db.messages.update("1", content="x", expect=message(1, "old", note="mine"))
            await stream.append(messages.update(message(1, "theirs"), txid="t"))
            await db.await_txid("t")
        with pytest.raises(RowChanged):
            await transaction
        with db.transaction() as transaction:
            db.messages.upsert(message(2, "new"))
            db.messages.update("2", content="newer", expect=message(2, "new"))
        await transaction.synced()
        assert db.messages["2"] == message(2, "newer")


async def test_what_stands_on_no_row_expects_none(url: str) -> None:
    """An upsert takes the place of whatever is there, and so an update that follows it does."""
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        with held_writes(db):
            with db.transaction() as tx:
                db.messages.upsert(message(1, "mine"))
                db.messages.update("1", note="mine", expect=message(1, "mine"))
            await stream.append(messages.update(message(1, "theirs"), txid="t"))
            await db.await_txid("t")
        await tx.synced()
        assert db.messages["1"] == message(1, "mine", note="mine")


async def test_in_a_transaction_the_row_may_be_as_it_was_before_its_first_update(url: str) -> None:
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        with db.transaction() as transaction:
            seen = db.messages["1"]
            db.messages.update("1", note="mine")
            db.messages.update("1", content="x", expect=seen)
            with pytest.raises(RowChanged):
                db.messages.update("1", content="y", expect=message(1, "other"))
        await transaction.synced()
        assert db.messages["1"] == message(1, "x", note="mine")
        with held_writes(db):
            with db.transaction() as transaction:
                seen = db.messages["1"]
                db.messages.update("1", note="again")
                db.messages.update("1", content="y", expect=seen)
            await stream.append(messages.update(message(1, "theirs"), txid="t"))
            await db.await_txid("t")
        with pytest.raises(RowChanged):
            await transaction


async def test_what_is_refused_beside_another_write_is_looked_at_again(tmp_path: Path) -> None:
    url = f"embedded:{tmp_path / 's.db'}#s"
    async with await AsyncStream.create(url) as stream, AsyncChat(url) as db:
        await db.messages.insert(message(1, "old")).synced()
        overtake(db, lambda: careful.txid, stream, messages.update(message(1, "theirs"), txid="t"))
        careful = db.messages.update("1", content="mine", expect=db.messages["1"])
        refused = db.messages.insert(message(2, "x" * (70 * 1024 * 1024)))
        with pytest.raises(TransactionFailed):
            await refused
        with pytest.raises(RowChanged):
            await careful
        assert db.messages["1"] == message(1, "theirs")


async def test_no_row_is_nothing_that_an_update_may_expect(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        await db.messages.insert(message(1, "theirs")).synced()
        there_was_none: Any = db.messages.get("2")
        with pytest.raises(TypeError, match="not None, for there is a row where one is updated"):
            db.messages.update("1", content="mine", expect=there_was_none)
        with pytest.raises(TypeError, match="not None, for there is a row where one is updated"):
            db.messages.update("1", lambda row: row, expect=there_was_none)
        assert db.messages["1"] == message(1, "theirs")


@pytest.mark.parametrize("checker", CHECKERS)
def test_what_it_takes_is_typed(checker: Checker) -> None:
    check_marked(Path(__file__).parent / "written_typing_cases.py", checker)


class Hope(Struct, frozen=True):
    id: str
    expect: str


async def test_a_field_of_that_name_is_a_field(embedded_url: str) -> None:
    declared = collection(Hope, type="hope", primary_key="id")
    hopes: Any = type("Hopes", (AsyncStreamDB,), {"hopes": declared})
    async with hopes(embedded_url, create=True) as db:
        await db.hopes.insert(Hope("a", "rain")).synced()
        await db.hopes.update("a", expect="sun").synced()
        assert db.hopes["a"] == Hope("a", "sun")
        with pytest.raises(RowChanged):
            db.hopes.update("a", lambda row: row, expect=Hope("a", "rain"))


def test_local_collections_have_no_others() -> None:
    hopes = LocalCollection(Hope, key="id")
    hopes.insert(Hope("a", "rain"))
    with pytest.raises(TypeError, match="nobody else writes a local collection"):
        hopes.update("a", lambda row: row, expect=Hope("a", "rain"))
