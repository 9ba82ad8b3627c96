"""Rows of every kind of class: the same JSON, the same verdicts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import Annotated, Any, Required, TypedDict

import pytest
from msgspec import UNSET, Meta, Struct
from pydantic import (
    BaseModel,
    Field,
    field_validator,
)
from tests.runtime.state.recorded import RecordingFold
from tests.runtime.task_rows import (
    KINDS,
    NOON_TEXT,
    DataclassTask,
    ExtensibleTask,
    GeneratedPydanticTask,
    PydanticTask,
    StructTask,
    TypedDictTask,
    event,
    field,
    task,
    tasks,
    unchecked,
)

from streamdb import AnyOf, Contract, InvalidRow, SchemaError, StateSchema
from streamdb.state.decoder import PageDecoder
from streamdb.state.items import Invalid, Put

GOOD = {"id": "t1", "title": "write", "count": 1, "at": NOON_TEXT}
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@kinds
def test_what_is_absent_stays_absent_and_null_stays_null(kind: Any) -> None:
    schema = tasks(kind)
    for plain in (GOOD, {**GOOD, "note": "n"}, {**GOOD, "parent": None}, {**GOOD, "parent": "t0"}):
        row = schema.decode(json.dumps(plain).encode(), strict=True)
        assert json.loads(schema.encode(row)) == plain
    assert json.loads(schema.encode(task(kind))) == GOOD


@kinds
@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({}, None),
        ({"count": 1.0}, None),
        ({"count": 2**70}, None),
        ({"count": -0.0}, None),
        ({"unknown": [1]}, None),
        ({"note": "\U0001f600"}, None),
        ({"at": "2026-03-01T14:00:00+02:00"}, None),
        ({"at": "2026-03-01T12:00:00.5Z"}, None),
        ({"parent": None}, None),
        ({"count": 1.5}, "/count"),
        ({"count": "1"}, "/count"),
        ({"count": True}, "/count"),
        ({"count": None}, "/count"),
        ({"title": 5}, "/title"),
        ({"title": "more than twenty characters"}, "/title"),
        ({"note": None}, "/note"),
        ({"note": ["n"]}, "/note"),
        ({"parent": 5}, "/parent"),
        ({"at": "2026-03-01T12:00:00"}, "/at"),
        ({"at": "2026-03-01"}, "/at"),
        ({"at": 1772366400}, "/at"),
        ({"id": 5}, "/id"),
        ({"title": UNSET}, ""),
    ],
)
def test_the_verdict_is_that_of_the_schema(
    kind: Any, changes: dict[str, Any], pointer: str | None
) -> None:
    plain = {name: value for name, value in {**GOOD, **changes}.items() if value is not UNSET}
    schema = tasks(kind)
    if pointer is None:
        row = schema.decode(json.dumps(plain).encode(), strict=True)
        assert field(row, "count") == plain["count"]
        return
    with pytest.raises(InvalidRow) as caught:
        schema.decode(json.dumps(plain).encode(), strict=True)
    assert caught.value.pointer == pointer
    assert kind.__name__ in str(caught.value)


@kinds
@pytest.mark.parametrize("text", [b"[]", b"null", b"5", b"{", b'{"id":NaN}', b'{"count":1e999}'])
def test_what_is_no_object_or_no_json_is_no_row(kind: Any, text: bytes) -> None:
    with pytest.raises(InvalidRow):
        tasks(kind).decode(text)


@kinds
def test_nesting_beyond_all_measure_is_an_error_and_no_crash(kind: Any) -> None:
    text = b'{"id":"t1","title":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(InvalidRow):
        tasks(kind).decode(text)


@kinds
@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"count": "many"}, "/count"),
        ({"title": "more than twenty characters"}, "/title"),
        ({"title": None}, "/title"),
        ({"at": dt.datetime(2026, 1, 1)}, "/at"),
        ({"title": object()}, "/title"),
        ({"count": float("nan")}, "/count"),
    ],
)
def test_a_wrong_row_is_not_written(kind: Any, fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidRow) as caught:
        tasks(kind).encode(unchecked(kind, **fields))
    assert caught.value.pointer == pointer


@kinds
def test_a_row_of_another_class_is_not_written(kind: Any) -> None:
    other = task(DataclassTask if kind is StructTask else StructTask)
    with pytest.raises(InvalidRow, match=f"holds {kind.__name__}, not"):
        tasks(kind).encode(other)


@kinds
def test_a_changed_copy(kind: Any) -> None:
    rows = tasks(kind).rows
    row = task(kind, note="n", parent=None)
    changed = rows.replace(row, {"title": "read", "note": UNSET if kind is dict else None})
    if kind in (TypedDictTask, PydanticTask, GeneratedPydanticTask):
        changed = rows.replace(changed, {"note": UNSET})
    assert field(changed, "title") == "read"
    assert field(row, "title") == "write"
    assert json.loads(rows.write(changed)) == {**GOOD, "title": "read", "parent": None}
    again = rows.replace(changed, {"parent": UNSET})
    assert "parent" not in json.loads(rows.write(again))
    if kind is not dict:
        with pytest.raises(TypeError):
            rows.replace(row, {"titel": "read"})


@kinds
def test_user_code_cannot_change_a_row_that_others_hold(kind: Any) -> None:
    row = task(kind)
    lent = tasks(kind).rows.lent(row)
    assert lent == row
    assert (lent is not row) == isinstance(row, dict)


@kinds
@pytest.mark.parametrize("contract", [True, False])
@pytest.mark.parametrize("beside", [[], [{"headers": {"control": "snapshot-start"}}]])
@pytest.mark.parametrize("strict", [True, False])
def test_pages_are_decoded_alike(
    kind: Any, contract: bool, beside: list[Any], strict: bool
) -> None:
    schema = tasks(kind) if contract or kind is dict else tasks(kind, contract=None)
    decoder = PageDecoder(StateSchema(name="s", collections=(schema,)), strict=strict)
    without_id = {name: value for name, value in GOOD.items() if name != "id"}
    values = [GOOD, without_id, {**GOOD, "id": "t2"}, {**GOOD, "count": 1.0}]
    broken: list[Any] = [{**GOOD, "title": 5}, [], None]
    page = [*map(event, values), *map(event, broken), *beside]
    items = decoder.decode(json.dumps(page).encode(), url="u", offset="o").items
    assert [item for item in items[:4] if isinstance(item, Put)] == [
        Put(schema, "t1", task(kind))
    ] * 4
    faults = [item.pointer for item in items[4:7] if isinstance(item, Invalid)]
    assert faults == ["/value/title", "/value", "/value"]


@kinds
def test_rows_are_merged_alike(kind: Any) -> None:
    """UPDATE-4."""
    schema = tasks(kind, updates="merge")
    state = StateSchema(name="s", collections=(schema,))
    fold = RecordingFold(state, strict=True)
    page = [event(part) for part in (GOOD, {"note": "n"}, {"title": "x" * 21}, {"count": 2.0})]
    fold.add_page(json.dumps(page).encode())
    assert [row for _, row in fold.writes("tasks")] == [
        task(kind),
        task(kind, note="n"),
        task(kind, note="n", count=2),
    ]
    assert [invalid.pointer for invalid in fold.counts.invalid] == ["/value/title"]


# --- classes with code of their own --------------------------------------------------------------


def refuse(id: str) -> None:
    """What is raised is named by the key; its text is what no log may hold."""
    fault = {"k": KeyError, "v": ValueError, "t": TypeError, "z": ZeroDivisionError}.get(id)
    if fault is not None:
        raise fault("secret - at `$.secret`")


class OwnStruct(Struct, frozen=True):
    id: str

    def __post_init__(self) -> None:
        refuse(self.id)


@dataclasses.dataclass
class OwnDataclass:
    id: str

    def __post_init__(self) -> None:
        refuse(self.id)


class OwnModel(BaseModel):
    id: str

    @field_validator("id")
    @classmethod
    def refuse(cls, value: str) -> str:
        refuse(value)
        return value


class HoldingOne(Struct, frozen=True):
    id: str
    one: AnyOf[OwnStruct, int] | None = None


@pytest.mark.parametrize("row", [OwnStruct, OwnDataclass, OwnModel])
@pytest.mark.parametrize("id", ["k", "v", "t", "z"])
def test_what_a_class_raises_makes_one_event_invalid(row: Any, id: str) -> None:
    """Also when nothing but its key is put right; the report quotes nothing."""
    schema = tasks(row, contract=None)
    with pytest.raises(InvalidRow, match="secret"):
        schema.decode(json.dumps({"id": id}).encode())
    decoder = PageDecoder(StateSchema(name="s", collections=(schema,)))
    page = json.dumps([event({"id": "a"}, "a"), event({"id": id}, id), event({"id": "a"}, id)])
    good, *bad = decoder.decode(page.encode(), url="u", offset="o").items
    assert isinstance(good, Put)
    for invalid in bad:
        assert isinstance(invalid, Invalid)
        assert "refused by" in invalid.message
        assert "secret" not in invalid.message + invalid.pointer
    assert [invalid.pointer.startswith("/value") for invalid in bad] == [True, False]


@pytest.mark.parametrize("id", ["k", "v"])
def test_what_a_class_in_a_union_raises_is_why_it_does_not_fit(id: str) -> None:
    schema = tasks(HoldingOne, contract=None)
    with pytest.raises(
        InvalidRow, match=r"OwnStruct: refused by its class \(\w+Error\); int:"
    ) as it:
        schema.decode(json.dumps({"id": "a", "one": {"id": id}}).encode())
    assert it.value.pointer == "/one"


# --- what a class does not declare ---------------------------------------------------------------


class Inner(Struct):
    city: str


class InnerPlus(Inner):
    street: str = "s"


@dataclasses.dataclass
class Outer:
    id: str
    note: str = ""
    home: Inner | None = None


@dataclasses.dataclass
class OuterPlus(Outer):
    notes: str = "more"


class OuterStruct(Struct):
    id: str
    note: str = ""
    home: Inner | None = None


class OuterStructPlus(OuterStruct):
    notes: str = "more"


class InnerDict(TypedDict):
    n: int


class OuterDict(TypedDict, total=False):
    inner: InnerDict
    id: str
    note: str
    home: Inner


class OuterModel(BaseModel):
    id: str


class OuterModelPlus(OuterModel):
    notes: str = "more"


@pytest.mark.parametrize(
    ("kind", "row", "pointer", "meant"),
    [
        (Outer, OuterPlus("a"), "/notes", "'note'"),
        (OuterStruct, OuterStructPlus("a"), "/notes", "'note'"),
        (OuterDict, {"id": "a", "notes": "n"}, "/notes", "'note'"),
        (Outer, Outer("a", home=InnerPlus("c")), "/home/street", "It declares: city"),
        (OuterStruct, OuterStruct("a", home=InnerPlus("c")), "/home/street", "It declares: city"),
        (OuterDict, {"id": "a", "home": InnerPlus("c")}, "/home/street", "It declares: city"),
        (OuterDict, {"id": "a", "inner": {"n": 1, "m": 2}}, "/inner/m", "declares no property$"),
        (OuterModel, OuterModelPlus(id="a"), "/notes", "another row"),
    ],
)
def test_what_a_class_does_not_declare_is_not_dropped_in_silence(
    kind: Any, row: Any, pointer: str, meant: str
) -> None:
    with pytest.raises(InvalidRow, match=meant) as caught:
        tasks(kind, contract=None).encode(row)
    assert caught.value.pointer == pointer


# --- which classes ------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [int, list[int], object, str])
def test_other_classes_are_refused(row: Any) -> None:
    with pytest.raises(SchemaError, match="is no class of rows"):
        tasks(row)


def test_plain_rows_need_a_schema() -> None:
    with pytest.raises(SchemaError, match="need a contract"):
        tasks(dict, contract=None)


def test_a_key_that_the_class_refuses_is_invalid_in_every_kind() -> None:
    """KEY-5."""

    class NarrowStruct(Struct, frozen=True):
        id: Annotated[str, Meta(pattern="^n[0-9]+$")]

    @dataclasses.dataclass
    class NarrowDataclass:
        id: Annotated[str, Meta(pattern="^n[0-9]+$")]

    class NarrowDict(TypedDict, total=False):
        id: Required[Annotated[str, Meta(pattern="^n[0-9]+$")]]

    class NarrowModel(BaseModel):
        id: str = Field(pattern="^n[0-9]+$")

    plain = Contract.of({"properties": {"id": {"pattern": "^n[0-9]+$"}}})
    for row in (
        NarrowStruct,
        NarrowDataclass,
        NarrowDict,
        NarrowModel,
        dict,
    ):
        schema = tasks(row, contract=plain if row is dict else None)
        decoder = PageDecoder(StateSchema(name="s", collections=(schema,)))
        page = json.dumps([event({"id": "n1"}, "n2"), event({"id": "n1"}, "wrong")]).encode()
        good, bad = decoder.decode(page, url="u", offset="o").items
        assert isinstance(good, Put)
        assert field(good.row, "id") == "n2"
        assert isinstance(bad, Invalid)
        assert bad.pointer == "/key"


NOT_WRITABLE = ("1e999", "-1e999", '{"x":[1e999]}', "NaN", "-Infinity")


@kinds
@pytest.mark.parametrize("number", NOT_WRITABLE)
def test_what_no_float_holds_is_invalid(kind: Any, number: str) -> None:
    """INVALID-9, wherever the row would hold it; it could not be written again."""
    schema = tasks(kind)
    name = "unknown" if kind in (dict, ExtensibleTask) else "count"
    text = json.dumps(GOOD)[:-1] + f',"{name}":{number}}}'
    for strict in (False, True):
        with pytest.raises(InvalidRow):
            schema.decode(text.encode(), strict=strict)
    page = json.dumps([event(GOOD), event({**GOOD, name: "NUMBER"})])
    decoder = PageDecoder(StateSchema(name="s", collections=(schema,)))
    good, bad = decoder.decode(page.replace('"NUMBER"', number).encode(), url="u", offset="o").items
    assert isinstance(good, Put)
    assert isinstance(bad, Invalid)
    assert (bad.type, bad.key) == ("task", "t1")
    assert bad.pointer.startswith("/value")


@kinds
@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_what_is_no_json_is_never_written(kind: Any, value: float) -> None:
    with pytest.raises(InvalidRow):
        tasks(kind).encode(unchecked(kind, parent=value))


@kinds
def test_half_a_surrogate_pair(kind: Any) -> None:
    """INVALID-9: read and written; pydantic, which has no text for it, says so."""
    schema = tasks(kind)
    text = json.dumps({**GOOD, "title": "cut \ud83d"}, separators=(",", ":"))
    if issubclass(kind, BaseModel):
        with pytest.raises(InvalidRow, match="half a surrogate pair, which pydantic cannot hold"):
            schema.decode(text.encode())
        with pytest.raises(InvalidRow, match="half a surrogate pair, which pydantic cannot hold"):
            schema.encode(unchecked(kind, title="cut \ud83d"))
    else:
        row = schema.decode(text.encode(), strict=True)
        assert field(row, "title") == "cut \ud83d"
        assert schema.encode(row).decode() == text


@kinds
def test_half_a_surrogate_pair_in_the_name_of_a_property(kind: Any) -> None:
    text = json.dumps({**GOOD, "\ud83d": 1})
    if kind is dict:
        assert tasks(kind).decode(text.encode())["\ud83d"] == 1
    else:
        with pytest.raises(InvalidRow, match="half a surrogate pair"):
            tasks(kind).decode(text.encode())


class Holder(TypedDict):
    id: str
    value: Any


@dataclasses.dataclass
class HolderDataclass:
    id: str
    value: Any


class HolderStruct(Struct):
    id: str
    value: Any


class HolderModel(BaseModel):
    id: str
    value: Any


HOLDERS = {"TypedDict": Holder, "dataclass": HolderDataclass, "struct": HolderStruct, "plain": dict}


@pytest.mark.parametrize("kind", HOLDERS.values(), ids=HOLDERS)
def test_a_deep_row_is_lent_whole(kind: Any) -> None:
    """Python's own copying ends at some hundred levels."""
    rows = tasks(kind, contract=Contract.of({"type": "object"})).rows
    text = b'{"id":"t1","value":' + b"[" * 600 + b"{}" + b"]" * 600 + b"}"
    row = rows.read(text)
    lent = rows.lent(row)
    assert rows.write(lent) == text
    assert field(lent, "value") is not field(row, "value")


@pytest.mark.parametrize(
    ("kind", "levels"),
    [*((kind, 5000) for kind in HOLDERS.values()), (HolderModel, 300), (HolderModel, 5000)],
)
def test_a_row_beyond_all_bounds_is_refused(kind: Any, levels: int) -> None:
    schema = tasks(kind, contract=Contract.of({"type": "object"}))
    text = b'{"id":"t1","value":' + b"[" * levels + b"]" * levels + b"}"
    with pytest.raises(InvalidRow, match="nested too deeply"):
        schema.decode(text)
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    with pytest.raises(InvalidRow, match="nested too deeply"):
        schema.encode(kind(id="t1", value=value))
