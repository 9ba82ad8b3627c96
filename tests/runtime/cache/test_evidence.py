"""What tells streams apart: the data at a place, however it is cut into pages and pieces."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamdb import AsyncStream, BadRequest, StreamGone
from streamdb.cache.evidence import evidence_of, is_confirmed
from streamdb.protocol.glimpse import Glimpse


class Pages(AsyncStream):
    """A stream whose server cuts pages at some messages, and writes JSON in a way of its own."""

    def __init__(self, messages: Sequence[Any], cuts: set[int], separator: str = ",") -> None:
        super().__init__("http://server/v1/stream/s")
        ends = sorted(cut for cut in cuts if 0 < cut < len(messages))
        self._pages: dict[str, tuple[bytes, int]] = {}
        for begin, end in zip([0, *ends], [*ends, len(messages)], strict=True):
            texts = [json.dumps(message, separators=(separator, ":")) for message in messages]
            page = "[" + separator.join(texts[begin:end]) + "]"
            self._pages[str(begin)] = page.encode(), end
        self._end = len(messages)
        self.received = 0

    async def glimpse(self, offset: str, size: int) -> Glimpse:
        page, end = self._pages[offset]
        data = page[:size]
        self.received += len(data)
        return Glimpse(data, len(page) < size, str(end), end == self._end)


MESSAGES = st.lists(
    st.one_of(
        st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=4), max_size=3),
        st.text(max_size=200),
        st.lists(st.integers(0, 9), max_size=3),
    ),
    min_size=1,
    max_size=8,
)


def texts_of(messages: Sequence[Any], cuts: set[int]) -> list[bytes]:
    ends = sorted(cut for cut in cuts if 0 < cut < len(messages))
    parts = zip([0, *ends], [*ends, len(messages)], strict=True)
    return [json.dumps(messages[begin:end]).encode() for begin, end in parts]


@given(
    read=MESSAGES,
    later=MESSAGES,
    parts=st.sets(st.integers(0, 8)),
    pages=st.sets(st.integers(0, 16)),
    separator=st.sampled_from([",", ", ", " ,\n"]),
)
async def test_the_cuts_make_no_difference(
    read: list[Any], later: list[Any], parts: set[int], pages: set[int], separator: str
) -> None:
    evidence = evidence_of("0", texts_of(read, parts))
    assert await is_confirmed(evidence, Pages(read, pages, separator))
    assert await is_confirmed(evidence, Pages([*read, *later], pages, separator))


@given(read=MESSAGES, other=MESSAGES, pages=st.sets(st.integers(0, 16)))
async def test_other_data_is_another_stream(
    read: list[Any], other: list[Any], pages: set[int]
) -> None:
    evidence = evidence_of("0", texts_of(read, set()))
    beginning = json.dumps(other)[:-1].startswith(json.dumps(read)[:-1])
    assert await is_confirmed(evidence, Pages(other, pages)) == beginning
    assert not await is_confirmed(evidence, Pages(read[1:] or [0], pages))


async def test_the_end_counts_however_much_there_is() -> None:
    """Streams that are filled by the same program may begin with the same rows."""
    same = [{"text": "x" * 1_000_000}] * 3
    evidence = evidence_of("0", texts_of([*same, "old"], set()))
    assert not await is_confirmed(evidence, Pages([*same, "new"], set()))
    assert not await is_confirmed(evidence, Pages([*same, "new"], {2}))
    assert await is_confirmed(evidence, Pages([*same, "old", "more"], {2}))


async def test_no_more_is_asked_for_than_is_needed() -> None:
    large = [{"text": "x" * 1_000_000}] * 3
    small = Pages([{"n": 1}, *large], {1})
    assert await is_confirmed(evidence_of("0", [b'[{"n":1}]']), small)
    assert small.received < 100


@pytest.mark.parametrize("error", [BadRequest, StreamGone])
async def test_an_offset_that_the_server_does_not_know(error: type[Exception]) -> None:
    """It was one of the stream once."""

    class Refusing(Pages):
        async def glimpse(self, offset: str, size: int) -> Glimpse:
            raise error("no such offset")

    assert not await is_confirmed(evidence_of("0", [b"[1]"]), Refusing([1], set()))
