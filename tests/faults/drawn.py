"""Random faults."""

from __future__ import annotations

from hypothesis import strategies as st
from tests.faults.kinds import (
    BrokenChunks,
    Busy,
    CutAnswer,
    CutRequest,
    DeliverAgain,
    DeliverTwice,
    EndEvents,
    Fault,
    Fine,
    LoseAnswer,
    Refuse,
    Replay,
    Rubbish,
    ShortenBody,
    Silent,
    Slow,
    SpoilBody,
    Stall,
    WrongLength,
)

# The head of an answer is some 500 bytes long.
_LENGTHS = st.integers(0, 900) | st.integers(0, 30_000)
_BUSY = st.builds(Busy, st.sampled_from([429, 500, 502, 503]), st.sampled_from(["0", "", "soon"]))
_OF_CONNECTIONS: list[st.SearchStrategy[Fault]] = [
    st.just(Fine()),
    st.just(Refuse()),
    st.builds(CutRequest, st.integers(0, 800)),
    st.builds(CutAnswer, _LENGTHS),
    st.just(LoseAnswer()),
    _BUSY,
    st.just(Rubbish()),
    st.builds(Slow, st.sampled_from([0.001, 0.01])),
    st.builds(DeliverAgain, st.sampled_from([0.0, 0.01, 0.05])),
    st.just(DeliverTwice()),
    st.just(Replay()),
]
_OF_BODIES: list[st.SearchStrategy[Fault]] = [
    st.builds(SpoilBody, st.integers(0, 400) | st.integers(0, 5_000)),
    st.builds(ShortenBody, st.integers(1, 3) | st.integers(1, 5_000)),
    st.builds(WrongLength, st.integers(-300, 300)),
    st.builds(BrokenChunks, st.integers(0, 2)),
    st.builds(EndEvents, st.integers(0, 3)),
]
# They cost as long as the client waits: drawn less often.
_OF_SILENCE: list[st.SearchStrategy[Fault]] = [st.just(Silent()), st.builds(Stall, _LENGTHS)]


def faults(max_size: int = 12) -> st.SearchStrategy[list[Fault]]:
    """Draw the faults of a proxy; a burst of one status counts as one of them."""
    bursts = st.builds(lambda busy, times: [busy] * times, _BUSY, st.integers(2, 8))
    one = st.one_of(*_OF_CONNECTIONS, *_OF_BODIES).map(lambda fault: [fault])
    silent = st.one_of(_OF_SILENCE).map(lambda fault: [fault])
    groups = st.lists(st.one_of(one, one, one, one, bursts, silent), max_size=max_size)
    return groups.map(lambda groups: [fault for group in groups for fault in group])
