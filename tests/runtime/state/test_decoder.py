"""The page decoder, rule by rule; both rungs must say the same."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct
from tests.runtime.chat_schema import SCHEMA, Message, Sensor, message, messages, profiles, sensors

from streamdb import CollectionSchema, Columns, StateSchema, StreamParseError
from streamdb.state.decoder import Page, PageDecoder
from streamdb.state.items import (
    ControlMessage,
    Invalid,
    Item,
    Merge,
    Put,
    Remove,
    Undeclared,
)

DECODER = PageDecoder(SCHEMA)
SENSOR = {"id": 17, "room": "B2", "celsius": 21.5}
ROW = {"id": "m1", "content": "hi", "createdAt": "2026-03-01T12:00:00Z"}


def change(
    type_: Any = "sensor", key: Any = "17", operation: Any = "insert", **fields: Any
) -> dict[str, Any]:
    headers = {"operation": operation, **fields.pop("headers", {})}
    return {"type": type_, "key": key, "headers": headers, **fields}


def decode(*events: Any) -> Page:
    return DECODER.decode(json.dumps(events).encode(), url="u", offset="o")


# Forces the second rung on its page and gives nothing but an undeclared type.
ODD = change("unheard-of", "k", "delete")


def each_rung(event: Any) -> tuple[Item, Page]:
    """Decode an event alone and beside an odd one; both must agree."""
    alone = decode(event)
    beside = decode(event, ODD)
    assert list(beside.items) == [*alone.items, Undeclared("unheard-of")]
    assert beside.txids == alone.txids
    (item,) = alone.items
    return item, alone


@pytest.mark.parametrize("operation", ["insert", "update", "upsert"])
def test_writes_store_the_row(operation: str) -> None:
    """UPDATE-1, UPDATE-2, UPSERT-1."""
    item, _ = each_rung(change("message", "m1", operation, value=ROW))
    assert item == Put(messages.schema, "m1", Message(id="m1", content="hi"))


def test_a_delete_needs_no_value() -> None:
    item, _ = each_rung(change(operation="delete"))
    assert item == Remove(sensors.schema, "17")


@pytest.mark.parametrize("value", [None, 5, {"id": "nonsense"}, [], "x"])
def test_the_value_of_a_delete_is_ignored(value: Any) -> None:
    """CHG-5, UPDATE-3."""
    item, _ = each_rung(change(operation="delete", value=value, old_value=value))
    assert item == Remove(sensors.schema, "17")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("5", {"id": 5}, id="same"),
        pytest.param("5", {"id": "5"}, id="same text, declared type restored"),
        pytest.param("5", {"id": 6}, id="the key wins"),
        pytest.param("5", {}, id="absent"),
        pytest.param("5", {"id": 5.0}, id="a whole float"),
        pytest.param("5", {"id": None}, id="null"),
        pytest.param("5", {"id": True}, id="trap 12"),
        pytest.param("5", {"id": [1]}, id="of another shape"),
        pytest.param("1", {"id": True}, id="True is not 1"),
        pytest.param("-3", {"id": -3}, id="negative"),
        pytest.param(str(2**70), {"id": 2**70}, id="trap 13"),
        pytest.param("9" * 100, {"id": 6}, id="a hundred digits"),
    ],
)
def test_the_primary_key_is_of_its_declared_type(key: str, value: dict[str, Any]) -> None:
    """KEY-2, KEY-3, KEY-4."""
    item, _ = each_rung(change(key=key, value={"room": "B2", "celsius": 20, **value}))
    assert isinstance(item, Put)
    assert item.row == Sensor(id=int(key), room="B2", celsius=20)
    assert type(item.row.id) is int


@pytest.mark.parametrize("value", [{"id": "m2"}, {"id": 7}, {}, {"id": None}, {"id": True}])
def test_a_text_key_wins_too(value: dict[str, Any]) -> None:
    """KEY-4; an id that is a number on the wire becomes text where text is declared (KEY-6)."""
    item, _ = each_rung(change("message", "m1", value=value))
    assert item == Put(messages.schema, "m1", Message(id="m1"))


@pytest.mark.parametrize("key", ["abc", "007", "+7", " 7", "1_0", "7.0", "٣", "true", "-0", "1e2"])
@pytest.mark.parametrize("pk", [7, "007", None])
def test_a_key_that_does_not_round_trip_is_invalid(key: str, pk: Any) -> None:
    """KEY-5, KEY-6."""
    item, _ = each_rung(change(key=key, value={**SENSOR, "id": pk}))
    assert item == Invalid("sensor", key, "/key", f"the key {key!r} is no integer")


class Narrow(Struct, frozen=True):
    id: Annotated[str, Meta(pattern="^n[0-9]+$")]


@pytest.mark.parametrize("value", [{"id": "n1"}, {}])
def test_a_key_that_its_declared_type_refuses_is_invalid(value: dict[str, Any]) -> None:
    """KEY-5: coerced to the declared type, and that is narrower than `str`."""
    narrow = CollectionSchema(
        name="narrows",
        type="narrow",
        primary_key="id",
        row=Narrow,
        key=str,
        columns=Columns[Narrow],
    )
    decoder = PageDecoder(StateSchema(name="s", collections=(narrow,)))
    events = [change("narrow", "n2", value=value), change("narrow", "wrong", value=value)]
    good, bad = decoder.decode(json.dumps(events).encode(), url="u", offset="o").items
    assert good == Put(narrow, "n2", Narrow(id="n2"))
    assert isinstance(bad, Invalid)
    assert (bad.type, bad.key) == ("narrow", "wrong")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (5, (None, None, "")),
        ("text", (None, None, "")),
        (None, (None, None, "")),
        ([], (None, None, "")),
        ({}, (None, None, "")),
        ({"type": "sensor", "key": "1", "value": SENSOR}, ("sensor", "1", "")),
        ({"type": "sensor", "key": "1", "headers": None}, ("sensor", "1", "/headers")),
        ({"type": "sensor", "key": "1", "headers": {}}, ("sensor", "1", "/headers/operation")),
        (change(operation="truncate"), ("sensor", "17", "/headers/operation")),
        (change(operation=None), ("sensor", "17", "/headers/operation")),
        (change(operation=["insert"]), ("sensor", "17", "/headers/operation")),
        (change(type_="", value=SENSOR), (None, "17", "/type")),
        (change(type_=5, value=SENSOR), (None, "17", "/type")),
        ({"key": "17", "headers": {"operation": "delete"}}, (None, "17", "/type")),
        (change(key="", value=SENSOR), ("sensor", None, "/key")),
        (change(key=17, value=SENSOR), ("sensor", None, "/key")),
        (change("unheard-of", "", value=1), ("unheard-of", None, "/key")),
        ({"type": "sensor", "headers": {"operation": "delete"}}, ("sensor", None, "/key")),
        (change(), ("sensor", "17", "/value")),
        (change(operation="update"), ("sensor", "17", "/value")),
        (change("unheard-of", operation="upsert"), ("unheard-of", "17", "/value")),
        (change(value=None), ("sensor", "17", "/value")),
        (change(value=5), ("sensor", "17", "/value")),
        (change(value=[SENSOR]), ("sensor", "17", "/value")),
        (change(value={**SENSOR, "room": 5}), ("sensor", "17", "/value/room")),
        (change(value={**SENSOR, "celsius": True}), ("sensor", "17", "/value/celsius")),
        (change("message", "m", value={"note": None}), ("message", "m", "/value/note")),
        (change("message", "m", value={"role": "none"}), ("message", "m", "/value/role")),
        (change("profile", "p", value=[]), ("profile", "p", "/value")),
        (change(value=SENSOR, headers={"txid": ""}), ("sensor", "17", "/headers/txid")),
        (change(value=SENSOR, headers={"txid": 5}), ("sensor", "17", "/headers/txid")),
        (change(value=SENSOR, headers={"control": "reset"}), ("sensor", "17", "/headers")),
        ({"headers": {"control": "restart"}}, (None, None, "/headers/control")),
        ({"headers": {"control": None}}, (None, None, "/headers/control")),
        ({"headers": {"control": "reset", "offset": ""}}, (None, None, "/headers/offset")),
        ({"headers": {"control": "reset", "offset": 5}}, (None, None, "/headers/offset")),
    ],
)
def test_invalid_events(event: Any, expected: tuple[str | None, str | None, str]) -> None:
    """INVALID-1 to INVALID-3, INVALID-8, RESET-12, KEY-8; each judged alone."""
    item, _ = each_rung(event)
    assert isinstance(item, Invalid)
    assert (item.type, item.key, item.pointer) == expected
    assert item.message


def test_undeclared_types_are_no_fault() -> None:
    """TYPE-1."""
    item, page = each_rung(change("unheard-of", value={"any": [1]}, headers={"txid": "t"}))
    assert item == Undeclared("unheard-of")
    assert page.txids == ["t"]


@pytest.mark.parametrize("control", ["snapshot-start", "snapshot-end", "reset"])
def test_control_messages(control: str) -> None:
    assert each_rung({"headers": {"control": control}})[0] == ControlMessage(control, None)  # type: ignore[arg-type]  # a literal from the list above
    with_offset = {"headers": {"control": control, "offset": "1_2"}}
    assert each_rung(with_offset)[0] == ControlMessage(control, "1_2")  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    "headers",
    [
        {"from": "x", "trace": {"a": [1]}},
        {"offset": "0_1"},  # stamped by the reference server (REF-24)
        {"offset": 5},
        {"offset": ""},
        {"timestamp": "yesterday"},  # INVALID-7
        {"timestamp": 5},
    ],
)
def test_other_headers_and_fields_do_not_matter(headers: dict[str, Any]) -> None:
    """HDR-1, HDR-2, INVALID-7, CHG-4, CHG-8."""
    event = change(value=SENSOR, headers=headers, old_value=5, surplus={"x": 1})
    item, _ = each_rung(event)
    assert item == Put(sensors.schema, "17", Sensor(**SENSOR))  # type: ignore[arg-type]  # a plain dict


@pytest.mark.parametrize(
    "event",
    [
        change(value=SENSOR, headers={"txid": "t1"}),
        change(operation="delete", headers={"txid": "t1"}),
        change(operation="delete", value=None, headers={"txid": "t1"}),
        change("unheard-of", value=1, headers={"txid": "t1"}),
        change(value=5, headers={"txid": "t1"}),
        change(headers={"txid": "t1"}),
        change(key="", value=SENSOR, headers={"txid": "t1"}),
        change(key="x", value=SENSOR, headers={"txid": "t1"}),
        change(operation="truncate", headers={"txid": "t1"}),
    ],
)
def test_the_txid_of_every_change_is_recorded(event: Any) -> None:
    """TXID-1, TXID-5: no waiter hangs on an event that was skipped."""
    assert each_rung(event)[1].txids == ["t1"]


def test_a_control_message_has_no_txid() -> None:
    assert each_rung({"headers": {"control": "reset", "txid": "t1"}})[1].txids == []


def test_whole_floats_are_integers_and_others_are_not() -> None:
    item, _ = each_rung(change(value={**SENSOR, "id": 17.0}))
    assert isinstance(item, Put)
    assert type(item.row.id) is int

    class Count(Struct, frozen=True):
        id: str
        n: int
        deep: dict[int, list[int]]

    schema = CollectionSchema(
        name="counts", type="count", primary_key="id", row=Count, key=str, columns=Columns[Count]
    )
    decoder = PageDecoder(StateSchema(name="s", collections=(schema,)))
    texts = [
        b'{"id":"c","n":1.0,"deep":{"7":[2.0,3e2]}}',
        b'{"id":"c","n":1.5,"deep":{}}',
        b'{"id":"c","n":1,"deep":{"x":[]}}',
    ]
    page = b",".join(
        b'{"type":"count","key":"c","headers":{"operation":"insert"},"value":' + text + b"}"
        for text in texts
    )
    good, bad, bad_key = decoder.decode(b"[" + page + b"]", url="u", offset="o").items
    assert good == Put(schema, "c", Count("c", 1, {7: [2, 300]}))
    assert isinstance(bad, Invalid)
    assert bad.pointer == "/value/n"
    assert isinstance(bad_key, Invalid)
    assert (bad_key.pointer, "as a key" in bad_key.message) == ("/value/deep", True)


@pytest.mark.parametrize("where", ["value", "key", "type", "txid", "note"])
def test_a_lone_surrogate_is_text(where: str) -> None:
    """INVALID-9: JavaScript writes one when it cuts text inside a pair."""
    cut = "cut \ud83d"
    event = {
        "value": change("message", "m", value={"content": cut}),
        "key": change("message", cut, value={}),
        "type": change(cut, "m", value={}),
        "txid": change("message", "m", value={}, headers={"txid": cut}),
        "note": change("profile", "m", value={"name": cut}),
    }[where]
    item, page = each_rung(event)
    expected: dict[str, Item] = {
        "value": Put(messages.schema, "m", message("m", cut)),
        "key": Put(messages.schema, cut, message(cut)),
        "type": Undeclared(cut),
        "txid": Put(messages.schema, "m", message("m")),
        "note": Merge(profiles.schema, "m", {"id": "m", "name": cut}),
    }
    assert item == expected[where]
    assert page.txids == ([cut] if where == "txid" else [])


SPOILT = {
    "NaN": b'{"type":"message","key":"m9","value":{"content":NaN},'
    b'"headers":{"operation":"insert"}}',
    "NaN in an untyped field": b'{"type":"sensor","key":"9","value":{"id":9,"room":"","celsius":1,'
    b'"extra":NaN},"headers":{"operation":"insert"}}',
    "-Infinity": b'{"type":"unheard-of","key":"m9","value":-Infinity,'
    b'"headers":{"operation":"insert"}}',
    "bad UTF-8": b'{"type":"message","key":"m9","value":{"content":"\xff"},'
    b'"headers":{"operation":"insert"}}',
    "a surrogate in UTF-8": b'{"type":"message","key":"m9","value":{"content":"\xed\xa0\xbd"},'
    b'"headers":{"operation":"insert"}}',
    "deep": b'{"type":"sensor","key":"9","value":{"id":9,"room":"","celsius":1,"extra":'
    + b"[" * 50_000
    + b"]" * 50_000
    + b'},"headers":{"operation":"insert"}}',
    "no JSON": b'{"type":"message","key":m9}',
    "nothing": b"",
    "brackets in text": b'{"type":"message","key":"]}[{,\\"","headers":{"operation":NaN}}',
}


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_spoilt_event_leaves_its_page_alone(spoilt: bytes, place: int) -> None:
    """INVALID-9, INVALID-2, INVALID-5."""
    good = [messages.insert(message(1, '],["\\')), messages.insert(message(2, "\ud83d"))]
    texts = [event.to_json() for event in good]
    without = DECODER.decode(b"[" + b",".join(texts) + b"]", url="u", offset="o")
    texts.insert(place, b" " + spoilt + b"\n")
    page = DECODER.decode(b"[" + b",".join(texts) + b"]", url="u", offset="o")
    items = list(page.items)
    assert isinstance(items.pop(place), Invalid)
    assert items == without.items


@pytest.mark.parametrize("text", [b"<html>", b"[1, 2", b"[1]]", b'"half', b"[]x", b"nonsense"])
def test_what_is_no_json_at_all_is_refused(text: bytes) -> None:
    with pytest.raises(StreamParseError, match="not JSON") as caught:
        DECODER.decode(text, url="http://h/s", offset="7")
    assert caught.value.offset == "7"


def test_a_bare_event_is_one_message() -> None:
    """SSE-8."""
    text = messages.insert(message(1)).to_json()
    assert DECODER.decode(text, url="u", offset="o") == decode(json.loads(text))
    assert DECODER.decode(b"5", url="u", offset="o").items[0] == decode(5).items[0]


def test_an_empty_page() -> None:
    assert decode() == Page([], [])


def test_large_integers_keep_every_digit() -> None:
    """Trap 13."""
    item, _ = each_rung(change(value={**SENSOR, "extra": 2**53 + 1}))
    assert isinstance(item, Put)
    assert item.row.extra == 2**53 + 1
    item, _ = each_rung(change(value={**SENSOR, "extra": 10**30}))
    assert isinstance(item, Put)
    assert item.row.extra == 10**30


GOOD = st.one_of(
    st.builds(
        lambda key, text: json.loads(messages.insert(message(key, text)).to_json()),
        st.integers(0, 5),
        st.text(max_size=5),
    ),
    st.builds(lambda key: json.loads(sensors.delete(key).to_json()), st.integers()),
)
BAD = st.sampled_from(
    [5, None, {"headers": {}}, change(key="x", value=SENSOR), change(value={}), change("", value=1)]
)


@given(st.lists(GOOD, max_size=6), BAD, st.data())
def test_an_odd_event_costs_one_report_and_nothing_else(
    good: list[Any], bad: Any, data: st.DataObject
) -> None:
    """INVALID-2, INVALID-3, INVALID-5."""
    without = decode(*good)
    place = data.draw(st.integers(0, len(good)))
    items = list(decode(*good[:place], bad, *good[place:]).items)
    assert isinstance(items.pop(place), Invalid)
    assert items == without.items


@given(st.lists(GOOD, min_size=1, max_size=3), st.lists(BAD, min_size=1), st.data())
def test_any_number_of_odd_events_stands_wherever_it_does(
    good: list[Any], bad: list[Any], data: st.DataObject
) -> None:
    """INVALID-5."""
    choices = st.lists(st.integers(0, 120), max_size=40, unique=True)
    places = data.draw(choices, label="where odd ones stand")
    events = [good[place % len(good)] for place in range(121)]
    for place in places:
        events[place] = bad[place % len(bad)]
    alone = [decode(event).items for event in events]
    assert list(decode(*events).items) == [item for items in alone for item in items]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
NEARLY_EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["message", "sensor", "profile", "other", ""]) | JSON,
        "key": st.sampled_from(["1", "x", ""]) | JSON,
        "value": st.sampled_from([SENSOR, ROW, {"name": "n"}]) | JSON,
        "headers": JSON
        | st.fixed_dictionaries(
            {},
            optional={
                "operation": st.sampled_from(["insert", "update", "upsert", "delete"]) | JSON,
                "control": st.sampled_from(["reset", "snapshot-end"]) | JSON,
                "txid": st.text(max_size=2) | JSON,
                "offset": JSON,
            },
        ),
    },
)


@given(NEARLY_EVENTS | JSON)
def test_both_rungs_agree_on_anything(event: Any) -> None:
    each_rung(event)


def test_a_report_does_not_quote_the_content_of_a_row() -> None:
    (invalid,) = decode(change("message", "m1", value={**ROW, "role": "s3cret"})).items
    assert isinstance(invalid, Invalid)
    assert invalid.pointer == "/value/role"
    assert invalid.message == 'invalid enum value; allowed: "user", "assistant"'


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b'{"room": NaN}', "not JSON: NaN"),
        (b'{"room": "\xff"}', "codec"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"celsius": 1e999}', "number out of range"),
        (b"tru", "Expecting value"),
    ],
)
def test_an_event_that_is_no_json_says_whose_it_is(value: bytes, reason: str) -> None:
    """INVALID-3, TXID-5: its type, key and txid stand beside what cannot be read."""
    text = b'{"type": "sensor", "key": "17", "value": ' + value
    text += b', "headers": {"operation": "insert", "txid": "t1"}}'
    page = PageDecoder(SCHEMA).decode(b"[" + text + b"]", url="u", offset="o")
    (item,) = page.items
    assert isinstance(item, Invalid)
    assert (item.type, item.key) == ("sensor", "17")
    assert item.pointer.startswith("/value")
    assert reason.lower() in item.message.lower()
    assert page.txids == ["t1"]
