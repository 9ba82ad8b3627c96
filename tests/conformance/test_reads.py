"""The command `read` (section 4 of the adapter's text)."""

from __future__ import annotations

import time

import pytest
from tests.conformance.conftest import Runner, joined

TELLING = 6  # what comes damaged in one way so often in a row does not come so by chance
JSON = "application/json"
TEXT = "text/plain"
BINARY = "application/octet-stream"
LIVE = pytest.mark.parametrize("live", ["long-poll", "sse", True])


def test_catching_up_with_json_is_one_chunk(runner: Runner, path: str) -> None:
    runner.ask("create", path=path, contentType="application/json; charset=utf-8")
    runner.http("POST", path, '{"text": "é"}'.encode(), content_type=JSON)
    runner.http("POST", path, "[[1, 2], 3]", content_type=JSON)
    answer = runner.ask("read", path=path)
    assert [chunk["data"] for chunk in answer["chunks"]] == ['[{"text":"é"},[1,2],3]']
    assert answer["status"] == 200
    assert answer["upToDate"] is True
    assert answer["streamClosed"] is False
    assert answer["offset"] == runner.ask("head", path=path)["offset"]


def test_catching_up_with_bytes_is_one_chunk_of_text(runner: Runner, path: str) -> None:
    runner.ask("create", path=path, contentType=TEXT)
    middle = runner.ask("append", path=path, data="é 🙂")["offset"]
    runner.http("POST", path, b"\xff|", content_type=TEXT)
    answer = runner.ask("read", path=path)
    assert [chunk["data"] for chunk in answer["chunks"]] == ["é 🙂\ufffd|"]
    assert runner.data(path, offset=middle) == "\ufffd|"
    assert runner.data(path, offset="-1") == "é 🙂\ufffd|"


@pytest.mark.parametrize("content_type", [JSON, TEXT])
def test_nothing_is_no_chunk(runner: Runner, path: str, content_type: str) -> None:
    runner.ask("create", path=path, contentType=content_type, data='"x"')
    empty = runner.ask("create", path=path + "-empty", contentType=content_type)
    for answer in (
        runner.ask("read", path=path, offset="now"),
        runner.ask("read", path=path + "-empty"),
    ):
        assert (answer["chunks"], answer["upToDate"]) == ([], True)
    assert runner.ask("read", path=path + "-empty")["offset"] == empty["offset"]


def test_a_read_of_what_is_not_there_or_from_where_nothing_is(runner: Runner, path: str) -> None:
    for live in (False, "long-poll", "sse"):
        missing = runner.fail("NOT_FOUND", "read", path=path, live=live)
        assert missing["status"] == 404
        assert path in missing["message"]
    runner.ask("create", path=path)
    bad = runner.fail("INVALID_OFFSET", "read", path=path, offset="no,offset")
    assert bad["status"] == 400
    assert "offset" in bad["message"].lower()


@pytest.mark.parametrize("content_type", [JSON, TEXT])
@pytest.mark.parametrize("live", [False, "long-poll", "sse", True])
def test_the_end_of_a_closed_stream_ends_every_read(
    runner: Runner, path: str, content_type: str, live: str | bool
) -> None:
    runner.ask("create", path=path, contentType=content_type, data='"all"', closed=True)
    answer = runner.ask("read", path=path, live=live)
    assert joined(answer) == ('["all"]' if content_type == JSON else '"all"')
    assert answer["streamClosed"] is True
    assert answer["upToDate"] is True
    assert answer["status"] == 200
    now = runner.ask("read", path=path, live=live, offset="now")
    assert (now["chunks"], now["streamClosed"]) == ([], True)


@LIVE
@pytest.mark.parametrize("content_type", [JSON, TEXT, BINARY])
def test_what_is_appended_meanwhile_is_read(
    runner: Runner, path: str, content_type: str, live: str | bool
) -> None:
    runner.ask("create", path=path, contentType=content_type)
    runner.send("read", path=path, offset="now", live=live, maxChunks=1)
    time.sleep(0.2)  # as long as the runner waits
    data = b"\x00\xff" if content_type == BINARY else b'"\xc3\xa9"'
    runner.http("POST", path, data, content_type=content_type)
    answer = runner.answer()
    assert (answer["type"], answer["success"]) == ("read", True)
    expected = {JSON: '["é"]', TEXT: '"é"', BINARY: "\x00\ufffd"}[content_type]
    assert [chunk["data"] for chunk in answer["chunks"]] == [expected]
    assert answer["streamClosed"] is False
    assert answer["offset"] == runner.ask("head", path=path)["offset"]


@LIVE
def test_data_and_the_end_come_together(runner: Runner, path: str, live: str | bool) -> None:
    runner.ask("create", path=path, contentType=JSON)
    runner.send("read", path=path, live=live, maxChunks=1)
    time.sleep(0.2)
    runner.http("POST", path, '"last"', content_type=JSON, stream_closed="true")
    answer = runner.answer()
    assert joined(answer) == '["last"]'
    assert answer["streamClosed"] is True


@LIVE
def test_a_live_read_catches_up_first(runner: Runner, path: str, live: str | bool) -> None:
    runner.ask("create", path=path, contentType=TEXT, data="before ")
    runner.send("read", path=path, live=live, maxChunks=2)
    time.sleep(0.2)
    runner.http("POST", path, "after", content_type=TEXT)
    assert [chunk["data"] for chunk in runner.answer()["chunks"]] == ["before ", "after"]


@LIVE
def test_up_to_date_ends_a_read_that_waits_for_it(
    runner: Runner, path: str, live: str | bool
) -> None:
    runner.ask("create", path=path, contentType=TEXT, data="all")
    answer = runner.ask("read", path=path, live=live, waitForUpToDate=True)
    assert joined(answer) == "all"
    assert answer["upToDate"] is True


@pytest.mark.parametrize("content_type", [JSON, TEXT])
def test_a_long_poll_that_brings_nothing_ends_with_its_204(
    runner: Runner, path: str, content_type: str
) -> None:
    runner.ask("create", path=path, contentType=content_type, data='"old"')
    began_at = time.monotonic()
    answer = runner.ask("read", path=path, offset="now", live="long-poll", timeoutMs=20_000)
    assert time.monotonic() - began_at < 20  # not its own patience, but the server's, ended it
    assert answer["status"] == 204
    assert (answer["chunks"], answer["upToDate"]) == ([], True)
    assert answer["offset"] == runner.ask("head", path=path)["offset"]
    assert answer["cursor"].isdigit()


@LIVE
def test_running_out_of_time_is_a_success_with_what_was_collected(
    runner: Runner, path: str, live: str | bool
) -> None:
    runner.ask("create", path=path, contentType=JSON, data="[1]")
    answer = runner.ask("read", path=path, live=live, maxChunks=2, timeoutMs=300)
    assert joined(answer) == "[1]"
    assert (answer["upToDate"], answer["streamClosed"]) == (True, False)
    assert answer["offset"] == runner.ask("head", path=path)["offset"]


def test_an_event_that_nobody_knows_is_skipped(reference_runner: Runner, path: str) -> None:
    runner = reference_runner
    runner.ask("create", path=path, contentType=TEXT, data="before ")
    runner.inject(path, injectSseEvent={"eventType": "unknown", "data": "noise"}, method="GET")
    runner.send("read", path=path, live="sse", maxChunks=2)
    time.sleep(0.2)
    runner.http("POST", path, "after", content_type=TEXT)
    assert joined(runner.answer()) == "before after"


@pytest.mark.parametrize("data", ["{not json", ""])
def test_a_control_event_that_is_no_json_is_an_error(
    reference_runner: Runner, path: str, data: str
) -> None:
    runner = reference_runner
    runner.ask("create", path=path, contentType=TEXT)
    # The first one is used up by the request that catches up.
    runner.inject(path, injectSseEvent={"eventType": "control", "data": data}, count=1 + TELLING)
    runner.fail("PARSE_ERROR", "read", path=path, live="sse")


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 500, "count": 2},
        {"status": 503},
        {"status": 429, "retryAfter": 1},
        {"dropConnection": True},
        {"dropConnection": True, "count": 2},
    ],
    ids=str,
)
def test_faults_that_pass_are_lived_through(
    reference_runner: Runner, path: str, fault: dict[str, object]
) -> None:
    runner = reference_runner
    runner.ask("create", path=path, contentType=TEXT)
    runner.inject(path, method="POST", **fault)
    appended = runner.ask("append", path=path, data="once ")
    assert appended["status"] == 200
    runner.inject(path, method="POST", **fault)
    runner.ask("append", path=path, data="each", seq=1)
    runner.inject(path, method="GET", **fault)
    assert runner.data(path) == "once each"


@pytest.mark.parametrize(("status", "code"), [(400, "INVALID_OFFSET"), (404, "NOT_FOUND")])
def test_faults_that_cannot_pass_are_told_at_once(
    reference_runner: Runner, path: str, status: int, code: str
) -> None:
    runner = reference_runner
    runner.ask("create", path=path, contentType=TEXT)
    runner.inject(path, method="GET", status=status)
    assert runner.fail(code, "read", path=path)["status"] == status
    runner.inject(path, method="POST", status=status)
    assert runner.fail(code, "append", path=path, data="x")["status"] == status
    assert runner.data(path) == ""


def test_faults_without_end_are_told_in_time(reference_runner: Runner, path: str) -> None:
    runner = reference_runner
    runner.ask("create", path=path, contentType=TEXT)
    for command in ({"type": "read"}, {"type": "append", "data": "x"}):
        runner.inject(path, status=500, count=20)
        answer = runner.fail("UNEXPECTED_STATUS", path=path, **command)
        assert answer["status"] == 500
        runner.http("DELETE", "/_test/inject-error")


def test_a_body_that_is_damaged_again_and_again_is_an_error(
    reference_runner: Runner, path: str
) -> None:
    runner = reference_runner
    runner.ask("create", path=path, contentType=JSON, data='[{"text":"something"}]')
    runner.inject(path, method="GET", truncateBodyBytes=5, count=TELLING)
    runner.fail("PARSE_ERROR", "read", path=path)
    runner.inject(path, method="GET", truncateBodyBytes=5)
    assert runner.data(path) == '[{"text":"something"}]'
