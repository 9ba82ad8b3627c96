"""Twins of structs: they read the same, and refuse what those do not declare, at every depth."""

from __future__ import annotations

import datetime as dt
import pickle
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from streamdb import AnyOf, Extensible, Maybe
from streamdb.types.strict_twin import StrictTwin, strict_twin


class Color(Enum):
    RED = "red"


class Text(Struct, frozen=True, gc=False, tag_field="kind", tag="text"):
    text: str
    color: Color = Color.RED


class Image(Struct, frozen=True, kw_only=True, tag_field="kind", tag="image"):
    url: str = msgspec.field(name="href")
    size: tuple[int, int] | None = None


class Author(Struct, frozen=True, omit_defaults=True):
    name: str
    joined: dt.date | UnsetType = UNSET


class Closed(Struct, frozen=True, forbid_unknown_fields=True):
    n: int


class Row(Struct, frozen=True, omit_defaults=True, rename="camel"):
    row_id: str
    author: Author
    parts: Sequence[Text | Image]
    first_part: Text | Image | None = None
    by_name: Mapping[str, list[Author]] = msgspec.field(default_factory=dict[str, list[Author]])
    pair: tuple[Author, Closed] | UnsetType = UNSET
    many: Annotated[tuple[Author, ...], Meta(max_length=3)] = ()
    tags: Annotated[set[str], Meta(max_length=3)] | None = None
    mode: Literal["a", "b"] = "a"
    note: Maybe[str] = None
    anything: Any = None


AUTHOR = {"name": "ann", "joined": "2026-01-02"}
TEXT = {"kind": "text", "text": "hi"}
IMAGE = {"kind": "image", "href": "i.png", "size": [1, 2]}
PLAIN: dict[str, Any] = {
    "rowId": "r",
    "author": AUTHOR,
    "parts": [TEXT, IMAGE],
    "firstPart": IMAGE,
    "byName": {"x": [AUTHOR], "y": []},
    "pair": [AUTHOR, {"n": 1}],
    "many": [AUTHOR, AUTHOR],
    "tags": ["t"],
    "anything": {"deep": [{"er": 1}]},
}


def twin_of(kind: type[Any]) -> StrictTwin:
    twin = strict_twin(kind)
    assert twin is not None
    return twin


def test_what_was_read_is_of_the_class_itself_at_every_depth() -> None:
    text = msgspec.json.encode(PLAIN)
    twin = twin_of(Row)
    row: Any = msgspec.json.decode(text, type=twin.type)
    twin.restore([row, UNSET])

    plainly = msgspec.json.decode(text, type=Row)
    assert row == plainly  # structs of different classes are never equal
    assert type(row) is Row
    assert type(row.by_name["x"][0]) is type(row.pair[0]) is type(row.many[1]) is Author
    assert [type(part) for part in row.parts] == [Text, Image]
    assert msgspec.json.encode(row) == msgspec.json.encode(plainly)
    assert pickle.loads(pickle.dumps(row)) == row
    assert repr(row) == repr(plainly)
    assert msgspec.structs.replace(row, row_id="s").row_id == "s"
    assert hash(row.author) == hash(plainly.author)


def objects_in(plain: Any) -> list[dict[str, Any]]:
    if isinstance(plain, dict):
        inside = (objects_in(item) for name, item in plain.items() if name != "anything")
        return [plain, *(found for objects in inside for found in objects)]
    if isinstance(plain, list):
        return [found for item in plain for found in objects_in(item)]
    return []


def test_an_undeclared_property_is_noticed_wherever_it_is() -> None:
    count = len(objects_in(PLAIN))
    assert count == 11
    for index in range(count):
        plain = msgspec.json.decode(msgspec.json.encode(PLAIN))
        changed = objects_in(plain)[index]
        if changed is plain["byName"]:
            continue  # a map has no undeclared ones
        changed["new"] = {"a": 1}
        text = msgspec.json.encode(plain)
        with pytest.raises(msgspec.ValidationError, match="unknown field `new`"):
            msgspec.json.decode(text, type=twin_of(Row).type)


def test_what_its_type_refuses_its_twin_refuses() -> None:
    for change in ({"parts": [{"kind": "sound"}]}, {"many": [AUTHOR] * 4}, {"rowId": 1}):
        text = msgspec.json.encode(PLAIN | change)
        with pytest.raises(msgspec.ValidationError) as expected:
            msgspec.json.decode(text, type=Row)
        with pytest.raises(msgspec.ValidationError) as raised:
            msgspec.json.decode(text, type=twin_of(Row).type)
        assert str(raised.value) == str(expected.value)


class Tree(Struct):
    below: list[Tree]


class Inside(Struct, frozen=True):
    n: int


class InASet(Struct):
    inside: frozenset[Inside]


class Hooked(Struct):
    one: AnyOf[Inside, Author]


class Further(Extensible[Inside]):
    n: int


class HoldsFurther(Struct):
    further: Further


class Complete(Extensible[AnyOf[int, list[Any]]]):
    n: int


class AnArray(Struct, array_like=True):
    n: int


class Watching(Struct):
    seen = 0

    def __init_subclass__(cls, **_: Any) -> None:
        raise AssertionError("a class of ours must not show")


class Computing(Struct):
    inside: Inside

    def __post_init__(self) -> None:
        raise AssertionError("a class of ours must not show")


class ClosedComputing(Struct, forbid_unknown_fields=True):
    inside: Inside

    def __post_init__(self) -> None:
        raise AssertionError("a class of ours must not show")


class HoldsComputing(Struct):
    many: dict[str, list[Computing]]


WITHOUT = [Tree, InASet, Hooked, HoldsFurther, AnArray, Watching]
COMPUTING = [Computing, ClosedComputing, HoldsComputing]


@pytest.mark.parametrize("kind", [*WITHOUT, *COMPUTING])
def test_structs_without_a_twin(kind: type[Struct]) -> None:
    assert strict_twin(kind) is None


class Even(Struct, forbid_unknown_fields=True):
    n: int

    def __post_init__(self) -> None:
        assert type(self) is Even


@pytest.mark.parametrize("kind", [Closed, Complete, Even])
def test_what_has_no_undeclared_properties_is_its_own_twin(kind: Any) -> None:
    assert twin_of(kind).type is kind
