"""Quick copies of rows are the rows that readers will have, or there are none."""

from __future__ import annotations

import datetime as dt
import enum
import json
import zoneinfo
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET, Meta, Struct, UnsetType, field

from streamdb import CollectionSchema, Columns
from streamdb.state.row_kinds.quick_copies import quick_copy
from streamdb.types.faults import UNREADABLE

Instant = Annotated[dt.datetime, Meta(tz=True)]


class Colour(enum.Enum):
    RED = "red"


class Number(int):
    """An integer of another class."""


class Row(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    role: Literal["user", "assistant"] | None = None
    count: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    share: float | None = None
    colour: Colour | None = None
    at: Instant | None = field(default=None, name="At")
    since: Annotated[dt.datetime, Meta(tz=True, description="when")] | UnsetType = UNSET
    of: UUID | None = None
    day: dt.date | None = None
    note: str | None = ""


SCHEMA = CollectionSchema(
    name="rows", type="row", primary_key="id", row=Row, key=str, columns=Columns
)

_ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**63, 2**64, 10**30, 10**5000, Number(3), 1e400, -0.0, float("nan")]),
    st.floats(),
    st.text(),
    st.sampled_from(["user", "red", "\ud800", "null", "2026-01-02", "\x7f\x00"]),
    st.dates(),
    st.datetimes(timezones=st.sampled_from([None, dt.UTC, zoneinfo.ZoneInfo("Europe/Berlin")])),
    st.datetimes(timezones=st.just(zoneinfo.ZoneInfo("UTC"))),
    st.uuids(),
    st.just(Colour.RED),
    st.just(UNSET),
    st.decimals(),
    st.binary(),
    st.lists(st.floats(), max_size=2),
)


@example({"share": float("nan")})
@example({"note": float("inf")})
@example({"at": dt.datetime(2026, 1, 2, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))})
@example({"since": dt.datetime(2026, 1, 2, tzinfo=zoneinfo.ZoneInfo("UTC"))})
@given(st.dictionaries(st.sampled_from(Row.__struct_fields__), _ANY, max_size=2))
def test_a_quick_copy_is_what_is_read_of_the_text(values: dict[str, Any]) -> None:
    row = Row(**{"id": "a", **values})
    copy = SCHEMA.rows.quick_copy
    assert copy is not None
    copied = copy(row)
    try:
        text = SCHEMA.rows.write(row)
        SCHEMA.rows.check(row, text)
    except (*UNREADABLE, TypeError):
        assert copied is None
        return
    if copied is not None:
        assert repr(copied[0]) == repr(SCHEMA.decode(text))
        assert list(json.loads(copied[1]).items()) == list(json.loads(text).items())


@given(st.datetimes(timezones=st.sampled_from([dt.UTC, zoneinfo.ZoneInfo("Europe/Berlin")])))
def test_instants_have_the_form_that_they_always_have(instant: dt.datetime) -> None:
    row = Row(id="a", at=instant, since=instant, note='"At":"2026-01-02T00:00:00Z"')
    copy = SCHEMA.rows.quick_copy
    assert copy is not None
    copied = copy(row)
    if copied is None:  # such as one that a clock was put forward over, which equals no other
        assert instant.tzinfo is not dt.UTC
    else:
        assert copied[1] == SCHEMA.rows.write(row)


def test_what_is_written_quickly_is_what_is_read_back_and_sent() -> None:
    row = Row(id="a", at=dt.datetime(2026, 1, 2, tzinfo=dt.UTC))
    text = b'{"id":"a","At":"2026-01-02T00:00:00.000Z"}'
    assert SCHEMA.encode(row) == text
    assert SCHEMA.read_back(row) == (row, text)
    careful = Row(id="\ud800")  # a lone surrogate, which msgspec refuses
    assert SCHEMA.read_back(careful) == (careful, b'{"id":"\\ud800"}')


def test_rows_of_plain_values_have_one() -> None:
    row = Row(id="a", count=3, share=0.5, at=dt.datetime(2026, 1, 2, tzinfo=dt.UTC), note=None)
    copy = quick_copy(Row)
    assert copy is not None
    copied = copy(row)
    assert copied is not None
    assert copied[0] == row
    assert copied[0] is not row


class Subclass(Row, frozen=True):
    more: int = 0


class Naive(Struct, frozen=True):
    at: dt.datetime


class Exact(Struct, frozen=True):
    price: Decimal


class Listing(Struct, frozen=True):
    tags: list[str]


class Defaulting(Struct, frozen=True, omit_defaults=True):
    at: Instant = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


class Mutable(Struct):
    text: str


class Nameless(Struct, frozen=True, eq=False):
    text: str


class OfItsOwn(Struct, frozen=True):
    text: str

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class Checked(Struct, frozen=True):
    text: str

    def __post_init__(self) -> None:
        """Run the user's code."""


@pytest.mark.parametrize(
    "row", [Naive, Exact, Listing, Defaulting, Mutable, Nameless, OfItsOwn, Checked, dict]
)
def test_other_classes_have_none(row: type[Any]) -> None:
    assert quick_copy(row) is None


def test_rows_of_a_subclass_have_none() -> None:
    copy = quick_copy(Row)
    assert copy is not None
    assert copy(Subclass(id="a")) is None
