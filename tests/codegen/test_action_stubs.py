"""Actions without effects are stubs, which an application subclasses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.agreement.compiled import load_package, unload_package

from streamdb import InvalidInput, StreamDBError, TransactionFailed
from streamdb_gen.loading import load_spec_text

ID = {"type": "string"}
SPEC = {
    "name": "notes",
    "collections": {"notes": {"primaryKey": "id", "schema": {"$ref": "#/$defs/Note"}}},
    "actions": {
        "post": {"input": {"$ref": "#/$defs/Note"}, "effects": [{"insert": "notes"}]},
        "askServer": {
            "description": "Ask for a note.",
            "input": {"type": "object", "required": ["id"], "properties": {"id": ID}},
        },
        "other": {"input": {"type": "object", "properties": {"id": ID}}},
    },
    "$defs": {"Note": {"type": "object", "required": ["id"], "properties": {"id": ID, "text": ID}}},
}


@pytest.fixture(params=["msgspec", "pydantic"])
def package(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ModuleType]:
    loaded = load_spec_text(json.dumps(SPEC), "notes.json")
    assert loaded.spec is not None, loaded.findings
    package = load_package(loaded.spec, tmp_path, request.param)
    yield package
    unload_package(package)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"embedded:{tmp_path}/notes.db#notes"


def unchecked(kind: Any, **fields: Any) -> Any:
    """An instance as nobody has checked it."""
    return kind.model_construct(**fields) if hasattr(kind, "model_construct") else kind(**fields)


def own(package: ModuleType, *, form: str = "", **methods: Any) -> type:
    """A class of actions whose `ask_server` has these methods."""
    stub = type("AskServer", (getattr(package, f"{form}AskServerStub"),), methods)
    return type("OwnActions", (getattr(package, f"{form}Actions"),), {"ask_server": stub()})


def test_both_parts_have_the_database_and_the_input(package: ModuleType, url: str) -> None:
    asked: list[Any] = []

    def on_mutate(self: Any, data: Any) -> None:
        self.db.notes.insert(package.Note(id=data.id, text="asked"))

    def persist(self: Any, data: Any, tx: Any) -> None:
        asked.append((data.id, tx.txid, self.db.notes[data.id].text))
        tx.send()

    actions = own(package, on_mutate=on_mutate, persist=persist)
    with package.Notes(url, create=True, actions=actions) as db:
        transaction = db.actions.ask_server(package.AskServerInput(id="a"))
        assert db.notes["a"].text == "asked"
        transaction.synced(10)
        assert asked == [("a", transaction.txid, "asked")]
        db.actions.post(package.Note(id="b")).result(10)


async def test_the_async_form_is_awaited(package: ModuleType, url: str) -> None:
    async def persist(self: Any, data: Any, tx: Any) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("no")

    def on_mutate(self: Any, data: Any) -> None:
        self.db.notes.insert(package.Note(id=data.id))

    actions = own(package, form="Async", on_mutate=on_mutate, persist=persist)
    async with package.AsyncNotes(url, create=True, actions=actions) as db:
        transaction = db.actions.ask_server(package.AskServerInput(id="a"))
        assert db.notes.keys() == ["a"]
        with pytest.raises(TransactionFailed, match="'ask_server' raised RuntimeError: no"):
            await transaction
        assert db.notes.keys() == []


def test_what_shows_is_sent_if_nothing_else_is_said(package: ModuleType, url: str) -> None:
    actions = own(package, on_mutate=lambda self, data: self.db.notes.insert(package.Note(id="a")))
    with package.Notes(url, create=True, actions=actions) as db:
        db.actions.ask_server(package.AskServerInput(id="x")).synced(10)
        assert db.notes.keys() == ["a"]


def test_nothing_has_to_show(package: ModuleType, url: str) -> None:
    actions = own(package, persist=lambda self, data, tx: tx.release())
    with package.Notes(url, create=True, actions=actions) as db:
        db.actions.ask_server(package.AskServerInput(id="x")).synced(10)


def test_one_that_nobody_has_written_says_what_to_write(package: ModuleType, url: str) -> None:
    with package.Notes(url, create=True) as db:
        with pytest.raises(NotImplementedError) as caught:
            db.actions.ask_server(package.AskServerInput(id="a"))
        assert str(caught.value).splitlines()[2:] == [
            "class AskServer(AskServerStub):",
            "    def on_mutate(self, data): ...  # writes to self.db, which show at once",
            "    def persist(self, data, tx): ...  # durable",
            "",
            "class OwnActions(Actions):",
            "    ask_server = AskServer()",
            "",
            "and pass it to the database: actions=OwnActions",
        ]


def test_the_input_is_checked_before_anything_shows(package: ModuleType, url: str) -> None:
    called: list[Any] = []
    actions = own(package, on_mutate=lambda self, data: called.append(data))
    with package.Notes(url, create=True, actions=actions) as db:
        with pytest.raises(InvalidInput, match=r"ask_server takes AskServerInput, not dict: Ask"):
            db.actions.ask_server({"id": "a"})
        with pytest.raises(InvalidInput, match="/id"):
            db.actions.ask_server(unchecked(package.AskServerInput, id=5))
    assert called == []


def test_each_database_has_its_own(package: ModuleType, tmp_path: Path) -> None:
    """And its fork, too."""
    actions = own(package, on_mutate=lambda self, data: self.db.notes.insert(package.Note(id="a")))
    one, other, fork = (f"embedded:{tmp_path}/notes.db#{name}" for name in ("a", "b", "fork"))
    with (
        package.Notes(one, create=True, actions=actions) as first,
        package.Notes(other, create=True, actions=actions) as second,
        second.fork(fork) as third,
    ):
        for db in (first, third):
            db.actions.ask_server(package.AskServerInput(id="x")).synced(10)
        assert [len(db.notes) for db in (first, second, third)] == [1, 0, 1]


def test_what_makes_no_sense_is_refused_where_it_is_written(package: ModuleType, url: str) -> None:
    async def asynchronous(*_: Any) -> None: ...

    def plain(*_: Any) -> None: ...

    with pytest.raises(TypeError, match="on_mutate is `async def`"):
        own(package, form="Async", on_mutate=asynchronous)
    with pytest.raises(TypeError, match="persist of this form of database is a plain `def`"):
        own(package, persist=asynchronous)
    with pytest.raises(TypeError, match="persist of this form of database is an `async def`"):
        own(package, form="Async", persist=plain)
    with pytest.raises(TypeError, match=r"no stub 'ask_sever'. Did you mean 'ask_server'"):
        type("Own", (package.Actions,), {"ask_sever": package.AskServerStub()})
    with pytest.raises(TypeError, match="no stub 'post'"):  # it has effects
        type("Own", (package.Actions,), {"post": package.AskServerStub()})
    with pytest.raises(TypeError, match="not derived from AskServerStub"):
        type("Own", (package.Actions,), {"ask_server": package.OtherStub()})
    with pytest.raises(StreamDBError, match="not part of a class of actions"):
        package.AskServerStub()(package.AskServerInput(id="a"))
    with pytest.raises(StreamDBError, match="not part of a database"):
        own(package, on_mutate=plain).ask_server(package.AskServerInput(id="a"))  # type: ignore[attr-defined]  # made at run time


def test_its_class_is_named_after_the_action() -> None:
    loaded = load_spec_text(json.dumps(SPEC), "notes.json")
    assert loaded.spec is not None
    stubs = {action.name: action.stub_class for action in loaded.spec.actions}
    assert stubs == {"post": None, "ask_server": "AskServerStub", "other": "OtherStub"}


def test_a_row_of_the_name_of_a_stub_is_a_finding() -> None:
    spec = json.loads(json.dumps(SPEC))
    spec["$defs"]["AsyncOtherStub"] = {"type": "object", "properties": {"id": ID}}
    (finding,) = load_spec_text(json.dumps(spec), "notes.json").findings
    assert finding.rule == "NAME_COLLISION"
    assert "the stub of the action `other`" in finding.message
    spec["actions"]["other"]["x-streamdb-name"] = "other_2"
    loaded = load_spec_text(json.dumps(spec), "notes.json")
    assert loaded.spec is not None, loaded.findings
    assert loaded.spec.actions[2].stub_class == "Other2Stub"
