"""Rows that are pydantic models: the caller's own, and those of generated packages."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AliasChoices,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    PlainSerializer,
    SecretStr,
    computed_field,
    field_validator,
)
from tests.runtime.task_rows import NOON, NOON_TEXT, event, tasks

from streamdb import CollectionSchema, InvalidRow, SchemaError, StateSchema, pydantic_rows
from streamdb.pydantic_rows import ExtensiblePydanticRow, PydanticRow
from streamdb.state.decoder import PageDecoder
from streamdb.state.items import Invalid


def of(model: type[BaseModel], **options: Any) -> CollectionSchema[Any, Any]:
    return tasks(model, contract=None, **options)


class Part(BaseModel):
    n: int = Field(alias="partNumber")


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    id: str
    created_at: dt.datetime = Field(alias="createdAt", default=NOON)
    parts: Sequence[Part] = ()


def test_wire_names_of_pydantic_models() -> None:
    schema = of(Aliased)
    row = Aliased(id="a", createdAt=NOON, parts=[Part(partNumber=1)])
    text = b'{"id":"a","createdAt":"2026-03-01T12:00:00.000Z","parts":[{"partNumber":1}]}'
    assert schema.encode(row) == text
    assert schema.decode(text) == row
    assert schema.encode(Aliased(id="a")) == text.replace(b'{"partNumber":1}', b"")
    with pytest.raises(InvalidRow) as caught:
        schema.decode(b'{"id":"a","parts":[{"n":1}]}')  # names in Python mean nothing on the wire
    assert caught.value.pointer == "/parts/0"
    renamed = of(Aliased, primary_key="created_at")
    assert renamed.wire_primary_key == "createdAt"


def test_faults_of_pydantic_models_have_places_and_quote_nothing_in_reports() -> None:
    class Refusing(BaseModel):
        id: str
        parts: dict[str, int | Part] = {}

        @field_validator("id")
        @classmethod
        def refuse(cls, value: str) -> str:
            if value == "secret":
                raise ValueError(f"not {value}")
            return value

    schema = of(Refusing)
    with pytest.raises(InvalidRow) as caught:
        schema.decode(b'{"id":"a","parts":{"x/y":{"partNumber":"five"}}}')
    assert caught.value.pointer == "/parts/x~1y/partNumber"
    with pytest.raises(InvalidRow, match="not secret"):
        schema.decode(b'{"id":"secret"}')
    decoder = PageDecoder(StateSchema(name="s", collections=(schema,)))
    page = json.dumps([event({"id": "secret"}, "secret")]).encode()
    (invalid,) = decoder.decode(page, url="u", offset="o").items
    assert isinstance(invalid, Invalid)
    assert (invalid.pointer, "secret" in invalid.message) == ("/value/id", False)


class Address(BaseModel):
    street: str


class LongAddress(Address):
    city: str = "here"


class Lossy(BaseModel):
    id: str
    token: SecretStr = SecretStr("")  # is written as asterisks
    note: str = Field("", exclude=True)
    home: Address | None = None
    stamp: Annotated[int, PlainSerializer(lambda value: value // 10)] = 0
    tags: Sequence[str] = ()


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"token": SecretStr("pw")}, "/token"),
        ({"note": "mine"}, "/note"),
        ({"home": LongAddress(street="s")}, "/home/city"),
        ({"stamp": 15}, "/stamp"),
    ],
)
def test_a_pydantic_row_that_would_come_back_as_another_is_refused(
    fields: dict[str, Any], pointer: str
) -> None:
    schema = of(Lossy)
    with pytest.raises(InvalidRow, match="reads back as another row") as caught:
        schema.encode(Lossy(id="A", **fields))
    assert caught.value.pointer == pointer
    # These do come back: a list for a tuple is the same JSON.
    schema.encode(Lossy(id="A", tags=("a", "b"), home=Address(street="s")))


class TextPart(BaseModel):
    kind: Literal["text"] = "text"
    text: str = ""


class ImagePart(BaseModel):
    kind: Literal["image"] = "image"
    text: str = ""


class Defaulted(BaseModel):
    id: str
    uid: str = Field(default_factory=lambda: uuid.uuid4().hex)
    at: dt.datetime = Field(default_factory=lambda: dt.datetime.now(dt.UTC))
    tags: list[str] = []
    part: TextPart | ImagePart = Field(default_factory=TextPart, discriminator="kind")
    plain: TextPart | ImagePart = Field(default_factory=ImagePart)


def test_fields_of_a_pydantic_row_that_were_never_set_are_written() -> None:
    schema = of(Defaulted)
    row = Defaulted(id="a")
    row.tags.append("in place")
    again = schema.decode(schema.encode(row))
    assert again == row
    assert again.tags == ["in place"]
    assert isinstance(again.plain, ImagePart)
    assert schema.encode(again) == schema.encode(row)


class Varied(BaseModel):
    id: str
    data: bytes = b""
    url: HttpUrl | None = None
    path: Path = Path("x")
    at: dt.datetime = NOON
    price: Decimal = Decimal("1E+2")
    times: dict[int, list[dt.datetime]] = {1: [NOON]}
    seconds: Annotated[
        dt.datetime,
        BeforeValidator(lambda it: dt.datetime.fromtimestamp(it, dt.UTC)),
        PlainSerializer(lambda it: int(it.timestamp()), when_used="json"),
    ] = NOON

    @computed_field
    @property
    def length(self) -> int:
        return len(self.data)


class ClosedVaried(Varied, extra="forbid"):
    pass


@pytest.mark.parametrize("model", [Varied, ClosedVaried])
def test_types_of_pydantic_are_written_as_pydantic_writes_them(model: type[Varied]) -> None:
    """But for instants and decimals, which have one form in all kinds of rows."""
    schema = of(model)
    row = model(id="a", data="h\u00e9".encode(), url=HttpUrl("http://example.org/"))
    written = json.loads(schema.encode(row))
    assert written == {
        "id": "a",
        "data": "h\u00e9",
        "url": "http://example.org/",
        "path": "x",
        "at": NOON_TEXT,
        "price": "100",
        "times": {"1": [NOON_TEXT]},
        "seconds": int(NOON.timestamp()),
        **({"length": 3} if model is Varied else {}),
    }
    assert schema.decode(schema.encode(row)) == row
    assert schema.rows.shows_all(row, schema.encode(row))
    with pytest.raises(InvalidRow) as caught:
        schema.encode(model(id="a", data=b"\xff"))
    assert caught.value.pointer == "/data"


@pytest.mark.parametrize("number", [b"NaN", b"1e999", b"1" + b"0" * 400])
def test_pydantic_rows_hold_no_number_that_cannot_be_written(number: bytes) -> None:
    class Measured(BaseModel):
        id: str
        x: float

    with pytest.raises(InvalidRow):
        of(Measured).decode(b'{"id":"a","x":' + number + b"}")


def test_integers_of_any_size_are_kept_in_pydantic_rows() -> None:
    class Counted(BaseModel):
        id: str
        n: int

    text = b'{"id":"a","n":%d}' % 10**400
    assert of(Counted).encode(of(Counted).decode(text)) == text


def test_tags_of_generated_pydantic_rows_are_written() -> None:
    """Though they were not given; and null is an error where it means absent."""

    class Tagged(PydanticRow, frozen=True):
        id: str
        kind: Literal["task"] = "task"
        note: pydantic_rows.Maybe[str] = None

    schema = of(Tagged)
    assert schema.encode(Tagged(id="a", note=None)) == b'{"id":"a","kind":"task"}'
    with pytest.raises(InvalidRow) as caught:
        schema.decode(b'{"id":"a","kind":"task","note":null}')
    assert caught.value.pointer == "/note"


def test_values_of_generated_pydantic_rows_are_canonical() -> None:
    class Valued(PydanticRow, frozen=True):
        id: str
        at: Annotated[AwareDatetime, Field(alias="when")]
        time: pydantic_rows.AwareTime
        price: pydantic_rows.DecimalText
        data: pydantic_rows.Base64Bytes

    schema = of(Valued)
    row = Valued(
        id="a",
        at=NOON.astimezone(dt.timezone(dt.timedelta(hours=2))),
        time=dt.time(9, tzinfo=dt.UTC),
        price=Decimal("1E+2"),
        data=b"hi",
    )
    text = schema.encode(row)
    assert json.loads(text) == {
        "id": "a",
        "when": NOON_TEXT,
        "time": "09:00:00.000Z",
        "price": "100",
        "data": "aGk=",
    }
    assert schema.decode(text) == row


def test_extras_of_generated_pydantic_rows_are_replaced_as_a_whole() -> None:
    class Open(ExtensiblePydanticRow, frozen=True):
        id: str
        __pydantic_extra__: dict[str, int]

    schema = of(Open)
    row = schema.decode(b'{"id":"a","x":1}')
    changed = schema.rows.replace(row, {"extras": {"y": 2}})
    assert (schema.encode(row), schema.encode(changed)) == (
        b'{"id":"a","x":1}',
        b'{"id":"a","y":2}',
    )
    with pytest.raises(TypeError):
        schema.rows.replace(row, {"y": 2})


def test_one_name_for_reading_and_writing() -> None:
    class Ambiguous(BaseModel):
        id: str
        x: int = Field(validation_alias=AliasChoices("a", "b"))

    with pytest.raises(SchemaError, match=r"Ambiguous\.x is read as"):
        of(Ambiguous)


def test_extras_of_a_pydantic_model_are_kept() -> None:
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        id: str

    schema = of(Open)
    row = schema.decode(b'{"id":"a","x":[1]}')
    changed = schema.rows.replace(row, {"y": 2})
    assert json.loads(schema.encode(changed)) == {"id": "a", "x": [1], "y": 2}
