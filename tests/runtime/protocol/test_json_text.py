"""JSON mode: values to text and batches to values."""

import datetime as dt
import json
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb.errors import StreamParseError
from streamdb.protocol import json_text
from streamdb.protocol.exchange import Batch

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
offsets = st.integers(-840, 840).map(lambda minutes: dt.timedelta(minutes=minutes))
TWO_EAST, TWO_WEST = (dt.timezone(dt.timedelta(hours=hours)) for hours in (2, -2))
surrogate_texts = st.text(st.characters(categories=("L", "Cs")))


def batch(*parts: bytes) -> Batch:
    return Batch(parts, "7", None, up_to_date=True, closed=False, content_type="application/json")


@given(st.lists(values, min_size=1, max_size=5))
def test_what_is_framed_comes_back_as_the_same_messages(messages: list[Any]) -> None:
    """JSON-9, CLIENT-27: an array stays one message; the server takes one level off."""
    framed = json_text.frame(json_text.encode(value) for value in messages)
    assert json_text.messages(batch(framed), url="u") == messages


@given(surrogate_texts)
def test_lone_surrogates_survive(text: str) -> None:
    encoded = json_text.encode({"text": text})
    encoded.decode()  # it is UTF-8 whatever the text
    assert json.loads(encoded) == {"text": text}


@given(surrogate_texts | st.text())
def test_text_is_written_alone_as_within_others(text: str) -> None:
    assert b"[" + json_text.encode(text) + b"]" == json_text.encode([text])


@pytest.mark.parametrize("value", [math.nan, math.inf, {"x": [-math.inf]}])
def test_numbers_that_json_has_not_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text.encode(value)


def test_a_value_without_a_form_is_refused() -> None:
    with pytest.raises(TypeError):
        json_text.encode(object())


@given(
    st.lists(
        st.datetimes(
            dt.datetime(2, 1, 1), dt.datetime(9998, 1, 1), timezones=st.builds(dt.timezone, offsets)
        ),
        min_size=2,
        max_size=5,
    )
)
def test_the_text_order_of_instants_is_their_order(instants: list[dt.datetime]) -> None:
    whole = [i.replace(microsecond=i.microsecond // 1000 * 1000) for i in instants]
    texts = [json.loads(json_text.encode(instant)) for instant in whole]
    assert [dt.datetime.fromisoformat(text) for text in texts] == whole
    ordered = sorted(zip(texts, whole, strict=True), key=lambda pair: pair[0])
    assert [instant for _, instant in ordered] == sorted(whole)


def test_instants_without_a_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="add tzinfo"):
        json_text.encode({"at": dt.datetime(2026, 1, 1)})


@given(st.datetimes(), st.sampled_from([0, 1, 10, 500, 1000, 120_000, 999_999]))
def test_instants_in_utc_are_written_as_all_others(at: dt.datetime, microsecond: int) -> None:
    at = at.replace(microsecond=microsecond, tzinfo=dt.UTC)
    same = at.replace(tzinfo=dt.timezone(dt.timedelta(0), "another"))
    assert json_text.encode(at) == json_text.encode(same)


def test_microseconds_are_kept() -> None:
    at = dt.datetime(2026, 1, 1, microsecond=1500, tzinfo=dt.UTC)
    assert json_text.encode(at) == b'"2026-01-01T00:00:00.001500Z"'


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (dt.datetime(1, 1, 1, 1, tzinfo=TWO_EAST), "0001-01-01T01:00:00.000+02:00"),
        (dt.datetime(9999, 12, 31, 23, tzinfo=TWO_WEST), "9999-12-31T23:00:00.000-02:00"),
    ],
)
def test_instants_that_utc_has_no_year_for_keep_their_offset(
    instant: dt.datetime, text: str
) -> None:
    encoded = json_text.encode(instant)
    assert json.loads(encoded) == text
    assert msgspec.json.decode(encoded, type=dt.datetime) == instant


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (dt.time(9, 30, tzinfo=dt.UTC), "09:30:00.000Z"),
        (dt.time(9, 30, 1, 500_000, tzinfo=TWO_EAST), "09:30:01.500+02:00"),
        (dt.time(9, 30, 1, 500_001, tzinfo=TWO_WEST), "09:30:01.500001-02:00"),
    ],
)
def test_times_keep_their_offset(time: dt.time, text: str) -> None:
    encoded = json_text.encode({"at": time})
    assert json.loads(encoded) == {"at": text}
    assert msgspec.json.decode(encoded, type=dict[str, dt.time]) == {"at": time}


def test_times_without_a_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="add tzinfo"):
        json_text.encode(dt.time(9))


@given(st.decimals(allow_nan=False, allow_infinity=False).filter(lambda d: abs(d.adjusted()) < 500))
def test_decimals_are_plain_digits(value: Decimal) -> None:
    encoded = json_text.encode(value)
    assert set(encoded) <= set(b'"-0123456789."')
    assert msgspec.json.decode(encoded, type=Decimal) == value


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "sNaN", "1E+999999999", "1E-999999999"])
def test_decimals_that_have_no_digits_or_too_many_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="decimal"):
        json_text.encode([Decimal(text)])


@given(st.binary())
def test_bytes_inside_a_value_come_back(value: bytes) -> None:
    assert msgspec.json.decode(json_text.encode([value]), type=list[bytes]) == [value]


def test_bytes_alone_are_refused() -> None:
    """They may be JSON text already, and would be wrapped in a string without a word."""
    with pytest.raises(TypeError, match="bytes are no JSON value"):
        json_text.encode(b'{"n":1}')


def test_a_value_may_write_itself() -> None:
    @dataclass
    class Event:
        def __json__(self) -> bytes:
            return b'{"own":true}'

    assert json_text.encode(Event()) == b'{"own":true}'


def test_messages_of_several_parts_follow_each_other() -> None:  # SSE-8
    assert json_text.messages(batch(b"[1,[2]]", b" [] ", b'{"n":3}'), url="u") == [
        1,
        [2],
        {"n": 3},
    ]


@pytest.mark.parametrize("part", [b"[1", b"\xff", b"[" * 100_000, b"9" * 5000])
def test_what_is_not_json_is_named(part: bytes) -> None:
    with pytest.raises(StreamParseError, match="not JSON") as caught:
        json_text.messages(batch(part), url="http://server/s")
    assert caught.value.offset == "7"
    assert len(str(caught.value)) < 500
