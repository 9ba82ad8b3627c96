"""`read`, `tail` and `head`, on a server and on a local file."""

import base64
import json

import pytest
from tests.runtime.cli.running import Commands

from streamdb.cli.exits import Exit


def offset(commands: Commands, name: str) -> str:
    return str(json.loads(commands.succeed("head", name, "--json")[0])["offset"])


def test_reading_from_an_offset(commands: Commands, name: str) -> None:
    commands.succeed("create", name, "1")
    middle = offset(commands, name)
    commands.succeed("append", name, "2", "3")
    assert commands.succeed("read", name, "--offset", "-1") == ["1", "2", "3"]
    assert commands.succeed("read", name, "--offset", middle) == ["2", "3"]
    assert commands.succeed("read", name, "--offset", "now") == []
    assert "malformed" in commands.fail(Exit.REFUSED, "read", name, "--offset", "x y")


def test_formats_of_a_json_stream(commands: Commands, name: str) -> None:
    commands.succeed("create", name)
    assert json.loads("".join(commands.succeed("read", name, "-o", "json"))) == []
    commands.succeed("append", name, '{"a":  1.0}', "[2]")
    assert commands.succeed("read", name, "-o", "jsonl") == ['{"a":1.0}', "[2]"]
    assert commands.succeed("read", name, "-o", "json") == ["[", '{"a":1.0},', "[2]", "]"]
    assert commands.succeed("read", name, "-o", "pretty")[:3] == ["{", '  "a": 1.0', "}"]
    assert json.loads(commands.run("read", name, "-o", "raw").out) == [{"a": 1.0}, [2]]
    batches = [json.loads(line) for line in commands.succeed("read", name, "-o", "batches")]
    assert batches == [
        {
            "offset": offset(commands, name),
            "up_to_date": True,
            "closed": False,
            "values": [{"a": 1.0}, [2]],
        }
    ]


def test_formats_of_another_stream(commands: Commands, name: str) -> None:
    commands.succeed("create", name, "--content-type", "image/png", stdin=b"")
    commands.succeed("append", name, stdin=b"\x89PNG\r\n\xff")
    raw = commands.run("read", name, "--output", "raw").out
    assert raw == commands.run("read", name).out
    assert raw.encode("utf-8", "surrogateescape") == b"\x89PNG\r\n\xff"
    batch = json.loads(commands.succeed("read", name, "-o", "batches")[0])
    assert base64.b64decode(batch["base64"]) == b"\x89PNG\r\n\xff"
    for form in ("jsonl", "json", "pretty"):
        assert "image/png" in commands.fail(Exit.USAGE, "read", name, "-o", form)


@pytest.mark.parametrize("live", ["auto", "sse", "long-poll"])
def test_tail_ends_with_the_stream_and_says_where(commands: Commands, name: str, live: str) -> None:
    commands.succeed("create", name, "1", "2", "--closed")
    done = commands.run("tail", name, "--offset", "-1", "--live", live)
    assert (done.code, done.lines) == (0, ["1", "2"])
    assert done.err.count("\n") == 1
    assert f"it ends at offset {offset(commands, name)}" in done.err


def test_head(commands: Commands, name: str) -> None:
    commands.succeed("create", name, "--expires-at", "2130-01-31T12:00:00Z", "1", "--closed")
    told = json.loads(commands.succeed("head", name, "--json")[0])
    assert told["url"].endswith(name)
    assert told["content_type"] == "application/json"
    assert (told["closed"], told["ttl_seconds"]) == (True, None)
    table = "\n".join(commands.succeed("head", name))
    for value in (told["url"], told["offset"], "application/json", "yes", "2130-01-31"):
        assert value in table
