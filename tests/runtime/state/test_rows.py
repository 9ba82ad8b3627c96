"""Rows at the boundary: what may be written, and how faults are told."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.chat_schema import Message, Sensor, message, messages, sensor, sensors

from streamdb import CollectionSchema, Columns, InvalidRow, formats
from streamdb.state.rows import checked_key
from streamdb.types.faults import explain


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "2026-01-02T00:00:00.000Z"),
        (dt.datetime(2026, 1, 2, 3, 4, 5, 120_000, tzinfo=dt.UTC), "2026-01-02T03:04:05.120Z"),
        (dt.datetime(2026, 1, 2, 3, 4, 5, 120_001, tzinfo=dt.UTC), "2026-01-02T03:04:05.120001Z"),
        (
            dt.datetime(2026, 1, 2, 1, tzinfo=dt.timezone(dt.timedelta(hours=2))),
            "2026-01-01T23:00:00.000Z",
        ),
    ],
)
def test_instants_are_canonical(instant: dt.datetime, text: str) -> None:
    """Text order is time order: UTC, and always a fraction."""
    written = messages.schema.encode(message(1, created_at=instant))
    assert written == b'{"id":"1","createdAt":"%s"}' % text.encode()


def test_an_absent_maybe_field_is_not_written() -> None:
    assert messages.schema.encode(message(1)) == b'{"id":"1"}'
    assert messages.schema.encode(message(1, note="n")) == b'{"id":"1","note":"n"}'


@pytest.mark.parametrize(
    ("row", "pointer"),
    [
        pytest.param(sensor(1, celsius=float("nan")), "/celsius", id="NaN"),
        pytest.param(sensor(1, celsius=float("inf")), "/celsius", id="infinity"),
        pytest.param(message(1, created_at=dt.datetime(2026, 1, 1)), "/createdAt", id="naive"),
        pytest.param(message(1, role="robot"), "/role", id="literal"),
        pytest.param(message(1, content=5), "/content", id="type"),  # type: ignore[arg-type]  # the fault
        pytest.param(message(1, content=object()), "/content", id="no JSON form"),  # type: ignore[arg-type]  # the fault
        pytest.param(Sensor(id=True, room="", celsius=1), "/id", id="bool as integer"),
        pytest.param(Sensor(id=1, room="", celsius=1, extra={1, 2j}), "/extra", id="complex"),
    ],
)
def test_wrong_rows_are_refused(row: Any, pointer: str) -> None:
    """WRITE-5; the error names the class, and the place where it is known."""
    schema: CollectionSchema[Any, Any] = (
        messages.schema if isinstance(row, Message) else sensors.schema
    )
    with pytest.raises(InvalidRow, match=type(row).__name__) as caught:
        schema.encode(row)
    assert caught.value.pointer == pointer
    assert caught.value.type == schema.type


def test_a_row_that_is_nested_too_deeply_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    try:
        with pytest.raises(InvalidRow, match="nested too deeply"):
            sensors.schema.encode(Sensor(id=1, room="", celsius=1, extra=deep))
    finally:
        while deep:  # taken apart from outside, for the garbage collector's sake
            deep = deep.pop()


def test_a_row_of_another_class_is_refused() -> None:
    with pytest.raises(InvalidRow, match="collection 'sensors' holds Sensor, not Message"):
        cast("Any", sensors.schema).encode(message(1))


def test_keys_of_rows() -> None:
    """WRITE-3, WRITE-4."""
    assert checked_key(sensors.schema, sensor(7), None) == 7
    assert checked_key(sensors.schema, sensor(7), 7) == 7
    with pytest.raises(InvalidRow, match=r"the key 8 contradicts id=7"):
        checked_key(sensors.schema, sensor(7), 8)
    with pytest.raises(InvalidRow, match="must not be empty"):
        checked_key(messages.schema, message(""), None)


@given(
    st.builds(
        Message,
        id=st.text(st.characters(), min_size=1),
        role=st.sampled_from(["user", "assistant"]),
        content=st.text(st.characters()),
        created_at=st.datetimes(timezones=st.just(dt.UTC)),
        note=st.none() | st.text(),
    )
)
def test_what_is_written_reads_back_the_same(row: Message) -> None:
    """Every character, lone surrogates too, and every microsecond."""
    assert messages.schema.decode(messages.schema.encode(row)) == row


def test_explanations_point_to_the_place() -> None:
    class Deep(msgspec.Struct):
        items: list[dict[str, int]]
        by_number: dict[int, int] = {}

    for text, pointer, reason in [
        (b'{"items":[{},{"a":"x"}]}', "/items/1/*", "expected `int`, got `str`"),
        (b'{"items":[5]}', "/items/0", "expected `object`, got `int`"),
        (b'{"items":[],"by_number":{"x":1}}', "/by_number", "expected `int`, got `str` as a key"),
        (b"{}", "", "lacks the property `items`"),
    ]:
        with pytest.raises(msgspec.ValidationError) as caught:
            msgspec.json.decode(text, type=Deep)
        assert explain(caught.value) == (reason, pointer)


def test_a_format_is_named_and_not_quoted() -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(["no mailbox"], list[formats.Email])
    assert explain(caught.value) == ("expected `str` of the format email", "/0")


def test_a_name_in_a_pointer_is_escaped() -> None:
    error = msgspec.ValidationError("Expected `int` - at `$.a/b~c`")
    assert explain(error)[1] == "/a~1b~0c"


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"1" + b"0" * 400])
def test_a_number_that_no_float_holds_is_refused(number: bytes) -> None:
    """It would become an infinity, which cannot be written."""
    with pytest.raises(InvalidRow):
        sensors.schema.decode(b'{"id":1,"room":"","celsius":' + number + b"}")


def test_integer_keys_of_maps_survive() -> None:
    class Floors(msgspec.Struct, frozen=True):
        id: str
        rooms: dict[int, list[int]]

    schema = CollectionSchema(
        name="floors", type="f", primary_key="id", row=Floors, key=str, columns=Columns[Floors]
    )
    row = Floors("x", {1: [2, 3]})
    assert schema.decode(schema.encode(row)) == row
    assert schema.decode(b'{"id":"x","rooms":{"1":[2.0,3]}}') == row
