"""Instants and times finer than microseconds: cut off, never rounded, and nowhere but there."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypedDict

import pytest
from msgspec import Meta, Struct, defstruct
from tests.runtime.task_rows import KINDS, SCHEMA, field

from streamdb import AnyOf, CollectionSchema, Columns, Contract, Extensible, StateSchema
from streamdb.state.decoder import PageDecoder
from streamdb.state.items import Put
from streamdb.state.row_kinds import row_kind
from streamdb.types.conversion import convert

Instant = Annotated[dt.datetime, Meta(tz=True)]
Time = Annotated[dt.time, Meta(tz=True)]

FINE = "2024-12-31T23:59:59.9999999Z"
LAST = dt.datetime(2024, 12, 31, 23, 59, 59, 999_999, dt.UTC)
LAST_TEXT = "2024-12-31T23:59:59.999999Z"
TYPED = {name: kind for name, kind in KINDS.items() if kind is not dict}


def tasks(kind: Any) -> CollectionSchema[Any, Any]:
    return CollectionSchema[Any, Any](
        name="tasks",
        type="task",
        primary_key="id",
        row=kind,
        key=str,
        columns=Columns[Any],
        contract=Contract.of(SCHEMA),
    )


def text_of(**fields: Any) -> bytes:
    return json.dumps({"id": "t1", "title": FINE[4:24], "count": 1, "at": FINE, **fields}).encode()


def page_of(*texts: bytes) -> bytes:
    event = b'{"type":"task","key":"t1","headers":{"operation":"insert"},"value":%s}'
    return b"[%s]" % b",".join(event % text for text in texts)


def read_in_every_way(
    schema: CollectionSchema[Any, Any], text: bytes, *, strict: bool
) -> list[object]:
    """The row of a text, read in a page, alone, and from plain JSON."""
    decoder = PageDecoder(StateSchema(name="s", collections=(schema,)), strict=strict)
    (item,) = decoder.decode(page_of(text), url="u", offset="o").items
    assert isinstance(item, Put)
    return [item.row, schema.decode(text, strict=strict), schema.rows.convert(json.loads(text))]


@pytest.mark.parametrize("kind", TYPED.values(), ids=TYPED)
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("count", [1, 1.0])
@pytest.mark.parametrize(
    "at",
    [
        FINE,
        "2024-12-31T23:59:59.999999999999999999999999999999z",
        "2025-01-01T01:59:59.9999995+02:00",
        "2024-12-31T22:59:59.9999999-01:00",
    ],
)
def test_a_row_of_any_kind(kind: Any, strict: bool, count: float, at: str) -> None:
    schema = tasks(kind)
    for row in read_in_every_way(schema, text_of(at=at, count=count), strict=strict):
        assert field(row, "at") == LAST
        assert json.loads(schema.encode(row))["at"] == LAST_TEXT


@pytest.mark.parametrize("kind", TYPED.values(), ids=TYPED)
def test_the_last_moment_of_the_calendar(kind: Any) -> None:
    row = tasks(kind).decode(text_of(at="9999-12-31T23:59:59.9999999Z"))
    assert field(row, "at") == dt.datetime.max.replace(tzinfo=dt.UTC)


@pytest.mark.parametrize("kind", TYPED.values(), ids=TYPED)
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    "written",
    [
        r"2024-12-31T23:59:59\u002e9999999Z",
        r"2024-12-31T23:59:59.999999\u0039Z",
        r"2024-12-31T23:59:59.9999999\u005A",
        r"2024-12-31T23:59:59.9999999\u007a",
        r"2024-12-31T23:59:59.9999999\u002B00:00",
        r"2025-01-01T01:59:59.9999999\u002b02:00",
        r"2024-12-31T22:59:59.9999999\u002d01:00",
    ],
)
def test_characters_that_are_written_as_escapes(kind: Any, strict: bool, written: str) -> None:
    text = text_of().replace(FINE.encode(), written.encode())
    for row in read_in_every_way(tasks(kind), text, strict=strict):
        assert field(row, "at") == LAST


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_text_keeps_every_digit(kind: Any) -> None:
    title = "23:59:59.9999999Z"
    schema = tasks(kind)
    text = text_of(title=title)
    decoder = PageDecoder(StateSchema(name="s", collections=(schema,)))
    (item,) = decoder.decode(page_of(text), url="u", offset="o").items
    assert isinstance(item, Put)
    assert field(item.row, "title") == field(schema.decode(text), "title") == title


def test_a_fine_instant_does_not_change_the_events_beside_it() -> None:
    schema = tasks(KINDS["struct"])
    decoder = PageDecoder(StateSchema(name="s", collections=(schema,)))
    page = page_of(text_of(at=LAST_TEXT), text_of(at="never"), text_of())
    plain, invalid, fine = decoder.decode(page, url="u", offset="o").items
    assert plain == fine
    assert invalid == decoder.decode(page_of(text_of(at="never")), url="u", offset="o").items[0]


class Point(Struct, array_like=True, tag="point"):
    at: Instant
    note: str


class Line(Struct, array_like=True, tag="line"):
    note: str
    at: Instant


class Named(Struct, tag="named"):
    at: Instant
    note: str = ""


class Noted(Struct, tag="noted"):
    at: str
    note: Instant | None = None


class Pair(NamedTuple):
    at: Instant
    note: str


class Tree(Struct):
    at: Instant
    inside: Sequence[Tree] = ()


class Further(Extensible[Instant]):
    at: str


@dataclass
class Single:
    at: Instant


class Keyed(TypedDict):
    at: Instant


@pytest.mark.parametrize(
    ("kind", "plain", "expected"),
    [
        (Instant, FINE, LAST),
        (Time, "23:59:59.9999999Z", LAST.timetz()),
        (Instant | None, FINE, LAST),
        (dict[str, Instant | int], {"a": FINE, "b": 1}, {"a": LAST, "b": 1}),
        (dict[Instant, str], {FINE: FINE}, {LAST: FINE}),
        (Mapping[str, Sequence[Time]], {"a": ["23:59:59.9999999Z"]}, {"a": [LAST.timetz()]}),
        (tuple[str, Instant], [FINE, FINE], (FINE, LAST)),
        (tuple[Instant, ...], [FINE, FINE], (LAST, LAST)),
        (set[Instant], [FINE], {LAST}),
        (Pair, [FINE, FINE], Pair(LAST, FINE)),
        (Point | Line, ["point", FINE, FINE], Point(LAST, FINE)),
        (Point | Line, ["line", FINE, FINE], Line(FINE, LAST)),
        (Named | Noted, {"type": "named", "at": FINE, "note": FINE}, Named(LAST, FINE)),
        (Named | Noted, {"type": "noted", "at": FINE, "note": FINE}, Noted(FINE, LAST)),
        (Tree, {"at": FINE, "inside": [{"at": FINE}]}, Tree(LAST, [Tree(LAST)])),
        (list[Single], [{"at": FINE}], [Single(LAST)]),
        (list[Keyed], [{"at": FINE}], [{"at": LAST}]),
        (AnyOf[Instant, str], FINE, LAST),
        (AnyOf[Single, Noted], {"at": FINE}, Single(LAST)),
        (Further, {"at": FINE, "b": FINE}, Further(at=FINE, extras={"b": LAST})),
        (Annotated[Instant, Meta(examples=[FINE])], FINE, LAST),
    ],
)
def test_inside_anything(kind: Any, plain: Any, expected: Any) -> None:
    given = json.dumps(plain)
    assert convert(plain, kind) == expected
    assert json.dumps(plain) == given  # it may be shared

    holder = defstruct("Holder", [("value", kind)], module=__name__)
    text = json.dumps({"value": plain}).encode()
    assert row_kind(holder, None).read(text).value == expected
