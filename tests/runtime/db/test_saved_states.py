"""A state that was saved and read again goes on as the one that was never away."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.runtime.chat_schema import SCHEMA, message, messages
from tests.runtime.db.test_resets import offset_of, reset

from streamdb import Batch, ChangeEvent
from streamdb.cache.saved import (
    Base,
    Read,
    piece_of_reads,
    pieces_of_base,
    read_base,
    reads_of,
)
from streamdb.db.state import DatabaseState

KEYS = st.sampled_from("abc")
EVENTS = st.one_of(
    st.builds(lambda key, text: messages.upsert(message(key, text)), KEYS, st.sampled_from("xy")),
    st.builds(lambda key, txid: messages.delete(key, txid=txid), KEYS, st.sampled_from("tu")),
    st.builds(reset, st.none() | st.integers(0, 12).map(offset_of)),
    st.just({"headers": {}}),
)


@dataclass
class Tape:
    """Events, each at a position, and where batches end; in some of these nothing is new.

    ``tails`` are the ends at which a batch is up to date.
    """

    events: list[Any]
    cuts: set[int]
    tails: set[int]

    def batch(self, position: int) -> Batch:
        last = len(self.events)
        end = min((cut for cut in self.cuts if position < cut < last), default=last)
        texts = [
            _stamped(event, position)
            if isinstance(event, ChangeEvent)
            else json.dumps(event).encode()
            for position, event in enumerate(self.events[position:end], position)
        ]
        return Batch(
            parts=(b"[" + b",".join(texts) + b"]",),
            offset=offset_of(end),
            cursor=None,
            up_to_date=end in self.tails or end == last,
            closed=False,
            content_type="application/json",
        )


def _stamped(event: Any, position: int) -> bytes:
    plain = json.loads(event.to_json())
    plain["headers"]["offset"] = offset_of(position)
    return json.dumps(plain).encode()


@dataclass
class Reader:
    """A database without a stream: where it is, and what a cache would hold of it."""

    tape: Tape
    state: DatabaseState = field(
        default_factory=lambda: DatabaseState(SCHEMA, url="tape", report=lambda _: None)
    )
    position: int = 0
    base: Base | None = None
    reads: list[Read] = field(default_factory=list[Read])

    def step(self, *, saves: bool) -> None:
        """Read a batch; have it kept as a whole state, or as it was read."""
        start = offset_of(self.position) if self.position else "-1"
        batch = self.tape.batch(self.position)
        restart = self.state.take(batch)
        if restart is not None:
            self.position, self.base, self.reads = int(restart), None, []
            return
        self.position = int(batch.offset)
        if self.base is not None:
            self.reads.append(Read(start, batch))
        if not self.state.is_loading and (saves or self.base is None):
            self.base, self.reads = self.state.saved(), []

    def reopened(self) -> Reader | None:
        """Return one that begins from what was kept, if anything was."""
        if self.base is None or self.state.is_loading:
            return None
        again = Reader(self.tape, position=self.position, base=self.base)
        pieces = list(pieces_of_base(SCHEMA, self.base))
        again.state.resume(*read_base(SCHEMA, iter(pieces), len(pieces)))
        for read in reads_of(piece_of_reads(self.reads)):
            again.state.replay(read)
        return again

    def shown(self) -> Any:
        """What it shows once nothing is new."""
        self.state.take(self.tape.batch(len(self.tape.events)))
        tables = self.state.tables.values()
        rows = [
            [
                (*item, ordinal := table.ordinal(item[0]), table.stamps.of(ordinal))
                for item in table.rows.items()
            ]
            for table in tables
        ]
        return self.state.offset, rows, sorted(self.state.txids.remembered())


@settings(max_examples=400)
@given(
    tape=st.builds(
        Tape,
        events=st.lists(EVENTS, min_size=1, max_size=12),
        cuts=st.sets(st.integers(1, 12)),
        tails=st.sets(st.integers(1, 12)),
    ),
    saves=st.sets(st.integers(0, 20)),
    away=st.integers(0, 20),
)
# A reset that was obeyed lies behind the position that is saved (RESET-8).
@example(
    tape=Tape(
        [messages.upsert(message(key)) for key in "abc"] + [reset(offset_of(1))],
        cuts={1, 2, 3},
        tails={1, 2, 3},
    ),
    saves=set(),
    away=4,
)
def test_it_goes_on_the_same(tape: Tape, saves: set[int], away: int) -> None:
    """ATOM-4, RESET-2, RESET-8, TXID-1: rows, their order and ordinals, stamps, txids, resets."""
    reader = Reader(tape)
    again: Reader | None = None
    for number in range(100):
        if reader.position == len(tape.events):
            break
        if number == away:
            again = reader.reopened()
        reader.step(saves=number in saves)
    again = again or reader.reopened()
    expected = reader.shown()
    if again is not None:
        while again.position < len(tape.events):
            again.step(saves=False)
        assert again.shown() == expected
