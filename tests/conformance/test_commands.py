"""Every command of one stream, and every error code (sections 2 and 3 of the adapter's text)."""

from __future__ import annotations

import base64
import socket
import time

import pytest
from tests.conformance.conftest import Runner

JSON = "application/json"
TEXT = "text/plain"


def test_init_names_the_client_and_all_that_it_can(runner: Runner) -> None:
    answer = runner.ask("init", serverUrl=runner.origin, timeoutMs=1000)
    assert answer["clientName"].startswith("streamdb")
    assert answer["clientVersion"]
    assert answer["features"] == {
        "batching": True,
        "sse": True,
        "longPoll": True,
        "auto": True,
        "streaming": True,
        "dynamicHeaders": True,
        "retryOptions": True,
        "batchItems": True,
        "strictZeroValidation": True,
    }


def test_create_tells_new_from_known_and_from_another(runner: Runner, path: str) -> None:
    first = runner.ask("create", path=path, contentType=TEXT)
    again = runner.ask("create", path=path, contentType=TEXT)
    assert (first["status"], again["status"]) == (201, 200)
    assert first["offset"] == again["offset"]
    assert runner.fail("CONFLICT", "create", path=path, contentType=JSON)["status"] == 409


def test_create_with_everything(runner: Runner, path: str) -> None:
    expires_at = "2099-01-31T12:00:00Z"
    runner.ask("create", path=path, contentType=TEXT, expiresAt=expires_at, headers={"X-A": "b"})
    runner.ask("create", path=path + "-ttl", ttlSeconds=3600)
    runner.ask("create", path=path + "-all", contentType=TEXT, data="all of it", closed=True)
    runner.ask("create", path=path + "-json", contentType=JSON, data='[{"n":1},[2]]')
    assert runner.ask("head", path=path)["expiresAt"] == expires_at
    ttl = runner.ask("head", path=path + "-ttl")
    assert (ttl["ttlSeconds"], ttl["contentType"]) == (3600, "application/octet-stream")
    assert runner.ask("head", path=path + "-all")["streamClosed"] is True
    assert runner.data(path + "-all") == "all of it"
    assert runner.data(path + "-json") == '[{"n":1},[2]]'


def test_connect_and_head_of_what_is_and_of_what_is_not(runner: Runner, path: str) -> None:
    for command in ("connect", "head"):
        missing = runner.fail("NOT_FOUND", command, path=path)
        assert missing["status"] == 404
        assert path in missing["message"]
    runner.http("PUT", path, "some", content_type=TEXT)
    connected = runner.ask("connect", path=path, headers={"X-A": "b"})
    head = runner.ask("head", path=path)
    assert connected["status"] == head["status"] == 200
    assert connected["offset"] == head["offset"]
    assert head["contentType"].startswith(TEXT)
    assert head["streamClosed"] is False
    assert "ttlSeconds" not in head


@pytest.mark.parametrize("text", ["plain", "é 🙂 \u2028 \u2029", " leading and trailing \n"])
def test_append_text(runner: Runner, path: str, text: str) -> None:
    runner.ask("create", path=path, contentType=TEXT)
    appended = runner.ask("append", path=path, data=text)
    assert appended["status"] == 200
    assert appended["offset"] == runner.ask("head", path=path)["offset"]
    assert runner.data(path) == text


def test_append_json_stores_a_value_as_it_is(runner: Runner, path: str) -> None:
    runner.ask("create", path=path, contentType=JSON)
    for value in ('{"n":1}', "[1,[2]]", "null", '"\u2028"', "12345678901234567890123"):
        runner.ask("append", path=path, data=value)
    # The reference server writes large numbers as JavaScript does, so that they are not compared.
    stored = runner.data(path)
    assert stored.startswith('[{"n":1},[1,[2]],null,"\u2028",')
    runner.fail("PARSE_ERROR", "append", path=path, data="{not json")
    runner.fail("PARSE_ERROR", "append", path=path, data="NaN")
    assert runner.data(path) == stored


def test_append_bytes(runner: Runner, path: str) -> None:
    runner.ask("create", path=path)
    runner.ask("append", path=path, data=base64.b64encode(b"\x00\xffend").decode(), binary=True)
    assert runner.http("GET", path).content == b"\x00\xffend"
    runner.fail("PARSE_ERROR", "append", path=path, data="no base64", binary=True)


def test_append_with_seq(runner: Runner, path: str) -> None:
    runner.ask("create", path=path, contentType=TEXT)
    runner.ask("append", path=path, data="a", seq=1)
    runner.ask("append", path=path, data="b", seq=2)
    low = runner.fail("SEQUENCE_CONFLICT", "append", path=path, data="c", seq=1)
    assert low["status"] == 409
    assert runner.data(path) == "ab"


def test_append_to_what_is_not_there(runner: Runner, path: str) -> None:
    assert runner.fail("NOT_FOUND", "append", path=path, data="x")["status"] == 404


def test_append_of_another_type_is_a_conflict(runner: Runner, path: str) -> None:
    runner.ask("create", path=path, contentType=TEXT)
    runner.http("DELETE", path)
    runner.http("PUT", path, content_type=JSON)  # which the adapter cannot know
    assert runner.fail("CONFLICT", "append", path=path, data="x")["status"] == 409


def test_delete_forgets_the_content_type_and_the_producers(runner: Runner, path: str) -> None:
    producer = {"path": path, "producerId": "p", "epoch": 0, "autoClaim": False}
    runner.ask("create", path=path, contentType=TEXT)
    runner.ask("idempotent-append", data="old", **producer)
    assert runner.ask("delete", path=path)["status"] == 200
    assert runner.fail("NOT_FOUND", "head", path=path)["status"] == 404
    assert runner.fail("NOT_FOUND", "delete", path=path)["status"] == 404
    runner.http("PUT", path, content_type=JSON)
    runner.ask("append", path=path, data='{"n":1}')
    runner.ask("idempotent-append", data='"new"', **producer)
    assert runner.data(path) == '[{"n":1},"new"]'


def test_close_without_and_with_a_last_piece(runner: Runner, path: str) -> None:
    runner.ask("create", path=path, contentType=TEXT)
    offset = runner.ask("append", path=path, data="one")["offset"]
    closed = runner.ask("close", path=path)
    assert closed["finalOffset"] == offset
    assert "status" not in closed
    assert runner.ask("close", path=path)["finalOffset"] == offset
    refused = runner.fail("STREAM_CLOSED", "append", path=path, data="late")
    assert refused["status"] == 409
    runner.http("PUT", path + "-last", content_type=TEXT)
    runner.ask("close", path=path + "-last", data="end", contentType=TEXT)
    assert runner.data(path + "-last") == "end"
    late = runner.fail("STREAM_CLOSED", "close", path=path + "-last", data="late")
    assert late["status"] == 409


def test_init_forgets_everything(runner: Runner, path: str) -> None:
    runner.ask("create", path=path, contentType=TEXT)
    runner.ask("set-dynamic-header", name="X-A", valueType="counter")
    runner.ask("init", serverUrl=runner.origin + "/")
    assert runner.ask("append", path=path, data="text")["headersSent"] == {}
    assert runner.data(path) == "text"


@pytest.mark.parametrize("runner", ["own"], indirect=True)  # neither server is asked
def test_a_server_that_is_not_there(runner: Runner, path: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    runner.ask("init", serverUrl=f"http://127.0.0.1:{port}")
    for command in ("connect", "read"):
        assert "status" not in runner.fail("NETWORK_ERROR", command, path=path)
    runner.fail("NETWORK_ERROR", "append", path=path, data="x")


@pytest.mark.parametrize("runner", ["own"], indirect=True)  # neither server is asked
def test_a_server_that_says_nothing_is_answered_in_time(runner: Runner, path: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        runner.ask("init", serverUrl=f"http://127.0.0.1:{silent.getsockname()[1]}")
        began_at = time.monotonic()
        live = runner.ask("read", path=path, live="long-poll", timeoutMs=300)
        assert (live["chunks"], live["upToDate"]) == ([], True)
        assert time.monotonic() - began_at >= 0.3
        runner.send("head", path=path)
        assert runner.answer()["errorCode"] == "TIMEOUT"  # before the runner's 30 s are over


def test_dynamic_values_are_made_once_for_each_append_and_read(runner: Runner, path: str) -> None:
    runner.ask("create", path=path, contentType=TEXT)
    runner.ask("set-dynamic-header", name="X-Count", valueType="counter")
    runner.ask("set-dynamic-header", name="X-Token", valueType="token", initialValue="first")
    runner.ask("set-dynamic-header", name="X-Token", valueType="token", initialValue="second")
    runner.ask("set-dynamic-param", name="count", valueType="counter")
    runner.ask("set-dynamic-param", name="at", valueType="timestamp")
    before = time.time_ns() // 1_000_000
    first = runner.ask("append", path=path, data="x")
    second = runner.ask("read", path=path)
    runner.ask("head", path=path)
    third = runner.ask("append", path=path, data="x", headers={"X-Token": "of the command"})
    assert [one["headersSent"]["X-Count"] for one in (first, second, third)] == ["1", "2", "3"]
    assert [one["paramsSent"]["count"] for one in (first, second, third)] == ["1", "2", "3"]
    assert first["headersSent"]["X-Token"] == "second"
    assert before <= int(first["paramsSent"]["at"]) <= time.time_ns() // 1_000_000
    runner.ask("clear-dynamic")
    cleared = runner.ask("append", path=path, data="x")
    assert (cleared["headersSent"], cleared["paramsSent"]) == ({}, {})


@pytest.mark.parametrize(
    ("target", "fields", "word"),
    [
        ("idempotent-producer", {"producerId": "p", "epoch": -1}, "epoch"),
        ("idempotent-producer", {"producerId": "p", "maxBatchBytes": 0}, "maxBatchBytes"),
        ("idempotent-producer", {"producerId": "p", "maxBatchItems": 0}, "maxBatchItems"),
        ("idempotent-producer", {"producerId": "p", "maxBatchItems": -1}, "maxBatchItems"),
        ("idempotent-producer", {"producerId": ""}, "producer id"),
        ("retry-options", {"maxRetries": -1}, "maxRetries"),
        ("retry-options", {"initialDelayMs": 0}, "initialDelayMs"),
        ("retry-options", {"initialDelayMs": -5}, "initialDelayMs"),
        ("retry-options", {"initialDelayMs": 1000, "maxDelayMs": 100}, "maxDelayMs"),
        ("retry-options", {"multiplier": 0.5}, "multiplier"),
    ],
)
def test_arguments_that_the_client_refuses(
    runner: Runner, target: str, fields: dict[str, object], word: str
) -> None:
    answer = runner.fail("INVALID_ARGUMENT", "validate", target={"target": target, **fields})
    assert word in answer["message"]


@pytest.mark.parametrize(
    ("target", "fields"),
    [
        ("idempotent-producer", {}),
        (
            "idempotent-producer",
            {"producerId": "p", "epoch": 3, "maxBatchBytes": 1, "maxBatchItems": 1},
        ),
        ("retry-options", {}),
        ("retry-options", {"maxRetries": 0}),
        ("retry-options", {"initialDelayMs": 90_000}),
        ("retry-options", {"maxDelayMs": 10}),
        (
            "retry-options",
            {"maxRetries": 5, "initialDelayMs": 10, "maxDelayMs": 10, "multiplier": 1},
        ),
    ],
)
def test_arguments_that_are_fine(runner: Runner, target: str, fields: dict[str, object]) -> None:
    answer = runner.ask("validate", target={"target": target, **fields})
    assert answer == {"type": "validate", "success": True}
