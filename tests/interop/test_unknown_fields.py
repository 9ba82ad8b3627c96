"""Programs of different age on one stream: an older one takes away nothing of a newer one's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import pytest
from msgspec import Struct
from msgspec.structs import replace
from tests.interop.processes import Peer
from tests.interop.samples import FULL_NOTE
from tests.interop.stream_db import OpenTypeScript
from tests.interop.writes import Json, Write, with_txids

from streamdb import AsyncStreamDB, StreamDB, collection


class OlderAuthor(Struct, frozen=True):
    name: str


class OlderStep(Struct, frozen=True):
    text: str


class OlderNote(Struct, frozen=True):
    """What the notes of ``schema.py`` and ``schema.mjs`` were once."""

    id: str
    title: str
    author: OlderAuthor
    steps: Sequence[OlderStep]
    scores: Mapping[str, float]


class AsyncOlderNotebook(AsyncStreamDB):
    notes = collection(OlderNote, type="note", primary_key="id")


class OlderNotebook(StreamDB):
    notes = collection(OlderNote, type="note", primary_key="id")


class Update(Protocol):
    """Opens an older database, updates a note, and returns the txid once that has come back."""

    def __call__(
        self, url: str, key: str, /, *change: Callable[[OlderNote], OlderNote], **fields: Any
    ) -> str: ...


def update_async(url: str, key: str, /, *change: Any, **fields: Any) -> str:
    async def update() -> str:
        async with AsyncOlderNotebook(url) as db:
            transaction = db.notes.update(key, *change, **fields)
            await transaction.synced()
            return transaction.txid

    return asyncio.run(update())


def update_blocking(url: str, key: str, /, *change: Any, **fields: Any) -> str:
    with OlderNotebook(url) as db:
        transaction = db.notes.update(key, *change, **fields)
        transaction.synced()
        return transaction.txid


both_forms = pytest.mark.parametrize(
    "update", [update_async, update_blocking], ids=["async", "blocking"]
)


def changed(note: OlderNote) -> OlderNote:
    """Change it in depth: another author, and the steps the other way round with one in between."""
    first, second = note.steps
    steps = [second, OlderStep("between"), first]
    return replace(note, author=OlderAuthor("Grace"), steps=steps, scores={"length": 1.5})


@both_forms
def test_an_older_python_client_changes_what_typescript_wrote(
    update: Update, writer: Peer, open_typescript: OpenTypeScript, url: str
) -> None:
    writer.ask("create", url=url)
    typescript_appends(writer, url, FULL_NOTE)
    typescript = open_typescript(url)

    txid = update(url, "full", title="Older")
    expected = FULL_NOTE | {"title": "Older"}
    assert typescript.rows(txid)["notes"]["full"] == expected
    txid = update(url, "full", changed)
    expected |= {
        "author": FULL_NOTE["author"] | {"name": "Grace"},
        "steps": [FULL_NOTE["steps"][1], {"text": "between"}, FULL_NOTE["steps"][0]],
        "scores": {"length": 1.5},
    }
    assert typescript.rows(txid)["notes"]["full"] == expected
    assert writer.ask("materialize", url=url)["notes"]["full"] == expected


@both_forms
def test_both_change_a_note_in_turn(
    update: Update, writer: Peer, open_typescript: OpenTypeScript, url: str
) -> None:
    """Each works on what the other one wrote last, TypeScript with fields that Python has not."""
    writer.ask("create", url=url)
    typescript_appends(writer, url, FULL_NOTE)
    typescript = open_typescript(url)
    seen = typescript.rows()["notes"]["full"]
    for number in range(3):
        txid = typescript_appends(writer, url, seen | {"status": "done", "label": f"{number}"})
        assert typescript.rows(txid)["notes"]["full"]["label"] == f"{number}"
        txid = update(url, "full", title=f"Title {number}")
        seen = typescript.rows(txid)["notes"]["full"]
        expected = {"status": "done", "label": f"{number}", "title": f"Title {number}"}
        assert seen == FULL_NOTE | expected


@both_forms
def test_an_older_typescript_client_and_an_older_python_one_change_what_python_wrote(
    update: Update, writer: Peer, open_typescript: OpenTypeScript, url: str
) -> None:
    """Here the newer program is a Python one, whose notes have what neither of the others knows."""
    newer = FULL_NOTE | {
        "pinned": {"by": "ann", "order": 1},
        "author": FULL_NOTE["author"] | {"orcid": "0000-0001"},
        "steps": [step | {"minutes": 5} for step in FULL_NOTE["steps"]],
    }
    with NewerNotebook(url, create=True) as db:
        db.notes.insert(newer).synced()
        typescript = open_typescript(url)
        seen = typescript.rows()["notes"]["full"]
        db.await_txid(typescript_appends(writer, url, seen | {"title": "TypeScript"}), timeout=20)
        assert db.notes["full"] == newer | {"title": "TypeScript"}

        txid = update(url, "full", author=OlderAuthor("Grace"))
        db.await_txid(txid, timeout=20)
        expected = newer | {"title": "TypeScript", "author": newer["author"] | {"name": "Grace"}}
        assert db.notes["full"] == expected
        assert typescript.rows(txid)["notes"]["full"] == expected


class NewerNotebook(StreamDB):
    notes = collection(dict, type="note", primary_key="id", schema={"type": "object"})


def typescript_appends(writer: Peer, url: str, note: Json) -> str:
    """Write a whole note by the library's helper; return the txid."""
    [write] = with_txids([Write("upsert", "notes", note)])
    writer.ask("append", url=url, writes=[write.for_typescript()])
    assert write.txid is not None
    return write.txid
