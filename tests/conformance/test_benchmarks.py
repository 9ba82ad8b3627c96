"""The command `benchmark` (section 5 of the adapter's text): what it moves, never how fast."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.conformance.conftest import Runner

JSON = "application/json"


def measured(runner: Runner, op: str, **fields: Any) -> dict[str, float]:
    answer = runner.ask("benchmark", iterationId="i-1", operation={"op": op, **fields})
    assert answer["iterationId"] == "i-1"
    assert int(answer["durationNs"]) > 0
    metrics: dict[str, float] = answer["metrics"]
    return metrics


def test_create_append_and_read(runner: Runner, path: str) -> None:
    measured(runner, "create", path=path)
    assert measured(runner, "append", path=path, size=100)["bytesTransferred"] == 100
    assert measured(runner, "append", path=path, size=50)["bytesTransferred"] == 50
    assert runner.http("GET", path).content == b"x" * 150
    assert measured(runner, "read", path=path)["bytesTransferred"] == 150


@pytest.mark.parametrize("live", ["long-poll", "sse"])
@pytest.mark.parametrize("content_type", ["application/octet-stream", JSON])
def test_roundtrip(runner: Runner, path: str, content_type: str, live: str) -> None:
    metrics = measured(
        runner, "roundtrip", path=path, size=100, live=live, contentType=content_type
    )
    assert metrics["bytesTransferred"] == 100
    data = runner.http("GET", path).content
    # A JSON value of that size, within the brackets of the answer.
    assert len(data) == (102 if content_type == JSON else 100)


def test_throughput(runner: Runner, path: str) -> None:
    runner.ask("create", path=path, contentType=JSON)
    metrics = measured(runner, "throughput_append", path=path, count=1000, size=100, concurrency=10)
    assert (metrics["messagesProcessed"], metrics["bytesTransferred"]) == (1000, 100_000)
    assert len(json.loads(runner.http("GET", path).content)) == 1000
    metrics = measured(runner, "throughput_read", path=path, expectedCount=1000)
    assert (metrics["messagesProcessed"], metrics["bytesTransferred"]) == (1000, 100_000)


def test_what_fails_is_told(runner: Runner, path: str) -> None:
    operation = {"op": "throughput_read", "path": path, "expectedCount": 1}
    runner.fail("NOT_FOUND", "benchmark", iterationId="i", operation=operation)
    unknown = {"op": "fly", "path": path}
    runner.fail("INVALID_ARGUMENT", "benchmark", iterationId="i", operation=unknown)
