"""The stamps of events: exact where there are any, and few bytes each (S6)."""

from __future__ import annotations

import sys
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb.state.stamps import Stamps

OFFSETS = st.sampled_from(["0_1", "0_12", "0_123", "0_2", "1", "~"]) | st.text(
    st.characters(codec="ascii", exclude_characters="\n"), min_size=1, max_size=4
)
PAGES = st.lists(st.lists(OFFSETS | st.none(), min_size=1, max_size=6), max_size=6)


def added(pages: list[list[str | None]]) -> tuple[Stamps, dict[int, str | None]]:
    """Stamps of pages, one after the other, and what they are by ordinal."""
    stamps, expected = Stamps(), dict[int, str | None]()
    for page in pages:
        first = len(expected) + 1
        ordinals = range(first, first + len(page))
        stamps.add(ordinals, page)
        expected |= dict(zip(ordinals, page, strict=True))
    return stamps, expected


@given(pages=PAGES)
def test_each_event_has_its_own(pages: list[list[str | None]]) -> None:
    """S6."""
    stamps, expected = added(pages)
    assert {ordinal: stamps.of(ordinal) for ordinal in expected} == expected
    assert stamps.of(0) is None
    assert stamps.of(len(expected) + 1) is None


@given(pages=PAGES, kept=st.sets(st.integers(1, 30)), again=st.sets(st.integers(1, 30)))
def test_those_of_rows_that_are_gone_are_forgotten(
    pages: list[list[str | None]], kept: set[int], again: set[int]
) -> None:
    """Twice, for what is left of a run is no run any more; the old ones stay for snapshots."""
    stamps, expected = added(pages)
    some = stamps.only(sorted(kept)).only(sorted(kept & again))
    for ordinal in expected:
        wanted = expected[ordinal] if ordinal in kept & again else None
        assert some.of(ordinal) == wanted
    assert {ordinal: stamps.of(ordinal) for ordinal in expected} == expected


@pytest.mark.parametrize(
    "odd", [5, None, True, ["0_1"], {"a": 1}, "", "0\n1", "\u00e9", "\ud83d", "0" * 257]
)
def test_what_is_no_offset_is_no_stamp(odd: Any) -> None:
    """HDR-2: headers may hold anything; an offset is what HTTP's headers hold (OFF-1)."""
    stamps = Stamps()
    stamps.add(range(1, 4), ["0_1", odd, "0_3"])
    stamps.add(range(4, 6), [odd, odd])
    assert [stamps.of(ordinal) for ordinal in range(1, 6)] == ["0_1", None, "0_3", None, None]


def test_streams_without_stamps_leave_nothing() -> None:
    stamps = Stamps()
    stamps.add(range(1, 4), [None, None, ""])
    assert stamps.blocks == []


def test_a_stamp_takes_some_bytes() -> None:
    stamps = Stamps()
    offsets = [f"{0:016}_{200 * number:016}" for number in range(10_000)]
    for begin in range(0, len(offsets), 500):
        part = offsets[begin : begin + 500]
        stamps.add(range(begin, begin + len(part)), part)
    size = sum(sys.getsizeof(block) + sys.getsizeof(block.columns) for block in stamps.blocks)
    assert size < 10 * len(offsets)


def test_there_are_never_many_more_than_rows() -> None:
    stamps = Stamps()
    stamps.add(range(1, 5001), ["0_1"] * 5000)
    assert not stamps.has_many_beside(4000)
    assert stamps.has_many_beside(10)
    few = stamps.only(array("q", [7, 8]))
    assert not few.has_many_beside(10)
    assert [few.of(7), few.of(8), few.of(9)] == ["0_1", "0_1", None]
