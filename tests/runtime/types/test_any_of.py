"""Unions that msgspec cannot read by itself: which member takes a value, and what is said if none.

Written with forward references, as generated modules write them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import threading
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Meta, Struct, UnsetType

from streamdb import AnyOf, Extensible, Maybe, SchemaError
from streamdb.protocol import json_text
from streamdb.types.conversion import convert, dec_hook
from streamdb.types.faults import explain


class Text(Struct, frozen=True, tag_field="kind", tag="text"):
    text: str


class Note(Struct, frozen=True, tag_field="type", tag="text"):
    text: str


class Point(Struct, frozen=True, omit_defaults=True):
    x: int
    label: Maybe[str] = None


class Circle(Struct, frozen=True, omit_defaults=True):
    x: int
    radius: Maybe[int] = None
    label: Maybe[str] = None


class Closed(Struct, frozen=True, forbid_unknown_fields=True):
    x: int


class Untagged(Struct, frozen=True):
    text: str


class Noted(Struct, frozen=True):
    x: int
    note: Maybe[Note] = None


class Loose(Extensible[Any]):
    x: int


class Leaf(Struct, frozen=True):
    mode: Literal["a", "b"]
    value: int = 0


class Branch(Struct, frozen=True):
    mode: Literal["c"]
    value: Sequence[Tree] = ()


class Weather(Extensible[float]):
    place: str


Tree = AnyOf["Leaf", "Branch", "Sequence[Tree]"]


class Holder(Struct, frozen=True):
    one: AnyOf[Point, Circle] | None = None
    maybe: AnyOf[Point, dt.date] | UnsetType | None = UNSET
    many: Sequence[AnyOf[Sequence[int], Sequence[str]]] = ()
    named: Mapping[str, AnyOf[Point, Mapping[str, str]]] = {}


def read(plain: Any, kind: Any) -> Any:
    """Read it from text and from plain JSON; both must say the same."""
    try:
        from_text = msgspec.json.decode(json.dumps(plain), type=kind, dec_hook=dec_hook)
    except msgspec.ValidationError as error:
        with pytest.raises(msgspec.ValidationError, match=re.escape(str(error))):
            convert(plain, kind)
        raise
    assert convert(plain, kind) == from_text
    return from_text


@pytest.mark.parametrize(
    ("members", "plain", "expected"),
    [
        pytest.param((Text, Note), {"kind": "text", "text": "a"}, Text("a"), id="by one tag"),
        pytest.param((Text, Note), {"type": "text", "text": "a"}, Note("a"), id="by the other"),
        pytest.param((Point, Circle), {"x": 1, "radius": 2}, Circle(1, 2), id="declares more"),
        pytest.param((Point, Circle), {"x": 1, "label": "l"}, Point(1, "l"), id="first of equals"),
        pytest.param((Circle, Point), {"x": 1, "n": 5}, Circle(1), id="unknown keys do not count"),
        pytest.param((Closed, Point), {"x": 1, "n": 5}, Point(1), id="a closed one refuses"),
        pytest.param((Leaf, Branch), {"mode": "c"}, Branch("c"), id="by a literal"),
        pytest.param((Leaf, Branch), {"mode": "b"}, Leaf("b"), id="by several literals"),
        pytest.param((Point, Mapping[str, int]), {"y": 1}, {"y": 1}, id="a map beside an object"),
        pytest.param((Mapping[str, int], Point), {"x": 1}, Point(1), id="an object before a map"),
        pytest.param((Sequence[int], Sequence[str]), ["a"], ["a"], id="arrays"),
        pytest.param(
            (Sequence[Point], Sequence[Circle]),
            [{"x": 1}, {"x": 1, "radius": 3}],
            [Circle(1), Circle(1, 3)],
            id="arrays of objects, by all their items",
        ),
        pytest.param(
            (Mapping[str, Point], Mapping[str, Circle]),
            {"a": {"x": 1, "radius": 3}},
            {"a": Circle(1, 3)},
            id="maps of objects",
        ),
        pytest.param((dt.date, str), "2026-01-02", dt.date(2026, 1, 2), id="a format"),
        pytest.param((dt.date, str), "soon", "soon", id="no format"),
        pytest.param(
            (Annotated[Sequence[int], Meta(max_length=1)], Sequence[int]),
            [1, 2],
            [1, 2],
            id="bounds",
        ),
        pytest.param(
            (Weather, Point),
            {"place": "here", "celsius": 1},
            Weather(place="here", extras={"celsius": 1.0}),
            id="an extensible one",
        ),
        pytest.param((Weather, Point), {"x": 1}, Point(1), id="that lacks a field"),
        pytest.param(
            (Untagged, Text), {"kind": "text", "text": "a"}, Text("a"), id="a tag is declared, too"
        ),
        pytest.param(
            (Noted, Loose),
            {"x": 1, "note": {"text": "a"}},
            Loose(x=1, extras={"note": {"text": "a"}}),
            id="a tag further in is not there",
        ),
        pytest.param(
            (Noted, Loose),
            {"x": 1, "note": {"type": "text", "text": "a"}},
            Noted(1, Note("a")),
            id="a tag further in is there",
        ),
        pytest.param((Noted, Point), {"x": 1, "note": {"text": "a"}}, Point(1), id="who adds none"),
        pytest.param(
            (Mapping[str, float], Circle), {"x": 1.0, "radius": 2.0}, Circle(1, 2), id="1.0 is one"
        ),
        pytest.param(
            (Sequence[Mapping[str, float]], Sequence[Holder]),
            [{"one": {"x": 1.0}}],
            [Holder(Point(1))],
            id="1.0 is an integer at any depth",
        ),
        pytest.param(
            (Point, AnyOf[Text, Note]), {"type": "text", "text": "a"}, Note("a"), id="nested"
        ),
    ],
)
def test_the_member_that_fits_takes_the_value(
    members: tuple[Any, ...], plain: Any, expected: Any
) -> None:
    value = read(plain, AnyOf[members])
    assert value == expected
    assert type(value) is type(expected)
    assert (
        [type(item) for item in value] == [type(item) for item in expected]
        if isinstance(expected, list)
        else True
    )


class Dated(Struct, frozen=True):
    at: Sequence[dt.datetime]


class DatedExtras(Extensible[dt.datetime]):
    pass


NOON = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("kind", "good", "value", "others"),
    [
        (
            dt.datetime,
            "2026-01-02t12:00:00Z",
            NOON,
            ["2026-01-02 12:00:00Z", "2026-01-02T12:00:00+0000", "2026-01-02T12:00:00"],
        ),
        (dt.date, "2026-01-02", dt.date(2026, 1, 2), ["20260102", "2026-01-02T00:00:00Z"]),
        (dt.time, "12:00:00Z", dt.time(12, tzinfo=dt.UTC), ["12:00:00", "12:00:00+0000"]),
        (uuid.UUID, str(uuid.UUID(int=7)), uuid.UUID(int=7), [uuid.UUID(int=7).hex]),
        (Decimal, "1.50", Decimal("1.50"), ["1e5", "NaN", " 1", "01"]),
        (bytes, "aGk=", b"hi", ["aGk", "a"]),
    ],
)
def test_text_that_is_not_of_the_format_is_plain_text(
    kind: type, good: str, value: Any, others: list[str]
) -> None:
    assert read(good, AnyOf[kind, str]) == value
    for text in others:
        assert read(text, AnyOf[kind, str]) == text
        assert read([text], AnyOf[Sequence[kind], Sequence[str]]) == [text]
        assert read({"a": text}, AnyOf[Mapping[str, kind], Mapping[str, str]]) == {"a": text}


def test_text_that_is_not_of_the_format_is_seen_in_fields_and_extras() -> None:
    for kind in (Dated, DatedExtras):
        for text in ("2026-01-02T12:00:00Z", "2026-01-02 12:00:00Z"):
            plain = {"at": [text]} if kind is Dated else {"x": text}
            is_dated = isinstance(read(plain, AnyOf[kind, Mapping[str, Any]]), kind)
            assert is_dated == ("T" in text)


def test_a_number_in_a_decimal_s_place_stays_a_number() -> None:
    value = read(1.5, AnyOf[Decimal, float])
    assert (type(value), value) == (float, 1.5)


def test_a_name_that_nothing_has_is_a_fault_of_the_declaration() -> None:
    with pytest.raises(SchemaError, match=r"AnyOf\[Nobody, int\]: name 'Nobody' is not defined"):
        convert(1, AnyOf["Nobody", int])


def test_it_stands_wherever_a_type_does() -> None:
    plain = {
        "one": {"x": 1},
        "maybe": "2026-01-02",
        "many": [[1], ["a"], []],
        "named": {"a": {"x": 1}, "b": {"c": "d"}},
    }
    holder = read(plain, Holder)
    assert holder == Holder(
        Point(1), dt.date(2026, 1, 2), [[1], ["a"], []], {"a": Point(1), "b": {"c": "d"}}
    )
    assert json.loads(json_text.encode(holder)) == plain
    assert read({"one": None, "maybe": None}, Holder) == Holder(None, None)


@given(
    st.recursive(
        st.builds(Leaf, mode=st.sampled_from(["a", "b"]), value=st.integers(-5, 5)),
        lambda tree: (
            st.lists(tree, max_size=3)
            | st.builds(Branch, mode=st.just("c"), value=st.lists(tree, max_size=3))
        ),
        max_leaves=8,
    )
)
def test_a_union_may_lead_to_itself(tree: Any) -> None:
    assert read(json.loads(json_text.encode(tree)), Tree) == tree


@pytest.mark.parametrize(
    ("kind", "plain", "pointer", "reason"),
    [
        (
            Holder,
            {"one": {"y": 1}},
            "/one",
            "fits none of 2 types (Point: lacks the property `x`; Circle: lacks the property `x`)",
        ),
        (
            Holder,
            {"many": [[1], [{}]]},
            "/many/1",
            "fits none of 2 types (Sequence[int]: expected `int`, got `object` at /0; "
            "Sequence[str]: expected `str`, got `object` at /0)",
        ),
        (
            AnyOf[Text, Note],
            {"text": "a"},
            "",
            "fits none of 2 types (Text: lacks the property `kind`; "
            "Note: lacks the property `type`)",
        ),
        (
            AnyOf[Leaf, Branch],
            {"mode": "secret"},
            "/mode",
            'invalid value; allowed: "a", "b", "c"',
        ),
        (
            AnyOf[Sequence[Literal["a"]], Text],
            ["secret"],
            "",
            "fits none of 2 types (Sequence[Literal['a']]: invalid enum value at /0; "
            "Text: expected `object`, got `array`)",
        ),
    ],
)
def test_an_error_names_every_member_and_no_content(
    kind: Any, plain: Any, pointer: str, reason: str
) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        read(plain, kind)
    assert explain(caught.value) == (reason, pointer)


class Left(Struct, frozen=True, omit_defaults=True):
    next: Maybe[Either] = None


class Right(Struct, frozen=True, omit_defaults=True):
    next: Maybe[Either] = None


Either = AnyOf["Left", "Right"]


def test_members_that_are_alike_do_not_double_the_work_at_every_level() -> None:
    """Sixty levels would be a quintillion tries; the message stays short as well."""
    good: Any = {}
    bad: Any = {"next": 5}
    for _ in range(60):
        good, bad = {"next": good}, {"next": bad}
    assert json.loads(json_text.encode(convert(good, Either))) == good
    with pytest.raises(msgspec.ValidationError) as caught:
        convert(bad, Either)
    assert len(str(caught.value)) < 500


def test_nesting_beyond_all_measure_is_an_error_and_no_crash() -> None:
    plain: Any = {}
    for _ in range(100_000):
        plain = {"next": plain}
    try:
        with pytest.raises((msgspec.ValidationError, RecursionError)):
            convert(plain, Either)
    finally:
        while plain:  # taken apart from outside, for the garbage collector's sake
            plain = plain.pop("next")


def test_threads_do_not_disturb_each_other() -> None:
    plain = [{"x": n, "radius": n} for n in range(50)]
    found: list[Any] = []

    def work() -> None:
        for _ in range(50):
            found.append(convert(plain, Sequence[AnyOf[Point, Circle]]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[Circle(n, n) for n in range(50)]] * 200


def test_it_shows_what_it_is() -> None:
    assert repr(Tree) == "AnyOf[Leaf, Branch, Sequence[Tree]]"
    assert repr(AnyOf[Annotated[str, Meta(pattern="x")], dt.date]) == "AnyOf[str, date]"


class Sized(TypedDict):
    id: str


class SizedAndNamed(TypedDict):
    id: str
    name: NotRequired[str]


@dataclasses.dataclass
class Plain:
    id: str


@dataclasses.dataclass
class PlainAndNamed:
    id: str
    name: str = ""


def test_typed_dicts_and_dataclasses_are_ranked_by_what_they_declare() -> None:
    """The first would drop what it does not declare."""
    value = {"id": "a", "name": "n"}
    assert convert(value, AnyOf[Sized, SizedAndNamed]) == value
    assert convert(value, AnyOf[Plain, PlainAndNamed]) == PlainAndNamed("a", "n")
    assert convert({"id": "a"}, AnyOf[Plain, PlainAndNamed]) == Plain("a")
