"""Generated pydantic rows judge JSON as JSON Schema does and are built as msgspec rows are."""

from __future__ import annotations

import copy
import datetime as dt
import json
import pickle
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

import pydantic
import pytest
from msgspec import UNSET, UnsetType
from pydantic import ValidationError

from streamdb import formats
from streamdb.protocol import json_text
from streamdb.pydantic_rows import (
    AwareTime,
    Base64Bytes,
    DecimalText,
    Exactly,
    ExtensiblePydanticRow,
    Maybe,
    Omissible,
    PydanticRow,
)
from streamdb.state.row_kinds import row_kind
from streamdb.types.faults import UNREADABLE


class Text(PydanticRow, frozen=True):
    kind: Literal["text"] = "text"
    body: str


class Group(PydanticRow, frozen=True):
    kind: Literal["group"] = "group"
    parts: Sequence[Part]


Part: TypeAlias = Annotated[Text | Group, pydantic.Field(discriminator="kind")]


class Row(PydanticRow, frozen=True):
    sent_at: Annotated[pydantic.AwareDatetime, pydantic.Field(alias="sentAt")]
    note: Maybe[Annotated[str, pydantic.Field(max_length=2, pattern="^a")]] = None
    parent: Annotated[Omissible[int | None], pydantic.Field(alias="parentId")] = UNSET
    part: Maybe[Part] = None
    at: Maybe[AwareTime] = None
    data: Maybe[Base64Bytes] = None
    price: Maybe[DecimalText] = None
    ratio: Maybe[float] = None
    mail: Maybe[Annotated[formats.Email, pydantic.Field(max_length=9, pattern="^m")]] = None


class Counts(ExtensiblePydanticRow, frozen=True):
    name_: Annotated[str, pydantic.Field(alias="name")]
    __pydantic_extra__: dict[str, Annotated[int, pydantic.Field(ge=1)]]


Group.model_rebuild()
NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
SENT: dict[str, Any] = {"sentAt": "2026-01-02T00:00:00Z"}


def read(value: Mapping[str, Any]) -> Row:
    return Row.model_validate_json(json.dumps({**SENT, **value}))


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"note": "ab"},
        {"note": "a\N{GRINNING FACE}"},
        {"parentId": 3},
        {"parentId": None},
        {"part": {"kind": "group", "parts": [{"kind": "text", "body": ""}]}},
        {"data": "aGk=", "price": "1.50", "ratio": 1.5},
        {"price": "-0.10"},
        {"mail": "m@b.org"},
    ],
)
def test_what_is_read_is_written_back(value: Mapping[str, Any]) -> None:
    row = read(value)
    assert json.loads(row.model_dump_json()) == {**SENT, **value}
    rows = row_kind(Row, None)
    assert rows.read(rows.write(row)) == row


@pytest.mark.parametrize(
    "value",
    [
        {"sentAt": "2026-01-02T00:00:00"},
        {"sentAt": 1767312000},
        {"note": None},
        {"note": "abc"},
        {"note": "b"},
        {"note": 1},
        {"parentId": True},
        {"parentId": "3"},
        {"part": None},
        {"part": {"body": ""}},
        {"part": {"kind": "group", "parts": [{"kind": "text", "body": None}]}},
        {"at": "10:00:00"},
        {"data": "aGk"},
        {"data": "_-=="},
        {"data": "\N{LATIN SMALL LETTER E WITH ACUTE}"},
        {"price": 1.5},
        {"price": "NaN"},
        {"price": "1e5"},
        {"price": "1_0"},
        {"mail": "nobody"},
        {"mail": None},
        {"mail": "x@b.org"},
        {"mail": "m@example.org"},
        {"ratio": "1"},
        {"ratio": True},
        {"ratio": float("nan")},
    ],
)
def test_what_does_not_fit_is_refused(value: Mapping[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(value)
    with pytest.raises(UNREADABLE):
        row_kind(Row, None).read(json.dumps({**SENT, **value}).encode())


def test_names_of_fields_mean_nothing_on_the_wire() -> None:
    """A property that is not declared is ignored, even if a field is called like it."""
    assert read({"parent": "no number"}) == Row(sent_at=NOW)
    with pytest.raises(ValidationError):
        Row.model_validate_json('{"sent_at": "2026-01-02T00:00:00Z"}')


def test_a_row_is_built_by_the_names_of_its_fields() -> None:
    row = Row(
        sent_at=NOW, parent=None, part=Group(parts=[Text(body="hi")]), at=dt.time(1, tzinfo=dt.UTC)
    )
    assert (row.note, row.parent, row.model_fields_set) == (
        None,
        None,
        {"sent_at", "parent", "part", "at"},
    )
    for wrong in ({"sentAt": NOW}, {"sent_at": NOW, "notes": "a"}):
        with pytest.raises(TypeError, match=r"has no field (sentAt|notes); it has at, data"):
            Row(**wrong)


@pytest.mark.parametrize(
    "fields",
    [{"at": dt.time(1)}, {"sent_at": dt.datetime(2026, 1, 2)}, {"note": 1}, {"price": 1.5}],
)
def test_a_row_is_checked_when_it_is_built(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Row(**{"sent_at": NOW, **fields})


def test_a_default_that_is_given_is_absent() -> None:
    row = Row(sent_at=NOW, note=None, parent=UNSET)
    assert row == Row(sent_at=NOW)
    assert row.model_fields_set == {"sent_at"}
    assert isinstance(row.parent, UnsetType)
    assert row.model_dump() == {"sentAt": NOW}
    changed = row.model_copy(update={"note": None, "parent": UNSET, "price": Decimal("2.0")})
    assert changed.model_dump() == {"sentAt": NOW, "price": Decimal("2.0")}


def test_a_name_on_the_wire_may_be_empty() -> None:
    class Nameless(PydanticRow, frozen=True):
        field: Annotated[int, pydantic.Field(alias="")]

    assert Nameless(field=1).model_dump() == {"": 1}
    assert Nameless.model_validate_json('{"": 1}') == Nameless(field=1)


def test_which_fields_hold_none_when_they_are_absent() -> None:
    assert Row.__maybe__ == {"note", "part", "at", "data", "price", "ratio", "mail"}
    assert (Text.__maybe__, Counts.__maybe__) == (frozenset(), frozenset())


def test_on_a_stream_a_row_has_the_canonical_form() -> None:
    row = Row(sent_at=NOW, price=Decimal("1E+2"), data=b"hi", part=Group(parts=[Text(body="x")]))
    assert json.loads(json_text.encode(row)) == {
        "sentAt": "2026-01-02T00:00:00.000Z",
        "part": {"kind": "group", "parts": [{"kind": "text", "body": "x"}]},
        "data": "aGk=",
        "price": "100",
    }
    with pytest.raises(ValueError, match="not JSON"):
        json_text.encode(row.model_copy(update={"ratio": float("nan")}))


def test_tags_are_written_though_they_were_not_given() -> None:
    assert Text(body="").model_dump() == {"kind": "text", "body": ""}


def test_extras() -> None:
    counts = Counts(name_="n", extras={"a": 1, "name_": 2})
    assert counts.extras == {"a": 1, "name_": 2}
    assert Counts.model_validate_json(counts.model_dump_json()) == counts
    for text in ('{"name": "n", "a": 0}', '{"name": "n", "a": "1"}', '{"name_": 1}'):
        with pytest.raises(ValidationError):
            Counts.model_validate_json(text)
    with pytest.raises(TypeError, match="name is declared"):
        Counts(name_="n", extras={"name": 1})
    with pytest.raises(TypeError, match="no field a"):
        Counts(name_="n", a=1)
    with pytest.raises(ValidationError):
        Counts(name_="n", extras={"a": 0})


def test_rows_can_be_copied_and_pickled() -> None:
    row = Row(sent_at=NOW, part=Text(body="x"))
    assert pickle.loads(pickle.dumps(row)) == copy.deepcopy(row) == row
    counts = Counts(name_="n", extras={"a": 1})
    assert pickle.loads(pickle.dumps(counts)) == copy.deepcopy(counts) == counts


class Tagged(PydanticRow, frozen=True):
    version: Exactly[Literal[2]] = 2
    flag: Maybe[Exactly[Literal[1]] | bool] = None
    level: Maybe[Exactly[Literal[0, 1, "x"]]] = None
    moment: Maybe[Exactly[pydantic.AwareDatetime] | Exactly[dt.date] | str] = None
    number: Maybe[int | str] = None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{"version":2,"flag":true}', None),
        ('{"version":2,"flag":1}', None),
        ('{"version":2,"flag":false}', None),
        ('{"version":2,"flag":1.0}', '{"version":2,"flag":1}'),
        ('{"version":2.0,"level":0}', '{"version":2,"level":0}'),
        ('{"version":2,"moment":"2026-01-02 03:04Z"}', None),
        ('{"version":2,"moment":"20260102"}', None),
        (
            '{"version":2,"moment":"2026-01-02T03:04:05+01:00"}',
            '{"version":2,"moment":"2026-01-02T02:04:05.000Z"}',
        ),
        ('{"version":2,"number":1.0}', '{"version":2,"number":1}'),
    ],
)
def test_a_value_is_written_as_it_was_read(text: str, written: str | None) -> None:
    rows = row_kind(Tagged, None)
    assert rows.write(rows.read(text.encode())).decode() == (written or text)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"version":true}',
        '{"version":2,"level":true}',
        '{"version":2,"level":false}',
        '{"version":2,"level":"0"}',
        '{"version":2,"level":[]}',
    ],
)
def test_a_constant_is_no_other_value_and_never_filled_in(text: str) -> None:
    with pytest.raises(UNREADABLE):
        row_kind(Tagged, None).read(text.encode())


def test_a_constructor_fills_tags_in() -> None:
    assert json.loads(Tagged().model_dump_json()) == {"version": 2}
    assert Tagged().model_fields_set == {"version"}
    with pytest.raises(ValidationError):
        Tagged(flag=2)  # type: ignore[arg-type]  # what is refused


def test_unused_bits_of_base64_are_zeros() -> None:
    """Otherwise two texts would be one value, and one of them written as the other."""
    assert read({"data": "QQ=="}).data == b"A"
    with pytest.raises(ValidationError):
        read({"data": "QR=="})
