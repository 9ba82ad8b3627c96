"""The numbers of CUR-*."""

import pytest

from streamdb_server import cursors

NOW = cursors.EPOCH + 1000 * cursors.INTERVAL + 7


@pytest.mark.parametrize("seen", [None, "", "999", "0", "abc", "-1", "1e3", "٣", "9" * 19])
def test_unknown_or_older_gives_the_interval_cur_2_4(seen: str | None) -> None:
    assert cursors.following(seen, NOW) == 1000


@pytest.mark.parametrize("seen", ["1000", "1001", "5000"])
def test_reached_or_passed_moves_on_by_up_to_an_hour_cur_3(seen: str) -> None:
    for _ in range(100):
        assert 1 <= cursors.following(seen, NOW) - int(seen) <= 180
