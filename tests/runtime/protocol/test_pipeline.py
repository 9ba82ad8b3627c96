"""The producer's state machine: numbers, batches, and what becomes of every value."""

import pytest
from tests.runtime.protocol.player import LOST, reply

from streamdb.errors import (
    BadRequest,
    ConnectionFailed,
    NotReached,
    PayloadTooLarge,
    ProducerFenced,
    ProducerGap,
    StreamClosed,
    StreamNotFound,
)
from streamdb.protocol.calling import Answered
from streamdb.protocol.exchange import Request
from streamdb.protocol.parcel import Parcel
from streamdb.protocol.pipeline import Pipeline
from streamdb.protocol.producer_options import ProducerOptions

URL = "http://server/v1/stream/s"
BYTES = "application/octet-stream"


def pipeline(**options: int | float | bool) -> Pipeline:
    return Pipeline("p", URL, ProducerOptions(**{"linger": 0, **options}))  # type: ignore[arg-type] - names and kinds vary


def add(machine: Pipeline, *items: bytes) -> None:
    for item in items:
        machine.add(item, lambda: 0.0)
        machine.seal()


def take(machine: Pipeline) -> Parcel:
    parcel = machine.take(0.0)
    assert parcel is not None
    return parcel


def stored(offset: str | None = "9", **headers: str) -> Answered:
    return Answered(reply(200, next=offset, headers=headers), in_doubt=False)


def refused(status: int, *, in_doubt: bool = False, **headers: str) -> Answered:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answered(reply(status, headers=named), in_doubt)


def gap(expected: int) -> Answered:
    return refused(409, producer_expected_seq=str(expected), producer_received_seq="9")


def test_a_number_for_every_request_and_the_same_headers_for_each_repetition() -> None:  # CLIENT-31
    machine = pipeline(epoch=3)
    add(machine, b"1")
    parcel = take(machine)
    request = parcel.request("p", "application/json")
    assert request == Request(
        "POST",
        headers={
            "Producer-Id": "p",
            "Producer-Epoch": "3",
            "Producer-Seq": "0",
            "Content-Type": "application/json",
        },
        body=b"[1]",
    )
    assert parcel.request("p", "application/json") == request
    machine.answered(parcel, stored("7"))
    assert machine.offset == "7"
    add(machine, b"2")
    assert take(machine).request("p", BYTES).headers["Producer-Seq"] == "1"


def test_a_batch_collects_what_comes_within_the_linger_time() -> None:
    machine = pipeline(linger=1.0)
    assert machine.add(b"a", lambda: 10.0)  # a timer is wanted
    assert not machine.add(b"b", lambda: 10.5)
    assert machine.take(10.9) is None
    assert machine.due_at == 11.0
    parcel = machine.take(11.0)
    assert parcel is not None
    assert parcel.items == [b"a", b"b"]


def test_limits_of_size_and_count_hold() -> None:
    machine = pipeline(linger=60.0, max_batch_bytes=4)
    assert [machine.add(item, lambda: 0.0) for item in (b"aa", b"a", b"bbb", b"b")] == [
        True,
        False,
        True,
        True,
    ]
    first, second = take(machine), machine.take(0.0)
    assert first.items == [b"aa", b"a"]
    assert second is None  # the first of an epoch goes alone
    machine.answered(first, stored())
    assert take(machine).items == [b"bbb", b"b"]
    counted = pipeline(linger=60.0, max_batch_items=2)
    assert [counted.add(b"x", lambda: 0.0) for _ in range(3)] == [True, True, True]
    assert take(counted).items == [b"x", b"x"]


def test_the_window_bounds_what_is_in_flight() -> None:
    machine = pipeline(max_in_flight=2)
    add(machine, b"1", b"2", b"3", b"4")
    machine.answered(take(machine), stored())
    second, third = take(machine), take(machine)
    assert (second.seq, third.seq) == (1, 2)
    assert machine.take(0.0) is None
    assert machine.due_at is None  # an answer comes first
    machine.answered(second, stored())
    assert take(machine).seq == 3


def test_a_batch_before_its_turn_waits_and_goes_again() -> None:  # CLIENT-34
    machine = pipeline()
    add(machine, b"1", b"2", b"3")
    machine.answered(take(machine), stored())
    second, third = take(machine), take(machine)
    machine.answered(third, gap(1))
    assert machine.take(0.0) is None
    machine.answered(second, stored())
    assert take(machine) is third
    assert third.seq == 2
    machine.answered(third, stored("12"))
    assert machine.is_idle
    assert machine.losses == []
    assert machine.offset == "12"


def test_a_gap_that_nothing_in_flight_can_fill_is_an_error() -> None:  # CLIENT-34, PROD-14
    machine = pipeline()
    add(machine, b"1", b"2")
    machine.answered(take(machine), stored())
    machine.answered(take(machine), gap(0))
    assert isinstance(machine.failure, ProducerGap)
    assert [loss.unwritten for loss in machine.losses] == [(b"2",)]


def test_an_old_answer_of_a_gap_that_was_filled_is_asked_for_again() -> None:
    machine = pipeline()
    add(machine, b"1", b"2", b"3")
    machine.answered(take(machine), stored())
    machine.answered(take(machine), stored())
    third = take(machine)
    machine.answered(third, gap(1))
    assert take(machine) is third
    machine.answered(third, stored("12"))
    assert (machine.losses, machine.offset) == ([], "12")


def test_a_server_that_goes_on_telling_of_a_gap_is_believed() -> None:
    machine = pipeline()
    add(machine, b"1", b"2", b"3")
    machine.answered(take(machine), stored())
    machine.answered(take(machine), stored())
    tries = 0
    while machine.failure is None:
        machine.answered(take(machine), gap(1))
        tries += 1
        assert tries < 10
    assert tries > 2
    assert [loss.unwritten for loss in machine.losses] == [(b"3",)]


def test_an_answer_to_a_later_batch_speaks_for_earlier_ones() -> None:
    machine = pipeline()
    add(machine, b"1", b"2", b"3")
    machine.answered(take(machine), stored())
    second, third = take(machine), take(machine)
    machine.answered(third, stored())
    machine.gave_up(second, ConnectionFailed("lost"))
    assert machine.is_idle
    assert machine.failure is None
    assert machine.losses == []


def test_a_duplicate_is_a_success_without_an_offset() -> None:  # CLIENT-32, PROD-12
    machine = pipeline()
    add(machine, b"1")
    machine.answered(take(machine), Answered(reply(204), in_doubt=True))
    assert machine.is_idle
    assert machine.losses == []


def test_an_offset_is_not_kept_for_what_was_stored_after_it() -> None:  # PROD-12
    machine = pipeline()
    add(machine, b"1", b"2")
    machine.answered(take(machine), stored("6"))
    assert machine.last().offset == "6"
    machine.answered(take(machine), Answered(reply(204), in_doubt=True))
    assert machine.last().offset is None


def test_fenced_without_auto_claim_stops_with_all_that_was_not_written() -> None:  # CLIENT-33
    machine = pipeline()
    add(machine, b"1", b"2")
    machine.answered(take(machine), refused(403, producer_epoch="4"))
    assert isinstance(machine.failure, ProducerFenced)
    assert machine.failure.epoch == 4
    assert [loss.unwritten for loss in machine.losses] == [(b"1", b"2")]
    with pytest.raises(ProducerFenced):
        machine.add(b"3", lambda: 0.0)
    machine.restart()  # PROD-15
    add(machine, b"3")
    assert (take(machine).epoch, machine.epoch) == (5, 5)


def test_auto_claim_takes_the_next_epoch_and_sends_the_first_batch_alone() -> None:  # PROD-16
    machine = pipeline(auto_claim=True)
    add(machine, b"1", b"2")
    machine.answered(take(machine), refused(403, producer_epoch="4"))
    claimed = take(machine)
    assert (claimed.epoch, claimed.seq, claimed.items) == (5, 0, [b"1"])
    assert machine.take(0.0) is None  # CLIENT-33
    machine.answered(claimed, stored())
    assert (take(machine).seq, machine.epoch) == (1, 5)


def test_a_number_that_was_used_before_is_a_repetition_or_a_reason_to_claim() -> None:
    repeating = pipeline()  # CLIENT-32
    add(repeating, b"1")
    repeating.answered(take(repeating), Answered(reply(204), in_doubt=False))
    assert repeating.is_idle
    assert (repeating.duplicates, repeating.last().duplicate) == (1, True)
    claiming = pipeline(auto_claim=True)
    add(claiming, b"1", b"2")
    claiming.answered(take(claiming), Answered(reply(204), in_doubt=False))
    again = take(claiming)
    assert (again.items, again.epoch, again.seq) == ([b"1"], 1, 0)
    claiming.answered(again, stored())
    claiming.answered(take(claiming), Answered(reply(204), in_doubt=True))
    assert (claiming.epoch, claiming.duplicates) == (1, 0)


def test_fenced_after_a_lost_answer_is_unknown() -> None:  # trap 20
    machine = pipeline(auto_claim=True)
    add(machine, b"1")
    machine.answered(take(machine), refused(403, in_doubt=True, producer_epoch="4"))
    assert isinstance(machine.failure, ConnectionFailed)
    assert [(loss.unwritten, loss.unknown) for loss in machine.losses] == [((), (b"1",))]


def test_a_closed_stream_ends_it() -> None:  # CLIENT-35
    machine = pipeline()
    add(machine, b"1", b"2")
    closed = Answered(reply(409, next="7", closed=True), in_doubt=False)
    machine.answered(take(machine), closed)
    assert isinstance(machine.failure, StreamClosed)
    assert machine.failure.final_offset == "7"
    assert [loss.unwritten for loss in machine.losses] == [(b"1", b"2")]


def test_closing_goes_last_under_the_next_number_with_its_data() -> None:  # CLIENT-36, PROD-17
    machine = pipeline()
    add(machine, b"1")
    machine.close([b"2"])
    machine.answered(take(machine), stored())
    closing = take(machine)
    request = closing.request("p", BYTES)
    assert (request.headers["Producer-Seq"], request.headers["Stream-Closed"]) == ("1", "true")
    assert request.body == b"2"
    machine.answered(closing, stored())
    assert machine.is_closed


def test_closing_without_data_has_no_content_type() -> None:  # CLOSE-3, PROD-18
    machine = pipeline()
    machine.close([])
    request = take(machine).request("p", BYTES)
    assert "Content-Type" not in request.headers
    assert request.body == b""


def test_a_refused_batch_is_halved_until_the_one_at_fault_is_found() -> None:
    machine = pipeline(linger=60)
    for item in (b"1", b"bad", b"3", b"4"):
        machine.add(item, lambda: 0.0)
    machine.seal()
    sent: list[tuple[int, list[bytes]]] = []
    while not machine.is_idle:
        parcel = take(machine)
        sent.append((parcel.seq, list(parcel.items)))
        machine.answered(parcel, refused(413) if b"bad" in parcel.items else stored())
    assert sent == [
        (0, [b"1", b"bad", b"3", b"4"]),
        (0, [b"1", b"bad"]),
        (0, [b"1"]),
        (1, [b"bad"]),
        (1, [b"3", b"4"]),
    ]
    assert machine.failure is None
    [loss] = machine.pop_losses()
    assert isinstance(loss.error, PayloadTooLarge)
    assert loss.unwritten == (b"bad",)
    assert machine.pop_losses() == []


def test_numbers_are_not_given_again_while_a_request_with_them_may_be_under_way() -> None:
    machine = pipeline()
    add(machine, b"1", b"bad", b"3")
    machine.answered(take(machine), stored())
    bad, third = take(machine), take(machine)
    machine.answered(bad, refused(400))
    assert machine.take(0.0) is None  # the third is still unanswered
    machine.answered(third, Answered(gap(1).reply, in_doubt=True))  # one of its tries is astray
    again = take(machine)
    assert (again.items, again.epoch, again.seq) == ([b"3"], 1, 0)


def test_the_number_of_what_was_refused_is_not_given_again_if_an_earlier_try_is_astray() -> None:
    """It may be stored, or come later: what has that number then would be taken for it."""
    machine = pipeline()
    add(machine, b"bad", b"2")
    machine.answered(take(machine), Answered(refused(400).reply, in_doubt=True))
    [loss] = machine.pop_losses()
    assert isinstance(loss.error, BadRequest)
    again = take(machine)
    assert (again.items, again.epoch, again.seq) == ([b"2"], 1, 0)


def test_what_is_held_counts_until_it_is_stored() -> None:
    machine = pipeline(max_buffered_bytes=4)
    add(machine, b"12")
    assert not machine.is_full
    add(machine, b"34")
    assert machine.is_full
    machine.answered(take(machine), stored())
    assert not machine.is_full


@pytest.mark.parametrize(
    "options",
    [
        {"epoch": -1},
        {"linger": -0.1},
        {"linger": float("nan")},
        {"max_batch_bytes": 0},
        {"max_batch_items": 0},
        {"max_in_flight": 0},
        {"max_buffered_bytes": 0},
    ],
    ids=str,
)
def test_bounds_that_make_no_sense_are_refused(options: dict[str, float]) -> None:  # CLIENT-37
    with pytest.raises(ValueError, match=next(iter(options))):
        pipeline(**options)


def test_lost_and_missing_are_told_apart() -> None:
    machine = pipeline()
    add(machine, b"1")
    machine.answered(take(machine), refused(404))
    assert isinstance(machine.failure, StreamNotFound)
    assert LOST.reason


def test_a_restart_begins_above_whoever_fenced_it() -> None:  # PROD-15
    machine = pipeline(epoch=2)
    add(machine, b"1")
    machine.answered(take(machine), refused(403, producer_epoch="7"))
    assert isinstance(machine.failure, ProducerFenced)
    machine.restart()
    assert machine.epoch == 8


def test_a_duplicate_in_a_new_epoch_may_be_anothers_and_is_no_success() -> None:  # CLIENT-32
    machine = pipeline()
    machine.restart()
    add(machine, b"1")
    machine.answered(take(machine), Answered(reply(204), in_doubt=False))
    assert isinstance(machine.failure, ProducerFenced)
    # Unless the network delivered it twice, and this was the answer to the second delivery.
    assert [loss.unknown for loss in machine.pop_losses()] == [(b"1",)]


def test_what_was_never_sent_is_unwritten() -> None:
    machine = pipeline()
    add(machine, b"1")
    machine.gave_up(take(machine), NotReached("append: nobody listens"))
    [loss] = machine.pop_losses()
    assert (loss.unwritten, loss.unknown) == ((b"1",), ())
