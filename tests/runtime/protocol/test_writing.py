"""The idempotent producer: every batch once, under every answer and none."""

from collections.abc import Iterator
from itertools import chain, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.protocol.player import LOST, URL, Player, play, reply

from streamdb.errors import (
    AccessDenied,
    BadRequest,
    ConnectionFailed,
    ContentTypeConflict,
    PayloadTooLarge,
    ProducerFenced,
    ProducerGap,
    StreamClosed,
    StreamError,
    StreamNotFound,
)
from streamdb.protocol.exchange import NoReply, Operation, Reply, Request
from streamdb.protocol.results import Appended
from streamdb.protocol.retry import RetryPolicy
from streamdb.protocol.writing import ProducerState, append_once

RETRY = RetryPolicy(attempts=4, initial=0.1, maximum=1)
STORED = reply(200, next="8")
CLOSED = reply(409, next="7", closed=True)


@pytest.fixture
def producer() -> ProducerState:
    return ProducerState("writer-1", epoch=2, next_seq=5)


def once(producer: ProducerState, body: bytes = b"[1]") -> Operation[Appended]:
    return append_once(producer, URL, RETRY, content_type="application/json", body=body)


def number(request: Request) -> tuple[str, str, str]:
    headers = request.headers
    return headers["Producer-Id"], headers["Producer-Epoch"], headers["Producer-Seq"]


def test_a_stored_batch_uses_its_number_up(producer: ProducerState) -> None:  # CLIENT-31
    player = Player(once(producer), [STORED])
    assert player.run() == Appended("8")
    assert number(player.requests[0]) == ("writer-1", "2", "5")
    assert number(play(once(producer), STORED).requests[0]) == ("writer-1", "2", "6")


def test_every_try_has_the_same_number_and_body(producer: ProducerState) -> None:  # CLIENT-31
    player = play(once(producer), LOST, reply(500), reply(503), STORED)
    assert player.is_finished
    assert [(*number(request), request.body) for request in player.requests] == [
        ("writer-1", "2", "5", b"[1]")
    ] * 4
    assert producer.next_seq == 6


@pytest.mark.parametrize(
    ("epoch", "seq"), [("2", "4"), ("1", "9"), ("1", None)], ids=["batch", "epoch", "no batch"]
)
@pytest.mark.parametrize("status", [200, 204])
def test_an_old_answer_is_no_answer(
    producer: ProducerState, status: int, epoch: str, seq: str | None
) -> None:  # PROD-9: the number told is never below that of a stored batch
    told = {"producer-epoch": epoch} | ({} if seq is None else {"producer-seq": seq})
    old = reply(status, next="7", headers=told)
    later = reply(200, next="8", headers={"producer-epoch": "2", "producer-seq": "5"})
    player = Player(once(producer), [old, later])
    assert player.run() == Appended("8")
    assert len(player.requests) == 2
    assert "earlier request" in player.interruptions[0].reason
    assert producer.next_seq == 6


@pytest.mark.parametrize(
    "old",
    [
        reply(409, headers={"producer-expected-seq": "3", "producer-received-seq": "4"}),
        reply(403, headers={"producer-epoch": "2"}),
        reply(403, headers={"producer-epoch": "1"}),
    ],
    ids=["the gap of another batch", "fenced by ourselves", "fenced by who is fenced"],
)
def test_an_old_refusal_is_no_answer(producer: ProducerState, old: Reply) -> None:
    assert Player(once(producer), [old, STORED]).run() == Appended("8")
    assert producer.next_seq == 6


def test_a_number_above_ours_says_that_ours_is_stored(producer: ProducerState) -> None:
    late = reply(204, headers={"producer-epoch": "2", "producer-seq": "8"})
    assert Player(once(producer), [late]).run() == Appended(None, duplicate=True)


def test_a_duplicate_is_a_success_without_an_offset(producer: ProducerState) -> None:
    """CLIENT-32, PROD-12."""
    player = Player(once(producer), [LOST, reply(204)])
    assert player.run() == Appended(None, duplicate=True)
    assert producer.next_seq == 6


def test_fenced_by_a_later_writer(producer: ProducerState) -> None:  # CLIENT-33
    with pytest.raises(ProducerFenced) as caught:
        play(once(producer), reply(403, headers={"producer-epoch": "9"}))
    assert caught.value.epoch == 9


def test_a_403_without_an_epoch_is_about_credentials(producer: ProducerState) -> None:
    with pytest.raises(AccessDenied):
        play(once(producer), reply(403))


def test_a_gap_ends_the_epoch(producer: ProducerState) -> None:  # CLIENT-34
    gap = reply(409, headers={"producer-expected-seq": "4", "producer-received-seq": "5"})
    with pytest.raises(ProducerGap) as caught:
        play(once(producer), gap)
    assert (caught.value.expected, caught.value.received) == (4, 5)
    assert number(play(once(producer), STORED).requests[0]) == ("writer-1", "3", "0")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(400), BadRequest),
        (reply(404), StreamNotFound),
        (reply(409), ContentTypeConflict),
        (CLOSED, StreamClosed),
        (reply(413), PayloadTooLarge),
    ],
)
def test_a_refused_batch_uses_no_number(
    producer: ProducerState, answer: Reply, error: type[StreamError]
) -> None:  # PROD-8
    with pytest.raises(error):
        play(once(producer), answer)
    player = play(once(producer, b"[2]"), STORED)
    assert number(player.requests[0]) == ("writer-1", "2", "5")


def test_giving_up_without_an_answer_ends_the_epoch(producer: ProducerState) -> None:  # CLIENT-39
    with pytest.raises(ConnectionFailed):
        play(once(producer), *[LOST] * 4)
    assert number(play(once(producer, b"[2]"), STORED).requests[0]) == ("writer-1", "3", "0")


def test_giving_up_on_a_failing_server_ends_the_epoch(producer: ProducerState) -> None:
    with pytest.raises(ConnectionFailed, match="whether the data was stored is unknown"):
        play(once(producer), *[reply(500)] * 4)
    assert number(play(once(producer, b"[2]"), STORED).requests[0]) == ("writer-1", "3", "0")


def test_a_cancelled_batch_ends_the_epoch(producer: ProducerState) -> None:
    """Its number may be used up; under it, other data would be taken for a repeat and lost."""
    play(once(producer))  # closed while it waits for its answer
    assert number(play(once(producer, b"[2]"), STORED).requests[0]) == ("writer-1", "3", "0")


@pytest.mark.parametrize(
    "answer", [CLOSED, reply(401), reply(403, headers={"producer-epoch": "9"})]
)
def test_a_refusal_of_the_repeat_says_nothing_of_the_lost_try(
    producer: ProducerState, answer: Reply
) -> None:  # trap 20
    with pytest.raises(ConnectionFailed, match="unknown") as caught:
        play(once(producer), LOST, answer)
    assert isinstance(caught.value.__cause__, StreamError)
    assert caught.value.status == answer.status
    assert number(play(once(producer, b"[2]"), STORED).requests[0]) == ("writer-1", "3", "0")


@pytest.mark.parametrize("status", [400, 413])
def test_the_number_of_a_refused_repeat_is_not_given_again(
    producer: ProducerState, status: int
) -> None:
    """The lost try may come late, or was stored: other data would be taken for a repeat of it."""
    with pytest.raises(BadRequest if status == 400 else PayloadTooLarge):
        play(once(producer), LOST, reply(status))
    assert number(play(once(producer, b"[2]"), STORED).requests[0]) == ("writer-1", "3", "0")


def test_a_refusal_after_being_turned_away_is_certain(producer: ProducerState) -> None:
    with pytest.raises(StreamClosed):
        play(once(producer), reply(503), reply(429), CLOSED)


class Server:
    """The decision table of section 8, and a network that loses requests and answers."""

    def __init__(self) -> None:
        self.epoch = self.seq = -1
        self.stored: list[bytes] = []

    def post(self, request: Request) -> Reply:
        _, epoch, seq = number(request)
        if int(epoch) < self.epoch:
            return reply(403, headers={"producer-epoch": str(self.epoch)})
        if int(epoch) > self.epoch and int(seq) == 0:
            self.epoch, self.seq = int(epoch), -1
        if int(epoch) > self.epoch:
            return reply(400)
        if int(seq) <= self.seq:
            return reply(204)
        if int(seq) > self.seq + 1:
            return reply(
                409,
                headers={
                    "producer-expected-seq": str(self.seq + 1),
                    "producer-received-seq": seq,
                },
            )
        self.seq += 1
        self.stored.append(request.body)
        return reply(200, next=str(len(self.stored)))


FATE = st.sampled_from(["well", "request lost", "answer lost", "failed before", "failed after"])


@given(st.lists(st.lists(FATE, max_size=6), max_size=12))
def test_what_was_acknowledged_is_stored_once_and_in_order(batches: list[list[str]]) -> None:
    server, producer = Server(), ProducerState("w")
    acknowledged: list[bytes] = []
    doubtful: set[bytes] = set()
    for index, fates in enumerate(batches):
        body = b"[%d]" % index
        operation = append_once(
            producer, URL, RetryPolicy(attempts=3), content_type="application/json", body=body
        )
        player = Player(operation, [])
        player.answers = answers_of(server, player.requests, fates)
        try:
            player.run()
        except ConnectionFailed:
            doubtful.add(body)
        else:
            acknowledged.append(body)
    assert [body for body in server.stored if body not in doubtful] == acknowledged
    assert len(set(server.stored)) == len(server.stored)


def answers_of(
    server: Server, requests: list[Request], fates: list[str]
) -> Iterator[Reply | NoReply]:
    """Let each request meet its fate, and all well once the fates are used up."""
    for fate in chain(fates, repeat("well")):
        yield act(server, requests[-1], fate)


def act(server: Server, request: Request, fate: str) -> Reply | NoReply:
    if fate == "request lost":
        return LOST
    if fate == "failed before":
        return reply(500)
    answer = server.post(request)
    return {"answer lost": LOST, "failed after": reply(502)}.get(fate, answer)
