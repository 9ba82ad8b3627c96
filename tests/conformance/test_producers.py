"""The commands of producers (section 3 of the adapter's text)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.conftest import Runner

JSON = "application/json"
TEXT = "text/plain"


def producer(path: str, epoch: int = 0, **fields: Any) -> dict[str, Any]:
    return {"path": path, "producerId": "p", "epoch": epoch, "autoClaim": False, **fields}


def test_appends_of_one_producer(runner: Runner, path: str) -> None:
    runner.ask("create", path=path, contentType=JSON)
    first = runner.ask("idempotent-append", data='{"n":1}', **producer(path))
    second = runner.ask("idempotent-append", data="[2,[3]]", **producer(path))
    assert first["status"] == second["status"] == 200
    assert first["offset"] < second["offset"] == runner.ask("head", path=path)["offset"]
    assert runner.data(path) == '[{"n":1},[2,[3]]]'


@pytest.mark.parametrize("in_flight", [None, 1, 5])
def test_a_batch_is_stored_in_order_and_once(
    runner: Runner, path: str, in_flight: int | None
) -> None:
    runner.ask("create", path=path, contentType=JSON)
    more = {} if in_flight is None else {"maxInFlight": in_flight}
    items = [f'{{"n":{number}}}' for number in range(20)]
    for _ in range(2):  # a new producer with the same numbers: nothing is stored twice
        answer = runner.ask("idempotent-append-batch", items=items, **producer(path), **more)
        assert answer["status"] == 200
    assert runner.data(path) == f"[{','.join(items)}]"


def test_a_batch_is_one_request_and_in_flight_one_for_each_item(
    reference_runner: Runner, path: str
) -> None:
    runner = reference_runner
    for in_flight, requests in ((1, 1), (3, 4)):
        name = f"{path}-{in_flight}"
        runner.ask("create", path=name, contentType=TEXT)
        runner.ask(
            "idempotent-append-batch", items=list("abcd"), maxInFlight=in_flight, **producer(name)
        )
        assert runner.data(name) == "abcd"
        # The next number that the server takes says how many there were.
        gap = runner.http(
            "POST",
            name,
            "x",
            content_type=TEXT,
            producer_id="p",
            producer_epoch="0",
            producer_seq=str(requests),
        )
        assert gap.status_code == 200


def test_an_old_epoch_is_fenced_unless_it_claims(runner: Runner, path: str) -> None:
    runner.ask("create", path=path, contentType=TEXT)
    runner.ask("idempotent-append", data="1", **producer(path, epoch=1))
    fenced = runner.fail("UNEXPECTED_STATUS", "idempotent-append", data="0", **producer(path))
    assert fenced["status"] == 403
    claiming = producer(path, epoch=0, autoClaim=True)
    runner.ask("idempotent-append", data="2", **claiming)
    runner.ask("idempotent-append", data="3", **claiming)
    runner.fail("UNEXPECTED_STATUS", "idempotent-append", data="x", **producer(path, epoch=1))
    assert runner.data(path) == "123"


def test_a_stream_that_comes_to_be_later(runner: Runner, path: str) -> None:
    missing = runner.fail("NOT_FOUND", "idempotent-append", data='"x"', **producer(path))
    assert missing["status"] == 404
    runner.ask("create", path=path, contentType=JSON)
    runner.ask("idempotent-append", data='"x"', **producer(path))
    assert runner.data(path) == '["x"]'


def test_a_value_that_is_no_json_harms_no_other(runner: Runner, path: str) -> None:
    runner.ask("create", path=path, contentType=JSON)
    runner.fail("PARSE_ERROR", "idempotent-append", data="{no", **producer(path))
    runner.fail("PARSE_ERROR", "idempotent-append-batch", items=["1", "{no"], **producer(path))
    runner.ask("idempotent-append", data="1", **producer(path))
    assert runner.data(path) == "[1]"


@pytest.mark.parametrize("last", [None, "end"])
def test_closing_twice_is_quiet(runner: Runner, path: str, last: str | None) -> None:
    runner.ask("create", path=path, contentType=TEXT)
    runner.ask("idempotent-append", data="begin ", **producer(path))
    more = {} if last is None else {"data": last}
    first = runner.ask("idempotent-close", **producer(path), **more)
    second = runner.ask("idempotent-close", **producer(path), **more)
    head = runner.ask("head", path=path)
    assert first["status"] == second["status"] == 200
    assert first["finalOffset"] == second["finalOffset"] == head["offset"]
    assert head["streamClosed"] is True
    assert runner.data(path) == "begin " + (last or "")


def test_a_producer_that_only_closes(runner: Runner, path: str) -> None:
    runner.ask("create", path=path, contentType=TEXT)
    runner.ask("idempotent-close", **producer(path))
    assert runner.ask("head", path=path)["streamClosed"] is True
    refused = runner.fail(
        "STREAM_CLOSED", "idempotent-append", data="late", **producer(path, epoch=1)
    )
    assert refused["status"] == 409


def test_detaching_leaves_the_stream_open_and_forgets_the_producer(
    runner: Runner, path: str
) -> None:
    runner.ask("create", path=path, contentType=TEXT)
    runner.ask("idempotent-append", data="1", **producer(path))
    detached = runner.ask("idempotent-detach", path=path, producerId="p", epoch=0)
    assert detached["status"] == 200
    assert runner.ask("head", path=path)["streamClosed"] is False
    again = runner.ask("idempotent-append", data="1", **producer(path))  # from number 0 again
    assert again["duplicate"] is True
    runner.ask("idempotent-detach", path=path, producerId="never seen", epoch=0)
    assert runner.data(path) == "1"


@pytest.mark.parametrize("fault", [{"status": 500, "count": 2}, {"dropConnection": True}], ids=str)
def test_faults_neither_lose_nor_double(
    reference_runner: Runner, path: str, fault: dict[str, object]
) -> None:
    runner = reference_runner
    runner.ask("create", path=path, contentType=TEXT)
    runner.inject(path, method="POST", **fault)
    runner.ask("idempotent-append", data="a", **producer(path))
    runner.inject(path, method="POST", **fault)
    items = list("bcdefgh")
    runner.ask("idempotent-append-batch", items=items, maxInFlight=5, **producer(path, epoch=1))
    assert runner.data(path) == "abcdefgh"
