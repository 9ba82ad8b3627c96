"""Collections that merge (UPDATE-4): a write leaves the row that it says, or it is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

import pytest
from msgspec import UNSET, Struct, UnsetType
from pydantic import BaseModel

from streamdb import Extensible, InvalidRow, Maybe, StreamDB, collection, pydantic_rows
from streamdb.pydantic_rows import PydanticRow


class StructRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    mood: Maybe[str] = None
    rank: int | None = None
    size: int = 0
    sizes: dict[str, int] = {}
    seen: int | UnsetType | None = UNSET


class ExtensibleRow(Extensible[int]):
    id: str
    mood: Maybe[str] = None
    rank: int | None = None
    size: int = 0
    seen: int | UnsetType | None = UNSET


@dataclass(frozen=True, kw_only=True)
class DataclassRow:
    id: str
    mood: Maybe[str] = None
    rank: int | None = None
    size: int = 0
    sizes: dict[str, int] = field(default_factory=dict[str, int])
    seen: int | UnsetType | None = UNSET


class ModelRow(BaseModel):
    id: str
    mood: pydantic_rows.Maybe[str] = None
    rank: int | None = None
    size: int = 0
    sizes: dict[str, int] = {}
    seen: pydantic_rows.Omissible[int | None] = UNSET


class GeneratedRow(PydanticRow, frozen=True):
    id: str
    mood: pydantic_rows.Maybe[str] = None
    seen: pydantic_rows.Omissible[int | None] = UNSET


class DictRow(TypedDict):
    id: str
    mood: NotRequired[str]
    seen: NotRequired[int | None]


SCHEMA: dict[str, Any] = {
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "mood": {"type": "string"},
        "seen": {"type": ["integer", "null"]},
    },
}
ALL = (StructRow, ExtensibleRow, DataclassRow, ModelRow, GeneratedRow, DictRow, dict)


def database(kind: Any) -> type[Any]:
    options = {"schema": SCHEMA} if kind is dict else {}
    rows = collection(kind, type="row", primary_key="id", updates="merge", **options)
    return type("Rows", (StreamDB,), {"rows": rows})


@pytest.mark.parametrize("kind", ALL)
def test_what_a_merge_cannot_take_away_is_refused(kind: Any, embedded_url: str) -> None:
    with database(kind)(embedded_url, create=True) as db:
        row = kind(id="a", mood="ok", seen=3)
        db.rows.insert(row).synced(5)
        for name in ("mood", "seen"):
            with pytest.raises(InvalidRow, match="the collection merges") as caught:
                db.rows.update("a", **{name: UNSET})
            assert caught.value.pointer == f"/{name}"
        for write in (db.rows.upsert, lambda it: db.rows.update("a", lambda _: it)):
            with pytest.raises(InvalidRow, match="delete the row and insert it anew"):
                write(kind(id="a", mood="ok"))
        db.rows.update("a", seen=None, mood="better").synced(5)
        assert db.rows["a"] == kind(id="a", mood="better", seen=None)
        with db.transaction() as tx:  # as the message says
            db.rows.delete("a")
            db.rows.insert(kind(id="a"))
        tx.synced(5)
        assert db.rows["a"] == kind(id="a")


@pytest.mark.parametrize("kind", [StructRow, DataclassRow, ModelRow])
@pytest.mark.parametrize("upsert_as", ["upsert", "insert_or_update"])
def test_defaults_are_merged_like_other_values(
    kind: Any, upsert_as: Any, embedded_url: str
) -> None:
    full = {"rank": 1, "size": 2, "sizes": {"x": 1}}
    with database(kind)(embedded_url, create=True, upsert_as=upsert_as) as db:
        db.rows.insert(kind(id="a", **full)).synced(5)
        db.rows.update("a", rank=None).synced(5)
        assert db.rows["a"] == kind(id="a", **{**full, "rank": None})
        db.rows.update("a", lambda _: kind(id="a", size=2)).synced(5)
        assert db.rows["a"] == kind(id="a", size=2)
        db.rows.upsert(kind(id="a")).synced(5)
        assert db.rows["a"] == kind(id="a")


def test_extras_cannot_be_taken_away_by_a_merge(embedded_url: str) -> None:
    with database(ExtensibleRow)(embedded_url, create=True) as db:
        db.rows.insert(ExtensibleRow(id="a", extras={"x": 1, "y": 2})).synced(5)
        db.rows.update("a", extras={"x": 3, "y": 2, "z": 4}).synced(5)
        assert db.rows["a"].extras == {"x": 3, "y": 2, "z": 4}
        with pytest.raises(InvalidRow, match="the collection merges"):
            db.rows.update("a", extras={"x": 1})


def test_a_write_knows_what_was_written_before_it(embedded_url: str) -> None:
    """Before it has come back."""
    with database(StructRow)(embedded_url, create=True) as db:
        with db.transaction() as tx:
            db.rows.insert(StructRow(id="a", size=5))
            db.rows.upsert(StructRow(id="a"))
        tx.synced(5)
        assert db.rows["a"] == StructRow(id="a")


@pytest.mark.parametrize("kind", ALL)
def test_in_a_transaction_what_was_written_in_it_can_be_taken_away(
    kind: Any, embedded_url: str
) -> None:
    """For one write comes of it; but not what the stream has."""
    with database(kind)(embedded_url, create=True) as db:
        db.rows.insert(kind(id="a", mood="ok")).synced(5)
        with db.transaction() as tx:
            db.rows.insert(kind(id="b", mood="ok", seen=3))
            db.rows.update("b", mood=UNSET, seen=UNSET)
            db.rows.upsert(kind(id="c", mood="ok", seen=3))
            db.rows.upsert(kind(id="c", mood="ok"))
            db.rows.update("c", mood=UNSET)
            db.rows.update("a", seen=3)
            db.rows.update("a", seen=UNSET, mood="good")
            with pytest.raises(InvalidRow, match="the collection merges"):
                db.rows.update("a", mood=UNSET)
            with pytest.raises(InvalidRow, match="the collection merges"):
                db.rows.upsert(kind(id="a"))
        tx.synced(5)
        rows = [kind(id="a", mood="good"), kind(id="b"), kind(id="c")]
        assert list(db.rows) == rows
    with database(kind)(embedded_url) as db:
        assert list(db.rows) == rows
        with db.transaction() as tx:
            db.rows.delete("a")
            db.rows.upsert(kind(id="a", seen=3))
            db.rows.upsert(kind(id="a", mood="new"))
        tx.synced(5)
        assert db.rows["a"] == kind(id="a", mood="new")
