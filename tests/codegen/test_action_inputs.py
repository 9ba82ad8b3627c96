"""Inputs of actions are held to their schema before the action does anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.agreement.compiled import load_package, unload_package

from streamdb import InvalidInput
from streamdb_gen import api
from streamdb_gen.loading import load_spec_text

TAGS = {"type": "array", "items": {"type": "string"}}
NOTE = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string"}, "tags": TAGS},
}
TAG = {
    "type": "object",
    "required": ["id", "tags"],
    "properties": {"id": {"type": "string"}, "tags": {**TAGS, "uniqueItems": True}},
}
BOUNDED = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string", "minLength": 2},
        "size": {"type": "integer", "minimum": 1},
    },
}
ASK = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "to": {"$ref": "#/$defs/Person"}},
}
SPEC = {
    "name": "notes",
    "collections": {"notes": {"primaryKey": "id", "schema": {"$ref": "#/$defs/Note"}}},
    "actions": {
        "tag": {
            "input": TAG,
            "effects": [{"update": "notes", "key": "/id", "set": {"tags": "/tags"}}],
        },
        "rename": {
            "input": {
                "type": "object",
                "required": ["id"],
                "properties": {"id": {"type": "string"}},
            },
            "effects": [{"delete": "notes", "key": "/id"}],
        },
        "write": {"input": BOUNDED, "effects": [{"upsert": "notes"}]},
        "ask": {"input": ASK},
        "plain": {"input": {"type": "object", "properties": {"text": {"type": "string"}}}},
    },
    "$defs": {
        "Note": NOTE,
        "Person": {
            "type": "object",
            "properties": {"name": {"type": "string", "not": {"const": ""}}},
        },
    },
}


@pytest.fixture(params=["msgspec", "pydantic"])
def package(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ModuleType]:
    loaded = load_spec_text(json.dumps(SPEC), "notes.json")
    assert loaded.spec is not None, loaded.findings
    package = load_package(loaded.spec, tmp_path, request.param)
    yield package
    unload_package(package)


def test_an_input_that_breaks_its_schema_sends_nothing(package: ModuleType, tmp_path: Path) -> None:
    url = f"embedded:{tmp_path / 'notes.db'}#notes"
    with package.Notes(url, create=True) as db:
        db.notes.insert(package.Note(id="a", tags=("x",))).result()
        with pytest.raises(InvalidInput, match="must not hold an item twice") as caught:
            db.actions.tag(package.TagInput(id="a", tags=("y", "y")))
        assert (caught.value.action, caught.value.pointer) == ("tag", "/tags")
        db.actions.tag(package.TagInput(id="a", tags=("y", "z"))).result()
    with package.Notes(url) as db:
        db.preload()
        assert list(db.notes["a"].tags or ()) == ["y", "z"]


@pytest.mark.parametrize("form", ["", "Async"])
async def test_actions_with_effects_check_their_input_as_stubs_do(
    package: ModuleType, tmp_path: Path, form: str
) -> None:
    """Also where the type says all: a row may allow what the input does not."""
    db = getattr(package, f"{form}Notes")(f"embedded:{tmp_path}/s.db#s", create=True)
    made: Any = getattr(package.WriteInput, "model_construct", package.WriteInput)  # unchecked
    for wrong, pointer in ((made(id="a"), "/id"), (made(id="ab", size=0), "/size")):
        with pytest.raises(InvalidInput) as caught:
            db.actions.write(wrong)
        assert (caught.value.action, caught.value.pointer) == ("write", pointer)
    with pytest.raises(InvalidInput, match="write takes WriteInput, not Note"):
        db.actions.write(package.Note(id="ab"))
    with pytest.raises(InvalidInput, match="rename takes RenameInput, not str"):
        db.actions.rename("ab")
    assert db.status == "idle"


def test_a_dict_is_told_with_the_class_of_the_input(package: ModuleType, tmp_path: Path) -> None:
    """Also where the input's type says all, and nothing is checked before."""
    with package.Notes(f"embedded:{tmp_path}/s.db#s", create=True) as db:
        with pytest.raises(InvalidInput, match=r"plain takes PlainInput, not dict: PlainInput\("):
            db.actions.plain({"text": "hi"})
        with pytest.raises(NotImplementedError):
            db.actions.plain(package.PlainInput(text="hi"))


def test_actions_with_effects_are_part_of_a_transaction(
    package: ModuleType, tmp_path: Path
) -> None:
    with package.Notes(f"embedded:{tmp_path}/s.db#s", create=True) as db:
        db.notes.insert(package.Note(id="b")).result()
        with db.transaction() as transaction:
            db.notes.insert(package.Note(id="a", tags=("x",)))
            tagged = db.actions.tag(package.TagInput(id="a", tags=("y",)))
            renamed = db.actions.rename(package.RenameInput(id="b"))
        transaction.synced()
        assert {tagged.txid, renamed.txid} == {transaction.txid}
        assert [(note.id, list(note.tags)) for note in db.notes] == [("a", ["y"])]


def test_an_input_of_another_class_is_refused(package: ModuleType, tmp_path: Path) -> None:
    url = f"embedded:{tmp_path / 'notes.db'}#notes"
    with (
        package.Notes(url, create=True) as db,
        pytest.raises(InvalidInput, match="tag takes TagInput, not Note"),
    ):
        db.actions.tag(package.Note(id="a"))


@pytest.mark.parametrize("how", ["subclass", "mixin", "subclass of a subclass"])
def test_whoever_implements_an_action_gets_inputs_of_its_schema(
    package: ModuleType, tmp_path: Path, how: str
) -> None:
    asked: list[Any] = []

    class Asking:
        def ask(self, data: Any, /) -> str:
            asked.append(data)
            return "asked"

    if how == "subclass":
        implementation = type("Own", (package.Actions,), {"ask": Asking.ask})
    else:
        implementation = type("Mixed", (Asking, package.Actions), {})
    if how == "subclass of a subclass":
        implementation = type("Last", (implementation,), {})
    url = f"embedded:{tmp_path / 'notes.db'}#notes"
    with package.Notes(url, create=True, actions=implementation) as db:
        with pytest.raises(InvalidInput, match="/to/name"):
            db.actions.ask(package.AskInput(to=package.Person(name="")))
        assert asked == []
        good = package.AskInput(to=package.Person(name="b"))
        assert db.actions.ask(good) == "asked"
        assert asked == [good]


def test_a_stub_checks_before_it_says_that_it_is_one(package: ModuleType, tmp_path: Path) -> None:
    with package.Notes(f"embedded:{tmp_path / 'notes.db'}#notes", create=True) as db:
        with pytest.raises(InvalidInput):
            db.actions.ask(package.AskInput(to=package.Person(name="")))
        with pytest.raises(NotImplementedError):
            db.actions.ask(package.AskInput())


async def test_the_async_form_checks_alike(package: ModuleType, tmp_path: Path) -> None:
    url = f"embedded:{tmp_path / 'notes.db'}#notes"
    asked: list[Any] = []

    class Own(package.AsyncActions):  # type: ignore[name-defined, misc]  # made at run time
        async def ask(self, data: Any, /) -> None:
            asked.append(data)

    async with package.AsyncNotes(url, create=True, actions=Own) as db:
        with pytest.raises(InvalidInput):
            db.actions.tag(package.TagInput(id="a", tags=("y", "y")))
        with pytest.raises(InvalidInput):
            await db.actions.ask(package.AskInput(to=package.Person(name="")))
        await db.actions.ask(package.AskInput())
        assert len(asked) == 1


def test_every_action_checks_its_input() -> None:
    loaded = load_spec_text(json.dumps(SPEC), "notes.json")
    assert loaded.spec is not None
    left = {action.name: action.beyond_type for action in loaded.spec.actions}
    assert left == {
        "tag": ("uniqueItems",),
        "rename": (),
        "write": (),
        "ask": ("not",),
        "plain": (),
    }
    actions = api.generate(loaded.spec)["actions.py"]
    assert 'ActionInput("plain", PlainInput),' in actions
    assert 'ActionInput("rename", RenameInput),' in actions


def test_an_input_that_no_validator_takes_is_a_finding() -> None:
    odd = {**TAG, "not": {"const": "\ud800"}}
    spec = {**SPEC, "actions": {"tag": {"input": odd}}}
    (finding,) = load_spec_text(json.dumps(spec), "notes.json").findings
    assert (finding.rule, finding.pointer) == ("SCHEMA_NOT_CHECKABLE", "/actions/tag")
