"""Objects with declared fields and further properties."""

from __future__ import annotations

import copy
import datetime as dt
import json
import pickle
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import UNSET, Meta, Struct, UnsetType, field
from tests.runtime.chat_schema import NOON

from streamdb import (
    AnyOf,
    CollectionSchema,
    Columns,
    EventConstructors,
    Extensible,
    InvalidRow,
    Maybe,
    StateSchema,
)
from streamdb.expr import Column, predicate
from streamdb.protocol import json_text
from streamdb.state.decoder import PageDecoder
from streamdb.state.items import Invalid, Put
from streamdb.types.conversion import convert
from streamdb.types.faults import explain


class Metadata(Extensible[float]):
    source: str
    note: Maybe[str] = None
    created_at: Annotated[dt.datetime, Meta(tz=True)] = field(name="createdAt")
    parent: str | UnsetType | None = UNSET


class Node(Extensible["Node"]):
    name: Maybe[str] = None


class Anything(Extensible[Any]):
    pass


class Widget(Extensible[AnyOf["Widget", Sequence[int]]]):
    id: str
    meta: Maybe[Metadata] = None


class Gadget(Widget):
    size: int = field(name="gadgetSize", default=1)


PLAIN = {"source": "lab", "createdAt": "2026-03-01T12:00:00.000Z", "celsius": 20.5}


def test_what_is_not_declared_is_in_the_extras() -> None:
    row = convert(PLAIN, Metadata)
    assert row == Metadata(source="lab", created_at=NOON, extras={"celsius": 20.5})
    assert (row.source, row.note, row.created_at, row.parent) == ("lab", None, NOON, UNSET)
    assert json.loads(json_text.encode(row)) == PLAIN


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (Node, {"a": {"name": "x", "b": {}}, "c": {}}),
        (Anything, {"a": 1, "b": [None, {"c": 1.5}]}),
        (Anything, {}),
        (Widget, {"id": "w", "inner": {"id": "v", "n": [1]}, "n": [], "meta": PLAIN}),
        (Gadget, {"id": "w", "gadgetSize": 3, "n": [1]}),
        (Metadata, {**PLAIN, "parent": None, "note": "n"}),
        (Mapping[str, Sequence[Node]], {"x": [{"y": {}}]}),
        (Node, {"extras": {"name": "a property may be called so"}}),
    ],
)
def test_what_is_read_is_written_the_same(kind: Any, plain: Any) -> None:
    assert json.loads(json_text.encode(convert(plain, kind))) == plain


class Defaults(Extensible[int]):
    n: int = 1000
    zero: int = 0
    who: str = "nobody"
    note: Maybe[str] = None
    parent: str | None = None
    words: list[str] = field(default_factory=list[str])


def test_what_holds_its_default_is_written_unless_that_means_absent() -> None:
    """As in a struct. Whether a value is the very object of its default cannot be seen."""
    given = {"n": 1000, "zero": 0, "who": "nobody", "parent": None, "words": []}
    assert Defaults().__to_plain__() == convert(given, Defaults).__to_plain__() == given
    assert "note" in convert({"note": ""}, Defaults).__to_plain__()


@pytest.mark.parametrize(
    ("kind", "plain", "reason", "pointer"),
    [
        (Metadata, [], "expected `object`, got `array`", ""),
        (Metadata, {}, "lacks the property `source`", ""),
        (Metadata, {**PLAIN, "source": 5}, "expected `str`, got `int`", "/source"),
        (Metadata, {**PLAIN, "a/b": "x"}, "expected `float`, got `str`", "/a~1b"),
        (Metadata, {**PLAIN, "note": None}, "expected `str`, got `null`", "/note"),
        (Node, {"a": {"b": {"name": 5}}}, "expected `str`, got `int`", "/a/b/name"),
        (Widget, {"id": "", "meta": {**PLAIN, "x": "y"}}, "expected `float`, got `str`", "/meta/x"),
        (Sequence[Node], [{}, {"a": {"b": 5}}], "expected `object`, got `int`", "/1/a/b"),
    ],
)
def test_errors_point_to_their_place(kind: Any, plain: Any, reason: str, pointer: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        convert({"here": plain}, dict[str, kind])
    assert explain(caught.value) == (reason, "/*" + pointer)


def test_instances_are_immutable_values() -> None:
    row = convert(PLAIN, Metadata)
    with pytest.raises(AttributeError, match="immutable"):
        row.source = "other"
    with pytest.raises(AttributeError, match="immutable"):
        del row.source
    with pytest.raises(TypeError, match="unhashable"):
        hash(row)
    changed = row.__replace__(source="other", extras={})
    assert changed == Metadata(source="other", created_at=NOON)
    assert changed != row
    assert row != Node()
    assert copy.deepcopy(row) == copy.copy(row) == pickle.loads(pickle.dumps(row)) == row
    assert repr(Node(name="n", extras={"a": Node()})) == (
        "Node(name='n', extras={'a': Node(name=None, extras={})})"
    )


def test_constructing_takes_the_fields_and_no_others() -> None:
    with pytest.raises(TypeError, match="source"):
        Metadata(created_at=NOON)  # type: ignore[call-arg]  # the fault
    with pytest.raises(TypeError, match="sauce"):
        Metadata(source="", created_at=NOON, sauce=1)  # type: ignore[call-arg]  # the fault
    with pytest.raises(TypeError):
        Metadata("lab", created_at=NOON)  # type: ignore[call-arg, arg-type]  # the fault
    assert Node().extras is not Node().extras


def test_the_extras_have_their_name_to_themselves() -> None:
    with pytest.raises(TypeError, match="call the field `extras_`"):
        type("Bad", (Extensible,), {"__annotations__": {"extras": str}})


class WidgetColumns(Columns[Widget]):
    id: Column[str]


WIDGETS = EventConstructors(
    CollectionSchema(
        name="widgets", type="widget", primary_key="id", row=Widget, key=str, columns=WidgetColumns
    )
)
MERGED = CollectionSchema(
    name="merged",
    type="merged",
    primary_key="id",
    row=Widget,
    key=str,
    columns=WidgetColumns,
    updates="merge",
)


def decode(*texts: bytes) -> list[Any]:
    decoder = PageDecoder(StateSchema(name="s", collections=(WIDGETS.schema, MERGED)))
    return list(decoder.decode(b"[" + b",".join(texts) + b"]", url="u", offset="o").items)


def test_a_row_may_be_one() -> None:
    row = Widget(id="w1", extras={"n": [1], "inner": Widget(id="w2")})
    text = WIDGETS.insert(row).to_json()
    assert json.loads(text)["value"] == {"id": "w1", "n": [1], "inner": {"id": "w2"}}
    assert decode(text) == [Put(WIDGETS.schema, "w1", row)]
    odd = b'{"type":"widget","key":"w1","headers":{"operation":"insert"},"value":{"n":[1.0]}}'
    assert decode(odd) == [Put(WIDGETS.schema, "w1", Widget(id="w1", extras={"n": [1]}))]
    bad = b'{"type":"widget","key":"w1","headers":{"operation":"insert"},"value":{"n":{"n":[""]}}}'
    (invalid,) = decode(bad)
    assert isinstance(invalid, Invalid)
    assert invalid.pointer == "/value/n"
    assert predicate(WidgetColumns, lambda w: w.id == "w1")(row)


@pytest.mark.parametrize(
    ("row", "message", "pointer"),
    [
        (Widget(id="w", extras={"id": [1]}), "extras hold 'id'", ""),
        (Widget(id="w", extras={"n": "text"}), "Widget at /n: fits none of 2 types", "/n"),  # type: ignore[dict-item]  # the fault
        (Widget(id=5), "expected `str`", "/id"),  # type: ignore[arg-type]  # the fault
    ],
)
def test_a_wrong_row_is_refused(row: Widget, message: str, pointer: str) -> None:
    with pytest.raises(InvalidRow, match=message) as caught:
        WIDGETS.insert(row)
    assert caught.value.pointer == pointer


class Later(Struct):
    odd: AnyOf[Node, Metadata]


def test_the_type_of_extras_takes_part_in_choosing() -> None:
    assert convert({"odd": {"source": {}}}, Later) == Later(Node(extras={"source": Node()}))
