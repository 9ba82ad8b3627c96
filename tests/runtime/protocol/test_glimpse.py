"""The beginning of a page, through failures, and with no more received than is needed."""

from __future__ import annotations

import pytest
from tests.runtime.protocol.player import LOST, URL, Player, play, reply

from streamdb.errors import BadRequest, ConnectionFailed, UnexpectedStatus
from streamdb.protocol.glimpse import Glimpse, glimpse
from streamdb.protocol.retry import RetryPolicy

TWICE = RetryPolicy(attempts=2, initial=0.001)


def test_it_receives_what_it_needs_and_gives_the_rest_up() -> None:
    player = play(glimpse(URL, "7", 5, TWICE), reply(next="9"), b"[1,", b"2,3", b"never received")
    assert player.is_finished
    assert not player.is_open
    assert list(player.answers) == [b"never received"]
    assert player.offsets_asked == ["7"]
    assert player.modes_asked == [None]


@pytest.mark.parametrize(("up_to_date", "size"), [(True, 4), (False, 100)])
def test_a_page_that_has_no_more(up_to_date: bool, size: int) -> None:
    answers = [reply(next="9", up_to_date=up_to_date), b"[1]", b""]
    found = Player(glimpse(URL, "7", size, TWICE), answers).run()
    assert found == Glimpse(b"[1]", is_whole=True, offset="9", is_last=up_to_date)


def test_what_breaks_is_asked_for_again() -> None:
    """CLIENT-21; the bytes of the broken answer do not count."""
    answers = [reply(next="9"), b"[", LOST, reply(503), reply(next="9"), b"[1]"]
    player = Player(glimpse(URL, "7", 3, RetryPolicy(attempts=3, initial=0.001)), answers)
    assert player.run() == Glimpse(b"[1]", is_whole=False, offset="9", is_last=False)
    assert len(player.interruptions) == 2


def test_tries_come_to_an_end() -> None:
    with pytest.raises(ConnectionFailed, match="gave up after 2 tries"):
        play(glimpse(URL, "7", 3, TWICE), LOST, LOST)
    with pytest.raises(UnexpectedStatus):
        play(glimpse(URL, "7", 3, TWICE), reply(503), reply(503))


def test_a_refusal_is_put_to_the_callers_handler() -> None:
    """C10: with other credentials it may be answered."""
    answers = [reply(401), reply(next="9"), b"[1]"]
    player = Player(glimpse(URL, "7", 3, TWICE), answers, handler=[True])
    assert player.run() == Glimpse(b"[1]", is_whole=False, offset="9", is_last=False)
    with pytest.raises(BadRequest):
        play(glimpse(URL, "7", 3, TWICE), reply(400))
