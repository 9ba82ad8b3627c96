"""Several rows in one call: one write, all of them or none."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.runtime.chat_schema import AsyncChat, Chat, Message, message, sensor

from streamdb import AsyncStream, DuplicateKey, InvalidRow, LocalCollection, MissingKey


async def txids(url: str) -> list[list[str]]:
    """Return the txids of the stream, of each batch that was appended, without repetitions."""
    async with AsyncStream(url) as stream:
        found = [e["headers"]["txid"] async for batch in stream.read() for e in stream.items(batch)]
    return [list(dict.fromkeys(found))]


async def test_they_are_one_transaction(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        seen: list[int] = []
        db.messages.subscribe(lambda changes: seen.append(len(changes)))
        made = db.messages.insert([message(1), message(2), message(3)])
        assert db.messages.keys() == ["1", "2", "3"]
        written = db.messages.upsert((message(3, "c"), message(4)))
        changed = db.messages.update(["1", "2"], content="x")
        renamed = db.messages.update(["3", "4"], lambda m: replace(m, content=m.content + "y"))
        removed = db.messages.delete(["4", "1"])
        await removed.synced()
        assert list(db.messages) == [message(2, "x"), message(3, "cy")]
        assert seen[:5] == [3, 2, 2, 2, 2]
        told = [each.txid for each in (made, written, changed, renamed, removed)]
        assert await txids(embedded_url) == [told]


def test_the_blocking_form(embedded_url: str) -> None:
    with Chat(embedded_url, create=True) as db:
        db.messages.insert([message(1), message(2)]).synced()
        db.sensors.insert([sensor(1), sensor(2)])
        db.sensors.delete([1, 2]).synced()
        assert (db.messages.keys(), db.sensors.keys()) == (["1", "2"], [])


async def test_none_is_free(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        nothing: list[Message] = []
        transaction = db.messages.insert(nothing)
        assert transaction.status == "synced"
        await transaction


@pytest.mark.parametrize("is_inside", [False, True])
async def test_if_one_is_refused_none_is_written(embedded_url: str, is_inside: bool) -> None:
    """And a transaction in which that happens, and is caught, goes on without them."""
    wrong: Any = replace(message(3), content=5)  # type: ignore[arg-type]  # which is the fault
    async with AsyncChat(embedded_url, create=True) as db:
        await db.messages.insert(message(1)).synced()

        def refused() -> None:
            with pytest.raises(InvalidRow):
                db.messages.insert([message(2), wrong])
            with pytest.raises(DuplicateKey):
                db.messages.insert([message(2), message(1)])
            with pytest.raises(DuplicateKey):
                db.messages.insert([message(2), message(2)])
            with pytest.raises(InvalidRow):
                db.messages.upsert([message(2), wrong])
            with pytest.raises(MissingKey):
                db.messages.update(["1", "5"], content="x")
            with pytest.raises(MissingKey):
                db.messages.delete(["1", "5"])

        if is_inside:
            with db.transaction() as transaction:
                db.messages.insert(message(4))
                refused()
            await transaction.synced()
        else:
            refused()
        assert list(db.messages) == [message(1)] + [message(4)] * is_inside


@pytest.mark.parametrize("is_inside", [False, True])
def test_local_collections_take_several_too(is_inside: bool) -> None:
    rows = LocalCollection(Message, key="id")
    seen: list[int] = []
    rows.subscribe(lambda changes: seen.append(len(changes)))
    rows.insert([message(1), message(2)])

    def write() -> None:
        rows.upsert(message(3))
        with pytest.raises(DuplicateKey):
            rows.insert([message(4), message(1)])
        with pytest.raises(MissingKey):
            rows.delete(["3", "5"])
        rows.update(["1", "3"], content="x")

    if is_inside:
        with rows.batch():
            write()
    else:
        write()
    assert list(rows) == [message(1, "x"), message(2), message(3, "x")]
    assert seen == ([2, 2] if is_inside else [2, 1, 2])


async def test_an_expected_row_goes_with_one_key(embedded_url: str) -> None:
    async with AsyncChat(embedded_url, create=True) as db:
        db.messages.insert([message(1), message(2)])
        with pytest.raises(TypeError, match="goes with one key"):
            db.messages.update(["1", "2"], content="x", expect=message(1))
