"""Catch-up and long-poll, and what ends or interrupts a read."""

import re
import threading
from collections.abc import Iterable
from contextlib import suppress

import pytest
from tests.runtime.protocol.player import LOST, URL, Player, play, reply

from streamdb.errors import (
    AccessDenied,
    BadRequest,
    ConnectionFailed,
    RateLimited,
    StreamError,
    StreamGone,
    StreamNotFound,
    StreamParseError,
    UnexpectedStatus,
)
from streamdb.protocol.exchange import Batch, NoReply, Operation, Reply
from streamdb.protocol.page_memory import PageMemory
from streamdb.protocol.read_options import LiveMode, ReadOptions
from streamdb.protocol.reading import reading
from streamdb.protocol.retry import RetryPolicy

FEW = RetryPolicy(attempts=3, initial=0.1, maximum=1)
AT_5 = reply(body=b"[1]", next="5", up_to_date=True)
NOTHING_NEW = reply(204, next="5", content_type=None)
TELLING = 6  # what comes damaged in one way so often in a row does not come so by chance


def read(
    live: LiveMode = False,
    offset: str = "-1",
    *,
    retry: RetryPolicy | None = None,
    reconnect: RetryPolicy | None = None,
    memory: PageMemory | None = None,
) -> Operation[None]:
    return reading(
        ReadOptions(
            url=URL,
            clock=lambda: 0.0,
            offset=offset,
            live=live,
            retry=retry or RetryPolicy(),
            reconnect=reconnect or RetryPolicy(),
            memory=memory,
        )
    )


def data(player: Player[None]) -> list[bytes]:
    return [batch.data for batch in player.batches]


# --- catching up


def test_pages_are_read_until_up_to_date() -> None:  # CLIENT-1, CLIENT-6
    player = play(
        read(),
        reply(body=b"[1]", next="a"),
        reply(body=b"[2]", next="b"),
        reply(body=b"[3]", next="c", up_to_date=True),
    )
    assert player.is_finished
    assert player.offsets_asked == ["-1", "a", "b"]
    assert player.modes_asked == [None, None, None]
    assert data(player) == [b"[1]", b"[2]", b"[3]"]
    assert [batch.up_to_date for batch in player.batches] == [False, False, True]


def test_catching_up_with_a_live_read_asks_for_no_mode() -> None:  # CLIENT-6
    player = play(read("long-poll"), reply(body=b"[1]", next="4"), AT_5, NOTHING_NEW)
    assert player.modes_asked == [None, None, "long-poll", "long-poll"]


@pytest.mark.parametrize("live", [False, "auto", "sse", "long-poll"])
def test_closed_ends_a_read_in_every_mode(live: LiveMode) -> None:  # CLIENT-2
    player = play(
        read(live), reply(body=b"[1]", next="a"), reply(body=b"[]", next="a", closed=True)
    )
    assert player.is_finished
    assert player.batches[-1].closed
    assert player.batches[-1].up_to_date  # closed implies it


def test_closed_may_come_with_the_answer_after_the_last_data() -> None:  # trap 2, READ-7
    player = play(
        read("long-poll"),
        AT_5,
        reply(204, next="5", closed=True, up_to_date=True, content_type=None),
    )
    assert player.is_finished
    assert player.batches[-1].parts == ()


def test_up_to_date_is_told_by_mere_presence_and_closed_by_its_value() -> None:  # HDR-3
    answer = reply(body=b"[]", next="5", headers={"stream-up-to-date": "", "stream-closed": "no"})
    player = play(read(), answer)
    assert player.is_finished
    assert not player.batches[0].closed


def test_an_empty_page_is_not_an_end() -> None:  # CLIENT-3
    empty = reply(body=b"", next="3", content_type="text/plain")
    player = play(read(), empty, reply(body=b"[]", next="4"), AT_5)
    assert data(player) == [b"", b"[]", b"[1]"]


def test_json_that_is_nothing_at_all_is_no_page_without_messages() -> None:  # JSON-6
    nothing = reply(next="5")
    for start in ("-1", "4"):
        assert data(play(read(offset=start), nothing, AT_5)) == [b"[1]"]
        with pytest.raises(StreamParseError, match="not JSON: ''"):
            play(read(offset=start), *[nothing] * TELLING)


# What cannot be the answer to what was asked: body, and next offset, of a read from 5.
DAMAGED: dict[str, tuple[bytes, str, str]] = {
    "cut": (b'[{"n":1},{"n"', "7", r"not JSON: '\[{\"n\":1},{\"n\"'"),
    "cut to nothing but a bracket": (b"[", "7", "not JSON"),
    "a spoilt bracket": (b'[{"n":1\x00]', "7", "not JSON"),
    "two answers": (b"[1][2]", "7", "not JSON"),
    "an old answer": (b"[1]", "4", "ends at 4, before the offset that was asked for"),
    "an old answer without data": (b"[]", "4", "ends at 4"),
    "the answer before": (b"[1]", "5", "holds data and does not move on"),
}


AFTER_5 = reply(body=b"[6]", next="6", up_to_date=True)


@pytest.mark.parametrize("live", [False, "long-poll"])
@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED)
def test_what_cannot_be_the_answer_is_asked_for_again(
    damaged: tuple[bytes, str, str], live: LiveMode
) -> None:
    body, offset, told = damaged
    wrong = reply(body=body, next=offset, up_to_date=True)
    before, start = ([AT_5], "-1") if live else ([], "5")

    wrongs = [wrong] * (TELLING - 1)
    player = play(read(live, start), *before, *wrongs, AFTER_5)
    assert [batch.offset for batch in player.batches] == ["5"] * len(before) + ["6"]
    assert data(player)[-1] == b"[6]"
    assert [one.failures for one in player.interruptions] == [1, 2, 3, 4, 5]
    assert re.search(told, player.interruptions[0].reason)

    with pytest.raises(StreamParseError, match=told) as caught:
        play(read(live, start), *before, *wrongs, LOST, wrong)  # what is lost says nothing of it
    assert caught.value.offset == "5"


WHOLE = b'[{"n":1,"text":"so it goes"},[true,12345],"\xc3\xa9"]'


@pytest.mark.parametrize("live", [False, "long-poll"])
def test_what_comes_damaged_otherwise_each_time_is_the_network(live: LiveMode) -> None:
    cut = [WHOLE[:length] for length in range(1, len(WHOLE))]
    spoilt = [WHOLE[:at] + b"\0" + WHOLE[at + 1 :] for at in range(len(WHOLE))]
    before, start = ([AT_5], "-1") if live else ([], "5")
    wrongs = [reply(body=body, next="6") for body in (*cut, *spoilt)]
    player = play(read(live, start), *before, *wrongs, AFTER_5)
    assert data(player)[-1] == b"[6]"
    assert len(player.interruptions) == len(wrongs)

    # As patient as with other trouble of a network, before the first page and after it.
    bounded = read(live, start, reconnect=FEW) if live else read(live, start, retry=FEW)
    with pytest.raises(StreamParseError, match=r"not JSON: .*so it goes"):
        play(bounded, *before, *wrongs[-3:])


def test_tries_are_alike_if_they_follow_one_another() -> None:
    one, other = (reply(body=body, next="6") for body in (b"[1,", b"[2,"))
    wrongs = [one] * (TELLING - 1) + [other] + [one] * (TELLING - 1)
    assert data(play(read(offset="5"), *wrongs, AFTER_5)) == [b"[6]"]
    with pytest.raises(StreamParseError, match=re.escape("[1,")):
        play(read(offset="5"), *wrongs, one)


def test_a_sound_answer_ends_what_was_doubted() -> None:
    wrong = reply(body=b"[1,", next="6")
    on_idle = [*[wrong] * (TELLING - 1), NOTHING_NEW] * 3
    player = play(read("long-poll"), AT_5, *on_idle, AFTER_5)
    assert data(player)[-1] == b"[6]"
    assert max(one.failures for one in player.interruptions) == TELLING - 1


def test_what_the_stream_holds_damaged_is_known_again_as_it_grows() -> None:
    def growing(body: bytes) -> list[Reply]:
        bodies = [body % (b",7" * size) for size in range(TELLING)]
        return [reply(body=body, next=str(6000 + len(body))) for body in bodies]

    with pytest.raises(StreamParseError, match="not JSON"):
        play(read(offset="5"), *growing(b'[{"n":{"m":1},2%s]'))
    with pytest.raises(StreamParseError, match="ends at 8, before"):  # another stream
        play(read(offset="9"), *[reply(body=b"[1]", next=n) for n in "345678"])
    odd = growing(b"[1,oops%s]")
    assert data(play(read(offset="5"), *odd)) == [odd[-1].body]


def test_asking_again_is_asking_past_caches() -> None:
    def sent(player: Player[None]) -> list[bool]:
        return [asked.headers.get("Cache-Control") == "no-cache" for asked in player.requests]

    wrong = reply(body=b"[1,", next="6")
    assert sent(play(read(offset="5"), wrong, wrong, AFTER_5)) == [False, True, True]
    player = play(read("long-poll"), AT_5, wrong, wrong, NOTHING_NEW)
    assert sent(player) == [False, False, True, True, False]


def test_an_element_that_is_no_json_is_delivered_if_it_comes_so_again_and_again() -> None:
    odd = reply(body=b'[1,oops,"\xff"]', next="6", up_to_date=True)  # INVALID-9
    odds = [odd] * (TELLING - 1)
    assert data(play(read(offset="5"), *odds, odd)) == [b'[1,oops,"\xff"]']
    assert data(play(read(offset="5"), *odds, AFTER_5)) == [b"[6]"]
    # Not what was another thing before: that is damage from the way, for all one can tell.
    other = reply(body=b'[1,oops,"\xfe"]', next="6", up_to_date=True)
    assert data(play(read(offset="5"), *odds, other, *odds, AFTER_5)) == [b"[6]"]


@pytest.mark.parametrize(
    "text", [b'["\\ud83d"]', b"[NaN]", b" [1] ", b"7", b"[" * 3000 + b"]" * 3000], ids=repr
)
def test_what_writers_write_is_no_damage(text: bytes) -> None:
    player = play(read(offset="5"), reply(body=text, next="6", up_to_date=True))
    assert data(player) == [text]
    assert player.interruptions == []


def test_a_damaged_page_is_not_remembered() -> None:
    etag = {"etag": '"7"'}
    for body in (b"[1,", b"[1,oops]"):  # not delivered, and delivered in the end
        memory = PageMemory()
        wrong = reply(body=body, next="6", up_to_date=True, headers=etag)
        with suppress(StreamParseError):
            play(read(offset="5", memory=memory), *[wrong] * TELLING)
        assert memory.find("5") is None


def test_the_tries_of_one_offset_do_not_count_for_the_next() -> None:
    wrongs_6 = [reply(body=b"[1,", next="6")] * (TELLING - 1)
    wrongs_7 = [reply(body=b"[1,", next="7")] * (TELLING - 1)
    pages = [reply(body=b"[6]", next="6"), reply(body=b"[7]", next="7", up_to_date=True)]
    player = play(read(offset="5"), *wrongs_6, pages[0], *wrongs_7, pages[1])
    assert data(player) == [b"[6]", b"[7]"]


def test_a_page_that_neither_moves_nor_ends_is_an_error() -> None:
    with pytest.raises(StreamParseError, match="neither moves on"):
        play(read(offset="5"), reply(next="5"))


@pytest.mark.parametrize(
    ("status", "error"), [(400, BadRequest), (401, AccessDenied), (404, StreamNotFound)]
)
def test_a_refused_read(status: int, error: type[StreamError]) -> None:
    player = Player(read("auto", offset="x"), [reply(status)])
    with pytest.raises(error) as caught:
        player.run()
    assert (caught.value.status, caught.value.offset) == (status, "x")
    assert len(player.requests) == 1


def test_gone_data_is_reported_and_not_asked_for_again() -> None:  # CLIENT-8
    player = Player(read("long-poll"), [AT_5, reply(410)])
    with pytest.raises(StreamGone) as caught:
        player.run()
    assert caught.value.offset == "5"
    assert len(player.requests) == 2


def test_the_first_contact_has_its_own_patience() -> None:
    with pytest.raises(ConnectionFailed, match="gave up after 3 tries"):
        play(read("auto", retry=FEW), *[LOST] * 3)


def test_after_the_first_page_a_read_is_as_patient_as_a_reconnect() -> None:
    wrongs = [reply(body=b"[1,%d" % number, next="5") for number in range(20)]
    for trouble in ([LOST] * 20, wrongs):
        player = play(read(retry=FEW), reply(body=b"[1]", next="4"), *trouble, AT_5)
        assert player.is_finished
        assert player.offsets_asked[1:] == ["4"] * 21


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="live is True: one of False, 'auto', 'long-poll', 'sse'"):
        read(True)  # type: ignore[arg-type] # that is the point


# --- long-poll


def test_204_is_up_to_date_and_polled_on() -> None:  # CLIENT-7, POLL-4
    nothing_after_6 = reply(204, next="6", content_type=None)
    player = play(
        read("long-poll"), AT_5, NOTHING_NEW, reply(body=b"[2]", next="6"), nothing_after_6
    )
    assert player.offsets_asked == ["-1", "5", "5", "6", "6"]
    assert data(player) == [b"[1]", b"", b"[2]", b""]
    assert player.batches[1].up_to_date
    assert player.batches[1].content_type == "application/json"  # a 204 says none
    assert player.sleeps == []
    assert all(request.patient for request in player.requests[1:])


def test_auto_follows_other_types_than_json_by_long_poll() -> None:  # trap 10
    text = reply(body=b"x\r\n", next="5", up_to_date=True, content_type="text/plain; charset=utf-8")
    player = play(read("auto"), text)
    assert player.modes_asked == [None, "long-poll"]
    assert player.batches[0].content_type == "text/plain"


def test_the_cursor_is_echoed_and_kept_where_an_answer_has_none() -> None:  # CLIENT-4, CLIENT-5
    player = play(
        read("long-poll"),
        AT_5,
        reply(204, next="5", cursor="11"),
        reply(204, next="5"),
        reply(204, next="5", cursor="13"),
    )
    assert [request.params.get("cursor") for request in player.requests] == [
        None,
        None,
        "11",
        "11",
        "13",
    ]
    assert player.batches[2].cursor == "11"


@pytest.mark.parametrize("hiccup", [LOST, reply(500), reply(503), reply(429)])
def test_a_poll_that_fails_is_repeated_from_the_same_offset(hiccup: Reply | NoReply) -> None:
    player = play(read("long-poll"), AT_5, hiccup, hiccup, reply(body=b"[2]", next="6"))
    assert player.offsets_asked == ["-1", "5", "5", "5", "6"]
    assert [told.retry_in for told in player.interruptions] == player.sleeps
    assert data(player) == [b"[1]", b"[2]"]


def test_a_reconnect_waits_as_long_as_the_server_asks() -> None:  # CLIENT-22
    busy = reply(503, headers={"retry-after": "7"})
    assert play(read("long-poll"), AT_5, busy).sleeps[0] >= 7


def test_after_an_interruption_one_request_does_not_wait() -> None:
    """An idle stream would answer the next poll late, and the reader seem lost until then."""
    idle = reply(body=b"[]", next="5", up_to_date=True)
    player = play(read("long-poll"), AT_5, NOTHING_NEW, LOST, reply(503), idle, NOTHING_NEW)
    assert player.modes_asked == [None, *["long-poll"] * 2, None, None, *["long-poll"] * 2]
    assert [request.patient for request in player.requests[2:6]] == [True, False, False, True]
    assert player.offsets_asked[1:] == ["5"] * 6
    assert data(player) == [b"[1]", b"", b"[]", b""]
    assert len(player.sleeps) == 2  # the idle answer is no sign of a server that cannot poll


def test_a_page_after_an_interruption_is_followed_by_polls() -> None:
    page = reply(body=b"[2]", next="6")
    player = play(read("long-poll"), AT_5, LOST, page, reply(body=b"[3]", next="7"))
    assert player.modes_asked == [None, "long-poll", None, "long-poll", "long-poll"]
    assert player.offsets_asked == ["-1", "5", "5", "6", "7"]


def test_a_catch_up_tells_of_every_failure() -> None:
    answers: list[Reply | NoReply] = [
        reply(503),
        reply(body=b"[1]", next="4"),
        LOST,
        LOST,
        AT_5,
    ]
    told = play(read(), *answers).interruptions
    assert [(one.reason, one.failures) for one in told] == [
        ("the server answered 503", 1),
        ("the connection broke", 1),
        ("the connection broke", 2),
    ]


def failures(count: int) -> Iterable[NoReply]:
    return [LOST] * count


def test_an_answer_restores_the_patience() -> None:
    policy = RetryPolicy(attempts=3)
    answers = [AT_5, *failures(2), NOTHING_NEW, *failures(2), NOTHING_NEW]
    player = play(read("long-poll", reconnect=policy), *answers)
    assert len(player.batches) == 3
    with pytest.raises(ConnectionFailed, match="the connection broke; gave up after 3") as caught:
        play(read("long-poll", reconnect=policy), AT_5, *failures(3))
    assert caught.value.offset == "5"


def test_the_last_answer_is_the_error_of_a_reconnect() -> None:
    with pytest.raises(RateLimited):
        play(read("long-poll", reconnect=RetryPolicy(attempts=2)), AT_5, *[reply(429)] * 2)


def test_a_server_that_ignores_the_mode_is_not_asked_without_pause() -> None:  # QUERY-3
    idle = reply(body=b"[]", next="5", up_to_date=True)
    player = play(read("long-poll"), AT_5, *[idle] * 20)
    assert len(player.sleeps) == 20
    assert max(player.sleeps) <= 5
    assert sum(player.sleeps) > 1
    assert player.interruptions == []


def test_a_handler_may_have_the_read_go_on_from_the_last_batch() -> None:  # C10
    answers = [
        reply(body=b"[1]", next="1"),
        reply(410),
        reply(body=b"[2]", next="2", up_to_date=True),
    ]
    operation = read()
    player = Player(operation, answers, handler=[True])
    player.run()
    assert player.is_finished
    assert [batch.data for batch in player.batches] == [b"[1]", b"[2]"]
    assert [request.params["offset"] for request in player.requests] == ["-1", "1", "1"]
    assert [type(error) for error in player.consulted] == [StreamGone]
    assert len(player.sleeps) == 1


def test_a_read_that_goes_on_after_an_error_is_as_patient_as_a_reconnect() -> None:
    answers = [
        reply(body=b"[1]", next="1"),
        reply(410),
        *[LOST] * 20,
        reply(body=b"[2]", next="2", up_to_date=True),
    ]
    player = Player(read(), answers, handler=[True])
    player.run()
    assert player.is_finished
    assert data(player) == [b"[1]", b"[2]"]


def test_a_handler_that_always_says_yes_is_bounded_by_the_policy() -> None:
    answers = [reply(401)] * 9
    policy = RetryPolicy(attempts=3, initial=0.1)
    player = Player(read(reconnect=policy), answers, handler=[True] * 9)
    with pytest.raises(AccessDenied):
        player.run()
    assert len(player.requests) == 3


def test_a_page_that_was_read_before_is_asked_for_by_its_etag() -> None:  # CLIENT-9, ETAG-3
    memory = PageMemory()
    page = reply(body=b"[1]", next="1", up_to_date=True, headers={"etag": '"a"'})
    other = reply(body=b"[1,2]", next="2", up_to_date=True, headers={"etag": '"b"'})
    asked: list[str | None] = []
    found: list[bytes] = []
    for answer in (page, reply(304), other, reply(304)):
        player = Player(read(memory=memory), [answer])
        player.run()
        assert player.is_finished
        asked += [request.headers.get("If-None-Match") for request in player.requests]
        found += [batch.data for batch in player.batches]
    assert asked == [None, '"a"', '"a"', '"b"']
    assert found == [b"[1]", b"[1]", b"[1,2]", b"[1,2]"]


def test_a_304_that_was_not_asked_for_is_no_answer() -> None:  # trap 24
    with pytest.raises(UnexpectedStatus):
        Player(read(), [reply(304)]).run()


def test_the_memory_of_pages_is_bounded() -> None:
    memory = PageMemory()
    batch = Batch((b"x" * 400_000,), "1", None, True, False, "text/plain")
    for number in range(5):
        memory.keep(str(number), '"a"', batch)
    assert [memory.find(str(number)) is not None for number in range(5)] == [
        False,
        False,
        False,
        True,
        True,
    ]
    memory.keep("large", '"a"', Batch((b"x" * 2**21,), "1", None, True, False, "text/plain"))
    assert memory.find("large") is None


def test_threads_that_read_through_one_handle_do_not_spoil_its_memory() -> None:
    memory = PageMemory()
    threads: list[threading.Thread] = []

    class Meddling(Batch):
        """Has another thread keep the same page in the midst of the keeping of this one."""

        @property
        def data(self) -> bytes:
            if not threads:
                threads.append(threading.Thread(target=memory.keep, args=("1", '"a"', page)))
                threads[0].start()
                threads[0].join(0.2)  # if it has to wait, it does so until this one is kept
            return super().parts[0]

    page = Batch((b"x" * 400_000,), "1", None, True, False, "text/plain")
    memory.keep("1", '"a"', Meddling(page.parts, "1", None, True, False, "text/plain"))
    threads[0].join()
    memory.keep("2", '"a"', page)
    assert memory.find("1") is not None  # two pages are within the bound
    assert memory.find("2") is not None
