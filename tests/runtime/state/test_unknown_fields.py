"""What a newer program wrote beyond the class of a row: kept by whoever changes the row."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from tests.runtime.state import random_rows
from tests.runtime.state.random_rows import CLASSES, Object

from streamdb import AnyOf, Columns, InvalidRow
from streamdb.collections.loading import LoadingRows
from streamdb.collections.table import Table
from streamdb.state.contract import Contract
from streamdb.state.decoder import PageDecoder
from streamdb.state.fold import Fold
from streamdb.state.schema import CollectionSchema, StateSchema
from streamdb.state.unknown_fields import Stored, has_unknown
from streamdb.types.strict_twin import strict_twin


def schema_of(row: Any) -> CollectionSchema[Any, str]:
    return CollectionSchema(
        name="rows", type="row", primary_key="id", row=row, key=str, columns=Columns
    )


def as_json(plain: Any) -> bytes:
    return json.dumps(plain).encode()


def stored_by_key(schema: CollectionSchema[Any, str], values: list[Any]) -> dict[str, Stored]:
    """Read a page that a newer program wrote, as a database does, and return what is stored."""
    events = [
        {
            "type": "row",
            "key": value["id"],
            "value": value,
            "headers": {"operation": "upsert"},
        }
        for value in values
    ]
    state_schema = StateSchema(name="random", collections=(schema,))
    decoder, rows = PageDecoder(state_schema), LoadingRows()
    fold = Fold(decoder.judge, {"rows": rows}, lambda _: "clear")
    for piece in decoder.pieces(as_json(events), url="u", offset="o"):
        fold.add(piece.events)
    assert not fold.counts.invalid
    table = Table()
    table.replace(rows)
    found = {key: table.stored(key) for key in table.rows}
    return {key: row for key, row in found.items() if row is not None}


@pytest.mark.parametrize("class_of", CLASSES.values(), ids=CLASSES)
@given(data=st.data())
def test_a_changed_row_is_the_original_with_the_changes(
    class_of: Callable[[Object], Any], data: st.DataObject
) -> None:
    # Of typed dicts nobody can tell which member of a union they are.
    shape = data.draw(random_rows.rows(choices=class_of is not random_rows.typed_dict_of))
    schema = schema_of(class_of(shape))
    befores: list[Any] = data.draw(
        st.lists(random_rows.values(shape), min_size=1, max_size=12, unique_by=_id_of)
    )
    originals = [data.draw(random_rows.with_more(shape, before)) for before in befores]
    stored = stored_by_key(schema, originals)

    for before, original in zip(befores, originals, strict=True):
        found = stored[before["id"]]
        row = schema.decode(as_json(before))
        assert found.row == row
        assert type(found.row) is type(row)
        after = data.draw(random_rows.changed(shape, before)) | {"id": before["id"]}
        written = json.loads(schema.encode(schema.decode(as_json(after)), over=found))
        assert written == random_rows.merged(shape, after, before, original)


class Money(Struct, frozen=True):
    amount: int


class Priced(Struct, dict=True):
    id: str
    price: Money
    is_free: bool = False

    def __post_init__(self) -> None:
        self.is_free = self.price == Money(0)
        self.half = msgspec.structs.replace(self.price, amount=self.price.amount // 2)


def test_the_code_of_a_class_sees_the_classes_themselves() -> None:
    free = {"id": "a", "price": {"amount": 0}}
    stored = stored_by_key(schema_of(Priced), [free, {**free, "id": "b", "new": 1}])
    for found in stored.values():
        assert found.row.is_free
        assert type(found.row.half) is Money
    assert stored["a"].original is None
    assert stored["b"].original is not None


def test_one_of_the_random_classes_has_no_twin() -> None:
    shape = Object({"id": random_rows.Key()}, {})
    assert strict_twin(random_rows.struct_of(shape)) is not None
    assert strict_twin(random_rows.struct_without_twin_of(shape)) is None


def _id_of(row: Any) -> str:
    return str(row["id"])


class Part(Struct, frozen=True, tag_field="kind", tag="text"):
    text: str


class Image(Struct, frozen=True, tag_field="kind", tag="image"):
    url: str


class Row(Struct, frozen=True, omit_defaults=True):
    id: str
    parts: tuple[Part | Image, ...] = ()
    first: Part | Image | None = None
    by_number: dict[int, Part] = msgspec.field(default_factory=dict)
    by_id: dict[uuid.UUID, Part] = msgspec.field(default_factory=dict)
    is_done: bool = False


def part(text: str, **more: Any) -> dict[str, Any]:
    return {"kind": "text", "text": text, **more}


def updated(original: Any, **changes: Any) -> Any:
    """Read a row, change it, and return what is written."""
    schema = schema_of(Row)
    text = original if isinstance(original, bytes) else as_json(original)
    row = schema.decode(text)
    changed = msgspec.structs.replace(row, **changes)
    return json.loads(schema.encode(changed, over=Stored(row, text)))


@pytest.mark.parametrize("share", [1, 2, 100])
def test_long_streams_of_which_some_rows_have_more(share: int) -> None:
    """All of them, every second one, one in a hundred: each is what it would be alone."""
    schema, text = schema_of(Row), "x" * 100
    values = [
        {"id": f"r{n}", "first": part(text), **({"new": n} if n % share == 0 else {})}
        for n in range(2000)
    ]
    values += [{"id": f"r{n}", "first": part(text)} for n in range(1000, 1500)]
    stored = stored_by_key(schema, values)

    last = {value["id"]: value for value in values}
    assert list(stored) == list(last)
    for key, found in stored.items():
        assert (type(found.row), found.row) == (Row, Row(key, first=Part(text)))
        changed = msgspec.structs.replace(found.row, is_done=True)
        assert json.loads(schema.encode(changed, over=found)) == last[key] | {"is_done": True}


def test_elements_are_known_again_wherever_they_are_by_now() -> None:
    original = {"id": "r", "parts": [part("a", n=1), part("b", n=2), part("c", n=3)]}
    written = updated(original, parts=(Part("c"), Part("new"), Part("a")))
    assert written["parts"] == [part("c", n=3), part("new"), part("a", n=1)]


def test_an_element_that_has_changed_may_be_another_one() -> None:
    original = {"id": "r", "parts": [part("a", n=1)]}
    assert updated(original, parts=(Part("b"),))["parts"] == [part("b")]


def test_of_equal_elements_that_are_fewer_or_more_nobody_can_tell_which_is_which() -> None:
    original = {"id": "r", "parts": [part("a", n=1), part("a", n=2)]}
    assert updated(original, parts=(Part("a"),))["parts"] == [part("a")]
    assert updated(original, parts=(Part("a"), Part("a")))["parts"] == original["parts"]
    original = {"id": "r", "parts": [part("a", n=1), part("a", n=1)]}
    assert updated(original, parts=(Part("a"),) * 3)["parts"] == [part("a", n=1)] * 3


def test_another_member_of_a_union_begins_anew() -> None:
    original = {"id": "r", "new": 1, "first": part("a", alt="x")}
    assert updated(original, first=Part("b"))["first"] == part("b", alt="x")
    written = updated(original, first=Image("i.png"))
    assert written == {"id": "r", "new": 1, "first": {"kind": "image", "url": "i.png"}}
    assert updated(original, first=None) == {"id": "r", "new": 1}


def test_keys_of_maps_that_are_no_texts() -> None:
    key = uuid.UUID("ABCDEF00-0000-4000-8000-000000000000")
    original = {
        "id": "r",
        "by_number": {"1": part("a", n=1), "2": part("b", n=2)},
        "by_id": {str(key).upper(): part("c", n=3)},
    }
    written = updated(original, by_number={1: Part("x"), 3: Part("y")})
    assert written["by_number"] == {"1": part("x", n=1), "3": part("y")}
    # Its key is written otherwise, so it is not known again; but it is not there twice.
    assert written["by_id"] == {str(key): part("c")}


def test_a_declared_property_that_holds_its_default_is_none_of_the_unknown() -> None:
    assert updated({"id": "r", "is_done": True}, is_done=False) == {"id": "r"}
    assert updated({"id": "r", "is_done": False}, first=Part("a")) == {
        "id": "r",
        "first": part("a"),
    }


def test_what_is_unknown_is_written_in_the_very_same_text() -> None:
    schema = schema_of(Row)
    for name, text in {
        rb"n\u00e9": b"1.20",
        b"big": b"[1e999, 12345678901234567890.123456789]",
        b"half": rb'"\ud83d"',
        b"twice": b'{"a":1, "a":2}',
    }.items():
        original = b'{ "' + name + b'" : ' + text + b' , "id":"r"}'
        written = schema.encode(Row("r", first=Part("a")), over=Stored(Row("r"), original))
        assert b":" + text + b"}" in written


def test_a_row_that_would_be_read_as_another_one_is_refused() -> None:
    class Either(Struct, frozen=True):
        id: str
        one: AnyOf[Small, Large]

    schema = schema_of(Either)
    original = as_json({"id": "r", "one": {"n": 1, "m": "text"}})
    row = schema.decode(original)
    assert row.one == Small(1)
    with pytest.raises(InvalidRow, match="upsert writes it without"):
        schema.encode(Either("r", Small(2)), over=Stored(row, b'{"id":"r","one":{"n":1,"m":2}}'))


class Small(Struct, frozen=True):
    n: int


class Large(Struct, frozen=True):
    n: int
    m: int


def test_the_contract_is_asked_about_the_whole() -> None:
    contract = Contract.of({"maxProperties": 2})
    schema = CollectionSchema(
        name="rows",
        type="row",
        primary_key="id",
        row=Row,
        key=str,
        columns=Columns,
        contract=contract,
    )
    stored = Stored(Row("r"), b'{"id":"r","new":1}')
    assert json.loads(schema.encode(Row("r"), over=stored)) == {"id": "r", "new": 1}
    with pytest.raises(InvalidRow, match="at most 2 properties"):
        schema.encode(Row("r", is_done=True), over=stored)


def test_what_tells_whether_a_text_holds_more_than_a_row() -> None:
    row = Row("r", parts=(Part("a"),), by_number={1: Part("b")})
    plain = {"id": "r", "parts": [part("a")], "by_number": {"1": part("b")}, "is_done": False}
    assert not has_unknown(plain, row)
    for place in (plain, plain["parts"][0], plain["by_number"]["1"]):
        place["new"] = None
        assert has_unknown(plain, row)
        del place["new"]


class Tag(Struct, frozen=True):
    name: str
    level: int = 0


class Place(Struct, frozen=True, array_like=True, tag="at"):
    x: int
    tag: Tag


@attrs.define
class Plain:
    n: int


class Holder(Struct, frozen=True):
    id: str
    n: int = 0
    tags: frozenset[Tag] = frozenset()
    at: Place | None = None
    plain: Plain | None = None


HELD = [
    {"tags": [{"name": "a", "new": 1.50}, {"name": "b"}]},
    {"at": ["at", 1, {"name": "a", "level": 0}, 3, {"four": 4}]},
    {"at": ["at", 1, {"name": "a", "level": 0, "new": [1]}]},
    {"plain": {"n": 1, "new": 2}},
]


@pytest.mark.parametrize("held", HELD)
def test_sets_arrays_and_attrs_objects_keep_them(held: dict[str, Any]) -> None:
    schema = schema_of(Holder)
    stored = stored_by_key(schema, [{"id": "r", **held}])["r"]
    assert stored.original is not None
    written = json.loads(schema.encode(msgspec.structs.replace(stored.row, n=2), over=stored))
    assert written["n"] == 2
    assert {name: written[name] for name in held} == held


def test_a_set_that_was_changed_says_what_it_cannot_keep() -> None:
    schema = schema_of(Holder)
    stored = stored_by_key(schema, [{"id": "r", **HELD[0]}])["r"]
    more = msgspec.structs.replace(stored.row, tags=stored.row.tags | {Tag("c")})
    with pytest.raises(InvalidRow, match="upsert writes the row without them"):
        schema.encode(more, over=stored)
    others = msgspec.structs.replace(stored.row, tags=frozenset([Tag("c")]))
    written = json.loads(schema.encode(others, over=stored))
    assert written["tags"] == [{"name": "c", "level": 0}]


def test_rows_with_sets_and_arrays_that_show_all_keep_no_text() -> None:
    values = {
        "id": "r",
        "tags": [{"name": "a"}, {"name": "b", "level": 1}],
        "at": ["at", 1, {"name": "a"}],
        "plain": {"n": 1},
    }
    assert stored_by_key(schema_of(Holder), [values])["r"].original is None
