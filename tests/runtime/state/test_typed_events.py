"""Undeclared types: met once, they no longer slow a page down; without end, they cost no memory."""

from __future__ import annotations

import json

from tests.runtime.chat_schema import SCHEMA

from streamdb.db.state import DatabaseState
from streamdb.protocol.exchange import Batch
from streamdb.state.typed_events import Event, TypedEvents


def page(*types: str) -> bytes:
    events = [{"type": name, "key": "k", "headers": {"operation": "delete"}} for name in types]
    return json.dumps(events).encode()


def test_types_are_learnt_up_to_a_bound() -> None:
    """TYPE-1."""
    typed = TypedEvents(SCHEMA, strict=False)
    assert typed.decode(page("message")) is not None
    assert typed.decode(page("t0", "message")) is None
    typed.learn(["t0", "\ud83d", "x" * 10_000])
    assert typed.decode(page("t0", "message")) is not None
    typed.learn(f"t{number}" for number in range(1000))
    assert typed.decode(page("t1", "t0", "message")) is not None
    assert typed.decode(page("t999")) is None


def test_an_event_that_does_not_fit_is_found_by_what_msgspec_says() -> None:
    """Two pieces and the odd one between them, whichever it is, take three calls for many."""
    for place in (0, 1, 77, 398, 399):
        typed = _Counting(SCHEMA, strict=False)
        names = ["message"] * 400
        names[place] = "other"
        array = page(*names)
        assert typed.decode(array) is None
        texts = [json.dumps(event).encode() for event in json.loads(array)]
        events = typed.decode_each(texts, array)
        assert [at for at, event in enumerate(events) if event is None] == [place]
        assert typed.calls == 3


class _Counting(TypedEvents):
    calls = 0

    def decode(self, array: bytes, *, fine: bool | None = None) -> list[Event] | None:
        self.calls += 1
        return super().decode(array, fine=fine)


def test_types_are_counted_up_to_a_bound() -> None:
    state = DatabaseState(SCHEMA, url="u", report=lambda _: None)
    for offset, begin in enumerate((0, 1500, 500)):
        part = page(*(f"t{number}" for number in range(begin, begin + 1500)))
        state.take(Batch((part,), f"{offset}", None, True, False, "application/json"))
    counts = state.metrics.undeclared
    assert len(counts) == 1001
    assert (counts["t0"], counts["t999"], counts[""]) == (1, 2, 4500 - 1000 - 500)
