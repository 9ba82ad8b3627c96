"""Pages of nested objects are cut between events, and no page takes more than a few passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from streamdb.state.page_pieces import PagePieces

SIZE = 500
PARTS = [
    {"type": "text", "text": 'a "quote", },{ and more'},
    {"type": "text", "text": "b"},
    {"type": "tool_use", "name": "sh", "input": {"command": {"type": "sh", "args": [{}, {}]}}},
    {"type": "tool_use", "name": "sh", "input": {}},
]
HEADERS = {"operation": "insert", "txid": "t"}


def in_order(*names: str) -> Callable[[int], dict[str, Any]]:
    def event(number: int) -> dict[str, Any]:
        members = {
            "type": "message",
            "key": f"k{number}",
            "value": {"id": f"k{number}", "content": PARTS * (number % 4)},
            "headers": HEADERS,
        }
        return {name: members[name] for name in names}

    return event


ORDERS = [
    in_order("type", "key", "value", "headers"),
    in_order("key", "type", "headers", "value"),
    in_order("headers", "type", "key", "value"),
    in_order("headers", "key", "value", "type"),
    in_order("type", "value", "headers", "key"),
    in_order("type", "headers", "value"),
    in_order("value", "key", "type", "headers"),
]


def cut(array: bytes, size: int = SIZE) -> tuple[list[Any], int, int]:
    """Return the elements, how often brackets were counted, and how many bytes were tried."""
    pieces = PagePieces(array, size=size)
    elements: list[Any] = []
    by_brackets = tried = 0
    while (piece := pieces.cut()) is not None:
        tried += len(piece)
        try:
            elements += json.loads(piece)
        except ValueError:
            by_brackets += 1
            elements += map(json.loads, pieces.cut_by_brackets() or ())
    return elements, by_brackets, tried


@pytest.mark.parametrize("event", ORDERS)
@pytest.mark.parametrize("layout", [{"separators": (",", ":")}, {}, {"indent": 2}])
def test_objects_within_objects_are_not_taken_for_events(
    event: Callable[[int], dict[str, Any]], layout: dict[str, Any]
) -> None:
    events = [event(number) for number in range(100)]
    elements, by_brackets, _ = cut(json.dumps(events, **layout).encode())
    assert elements == events
    assert by_brackets == 0


def test_one_event_of_another_shape_costs_the_others_nothing() -> None:
    odd = {"headers": {"control": "snapshot-start"}}
    events = [odd, *map(ORDERS[0], range(50)), odd, *map(ORDERS[1], range(51)), odd]
    elements, by_brackets, _ = cut(json.dumps(events).encode())
    assert elements == events
    assert by_brackets <= 3


def test_a_piece_that_begins_with_an_odd_one_is_no_longer_than_others() -> None:
    odd = {"headers": {"control": "snapshot-start"}}
    events = [odd if number % 1000 == 0 else ORDERS[0](number) for number in range(3000)]
    pieces = PagePieces(json.dumps(events).encode(), size=SIZE)
    longest = 0
    while (piece := pieces.cut()) is not None:
        json.loads(piece)
        longest = max(longest, len(piece))
    assert longest < 5 * SIZE


ALIKE = {"type": "event", "key": "k", "value": {"type": "event", "key": "k", "value": {}}}


@pytest.mark.parametrize(
    "array",
    [
        json.dumps([{"type": "x", "key": "k", "value": {"in": [ALIKE] * 20}}] * 200),
        json.dumps([{"type": "x", "key": "k", "value": {"in": [ALIKE] * 2000}}] * 3),
        json.dumps([{"a": [{"a": [{"a": [{}, {}]}, {"a": 1}]}] * 2}] * 1000),
        json.dumps([1] * 50_000 + ["},{"]),
        json.dumps([["},{"]] * 10_000),
        json.dumps(["},{", "}},{"] * 10_000),
        json.dumps([{"a": "x" * 100_000}, {"a": [1] * 10_000}, *[{"a": 1}] * 10]),
        json.dumps([{f"n{number}": number, "b": [{}, {}]} for number in range(10_000)]),
    ],
    ids=["alike", "long", "deep", "numbers", "arrays", "texts", "texts and arrays", "other names"],
)
def test_no_page_is_gone_through_more_than_a_few_times(array: str) -> None:
    elements, by_brackets, tried = cut(array.encode())
    assert elements == json.loads(array)
    assert by_brackets <= len(array) / SIZE + 1
    assert tried < 4 * len(array)


def test_nor_is_one_that_no_parser_takes() -> None:
    array = b"[" + b",".join([b"-"] * 50_000) + b"]"
    pieces = PagePieces(array, size=SIZE)
    tried = found = 0
    while (piece := pieces.cut()) is not None:
        tried += len(piece)
        found += len(pieces.cut_by_brackets() or ())
    assert found == 50_000
    assert tried < 2 * len(array)
