"""What is an instant of RFC 3339, and what is not (INVALID-7)."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from streamdb.state.timestamps import wrong_ones

RIGHT = [
    "2026-03-01T08:00:00Z",
    "2026-03-01t08:00:00.123456789z",
    "2024-02-29T23:59:60+05:30",
    "0001-01-01T00:00:00-23:59",
]
WRONG: list[Any] = [
    *("", "now", "2026-03-01", "2026-03-01T08:00:00", "2026-03-01T08:00:00+0100"),
    *("2026-02-29T08:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T08:00:00Z\n", "\n"),
    *(" 2026-03-01T08:00:00Z", "2026-03-01T08:00:00Z\n2026-03-01T08:00:00Z", "\ud83d"),
    *(None, 5, 5.5, True, [], {}),
]


@given(
    stamps=st.lists(
        st.one_of(
            st.sampled_from(RIGHT).map(lambda text: (text, True)),
            st.just((UNSET, True)),
            st.sampled_from(WRONG).map(lambda odd: (odd, False)),
        )
    )
)
def test_all_that_are_wrong_are_found(stamps: list[tuple[Any, bool]]) -> None:
    """INVALID-7: one by one, and many at once."""
    found = wrong_ones([stamp for stamp, _ in stamps])
    assert found == [place for place, (_, is_right) in enumerate(stamps) if not is_right]
