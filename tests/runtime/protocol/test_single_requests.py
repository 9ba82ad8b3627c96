"""The single requests: create, head, append, close, delete."""

import pytest
from tests.runtime.protocol.player import LOST, URL, Player, play, reply

from streamdb.errors import (
    AccessDenied,
    BadHeader,
    BadRequest,
    ConnectionFailed,
    ContentTypeConflict,
    NotReached,
    NotSupported,
    PayloadTooLarge,
    RateLimited,
    SequenceConflict,
    StreamClosed,
    StreamError,
    StreamExists,
    StreamGone,
    StreamNotFound,
    StreamParseError,
    UnexpectedStatus,
)
from streamdb.protocol import single_requests
from streamdb.protocol.exchange import NoReply, Operation, Reply
from streamdb.protocol.results import Appended, StreamInfo
from streamdb.protocol.retry import RetryPolicy
from streamdb.protocol.single_requests import ForkPoint, close, create, delete

RETRY = RetryPolicy(attempts=3, initial=0.1, maximum=1)
OK = reply(next="7")


def head() -> Operation[StreamInfo]:
    return single_requests.head(URL, RETRY)


def append(body: bytes = b"[1]") -> Operation[Appended]:
    return single_requests.append(URL, RETRY, content_type="application/json", body=body)


def test_create_sends_the_configuration_and_says_whether_it_was_new() -> None:
    operation = create(
        URL, RETRY, content_type="text/plain", ttl_seconds=60, closed=True, body=b"all"
    )
    player = Player(operation, [reply(201, next="3", closed=True, content_type="text/plain")])
    info = player.run()
    assert info == StreamInfo("3", "text/plain", closed=True, created=True)
    request = player.requests[0]
    assert (request.method, request.body) == ("PUT", b"all")
    assert request.headers == {
        "Content-Type": "text/plain",
        "Stream-TTL": "60",
        "Stream-Closed": "true",
    }


def test_a_fork_names_its_source_and_point() -> None:  # FORK-1, FORK-2, FORKSUB-1
    forks = [
        ForkPoint("/v1/stream/source"),
        ForkPoint("/v1/stream/source", "7", 2),
    ]
    headers = []
    for fork in forks:
        operation = create(URL, RETRY, content_type="text/plain", fork=fork)
        player = Player(operation, [reply(201, next="9")])
        player.run()
        headers.append(dict(player.requests[0].headers))
    assert headers == [
        {"Content-Type": "text/plain", "Stream-Forked-From": "/v1/stream/source"},
        {
            "Content-Type": "text/plain",
            "Stream-Forked-From": "/v1/stream/source",
            "Stream-Fork-Offset": "7",
            "Stream-Fork-Sub-Offset": "2",
        },
    ]


def test_a_fork_at_what_is_no_offset_is_not_sent() -> None:
    point = ForkPoint("/v1/stream/s", "5\r\nStream-Closed: true")
    with pytest.raises(BadHeader):
        Player(create(URL, RETRY, content_type="text/plain", fork=point), [OK]).run()


def test_create_of_what_exists_just_so_is_no_error() -> None:  # CREATE-2
    operation = create(
        URL, RETRY, content_type="application/json", expires_at="2030-01-01T00:00:00Z"
    )
    player = Player(operation, [reply(200, next="9")])
    info = player.run()
    assert info is not None
    assert not info.created
    assert player.requests[0].headers["Stream-Expires-At"] == "2030-01-01T00:00:00Z"


def test_who_created_a_stream_is_not_known_if_an_answer_was_lost() -> None:  # CREATE-2
    for answers, created in (
        ([LOST, reply(200, next="9")], None),
        ([reply(502), reply(200, next="9")], None),
        ([reply(429), reply(200, next="9")], False),
        ([LOST, reply(201, next="9")], True),
    ):
        operation = create(URL, RETRY, content_type="application/json")
        info = Player(operation, answers).run()
        assert info is not None
        assert info.created is created


def test_create_believes_the_request_where_the_answer_has_no_type() -> None:
    operation = create(URL, RETRY, content_type="text/plain")
    info = Player(operation, [reply(201, next="0", content_type=None)]).run()
    assert info is not None
    assert info.content_type == "text/plain"


def test_create_conflict() -> None:  # CLIENT-24
    with pytest.raises(StreamExists) as caught:
        play(create(URL, RETRY, content_type="text/plain"), reply(409))
    assert caught.value.status == 409
    assert URL in str(caught.value)


def test_head_reads_everything_the_stream_says() -> None:  # HEAD-1 to HEAD-3
    answer = reply(
        next="7",
        headers={
            "stream-closed": "TRUE",  # HDR-3: in any case
            "stream-ttl": "60",
            "stream-expires-at": "2030-01-01T00:00:00Z",
        },
    )
    info = Player(head(), [answer]).run()
    assert info == StreamInfo("7", "application/json", True, 60, "2030-01-01T00:00:00Z")


def test_a_server_without_offsets_is_no_durable_stream() -> None:
    with pytest.raises(StreamParseError, match="is this a Durable Stream"):
        play(head(), reply())


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadRequest),
        (401, AccessDenied),
        (403, AccessDenied),
        (404, StreamNotFound),
        (405, NotSupported),
        (410, StreamGone),
        (413, PayloadTooLarge),
        (418, UnexpectedStatus),
        (501, NotSupported),
    ],
)
def test_what_cannot_pass_is_not_repeated(status: int, error: type[StreamError]) -> None:
    """CLIENT-21, right column."""
    player = Player(head(), [reply(status, b"why \x1b[2J"), OK])
    with pytest.raises(error) as caught:
        player.run()
    assert len(player.requests) == 1
    assert type(caught.value) is error
    assert (caught.value.status, caught.value.url) == (status, URL)
    assert "\x1b" not in str(caught.value)  # a body is quoted safe to print


@pytest.mark.parametrize("hiccup", [LOST, reply(429), reply(500), reply(502), reply(503)])
def test_safe_requests_are_repeated(hiccup: Reply | NoReply) -> None:
    """CLIENT-21, CLIENT-23: left column, for everything but a plain POST."""
    operations: list[Operation[object]] = [
        head(),
        create(URL, RETRY, content_type="text/plain"),
        close(URL, RETRY),
        delete(URL, RETRY),
    ]
    for operation in operations:
        player = play(operation, hiccup, hiccup, OK)
        assert player.is_finished
        assert len(set(map(repr, player.requests))) == 1
        assert len(player.requests) == 3
        assert len(player.sleeps) == 2


def test_every_failure_that_is_tried_again_is_told() -> None:
    """Tries without end would be silent otherwise."""
    turned_away = reply(503)
    for operation in (head(), append()):
        player = play(operation, turned_away, turned_away, OK)
        told = player.interruptions
        assert [one.reason for one in told] == ["the server answered 503"] * 2
        assert [one.failures for one in told] == [1, 2]
        assert [one.retry_in for one in told] == player.sleeps
    assert play(head(), LOST, OK).interruptions[0].reason == "the connection broke"


def test_tries_end_with_the_policy() -> None:
    player = Player(head(), [LOST] * 9)
    with pytest.raises(ConnectionFailed, match="the connection broke; gave up after 3 tries"):
        player.run()
    assert len(player.requests) == 3


@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (503, UnexpectedStatus)])
def test_the_last_answer_is_the_error(status: int, error: type[StreamError]) -> None:
    with pytest.raises(error) as caught:
        play(head(), *[reply(status)] * 3)
    assert caught.value.status == status


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_a_lower_bound(status: int) -> None:  # CLIENT-22
    player = play(head(), reply(status, headers={"retry-after": "30"}), OK)
    assert player.sleeps[0] >= 30


def test_append_returns_the_new_tail() -> None:
    player = Player(append(), [reply(204, next="8")])
    assert player.run() == Appended("8")
    request = player.requests[0]
    assert (request.method, request.body) == ("POST", b"[1]")
    assert request.headers == {"Content-Type": "application/json"}  # CLIENT-26


def test_a_plain_append_is_never_repeated_in_doubt() -> None:  # CLIENT-23, trap 27
    for unclear in (LOST, reply(500), reply(502), reply(504)):
        player = Player(append(), [unclear, reply(204, next="8")])
        with pytest.raises(ConnectionFailed, match="whether the data was stored is unknown"):
            player.run()
        assert len(player.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_plain_append_that_was_turned_away_is_repeated(status: int) -> None:  # CLIENT-23
    turned_away = reply(status, headers={"retry-after": "2"})
    player = Player(append(), [turned_away, turned_away, reply(204, next="8")])
    assert player.run() == Appended("8")
    assert min(player.sleeps) >= 2


def test_a_plain_append_turned_away_for_good_is_known_not_to_be_stored() -> None:
    player = Player(append(), [reply(503)] * 9)
    with pytest.raises(UnexpectedStatus):
        player.run()
    assert len(player.requests) == 3


def append_in_sequence() -> Operation[Appended]:
    return single_requests.append(
        URL, RETRY, content_type="application/json", body=b"[1]", seq="05"
    )


def test_an_append_with_a_seq_is_repeated_in_doubt() -> None:  # CLIENT-23: SEQ-2 makes it safe
    player = Player(append_in_sequence(), [LOST, reply(500), reply(204, next="8")])
    assert player.run() == Appended("8")
    assert [request.headers["Stream-Seq"] for request in player.requests] == ["05"] * 3


def test_an_append_with_a_seq_that_is_refused_after_doubt_may_be_stored() -> None:
    for unclear in (LOST, reply(502)):  # what used the number up may be its own first try
        with pytest.raises(ConnectionFailed, match="whether the data was stored is unknown"):
            play(append_in_sequence(), unclear, reply(409))
    same = reply(200, next="7", content_type="application/json")
    with pytest.raises(SequenceConflict):  # no doubt: it was turned away before
        play(append_in_sequence(), reply(503), reply(409), same)
    with pytest.raises(ConnectionFailed):
        play(append_in_sequence(), LOST, LOST, LOST)


def test_append_to_a_closed_stream() -> None:  # CLIENT-24, CLIENT-35
    # Closed goes first, whatever else the answer says (trap 19).
    refused = reply(409, next="7", closed=True, headers={"producer-expected-seq": "3"})
    with pytest.raises(StreamClosed) as caught:
        play(append(), refused)
    assert caught.value.final_offset == "7"


def test_append_of_another_type() -> None:  # 18.2, last row
    with pytest.raises(ContentTypeConflict):
        play(append(), reply(409))


def test_close_without_data_has_no_type() -> None:  # CLIENT-28, CLOSE-3
    player = Player(close(URL, RETRY, content_type="text/plain"), [reply(204, next="7")])
    assert player.run() == Appended("7")
    assert player.requests[0].headers == {"Stream-Closed": "true"}
    assert player.requests[0].body == b""


def test_close_with_data_is_one_request() -> None:  # APPEND-15
    operation = close(URL, RETRY, content_type="text/plain", body=b"end")
    player = Player(operation, [reply(204, next="7")])
    player.run()
    assert player.requests[0].headers == {"Stream-Closed": "true", "Content-Type": "text/plain"}
    assert player.requests[0].body == b"end"


def test_last_data_refused_after_a_lost_answer_may_be_there_all_the_same() -> None:  # trap 20
    closed = reply(409, next="7", closed=True)
    with pytest.raises(StreamClosed):
        play(
            close(URL, RETRY, content_type="text/plain", body=b"end"),
            reply(503),
            closed,
        )
    with pytest.raises(ConnectionFailed, match="whether the data was stored is unknown"):
        play(close(URL, RETRY, content_type="text/plain", body=b"end"), LOST, closed)


def test_delete() -> None:
    player = play(delete(URL, RETRY), reply(204))
    assert player.is_finished
    assert player.requests[0].method == "DELETE"


@pytest.mark.parametrize("status", [404, 410])
def test_a_repeated_delete_that_finds_nothing_has_succeeded(status: int) -> None:  # CLIENT-23
    assert play(delete(URL, RETRY), LOST, reply(status)).is_finished
    with pytest.raises(StreamError):
        play(delete(URL, RETRY), reply(status))


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text",
        "text/",
        "te xt/plain",
        "text/plain; x=→",
        "text/plain; x=é",
        "text/plain\r\nX-Evil: 1",
        "text/plain; x=1\r\nX-Evil: 1",
        "text/plain; a=\x00",
    ],
)
def test_a_content_type_that_is_none_is_not_sent(content_type: str) -> None:
    player = Player(create(URL, RETRY, content_type=content_type), [OK])
    with pytest.raises(BadHeader, match="content_type"):
        player.run()
    assert player.requests == []


@pytest.mark.parametrize("content_type", ["Text/Plain;charset=UTF-8", 'a/b+c; d="e f"; g', "a/b;"])
def test_a_content_type_goes_out_as_it_is(content_type: str) -> None:
    player = play(create(URL, RETRY, content_type=content_type), OK)
    assert player.requests[0].headers["Content-Type"] == content_type


@pytest.mark.parametrize(
    "expires_at", ["", "tomorrow", "2030-01-01", "2030-02-31T00:00:00Z", "2030-01-01T00:00:00Z\r\n"]
)
def test_an_expiry_that_is_none_is_not_sent(expires_at: str) -> None:
    operation = create(URL, RETRY, content_type="text/plain", expires_at=expires_at)
    player = Player(operation, [OK])
    with pytest.raises(BadHeader, match="expires_at"):
        player.run()
    assert player.requests == []


NOT_SENT = NoReply("cannot connect", was_sent=False)


def test_a_plain_append_is_repeated_where_nothing_was_sent() -> None:  # CLIENT-23
    player = Player(append(), [NOT_SENT, NOT_SENT, OK])
    assert player.run() == Appended("7")
    assert len(player.requests) == 3


def test_a_server_that_was_never_reached_knows_nothing_of_it() -> None:
    for operation in (append(), head()):
        with pytest.raises(NotReached, match="gave up after 3 tries"):
            Player(operation, [NOT_SENT] * 3).run()


def test_one_try_that_was_sent_leaves_the_outcome_unknown() -> None:
    with pytest.raises(ConnectionFailed) as caught:
        Player(append(), [NOT_SENT, NoReply("it broke")]).run()
    assert not isinstance(caught.value, NotReached)
    with pytest.raises(ConnectionFailed) as caught:
        Player(head(), [NoReply("it broke"), NOT_SENT, NOT_SENT]).run()
    assert not isinstance(caught.value, NotReached)
